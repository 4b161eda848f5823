use super::*;
use crate::game::MaskedRow;
use crate::masker::{Groups, Masker};
use crate::testing::{Listed, linear, work};
use ndarray::{Axis, array};

fn close(actual: f64, expected: f64, tolerance: f64) {
    assert!((actual - expected).abs() <= tolerance, "{actual} is not {expected}");
}

/// All 2ⁿ coalitions weighted by kernel and probability, without sampling: what many samples come to.
fn exact(game: &Listed, options: &Options, n_samples: f64) -> Array1<f64> {
    let n = game.n_players;
    let present = Array2::from_shape_fn((1 << n, n), |(bits, player)| bits >> player & 1 == 1);
    let choose = |k: usize| (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product::<f64>();
    let weight = |row: ArrayView1<'_, bool>| {
        let n_absent = row.iter().filter(|&&present| !present).count();
        let probability = match options.sampling {
            Sampling::Bernoulli(p) => p.powi((n - n_absent) as i32) * (1.0 - p).powi(n_absent as i32),
            Sampling::RemovalCount if n_absent == 0 => 0.0,
            Sampling::RemovalCount => 1.0 / n as f64 / choose(n_absent),
        };
        let whole = if n_absent == 0 { 1.0 } else { 0.0 };
        kernel(cosine_distance(row), options.kernel_width) * (probability * (n_samples - 1.0) + whole)
    };
    let weights: Array1<f64> = present.outer_iter().map(weight).collect();
    let sums =
        crate::regression::Sums::new(present.mapv(f64::from).view(), game.worth.view(), weights.view());
    let all: Vec<usize> = (0..n).collect();
    sums.ridge(&all, 0, options.fit.alpha).coefficients
}

#[test]
fn samples_come_to_the_fit_over_all_coalitions() {
    let game = Listed::random(6, 1, 3);
    for options in [Options::image(), Options::text()] {
        let fit = Fit { n_resamples: 0, ..options.fit.clone() };
        let options = Options { n_samples: 8000, fit, ..options };
        let surrogate = lime(&game, &options, &work(4096)).expect("a surrogate");
        let expected = exact(&game, &options, 8000.0);
        let errors = surrogate.estimate.standard_error.expect("errors");
        for player in 0..6 {
            let gap = surrogate.estimate.values[[player, 0]] - expected[player];
            assert!(gap.abs() < 4.0 * errors[[player, 0]], "{gap} against {}", errors[[player, 0]]);
        }
        assert_eq!(surrogate.estimate.evaluations, 8000);
    }
}

/// 95 % intervals hold the fit over all coalitions in about 95 of 100 runs.
#[test]
fn intervals_hold_what_they_promise() {
    let game = Listed::random(5, 1, 4);
    let mut held = 0;
    for seed in 0..200 {
        let fit = Fit { n_resamples: 0, ..Fit::default() };
        let options = Options { n_samples: 300, seed, fit, ..Options::image() };
        let surrogate = lime(&game, &options, &work(4096)).expect("a surrogate");
        let expected = exact(&game, &options, 300.0);
        held += (0..5)
            .filter(|&player| {
                let bound = |side| surrogate.intervals[[player, 0, side]];
                bound(0) <= expected[player] && expected[player] <= bound(1)
            })
            .count();
    }
    assert!((0.93..0.97).contains(&(held as f64 / 1000.0)), "{held} of 1000");
}

#[test]
fn an_additive_game_is_its_own_surrogate() {
    let game = Listed::one(4, |bits| 1.0 + 2.0 * f64::from(bits & 1 != 0) - 3.0 * f64::from(bits & 4 != 0));
    let fit = Fit { alpha: 0.0, ..Fit::default() };
    let options = Options { n_samples: 200, fit, ..Options::image() };
    let surrogate = lime(&game, &options, &work(7)).expect("a surrogate");
    for (value, expected) in surrogate.estimate.values.iter().zip([2.0, 0.0, -3.0, 0.0]) {
        close(*value, expected, 1e-12);
    }
    close(surrogate.intercept[0], 1.0, 1e-12);
    close(surrogate.r_squared[0], 1.0, 1e-12);
    close(surrogate.local_prediction[0], 0.0, 1e-12);
    assert_eq!(surrogate.selected[0][..2], [2, 0]);
    let stability = surrogate.stability.expect("a stability");
    close(stability.coefficients[0], 1.0, 0.0);
}

/// lime's random state advances: its second call differs from the first. Ours does not, whatever the batches, and other seeds and
/// rows give others.
#[test]
fn the_same_seed_gives_the_same_bits() {
    let game = Listed::random(6, 2, 5);
    let options = Options { n_samples: 600, ..Options::text() };
    let first = lime(&game, &options, &work(4096)).expect("a surrogate");
    for batch_size in [1, 7, 255, 600] {
        assert_eq!(lime(&game, &options, &work(batch_size)).expect("a surrogate"), first);
    }
    let other = lime(&game, &Options { seed: 1, ..options }, &work(4096)).expect("a surrogate");
    assert_ne!(other.estimate.values, first.estimate.values);
}

/// The kernel by hand: 1 of 4 present is at 1 − √¼ = ½; `√exp(−0.25/0.0625)` = e⁻². lime's text distance times 100 over a width of 25
/// is the same.
#[test]
fn the_kernel_is_limes() {
    close(cosine_distance(array![true, false, false, false].view()), 0.5, 0.0);
    close(cosine_distance(array![false, false].view()), 1.0, 0.0);
    close(kernel(0.5, 0.25), (-2.0_f64).exp(), 1e-16);
    close(kernel(50.0, 25.0), kernel(0.5, 0.25), 1e-16);
}

/// Removed words are uniform in number, 1 … n, and each word is as likely.
#[test]
fn removal_counts_are_uniform() {
    let draws = Draws::new(0, &[0; 32], "lime");
    let present = coalitions(&draws, Sampling::RemovalCount, 5, 0..10_001);
    assert!(present.row(0).iter().all(|&present| present), "sample 0 is the row itself");
    let mut counts = [0; 6];
    for row in present.outer_iter() {
        counts[row.iter().filter(|&&present| !present).count()] += 1;
    }
    assert_eq!(counts[0], 1);
    assert!(counts[1..].iter().all(|&count: &usize| count.abs_diff(2000) < 200), "{counts:?}");
    let absent = present.map_axis(Axis(0), |column| column.iter().filter(|&&present| !present).count());
    assert!(absent.iter().all(|&count| count.abs_diff(6000) < 300), "{absent}");
}

#[test]
fn selections_take_what_they_say() {
    let weights = [0.1, 5.0, -4.0, 0.2, 3.0, -0.3, 2.0, 0.4];
    let game = Listed::one(8, |bits| (0..8).map(|i| weights[i] * f64::from(bits >> i & 1 == 1)).sum());
    let selected = |selection, n_features| {
        let fit = Fit { selection, n_features, ..Fit::default() };
        let options = Options { n_samples: 500, fit, ..Options::image() };
        lime(&game, &options, &work(500)).expect("a surrogate").selected[0].clone()
    };
    for selection in [Selection::Auto, Selection::Forward, Selection::HighestWeights] {
        assert_eq!(selected(selection, 4), [1, 2, 4, 6], "{selection:?}");
    }
    assert_eq!(selected(Selection::Auto, 7).len(), 7);
    assert_eq!(selected(Selection::None, 2).len(), 8);
}

/// A stability from resamples is about what runs with other seeds show, and rises with the number of samples.
#[test]
fn stability_is_that_of_other_seeds() {
    let mut game = Listed::random(10, 1, 6);
    for (bits, mut worth) in game.worth.outer_iter_mut().enumerate() {
        worth += (0..10)
            .filter(|player| bits >> player & 1 == 1)
            .map(|player| 0.1 * f64::from(player))
            .sum::<f64>();
    }
    let run = |n_samples, seed, n_resamples| {
        let fit = Fit { n_resamples, ..Options::image().fit };
        let options = Options { n_samples, seed, fit, ..Options::image() };
        lime(&game, &options, &work(4096)).expect("a surrogate")
    };
    let told = |n_samples| {
        let told = (0..5).map(|seed| run(n_samples, seed, 8).stability.expect("a stability").variables[0]);
        told.sum::<f64>() / 5.0
    };
    let seen = |n_samples| {
        let tops: Vec<Vec<usize>> =
            (0..20).map(|seed| run(n_samples, seed, 0).selected[0][..5].to_vec()).collect();
        let pairs = tops.iter().enumerate().flat_map(|(i, a)| tops[..i].iter().map(move |b| (a, b)));
        let shared = pairs.map(|(a, b)| a.iter().filter(|player| b.contains(player)).count() as f64 / 5.0);
        shared.sum::<f64>() / 190.0
    };
    let (few, many) = (told(60), told(2000));
    close(few, seen(60), 0.15);
    close(many, seen(2000), 0.15);
    assert!(many > few + 0.1, "{few} with few samples, {many} with many");
}

#[test]
fn a_tolerance_stops_early_and_is_kept() {
    let game = Listed::random(5, 1, 7);
    let options = Options { n_samples: 50_000, tolerance: Some(0.02), ..Options::image() };
    let surrogate = lime(&game, &options, &work(100)).expect("a surrogate");
    let errors = surrogate.estimate.standard_error.expect("errors");
    assert!(errors.iter().all(|&error| error <= 0.02), "{errors}");
    assert!(
        surrogate.estimate.evaluations < 50_000
            && surrogate.estimate.evaluations.is_multiple_of(SAMPLES_PER_LOOK)
    );
    let impossible = Options { n_samples: 300, tolerance: Some(1e-12), ..Options::image() };
    assert_eq!(lime(&game, &impossible, &work(100)).expect("a surrogate").estimate.evaluations, 300);
}

#[test]
fn what_cannot_be_is_refused_and_what_says_little_is_warned_of() {
    let game = Listed::random(3, 1, 8);
    let say = |options: Options| lime(&game, &options, &work(8)).expect_err("a refusal").to_string();
    let image = Options::image;
    assert!(say(Options { n_samples: 1, ..image() }).contains("at least 2"));
    assert!(say(Options { kernel_width: 0.0, ..image() }).contains("no width"));
    assert!(say(Options { sampling: Sampling::Bernoulli(1.0), ..image() }).contains("no probability"));
    assert!(say(Options { tolerance: Some(-1.0), ..image() }).contains("tolerance"));
    assert!(say(Options { fit: Fit { alpha: f64::NAN, ..Fit::default() }, ..image() }).contains("no ridge"));
    assert!(say(Options { fit: Fit { n_features: 0, ..Fit::default() }, ..image() }).contains("n_features"));
    assert!(
        say(Options { fit: Fit { n_resamples: 1, ..Fit::default() }, ..image() }).contains("n_resamples")
    );
    assert!(say(Options { fit: Fit { n_top: 0, ..Fit::default() }, ..image() }).contains("n_top"));
    let constant = Listed::one(3, |_| 0.25);
    let surrogate = lime(&constant, &Options { n_samples: 50, ..image() }, &work(8)).expect("a surrogate");
    assert_eq!(surrogate.estimate.values, Array2::zeros((3, 1)));
    assert!(surrogate.estimate.warnings[0].contains("nothing to explain"));
    let parity = Listed::one(8, |bits| f64::from(bits.count_ones() % 2 == 0));
    let surrogate = lime(&parity, &image(), &work(4096)).expect("a surrogate");
    assert!(surrogate.estimate.warnings[0].contains("of the variance"), "{:?}", surrogate.estimate.warnings);
    let stopped = work(8);
    stopped.cancellation.cancel();
    assert_eq!(lime(&game, &image(), &stopped), Err(pellucid_core::Error::Canceled.into()));
}

/// Regression has one output, and its explanation is not repeated with the other sign.
#[test]
fn one_output_has_one_explanation() {
    let predictor = linear(&[1.0, 2.0], 0.0);
    let masker = Masker::baseline(array![0.0, 0.0].into_dyn(), Groups::single(&[2])).expect("a masker");
    let row = array![1.0, 1.0].into_dyn();
    let game = MaskedRow::new(&predictor, &masker, row.view(), array![[1.0]]).expect("a game");
    let surrogate = lime(&game, &Options::image(), &work(64)).expect("a surrogate");
    assert_eq!(surrogate.estimate.values.dim(), (2, 1));
    assert!(surrogate.estimate.values.iter().all(|&value| value > 0.0));
    assert_eq!((surrogate.selected.len(), surrogate.intervals.dim()), (1, (2, 1, 2)));
}

/// A game that remembers how many coalitions it was asked about at once.
struct Watched {
    game: Listed,
    most: std::sync::atomic::AtomicUsize,
}

impl Game for Watched {
    fn n_players(&self) -> usize {
        self.game.n_players
    }

    fn n_targets(&self) -> usize {
        1
    }

    fn worth(&self, present: ndarray::ArrayView2<'_, bool>, work: &Work) -> Result<Array2<f64>, Error> {
        self.most.fetch_max(present.nrows(), std::sync::atomic::Ordering::Relaxed);
        self.game.worth(present, work)
    }

    fn digest(&self) -> [u8; 32] {
        self.game.digest()
    }
}

/// A quarter of 1,024 bytes has room for 4 samples of 6 · (1 + 8) bytes; and the products of blocks for none.
#[test]
fn little_memory_takes_small_pieces_and_gives_the_same_surrogate() {
    let of = |max_memory_bytes| {
        let game = Watched { game: Listed::random(6, 1, 3), most: 0.into() };
        let work = Work { max_memory_bytes, ..Work::default() };
        let options = Options { n_samples: 300, ..Options::image() };
        let surrogate = lime(&game, &options, &work).expect("a surrogate");
        (surrogate, game.most.into_inner())
    };
    let ((little, of_little), (plenty, of_plenty)) = (of(1_024), of(1 << 30));
    assert_eq!((of_little, of_plenty), (4, 300));
    let gap = (&little.estimate.values - &plenty.estimate.values).mapv(f64::abs);
    assert!(gap.iter().all(|&gap| gap < 1e-9), "{gap}");
    assert_eq!((&little.selected, &little.stability), (&plenty.selected, &plenty.stability));
}

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pellucid_core::{Cancellation, Progress, Target};

use super::*;
use crate::testing::{Rowwise, attribution, first_output, rows};

const WEIGHTS: [f32; 4] = [0.5, 3.0, -2.0, 1.0];

fn linear() -> Rowwise {
    Rowwise::new(&[4], 1, |x| vec![x.iter().zip(WEIGHTS).map(|(x, w)| f64::from(x * w)).sum()])
}

/// Neither linear nor symmetric, two outputs.
fn crooked() -> Rowwise {
    Rowwise::new(&[2, 2, 3], 2, |x| {
        let y =
            |k: usize| (0..12).map(|i| f64::from(x[i] * x[(i * 5 + k) % 12]).sin() / (i + 1) as f64).sum();
        vec![y(1), y(7)]
    })
}

fn crooked_rows() -> ArrayD<f32> {
    ArrayD::from_shape_fn(vec![3, 2, 2, 3], |at| {
        ((at[0] * 12 + at[1] * 6 + at[2] * 3 + at[3]) as f32 * 0.37).cos()
    })
}

fn crooked_attribution(n_targets: usize) -> Attribution {
    let shape = [3, n_targets, 2, 2, 3];
    let n: usize = shape.iter().product();
    attribution(&shape, &(0..n).map(|i| (i as f64 * 1.7).sin()).collect::<Vec<_>>())
}

/// The score of one row of the linear model, against zeros.
fn score_of(direction: Direction, x: [f32; 4], values: [f64; 4]) -> Score {
    let (model, inputs, zeros) = (linear(), rows(&[1, 4], &x), ArrayD::zeros(vec![4]));
    let target = first_output(&model, 1);
    let explained = Explained { model: &model, inputs: &inputs, target: &target };
    let attribution = attribution(&[1, 1, 4], &values);
    let score = match direction {
        Direction::Deletion => deletion,
        Direction::Insertion => insertion,
    };
    let (options, work) = (Options { n_random: 100, ..Options::default() }, Work::default());
    score(&explained, &attribution, &zeros, &options, &work).expect("all fits")[[0, 0]].clone()
}

#[test]
fn areas_of_a_linear_model_are_those_computed_by_hand() {
    let contributions = [0.5, 3.0, -2.0, 1.0];
    let deletion = score_of(Direction::Deletion, [1.0; 4], contributions);
    assert_eq!(deletion.curve.fractions, [0.0, 0.25, 0.5, 0.75, 1.0]);
    assert_eq!(deletion.curve.values, [2.5, -0.5, -1.5, -2.0, 0.0]);
    // (1.0 − 1.0 − 1.75 − 1.0) / 4
    assert_eq!(deletion.curve.auc, -0.6875);
    let insertion = score_of(Direction::Insertion, [1.0; 4], contributions);
    assert_eq!(insertion.curve.values, [0.0, 3.0, 4.0, 4.5, 2.5]);
    // (1.5 + 3.5 + 4.25 + 3.5) / 4
    assert_eq!(insertion.curve.auc, 3.1875);
}

#[test]
fn no_order_is_better_than_the_true_contributions_and_none_worse_than_their_negation() {
    let x = [2.0, -1.0, 0.5, 3.0];
    let contributions: [f64; 4] = std::array::from_fn(|i| f64::from(x[i] * WEIGHTS[i]));
    for direction in [Direction::Deletion, Direction::Insertion] {
        let best = score_of(direction, x, contributions);
        let worst = score_of(direction, x, contributions.map(|c| -c));
        assert!(best.beats_random() && !worst.beats_random());
        assert_eq!(worst.share_of_random_beaten(), 0.0);
        assert!(best.share_of_random_beaten() > 0.8);
        for code in 0..256 {
            let values: [f64; 4] = std::array::from_fn(|i| f64::from(code >> (2 * i) & 3));
            let other = score_of(direction, x, values).advantage();
            assert!(worst.advantage() <= other && other <= best.advantage());
        }
    }
}

#[test]
fn random_orders_average_to_the_straight_line_of_a_linear_model() {
    let random = score_of(Direction::Deletion, [1.0; 4], [0.0; 4]).random;
    assert!((random.mean.auc - 1.25).abs() < 4.0 * random.standard_error);
    assert_eq!(random.aucs.len(), 100);
    assert!(random.standard_error > 0.0 && random.standard_error < 0.2);
}

#[test]
fn on_a_constant_model_nothing_beats_random() {
    // 0.1 summed ten times is not 1, so that a careless mean of equal areas would differ from them.
    let model = Rowwise::new(&[7], 1, |_| vec![0.1]);
    let (inputs, zeros) = (ArrayD::ones(vec![1, 7]), ArrayD::zeros(vec![7]));
    let target = first_output(&model, 1);
    let explained = Explained { model: &model, inputs: &inputs, target: &target };
    let attribution = attribution(&[1, 1, 7], &[3.0, 1.0, 2.0, 7.0, 6.0, 5.0, 4.0]);
    for score in [deletion, insertion] {
        let scores = score(&explained, &attribution, &zeros, &Options::default(), &Work::default());
        let score = &scores.expect("all fits")[[0, 0]];
        assert_eq!((score.advantage(), score.random.standard_error), (0.0, 0.0));
        assert!(!score.beats_random());
        assert_eq!(score.share_of_random_beaten(), 0.0);
    }
}

#[test]
fn equal_values_go_in_row_major_order() {
    assert_eq!(descending(&[1.0, 0.0, 1.0, -0.0, 2.0]), [4, 0, 2, 1, 3]);
    assert_eq!(descending(&[-0.0, 0.0, f64::MIN, f64::MAX]), [3, 0, 1, 2]);
}

/// Each point from scratch: which positions come before it, and the row that follows, element by element.
fn slow_curve(
    explained: &Explained<'_>,
    (row, target): (usize, usize),
    order: &[usize],
    positions: impl Fn(usize) -> usize,
    (from, to): (&ArrayD<f32>, &ArrayD<f32>),
) -> Vec<f64> {
    let changed_row = |n: usize| -> Vec<f32> {
        let changed = |element: usize| order[..n].contains(&positions(element));
        let pairs = from.iter().zip(to).enumerate();
        pairs.map(|(element, (&from, &to))| if changed(element) { to } else { from }).collect()
    };
    (0..=order.len())
        .map(|n| {
            let shape: Vec<usize> = std::iter::once(1).chain(from.shape().iter().copied()).collect();
            let outputs = explained.model.predict(&rows(&shape, &changed_row(n)), OutputSpace::Value);
            let outputs = outputs.expect("a row of the model's shape");
            outputs
                .row(0)
                .iter()
                .zip(explained.target.weights[target].row(row))
                .map(|(y, &w)| y * f64::from(w))
                .sum()
        })
        .collect()
}

#[test]
fn curves_agree_with_a_slow_twin() {
    let (model, inputs) = (crooked(), crooked_rows());
    let replacement = inputs.mapv(|x| 0.3 - x);
    let weighted = Target::Weighted(vec![(0, 1.0), (1, -0.5)]);
    let target = weighted.resolve(Array2::zeros((3, 2)).view(), None).expect("two outputs");
    let explained = Explained { model: &model, inputs: &inputs, target: &target };
    let attribution = crooked_attribution(1);
    // `[2, 2, 3]`: positions are all elements, pixels of channels first, pixels of channels last.
    type PositionOf = fn(usize) -> usize;
    let cases: [(Option<usize>, PositionOf, usize); 3] = [
        (None, |element| element, 12),
        (Some(0), |element| element % 6, 6),
        (Some(2), |element| element / 3, 4),
    ];
    for (channel_axis, position_of, n_positions) in cases {
        let options = Options { channel_axis, ..Options::default() };
        let curves = Trial::new(explained, Direction::Deletion, &replacement, &options)
            .and_then(|trial| trial.curves(&attribution, &Work::default()))
            .expect("all fits");
        for row in 0..3 {
            let mut sums = vec![0.0; n_positions];
            for (element, value) in attribution.row(row, 0).iter().enumerate() {
                sums[position_of(element)] += value;
            }
            let ends =
                (inputs.index_axis(Axis(0), row).to_owned(), replacement.index_axis(Axis(0), row).to_owned());
            let slow = slow_curve(&explained, (row, 0), &descending(&sums), position_of, (&ends.0, &ends.1));
            assert_eq!(curves[[row, 0]].values, slow);
        }
    }
}

fn scores_of_crooked(inputs: &ArrayD<f32>, first_row: usize, work: &Work) -> (Vec<Score>, usize) {
    let model = crooked();
    let n_rows = inputs.len_of(Axis(0));
    let target =
        Target::Top(2).resolve(Array2::from_elem((n_rows, 2), 1.0).view(), None).expect("two outputs");
    let explained = Explained { model: &model, inputs, target: &target };
    let mut attribution = crooked_attribution(2);
    let chosen = (first_row..first_row + n_rows).into();
    attribution.values = attribution.values.slice_axis(Axis(0), chosen).to_owned();
    let options = Options { n_steps: 5, seed: 9, ..Options::default() };
    let scores = deletion(&explained, &attribution, &ArrayD::zeros(vec![2, 2, 3]), &options, work);
    (scores.expect("all fits").into_iter().collect(), model.largest_batch.load(Ordering::Relaxed))
}

#[test]
fn the_batch_size_changes_nothing_and_is_kept() {
    let with = |batch_size| scores_of_crooked(&crooked_rows(), 0, &Work { batch_size, ..Work::default() });
    let (expected, _) = with(None);
    for batch_size in [1, 2, 7, 1000] {
        let (scores, largest_batch) = with(Some(batch_size));
        assert_eq!(scores, expected);
        assert!(largest_batch <= batch_size);
    }
    let little = Work { max_memory_bytes: 1, ..Work::default() };
    assert_eq!(scores_of_crooked(&crooked_rows(), 0, &little), (expected, 1));
}

#[test]
fn a_row_does_not_depend_on_the_other_rows() {
    let together = scores_of_crooked(&crooked_rows(), 0, &Work::default()).0;
    for row in 0..3 {
        let alone = crooked_rows().slice_axis(Axis(0), (row..row + 1).into()).to_owned();
        assert_eq!(scores_of_crooked(&alone, row, &Work::default()).0, together[2 * row..2 * row + 2]);
    }
}

#[test]
fn steps_are_no_more_than_positions_and_spread_evenly() {
    let fractions = |n_steps| {
        let (model, inputs, zeros) = (linear(), ArrayD::ones(vec![1, 4]), ArrayD::zeros(vec![4]));
        let target = first_output(&model, 1);
        let options = Options { n_steps, ..Options::default() };
        let explained = Explained { model: &model, inputs: &inputs, target: &target };
        let trial = Trial::new(explained, Direction::Insertion, &zeros, &options).expect("all fits");
        let curves = trial.curves(&attribution(&[1, 1, 4], &[0.0; 4]), &Work::default()).expect("all fits");
        curves[[0, 0]].fractions.clone()
    };
    assert_eq!(fractions(1), [0.0, 1.0]);
    assert_eq!(fractions(3), [0.0, 0.25, 0.5, 1.0]);
    assert_eq!(fractions(100), [0.0, 0.25, 0.5, 0.75, 1.0]);
}

#[test]
fn random_orders_follow_the_seed() {
    let (model, inputs, zeros) = (crooked(), crooked_rows(), ArrayD::zeros(vec![2, 2, 3]));
    let target = first_output(&model, 3);
    let explained = Explained { model: &model, inputs: &inputs, target: &target };
    let reference = |seed| {
        let options = Options { seed, ..Options::default() };
        let trial = Trial::new(explained, Direction::Deletion, &zeros, &options).expect("all fits");
        trial.random_reference(&Work::default()).expect("all fits")
    };
    assert_eq!(reference(1), reference(1));
    assert_ne!(reference(1), reference(2));
}

#[test]
fn a_map_without_channels_stands_for_all_of_them() {
    let (model, inputs, zeros) = (crooked(), crooked_rows(), ArrayD::zeros(vec![2, 2, 3]));
    let target = first_output(&model, 3);
    let explained = Explained { model: &model, inputs: &inputs, target: &target };
    let options = Options { channel_axis: Some(0), ..Options::default() };
    let trial = Trial::new(explained, Direction::Deletion, &zeros, &options).expect("all fits");
    let full = crooked_attribution(1);
    let curves = |values| trial.curves(&Attribution::new(values, full.outputs.clone()), &Work::default());
    let expected = curves(full.values.clone());
    let map = full.values.sum_axis(Axis(2));
    assert_eq!(curves(map.clone()), expected);
    assert_eq!(curves(map.insert_axis(Axis(2))), expected);
}

fn check_refused(
    inputs: ArrayD<f32>,
    attribution: Attribution,
    replacement: ArrayD<f32>,
    options: Options,
    part: &str,
) {
    let model = linear();
    let target = first_output(&model, 1);
    let explained = Explained { model: &model, inputs: &inputs, target: &target };
    let error = deletion(&explained, &attribution, &replacement, &options, &Work::default()).expect_err(part);
    assert!(error.to_string().contains(part), "{error}");
    assert_eq!(model.n_evaluations.load(Ordering::Relaxed), 0, "refused before any work");
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let (x, zeros) = (rows(&[1, 4], &[1.0; 4]), ArrayD::zeros(vec![4]));
    let good = attribution(&[1, 1, 4], &[1.0, 2.0, 3.0, 4.0]);
    let options = Options::default;
    let with_nan = attribution(&[1, 1, 4], &[1.0, f64::NAN, 3.0, 4.0]);
    check_refused(x.clone(), with_nan, zeros.clone(), options(), "attribution holds NaN at [0, 0, 1]");
    let infinite = attribution(&[1, 1, 4], &[1.0, 2.0, f64::INFINITY, 4.0]);
    check_refused(x.clone(), infinite, zeros.clone(), options(), "inf at [0, 0, 2]");
    let short = attribution(&[1, 1, 3], &[1.0, 2.0, 3.0]);
    check_refused(x.clone(), short, zeros.clone(), options(), "expected [4]");
    let two_rows = attribution(&[2, 1, 4], &[0.0; 8]);
    check_refused(x.clone(), two_rows, zeros.clone(), options(), "[1, 1, features…]");
    check_refused(
        rows(&[1, 3], &[1.0; 3]),
        good.clone(),
        zeros.clone(),
        options(),
        "inputs has shape [1, 3]",
    );
    check_refused(rows(&[1, 4], &[f32::NAN; 4]), good.clone(), zeros.clone(), options(), "inputs holds NaN");
    check_refused(x.clone(), good.clone(), ArrayD::zeros(vec![1]), options(), "replacement has shape [1]");
    check_refused(
        x.clone(),
        good.clone(),
        ArrayD::zeros(vec![2, 4]),
        options(),
        "replacement has shape [2, 4]",
    );
    check_refused(x.clone(), good.clone(), zeros.mapv(|_| f32::NAN), options(), "replacement holds NaN");
    let set =
        |n_steps, n_random, channel_axis| Options { n_steps, n_random, channel_axis, ..Options::default() };
    check_refused(x.clone(), good.clone(), zeros.clone(), set(0, 10, None), "`n_steps`");
    check_refused(x.clone(), good.clone(), zeros.clone(), set(9, 1, None), "`n_random`");
    check_refused(x, good, zeros, set(9, 10, Some(1)), "no axis 1 in rows of shape [4]");
}

#[test]
fn an_output_that_is_no_number_is_an_error() {
    let model = Rowwise::new(&[2], 1, |x| vec![if x[0] > 0.0 { 1.0 } else { f64::NAN }]);
    let (inputs, zeros) = (ArrayD::ones(vec![1, 2]), ArrayD::zeros(vec![2]));
    let target = first_output(&model, 1);
    let explained = Explained { model: &model, inputs: &inputs, target: &target };
    let attribution = attribution(&[1, 1, 2], &[1.0, 2.0]);
    let error = deletion(&explained, &attribution, &zeros, &Options::default(), &Work::default());
    assert!(error.expect_err("a NaN").to_string().contains("the model's outputs holds NaN"));
}

/// Counts, and cancels after some evaluations.
#[derive(Default)]
struct Watcher {
    total: AtomicUsize,
    done: AtomicUsize,
    ended: AtomicUsize,
    cancel_at: Option<usize>,
    cancellation: Cancellation,
}

impl Progress for Watcher {
    fn begin(&self, total: usize) {
        self.total.fetch_add(total, Ordering::Relaxed);
    }

    fn advance(&self, n: usize) {
        let done = self.done.fetch_add(n, Ordering::Relaxed) + n;
        if self.cancel_at.is_some_and(|cancel_at| done >= cancel_at) {
            self.cancellation.cancel();
        }
    }

    fn end(&self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }
}

fn watched(cancel_at: Option<usize>) -> (Result<Array2<Score>, Error>, Arc<Watcher>) {
    let watcher = Arc::new(Watcher { cancel_at, ..Watcher::default() });
    let work = Work {
        batch_size: Some(4),
        cancellation: watcher.cancellation.clone(),
        progress: watcher.clone(),
        ..Work::default()
    };
    let (model, inputs, zeros) = (crooked(), crooked_rows(), ArrayD::zeros(vec![2, 2, 3]));
    let target = first_output(&model, 3);
    let explained = Explained { model: &model, inputs: &inputs, target: &target };
    (deletion(&explained, &crooked_attribution(1), &zeros, &Options::default(), &work), watcher)
}

#[test]
fn progress_ends_where_it_said() {
    let (scores, watcher) = watched(None);
    assert!(scores.is_ok());
    // Three rows, 13 points, ten random orders and the attribution's.
    assert_eq!(watcher.total.load(Ordering::Relaxed), 3 * 13 * 11);
    assert_eq!(watcher.done.load(Ordering::Relaxed), 3 * 13 * 11);
    assert_eq!(watcher.ended.load(Ordering::Relaxed), 2);
}

#[test]
fn cancellation_stops_after_the_batch() {
    let (scores, watcher) = watched(Some(14));
    assert_eq!(scores, Err(Error::Core(pellucid_core::Error::Canceled)));
    // The 13 points of the first row, and one batch of four of the second.
    assert_eq!(watcher.done.load(Ordering::Relaxed), 17);
    assert_eq!(watcher.ended.load(Ordering::Relaxed), 1);
}

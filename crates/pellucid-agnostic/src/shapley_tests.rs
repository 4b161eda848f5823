//! What every estimate of Shapley values must fulfill, for each method alike.

use ndarray::{Array2, ArrayView2, Axis, array};
use pellucid_core::{Cancellation, Work};

use crate::error::Error;
use crate::estimate::Estimate;
use crate::exact::{self, exact};
use crate::game::{Game, MaskedRow};
use crate::kernel_shap::{self, kernel_shap};
use crate::masker::{Groups, Masker};
use crate::permutation_shap::{self, permutation_shap};
use crate::sampling_shap::{self, sampling_shap};
use crate::testing::{Listed, linear, of_rows, work};

/// A sampling method: game, budget, tolerance, seed.
type Method = fn(&dyn Game, Option<usize>, Option<f64>, u64, &Work) -> Result<Estimate, Error>;

const METHODS: [(&str, Method); 5] = [
    ("kernel, balanced", |game, budget, tolerance, seed, work| {
        kernel(kernel_shap::Sampling::Balanced, game, budget, tolerance, seed, work)
    }),
    ("kernel, classic", |game, budget, tolerance, seed, work| {
        kernel(kernel_shap::Sampling::Kernel, game, budget, tolerance, seed, work)
    }),
    ("kernel, leverage", |game, budget, tolerance, seed, work| {
        kernel(kernel_shap::Sampling::Leverage, game, budget, tolerance, seed, work)
    }),
    ("permutation", |game, max_evaluations, tolerance, seed, work| {
        permutation_shap(game, &permutation_shap::Options { max_evaluations, tolerance, seed }, work)
    }),
    ("sampling", |game, max_evaluations, tolerance, seed, work| {
        sampling_shap(game, &sampling_shap::Options { max_evaluations, tolerance, seed }, work)
    }),
];

fn kernel(
    sampling: kernel_shap::Sampling,
    game: &dyn Game,
    max_evaluations: Option<usize>,
    tolerance: Option<f64>,
    seed: u64,
    work: &Work,
) -> Result<Estimate, Error> {
    kernel_shap(game, &kernel_shap::Options { sampling, max_evaluations, tolerance, seed }, work)
}

/// A game with effects of all orders: a sigmoid of a weighted sum, and a product of three.
fn bent(n_players: usize) -> Listed {
    Listed::one(n_players, |bits| {
        let sum: f64 =
            (0..n_players).filter(|i| bits >> i & 1 == 1).map(|i| (i as f64 * 1.7).sin() + 0.3).sum();
        1.0 / (1.0 + (2.0 - 2.0 * sum).exp()) + if bits & 0b10110 == 0b10110 { 0.4 } else { 0.0 }
    })
}

fn assert_near(values: &Array2<f64>, expected: &Array2<f64>, gap: f64, what: &str) {
    assert!((values - expected).iter().all(|x| x.abs() <= gap), "{what}: {values} for {expected}");
}

#[test]
fn all_coalitions_give_exact_values() {
    let game = Listed::random(5, 3, 8);
    for (name, method) in METHODS {
        let estimate = method(&game, Some(32), None, 1, &work(7)).expect("values");
        assert_near(&estimate.values, &game.shapley(), 1e-12, name);
        assert_eq!(estimate.standard_error, Some(Array2::zeros((5, 3))));
        assert_eq!((estimate.evaluations, estimate.outputs), (32, game.worth.row(31).to_owned()));
        assert_eq!(estimate.base_values, game.worth.row(0));
    }
}

#[test]
fn banzhaf_values_are_mean_gains_over_all_coalitions() {
    let game = Listed::random(4, 2, 9);
    let options = exact::Options { value: exact::Value::Banzhaf, ..Default::default() };
    let estimate = exact(&game, &options, &work(9)).expect("values");
    let expected = Array2::from_shape_fn((4, 2), |(player, k)| {
        let without = (0..16_usize).filter(|bits| bits >> player & 1 == 0);
        without.map(|bits| game.worth[[bits | 1 << player, k]] - game.worth[[bits, k]]).sum::<f64>() / 8.0
    });
    assert_near(&estimate.values, &expected, 1e-14, "Banzhaf");
}

/// More than ten players must all have values: shap's default keeps ten. And tiny values are values: shap sets what is below
/// 1e-10 to 0.
#[test]
fn no_player_is_dropped() {
    let game = Listed::one(14, |bits| {
        (0..14).filter(|i| bits >> i & 1 == 1).map(|i| (i + 1) as f64 * 1e-12).sum::<f64>()
    });
    let expected = Array2::from_shape_fn((14, 1), |(player, _)| (player + 1) as f64 * 1e-12);
    for (name, method) in METHODS {
        let estimate = method(&game, Some(150), None, 3, &work(9)).expect("values");
        assert_near(&estimate.values, &expected, 1e-24, name);
    }
}

#[test]
fn pairs_of_players_cost_regression_and_orders_no_accuracy() {
    let game = Listed::one(12, |bits| {
        let present = |i: usize| (bits >> i & 1) as f64;
        (0..11).map(|i| (i as f64 - 4.0) * present(i) * present(i + 1) + present(i)).sum()
    });
    for (name, method) in &METHODS[..4] {
        let estimate = method(&game, Some(80), None, 3, &work(9)).expect("values");
        assert_near(&estimate.values, &game.shapley(), 1e-11, name);
        let errors = estimate.standard_error.expect("errors");
        assert!(errors.iter().all(|&error| error < 1e-11), "{name}: {errors}");
    }
}

#[test]
fn values_add_up_repeat_and_stay_within_the_budget() {
    let game = bent(12);
    for (name, method) in METHODS {
        let of = |seed, batch_size| method(&game, Some(200), None, seed, &work(batch_size)).expect("values");
        let estimate = of(5, 10);
        let gap = estimate.values.sum() - (estimate.outputs[0] - estimate.base_values[0]);
        assert!(gap.abs() < 1e-12, "{name}: {gap}");
        assert!((150..=200).contains(&estimate.evaluations), "{name}: {}", estimate.evaluations);
        assert_eq!(estimate, of(5, 1000), "{name}");
        assert_ne!(estimate.values, of(6, 10).values, "{name}");
    }
}

/// ±1 at random for every coalition: effects of all orders, and all as large.
fn random(n_players: usize) -> Listed {
    let worth = Listed::random(n_players, 1, 4).worth;
    Listed::one(n_players, |bits| worth[[bits, 0]].signum())
}

/// ±1 by whether an even number of the first five players is present: one effect of five, and nothing else.
fn five_way(n_players: usize) -> Listed {
    Listed::one(n_players, |bits| if (bits & 0b11111).count_ones() % 2 == 0 { 1.0 } else { -1.0 })
}

/// Over many seeds the mean is the exact value within its own error, and squared errors are what the standard errors say.
#[test]
fn estimates_are_unbiased_and_their_errors_calibrated() {
    for (of_game, game) in [("bent", bent(10)), ("random", random(10)), ("five-way", five_way(10))] {
        for (name, method) in METHODS {
            check_calibration(&format!("{name}, {of_game}"), method, &game);
        }
    }
}

fn check_calibration(name: &str, method: Method, game: &Listed) {
    let exact = game.shapley();
    let n_seeds = 150;
    let (mut gaps, mut squares) = (Array2::<f64>::zeros((10, 1)), Array2::<f64>::zeros((10, 1)));
    let mut promised = 0.0;
    for seed in 0..n_seeds {
        let estimate = method(game, Some(160), None, seed, &work(1000)).expect("values");
        let gap = estimate.values - &exact;
        squares += &(&gap * &gap);
        gaps += &gap;
        promised += estimate.standard_error.expect("errors").iter().map(|error| error * error).sum::<f64>();
    }
    let n = n_seeds as f64;
    let calibration = squares.sum() / promised;
    assert!((0.6..1.3).contains(&calibration), "{name}: {calibration} of the promised squares");
    ndarray::Zip::from(&gaps).and(&squares).for_each(|&gap, &square| {
        let (mean, error) = (gap / n, square.sqrt() / n);
        assert!(mean.abs() <= 4.5 * error, "{name}: off by {mean}, standard error {error}");
    });
}

#[test]
fn a_tolerance_ends_early_and_a_missed_one_is_said() {
    let game = bent(12);
    for (name, method) in METHODS {
        let estimate = method(&game, Some(3000), Some(0.1), 2, &work(1000)).expect("values");
        assert!(estimate.evaluations < 1500, "{name}: {}", estimate.evaluations);
        let errors = estimate.standard_error.expect("errors");
        assert!(crate::tolerance::relative_error(&estimate.values, &errors) <= 0.1);
        assert!(estimate.warnings.is_empty());
        let missed = method(&game, Some(120), Some(1e-6), 2, &work(1000)).expect("values");
        assert!(missed.warnings.iter().any(|warning| warning.contains("tolerance")), "{name}");
        let refusal = method(&game, None, Some(-1.0), 2, &work(1000)).expect_err("a refusal");
        assert!(refusal.to_string().contains("`tolerance`"), "{refusal}");
    }
}

#[test]
fn too_few_evaluations_are_refused_with_the_least() {
    let game = bent(12);
    for (name, method) in METHODS {
        let error = method(&game, Some(20), None, 1, &work(10)).expect_err("a refusal").to_string();
        let least = match name {
            "permutation" => 44,
            "sampling" => 98,
            _ => 26,
        };
        assert!(error.contains(&format!("{least} are the least")), "{name}: {error}");
        assert!(method(&game, Some(least), None, 1, &work(10)).is_ok(), "{name}");
        assert!(method(&game, Some(least - 1), None, 1, &work(10)).is_err(), "{name}");
    }
    let options = exact::Options { max_evaluations: 4095, ..Default::default() };
    let error = exact(&game, &options, &work(10)).expect_err("a refusal").to_string();
    assert!(error.contains("all 2^12 coalitions of 12 players"), "{error}");
}

/// Features that equal the background change nothing: no coalition is spent on them, and their value is 0, exactly.
#[test]
fn constant_features_are_free() {
    let predictor = of_rows(16, |row| row.iter().map(|x| x.sin()).sum::<f64>().powi(3));
    let row = ndarray::Array1::from_shape_fn(16, |i| i as f64);
    let mut background = Array2::from_shape_fn((3, 16), |(b, i)| i as f64 + 0.1 * b as f64);
    for constant in [0, 4, 5, 6, 7, 9, 10, 11, 12, 13, 15] {
        background.column_mut(constant).fill(row[constant]);
    }
    let masker = Masker::background(background.into_dyn(), None, Groups::single(&[16])).expect("a masker");
    let row = row.into_dyn();
    let game = MaskedRow::new(&predictor, &masker, row.view(), array![[1.0]]).expect("a game");
    let options = exact::Options { max_evaluations: 1 << 16, ..Default::default() };
    let free = exact(&game, &options, &work(1000)).expect("values");
    assert_eq!(free.evaluations, 32);
    for (name, method) in METHODS {
        let estimate = method(&game, None, None, 1, &work(1000)).expect("values");
        assert_eq!(estimate, free, "{name}");
        assert_eq!(estimate.values[[4, 0]], 0.0);
    }
}

#[test]
fn no_player_or_one_or_a_background_of_one_row() {
    let predictor = linear(&[2.0, -1.0], 0.5);
    let masker =
        Masker::background(array![[1.0, 0.0]].into_dyn(), None, Groups::single(&[2])).expect("a masker");
    for (row, expected) in [([1.0, 0.0], [0.0, 0.0]), ([3.0, 0.0], [4.0, 0.0]), ([3.0, 2.0], [4.0, -2.0])] {
        let row = ndarray::arr1(&row).into_dyn();
        let game = MaskedRow::new(&predictor, &masker, row.view(), array![[1.0]]).expect("a game");
        for (name, method) in METHODS {
            let estimate = method(&game, None, None, 1, &work(10)).expect("values");
            let expected = ndarray::arr1(&expected).insert_axis(Axis(1));
            assert_near(&estimate.values, &expected, 1e-15, name);
        }
    }
    let empty = Listed::one(0, |_| 2.0);
    for (_, method) in METHODS {
        let estimate = method(&empty, None, None, 1, &work(10)).expect("no values");
        assert_eq!((estimate.values.dim(), estimate.outputs[0], estimate.base_values[0]), ((0, 1), 2.0, 2.0));
    }
}

#[test]
fn what_is_no_number_is_refused_and_a_canceled_work_stops() {
    let broken = Listed::one(12, |bits| if bits.count_ones() == 1 { f64::NAN } else { 1.0 });
    for (name, method) in METHODS {
        let error = method(&broken, Some(300), None, 1, &work(10)).expect_err("a refusal").to_string();
        assert!(error.contains("the game's worths holds NaN"), "{name}: {error}");
        let cancellation = Cancellation::default();
        cancellation.cancel();
        let work = Work { cancellation, ..Work::default() };
        let error = method(&bent(12), Some(300), None, 1, &work).expect_err("a stop");
        assert!(matches!(error, Error::Core(pellucid_core::Error::Canceled)), "{name}: {error}");
    }
}

/// 300 players: sizes that are never drawn, coalitions of several words.
#[test]
fn many_players_are_no_other_case() {
    struct Sum;
    impl Game for Sum {
        fn n_players(&self) -> usize {
            300
        }
        fn n_targets(&self) -> usize {
            1
        }
        fn worth(&self, present: ArrayView2<'_, bool>, _: &Work) -> Result<Array2<f64>, Error> {
            let of = |row: usize| (0..300).filter(|&i| present[[row, i]]).map(|i| i as f64).sum();
            Ok(Array2::from_shape_fn((present.nrows(), 1), |(row, _)| of(row)))
        }
        fn digest(&self) -> [u8; 32] {
            [3; 32]
        }
    }
    let expected = Array2::from_shape_fn((300, 1), |(player, _)| player as f64);
    for (name, method) in METHODS {
        let estimate = method(&Sum, Some(2500), None, 1, &work(1000)).expect("values");
        assert_near(&estimate.values, &expected, 1e-7, name);
        assert!(estimate.warnings.is_empty(), "{:?}", estimate.warnings);
    }
}

use super::*;
use crate::game::MaskedRow;
use crate::lime::Selection;
use crate::masker::{Groups, Masker};
use crate::predictor::Predictor;
use crate::regression::Sums;
use crate::testing::{of_rows, work};
use ndarray::array;

/// lime's numbers for the same table, model and row: `fixtures/makers/lime_tables.py`.
const LIME: &str = include_str!("../../../../../fixtures/lime/tables.csv");

fn surrogate_of(
    predictor: &dyn Predictor,
    row: Array1<f64>,
    table: &Table,
    options: &TabularOptions,
    batch_size: usize,
) -> Result<Surrogate, Error> {
    let n = row.len();
    let masker = Masker::baseline(Array1::zeros(n).into_dyn(), Groups::single(&[n])).expect("a masker");
    let row = row.into_dyn();
    let game = MaskedRow::new(predictor, &masker, row.view(), array![[1.0]]).expect("a game");
    lime_tabular(&game, table, options, &work(batch_size))
}

fn peers_table() -> (Array2<f64>, Vec<usize>) {
    let rows = Array2::from_shape_fn((40, 3), |(i, column)| match column {
        0 => (7 * i % 20) as f64 / 2.0,
        1 => (i % 3) as f64,
        _ => (i * i % 17) as f64,
    });
    (rows, (0..40).map(|i| usize::from(i * i % 17 > 6)).collect())
}

fn peers_model() -> impl Predictor {
    of_rows(3, |x| {
        let margin = 0.3 * x[0] - 0.02 * x[2] * x[2] + f64::from(x[1] == 1.0);
        1.0 / (1.0 + (-margin).exp())
    })
}

fn peers_numbers(case: &str, statistic: &str) -> Vec<f64> {
    let line = LIME.lines().find(|line| line.starts_with(&format!("{case},{statistic},"))).expect("the case");
    line.split(',').skip(2).map(|cell| cell.parse().expect("a number")).collect()
}

/// Coefficients, intercept, R² and local prediction, the mean over 8 seeds against lime's over 40, within 4 standard errors of their
/// difference.
#[test]
fn numbers_are_limes() {
    let (rows, labels) = peers_table();
    let kinds = [Column::Number, Column::Category, Column::Number];
    let fit = Fit { n_resamples: 0, ..Fit::default() };
    for (case, discretization) in [
        ("quartile", Discretization::Quartile),
        ("decile", Discretization::Decile),
        ("entropy", Discretization::Entropy { labels }),
        ("none", Discretization::None),
    ] {
        let table = Table::new(rows.view(), &kinds, &discretization).expect("a table");
        let mut mean = [0.0; 6];
        for seed in 0..8 {
            let options = TabularOptions { seed, fit: fit.clone(), ..TabularOptions::default() };
            let surrogate =
                surrogate_of(&peers_model(), rows.row(4).to_owned(), &table, &options, 4096).expect(case);
            let mut numbers = surrogate.estimate.values.column(0).to_vec();
            numbers.extend([surrogate.intercept[0], surrogate.r_squared[0], surrogate.local_prediction[0]]);
            mean.iter_mut().zip(numbers).for_each(|(mean, number)| *mean += number / 8.0);
        }
        let (expected, deviation) = (peers_numbers(case, "mean"), peers_numbers(case, "deviation"));
        for (number, ((ours, theirs), deviation)) in mean.iter().zip(expected).zip(deviation).enumerate() {
            let reach = 4.0 * deviation * (1.0_f64 / 8.0 + 1.0 / 40.0).sqrt();
            assert!((ours - theirs).abs() < reach, "{case}, number {number}: {ours} for {theirs} ± {reach}");
        }
    }
}

/// A model that sees bins alone has a fit over all patterns of likeness, weighted by how often they come.
#[test]
fn samples_come_to_the_fit_over_all_patterns() {
    let rows = Array2::from_shape_fn((8, 2), |(i, column)| (if column == 0 { i } else { i / 4 }) as f64);
    let table = Table::new(rows.view(), &[Column::Number, Column::Category], &Discretization::Quartile);
    let table = table.expect("a table");
    let model = of_rows(2, |x| f64::from(x[0] <= 1.75) * (1.0 + f64::from(x[1] == 0.0)));
    let fit = Fit { n_resamples: 0, ..Fit::default() };
    let options = TabularOptions { n_samples: 10_000, fit, ..TabularOptions::default() };
    let surrogate = surrogate_of(&model, array![1.0, 0.0], &table, &options, 4096).expect("a surrogate");
    let patterns = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let outputs = array![[0.0], [0.0], [1.0], [2.0]];
    let width = 0.75 * 2.0_f64.sqrt();
    let weights = Array1::from_shape_fn(4, |pattern| {
        let row = patterns.row(pattern);
        let often = if row[0] == 1.0 { 0.25 } else { 0.75 } * 0.5;
        kernel((2.0_f64 - row.sum()).sqrt(), width) * (often * 9999.0 + if pattern == 3 { 1.0 } else { 0.0 })
    });
    let expected = Sums::new(patterns.view(), outputs.view(), weights.view()).ridge(&[0, 1], 0, 1.0);
    let errors = surrogate.estimate.standard_error.expect("errors");
    for column in 0..2 {
        let gap = surrogate.estimate.values[[column, 0]] - expected.coefficients[column];
        assert!(gap.abs() < 4.0 * errors[[column, 0]] && errors[[column, 0]] > 0.0, "{gap}");
    }
}

/// Without bins a linear model is its own surrogate, in units of each column's deviation: the trap of lime's sparse path, which
/// multiplies by the scale where it must divide.
#[test]
fn without_bins_coefficients_are_a_deviations_worth() {
    let rows = array![[0.0, 10.0, 3.0], [100.0, 30.0, 3.0], [200.0, 20.0, 3.0], [100.0, 20.0, 3.0]];
    let table = Table::new(rows.view(), &[Column::Number; 3], &Discretization::None).expect("a table");
    let model = of_rows(3, |x| 0.5 * x[0] - 2.0 * x[1] + x[2]);
    for around_row in [false, true] {
        let fit = Fit { alpha: 0.0, selection: Selection::None, ..Fit::default() };
        let options = TabularOptions { around_row, fit, n_samples: 500, ..TabularOptions::default() };
        let surrogate =
            surrogate_of(&model, array![50.0, 25.0, 3.0], &table, &options, 64).expect("a surrogate");
        let scale = [5000.0_f64.sqrt(), 50.0_f64.sqrt(), 1.0];
        for (column, slope) in [0.5, -2.0, 1.0].into_iter().enumerate() {
            let value = surrogate.estimate.values[[column, 0]];
            assert!((value - slope * scale[column]).abs() < 1e-9, "{value}");
        }
        assert!((surrogate.local_prediction[0] - (25.0 - 50.0 + 3.0)).abs() < 1e-9);
    }
}

/// A column of one number is drawn as that number; lime hands the model 0 for it.
#[test]
fn constant_columns_stay_what_they_are() {
    let rows = array![[5.0, 1.0], [5.0, 2.0], [5.0, 3.0]];
    let model = of_rows(2, |x| {
        assert_eq!(x[0], 5.0);
        x[1]
    });
    for discretization in [Discretization::Quartile, Discretization::Decile] {
        let table = Table::new(rows.view(), &[Column::Number; 2], &discretization).expect("a table");
        let options = TabularOptions { n_samples: 50, ..TabularOptions::default() };
        let surrogate = surrogate_of(&model, array![5.0, 1.0], &table, &options, 50).expect("a surrogate");
        assert_eq!(surrogate.estimate.values[[0, 0]], 0.0);
    }
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let (rows, _) = peers_table();
    let kinds = [Column::Number, Column::Category, Column::Number];
    let table = Table::new(rows.view(), &kinds, &Discretization::Quartile).expect("a table");
    let options = TabularOptions { n_samples: 400, ..TabularOptions::default() };
    let run = |options: &TabularOptions, batch_size| {
        surrogate_of(&peers_model(), rows.row(4).to_owned(), &table, options, batch_size)
            .expect("a surrogate")
    };
    let first = run(&options, 4096);
    for batch_size in [1, 7, 399] {
        assert_eq!(run(&options, batch_size), first);
    }
    assert_ne!(run(&TabularOptions { seed: 1, ..options }, 64).estimate.values, first.estimate.values);
}

#[test]
fn an_unseen_category_is_told_of() {
    let rows = array![[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]];
    let table = Table::new(rows.view(), &[Column::Category, Column::Number], &Discretization::Quartile);
    let options = TabularOptions { n_samples: 50, ..TabularOptions::default() };
    let model = of_rows(2, |x| x[0] + x[1]);
    let surrogate = surrogate_of(&model, array![7.0, 2.0], &table.expect("a table"), &options, 50);
    let warnings = surrogate.expect("a surrogate").estimate.warnings;
    assert!(warnings.iter().any(|warning| warning.contains("column 0: no training row has the category 7")));
}

#[test]
fn what_cannot_be_is_refused() {
    let say = |rows: Array2<f64>, discretization: Discretization| {
        Table::new(rows.view(), &[Column::Number], &discretization).expect_err("a refusal").to_string()
    };
    assert!(say(Array2::zeros((0, 1)), Discretization::None).contains("none; one is the least"));
    assert!(say(Array2::zeros((2, 3)), Discretization::None).contains("[2, 3]"));
    assert!(say(array![[1.0], [f64::NAN]], Discretization::Quartile).contains("NaN at [1, 0]"));
    assert!(say(array![[1.0]], Discretization::Entropy { labels: vec![0, 1] }).contains("labels"));
    let table = Table::new(array![[1.0], [2.0]].view(), &[Column::Number], &Discretization::Quartile);
    let table = table.expect("a table");
    let of = |row: Array1<f64>, options: &TabularOptions| {
        let n = row.len();
        surrogate_of(&of_rows(n, |x| x[0]), row, &table, options, 8).expect_err("a refusal").to_string()
    };
    let options = TabularOptions::default();
    assert!(of(array![f64::INFINITY], &options).contains("inf at [0]"));
    assert!(of(array![1.0, 2.0], &options).contains("as the training rows"));
    assert!(of(array![1.0], &TabularOptions { kernel_width: Some(-1.0), ..options }).contains("no width"));
}

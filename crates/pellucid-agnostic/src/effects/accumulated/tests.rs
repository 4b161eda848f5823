use ndarray::{Array1, Array2, Array3, Axis, array};
use pellucid_core::{Draws, Work};
use rand_distr::{Distribution, StandardNormal};

use super::*;
use crate::testing::{of_rows, work};

/// Normal numbers, `[rows, features]`.
fn normal(n_rows: usize, n_features: usize) -> Array2<f64> {
    let mut generator = Draws::new(3, &[0; 32], "rows").draw(0);
    Array2::from_shape_simple_fn((n_rows, n_features), || StandardNormal.sample(&mut generator))
}

/// The definition, read off the paper: bin by bin, row by row.
fn by_hand(rows: &Array2<f64>, feature: usize, f: impl Fn(&Array1<f64>) -> f64, edges: &[f64]) -> Vec<f64> {
    let mut curve = vec![0.0];
    let mut mean = 0.0;
    for k in 1..edges.len() {
        let inside: Vec<Array1<f64>> = rows
            .outer_iter()
            .filter(|row| {
                let x = row[feature];
                x <= edges[k] && (x > edges[k - 1] || k == 1)
            })
            .map(|row| row.to_owned())
            .collect();
        let at = |row: &Array1<f64>, value: f64| {
            let mut row = row.clone();
            row[feature] = value;
            f(&row)
        };
        let change = inside.iter().map(|row| at(row, edges[k]) - at(row, edges[k - 1])).sum::<f64>();
        curve.push(curve[k - 1] + change / inside.len() as f64);
        mean += inside.len() as f64 * (curve[k] + curve[k - 1]) / 2.0 / rows.nrows() as f64;
    }
    curve.iter().map(|value| value - mean).collect()
}

#[test]
fn effects_are_those_of_the_definition() {
    let rows = normal(50, 3);
    let f = |row: &Array1<f64>| row[0] * row[1] + row[2].exp() - row[0].powi(3);
    let predictor = of_rows(3, |row| f(&row.to_owned()));
    let options = Options { n_bins: 7, order: None };
    let effect =
        accumulated(&predictor, rows.view(), 0, Levels::Numeric, &options, &work(5)).expect("an effect");
    for (value, expected) in effect.effect.column(0).iter().zip(by_hand(&rows, 0, f, &effect.points)) {
        assert!((value - expected).abs() < 1e-12, "{value} {expected}");
    }
    assert_eq!(effect.n_rows.iter().sum::<usize>(), 50);
}

#[test]
fn a_linear_effect_is_a_line_without_error() {
    let rows = normal(40, 2);
    let predictor = of_rows(2, |row| 3.0 * row[0] - row[1]);
    let effect =
        accumulated(&predictor, rows.view(), 0, Levels::Numeric, &Options::default(), &Work::default())
            .expect("an effect");
    let slope =
        |k: usize| (effect.effect[[k, 0]] - effect.effect[[0, 0]]) / (effect.points[k] - effect.points[0]);
    assert!((1..effect.points.len()).all(|k| (slope(k) - 3.0).abs() < 1e-9));
    assert!(effect.standard_error.iter().all(|&error| error < 1e-9));
}

/// Where the interaction makes rows differ, the error must be that of the mean over other draws of rows.
#[test]
fn the_error_is_that_of_other_draws_of_rows() {
    let all = normal(200 * 200, 2);
    let predictor = of_rows(2, |row| row[0] * row[1]);
    let order = Options { n_bins: 1, order: None };
    let (mut effects, mut errors) = (Vec::new(), Vec::new());
    for part in all.axis_chunks_iter(Axis(0), 200) {
        // The same edges for all: both ends of the range are rows of every part.
        let mut part = part.to_owned();
        part[[0, 0]] = -5.0;
        part[[1, 0]] = 5.0;
        let effect = accumulated(&predictor, part.view(), 0, Levels::Numeric, &order, &Work::default())
            .expect("an effect");
        effects.push(effect.effect[[1, 0]]);
        errors.push(effect.standard_error[[1, 0]]);
    }
    let n = effects.len() as f64;
    let mean = effects.iter().sum::<f64>() / n;
    let spread = (effects.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let said = errors.iter().sum::<f64>() / n;
    assert!((said / spread - 1.0).abs() < 0.2, "said {said}, seen {spread}");
}

#[test]
fn categories_step_from_level_to_level() {
    // Level a: 0, b: 5, c: 7, whatever the other feature is.
    let worth = [0.0, 5.0, 7.0];
    let predictor = of_rows(2, move |row| worth[row[0] as usize] + row[1]);
    let rows = array![[0.0, 1.0], [0.0, 2.0], [1.0, 3.0], [2.0, 9.0]];
    let options = Options { order: Some(vec![2.0, 0.0, 1.0]), ..Options::default() };
    let effect = accumulated(&predictor, rows.view(), 0, Levels::Categorical, &options, &Work::default())
        .expect("an effect");
    assert_eq!(effect.points, [2.0, 0.0, 1.0]);
    assert_eq!(effect.n_rows, [1, 2, 1]);
    let mean = (7.0 + 0.0 + 0.0 + 5.0) / 4.0;
    for (value, expected) in effect.effect.column(0).iter().zip([7.0 - mean, -mean, 5.0 - mean]) {
        assert!((value - expected).abs() < 1e-12);
    }
}

#[test]
fn additive_features_do_not_interact_and_a_product_does() {
    let rows = normal(400, 3);
    let options = Options { n_bins: 4, order: None };
    let additive = of_rows(3, |row| row[0].powi(3) + row[1].sin());
    let none = accumulated_pair(&additive, rows.view(), [0, 1], &options, &work(64)).expect("an effect");
    assert!(none.effect.iter().all(|value| value.abs() < 1e-9));
    let product = of_rows(3, |row| row[0] * row[1] + 4.0 * row[0] + row[2]);
    let pair = accumulated_pair(&product, rows.view(), [0, 1], &options, &work(64)).expect("an effect");
    // The second difference of x₀x₁ is the cell's area, whatever is taken off along either feature.
    for a in 0..4 {
        for b in 0..4 {
            let corner = |i: usize, j: usize| pair.effect[[a + i, b + j, 0]];
            let second = corner(1, 1) - corner(1, 0) - corner(0, 1) + corner(0, 0);
            let area =
                (pair.points[0][a + 1] - pair.points[0][a]) * (pair.points[1][b + 1] - pair.points[1][b]);
            assert!((second - area).abs() < 1e-9);
        }
    }
    assert_eq!(pair.n_rows.sum(), 400);
    let turned = accumulated_pair(&product, rows.view(), [1, 0], &options, &work(64)).expect("an effect");
    assert!((&turned.effect.permuted_axes([1, 0, 2]) - &pair.effect).iter().all(|gap| gap.abs() < 1e-9));
}

#[test]
fn cells_without_rows_take_their_nearest_neighbors_difference() {
    let rows = Array2::from_shape_fn((20, 2), |(row, _)| row as f64);
    let product = of_rows(2, |row| row[0] * row[1]);
    let options = Options { n_bins: 2, order: None };
    let pair =
        accumulated_pair(&product, rows.view(), [0, 1], &options, &Work::default()).expect("an effect");
    assert_eq!(pair.n_rows[[0, 1]] + pair.n_rows[[1, 0]], 0);
    assert!(pair.effect.iter().all(|value| value.is_finite()));
}

#[test]
fn what_cannot_be_is_refused() {
    let rows = array![[1.0, 2.0], [1.0, 3.0], [1.0, 4.0]];
    let predictor = of_rows(2, |row| row[0]);
    let say = |feature, levels, options: &Options| {
        accumulated(&predictor, rows.view(), feature, levels, options, &Work::default())
            .expect_err("a refusal")
            .to_string()
    };
    let defaults = Options::default();
    assert!(say(0, Levels::Numeric, &defaults).contains("feature 0 is constant"));
    assert!(say(0, Levels::Categorical, &defaults).contains("feature 0 is constant"));
    assert!(say(1, Levels::Numeric, &Options { n_bins: 0, order: None }).contains("one is the least"));
    let order = Options { order: Some(vec![2.0, 3.0]), ..Options::default() };
    assert!(say(1, Levels::Categorical, &order).contains("lacks level 4"));
    let same = accumulated_pair(&predictor, rows.view(), [1, 1], &defaults, &Work::default());
    assert!(same.expect_err("a refusal").to_string().contains("two different"));
}

/// The variance of what depends on each row's third value alone: the sum of squared derivatives times the variance in its cell.
#[test]
fn the_standard_error_of_a_pair_is_that_of_its_derivatives() {
    let rows = Array2::from_shape_fn((60, 3), |(row, column)| match column {
        0 => (row % 5) as f64,
        1 => (row / 5 % 4) as f64,
        _ => ((row * 7) % 11) as f64,
    });
    let found = check_pair_error(&rows);
    assert!(found.iter().all(|&n| n > 2), "{found}");
}

/// Two rows are the least that scatter, and a row alone has the variance of all cells' deviations from their means taken together.
#[test]
fn the_standard_error_of_a_pair_holds_in_cells_of_two_rows_and_of_one() {
    let rows = array![
        [0.0, 0.0, 1.0],
        [1.0, 1.0, 4.0],
        [0.5, 5.0, 2.0],
        [5.0, 0.5, -3.0],
        [6.0, 0.2, 2.0],
        [6.5, 5.5, 9.0],
        [7.0, 6.0, 7.0],
    ];
    for kept in [&[0, 1, 2, 3, 4, 5, 6][..], &[0, 1, 2, 3, 4, 5]] {
        let found = check_pair_error(&rows.select(Axis(0), kept));
        assert!(found.iter().any(|&n| n == 1) && found.iter().any(|&n| n == 2), "{found}");
    }
    let predictor = of_rows(3, |row| row[0] * row[1] * row[2]);
    let options = Options { n_bins: 2, order: None };
    let alone = rows.select(Axis(0), &[0, 2, 3, 5]);
    let found = accumulated_pair(&predictor, alone.view(), [0, 1], &options, &Work::default());
    let found = found.expect("an effect");
    assert!(found.n_rows.iter().all(|&n| n == 1), "{}", found.n_rows);
    assert_eq!(found.standard_error, None);
}

/// The rows of each cell.
fn check_pair_error(rows: &Array2<f64>) -> Array2<usize> {
    let predictor = of_rows(3, |row| row[0] * row[1] * row[2]);
    let options = Options { n_bins: 2, order: None };
    let of = |rows: &Array2<f64>| {
        accumulated_pair(&predictor, rows.view(), [0, 1], &options, &Work::default()).expect("an effect")
    };
    let found = of(rows);
    let n_rows = rows.nrows();
    assert_eq!(found.n_rows.iter().sum::<usize>(), n_rows);
    let cell = |row: usize| [0, 1].map(|side| super::bin_of(&found.points[side], rows[[row, side]]));
    // The effect is linear in the third value, and moves by this much with a row's.
    let slope = |row: usize| {
        let mut moved = rows.clone();
        moved[[row, 2]] += 1.0;
        &of(&moved).effect - &found.effect
    };
    // The difference of a cell moves by its area with a row's third value, so that deviations are compared across cells in these.
    let area = |row: usize| {
        let [a, b] = cell(row);
        (found.points[0][a + 1] - found.points[0][a]) * (found.points[1][b + 1] - found.points[1][b])
    };
    let members = |row: usize| (0..n_rows).filter(move |&other| cell(other) == cell(row));
    let deviation = |row: usize| {
        let n = members(row).count() as f64;
        rows[[row, 2]] - members(row).map(|other| rows[[other, 2]]).sum::<f64>() / n
    };
    let square = |row: usize| (deviation(row) * area(row)).powi(2);
    let n_cells = found.n_rows.iter().filter(|&&n| n > 0).count();
    let of_all = (0..n_rows).map(square).sum::<f64>() / (n_rows - n_cells) as f64;
    let mut variance = Array3::<f64>::zeros(found.effect.dim());
    for row in 0..n_rows {
        let of_cell = match members(row).count() {
            1 => of_all,
            n => members(row).map(square).sum::<f64>() / (n - 1) as f64,
        };
        variance += &(slope(row).mapv(|x| x * x) * (of_cell / area(row).powi(2)));
    }
    let error = found.standard_error.expect("cells of several rows");
    let near = |(error, variance): (&f64, &f64)| (error * error - variance).abs() < 1e-9 * (1.0 + variance);
    assert!(error.iter().zip(&variance).all(near), "{error} for {}", variance.mapv(f64::sqrt));
    assert!(error.iter().any(|&error| error > 0.1));
    found.n_rows
}

use super::*;
use crate::counterfactual::{Column, Kind};
use crate::predictor::Function;
use crate::testing::{linear, of_rows, work};
use ndarray::{ArrayView1, ArrayViewD};

fn numbers(names: &[&str]) -> Table {
    let kind = || Kind::Numeric { decimals: None };
    Table { columns: names.iter().map(|name| Column::new(*name, kind())).collect(), ..Table::default() }
}

fn labels(n: usize) -> Vec<String> {
    (0..n).map(|code| format!("c{code}")).collect()
}

/// Numbers from 0 to 1.
fn drawn(n_rows: usize, n_columns: usize) -> Array2<f64> {
    let mut generator = Draws::new(3, &[0; 32], "rows").draw(0);
    Array2::from_shape_simple_fn((n_rows, n_columns), || {
        (generator.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    })
}

fn grown(
    predictor: &dyn Predictor,
    table: &Table,
    rows: &Array2<f64>,
    imitated: Imitated,
    options: &Options,
) -> Result<SurrogateTree, Error> {
    surrogate_tree(predictor, table, rows.view(), imitated, options, &work(64))
}

/// A tree of two levels over two numbers and a category; `c2` and a missing value go together.
fn tree(row: ArrayView1<'_, f64>) -> f64 {
    match (row[0] <= 0.4, row[1] <= 0.7) {
        (true, _) if row[2].is_nan() || row[2] == 2.0 => 15.0,
        (true, _) => 11.0,
        (false, true) => 2.0,
        (false, false) => -3.0,
    }
}

#[test]
fn a_model_that_is_a_tree_is_found_again() {
    let mut rows = drawn(600, 3);
    rows.column_mut(2).iter_mut().for_each(|x| *x = if *x < 0.1 { f64::NAN } else { (*x * 3.0).floor() });
    let mut table = numbers(&["a", "b", "c"]);
    table.columns[2].kind = Kind::Category { labels: labels(3) };
    let found =
        grown(&of_rows(3, tree), &table, &rows, Imitated::Output(0), &Options::default()).expect("a tree");
    let leaves = found.nodes.iter().filter(|node| matches!(node, Node::Leaf { .. })).count();
    // A row between a threshold and the nearest seen ones may be held out: then it is not told apart.
    assert!(leaves == 4 && found.fidelity.value > 0.99, "{:#?}", found.rules());
    let imitations = found.predict(rows.view()).expect("predictions");
    let n_same = rows.outer_iter().zip(&imitations).filter(|(row, value)| tree(*row) == **value).count();
    assert!(n_same >= 597, "{n_same}");
    let of_fifteen = found.rules().into_iter().find(|rule| rule.contains(": 15 (")).expect("a rule");
    assert!(of_fifteen.contains("(c is c2 or missing)"), "{of_fifteen}");
    assert_eq!(grown(&of_rows(3, tree), &table, &rows, Imitated::Output(0), &Options::default()), Ok(found));
}

/// The least squared error that any split of `rows` into two leaves, by one column, leaves; by trying all of them.
fn least_error(
    rows: &Array2<f64>,
    targets: &[f64],
    is_category: &[bool],
    seen: &[usize],
    least: usize,
) -> f64 {
    let error = |side: &[usize]| {
        let mean = side.iter().map(|&row| targets[row]).sum::<f64>() / side.len() as f64;
        side.iter().map(|&row| (targets[row] - mean).powi(2)).sum::<f64>()
    };
    let mut best = f64::INFINITY;
    let mut try_split = |goes_left: &dyn Fn(usize) -> bool| {
        let (left, right): (Vec<usize>, Vec<usize>) = seen.iter().partition(|&&row| goes_left(row));
        if left.len() >= least && right.len() >= least {
            best = best.min(error(&left) + error(&right));
        }
    };
    for (column, is_category) in is_category.iter().enumerate() {
        if *is_category {
            (0..32_u32).for_each(|set| try_split(&|row| set >> rows[[row, column]] as u32 & 1 == 1));
        } else {
            seen.iter().for_each(|&edge| try_split(&|row| rows[[row, column]] <= rows[[edge, column]]));
        }
    }
    best
}

#[test]
fn no_split_is_better() {
    for (n, weights) in [[3.0, -1.0, 0.0], [0.2, 0.1, 2.0], [1.0, 1.0, 1.0]].into_iter().enumerate() {
        let mut rows = drawn(120 + n, 3);
        rows.column_mut(2).iter_mut().for_each(|x| *x = (*x * 5.0).floor());
        let mut table = numbers(&["a", "b", "c"]);
        table.columns[2].kind = Kind::Category { labels: labels(5) };
        let model = |row: ArrayView1<'_, f64>| {
            weights[0] * row[0] + weights[1] * row[1] + weights[2] * (row[2] * 2.3).sin()
        };
        for min_rows_in_leaf in [1, 20] {
            let options = Options { max_depth: 1, min_rows_in_leaf, ..Options::default() };
            let found =
                grown(&of_rows(3, model), &table, &rows, Imitated::Output(0), &options).expect("a tree");
            let draws = Draws::new(0, &row_digest_f64(rows.view().into_dyn()), "surrogate_tree");
            let (seen, _) = divided(rows.nrows(), &options, &draws).expect("rows");
            let targets: Vec<f64> = rows.outer_iter().map(model).collect();
            let imitations = found.predict(rows.view()).expect("predictions");
            let error: f64 = seen.iter().map(|&row| (targets[row] - imitations[row]).powi(2)).sum();
            let least = least_error(&rows, &targets, &[false, false, true], &seen, min_rows_in_leaf);
            assert!((error - least).abs() < 1e-9, "{error} instead of {least}");
        }
    }
}

#[test]
fn classes_are_imitated() {
    let predict = |rows: ArrayViewD<'_, f64>| -> Result<Array2<f64>, Error> {
        let rows = rows.into_dimensionality::<ndarray::Ix2>().expect("a table");
        Ok(Array2::from_shape_fn((rows.nrows(), 3), |(row, class)| {
            -(3.0 * rows[[row, 0]] - class as f64 - 0.5).abs()
        }))
    };
    let predictor = Function { row_shape: vec![1], n_outputs: 3, predict };
    let (rows, mut table) = (drawn(400, 1), numbers(&["x"]));
    table.outcome_names = vec!["low".into(), "middle".into(), "high".into()];
    let imitated = Imitated::Class { threshold: 0.5 };
    let found = grown(&predictor, &table, &rows, imitated, &Options::default()).expect("a tree");
    let rules = found.rules();
    assert!(rules.len() == 3 && rules[0].contains(": low (") && rules[2].contains(": high ("), "{rules:?}");
    let Fidelity { measure, value, low, high, constant, n_rows } = found.fidelity;
    assert!(measure == "accuracy" && value >= 0.98 && n_rows == 100, "{value}");
    assert!((1.0 / 3.0..0.6).contains(&constant), "{constant}");
    assert!(low < value && value <= high && low > 0.9, "{low} {high}");
    let binary = grown(&linear(&[1.0], 0.0), &table, &rows, imitated, &Options::default()).expect("a tree");
    assert_eq!(binary.rules().len(), 2);
}

#[test]
fn fidelity_tells_that_a_tree_is_too_small() {
    let predictor = of_rows(2, |row| (12.0 * row[0]).sin() * (9.0 * row[1]).cos());
    let (rows, table) = (drawn(800, 2), numbers(&["a", "b"]));
    let of_depth = |max_depth| {
        let options = Options { max_depth, ..Options::default() };
        grown(&predictor, &table, &rows, Imitated::Output(0), &options).expect("a tree").fidelity
    };
    let (small, large) = (of_depth(1), of_depth(7));
    assert!(small.high < 0.5 && large.low > small.high, "{small:?} {large:?}");
    assert!(small.low < small.value && small.value < small.high, "{small:?}");
}

#[test]
fn rules_without_labels_say_what_is_not() {
    let mut table = numbers(&["a", "b"]);
    table.columns[1].kind = Kind::Category { labels: Vec::new() };
    let mut rows = drawn(200, 2);
    rows.column_mut(1).iter_mut().for_each(|x| *x = (*x * 4.0).floor());
    let predictor = of_rows(2, |row| f64::from(row[1] == 2.0));
    let found = grown(&predictor, &table, &rows, Imitated::Output(0), &Options::default()).expect("a tree");
    let rules: Vec<String> =
        found.rules().iter().map(|rule| rule.split(" (").next().unwrap_or("").into()).collect();
    assert_eq!(
        rules,
        [
            "if b is category 0 or category 1 or category 3: 0",
            "if b is not category 0 or category 1 or category 3: 1"
        ]
    );
}

#[test]
fn what_cannot_be_imitated_is_refused() {
    let (rows, table) = (drawn(100, 1), numbers(&["x"]));
    let usual = Options::default();
    let say = |predictor: &dyn Predictor, rows: &Array2<f64>, imitated, options: &Options| {
        grown(predictor, &table, rows, imitated, options).expect_err("a refusal").to_string()
    };
    let of = |options: Options| say(&linear(&[1.0], 0.0), &rows, Imitated::Output(0), &options);
    assert!(say(&linear(&[0.0], 1.0), &rows, Imitated::Output(0), &usual).contains("the same to every row"));
    assert!(say(&linear(&[1.0], 1.0), &rows, Imitated::Output(1), &usual).contains("output 1 of 1"));
    assert!(say(&linear(&[1.0], 1.0), &drawn(12, 1), Imitated::Output(0), &usual).contains("12 are too few"));
    assert!(
        say(&linear(&[1.0, 1.0], 1.0), &drawn(100, 2), Imitated::Output(0), &usual)
            .contains("shape [100, 2]")
    );
    assert!(of(Options { held_out: 1.0, ..usual.clone() }).contains("`held_out`"));
    assert!(of(Options { confidence: 0.0, ..usual.clone() }).contains("`confidence`"));
    assert!(of(Options { max_depth: 0, ..usual.clone() }).contains("`max_depth`"));
    assert!(of(Options { n_samples: 10, ..usual.clone() }).contains("`n_samples`"));
    // One row differs, and it is not among those held out.
    let step = of_rows(1, |row| f64::from(row[0] > 0.5));
    let mut nearly_constant = Array2::zeros((100, 1));
    nearly_constant[[0, 0]] = 1.0;
    let outcomes: Vec<bool> = (0..20)
        .map(|seed| {
            let options = Options { seed, min_rows_in_leaf: 1, ..usual.clone() };
            match grown(&step, &table, &nearly_constant, Imitated::Output(0), &options) {
                Ok(_) => true,
                Err(error) => {
                    assert!(error.to_string().contains("same to all rows held out"), "{error}");
                    false
                }
            }
        })
        .collect();
    assert!(outcomes.contains(&false));
}

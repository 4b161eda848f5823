use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::predictor::Function;
use crate::testing::{linear, of_rows, work};
use ndarray::{ArrayViewD, array};
use rand_chacha::rand_core::Rng;

fn integers(names: &[&str]) -> Table {
    Table {
        columns: names.iter().map(|name| Column::new(*name, Kind::Integer)).collect(),
        ..Table::default()
    }
}

fn labels(n: usize) -> Vec<String> {
    (0..n).map(|code| format!("c{code}")).collect()
}

/// All integers from 0 to 4 in each column: what they scatter by is the same everywhere.
fn grid(n_columns: usize) -> Array2<f64> {
    Array2::from_shape_fn((5, n_columns), |(row, _)| row as f64)
}

fn one() -> Options {
    Options { n_counterfactuals: 1, ..Options::default() }
}

fn find(
    predictor: &dyn Predictor,
    table: &Table,
    background: &Array2<f64>,
    row: &[f64],
    outcome: Outcome,
    options: &Options,
) -> Result<Counterfactuals, Error> {
    let finder = Finder::new(predictor, table, background.view(), &work(64))?;
    finder.find(ArrayView1::from(row), &outcome, options, &work(64))
}

/// A number from 0 to 1 that hangs on seed and row alone.
fn noise(seed: u64, row: ArrayView1<'_, f64>) -> f64 {
    let mut generator = Draws::new(seed, &row_digest_f64(row.into_dyn()), "noise").draw(0);
    (generator.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[test]
fn nothing_cheaper_exists() {
    // Three integers from 0 to 4, of which one only grows, and three categories; a slope with bumps at random.
    let mut table = integers(&["a", "b", "c"]);
    table.columns[1].direction = Some(Direction::Up);
    table.columns.push(Column::new("d", Kind::Category { labels: labels(3) }));
    let background =
        Array2::from_shape_fn((6, 4), |(i, j)| if j == 3 { (i % 3) as f64 } else { (i % 5) as f64 });
    let row = [0.0, 1.0, 3.0, 0.0];
    let mut n_searched = 0;
    for seed in 0..20 {
        let bumpy = |row: ArrayView1<'_, f64>| {
            let slope = 0.15 * (row[0] + row[1] - row[2]) + 0.2 * f64::from(row[3] == 1.0);
            slope + 0.5 * noise(seed, row) - 0.4
        };
        if bumpy(ArrayView1::from(&row)) > 0.5 {
            continue;
        }
        n_searched += 1;
        for sparsity_weight in [1.0, 10.0] {
            let options = Options { sparsity_weight, ..one() };
            let cost = |state: &[f64]| bumpy_cost(&row, state, sparsity_weight);
            let found = find(&of_rows(4, bumpy), &table, &background, &row, Outcome::Class(1), &options);
            let best = found.expect("an answer").found.remove(0);
            let state: Vec<f64> = best.row.to_vec();
            let own = best.distance + sparsity_weight * best.changes.len() as f64;
            assert!((own - cost(&state)).abs() < 1e-12);
            let states = (0..375_u32).map(|n| [n % 5, n / 5 % 5, n / 25 % 5, n / 125].map(f64::from));
            let valid = states.filter(|state| state[1] >= row[1] && bumpy(ArrayView1::from(state)) > 0.5);
            let least = valid.map(|state| cost(&state)).fold(f64::INFINITY, f64::min);
            assert!(cost(&state) <= least + 1e-12, "seed {seed}: {state:?} costs more than {least}");
        }
    }
    assert!(n_searched >= 10, "{n_searched}");
}

/// Distance plus weighted changes. Deviations of 0, 1, 2, 3, 4, 0 from their median 1.5 are 1.5, 0.5, 0.5, 1.5, 2.5, 1.5: 1.5 in the middle.
fn bumpy_cost(row: &[f64], state: &[f64], sparsity_weight: f64) -> f64 {
    let numbers: f64 = (0..3).map(|j| (state[j] - row[j]).abs() / 1.5).sum();
    let changes = (0..4).filter(|&j| state[j] != row[j]).count() as f64;
    numbers + f64::from(state[3] != row[3]) + sparsity_weight * changes
}

/// Two changes by one deviation each would be nearer than one by four.
#[test]
fn one_change_comes_before_two_smaller_ones() {
    let predictor = of_rows(3, |row| f64::from(row[0] >= 1.0 && row[1] >= 1.0 || row[2] >= 4.0));
    let table = integers(&["a", "b", "c"]);
    let of = |options: &Options| {
        let found = find(&predictor, &table, &grid(3), &[0.0, 0.0, 0.0], Outcome::Opposite, options);
        found.expect("an answer").found.remove(0).row
    };
    assert_eq!(of(&one()), array![0.0, 0.0, 4.0]);
    assert_eq!(of(&Options { sparsity_weight: 1.0, ..one() }), array![1.0, 1.0, 0.0]);
}

/// Columns of every kind, constrained in every way.
fn constrained() -> Table {
    let category = || Kind::Category { labels: labels(4) };
    let columns = vec![
        Column { immutable: true, ..Column::new("fixed", Kind::Numeric { decimals: None }) },
        Column { range: Some((1.0, 3.0)), ..Column::new("ranged", Kind::Numeric { decimals: Some(1) }) },
        Column { direction: Some(Direction::Up), ..Column::new("up", Kind::Integer) },
        Column { direction: Some(Direction::Down), ..Column::new("down", Kind::Numeric { decimals: None }) },
        Column { allowed: Some(vec![0.0, 2.0]), ..Column::new("listed", category()) },
        Column { direction: Some(Direction::Up), ..Column::new("ordered", category()) },
        Column::new("hot", Kind::OneHot { labels: labels(3) }),
    ];
    Table { columns, outcome_names: Vec::new() }
}

#[test]
fn constraints_are_obeyed() {
    let table = constrained();
    let mut generator = Draws::new(5, &[0; 32], "rows").draw(0);
    let mut draw = |n: u64| (generator.next_u64() % n) as f64;
    let mut rows = Array2::zeros((30, 9));
    for mut row in rows.outer_iter_mut() {
        let hot = draw(3) as usize;
        let values = [draw(100) / 10.0, draw(50) / 10.0, draw(5), draw(100) / 7.0, draw(4), draw(4)];
        row.iter_mut().zip(values).for_each(|(to, value)| *to = value);
        row[6 + hot] = 1.0;
    }
    let weights = [1.0, 1.5, 0.7, -0.8, 0.6, 0.5, -1.0, 0.9, 1.4];
    let predictor = linear(&weights, -6.0);
    let (mut n_found, background) = (0, rows.clone());
    for row in rows.outer_iter().filter(|row| row[4] == 0.0 || row[4] == 2.0) {
        for max_changes in [2, 7] {
            let options = Options { max_changes: Some(max_changes), ..Options::default() };
            let row = row.to_vec();
            let outcome = if row.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>() > 6.5 { 0 } else { 1 };
            let found = find(&predictor, &table, &background, &row, Outcome::Class(outcome), &options)
                .expect("an answer");
            for one in &found.found {
                let (x, own) = (&one.row, &row);
                let score = x.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>() - 6.0;
                assert_eq!(one.valid && score > 0.5, outcome == 1, "{x}");
                assert_eq!(x[0], own[0]);
                assert!((1.0..=3.0).contains(&x[1]) && (x[1] * 10.0).round() / 10.0 == x[1], "{x}");
                assert!(x[2] >= own[2] && x[2].fract() == 0.0 && x[3] <= own[3], "{x}");
                assert!([0.0, 2.0].contains(&x[4]) && x[5] >= own[5] && x[5].fract() == 0.0, "{x}");
                assert_eq!(x.iter().skip(6).sum::<f64>(), 1.0);
                assert!(one.changes.len() <= max_changes, "{:?}", one.changes);
                n_found += 1;
            }
        }
    }
    assert!(n_found > 60, "{n_found} were found");
}

#[test]
fn contradictions_are_named() {
    let refusal = |change: &dyn Fn(&mut Column), options: &Options| {
        let mut table = integers(&["age", "hours"]);
        change(&mut table.columns[0]);
        let predictor = linear(&[1.0, 1.0], -3.5);
        find(&predictor, &table, &grid(2), &[1.0, 1.0], Outcome::Class(1), options)
            .expect_err("a refusal")
            .to_string()
    };
    let check = |change: &dyn Fn(&mut Column), words: &[&str]| {
        let message = refusal(change, &one());
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    };
    check(
        &|age| (age.immutable, age.range) = (true, Some((2.0, 3.0))),
        &["`age`", "`immutable` keeps 1", "`range` 2 to 3"],
    );
    check(&|age| (age.immutable, age.allowed) = (true, Some(vec![2.0])), &["`immutable`", "`allowed`"]);
    check(
        &|age| (age.direction, age.range) = (Some(Direction::Down), Some((2.0, 3.0))),
        &["`range` 2 to 3", "`direction` Down"],
    );
    check(&|age| (age.allowed, age.range) = (Some(vec![0.0]), Some((2.0, 3.0))), &["`age`", "`range`"]);
    check(&|age| age.range = Some((3.0, 2.0)), &["`range` goes from 3 to 2"]);
    check(&|age| age.range = Some((2.2, 2.8)), &["no number of 0 decimals lies in `range` 2.2 to 2.8"]);
    check(&|age| age.allowed = Some(Vec::new()), &["`allowed` is empty"]);
    check(&|age| age.scale = Some(0.0), &["`scale` is 0"]);
    check(&|age| age.candidates = vec![f64::NAN], &["`candidates` names NaN"]);
    check(
        &|age| (age.kind, age.allowed) = (Kind::Category { labels: labels(5) }, Some(vec![5.0])),
        &["`allowed` names 5"],
    );
    check(
        &|age| (age.kind, age.range) = (Kind::Category { labels: labels(5) }, Some((0.0, 1.0))),
        &["`range` is for numbers"],
    );
    let forced = |table: &mut Table| table.columns.iter_mut().for_each(|one| one.range = Some((2.0, 3.0)));
    let mut table = integers(&["age", "hours"]);
    forced(&mut table);
    let options = Options { max_changes: Some(1), ..one() };
    let predictor = linear(&[1.0, 1.0], -3.5);
    let error =
        find(&predictor, &table, &grid(2), &[1.0, 1.0], Outcome::Class(1), &options).expect_err("a refusal");
    assert!(
        error.to_string().contains("1 is less than the 2 changes that the constraints of age, hours force"),
        "{error}"
    );
    table.columns.iter_mut().for_each(|one| (one.range, one.immutable) = (None, true));
    let error =
        find(&predictor, &table, &grid(2), &[1.0, 1.0], Outcome::Class(1), &one()).expect_err("a refusal");
    assert!(error.to_string().contains("no column may change"), "{error}");
}

#[test]
fn a_forced_change_is_part_of_every_counterfactual() {
    let mut table = integers(&["age", "hours"]);
    table.columns[0].range = Some((2.0, 3.0));
    let predictor = linear(&[1.0, 1.0], -3.5);
    let options = Options { n_counterfactuals: 3, ..Options::default() };
    let found =
        find(&predictor, &table, &grid(2), &[1.0, 1.0], Outcome::Class(1), &options).expect("an answer");
    assert!(found.found.iter().all(|one| (2.0..=3.0).contains(&one.row[0])), "{found:?}");
    assert_eq!(found.found.len(), 3);
    table.columns[0].range = Some((3.0, 3.0));
    table.columns[1].immutable = true;
    let found =
        find(&predictor, &table, &grid(2), &[1.0, 1.0], Outcome::Class(1), &options).expect("an answer");
    assert_eq!(found.found, []);
    assert_eq!(found.nearest_miss.expect("a miss").row, array![3.0, 1.0]);
    let predictor = linear(&[1.0, 1.0], -2.5);
    let found =
        find(&predictor, &table, &grid(2), &[1.0, 1.0], Outcome::Class(1), &options).expect("an answer");
    assert_eq!(found.found.iter().map(|one| one.row.clone()).collect::<Vec<_>>(), [array![3.0, 1.0]]);
}

#[test]
fn no_change_can_be_taken_back() {
    let weights = [1.0, -2.0, 0.5, 3.0, 1.0];
    let model = |row: ArrayView1<'_, f64>| {
        row.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>() + row[0] * row[2] - row[3] * row[1] - 8.0
    };
    let (predictor, table) = (of_rows(5, model), integers(&["a", "b", "c", "d", "e"]));
    let row = [1.0, 2.0, 1.0, 1.0, 0.0];
    let options = Options { n_counterfactuals: 6, ..Options::default() };
    let found = find(&predictor, &table, &grid(5), &row, Outcome::Class(1), &options).expect("an answer");
    assert_eq!(found.found.len(), 6);
    for one in &found.found {
        for change in &one.changes {
            let mut nearer = one.row.clone();
            while nearer[change.column] != change.from {
                nearer[change.column] += (change.from - change.to).signum();
                assert!(model(nearer.view()) <= 0.5, "{} can be {nearer}", one.row);
            }
        }
    }
}

#[test]
fn bad_input_is_refused_by_name() {
    let predictor = linear(&[1.0, 1.0], -3.5);
    let mut table = integers(&["age", "job"]);
    let say = |table: &Table, background: &Array2<f64>, row: &[f64], outcome| {
        find(&predictor, table, background, row, outcome, &one()).expect_err("a refusal").to_string()
    };
    let row = [1.0, 1.0];
    assert!(
        say(&table, &grid(2), &[1.0, 4.0], Outcome::Class(1)).contains("the row has it already: class 1")
    );
    assert!(say(&table, &grid(2), &row, Outcome::Class(2)).contains("class 2 of 2"));
    assert!(
        say(&table, &grid(2), &row, Outcome::Range { output: 1, low: 0.0, high: 1.0 })
            .contains("output 1 of 1")
    );
    assert!(
        say(&table, &grid(2), &row, Outcome::Range { output: 0, low: 2.0, high: 1.0 })
            .contains("from 2 to 1")
    );
    assert!(
        say(&table, &Array2::zeros((0, 2)), &row, Outcome::Class(1)).contains("background has shape [0, 2]")
    );
    assert!(
        say(&table, &grid(2), &[1.0, f64::INFINITY], Outcome::Class(1)).contains("column `job`: row 0: inf")
    );
    assert!(say(&table, &grid(2), &[1.0], Outcome::Class(1)).contains("row has shape [1]"));
    table.columns[1].kind = Kind::Category { labels: Vec::new() };
    let message = say(&table, &grid(2), &[1.0, 7.0], Outcome::Class(1));
    assert!(message.contains("column `job`: the row has the unseen category 7"), "{message}");
    table.columns[1].kind = Kind::Category { labels: labels(3) };
    let message = say(&table, &grid(2), &row, Outcome::Class(1));
    assert!(
        message.contains("column `job`: background row 3: 3 is an unseen category; codes go from 0 to 2"),
        "{message}"
    );
    table.columns = vec![Column::new("hot", Kind::OneHot { labels: labels(2) })];
    let message = say(&table, &array![[1.0, 0.0], [1.0, 1.0]], &[0.0, 1.0], Outcome::Class(1));
    assert!(
        message.contains("column `hot`: background row 1: one element of a one-hot group is 1"),
        "{message}"
    );
    table.columns.pop();
    assert!(say(&table, &grid(2), &row, Outcome::Class(1)).contains("table has shape [0]"));
}

#[test]
fn a_background_of_one_row_and_constant_columns_will_do() {
    let mut table = integers(&["age", "hours"]);
    let predictor = linear(&[1.0, 1.0], -3.5);
    let row = [1.0, 1.0];
    let found =
        find(&predictor, &table, &array![[4.0, 1.0]], &row, Outcome::Class(1), &one()).expect("an answer");
    // Hours have one value and stay; the whole way to the background's age is a change of 1.
    assert_eq!(found.found[0].row, array![4.0, 1.0]);
    assert_eq!(found.found[0].distance, 1.0);
    assert!(found.warnings[0].contains("one value of age; the width of the range"), "{:?}", found.warnings);
    table.columns[1].range = Some((0.0, 8.0));
    let found =
        find(&predictor, &table, &array![[4.0, 1.0]], &row, Outcome::Class(1), &one()).expect("an answer");
    assert_eq!(found.found[0].row, array![1.0, 4.0]);
}

#[test]
fn what_is_not_found_is_said_with_miss_and_example() {
    let mut table = integers(&["age", "hours"]);
    table.outcome_names = vec!["no".into(), "yes".into()];
    table.columns[0].immutable = true;
    let predictor = linear(&[1.0, 0.1], -3.0);
    let found =
        find(&predictor, &table, &grid(2), &[1.0, 1.0], Outcome::Class(1), &one()).expect("an answer");
    assert_eq!(found.found, []);
    assert!(found.warnings[0].contains("no counterfactual was found"), "{:?}", found.warnings);
    let miss = found.nearest_miss.expect("a miss");
    assert_eq!(miss.row, array![1.0, 4.0]);
    assert!(!miss.valid && miss.sentence.contains("would have been no"), "{}", miss.sentence);
    let nearest = found.nearest_example.expect("an example");
    assert_eq!((nearest.row_index, nearest.example.valid), (4, true));
    assert_eq!(nearest.breaks, ["column `age`: 4 is not the row's value, which is `immutable`"]);
    let unreachable = Outcome::Range { output: 0, low: 100.0, high: f64::INFINITY };
    let found = find(&predictor, &table, &grid(2), &[1.0, 1.0], unreachable, &one()).expect("an answer");
    assert_eq!((found.nearest_example, found.nearest_miss.expect("a miss").row), (None, array![1.0, 4.0]));
}

#[test]
fn sentences_name_what_changed() {
    let mut table = integers(&["age", "income"]);
    table.columns[0].unit = Some("years".into());
    table.columns[1].kind = Kind::Numeric { decimals: Some(2) };
    table.columns.push(Column::new("job", Kind::Category { labels: labels(3) }));
    let say = |changes: &[Change]| sentence::sentence(&table, changes, "good");
    let age = Change { column: 0, from: 30.0, to: 41.0 };
    let income = Change { column: 1, from: f64::NAN, to: 1.5 };
    let job = Change { column: 2, from: 0.0, to: 2.0 };
    assert_eq!(
        say(std::slice::from_ref(&age)),
        "Had age been 41 years instead of 30 years, the outcome would have been good."
    );
    assert_eq!(
        say(&[age.clone(), job.clone()]),
        "Had age been 41 years instead of 30 years and job been c2 instead of c0, the outcome would have been good."
    );
    assert_eq!(
        say(&[age, income, job]),
        "Had age been 41 years instead of 30 years, income been 1.50 instead of missing, and job been c2 instead of c0, the \
         outcome would have been good."
    );
    let texts = [0.1 + 0.2, 1234567.891, 1e-9 / 3.0, -12.0, 123456789.0].map(table::number_text);
    assert_eq!(texts, ["0.3", "1234568", "3.33333e-10", "-12", "123456789"]);
}

#[test]
fn results_hang_on_row_and_seed_alone() {
    let predictor = of_rows(3, |row| row[0] * row[1] - row[2]);
    let table = integers(&["a", "b", "c"]);
    let rows = |batch_size: usize, seed| {
        let finder = Finder::new(&predictor, &table, grid(3).view(), &work(batch_size)).expect("a finder");
        let options = Options { seed, ..Options::default() };
        finder
            .find(array![1.0, 1.0, 3.0].view(), &Outcome::Opposite, &options, &work(batch_size))
            .expect("an answer")
    };
    let found = rows(64, 0);
    assert_eq!(found.found.len(), 4);
    assert_eq!(rows(3, 0), found);
    assert_eq!(rows(4096, 0), found);
}

#[test]
fn classes_and_ranges_are_met() {
    let predict = |rows: ArrayViewD<'_, f64>| -> Result<Array2<f64>, Error> {
        let rows = rows.into_dimensionality::<ndarray::Ix2>().expect("a table");
        Ok(Array2::from_shape_fn((rows.nrows(), 3), |(row, class)| {
            -(rows[[row, 0]] - 2.0 * class as f64).abs()
        }))
    };
    let predictor = Function { row_shape: vec![1], n_outputs: 3, predict };
    let table = integers(&["x"]);
    let of = |outcome, options: &Options| find(&predictor, &table, &grid(1), &[0.0], outcome, options);
    assert_eq!(of(Outcome::Class(1), &one()).expect("an answer").found[0].row, array![2.0]);
    // At 3 classes 1 and 2 are tied, which is neither.
    assert_eq!(of(Outcome::Class(2), &one()).expect("an answer").found[0].row, array![4.0]);
    let range = Outcome::Range { output: 0, low: -3.5, high: -2.5 };
    let found = of(range, &one()).expect("an answer");
    assert_eq!(found.found[0].row, array![3.0]);
    assert_eq!(found.found[0].sentence, "Had x been 3 instead of 0, the outcome would have been -3.");
    assert!(of(Outcome::Opposite, &one()).expect_err("a refusal").to_string().contains("3 classes"));
    let binary = linear(&[1.0], 0.0);
    let margin = Options { margin: 2.0, ..one() };
    let found = find(&binary, &table, &grid(1), &[0.0], Outcome::Opposite, &margin).expect("an answer");
    assert_eq!(found.found[0].row, array![3.0]);
}

#[test]
fn values_land_just_past_thresholds() {
    let edge = 0.123_456_789;
    let predictor = of_rows(1, |row| f64::from(row[0] > edge));
    let mut table =
        Table { columns: vec![Column::new("x", Kind::Numeric { decimals: None })], ..Table::default() };
    let background = array![[-3.0], [-1.0], [1.0], [3.0]];
    let found = |table: &Table| {
        find(&predictor, table, &background, &[-0.5], Outcome::Opposite, &one()).expect("an answer").found[0]
            .row[0]
    };
    // Without knowing the threshold, to a thousandth of the scale, which is 2.
    let near = found(&table);
    assert!(near > edge && near - edge < 2e-3, "{near}");
    table.columns[0].candidates = vec![-0.2, edge, 1.7];
    assert_eq!(found(&table), edge.next_up());
    table.columns[0].kind = Kind::Numeric { decimals: Some(2) };
    assert_eq!(found(&table), 0.13);
}

#[test]
fn the_budget_is_kept_in_full_batches() {
    let (n_rows, n_calls) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let predict = |rows: ArrayViewD<'_, f64>| -> Result<Array2<f64>, Error> {
        let rows = rows.into_dimensionality::<ndarray::Ix2>().expect("a table");
        n_rows.fetch_add(rows.nrows(), Ordering::Relaxed);
        n_calls.fetch_add(1, Ordering::Relaxed);
        Ok((rows.sum_axis(Axis(1)) - 11.5).insert_axis(Axis(1)))
    };
    let predictor = Function { row_shape: vec![6], n_outputs: 1, predict };
    let table = integers(&["a", "b", "c", "d", "e", "f"]);
    for max_evaluations in [6, 50, 500, 5000] {
        let background = grid(6);
        let finder = Finder::new(&predictor, &table, background.view(), &work(4096)).expect("a finder");
        n_rows.store(0, Ordering::Relaxed);
        n_calls.store(0, Ordering::Relaxed);
        let options = Options { max_evaluations, ..Options::default() };
        let found = finder.find(
            array![1.0, 1.0, 1.0, 1.0, 1.0, 1.0].view(),
            &Outcome::Opposite,
            &options,
            &work(4096),
        );
        let found = found.expect("an answer");
        assert_eq!(found.evaluations, n_rows.load(Ordering::Relaxed));
        assert!(found.evaluations <= max_evaluations, "{} of {max_evaluations}", found.evaluations);
        assert!(n_calls.load(Ordering::Relaxed) < 60, "{n_calls:?} calls");
    }
}

#[test]
fn what_the_model_takes_back_is_left_out() {
    let asked = AtomicUsize::new(0);
    let predict = |rows: ArrayViewD<'_, f64>| -> Result<Array2<f64>, Error> {
        let rows = rows.into_dimensionality::<ndarray::Ix2>().expect("a table");
        // Says yes to everything but the row itself, until it is asked about a single one again.
        let again = rows.nrows() == 1 && asked.fetch_add(1, Ordering::Relaxed) > 1;
        Ok(Array2::from_shape_fn((rows.nrows(), 1), |(row, _)| f64::from(!again && rows[[row, 0]] != 1.0)))
    };
    let predictor = Function { row_shape: vec![1], n_outputs: 1, predict };
    let found =
        find(&predictor, &integers(&["x"]), &grid(1), &[1.0], Outcome::Class(1), &one()).expect("an answer");
    assert_eq!(found.found, []);
    assert!(
        found.warnings.iter().any(|warning| warning.contains("answers differently")),
        "{:?}",
        found.warnings
    );
}

#[test]
fn more_weight_on_diversity_gives_no_less_of_it() {
    let predictor = linear(&[1.0, 1.0, 1.0, 1.0], -7.5);
    let table = integers(&["a", "b", "c", "d"]);
    let diversity = |diversity_weight| {
        let options = Options { diversity_weight, ..Options::default() };
        let found =
            find(&predictor, &table, &grid(4), &[1.0; 4], Outcome::Class(1), &options).expect("an answer");
        (found.diversity, found.found.iter().map(|one| one.distance).sum::<f64>())
    };
    let (near, wide) = (diversity(0.0), diversity(10.0));
    assert!(wide.0 > near.0 && wide.1 >= near.1, "{near:?} {wide:?}");
}

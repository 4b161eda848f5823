//! What cannot be drawn is refused by name.

use super::*;

/// Checks that every chart refuses the table after `spoil` did its harm.
fn check_refused(spoil: impl Fn(&mut Owned), expected: &str) {
    for (name, draw) in CHARTS {
        let mut owned = plain(6, 3);
        spoil(&mut owned);
        let error = draw(&owned.table(), &options(20)).unwrap_err();
        assert_eq!(error.to_string(), expected, "{name}");
    }
}

#[test]
fn faulty_tables_are_refused_by_name() {
    check_refused(|t| t.values = Default::default(), "no rows to draw; give at least one");
    check_refused(|t| t.values = ndarray::Array2::zeros((2, 0)), "no features to draw; give at least one");
    check_refused(
        |t| t.features.truncate(2),
        "the list of features has length 2, expected 3 as in the table's values",
    );
    check_refused(
        |t| t.data = Some(arr2(&[[1.0, 2.0, 3.0]])),
        "the axis of data rows has length 1, expected 6 as in the table's values",
    );
    check_refused(
        |t| t.outputs = Some(arr1(&[1.0])),
        "the list of outputs has length 1, expected 6 as in the table's values",
    );
    check_refused(
        |t| t.values[[2, 1]] = f64::NAN,
        "the table's values holds NaN at index [2, 1]; only finite numbers can be drawn",
    );
    check_refused(
        |t| t.values[[2, 1]] = -1e300,
        &format!(
            "the table's values holds -1{} at index [2, 1], beyond ±1e250, which no axis can show",
            "0".repeat(300)
        ),
    );
    check_refused(
        |t| t.base_values[5] = f64::INFINITY,
        "the list of base values holds inf at index [5]; only finite numbers can be drawn",
    );
    check_refused(
        |t| t.outputs = Some(Array1::from_elem(6, f64::NAN)),
        "the list of outputs holds NaN at index [0]; only finite numbers can be drawn",
    );
    check_refused(
        |t| {
            t.features[1].categories = vec!["no".into(), "yes".into()];
            t.data = Some(ndarray::Array2::from_elem((6, 3), 1.5));
        },
        "feature `feature 1` is 1.5 in row 0, which names none of its 2 categories; expected a whole number below \
         that, or NaN where the value is missing",
    );
    let owned = plain(6, 3);
    let error = waterfall(&owned.table(), 6, &options(20)).unwrap_err().to_string();
    assert_eq!(error, "there is no row 6: the table has 6, counted from 0");
    let error = bar(&owned.table(), &options(0)).unwrap_err().to_string();
    assert_eq!(error, "`max_features` is 0, expected 1 or more");
}

#[test]
fn impossible_cohorts_rows_and_features_are_refused() {
    let owned = plain(5, 3);
    let table = owned.table();
    let cohort = |rows: &[usize]| Cohort { name: "some".into(), rows: rows.into() };
    let check = |cohorts: &[Cohort], expected: &str| {
        assert_eq!(super::cohorts(&table, cohorts, &options(20)).unwrap_err().to_string(), expected);
    };
    check(&[], "no cohorts to draw; give at least one");
    check(&[cohort(&[])], "no rows of a cohort to draw; give at least one");
    check(&[cohort(&[5])], "there is no row 5: the table has 5, counted from 0");
    check(&vec![cohort(&[0]); 9], "9 cohorts are too many to tell apart in one picture; draw at most 8");
    let refused = |chart: Result<Chart, Error>| chart.unwrap_err().to_string();
    assert_eq!(refused(decision(&table, &[], &options(20))), "no rows to draw; give at least one");
    let no_row = "there is no row 9: the table has 5, counted from 0";
    assert_eq!(refused(decision(&table, &[1, 9], &options(20))), no_row);
    assert_eq!(refused(force(&table, 9, &options(20))), no_row);
    let no_feature = "there is no feature 3: the table has 3, counted from 0";
    assert_eq!(refused(dependence(&table, 3, Coloring::Plain, &options(20))), no_feature);
    assert_eq!(refused(dependence(&table, 0, Coloring::Feature(3), &options(20))), no_feature);
    let unknown = Table { data: None, ..table };
    assert_eq!(
        refused(dependence(&unknown, 0, Coloring::Plain, &options(20))),
        "a dependence chart shows what the rows hold; give the table its `data`"
    );
}

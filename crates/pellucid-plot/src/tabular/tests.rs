use ndarray::{Array1, arr1, arr2};

use super::testing::{Owned, hard_tables, options, plain};
use super::*;
use crate::Chart;
use crate::chart::Shape;
use crate::chart::testing::{check_chart, extents, texts, words};
use crate::font::Weight;

type Draw = fn(&Table<'_>, &Options) -> Result<Chart, Error>;

const CHARTS: &[(&str, Draw)] = &[
    ("waterfall", |table, options| waterfall(table, 0, options)),
    ("bar", |table, options| bar(table, options)),
    ("bar of row", |table, options| bar_of_row(table, 0, options)),
    ("beeswarm", |table, options| beeswarm(table, options)),
];

#[test]
fn hard_tables_give_sound_charts() {
    for (case, owned) in hard_tables() {
        for (name, draw) in CHARTS {
            for max_features in [1, 20] {
                let title = "A title so long that it has to go on in another line. ".repeat(max_features % 3);
                let options = Options { title: title.clone(), caption: title.repeat(3), max_features };
                // Shown where a check fails.
                println!("{name} of {case}, {max_features} features");
                check_chart(&draw(&owned.table(), &options).unwrap());
            }
        }
    }
}

#[test]
fn same_table_same_bytes() {
    for (name, draw) in CHARTS {
        let owned = plain(300, 7);
        let drawn = || draw(&owned.table(), &options(5)).unwrap();
        assert_eq!(drawn().svg(), drawn().svg(), "{name}");
        assert_eq!(drawn().png(1).unwrap(), drawn().png(1).unwrap(), "{name}");
    }
}

#[test]
fn every_chart_says_what_its_axis_counts() {
    for (name, draw) in CHARTS {
        let chart = draw(&plain(30, 3).table(), &options(20)).unwrap();
        assert!(
            texts(&chart).any(|text| text.text.ends_with("good (log-odds)")),
            "{name}: {}",
            words(&chart)
        );
    }
}

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
        |t| t.base_value = f64::INFINITY,
        "the base value holds inf at index []; only finite numbers can be drawn",
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

/// The numbers written as labels `+1.20` or `−0.03`, from top to bottom.
fn signed_labels(chart: &Chart) -> Vec<f64> {
    let numbers = texts(chart).filter(|text| {
        text.text.starts_with(['+', '−']) && text.style.weight == Weight::Regular && text.style.size == 13.0
    });
    numbers.filter_map(|text| text.text.replace('−', "-").parse().ok()).collect()
}

#[test]
fn the_numbers_of_a_waterfall_add_up_to_the_output() {
    for n_features in [1, 5, 40] {
        let owned = plain(10, n_features);
        for row in 0..10 {
            let chart = waterfall(&owned.table(), row, &options(8)).unwrap();
            let labels = signed_labels(&chart);
            assert_eq!(labels.len(), n_features.min(9));
            let sum: f64 = labels.iter().sum();
            let expected = owned.values.row(row).sum();
            let last_digit = 0.01 * labels.iter().fold(0.0, |max: f64, label| max.max(label.abs()));
            let tolerance = last_digit * labels.len() as f64;
            assert!((sum - expected).abs() <= tolerance, "{sum} instead of {expected}");
        }
    }
}

#[test]
fn arrows_lead_from_the_base_value_to_the_output() {
    let owned = plain(4, 9);
    for row in 0..4 {
        let digits = waterfall::row_digits(&owned.table(), row);
        let steps = waterfall::steps(&owned.table(), row, 4, digits);
        assert_eq!(steps.len(), 5);
        assert_eq!(steps[4].start, owned.base_value);
        let (top, output) = (steps[0].start + steps[0].value, owned.table().explained(row));
        assert!((top - output).abs() < 1e-12, "{top} instead of {output}");
        for pair in steps.windows(2) {
            assert_eq!(pair[1].start + pair[1].value, pair[0].start);
        }
    }
}

#[test]
fn what_no_feature_explains_is_said() {
    let mut owned = plain(3, 4);
    let explained = owned.table().explained(1);
    owned.outputs = Some(arr1(&[0.0, explained + 0.5, 0.0]));
    let chart = waterfall(&owned.table(), 1, &options(20)).unwrap();
    assert!(words(&chart).contains("not explained by any feature: +0.5"), "{}", words(&chart));
    owned.outputs = Some(arr1(&[0.0, explained + 1e-9, 0.0]));
    let chart = waterfall(&owned.table(), 1, &options(20)).unwrap();
    assert!(!words(&chart).contains("not explained"));
}

#[test]
fn bars_are_as_long_as_their_values_and_start_at_zero() {
    let mut owned = plain(2, 3);
    owned.values = arr2(&[[3.0, -1.0, 0.0], [-1.0, 1.0, 0.0]]);
    let chart = bar(&owned.table(), &options(20)).unwrap();
    let bars: Vec<_> = chart.marks.iter().filter(|mark| matches!(mark.shape, Shape::Rect(_))).collect();
    let rects: Vec<_> = bars.iter().map(|mark| extents(&mark.shape)[0]).collect();
    assert_eq!(rects.len(), 3);
    assert!((rects[0].width - 2.0 * rects[1].width).abs() < 1e-9, "{rects:?}");
    assert_eq!(rects[2].width, 0.0);
    assert!(rects.iter().all(|rect| rect.x == rects[0].x));
}

#[test]
fn the_whole_of_a_shortened_name_is_in_its_tooltip() {
    let (_, owned) = hard_tables().into_iter().find(|(name, _)| *name == "long names").unwrap();
    for (name, draw) in CHARTS {
        let chart = draw(&owned.table(), &options(30)).unwrap();
        let missing = owned.features.iter().find(|f| !chart.tooltips.iter().any(|tip| tip.contains(&f.name)));
        assert_eq!(missing, None, "{name}");
    }
}

#[test]
fn missing_feature_values_are_gray_and_said() {
    let mut owned = plain(10, 2);
    owned.data.as_mut().unwrap()[[3, 0]] = f64::NAN;
    let text = words(&beeswarm(&owned.table(), &options(20)).unwrap());
    assert!(text.starts_with("missing\n") && text.contains("missing in 1 row\n"), "{text}");
    assert!(text.contains("row 3: feature 0 = missing"), "{text}");
    assert!(words(&waterfall(&owned.table(), 3, &options(20)).unwrap()).contains("feature 0 = missing"));
}

/// How many points of a beeswarm are drawn.
fn n_discs(chart: &Chart) -> usize {
    let discs = chart.marks.iter().map(|mark| match &mark.shape {
        Shape::Discs { centers, .. } => centers.len(),
        _ => 0,
    });
    discs.sum()
}

#[test]
fn a_beeswarm_shows_every_row() {
    for n_rows in [1, 100, 1_000, 2_000] {
        let owned = plain(n_rows, 4);
        assert_eq!(n_discs(&beeswarm(&owned.table(), &options(20)).unwrap()), 4 * n_rows);
    }
    // Alone, far from the others, in a crowd of cells.
    let mut owned = plain(3_000, 1);
    owned.values[[17, 0]] = 50.0;
    let chart = beeswarm(&owned.table(), &options(20)).unwrap();
    let rects = chart.marks.iter().filter_map(|mark| match &mark.shape {
        Shape::Rects(rects) => Some(rects),
        _ => None,
    });
    let rightmost = rects.flatten().map(|rect| rect.right()).fold(0.0, f64::max);
    assert!(rightmost > 840.0, "{rightmost}");
}

#[test]
fn a_hundred_thousand_rows_stay_small() {
    let owned = plain(100_000, 30);
    let chart = beeswarm(&owned.table(), &options(20)).unwrap();
    check_chart(&chart);
    assert!(chart.svg().len() < 1_000_000, "{}", chart.svg().len());
}

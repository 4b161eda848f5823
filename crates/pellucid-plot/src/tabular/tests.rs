use ndarray::{Array1, arr1, arr2};

use super::testing::{Owned, hard_tables, options, plain};
use super::*;
use crate::Chart;
use crate::chart::testing::{check_chart, extents, texts, words};
use crate::chart::{Paint, Shape};
use crate::font::Weight;

type Draw = fn(&Table<'_>, &Options) -> Result<Chart, Error>;

const CHARTS: &[(&str, Draw)] = &[
    ("waterfall", |table, options| waterfall(table, 0, options)),
    ("bar", |table, options| bar(table, options)),
    ("bar of row", |table, options| bar_of_row(table, 0, options)),
    ("beeswarm", |table, options| beeswarm(table, options)),
    ("force", |table, options| force(table, 0, options)),
    ("decision of one row", |table, options| decision(table, &[0], options)),
    ("decision", |table, options| decision(table, &all_rows(table), options)),
    ("heatmap", |table, options| heatmap(table, RowOrder::Output, options)),
    ("heatmap, clustered", |table, options| heatmap(table, RowOrder::Cluster, options)),
    ("cohorts", |table, options| {
        let n = table.n_rows();
        let cohort =
            |name: &str, rows: std::ops::Range<usize>| Cohort { name: name.into(), rows: rows.collect() };
        let all = [cohort("all", 0..n), cohort(&"a long name ".repeat(9), n / 2..n), cohort("", 0..1)];
        cohorts(table, &all, options)
    }),
];

fn all_rows(table: &Table<'_>) -> Vec<usize> {
    (0..table.n_rows()).collect()
}

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
fn hard_features_give_sound_dependence_charts() {
    for (case, owned) in hard_tables().into_iter().filter(|(_, owned)| owned.data.is_some()) {
        for coloring in [Coloring::Plain, Coloring::Feature(owned.features.len() - 1), Coloring::Strongest] {
            for feature in 0..owned.features.len().min(3) {
                println!("dependence on feature {feature} of {case}, {coloring:?}");
                check_chart(&dependence(&owned.table(), feature, coloring, &options(20)).unwrap());
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
        assert!(words(&chart).contains("good (log-odds)"), "{name}: {}", words(&chart));
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
        assert_eq!(steps[4].start, owned.base_values[row]);
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
    let bars: Vec<_> = chart.marks.iter().filter(|mark| mark.fill == Some(Paint::Accent)).collect();
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

/// The names at the left, from the top down.
fn names_from_the_top(chart: &Chart) -> Vec<String> {
    let mut names: Vec<_> = texts(chart).filter(|text| text.text.contains("feature ")).collect();
    names.sort_by(|a, b| a.baseline.total_cmp(&b.baseline));
    names.into_iter().map(|text| text.text.clone()).collect()
}

#[test]
fn features_stand_in_the_order_of_their_mean_sizes() {
    let mut owned = plain(200, 6);
    // In the mean 3 is largest; 5 has the largest single value, 1 the largest sum.
    for (column, factor) in [0.2, 0.5, 0.1, 1.0, 0.3, 0.01].into_iter().enumerate() {
        owned.values.column_mut(column).mapv_inplace(|value| factor * value.signum() * (1.0 + 0.1 * value));
    }
    owned.values.column_mut(1).mapv_inplace(f64::abs);
    owned.values[[7, 5]] = 15.0;
    let expected = [3, 1, 4, 0, 2, 5].map(|index| format!("feature {index}"));
    let charts: [(&str, Draw); 3] = [
        ("beeswarm", |table, options| beeswarm(table, options)),
        ("bar", |table, options| bar(table, options)),
        ("heatmap", |table, options| heatmap(table, RowOrder::Cluster, options)),
    ];
    for (name, draw) in charts {
        assert_eq!(names_from_the_top(&draw(&owned.table(), &options(20)).unwrap()), expected, "{name}");
        let few = names_from_the_top(&draw(&owned.table(), &options(2)).unwrap());
        assert_eq!(few[..2], expected[..2], "{name}");
    }
    let few = beeswarm(&owned.table(), &options(2)).unwrap();
    let last = texts(&few).find(|text| text.text == "sum of 4 other features").unwrap();
    assert!(texts(&few).filter(|text| text.text.starts_with("feature ")).all(|t| t.baseline < last.baseline));
}

#[test]
fn rows_are_told_by_their_names() {
    let mut owned = plain(8, 3);
    owned.row_names = Some((0..8).map(|row| format!("row {}", 1000 + 16 * row)).collect());
    let all = |draw: Draw| draw(&owned.table(), &options(20)).unwrap().tooltips;
    let charts: [Draw; 4] = [
        |table, options| beeswarm(table, options),
        |table, options| decision(table, &all_rows(table), options),
        |table, options| heatmap(table, RowOrder::Table, options),
        |table, options| dependence(table, 0, Coloring::Plain, options),
    ];
    for draw in charts {
        let tooltips = all(draw);
        assert!(tooltips.iter().any(|tip| tip.starts_with("row 1112: ")), "{tooltips:?}");
        assert!(tooltips.iter().all(|tip| !tip.starts_with("row 7: ")), "{tooltips:?}");
    }
    owned.row_names = Some(vec![]);
    let error = bar(&owned.table(), &options(20)).unwrap_err().to_string();
    assert_eq!(error, "the list of row names has length 0, expected 8 as in the table's values");
}

#[test]
fn the_colors_of_a_dependence_chart_are_accounted_for() {
    let owned = plain(200, 4);
    let told =
        |coloring| words(&dependence(&owned.table(), 0, coloring, &options(20)).unwrap()).replace('\n', " ");
    let text = told(Coloring::Interacting(2));
    assert!(text.contains("with the largest interactions with this one: feature 2."), "{text}");
    let text = told(Coloring::Strongest);
    assert!(text.contains("estimated from these rows: feature "), "{text}");
    assert!(!told(Coloring::Feature(2)).contains("Colored by the feature"));
}

type Segment = (Paint, f64, f64);

/// The ends of the red and blue polygons, without the notches of their heads.
fn segments(chart: &Chart) -> Vec<Segment> {
    let polygons = chart.marks.iter().filter_map(|mark| match (&mark.shape, mark.fill) {
        (Shape::Line(points), Some(paint)) if points.len() == 6 => Some((paint, points[5].0, points[2].0)),
        _ => None,
    });
    polygons.collect()
}

#[test]
fn forces_meet_at_the_output_and_lead_away_from_the_base_value() {
    for row in 0..5 {
        let owned = plain(5, 30);
        let chart = force(&owned.table(), row, &options(6)).unwrap();
        let segments = segments(&chart);
        let (ups, downs): (Vec<Segment>, Vec<Segment>) =
            segments.iter().copied().partition(|segment| segment.0 == Paint::Up);
        // Each begins where its neighbor ends; the innermost of both sides meet.
        for side in [&ups, &downs] {
            for pair in side.windows(2) {
                assert!((pair[0].2 - pair[1].1).abs() < 1e-6, "{segments:?}");
            }
        }
        assert!((ups[ups.len() - 1].2 - downs[downs.len() - 1].2).abs() < 1e-6, "{segments:?}");
        // As wide in sum as the values are large, up against down.
        let width = |side: &[Segment]| side.iter().map(|s| (s.2 - s.1).abs()).sum::<f64>();
        let sum = |sign: f64| owned.values.row(row).iter().map(|v| (sign * v).max(0.0)).sum::<f64>();
        let (drawn, expected) = (width(&ups) / width(&downs), sum(1.0) / sum(-1.0));
        assert!((drawn / expected - 1.0).abs() < 1e-9, "{drawn} instead of {expected}");
    }
}

#[test]
fn decision_lines_lead_from_the_base_value_to_the_outputs() {
    let mut owned = plain(300, 30);
    owned.outputs = Some(Array1::from_shape_fn(300, |row| owned.table().explained(row) + 0.1 * row as f64));
    for n_rows in [2, 300] {
        let rows: Vec<usize> = (0..n_rows).collect();
        let chart = decision(&owned.table(), &rows, &options(5)).unwrap();
        let lines: Vec<_> = chart
            .marks
            .iter()
            .filter_map(|mark| match (&mark.shape, mark.stroke, mark.fill) {
                (Shape::Line(points), Some(stroke), None) if points.len() > 2 => Some((points, stroke.paint)),
                _ => None,
            })
            .collect();
        assert_eq!(lines.len(), n_rows.min(200));
        assert_eq!(words(&chart).contains("200 of 300 rows are drawn"), n_rows == 300);
        let start = lines[0].0[0];
        for (index, (points, paint)) in lines.iter().enumerate() {
            // Five features, the others in sum and what no feature explains.
            assert_eq!((points.len(), points[0]), (8, start));
            let row = index * n_rows / lines.len();
            assert_eq!(*paint, Paint::of_sign(owned.table().output_of(row) - owned.base_values[row]));
            assert_eq!(points[7].0 > start.0, *paint == Paint::Up);
        }
    }
}

#[test]
fn rows_with_base_values_of_their_own_start_there() {
    let mut owned = plain(5, 3);
    owned.base_values = arr1(&[-2.0, -1.0, 0.0, 1.0, 2.0]);
    owned.outputs = Some(Array1::from_shape_fn(5, |row| owned.table().explained(row)));
    let chart = decision(&owned.table(), &all_rows(&owned.table()), &options(20)).unwrap();
    let starts: Vec<f64> = chart
        .marks
        .iter()
        .filter_map(|mark| match (&mark.shape, mark.fill) {
            (Shape::Line(points), None) if points.len() > 2 => Some(points[0].0),
            _ => None,
        })
        .collect();
    let steps: Vec<f64> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.len() == 4 && steps.iter().all(|step| (step - steps[0]).abs() < 1e-9), "{starts:?}");
    let text = words(&chart);
    assert!(!text.contains("not explained") && !text.contains("E[f(x)]"), "{text}");
    assert!(text.contains("Each line starts at its own base value"), "{text}");
    let text = words(&heatmap(&owned.table(), RowOrder::Output, &options(20)).unwrap());
    assert!(!text.contains("dashed: the base value"), "{text}");
    for row in 0..5 {
        let text = words(&waterfall(&owned.table(), row, &options(20)).unwrap());
        let base_value = ["−2", "−1", "0", "1", "2"][row];
        assert!(
            text.contains(&format!("E[f(x)] = {base_value}")) && !text.contains("not explained"),
            "{text}"
        );
    }
}

#[test]
fn cohorts_show_their_own_means() {
    let owned = plain(50, 3);
    let some = [("old", vec![3, 7, 8]), ("young", vec![1])];
    let some = some.map(|(name, rows)| Cohort { name: name.into(), rows });
    let chart = cohorts(&owned.table(), &some, &options(20)).unwrap();
    let text = words(&chart);
    assert!(text.contains("old (3 rows)") && text.contains("young (1 row)"), "{text}");
    for feature in 0..3 {
        let mean = [3, 7, 8].iter().map(|&row| owned.values[[row, feature]].abs()).sum::<f64>() / 3.0;
        let line = text.lines().find(|line| line.starts_with(&format!("feature {feature}, old: "))).unwrap();
        let told: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
        assert!((told - mean).abs() < 5e-3, "{line}, expected {mean}");
    }
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

#[test]
fn a_dependence_chart_shows_every_row_that_has_a_place() {
    let mut owned = plain(1_000, 3);
    let data = owned.data.as_mut().unwrap();
    data[[4, 0]] = f64::NAN;
    data[[5, 0]] = f64::INFINITY;
    let chart = dependence(&owned.table(), 0, Coloring::Plain, &options(20)).unwrap();
    assert_eq!(n_discs(&chart), 999);
    let text = words(&chart);
    assert!(text.contains("1 row with infinite values are not drawn"), "{text}");
    assert!(text.contains("missing: 1 row\n") && text.contains("row 4: feature 0 = missing"), "{text}");
    // Rising data lie further right.
    owned.data = Some(ndarray::Array2::from_shape_fn((1_000, 3), |(row, _)| row as f64));
    let chart = dependence(&owned.table(), 0, Coloring::Strongest, &options(20)).unwrap();
    let places = chart.marks.iter().filter_map(|mark| match &mark.shape {
        Shape::Discs { centers, .. } => Some(centers[0].0),
        _ => None,
    });
    assert!(places.collect::<Vec<_>>().is_sorted());
}

#[test]
fn a_heatmap_is_ordered_and_shares_columns_fairly() {
    let owned = plain(100, 4);
    let chart = heatmap(&owned.table(), RowOrder::Output, &options(20)).unwrap();
    // Cells tell their rows from left to right, line by line.
    let cells = chart.tooltips.iter().filter_map(|tip| tip.strip_prefix("row ")).take(100);
    let rows: Vec<usize> = cells.map(|tip| tip.split(':').next().unwrap().parse().unwrap()).collect();
    let outputs: Vec<f64> = rows.iter().map(|&row| owned.table().explained(row)).collect();
    assert!(rows.len() == 100 && outputs.is_sorted(), "{outputs:?}");
    for (n_rows, order, expected) in [
        (3_000, RowOrder::Output, "Each column shows the mean of about 6 rows."),
        (3_000, RowOrder::Table, "Each column shows the mean of about 6 rows."),
        (3_000, RowOrder::Cluster, "1000 of 3000 rows, evenly spaced, are clustered and drawn."),
    ] {
        let text = words(&heatmap(&plain(n_rows, 4).table(), order, &options(20)).unwrap());
        assert!(text.replace('\n', " ").contains(expected), "{text}");
    }
}

#[test]
fn a_few_huge_values_leave_the_others_their_color() {
    let mut owned = plain(200, 5);
    owned.values.mapv_inplace(|value| value.clamp(-0.5, 0.5));
    for row in [3, 80] {
        owned.values[[row, 2]] = 40.0;
    }
    let text = words(&heatmap(&owned.table(), RowOrder::Table, &options(20)).unwrap());
    assert!(text.contains("≥ +0.5\n"), "{text}");
    // A few values alone are not cut.
    owned.values.fill(0.0);
    owned.values[[3, 2]] = 40.0;
    let text = words(&heatmap(&owned.table(), RowOrder::Table, &options(20)).unwrap());
    assert!(text.contains("+40\n") && !text.contains('≥'), "{text}");
}

#[test]
fn categories_that_differ_in_the_middle_are_told_apart() {
    let mut owned = plain(70, 2);
    let names =
        ["Divorced", "Married-AF-spouse", "Married-civ-spouse", "Married-spouse-absent", "Never-married"];
    owned.features[0].categories =
        [&names[..], &["Separated", "Widowed"]].concat().iter().map(|&name| name.into()).collect();
    for (row, datum) in owned.data.as_mut().unwrap().column_mut(0).iter_mut().enumerate() {
        *datum = (row % 7) as f64;
    }
    let chart = dependence(&owned.table(), 0, Coloring::Plain, &options(20)).unwrap();
    check_chart(&chart);
    for name in names {
        assert!(texts(&chart).any(|text| text.text == name), "{name}: {}", words(&chart));
    }
}

#[test]
fn an_interaction_matrix_shows_the_mean_sizes() {
    let owned = plain(2, 3);
    let mut values = ndarray::Array3::zeros((2, 3, 3));
    (values[[0, 0, 1]], values[[1, 0, 1]], values[[0, 2, 2]]) = (-0.5, 0.25, 3.0);
    let sizes = interaction_sizes(values.view());
    assert_eq!((sizes[[0, 1]], sizes[[2, 2]]), (0.375, 1.5));
    let interactions =
        Interactions { sizes: sizes.view(), n_rows: 2, features: &owned.features, output: &owned.output };
    let chart = interaction_matrix(&interactions, &options(20)).unwrap();
    check_chart(&chart);
    let text = words(&chart);
    assert!(
        text.contains("feature 0 × feature 1: 0.375") && text.contains("feature 2, main effect: 1.500"),
        "{text}"
    );
    let few = words(&interaction_matrix(&interactions, &options(1)).unwrap()).replace('\n', " ");
    assert!(few.contains("The 2 features that interact least are left out."), "{few}");
    // The third feature has the largest main effect, but no interaction.
    assert!(few.contains("feature 0, main effect") && !few.contains("feature 2"), "{few}");

    let refused = |sizes: &ndarray::Array2<f64>| {
        let interactions = Interactions { sizes: sizes.view(), ..interactions };
        interaction_matrix(&interactions, &options(20)).unwrap_err().to_string()
    };
    assert_eq!(
        refused(&arr2(&[[-1.0]])),
        "the list of features has length 3, expected 1 as in the table's values"
    );
    assert_eq!(refused(&(0.0 - &sizes)), "`size of an interaction` is -0.375, expected 0 or more");
    assert_eq!(refused(&ndarray::Array2::zeros((0, 0))), "no features to draw; give at least one");
}

#[test]
fn interaction_matrices_of_hard_features_are_sound() {
    for (case, owned) in hard_tables() {
        let n = owned.features.len();
        for factor in [0.0, 1.0, 1e-9, 1e200] {
            println!("interactions of {case}, × {factor}");
            let sizes = ndarray::Array2::from_shape_fn((n, n), |(a, b)| factor / (1 + a + b) as f64);
            let interactions = Interactions {
                sizes: sizes.view(),
                n_rows: 7,
                features: &owned.features,
                output: &owned.output,
            };
            for max_features in [1, 12, 20] {
                check_chart(&interaction_matrix(&interactions, &options(max_features)).unwrap());
            }
        }
    }
}

#[test]
fn a_hundred_thousand_rows_stay_small_in_every_chart() {
    let mut owned = plain(100_000, 30);
    owned.features[1].categories = (0..90).map(|code| format!("category {code}")).collect();
    owned.data.as_mut().unwrap().column_mut(1).mapv_inplace(f64::abs);
    for (name, draw) in CHARTS {
        let chart = draw(&owned.table(), &options(20)).unwrap();
        println!("{name}: {}", chart.svg().len());
        check_chart(&chart);
    }
    for feature in [0, 1] {
        for coloring in [Coloring::Feature(0), Coloring::Feature(1), Coloring::Strongest] {
            check_chart(&dependence(&owned.table(), feature, coloring, &options(20)).unwrap());
        }
    }
}

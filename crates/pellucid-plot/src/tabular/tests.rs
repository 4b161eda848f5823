mod features;
mod many_rows;
mod one_row;
mod refusals;

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

fn n_discs(chart: &Chart) -> usize {
    let discs = chart.marks.iter().map(|mark| match &mark.shape {
        Shape::Discs { centers, .. } => centers.len(),
        _ => 0,
    });
    discs.sum()
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

#[test]
fn the_whole_of_a_shortened_name_is_in_its_tooltip() {
    let (_, owned) = hard_tables().into_iter().find(|(name, _)| *name == "long names").unwrap();
    for (name, draw) in CHARTS {
        let chart = draw(&owned.table(), &options(30)).unwrap();
        let missing = owned.features.iter().find(|f| !chart.tooltips.iter().any(|tip| tip.contains(&f.name)));
        assert_eq!(missing, None, "{name}");
    }
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

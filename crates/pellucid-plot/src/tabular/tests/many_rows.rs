//! Beeswarms, heatmaps, decision lines and cohorts.

use super::*;

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

//! Waterfalls, bars and forces: what one row's numbers come to.

use super::*;

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

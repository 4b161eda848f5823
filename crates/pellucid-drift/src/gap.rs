//! The gap between two distribution functions, walked once: its area is the Wasserstein distance, its height the Kolmogorov–Smirnov statistic.

use crate::Weighted;

/// Area and height of `|F − G|`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Gap {
    pub(crate) area: f64,
    pub(crate) height: f64,
}

/// A value and how much it weighs in either sample.
pub(crate) struct Point {
    pub(crate) value: f64,
    pub(crate) weights: [f64; 2],
}

/// Walks points in order of value; `totals` are the sums of their weights.
pub(crate) fn gap_of(points: impl Iterator<Item = Point>, totals: [f64; 2]) -> Gap {
    let mut sums = [0.0; 2];
    let mut last = f64::NEG_INFINITY;
    let mut gap = Gap { area: 0.0, height: 0.0 };
    for point in points {
        // Equal values belong to one step.
        if point.value > last && last > f64::NEG_INFINITY {
            let height = (sums[0] / totals[0] - sums[1] / totals[1]).abs();
            gap.area += height * (point.value - last);
            gap.height = gap.height.max(height);
        }
        sums[0] += point.weights[0];
        sums[1] += point.weights[1];
        last = point.value;
    }
    gap
}

/// The gap between two samples.
pub(crate) fn gap_between(a: &Weighted, b: &Weighted) -> Gap {
    let mut left = a.iter().peekable();
    let mut right = b.iter().peekable();
    let merged = std::iter::from_fn(|| {
        let from_left = match (left.peek(), right.peek()) {
            (Some((x, _)), Some((y, _))) => x <= y,
            (left, _) => left.is_some(),
        };
        if from_left {
            left.next().map(|(value, weight)| Point { value, weights: [weight, 0.0] })
        } else {
            right.next().map(|(value, weight)| Point { value, weights: [0.0, weight] })
        }
    });
    gap_of(merged, [a.total(), b.total()])
}

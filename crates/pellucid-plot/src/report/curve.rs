//! A small chart of a curve beside the random one.

use std::fmt::Write;

use maud::{Markup, html};

use crate::number::short_number;
use crate::report::ReportCurve;

const WIDTH: f64 = 280.0;
const HEIGHT: f64 = 112.0;
/// The plotted area: left, top, right, bottom.
const AREA: [f64; 4] = [38.0, 8.0, 274.0, 92.0];

/// The curve solid over a tinted area, the random one dashed, as SVG inside the page.
pub(crate) fn chart(curve: &ReportCurve) -> Markup {
    let scale = Scale::new(curve);
    let [left, _, right, bottom] = AREA;
    html! {
        svg.chart viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(description(curve)) {
            @for value in [scale.low, scale.high] {
                line.grid x1=(left) x2=(right) y1=(scale.y(value)) y2=(scale.y(value)) {}
                text x=(left - 6.0) y=(scale.y(value) + 3.5) text-anchor="end" { (short_number(value)) }
            }
            path.area d=(scale.area(curve)) {}
            @if !curve.random.is_empty() { path.random d=(scale.line(&curve.fractions, &curve.random)) {} }
            path.curve d=(scale.line(&curve.fractions, &curve.values)) {}
            text x=(left) y=(bottom + 15.0) { "0 %" }
            text x=((left + right) / 2.0) y=(bottom + 15.0) text-anchor="middle" { (curve.axis) }
            text x=(right) y=(bottom + 15.0) text-anchor="end" { "100 %" }
        }
    }
}

fn description(curve: &ReportCurve) -> String {
    let ends = |values: &[f64]| match (values.first(), values.last()) {
        (Some(&first), Some(&last)) => format!("{} to {}", short_number(first), short_number(last)),
        _ => "none".to_owned(),
    };
    let random =
        if curve.random.is_empty() { String::new() } else { format!("; random: {}", ends(&curve.random)) };
    format!("{} curve over {}: {}{random}", curve.name, curve.axis, ends(&curve.values))
}

/// Values to places. Zero is always in sight, so that areas are honest.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn new(curve: &ReportCurve) -> Self {
        let values = || curve.values.iter().chain(&curve.random).copied();
        let low = values().fold(0.0, f64::min);
        let high = values().fold(0.0, f64::max);
        // A flat curve at zero still needs a height.
        Self { low, high: if high > low { high } else { low + 1.0 } }
    }

    fn x(fraction: f64) -> f64 {
        AREA[0] + fraction * (AREA[2] - AREA[0])
    }

    fn y(&self, value: f64) -> f64 {
        // Halved before the difference, which may otherwise overflow.
        let share = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        AREA[3] - share * (AREA[3] - AREA[1])
    }

    fn line(&self, fractions: &[f64], values: &[f64]) -> String {
        let mut path = String::new();
        for (index, (&fraction, &value)) in fractions.iter().zip(values).enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            // Writing to a String cannot fail.
            let _ = write!(path, "{command}{:.1} {:.1}", Self::x(fraction), self.y(value));
        }
        path
    }

    fn area(&self, curve: &ReportCurve) -> String {
        let ends = curve.fractions.last().zip(curve.fractions.first());
        let close = ends.map_or(String::new(), |(&last, &first)| {
            let zero = self.y(0.0);
            format!("L{:.1} {zero:.1}L{:.1} {zero:.1}Z", Self::x(last), Self::x(first))
        });
        self.line(&curve.fractions, &curve.values) + &close
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(values: &[f64]) -> ReportCurve {
        let last = (values.len() - 1) as f64;
        ReportCurve {
            name: "Deletion".into(),
            axis: "pixels deleted".into(),
            fractions: (0..values.len()).map(|i| i as f64 / last).collect(),
            values: values.to_vec(),
            random: vec![],
        }
    }

    #[test]
    fn the_ends_of_the_curve_lie_at_the_ends_of_the_area() {
        let curve = curve(&[1.0, 0.5, 0.0]);
        let scale = Scale::new(&curve);
        assert_eq!(scale.line(&curve.fractions, &curve.values), "M38.0 8.0L156.0 50.0L274.0 92.0");
        assert_eq!(scale.area(&curve), "M38.0 8.0L156.0 50.0L274.0 92.0L274.0 92.0L38.0 92.0Z");
    }

    #[test]
    fn zero_is_always_on_the_chart_and_nothing_leaves_it() {
        for values in [&[3.0, 2.0][..], &[-3.0, -2.0], &[-1.0, 5.0], &[0.0, 0.0], &[-f64::MAX, f64::MAX]] {
            let scale = Scale::new(&curve(values));
            for &value in values.iter().chain(&[0.0]) {
                assert!((AREA[1]..=AREA[3]).contains(&scale.y(value)), "{value} of {values:?}");
            }
        }
    }
}

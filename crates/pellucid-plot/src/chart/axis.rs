//! Axis: numbers → places, with round numbers as ticks.

use crate::chart::{Align, Canvas, Paint, Stroke, TICK};
use crate::number::Digits;

/// A straight line from numbers to places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) start: f64,
    pub(crate) end: f64,
}

impl Scale {
    /// From all of `values` to `start..end`; never empty, however equal the values.
    pub(crate) fn over(values: impl IntoIterator<Item = f64>, (start, end): (f64, f64)) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values {
            low = low.min(value);
            high = high.max(value);
        }
        if low > high {
            (low, high) = (0.0, 0.0);
        }
        let size = low.abs().max(high.abs());
        // Closer together than the numbers' own rounding, or equal.
        if high - low <= 1e-9 * size || high - low < f64::MIN_POSITIVE * 1e16 {
            let half = if size > f64::MIN_POSITIVE * 1e16 { 0.1 * size } else { 1.0 };
            (low, high) = (low - half, high + half);
        }
        Self { low, high, start, end }
    }

    /// With `share` of the span added at either end.
    pub(crate) fn widened(self, share: f64) -> Self {
        let more = share * (self.high - self.low);
        Self { low: self.low - more, high: self.high + more, ..self }
    }

    pub(crate) fn place(&self, value: f64) -> f64 {
        self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)
    }

    pub(crate) fn span(&self) -> f64 {
        self.high - self.low
    }

    /// How to write numbers on this scale, to the third digit of its span.
    pub(crate) fn digits(&self) -> Digits {
        Digits::of_span(self.span(), self.low.abs().max(self.high.abs()))
    }

    /// Multiples of 1, 2 or 5 times a power of ten, at most `max_count` of them.
    pub(crate) fn ticks(&self, max_count: usize) -> (Vec<f64>, f64) {
        let mut step = 10_f64.powi((self.span() / max_count.max(1) as f64).log10().floor() as i32 - 1);
        for factor in [2.0, 2.5, 2.0].into_iter().cycle().take(12) {
            let (first, last) = ((self.low / step).ceil(), (self.high / step).floor());
            if last - first + 1.0 <= max_count as f64 {
                let count = (last - first + 1.0).max(0.0) as usize;
                // Zero must not come out as a tiny difference.
                return ((0..count).map(|index| (first + index as f64) * step + 0.0).collect(), step);
            }
            step *= factor;
        }
        (Vec::new(), step)
    }
}

/// A horizontal scale with its ticks.
pub(crate) struct Axis {
    pub(crate) scale: Scale,
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// As many ticks as their numbers have room for.
    pub(crate) fn horizontal(scale: Scale, canvas: &Canvas) -> Self {
        for max_count in (2..=7).rev() {
            let ticks = labeled(scale, max_count);
            let widths: Vec<f64> = ticks.iter().map(|(_, label)| canvas.width(label, TICK)).collect();
            let apart = |index: usize| {
                let between = scale.place(ticks[index + 1].0) - scale.place(ticks[index].0);
                between >= (widths[index] + widths[index + 1]) / 2.0 + 14.0
            };
            if (0..ticks.len().saturating_sub(1)).all(apart) {
                return Self { scale, ticks };
            }
        }
        Self { scale, ticks: labeled(scale, 1) }
    }

    /// Ticks about 45 units apart, closer on a short axis.
    pub(crate) fn vertical(scale: Scale) -> Self {
        let count = ((scale.end - scale.start).abs() / 45.0).clamp(3.0, 8.0) as usize;
        Self { scale, ticks: labeled(scale, count) }
    }

    /// Lines from `top` to `bottom` with their numbers below, which take 20 units.
    pub(crate) fn draw_below(&self, canvas: &mut Canvas, top: f64, bottom: f64) {
        for (value, label) in &self.ticks {
            let x = self.scale.place(*value);
            canvas.line((x, top), (x, bottom), Stroke::solid(Paint::Grid, 1.0));
            canvas.text(label, TICK, Align::Middle, (x, bottom + 16.0));
        }
    }

    /// Lines from `left` to `right` with their numbers at the left.
    pub(crate) fn draw_left(&self, canvas: &mut Canvas, left: f64, right: f64) {
        for (value, label) in &self.ticks {
            let y = self.scale.place(*value);
            canvas.line((left, y), (right, y), Stroke::solid(Paint::Grid, 1.0));
            canvas.text(label, TICK, Align::Right, (left - 7.0, y + 4.0));
        }
    }
}

fn labeled(scale: Scale, max_count: usize) -> Vec<(f64, String)> {
    let (ticks, step) = scale.ticks(max_count);
    let digits = Digits::of_step(step, scale.low.abs().max(scale.high.abs()));
    ticks.into_iter().map(|tick| (tick, digits.write(tick))).collect()
}

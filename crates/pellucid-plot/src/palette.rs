//! Palettes: a number in `[−1, 1]` or `[0, 1]` → a color.

use colorous::{RED_BLUE, VIRIDIS};

/// An sRGB color, one byte a channel.
pub type Color = [u8; 3];

/// Which colors stand for which values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Palette {
    /// For signed values: blue below zero, red above, near-white at zero, equally strong at equal distance from zero.
    /// ColorBrewer's RdBu, which people with red-green blindness can read.
    Diverging,
    /// For values from zero up: viridis, dark to light at an even pace also for the color-blind and in gray.
    Sequential,
}

impl Palette {
    /// The color of `value`, which lies in `[−1, 1]` for a diverging palette and `[0, 1]` for a sequential one; values
    /// outside get the color of the nearest end.
    pub fn color(self, value: f64) -> Color {
        let color = match self {
            // The scheme runs from red to blue. Its outermost tenths are left out: single pixels of so dark a red and
            // so dark a blue look alike.
            Self::Diverging => RED_BLUE.eval_continuous(0.5 - 0.4 * value.clamp(-1.0, 1.0)),
            Self::Sequential => VIRIDIS.eval_continuous(value.clamp(0.0, 1.0)),
        };
        [color.r, color.g, color.b]
    }

    /// The share of the ground that the color of `value` covers at full opacity: nothing at 0, all at 1.
    ///
    /// `|v|` for the sequential palette, whose colors stand out by themselves; `√|v|` for the diverging one, whose
    /// middling colors are pale and would be lost when they are see-through too.
    pub fn coverage(self, value: f64) -> f64 {
        let size = value.abs().min(1.0);
        match self {
            Self::Diverging => size.sqrt(),
            Self::Sequential => size,
        }
    }

    /// The value that a palette starts at, in units of the limit.
    pub(crate) fn lowest(self) -> f64 {
        match self {
            Self::Diverging => -1.0,
            Self::Sequential => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of sRGB (WCAG 2).
    fn luminance(color: Color) -> f64 {
        let linear = color.map(|byte| {
            let c = f64::from(byte) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    #[test]
    fn zero_is_the_lightest_and_has_no_hue() {
        let neutral = Palette::Diverging.color(0.0);
        assert!(neutral.iter().all(|byte| *byte >= 235), "{neutral:?}");
        let (min, max) = (neutral.iter().min().unwrap(), neutral.iter().max().unwrap());
        assert!(max - min <= 5, "{neutral:?}");
    }

    #[test]
    fn opposite_values_are_equally_strong_and_differ_in_hue() {
        for step in 1..=20 {
            let value = f64::from(step) / 20.0;
            let (red, blue) = (Palette::Diverging.color(value), Palette::Diverging.color(-value));
            assert!(red[0] > red[2] && blue[2] > blue[0], "{value}: {red:?} {blue:?}");
            assert!((luminance(red) - luminance(blue)).abs() < 0.15, "{value}: {red:?} {blue:?}");
        }
    }

    #[test]
    fn both_arms_darken_and_the_sequential_palette_lightens_steadily() {
        for step in 0..20 {
            let (low, high) = (f64::from(step) / 20.0, f64::from(step + 1) / 20.0);
            for sign in [-1.0, 1.0] {
                let diverging = |value: f64| luminance(Palette::Diverging.color(sign * value));
                assert!(diverging(low) > diverging(high), "{sign} × {low}");
            }
            let sequential = |value| luminance(Palette::Sequential.color(value));
            assert!(sequential(low) < sequential(high), "{low}");
        }
    }

    #[test]
    fn coverage_rises_from_nothing_to_all() {
        for palette in [Palette::Diverging, Palette::Sequential] {
            assert_eq!(
                (palette.coverage(0.0), palette.coverage(1.0), palette.coverage(2.0)),
                (0.0, 1.0, 1.0)
            );
            for step in 0..20 {
                let value = f64::from(step) / 20.0;
                assert!(palette.coverage(value) < palette.coverage(value + 0.05), "{palette:?} at {value}");
                assert_eq!(palette.coverage(value), palette.coverage(-value));
            }
        }
    }

    #[test]
    fn values_outside_get_the_color_of_the_end() {
        assert_eq!(Palette::Diverging.color(-7.0), Palette::Diverging.color(-1.0));
        assert_eq!(Palette::Sequential.color(7.0), Palette::Sequential.color(1.0));
        assert_eq!(Palette::Sequential.color(-0.5), Palette::Sequential.color(0.0));
    }
}

//! Paint: what a color stands for, with the color itself on light and on dark ground.

use crate::{Color, Palette};

/// So many colors stand for feature values from low to high.
pub(crate) const VALUE_STEPS: u8 = 16;

/// The role of a color. Red is always up and blue down; feature values have a palette of their own, so that no color
/// means two things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Paint {
    /// The ground itself, to set a mark off from what lies under it.
    Ground,
    Ink,
    Quiet,
    Grid,
    /// Size without a sign.
    Accent,
    /// Size without a sign, of several things taken together.
    PaleAccent,
    /// Pushes the output up.
    Up,
    /// Pushes the output down.
    Down,
    /// Text on `Up`, `Down` and `Accent`.
    OnColor,
    /// Neither up nor down.
    Neutral,
    /// No feature value, or one without an order.
    Missing,
    /// A feature value, 0 for low to `VALUE_STEPS − 1` for high.
    Value(u8),
    /// A size without a sign, 0 for nothing to `VALUE_STEPS − 1` for the largest.
    Tint(u8),
    /// The same for sizes of another kind.
    GrayTint(u8),
    /// A group of rows, or a category.
    Group(u8),
    /// The same on any ground.
    Fixed(Color),
}

/// Okabe and Ito's colors for the color-blind, those least like `Up` and `Down` first, yellow darkened.
const GROUPS: [Color; 8] = [
    [0x00, 0x9e, 0x73],
    [0xe6, 0x9f, 0x00],
    [0x8c, 0x52, 0xa3],
    [0x56, 0xb4, 0xe9],
    [0x5f, 0x5f, 0x5f],
    [0xcc, 0x79, 0xa7],
    [0xb8, 0xa9, 0x1e],
    [0xd5, 0x5e, 0x00],
];

/// So many groups can be told apart by color.
pub(crate) const MAX_GROUPS: usize = GROUPS.len();

impl Paint {
    /// The paint of a feature value at `share` of the way from low to high.
    pub(crate) fn value(share: f64) -> Self {
        Self::Value(step(share))
    }

    /// The tint of a size at `share` of the largest.
    pub(crate) fn tint(share: f64) -> Self {
        Self::Tint(step(share))
    }

    pub(crate) fn gray_tint(share: f64) -> Self {
        Self::GrayTint(step(share))
    }

    /// Whether text on it must be `OnColor`.
    pub(crate) fn is_strong(self) -> bool {
        matches!(self, Self::Tint(step) | Self::GrayTint(step) if step >= STRONG_STEP)
    }

    pub(crate) fn of_sign(value: f64) -> Self {
        match value {
            v if v > 0.0 => Self::Up,
            v if v < 0.0 => Self::Down,
            _ => Self::Neutral,
        }
    }

    pub(crate) fn on_light(self) -> Color {
        match self {
            Self::Ground | Self::OnColor => [0xff; 3],
            Self::Ink => [0x1b, 0x1f, 0x27],
            Self::Quiet => [0x5a, 0x62, 0x70],
            Self::Grid => [0xe2, 0xe4, 0xe8],
            Self::Accent => [0x3d, 0x5a, 0x80],
            Self::PaleAccent => [0xa3, 0xb1, 0xc4],
            Self::Up => Palette::Diverging.color(1.0),
            Self::Down => Palette::Diverging.color(-1.0),
            Self::Neutral => [0x7d, 0x84, 0x8f],
            Self::Missing => [0xa9, 0xae, 0xb6],
            // The lightest colors of the palette are lost on white.
            Self::Value(step) => Palette::Sequential.color(0.88 * value_share(step)),
            Self::Tint(step) => blend(Self::Ground.on_light(), Self::Accent.on_light(), value_share(step)),
            Self::GrayTint(step) => blend(Self::Ground.on_light(), GRAY_ON_LIGHT, value_share(step)),
            Self::Group(index) => GROUPS[usize::from(index) % MAX_GROUPS],
            Self::Fixed(color) => color,
        }
    }

    pub(crate) fn on_dark(self) -> Color {
        match self {
            Self::Ground => [0x1c, 0x1f, 0x25],
            Self::OnColor => [0x14, 0x16, 0x1a],
            Self::Ink => [0xe8, 0xea, 0xee],
            Self::Quiet => [0xa3, 0xab, 0xb8],
            Self::Grid => [0x34, 0x39, 0x43],
            Self::Accent => [0x8f, 0xb0, 0xdb],
            Self::PaleAccent => [0x54, 0x66, 0x80],
            Self::Up => Palette::Diverging.color(0.6),
            Self::Down => Palette::Diverging.color(-0.6),
            Self::Neutral => [0x7d, 0x84, 0x90],
            Self::Missing => [0x6f, 0x76, 0x81],
            // The darkest colors of the palette are lost on black.
            Self::Value(step) => Palette::Sequential.color(0.25 + 0.75 * value_share(step)),
            Self::Tint(step) => blend(Self::Ground.on_dark(), Self::Accent.on_dark(), value_share(step)),
            Self::GrayTint(step) => blend(Self::Ground.on_dark(), GRAY_ON_DARK, value_share(step)),
            Self::Group(4) => [0xc9, 0xcd, 0xd4],
            Self::Group(_) | Self::Fixed(_) => self.on_light(),
        }
    }

    /// The name of the color on a page, whose ground is light or dark as the reader likes; `None` for a fixed color.
    pub(crate) fn variable(self) -> Option<String> {
        Some(match self {
            Self::Value(step) => format!("--chart-value-{step}"),
            Self::Tint(step) => format!("--chart-tint-{step}"),
            Self::GrayTint(step) => format!("--chart-gray-tint-{step}"),
            Self::Group(index) => format!("--chart-group-{index}"),
            Self::Fixed(_) => return None,
            plain => format!("--chart-{}", format!("{plain:?}").to_lowercase()),
        })
    }

    /// All that have a variable.
    pub(crate) fn themed() -> Vec<Self> {
        let plain = [
            Self::Ground,
            Self::Ink,
            Self::Quiet,
            Self::Grid,
            Self::Accent,
            Self::PaleAccent,
            Self::Up,
            Self::Down,
            Self::OnColor,
            Self::Neutral,
            Self::Missing,
        ];
        let values =
            (0..VALUE_STEPS).flat_map(|step| [Self::Value(step), Self::Tint(step), Self::GrayTint(step)]);
        let groups = (0..MAX_GROUPS as u8).map(Self::Group);
        plain.into_iter().chain(values).chain(groups).collect()
    }
}

/// From here on, tints are nearer to their strongest than to the ground in what the eye sees.
const STRONG_STEP: u8 = 11;

const GRAY_ON_LIGHT: Color = [0x4f, 0x54, 0x5d];
const GRAY_ON_DARK: Color = [0xb4, 0xb9, 0xc2];

fn step(share: f64) -> u8 {
    ((share.clamp(0.0, 1.0) * f64::from(VALUE_STEPS)).floor() as u8).min(VALUE_STEPS - 1)
}

fn blend(from: Color, to: Color, share: f64) -> Color {
    std::array::from_fn(|channel| {
        (f64::from(from[channel]) * (1.0 - share) + f64::from(to[channel]) * share).round() as u8
    })
}

fn value_share(step: u8) -> f64 {
    f64::from(step) / f64::from(VALUE_STEPS - 1)
}

pub(crate) fn hex([r, g, b]: Color) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

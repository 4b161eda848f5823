//! Color bar: which color stands for which number.

use maud::{Markup, html};

use crate::font::Font;
use crate::heatmap::Heatmap;
use crate::number::short_number;
use crate::svg::text;

/// Colors of a bar from its left end to its right, enough for a smooth gradient.
const N_STOPS: usize = 33;

/// A color of the bar: how far to the right, which color, how much it covers.
pub(crate) struct Stop {
    pub(crate) place: f64,
    pub(crate) color: String,
    pub(crate) alpha: f64,
}

/// The colors as the heatmap lays them on, see-through toward zero.
pub(crate) fn stops(heatmap: &Heatmap) -> Vec<Stop> {
    let options = &heatmap.options;
    let lowest = options.palette.lowest();
    (0..N_STOPS)
        .map(|index| {
            let place = index as f64 / (N_STOPS - 1) as f64;
            let value = lowest + place * (1.0 - lowest);
            let [r, g, b] = options.palette.color(value);
            Stop {
                place,
                color: format!("#{r:02x}{g:02x}{b:02x}"),
                alpha: options.opacity * options.palette.coverage(value),
            }
        })
        .collect()
}

/// The numbers under the bar with their places: both ends, and zero where it lies between them.
///
/// An end beyond which values were clipped says so with ≤ or ≥.
pub(crate) fn ticks(heatmap: &Heatmap) -> Vec<(f64, String)> {
    let limit = heatmap.limit;
    if limit == 0.0 {
        return vec![(0.5, "0 everywhere".to_owned())];
    }
    let clipped = heatmap.largest > limit;
    let high = format!("{}{}", if clipped { "≥ " } else { "" }, short_number(limit));
    if heatmap.options.palette.lowest() == 0.0 {
        return vec![(0.0, "0".to_owned()), (1.0, high)];
    }
    let low = format!("{}{}", if clipped { "≤ " } else { "" }, short_number(-limit));
    vec![(0.0, low), (0.5, "0".to_owned()), (1.0, high)]
}

/// Where a bar lies in a drawing.
pub(crate) struct Place {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) thickness: f64,
    /// Size of the numbers under it.
    pub(crate) text_size: f64,
}

/// The bar with its numbers below it, `thickness + 1.5 × text_size` high.
pub(crate) fn color_bar(heatmap: &Heatmap, place: &Place, font: &Font, ink: &str) -> Markup {
    let baseline = place.y + place.thickness + 1.25 * place.text_size;
    html! {
        linearGradient id="colors" {
            @for stop in stops(heatmap) {
                stop offset=(stop.place) stop-color=(stop.color) stop-opacity=(stop.alpha) {}
            }
        }
        rect x=(place.x) y=(place.y) width=(place.width) height=(place.thickness) fill="url(#colors)"
            stroke="#c4c8d0" {}
        @for (at, label) in ticks(heatmap) {
            @let room = place.width - font.width(&label, place.text_size);
            @let left = (at * place.width - font.width(&label, place.text_size) / 2.0).clamp(0.0, room.max(0.0));
            (text(font, &label, place.text_size, (place.x + left, baseline), ink))
        }
    }
}

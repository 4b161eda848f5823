//! Heatmaps and the images beside them, small enough to send.

use base64::prelude::{BASE64_STANDARD, Engine};
use pellucid_store::{Array, Payload};
use serde::Serialize;

use crate::index::{Kind, numbers, payload_array};

/// A heatmap has at most so many rows and columns.
const MAX_SIDE: usize = 64;
/// An image has at most so many rows and columns.
const MAX_IMAGE_SIDE: usize = 224;

/// A grid of attributions, and the image that it lies on.
#[derive(Debug, Serialize)]
pub(super) struct Picture {
    rows: usize,
    columns: usize,
    /// Row by row; each is the mean over the cells that it stands for, channels summed.
    values: Vec<f64>,
    /// How many rows and columns were taken together.
    reduced_by: usize,
    image: Option<Image>,
}

/// RGB pixels.
#[derive(Debug, Serialize)]
struct Image {
    rows: usize,
    columns: usize,
    /// Base64 of three bytes a pixel, row by row.
    rgb: String,
}

/// Numbers on a grid, a few to a place.
struct Planes {
    channels: usize,
    rows: usize,
    columns: usize,
    values: Vec<f64>,
    channels_last: bool,
}

impl Picture {
    pub(super) fn of(payload: &Payload, kind: Kind) -> Option<Self> {
        if !matches!(kind, Kind::Image | Kind::Other) {
            return None;
        }
        let axis = payload.details["channel_axis"].as_u64();
        let attribution = Planes::of(payload_array(&payload.attribution, "values")?, axis)?;
        let step = attribution.rows.max(attribution.columns).div_ceil(MAX_SIDE);
        let summed =
            |row, column| (0..attribution.channels).map(|channel| attribution.at(channel, row, column)).sum();
        let values = reduced(attribution.rows, attribution.columns, step, &summed);
        let image = payload.input.first().filter(|_| kind == Kind::Image);
        Some(Self {
            rows: attribution.rows.div_ceil(step),
            columns: attribution.columns.div_ceil(step),
            values,
            reduced_by: step,
            image: image.and_then(|array| Planes::of(array, axis)).and_then(|planes| Image::of(&planes)),
        })
    }
}

impl Planes {
    fn of(array: &Array, channel_axis: Option<u64>) -> Option<Self> {
        let mut shape: Vec<usize> =
            array.shape().iter().map(|&length| usize::try_from(length)).collect::<Result<_, _>>().ok()?;
        // A batch axis of one row.
        if shape.len() == 4 && shape[0] == 1 {
            shape.remove(0);
        }
        let values = numbers(Some(array));
        let channels_last = channel_axis == Some(2) || channel_axis == Some(3);
        let (channels, rows, columns) = match shape[..] {
            [rows, columns] => (1, rows, columns),
            [rows, columns, channels] if channels_last => (channels, rows, columns),
            [channels, rows, columns] => (channels, rows, columns),
            _ => return None,
        };
        let fits = channels * rows * columns == values.len() && !values.is_empty();
        fits.then_some(Self { channels, rows, columns, values, channels_last })
    }

    fn at(&self, channel: usize, row: usize, column: usize) -> f64 {
        let place = row * self.columns + column;
        match self.channels_last {
            true => self.values[place * self.channels + channel],
            false => self.values[channel * self.rows * self.columns + place],
        }
    }
}

impl Image {
    /// One channel is gray, three are red, green and blue; others are not drawn. Models' inputs are scaled in many ways, so
    /// the darkest number becomes black and the lightest white.
    fn of(planes: &Planes) -> Option<Self> {
        if !matches!(planes.channels, 1 | 3) {
            return None;
        }
        let finite = || planes.values.iter().copied().filter(|x| x.is_finite());
        let (low, high) =
            (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
        let byte = |x: f64| ((x - low) / (high - low).max(f64::MIN_POSITIVE) * 255.0).round() as u8;
        let step = planes.rows.max(planes.columns).div_ceil(MAX_IMAGE_SIDE);
        let channel = |channel| {
            let at = |row, column| planes.at(channel, row, column);
            reduced(planes.rows, planes.columns, step, &at)
        };
        let colors: Vec<Vec<f64>> = (0..3).map(|color| channel(color.min(planes.channels - 1))).collect();
        let pixels = (0..colors[0].len()).flat_map(|pixel| colors.iter().map(move |color| color[pixel]));
        let bytes: Vec<u8> = pixels.map(byte).collect();
        Some(Self {
            rows: planes.rows.div_ceil(step),
            columns: planes.columns.div_ceil(step),
            rgb: BASE64_STANDARD.encode(bytes),
        })
    }
}

/// Means over squares of `step` × `step` cells, smaller ones at the far edges.
fn reduced(rows: usize, columns: usize, step: usize, at: &dyn Fn(usize, usize) -> f64) -> Vec<f64> {
    let mut means = Vec::with_capacity(rows.div_ceil(step) * columns.div_ceil(step));
    for first_row in (0..rows).step_by(step) {
        for first_column in (0..columns).step_by(step) {
            let (last_row, last_column) = (rows.min(first_row + step), columns.min(first_column + step));
            let cells =
                (first_row..last_row).flat_map(|row| (first_column..last_column).map(move |it| (row, it)));
            let (mut sum, mut n) = (0.0, 0.0);
            for (row, column) in cells {
                sum += at(row, column);
                n += 1.0;
            }
            means.push(sum / n);
        }
    }
    means
}

#[cfg(test)]
mod tests {
    use pellucid_store::Values;

    use super::*;

    #[test]
    fn grids_are_reduced_by_means() {
        let at = |row: usize, column: usize| (row * 3 + column) as f64;
        assert_eq!(reduced(3, 3, 1, &at), (0..9).map(f64::from).collect::<Vec<_>>());
        // 0 1 | 2     (0+1+3+4)/4  (2+5)/2
        // 3 4 | 5  →
        // 6 7 | 8     (6+7)/2      8
        assert_eq!(reduced(3, 3, 2, &at), [2.0, 3.5, 6.5, 8.0]);
    }

    #[test]
    fn channels_lie_where_the_axis_says() {
        let array =
            Array::new("input", &[2, 1, 3], Values::F32(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])).expect("fits");
        let first = Planes::of(&array, Some(0)).expect("a grid");
        assert_eq!((first.channels, first.rows, first.columns), (2, 1, 3));
        assert_eq!(first.at(1, 0, 2), 6.0);
        let last = Planes::of(&array, Some(2)).expect("a grid");
        assert_eq!((last.channels, last.rows, last.columns), (3, 2, 1));
        assert_eq!(last.at(2, 0, 0), 3.0);
        let image = Image::of(&last).expect("three channels");
        assert_eq!(BASE64_STANDARD.decode(image.rgb).expect("base64"), [0, 51, 102, 153, 204, 255]);
    }
}

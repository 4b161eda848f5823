//! Heatmap: an attribution drawn over the picture it explains, pixel on pixel.

use ndarray::ArrayView2;

use crate::error::check_range;
use crate::{Color, Error, Palette, Picture, outlier_limit};

/// What a map is drawn on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// The picture as it is: for smooth maps, such as those of CAM methods.
    Picture,
    /// The picture in pale gray: for maps that speckle single pixels, which colors of the picture would drown.
    PaleGray,
}

/// How a map is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeatmapOptions {
    /// Diverging for signed maps, sequential for maps without negative values.
    pub palette: Palette,
    /// What lies under the colors.
    pub ground: Ground,
    /// Percent of the map's absolute mass beyond the palette's last color, in `[0, 100)`; see [`outlier_limit`].
    pub outlier_percent: f64,
    /// How much of the picture the strongest color covers, in `[0, 1]`.
    pub opacity: f64,
}

/// A map drawn over a picture, with what a color bar needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Heatmap {
    /// The colored picture, of the same size as the one it lies on.
    pub picture: Picture,
    /// The options it was drawn with.
    pub options: HeatmapOptions,
    /// The palette's last color stands for this absolute value and all beyond it; 0 for an all-zero map.
    pub limit: f64,
    /// The largest absolute value of the map, at or beyond `limit`.
    pub largest: f64,
}

/// Draws `map` `[height, width]` over `picture`.
///
/// With `v = clamp(value / limit, −1, 1)` and the limit of [`outlier_limit`], each pixel becomes
///
/// ```text
/// (1 − α) · ground + α · palette(v),   α = opacity · palette.coverage(v)
/// ```
///
/// so that a pixel with attribution 0 shows the ground as it was, and the picture stays visible where little was
/// attributed; see [`Palette::coverage`].
///
/// # Errors
/// [`Error::MapShape`] if the map does not lie on the pixels, [`Error::NotFinite`], [`Error::NegativeValue`] for a
/// sequential palette, [`Error::OptionRange`].
///
/// # Example: one pixel attributed
/// ```
/// use ndarray::arr2;
/// use pellucid_plot::{Ground, HeatmapOptions, Palette, Picture, overlay};
///
/// let gray = Picture::new(2, 1, vec![128; 6])?;
/// let palette = Palette::Diverging;
/// let options = HeatmapOptions { palette, ground: Ground::Picture, outlier_percent: 2.0, opacity: 1.0 };
/// let heatmap = overlay(&gray, arr2(&[[0.0, 3.5]]).view(), &options)?;
/// assert_eq!(heatmap.picture.pixels()[..3], [128, 128, 128]);
/// assert_eq!(heatmap.picture.pixels()[3..], palette.color(1.0));
/// assert_eq!(heatmap.limit, 3.5);
/// # Ok::<(), pellucid_plot::Error>(())
/// ```
pub fn overlay(
    picture: &Picture,
    map: ArrayView2<'_, f64>,
    options: &HeatmapOptions,
) -> Result<Heatmap, Error> {
    check(picture, map, options)?;
    let limit = outlier_limit(map, options.outlier_percent);
    let pixels = picture
        .pixels()
        .as_chunks::<3>()
        .0
        .iter()
        .zip(map.iter())
        .flat_map(|(&pixel, &value)| colored(pixel, relative(value, limit), options))
        .collect();
    Ok(Heatmap {
        picture: Picture::new(picture.width(), picture.height(), pixels)?,
        options: *options,
        limit,
        largest: map.iter().fold(0.0, |largest, value| value.abs().max(largest)),
    })
}

fn check(picture: &Picture, map: ArrayView2<'_, f64>, options: &HeatmapOptions) -> Result<(), Error> {
    // 100 is left out: with all mass an outlier, no range is left to draw.
    check_range(
        "outlier_percent",
        options.outlier_percent,
        0.0..=100.0_f64.next_down(),
        "0 or more, below 100",
    )?;
    check_range("opacity", options.opacity, 0.0..=1.0, "0 to 1")?;
    let expected = [picture.height() as usize, picture.width() as usize];
    if map.shape() != expected {
        return Err(Error::MapShape { expected, actual: [map.nrows(), map.ncols()] });
    }
    for ((row, column), &value) in map.indexed_iter() {
        if !value.is_finite() {
            return Err(Error::NotFinite { what: "the map", index: vec![row, column], value });
        }
        if value < 0.0 && options.palette == Palette::Sequential {
            return Err(Error::NegativeValue { row, column, value });
        }
    }
    Ok(())
}

/// `value` in units of `limit`, clipped; 0 on an all-zero map, whose limit is 0.
fn relative(value: f64, limit: f64) -> f64 {
    if limit == 0.0 { 0.0 } else { (value / limit).clamp(-1.0, 1.0) }
}

fn colored(pixel: Color, relative: f64, options: &HeatmapOptions) -> Color {
    let ground = match options.ground {
        Ground::Picture => pixel,
        Ground::PaleGray => pale_gray(pixel),
    };
    blend(ground, options.palette.color(relative), options.opacity * options.palette.coverage(relative))
}

/// How much of the picture's contrast is left in pale gray.
const PALE_CONTRAST: f64 = 0.35;

fn pale_gray(pixel: Color) -> Color {
    let [r, g, b] = pixel.map(f64::from);
    let luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    [(255.0 - PALE_CONTRAST * (255.0 - luma)).round() as u8; 3]
}

/// `(1 − α) · below + α · above`, rounded.
fn blend(below: Color, above: Color, alpha: f64) -> Color {
    std::array::from_fn(|channel| {
        let (below, above) = (f64::from(below[channel]), f64::from(above[channel]));
        ((1.0 - alpha) * below + alpha * above).round() as u8
    })
}

#[cfg(test)]
mod tests;

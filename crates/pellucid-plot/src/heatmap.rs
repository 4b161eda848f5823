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
mod tests {
    use super::*;
    use ndarray::{Array2, arr2};

    const DIVERGING: HeatmapOptions = HeatmapOptions {
        palette: Palette::Diverging,
        ground: Ground::Picture,
        outlier_percent: 0.0,
        opacity: 0.8,
    };
    const SEQUENTIAL: HeatmapOptions = HeatmapOptions { palette: Palette::Sequential, ..DIVERGING };

    /// Every pixel another color.
    fn picture(width: u32, height: u32) -> Picture {
        Picture::new(width, height, (0..3 * width * height).map(|i| (i * 37 % 256) as u8).collect()).unwrap()
    }

    #[test]
    fn pixels_without_attribution_stay_as_they_were() {
        let picture = picture(5, 4);
        let zeros = Array2::zeros((4, 5));
        for options in [DIVERGING, SEQUENTIAL] {
            let heatmap = overlay(&picture, zeros.view(), &options).unwrap();
            assert_eq!(heatmap.picture, picture);
            assert_eq!((heatmap.limit, heatmap.largest), (0.0, 0.0));
        }
        let mut one = zeros.clone();
        one[[3, 1]] = 2.0;
        let heatmap = overlay(&picture, one.view(), &SEQUENTIAL).unwrap();
        for (row, column) in (0..4).flat_map(|row| (0..5).map(move |column| (row, column))) {
            let same = heatmap.picture.pixel(row, column) == picture.pixel(row, column);
            assert_eq!(same, (row, column) != (3, 1), "at {row}, {column}");
        }
    }

    #[test]
    fn each_pixel_is_the_blend_of_the_formula() {
        let picture = picture(2, 2);
        let map = arr2(&[[0.0, 1.0], [-2.0, 4.0]]);
        let heatmap = overlay(&picture, map.view(), &DIVERGING).unwrap();
        assert_eq!(heatmap.limit, 4.0);
        for ((row, column), value) in map.indexed_iter() {
            let v: f64 = value / 4.0;
            let alpha = 0.8 * v.abs().sqrt();
            let above = Palette::Diverging.color(v);
            for (channel, above) in above.into_iter().enumerate() {
                let below = f64::from(picture.pixel(row, column)[channel]);
                let expected = (1.0 - alpha) * below + alpha * f64::from(above);
                let actual = f64::from(heatmap.picture.pixel(row, column)[channel]);
                assert!((actual - expected).abs() <= 0.5, "at {row}, {column}: {actual} for {expected}");
            }
        }
    }

    #[test]
    fn values_beyond_the_limit_look_like_the_limit() {
        let mut map = Array2::from_elem((10, 10), 1.0);
        map[[0, 0]] = 2.0;
        let gray = Picture::new(10, 10, vec![100; 300]).unwrap();
        let heatmap =
            overlay(&gray, map.view(), &HeatmapOptions { outlier_percent: 2.0, ..SEQUENTIAL }).unwrap();
        assert_eq!((heatmap.limit, heatmap.largest), (1.0, 2.0));
        assert_eq!(heatmap.picture.pixel(0, 0), heatmap.picture.pixel(9, 9));
    }

    #[test]
    fn scale_does_not_matter() {
        let map = arr2(&[[0.5, -0.25], [0.125, 1.0]]);
        let draw = |factor: f64| overlay(&picture(2, 2), (&map * factor).view(), &DIVERGING).unwrap().picture;
        assert_eq!(draw(1.0), draw(1e-290));
        assert_eq!(draw(1.0), draw(1e290));
    }

    #[test]
    fn opacity_zero_shows_the_ground_alone() {
        let picture = picture(3, 1);
        let map = arr2(&[[1.0, 2.0, 3.0]]);
        let heatmap = overlay(&picture, map.view(), &HeatmapOptions { opacity: 0.0, ..SEQUENTIAL }).unwrap();
        assert_eq!(heatmap.picture, picture);
        let pale = HeatmapOptions { opacity: 0.0, ground: Ground::PaleGray, ..SEQUENTIAL };
        let heatmap = overlay(&picture, map.view(), &pale).unwrap();
        for pixel in heatmap.picture.pixels().as_chunks::<3>().0 {
            assert!(pixel[0] == pixel[1] && pixel[1] == pixel[2] && pixel[0] >= 165, "{pixel:?}");
        }
    }

    #[test]
    fn bad_maps_and_options_are_refused_with_their_place() {
        let picture = picture(2, 1);
        let draw = |map: Array2<f64>, options: &HeatmapOptions| overlay(&picture, map.view(), options);
        let nan = draw(arr2(&[[0.0, f64::NAN]]), &DIVERGING).unwrap_err();
        assert_eq!(nan.to_string(), "the map holds NaN at index [0, 1]; only finite numbers can be drawn");
        assert!(matches!(draw(arr2(&[[f64::INFINITY, 0.0]]), &DIVERGING), Err(Error::NotFinite { .. })));
        assert_eq!(
            draw(arr2(&[[1.0, -2.0]]), &SEQUENTIAL),
            Err(Error::NegativeValue { row: 0, column: 1, value: -2.0 })
        );
        assert_eq!(
            draw(arr2(&[[1.0], [2.0]]), &DIVERGING),
            Err(Error::MapShape { expected: [1, 2], actual: [2, 1] })
        );
        for (outlier_percent, opacity) in
            [(100.0, 0.5), (-1.0, 0.5), (f64::NAN, 0.5), (2.0, 1.5), (2.0, f64::NAN)]
        {
            let options = HeatmapOptions { outlier_percent, opacity, ..DIVERGING };
            assert!(matches!(draw(arr2(&[[1.0, 2.0]]), &options), Err(Error::OptionRange { .. })));
        }
    }
}

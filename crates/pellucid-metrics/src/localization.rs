#![doc = include_str!("localization.md")]

use ndarray::{Array2, ArrayView2, ArrayViewD, Axis, Ix2};
use pellucid_core::Attribution;

use crate::error::Error;
use crate::explained::{check_finite, misfit};

/// Where the object is: for each pixel the share of it that lies inside, `[height, width]`, 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Region(Array2<f64>);

impl Region {
    /// A box of pixel edges `[x0, y0, x1, y1]` in an image of `height` × `width`: pixel `(y, x)` covers `[x, x + 1]` by
    /// `[y, y + 1]`, and a pixel cut by the box counts by its share inside. What reaches beyond the image is cut off.
    ///
    /// # Errors
    /// A box without area in the image, or with edges that are not finite.
    pub fn from_box(height: usize, width: usize, [x0, y0, x1, y1]: [f64; 4]) -> Result<Self, Error> {
        let overlap = |pixel: usize, low: f64, high: f64| -> f64 {
            (high.min(pixel as f64 + 1.0) - low.max(pixel as f64)).max(0.0)
        };
        let share = |(y, x)| overlap(x, x0, x1) * overlap(y, y0, y1);
        let finite = [x0, y0, x1, y1].iter().all(|edge| edge.is_finite());
        let region = Array2::from_shape_fn((height, width), share);
        if !finite || region.sum() == 0.0 {
            let reason =
                format!("[{x0}, {y0}, {x1}, {y1}] has no area in an image of {height} × {width} pixels");
            return Err(Error::Setting { option: "box", reason });
        }
        Ok(Self(region))
    }

    /// The pixels that are true, `[height, width]`.
    ///
    /// # Errors
    /// No pixel is true.
    pub fn from_pixels(inside: ArrayView2<'_, bool>) -> Result<Self, Error> {
        if !inside.iter().any(|&inside| inside) {
            return Err(Error::Setting { option: "region", reason: "no pixel lies inside".to_owned() });
        }
        Ok(Self(inside.mapv(|inside| f64::from(u8::from(inside)))))
    }

    /// The share of the image that lies inside: what a map without any idea of the object would have inside.
    pub fn area(&self) -> f64 {
        self.0.sum() / self.0.len() as f64
    }

    /// Whether at least half of some pixel within `tolerance` pixels of `(y, x)` lies inside.
    fn is_near(&self, (y, x): (usize, usize), tolerance: f64) -> bool {
        let distance = |row: usize, column: usize| (row.abs_diff(y) as f64).hypot(column.abs_diff(x) as f64);
        self.0
            .indexed_iter()
            .any(|((row, column), &share)| share >= 0.5 && distance(row, column) <= tolerance)
    }
}

/// Settings of the localization.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Options {
    /// The axis of a row's attribution that holds channels, which are summed; `None` where it has none.
    pub channel_axis: Option<usize>,
    /// How many pixels beside the region the peak may lie. The pointing game's paper takes 15 on photos of some 500
    /// pixels; 0 is strict.
    pub tolerance: f64,
}

/// How much of one attribution lies inside the region.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Localization {
    /// The share of the positive values inside; `None` where no value is positive.
    pub mass_inside: Option<f64>,
    /// The share of the image inside, to compare with.
    pub area: f64,
    /// Pointing game: whether the highest pixel lies inside (of equal ones the first in row-major order); `None` where
    /// no value is positive.
    pub peak_inside: Option<bool>,
}

/// Where the positive values of each attribution lie, `[rows, K]`; `regions` holds one region a row.
///
/// # Errors
/// Attributions that are no images of the regions' sizes, values that are not finite.
pub fn localization(
    attribution: &Attribution,
    regions: &[Region],
    options: &Options,
) -> Result<Array2<Localization>, Error> {
    check_finite("attribution", attribution.values.view())?;
    let shape = attribution.values.shape();
    let [n_rows, n_targets, ..] = *shape else {
        let expected = "[rows, targets, features…]".to_owned();
        return Err(Error::Shape { what: "attribution", expected, actual: shape.to_vec() });
    };
    if regions.len() != n_rows {
        return Err(misfit("list of regions", &[n_rows], &[regions.len()]));
    }
    if options.tolerance.is_nan() || options.tolerance < 0.0 {
        let reason = format!("is {}, must be 0 or more pixels", options.tolerance);
        return Err(Error::Setting { option: "tolerance", reason });
    }
    let mut scores = Vec::with_capacity(n_rows * n_targets);
    for (row, region) in regions.iter().enumerate() {
        for target in 0..n_targets {
            let values = attribution.values.index_axis(Axis(0), row);
            let map = map_of(values.index_axis(Axis(0), target), options.channel_axis, region)?;
            scores.push(in_region(&map, region, options.tolerance));
        }
    }
    Array2::from_shape_vec((n_rows, n_targets), scores).map_err(|_| misfit("attribution", &[n_rows], &[]))
}

/// The attribution of one row and target as `[height, width]`.
fn map_of(
    values: ArrayViewD<'_, f64>,
    channel_axis: Option<usize>,
    region: &Region,
) -> Result<Array2<f64>, Error> {
    let summed = match channel_axis {
        Some(axis) if values.ndim() == 3 && axis < 3 => values.sum_axis(Axis(axis)),
        _ => values.to_owned(),
    };
    match summed.into_dimensionality::<Ix2>() {
        Ok(map) if map.dim() == region.0.dim() => Ok(map),
        _ => Err(Error::Shape {
            what: "attribution of one row",
            expected: format!(
                "{:?}, with a channel axis that the options name or without one",
                region.0.shape()
            ),
            actual: values.shape().to_vec(),
        }),
    }
}

fn in_region(map: &Array2<f64>, region: &Region, tolerance: f64) -> Localization {
    let positive = map.mapv(|value| value.max(0.0));
    let total = positive.sum();
    let mass_inside = (total > 0.0).then(|| (&positive * &region.0).sum() / total);
    let peak =
        map.indexed_iter().fold(None, |peak: Option<((usize, usize), f64)>, (at, &value)| match peak {
            Some((_, highest)) if highest >= value => peak,
            _ => Some((at, value)),
        });
    let peak_inside = peak.filter(|(_, value)| *value > 0.0).map(|(at, _)| region.is_near(at, tolerance));
    Localization { mass_inside, area: region.area(), peak_inside }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;
    use crate::testing::attribution;

    fn score(map: &[f64], region: &Region, options: &Options) -> Localization {
        let attribution = attribution(&[1, 1, 3, 4], map);
        localization(&attribution, std::slice::from_ref(region), options).expect("all fits")[[0, 0]]
    }

    fn box_of(edges: [f64; 4]) -> Region {
        Region::from_box(3, 4, edges).expect("a box in the image")
    }

    #[test]
    fn an_even_map_has_the_area_inside() {
        for edges in
            [[0.0, 0.0, 4.0, 3.0], [1.0, 0.0, 2.0, 3.0], [0.25, 0.5, 3.1, 2.9], [-5.0, 1.0, 9.0, 2.0]]
        {
            let score = score(&[2.0; 12], &box_of(edges), &Options::default());
            assert!((score.mass_inside.expect("a positive map") - score.area).abs() < 1e-12);
        }
        assert_eq!(box_of([0.0, 0.0, 4.0, 3.0]).area(), 1.0);
        assert!((box_of([0.25, 0.5, 3.1, 2.9]).area() - 2.85 * 2.4 / 12.0).abs() < 1e-12);
        assert_eq!(box_of([-5.0, 1.0, 9.0, 2.0]).area(), 1.0 / 3.0);
    }

    #[test]
    fn only_positive_mass_counts() {
        let map = [1.0, 0.0, 0.0, 0.0, 0.0, -8.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0];
        let score = score(&map, &box_of([0.0, 0.0, 2.0, 2.0]), &Options::default());
        assert_eq!((score.mass_inside, score.peak_inside), (Some(0.25), Some(false)));
    }

    #[test]
    fn the_first_of_equal_peaks_counts() {
        let map = [0.0, 0.0, 5.0, 0.0, 0.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let options = Options::default();
        assert_eq!(score(&map, &box_of([2.0, 0.0, 3.0, 1.0]), &options).peak_inside, Some(true));
        assert_eq!(score(&map, &box_of([1.0, 1.0, 2.0, 2.0]), &options).peak_inside, Some(false));
    }

    #[test]
    fn a_tolerance_lets_the_peak_lie_beside_the_region() {
        let map = [9.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let region = box_of([1.0, 1.0, 4.0, 3.0]);
        let peak_inside =
            |tolerance| score(&map, &region, &Options { tolerance, channel_axis: None }).peak_inside;
        assert_eq!(peak_inside(1.4), Some(false));
        assert_eq!(peak_inside(1.5), Some(true));
    }

    #[test]
    fn a_map_without_positive_values_has_neither_mass_nor_peak() {
        for map in [[0.0; 12], [-1.0; 12]] {
            let score = score(&map, &box_of([0.0, 0.0, 1.0, 1.0]), &Options::default());
            assert_eq!((score.mass_inside, score.peak_inside), (None, None));
        }
    }

    #[test]
    fn channels_are_summed_before_signs_are_looked_at() {
        // Channels first, `[2, 1, 2]`: pixels 1 − 3 and 4 + 0.
        let channels_first = attribution(&[1, 1, 2, 1, 2], &[1.0, 4.0, -3.0, 0.0]);
        let channels_last = attribution(&[1, 1, 1, 2, 2], &[1.0, -3.0, 4.0, 0.0]);
        let left = Region::from_pixels(array![[true, false]].view()).expect("a pixel");
        for (attribution, axis) in [(channels_first, 0), (channels_last, 2)] {
            let options = Options { channel_axis: Some(axis), ..Options::default() };
            let score = localization(&attribution, std::slice::from_ref(&left), &options).expect("all fits");
            assert_eq!(score[[0, 0]].mass_inside, Some(0.0));
            assert_eq!(score[[0, 0]].area, 0.5);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let check = |attribution, regions: &[Region], options, part: &str| {
            let error = localization(&attribution, regions, &options).expect_err(part);
            assert!(error.to_string().contains(part), "{error}");
        };
        let region = box_of([0.0, 0.0, 1.0, 1.0]);
        let one = std::slice::from_ref(&region);
        let map = || attribution(&[1, 1, 3, 4], &[1.0; 12]);
        let strict = Options::default();
        check(attribution(&[1, 1, 4, 3], &[1.0; 12]), one, strict, "expected [3, 4]");
        check(attribution(&[1, 1, 1, 3, 4], &[1.0; 12]), one, strict, "has shape [1, 3, 4]");
        check(attribution(&[1, 1, 3, 4], &[f64::NAN; 12]), one, strict, "NaN at [0, 0, 0, 0]");
        check(
            attribution(&[2, 1, 3, 4], &[1.0; 24]),
            one,
            strict,
            "list of regions has shape [1], expected [2]",
        );
        check(map(), one, Options { tolerance: -1.0, ..strict }, "`tolerance`");
        check(map(), one, Options { tolerance: f64::NAN, ..strict }, "`tolerance`");
    }

    #[test]
    fn a_region_must_have_an_area() {
        for edges in
            [[5.0, 0.0, 6.0, 1.0], [1.0, 1.0, 1.0, 2.0], [2.0, 0.0, 1.0, 3.0], [0.0, 0.0, f64::NAN, 1.0]]
        {
            assert!(Region::from_box(3, 4, edges).is_err(), "{edges:?}");
        }
        assert!(Region::from_pixels(Array2::from_elem((2, 2), false).view()).is_err());
    }
}

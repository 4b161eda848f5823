//! Quickshift: every pixel climbs to the nearest pixel around which there are more like it.

use std::ops::Range;

use ndarray::{Array2, Array3, ArrayView3};
use rayon::prelude::*;

use super::lab::lab_from_rgb;
use super::{check_image, renumbered};
use crate::error::Error;

/// Settings of [`quickshift`]; the default is lime's.
#[derive(Clone, Debug, PartialEq)]
pub struct Quickshift {
    /// The deviation of the Gaussian that counts neighbors, in pixels; larger ones make fewer segments.
    pub kernel_size: f64,
    /// Longer climbs end; larger ones make fewer segments.
    pub max_distance: f64,
    /// What color weighs against place.
    pub ratio: f64,
}

impl Default for Quickshift {
    fn default() -> Self {
        Self { kernel_size: 4.0, max_distance: 200.0, ratio: 0.2 }
    }
}

/// Segments of an sRGB image `[height, width, 3]` of values 0 … 1, numbered from 0: `[height, width]` (Vedaldi & Soatto 2008).
///
/// Densities that are equal are told apart by place, the earlier pixel the denser, where scikit-image adds noise.
///
/// # Errors
/// An image that is none, or not of three channels; settings that are no sizes.
pub fn quickshift(image: ArrayView3<'_, f64>, options: &Quickshift) -> Result<Array2<usize>, Error> {
    check_image(image)?;
    let (height, width, n_channels) = image.dim();
    if n_channels != 3 {
        return Err(Error::shape("image", "[height, width, 3], red, green and blue", image.shape()));
    }
    if !(options.kernel_size.is_finite() && options.kernel_size >= 1.0) {
        return Err(Error::setting("kernel_size", "must be 1 or more"));
    }
    if !(options.max_distance >= 0.0 && options.ratio.is_finite() && options.ratio >= 0.0) {
        return Err(Error::setting("max_distance, ratio", "must be 0 or more"));
    }
    let space = Space {
        pixels: lab_from_rgb(image) * options.ratio,
        reach: (3.0 * options.kernel_size).ceil() as usize,
    };
    let n_pixels = height * width;
    let scale = -0.5 / (options.kernel_size * options.kernel_size);
    let density =
        |pixel| space.neighbors(pixel).map(|other| (space.distance(pixel, other) * scale).exp()).sum();
    let densities: Vec<f64> = (0..n_pixels).into_par_iter().map(density).collect();
    let parent = |pixel| space.parent(pixel, &densities, options.max_distance);
    let mut parents: Vec<usize> = (0..n_pixels).into_par_iter().map(parent).collect();
    // A parent is denser, or as dense and earlier, so that every climb ends.
    loop {
        let grandparents: Vec<usize> = parents.iter().map(|&parent| parents[parent]).collect();
        if grandparents == parents {
            break;
        }
        parents = grandparents;
    }
    Ok(renumbered(&Array2::from_shape_fn((height, width), |(y, x)| parents[y * width + x])))
}

/// Color and place of each pixel.
struct Space {
    pixels: Array3<f64>,
    /// How far neighbors lie, in pixels along each axis.
    reach: usize,
}

impl Space {
    fn neighbors(&self, pixel: usize) -> impl Iterator<Item = usize> + use<'_> {
        let (height, width, _) = self.pixels.dim();
        let around = |place: usize, length: usize| -> Range<usize> {
            place.saturating_sub(self.reach)..(place + self.reach + 1).min(length)
        };
        let columns = around(pixel % width, width);
        around(pixel / width, height).flat_map(move |y| columns.clone().map(move |x| y * width + x))
    }

    /// The squared distance of two pixels.
    fn distance(&self, a: usize, b: usize) -> f64 {
        let width = self.pixels.dim().1;
        let ((ay, ax), (by, bx)) = ((a / width, a % width), (b / width, b % width));
        let color: f64 = (0..3).map(|c| (self.pixels[[ay, ax, c]] - self.pixels[[by, bx, c]]).powi(2)).sum();
        color + (ay as f64 - by as f64).powi(2) + (ax as f64 - bx as f64).powi(2)
    }

    /// The nearest denser neighbor; the pixel itself if there is none within the distance.
    fn parent(&self, pixel: usize, densities: &[f64], max_distance: f64) -> usize {
        let denser = |&other: &usize| {
            densities[other] > densities[pixel] || densities[other] == densities[pixel] && other < pixel
        };
        let distances =
            self.neighbors(pixel).filter(denser).map(|other| (self.distance(pixel, other), other));
        let nearest =
            distances.fold((f64::INFINITY, pixel), |best, next| if next.0 < best.0 { next } else { best });
        if nearest.0.sqrt() <= max_distance { nearest.1 } else { pixel }
    }
}

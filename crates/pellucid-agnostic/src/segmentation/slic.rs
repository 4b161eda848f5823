//! SLIC: k-means over color and place, from seeds on a grid.

use ndarray::{Array2, Array3, ArrayView3, Axis};

use super::lab::lab_from_rgb;
use super::{check_image, renumbered};
use crate::error::Error;

/// Settings of [`slic`]; the default is scikit-image's.
#[derive(Clone, Debug, PartialEq)]
pub struct Slic {
    /// About how many segments.
    pub n_segments: usize,
    /// What place weighs against color; larger ones make squarer segments.
    pub compactness: f64,
    /// Rounds of k-means.
    pub n_rounds: usize,
    /// Smaller parts than this share of a segment's mean size go to a neighbor.
    pub min_size: f64,
    /// Larger parts than this multiple of it are cut.
    pub max_size: f64,
}

impl Default for Slic {
    fn default() -> Self {
        Self { n_segments: 100, compactness: 10.0, n_rounds: 10, min_size: 0.5, max_size: 3.0 }
    }
}

impl Slic {
    fn check(&self) -> Result<(), Error> {
        if self.n_segments == 0 || self.n_rounds == 0 {
            return Err(Error::setting("n_segments, n_rounds", "must be 1 or more"));
        }
        let positive = |x: f64| x.is_finite() && x > 0.0;
        match positive(self.compactness)
            && positive(self.max_size)
            && (0.0..=self.max_size).contains(&self.min_size)
        {
            true => Ok(()),
            false => Err(Error::setting(
                "compactness, min_size, max_size",
                "must be numbers above 0, min_size at most max_size",
            )),
        }
    }
}

/// Connected segments of an image `[height, width, channels]`, numbered from 0: `[height, width]` (Achanta et al. 2012). Three
/// channels are taken for sRGB and compared in L*a*b*; values are scaled to 0 … 1 first.
///
/// # Errors
/// An image that is none; settings that are no sizes.
pub fn slic(image: ArrayView3<'_, f64>, options: &Slic) -> Result<Array2<usize>, Error> {
    check_image(image)?;
    options.check()?;
    let low = image.iter().copied().fold(f64::INFINITY, f64::min);
    let high = image.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut colors = image.mapv(|value| if high > low { (value - low) / (high - low) } else { 0.0 });
    if image.len_of(Axis(2)) == 3 {
        colors = lab_from_rgb(colors.view());
    }
    colors /= options.compactness;
    let (height, width, _) = colors.dim();
    let (steps, seeds) = seeds(height, width, options.n_segments);
    let n_seeds = seeds.len();
    let labels = clustered(&colors, seeds, steps[0].max(steps[1]) as f64, options.n_rounds);
    let mean_size = (height * width) as f64 / n_seeds as f64;
    let (min_size, max_size) = (options.min_size * mean_size, options.max_size * mean_size);
    Ok(renumbered(&connected(&labels, min_size as usize, (max_size as usize).max(1))))
}

/// A seed or mean: place, then color.
struct Center {
    place: [f64; 2],
    color: Vec<f64>,
}

/// Steps along both axes, and the centers of about `n` squares; an axis shorter than the step has one.
fn seeds(height: usize, width: usize, n: usize) -> ([usize; 2], Vec<[f64; 2]>) {
    let ([ystart, xstart], steps) = match height * width <= n {
        true => ([0, 0], [1, 1]),
        false => {
            let step = ((height * width) as f64 / n as f64).sqrt();
            let (short, long) = (height.min(width) as f64, height.max(width) as f64);
            let (of_short, of_long) = if short < step { (short, long / n as f64) } else { (step, step) };
            let steps = if height <= width { [of_short, of_long] } else { [of_long, of_short] };
            (
                steps.map(|step| (step / 2.0).floor() as usize),
                steps.map(|step| (step.round_ties_even() as usize).max(1)),
            )
        }
    };
    let rows = (ystart..height).step_by(steps[0]);
    let columns = || (xstart..width).step_by(steps[1]);
    (steps, rows.flat_map(|y| columns().map(move |x| [y as f64, x as f64])).collect())
}

/// The center nearest each pixel after some rounds; each looks two steps around, and has no color of its own in the first round.
fn clustered(colors: &Array3<f64>, seeds: Vec<[f64; 2]>, step: f64, n_rounds: usize) -> Array2<usize> {
    let (height, width, n_channels) = colors.dim();
    let mut centers: Vec<Center> =
        seeds.into_iter().map(|place| Center { place, color: vec![0.0; n_channels] }).collect();
    let mut labels = Array2::zeros((height, width));
    for _ in 0..n_rounds {
        let mut distances = Array2::from_elem((height, width), f64::INFINITY);
        for (index, center) in centers.iter().enumerate() {
            let around = |axis: usize, length: usize| {
                let place = center.place[axis];
                (place - 2.0 * step).max(0.0) as usize..((place + 2.0 * step + 1.0) as usize).min(length)
            };
            for y in around(0, height) {
                for x in around(1, width) {
                    let distance = center.distance(colors, y, x, step);
                    if distance < distances[[y, x]] {
                        distances[[y, x]] = distance;
                        labels[[y, x]] = index;
                    }
                }
            }
        }
        centers = means(colors, &labels, centers);
    }
    labels
}

impl Center {
    fn distance(&self, colors: &Array3<f64>, y: usize, x: usize, step: f64) -> f64 {
        let place = (self.place[0] - y as f64).powi(2) + (self.place[1] - x as f64).powi(2);
        let gap = |(channel, own): (usize, &f64)| (colors[[y, x, channel]] - own).powi(2);
        place / (step * step) + self.color.iter().enumerate().map(gap).sum::<f64>()
    }
}

/// The mean of each center's pixels; a center without pixels stays where it is.
fn means(colors: &Array3<f64>, labels: &Array2<usize>, centers: Vec<Center>) -> Vec<Center> {
    let n_channels = colors.len_of(Axis(2));
    let mut sums = vec![(0.0, [0.0; 2], vec![0.0; n_channels]); centers.len()];
    for ((y, x), &label) in labels.indexed_iter() {
        let (count, place, color) = &mut sums[label];
        *count += 1.0;
        place[0] += y as f64;
        place[1] += x as f64;
        color.iter_mut().enumerate().for_each(|(channel, sum)| *sum += colors[[y, x, channel]]);
    }
    let mean = |((count, place, color), center): ((f64, [f64; 2], Vec<f64>), Center)| match count > 0.0 {
        true => Center {
            place: place.map(|sum| sum / count),
            color: color.into_iter().map(|sum| sum / count).collect(),
        },
        false => center,
    };
    sums.into_iter().zip(centers).map(mean).collect()
}

/// Connected parts in the order of their first pixel: cut at `max_size` pixels, and joined to the neighbor seen last where they have
/// fewer than `min_size`.
fn connected(labels: &Array2<usize>, min_size: usize, max_size: usize) -> Array2<usize> {
    let (height, width) = labels.dim();
    let mut parts: Array2<Option<usize>> = Array2::from_elem((height, width), None);
    let mut n_parts = 0;
    for ((y, x), &label) in labels.indexed_iter() {
        if parts[[y, x]].is_some() {
            continue;
        }
        parts[[y, x]] = Some(n_parts);
        let (mut pixels, mut visited, mut neighbor) = (vec![(y, x)], 0, None);
        while visited < pixels.len() && pixels.len() < max_size {
            for next in beside(pixels[visited], height, width) {
                match parts[next] {
                    None if labels[next] == label && pixels.len() < max_size => {
                        parts[next] = Some(n_parts);
                        pixels.push(next);
                    }
                    Some(part) if part != n_parts && pixels.len() < max_size => neighbor = Some(part),
                    _ => {}
                }
            }
            visited += 1;
        }
        match neighbor {
            Some(neighbor) if pixels.len() < min_size => {
                pixels.into_iter().for_each(|pixel| parts[pixel] = Some(neighbor));
            }
            // Nothing stands before it: the next part, which is beside it, has the same number.
            None if pixels.len() < min_size => {}
            _ => n_parts += 1,
        }
    }
    parts.mapv(|part| part.unwrap_or(0))
}

/// Right, left, below, above.
fn beside((y, x): (usize, usize), height: usize, width: usize) -> impl Iterator<Item = (usize, usize)> {
    let right = (x + 1 < width).then(|| (y, x + 1));
    let left = x.checked_sub(1).map(|x| (y, x));
    let below = (y + 1 < height).then(|| (y + 1, x));
    let above = y.checked_sub(1).map(|y| (y, x));
    [right, left, below, above].into_iter().flatten()
}

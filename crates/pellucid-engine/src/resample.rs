//! Pixels of one size → pixels of another, to the bit as Pillow does it, since that is what most models were trained with.
//!
//! Each pass weighs the pixels around a place by a kernel, which is widened where the image shrinks (so that it is
//! antialiased). Rows first, then columns, with rounding to whole numbers in between and weights of 22 binary digits.

use ndarray::{Array3, Axis};

use crate::preprocess::{Resample, Size};

/// Binary digits behind the point of a weight: 8 are for the pixel, 2 for sums beyond white.
const WEIGHT_BITS: u32 = 32 - 8 - 2;

/// Pixels `[height, width, channels]` brought to another size.
pub(crate) fn resample(pixels: &Array3<u8>, size: Size, how: Resample) -> Array3<u8> {
    let (height, width) = (size.height as usize, size.width as usize);
    let wide = along(pixels, Axis(1), width, how);
    along(&wide, Axis(0), height, how)
}

fn along(pixels: &Array3<u8>, axis: Axis, length: usize, how: Resample) -> Array3<u8> {
    let own = pixels.len_of(axis);
    if own == length {
        return pixels.clone();
    }
    let taps: Vec<Taps> = (0..length).map(|place| Taps::new(own, length, place, how)).collect();
    let mut shape = pixels.raw_dim();
    shape[axis.index()] = length;
    let mut result = Array3::zeros(shape);
    for (target, source) in result.lanes_mut(axis).into_iter().zip(pixels.lanes(axis)) {
        for (slot, taps) in target.into_iter().zip(&taps) {
            let sum: i64 =
                taps.weights.iter().enumerate().map(|(i, w)| w * i64::from(source[taps.first + i])).sum();
            *slot = ((sum + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS).clamp(0, 255) as u8;
        }
    }
    result
}

/// The pixels that a place is made of.
struct Taps {
    first: usize,
    weights: Vec<i64>,
}

impl Taps {
    fn new(own: usize, length: usize, place: usize, how: Resample) -> Self {
        let scale = own as f64 / length as f64;
        let center = (place as f64 + 0.5) * scale;
        let Some((kernel, reach)) = kernel(how) else {
            return Self { first: (center as usize).min(own - 1), weights: vec![1 << WEIGHT_BITS] };
        };
        let widened = scale.max(1.0);
        let first = (center - reach * widened + 0.5).max(0.0) as usize;
        let end = ((center + reach * widened + 0.5) as usize).min(own);
        let weights: Vec<f64> =
            (first..end).map(|i| kernel((i as f64 - center + 0.5) * (1.0 / widened))).collect();
        let total: f64 = weights.iter().sum();
        let fixed = |w: f64| (w / total * f64::from(1u32 << WEIGHT_BITS)).round() as i64;
        Self { first, weights: weights.into_iter().map(fixed).collect() }
    }
}

type Kernel = fn(f64) -> f64;

/// The kernel and how far it reaches; none for the nearest pixel.
fn kernel(how: Resample) -> Option<(Kernel, f64)> {
    match how {
        Resample::Nearest => None,
        Resample::Bilinear => Some((triangle, 1.0)),
        Resample::Bicubic => Some((cubic, 2.0)),
        Resample::Lanczos => Some((lanczos, 3.0)),
    }
}

fn triangle(x: f64) -> f64 {
    (1.0 - x.abs()).max(0.0)
}

/// Keys' cubic with a = −½.
fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

fn lanczos(x: f64) -> f64 {
    if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 }
}

fn sinc(x: f64) -> f64 {
    let x = std::f64::consts::PI * x;
    if x == 0.0 { 1.0 } else { x.sin() / x }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Resample; 4] = [Resample::Nearest, Resample::Bilinear, Resample::Bicubic, Resample::Lanczos];

    #[test]
    fn a_constant_stays() {
        let flat = Array3::from_elem((7, 5, 3), 201u8);
        for how in ALL {
            for (width, height) in [(3, 4), (11, 2), (5, 19)] {
                let other = resample(&flat, Size { width, height }, how);
                assert_eq!(other, Array3::from_elem((height as usize, width as usize, 3), 201u8), "{how:?}");
            }
        }
    }

    #[test]
    fn halving_takes_the_mean_of_what_falls_together() {
        let pixels = Array3::from_shape_vec((1, 4, 1), vec![0u8, 100, 200, 60]).unwrap();
        let size = Size { width: 2, height: 1 };
        // The triangle is widened to 4 pixels: weights 1, 3, 3 over 7 at the left edge.
        let left = (100.0 * 3.0 + 200.0) / 7.0_f64;
        let halved = resample(&pixels, size, Resample::Bilinear);
        assert_eq!(halved[[0, 0, 0]], left.round() as u8);
        assert_eq!(resample(&pixels, size, Resample::Nearest)[[0, 1, 0]], 60);
    }
}

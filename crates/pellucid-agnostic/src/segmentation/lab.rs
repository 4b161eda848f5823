//! Colors as people tell them apart.

use ndarray::{Array3, ArrayView3};

/// The white of daylight (D65, 2°) in XYZ.
const WHITE: [f64; 3] = [0.950_47, 1.0, 1.088_83];
/// Linear sRGB to XYZ (IEC 61966-2-1).
const XYZ_FROM_RGB: [[f64; 3]; 3] =
    [[0.412_453, 0.357_580, 0.180_423], [0.212_671, 0.715_160, 0.072_169], [0.019_334, 0.119_193, 0.950_227]];

/// CIE L*a*b* of sRGB colors of 0 … 1, `[height, width, 3]`; L is 0 … 100.
pub(super) fn lab_from_rgb(image: ArrayView3<'_, f64>) -> Array3<f64> {
    let mut lab = image.to_owned();
    for mut pixel in lab.lanes_mut(ndarray::Axis(2)) {
        let linear: Vec<f64> = pixel.iter().map(|&value| linear_from_srgb(value)).collect();
        let f = |axis: usize| {
            let sum: f64 = XYZ_FROM_RGB[axis].iter().zip(&linear).map(|(weight, value)| weight * value).sum();
            lightness(sum / WHITE[axis])
        };
        let (x, y, z) = (f(0), f(1), f(2));
        for (slot, value) in pixel.iter_mut().zip([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]) {
            *slot = value;
        }
    }
    lab
}

fn linear_from_srgb(value: f64) -> f64 {
    if value > 0.040_45 { ((value + 0.055) / 1.055).powf(2.4) } else { value / 12.92 }
}

fn lightness(share: f64) -> f64 {
    if share > 0.008_856 { share.cbrt() } else { 7.787 * share + 16.0 / 116.0 }
}

//! Bilinear upsampling, `[height, width]` → a larger `[height, width]`.

use ndarray::{Array2, ArrayView2};

use crate::Error;
use crate::picture::check_size;

/// `map` stretched to `[height, width]`, bilinear with half-pixel centers (ONNX `Resize` `linear` with
/// `half_pixel`, PyTorch's `align_corners=False`): output pixel `i` looks at input place `(i + ½) · from / to − ½`,
/// held inside the map at its edges.
///
/// # Errors
/// [`Error::PictureSize`] if a side of the map or of the result is zero, or the result is too large.
///
/// # Example: two columns to four
/// ```
/// use ndarray::arr2;
/// let map = arr2(&[[0.0, 4.0]]);
/// let wide = pellucid_plot::upsample_bilinear(map.view(), 1, 4)?;
/// assert_eq!(wide, arr2(&[[0.0, 1.0, 3.0, 4.0]]));
/// # Ok::<(), pellucid_plot::Error>(())
/// ```
pub fn upsample_bilinear(
    map: ArrayView2<'_, f64>,
    height: usize,
    width: usize,
) -> Result<Array2<f64>, Error> {
    check_size(map.ncols() as u64, map.nrows() as u64)?;
    check_size(width as u64, height as u64)?;
    let rows = taps(map.nrows(), height);
    let columns = taps(map.ncols(), width);
    Ok(Array2::from_shape_fn((height, width), |(row, column)| {
        let (y, x) = (&rows[row], &columns[column]);
        let along = |r: usize| mix(map[[r, x.low]], map[[r, x.high]], x.share);
        mix(along(y.low), along(y.high), y.share)
    }))
}

/// The two neighbors an output place looks at, and the share of the higher one.
struct Tap {
    low: usize,
    high: usize,
    share: f64,
}

fn taps(from: usize, to: usize) -> Vec<Tap> {
    let last = (from - 1) as f64;
    let place = |i: usize| ((i as f64 + 0.5) * from as f64 / to as f64 - 0.5).clamp(0.0, last);
    (0..to)
        .map(|i| {
            let low = place(i).floor() as usize;
            Tap { low, high: (low + 1).min(from - 1), share: place(i) - low as f64 }
        })
        .collect()
}

fn mix(a: f64, b: f64, share_of_b: f64) -> f64 {
    a * (1.0 - share_of_b) + b * share_of_b
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::arr2;

    #[test]
    fn same_size_changes_nothing() {
        let map = arr2(&[[1.0, -2.0, 0.5], [3.0, 0.0, 7.0]]);
        assert_eq!(upsample_bilinear(map.view(), 2, 3).unwrap(), map);
    }

    #[test]
    fn a_plane_stays_a_plane_away_from_the_edges() {
        let map = Array2::from_shape_fn((7, 7), |(r, c)| 2.0 * r as f64 - 3.0 * c as f64);
        let large = upsample_bilinear(map.view(), 28, 28).unwrap();
        for ((r, c), &value) in large.indexed_iter() {
            if (2..26).contains(&r) && (2..26).contains(&c) {
                let (y, x) = ((r as f64 + 0.5) / 4.0 - 0.5, (c as f64 + 0.5) / 4.0 - 0.5);
                assert!((value - (2.0 * y - 3.0 * x)).abs() < 1e-12, "at {r}, {c}");
            }
        }
    }

    #[test]
    fn an_empty_map_is_refused() {
        assert!(matches!(
            upsample_bilinear(Array2::zeros((0, 3)).view(), 4, 4),
            Err(Error::PictureSize { .. })
        ));
    }
}

//! Color channels: `[channels, height, width]` → `[height, width]`.

use ndarray::{Array2, ArrayView3, Axis};

/// How the channels of one pixel become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelReduction {
    /// `Σ_c a_c`, signed. Keeps completeness: the map sums to what the attribution sums to.
    Sum,
    /// `Σ_c |a_c|`, unsigned. Channels that pull against each other still show.
    AbsoluteSum,
    /// `max_c |a_c|`, unsigned: what Simonyan et al. 2014 draw of the gradient.
    AbsoluteMax,
}

/// One number a pixel, `[height, width]`, from an attribution `[channels, height, width]`.
///
/// NaN in a pixel's channels gives NaN, which [`overlay`](crate::overlay) then refuses by name and place.
///
/// # Example: opposite channels
/// ```
/// use ndarray::arr3;
/// use pellucid_plot::{ChannelReduction, reduce_channels};
///
/// let attribution = arr3(&[[[1.0]], [[-3.0]], [[0.5]]]);
/// assert_eq!(reduce_channels(attribution.view(), ChannelReduction::Sum)[[0, 0]], -1.5);
/// assert_eq!(reduce_channels(attribution.view(), ChannelReduction::AbsoluteSum)[[0, 0]], 4.5);
/// assert_eq!(reduce_channels(attribution.view(), ChannelReduction::AbsoluteMax)[[0, 0]], 3.0);
/// ```
pub fn reduce_channels(attribution: ArrayView3<'_, f64>, reduction: ChannelReduction) -> Array2<f64> {
    attribution.map_axis(Axis(0), |channels| match reduction {
        ChannelReduction::Sum => channels.iter().sum(),
        ChannelReduction::AbsoluteSum => channels.iter().map(|a| a.abs()).sum(),
        ChannelReduction::AbsoluteMax => channels.iter().fold(0.0, |max, a| nan_max(max, a.abs())),
    })
}

/// The larger of two, or NaN if one is: `f64::max` would hide it.
fn nan_max(a: f64, b: f64) -> f64 {
    if b.is_nan() || b > a { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::arr3;

    #[test]
    fn nan_survives_every_reduction() {
        let attribution = arr3(&[[[1.0]], [[f64::NAN]], [[2.0]]]);
        for reduction in [ChannelReduction::Sum, ChannelReduction::AbsoluteSum, ChannelReduction::AbsoluteMax]
        {
            assert!(reduce_channels(attribution.view(), reduction)[[0, 0]].is_nan(), "{reduction:?}");
        }
    }

    #[test]
    fn the_sum_keeps_the_total() {
        let attribution = arr3(&[[[1.0, -2.0], [0.25, 4.0]], [[3.0, 0.5], [-8.0, 1.0]]]);
        let map = reduce_channels(attribution.view(), ChannelReduction::Sum);
        assert_eq!(map.dim(), (2, 2));
        assert_eq!(map.sum(), attribution.sum());
    }
}

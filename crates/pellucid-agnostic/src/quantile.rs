//! Quantiles of numbers in order, as NumPy's default has them.

/// The quantile at a share of sorted values, by linear interpolation; there is one value at least.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * (place - low as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_their_neighbors() {
        // numpy.quantile([1, 2, 4, 8], [0, 0.2, 0.5, 1])
        for (share, expected) in [(0.0, 1.0), (0.2, 1.6), (0.5, 3.0), (1.0, 8.0)] {
            assert!((quantile(&[1.0, 2.0, 4.0, 8.0], share) - expected).abs() < 1e-15);
        }
    }
}

//! Eigen-CAM: the first principal component of the activations (Muhammad and Yeasin 2020).

use ndarray::{Array1, Array2, ArrayD, Axis};

/// Steps of the power iteration at the most.
const MAX_STEPS: usize = 20_000;

/// The iteration ends where a step turns the direction by less.
const TOLERANCE: f64 = 1e-13;

/// The projection `[spatial…]` of activations `[channels, spatial…]`, each channel's mean taken off, on the direction in
/// which places differ most; and whether that direction was found. Its sign, which no principal component has, is that
/// by which places with more activation are positive.
pub(super) fn map(activations: &ArrayD<f32>) -> (ArrayD<f64>, bool) {
    let spatial = activations.shape()[1..].to_vec();
    let n_places = spatial.iter().product::<usize>();
    let n_channels = activations.len_of(Axis(0));
    let flat: Vec<f64> = activations.iter().map(|&a| f64::from(a)).collect();
    let raw =
        Array2::from_shape_fn((n_places, n_channels), |(place, channel)| flat[channel * n_places + place]);
    let centered = &raw - &raw.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(n_channels));
    let (direction, converged) = first_direction(&centered);
    let projection = centered.dot(&direction);
    let agreement: f64 = projection.iter().zip(raw.sum_axis(Axis(1))).map(|(p, a)| p * a).sum();
    let signed = if agreement < 0.0 { -projection } else { projection };
    let map = ArrayD::from_shape_vec(spatial, signed.to_vec());
    (map.unwrap_or_else(|_| ArrayD::zeros(vec![0])), converged)
}

/// The unit vector that `|X v|` is largest for, by power iteration. It begins at an uneven mixture of rows, so that only by
/// accident it lies across what it looks for.
fn first_direction(x: &Array2<f64>) -> (Array1<f64>, bool) {
    /// Multiples of the golden ratio fall unevenly.
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let length = |v: &Array1<f64>| v.dot(v).sqrt();
    let mixture = Array1::from_shape_fn(x.nrows(), |row| (row as f64 * GOLDEN).fract() - 0.3);
    let mut direction = x.t().dot(&mixture);
    let size = length(&direction);
    if size == 0.0 {
        return (direction, true);
    }
    direction /= size;
    for _ in 0..MAX_STEPS {
        let mut next = x.t().dot(&x.dot(&direction));
        let size = length(&next);
        if size == 0.0 {
            return (direction, true);
        }
        next /= size;
        let turned = length(&(&next - &direction));
        direction = next;
        if turned < TOLERANCE {
            return (direction, true);
        }
    }
    (direction, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_direction_is_an_eigenvector_and_its_sign_is_fixed() {
        // Two channels over three places; the covariance of [(2, 1), (0, 0), (−2, −1)] lies along (2, 1).
        let activations = ArrayD::from_shape_vec(vec![2, 1, 3], vec![5.0f32, 3.0, 1.0, 2.0, 1.0, 0.0])
            .expect("six numbers");
        let (found, converged) = map(&activations);
        assert!(converged);
        let expected = [5f64.sqrt(), 0.0, -(5f64.sqrt())];
        assert!(found.iter().zip(expected).all(|(a, e)| (a - e).abs() < 1e-9), "{found:?}");
        // All signs of the activations turned: more is still more.
        let (turned, _) = map(&activations.mapv(|a| -a));
        assert!(turned.iter().zip(expected).all(|(a, e)| (a + e).abs() < 1e-9), "{turned:?}");
    }

    #[test]
    fn many_small_differences_outweigh_one_large() {
        // One place stands out in channel 0 by 3; four differ by 2 in channel 1.
        let channels = [[3.0f32, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 2.0, -2.0, 2.0, -2.0, 0.0]].concat();
        let activations = ArrayD::from_shape_vec(vec![2, 6], channels).expect("twelve numbers");
        let (found, converged) = map(&activations);
        assert!(converged);
        let expected = [0.0, 2.0, -2.0, 2.0, -2.0, 0.0];
        assert!(found.iter().zip(expected).all(|(a, e)| (a - e).abs() < 1e-6), "{found:?}");
    }

    #[test]
    fn activations_without_differences_have_an_empty_map() {
        let (found, converged) = map(&ArrayD::from_elem(vec![2, 2, 2], 3.0f32));
        assert!(converged && found.iter().all(|&value| value == 0.0) && found.shape() == [2, 2]);
    }
}

//! What a leaf with few features gives to sets of features, for every pattern of a row at once.
//!
//! The game of a leaf, for a row with pattern `o` and a background row with pattern `r` over the leaf's features:
//! it is 1 where every present feature has `o_j = 1` and every absent one `r_j = 1`. Its multilinear extension is
//! `f(t) = ∏_j (r_j + t (o_j − r_j))`, and with weights `n(r)` over all patterns it is a sum that factors by feature:
//! a transform over subsets, one feature after the other, gives it for all `o` in `d 2^d` steps. The game in which absent
//! features follow the covers is the same with `n(r) = ∏_j z_j^{r_j} (1 − z_j)^{1 − r_j}`.

use super::feature_sets::subsets;
use super::measure::Measure;

/// For each set of `size` features, what it gets from the leaf's game at each pattern of the row: `[sets][patterns]`.
/// `weights` `[patterns]` are those of the background's patterns.
pub(crate) fn set_values(measure: Measure, size: usize, weights: &[f64]) -> Vec<Vec<f64>> {
    let n_features = weights.len().ilog2() as usize;
    let sets = subsets(n_features, size);
    let mut values = vec![vec![0.0; weights.len()]; sets.len()];
    if size > n_features {
        return values;
    }
    for (t, weight) in measure.points(size, n_features) {
        let extension = if t > 0.0 { extension(weights, t) } else { Vec::new() };
        for (set, values) in sets.iter().zip(&mut values) {
            let derivative = match t > 0.0 {
                true => derivative(&extension, set, t),
                false => derivative_at_nothing(weights, set),
            };
            values.iter_mut().zip(derivative).for_each(|(value, slope)| *value += weight * slope);
        }
    }
    values
}

/// The weights of patterns where each feature follows the covers.
pub(crate) fn cover_weights(fractions: &[f64]) -> Vec<f64> {
    let mut weights = vec![1.0];
    for z in fractions {
        let (absent, present): (Vec<f64>, Vec<f64>) = weights.iter().map(|w| (w * (1.0 - z), w * z)).unzip();
        weights = [absent, present].concat();
    }
    weights
}

/// `f(t)` for each pattern of the row.
fn extension(weights: &[f64], t: f64) -> Vec<f64> {
    let mut values = weights.to_vec();
    for axis in 0..weights.len().ilog2() {
        along(&mut values, axis, |r0, r1| ((1.0 - t) * r1, t * r0 + r1));
    }
    values
}

/// `Δ_S f(t)` from `f(t)`, for `0 < t < 1`: along each feature of the set the factors of `f` are undone and those of its
/// derivative, `o_j − r_j`, are put in their place.
fn derivative(extension: &[f64], set: &[usize], t: f64) -> Vec<f64> {
    let mut values = extension.to_vec();
    for &feature in set {
        along(&mut values, feature as u32, |o0, o1| {
            let r1 = o0 / (1.0 - t);
            (-r1, (o1 - r1) / t)
        });
    }
    values
}

/// `Δ_S f(0)`: the other features are absent.
fn derivative_at_nothing(weights: &[f64], set: &[usize]) -> Vec<f64> {
    let mut values = weights.to_vec();
    for axis in 0..weights.len().ilog2() {
        let is_in = set.contains(&(axis as usize));
        along(&mut values, axis, |r0, r1| if is_in { (-r1, r0) } else { (r1, r1) });
    }
    values
}

/// Replaces each two values that differ in one bit of the pattern.
fn along(values: &mut [f64], axis: u32, f: impl Fn(f64, f64) -> (f64, f64)) {
    let half = 1 << axis;
    for pair in values.chunks_exact_mut(2 * half) {
        let (zeros, ones) = pair.split_at_mut(half);
        zeros.iter_mut().zip(ones).for_each(|(zero, one)| (*zero, *one) = f(*zero, *one));
    }
}

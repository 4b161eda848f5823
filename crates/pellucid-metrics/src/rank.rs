//! Spearman's rank correlation, ties sharing their mean rank.

/// The rank correlation of two lists of equal length: Pearson's correlation of their ranks. `None` where it is not
/// defined: one list is constant (or empty). Panics where lengths differ.
///
/// ```
/// use pellucid_metrics::spearman;
///
/// assert_eq!(spearman(&[1.0, 2.0, 30.0], &[0.1, 0.2, 0.3]), Some(1.0));
/// assert_eq!(spearman(&[1.0, 2.0, 30.0], &[5.0, 5.0, 5.0]), None);
/// ```
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    assert_eq!(a.len(), b.len(), "lists of different lengths");
    // The mean of n ranks is (n − 1) / 2, ties or not.
    let center = (a.len() as f64 - 1.0) / 2.0;
    let (a, b) = (mean_ranks(a), mean_ranks(b));
    let moment =
        |x: &[f64], y: &[f64]| -> f64 { x.iter().zip(y).map(|(x, y)| (x - center) * (y - center)).sum() };
    let scale = (moment(&a, &a) * moment(&b, &b)).sqrt();
    (scale > 0.0).then(|| (moment(&a, &b) / scale).clamp(-1.0, 1.0))
}

/// Ranks from 0; equal values share the mean of their ranks.
fn mean_ranks(values: &[f64]) -> Vec<f64> {
    // Adding 0 makes −0 equal to 0 under `total_cmp`.
    let key = |i: usize| values[i] + 0.0;
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| key(i).total_cmp(&key(j)));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for tied in order.chunk_by(|&i, &j| values[i] == values[j]) {
        let rank = first as f64 + (tied.len() as f64 - 1.0) / 2.0;
        for &i in tied {
            ranks[i] = rank;
        }
        first += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    /// Straight from the definition, in quadratic time: a rank is the number of smaller values plus half the equal ones.
    fn slow_spearman(a: &[f64], b: &[f64]) -> f64 {
        let ranks = |x: &[f64]| -> Vec<f64> {
            let rank = |v: f64| {
                let smaller = x.iter().filter(|&&w| w < v).count() as f64;
                let equal = x.iter().filter(|&&w| w == v).count() as f64;
                smaller + (equal + 1.0) / 2.0
            };
            x.iter().map(|&v| rank(v)).collect()
        };
        let (a, b) = (ranks(a), ranks(b));
        let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
        let (mean_a, mean_b) = (mean(&a), mean(&b));
        let covariance: f64 = a.iter().zip(&b).map(|(x, y)| (x - mean_a) * (y - mean_b)).sum();
        let spread = |x: &[f64], mean: f64| x.iter().map(|v| (v - mean).powi(2)).sum::<f64>().sqrt();
        covariance / (spread(&a, mean_a) * spread(&b, mean_b))
    }

    #[test]
    fn agrees_with_a_slow_twin_with_ties() {
        let mut generator = ChaCha8Rng::seed_from_u64(1);
        for n in 3..60 {
            // Few distinct values, so that most are tied; −0 among them.
            let mut draw = || (generator.next_u32() % 5) as f64 * 0.5 - 1.0;
            let a: Vec<f64> = (0..n).map(|_| -draw()).collect();
            let b: Vec<f64> = (0..n).map(|_| draw()).collect();
            let slow = slow_spearman(&a, &b);
            match spearman(&a, &b) {
                Some(fast) => assert!((fast - slow).abs() < 1e-12, "{fast} against {slow}"),
                None => assert!(slow.is_nan()),
            }
        }
    }

    #[test]
    fn order_is_all_that_counts() {
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[-9.0, 0.0, 1e9]), Some(1.0));
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), Some(-1.0));
        // By hand: d = (0, 1, −1), 1 − 6·2 / (3·8) = 0.5.
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[1.0, 3.0, 2.0]), Some(0.5));
    }

    #[test]
    fn a_constant_list_has_no_correlation() {
        assert_eq!(spearman(&[0.0, -0.0], &[1.0, 2.0]), None);
        assert_eq!(spearman(&[], &[]), None);
    }
}

//! How features share the sum of |attribution|.

/// Each size as a share of their sum; all 0 where the sum is.
///
/// ```
/// assert_eq!(pellucid_drift::shares(&[3.0, 1.0]), [0.75, 0.25]);
/// ```
pub fn shares(sizes: &[f64]) -> Vec<f64> {
    let sum: f64 = sizes.iter().sum();
    sizes.iter().map(|size| if sum > 0.0 { size / sum } else { 0.0 }).collect()
}

/// `½ Σ |p − q|`: which part of the whole lies elsewhere, between 0 and 1. Panics where lists differ in length.
///
/// ```
/// assert_eq!(pellucid_drift::total_variation(&[0.75, 0.25], &[0.25, 0.75]), 0.5);
/// ```
pub fn total_variation(p: &[f64], q: &[f64]) -> f64 {
    assert_eq!(p.len(), q.len(), "shares of different features");
    0.5 * p.iter().zip(q).map(|(p, q)| (p - q).abs()).sum::<f64>()
}

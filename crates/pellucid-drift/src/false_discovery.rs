//! The false discovery rate over many tests.

/// Adjusted p-values (Benjamini and Hochberg 1995): `q_(i) = min over j ≥ i of p_(j) m / j`, in the order of `p_values`. Of the features with `q ≤ α`, a share
/// of at most α is expected to be false.
///
/// ```
/// let q = pellucid_drift::false_discovery_rate(&[0.04, 0.01, 0.5, 0.03]);
/// let expected = [0.04 * 4.0 / 3.0, 0.04, 0.5, 0.04 * 4.0 / 3.0];
/// assert!(q.iter().zip(expected).all(|(q, expected)| (q - expected).abs() < 1e-15));
/// ```
pub fn false_discovery_rate(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&i, &j| p_values[j].total_cmp(&p_values[i]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut smallest = 1.0_f64;
    for (place, &i) in order.iter().enumerate() {
        let rank = p_values.len() - place;
        smallest = smallest.min(p_values[i] * p_values.len() as f64 / rank as f64);
        adjusted[i] = smallest;
    }
    adjusted
}

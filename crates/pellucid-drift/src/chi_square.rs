//! The χ² test of homogeneity for categories.

use crate::distribution::chi_square_tail;

/// Pearson's test of two samples' category shares: `Σ (observed − expected)² / expected` over the table of counts, with B − 1 degrees of freedom, without continuity
/// correction. Weighted samples enter with their effective sizes (the first-order correction of Rao and Scott 1981 for unequal weights). 1 for a single category.
/// Panics where lists differ in length.
///
/// ```
/// // scipy.stats.chi2_contingency([[50, 50], [30, 70]], correction=False): χ² = 8.333, p = 0.003892
/// let p = pellucid_drift::chi_square_test(&[0.5, 0.5], &[0.3, 0.7], [100.0, 100.0]);
/// assert!((p - 0.003_892_417_122_778_63).abs() < 1e-14);
/// ```
pub fn chi_square_test(reference: &[f64], window: &[f64], sizes: [f64; 2]) -> f64 {
    assert_eq!(reference.len(), window.len(), "shares of different categories");
    let (mut statistic, mut n_filled) = (0.0, 0);
    for (&p, &q) in reference.iter().zip(window) {
        let expected = (sizes[0] * p + sizes[1] * q) / (sizes[0] + sizes[1]);
        if expected > 0.0 {
            statistic += (sizes[0] * (p - expected).powi(2) + sizes[1] * (q - expected).powi(2)) / expected;
            n_filled += 1;
        }
    }
    if n_filled < 2 { 1.0 } else { chi_square_tail(statistic, f64::from(n_filled - 1)) }
}

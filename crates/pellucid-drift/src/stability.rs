//! Population stability index and Jensen–Shannon distance of binned samples, each with what sampling alone makes of it.

use serde::Serialize;

use crate::distribution::chi_square_quantile;

/// A distance between two binned samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Divergence {
    /// The distance.
    pub value: f64,
    /// What the distance stays below in 95 of 100 windows without drift, for samples of these sizes. A value below it tells nothing.
    pub floor: f64,
    /// In how many bins there is anything.
    pub n_bins: usize,
}

/// `PSI = Σ (q − p) ln(q / p)` over bins, `p` the reference's shares and `q` the window's (Kullback's J-divergence). Where one of the two is empty, its share
/// counts as half a row, which keeps the logarithm finite.
///
/// Without drift PSI is about χ²_{B−1} (1/n + 1/m), so small samples show a PSI without drift (Yurdakul 2018): the floor is the 95 % quantile of that, in place of
/// the usual 0.1 and 0.25. `sizes` are the effective sizes of reference and window. Panics where lists differ in length.
///
/// ```
/// let psi = pellucid_drift::stability_index(&[0.5, 0.5], &[0.4, 0.6], [1000.0, 100.0]);
/// assert!((psi.value - (0.1 * (0.5_f64 / 0.4).ln() + 0.1 * (0.6_f64 / 0.5).ln())).abs() < 1e-15);
/// assert!((psi.floor - 3.841_458_820_694_12 * 0.011).abs() < 1e-12);
/// ```
pub fn stability_index(reference: &[f64], window: &[f64], sizes: [f64; 2]) -> Divergence {
    let term = |[p, q]: [f64; 2]| {
        let (p, q) = (if p > 0.0 { p } else { 0.5 / sizes[0] }, if q > 0.0 { q } else { 0.5 / sizes[1] });
        (q - p) * (q / p).ln()
    };
    let filled = filled(reference, window);
    let value = filled.iter().copied().map(term).sum();
    Divergence { value, floor: sampling_floor(filled.len(), sizes), n_bins: filled.len() }
}

/// The Jensen–Shannon distance to base 2: the root of `½ KL(p‖m) + ½ KL(q‖m)` with `m = ½ (p + q)` (Endres and Schindelin 2003), between 0 and 1.
///
/// The divergence is about an eighth of PSI in nats for small differences, which gives its floor. Panics where lists differ in length.
///
/// ```
/// let distance = pellucid_drift::jensen_shannon(&[1.0, 0.0], &[0.0, 1.0], [100.0, 100.0]);
/// assert_eq!(distance.value, 1.0);
/// assert_eq!(pellucid_drift::jensen_shannon(&[0.3, 0.7], &[0.3, 0.7], [100.0, 100.0]).value, 0.0);
/// ```
pub fn jensen_shannon(reference: &[f64], window: &[f64], sizes: [f64; 2]) -> Divergence {
    let filled = filled(reference, window);
    let against = |p: f64, middle: f64| if p > 0.0 { p * (p / middle).log2() } else { 0.0 };
    let term = |[p, q]: [f64; 2]| {
        let middle = 0.5 * (p + q);
        0.5 * (against(p, middle) + against(q, middle))
    };
    let divergence: f64 = filled.iter().copied().map(term).sum();
    let floor = sampling_floor(filled.len(), sizes) / (8.0 * std::f64::consts::LN_2);
    Divergence { value: divergence.max(0.0).sqrt(), floor: floor.sqrt(), n_bins: filled.len() }
}

/// The pairs of shares that are not both empty.
fn filled(reference: &[f64], window: &[f64]) -> Vec<[f64; 2]> {
    assert_eq!(reference.len(), window.len(), "shares of different bins");
    reference.iter().zip(window).map(|(&p, &q)| [p, q]).filter(|[p, q]| *p > 0.0 || *q > 0.0).collect()
}

/// `χ²_{B−1, .95} (1/n + 1/m)`.
fn sampling_floor(n_bins: usize, sizes: [f64; 2]) -> f64 {
    if n_bins < 2 {
        return 0.0;
    }
    chi_square_quantile(0.05, (n_bins - 1) as f64) * (1.0 / sizes[0] + 1.0 / sizes[1])
}

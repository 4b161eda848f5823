//! Wasserstein distance in standard deviations of the reference.

use crate::Weighted;
use crate::gap::gap_between;

/// How large a share of the total size the unit of a distance is at least.
pub const SCALE_FLOOR: f64 = 0.001;

/// The first Wasserstein distance: `∫ |F(x) − G(x)| dx`, how far the mass of one sample has to be moved to make the other (Vallender 1974).
///
/// ```
/// use pellucid_drift::{Weighted, wasserstein};
///
/// let a = Weighted::alike(&[0.0, 1.0, 3.0])?;
/// let b = Weighted::alike(&[5.0, 6.0, 8.0])?;
/// assert!((wasserstein(&a, &b) - 5.0).abs() < 1e-15);
/// # Ok::<(), pellucid_drift::Error>(())
/// ```
pub fn wasserstein(a: &Weighted, b: &Weighted) -> f64 {
    gap_between(a, b).area
}

/// The unit of a feature's distances: the deviation of the reference, but at least [`SCALE_FLOOR`] of `mass`. Features whose attribution is about
/// 0 in the reference have next to no deviation, and any noise would be many of them; `mass` is the mean of |attribution| summed over all features.
///
/// ```
/// use pellucid_drift::{Weighted, scale};
///
/// let idle = Weighted::alike(&[0.0, 0.0, 1e-12])?;
/// assert_eq!(scale(&idle, 2.0), 0.002);
/// # Ok::<(), pellucid_drift::Error>(())
/// ```
pub fn scale(reference: &Weighted, mass: f64) -> f64 {
    reference.deviation().max(SCALE_FLOOR * mass)
}

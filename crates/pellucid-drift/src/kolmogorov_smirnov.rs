//! The two-sample Kolmogorov–Smirnov test.

use serde::Serialize;

use crate::Weighted;
use crate::distribution::kolmogorov_tail;
use crate::gap::gap_between;

/// Up to how many pairs of rows the p-value is exact.
pub const MAX_EXACT_PAIRS: usize = 200_000;

/// The largest gap between two distribution functions, and how likely it is without drift.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct KolmogorovSmirnov {
    /// `D = max |F(x) − G(x)|`.
    pub statistic: f64,
    /// The probability of such a gap or a larger one when both samples come from one distribution and rows are independent.
    pub p_value: f64,
}

/// The two-sided test (Smirnov 1939). The p-value is exact where rows weigh alike and there are few (Hodges 1957; with ties it is too large);
/// elsewhere it is Kolmogorov's limit `Q(√(nm/(n+m)) D)` with the effective sizes, which for finite samples is a little too large.
///
/// ```
/// use pellucid_drift::{Weighted, kolmogorov_smirnov};
///
/// // All of the one below all of the other: 2 of the C(6, 3) = 20 orders are so far apart.
/// let test = kolmogorov_smirnov(&Weighted::alike(&[1.0, 2.0, 3.0])?, &Weighted::alike(&[7.0, 8.0, 9.0])?);
/// assert_eq!(test.statistic, 1.0);
/// assert!((test.p_value - 0.1).abs() < 1e-15);
/// # Ok::<(), pellucid_drift::Error>(())
/// ```
pub fn kolmogorov_smirnov(a: &Weighted, b: &Weighted) -> KolmogorovSmirnov {
    let statistic = gap_between(a, b).height;
    let (n, m) = (a.n_rows(), b.n_rows());
    let few = n.checked_mul(m).is_some_and(|pairs| pairs <= MAX_EXACT_PAIRS);
    let p_value = if few && a.weighs_alike() && b.weighs_alike() {
        exact_tail(statistic, n, m)
    } else {
        let (n, m) = (a.effective_size(), b.effective_size());
        kolmogorov_tail((n * m / (n + m)).sqrt() * statistic)
    };
    KolmogorovSmirnov { statistic, p_value }
}

/// `P(D ≥ d)` without ties: the share of the orders of `n` and `m` rows that come as far apart. Steps through orders row by row; an order leaves
/// the count where it first is so far apart, so that only positive numbers are added and small tails keep their digits.
fn exact_tail(statistic: f64, n: usize, m: usize) -> f64 {
    // |i/n − j/m| ≥ d in whole numbers: |i m − j n| ≥ d n m.
    let limit = (statistic * (n * m) as f64).round() as i64;
    if limit == 0 {
        return 1.0;
    }
    let apart = |i: usize, j: usize| ((i * m) as i64 - (j * n) as i64).abs() >= limit;
    let mut tail = 0.0;
    // inside[j]: the probability of standing at (i, j) and never having been apart.
    let mut inside = vec![0.0; m + 1];
    for i in 0..=n {
        // Rows of the band |i m − j n| < limit alone can be reached inside.
        let first = ((i * m) as i64 - limit).div_euclid(n as i64).max(-1) + 1;
        let last = (((i * m) as i64 + limit - 1).div_euclid(n as i64)).min(m as i64);
        // Stepping on: what stood below the band's first place goes out of it.
        for j in first.max(0) as usize..=(last.max(0) as usize).min(m) {
            let left = (n - i) + (m - j);
            let from_above = if i == 0 { 0.0 } else { inside[j] * (n - i + 1) as f64 / (left + 1) as f64 };
            let from_left = if j == 0 || apart(i, j - 1) {
                0.0
            } else {
                inside[j - 1] * (m - j + 1) as f64 / (left + 1) as f64
            };
            inside[j] = if i == 0 && j == 0 { 1.0 } else { from_above + from_left };
            // The next row of the second sample may lead out.
            if j < m && apart(i, j + 1) {
                tail += inside[j] * (m - j) as f64 / left as f64;
            }
            // And the next of the first.
            if i < n && apart(i + 1, j) {
                tail += inside[j] * (n - i) as f64 / left as f64;
            }
        }
    }
    tail.min(1.0)
}

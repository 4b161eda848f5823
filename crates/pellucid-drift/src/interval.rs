//! Shares and means with their intervals, and differences of two.

use serde::Serialize;

use crate::Weighted;
use crate::distribution::{normal_quantile, normal_tail, student_quantile, student_tail};

/// A number between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

/// A difference of two estimates, and how likely one as large is where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Contrast {
    /// The first minus the second.
    pub interval: Interval,
    /// Two-sided.
    pub p_value: f64,
}

/// A share's score interval: `(p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)` (Wilson 1927), with the effective size of weighted rows for `n`.
/// Unlike the usual one it never is a point, however few rows there are.
///
/// ```
/// // statsmodels' proportion_confint(2, 10, method="wilson")
/// let interval = pellucid_drift::wilson(0.2, 10.0, 0.95);
/// assert!((interval.low - 0.056_682_151_454_375_246).abs() < 1e-14);
/// assert!((interval.high - 0.509_837_528_463_358_3).abs() < 1e-14);
/// ```
pub fn wilson(share: f64, size: f64, confidence: f64) -> Interval {
    let z = normal_quantile((1.0 - confidence) / 2.0);
    let z2 = z * z / size;
    let middle = (share + z2 / 2.0) / (1.0 + z2);
    let half = z * (share * (1.0 - share) / size + z2 / (4.0 * size)).sqrt() / (1.0 + z2);
    // At a share of 0 or 1 the bound is that share, but for rounding.
    Interval { value: share, low: (middle - half).clamp(0.0, share), high: (middle + half).clamp(share, 1.0) }
}

/// The difference of two shares, `(share, size)` each: interval by square-and-add of Wilson's (method 10 of Newcombe 1998), p-value by the z-test of the pooled share.
///
/// ```
/// let contrast = pellucid_drift::compare_shares((0.5, 100.0), (0.3, 100.0), 0.95);
/// assert!((contrast.interval.value - 0.2).abs() < 1e-15);
/// // z = 0.2 / √(0.4 · 0.6 · 0.02) = 2.887
/// assert!((contrast.p_value - 0.003_892_417_122_778_628).abs() < 1e-12);
/// ```
pub fn compare_shares(first: (f64, f64), second: (f64, f64), confidence: f64) -> Contrast {
    let (a, b) = (wilson(first.0, first.1, confidence), wilson(second.0, second.1, confidence));
    let value = a.value - b.value;
    let interval = Interval {
        value,
        low: value - (a.value - a.low).hypot(b.high - b.value),
        high: value + (a.high - a.value).hypot(b.value - b.low),
    };
    let pooled = (first.0 * first.1 + second.0 * second.1) / (first.1 + second.1);
    let error = (pooled * (1.0 - pooled) * (1.0 / first.1 + 1.0 / second.1)).sqrt();
    let p_value = if error > 0.0 { 2.0 * normal_tail(value.abs() / error) } else { 1.0 };
    Contrast { interval, p_value }
}

/// A mean's interval by Student's t with `n − 1` degrees of freedom, `n` the effective size. `None` of an effective size of 1.
///
/// ```
/// let interval = pellucid_drift::mean_interval(&pellucid_drift::Weighted::alike(&[1.0, 2.0, 3.0])?, 0.95);
/// // 2 ± 4.3027 · 1/√3
/// assert!(interval.is_some_and(|interval| (interval.high - 4.484_137_711_750_33).abs() < 1e-10));
/// # Ok::<(), pellucid_drift::Error>(())
/// ```
pub fn mean_interval(sample: &Weighted, confidence: f64) -> Option<Interval> {
    student_interval(sample.mean(), squared_error(sample), sample.effective_size(), confidence)
}

/// The same of a mean whose variance is known already: `value ± t √variance`.
pub fn student_interval(value: f64, variance: f64, effective_size: f64, confidence: f64) -> Option<Interval> {
    let freedom = effective_size - 1.0;
    if freedom.is_nan() || freedom <= 1e-9 {
        return None;
    }
    let half = student_quantile((1.0 - confidence) / 2.0, freedom) * variance.sqrt();
    Some(Interval { value, low: value - half, high: value + half })
}

/// The difference of two means by Welch's t (1947), with the effective sizes; deviations may differ. `None` where one has an effective size of 1.
///
/// ```
/// use pellucid_drift::{Weighted, compare_means};
///
/// let (a, b) = (Weighted::alike(&[1.0, 2.0, 3.0])?, Weighted::alike(&[2.0, 4.0, 6.0, 8.0])?);
/// // scipy.stats.ttest_ind(a, b, equal_var=False): t = −2.121, p = 0.0999
/// assert!(compare_means(&a, &b, 0.95).is_some_and(|contrast| (contrast.p_value - 0.099_912_864_311_800_87).abs() < 1e-12));
/// # Ok::<(), pellucid_drift::Error>(())
/// ```
pub fn compare_means(first: &Weighted, second: &Weighted, confidence: f64) -> Option<Contrast> {
    let freedoms = [first.effective_size() - 1.0, second.effective_size() - 1.0];
    if freedoms.iter().any(|freedom| *freedom <= 1e-9) {
        return None;
    }
    let errors = [squared_error(first), squared_error(second)];
    let value = first.mean() - second.mean();
    let error = (errors[0] + errors[1]).sqrt();
    if error == 0.0 {
        let p_value = if value == 0.0 { 1.0 } else { 0.0 };
        return Some(Contrast { interval: Interval { value, low: value, high: value }, p_value });
    }
    // Welch–Satterthwaite.
    let freedom = error.powi(4) / (errors[0].powi(2) / freedoms[0] + errors[1].powi(2) / freedoms[1]);
    let half = student_quantile((1.0 - confidence) / 2.0, freedom) * error;
    let p_value = 2.0 * student_tail(value.abs() / error, freedom);
    Some(Contrast { interval: Interval { value, low: value - half, high: value + half }, p_value })
}

/// The variance of a weighted mean, linearized: `Σ w² (x − mean)² / (Σ w)² · n / (n − 1)` (Hájek's mean); with equal weights `s²/n`.
fn squared_error(sample: &Weighted) -> f64 {
    let (mean, n) = (sample.mean(), sample.n_rows() as f64);
    let around: f64 = sample.iter().map(|(value, weight)| (weight * (value - mean)).powi(2)).sum();
    around / sample.total().powi(2) * n / (n - 1.0)
}

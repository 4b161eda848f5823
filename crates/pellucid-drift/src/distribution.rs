//! Tails and quantiles of the distributions that tests refer to.

use statrs::function::beta::beta_reg;
use statrs::function::gamma::gamma_ur;

/// `P(Z > z)` of the standard normal distribution.
pub(crate) fn normal_tail(z: f64) -> f64 {
    0.5 * libm::erfc(z / std::f64::consts::SQRT_2)
}

/// `z` with `P(Z > z) = tail`, for a tail in (0, ½].
pub(crate) fn normal_quantile(tail: f64) -> f64 {
    falling_root(normal_tail, tail, 1.0)
}

/// `P(X > x)` of χ² with `freedom` degrees of freedom: `Q(freedom/2, x/2)`; 1 at 0.
pub(crate) fn chi_square_tail(x: f64, freedom: f64) -> f64 {
    if x <= 0.0 { 1.0 } else { gamma_ur(freedom / 2.0, x / 2.0) }
}

/// `x` with `P(X > x) = tail` of χ².
pub(crate) fn chi_square_quantile(tail: f64, freedom: f64) -> f64 {
    falling_root(|x| chi_square_tail(x, freedom), tail, freedom)
}

/// `P(T > t)` of Student's t, for `t ≥ 0`: `½ I(ν/2, ½; ν/(ν + t²))`.
pub(crate) fn student_tail(t: f64, freedom: f64) -> f64 {
    0.5 * beta_reg(freedom / 2.0, 0.5, freedom / (freedom + t * t))
}

/// `t` with `P(T > t) = tail` of Student's t, for a tail in (0, ½].
pub(crate) fn student_quantile(tail: f64, freedom: f64) -> f64 {
    falling_root(|t| student_tail(t, freedom), tail, 1.0)
}

/// `P(K > λ)` of Kolmogorov's distribution (Kolmogorov 1933): `2 Σ (−1)^(k−1) e^(−2k²λ²)`; for small λ, where that series converges slowly,
/// `1 − √(2π)/λ Σ e^(−(2k−1)²π²/(8λ²))`.
pub(crate) fn kolmogorov_tail(lambda: f64) -> f64 {
    use std::f64::consts::{PI, TAU};
    if lambda <= 0.0 {
        return 1.0;
    }
    if lambda < 1.0 {
        let term = |k: i32| (-f64::from(2 * k - 1).powi(2) * PI * PI / (8.0 * lambda * lambda)).exp();
        return (1.0 - TAU.sqrt() / lambda * (1..=8).map(term).sum::<f64>()).clamp(0.0, 1.0);
    }
    let term = |k: i32| f64::from(1 - 2 * ((k - 1) % 2)) * (-2.0 * f64::from(k * k) * lambda * lambda).exp();
    (2.0 * (1..=8).map(term).sum::<f64>()).clamp(0.0, 1.0)
}

/// Where a falling function on `[0, ∞)` reaches `level`, by doubling and bisection; `first` is where to look first.
fn falling_root(function: impl Fn(f64) -> f64, level: f64, first: f64) -> f64 {
    let (mut low, mut high) = (0.0, first);
    for _ in 0..1_000 {
        if function(high) <= level {
            break;
        }
        (low, high) = (high, 2.0 * high);
    }
    // Halving an interval of doubles 100 times leaves neighbors.
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if function(middle) > level { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of scipy 1.17.1: `stats.norm`, `chi2`, `t`, `kstwobign`.
    #[test]
    fn tails_and_quantiles_are_those_of_scipy() {
        let cases = [
            (normal_tail(3.0), 0.001_349_898_031_630_093_3),
            (normal_quantile(0.025), 1.959_963_984_540_054_5),
            (chi_square_tail(30.0, 9.0), 0.000_438_721_770_979_479_36),
            (chi_square_quantile(0.05, 9.0), 16.918_977_604_620_448),
            (student_tail(2.5, 7.3), 0.019_825_117_332_800_214),
            (student_quantile(0.025, 2.0), 4.302_652_729_749_464),
            (kolmogorov_tail(0.3), 0.999_990_694_198_665_5),
            (kolmogorov_tail(0.999), 0.271_073_164_115_063_94),
            (kolmogorov_tail(1.0), 0.269_999_671_677_354_56),
            (kolmogorov_tail(3.0), 3.045_995_948_942_526e-8),
        ];
        for (index, (ours, scipy)) in cases.into_iter().enumerate() {
            assert!((ours / scipy - 1.0).abs() < 1e-12, "case {index}: {ours} against {scipy}");
        }
        assert_eq!(
            [kolmogorov_tail(0.0), chi_square_tail(0.0, 3.0), student_tail(0.0, 3.0)],
            [1.0, 1.0, 0.5]
        );
    }
}

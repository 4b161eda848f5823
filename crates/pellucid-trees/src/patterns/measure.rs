//! What the interaction indices share: each is an integral of the derivatives of the game's multilinear extension.
//!
//! With `f(t)` the expected value when every feature is present with probability `t`, independently, and `Δ_S f(t)` its
//! derivative by the features of `S`, the index of `S` is `∫ Δ_S f(t) ω(t) dt`. The indices differ in `ω` alone.

use pellucid_core::gauss_legendre;

/// Which index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Shapley interaction index: `ω = 1`. For one feature, its Shapley value (Grabisch and Roubens 1999).
    Shapley,
    /// Banzhaf interaction index: all weight at `t = ½`.
    Banzhaf,
    /// Shapley–Taylor of this order `k`: below it the discrete derivative at nothing, `t = 0`; at it
    /// `ω = k (1 − t)^(k−1)` (Sundararajan, Dhamdhere and Agarwal 2020, equation 4 with the beta integral put in).
    ShapleyTaylor(usize),
    /// Faith-SHAP of this order `ℓ` (Tsai, Yeh and Ravikumar 2023, theorem 19). There the coefficient of the Möbius
    /// transform of `T ⊇ S`, as a function of `|T|`, is a fraction of polynomials; its partial fractions are the integral's
    /// `ω(t) = t^(s−1) Σ_j c_j t^j`, `j < ℓ`.
    FaithShap(usize),
}

impl Measure {
    /// Points and weights for sets of `size` features that are exact for games of `n_players`.
    pub(crate) fn points(self, size: usize, n_players: usize) -> Vec<(f64, f64)> {
        let exact_to = |degree: usize| gauss_legendre(degree / 2 + 1);
        let weighted = |degree: usize, omega: &dyn Fn(f64) -> f64| {
            exact_to(degree).into_iter().map(|(t, w)| (t, w * omega(t))).collect()
        };
        match self {
            Self::Shapley => exact_to(n_players - size),
            Self::Banzhaf => vec![(0.5, 1.0)],
            Self::ShapleyTaylor(order) if size < order => vec![(0.0, 1.0)],
            Self::ShapleyTaylor(order) => {
                let power = order as i32 - 1;
                weighted(n_players - 1, &|t| order as f64 * (1.0 - t).powi(power))
            }
            Self::FaithShap(order) => {
                let coefficients = faith_coefficients(size, order);
                weighted(n_players + order - 2, &|t| {
                    let horner = coefficients.iter().rev().fold(0.0, |sum, c| sum * t + c);
                    t.powi(size as i32 - 1) * horner
                })
            }
        }
    }

    /// `∫ t^present (1 − t)^absent ω(t) dt` for sets of `size` features: what a set gets from a game that is 1 where
    /// `present` other features are there and `absent` others are not.
    pub(crate) fn weight(self, size: usize, present: usize, absent: usize) -> f64 {
        match self {
            Self::Shapley => beta(present, absent),
            Self::Banzhaf => 0.5_f64.powi((present + absent) as i32),
            Self::ShapleyTaylor(order) if size < order => f64::from(present == 0),
            Self::ShapleyTaylor(order) => order as f64 * beta(present, absent + order - 1),
            Self::FaithShap(order) => {
                let terms = faith_coefficients(size, order).into_iter().enumerate();
                terms.map(|(j, c)| c * beta(present + size - 1 + j, absent)).sum()
            }
        }
    }
}

/// `∫ t^a (1 − t)^b dt = a! b! / (a + b + 1)!`.
fn beta(a: usize, b: usize) -> f64 {
    let (few, many) = (a.min(b), a.max(b));
    // Each step multiplies with k / (many + 1 + k): the product of few! many! / (few + many)! from its small end.
    let product: f64 = (1..=few).map(|k| k as f64 / (many + k) as f64).product();
    product / (a + b + 1) as f64
}

/// The residues `c_j` of `K ∏_{m=s+1}^{ℓ} (t − m) / ∏_{j<ℓ} (t + j)`, which is the coefficient of theorem 19 with the common
/// factors taken out, so that it also holds for `|T| ≤ ℓ`: 1 at `T = S`, 0 at the others.
fn faith_coefficients(size: usize, order: usize) -> Vec<f64> {
    let sign = if (order - size).is_multiple_of(2) { 1.0 } else { -1.0 };
    // K = ± s / (ℓ + s) · C(ℓ, s) · (ℓ + s)! / ℓ! = ± s (ℓ + s − 1)! / (s! (ℓ − s)!).
    let factorial = |n: usize| (1..=n).map(|k| k as f64).product::<f64>();
    let scale =
        sign * size as f64 * factorial(order + size - 1) / (factorial(size) * factorial(order - size));
    (0..order)
        .map(|j| {
            let zeros: f64 = (size + 1..=order).map(|m| -(j as f64) - m as f64).product();
            let poles: f64 = (0..order).filter(|&i| i != j).map(|i| i as f64 - j as f64).product();
            scale * zeros / poles
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_and_weights_are_the_same_integral() {
        let measures = [
            Measure::Shapley,
            Measure::Banzhaf,
            Measure::ShapleyTaylor(2),
            Measure::ShapleyTaylor(3),
            Measure::FaithShap(1),
            Measure::FaithShap(2),
            Measure::FaithShap(4),
        ];
        for measure in measures {
            let order = if let Measure::ShapleyTaylor(k) | Measure::FaithShap(k) = measure { k } else { 3 };
            for size in 1..=order {
                for (present, absent) in [(0, 0), (1, 0), (0, 2), (3, 4), (7, 1)] {
                    let points = measure.points(size, size + present + absent);
                    let monomial = |t: f64| t.powi(present as i32) * (1.0 - t).powi(absent as i32);
                    let integral: f64 = points.iter().map(|&(t, w)| w * monomial(t)).sum();
                    let weight = measure.weight(size, present, absent);
                    assert!((integral - weight).abs() < 1e-12, "{measure:?} {size}: {integral} and {weight}");
                }
            }
        }
    }

    #[test]
    fn faith_shap_of_order_one_is_the_shapley_value() {
        for (present, absent) in [(0, 0), (2, 3), (5, 0)] {
            let (faith, shapley) = (Measure::FaithShap(1), Measure::Shapley);
            assert_eq!(faith.weight(1, present, absent), shapley.weight(1, present, absent));
        }
    }
}

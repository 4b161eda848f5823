//! Points and weights on [0, 1] for integrals along a path.

use pellucid_core::gauss_legendre;

use crate::error::Error;

/// How the integral along the path is approximated; the weights of every rule sum to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rule {
    /// Gauss–Legendre: exact for polynomials of degree `2n − 1`.
    #[default]
    GaussLegendre,
    /// Left ends of `n` equal intervals.
    RiemannLeft,
    /// Right ends.
    RiemannRight,
    /// Middles.
    RiemannMiddle,
    /// `n` points from 0 to 1, the ends with half the weight.
    Trapezoid,
}

impl Rule {
    /// All rules with their names in options.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("gauss_legendre", Self::GaussLegendre),
        ("riemann_left", Self::RiemannLeft),
        ("riemann_right", Self::RiemannRight),
        ("riemann_middle", Self::RiemannMiddle),
        ("trapezoid", Self::Trapezoid),
    ];

    /// The rule's name in options.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, rule)| *rule == self).map_or("", |(name, _)| name)
    }

    /// `n` points and weights on [0, 1].
    ///
    /// # Errors
    /// No points; a trapezoid of fewer than two.
    pub fn points(self, n: usize) -> Result<Vec<(f64, f64)>, Error> {
        if n == 0 || (n == 1 && self == Self::Trapezoid) {
            return Err(Error::option("n_steps", format!("{n} steps are too few for {}", self.name())));
        }
        let equal = |shift: f64| (0..n).map(|k| ((k as f64 + shift) / n as f64, 1.0 / n as f64)).collect();
        Ok(match self {
            Self::GaussLegendre => gauss_legendre(n),
            Self::RiemannLeft => equal(0.0),
            Self::RiemannRight => equal(1.0),
            Self::RiemannMiddle => equal(0.5),
            Self::Trapezoid => {
                let h = 1.0 / (n - 1) as f64;
                (0..n).map(|k| (k as f64 * h, if k == 0 || k == n - 1 { h / 2.0 } else { h })).collect()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_every_rule_sum_to_one() {
        for (name, rule) in Rule::NAMES {
            for n in [2, 3, 7, 50, 300] {
                let sum: f64 = rule.points(n).expect("enough points").iter().map(|(_, w)| w).sum();
                assert!((sum - 1.0).abs() < 1e-13, "{name} {n}: {sum}");
            }
        }
    }

    #[test]
    fn the_trapezoid_integrates_a_line() {
        let integral: f64 =
            Rule::Trapezoid.points(5).expect("enough").iter().map(|(x, w)| w * (2.0 * x + 1.0)).sum();
        assert!((integral - 2.0).abs() < 1e-14);
        assert!(Rule::Trapezoid.points(1).is_err());
    }
}

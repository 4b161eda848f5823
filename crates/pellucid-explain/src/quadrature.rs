//! Points and weights on [0, 1] for integrals along a path.

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

/// Gauss–Legendre points and weights on [0, 1], ascending: roots of the Legendre polynomial by Newton's method.
pub(crate) fn gauss_legendre(n: usize) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = (0..n).map(|i| gauss_legendre_point(n, i)).collect();
    points.reverse();
    points
}

fn gauss_legendre_point(n: usize, i: usize) -> (f64, f64) {
    // Tricomi's start is close enough for Newton to reach machine precision in a few steps.
    let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
    let mut derivative = 1.0;
    for _ in 0..100 {
        let (value, slope) = legendre(n, x);
        derivative = slope;
        let step = value / slope;
        x -= step;
        if step.abs() < 1e-16 {
            break;
        }
    }
    ((x + 1.0) / 2.0, 1.0 / ((1.0 - x * x) * derivative * derivative))
}

/// The Legendre polynomial of degree `n` and its derivative at `x`, by the three-term recurrence.
fn legendre(n: usize, x: f64) -> (f64, f64) {
    let (mut previous, mut current) = (1.0, x);
    for k in 2..=n {
        let k = k as f64;
        (previous, current) = (current, ((2.0 * k - 1.0) * x * current - (k - 1.0) * previous) / k);
    }
    (current, n as f64 * (x * current - previous) / (x * x - 1.0))
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
    fn gauss_legendre_is_exact_to_degree_2n_minus_1() {
        for n in [1, 2, 5, 20] {
            for degree in 0..2 * n {
                let integral: f64 = gauss_legendre(n).iter().map(|(x, w)| w * x.powi(degree as i32)).sum();
                let exact = 1.0 / (degree + 1) as f64;
                assert!((integral - exact).abs() < 1e-13, "{n} points, degree {degree}");
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

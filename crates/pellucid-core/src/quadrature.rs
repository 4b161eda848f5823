//! Gauss–Legendre points and weights.

/// Gauss–Legendre points and weights on [0, 1], ascending; `n` points are exact to degree `2n − 1`.
pub fn gauss_legendre(n: usize) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = (0..n).map(|i| gauss_legendre_point(n, i)).collect();
    points.reverse();
    points
}

/// The `i`-th root of the Legendre polynomial, from above, by Newton's method.
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
    fn gauss_legendre_is_exact_to_degree_2n_minus_1() {
        for n in [1, 2, 5, 20] {
            for degree in 0..2 * n {
                let integral: f64 = gauss_legendre(n).iter().map(|(x, w)| w * x.powi(degree as i32)).sum();
                let exact = 1.0 / (degree + 1) as f64;
                assert!((integral - exact).abs() < 1e-13, "{n} points, degree {degree}");
            }
        }
    }
}

//! How many standard errors wide an interval is.

/// The quantile of the normal distribution for a probability of ½ or more, by bisection of its distribution function: `Φ(x) = ½ + φ(x) Σ x^(2k+1) / (2k+1)!!`.
pub fn normal_quantile(probability: f64) -> f64 {
    let distribution = |x: f64| {
        let (mut term, mut sum) = (x, x);
        for k in 1..200 {
            term *= x * x / f64::from(2 * k + 1);
            sum += term;
        }
        0.5 + sum * (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt()
    };
    let (mut low, mut high) = (0.0, 8.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if distribution(middle) < probability { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (probability, quantile) in
            [(0.5, 0.0), (0.95, 1.644_853_626_951_472), (0.975, 1.959_963_984_540_054)]
        {
            assert!((normal_quantile(probability) - quantile).abs() < 1e-12, "{probability}");
        }
    }
}

//! How well a surrogate imitates, on rows that it has not seen, and how sure that is.

use std::collections::BTreeMap;

use pellucid_core::Draws;
use rand_chacha::rand_core::Rng;

use super::Options;
use crate::error::Error;
use crate::interval::normal_quantile;

/// How much of the model a surrogate says.
#[derive(Clone, Debug, PartialEq)]
pub struct Fidelity {
    /// `R²` or `accuracy`.
    pub measure: &'static str,
    /// 1: it says what the model says. R² of 0: no more than the mean does.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// What the best constant reaches on the same rows: the share of the most frequent class; 0 of R².
    pub constant: f64,
    /// Rows held out.
    pub n_rows: usize,
}

/// The share of rows with the model's class, with Wilson's interval.
pub(super) fn accuracy(truths: &[f64], imitations: &[f64], confidence: f64) -> Fidelity {
    let n = truths.len() as f64;
    let value =
        truths.iter().zip(imitations).filter(|(truth, imitation)| truth == imitation).count() as f64 / n;
    let z = normal_quantile(f64::midpoint(1.0, confidence));
    let center = value + z * z / (2.0 * n);
    let half = z * (value * (1.0 - value) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    // Rounding must not carry an end beyond what the share itself is.
    let (low, high) =
        (((center - half) / scale).clamp(0.0, value), ((center + half) / scale).clamp(value, 1.0));
    let mut counts = BTreeMap::<usize, usize>::new();
    truths.iter().for_each(|&class| *counts.entry(class as usize).or_default() += 1);
    let constant = counts.into_values().max().unwrap_or(0) as f64 / n;
    Fidelity { measure: "accuracy", value, low, high, constant, n_rows: truths.len() }
}

/// `R² = 1 − Σ (y − ŷ)² / Σ (y − mean)²`, with the bootstrap's percentile interval.
///
/// # Errors
/// The model says the same to all rows that are held out.
pub(super) fn r_squared(
    truths: &[f64],
    imitations: &[f64],
    options: &Options,
    draws: &Draws,
) -> Result<Fidelity, Error> {
    let all: Vec<usize> = (0..truths.len()).collect();
    let value = of_sample(truths, imitations, &all).ok_or_else(|| {
        Error::setting(
            "rows",
            "the model says the same to all rows held out, of which R² says nothing; give more rows",
        )
    })?;
    let mut samples: Vec<f64> = (1..=options.n_samples as u64)
        .filter_map(|draw| {
            let mut generator = draws.draw(draw);
            let sample: Vec<usize> =
                truths.iter().map(|_| (generator.next_u64() % truths.len() as u64) as usize).collect();
            of_sample(truths, imitations, &sample)
        })
        .collect();
    samples.sort_by(f64::total_cmp);
    let tail = (1.0 - options.confidence) / 2.0;
    let at = |share: f64| {
        let place = (share * samples.len().saturating_sub(1) as f64).round() as usize;
        samples.get(place).copied().unwrap_or(value)
    };
    let (low, high) = (at(tail), at(1.0 - tail));
    Ok(Fidelity { measure: "R²", value, low, high, constant: 0.0, n_rows: truths.len() })
}

/// [`None`] where all truths are the same.
fn of_sample(truths: &[f64], imitations: &[f64], sample: &[usize]) -> Option<f64> {
    let mean = sample.iter().map(|&row| truths[row]).sum::<f64>() / sample.len() as f64;
    let total: f64 = sample.iter().map(|&row| (truths[row] - mean).powi(2)).sum();
    let error: f64 = sample.iter().map(|&row| (truths[row] - imitations[row]).powi(2)).sum();
    let varies = sample.iter().any(|&row| truths[row] != truths[sample[0]]);
    varies.then(|| 1.0 - error / total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_formulas() {
        // Wilson 1927: 8 of 10 at 95 %.
        let truths = [1.0; 10];
        let imitations = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0];
        let fidelity = accuracy(&truths, &imitations, 0.95);
        assert_eq!((fidelity.value, fidelity.constant), (0.8, 1.0));
        assert_eq!(accuracy(&[1.0, 2.0, 0.0, 1.0], &[1.0; 4], 0.95).constant, 0.5);
        assert!(
            (fidelity.low - 0.490_162).abs() < 1e-6 && (fidelity.high - 0.943_318).abs() < 1e-6,
            "{fidelity:?}"
        );
        let perfect = accuracy(&truths, &truths, 0.95);
        assert!(perfect.high == 1.0 && perfect.low < 0.8, "{perfect:?}");
        assert_eq!(of_sample(&[1.0, 2.0, 3.0], &[1.0, 2.0, 2.0], &[0, 1, 2]), Some(0.5));
        assert_eq!(of_sample(&[1.0, 2.0], &[1.0, 2.0], &[0, 0]), None);
    }
}

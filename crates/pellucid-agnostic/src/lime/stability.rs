//! How much of a surrogate another seed would have changed.

use ndarray::Array1;

/// Where the line is the model itself, intervals are as narrow as rounding; the share of the largest coefficient that says nothing.
const ROUNDING: f64 = 1e-9;

/// How alike the surrogates of `n_resamples` bootstrap resamples of the same samples are: what other seeds would have given, without
/// asking the model again. From 0 (nothing in common) to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Stability {
    /// The variables stability index of Visani et al. (2020): the share of the `n_top` largest coefficients that two surrogates have
    /// in common, over all pairs; `[targets]`.
    pub variables: Array1<f64>,
    /// Their coefficients stability index: how often the 95 % intervals of two surrogates overlap, for the largest coefficients of the
    /// explanation, over all pairs that both have them; `[targets]`.
    pub coefficients: Array1<f64>,
    /// The resamples compared.
    pub n_resamples: usize,
}

/// What one resample gave for one target.
pub(super) struct Resample {
    /// The largest coefficients.
    pub(super) top: Vec<usize>,
    /// `[low, high]` of each player; `None` for those that were not selected.
    pub(super) intervals: Vec<Option<[f64; 2]>>,
}

impl Resample {
    fn largest_bound(&self) -> f64 {
        self.intervals.iter().flatten().flatten().fold(0.0, |largest, bound| largest.max(bound.abs()))
    }
}

fn pairs(resamples: &[Resample]) -> impl Iterator<Item = (&Resample, &Resample)> {
    resamples.iter().enumerate().flat_map(|(i, a)| resamples[..i].iter().map(move |b| (a, b)))
}

/// The mean over all pairs of the share of `top` that both have.
pub(super) fn variables_index(resamples: &[Resample]) -> f64 {
    mean(pairs(resamples).map(|(a, b)| {
        let shared = a.top.iter().filter(|player| b.top.contains(player)).count();
        if a.top.is_empty() { 1.0 } else { shared as f64 / a.top.len() as f64 }
    }))
}

/// The mean over `players`, and over the pairs that both have the player, of whether the intervals overlap.
pub(super) fn coefficients_index(resamples: &[Resample], players: &[usize]) -> f64 {
    let overlap = |player: usize, (a, b): (&Resample, &Resample)| {
        let rounding = ROUNDING * a.largest_bound().max(b.largest_bound());
        let (a, b) = (a.intervals[player]?, b.intervals[player]?);
        Some(f64::from(a[0] <= b[1] + rounding && b[0] <= a[1] + rounding))
    };
    mean(players.iter().flat_map(|&player| pairs(resamples).filter_map(move |pair| overlap(player, pair))))
}

/// 1 for nothing at all.
fn mean(numbers: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = numbers.fold((0.0, 0.0), |(sum, n), x| (sum + x, n + 1.0));
    if n > 0.0 { sum / n } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three resamples by hand: the tops share 1, 2 and 1 of 2; player 0's intervals overlap in one pair of three, player 1 has one pair.
    #[test]
    fn the_indices_count_pairs() {
        let resample = |top: [usize; 2], intervals: [Option<[f64; 2]>; 3]| Resample {
            top: top.to_vec(),
            intervals: intervals.to_vec(),
        };
        let resamples = [
            resample([0, 1], [Some([0.0, 1.0]), Some([0.0, 1.0]), None]),
            resample([0, 2], [Some([0.5, 2.0]), None, Some([1.0, 2.0])]),
            resample([1, 0], [Some([3.0, 4.0]), Some([-1.0, 0.5]), None]),
        ];
        assert!((variables_index(&resamples) - (0.5 + 1.0 + 0.5) / 3.0).abs() < 1e-15);
        assert!((coefficients_index(&resamples, &[0, 1]) - 2.0 / 4.0).abs() < 1e-15);
        assert!(variables_index(&resamples[..1]) == 1.0, "one surrogate agrees with itself");
    }
}

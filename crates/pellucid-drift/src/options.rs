//! What counts as drift.

use serde::{Deserialize, Serialize};

use crate::Error;

/// When a feature counts as drifted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// How many rows a window is expected to have: thresholds are calibrated for that, and widened for smaller ones.
    pub window_rows: usize,
    /// The least effect that matters: deviations for numbers, Jensen–Shannon distance for categories, total variation for shares.
    pub effect_floor: f64,
    /// The largest adjusted p-value that counts.
    pub false_discovery_rate: f64,
    /// The least effective size of reference and window to say anything.
    pub min_effective_rows: f64,
    /// Where the thresholds come from.
    pub calibration: Calibration,
    /// Into how many bins of equal weight a column of numbers is cut.
    pub n_bins: usize,
    /// How many of the most important features are compared.
    pub top_k: usize,
    /// How often groups are permuted at most, where rows have groups.
    pub n_permutations: usize,
    /// The seed of resampling and permuting.
    pub seed: u64,
}

/// How thresholds are found from the reference alone: parts of it are taken for windows and compared with the rest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Which parts.
    pub windows: ReferenceWindows,
    /// Which effect of theirs is the threshold.
    pub limit: Limit,
}

/// Parts of the reference that are taken for windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceWindows {
    /// That many random draws of rows; of whole groups where there are groups.
    Resampled(usize),
    /// Rows as they followed each other, so that what changes from day to day widens the threshold. Needs five windows at least.
    Consecutive,
}

/// A limit over the effects of the reference's own windows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Their mean plus so many standard deviations, as NannyML does with 3.
    MeanPlusDeviations(f64),
    /// What this share of them does not exceed.
    Quantile(f64),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            window_rows: 500,
            effect_floor: 0.1,
            false_discovery_rate: 0.01,
            min_effective_rows: 100.0,
            calibration: Calibration {
                windows: ReferenceWindows::Resampled(200),
                limit: Limit::MeanPlusDeviations(3.0),
            },
            n_bins: 10,
            top_k: 5,
            n_permutations: 999,
            seed: 0,
        }
    }
}

impl Options {
    /// # Errors
    /// An option lies outside its range.
    pub fn check(&self) -> Result<(), Error> {
        let rate = |rate: f64| rate > 0.0 && rate < 1.0;
        let limit = match self.calibration.limit {
            Limit::MeanPlusDeviations(deviations) => {
                (deviations, deviations >= 0.0 && deviations.is_finite())
            }
            Limit::Quantile(quantile) => (quantile, rate(quantile)),
        };
        let n_resamples = match self.calibration.windows {
            ReferenceWindows::Resampled(n) => n,
            ReferenceWindows::Consecutive => usize::MAX,
        };
        let checks = [
            ("window_rows", self.window_rows as f64, self.window_rows > 0, "a window has one row at least"),
            ("effect_floor", self.effect_floor, self.effect_floor >= 0.0, "it is 0 or more"),
            (
                "false_discovery_rate",
                self.false_discovery_rate,
                rate(self.false_discovery_rate),
                "it lies between 0 and 1",
            ),
            (
                "min_effective_rows",
                self.min_effective_rows,
                self.min_effective_rows >= 2.0,
                "it is 2 at least",
            ),
            (
                "calibration.limit",
                limit.0,
                limit.1,
                "deviations are 0 or more, a quantile lies between 0 and 1",
            ),
            (
                "calibration.windows",
                n_resamples as f64,
                n_resamples >= 20,
                "a threshold needs 20 resamples at least",
            ),
            (
                "n_bins",
                self.n_bins as f64,
                (2..=1_000).contains(&self.n_bins),
                "it is 2 at least and 1,000 at most",
            ),
            ("top_k", self.top_k as f64, self.top_k > 0, "it is 1 at least"),
            ("n_permutations", self.n_permutations as f64, self.n_permutations >= 99, "it is 99 at least"),
        ];
        match checks.into_iter().find(|(_, _, valid, _)| !valid) {
            Some((name, value, _, reason)) => Err(Error::Option { name, value, reason }),
            None => Ok(()),
        }
    }
}

//! What comes out: for each feature how far it drifted, on what evidence, and whether that counts.

use serde::Serialize;

use crate::ranking::Ranking;
use crate::sample::{Part, Values};
use crate::stability::Divergence;

/// A window compared with its reference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WindowDrift {
    /// The key that both have.
    pub comparability_key: String,
    /// How many rows the window has.
    pub n_rows: usize,
    /// Each column of the window: attributions, inputs, predictions; after them how the features share |attribution|.
    pub features: Vec<FeatureDrift>,
    /// The order of features by mean |attribution|; `None` without attributions.
    pub ranking: Option<Ranking>,
}

impl WindowDrift {
    /// The features of one part.
    pub fn of(&self, part: Part) -> impl Iterator<Item = &FeatureDrift> {
        self.features.iter().filter(move |feature| feature.part == part)
    }

    /// The effective size of the window, by the column that is missing least.
    pub(crate) fn n_effective(&self) -> f64 {
        self.features.iter().map(|feature| feature.evidence.window_effective).fold(0.0, f64::max)
    }
}

/// How far one feature drifted.
///
/// It counts as drifted where the effect is at least `effect_floor` *and* above the calibrated `threshold` *and*, where there is a test, `q_value` is at most the
/// false discovery rate asked for. With too few rows nothing is said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeatureDrift {
    /// Which part of the rows.
    pub part: Part,
    /// The feature's name.
    pub name: String,
    /// What follows.
    pub verdict: Verdict,
    /// How far it drifted, in terms of `measure`.
    pub effect: f64,
    /// What `effect` is.
    pub measure: Measure,
    /// Smaller effects do not matter.
    pub effect_floor: f64,
    /// What the reference's own windows hardly exceed; `None` where the reference cannot tell.
    pub threshold: Option<f64>,
    /// The probability of such a gap without drift: Kolmogorov–Smirnov for numbers, χ² for categories, by permuted groups where there are groups.
    pub p_value: Option<f64>,
    /// The p-value adjusted over the features of this part (Benjamini and Hochberg).
    pub q_value: Option<f64>,
    /// How many rows stand behind it.
    pub evidence: Evidence,
    /// The rest about a column of numbers.
    pub numbers: Option<Numbers>,
    /// The rest about a column of categories.
    pub categories: Option<Categories>,
    /// Population stability index.
    pub stability_index: Option<Divergence>,
    /// Jensen–Shannon distance, base 2.
    pub jensen_shannon: Option<Divergence>,
    /// The feature's share of the sum of |attribution|.
    pub share: Option<BeforeAfter>,
}

/// Whether a feature drifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Effect, threshold and test all say so.
    Drifted,
    /// Not all of them do. That is no proof of the contrary.
    NotShown,
    /// Too few rows to say.
    InsufficientEvidence,
}

/// What an effect is measured as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Wasserstein distance in deviations of the reference.
    WassersteinInDeviations,
    /// Jensen–Shannon distance, base 2.
    JensenShannon,
    /// Total variation between two lists of shares.
    TotalVariation,
}

impl Measure {
    /// What a column's effect is measured as.
    pub(crate) fn of(values: &Values) -> Self {
        match values {
            Values::Numeric(_) => Self::WassersteinInDeviations,
            Values::Categorical(_) => Self::JensenShannon,
        }
    }
}

/// How many rows there are with a value, and how many equally weighted, independent rows would tell as much.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// Rows of the reference.
    pub reference_rows: usize,
    /// Rows of the window.
    pub window_rows: usize,
    /// Effective size of the reference.
    pub reference_effective: f64,
    /// Effective size of the window.
    pub window_effective: f64,
}

/// Which part of the reference a window counts for at the most.
const MOST_OF_REFERENCE: f64 = 0.25;

impl Evidence {
    /// The effective sizes that tests and thresholds go by: of a window that is more than a quarter of the reference, the quarter. The reference's own error is the
    /// same in all windows; larger windows would find it again and again, and no rule of so many windows in a row would help.
    pub(crate) fn counted(&self) -> [f64; 2] {
        [self.reference_effective, self.window_effective.min(MOST_OF_REFERENCE * self.reference_effective)]
    }

    /// `1/n + 1/m` of the sizes that count: what the variance of a difference goes with.
    pub(crate) fn variance(&self) -> f64 {
        let [reference, window] = self.counted();
        1.0 / reference + 1.0 / window
    }
}

/// A quantity in the reference and in the window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BeforeAfter {
    /// In the reference.
    pub reference: f64,
    /// In the window.
    pub window: f64,
}

/// More about a column of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Numbers {
    /// The means.
    pub mean: BeforeAfter,
    /// The means of |value|.
    pub mean_size: BeforeAfter,
    /// The unit of distances ([`scale`](crate::scale)).
    pub scale: f64,
    /// `(mean of the window − mean of the reference) / scale`, signed.
    pub mean_shift: f64,
    /// The largest gap between the distribution functions.
    pub kolmogorov_smirnov: f64,
}

/// More about a column of categories.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Categories {
    /// The category whose share changed the most.
    pub moved_most: String,
    /// Its shares.
    pub share: BeforeAfter,
    /// Categories of the window that the reference does not know, in order of name.
    pub unseen: Vec<String>,
}

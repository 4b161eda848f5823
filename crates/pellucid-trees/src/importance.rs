//! How much a model as a whole uses each feature, from what training left in its splits.

use crate::ensemble::{Split, Tree, TreeEnsemble};
use crate::error::Error;

/// What is counted. The names in parentheses are those of XGBoost's `get_score` and LightGBM's `feature_importance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Importance {
    /// The number of splits on the feature (XGBoost `weight`; LightGBM `split` counts those of positive gain alone, see
    /// [`Importance::UsefulSplits`]).
    Splits,
    /// The number of splits of positive gain (LightGBM `split`).
    UsefulSplits,
    /// The mean gain of a split on the feature (XGBoost `gain`).
    MeanGain,
    /// The gain of all splits on the feature (XGBoost `total_gain`; LightGBM `gain`, see [`Importance::UsefulGain`]).
    TotalGain,
    /// The gain of all splits of positive gain (LightGBM `gain`).
    UsefulGain,
    /// The mean cover of a split on the feature (XGBoost `cover`).
    MeanCover,
    /// The cover of all splits on the feature (XGBoost `total_cover`).
    TotalCover,
}

impl Importance {
    /// All kinds with their names in options.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("splits", Self::Splits),
        ("useful_splits", Self::UsefulSplits),
        ("mean_gain", Self::MeanGain),
        ("total_gain", Self::TotalGain),
        ("useful_gain", Self::UsefulGain),
        ("mean_cover", Self::MeanCover),
        ("total_cover", Self::TotalCover),
    ];

    /// The kind's name in options.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

/// How much the model uses each feature, `[features]`; 0 for features that no split tests.
///
/// It says nothing about single rows, and gains favor features with many values: prefer the mean absolute Shapley value.
///
/// # Errors
/// A kind that the file has no numbers for: covers, or gains.
pub fn importance(ensemble: &TreeEnsemble, kind: Importance) -> Result<Vec<f64>, Error> {
    ensemble.check()?;
    let splits = || ensemble.trees.iter().flat_map(Tree::splits);
    let needs_gains = !matches!(kind, Importance::Splits | Importance::MeanCover | Importance::TotalCover);
    match kind {
        Importance::MeanCover | Importance::TotalCover => ensemble.check_covers("cover importance")?,
        _ if needs_gains && splits().next().is_some() && splits().all(|split| split.gain == 0.0) => {
            return Err(Error::Unsupported {
                what: format!("`{}` of a model whose splits have no gains", kind.name()),
                hint: "take `splits`, or the mean absolute Shapley values of a data set".to_owned(),
            });
        }
        _ => {}
    }
    let (mut sums, mut counts) = (vec![0.0; ensemble.n_features], vec![0.0; ensemble.n_features]);
    for split in splits() {
        sums[split.feature as usize] += term(kind, split);
        counts[split.feature as usize] += 1.0;
    }
    if matches!(kind, Importance::MeanGain | Importance::MeanCover) {
        sums.iter_mut().zip(counts).filter(|(_, n)| *n > 0.0).for_each(|(sum, n)| *sum /= n);
    }
    Ok(sums)
}

fn term(kind: Importance, split: &Split) -> f64 {
    match kind {
        Importance::Splits => 1.0,
        Importance::UsefulSplits => f64::from(split.gain > 0.0),
        Importance::MeanGain | Importance::TotalGain => split.gain,
        Importance::UsefulGain => split.gain.max(0.0),
        Importance::MeanCover | Importance::TotalCover => split.cover,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ensemble::{Missing, Test, TreeNode};

    fn ensemble() -> TreeEnsemble {
        let split = |feature, left, gain, cover| {
            let missing = Missing { nan_left: true, zero: false };
            let right = left + 1;
            TreeNode::Split(Split { feature, test: Test::AtMost(0.0), missing, left, right, cover, gain })
        };
        let leaf = |leaf| TreeNode::Leaf { leaf, cover: 1.0 };
        let nodes = vec![split(2, 1, 8.0, 10.0), split(0, 3, 3.0, 6.0), split(2, 5, -1.0, 4.0)];
        let nodes = [nodes, (0..4).map(leaf).collect()].concat();
        let tree = Tree { nodes, leaf_values: vec![0.0; 4], outputs: 0..1 };
        TreeEnsemble { has_covers: true, ..TreeEnsemble::new(vec![tree], 3, 1) }
    }

    fn check(kind: Importance, expected: [f64; 3]) {
        assert_eq!(importance(&ensemble(), kind).expect("known"), expected, "{kind:?}");
    }

    #[test]
    fn importance_sums_over_splits() {
        check(Importance::Splits, [1.0, 0.0, 2.0]);
        check(Importance::UsefulSplits, [1.0, 0.0, 1.0]);
        check(Importance::MeanGain, [3.0, 0.0, 3.5]);
        check(Importance::TotalGain, [3.0, 0.0, 7.0]);
        check(Importance::UsefulGain, [3.0, 0.0, 8.0]);
        check(Importance::MeanCover, [6.0, 0.0, 7.0]);
        check(Importance::TotalCover, [6.0, 0.0, 14.0]);
    }

    #[test]
    fn what_the_file_does_not_tell_is_refused() {
        let mut ensemble = ensemble();
        ensemble.has_covers = false;
        for node in &mut ensemble.trees[0].nodes {
            if let TreeNode::Split(split) = node {
                split.gain = 0.0;
            }
        }
        for (_, kind) in Importance::NAMES {
            assert_eq!(importance(&ensemble, kind).is_ok(), kind == Importance::Splits, "{kind:?}");
        }
    }
}

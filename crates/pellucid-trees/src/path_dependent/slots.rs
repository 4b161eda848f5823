//! Feature values → what all splits are decided by: one comparison `value <= threshold` of f32 numbers.
//!
//! A slot is one way in which splits look at a feature. Missing values become −∞ or +∞ there, so that they go where the
//! slot's splits send them; a category becomes 0 (left) or 1.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::ensemble::{CategorySet, Fraction, LIGHTGBM_ZERO, Precision, Split, Test, TreeEnsemble};
use crate::rows::Rows;

/// All slots of an ensemble.
#[derive(Debug)]
pub(crate) struct Slots {
    slots: Vec<Slot>,
    index: BTreeMap<Key<'static>, usize>,
    /// Whether f32 values can be compared as they are.
    pub(crate) direct: bool,
}

#[derive(Debug)]
struct Slot {
    feature: usize,
    nan_left: bool,
    zero_is_missing: bool,
    left: Left,
}

/// What goes left.
#[derive(Debug)]
enum Left {
    /// Values up to one of these, ascending.
    AtMost(Vec<f64>),
    In(CategorySet),
}

/// Feature, where NaN goes, whether zero is missing, the categories that go left.
type Key<'a> = (u32, bool, bool, Option<(std::borrow::Cow<'a, [u64]>, bool, Fraction)>);

/// Where a split finds its rows' values, and the thresholds it compares them with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) slot: u32,
    /// For values as they are, and for ranks.
    pub(crate) thresholds: [f32; 2],
}

/// How values are written into slots; the index of [`Comparison::thresholds`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    Values = 0,
    Ranks = 1,
}

fn key(split: &Split) -> Key<'_> {
    let categories = match &split.test {
        Test::AtMost(_) => None,
        Test::In(set) => Some((set.words.as_slice().into(), set.other_left, set.fraction)),
    };
    (split.feature, split.missing.nan_left, split.missing.zero, categories)
}

impl Slots {
    /// The slots that the splits of an ensemble need.
    pub(crate) fn new(ensemble: &TreeEnsemble) -> Self {
        let mut all = Self { slots: Vec::new(), index: BTreeMap::new(), direct: true };
        for split in ensemble.trees.iter().flat_map(|tree| tree.splits()) {
            all.add(split);
        }
        for slot in &mut all.slots {
            if let Left::AtMost(thresholds) = &mut slot.left {
                thresholds.sort_by(f64::total_cmp);
                thresholds.dedup();
                // Missing values are infinite there and a NaN threshold sends none of them left.
                all.direct &= thresholds.iter().all(|&threshold| threshold < f64::INFINITY);
            }
        }
        all
    }

    fn add(&mut self, split: &Split) {
        let (feature, nan_left, zero, categories) = key(split);
        let owned = categories.map(|(words, other, fraction)| (words.into_owned().into(), other, fraction));
        let next = self.slots.len();
        let slot = *self.index.entry((feature, nan_left, zero, owned)).or_insert(next);
        if slot == next {
            let left = match &split.test {
                Test::AtMost(_) => Left::AtMost(Vec::new()),
                Test::In(set) => Left::In(set.clone()),
            };
            self.slots.push(Slot { feature: feature as usize, nan_left, zero_is_missing: zero, left });
        }
        if let (Left::AtMost(thresholds), Test::AtMost(threshold)) = (&mut self.slots[slot].left, &split.test)
        {
            thresholds.push(*threshold);
        }
    }

    /// The number of slots.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// How a split of the ensemble is decided.
    pub(crate) fn comparison(&self, split: &Split) -> Comparison {
        let slot = self.index.get(&key(split)).copied().unwrap_or_default();
        let thresholds = match (&self.slots[slot].left, &split.test) {
            (Left::AtMost(_), Test::AtMost(threshold)) if threshold.is_nan() => [-1.0; 2],
            (Left::AtMost(all), Test::AtMost(threshold)) => {
                [f32_at_most(*threshold), all.partition_point(|t| t < threshold) as f32]
            }
            _ => [0.0; 2],
        };
        Comparison { slot: slot as u32, thresholds }
    }

    /// How the values of `rows` are compared.
    pub(crate) fn scale(&self, ensemble: &TreeEnsemble, rows: Rows<'_>) -> Scale {
        let f32_rows = ensemble.precision == Precision::F32 || matches!(rows, Rows::F32(_));
        if f32_rows && self.direct { Scale::Values } else { Scale::Ranks }
    }

    /// The slots of rows, `[slots, lanes]`; lanes beyond the range hold 0. `row` is scratch, `[features]`.
    pub(crate) fn fill(
        &self,
        ensemble: &TreeEnsemble,
        rows: Rows<'_>,
        range: Range<usize>,
        row: &mut [f64],
        into: &mut [f32],
    ) {
        let scale = self.scale(ensemble, rows);
        let n_lanes = into.len() / self.slots.len().max(1);
        into.fill(0.0);
        for (lane, index) in range.enumerate() {
            rows.fill(index, ensemble, row);
            for (slot, into) in self.slots.iter().zip(into.chunks_exact_mut(n_lanes)) {
                into[lane] = slot.value(row[slot.feature], scale);
            }
        }
    }
}

impl Slot {
    fn value(&self, value: f64, scale: Scale) -> f32 {
        if value.is_nan() || (self.zero_is_missing && value.abs() <= LIGHTGBM_ZERO) {
            return if self.nan_left { f32::NEG_INFINITY } else { f32::INFINITY };
        }
        match (&self.left, scale) {
            (Left::AtMost(_), Scale::Values) => value as f32,
            (Left::AtMost(thresholds), Scale::Ranks) => thresholds.partition_point(|t| *t < value) as f32,
            (Left::In(set), _) => f32::from(!set.contains(value)),
        }
    }
}

/// The largest f32 number up to `x`.
fn f32_at_most(x: f64) -> f32 {
    let near = x as f32;
    if f64::from(near) > x { near.next_down() } else { near }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Shape, random_ensemble, random_rows};

    fn check(ensemble: &TreeEnsemble, rows: Rows<'_>) {
        let slots = Slots::new(ensemble);
        let scale = slots.scale(ensemble, rows);
        let (mut row, mut values) = (vec![0.0; ensemble.n_features], vec![0.0; slots.len()]);
        for index in 0..rows.n_rows() {
            slots.fill(ensemble, rows, index..index + 1, &mut row, &mut values);
            for split in ensemble.trees.iter().flat_map(|tree| tree.splits()) {
                let comparison = slots.comparison(split);
                let left = values[comparison.slot as usize] <= comparison.thresholds[scale as usize];
                assert_eq!(left, split.goes_left(row[split.feature as usize]), "{split:?} {row:?}");
            }
        }
    }

    #[test]
    fn slots_decide_as_splits_do() {
        for seed in 0..10 {
            let mut ensemble =
                random_ensemble(seed, Shape { n_trees: 6, depth: 5, n_features: 6, n_outputs: 1 });
            let rows = random_rows(seed, 40, 6);
            let rows = ndarray::Array2::from_shape_fn((40, 6), |(i, j)| rows[i][j]);
            check(&ensemble, Rows::F64(rows.view()));
            check(&ensemble, Rows::F32(rows.mapv(|x| x as f32).view()));
            ensemble.precision = Precision::F32;
            check(&ensemble, Rows::F64(rows.view()));
        }
    }

    #[test]
    fn infinite_values_and_thresholds_decide_as_splits_do() {
        let mut ensemble = random_ensemble(1, Shape { n_trees: 8, depth: 4, n_features: 2, n_outputs: 1 });
        let x = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, 1e300, -1e300, 0.1, 1e-40];
        let rows = ndarray::Array2::from_shape_fn((64, 2), |(i, j)| x[[i / 8, i % 8][j]]);
        let thresholds =
            [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e300, -1e300, 0.1, 0.0, f64::from(0.1_f32)];
        for at_most in [&thresholds[..], &thresholds[3..]] {
            let splits = ensemble.trees.iter_mut().flat_map(|tree| &mut tree.nodes);
            let splits = splits.filter_map(|node| match node {
                crate::ensemble::TreeNode::Split(split) => Some(split),
                crate::ensemble::TreeNode::Leaf { .. } => None,
            });
            splits.zip(at_most.iter().cycle()).for_each(|(split, &at)| split.test = Test::AtMost(at));
            check(&ensemble, Rows::F64(rows.view()));
            check(&ensemble, Rows::F32(rows.mapv(|x| x as f32).view()));
        }
    }
}

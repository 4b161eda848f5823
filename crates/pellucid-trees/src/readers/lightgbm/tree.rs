//! One tree of the file → its nodes.

use super::section::Section;
use crate::ensemble::{CategorySet, Fraction, LIGHTGBM_ZERO, Missing, Split, Test, TreeNode};
use crate::error::Error;
use crate::readers::walk;

/// What the file has of a tree, in its own numbering: splits from 0, leaf `i` as child `-1 - i`.
struct Columns<'s, 'a> {
    section: &'s Section<'a>,
    features: Vec<u32>,
    thresholds: Vec<f64>,
    decisions: Vec<u8>,
    left: Vec<i32>,
    right: Vec<i32>,
    gains: Vec<f64>,
    split_counts: Vec<f64>,
    leaf_counts: Vec<f64>,
    category_ends: Vec<usize>,
    category_words: Vec<u32>,
}

/// The nodes and the leaf values of a tree.
pub(super) fn read(section: &Section<'_>) -> Result<(Vec<TreeNode>, Vec<f64>), Error> {
    if section.has("is_linear") && section.number::<u8>("is_linear")? != 0 {
        return Err(Error::Unsupported {
            what: "LightGBM's linear_tree".to_owned(),
            hint: "its leaves are linear functions, not values: train with linear_tree=false".to_owned(),
        });
    }
    let n_leaves: usize = section.number("num_leaves")?;
    if n_leaves == 0 {
        return Err(section.broken("no leaves".to_owned()));
    }
    let leaf_values = section.numbers("leaf_value", n_leaves)?;
    let columns = Columns::of(section, n_leaves)?;
    Ok((columns.nodes()?, leaf_values))
}

impl<'s, 'a> Columns<'s, 'a> {
    fn of(section: &'s Section<'a>, n_leaves: usize) -> Result<Self, Error> {
        let n = n_leaves - 1;
        // A tree of one leaf has empty columns, or none.
        let optional = n == 0;
        let (features, thresholds, left, right) = match optional {
            true => (vec![], vec![], vec![], vec![]),
            false => (
                section.numbers("split_feature", n)?,
                section.numbers("threshold", n)?,
                section.numbers("left_child", n)?,
                section.numbers("right_child", n)?,
            ),
        };
        let (category_ends, category_words) = categories(section)?;
        let (split_counts, leaf_counts) = counts(section, n_leaves)?;
        Ok(Self {
            section,
            features,
            thresholds,
            left,
            right,
            decisions: section.numbers_if_any("decision_type", n)?.unwrap_or_else(|| vec![0; n]),
            gains: section.numbers_if_any("split_gain", n)?.unwrap_or_else(|| vec![0.0; n]),
            split_counts,
            leaf_counts,
            category_ends,
            category_words,
        })
    }

    /// The nodes, each behind its parent, in depth-first order.
    fn nodes(&self) -> Result<Vec<TreeNode>, Error> {
        let n_nodes = 2 * self.features.len() + 1;
        let mut seen = vec![false; n_nodes];
        let root = if self.features.is_empty() { -1 } else { 0 };
        let too_many = || self.section.broken("nodes that have two parents".to_owned());
        let nodes = walk::from_root(root, n_nodes, too_many, |child| {
            self.mark(child, &mut seen)?;
            let split = usize::try_from(child).ok();
            Ok((self.node(child)?, split.map(|split| [self.left[split], self.right[split]])))
        })?;
        match nodes.len() {
            n if n == n_nodes => Ok(nodes),
            n => Err(self.section.broken(format!("{n} of {n_nodes} nodes can be reached from the root"))),
        }
    }

    /// Each split and each leaf is the child of one node.
    fn mark(&self, child: i32, seen: &mut [bool]) -> Result<(), Error> {
        let n_splits = self.features.len();
        let (kind, number) = if child < 0 { ("leaf", !child) } else { ("node", child) };
        let number = number as usize;
        let place = if child < 0 { n_splits + number } else { number };
        if place >= seen.len() || (child >= 0 && number >= n_splits) {
            return Err(self.section.broken(format!("no {kind} {number}")));
        }
        match std::mem::replace(&mut seen[place], true) {
            true => Err(self.section.broken(format!("{kind} {number} has two parents"))),
            false => Ok(()),
        }
    }

    fn node(&self, child: i32) -> Result<TreeNode, Error> {
        if child < 0 {
            let leaf = !child as u32;
            return Ok(TreeNode::Leaf { leaf, cover: self.leaf_counts[leaf as usize] });
        }
        let i = child as usize;
        let (test, missing) = self.test(i)?;
        // Forced splits can have no gain: −inf.
        let gain = if self.gains[i].is_finite() { self.gains[i] } else { 0.0 };
        let (feature, cover) = (self.features[i], self.split_counts[i]);
        Ok(TreeNode::Split(Split { feature, test, missing, left: 0, right: 0, cover, gain }))
    }

    /// Bit 0 of the decision type: categorical; bit 1: missing goes left; bits 2 and 3: what is missing, nothing, 0 or NaN.
    fn test(&self, i: usize) -> Result<(Test, Missing), Error> {
        let (decision, threshold) = (self.decisions[i], self.thresholds[i]);
        if decision & 1 == 1 {
            // NaN and whatever was not seen in training go right, whatever the missing type.
            return Ok((Test::In(self.category_set(i)?), Missing { nan_left: false, zero: false }));
        }
        if threshold.is_nan() {
            return Err(self.section.broken(format!("the threshold of node {i} is NaN")));
        }
        let default_left = decision & 2 != 0;
        let missing = match decision >> 2 {
            0 => Missing { nan_left: 0.0 <= threshold, zero: false },
            1 => Missing { nan_left: default_left, zero: true },
            2 => Missing { nan_left: default_left, zero: false },
            _ => return Err(self.section.broken(format!("the decision_type of node {i} is {decision}"))),
        };
        Ok((Test::AtMost(beside_zero(threshold)), missing))
    }

    /// The threshold of a categorical split is the number of its set; a set is some words of 32 categories.
    fn category_set(&self, i: usize) -> Result<CategorySet, Error> {
        let set = self.thresholds[i];
        let known = set >= 0.0 && set.fract() == 0.0 && set + 1.0 < self.category_ends.len() as f64;
        if !known {
            return Err(self
                .section
                .broken(format!("node {i} splits on category set {set}, which is not there")));
        }
        let words =
            &self.category_words[self.category_ends[set as usize]..self.category_ends[set as usize + 1]];
        let pair = |pair: &[u32]| u64::from(pair[0]) | u64::from(*pair.get(1).unwrap_or(&0)) << 32;
        let words = words.chunks(2).map(pair).collect();
        Ok(CategorySet { words, other_left: false, fraction: Fraction::Cut })
    }
}

/// How many rows reached each split and each leaf; all 0 where the file does not tell. LightGBM's own contributions weigh by these too,
/// and not by the Hessian sums in `leaf_weight`.
fn counts(section: &Section<'_>, n_leaves: usize) -> Result<(Vec<f64>, Vec<f64>), Error> {
    let of_splits = section.numbers_if_any("internal_count", n_leaves - 1)?;
    let of_leaves = section.numbers_if_any("leaf_count", n_leaves)?;
    Ok(of_splits.zip(of_leaves).unwrap_or_else(|| (vec![0.0; n_leaves - 1], vec![0.0; n_leaves])))
}

/// LightGBM takes all values of at most [`LIGHTGBM_ZERO`] in magnitude for 0 before it compares. A threshold that lies among
/// them is moved to their edge, so that all go where 0 goes.
fn beside_zero(threshold: f64) -> f64 {
    match threshold {
        t if (0.0..LIGHTGBM_ZERO).contains(&t) => LIGHTGBM_ZERO,
        t if (-LIGHTGBM_ZERO..0.0).contains(&t) => (-LIGHTGBM_ZERO).next_down(),
        t => t,
    }
}

/// Where each category set ends (the first begins at 0), and all their words.
fn categories(section: &Section<'_>) -> Result<(Vec<usize>, Vec<u32>), Error> {
    let n_sets: usize = if section.has("num_cat") { section.number("num_cat")? } else { 0 };
    if n_sets == 0 {
        return Ok((vec![], vec![]));
    }
    let ends: Vec<usize> = section.numbers("cat_boundaries", n_sets.saturating_add(1))?;
    let words = section.numbers("cat_threshold", ends[n_sets])?;
    match ends[0] == 0 && ends.is_sorted() {
        true => Ok((ends, words)),
        false => Err(section.broken("cat_boundaries do not ascend from 0".to_owned())),
    }
}

//! XGBoost's arrays of a tree → `Tree`: nodes renumbered from the root down, those that pruning deleted left out.

use std::ops::Range;

use super::broken;
use super::file::{F32, TreeArrays};
use crate::ensemble::{CategorySet, Fraction, Missing, Split, Test, Tree, TreeNode};
use crate::error::Error;
use crate::readers::walk;

/// XGBoost knows no category from here on: f32 does not tell integers apart any more.
const MAX_CATEGORIES: u32 = 1 << 24;

/// Words of category sets that any file may ask for, and more for each byte of the file.
const BASE_WORDS: usize = 1 << 25;

/// How many words of category sets may still be made.
pub(super) struct CategoryBudget(usize);

impl CategoryBudget {
    /// For a file of `n_bytes`.
    pub(super) fn new(n_bytes: usize) -> Self {
        Self(BASE_WORDS.saturating_add(n_bytes))
    }

    fn take(&mut self, n_words: usize) -> Result<(), Error> {
        self.0 = self.0.checked_sub(n_words).ok_or_else(|| {
            broken("its category sets would take memory out of proportion to the file's size")
        })?;
        Ok(())
    }
}

/// One tree, whose leaves are multiplied with `weight`.
pub(super) fn tree(
    arrays: &TreeArrays,
    outputs: Range<usize>,
    weight: f32,
    budget: &mut CategoryBudget,
) -> Result<Tree, Error> {
    check_lengths(arrays)?;
    let sets = category_sets(arrays, budget)?;
    let mut reader = Reader { arrays, weight, sets, leaf_values: vec![], width: outputs.len() };
    let two_parents = || broken("nodes that have two parents");
    let nodes = walk::from_root(0, arrays.left_children.len(), two_parents, |node| reader.node(node))?;
    Ok(Tree { nodes, leaf_values: reader.leaf_values, outputs })
}

fn check_lengths(arrays: &TreeArrays) -> Result<(), Error> {
    let n_nodes: usize = arrays.tree_param.num_nodes.parse("num_nodes")?;
    let lengths = [
        ("left_children", arrays.left_children.len()),
        ("right_children", arrays.right_children.len()),
        ("split_indices", arrays.split_indices.len()),
        ("split_conditions", arrays.split_conditions.len()),
        ("default_left", arrays.default_left.len()),
        ("sum_hessian", arrays.sum_hessian.as_ref().map_or(n_nodes, Vec::len)),
    ];
    match lengths.iter().find(|(_, length)| *length != n_nodes) {
        Some((name, length)) => Err(broken(format!("{n_nodes} nodes, but `{name}` has {length}"))),
        None if n_nodes == 0 => Err(broken("no nodes")),
        None => Ok(()),
    }
}

/// The set of each categorical split by node, in ascending order: the categories that go left.
fn category_sets(
    arrays: &TreeArrays,
    budget: &mut CategoryBudget,
) -> Result<Vec<(usize, CategorySet)>, Error> {
    let n_sets = arrays.categories_nodes.len();
    if arrays.categories_segments.len() != n_sets || arrays.categories_sizes.len() != n_sets {
        return Err(broken("`categories_nodes`, `_segments` and `_sizes` differ in length"));
    }
    let segments = arrays.categories_segments.iter().zip(&arrays.categories_sizes);
    let mut sets = Vec::with_capacity(n_sets);
    for (&node, (&start, &length)) in arrays.categories_nodes.iter().zip(segments) {
        let categories = start.checked_add(length).and_then(|end| arrays.categories.get(start..end));
        let categories = categories.ok_or_else(|| {
            broken(format!(
                "node {node}: categories {start} and {length} more, of {}",
                arrays.categories.len()
            ))
        })?;
        sets.push((node, all_but(categories, budget)?));
    }
    sets.sort_by_key(|(node, _)| *node);
    Ok(sets)
}

/// XGBoost sends the categories of the set right, and all others left, also those that are no categories.
fn all_but(categories: &[u32], budget: &mut CategoryBudget) -> Result<CategorySet, Error> {
    let most = categories.iter().copied().max().unwrap_or(0);
    if most >= MAX_CATEGORIES {
        return Err(broken(format!("category {most}, but XGBoost has none from {MAX_CATEGORIES} on")));
    }
    budget.take(most as usize / 64 + 1)?;
    let mut set = CategorySet::new(categories, true);
    set.words.iter_mut().for_each(|word| *word = !*word);
    Ok(CategorySet { fraction: Fraction::Floor, ..set })
}

struct Reader<'a> {
    arrays: &'a TreeArrays,
    weight: f32,
    sets: Vec<(usize, CategorySet)>,
    leaf_values: Vec<f64>,
    width: usize,
}

impl Reader<'_> {
    /// A node, and its children by their old numbers.
    fn node(&mut self, from: usize) -> Result<(TreeNode, Option<[usize; 2]>), Error> {
        let arrays = self.arrays;
        let cover = arrays.sum_hessian.as_ref().map_or(0.0, |covers| f64::from(covers[from].0));
        if arrays.left_children[from] < 0 {
            return Ok((TreeNode::Leaf { leaf: self.leaf(from)?, cover }, None));
        }
        let child = |child: i64| {
            let index = usize::try_from(child).ok().filter(|&child| child < arrays.left_children.len());
            index.ok_or_else(|| broken(format!("node {from}: child {child}, which is no node")))
        };
        let children = [child(arrays.left_children[from])?, child(arrays.right_children[from])?];
        let feature = u32::try_from(arrays.split_indices[from])
            .map_err(|_| broken(format!("node {from}: feature {}", arrays.split_indices[from])))?;
        let split = Split {
            feature,
            test: self.test(from)?,
            missing: Missing { nan_left: arrays.default_left[from].0, zero: false },
            left: 0,
            right: 0,
            cover,
            gain: arrays.loss_changes.get(from).map_or(0.0, finite_or_zero),
        };
        Ok((TreeNode::Split(split), Some(children)))
    }

    fn test(&mut self, node: usize) -> Result<Test, Error> {
        match self.arrays.split_type.get(node) {
            // XGBoost goes left where x < t, in f32.
            None | Some(0) => Ok(Test::AtMost(self.arrays.split_conditions[node].0.next_down().into())),
            Some(1) => {
                let place = self.sets.binary_search_by_key(&node, |(node, _)| *node).ok();
                let set = place
                    .map(|place| std::mem::replace(&mut self.sets[place].1, CategorySet::new(&[], true)));
                set.map(Test::In)
                    .ok_or_else(|| broken(format!("node {node}: a categorical split without categories")))
            }
            Some(other) => Err(Error::Unsupported {
                what: format!("XGBoost's split type {other}"),
                hint: "numeric (0) and categorical (1) splits are read".to_owned(),
            }),
        }
    }

    /// Adds the values of a leaf and gives its row.
    fn leaf(&mut self, node: usize) -> Result<u32, Error> {
        let width = self.width;
        let row = self.leaf_values.len() / width;
        let values = match (&self.arrays.leaf_weights, width) {
            (Some(weights), 2..) => {
                let start = usize::try_from(self.arrays.right_children[node]).unwrap_or(usize::MAX);
                slice(weights, start, width)
            }
            (None, 2..) => slice(&self.arrays.base_weights, node, width),
            _ => slice(&self.arrays.split_conditions, node, 1),
        };
        let values = values.ok_or_else(|| broken(format!("node {node}: a leaf without values")))?;
        self.leaf_values.extend(values.iter().map(|F32(value)| f64::from(value * self.weight)));
        Ok(row as u32)
    }
}

fn finite_or_zero(F32(gain): &F32) -> f64 {
    if gain.is_finite() { f64::from(*gain) } else { 0.0 }
}

fn slice(values: &[F32], row: usize, width: usize) -> Option<&[F32]> {
    let start = row.checked_mul(width)?;
    values.get(start..start.checked_add(width)?)
}

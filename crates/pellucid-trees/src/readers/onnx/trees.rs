//! The forest of one op → trees of an ensemble.

use super::arrays::{Forest, ForestNode};
use super::broken;
use crate::ensemble::{Tree, TreeNode};
use crate::error::Error;
use crate::readers::walk;

/// Leaf values that any file may ask for, and more for each weight in it: a leaf has a value for each output of its
/// tree, also those of which the file says nothing.
const BASE_VALUES: usize = 1 << 24;
const VALUES_PER_WEIGHT: usize = 64;

/// The trees, in order, and all of them checked to be trees.
pub(super) fn trees(forest: &Forest, n_outputs: usize) -> Result<Vec<Tree>, Error> {
    let weights =
        forest.nodes.iter().map(|node| if let ForestNode::Leaf(leaf) = node { leaf.len() } else { 0 });
    let mut budget = BASE_VALUES.saturating_add(VALUES_PER_WEIGHT.saturating_mul(weights.sum()));
    // Leaves of version 5 may have several parents, each node one.
    let mut n_left = 2 * forest.nodes.len() + 1;
    let mut trees = Vec::with_capacity(forest.roots.len());
    for (index, &root) in forest.roots.iter().enumerate() {
        let tree =
            tree(forest, root, n_outputs, n_left, &mut budget).map_err(|error| error.in_tree(index))?;
        n_left -= tree.nodes.len();
        trees.push(tree);
    }
    Ok(trees)
}

fn tree(
    forest: &Forest,
    root: usize,
    n_outputs: usize,
    most: usize,
    budget: &mut usize,
) -> Result<Tree, Error> {
    // Where each leaf's weights are: the tree's width is known at the end.
    let mut leaves = Vec::new();
    let two_parents = || broken("nodes that have two parents");
    let nodes = walk::from_root(root, most, two_parents, |place| match &forest.nodes[place] {
        ForestNode::Leaf(weights) => {
            leaves.push(weights);
            Ok((TreeNode::Leaf { leaf: leaves.len() as u32 - 1, cover: 0.0 }, None))
        }
        ForestNode::Branch(branch, [yes, no]) => {
            let (split, true_right) = branch.split(forest.precision)?;
            Ok((TreeNode::Split(split), Some(if true_right { [*no, *yes] } else { [*yes, *no] })))
        }
    })?;
    let used = || leaves.iter().flat_map(|weights| weights.iter().map(|(output, _)| *output));
    let outputs = used().min().unwrap_or(0)..used().max().map_or(1, |most| most.saturating_add(1));
    if outputs.end > n_outputs {
        return Err(broken(format!("output {} of {n_outputs}", outputs.end - 1)));
    }
    let n_values = outputs.len().saturating_mul(leaves.len());
    *budget = budget
        .checked_sub(n_values)
        .ok_or_else(|| broken("leaves of a size out of proportion to the file"))?;
    let mut leaf_values = vec![0.0; n_values];
    for (values, weights) in leaf_values.chunks_mut(outputs.len()).zip(&leaves) {
        weights.iter().for_each(|(output, weight)| values[output - outputs.start] += weight);
    }
    Ok(Tree { nodes, leaf_values, outputs })
}

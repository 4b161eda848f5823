//! Trees in CatBoost's two shapes → nodes.

use serde::Deserialize;

use super::broken;
use super::features::{Decision, Features, SplitInfo};
use crate::ensemble::{Split, Tree, TreeNode};
use crate::error::Error;
use crate::readers::walk;

/// CatBoost's own limit is 16.
const MAX_SYMMETRIC_DEPTH: usize = 24;

/// A tree with one split a level, from the leaves to the root: bit `i` of a leaf's number tells the side of split `i`.
#[derive(Deserialize)]
pub(super) struct ObliviousTree {
    /// `[leaves, outputs]`.
    leaf_values: Vec<f64>,
    leaf_weights: Option<Vec<f64>>,
    splits: Option<Vec<SplitInfo>>,
}

/// A node of another tree: `split`, `left` and `right`, or `value` and maybe `weight`.
#[derive(Deserialize)]
pub(super) struct Node {
    split: Option<SplitInfo>,
    left: Option<Box<Node>>,
    right: Option<Box<Node>>,
    value: Option<LeafValue>,
    weight: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum LeafValue {
    One(f64),
    Many(Vec<f64>),
}

impl ObliviousTree {
    /// Level by level: node `i` has the children `2i + 1` and `2i + 2`; the last level is the leaves in CatBoost's order.
    pub(super) fn read(self, features: &Features) -> Result<Tree, Error> {
        let splits = self.splits.unwrap_or_default();
        let depth = splits.len();
        if depth > MAX_SYMMETRIC_DEPTH {
            return Err(broken(format!("{depth} levels, more than {MAX_SYMMETRIC_DEPTH}")));
        }
        let n_leaves = 1 << depth;
        let width = self.leaf_values.len() / n_leaves;
        if width == 0 || self.leaf_values.len() != width * n_leaves {
            return Err(broken(format!("{} leaf values for {n_leaves} leaves", self.leaf_values.len())));
        }
        let covers = covers(self.leaf_weights, n_leaves)?;
        let decisions: Vec<Decision> =
            splits.iter().rev().map(|split| features.decision(split)).collect::<Result<_, _>>()?;
        let node = |index: usize| {
            if index + 1 >= n_leaves {
                return TreeNode::Leaf { leaf: (index + 1 - n_leaves) as u32, cover: covers[index] };
            }
            let level = (index + 1).ilog2() as usize;
            TreeNode::Split(split(&decisions[level], 2 * index + 1, 2 * index + 2, covers[index]))
        };
        let nodes = (0..2 * n_leaves - 1).map(node).collect();
        Ok(Tree { nodes, leaf_values: self.leaf_values, outputs: 0..width })
    }
}

/// The weight of every node, level by level; 0 where the file has none.
fn covers(leaf_weights: Option<Vec<f64>>, n_leaves: usize) -> Result<Vec<f64>, Error> {
    let mut covers = vec![0.0; 2 * n_leaves - 1];
    let Some(weights) = leaf_weights else { return Ok(covers) };
    if weights.len() != n_leaves {
        return Err(broken(format!("{} leaf weights for {n_leaves} leaves", weights.len())));
    }
    covers[n_leaves - 1..].copy_from_slice(&weights);
    for index in (0..n_leaves - 1).rev() {
        covers[index] = covers[2 * index + 1] + covers[2 * index + 2];
    }
    Ok(covers)
}

/// The split of a decision between CatBoost's left and right child.
fn split(decision: &Decision, left: usize, right: usize, cover: f64) -> Split {
    let (left, right) = if decision.passing_is_right { (right, left) } else { (left, right) };
    let Decision { feature, test, missing, .. } = decision.clone();
    Split { feature, test, missing, left: left as u32, right: right as u32, cover, gain: 0.0 }
}

impl Node {
    /// Depth first. No recursion but that of the parser, which stops at 128 levels.
    pub(super) fn read(&self, features: &Features) -> Result<Tree, Error> {
        let mut leaves = Leaves { values: Vec::new(), width: 0 };
        let too_many = || broken("more nodes than can be counted".to_owned());
        let mut nodes = walk::from_root(self, u32::MAX as usize, too_many, |node| match node {
            Self { split: Some(info), left: Some(left), right: Some(right), value: None, .. } => {
                let decision = features.decision(info)?;
                let (left, right): (&Self, &Self) = (left, right);
                let children = if decision.passing_is_right { [right, left] } else { [left, right] };
                Ok((TreeNode::Split(split(&decision, 0, 0, 0.0)), Some(children)))
            }
            Self { split: None, value: Some(value), weight, .. } => {
                let leaf = leaves.add(value.all())?;
                Ok((TreeNode::Leaf { leaf, cover: weight.unwrap_or(0.0) }, None))
            }
            _ => Err(broken("a node that is neither a split with two children nor a leaf".to_owned())),
        })?;
        add_covers(&mut nodes);
        Ok(Tree { nodes, leaf_values: leaves.values, outputs: 0..leaves.width })
    }
}

/// `[leaves, width]`.
struct Leaves {
    values: Vec<f64>,
    width: usize,
}

impl Leaves {
    /// Adds the values of a leaf, as many as the first had, and gives its row.
    fn add(&mut self, values: &[f64]) -> Result<u32, Error> {
        if values.is_empty() || (self.width != 0 && values.len() != self.width) {
            let expected = self.width.max(1);
            return Err(broken(format!("a leaf with {} values, not {expected}", values.len())));
        }
        self.width = values.len();
        let row = self.values.len() / self.width;
        self.values.extend(values);
        Ok(row as u32)
    }
}

impl LeafValue {
    fn all(&self) -> &[f64] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

/// The weight of a split is that of its children, which stand behind it.
fn add_covers(nodes: &mut [TreeNode]) {
    for index in (0..nodes.len()).rev() {
        let TreeNode::Split(split) = &nodes[index] else { continue };
        let below = nodes[split.left as usize].cover() + nodes[split.right as usize].cover();
        if let TreeNode::Split(split) = &mut nodes[index] {
            split.cover = below;
        }
    }
}

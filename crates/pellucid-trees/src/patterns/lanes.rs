//! Rows side by side: a few columns of feature values, and which way each row goes at each split.

use crate::ensemble::{Split, Test, Tree, TreeEnsemble, TreeNode};
use crate::rows::Rows;

/// Rows that go through the trees together.
pub(crate) const LANES: usize = 64;

/// One value a row.
pub(crate) type Lanes<T> = [T; LANES];

/// Up to [`LANES`] rows, as the model compares them: one column for each feature that the model uses.
pub(crate) struct Block {
    columns: Vec<Lanes<f64>>,
    row: Vec<f64>,
    /// How many of the lanes are rows.
    pub(crate) n_rows: usize,
}

impl Block {
    /// An empty block for this model, whose splits use the features `used`.
    pub(crate) fn new(ensemble: &TreeEnsemble, used: &[u32]) -> Self {
        Self { columns: vec![[0.0; LANES]; used.len()], row: vec![0.0; ensemble.n_features], n_rows: 0 }
    }

    /// Takes the rows from `first` on.
    pub(crate) fn load(&mut self, rows: Rows<'_>, first: usize, ensemble: &TreeEnsemble, used: &[u32]) {
        self.n_rows = LANES.min(rows.n_rows() - first);
        for lane in 0..self.n_rows {
            rows.fill(first + lane, ensemble, &mut self.row);
            for (column, &feature) in self.columns.iter_mut().zip(used) {
                column[lane] = self.row[feature as usize];
            }
        }
    }
}

/// The splits of a tree, each with the column of its feature.
pub(crate) struct Splits {
    nodes: Vec<u32>,
    columns: Vec<u32>,
}

impl Splits {
    /// `used` is ascending.
    pub(crate) fn new(tree: &Tree, used: &[u32]) -> Self {
        let nodes = (0..tree.nodes.len() as u32).filter(|&node| split_at(tree, node).is_some()).collect();
        let column = |split: &Split| used.partition_point(|&feature| feature < split.feature) as u32;
        Self { nodes, columns: tree.splits().map(column).collect() }
    }

    /// The place of a node among the splits.
    pub(crate) fn place(&self, node: u32) -> u32 {
        self.nodes.partition_point(|&n| n < node) as u32
    }

    /// Writes for each split 1 where a row goes left, else 0.
    pub(crate) fn decide(&self, tree: &Tree, block: &Block, into: &mut Vec<Lanes<u8>>) {
        into.resize(into.len().max(self.nodes.len()), [0; LANES]);
        for ((&node, &column), lanes) in self.nodes.iter().zip(&self.columns).zip(into) {
            if let Some(split) = split_at(tree, node) {
                decide(split, &block.columns[column as usize], lanes);
            }
        }
    }
}

/// The split of a node that is one.
pub(crate) fn split_at(tree: &Tree, node: u32) -> Option<&Split> {
    match &tree.nodes[node as usize] {
        TreeNode::Split(split) => Some(split),
        TreeNode::Leaf { .. } => None,
    }
}

fn decide(split: &Split, column: &Lanes<f64>, into: &mut Lanes<u8>) {
    match &split.test {
        // The common case without branches, so that it is compiled to vector instructions.
        Test::AtMost(threshold) if !split.missing.zero => {
            let nan_left = u8::from(split.missing.nan_left);
            for (to, &x) in into.iter_mut().zip(column) {
                *to = u8::from(x <= *threshold) | (nan_left & u8::from(x.is_nan()));
            }
        }
        _ => into.iter_mut().zip(column).for_each(|(to, &x)| *to = u8::from(split.goes_left(x))),
    }
}

/// The features that some split uses, ascending.
pub(crate) fn used_features(ensemble: &TreeEnsemble) -> Vec<u32> {
    let mut is_used = vec![false; ensemble.n_features];
    ensemble.trees.iter().flat_map(Tree::splits).for_each(|split| is_used[split.feature as usize] = true);
    (0..ensemble.n_features as u32).filter(|&feature| is_used[feature as usize]).collect()
}

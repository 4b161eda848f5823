//! The arrays that scikit-learn keeps its trees in → trees.

use ndarray::ArrayView2;

use crate::ensemble::{Missing, Split, Test, Tree, TreeNode};
use crate::error::Error;

/// One tree as arrays with one place a node, children behind parents. Rows with `x <= threshold` go left.
#[derive(Clone, Copy, Debug)]
pub struct TreeArrays<'a> {
    /// The left child; negative at leaves.
    pub left: &'a [i64],
    /// The right child.
    pub right: &'a [i64],
    /// The tested feature.
    pub feature: &'a [i64],
    /// What it is compared with.
    pub threshold: &'a [f64],
    /// Whether a missing value goes left.
    pub missing_left: &'a [bool],
    /// The weight of the training rows that came here.
    pub cover: &'a [f64],
    /// `[nodes, outputs]`; those of splits are not looked at.
    pub values: ArrayView2<'a, f64>,
    /// The first of the outputs that leaves add to.
    pub first_output: usize,
}

/// The tree that arrays describe.
///
/// # Errors
/// [`Error::Format`] for arrays of different lengths, or numbers that are no nodes.
pub fn tree_of_arrays(arrays: &TreeArrays<'_>) -> Result<Tree, Error> {
    let fault = |reason: String| Error::Format { format: "scikit-learn", reason };
    let n_nodes = arrays.left.len();
    let lengths = [
        arrays.right.len(),
        arrays.feature.len(),
        arrays.threshold.len(),
        arrays.missing_left.len(),
        arrays.cover.len(),
        arrays.values.nrows(),
    ];
    if lengths.iter().any(|&n| n != n_nodes) {
        return Err(fault(format!("its arrays have {n_nodes} and {lengths:?} places")));
    }
    let number = |n: i64| u32::try_from(n).map_err(|_| fault(format!("{n} is no node and no feature")));
    let mut tree = Tree {
        nodes: Vec::with_capacity(n_nodes),
        leaf_values: Vec::new(),
        outputs: arrays.first_output..arrays.first_output + arrays.values.ncols(),
    };
    let mut n_leaves = 0;
    for node in 0..n_nodes {
        let cover = arrays.cover[node];
        if arrays.left[node] < 0 {
            tree.nodes.push(TreeNode::Leaf { leaf: n_leaves, cover });
            tree.leaf_values.extend(arrays.values.row(node));
            n_leaves += 1;
            continue;
        }
        tree.nodes.push(TreeNode::Split(Split {
            feature: number(arrays.feature[node])?,
            test: Test::AtMost(arrays.threshold[node]),
            missing: Missing { nan_left: arrays.missing_left[node], zero: false },
            left: number(arrays.left[node])?,
            right: number(arrays.right[node])?,
            cover,
            gain: 0.0,
        }));
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn arrays_become_a_tree() {
        let values = array![[0.0], [1.5], [-2.0]];
        let arrays = TreeArrays {
            left: &[1, -1, -1],
            right: &[2, -1, -1],
            feature: &[3, -2, -2],
            threshold: &[0.5, -2.0, -2.0],
            missing_left: &[true, false, false],
            cover: &[10.0, 4.0, 6.0],
            values: values.view(),
            first_output: 2,
        };
        let tree = tree_of_arrays(&arrays).expect("a tree");
        assert_eq!((tree.outputs.clone(), tree.leaf_values.clone()), (2..3, vec![1.5, -2.0]));
        let leaf = |x: f64| tree.leaf_of(&[0.0, 0.0, 0.0, x]);
        assert_eq!([leaf(0.5), leaf(0.6), leaf(f64::NAN)], [0, 1, 0]);
        assert!(tree_of_arrays(&TreeArrays { left: &[1, -1], ..arrays }).is_err());
        assert!(tree_of_arrays(&TreeArrays { feature: &[-3, -2, -2], ..arrays }).is_err());
    }
}

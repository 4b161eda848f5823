//! Covers counted again from a background: for files that hold none, and for other weights than those of training.

use rayon::prelude::*;

use crate::ensemble::{Tree, TreeEnsemble, TreeNode};
use crate::error::Error;
use crate::rows::Rows;

/// Rows that are filled in at once.
const BLOCK: usize = 1024;

impl TreeEnsemble {
    /// Makes each cover the number of `background` rows that come to the node, after which path-dependent methods
    /// average over these rows' splits. Memory does not grow with the number of rows.
    ///
    /// # Errors
    /// Rows of another width than the model, or none at all.
    pub fn recount_covers(&mut self, background: Rows<'_>) -> Result<(), Error> {
        background.check(self, "background")?;
        let (n_rows, n_features) = (background.n_rows(), self.n_features);
        if n_rows == 0 {
            let reason = "no rows, from which no covers are counted".to_owned();
            return Err(Error::Rows { what: "background", reason });
        }
        let mut counts: Vec<Vec<u64>> = self.trees.iter().map(|tree| vec![0; tree.nodes.len()]).collect();
        let mut block = vec![0.0; n_features * BLOCK.min(n_rows)];
        for start in (0..n_rows).step_by(BLOCK) {
            let n = BLOCK.min(n_rows - start);
            if n_features > 0 {
                let rows = block.par_chunks_mut(n_features).take(n).enumerate();
                rows.for_each(|(index, row)| background.fill(start + index, self, row));
            }
            let row = |index: usize| &block[index * n_features..][..n_features];
            self.trees.par_iter().zip(&mut counts).for_each(|(tree, counts)| {
                (0..n).for_each(|index| tree.count_path(row(index), counts));
            });
        }
        for (tree, counts) in self.trees.iter_mut().zip(&counts) {
            tree.nodes.iter_mut().zip(counts).for_each(|(node, &count)| node.set_cover(count as f64));
        }
        self.has_covers = true;
        Ok(())
    }
}

impl Tree {
    /// Adds 1 to each node on a row's path.
    fn count_path(&self, row: &[f64], counts: &mut [u64]) {
        let mut index = 0;
        loop {
            counts[index] += 1;
            let TreeNode::Split(split) = &self.nodes[index] else { return };
            let left = split.goes_left(row[split.feature as usize]);
            index = if left { split.left } else { split.right } as usize;
        }
    }
}

impl TreeNode {
    fn set_cover(&mut self, count: f64) {
        match self {
            Self::Split(split) => split.cover = count,
            Self::Leaf { cover, .. } => *cover = count,
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::rows::Csr;
    use crate::testing::*;

    const SHAPE: Shape = Shape { n_trees: 6, depth: 7, n_features: 5, n_outputs: 2 };

    fn table(n_rows: usize) -> Array2<f64> {
        let rows = random_rows(7, n_rows, SHAPE.n_features);
        Array2::from_shape_fn((n_rows, SHAPE.n_features), |(i, j)| rows[i][j])
    }

    /// The splits above each node, and which way they are taken.
    fn paths(tree: &Tree) -> Vec<Vec<(usize, bool)>> {
        let mut paths = vec![Vec::new(); tree.nodes.len()];
        for (index, node) in tree.nodes.iter().enumerate() {
            if let TreeNode::Split(split) = node {
                for (child, left) in [(split.left, true), (split.right, false)] {
                    paths[child as usize] = [paths[index].clone(), vec![(index, left)]].concat();
                }
            }
        }
        paths
    }

    #[test]
    fn each_cover_is_the_number_of_rows_that_pass_all_splits_above() {
        let mut ensemble = random_ensemble(3, SHAPE);
        let background = table(2500);
        ensemble.recount_covers(Rows::F64(background.view())).expect("rows fit");
        for tree in &ensemble.trees {
            for (node, path) in tree.nodes.iter().zip(paths(tree)) {
                let passes = |row: &[f64]| {
                    path.iter().all(|&(index, left)| match &tree.nodes[index] {
                        TreeNode::Split(split) => split.goes_left(row[split.feature as usize]) == left,
                        TreeNode::Leaf { .. } => false,
                    })
                };
                let rows = background.rows();
                let count = rows.into_iter().filter(|row| passes(row.as_slice().expect("in order"))).count();
                assert_eq!(node.cover(), count as f64);
            }
        }
    }

    #[test]
    fn the_expected_value_becomes_the_mean_margin_of_the_background() {
        let mut ensemble = random_ensemble(4, SHAPE);
        ensemble.has_covers = false;
        let background = table(1500);
        ensemble.recount_covers(Rows::F64(background.view())).expect("rows fit");
        let expected = ensemble.expected_value().expect("covers");
        let margins = ensemble.margins(Rows::F64(background.view())).expect("rows fit");
        for (output, expected) in expected.iter().enumerate() {
            let mean = margins.column(output).sum() / 1500.0;
            assert!((mean - expected).abs() < 1e-12, "{mean} {expected}");
        }
    }

    #[test]
    fn sparse_rows_count_as_dense_ones() {
        let dense = Array2::from_shape_fn((3, 5), |(i, j)| if i == j { 0.5 } else { 0.0 });
        let sparse =
            Csr { starts: vec![0, 1, 2, 3], columns: vec![0, 1, 2], values: vec![0.5; 3], n_columns: 5 };
        let recounted = |rows: Rows<'_>| {
            let mut ensemble = random_ensemble(5, SHAPE);
            ensemble.recount_covers(rows).expect("rows fit");
            ensemble
        };
        assert_eq!(recounted(Rows::F64(dense.view())), recounted(Rows::Sparse(&sparse)));
    }

    #[test]
    fn a_background_without_rows_or_of_another_width_is_refused() {
        let mut ensemble = random_ensemble(5, SHAPE);
        let before = ensemble.clone();
        let error = ensemble.recount_covers(Rows::F64(Array2::zeros((0, 5)).view())).expect_err("no rows");
        assert_eq!(error.to_string(), "background: no rows, from which no covers are counted");
        let error = ensemble.recount_covers(Rows::F64(Array2::zeros((1, 4)).view())).expect_err("4 columns");
        assert!(error.to_string().starts_with("background: 4 columns"));
        assert_eq!(ensemble, before);
    }
}

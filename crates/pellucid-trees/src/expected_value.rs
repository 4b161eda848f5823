//! What a tree is expected to give before any feature is known: the mean of its leaves, weighted by covers.

use crate::ensemble::{Split, Tree, TreeEnsemble, TreeNode};
use crate::error::Error;

impl TreeEnsemble {
    /// The margin that is expected where no feature is known, `[outputs]`: the base value of the path-dependent methods.
    ///
    /// # Errors
    /// An ensemble without covers.
    pub fn expected_value(&self) -> Result<Vec<f64>, Error> {
        self.check_covers("the expected value")?;
        let mut sums = vec![0.0; self.n_outputs()];
        for tree in &self.trees {
            let root = &tree.expectations()[..tree.width()];
            tree.outputs.clone().zip(root).for_each(|(output, value)| sums[output] += value);
        }
        Ok(sums.iter().zip(&self.base_scores).map(|(sum, base)| base + self.scale * sum).collect())
    }

    /// Fails where the nodes do not tell how many training rows reached them. `what` needs them.
    pub(crate) fn check_covers(&self, what: &str) -> Result<(), Error> {
        if self.has_covers {
            return Ok(());
        }
        Err(Error::Unsupported {
            what: format!("{what} of a model whose nodes have no covers"),
            hint: "give a background and take an interventional method, or count the covers from it (`recount_covers`)"
                .to_owned(),
        })
    }
}

impl Tree {
    /// For each node the mean of the leaves below it, weighted by covers, `[nodes, width]`; 0 where no training row came by.
    pub(crate) fn expectations(&self) -> Vec<f64> {
        let width = self.width();
        let mut values = vec![0.0; self.nodes.len() * width];
        // Children stand behind their parents.
        for (index, node) in self.nodes.iter().enumerate().rev() {
            match node {
                TreeNode::Leaf { leaf, .. } => {
                    values[index * width..][..width].copy_from_slice(self.leaf(*leaf));
                }
                TreeNode::Split(split) => {
                    for (child, share) in self.shares(split) {
                        for output in 0..width {
                            values[index * width + output] += share * values[child as usize * width + output];
                        }
                    }
                }
            }
        }
        values
    }

    /// The children of a split, and the share of the cover that goes to each; 0 where no training row came by.
    pub(crate) fn shares(&self, split: &Split) -> [(u32, f64); 2] {
        let cover = |child: u32| self.nodes[child as usize].cover();
        let total = cover(split.left) + cover(split.right);
        [split.left, split.right].map(|child| (child, if total > 0.0 { cover(child) / total } else { 0.0 }))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Shape, chain, path_dependent_game, random_ensemble, random_rows};

    #[test]
    fn the_expected_value_is_the_game_of_nobody() {
        for seed in 0..10 {
            let shape = Shape { n_trees: 6, depth: seed as usize % 5, n_features: 4, n_outputs: 2 };
            let mut ensemble = random_ensemble(seed, shape);
            ensemble.scale = 0.25;
            let row = &random_rows(seed, 1, 4)[0];
            let expected = ensemble.expected_value().expect("covers");
            for (output, value) in expected.iter().enumerate() {
                assert!((value - path_dependent_game(&ensemble, row, output)[0]).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_model_without_covers_has_no_expected_value() {
        let mut ensemble = chain(3, 2);
        ensemble.has_covers = false;
        let error = ensemble.expected_value().expect_err("no covers").to_string();
        assert!(error.contains("no covers") && error.contains("background"), "{error}");
    }
}

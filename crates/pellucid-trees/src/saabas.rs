#![doc = include_str!("saabas.md")]

use ndarray::{Array2, Array3, ArrayViewMut2, Axis};
use pellucid_core::{Attribution, Work};
use rayon::prelude::*;

use crate::ensemble::{Tree, TreeEnsemble, TreeNode};
use crate::error::Error;
use crate::rows::Rows;

/// Saabas values of the margin, `[rows, outputs, features]`.
///
/// # Errors
/// Rows of another width than the model, a model without covers, cancellation.
pub fn saabas(ensemble: &TreeEnsemble, rows: Rows<'_>, work: &Work) -> Result<Attribution, Error> {
    ensemble.check()?;
    rows.check(ensemble, "rows")?;
    let base_values = ensemble.expected_value()?;
    let expectations: Vec<Vec<f64>> = ensemble.trees.par_iter().map(Tree::expectations).collect();
    let mut values = Array3::zeros((rows.n_rows(), ensemble.n_outputs(), ensemble.n_features));
    work.progress.begin(rows.n_rows());
    let outcome = values.axis_iter_mut(Axis(0)).into_par_iter().enumerate().try_for_each_init(
        || vec![0.0; ensemble.n_features],
        |row, (index, mut values)| {
            work.check()?;
            rows.fill(index, ensemble, row);
            for (tree, expectations) in ensemble.trees.iter().zip(&expectations) {
                add_steps(tree, expectations, row, &mut values);
            }
            values *= ensemble.scale;
            work.progress.advance(1);
            Ok(())
        },
    );
    work.progress.end();
    outcome.map_err(Error::Core)?;
    let outputs = ensemble.margins(rows)?;
    let base_values = Array2::from_shape_fn(outputs.dim(), |(_, output)| base_values[output]);
    Ok(Attribution::new(values.into_dyn(), outputs.into_dyn()).with_base_values(base_values.into_dyn()))
}

/// Walks a row down a tree.
fn add_steps(tree: &Tree, expectations: &[f64], row: &[f64], values: &mut ArrayViewMut2<'_, f64>) {
    let at = |node: usize, output: usize| expectations[node * tree.width() + output];
    let mut node = 0;
    while let TreeNode::Split(split) = &tree.nodes[node] {
        let left = split.goes_left(row[split.feature as usize]);
        let child = if left { split.left } else { split.right } as usize;
        for (place, output) in tree.outputs.clone().enumerate() {
            values[[output, split.feature as usize]] += at(child, place) - at(node, place);
        }
        node = child;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Shape, chain, path_dependent_game, random_ensemble, random_rows, table};

    #[test]
    fn steps_add_up_to_the_margin() {
        for seed in 0..20 {
            let shape = Shape { n_trees: 7, depth: seed as usize % 8, n_features: 9, n_outputs: 3 };
            let mut ensemble = random_ensemble(seed, shape);
            ensemble.scale = 0.5;
            let rows = table(&random_rows(seed, 20, 9));
            let result = saabas(&ensemble, Rows::F64(rows.view()), &Work::default()).expect("fits");
            assert!(result.convergence_delta.expect("promised").iter().all(|gap| gap.abs() < 1e-12));
        }
    }

    /// Along one path, a step is what the next feature adds to those before it in the path-dependent game.
    #[test]
    fn a_step_is_the_marginal_contribution_in_the_order_of_the_path() {
        let ensemble = chain(8, 8);
        let rows = random_rows(3, 30, 8);
        let of_rows = table(&rows);
        let result = saabas(&ensemble, Rows::F64(of_rows.view()), &Work::default()).expect("fits");
        for (index, row) in rows.iter().enumerate() {
            let game = path_dependent_game(&ensemble, row, 0);
            for feature in 0..8 {
                let step = game[(2 << feature) - 1] - game[(1 << feature) - 1];
                assert!((result.values[[index, 0, feature]] - step).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_model_without_covers_is_refused() {
        let ensemble = TreeEnsemble { has_covers: false, ..chain(3, 3) };
        let rows = table(&random_rows(1, 1, 3));
        let error = saabas(&ensemble, Rows::F64(rows.view()), &Work::default()).expect_err("no covers");
        assert!(error.to_string().contains("covers"), "{error}");
    }
}

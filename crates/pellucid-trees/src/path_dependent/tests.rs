use ndarray::Array2;

use super::*;
use crate::ensemble::*;
use crate::testing::*;

fn table(rows: &[Vec<f64>]) -> Array2<f64> {
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

fn scale_of(values: &[f64]) -> f64 {
    values.iter().fold(1e-30, |most: f64, value| most.max(value.abs()))
}

fn check_close(found: &[f64], expected: &[f64], scale: f64, what: &str) {
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs() / scale;
        assert!(
            error <= 1e-6,
            "{what}, value {index}: {found} instead of {expected}, off by {error:e} of {scale}"
        );
    }
}

/// All levels against the definition, over all coalitions.
fn check(ensemble: &TreeEnsemble, rows: &[Vec<f64>]) {
    let values = table(rows);
    for level in Level::available() {
        let shapley = PathDependent::new(ensemble).unwrap().at_level(level);
        let banzhaf = PathDependent::banzhaf(ensemble).unwrap().at_level(level);
        let [shapley, banzhaf] = [shapley, banzhaf]
            .map(|method| method.explain(Rows::F64(values.view()), &Work::default()).unwrap());
        for (index, row) in rows.iter().enumerate() {
            let row: Vec<f64> = row.iter().map(|&x| ensemble.compared(x)).collect();
            for output in 0..ensemble.n_outputs() {
                let game = path_dependent_game(ensemble, &row, output);
                let scale = game.iter().fold(0.0_f64, |most, value| most.max((value - game[0]).abs()));
                let what = format!("{level:?}, row {index}, output {output}");
                let found = shapley.row(index, output).into_raw_vec_and_offset().0;
                check_close(&found, &shapley_values(&game), scale.max(1e-30), &what);
                let found = banzhaf.row(index, output).into_raw_vec_and_offset().0;
                check_close(&found, &banzhaf_values(&game), scale.max(1e-30), &what);
            }
        }
    }
}

#[test]
fn values_are_those_of_the_game() {
    for seed in 0..30 {
        let depth = 1 + seed as usize % 8;
        let n_features = 2 + seed as usize % 7;
        let n_trees = 1 + seed as usize % 12;
        let ensemble =
            random_ensemble(seed, Shape { n_trees, depth, n_features, n_outputs: 1 + seed as usize % 3 });
        check(&ensemble, &random_rows(seed, 19, n_features));
    }
}

#[test]
fn deep_trees_with_few_features_repeat_them() {
    for seed in 0..4 {
        let ensemble = random_ensemble(seed, Shape { n_trees: 2, depth: 14, n_features: 3, n_outputs: 1 });
        check(&ensemble, &random_rows(seed, 20, 3));
    }
}

#[test]
fn more_points_than_one_walk_carries() {
    let ensemble = random_ensemble(3, Shape { n_trees: 2, depth: 13, n_features: 14, n_outputs: 1 });
    check(&ensemble, &random_rows(3, 3, 14));
}

#[test]
fn scale_and_vector_leaves() {
    let mut ensemble = random_ensemble(5, Shape { n_trees: 3, depth: 5, n_features: 5, n_outputs: 1 });
    ensemble.scale = 0.25;
    ensemble.base_scores = vec![0.5, -1.0, 7.0];
    for tree in &mut ensemble.trees {
        tree.outputs = 0..3;
        tree.leaf_values = tree.leaf_values.iter().flat_map(|&v| [v, 3.0 - v * v, 10.0 * v]).collect();
    }
    ensemble.trees[1].outputs = 1..3;
    ensemble.trees[1].leaf_values =
        ensemble.trees[1].leaf_values.chunks(3).flat_map(|v| [v[2], v[0]]).collect();
    check(&ensemble, &random_rows(5, 20, 5));
}

#[test]
fn values_add_up_to_the_margin() {
    let ensemble = random_ensemble(9, Shape { n_trees: 40, depth: 7, n_features: 30, n_outputs: 2 });
    let rows = table(&random_rows(9, 300, 30));
    let attribution = path_dependent(&ensemble, Rows::F64(rows.view()), &Work::default()).unwrap();
    let scale = scale_of(attribution.outputs.as_slice().unwrap());
    let delta = attribution.convergence_delta.unwrap();
    assert!(delta.iter().all(|d| d.abs() <= 1e-6 * scale), "{}", scale_of(delta.as_slice().unwrap()));
    assert_eq!(attribution.outputs, ensemble.margins(Rows::F64(rows.view())).unwrap().into_dyn());
}

use ndarray::{Array2, ArrayViewD};
use pellucid_core::Work;

use super::*;
use crate::ensemble::{Tree, TreeNode};
use crate::testing::{
    Shape, banzhaf_values, chain, interaction_values, interventional_game, pairwise_values, random_ensemble,
    random_rows, shapley_values, table,
};

fn assert_near(name: &str, actual: ArrayViewD<'_, f64>, expected: &[f64]) {
    assert_eq!(actual.len(), expected.len(), "{name}");
    for (a, b) in actual.iter().zip(expected) {
        assert!((a - b).abs() < 1e-11, "{name}: {actual} instead of {expected:?}");
    }
}

#[test]
fn values_are_those_of_all_coalitions() {
    for seed in 0..12 {
        let depth = 1 + seed as usize % 8;
        let mut ensemble = random_ensemble(seed, Shape { n_trees: 4, depth, n_features: 8, n_outputs: 2 });
        ensemble.scale = 0.5;
        let (rows, background) = (random_rows(seed, 5, 8), random_rows(seed + 100, 7, 8));
        let (table, all) = (table(&rows), table(&background));
        let prepared = Interventional::new(&ensemble, Rows::F64(all.view()), &Work::default()).expect("fits");
        let shapley = prepared.explain(Rows::F64(table.view()), &Work::default()).expect("fits");
        let banzhaf = prepared.banzhaf(Rows::F64(table.view()), &Work::default()).expect("fits");
        for (row, values) in rows.iter().enumerate() {
            for output in 0..2 {
                let game = interventional_game(&ensemble, values, &background, |margins| margins[output]);
                assert_near("Shapley", shapley.row(row, output).view(), &shapley_values(&game));
                assert_near("Banzhaf", banzhaf.row(row, output).view(), &banzhaf_values(&game));
                assert!((prepared.base_values()[output] - game[0]).abs() < 1e-12);
            }
        }
        let delta = shapley.convergence_delta.expect("promised");
        assert!(delta.iter().all(|gap| gap.abs() < 1e-12), "{delta}");
    }
}

#[test]
fn interactions_are_those_of_all_coalitions() {
    for seed in 0..6 {
        let shape = Shape { n_trees: 3, depth: 2 + seed as usize, n_features: 7, n_outputs: 2 };
        let ensemble = random_ensemble(seed, shape);
        let (rows, background) = (random_rows(seed, 3, 7), random_rows(seed + 50, 5, 7));
        let (of_rows, of_background) = (table(&rows), table(&background));
        let (all, reference) = (Rows::F64(of_rows.view()), Rows::F64(of_background.view()));
        let result = interventional_interactions(&ensemble, all, reference, &Work::default()).expect("fits");
        for (row, values) in rows.iter().enumerate() {
            for output in 0..2 {
                let game = interventional_game(&ensemble, values, &background, |margins| margins[output]);
                assert_near("interactions", result.row(row, output).view(), &interaction_values(&game));
            }
        }
    }
}

/// Against a slow recursion over each pair of row and background row.
fn check_pairwise(name: &str, ensemble: &TreeEnsemble, rows: &[Vec<f64>], background: &[Vec<f64>]) {
    let (of_rows, of_background) = (table(rows), table(background));
    let (all, background_rows) = (Rows::F64(of_rows.view()), Rows::F64(of_background.view()));
    let attribution = interventional(ensemble, all, background_rows, &Work::default()).expect("fits");
    for (row, values) in rows.iter().enumerate() {
        for output in 0..ensemble.n_outputs() {
            let mut mean = vec![0.0; values.len()];
            for reference in background {
                let pair = pairwise_values(ensemble, values, reference, output);
                mean.iter_mut().zip(pair).for_each(|(to, value)| *to += value / background.len() as f64);
            }
            assert_near(name, attribution.row(row, output).view(), &mean);
        }
    }
}

#[test]
fn leaves_of_many_features_go_without_tables() {
    for seed in 0..3 {
        // Most of the lowest leaves lie behind more than 12 features.
        let shape = Shape { n_trees: 2, depth: 15, n_features: 60, n_outputs: 1 };
        let ensemble = random_ensemble(seed, shape);
        check_pairwise("depth 15", &ensemble, &random_rows(seed, 3, 60), &random_rows(seed + 9, 20, 60));
    }
}

#[test]
fn trees_deeper_than_60_are_exact() {
    for (depth, n_features) in [(61, 5), (70, 14), (80, 80), (200, 150)] {
        let ensemble = chain(depth, n_features);
        ensemble.check().expect("a tree");
        let inner = |seed, n| -> Vec<Vec<f64>> {
            let shrink = |x: f64| if x.is_nan() { x } else { x.rem_euclid(1.0) - 0.5 };
            random_rows(seed, n, n_features)
                .iter()
                .map(|row| row.iter().map(|&x| shrink(x)).collect())
                .collect()
        };
        check_pairwise("chain", &ensemble, &inner(1, 3), &inner(2, 20));
    }
}

fn explained(
    ensemble: &TreeEnsemble,
    rows: &[Vec<f64>],
    background: &[Vec<f64>],
    work: &Work,
) -> Attribution {
    let (rows, background) = (table(rows), table(background));
    interventional(ensemble, Rows::F64(rows.view()), Rows::F64(background.view()), work).expect("fits")
}

#[test]
fn the_same_bits_for_any_threads_batch_order_and_memory() {
    let ensemble = random_ensemble(6, Shape { n_trees: 12, depth: 9, n_features: 20, n_outputs: 2 });
    let (rows, background) = (random_rows(1, 300, 20), random_rows(2, 200, 20));
    let all = explained(&ensemble, &rows, &background, &Work::default());
    for n_threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().expect("a pool");
        assert_eq!(pool.install(|| explained(&ensemble, &rows, &background, &Work::default())), all);
    }
    let little = Work { max_memory_bytes: 1 << 16, ..Work::default() };
    assert_eq!(explained(&ensemble, &rows, &background, &little), all);
    let reversed: Vec<Vec<f64>> = rows[100..].iter().rev().cloned().collect();
    let part = explained(&ensemble, &reversed, &background, &Work::default());
    for row in 100..300 {
        assert_eq!(part.row(299 - row, 1), all.row(row, 1));
    }
}

#[test]
fn weights_are_repeated_rows() {
    let ensemble = random_ensemble(7, Shape { n_trees: 10, depth: 6, n_features: 8, n_outputs: 1 });
    let (rows, background) = (random_rows(1, 5, 8), random_rows(2, 3, 8));
    let repeated = [background.clone(), background[1..].to_vec(), background[2..].to_vec()].concat();
    let expected = explained(&ensemble, &rows, &repeated, &Work::default());
    let (rows, background) = (table(&rows), table(&background));
    let reference = Rows::F64(background.view());
    let weighted = Interventional::weighted(&ensemble, reference, &[0.5, 1.0, 1.5], &Work::default());
    let result = weighted.expect("fits").explain(Rows::F64(rows.view()), &Work::default()).expect("fits");
    assert_near("weights", result.values.view(), &expected.values.into_iter().collect::<Vec<f64>>());
    let refused = |weights: &[f64]| {
        let result = Interventional::weighted(&ensemble, reference, weights, &Work::default());
        result.err().expect("no weights").to_string()
    };
    assert!(refused(&[1.0]).contains("1 weights for 3 rows"));
    for weights in [[0.0; 3], [1.0, -1.0, 1.0], [1.0, f64::NAN, 1.0]] {
        assert!(refused(&weights).contains("not all 0"));
    }
}

#[test]
fn vector_leaves_and_trees_without_splits_are_explained() {
    let mut ensemble = random_ensemble(9, Shape { n_trees: 4, depth: 4, n_features: 6, n_outputs: 3 });
    for tree in &mut ensemble.trees {
        let values = tree.leaf_values.iter().flat_map(|&value| [value, 1.0 - value, 2.0 * value]).collect();
        (tree.leaf_values, tree.outputs) = (values, 0..3);
    }
    let leaf = TreeNode::Leaf { leaf: 0, cover: 3.0 };
    ensemble.trees.insert(1, Tree { nodes: vec![leaf], leaf_values: vec![0.5, 0.25], outputs: 1..3 });
    let (rows, background) = (random_rows(1, 5, 6), random_rows(2, 6, 6));
    check_pairwise("vector leaves", &ensemble, &rows, &background);
    let delta =
        explained(&ensemble, &rows, &background, &Work::default()).convergence_delta.expect("promised");
    assert!(delta.iter().all(|gap| gap.abs() < 1e-12));
    ensemble.trees.drain(2..);
    ensemble.trees.remove(0);
    let constant = explained(&ensemble, &rows, &background, &Work::default());
    assert!(constant.values.iter().all(|&value| value == 0.0));
    assert_eq!(constant.base_values, Some(constant.outputs));
}

#[test]
fn features_that_the_model_does_not_read_get_nothing() {
    let mut ensemble = random_ensemble(3, Shape { n_trees: 9, depth: 5, n_features: 6, n_outputs: 1 });
    ensemble.n_features = 8;
    let result = explained(&ensemble, &random_rows(1, 9, 8), &random_rows(2, 9, 8), &Work::default());
    assert!(result.values.slice(ndarray::s![.., .., 6..]).iter().all(|&value| value == 0.0));
}

#[test]
fn features_that_the_model_treats_alike_get_the_same() {
    let mut ensemble = random_ensemble(3, Shape { n_trees: 9, depth: 5, n_features: 6, n_outputs: 1 });
    let mut mirrored = ensemble.trees.clone();
    for node in mirrored.iter_mut().flat_map(|tree| &mut tree.nodes) {
        if let TreeNode::Split(split) = node {
            split.feature = [1, 0, 2, 3, 4, 5][split.feature as usize];
        }
    }
    ensemble.trees.extend(mirrored);
    let alike = |seed: u64| -> Vec<Vec<f64>> {
        random_rows(seed, 20, 6).into_iter().map(|row| [&row[..1], &row[..1], &row[2..]].concat()).collect()
    };
    let result = explained(&ensemble, &alike(1), &alike(2), &Work::default());
    for row in 0..20 {
        assert!((result.values[[row, 0, 0]] - result.values[[row, 0, 1]]).abs() < 1e-12);
    }
    assert!(result.values.slice(ndarray::s![.., 0, 0]).iter().any(|value| value.abs() > 0.01));
}

#[test]
fn what_does_not_fit_is_refused() {
    let ensemble = random_ensemble(3, Shape { n_trees: 2, depth: 2, n_features: 4, n_outputs: 1 });
    let ask = |n_columns: usize, n_background_columns: usize, n_background: usize| {
        let (rows, background) =
            (Array2::<f32>::zeros((2, n_columns)), Array2::zeros((n_background, n_background_columns)));
        let result =
            interventional(&ensemble, Rows::F32(rows.view()), Rows::F64(background.view()), &Work::default());
        result.expect_err("does not fit").to_string()
    };
    assert!(ask(3, 4, 2).starts_with("rows: 3 columns"));
    assert!(ask(4, 5, 2).starts_with("background: 5 columns"));
    assert!(ask(4, 4, 0).contains("no rows"));
    let deep = chain(20_000, 4);
    let rows = table(&random_rows(1, 1, 4));
    let result = interventional(&deep, Rows::F64(rows.view()), Rows::F64(rows.view()), &Work::default());
    assert!(result.expect_err("too deep").to_string().contains("a tree as deep as tree 0"));
    let work = Work::default();
    work.cancellation.cancel();
    let rows = table(&random_rows(1, 2, 4));
    let result = interventional(&ensemble, Rows::F64(rows.view()), Rows::F64(rows.view()), &work);
    assert_eq!(result.expect_err("canceled"), Error::Core(pellucid_core::Error::Canceled));
}

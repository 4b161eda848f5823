use ndarray::Array2;

use super::*;
use crate::ensemble::*;
use crate::rows::Csr;
use crate::testing::*;

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
        let interactions = PathDependent::interactions(ensemble).unwrap().at_level(level);
        let [shapley, banzhaf, interactions] = [shapley, banzhaf, interactions]
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
                let found = interactions.row(index, output).into_raw_vec_and_offset().0;
                check_close(&found, &interaction_values(&game), scale.max(1e-30), &what);
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

fn explained(ensemble: &TreeEnsemble, rows: Rows<'_>) -> Attribution {
    path_dependent(ensemble, rows, &Work::default()).unwrap()
}

#[test]
fn interactions_are_symmetric_and_sum_to_the_values() {
    let ensemble = random_ensemble(4, Shape { n_trees: 30, depth: 6, n_features: 12, n_outputs: 2 });
    let rows = table(&random_rows(4, 33, 12));
    let pairs = path_dependent_interactions(&ensemble, Rows::F64(rows.view()), &Work::default()).unwrap();
    let values = explained(&ensemble, Rows::F64(rows.view())).values;
    let scale = scale_of(values.as_slice().unwrap());
    assert_eq!(pairs.values.shape(), [33, 2, 12, 12]);
    let mut swapped = pairs.values.clone();
    swapped.swap_axes(2, 3);
    assert_eq!(pairs.values, swapped);
    let sums = pairs.values.sum_axis(ndarray::Axis(3));
    check_close(sums.as_slice().unwrap(), values.as_slice().unwrap(), scale, "rows of the matrix");
    assert!(pairs.convergence_delta.unwrap().iter().all(|delta| delta.abs() <= 1e-6 * scale * 12.0));
}

#[test]
fn features_that_no_tree_looks_at_get_0() {
    let mut ensemble = random_ensemble(2, Shape { n_trees: 9, depth: 5, n_features: 4, n_outputs: 1 });
    for node in ensemble.trees.iter_mut().flat_map(|tree| &mut tree.nodes) {
        if let TreeNode::Split(split) = node {
            split.feature *= 1000;
        }
    }
    ensemble.n_features = 4000;
    let rows = Array2::from_shape_fn((5, 4000), |(i, j)| ((i * 7 + j) % 11) as f64 / 5.0 - 1.0);
    let attribution = explained(&ensemble, Rows::F64(rows.view()));
    let used = |index: usize| index.is_multiple_of(1000);
    assert!(attribution.values.indexed_iter().all(|(at, &value)| used(at[2]) || value == 0.0));
    assert!(attribution.values.iter().any(|&value| value != 0.0));
}

#[test]
fn features_that_play_the_same_part_get_the_same() {
    // Each tree twice, the second time with the features 0 and 1 exchanged.
    let mut ensemble = random_ensemble(6, Shape { n_trees: 10, depth: 6, n_features: 5, n_outputs: 1 });
    let mut exchanged = ensemble.trees.clone();
    for node in exchanged.iter_mut().flat_map(|tree| &mut tree.nodes) {
        if let TreeNode::Split(split) = node {
            split.feature = [1, 0, 2, 3, 4][split.feature as usize];
        }
    }
    ensemble.trees.append(&mut exchanged);
    let mut rows = table(&random_rows(6, 20, 5));
    for mut row in rows.rows_mut() {
        row[1] = row[0];
    }
    let values = explained(&ensemble, Rows::F64(rows.view())).values;
    let scale = scale_of(values.as_slice().unwrap());
    for row in values.outer_iter() {
        check_close(&[row[[0, 0]]], &[row[[0, 1]]], scale, "exchanged features");
    }
}

#[test]
fn a_row_has_the_same_bits_wherever_it_stands() {
    let ensemble = random_ensemble(8, Shape { n_trees: 20, depth: 7, n_features: 9, n_outputs: 2 });
    let rows = table(&random_rows(8, 301, 9));
    let explainer = PathDependent::new(&ensemble).unwrap();
    let all = explainer.explain(Rows::F64(rows.view()), &Work::default()).unwrap().values;
    let backwards = Array2::from_shape_fn((301, 9), |(i, j)| rows[[300 - i, j]]);
    let work = Work { batch_size: Some(37), ..Work::default() };
    let reversed = explainer.explain(Rows::F64(backwards.view()), &work).unwrap().values;
    for (index, row) in all.outer_iter().enumerate() {
        assert_eq!(row, reversed.index_axis(ndarray::Axis(0), 300 - index), "row {index}");
    }
    for n_threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        let found = pool.install(|| explainer.explain(Rows::F64(rows.view()), &work).unwrap().values);
        assert_eq!(found, all, "{n_threads} threads");
    }
}

#[test]
fn sparse_and_f32_rows_are_explained_as_dense_f64_rows() {
    let mut ensemble = random_ensemble(11, Shape { n_trees: 20, depth: 6, n_features: 8, n_outputs: 1 });
    let rows = table(&random_rows(11, 50, 8)).mapv(|x| f64::from(x as f32));
    for absent in [0.0, f64::NAN] {
        ensemble.absent = absent;
        let is_absent = |x: f64| x == absent || (x.is_nan() && absent.is_nan());
        let mut sparse = Csr { starts: vec![0], columns: vec![], values: vec![], n_columns: 8 };
        for row in rows.rows() {
            for (column, &value) in row.iter().enumerate().filter(|(_, x)| !is_absent(**x)) {
                sparse.columns.push(column as u32);
                sparse.values.push(value);
            }
            sparse.starts.push(sparse.values.len());
        }
        let dense = explained(&ensemble, Rows::F64(rows.view())).values;
        assert_eq!(explained(&ensemble, Rows::Sparse(&sparse)).values, dense);
        assert_eq!(explained(&ensemble, Rows::F32(rows.mapv(|x| x as f32).view())).values, dense);
    }
}

/// A tree whose every split has a leaf on one side: feature `feature(i)` at depth `i`.
fn chain(depth: usize, feature: impl Fn(usize) -> usize) -> TreeEnsemble {
    let mut ensemble = random_ensemble(0, Shape { n_trees: 1, depth: 0, n_features: 1, n_outputs: 1 });
    let mut tree = Tree { nodes: Vec::new(), leaf_values: Vec::new(), outputs: 0..1 };
    for level in 0..depth {
        let (node, cover) = (tree.nodes.len() as u32, 0.95_f64.powi(level as i32));
        let split = Split {
            feature: feature(level) as u32,
            test: Test::AtMost(0.0),
            missing: Missing { nan_left: false, zero: false },
            left: node + 1,
            right: node + 2,
            cover,
            gain: 0.0,
        };
        let (split, leaf) = match level % 2 {
            0 => (split, TreeNode::Leaf { leaf: level as u32, cover: cover * 0.05 }),
            _ => (
                Split { left: node + 2, right: node + 1, ..split },
                TreeNode::Leaf { leaf: level as u32, cover: cover * 0.05 },
            ),
        };
        tree.nodes.extend([TreeNode::Split(split), leaf]);
        tree.leaf_values.push((level as f64 * 0.7).sin());
    }
    tree.nodes.push(TreeNode::Leaf { leaf: depth as u32, cover: 0.95_f64.powi(depth as i32) });
    tree.leaf_values.push(1.0);
    ensemble.n_features = (0..depth).map(&feature).max().unwrap() + 1;
    ensemble.trees = vec![tree];
    ensemble.check().unwrap();
    ensemble
}

/// Shapley values leaf by leaf in f64, the size of the coalitions by polynomials: for more features than can be
/// enumerated.
fn shapley_by_leaves(ensemble: &TreeEnsemble, row: &[f64]) -> Vec<f64> {
    let tree = &ensemble.trees[0];
    let mut values = vec![0.0; ensemble.n_features];
    let mut stack = vec![(0_usize, std::collections::BTreeMap::<u32, (f64, f64)>::new())];
    while let Some((index, path)) = stack.pop() {
        match &tree.nodes[index] {
            TreeNode::Leaf { leaf, .. } => {
                for (&feature, &(inside, share)) in &path {
                    let others = path.iter().filter(|(other, _)| **other != feature).map(|(_, pair)| *pair);
                    let by_size = others.fold(vec![1.0], |sizes: Vec<f64>, (inside, share)| {
                        let mut next = vec![0.0; sizes.len() + 1];
                        for (size, weight) in sizes.iter().enumerate() {
                            next[size] += share * weight;
                            next[size + 1] += inside * weight;
                        }
                        next
                    });
                    let n = path.len();
                    let mean: f64 =
                        by_size.iter().enumerate().map(|(s, w)| w / (n as f64 * binomial(n - 1, s))).sum();
                    values[feature as usize] += tree.leaf(*leaf)[0] * (inside - share) * mean;
                }
            }
            TreeNode::Split(split) => {
                let left = split.goes_left(row[split.feature as usize]);
                for (child, goes) in [(split.left, left), (split.right, !left)] {
                    let mut path = path.clone();
                    let entry = path.entry(split.feature).or_insert((1.0, 1.0));
                    entry.0 *= f64::from(u8::from(goes));
                    entry.1 *= tree.nodes[child as usize].cover() / split.cover;
                    stack.push((child as usize, path));
                }
            }
        }
    }
    values
}

#[test]
fn a_chain_of_70_splits_on_60_features_is_exact() {
    let ensemble = chain(70, |level| level % 60);
    for kind in 0..4 {
        let row: Vec<f64> = (0..60)
            .map(|j| {
                let on = if j % 2 == 0 { 1.0 } else { -1.0 };
                [on, -on, if j % 7 == 3 { -on } else { on }, if j > 40 { -on } else { on }][kind]
            })
            .collect();
        let expected = shapley_by_leaves(&ensemble, &row);
        for level in Level::available() {
            let explainer = PathDependent::new(&ensemble).unwrap().at_level(level);
            let rows = table(std::slice::from_ref(&row));
            let attribution = explainer.explain(Rows::F64(rows.view()), &Work::default()).unwrap();
            let output = attribution.outputs[[0, 0]];
            let scale = (output - explainer.base_values()[0]).abs().max(scale_of(&expected));
            check_close(attribution.values.as_slice().unwrap(), &expected, scale, "chain");
        }
    }
}

#[test]
fn a_tree_of_more_than_32768_nodes_is_explained() {
    let deep = chain(20_000, |level| level % 5);
    assert!(deep.trees[0].nodes.len() > 40_000);
    let rows = table(&random_rows(1, 2, 5));
    let attribution = explained(&deep, Rows::F64(rows.view()));
    assert!(attribution.convergence_delta.unwrap().iter().all(|delta| delta.abs() < 1e-6));
    let wide = random_ensemble(1, Shape { n_trees: 1, depth: 19, n_features: 9, n_outputs: 1 });
    assert!(wide.trees[0].nodes.len() > 32_768, "{}", wide.trees[0].nodes.len());
    let row = random_rows(1, 1, 9);
    let values = explained(&wide, Rows::F64(table(&row).view())).values;
    let game = path_dependent_game(&wide, &row[0], 0);
    check_close(values.as_slice().unwrap(), &shapley_values(&game), scale_of(&game), "a wide tree");
}

#[test]
fn trees_of_one_node_add_to_the_base_value_alone() {
    let ensemble = random_ensemble(1, Shape { n_trees: 3, depth: 0, n_features: 4, n_outputs: 1 });
    let rows = table(&random_rows(1, 3, 4));
    let attribution = explained(&ensemble, Rows::F64(rows.view()));
    assert!(attribution.values.iter().all(|&value| value == 0.0));
    assert_eq!(attribution.base_values.unwrap(), attribution.outputs);
    assert_eq!(explained(&ensemble, Rows::F64(Array2::zeros((0, 4)).view())).values.shape(), [0, 1, 4]);
}

#[test]
fn what_cannot_be_explained_is_named() {
    let mut ensemble = random_ensemble(1, Shape { n_trees: 3, depth: 3, n_features: 4, n_outputs: 1 });
    let rows = Array2::zeros((2, 3));
    let error = path_dependent(&ensemble, Rows::F64(rows.view()), &Work::default()).unwrap_err();
    assert_eq!(error.to_string(), "rows: 3 columns, but the model takes 4");
    let work = Work::default();
    work.cancellation.cancel();
    let rows = Array2::zeros((2, 4));
    let error = path_dependent(&ensemble, Rows::F64(rows.view()), &work).unwrap_err();
    assert_eq!(error, Error::Core(pellucid_core::Error::Canceled));
    let explainer = PathDependent::new(&ensemble).unwrap();
    let error = explainer.explain_block(Rows::F64(rows.view()), 1..3, &mut [0.0; 8]).unwrap_err();
    assert_eq!(error.to_string(), "rows: 1..3 of 2 rows into room for 8 values");
    ensemble.has_covers = false;
    let error = path_dependent(&ensemble, Rows::F64(rows.view()), &Work::default()).unwrap_err();
    assert!(error.to_string().contains("covers") && error.to_string().contains("background"), "{error}");
}

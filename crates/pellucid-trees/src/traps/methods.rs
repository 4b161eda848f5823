//! What methods for trees get wrong, whatever file the model came from.

use ndarray::{Array2, Axis};
use pellucid_core::{OutputSpace, Work};

use crate::ensemble::*;
use crate::every_method::check_every_method;
use crate::interventional::{interventional, interventional_interactions};
use crate::output_space::{self, interventional_in_space};
use crate::path_dependent::path_dependent;
use crate::readers::testing::*;
use crate::rows::{Csr, Rows};
use crate::saabas::saabas;
use crate::testing::*;

/// What values are checked against are the outputs of the source library, not of a second reading of the file, in which a
/// reader's fault cancels out.
#[test]
fn sums_are_checked_against_the_source_librarys_own_outputs() {
    for model in [xgboost("3.2.0", "dart"), lightgbm("missing_zero"), catboost("lossguide")] {
        let rows = Rows::F64(model.rows.view());
        let honest = path_dependent(&model.ensemble, rows, &Work::default()).expect("covers");
        assert_eq!(honest.outputs, model.expected("raw").into_dyn());
        let delta = honest.convergence_delta.expect("promised");
        assert!(delta.iter().all(|gap| gap.abs() < 1e-5), "{delta}");
    }
}

/// Values of a binary classifier are of one output in margin units, `[rows, 1, features]`.
#[test]
fn binary_classifiers_have_one_output_in_margin_units() {
    for model in [xgboost("3.2.0", "logistic"), lightgbm("binary"), catboost("logloss")] {
        let rows = Rows::F64(model.rows.view());
        let values = path_dependent(&model.ensemble, rows, &Work::default()).expect("covers").values;
        assert_eq!(values.shape(), [model.rows.nrows(), 1, model.rows.ncols()]);
        assert!(matches!(model.ensemble.link, Link::Sigmoid { .. }));
    }
}

/// Without a background the expected value weighs leaves by covers, with one it is the mean margin over all of its rows.
#[test]
fn the_expected_value_is_that_of_covers_or_of_the_whole_background() {
    for model in [xgboost("3.2.0", "squared"), lightgbm("regression"), catboost("rmse")] {
        let ensemble = &model.ensemble;
        let nobody = path_dependent_game(ensemble, &vec![0.0; ensemble.n_features], 0)[0];
        let expected = ensemble.expected_value().expect("covers")[0];
        assert!((expected - nobody).abs() <= 1e-12 * nobody.abs().max(1.0), "{expected}, not {nobody}");
        assert_values_add_up(&model, &model.expected("raw"));
    }
}

/// shap takes 100 rows of the background and says nothing, so that its expected value is another one.
#[test]
fn a_background_of_1000_rows_is_not_capped() {
    let ensemble = random_ensemble(4, Shape { n_trees: 5, depth: 4, n_features: 5, n_outputs: 1 });
    let (rows, mut background) = (table(&random_rows(1, 2, 5)), random_rows(2, 1100, 5));
    let explained = |background: &[Vec<f64>]| {
        let reference = table(background);
        interventional(&ensemble, Rows::F64(rows.view()), Rows::F64(reference.view()), &Work::default())
            .expect("rows fit")
    };
    let all = explained(&background);
    let mean = |rows: &[Vec<f64>]| {
        rows.iter().map(|row| margins_f64(&ensemble, row)[0]).sum::<f64>() / rows.len() as f64
    };
    let base_value = all.base_values.as_ref().expect("promised")[[0, 0]];
    assert!((base_value - mean(&background)).abs() < 1e-12);
    assert!((base_value - mean(&background[..100])).abs() > 1e-3);
    // The last row counts as much as the first.
    let last = background.len() - 1;
    background.swap(0, last);
    assert!((explained(&background).values - &all.values).iter().all(|gap| gap.abs() < 1e-13));
    let without = explained(&background[..last]).values - &all.values;
    assert!(without.iter().any(|gap| gap.abs() > 1e-9));
}

/// A split that no training row came to shares 0 of 0.
#[test]
fn branches_of_cover_0_are_0_not_nan() {
    let mut ensemble = random_ensemble(3, Shape { n_trees: 3, depth: 5, n_features: 6, n_outputs: 2 });
    for tree in &mut ensemble.trees {
        let TreeNode::Split(root) = &tree.nodes[0] else { panic!("a split") };
        // The whole left side, which comes before the right child.
        let left = root.left as usize..root.right as usize;
        assert!(left.len() > 1, "a split below the root");
        for node in &mut tree.nodes[left] {
            match node {
                TreeNode::Split(split) => split.cover = 0.0,
                TreeNode::Leaf { cover, .. } => *cover = 0.0,
            }
        }
    }
    check_every_method("cover 0", ensemble, 6);
}

/// shap's interactions with a background are zeros, without a word.
#[test]
fn interactions_with_a_background_are_not_zeros() {
    let ensemble = random_ensemble(4, Shape { n_trees: 20, depth: 5, n_features: 6, n_outputs: 1 });
    let (rows, background) = (table(&random_rows(1, 4, 6)), table(&random_rows(2, 50, 6)));
    let (all, reference) = (Rows::F64(rows.view()), Rows::F64(background.view()));
    let pairs = interventional_interactions(&ensemble, all, reference, &Work::default()).expect("fits");
    let values = interventional(&ensemble, all, reference, &Work::default()).expect("fits");
    let off_diagonal = pairs.values.indexed_iter().filter(|(place, _)| place[2] != place[3]);
    assert!(off_diagonal.map(|(_, value)| value.abs()).fold(0.0, f64::max) > 0.01);
    let gap = pairs.values.sum_axis(Axis(3)) - values.values;
    assert!(gap.iter().all(|gap| gap.abs() < 1e-12), "rows of the matrix sum to the values");
}

/// shap rescales margin values so that they add up to the probability, which is not its Shapley value (0.088 off).
#[test]
fn a_probability_is_not_explained_by_rescaled_margins() {
    let model = xgboost("3.2.0", "logistic");
    let (rows, background) =
        (model.rows.select(Axis(0), &[0, 1, 2, 3]), model.rows.select(Axis(0), &[5, 6, 7]));
    let explained = |space: OutputSpace| {
        let options =
            output_space::Options { space, labels: None, max_exact_features: 16, n_permutations: 2, seed: 0 };
        let (rows, background) = (Rows::F64(rows.view()), Rows::F64(background.view()));
        interventional_in_space(&model.ensemble, rows, background, None, &options, &Work::default())
            .expect("rows fit")
    };
    let (exact, margin) = (explained(OutputSpace::Probability), explained(OutputSpace::Margin));
    assert!(exact.standard_error.is_none());
    let reference = compared(&model.ensemble, &background);
    let mut apart = 0.0_f64;
    for (index, row) in compared(&model.ensemble, &rows).iter().enumerate() {
        let probability = |margins: &[f64]| 1.0 / (1.0 + (-margins[0]).exp());
        let game = interventional_game(&model.ensemble, row, &reference, probability);
        let values = exact.row(index, 0);
        assert_of_game("probability", &values, &game, &shapley_values(&game));
        let rescaled = margin.row(index, 0) * (values.sum() / margin.row(index, 0).sum());
        apart = (rescaled - values).iter().fold(apart, |most, gap| most.max(gap.abs()));
    }
    assert!(apart > 0.01, "{apart}");
}

/// Saabas values of the peers know numeric splits alone; here they follow categories and missing values as the model does.
#[test]
fn saabas_values_follow_categories_and_missing_values() {
    for model in [lightgbm("categories_only"), lightgbm("missing_zero"), xgboost("3.2.0", "partition")] {
        let raw = model.expected("raw").into_dyn();
        let result = saabas(&model.ensemble, Rows::F64(model.rows.view()), &Work::default()).expect("covers");
        let sums = result.values.sum_axis(Axis(2)) + result.base_values.expect("promised");
        assert!((sums - raw).iter().all(|gap| gap.abs() < 1e-5), "{}", model.name);
    }
}

/// shap keeps node ids in 16 bits and ends with a segfault on a tree of 39,999 nodes.
#[test]
fn a_tree_of_more_than_32_768_nodes_is_explained_by_every_method() {
    let ensemble = TreeEnsemble { has_covers: true, ..TreeEnsemble::new(vec![complete_tree(15, 6)], 6, 1) };
    assert!(ensemble.trees[0].nodes.len() > 40_000);
    check_every_method("65,535 nodes", ensemble, 6);
}

/// The weights of long paths cancel in peers that count permutations.
#[test]
fn paths_of_more_than_60_splits_are_explained_by_every_method() {
    for (depth, n_features) in [(61, 6), (200, 5)] {
        check_every_method(&format!("depth {depth}"), chain(depth, n_features), n_features);
    }
}

/// A tree that is one leaf adds to the base value alone.
#[test]
fn trees_of_one_node_are_explained_by_every_method() {
    let leaf = random_ensemble(1, Shape { n_trees: 3, depth: 0, n_features: 4, n_outputs: 2 });
    let mut among_others = random_ensemble(2, Shape { n_trees: 4, depth: 4, n_features: 4, n_outputs: 2 });
    among_others.trees.insert(1, leaf.trees[0].clone());
    check_every_method("one leaf", leaf, 4);
    check_every_method("one leaf among other trees", among_others, 4);
}

/// Thousands of features of which the trees use few cost no time of their own.
#[test]
fn few_of_5000_features_are_explained_by_every_method() {
    let ensemble = random_ensemble(8, Shape { n_trees: 10, depth: 5, n_features: 6, n_outputs: 1 });
    check_every_method("5,000 features", ensemble, 5000);
}

/// What a sparse row leaves out is missing for XGBoost and 0 for the others.
#[test]
fn cells_that_sparse_rows_leave_out_are_missing_for_xgboost_and_0_for_others() {
    for (model, absent) in [(xgboost("3.2.0", "squared"), f64::NAN), (lightgbm("missing_nan"), 0.0)] {
        let n = model.ensemble.n_features;
        let empty = Csr::new(vec![0, 0], Vec::new(), Vec::new(), n).expect("no cells");
        let full = Array2::from_elem((1, n), absent);
        let margins = |rows: Rows<'_>| model.ensemble.margins(rows).expect("rows fit");
        assert_eq!(margins(Rows::Sparse(&empty)), margins(Rows::F64(full.view())), "{}", model.name);
        let other = Array2::from_elem((1, n), if absent.is_nan() { 0.0 } else { f64::NAN });
        assert_ne!(margins(Rows::Sparse(&empty)), margins(Rows::F64(other.view())), "{}", model.name);
    }
}

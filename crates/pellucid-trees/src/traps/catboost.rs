//! What readers of CatBoost's files get wrong.

use super::{category_sets, check};
use crate::ensemble::*;
use crate::readers::read;
use crate::readers::testing::*;
use crate::testing::*;

/// NaN goes where the feature's `nan_value_treatment` says.
#[test]
fn nan_goes_where_nan_value_treatment_says() {
    let nan_left = |name: &str| -> Vec<bool> {
        let model = check(catboost(name));
        assert!(model.rows.iter().any(|x| x.is_nan()));
        model.splits().map(|split| split.missing.nan_left).collect()
    };
    assert!(nan_left("nan_min").into_iter().all(|left| left));
    assert!(nan_left("nan_forbidden").into_iter().all(|left| left));
    // Only the features that had gaps.
    let max = nan_left("nan_max");
    assert!(max.contains(&false) && max.contains(&true));
}

/// Borders are f32, and so are values before they are compared.
#[test]
fn values_are_rounded_to_f32() {
    let model = check(catboost("rmse"));
    let beside = model.splits().filter(|split| {
        let Test::AtMost(border) = split.test else { panic!("a border") };
        let above = border.next_up();
        // Above the border in f64, on it in f32; CatBoost itself judged such rows.
        assert!(split.goes_left(model.ensemble.compared(above)));
        model.rows.column(split.feature as usize).iter().any(|&x| x == above)
    });
    assert!(beside.count() > 3);
}

/// `scale_and_bias` belong to the prediction; shap leaves them out.
#[test]
fn scale_and_bias_belong_to_the_prediction() {
    let ensemble = check(catboost("scale_and_bias")).ensemble;
    assert_eq!((ensemble.scale, ensemble.base_scores), (2.5, vec![-1.25]));
    assert!(check(catboost("rmse")).ensemble.base_scores[0] != 0.0);
    let biases = check(catboost("multirmse")).ensemble.base_scores;
    assert!(biases.len() == 2 && biases[0] != biases[1]);
}

/// The value of a one-hot split is the hash of a category, which shap compares as a threshold.
#[test]
fn the_value_of_a_one_hot_split_is_a_hash_and_no_threshold() {
    let model = catboost("german_credit_one_hot").with_own_predictions();
    assert_values_add_up(&model, &model.expected("raw"));
    assert_interactions_add_up(&model, &model.expected("raw"));
    let sets = category_sets(&model);
    let in_a_set = |category: i32| sets.iter().any(|set| set.contains(f64::from(category)));
    assert!(in_a_set(0) && (1..5).any(in_a_set) && !in_a_set(77));
    let one_each = |set: &&CategorySet| set.words.iter().map(|word| word.count_ones()).sum::<u32>() == 1;
    assert!(sets.iter().all(one_each));
    let missing = Missing { nan_left: false, zero: false };
    let mut one_hot = model.splits().filter(|split| matches!(split.test, Test::In(_)));
    assert!(one_hot.all(|split| split.missing == missing));
    // With two features all coalitions can be counted.
    check(catboost("many_categories"));
}

/// A CTR is a statistic of the target; shap takes its index for a feature.
#[test]
fn the_index_of_a_ctr_is_no_feature() {
    let message = one_line(&read(&bytes("catboost/ctr.json")).expect_err("a CTR"));
    assert!(["CTR", "of color", "one_hot_max_size"].iter().all(|part| message.contains(part)), "{message}");
}

/// CatBoost's own `ShapValues` miss the prediction of Lossguide trees by 66 %, of Depthwise trees by 2 %.
#[test]
fn values_of_depthwise_and_lossguide_trees_add_up() {
    for name in ["depthwise", "lossguide", "depthwise_multiclass", "lossguide_multiclass"] {
        check(catboost(name));
    }
}

/// Nor do they add up on rows that come to leaves of weight 0.
#[test]
fn values_of_rows_in_leaves_of_weight_0_add_up() {
    for name in ["deep", "many_trees"] {
        let model = check(catboost(name));
        let is_empty = |tree: &Tree, leaf: u32| {
            let is_leaf = |node: &TreeNode| matches!(node, TreeNode::Leaf { leaf: l, .. } if *l == leaf);
            tree.nodes.iter().any(|node| is_leaf(node) && node.cover() == 0.0)
        };
        let in_an_empty_leaf =
            |row: &Vec<f64>| model.ensemble.trees.iter().any(|tree| is_empty(tree, tree.leaf_of(row)));
        let rows = compared(&model.ensemble, &model.rows);
        assert!(rows.iter().any(in_an_empty_leaf), "{name}: no row reaches a leaf of weight 0");
    }
}

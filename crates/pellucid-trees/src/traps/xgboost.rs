//! What readers of XGBoost's files get wrong.

use super::{category_sets, check};
use crate::ensemble::*;
use crate::readers::testing::*;

/// A row goes left where `x < t`, both in f32; shap compares rows as they come, in f64.
#[test]
fn thresholds_are_strict_and_in_f32() {
    for version in XGBOOST_VERSIONS {
        let model = check(xgboost(version, "squared_base_score"));
        let mut n_judged = 0;
        for split in model.splits() {
            let Test::AtMost(last) = split.test else { panic!("a threshold") };
            let threshold = f64::from((last as f32).next_up());
            let rounded = threshold * (1.0 - 1e-12);
            let goes_left = |x: f64| split.goes_left(model.ensemble.compared(x));
            assert!(goes_left(last) && !goes_left(threshold) && !goes_left(rounded));
            let column = model.rows.column(split.feature as usize);
            n_judged += column.iter().filter(|&&x| x == rounded || x == threshold).count();
        }
        assert!(n_judged >= 4, "{version}: XGBoost itself judged {n_judged} such cells");
    }
}

/// Missing values follow the direction that each split learned, not one side.
#[test]
fn missing_values_follow_default_left() {
    for version in XGBOOST_VERSIONS {
        let model = check(xgboost(version, "logistic_base_score"));
        let left = |wanted: bool| model.splits().any(|split| split.missing.nan_left == wanted);
        assert!(left(true) && left(false), "{version}");
        assert!(model.rows.row(model.rows.nrows() - 1).iter().all(|x| x.is_nan()));
    }
}

/// `base_score` is a prediction, of which the objective's link makes a margin: the logit for logistic objectives, the
/// logarithm for counts and survival, itself else; raw logistic took a probability before 1.3.
#[test]
fn base_scores_are_predictions() {
    let (logit, log) = (-(1.0_f32 / 0.3 - 1.0).ln(), 2.5_f32.ln());
    let check_base = |version: &str, name: &str, expected: f32| {
        let base_scores = xgboost(version, name).with_own_margins().ensemble.base_scores;
        assert_eq!(base_scores, [f64::from(expected)], "{version} {name}");
    };
    for version in XGBOOST_VERSIONS {
        check_base(version, "logistic_base_score", logit);
        check_base(version, "logitraw", if version == "1.0.2" { logit } else { 0.3 });
        check_base(version, "poisson", log);
        check_base(version, "squared_base_score", 152.25);
    }
    for version in ["1.7.6", "3.2.0"] {
        check_base(version, "reg_logistic", logit);
        check_base(version, "hinge", 0.3);
        check_base(version, "pseudo_huber", 3.5);
        ["gamma", "tweedie", "cox", "aft"].iter().for_each(|name| check_base(version, name, log));
    }
}

/// From 3.1 on `base_score` is a list in a text, `"[5E-1]"`, one for each class or target; shap takes one for all.
#[test]
fn base_scores_are_lists_from_3_1_on() {
    let is_list = |version: &str| {
        let file = json(&format!("xgboost/{version}/softprob.json"));
        let base_score = &file["learner"]["learner_model_param"]["base_score"];
        base_score.as_str().expect("a text").starts_with('[')
    };
    assert!(is_list("3.2.0") && !is_list("3.0.5"));
    for name in ["targets", "targets_vector", "softprob", "quantile"] {
        let scores = check(xgboost("3.2.0", name)).ensemble.base_scores;
        assert!(scores.iter().any(|&score| score != scores[0]), "{name}: {scores:?}");
    }
}

/// DART's `weight_drop` scales the trees; shap leaves it out, and its check passes.
#[test]
fn dart_weights_count() {
    for version in XGBOOST_VERSIONS {
        let model = check(xgboost(version, "dart_softprob"));
        let booster = json(&model.name)["learner"]["gradient_booster"].take();
        let weights = booster["weight_drop"].as_array().expect("weights");
        let scaled = |weight: &serde_json::Value| weight.as_f64().is_some_and(|weight| weight < 0.9);
        assert!(weights.iter().filter(|weight| scaled(weight)).count() >= 3, "{version}: {weights:?}");
    }
}

/// `tree_info` says to which output a tree adds; with `num_parallel_tree` several trees follow each other for one.
#[test]
fn parallel_trees_belong_to_the_class_of_tree_info() {
    for version in XGBOOST_VERSIONS {
        let model = check(xgboost(version, "forest"));
        let outputs: Vec<usize> = model.ensemble.trees.iter().map(|tree| tree.outputs.start).collect();
        assert_eq!(outputs, [0, 0, 0, 1, 1, 1, 2, 2, 2, 0, 0, 0, 1, 1, 1, 2, 2, 2], "{version}");
    }
}

/// Trees after `best_iteration` are in the file, and XGBoost's scikit-learn classes do not use them.
#[test]
fn trees_after_best_iteration_do_not_count() {
    for version in XGBOOST_VERSIONS {
        for name in ["best_iteration", "best_iteration_forest"] {
            let model = check(xgboost(version, name));
            let file = json(&model.name)["learner"]["gradient_booster"].take();
            let n_trees = file["model"]["trees"].as_array().expect("a list").len();
            assert!(model.ensemble.trees.len() < n_trees, "{version} {name}");
            assert_ne!(model.margins(), model.expected("margin_of_all_rounds"), "{version} {name}");
            let warnings = &model.ensemble.provenance.warnings;
            assert!(
                warnings.iter().any(|warning| warning.contains("training stopped early")),
                "{warnings:?}"
            );
        }
    }
}

/// Leaves that hold a value for each output; XGBoost's own `pred_contribs` refuses them. Files before 3.2 have no Hessians of
/// such leaves, hence no covers.
#[test]
fn vector_leaves_add_to_all_outputs() {
    for (version, has_covers) in [("2.1.4", false), ("3.0.5", false), ("3.2.0", true)] {
        for (name, n_outputs) in [("softprob_vector", 3), ("targets_vector", 2)] {
            let ensemble = check(xgboost(version, name)).ensemble;
            assert!(ensemble.trees.iter().all(|tree| tree.outputs == (0..n_outputs)), "{version}");
            assert_eq!(ensemble.has_covers, has_covers, "{version}");
        }
    }
}

/// Categorical splits send the categories of their set right and all else left, one-hot and partition alike.
#[test]
fn categories_of_the_set_go_right_all_others_left() {
    for version in ["1.7.6", "2.1.4", "3.0.5", "3.2.0"] {
        let sizes = |name: &str| -> Vec<u32> {
            let model = check(xgboost(version, name));
            let sets = category_sets(&model);
            assert!(sets.iter().all(|set| set.contains(-1.0) && set.contains(-0.5) && set.contains(3e9)));
            sets.iter().map(|set| set.words.iter().map(|word| word.count_zeros()).sum()).collect()
        };
        let (one_hot, partition) = (sizes("one_hot"), sizes("partition"));
        assert!(one_hot.iter().all(|&n| n == 1) && one_hot.len() > 3, "{version}: {one_hot:?}");
        assert!(partition.iter().any(|&n| n > 20), "{version}: {partition:?}");
    }
}

/// XGBoost cuts the names of categories that are not ASCII, so that what it writes names nothing, or another category.
#[test]
fn names_of_categories_that_are_cut_are_not_kept() {
    let ensemble = check(xgboost("3.2.0", "words")).ensemble;
    let names = ensemble.categories.expect("names");
    assert_eq!(names.iter().map(Vec::len).collect::<Vec<_>>(), [0, 0, 12]);
    assert_eq!(ensemble.provenance.warnings.len(), 1);
    assert!(ensemble.provenance.warnings[0].contains("feature 1 are cut"));
}

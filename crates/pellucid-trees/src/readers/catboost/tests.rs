//! CatBoost 1.2.10's own numbers, what is kept of a file, and files that are broken.

use ndarray::{Array2, Axis};
use serde_json::json;

use super::*;
use crate::ensemble::{Link, TreeNode};
use crate::readers::testing::*;
use crate::rows::Rows;

const NAMES: &str = "class_names cox crossentropy deep depthwise depthwise_multiclass expectile focal german_credit_one_hot huber \
    lambdamart logcosh logloss loglinquantile lossguide lossguide_multiclass lq mae many_categories \
    many_trees mape multiclass \
    multiclassonevsall multilogloss multiquantile multirmse nan_forbidden nan_max nan_min one_leaf pairlogit poisson quantile \
    queryrmse querysoftmax rmse scale_and_bias stochasticrank sum_of_models survivalaft tweedie two_class_names yetirank";

fn margin(ensemble: &TreeEnsemble, row: &[f64]) -> Vec<f64> {
    let rows = Array2::from_shape_vec((1, row.len()), row.to_vec()).expect("one row");
    ensemble.margins(Rows::F64(rows.view())).expect("the row fits").row(0).to_vec()
}

fn read_value(model: &Value) -> Result<TreeEnsemble, Error> {
    crate::readers::read(model.to_string().as_bytes())
}

/// A model of two float features and one tree of depth 2, whose leaf values are the leaf numbers.
fn small() -> Value {
    let feature = |index: usize| json!({"feature_index": index, "flat_feature_index": index, "nan_value_treatment": "AsIs", "borders": [0.5]});
    let split = |index: usize| json!({"split_type": "FloatFeature", "float_feature_index": index, "border": 0.5, "split_index": index});
    json!({
        "features_info": {"float_features": [feature(0), feature(1)]},
        "model_info": {"params": {"loss_function": {"type": "RMSE", "params": {}}}},
        "oblivious_trees": [{"leaf_values": [0, 1, 2, 3], "leaf_weights": [4, 3, 2, 1], "splits": [split(0), split(1)]}],
        "scale_and_bias": [1, [0]],
    })
}

#[test]
fn predictions_are_catboosts_own() {
    for name in NAMES.split_whitespace() {
        catboost(name).with_own_predictions();
    }
}

#[test]
fn each_loss_has_its_link() {
    let link = |name: &str| catboost(name).ensemble.link;
    let sigmoid = ["logloss", "crossentropy", "focal", "multiclassonevsall", "multilogloss"];
    assert!(sigmoid.into_iter().all(|name| link(name) == Link::Sigmoid { slope: 1.0 }));
    assert!(["multiclass", "class_names"].into_iter().all(|name| link(name) == Link::Softmax));
    assert!(["poisson", "tweedie"].into_iter().all(|name| link(name) == Link::Exp));
    assert!(
        ["rmse", "loglinquantile", "cox", "sum_of_models"]
            .into_iter()
            .all(|name| link(name) == Link::Identity)
    );
}

#[test]
fn bit_i_of_a_leaf_is_split_i_and_the_last_split_is_the_root() {
    let ensemble = read_value(&small()).expect("a model");
    assert_eq!(margin(&ensemble, &[1.0, 0.0]), [1.0]);
    assert_eq!(margin(&ensemble, &[0.0, 1.0]), [2.0]);
    let TreeNode::Split(root) = &ensemble.trees[0].nodes[0] else { panic!("the root is a split") };
    assert_eq!((root.feature, root.cover), (1, 10.0));
    assert_eq!(ensemble.trees[0].nodes[root.right as usize].cover(), 3.0);
}

#[track_caller]
fn check_unsupported(name: &str, expected: &[&str]) {
    let error = crate::readers::read(&bytes(&format!("catboost/{name}.json"))).expect_err("not supported");
    let message = one_line(&error);
    assert!(matches!(error, Error::Unsupported { .. }), "{message}");
    assert!(expected.iter().all(|part| message.contains(part)), "{message}");
}

#[test]
fn one_hot_categories_that_are_no_numbers_are_named() {
    check_unsupported("one_hot_words", &["the category `red`", "feature `color`"]);
    let mut model: Value = serde_json::from_slice(&bytes("catboost/one_hot_words.json")).expect("JSON");
    model["features_info"].as_object_mut().expect("an object").remove("cat_features_hash");
    let message = one_line(&read_value(&model).expect_err("unknown hashes"));
    assert!(message.contains("with hash") && message.contains("pool=pool"), "{message}");
}

#[test]
fn whole_numbers_are_known_by_their_hash_where_the_file_does_not_name_them() {
    let without = crate::readers::read(&bytes("catboost/one_hot_without_pool.json")).expect("a model");
    assert_eq!(without, catboost("german_credit_one_hot").ensemble);
    let file: Value = serde_json::from_slice(&bytes("catboost/many_categories.json")).expect("JSON");
    let numbers = hash::whole_numbers();
    let named = file["features_info"]["cat_features_hash"].as_array().expect("a list");
    assert!(named.len() >= 90);
    for category in named {
        let hash = category["hash"].as_u64().expect("a number") as u32;
        assert_eq!(numbers.get(&hash).map(u32::to_string).as_deref(), category["value"].as_str());
    }
}

#[test]
fn values_add_up_to_what_catboost_predicts() {
    for name in NAMES.split_whitespace() {
        let model = catboost(name);
        assert_values_add_up(&model, &model.expected("raw"));
    }
}

#[test]
fn uncertainty_is_warned_of() {
    let model = catboost("rmsewithuncertainty");
    assert_same_bits("margins", &model.margins(), &model.expected("raw"));
    assert!(model.ensemble.provenance.warnings[0].contains("exp(2 · output)"));
    let (ours, theirs) = (model.predictions(), model.expected("prediction"));
    assert_eq!(ours.column(0), theirs.column(0));
    let variance = ours.column(1).mapv(|m| (2.0 * m).exp()).insert_axis(Axis(1));
    assert_close("variance", &variance, &theirs.column(1).to_owned().insert_axis(Axis(1)), 1e-15);
}

#[test]
fn names_and_where_it_comes_from_are_kept() {
    let names = |name: &str| catboost(name).ensemble.output_names.unwrap_or_default();
    assert_eq!(names("class_names"), ["maybe", "no", "yes"]);
    assert_eq!(names("two_class_names"), ["yes"]);
    assert_eq!(names("multiclass"), ["0", "1", "2"]);
    assert!(names("rmse").is_empty());
    let ensemble = catboost("german_credit_one_hot").ensemble;
    assert_eq!(
        (ensemble.n_features, ensemble.feature_names.map(|names| names[19].clone())),
        (20, Some("19".to_owned()))
    );
    let provenance = ensemble.provenance;
    assert_eq!(
        (provenance.library.as_str(), provenance.version.as_str(), provenance.objective.as_str()),
        ("catboost", "1.2.10", "Logloss")
    );
}

#[test]
fn older_forms_are_read() {
    let mut model = small();
    let expected = read_value(&model).expect("a model");
    model["scale_and_bias"] = json!([1, 0]);
    assert_eq!(read_value(&model).expect("a bias without brackets"), expected);
    model.as_object_mut().expect("an object").remove("scale_and_bias");
    assert_eq!(read_value(&model).expect("no scale and bias"), expected);
    model["oblivious_trees"][0].as_object_mut().expect("an object").remove("leaf_weights");
    assert!(!read_value(&model).expect("no weights").has_covers);
    model["model_info"] = json!({});
    let unknown = read_value(&model).expect("no loss");
    assert_eq!(unknown.link, Link::Identity);
    assert!(unknown.provenance.warnings[0].contains("RawFormulaVal"));
    // A tree of one leaf has no splits, not even an empty list.
    model["oblivious_trees"] = json!([{"leaf_values": [7], "splits": null}]);
    assert_eq!(margin(&read_value(&model).expect("one leaf"), &[0.0, 0.0]), [7.0]);
}

/// A tree that goes right at each of `depth` splits.
fn chain(depth: usize) -> Value {
    let leaf = |value: usize| json!({"value": value, "weight": 1});
    let split = json!({"split_type": "FloatFeature", "float_feature_index": 0, "border": 0.5});
    (0..depth).fold(leaf(0), |below, level| json!({"split": split, "left": leaf(level + 1), "right": below}))
}

fn with_trees(trees: Value) -> Value {
    let mut model = small();
    model.as_object_mut().expect("an object").remove("oblivious_trees");
    model["trees"] = trees;
    model
}

#[test]
fn trees_of_depth_120_are_read_and_deeper_ones_refused() {
    let ensemble = read_value(&with_trees(json!([chain(120)]))).expect("a deep tree");
    assert_eq!(ensemble.trees[0].nodes.len(), 241);
    assert_eq!(margin(&ensemble, &[0.0, 0.0]), [120.0]);
    assert_eq!(margin(&ensemble, &[1.0, 0.0]), [0.0]);
    let text = (0..100_000).map(|_| "{\"left\":").collect::<String>();
    let model = with_trees(json!(["HERE"])).to_string().replace("\"HERE\"", &text);
    let error = crate::readers::read(model.as_bytes()).expect_err("too deep");
    assert!(one_line(&error).contains("recursion limit"), "{error}");
}

#[test]
fn trees_beyond_32768_nodes() {
    let mut model = small();
    let split = model["oblivious_trees"][0]["splits"][0].clone();
    let values: Vec<usize> = (0..1 << 16).collect();
    model["oblivious_trees"] = json!([{"leaf_values": values, "splits": vec![split; 16]}]);
    let ensemble = read_value(&model).expect("a large tree");
    assert_eq!(ensemble.trees[0].nodes.len(), 131_071);
    assert_eq!(margin(&ensemble, &[1.0, 0.0]), [65_535.0]);
}

#[track_caller]
fn check_refused(change: impl Fn(&mut Value), expected: &str) {
    let mut model = small();
    change(&mut model);
    let message = one_line(&read_value(&model).expect_err("a broken model"));
    assert!(message.contains(expected), "{message}");
}

#[test]
fn broken_files_say_where() {
    check_refused(
        |m| m["oblivious_trees"][0]["leaf_values"] = json!([1, 2, 3]),
        "tree 0: 3 leaf values for 4 leaves",
    );
    check_refused(
        |m| m["oblivious_trees"][0]["leaf_values"] = json!([]),
        "tree 0: 0 leaf values for 4 leaves",
    );
    check_refused(
        |m| m["oblivious_trees"][0]["leaf_weights"] = json!([1]),
        "tree 0: 1 leaf weights for 4 leaves",
    );
    check_refused(
        |m| m["oblivious_trees"][0]["leaf_weights"] = json!([1, -9, 1, 1]),
        "cover -6 is not a weight",
    );
    check_refused(
        |m| m["oblivious_trees"][0]["leaf_values"] = json!([1, "x", 3, 4]),
        "invalid type: string \"x\"",
    );
    check_refused(
        |m| m["oblivious_trees"][0]["splits"][0]["border"] = json!(null),
        "without its feature or its border",
    );
    check_refused(
        |m| m["oblivious_trees"][0]["splits"][0]["float_feature_index"] = json!(7),
        "float feature 7, which features_info has not",
    );
    check_refused(|m| m["oblivious_trees"] = json!([]), "no trees");
    check_refused(|m| m["trees"] = json!([]), "neither `oblivious_trees` nor `trees`, or both");
    check_refused(|m| m["scale_and_bias"] = json!([1, [0, 1]]), "2 biases in scale_and_bias, but 1 outputs");
    check_refused(
        |m| m["features_info"]["float_features"][0]["flat_feature_index"] = json!(4_000_000_000_u32),
        "4000000001 features",
    );
    check_refused(
        |m| m["features_info"]["float_features"][0]["nan_value_treatment"] = json!("AsYouLike"),
        "`AsYouLike`",
    );
    check_refused(|m| m["features_info"] = json!({}), "0 features");
    check_refused(
        |m| m["oblivious_trees"][0]["splits"] = json!(vec![m["oblivious_trees"][0]["splits"][0].clone(); 60]),
        "60 levels",
    );
}

#[test]
fn broken_trees_of_other_shapes_say_where() {
    let refused = |tree: Value| one_line(&read_value(&with_trees(json!([tree]))).expect_err("a broken tree"));
    assert!(
        refused(json!({})).contains("tree 0: a node that is neither a split with two children nor a leaf")
    );
    assert!(refused(json!({"value": []})).contains("a leaf with 0 values"));
    let mut tree = chain(1);
    tree["left"]["value"] = json!([1, 2]);
    assert!(refused(tree).contains("a leaf with 1 values, not 2"));
    let two = with_trees(json!([{"value": 1}, {"value": [1, 2]}]));
    assert!(one_line(&read_value(&two).expect_err("two widths")).contains("leaves of tree 1 have 2 values"));
}

#[test]
fn what_is_unknown_is_named() {
    let unknown = |change: fn(&mut Value)| {
        let mut model = small();
        change(&mut model);
        let error = read_value(&model).expect_err("unknown");
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        one_line(&error)
    };
    assert!(
        unknown(|m| m["model_info"]["params"]["loss_function"]["type"] = json!("Hinge")).contains("`Hinge`")
    );
    assert!(
        unknown(|m| m["oblivious_trees"][0]["splits"][0]["split_type"] = json!("EstimatedFeature"))
            .contains("`EstimatedFeature`")
    );
    for (kind, features) in [("text", "text_features"), ("embedding", "embedding_features")] {
        let mut model = small();
        model["features_info"][features] = json!([{"feature_index": 0, "flat_feature_index": 2}]);
        let message = one_line(&read_value(&model).expect_err("refused"));
        assert!(
            message.contains(&format!("a CatBoost model of {kind} features is not supported")),
            "{message}"
        );
    }
}

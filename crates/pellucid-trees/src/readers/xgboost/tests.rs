//! XGBoost's own margins, float for float, for each version and kind of model; forms of the format; broken files.

use ndarray::{Array2, arr2};
use serde_json::{Value, json};

use crate::Rows;
use crate::ensemble::{TreeEnsemble, TreeNode};
use crate::error::Error;
use crate::readers::testing::{Recorded, XGBOOST_VERSIONS, bytes, xgboost_models};
use crate::readers::{read, testing};

fn ensemble(version: &str, name: &str) -> TreeEnsemble {
    read(&bytes(&format!("xgboost/{version}/{name}.json")))
        .unwrap_or_else(|error| panic!("{version} {name}: {error}"))
}

/// The margins of rows of one feature.
fn margins_of(ensemble: &TreeEnsemble, values: &[f64]) -> Vec<f64> {
    let rows = Array2::from_shape_vec((values.len(), 1), values.to_vec()).expect("one column");
    ensemble.margins(Rows::F64(rows.view())).expect("rows fit").into_raw_vec_and_offset().0
}

/// A model of one feature whose one tree sends x < 0.1 to -1, the others to 2, missing left.
fn stump() -> Value {
    json!({
        "learner": {
            "attributes": {}, "feature_names": [], "feature_types": [],
            "gradient_booster": {
                "model": {
                    "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": "1"},
                    "iteration_indptr": [0, 1], "tree_info": [0],
                    "trees": [{
                        "base_weights": [0.5, -1.0, 2.0], "categories": [], "categories_nodes": [],
                        "categories_segments": [], "categories_sizes": [], "default_left": [1, 0, 0], "id": 0,
                        "left_children": [1, -1, -1], "right_children": [2, -1, -1], "loss_changes": [7.5, 0.0, 0.0],
                        "split_conditions": [0.1, -1.0, 2.0], "split_indices": [0, 0, 0], "split_type": [0, 0, 0],
                        "sum_hessian": [10.0, 4.0, 6.0],
                        "tree_param": {"num_nodes": "3", "size_leaf_vector": "1", "num_feature": "1"}
                    }]
                },
                "name": "gbtree"
            },
            "learner_model_param": {"base_score": "[5E-1]", "num_class": "0", "num_feature": "1", "num_target": "1"},
            "objective": {"name": "reg:squarederror"}
        },
        "version": [3, 2, 0]
    })
}

fn tree(model: &mut Value) -> &mut Value {
    &mut model["learner"]["gradient_booster"]["model"]["trees"][0]
}

fn read_value(model: &Value) -> Result<TreeEnsemble, Error> {
    read(model.to_string().as_bytes())
}

/// The fault of a stump after a change.
fn fault(change: impl FnOnce(&mut Value)) -> String {
    let mut model = stump();
    change(&mut model);
    read_value(&model).expect_err("broken").to_string()
}

#[test]
fn margins_have_the_bits_of_every_version() {
    let models = XGBOOST_VERSIONS.into_iter().flat_map(xgboost_models);
    let n_models = models.map(Recorded::with_own_margins).count();
    assert!(n_models > 100, "{n_models} models");
}

#[test]
fn predictions_are_those_of_every_version() {
    for model in XGBOOST_VERSIONS.into_iter().flat_map(xgboost_models) {
        for (ours, theirs) in model.predictions().outer_iter().zip(model.expected("prediction").outer_iter())
        {
            if model.stem() == "softmax" {
                let best = (0..ours.len()).max_by(|&a, &b| ours[a].total_cmp(&ours[b]));
                assert_eq!(best, Some(theirs[0] as usize), "{}", model.name);
                continue;
            }
            // XGBoost's exp is in f32.
            let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-6 * b.abs().max(1.0);
            assert!(ours.iter().zip(theirs).all(close), "{}: {ours} instead of {theirs}", model.name);
        }
    }
}

#[test]
fn ubj_and_json_are_read_alike() {
    for version in ["1.7.6", "2.1.4", "3.0.5", "3.2.0"] {
        for name in ["softprob", "partition", "names"] {
            let ubj = read(&bytes(&format!("xgboost/{version}/{name}.ubj"))).expect("well-formed");
            assert_eq!(same_nan(ubj), same_nan(ensemble(version, name)), "{version} {name}");
        }
    }
    for name in ["dart", "targets_vector", "words"] {
        let ubj = read(&bytes(&format!("xgboost/3.2.0/{name}.ubj"))).expect("well-formed");
        assert_eq!(same_nan(ubj), same_nan(ensemble("3.2.0", name)), "{name}");
    }
}

/// NaN is not equal to itself.
fn same_nan(mut ensemble: TreeEnsemble) -> TreeEnsemble {
    assert!(ensemble.absent.is_nan());
    ensemble.absent = 0.0;
    ensemble
}

#[test]
fn missing_follows_default_left_and_is_what_a_sparse_row_leaves_out() {
    let mut model = stump();
    for (default_left, expected) in [(json!([1, 0, 0]), -0.5), (json!([false, false, false]), 2.5)] {
        tree(&mut model)["default_left"] = default_left;
        let ensemble = read_value(&model).expect("well-formed");
        assert_eq!(margins_of(&ensemble, &[f64::NAN]), [expected]);
        let empty = crate::Csr { starts: vec![0, 0], columns: vec![], values: vec![], n_columns: 1 };
        assert_eq!(ensemble.margins(Rows::Sparse(&empty)).expect("fits"), arr2(&[[expected]]));
    }
}

#[test]
fn the_missing_value_and_the_classes_of_old_wrappers_are_kept() {
    let mut model = stump();
    let about = r#"{"missing": -999.0, "classes_": ["no", "yes"], "eta": NaN}"#;
    model["learner"]["attributes"] = json!({"scikit_learn": about});
    let ensemble = read_value(&model).expect("well-formed");
    assert_eq!(margins_of(&ensemble, &[-999.0, -998.0]), [-0.5, -0.5]);
    assert_eq!((ensemble.missing_value, ensemble.output_names), (Some(-999.0), None));
    tree(&mut model)["default_left"] = json!([0, 0, 0]);
    assert_eq!(margins_of(&read_value(&model).expect("well-formed"), &[-999.0, -998.0]), [2.5, -0.5]);
    model["learner"]["learner_model_param"]["num_class"] = json!("2");
    model["learner"]["objective"]["name"] = json!("multi:softprob");
    let names = read_value(&model).expect("well-formed").output_names;
    assert_eq!(names, Some(vec!["no".to_owned(), "yes".to_owned()]));
}

#[test]
fn base_score_is_read_in_every_form() {
    for form in [json!("5E-1"), json!("[5E-1]"), json!("0.500000"), json!(0.5), json!([0.5])] {
        let mut model = stump();
        model["learner"]["learner_model_param"]["base_score"] = form.clone();
        assert_eq!(read_value(&model).expect("well-formed").base_scores, [0.5], "{form}");
    }
    let per_target = |form: Value| {
        let mut model = stump();
        let parameters = json!({"base_score": form, "num_class": "0", "num_feature": "1", "num_target": "2"});
        model["learner"]["learner_model_param"] = parameters;
        read_value(&model)
    };
    assert_eq!(per_target(json!("[5E-1,-2E0]")).expect("well-formed").base_scores, [0.5, -2.0]);
    assert_eq!(per_target(json!("5E-1")).expect("well-formed").base_scores, [0.5, 0.5]);
    let error = per_target(json!("[1,2,3]")).expect_err("three");
    assert!(error.to_string().contains("`base_score` has 3 numbers for 2 outputs"));
}

#[test]
fn categories_of_the_set_go_right_all_others_left() {
    let mut model = stump();
    let changed = json!({
        "split_type": [1, 0, 0], "categories": [0, 40, 70], "categories_nodes": [0], "categories_segments": [0],
        "categories_sizes": [3], "default_left": [0, 0, 0]
    });
    changed.as_object().expect("an object").iter().for_each(|(k, v)| tree(&mut model)[k] = v.clone());
    let ensemble = read_value(&model).expect("well-formed");
    let in_set = [0.0, 40.0, 70.0, 70.9, f64::NAN];
    // -0.5 is no category, though its integer part is 0.
    let others = [1.0, 39.0, 41.0, 69.0, 71.0, 96.0, 1000.0, -1.0, -0.5, 16_777_216.0, 1e30];
    assert_eq!(margins_of(&ensemble, &in_set), [2.5; 5]);
    assert_eq!(margins_of(&ensemble, &others), [-0.5; 11]);
}

#[test]
fn nodes_that_pruning_deleted_are_left_out() {
    let file: Value = testing::json("xgboost/3.2.0/pruned.json");
    let tree = &file["learner"]["gradient_booster"]["model"]["trees"][0];
    let n_stored = tree["left_children"].as_array().expect("a list").len();
    assert!(ensemble("3.2.0", "pruned").trees[0].nodes.len() < n_stored);
}

#[test]
fn cover_is_the_sum_of_hessians() {
    let ensemble = read_value(&stump()).expect("well-formed");
    let covers: Vec<f64> = ensemble.trees[0].nodes.iter().map(TreeNode::cover).collect();
    assert_eq!((covers, ensemble.has_covers), (vec![10.0, 4.0, 6.0], true));
    assert_eq!(ensemble.trees[0].splits().next().map(|split| split.gain), Some(7.5));
}

#[test]
fn thresholds_may_be_infinite_and_gains_may_be_nan() {
    let text = stump().to_string().replace("[0.1,-1.0,2.0]", "[Infinity,-1.0,2.0]").replace("[7.5,", "[NaN,");
    let ensemble = read(text.as_bytes()).expect("well-formed");
    assert_eq!(margins_of(&ensemble, &[1e38, -1e38]), [-0.5, -0.5]);
    assert_eq!(ensemble.trees[0].splits().next().map(|split| split.gain), Some(0.0));
}

#[test]
fn names_of_features_are_kept() {
    let names = ensemble("3.2.0", "names").feature_names.expect("names");
    assert_eq!(names, ["radius", "texture", "perimeter", "area", "smooth", "größe"]);
    assert_eq!(ensemble("3.2.0", "logistic").feature_names, None);
    assert_eq!(ensemble("1.3.3", "softprob").provenance.version, "1.3.3");
}

#[test]
fn categories_have_their_names_from_3_1_on() {
    let words = ensemble("3.2.0", "words").categories.expect("names");
    let ascii: Vec<String> = (0..12).map(|i| format!("w{i}")).collect();
    assert_eq!(words, [vec![], vec![], ascii]);
    let model = |cats: Value| {
        let mut model = stump();
        model["learner"]["learner_model_param"]["num_feature"] = "2".into();
        model["learner"]["gradient_booster"]["model"]["cats"] = cats;
        read_value(&model).map(|ensemble| ensemble.categories)
    };
    let texts = json!({"offsets": [0, 1, 3], "values": [120, 121, 122]});
    let numbers = json!({"type": 15, "values": [-3, 10]});
    let names = model(json!({"enc": [texts, numbers]})).expect("a model").expect("names");
    assert_eq!(names, [vec!["x", "yz"], vec!["-3", "10"]]);
    assert_eq!(model(json!({"enc": []})).expect("a model"), None);
    let fault = |enc: Value| model(json!({"enc": enc})).expect_err("broken").to_string();
    assert!(fault(json!([numbers])).contains("for 1 features, the model has 2"));
    assert!(
        fault(json!([numbers, {"offsets": [0, 9], "values": [120]}])).contains("a name beyond its bytes")
    );
    assert!(
        fault(json!([numbers, {"offsets": [1, 0], "values": [120]}])).contains("a name beyond its bytes")
    );
}

#[test]
fn linear_boosters_are_refused_by_name() {
    for version in ["1.7.6", "3.2.0"] {
        let error = read(&bytes(&format!("xgboost/{version}/linear.json"))).expect_err("linear");
        assert!(matches!(&error, Error::Unsupported { what, .. } if what.contains("`gblinear`")), "{error}");
    }
}

#[test]
fn what_is_unknown_is_named() {
    assert!(
        fault(|model| model["version"] = json!([4, 0, 0]))
            .contains("a file of XGBoost 4.0.0 is not supported")
    );
    assert!(fault(|model| model["version"] = json!([0, 90, 0])).contains("XGBoost 0.90.0"));
    let objective = fault(|model| model["learner"]["objective"]["name"] = json!("reg:magic"));
    assert!(objective.contains("objective `reg:magic` is not supported"));
    assert!(fault(|model| tree(model)["split_type"] = json!([2, 0, 0])).contains("split type 2"));
}

#[test]
fn broken_files_say_what_and_where() {
    let cases: [(&str, Value, &str); 12] = [
        ("left_children", json!([1, -1]), "tree 0: 3 nodes, but `left_children` has 2"),
        ("left_children", json!([9, -1, -1]), "tree 0: node 0: child 9, which is no node"),
        ("left_children", json!([0, -1, -1]), "tree 0: nodes that have two parents"),
        ("left_children", json!("x"), "invalid type: string \"x\""),
        ("split_conditions", json!([0.1, null, 2.0]), "invalid type: null"),
        ("split_conditions", json!([0.1, "a", 2.0]), "invalid type: string"),
        ("split_indices", json!([7, 0, 0]), "feature 7 of 1"),
        ("split_indices", json!([-1, 0, 0]), "tree 0: node 0: feature -1"),
        ("split_type", json!([1, 0, 0]), "tree 0: node 0: a categorical split without categories"),
        ("categories_nodes", json!([0]), "differ in length"),
        ("tree_param", json!({"num_nodes": "many"}), "`num_nodes` is `many`, not a number"),
        ("sum_hessian", json!([10.0, -4.0, 6.0]), "cover -4 is not a weight"),
    ];
    for (key, value, expected) in cases {
        let found = fault(|model| tree(model)[key] = value.clone());
        assert!(found.contains(expected), "{key} {value}: {found}");
    }
    let parameter =
        |key: &str, value: Value| fault(|model| model["learner"]["learner_model_param"][key] = value);
    assert!(parameter("base_score", json!("high")).contains("`base_score` is `high`"));
    assert!(parameter("base_score", json!("NaN")).contains("base_score is NaN, but must be a finite number"));
    assert!(parameter("num_class", json!("4000000000")).contains("4000000000 outputs"));
    let logistic = fault(|model| {
        model["learner"]["objective"]["name"] = json!("binary:logistic");
        model["learner"]["learner_model_param"]["base_score"] = json!("1E0");
    });
    assert!(logistic.contains("base_score is 1, but must be between 0 and 1"), "{logistic}");
    assert!(
        fault(|model| model["learner"]["feature_names"] = json!(["a", "b"])).contains("2 `feature_names`")
    );
    let info = fault(|model| model["learner"]["gradient_booster"]["model"]["tree_info"] = json!([3]));
    assert!(info.contains("tree 0: outputs 3..4 of 1"), "{info}");
    assert!(parameter("num_feature", json!("4000000000")).contains("a model of 4000000000 features"));
    assert!(fault(|model| model["learner"] = json!({})).contains("missing field `gradient_booster`"));
    let text = stump().to_string();
    assert!(read(&text.as_bytes()[..text.len() / 2]).expect_err("half").to_string().contains("EOF"));
}

#[test]
fn a_huge_category_does_not_take_huge_memory() {
    let set = |category: u64, n: usize| {
        fault(|model| {
            let tree = tree(model);
            tree["split_type"] = json!([1, 0, 0]);
            tree["categories"] = json!(vec![category; n]);
            tree["categories_nodes"] = json!(vec![0; n]);
            tree["categories_segments"] = json!((0..n).collect::<Vec<_>>());
            tree["categories_sizes"] = json!(vec![1; n]);
        })
    };
    assert!(set(4_000_000_000, 1).contains("category 4000000000, but XGBoost has none from 16777216 on"));
    assert!(set(16_777_215, 200).contains("out of proportion to the file's size"));
}

/// A chain of splits on the threshold `0, 1, 2 …`: leaf `i` has the value `i`.
fn chain(depth: usize) -> Value {
    let mut model = stump();
    let n = 2 * depth + 1;
    let by_node = |split: &dyn Fn(usize) -> i64, leaf: &dyn Fn(usize) -> i64| -> Value {
        (0..n).map(|node| if node % 2 == 0 && node + 1 < n { split(node) } else { leaf(node) }).collect()
    };
    let changed = json!({
        "left_children": by_node(&|node| node as i64 + 1, &|_| -1),
        "right_children": by_node(&|node| node as i64 + 2, &|_| -1),
        "split_conditions": by_node(&|node| node as i64 / 2, &|node| node as i64 / 2),
        "split_indices": vec![0; n], "default_left": vec![0; n], "sum_hessian": vec![1.0; n],
        "loss_changes": vec![0.0; n], "split_type": vec![0; n],
        "tree_param": {"num_nodes": n.to_string(), "size_leaf_vector": "1", "num_feature": "1"}
    });
    changed.as_object().expect("an object").iter().for_each(|(k, v)| tree(&mut model)[k] = v.clone());
    model
}

#[test]
fn deep_trees_and_trees_of_more_than_32768_nodes_are_read() {
    for depth in [61, 20_000] {
        let ensemble = read_value(&chain(depth)).expect("well-formed");
        assert_eq!(ensemble.trees[0].nodes.len(), 2 * depth + 1);
        let rows = [-1.0, 40.0, depth as f64 - 1.5, f64::NAN];
        assert_eq!(margins_of(&ensemble, &rows), [0.5, 41.5, depth as f64 - 0.5, depth as f64 + 0.5]);
    }
}

#[test]
fn trees_of_one_node_are_read() {
    let ensemble = ensemble("3.2.0", "one_node");
    assert!(ensemble.trees.iter().all(|tree| tree.nodes.len() == 1));
}

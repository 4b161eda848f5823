//! ONNX Runtime's own scores, float for float where no exponential stands between; ops around trees; broken files.

use ndarray::{Array2, s};

use crate::Rows;
use crate::ensemble::{Link, TreeEnsemble};
use crate::error::Error;
use crate::readers::{read, testing};

fn ensemble(name: &str) -> TreeEnsemble {
    read(&testing::bytes(&format!("onnx/{name}.onnx"))).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Of two classes the second alone is an output.
fn outputs(table: Array2<f64>, n_outputs: usize) -> Array2<f64> {
    let first = table.ncols() - n_outputs;
    table.slice(s![.., first..]).to_owned()
}

fn assert_close(name: &str, ours: &Array2<f64>, theirs: &Array2<f64>, tolerance: f64) {
    assert_eq!(ours.dim(), theirs.dim(), "{name}");
    for ((place, a), b) in ours.indexed_iter().zip(theirs) {
        let a = f64::from(*a as f32);
        // ONNX Runtime's Sigmoid of -20 is 0.
        assert!((a - b).abs() <= tolerance * b.abs().max(1e-2), "{name} at {place:?}: {a} instead of {b}");
    }
}

#[test]
fn scores_are_onnx_runtimes() {
    for model in testing::onnx_models() {
        let scores = outputs(model.expected("scores"), model.ensemble.n_outputs());
        // ONNX Runtime computes links in f32.
        let tolerance = match model.ensemble.link {
            // Its ops behind the trees round one after the other.
            _ if model.stem() == "mean_by_hand" => 2e-7,
            Link::Identity | Link::Probability | Link::Step => 0.0,
            _ => 3e-6,
        };
        assert_close(&model.name, &model.predictions(), &scores, tolerance);
    }
}

#[test]
fn margins_are_those_of_the_tree_op_float_for_float() {
    // What stands behind their trees changes the margin.
    let rescaled = ["lightgbm_forest", "lightgbm_forest_binary", "xgboost_poisson", "boosting_exponential"];
    let mut n_models = 0;
    for model in testing::onnx_models() {
        if model.has("raw") && !rescaled.contains(&model.stem()) {
            let raw = outputs(model.expected("raw"), model.ensemble.n_outputs());
            assert_close(&model.name, &model.margins(), &raw, 0.0);
            n_models += 1;
        }
    }
    assert!(n_models > 20, "{n_models} models");
}

fn margins_of(ensemble: &TreeEnsemble, rows: &Array2<f64>) -> Array2<f64> {
    ensemble.margins(Rows::F64(rows.view())).expect("rows fit")
}

/// Replaces bytes by as many others.
fn changed(name: &str, from: &[u8], to: &[u8]) -> Error {
    assert_eq!(from.len(), to.len());
    let mut bytes = testing::bytes(&format!("onnx/{name}.onnx"));
    let places: Vec<usize> =
        (0..bytes.len() - from.len()).filter(|&i| bytes[i..].starts_with(from)).collect();
    assert!(!places.is_empty(), "{name} has no {from:?}");
    places.iter().for_each(|&place| bytes[place..place + to.len()].copy_from_slice(to));
    read(&bytes).expect_err("refused")
}

#[test]
fn one_column_of_a_binary_classifier_is_the_second_class() {
    let names = |name: &str| ensemble(name).output_names.expect("labels");
    assert_eq!(names("forest_binary"), ["1"]);
    assert_eq!(names("forest_names"), ["barbera", "barolo", "grignolino"]);
    assert_eq!(ensemble("boosting_binary").link, Link::Sigmoid { slope: 1.0 });
}

#[test]
fn every_mode_takes_true_and_false_as_it_says() {
    // One tree a mode, on a feature of its own: "true" adds 2^i; then the same with missing values taken for true.
    let ensemble = ensemble("modes");
    let margin = |x: f64| margins_of(&ensemble, &Array2::from_elem((1, 12), x))[[0, 0]] as u32;
    let (leq, lt, gte, gt, eq, neq) = (1, 2, 4, 8, 16, 32);
    let both = |modes: u32| modes | modes << 6;
    assert_eq!(margin(2.0), both(leq | gte | eq));
    assert_eq!(margin(1.0), both(leq | lt | neq));
    assert_eq!(margin(3.0), both(gte | gt | neq));
    // Between whole numbers nothing is equal.
    assert_eq!(margin(2.5), both(gte | gt | neq));
    assert_eq!(margin(f64::from(2.0_f32.next_up())), both(gte | gt | neq));
    // NaN is unequal to everything.
    assert_eq!(margin(f64::NAN), neq | 63 << 6);
}

#[test]
fn members_of_version_5_are_sets() {
    let ensemble = ensemble("v5");
    let row = |x: f64| {
        let mut row = Array2::from_elem((1, 7), 0.0);
        row[[0, 6]] = x;
        margins_of(&ensemble, &row)[[0, 0]]
    };
    let other = row(2.0);
    for (value, added) in
        [(1.0, 64.0), (3.0, 64.0), (40.0, 64.0), (40.5, 0.0), (41.0, 0.0), (-1.0, 0.0), (f64::NAN, 64.0)]
    {
        assert_eq!(row(value) - other, added, "{value}");
    }
}

#[test]
fn inputs_side_by_side_are_features_with_names() {
    let ensemble = ensemble("columns");
    let names = ensemble.feature_names.expect("names");
    assert_eq!(names, ["age", "sex", "bmi", "bp", "s1", "s2"]);
    assert_eq!(ensemble.n_features, 6);
}

#[test]
fn an_exponential_and_a_factor_behind_the_trees_are_a_link_and_a_base_score() {
    let ensemble = ensemble("xgboost_poisson");
    assert_eq!((ensemble.link, ensemble.base_scores), (Link::Exp, vec![100.0_f64.ln()]));
}

#[test]
fn ops_that_are_not_read_are_named() {
    let refused = |name: &str| {
        let error = read(&testing::bytes(&format!("onnx/{name}.onnx"))).expect_err("refused");
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        testing::one_line(&error)
    };
    assert!(refused("scaled").contains("the op `ai.onnx.ml.Scaler` before the trees (node `Scaler`)"));
    // The converter divides probabilities by 100, which LightGBM does not.
    assert!(refused("lightgbm_forest_binary").contains("the op `Div` behind scores that are no margins"));
    // The specification and ONNX Runtime number post_transform differently.
    assert!(refused("v5_softmax").contains("post_transform 1 of TreeEnsemble (SOFTMAX, or LOGISTIC)"));
    let network = testing::bytes("../endings/softmax.onnx");
    assert!(read(&network).expect_err("a network").to_string().contains("is not supported"));
}

#[test]
fn settings_without_a_sum_are_refused_by_name() {
    let what = |error: Error| match error {
        Error::Unsupported { what, .. } => what,
        other => panic!("{other}"),
    };
    assert_eq!(what(changed("average", b"AVERAGE", b"MAX\0\0\0\0")), "aggregate_function MAX");
    assert_eq!(what(changed("logistic_targets", b"LOGISTIC", b"PROBIT\0\0")), "post_transform PROBIT");
    assert_eq!(what(changed("boosting_multi", b"SOFTMAX", b"PROBIT\0")), "post_transform PROBIT");
    let one_column = what(changed("boosting_binary", b"LOGISTIC", b"SOFTMAX\0"));
    assert_eq!(one_column, "post_transform SOFTMAX");
}

#[test]
fn broken_attributes_say_what_and_where() {
    let reason = |error: Error| {
        assert!(matches!(error, Error::Format { format: "ONNX", .. }), "{error}");
        testing::one_line(&error)
    };
    assert!(reason(changed("modes", b"BRANCH_NEQ", b"BRANCH_NIL")).contains("the node mode `BRANCH_NIL`"));
    assert!(reason(changed("modes", b"nodes_values", b"nodes_valves")).contains("no `nodes_values`"));
    assert!(
        reason(changed("modes", b"target_ids", b"target_idz")).contains("no list of integers `target_ids`")
    );
    let bytes = testing::bytes("onnx/modes.onnx");
    assert!(matches!(read(&bytes[..bytes.len() - 9]), Err(Error::Format { format: "ONNX", .. })));
}

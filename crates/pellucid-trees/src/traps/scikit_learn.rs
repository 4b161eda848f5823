//! What readers of scikit-learn's models, converted to ONNX, get wrong.

use pellucid_core::Work;

use super::check_values;
use crate::ensemble::*;
use crate::path_dependent::path_dependent;
use crate::readers::testing::*;
use crate::rows::Rows;

/// Forests predict the mean of their trees' probabilities, of two classes the second.
#[test]
fn forests_average_probabilities() {
    for (name, n_outputs) in [("forest_binary", 1), ("forest_names", 3), ("extra_trees", 3), ("one_tree", 3)]
    {
        let model = onnx(name);
        assert_eq!(
            (model.ensemble.link, model.ensemble.n_outputs()),
            (Link::Probability, n_outputs),
            "{name}"
        );
        check_values(&model, &model.margins());
    }
    // Margins, though post_transform is NONE there, too.
    assert_eq!(onnx("boosting_raw").ensemble.link, Link::Identity);
}

/// Rows are rounded to f32 before they are compared, but in files for doubles.
#[test]
fn rows_are_f32_unless_the_file_holds_doubles() {
    for (name, precision) in [("forest_double", Precision::F64), ("forest_names", Precision::F32)] {
        let model = onnx(name);
        assert_eq!(model.ensemble.precision, precision);
        let split = model.splits().next().expect("a split");
        let Test::AtMost(threshold) = split.test else { panic!("a threshold") };
        let goes_left = |x: f64| split.goes_left(model.ensemble.compared(x));
        assert!(goes_left(threshold));
        assert_eq!(goes_left(threshold * (1.0 + 1e-12)), precision == Precision::F32, "{name}");
    }
}

/// HistGradientBoosting has missing values, which each split sends its own way.
#[test]
fn hist_gradient_boosting_sends_missing_values_its_way() {
    for name in ["hist_binary", "hist_multi", "hist_regression"] {
        let model = onnx(name);
        assert!(model.rows.iter().any(|x| x.is_nan()), "{name}");
        check_values(&model, &model.margins());
    }
}

/// ONNX files hold no covers, only equal `nodes_hitrates`: path-dependent values are refused by name, or weigh by a background.
#[test]
fn onnx_files_hold_no_covers() {
    let model = onnx("forest_regression");
    let rows = Rows::F64(model.rows.view());
    let error = path_dependent(&model.ensemble, rows, &Work::default()).expect_err("no covers");
    assert!(one_line(&error).contains("covers") && error.to_string().contains("background"), "{error}");
    let mut recounted = onnx("forest_regression");
    recounted.ensemble.recount_covers(rows).expect("rows fit");
    check_values(&recounted, &recounted.margins());
    let expected = recounted.ensemble.expected_value().expect("covers")[0];
    let mean = recounted.margins().mean().expect("rows");
    assert!((expected - mean).abs() < 1e-5 * mean.abs(), "{expected}, not {mean}");
}

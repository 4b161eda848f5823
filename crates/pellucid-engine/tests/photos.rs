//! What the demo claims: the five photos through the demo model, on ONNX Runtime.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::panic,
    reason = "a broken expectation is what a test reports"
)]

use std::path::{Path, PathBuf};

use pellucid_engine::{
    CurveOptions, Evaluation, EvaluationOptions, LoadedModel, Method, MethodOptions, Metric, ModelOptions,
    Request, RuntimeChoice, RuntimeOptions, Target, Work, evaluate, runtime,
};
use pellucid_metrics::localization::{Options, Region, localization};

const PHOTOS: [&str; 5] = ["astronaut.png", "chelsea.png", "coffee.png", "flower.jpg", "rocket.jpg"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// The demo model; `None` on a developer's machine without ONNX Runtime, on which the rest would take minutes.
fn demo_model() -> Option<LoadedModel> {
    let options = RuntimeOptions { choice: RuntimeChoice::OnnxRuntime, ..RuntimeOptions::default() };
    let onnxruntime = match runtime(&options) {
        Ok(onnxruntime) => onnxruntime,
        Err(error) if std::env::var_os("PELLUCID_REQUIRE_ORT").is_some() => panic!("{error}"),
        Err(error) => {
            eprintln!("LEFT OUT: the demo's claims: {error}");
            return None;
        }
    };
    let path = fixtures().join("models/efficientnet_lite0_imagenet.onnx");
    Some(LoadedModel::open(&path, onnxruntime, &ModelOptions::default()).expect("the demo model"))
}

/// All five photos explained and scored.
fn evaluated(model: &LoadedModel, method: &str, options: MethodOptions) -> Evaluation {
    let photos: Vec<PathBuf> = PHOTOS.iter().map(|name| fixtures().join("photos").join(name)).collect();
    let input = model.read_input(&photos, None).expect("five photos");
    let method = Method::new(method, &options, model, 0).expect("a method of this model");
    let request = Request { method, target: Target::Top(1), seed: 0 };
    let options = EvaluationOptions {
        metrics: vec![Metric::Deletion],
        curves: CurveOptions { n_steps: 25, n_random: 5, patch: None },
        ..EvaluationOptions::default()
    };
    evaluate(model, &input, &request, &options, &Work::default()).expect("explained and scored")
}

fn assert_deletion_beats_random(evaluation: &Evaluation) {
    for (photo, scores) in PHOTOS.iter().zip(&evaluation.scores) {
        let deletion = scores.deletion.as_ref().expect("asked for");
        let (auc, random) = (deletion.curve.auc, deletion.random.mean.auc);
        assert!(deletion.beats_random(), "{photo}: deletion AUC {auc:.4}, random {random:.4}");
    }
}

#[test]
fn integrated_gradients_reach_one_percent_and_beat_random_deletion() {
    let Some(model) = demo_model() else { return };
    let options = MethodOptions { tolerance: Some(0.01), ..MethodOptions::default() };
    let evaluation = evaluated(&model, "integrated_gradients", options);
    let explanation = &evaluation.explanation;
    let delta = explanation.convergence_delta.as_ref().expect("promised");
    let base_values = explanation.base_values.as_ref().expect("promised");
    for (row, photo) in PHOTOS.iter().enumerate() {
        let n = explanation.evaluations[row];
        assert!(n <= 300, "{photo}: {n} evaluations");
        let share = delta[[row]].abs() / (explanation.outputs[[row]] - base_values[[row]]).abs();
        assert!(share <= 0.01, "{photo}: {share:.4} of the difference is missing");
    }
    assert_deletion_beats_random(&evaluation);
}

#[test]
fn grad_cam_lies_on_the_object_and_beats_random_deletion() {
    let Some(model) = demo_model() else { return };
    let evaluation = evaluated(&model, "grad_cam", MethodOptions::default());
    let masses = masses_inside(&evaluation);
    let n_inside = masses.iter().filter(|mass| **mass >= 0.5).count();
    assert!(n_inside >= 4, "mass inside the boxes of {PHOTOS:?}: {masses:.2?}");
    assert_deletion_beats_random(&evaluation);
}

/// The share of each photo's map inside the committed box around its object.
fn masses_inside(evaluation: &Evaluation) -> Vec<f64> {
    let text = std::fs::read_to_string(fixtures().join("boxes.json")).expect("committed boxes");
    let boxes: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let region = |photo: &str| {
        let corner = |at: usize| boxes[photo]["crop_box"][at].as_f64().expect("four pixel edges");
        Region::from_box(224, 224, [corner(0), corner(1), corner(2), corner(3)]).expect("a box in the crop")
    };
    let regions: Vec<Region> = PHOTOS.iter().map(|photo| region(photo)).collect();
    let explanation = &evaluation.explanation;
    let values = explanation.values.clone().insert_axis(ndarray::Axis(1));
    let outputs = explanation.outputs.clone().insert_axis(ndarray::Axis(1));
    let attribution = pellucid_core::Attribution::new(values, outputs);
    let options = Options { channel_axis: None, tolerance: 0.0 };
    let scores = localization(&attribution, &regions, &options).expect("maps of the crop's size");
    scores.iter().map(|score| score.mass_inside.expect("some mass")).collect()
}

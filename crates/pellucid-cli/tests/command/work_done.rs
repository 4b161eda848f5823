//! What the commands do on real models.

use pellucid_engine::Explanation;
use serde_json::Value;

use crate::{Folder, assert_fails, fixture, run, stdout};

fn digits() -> [String; 2] {
    [fixture("models/mnist_cnn.onnx"), fixture("models/mnist_cnn.sample.npz")]
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(&run(arguments))).expect("JSON and nothing else")
}

fn explanation(arguments: &[&str]) -> Explanation {
    Explanation::from_json(&stdout(&run(arguments))).expect("an explanation")
}

#[test]
fn deep_lift_and_deep_shap_take_either_rule() {
    let [model, rows] = digits();
    for (method, more) in [("deep-lift", ["--baseline", "value:0.1"]), ("deep-shap", ["--background", &rows])]
    {
        let by = |rule: &str| {
            let arguments = ["explain", &model, &rows, "--method", method, "--rule", rule, "--json"];
            explanation(&[arguments.as_slice(), &more].concat())
        };
        let (rescale, reveal_cancel) = (by("rescale"), by("reveal-cancel"));
        assert_ne!(rescale.values, reveal_cancel.values, "{method}");
        let sums = |explained: &Explanation| -> Vec<f64> {
            let values: Vec<f64> = explained.values.iter().copied().collect();
            values.chunks(values.len() / explained.values.shape()[0]).map(|row| row.iter().sum()).collect()
        };
        let (a, b) = (sums(&rescale), sums(&reveal_cancel));
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-3), "{method}: {a:?}, {b:?}");
    }
}

#[test]
fn every_method_explains_digits() {
    let [model, rows] = digits();
    let methods = [
        "saliency",
        "input-x-gradient",
        "integrated-gradients",
        "lrp",
        "deep-lift",
        "deep-shap",
        "gradient-shap",
        "smoothgrad",
        "smoothgrad-sq",
        "vargrad",
        "grad-cam",
        "grad-cam-pp",
        "layer-cam",
        "hires-cam",
        "xgrad-cam",
        "ablation-cam",
        "score-cam",
        "eigen-cam",
        "guided-backprop",
        "guided-grad-cam",
    ];
    for method in methods {
        let mut arguments = vec!["explain", &model, &rows, "--method", method, "--json"];
        if method.ends_with("-shap") {
            arguments.extend(["--background", &rows]);
        }
        let explained = explanation(&arguments);
        assert_eq!(explained.about.method, method.replace('-', "_"));
        let is_map = method.ends_with("-cam") && method != "guided-grad-cam" || method == "grad-cam-pp";
        let shape: &[usize] = if is_map { &[28, 28] } else { &[1, 28, 28] };
        assert_eq!(&explained.values.shape()[1..], shape, "{method}");
        assert_eq!(
            explained.standard_error.is_some(),
            method.contains("grad-sq")
                || method.ends_with("-shap")
                || ["smoothgrad", "vargrad"].contains(&method)
        );
        assert_eq!(
            explained.convergence_delta.is_some(),
            ["integrated-gradients", "lrp", "deep-lift"].contains(&method) || method.ends_with("-shap")
        );
        assert!(explained.values.iter().any(|&value| value != 0.0), "{method}");
        let all_positive = explained.values.iter().all(|&value| value >= 0.0);
        assert!(explained.about.signed || all_positive, "{method}");
        let warns = explained.about.warnings.iter().any(|warning| warning.contains("randomization check"));
        assert_eq!(warns, method.starts_with("guided"), "{method}");
    }
}

#[test]
fn relevance_follows_a_persons_rules_and_accounts_for_itself() {
    let [model, rows] = digits();
    let folder = Folder::new();
    let rules = folder.write("rules.toml", "[[rule]]\nfirst = true\nrule = \"flat\"");
    let out = folder.text("out");
    let explained =
        ["explain", &model, &rows, "--method", "lrp", "--composite", "epsilon-alpha2-beta1", "--json"];
    let own = explanation(&[&explained[..], &["--rules", &rules, "--out", &out, "--conservation"]].concat());
    let preset =
        ["explain", &model, &rows, "--method", "lrp", "--composite", "epsilon-alpha2-beta1-flat", "--json"];
    assert_eq!(own.values, explanation(&preset).values);
    assert_eq!(own.about.parameters["rules"].to_string(), "rules.toml");
    let table = std::fs::read_to_string(folder.path("out/conservation.csv")).expect("written");
    let n_nodes = table.lines().filter(|line| line.starts_with("0,0,")).count();
    assert!(table.starts_with("row,target,op,node,arrived") && n_nodes > 8, "{table}");
    let strange = folder.write("strange.toml", "[[rule]]\nname = \"layer9*\"\nrule = \"flat\"");
    assert_fails(&[&explained[..], &["--rules", &strange]].concat(), 2, &["layer9*", "fits no node"]);
    let broken = folder.write("broken.toml", "[[rule]]\nname = layer9");
    assert_fails(&[&explained[..], &["--rules", &broken]].concat(), 3, &["broken.toml", "line 2"]);
}

#[test]
fn smoothing_goes_around_class_activation_maps_too() {
    let [model, rows] = digits();
    let arguments = ["--method", "smoothgrad", "--base-method", "grad-cam", "--n-samples", "4", "--json"];
    let explained = explanation(&[&["explain", &model, &rows][..], &arguments].concat());
    assert_eq!(&explained.values.shape()[1..], [28, 28]);
    assert_eq!(explained.about.parameters["base_method"].to_string(), "grad_cam");
}

#[test]
fn several_targets_stand_behind_the_features() {
    let [model, rows] = digits();
    let three =
        explanation(&["explain", &model, &rows, "--method", "saliency", "--target", "top-3", "--json"]);
    let n_rows = three.n_rows();
    assert_eq!(three.values.shape(), [n_rows, 1, 28, 28, 3]);
    assert_eq!(three.outputs.shape(), [n_rows, 3]);
    let one = explanation(&["explain", &model, &rows, "--method", "saliency", "--json"]);
    assert_eq!(one.values.shape(), [n_rows, 1, 28, 28]);
    assert_eq!(three.values_of(0, 0), one.values_of(0, 0));
}

#[test]
fn targets_by_label_and_by_index_are_the_same() {
    let [model, rows] = digits();
    let of = |target: &str| {
        explanation(&["explain", &model, &rows, "--method", "saliency", "--target", target, "--json"]).values
    };
    assert_eq!(of("label:7"), of("7"));
    assert_eq!(of("7"), of("7:1"));
}

#[test]
fn both_files_hold_the_same_and_pictures_lie_beside_them() {
    let folder = Folder::new();
    let [model, rows] = digits();
    let text =
        stdout(&run(&["explain", &model, &rows, "--method", "saliency", "--out", &folder.text("out")]));
    assert!(text.contains("explanation.npz") && text.contains("predicted"), "{text}");
    let from_json = std::fs::read_to_string(folder.path("out/explanation.json")).expect("written");
    let from_npz = std::fs::read(folder.path("out/explanation.npz")).expect("written");
    let explained = Explanation::from_json(&from_json).expect("an explanation");
    assert_eq!(explained, Explanation::from_npz(&from_npz).expect("an explanation"));
    let names = folder.names("out");
    assert_eq!(names.len(), 2 + 2 * explained.n_rows(), "{names:?}");
    let svg = std::fs::read_to_string(folder.path("out/heatmap-0-mnist-cnn-sample.svg")).expect("written");
    assert!(svg.starts_with("<svg") || svg.starts_with("<?xml"), "{}", &svg[..40]);
    let png = std::fs::read(folder.path("out/heatmap-0-mnist-cnn-sample.png")).expect("written");
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
}

#[test]
fn rows_without_a_picture_are_counted() {
    let folder = Folder::new();
    let [model, rows] = digits();
    let out = folder.text("out");
    let many = vec![rows.as_str(); 21];
    let options = ["--method", "saliency", "--out", &out];
    let text = stdout(&run(&[&["explain", &model][..], &many, &options].concat()));
    let n_rows =
        explanation(&[&["explain", &model][..], &many, &["--method", "saliency", "--json"]].concat());
    let n_rows = n_rows.n_rows();
    assert!(
        n_rows > 20 && text.contains(&format!("pictures  of the first 20 of {n_rows} rows only")),
        "{text}"
    );
    assert_eq!(folder.names("out").len(), 2 + 2 * 20);
}

#[test]
fn a_row_is_explained_alike_alone_and_among_others() {
    let [model, rows] = digits();
    let of = |size: &str| {
        let arguments = ["--method", "smoothgrad", "--n-samples", "3", "--batch-size", size, "--json"];
        explanation(&[&["explain", &model, &rows][..], &arguments].concat()).values
    };
    let (one, many) = (of("1"), of("64"));
    let largest = many.iter().fold(0.0f64, |largest, value| value.abs().max(largest));
    assert!((&one - &many).iter().all(|d| d.abs() < 1e-5 * largest));
}

#[test]
fn a_photo_is_seen_as_the_model_was_taught() {
    let folder = Folder::new();
    let (model, photo) = (fixture("models/efficientnet_lite0_imagenet.onnx"), fixture("photos/coffee.png"));
    let out = folder.text("out");
    let explained =
        explanation(&["explain", &model, &photo, "--method", "grad-cam", "--json", "--out", &out]);
    let best = &explained.about.predictions[0][0];
    assert_eq!(best.label.as_deref(), Some("espresso"));
    assert!((best.probability.expect("a classifier") - 0.951).abs() < 0.001, "{best:?}");
    assert_eq!(explained.values.shape(), [1, 224, 224]);
    assert_eq!(explained.raw_map.as_ref().expect("a CAM").shape(), [1, 7, 7]);
    assert!(explained.about.preprocessing.is_some());
    let [left, top, right, bottom] = explained.about.inputs[0].source.crop_box.expect("a photo");
    assert_eq!([left, top, right, bottom].map(f64::round), [125.0, 25.0, 475.0, 375.0]);
    assert_eq!(
        folder.names("out"),
        ["explanation.json", "explanation.npz", "heatmap-0-coffee.png", "heatmap-0-coffee.svg"]
    );
}

#[test]
fn preprocessing_can_be_said_on_the_command_line() {
    let folder = Folder::new();
    let model = folder.text("net.onnx");
    std::fs::copy(fixture("models/efficientnet_lite0_imagenet.onnx"), &model).expect("copied");
    let photo = fixture("photos/coffee.png");
    let plain = ["explain", &model, &photo, "--method", "saliency"];
    assert_fails(&plain, 3, &["coffee.png", "preprocess.json", "--resize"]);
    let flags = [
        "--resize",
        "256",
        "--crop",
        "224",
        "--resample",
        "bicubic",
        "--range",
        "0,255",
        "--mean",
        "127",
        "--std",
        "128",
    ];
    let text = stdout(&run(&[&plain[..], &flags].concat()));
    assert!(text.contains("output 967 95.1 %"), "{text}");
}

#[test]
fn a_network_is_inspected() {
    let inspection = json(&["inspect", &digits()[0], "--json"]);
    assert_eq!(inspection["inputs"][0]["name"], "image");
    assert_eq!(inspection["obstacles"], Value::Array(Vec::new()));
    assert_eq!(inspection["n_nodes_of_unknown_flops"], 0);
    let conv = inspection["ops"].as_array().expect("a list").iter().find(|op| op["op"] == "Conv");
    assert_eq!(conv.expect("a convolution")["gradient"], "rule");
    let text = stdout(&run(&["inspect", &digits()[0]]));
    assert!(text.contains("CAM layers") && text.contains("FLOPs"), "{text}");
    let graph = stdout(&run(&["inspect", &digits()[0], "--text"]));
    assert!(graph.contains("= Conv"), "{graph}");
}

#[test]
fn doctor_says_what_is_used() {
    let found = json(&["doctor", "--json"]);
    assert_eq!(found["choice"], "rten");
    assert!(found["used"]["Ok"].as_str().expect("rten is always there").starts_with("rten"));
    assert!(stdout(&run(&["doctor", "--threads", "1"])).contains("threads        1"));
}

#[test]
fn a_compiled_graph_holds_prediction_and_attribution() {
    let folder = Folder::new();
    for method in ["saliency", "input-x-gradient", "integrated-gradients", "grad-cam"] {
        let file = folder.text(&format!("{method}.onnx"));
        stdout(&run(&["compile", &digits()[0], "--method", method, "--out", &file]));
        let inspection = json(&["inspect", &file, "--json"]);
        let outputs = inspection["outputs"].as_array().expect("a list");
        let names: Vec<&Value> = outputs.iter().map(|output| &output["name"]).collect();
        assert_eq!(names, ["logits", "attribution"], "{method}");
    }
    let file = folder.text("smooth.onnx");
    let smooth = ["compile", &digits()[0], "--method", "smoothgrad", "--out", &file];
    assert_fails(&smooth, 4, &["smoothgrad", "cannot be compiled"]);
    let top = ["compile", &digits()[0], "--method", "saliency", "--target", "top-3", "--out", &file];
    assert_fails(&top, 2, &["top-3", "cannot be compiled"]);
}

#[test]
fn evaluation_scores_against_random_orders() {
    let [model, rows] = digits();
    let fast = ["--tolerance", "0.01", "--curve-steps", "14", "--n-random", "4", "--json"];
    let evaluated = json(&[&["evaluate", &model, &rows][..], &fast].concat());
    let first = &evaluated["scores"][0];
    assert!(first["completeness_gap"].as_f64().expect("promised") < 0.011, "{first}");
    let auc = |curve: &str, what: &str| first[curve][what].as_f64().expect("a number");
    assert!(auc("deletion", "auc") < auc("deletion", "random_auc"));
    assert!(auc("insertion", "auc") > auc("insertion", "random_auc"));
}

#[test]
fn redrawn_parameters_change_the_gradient() {
    let [model, rows] = digits();
    let redrawn = ["--method", "saliency", "--metrics", "randomization", "--n-layers", "2", "--json"];
    let evaluated = json(&[&["evaluate", &model, &rows][..], &redrawn].concat());
    let stages = evaluated["randomization"].as_array().expect("a list");
    let layers: Vec<&Value> = stages.iter().map(|stage| &stage["layer"]).collect();
    assert_eq!(
        layers,
        ["/conv_layers/conv_layers.6/Conv_output_0", "/conv_layers/conv_layers.0/Conv_output_0"]
    );
    let last = stages[1]["spearman"].as_f64().expect("not constant");
    assert!(last.abs() < 0.8, "{last}");
}

#[test]
fn a_check_that_does_not_hold_exits_with_5() {
    let [model, rows] = digits();
    let loose = ["--metrics", "completeness", "--n-steps", "1", "--max-gap", "1e-9"];
    let output = run(&[&["evaluate", &model, &rows][..], &loose].concat());
    assert_eq!(output.status.code(), Some(5));
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(out.contains("does not hold  row 0"), "{out}");
    assert!(error.starts_with("error: does not hold: row 0, target 0: completeness gap"), "{error}");
    let unpromised = ["--method", "saliency", "--metrics", "completeness", "--max-gap", "0.1"];
    assert_fails(&[&["evaluate", &model, &rows][..], &unpromised].concat(), 2, &["max_gap"]);
}

#[test]
fn a_report_is_one_page() {
    let folder = Folder::new();
    let (model, photo) = (fixture("models/mnist_cnn.onnx"), fixture("photos/flower.jpg"));
    let text = stdout(&run(&[
        "report",
        &model,
        &photo,
        "--methods",
        "saliency,grad-cam",
        "--out",
        &folder.text("out"),
    ]));
    assert!(text.contains("Open this page in a browser: ") && text.contains("index.html"), "{text}");
    let page = std::fs::read_to_string(folder.path("out/index.html")).expect("written");
    for part in ["flower.jpg", "Saliency", "Grad-CAM", "Deletion AUC", "Insertion AUC", "Completeness gap"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("http://") || page.contains("http://www.w3.org"), "it needs no other file");
}

//! Models that cannot be explained: one line that says what, where and what to do, and its exit code.

use crate::onnx_bytes::{external, model, node};
use crate::{Folder, assert_fails, fixture};

/// Explains a row of three numbers with a model of these bytes.
fn assert_model_fails(bytes: &[u8], code: i32, parts: &[&str]) {
    let folder = Folder::new();
    let model = folder.write("model.onnx", bytes);
    let rows = folder.write("rows.csv", "a,b,c\n1,2,3\n");
    let out = folder.text("out");
    assert_fails(&["explain", &model, &rows, "--method", "saliency", "--out", &out], code, parts);
    assert!(!folder.path("out").exists(), "a failed command leaves nothing");
}

#[test]
fn a_whole_small_model_is_explained() {
    // The ground for the others: these bytes are right.
    let folder = Folder::new();
    let model = folder.write("model.onnx", model(&[node("Tanh", &["x"], "y")], &[]));
    let rows = folder.write("rows.csv", "a,b,c\n1,2,3\n");
    let text = crate::stdout(&crate::run(&["explain", &model, &rows, "--method", "saliency"]));
    assert!(text.contains("strongest   c"), "{text}");
}

#[test]
fn what_is_no_onnx_file_is_refused() {
    assert_model_fails(b"import torch\n", 3, &["not a readable ONNX model", "is the file complete"]);
    assert_model_fails(b"", 3, &["ONNX"]);
    let whole = std::fs::read(fixture("models/mnist_cnn.onnx")).expect("a fixture");
    assert_model_fails(&whole[..whole.len() / 2], 3, &["not a readable ONNX model"]);
    assert_fails(&["explain", "nowhere.onnx", "rows.csv"], 3, &["nowhere.onnx", "cannot read"]);
}

#[test]
fn a_circle_is_refused() {
    let circle = [node("Add", &["x", "b"], "a"), node("Relu", &["a"], "b"), node("Relu", &["b"], "y")];
    assert_model_fails(&model(&circle, &[]), 3, &["cyclic", "node `"]);
}

#[test]
fn a_wire_from_nowhere_is_refused() {
    assert_model_fails(&model(&[node("Add", &["x", "ghost"], "y")], &[]), 3, &["`ghost`", "node `y`"]);
}

#[test]
fn external_data_must_be_there_and_inside_the_folder() {
    let add = [node("Add", &["x", "w"], "y")];
    let missing = model(&add, &[external("w", 3, "weights.bin")]);
    assert_model_fails(&missing, 3, &["external data of `w`", "weights.bin"]);
    for location in ["../weights.bin", "/etc/hostname", "a/../../weights.bin"] {
        let outside = model(&add, &[external("w", 3, location)]);
        assert_model_fails(&outside, 3, &["external data of `w`", location]);
    }
}

#[test]
fn an_op_without_a_rule_is_named() {
    assert_model_fails(&model(&[node("Quux", &["x"], "y")], &[]), 4, &["`Quux`", "`y`"]);
}

#[test]
fn shapes_that_depend_on_numbers_are_refused() {
    let pressed = [node("Greater", &["x", "x"], "c"), node("Compress", &["x", "c"], "y")];
    assert_model_fails(&model(&pressed, &[]), 4, &["depends on the numbers", "`Compress`"]);
}

#[test]
fn models_of_other_kinds_are_told_what_to_do() {
    let folder = Folder::new();
    let rows = folder.write("rows.csv", "a,b,c\n1,2,3\n");
    for (name, part) in [("net.pt", "torch.onnx.export"), ("net.h5", "as ONNX"), ("net.pkl", "as ONNX")] {
        let model = folder.write(name, "{}");
        assert_fails(&["explain", &model, &rows], 4, &[name, part]);
    }
}

#[test]
fn labels_and_preprocessing_must_fit() {
    let folder = Folder::new();
    let model = folder.write("model.onnx", model(&[node("Tanh", &["x"], "y")], &[]));
    let rows = folder.write("rows.csv", "a,b,c\n1,2,3\n");
    let labels = folder.write("labels.txt", "cat\ndog\n");
    assert_fails(&["explain", &model, &rows, "--labels", &labels], 3, &["2 labels", "3 outputs"]);
    folder.write("model.preprocess.json", "{\"size\": 3}");
    assert_fails(&["explain", &model, &rows], 3, &["model.preprocess.json", "unknown field `size`"]);
}

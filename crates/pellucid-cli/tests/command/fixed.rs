//! Networks of several inputs: one is explained, the others hold the same values in every row.

use serde_json::Value;

use crate::bad_input::npy;
use crate::{Folder, assert_fails, fixture, run, stdout};

/// What is told of two rows of numbers, the categories beside them fixed.
fn explained(folder: &Folder, more: &[&str]) -> Value {
    let rows =
        folder.write("rows.npy", npy("(2, 5)", &[0.5, -1.0, 2.0, 0.25, 1.0, 0.5, -1.0, 2.0, 0.25, -3.0]));
    let model = fixture("tables/tabular.dynamo.onnx");
    let own = ["explain", &model, &rows, "--target", "1", "--json"];
    serde_json::from_str(&stdout(&run(&[&own[..], more].concat()))).expect("JSON alone")
}

#[test]
fn one_of_several_inputs_is_explained() {
    let folder = Folder::new();
    let file = folder.write("codes.npy", npy("(1, 3)", &[2.0, 0.0, 1.0]));
    let method = ["--method", "saliency"];
    let of = |codes: &str| explained(&folder, &[&method[..], &["--fixed", codes]].concat());
    let by_numbers = of("codes=2,0,1");
    assert_eq!(by_numbers["values"], of(&format!("codes={file}"))["values"]);
    assert_ne!(by_numbers["outputs"], of("codes=0,0,1")["outputs"]);
    assert!(by_numbers["warnings"].to_string().contains("input `codes` holds 2, 0, 1 in every row"));
    let row = folder.write("codes_row.npy", npy("(1, 3)", &[1.0; 3]));
    let model = fixture("tables/tabular.dynamo.onnx");
    let inspected = stdout(&run(&["inspect", &model, "--fixed", "codes=2,0,1"]));
    assert!(!inspected.contains("2 inputs"), "{inspected}");
    let start = ["--start", "codes", "--fixed", "numbers=1,2,3,4,5"];
    assert_fails(&[&["explain", &model, &row][..], &start].concat(), 4, &["codes"]);
}

#[test]
fn what_another_input_holds_must_fit_it() {
    let folder = Folder::new();
    let rows = folder.write("rows.npy", npy("(1, 5)", &[0.0; 5]));
    let model = fixture("tables/tabular.dynamo.onnx");
    let refused = |more: &[&str], code: i32, parts: &[&str]| {
        assert_fails(&[&["explain", &model, &rows][..], more].concat(), code, parts);
    };
    refused(&[], 4, &["2 inputs (numbers, codes)", "--fixed NAME=FILE"]);
    refused(&["--fixed", "code=1,2,3"], 2, &["no input `code`", "numbers, codes"]);
    refused(&["--fixed", "codes=1,2"], 2, &["`codes`", "[3]"]);
    refused(&["--fixed", "codes=1,0.5,2"], 2, &["whole numbers"]);
    refused(&["--fixed", "codes"], 2, &["NAME=NUMBERS"]);
    refused(&["--fixed", "codes=nowhere.npy"], 3, &["nowhere.npy"]);
    let trees = fixture("trees/demo/adult.txt");
    let table = fixture("data/adult_declined.csv");
    assert_fails(&["explain", &trees, &table, "--fixed", "age=1"], 2, &["fixed"]);
}

#[test]
fn a_journal_is_of_one_row_of_other_inputs() {
    let folder = Folder::new();
    let journal = folder.text("kept");
    let of = |codes: &'static str| {
        ["--method", "exact-shap", "--baseline", "zeros", "--journal", &journal, "--fixed", codes]
            .map(str::to_owned)
    };
    let first = of("codes=2,0,1");
    let first: Vec<&str> = first.iter().map(String::as_str).collect();
    let explained_once = explained(&folder, &first);
    assert_eq!(explained(&folder, &first)["values"], explained_once["values"]);
    let (rows, model) = (folder.text("rows.npy"), fixture("tables/tabular.dynamo.onnx"));
    let other = of("codes=0,1,0");
    let other: Vec<&str> = other.iter().map(String::as_str).collect();
    assert_fails(
        &[&["explain", &model, &rows, "--target", "1"][..], &other].concat(),
        2,
        &["journal", "another model"],
    );
}

#[test]
fn only_layers_behind_the_start_are_redrawn() {
    let folder = Folder::new();
    let row: Vec<f32> = (0..256).map(|i| (i as f32 * 0.7).sin()).collect();
    let row = folder.write("row.npy", npy("(1, 256)", &row));
    let model = fixture("models/mnist_cnn.onnx");
    let from = [
        "--start",
        "/fc_layers/fc_layers.0/Gemm_output_0",
        "--method",
        "saliency",
        "--metrics",
        "randomization",
    ];
    let told = stdout(&run(&[&["evaluate", &model, &row][..], &from].concat()));
    assert!(
        told.contains("\nlogits ") && !told.contains("/fc_layers.0") && !told.contains("conv_layers"),
        "{told}"
    );
}

//! Inputs and requests that cannot be: one line that says what, where and what to do, and its exit code.

use crate::{Folder, assert_fails, fixture, pellucid};

fn digits() -> String {
    fixture("models/mnist_cnn.onnx")
}

fn digits_rows() -> String {
    fixture("models/mnist_cnn.sample.npz")
}

/// A `.npy` file of float32 numbers.
pub(crate) fn npy(shape: &str, numbers: &[f32]) -> Vec<u8> {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
    bytes
}

fn assert_input_fails(name: &str, bytes: impl AsRef<[u8]>, parts: &[&str]) {
    let folder = Folder::new();
    let input = folder.write(name, bytes);
    let out = folder.text("out");
    let mut all = vec![name];
    all.extend(parts);
    assert_fails(&["explain", &digits(), &input, "--out", &out], 3, &all);
    assert!(!folder.path("out").exists(), "a failed command leaves nothing");
}

#[test]
fn rows_must_fit_the_model_and_be_numbers() {
    assert_input_fails("short.npy", npy("(1, 28, 27)", &[0.0; 756]), &["[1, 28, 27]", "[rows, 1, 28, 28]"]);
    let mut numbers = [0.0; 784];
    numbers[28 * 3 + 5] = f32::NAN;
    assert_input_fails("nan.npy", npy("(1, 1, 28, 28)", &numbers), &["NaN at [0, 0, 3, 5]"]);
    numbers[28 * 3 + 5] = f32::INFINITY;
    assert_input_fails("inf.npy", npy("(1, 1, 28, 28)", &numbers), &["inf at [0, 0, 3, 5]"]);
    assert_input_fails("cut.npy", npy("(1, 1, 28, 28)", &[0.0; 700]), &["needs 3136 bytes, there are 2800"]);
    assert_input_fails("none.npy", npy("(0, 1, 28, 28)", &[]), &["holds no rows"]);
    assert_input_fails("empty.npy", b"", &["the file is empty"]);
    assert_input_fails("rows.csv", "a,b\n1,x\n", &["line 2, column `b`"]);
    assert_input_fails("rows.docx", "PK", &[".npy, .npz, .csv, .png or .jpg"]);
}

#[test]
fn what_is_no_image_is_refused() {
    assert_input_fails("photo.png", "not an image", &["no PNG or JPEG"]);
    let whole = std::fs::read(fixture("photos/chelsea.png")).expect("a fixture");
    assert_input_fails("photo.png", &whole[..whole.len() / 2], &["no readable image"]);
}

#[test]
fn a_missing_input_is_refused() {
    assert_fails(&["explain", &digits(), "nowhere.npy"], 3, &["nowhere.npy", "cannot be read"]);
    assert_fails(
        &["explain", &digits(), &fixture("models/mnist_test_500.npz")],
        3,
        &["images, labels", "--array"],
    );
}

#[test]
fn targets_must_be_outputs() {
    let refused = |target: &str, parts: &[&str]| {
        assert_fails(&["explain", &digits(), &digits_rows(), "--target", target], 2, parts);
    };
    refused("10", &["target 10", "outputs 0 to 9"]);
    refused("top-11", &["top-11", "10 outputs"]);
    refused("tabby", &["tabby", "no such label among 10"]);
    refused("3-12", &["10 outputs"]);
    refused("3:x", &["INDEX:WEIGHT"]);
}

#[test]
fn layers_and_outputs_must_be_there() {
    let layer = ["explain", &digits(), &digits_rows(), "--method", "grad-cam", "--layer", "Conv_9"];
    assert_fails(&layer, 2, &["Conv_9", "pellucid inspect"]);
    let flat = ["explain", &digits(), &digits_rows(), "--method", "grad-cam", "--layer", "logits"];
    assert_fails(&flat, 2, &["logits", "not known to hold features of places"]);
    assert_fails(&["explain", &digits(), &digits_rows(), "--output", "features"], 2, &["features"]);
}

#[test]
fn options_of_other_methods_are_refused_by_name() {
    let refused = |options: &[&str], parts: &[&str]| {
        let (model, rows) = (digits(), digits_rows());
        let mut arguments = vec!["explain", &model, &rows];
        arguments.extend(options);
        assert_fails(&arguments, 2, parts);
    };
    refused(
        &["--method", "saliency", "--n-steps", "5"],
        &["n_steps", "saliency has no such option", "absolute"],
    );
    refused(&["--method", "input-x-gradient", "--noise", "abs:1"], &["noise", "its options: none"]);
    refused(&["--method", "shapley"], &["no method `shapley`", "integrated_gradients"]);
    refused(&["--method", "deep-shap"], &["background", "deep_shap compares with rows"]);
    refused(&["--background", "rows.npy"], &["background", "integrated_gradients has no such option"]);
    refused(&["--method", "deep-lift", "--rule", "reveal-cancel"], &["reveal-cancel", "rescale"]);
    refused(&["--method", "gradient-shap", "--max-evaluations", "9"], &["max_evaluations", "tolerance"]);
    refused(&["--rule", "simpson"], &["no rule `simpson`", "trapezoid"]);
    refused(&["--n-steps", "0"], &["n_steps"]);
    refused(&["--tolerance", "0.01", "--n-steps", "9"], &["n_steps", "tolerance"]);
    refused(&["--tolerance=-1"], &["tolerance"]);
    refused(&["--baseline", "gray"], &["baseline", "blurred:SIGMA"]);
    refused(&["--method", "smoothgrad", "--base-method", "vargrad"], &["base_method"]);
    refused(&["--method", "smoothgrad", "--noise", "0.1"], &["noise", "share:0.15"]);
    refused(&["--method", "smoothgrad", "--n-samples", "1"], &["n_samples"]);
}

#[test]
fn a_request_that_clap_refuses_exits_with_2() {
    for arguments in [&["explain"][..], &["explode"], &["explain", "m.onnx", "x.npy", "--batch-size", "0"]] {
        assert_eq!(crate::run(arguments).status.code(), Some(2), "{arguments:?}");
    }
    assert_eq!(crate::run(&["--help"]).status.code(), Some(0));
    let unknown = pellucid(&["doctor"]).env("PELLUCID_RUNTIME", "cuda").output().expect("the binary runs");
    assert_ne!(unknown.status.code(), Some(0));
}

#[test]
fn output_that_cannot_be_written_leaves_nothing_behind() {
    let folder = Folder::new();
    let taken = folder.write("taken", "a file where a folder should be");
    assert_fails(&["explain", &digits(), &digits_rows(), "--out", &taken], 1, &["cannot write", "taken"]);
    assert_eq!(folder.names("."), ["taken"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_of() {
    let compile = ["compile", &digits(), "--method", "saliency", "--out", "/dev/full"];
    assert_fails(&compile, 1, &["cannot write /dev/full", "No space left on device"]);

    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let mut json = pellucid(&["explain", &digits(), &digits_rows(), "--json"]);
    let output = json.stdout(full).output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard output: No space left"));
}

/// The system refuses to let a file grow beyond a limit, in the middle of writing.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_finished_is_not_there_at_all() {
    let folder = Folder::new();
    let out = folder.text("out");
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
    let binary = env!("CARGO_BIN_EXE_pellucid");
    let output = std::process::Command::new("sh")
        .args(["-c", script, binary, "explain", &digits(), &digits_rows(), "--out", &out])
        .env("PELLUCID_RUNTIME", "rten")
        .output()
        .expect("sh runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("cannot write") && text.contains("explanation.json"), "{text}");
    assert_eq!(folder.names("out"), Vec::<String>::new());
}

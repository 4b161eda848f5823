//! Texts by predictions alone: a model is asked about them without some of their words.

use serde_json::Value;

use crate::texts::{TEXT, arguments, files};
use crate::{Folder, assert_fails, run, stdout};

fn document(more: &[&str]) -> Value {
    let files = files();
    let text = stdout(&run(&arguments(&files, &[&["--json", "--runtime", "rten"], more].concat())));
    serde_json::from_str(&text).expect("JSON alone")
}

fn word_values(document: &Value) -> Vec<f64> {
    let words = document["texts"][0]["words"].as_array().expect("words");
    words.iter().map(|word| word["values"][0].as_f64().expect("a number")).collect()
}

#[test]
fn lime_tells_words_with_errors_fit_and_pictures() {
    let (files, folder) = (files(), Folder::new());
    let out = folder.text("out");
    let more = ["--text", TEXT, "--target", "of", "--method", "lime", "--n-samples", "400", "--out", &out];
    let text = stdout(&run(&arguments(&files, &more)));
    for part in
        ["lime: baseline deleted", "players words", "± standard error", "explains R² =", "stability over"]
    {
        assert!(text.contains(part), "{text}\nwithout {part:?}");
    }
    let html = std::fs::read_to_string(folder.path("out").join("text-0.html")).expect("written");
    assert!(html.contains(">tired</span>") && html.contains("LIME"), "{html}");
    assert!(folder.path("out").join("text-0.svg").exists());
    let document = std::fs::read_to_string(folder.path("out").join("explanation.json")).expect("written");
    let document: Value = serde_json::from_str(&document).expect("JSON");
    let words = document["texts"][0]["words"].as_array().expect("words");
    assert_eq!(words.len(), 7);
    assert!(words.iter().all(|word| word["standard_errors"][0].as_f64().is_some_and(|error| error > 0.0)));
}

/// What one text without a word gives, and what the difference of two asked texts is.
#[test]
fn a_word_is_worth_what_is_lost_without_it() {
    let ablation = ["--method", "feature-ablation", "--target", "of", "--text"];
    let of = |text: &str| document(&[&ablation[..], &[text]].concat());
    let output =
        |document: &Value| document["texts"][0]["explanation"]["outputs"][0].as_f64().expect("a number");
    let (whole, shorter) = (of("Alice was beginning to"), of("Alice was beginning"));
    let lost = output(&whole) - output(&shorter);
    assert!((word_values(&whole)[3] - lost).abs() < 1e-3, "{:?}, expected {lost}", word_values(&whole));
}

/// Seven words have 128 coalitions: all Shapley methods ask about all of them.
#[test]
fn shapley_methods_agree_and_add_up() {
    let of = |method: &str| {
        document(&[
            "--text",
            TEXT,
            "--method",
            method,
            "--baseline",
            "pad",
            "--target",
            "of",
            "--log-probability",
        ])
    };
    let exact = of("exact-shap");
    let explanation = &exact["texts"][0]["explanation"];
    assert_eq!(explanation["output_space"], "log_probability");
    assert_eq!(explanation["parameters"]["baseline"], "pad");
    assert!(explanation["convergence_delta"][0].as_f64().expect("promised").abs() < 1e-6);
    for method in ["kernel-shap", "sampling-shap"] {
        for (a, b) in word_values(&of(method)).iter().zip(word_values(&exact)) {
            assert!((a - b).abs() < 1e-6, "{method}: {a} and {b}");
        }
    }
}

#[test]
fn what_is_not_for_words_is_refused_by_name() {
    let files = files();
    let check = |more: &[&str], parts: &[&str]| {
        assert_fails(&arguments(&files, &[&["--text", TEXT, "--method", "lime"], more].concat()), 2, parts);
    };
    check(&["--baseline", "zero"], &["`zero` stands for no hidden word", "mask, pad, deleted, token:NAME"]);
    check(&["--baseline", "mask"], &["no token for `mask`"]);
    check(&["--segments", "grid:3"], &["segments: is of rows"]);
    check(&["--background", "rows.csv"], &["background: "]);
    check(&["--journal", "x"], &["journal: is not for texts"]);
    check(&["--n-steps", "3"], &["n_steps"]);
    check(&["--n-samples", "1"], &["at least 2 samples"]);
    check(&["--target", "xyzzyx"], &["no such label"]);
    assert_fails(&arguments(&files, &["--text", " ", "--method", "lime"]), 2, &["text: is empty"]);
    let long = "Alice ".repeat(200);
    assert_fails(
        &arguments(&files, &["--text", &long, "--method", "lime"]),
        3,
        &["the model takes at most 128"],
    );
    assert_fails(&arguments(&files, &["--text", TEXT, "--method", "rise"]), 2, &["rise is for images"]);
    let whole = ["--text", TEXT, "--method", "occlusion", "--window", "9"];
    assert_fails(&arguments(&files, &whole), 2, &["1 to 7 fits"]);
    // Of gradients, nothing is sampled over words.
    assert_fails(&arguments(&files, &["--text", TEXT, "--kernel-width", "1"]), 2, &["kernel_width"]);
    let served = ["explain", "http://127.0.0.1:1/v2/models/a", "--tokenizer", &files[1], "--text", TEXT];
    assert_fails(&served, 2, &["a served model takes rows of numbers"]);
}

//! Texts through a language model: words, pictures, refusals.

use serde_json::Value;

use crate::{Folder, assert_fails, fixture, run, stdout};

const TEXT: &str = "Alice was beginning to get very tired";

/// The model, its tokenizer, and more.
fn arguments<'a>(files: &'a [String; 2], more: &[&'a str]) -> Vec<&'a str> {
    [&["explain", files[0].as_str(), "--tokenizer", files[1].as_str()], more].concat()
}

fn files() -> [String; 2] {
    [fixture("models/glasslm_en.onnx"), fixture("models/glasslm_en_tokenizer.json")]
}

#[test]
fn a_text_is_explained_word_by_word() {
    let (files, folder) = (files(), Folder::new());
    let out = folder.text("out");
    let text = stdout(&run(&arguments(&files, &["--text", TEXT, "--target", "of", "--out", &out])));
    for part in ["glasslm_en", "baseline pad", TEXT, "▁of", "tired ", "completeness gap"] {
        assert!(text.contains(part), "{text}\nwithout {part:?}");
    }
    // No colors where no person looks.
    assert!(!text.contains('\x1b'));
    let html = std::fs::read_to_string(folder.path("out").join("text-0.html")).expect("written");
    assert!(html.contains(">tired</span>"));
    assert!(folder.path("out").join("text-0.svg").exists());
    let document = std::fs::read_to_string(folder.path("out").join("explanation.json")).expect("written");
    let document: Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(document["schema"], "pellucid.text_explanations");
    assert_eq!(document["texts"][0]["words"].as_array().map(Vec::len), Some(7));
}

#[test]
fn files_of_text_are_texts() {
    let (files, folder) = (files(), Folder::new());
    let path = folder.path("tired.txt");
    std::fs::write(&path, format!("{TEXT}\n")).expect("written");
    let path = path.to_str().expect("UTF-8");
    let more = ["--method", "saliency", "--json"];
    let of = |input: &[&str]| -> Value {
        let text = stdout(&run(&arguments(&files, &[input, &more].concat())));
        serde_json::from_str(&text).expect("JSON alone")
    };
    let (file, text) = (of(&[path]), of(&["--text", TEXT]));
    assert_eq!(file["texts"][0]["tokens"], text["texts"][0]["tokens"]);
    assert_eq!(file["texts"][0]["explanation"]["inputs"][0]["file"], "tired.txt");
}

#[test]
fn attention_is_written_with_all_layers_and_heads() {
    let (files, folder) = (files(), Folder::new());
    let out = folder.text("out");
    let more = ["--text", TEXT, "--method", "attention-rollout", "--out", &out];
    let text = stdout(&run(&arguments(&files, &more)));
    assert!(text.contains("not what made it decide"), "{text}");
    let svg = std::fs::read_to_string(folder.path("out").join("attention-0.svg")).expect("written");
    assert!(svg.contains("Attention of layer 3"));
    assert!(folder.path("out").join("attention-0.npz").exists());
}

#[test]
fn texts_that_cannot_be_explained_are_refused() {
    let (files, folder) = (files(), Folder::new());
    assert_fails(&arguments(&files, &["--text", "  "]), 2, &["text: is empty"]);
    let long = "Alice ".repeat(200);
    assert_fails(&arguments(&files, &["--text", &long]), 3, &["the model takes at most 128"]);
    assert_fails(
        &arguments(&files, &["--text", TEXT, "--baseline", "black"]),
        2,
        &["pad, mask, zero, mean, empty"],
    );
    assert_fails(&arguments(&files, &["--text", TEXT, "--baseline", "mask"]), 2, &["no token for `mask`"]);
    assert_fails(
        &arguments(&files, &["--text", TEXT, "--token", "99"]),
        2,
        &["option token: 99 is not there"],
    );
    assert_fails(&arguments(&files, &["--text", TEXT, "--target", "xyzzyx"]), 2, &["no such label"]);
    assert_fails(&arguments(&files, &["rows.npy"]), 3, &["rows.npy: with --tokenizer inputs are texts"]);
    assert_fails(&["explain", &files[0], "--text", TEXT], 2, &["needs the tokenizer"]);
    let rows = fixture("models/glasslm_en.sample.npz");
    assert_fails(&["explain", &files[0], &rows], 4, &["`input_ids`", "--tokenizer tokenizer.json"]);
    let wrong = folder.path("tokenizer.json");
    std::fs::write(&wrong, "{\"model\": 1}").expect("written");
    let wrong = wrong.to_str().expect("UTF-8");
    assert_fails(&["explain", &files[0], "--tokenizer", wrong, "--text", TEXT], 3, &["is no tokenizer.json"]);
    for n in [300, 2000] {
        let words: Vec<String> = (0..n).map(|id| format!("\"w{id}\": {id}")).collect();
        let model = format!(
            "{{\"type\": \"WordLevel\", \"vocab\": {{{}}}, \"unk_token\": \"w0\"}}",
            words.join(", ")
        );
        let other = format!("{{\"version\": \"1.0\", \"model\": {model}}}");
        let other = folder.write("other.json", other);
        let parts =
            [format!("knows {n} tokens"), "embedding has 1024".to_owned(), "not the tokenizer".to_owned()];
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        assert_fails(&["explain", &files[0], "--tokenizer", &other, "--text", TEXT], 3, &parts);
    }
    let network = fixture("models/mnist_cnn.onnx");
    assert_fails(&["explain", &network, "--tokenizer", &files[1], "--text", TEXT], 4, &["looked up"]);
}

//! Texts through a language model: words, pictures, refusals.

use serde_json::Value;

use crate::{Folder, assert_fails, fixture, run, stdout};

pub(crate) const TEXT: &str = "Alice was beginning to get very tired";

/// The model, its tokenizer, and more.
pub(crate) fn arguments<'a>(files: &'a [String; 2], more: &[&'a str]) -> Vec<&'a str> {
    [&["explain", files[0].as_str(), "--tokenizer", files[1].as_str()], more].concat()
}

pub(crate) fn files() -> [String; 2] {
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
    // The caution and its check stand in the terminal, in JSON, and on both pages.
    let json = std::fs::read_to_string(folder.path("out").join("explanation.json")).expect("written");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let check = &json["texts"][0]["explanation"]["deletion"][0];
    let told = format!(
        "deletion {:.3}, random {:.3} ±",
        check["auc"].as_f64().expect("a number"),
        check["random_auc"].as_f64().expect("a number")
    );
    assert!(text.contains(&told), "{text}\nwithout {told:?}");
    for page in ["attention-0.html", "text-0.html"] {
        let html = std::fs::read_to_string(folder.path("out").join(page)).expect("written");
        assert!(html.contains(&told) && html.contains("not what made it decide"), "{page}");
    }
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

/// A model that is asked about a text by a command.
fn asking<'a>(command: &'a str, files: &'a [String; 2], more: &[&'a str]) -> Vec<&'a str> {
    let own = [command, files[0].as_str(), "--tokenizer", &files[1], "--text", TEXT];
    [&own[..], more].concat()
}

#[test]
fn a_text_is_scored_token_by_token() {
    let (files, folder) = (files(), Folder::new());
    let out = folder.text("out");
    let metrics = ["--metrics", "completeness,deletion,insertion,randomization", "--n-layers", "2"];
    let curves = ["--curve-steps", "8", "--n-random", "4", "--n-steps", "20", "--json", "--out", &out];
    let document = stdout(&run(&asking("evaluate", &files, &[&metrics[..], &curves].concat())));
    let document: Value = serde_json::from_str(&document).expect("JSON alone");
    assert_eq!(document["schema"], "pellucid.text_evaluations");
    assert_eq!(document["texts"][0]["text"], TEXT);
    let scored = &document["texts"][0]["evaluation"];
    let scores = &scored["scores"][0];
    assert!(scores["completeness_gap"].as_f64().expect("promised") < 0.2);
    // Both curves lead between the whole text and the text without content, in probability.
    let ends = |curve: &str| {
        let fractions = scores[curve]["fractions"].as_array().expect("a curve");
        assert_eq!((fractions.first(), fractions.last()), (Some(&0.0.into()), Some(&1.0.into())), "{curve}");
        let outputs = scores[curve]["outputs"].as_array().expect("a curve");
        [outputs.first(), outputs.last()].map(|output| output.and_then(Value::as_f64).expect("a number"))
    };
    let ([whole, none], [empty, all]) = (ends("deletion"), ends("insertion"));
    assert!((whole - all).abs() < 1e-6 && (none - empty).abs() < 1e-6, "{whole} {all} {none} {empty}");
    assert!((0.0..=1.0).contains(&whole) && whole != none, "{whole} {none}");
    let stages = scored["randomization"].as_array().expect("asked for");
    assert_eq!(stages.len(), 2);
    assert!(
        stages.iter().all(|stage| stage["spearman"].as_f64().is_some_and(|alike| alike < 0.9)),
        "{stages:?}"
    );
    for name in ["evaluation.json", "explanation.json", "text-0.html"] {
        assert!(folder.path("out").join(name).exists(), "{name}");
    }
}

#[test]
fn what_a_deleted_token_becomes_can_be_said() {
    let files = files();
    let few =
        ["--curve-steps", "4", "--n-random", "2", "--metrics", "deletion", "--method", "saliency", "--json"];
    let end = |more: &[&str]| {
        let text = stdout(&run(&asking("evaluate", &files, &[&few[..], more].concat())));
        let document: Value = serde_json::from_str(&text).expect("JSON alone");
        let scores = &document["texts"][0]["evaluation"]["scores"][0];
        assert!(scores["insertion"].is_null() && scores["completeness_gap"].is_null());
        scores["deletion"]["outputs"]
            .as_array()
            .and_then(|outputs| outputs.last()?.as_f64())
            .expect("a curve")
    };
    // Padding is the default.
    assert_eq!(end(&[]), end(&["--deletion-baseline", "pad"]));
    assert_ne!(end(&[]), end(&["--deletion-baseline", "mean"]));
}

#[test]
fn a_check_names_the_text_that_fails_it() {
    let files = files();
    let more = [
        "--text",
        "Down the rabbit hole",
        "--n-steps",
        "2",
        "--metrics",
        "completeness",
        "--max-gap",
        "1e-9",
    ];
    let output = run(&asking("evaluate", &files, &more));
    assert_eq!(output.status.code(), Some(5));
    let told = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(told.contains("text 0, target 0") && told.contains("text 1, target 0"), "{told}");
    let table = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(table.contains("completeness gap") && table.contains("Down the rabbit hole"), "{table}");
}

#[test]
fn a_report_of_texts_is_one_page() {
    let (files, folder) = (files(), Folder::new());
    let (path, out) = (folder.write("rabbit.txt", "Down the <rabbit> hole\n"), folder.text("out"));
    let more = [path.as_str(), "--methods", "integrated-gradients,saliency,attention-rollout", "--out", &out];
    let told = stdout(&run(&asking("report", &files, &more)));
    assert!(told.contains("index.html"), "{told}");
    let page = std::fs::read_to_string(folder.path("out").join("index.html")).expect("written");
    for part in [
        "What glasslm_en reads",
        "Text 1",
        "rabbit.txt",
        ">tired</span>",
        "&lt;",
        "Integrated gradients",
        "Attention rollout",
        "not what made it decide",
        "Deletion AUC",
        "Insertion AUC",
        "not promised",
        "share of the text deleted",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<script") && !page.contains("<rabbit"));
}

#[test]
fn what_texts_do_not_have_is_refused_by_name() {
    let files = files();
    let check = |command: &str, more: &[&str], parts: &[&str]| {
        assert_fails(&asking(command, &files, more), 2, parts);
    };
    check("evaluate", &["--patch", "2"], &["patch: ", "tokens come and go"]);
    check("evaluate", &["--background", "rows.npy"], &["background: ", "this is about texts"]);
    check("evaluate", &["--metrics", "localization"], &["no metric `localization`", "deletion, insertion"]);
    check("evaluate", &["--metrics", "infidelity"], &["no metric `infidelity`"]);
    check("evaluate", &["--deletion-baseline", "blurred:3"], &["blurred:3", "none for texts"]);
    check("evaluate", &["--resize", "224"], &["resize: ", "is for photos"]);
    check("evaluate", &["--array", "x"], &["array: ", "this is about texts"]);
    check("report", &["--cohort", "sex", "--out", "out"], &["cohort: ", "this is about texts"]);
    check("report", &["--background", "rows.csv", "--out", "out"], &["background: ", "this is about texts"]);
    check("report", &["--methods", "grad-cam", "--out", "out"], &["layer: none found"]);
    assert_fails(&["report", &files[0], "--text", TEXT, "--out", "out"], 2, &["needs the tokenizer"]);
}

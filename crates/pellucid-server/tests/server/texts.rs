//! A network that reads texts: a small language model with its tokenizer.

use std::fs;

use pellucid_store::{Reader, Values};
use serde_json::{Value, json};

use crate::harness::{Place, Running, fixture};

const TEXTS: [&str; 2] = ["Alice looked at the Mock", "There was a table"];

fn place(settings: &str) -> Place {
    let place = Place::new();
    let settings = format!("[explain]\noptions = {{ n_steps = 8 }}\n{settings}");
    let folder = place.model("next-word", "models/glasslm_en.onnx", &settings);
    fs::copy(fixture("models/glasslm_en_tokenizer.json"), folder.join("tokenizer.json")).unwrap();
    place
}

fn floats(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

/// The place of the highest number.
fn highest(numbers: &[f64]) -> usize {
    (0..numbers.len()).max_by(|&a, &b| numbers[a].total_cmp(&numbers[b])).unwrap()
}

fn infer(server: &Running, texts: &[&str]) -> Value {
    let tensor = json!({ "name": "text", "shape": [texts.len()], "datatype": "BYTES", "data": texts });
    server.post("/v2/models/next-word/infer", &json!({ "inputs": [tensor] })).expect(200).json()
}

#[test]
fn texts_are_predicted_and_explained_word_by_word() {
    let server = place("[sampling]\nrule = \"all\"\n").start(|_| {});
    let predictions =
        server.predict("next-word", "p", &json!([TEXTS[0], { "text": TEXTS[1] }])).expect(200).json();
    let first = floats(&predictions["predictions"][0]);
    // Texts are predicted each for itself, by both protocols alike.
    let answer = infer(&server, &TEXTS[..1]);
    assert_eq!(answer["outputs"][0]["shape"], json!([1, first.len()]));
    let told = floats(&answer["outputs"][0]["data"]);
    assert!(told.iter().zip(&first).all(|(a, b)| (a - b).abs() < 1e-5 * (1.0 + b.abs())));
    let inputs = server.get("/v2/models/next-word").expect(200).json()["inputs"].clone();
    assert_eq!(inputs, json!([{ "name": "text", "datatype": "BYTES", "shape": [-1] }]));

    let explained =
        server.post("/v1/models/next-word:explain", &json!({ "instances": [TEXTS[0]] })).expect(200).json();
    let explanation = &explained["explanations"][0];
    assert_eq!(explanation["words"], json!(["Alice", "looked", "at", "the", "Mock"]));
    assert_eq!(explanation["target"]["index"], highest(&first));
    let sum: f64 = floats(&explanation["values"]).iter().sum();
    let number = |name: &str| explanation[name].as_f64().unwrap();
    assert!((sum - (number("output") - number("base_value")) - number("convergence_delta")).abs() < 1e-4);
}

#[test]
fn texts_are_recorded_under_the_key_of_their_job_and_once() {
    let server = place("").start(|_| {});
    server.predict("next-word", "p", &json!([TEXTS[1]])).expect(200);
    let records = server.until_recorded(1);
    let payload = Reader::open(&server.place.log()).unwrap().payload(0).unwrap();
    assert_eq!(payload.input[0].values(), &Values::Text(vec![TEXTS[1].to_owned()]));
    let job = server.post("/v1/explanations", &json!({ "prediction_ids": ["p"] })).expect(200).json();
    assert_eq!(
        (&job["status"], &job["comparability_key"]),
        (&json!("done"), &json!(records[0].comparability_key))
    );
    let asked = json!({ "prediction_ids": ["p"], "parameters": { "method": "lime", "options": { "n_samples": 50 } } });
    let job = server.post("/v1/explanations", &asked).expect(202).json();
    assert_eq!(server.until_ended(job["job_id"].as_str().unwrap())["status"], "done");
    assert_eq!(server.records().len(), 2);
}

#[test]
fn what_is_no_text_or_none_that_fits_is_told() {
    let server = place("").start(|_| {});
    let predict = |text: Value| server.post("/v1/models/next-word:predict", &json!({ "instances": [text] }));
    predict(json!(1)).expect(400).says("neither a text nor");
    predict(json!("")).expect(400).says("is empty");
    predict(json!("x".repeat(1 << 17))).expect(413).says("bytes");
    predict(json!("the ".repeat(3_000))).expect(400).says("tokens");
    let numbers = json!({ "name": "text", "shape": [1], "datatype": "INT64", "data": [1] });
    server.post("/v2/models/next-word/infer", &json!({ "inputs": [numbers] })).expect(400).says("BYTES");
    let explain = |parameters: Value| {
        server.post(
            "/v1/models/next-word:explain",
            &json!({ "instances": [TEXTS[1]], "parameters": parameters }),
        )
    };
    explain(json!({ "method": "tree_shap" })).expect(400);
    explain(json!({ "options": { "removal": "interventional" } })).expect(400).says("`removal`");
    explain(json!({ "target": "top-2" })).expect(400).says("several outputs");
    explain(json!({ "target": "1000000" })).expect(400);
}

#[test]
fn settings_that_texts_cannot_follow_are_refused_by_name() {
    let place = place("");
    let check = |name: &str, settings: &str| {
        let folder = place.model(name, "models/glasslm_en.onnx", settings);
        fs::copy(fixture("models/glasslm_en_tokenizer.json"), folder.join("tokenizer.json")).unwrap();
    };
    check("margins", "[sampling]\nrule = \"low_margin\"\nbelow = 0.1\n");
    check("names", "feature_names = [\"a\"]\n");
    check("shape", "input_shape = [4]\n");
    let server = place.start(|_| {});
    let broken = server.get("/readyz").expect(200).json()["broken"].clone();
    for (name, part) in [("margins", "low_margin"), ("names", "feature_names"), ("shape", "input_shape")] {
        assert!(broken[name].as_str().unwrap_or_default().contains(part), "{name}: {broken}");
    }
}

mod function;
mod predicted;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pellucid_core::{Target, Work};
use pellucid_graph::{Graph, Reference, Runtime, Tensor, evaluate, onnx, text::parse};

use super::*;
use crate::error::{Error, Kind};
use crate::method::MethodOptions;
use crate::model::ModelOptions;
use crate::npz::Npz;

/// Each word moves the outputs by itself: `y = Σ mask · tanh(vector) · head`.
const BAG: &str = "bag (int64[n,t] input_ids, int64[n,t] attention_mask) => (float[n,2] logits)
    <float[11,2] words = {0, 0, 0.5, 0.1, -0.3, 0.2, 0.1, 0.1, 0.2, -0.1, 2, 0.3, -2, 0.4, 0.1, 0.6, 0.3, 0.2, -0.4, 0.7,
     0.9, -0.5}, float[2,2] head = {1, -1, 0.5, 0.25}, int64[1] last = {-1}, int64[1] middle = {1}>
    { w = Gather(words, input_ids) f = Cast<to = 1>(attention_mask) k = Unsqueeze(f, last) h = Tanh(w) z = Mul(h, k)
      s = ReduceSum<keepdims = 0>(z, middle) logits = MatMul(s, head) }";

/// Pieces of words between `[CLS]` and `[SEP]`; would cut everything off behind three tokens, if it were let.
const TOKENIZER: &str = r###"{"version": "1.0",
    "truncation": {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}, "padding": null,
    "added_tokens": [
        {"id": 0, "content": "[PAD]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
        {"id": 3, "content": "[MASK]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
    "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                   {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]},
                           "[SEP]": {"id": "[SEP]", "ids": [2], "tokens": ["[SEP]"]}}},
    "decoder": null,
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
        "vocab": {"[PAD]": 0, "[CLS]": 1, "[SEP]": 2, "[MASK]": 3, "[UNK]": 4, "good": 5, "bad": 6, "film": 7, "un": 8,
                  "##believ": 9, "##able": 10}}}"###;

/// `[CLS] un ##believ ##able good film [UNK] [SEP]`.
const TEXT: &str = "Unbelievable good film!";
const IDS: [i64; 8] = [1, 8, 9, 10, 5, 7, 4, 2];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/models").join(name)
}

/// A model of this graph text with [`TOKENIZER`].
fn model(graph: &str) -> Result<TextModel, Error> {
    model_with(graph, TOKENIZER)
}

fn model_with(graph: &str, tokenizer: &str) -> Result<TextModel, Error> {
    let folder = tempfile::tempdir().unwrap();
    let (path, tokenizer_path) = (folder.path().join("model.onnx"), folder.path().join("tokenizer.json"));
    std::fs::write(&path, onnx::write_bytes(&parse(graph).unwrap()).unwrap()).unwrap();
    std::fs::write(&tokenizer_path, tokenizer).unwrap();
    TextModel::open(&path, &tokenizer_path, Arc::new(Reference), &ModelOptions::default())
}

fn request(method: &str, baseline: Option<&str>) -> TextRequest {
    let options = MethodOptions { baseline: baseline.map(str::to_owned), ..MethodOptions::default() };
    TextRequest {
        method: method.to_owned(),
        options,
        target: Some(Target::Index(0)),
        ..TextRequest::default()
    }
}

fn explained(model: &TextModel, text: &str, request: &TextRequest) -> TextExplanation {
    explain_text(model, text, "", request, &Work::default()).unwrap()
}

fn refusal(model: &TextModel, text: &str, request: &TextRequest) -> Error {
    explain_text(model, text, "", request, &Work::default()).unwrap_err()
}

/// What [`BAG`] gives for ids, output 0.
fn output(ids: &[i64]) -> f64 {
    let graph: Graph = parse(BAG).unwrap();
    let tensor = |elements: Vec<i64>| Tensor::i64(&[1, ids.len()], elements);
    evaluate(&graph, &[tensor(ids.to_vec()), tensor(vec![1; ids.len()])]).unwrap()[0].to_f64s()[0]
}

#[test]
fn each_token_gets_its_own_part_and_each_word_that_of_its_tokens() {
    let model = model(BAG).unwrap();
    let text = explained(&model, TEXT, &request("integrated_gradients", None));
    let ids: Vec<i64> = text.encoded.tokens.iter().map(|token| token.id).collect();
    assert_eq!(ids, IDS);
    let values = text.token_values(0);
    for (value, token) in values.iter().zip(&text.encoded.tokens) {
        let expected = if token.special { 0.0 } else { output(&[token.id]) };
        assert!((value - expected).abs() < 1e-6, "{token:?}: {value}, expected {expected}");
    }
    let words: Vec<&str> = text.words.iter().map(|word| &TEXT[word.span.clone()]).collect();
    assert_eq!(words, ["Unbelievable", "good", "film", "!"]);
    let by_word = text.word_values(0);
    assert!((by_word[0] - (output(&[8]) + output(&[9]) + output(&[10]))).abs() < 1e-6);
    let delta = text.explanation.number_of(text.explanation.convergence_delta.as_ref().unwrap(), 0, 0);
    assert!(delta.abs() < 1e-6);
    assert_eq!(text.explanation.values.shape(), [1, 8]);
}

#[test]
fn every_baseline_is_what_it_says() {
    let model = model(BAG).unwrap();
    let all = |id: i64| [1, id, id, id, id, id, id, 2];
    let mean: f64 = {
        // The mean vector is no token: its output by the formula.
        let words = parse(BAG).unwrap();
        let table = words.constant(words.wire("words").unwrap()).unwrap().to_f64s();
        let of = |column: usize| table.iter().skip(column).step_by(2).sum::<f64>() / 11.0;
        output(&[1, 2]) + 6.0 * (of(0).tanh() + 0.5 * of(1).tanh())
    };
    let expected = [
        ("pad", output(&all(0))),
        ("mask", output(&all(3))),
        ("zero", output(&[1, 2])),
        ("mean", mean),
        ("empty", output(&[1, 2, 0, 0, 0, 0, 0, 0])),
    ];
    for (name, expected) in expected {
        let text = explained(&model, TEXT, &request("integrated_gradients", Some(name)));
        let base_value = text.explanation.number_of(text.explanation.base_values.as_ref().unwrap(), 0, 0);
        assert!((base_value - expected).abs() < 1e-6, "{name}: {base_value}, expected {expected}");
        assert_eq!(text.explanation.about.parameters["baseline"].to_string(), name);
    }
    let error = refusal(&model, TEXT, &request("integrated_gradients", Some("black")));
    assert!(error.to_string().contains("pad, mask, zero, mean, empty"), "{error}");
    let error = refusal(&model, TEXT, &request("saliency", Some("pad")));
    assert!(error.to_string().contains("no such option"), "{error}");
}

#[test]
fn methods_without_a_baseline_go_the_same_way() {
    let model = model(BAG).unwrap();
    let words = parse(BAG).unwrap();
    let table = words.constant(words.wire("words").unwrap()).unwrap().to_f64s();
    let slope = |x: f64| 1.0 - x.tanh().powi(2);
    let saliency = explained(&model, TEXT, &request("saliency", None)).token_values(0);
    let product = explained(&model, TEXT, &request("input_x_gradient", None)).token_values(0);
    for (index, id) in IDS.iter().enumerate() {
        let [a, b] = [table[2 * *id as usize], table[2 * *id as usize + 1]];
        assert!((saliency[index] - (slope(a) + 0.5 * slope(b))).abs() < 1e-6);
        assert!((product[index] - (a * slope(a) + 0.5 * b * slope(b))).abs() < 1e-6);
    }
    let smooth = explained(&model, TEXT, &request("smoothgrad", None));
    assert_eq!(smooth.explanation.standard_error.unwrap().shape(), [1, 8]);
}

#[test]
fn texts_are_filled_up_where_the_model_takes_one_length() {
    let fixed = BAG.replace("[n,t]", "[1,10]").replace("[n,2]", "[1,2]");
    let (open, fixed) = (model(BAG).unwrap(), model(&fixed).unwrap());
    let request = request("integrated_gradients", None);
    let (short, long) = (explained(&open, TEXT, &request), explained(&fixed, TEXT, &request));
    assert_eq!(long.encoded.n_padding, 2);
    let (short, long) = (short.token_values(0), long.token_values(0));
    assert_eq!(long.len(), 10);
    for (index, value) in long.iter().enumerate() {
        assert!((value - short.get(index).unwrap_or(&0.0)).abs() < 1e-6);
    }
    let error = refusal(&fixed, &"good ".repeat(9), &request);
    assert!(error.to_string().contains("11 tokens, the model takes 10"), "{error}");
    assert_eq!(error.kind(), Kind::Usage);
}

#[test]
fn what_holds_no_token_is_refused() {
    let model = model(BAG).unwrap();
    for empty in ["", "  \n\t"] {
        assert!(refusal(&model, empty, &request("saliency", None)).to_string().contains("is empty"));
    }
    let mut asked = request("saliency", None);
    asked.token = Some(1);
    assert!(refusal(&model, TEXT, &asked).to_string().contains("outputs for every token"));
    asked.token = None;
    asked.target = Some(Target::Index(7));
    assert!(refusal(&model, TEXT, &asked).to_string().contains("outputs 0 to 1"));
}

#[test]
fn a_tokenizer_of_another_model_is_refused() {
    let other = std::fs::read_to_string(fixture("glasslm_en_tokenizer.json")).unwrap();
    let error = model_with(BAG, &other).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("knows 1024 tokens, and the model's embedding has 11"), "{error}");
    let wide =
        BAG.replace("float[11,2] words = {", &format!("float[30,2] words = {{{}", "1, 2, ".repeat(19)));
    assert!(model(&wide).map(|_| ()).unwrap_err().to_string().contains("has 30"));
    for broken in ["", "{}", "[1, 2]", "{\"model\": 3}"] {
        let error = model_with(BAG, broken).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), Kind::BadInput, "{error}");
    }
}

#[test]
fn labels_of_tokens_are_explained_token_by_token() {
    let tagger = BAG
        .replace(
            "s = ReduceSum<keepdims = 0>(z, middle) logits = MatMul(s, head)",
            "logits = MatMul(z, head)",
        )
        .replace("[n,2] logits", "[n,t,2] logits");
    let model = model(&tagger).unwrap();
    let mut asked = request("input_x_gradient", None);
    let error = refusal(&model, TEXT, &asked).to_string();
    assert!(error.contains("0 [CLS], 1 un, 2 ##believ"), "{error}");
    asked.token = Some(4);
    let text = explained(&model, TEXT, &asked);
    let values = text.token_values(0);
    // Of the outputs of one token, no other one has a part.
    assert!(values[4].abs() > 0.1 && values.iter().enumerate().all(|(i, value)| i == 4 || *value == 0.0));
    assert_eq!(text.token, Some(4));
}

#[test]
fn the_document_counts_places_in_characters() {
    let model = model(BAG).unwrap();
    let text = explained(&model, "Ünd good", &request("saliency", None));
    let document: serde_json::Value = serde_json::from_str(&texts_json(&[text]).unwrap()).unwrap();
    let word = &document["texts"][0]["words"][1];
    assert_eq!(
        (word["text"].as_str(), word["start"].as_u64(), word["end"].as_u64()),
        (Some("good"), Some(4), Some(8))
    );
    let tokens = document["texts"][0]["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 4);
    assert_eq!(tokens[2]["values"][0], word["values"][0]);
    assert_eq!(document["texts"][0]["explanation"]["method"], "saliency");
}

#[test]
fn pictures_hold_the_whole_text_and_special_tokens_where_tokens_are_shown() {
    let model = model(BAG).unwrap();
    let text = explained(&model, TEXT, &request("integrated_gradients", None));
    let joined = |by_token| -> String {
        highlighted(&text, 0, by_token).pieces.iter().map(|piece| piece.text.as_str()).collect()
    };
    assert_eq!(joined(false), TEXT);
    assert_eq!(joined(true), format!("[CLS] {TEXT} [SEP]"));
    let pieces = highlighted(&text, 0, false).pieces;
    assert_eq!(pieces.iter().filter(|piece| piece.value.is_some()).count(), 4);
}

fn language_model() -> TextModel {
    let runtime: Arc<dyn Runtime> = pellucid_runtime::runtime(&pellucid_runtime::Options {
        choice: pellucid_runtime::RuntimeChoice::Rten,
        ..pellucid_runtime::Options::default()
    })
    .unwrap();
    let tokenizer = fixture("glasslm_en_tokenizer.json");
    TextModel::open(&fixture("glasslm_en.onnx"), &tokenizer, runtime, &ModelOptions::default()).unwrap()
}

#[test]
fn a_language_models_next_token_is_the_recorded_one() {
    let model = language_model();
    let bytes = std::fs::read(fixture("glasslm_en.sample.npz")).unwrap();
    let mut sample = Npz::open(&bytes).unwrap();
    let (ids, logits) = (sample.array("in_input_ids").unwrap(), sample.array("out_logits").unwrap());
    let n = ids.shape()[1];
    let ids: Vec<i64> = ids.iter().take(n).map(|&id| id as i64).collect();
    let reading = pellucid_explain::token_model::Reading { token: Some(n - 1), log_probability: false };
    let tokens = pellucid_explain::token_model::Tokens::plain(ids.clone());
    let network = model.tokens().network(&tokens, reading).unwrap();
    let rows = model.tokens().vectors(&ids).unwrap().insert_axis(ndarray::Axis(0)).into_dyn();
    let outputs = network.outputs(&rows, &Work::default()).unwrap();
    for (output, expected) in outputs.iter().zip(logits.iter().skip((n - 1) * 1024)) {
        assert!((output - expected).abs() < 1e-3, "{output}, recorded {expected}");
    }
}

#[test]
fn next_words_are_named_contrasted_and_taken_as_log_probabilities() {
    let model = language_model();
    let text = "\u{201c}I beg your pardon,\u{201d} said the Mock";
    let mut asked = TextRequest { target: None, ..request("integrated_gradients", None) };
    asked.options.tolerance = Some(0.01);
    let top = explained(&model, text, &asked);
    assert_eq!(top.token, Some(top.encoded.tokens.len() - 1));
    assert!(top.explanation.relative_gap(0, 0).unwrap() < 0.011);
    let best = top.explanation.about.predictions[0][0].clone();
    asked = TextRequest { target: None, log_probability: true, ..request("saliency", None) };
    let log = explained(&model, text, &asked);
    let output = |text: &TextExplanation| text.explanation.outputs.iter().copied().next().unwrap();
    assert!((output(&log) - best.probability.unwrap().ln()).abs() < 1e-4);
    let spaces = [&log, &top].map(|text| text.explanation.about.output_space.name());
    assert_eq!(spaces, ["log_probability", "margin"]);
    asked.log_probability = false;
    let single = |word: &str| {
        let asked = TextRequest { target: Some(Target::Label(word.to_owned())), ..asked.clone() };
        output(&explained(&model, text, &asked))
    };
    let contrast = Some(Target::Label("the".to_owned()));
    let asked = TextRequest { target: Some(Target::Label("Alice".to_owned())), contrast, ..asked.clone() };
    let difference = explained(&model, text, &asked);
    assert!((output(&difference) - (single("Alice") - single("the"))).abs() < 1e-3);
    assert_eq!(difference.explanation.target_label(0, 0), "▁Alice − ▁the");
}

#[test]
fn a_text_longer_than_the_language_model_takes_is_refused_with_the_most_it_takes() {
    let error = refusal(&language_model(), &"Alice ".repeat(200), &request("saliency", None)).to_string();
    assert!(error.contains("the model takes at most 128"), "{error}");
}

#[test]
fn names_of_tokens_stand_in_one_line() {
    let names = TextTokenizer::open(&fixture("glasslm_en_tokenizer.json")).unwrap().names();
    assert!(names.iter().any(|name| name == "\\n"));
    assert!(!names.iter().any(|name| name.contains(char::is_control)));
}

#[test]
fn a_log_keeps_the_text_and_its_words() {
    let model = model(BAG).unwrap();
    let text = explained(&model, TEXT, &request("integrated_gradients", None));
    let (record, payload) = crate::recorded_text(&text, &crate::RecordContext::new("p-1", 0)).unwrap();
    let texts = |array: &pellucid_store::Array| match array.values() {
        pellucid_store::Values::Text(texts) => texts.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!((payload.input.len(), texts(&payload.input[0])), (1, vec![TEXT.to_owned()]));
    assert_eq!(payload.attribution[0].values(), &pellucid_store::Values::F64(text.word_values(0)));
    assert_eq!(texts(&payload.attribution[1]), ["Unbelievable", "good", "film", "!"]);
    let names: Vec<&str> = payload.attribution.iter().map(|array| array.name()).collect();
    assert_eq!(names, ["values", "words"]);
    // The model has two outputs, and is called by its file.
    assert_eq!((record.prediction.len(), record.model.name.as_str()), (2, "model"));
    assert_eq!(record.model.version, record.model.digest.to_string()[..12]);
    assert!(!serde_json::to_string(&record).unwrap().contains("good"));
}

#[test]
fn a_text_is_what_the_inputs_of_the_file_hold() {
    let model = model(BAG).unwrap();
    let asked = model.inputs_of(TEXT).unwrap();
    assert_eq!(asked.tensors, [Tensor::i64(&[1, 8], IDS.to_vec()), Tensor::i64(&[1, 8], vec![1; 8])]);
    let outputs = evaluate(model.graph(), &asked.tensors).unwrap()[0].to_f64s();
    let explained = explained(&model, TEXT, &request("saliency", None));
    assert!((outputs[0] - explained.explanation.outputs.first().unwrap()).abs() < 1e-6);
    assert!(asked.token.is_none() && model.n_outputs() == 2);
    assert!(model.check_length(TEXT).is_ok());
    assert!(model.inputs_of("").unwrap_err().to_string().contains("is empty"));
}

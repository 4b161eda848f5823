//! Real language and sentiment models: the word that decides is found.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::panic,
    reason = "a broken expectation is what a test reports"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pellucid_engine::{
    MethodOptions, ModelOptions, Runtime, RuntimeChoice, RuntimeOptions, Target, TextExplanation, TextModel,
    TextRequest, Work, explain_text, runtime,
};

/// By gradients, and by predictions alone.
const METHODS: [&str; 3] = ["integrated_gradients", "lrp", "feature_ablation"];

fn request(method: &str, target: &str) -> TextRequest {
    let options = match method {
        "lrp" => MethodOptions { composite: Some("attnlrp".to_owned()), ..MethodOptions::default() },
        _ => MethodOptions { n_steps: Some(50), ..MethodOptions::default() },
    };
    TextRequest {
        method: method.to_owned(),
        options,
        target: Some(Target::Label(target.to_owned())),
        ..TextRequest::default()
    }
}

/// Whether one of the two tokens with the largest values belongs to the planted word.
fn finds(text: &TextExplanation, planted: &str) -> bool {
    let values = text.token_values(0);
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    let word = text.words.iter().find(|word| &text.encoded.text[word.span.clone()] == planted);
    let word = word.unwrap_or_else(|| panic!("{planted} is not in {:?}", text.encoded.text));
    order.iter().take(2).any(|token| word.tokens.contains(token))
}

/// What the language model has read of names and words that go on in one way: text, the word that decides, what follows.
const NAMES: [(&str, &str, &str); 10] = [
    ("\u{201c}I beg your pardon,\u{201d} said the Mock", "Mock", "▁T"),
    ("She looked up and saw the White", "White", "▁Queen"),
    ("In that direction lives a March", "March", "▁H"),
    ("She had never seen such a large Cater", "Cater", "token:p"),
    ("\u{201c}That is not what I meant,\u{201d} said Tweedled", "Tweedled", "token:e"),
    ("\u{201c}It is very provoking,\u{201d} said Humpty", "Humpty", "▁D"),
    ("Alice was very glad to find the Red", "Red", "▁Queen"),
    ("There was nothing so very remark", "remark", "token:able"),
    ("The Mouse looked at Alice and spoke sever", "sever", "token:al"),
    ("The jury all wrote down on their sl", "sl", "token:at"),
];

/// Sentences that say nothing but for one planted word.
const OPINIONS: [(&str, &str, &str); 10] = [
    ("The film that we saw on Tuesday was terrible.", "terrible", "negative"),
    ("We watched it on a Sunday evening and it was wonderful.", "wonderful", "positive"),
    ("The hotel room on the third floor was filthy.", "filthy", "negative"),
    ("My sister says that the second season is brilliant.", "brilliant", "positive"),
    ("The service at the counter was awful this morning.", "awful", "negative"),
    ("He read the whole book on the train and found it boring.", "boring", "negative"),
    ("The keyboard arrived on Monday and it is excellent.", "excellent", "positive"),
    ("The soup that came with the menu was disgusting.", "disgusting", "negative"),
    ("Their concert in the old church was magnificent.", "magnificent", "positive"),
    ("The update of the app on my phone is useless.", "useless", "negative"),
];

/// Asserts that the planted word is among the top two tokens in at least eight of ten sentences, for each method.
fn assert_found(model: &TextModel, sentences: &[(&str, &str, &str); 10]) {
    METHODS.iter().for_each(|method| assert_found_by(method, model, sentences));
}

fn assert_found_by(method: &str, model: &TextModel, sentences: &[(&str, &str, &str); 10]) {
    let mut missed = Vec::new();
    for (text, planted, target) in sentences {
        let explained = explain_text(model, text, "", &request(method, target), &Work::default());
        let explained = explained.unwrap_or_else(|error| panic!("{text}: {error}"));
        if !finds(&explained, planted) {
            missed.push((text, explained.token_values(0)));
        }
    }
    assert!(missed.len() <= 2, "{method} missed: {missed:#?}");
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/models")
}

#[test]
fn in_a_language_model_the_planted_word_decides_the_next_one() {
    let options = RuntimeOptions { choice: RuntimeChoice::Rten, ..RuntimeOptions::default() };
    let rten = runtime(&options).expect("compiled in");
    let tokenizer = fixtures().join("glasslm_en_tokenizer.json");
    let model =
        TextModel::open(&fixtures().join("glasslm_en.onnx"), &tokenizer, rten, &ModelOptions::default());
    let model = model.expect("the language model");
    assert_found(&model, &NAMES);
}

/// The sentiment model (45 MB), from the folder that PELLUCID_TEXT_MODELS names; `None` where there is none.
fn sentiment_model() -> Option<TextModel> {
    let Some(folder) = std::env::var_os("PELLUCID_TEXT_MODELS").map(PathBuf::from) else {
        eprintln!(
            "LEFT OUT: planted opinions: PELLUCID_TEXT_MODELS names no folder with minilm_sentiment.onnx"
        );
        return None;
    };
    let any: Arc<dyn Runtime> = runtime(&RuntimeOptions::default()).expect("one is compiled in");
    let (model, tokenizer) = (folder.join("minilm_sentiment.onnx"), folder.join("minilm_tokenizer.json"));
    Some(TextModel::open(&model, &tokenizer, any, &ModelOptions::default()).expect("the sentiment model"))
}

#[test]
fn in_a_sentence_the_planted_opinion_decides() {
    if let Some(model) = sentiment_model() {
        assert_found(&model, &OPINIONS);
    }
}

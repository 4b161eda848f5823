//! Texts by predictions alone, against what the model gives for the texts without some of their words.

use pellucid_core::Work;

use super::*;
use crate::agnostic::AgnosticOptions;

fn by_predictions(method: &str, baseline: Option<&str>) -> TextRequest {
    let mut predicted = AgnosticOptions::default();
    predicted.masking.baseline = baseline.map(str::to_owned);
    TextRequest { predicted, ..request(method, None) }
}

fn number(array: Option<&ndarray::ArrayD<f64>>) -> f64 {
    *array.and_then(|array| array.iter().next()).unwrap()
}

/// Every word moves the output of [`BAG`] by itself, so that every Shapley method finds what a word is worth over what hides it.
#[test]
fn a_word_is_worth_what_it_is_over_what_hides_it() {
    let model = model(BAG).unwrap();
    let tokens_of_words = [&IDS[1..4], &IDS[4..5], &IDS[5..6], &IDS[6..7]];
    for (baseline, hidden) in
        [(None, Some(3)), (Some("pad"), Some(0)), (Some("token:bad"), Some(6)), (Some("deleted"), None)]
    {
        let of_hidden = |n: usize| hidden.map_or(0.0, |id| output(&vec![id; n]));
        for method in
            ["exact-shap", "kernel-shap", "permutation-shap", "owen", "feature-ablation", "occlusion"]
        {
            let text = explained(&model, TEXT, &by_predictions(method, baseline));
            assert_eq!(text.words.len(), 4);
            for (value, ids) in text.word_values(0).iter().zip(tokens_of_words) {
                let expected = output(ids) - of_hidden(ids.len());
                assert!(
                    (value - expected).abs() < 1e-6,
                    "{method} {baseline:?}: {value}, expected {expected}"
                );
            }
            let about = &text.explanation.about;
            assert_eq!(about.parameters["baseline"].to_string(), baseline.unwrap_or("mask"));
            assert!((number(Some(&text.explanation.outputs)) - output(&IDS)).abs() < 1e-6);
            assert!(about.predictions[0][0].probability.is_some());
            assert_eq!(text.explanation.values.shape(), [1, 8]);
            if let Some(base_values) = &text.explanation.base_values {
                let expected = output(&[1, 2]) + of_hidden(6);
                assert!((number(Some(base_values)) - expected).abs() < 1e-6);
                assert!(number(text.explanation.convergence_delta.as_ref()).abs() < 1e-6);
            }
        }
    }
}

/// Tokens of a word share its value, and errors are those of words.
#[test]
fn lime_tells_how_well_it_fits() {
    let model = model(BAG).unwrap();
    let mut asked = by_predictions("lime", Some("deleted"));
    asked.predicted.n_samples = Some(2000);
    asked.target = Some(Target::Top(2));
    let text = explained(&model, TEXT, &asked);
    assert_eq!(text.explanation.values.shape(), [1, 8, 2]);
    assert_eq!(text.explanation.standard_error.as_ref().unwrap().shape(), [1, 8, 2]);
    let by_token = text.token_values(0);
    assert!(by_token[1] == by_token[2] && by_token[2] == by_token[3] && by_token[0] == 0.0);
    let warnings = text.explanation.about.warnings.join("\n");
    assert!(
        warnings.contains("the surrogate explains R² = 1.00") && warnings.contains("stability"),
        "{warnings}"
    );
    // Ridge regression shrinks a little.
    let own = output(&IDS[4..5]);
    let index =
        text.explanation.about.target.indices.as_ref().unwrap()[0].iter().position(|&k| k == 0).unwrap();
    assert!(
        (text.word_values(index)[1] - own).abs() < 0.05 * own,
        "{:?}, expected {own}",
        text.word_values(index)
    );
    let mut other = asked.clone();
    other.seed = 1;
    assert_ne!(explained(&model, TEXT, &other).token_values(0), by_token);
    assert_eq!(explained(&model, TEXT, &asked).token_values(0), by_token);
}

#[test]
fn windows_of_words_are_hidden_together() {
    let model = model(BAG).unwrap();
    let mut asked = by_predictions("occlusion", Some("deleted"));
    (asked.predicted.window, asked.predicted.strides) = (Some(vec![2]), Some(vec![1]));
    let values = explained(&model, TEXT, &asked).word_values(0);
    let [a, b, c, d] = [&IDS[1..4], &IDS[4..5], &IDS[5..6], &IDS[6..7]].map(output);
    let expected = [a + b, (a + b + b + c) / 2.0, (b + c + c + d) / 2.0, c + d];
    for (value, expected) in values.iter().zip(expected) {
        assert!((value - expected).abs() < 1e-6, "{values:?}, expected {expected}");
    }
}

#[test]
fn shorter_texts_are_filled_up_where_the_model_takes_one_length() {
    let fixed = model(&BAG.replace("[n,t]", "[1,10]").replace("[n,2]", "[1,2]")).unwrap();
    let open = model(BAG).unwrap();
    for baseline in [Some("deleted"), Some("mask")] {
        let asked = by_predictions("exact-shap", baseline);
        let (fixed, open) = (explained(&fixed, TEXT, &asked), explained(&open, TEXT, &asked));
        for (a, b) in fixed.word_values(0).iter().zip(open.word_values(0)) {
            assert!((a - b).abs() < 1e-6, "{baseline:?}: {a} and {b}");
        }
    }
}

/// The label of a token: its word stays where words are deleted.
#[test]
fn the_explained_token_is_followed_where_words_before_it_go() {
    let sums = "z2 = MatMul(z, head) total = ReduceSum<keepdims = 1>(z2, middle) logits = Add(z2, total)";
    let tagger = BAG
        .replace("s = ReduceSum<keepdims = 0>(z, middle) logits = MatMul(s, head)", sums)
        .replace("[n,2] logits", "[n,t,2] logits");
    let model = model(&tagger).unwrap();
    let mut asked = by_predictions("exact-shap", Some("deleted"));
    // `film`: its own part and the sum over all.
    asked.token = Some(5);
    let text = explained(&model, TEXT, &asked);
    let values = text.word_values(0);
    for (index, ids) in [(0, &IDS[1..4]), (1, &IDS[4..5]), (3, &IDS[6..7])] {
        assert!((values[index] - output(ids)).abs() < 1e-6, "{values:?}");
    }
    assert_eq!(values[2], 0.0);
    let warnings = text.explanation.about.warnings.join("\n");
    assert!(warnings.contains("of the word `film`, which is never deleted"), "{warnings}");
    asked.predicted.masking.baseline = Some("mask".to_owned());
    let values = explained(&model, TEXT, &asked).word_values(0);
    let expected = 2.0 * (output(&IDS[5..6]) - output(&[3]));
    assert!((values[2] - expected).abs() < 1e-6, "{values:?}, expected {expected}");
}

/// Of a language model the next token is explained, behind whatever word is the last.
#[test]
fn the_next_word_is_that_behind_what_is_left() {
    let model = language_model();
    let of = |text: &str, method: &str| {
        let asked = by_predictions(method, Some("deleted"));
        let target = Some(Target::Label("of".to_owned()));
        explained(&model, text, &TextRequest { target, ..asked })
    };
    let output = |text: &str| number(Some(&of(text, "feature-ablation").explanation.outputs));
    let text = of("Alice was beginning to", "feature-ablation");
    let last = output("Alice was beginning to") - output("Alice was beginning");
    let values = text.word_values(0);
    assert_eq!(text.words.len(), 4);
    assert!((values[3] - last).abs() < 1e-3, "{values:?}, expected {last}");
    let warnings = text.explanation.about.warnings.join("\n");
    assert!(warnings.contains("one token of padding"), "{warnings}");
    assert_eq!(text.explanation.target_label(0, 0), "▁of");
}

#[test]
fn what_hides_no_word_is_refused() {
    let model = model(BAG).unwrap();
    let say = |asked: &TextRequest| refusal(&model, TEXT, asked).to_string();
    for vector in ["zero", "mean", "empty", "black"] {
        let told = say(&by_predictions("lime", Some(vector)));
        assert!(told.contains("mask, pad, deleted, token:NAME"), "{told}");
    }
    assert!(say(&by_predictions("lime", Some("token:xyzzy"))).contains("no token for `token:xyzzy`"));
    assert!(say(&by_predictions("rise", None)).contains("rise is for images"));
    let mut asked = by_predictions("lime", None);
    asked.predicted.masking.segments = Some("grid:3".to_owned());
    assert!(say(&asked).contains("segments: is of rows; of a text, words come and go"));
    let mut asked = by_predictions("occlusion", None);
    asked.predicted.window = Some(vec![5]);
    assert!(say(&asked).contains("1 to 4 fits"));
    let without_mask = TOKENIZER.replace("[MASK]", "other");
    let error = explain_text(
        &model_with(BAG, &without_mask).unwrap(),
        TEXT,
        "",
        &by_predictions("lime", Some("mask")),
        &Work::default(),
    );
    assert!(error.unwrap_err().to_string().contains("no token for `mask`"));
}

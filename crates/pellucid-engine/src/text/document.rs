//! Explanations of texts → JSON. Places in a text are counted in characters, as Python counts them.

use std::ops::Range;

use serde_json::{Value, json};

use crate::error::Error;
use crate::text::explain::TextExplanation;

/// Explanations of texts as one JSON document.
///
/// ```text
/// {"schema": "pellucid.text_explanations", "schema_version": 1, "texts": [{
///   "text": "good film", "token": null,
///   "tokens": [{"name": "good", "id": 2204, "start": 0, "end": 4, "special": false, "values": [0.7]}, …],
///   "words": [{"text": "good", "start": 0, "end": 4, "tokens": [0, 1], "values": [0.7]}, …],
///   "explanation": {…}}]}
/// ```
///
/// `values` has one number a target, and of sampled methods `standard_errors` beside those of a word too; a word's tokens are those from the first number on and before the second.
/// `explanation` is the document of an explanation whose features are the tokens.
///
/// # Errors
/// [`Error::NotFinite`].
pub fn texts_json(texts: &[TextExplanation]) -> Result<String, Error> {
    let texts: Vec<Value> = texts.iter().map(TextExplanation::document).collect::<Result<_, Error>>()?;
    let document = json!({"schema": "pellucid.text_explanations", "schema_version": 1, "texts": texts});
    Ok(document.to_string())
}

impl TextExplanation {
    fn document(&self) -> Result<Value, Error> {
        let text = &self.encoded.text;
        let chars = |span: &Range<usize>| {
            let start = text[..span.start].chars().count();
            (start, start + text[span.clone()].chars().count())
        };
        let n_targets = self.explanation.n_targets();
        let by_token: Vec<Vec<f64>> = (0..n_targets).map(|target| self.token_values(target)).collect();
        let by_word: Vec<Vec<f64>> = (0..n_targets).map(|target| self.word_values(target)).collect();
        let errors: Option<Vec<Vec<f64>>> = (0..n_targets).map(|target| self.word_errors(target)).collect();
        let of = |values: &[Vec<f64>], index: usize| values.iter().map(|of| of[index]).collect::<Vec<f64>>();
        let tokens = self.encoded.tokens.iter().enumerate().map(|(index, token)| {
            let (start, end) = chars(&token.span);
            json!({"name": token.name, "id": token.id, "start": start, "end": end, "special": token.special,
                   "values": of(&by_token, index)})
        });
        let words = self.words.iter().enumerate().map(|(index, word)| {
            let (start, end) = chars(&word.span);
            let mut told = json!({"text": &text[word.span.clone()], "start": start, "end": end,
                                  "tokens": [word.tokens.start, word.tokens.end], "values": of(&by_word, index)});
            if let Some(errors) = &errors {
                told["standard_errors"] = json!(of(errors, index));
            }
            told
        });
        let explanation: Value = serde_json::from_str(&self.explanation.to_json()?)
            .map_err(|error| Error::Input { path: "explanation".to_owned(), reason: error.to_string() })?;
        Ok(json!({"text": text, "token": self.token, "tokens": tokens.collect::<Vec<_>>(),
                  "words": words.collect::<Vec<_>>(), "explanation": explanation}))
    }
}

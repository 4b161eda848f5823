//! Explanation of a text → scores: its tokens are what comes and goes.

use pellucid_core::Work;
use pellucid_explain::token_model::Reading;
use serde_json::{Value, json};

use crate::error::Error;
use crate::evaluate::{Evaluation, EvaluationOptions, Scored, Surroundings, Trial};
use crate::explain::attribute;
use crate::text::explain::{AskedText, TextExplanation, TextPart, TextRequest};
use crate::text::model::TextModel;

/// The explanation of a text with its scores.
#[derive(Clone, Debug, PartialEq)]
pub struct TextEvaluation {
    /// What was scored, with its tokens and words.
    pub text: TextExplanation,
    /// The scores; their only row is the text.
    pub evaluation: Evaluation,
}

/// Explains texts, each with the name of its file or none, and scores the results. Deletion and insertion take the vectors
/// of tokens away and bring them back; what a token becomes is a baseline of texts, by default that of the method, and
/// special tokens stay.
///
/// # Errors
/// As [`crate::explain_text`]; metrics and options that have no meaning for texts.
pub fn evaluate_texts(
    model: &TextModel,
    texts: &[(String, String)],
    request: &TextRequest,
    options: &EvaluationOptions,
    work: &Work,
) -> Result<Vec<TextEvaluation>, Error> {
    if options.curves.patch.is_some() {
        return Err(Error::request("patch", "is for images; of a text tokens come and go"));
    }
    let evaluated = texts.iter().enumerate().map(|(index, (file, text))| {
        let asked = AskedText::new(model, text, file, request)?;
        evaluated(model, &asked, index, request, options, work)
    });
    evaluated.collect()
}

fn evaluated(
    model: &TextModel,
    asked: &AskedText,
    index: usize,
    request: &TextRequest,
    options: &EvaluationOptions,
    work: &Work,
) -> Result<TextEvaluation, Error> {
    let reading = Reading { token: asked.token, log_probability: request.log_probability };
    let around = Surroundings {
        row: &|_| format!("text {index}"),
        deleted: &|baseline| asked.blank(model, baseline.or(request.options.baseline.as_deref())),
        redrawn: &|graph| model.redrawn(graph, &asked.encoded, reading),
    };
    let (TextPart { part, input, .. }, request) = (&**asked, &asked.request);
    let attributed = attribute(part, input, request, work)?;
    let trial =
        Trial { model: part, input, request, attributed: &attributed, options, around: &around, work };
    let Scored { scores, randomization, checks } = trial.scored()?;
    let text = asked.told(model, attributed, work)?;
    let explanation = text.explanation.clone();
    Ok(TextEvaluation { text, evaluation: Evaluation { explanation, scores, randomization, checks } })
}

/// Evaluations of texts as one JSON document; the explanations themselves are left to [`crate::texts_json`].
///
/// ```text
/// {"schema": "pellucid.text_evaluations", "schema_version": 1, "texts": [
///   {"text": "good film", "token": null, "evaluation": {…}}]}
/// ```
///
/// # Errors
/// None that finite evaluations could raise.
pub fn text_evaluations_json(texts: &[TextEvaluation]) -> Result<String, Error> {
    let fault =
        |error: serde_json::Error| Error::Input { path: "evaluation".to_owned(), reason: error.to_string() };
    let document = |of: &TextEvaluation| -> Result<Value, Error> {
        let evaluation: Value = serde_json::from_str(&of.evaluation.to_json()?).map_err(fault)?;
        Ok(json!({"text": of.text.encoded.text, "token": of.text.token, "evaluation": evaluation}))
    };
    let texts: Vec<Value> = texts.iter().map(document).collect::<Result<_, Error>>()?;
    let document = json!({"schema": "pellucid.text_evaluations", "schema_version": 1, "texts": texts});
    Ok(document.to_string())
}

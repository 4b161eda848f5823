//! Text model + text → a value for each word by predictions alone.

use std::collections::BTreeMap;

use ndarray::{Array2, Axis};
use pellucid_core::Work;

use crate::agnostic::explain_predicted;
use crate::agnostic::{AgnosticMethod, AgnosticOptions, AgnosticRequest, PredictedModel, PredictedRows};
use crate::aim::Aim;
use crate::error::Error;
use crate::explain::{predictions, row_sources};
use crate::explanation::{ExplainedTarget, Explanation};
use crate::output_target::OutputTarget;
use crate::parameter::Parameter;
use crate::text::explain::{TextExplanation, TextPart, TextRequest};
use crate::text::hidden_words::{HiddenWords, Hiding, by_token};
use crate::text::model::TextModel;
use crate::text::words::{Word, words};

/// The share by which the outputs for ids and for their vectors may differ, of the largest of them.
const MAX_DIFFERENCE: f64 = 1e-2;

/// Explains one text by what the model says of it without some of its words.
pub(super) fn explain_by_predictions(
    model: &TextModel,
    text: &str,
    file: &str,
    request: &TextRequest,
    work: &Work,
) -> Result<TextExplanation, Error> {
    let options = options_of_words(&request.predicted)?;
    let hiding = Hiding::parse(request.predicted.masking.baseline.as_deref(), model)?;
    let text = TextPart::new(model, text, file, request)?;
    let aim = Aim::new(&text.part, &text.input.rows, &text.target, work)?;
    let weights = &aim.resolved.weights;
    let weights = Array2::from_shape_fn((aim.outputs.ncols(), weights.len()), |(output, target)| {
        f64::from(weights[target][[0, output]])
    });
    let expected = aim.outputs.dot(&weights);
    let hiding_name = hiding.name().to_owned();
    let log_probability = request.log_probability;
    let hidden = HiddenWords::new(model, &text.encoded, text.token, hiding, weights, log_probability, work)?;
    let players = hidden.players().to_vec();
    let rows = rows(&text, &hidden);
    let mut predicted = PredictedModel::of_network(&text.part, None)?;
    predicted.source.output_names = None;
    let predicted = PredictedModel::of_words(Box::new(hidden), predicted.source);
    let names = rows.feature_names.as_deref();
    let none =
        |_: &[std::path::PathBuf]| Err(Error::request("background", "is of rows; this is about texts"));
    let method = AgnosticMethod::new(&request.method, &options, &predicted, request.seed, names, none)?;
    let asked = AgnosticRequest { method, target: OutputTarget::All, seed: request.seed };
    let explanation = explain_predicted(&predicted, &rows, &asked, work)?;
    check_outputs(&explanation, &expected)?;
    told(&text, &aim, explanation, &players, &hiding_name)
}

/// The options of a method whose players are words: present or absent, and nothing else.
pub(super) fn options_of_words(given: &AgnosticOptions) -> Result<AgnosticOptions, Error> {
    let masking = &given.masking;
    let no_option = [
        ("background", !masking.background.is_empty() || masking.background_rows.is_some()),
        ("background_clusters", masking.background_clusters.is_some()),
        ("background_weights", masking.background_weights.is_some()),
        ("feature_groups", masking.feature_groups.is_some() || masking.feature_group_names.is_some()),
        ("segments", masking.segments.is_some()),
        ("channels", masking.channels.is_some()),
        ("time_axis", masking.time_axis.is_some()),
        ("hierarchy", given.hierarchy.is_some()),
    ];
    if let Some((option, _)) = no_option.iter().find(|(_, given)| *given) {
        return Err(Error::request(*option, "is of rows; of a text, words come and go"));
    }
    if masking.baseline_array.is_some() {
        return Err(Error::request("baseline", "of texts is a word: mask, pad, deleted or token:NAME"));
    }
    let mut options = given.clone();
    options.masking.baseline = Some("zeros".to_owned());
    Ok(options)
}

fn rows(text: &TextPart, hidden: &HiddenWords<'_>) -> PredictedRows {
    let names = hidden.players().iter().map(|word| text.encoded.text[word.span.clone()].to_owned());
    PredictedRows {
        other_columns: BTreeMap::new(),
        rows: hidden.row().insert_axis(Axis(0)).into_dyn(),
        sources: text.input.sources.clone(),
        feature_names: Some(names.collect()),
        warnings: hidden.warnings(),
    }
}

/// The model was asked in two ways, by ids and by their vectors; both must say the same of the whole text.
fn check_outputs(explanation: &Explanation, expected: &Array2<f64>) -> Result<(), Error> {
    let largest = expected.iter().fold(1.0, |largest: f64, y| largest.max(y.abs()));
    let differ = |(given, expected): (&f64, &f64)| (given - expected).abs() > MAX_DIFFERENCE * largest;
    match explanation.outputs.iter().zip(expected).find(|pair| differ(*pair)) {
        None => Ok(()),
        Some((given, expected)) => {
            let reason = format!(
                "gives {given} for the text among others and {expected} alone: its file mixes what it is asked at once; export it with \
                 an open batch axis"
            );
            Err(pellucid_core::Error::Model { reason }.into())
        }
    }
}

/// A text is no row among others.
pub(super) fn without_row(warnings: &mut [String]) {
    for warning in warnings {
        if let Some(told) = warning.strip_prefix("row 0: ") {
            *warning = told.to_owned();
        }
    }
}

/// The explanation of words as one of tokens.
fn told(
    text: &TextPart,
    aim: &Aim,
    mut explanation: Explanation,
    players: &[Word],
    hiding: &str,
) -> Result<TextExplanation, Error> {
    let n_tokens = text.ids.len();
    explanation.values = by_token(&explanation.values, players, n_tokens);
    explanation.standard_error = explanation.standard_error.map(|of| by_token(&of, players, n_tokens));
    explanation.data = text.data();
    let about = &mut explanation.about;
    about.feature_names.clone_from(&text.input.feature_names);
    about.output_names = text.part.labels().map(<[String]>::to_vec);
    about.inputs = row_sources(&text.input);
    about.predictions = predictions(&text.part, &aim.outputs, aim.indices.as_deref());
    about.target = ExplainedTarget { asked: text.target.to_string(), indices: aim.indices.clone() };
    without_row(&mut about.warnings);
    about.parameters.insert("baseline".to_owned(), Parameter::Text(hiding.to_owned()));
    about.parameters.insert("players".to_owned(), Parameter::Text("words".to_owned()));
    // Of words, which are there or not, the name says all.
    about.parameters.remove("baseline_digest");
    text.tell(about);
    let encoded = text.encoded.clone();
    Ok(TextExplanation { words: words(&encoded), encoded, token: text.token, explanation, attention: None })
}

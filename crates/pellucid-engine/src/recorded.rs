//! Explanation + row → the record and the payload that a log keeps of it.

mod checks;
mod details;
mod records_file;

use ndarray::{ArrayD, ArrayViewD};
use pellucid_store::{Array, Digest, Payload, Record, RecordedModel, Values, canonical_json};
use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::explanation::Explanation;
use crate::npy;
use crate::parameter::Parameter;
use crate::text::TextExplanation;
use crate::wire::fits_f32;
use checks::checks;
use details::details;
pub use records_file::{RecordsFile, feature_names};

/// Digits of a model file's digest that stand for its version where nobody gave one.
const N_VERSION_DIGITS: usize = 12;
/// Hexadecimal digits of a comparability key.
const N_KEY_DIGITS: usize = 32;

/// What a record says that its explanation does not know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecordContext<'a> {
    /// Names the prediction; opaque, for it can never be erased.
    pub prediction_id: &'a str,
    /// When it was explained: microseconds since 1970-01-01 UTC.
    pub timestamp_micros: i64,
    /// What the model is called; by default the file's name.
    pub model_name: Option<&'a str>,
    /// Which version of it; by default the first digits of the file's digest.
    pub model_version: Option<&'a str>,
    /// With which probability the explained rows were chosen among all predictions. Where they are a sample of their table,
    /// the record says the product with what the explanation says of that.
    pub inclusion_probability: f64,
    /// All outputs of the model for the row; by default those that the explanation tells, none of a model with more than
    /// [`MAX_TOLD_OUTPUTS`](crate::MAX_TOLD_OUTPUTS).
    pub outputs: Option<&'a [f64]>,
    /// Which of several targets (`top-3`), by its place.
    pub target: usize,
    /// Where the explanation is one of a part of the rows that were explained together: the row's place among all of them, and their
    /// number. A network's last bits depend on them.
    pub ran_as: Option<(usize, usize)>,
}

impl<'a> RecordContext<'a> {
    /// The least: everything else by default, and explained for sure.
    #[must_use]
    pub fn new(prediction_id: &'a str, timestamp_micros: i64) -> Self {
        Self {
            prediction_id,
            timestamp_micros,
            model_name: None,
            model_version: None,
            inclusion_probability: 1.0,
            outputs: None,
            target: 0,
            ran_as: None,
        }
    }
}

/// What a log keeps of one row of an explanation.
///
/// The record holds nothing of the row itself. Its comparability key is the beginning of the SHA-256 of the canonical JSON
/// of method, parameters, seed policy and model: records that differ in one of them are never averaged. Parameters hold the digests
/// of what they name, such as the rows of a background.
///
/// ```no_run
/// use pellucid_engine::{Explanation, RecordContext, recorded};
/// # fn keep(log: &pellucid_store::Log, explanation: &Explanation, now: i64) -> Result<(), Box<dyn std::error::Error>> {
/// for row in 0..explanation.n_rows() {
///     let id = format!("request-{row}");
///     let context = RecordContext { model_version: Some("7"), ..RecordContext::new(&id, now) };
///     let (record, payload) = recorded(explanation, row, &context)?;
///     log.append(&record, &payload)?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// A row or target that is not there; a fault of the store where the row cannot be kept.
pub fn recorded(
    explanation: &Explanation,
    row: usize,
    context: &RecordContext<'_>,
) -> Result<(Record, Payload), Error> {
    check_place(explanation, row, context)?;
    let data = explanation.data.index_axis(ndarray::Axis(0), row);
    let mut attribution = vec![array("values", explanation.values_of(row, context.target))?];
    if let Some(errors) = explanation.errors_of(row, context.target) {
        attribution.push(array("standard_error", errors)?);
    }
    let payload = payload(explanation, row, context, vec![input(data)?], attribution)?;
    Ok((record(explanation, row, context)?, payload))
}

/// What a log keeps of an explained text: its words and their values.
///
/// # Errors
/// As [`recorded`].
pub fn recorded_text(
    explained: &TextExplanation,
    context: &RecordContext<'_>,
) -> Result<(Record, Payload), Error> {
    let explanation = &explained.explanation;
    check_place(explanation, 0, context)?;
    let words = explained.words.iter().map(|word| explained.encoded.text[word.span.clone()].to_owned());
    let words: Vec<String> = words.collect();
    let n_words = [words.len() as u64];
    let of_words = |name: &str, values: Vec<f64>| Array::new(name, &n_words, Values::F64(values));
    let mut attribution = vec![of_words("values", explained.word_values(context.target))?];
    if let Some(errors) = explained.word_errors(context.target) {
        attribution.push(of_words("standard_error", errors)?);
    }
    attribution.push(Array::new("words", &n_words, Values::Text(words))?);
    let text = Array::new("text", &[1], Values::Text(vec![explained.encoded.text.clone()]))?;
    let mut payload = payload(explanation, 0, context, vec![text], attribution)?;
    // Of a text, features are tokens; the words stand beside their values.
    payload.details["feature_names"] = Value::Null;
    payload.details["token"] = json!(explained.token);
    Ok((record(explanation, 0, context)?, payload))
}

/// What was explained, as a record's payload holds it.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordedInput {
    /// A row, as the bytes of a `.npy` file of shape `[copies, features…]`.
    Row(Vec<u8>),
    /// A text.
    Text(String),
}

/// The row or text of a record, ready to be explained again; a network that ran several rows at once gives the same last bits
/// for as many copies of one.
///
/// # Errors
/// A payload that holds neither.
pub fn recorded_input(payload: &Payload, n_copies: usize) -> Result<RecordedInput, Error> {
    let none = || Error::Input {
        path: "payload".to_owned(),
        reason: "holds no array `input` or `text`; it was not recorded by pellucid-engine".to_owned(),
    };
    let array = payload.input.first().ok_or_else(none)?;
    let shape: Vec<usize> =
        std::iter::once(n_copies).chain(array.shape().iter().map(|&n| n as usize)).collect();
    match (array.name(), array.values()) {
        ("text", Values::Text(texts)) => Ok(RecordedInput::Text(texts.concat())),
        ("input", Values::F32(values)) => rows(shape, values.repeat(n_copies)).map(RecordedInput::Row),
        ("input", Values::F64(values)) => rows(shape, values.repeat(n_copies)).map(RecordedInput::Row),
        _ => Err(none()),
    }
}

fn rows<T: npy::Element>(shape: Vec<usize>, values: Vec<T>) -> Result<Vec<u8>, Error> {
    let misshapen =
        |error: ndarray::ShapeError| Error::Input { path: "payload".to_owned(), reason: error.to_string() };
    Ok(npy::bytes(&ArrayD::from_shape_vec(shape, values).map_err(misshapen)?))
}

fn check_place(explanation: &Explanation, row: usize, context: &RecordContext<'_>) -> Result<(), Error> {
    let (n_rows, n_targets) = (explanation.n_rows(), explanation.n_targets());
    if row >= n_rows {
        return Err(Error::request("row", format!("there is no row {row}; the explanation has {n_rows}")));
    }
    match context.target < n_targets {
        true => Ok(()),
        false => {
            let reason = format!("there is no target {}; the explanation has {n_targets}", context.target);
            Err(Error::request("target", reason))
        }
    }
}

fn record(explanation: &Explanation, row: usize, context: &RecordContext<'_>) -> Result<Record, Error> {
    let about = &explanation.about;
    let model = model(explanation, context);
    let parameters = parameters(explanation, context);
    let key = comparability_key(&about.method, &parameters, &model)?;
    let prediction = match context.outputs {
        Some(outputs) => outputs.to_vec(),
        None => about.all_outputs.as_ref().map_or_else(Vec::new, |all| all[row].clone()),
    };
    Ok(Record {
        prediction,
        parameters,
        seed: Some(about.seed),
        checks: checks(explanation, row, context.target),
        runtime_fingerprint: about.runtime.fingerprint.clone(),
        comparability_key: key,
        inclusion_probability: about.inclusion_probability * context.inclusion_probability,
        ..Record::new(context.prediction_id, context.timestamp_micros, model, &about.method)
    })
}

fn model(explanation: &Explanation, context: &RecordContext<'_>) -> RecordedModel {
    let source = &explanation.about.model;
    // Nobody sees the file behind a server or a function; what is known of it stands for it.
    let known = || {
        let fingerprint = &explanation.about.runtime.fingerprint;
        Digest::of(&[
            source.format.as_bytes(),
            b"\n",
            fingerprint.as_bytes(),
            b"\n",
            source.producer.as_bytes(),
        ])
    };
    let digest = Digest::parse(&source.digest).unwrap_or_else(known);
    let version = context.model_version.map(str::to_owned);
    RecordedModel {
        name: context.model_name.unwrap_or(&source.name).to_owned(),
        version: version.unwrap_or_else(|| digest.to_string()[..N_VERSION_DIGITS].to_owned()),
        digest,
    }
}

/// The method's options and what was explained.
fn parameters(explanation: &Explanation, context: &RecordContext<'_>) -> Map<String, Value> {
    let about = &explanation.about;
    let mut parameters: Map<String, Value> =
        about.parameters.iter().map(|(name, value)| (name.clone(), value.to_json())).collect();
    parameters.insert("target".to_owned(), json!(about.target.asked));
    if explanation.n_targets() > 1 {
        parameters.insert("target_place".to_owned(), json!(context.target));
    }
    parameters.insert("output_space".to_owned(), json!(about.output_space.name()));
    parameters.insert("output_name".to_owned(), json!(about.output_name));
    parameters
}

/// What records of one model and method have in common, `parameters` being those of the record. Draws are keyed by
/// the seed and the row's digest for all methods, so the policy is one and the seed does not tell records apart.
///
/// # Errors
/// Parameters that are no JSON of finite numbers.
pub fn comparability_key(
    method: &str,
    parameters: &Map<String, Value>,
    model: &RecordedModel,
) -> Result<String, Error> {
    let keyed = json!({
        "method": method,
        "parameters": parameters,
        "seed_policy": "seed_and_input_digest",
        "model_name": model.name,
        "model_version": model.version,
        "model_digest": model.digest,
    });
    let key = Digest::of(&[canonical_json(&keyed)?.as_bytes()]).to_string();
    Ok(key[..N_KEY_DIGITS].to_owned())
}

fn payload(
    explanation: &Explanation,
    row: usize,
    context: &RecordContext<'_>,
    input: Vec<Array>,
    attribution: Vec<Array>,
) -> Result<Payload, Error> {
    let digest = &explanation.about.inputs[row].digest;
    let no_digest = || Error::Input {
        path: "explanation".to_owned(),
        reason: format!("the digest of row {row} is `{digest}`, not 64 hexadecimal digits"),
    };
    Ok(Payload {
        input_digest: Digest::parse(digest).ok_or_else(no_digest)?,
        input,
        attribution,
        details: details(explanation, row, context)?,
    })
}

/// The row in f32 where that loses nothing.
fn input(data: ArrayViewD<'_, f64>) -> Result<Array, Error> {
    match fits_f32(data.view()) {
        true => {
            let values = data.iter().map(|&x| x as f32).collect();
            Ok(Array::new("input", &shape(&data), Values::F32(values))?)
        }
        false => array("input", data),
    }
}

fn array(name: &str, values: ArrayViewD<'_, f64>) -> Result<Array, Error> {
    Ok(Array::new(name, &shape(&values), Values::F64(values.iter().copied().collect()))?)
}

fn shape(array: &ArrayViewD<'_, f64>) -> Vec<u64> {
    array.shape().iter().map(|&length| length as u64).collect()
}

impl Parameter {
    /// The value as records hold it.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Unset => Value::Null,
            Self::Flag(flag) => json!(flag),
            Self::Count(count) => json!(count),
            Self::Number(number) if number.is_finite() => json!(number),
            Self::Number(number) => json!(number.to_string()),
            Self::Text(text) => json!(text),
        }
    }
}

#[cfg(test)]
mod tests;

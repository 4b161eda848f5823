//! What is kept of an explanation for ever: everything but the person's data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::digest::Digest;
use crate::error::Error;

/// An id longer than this is none.
const MAX_ID_BYTES: usize = 256;
/// Beyond, a double cannot count microseconds.
const MAX_MICROS: u64 = 1 << 53;

/// The header of a stored explanation. It enters the tree as it is and can never be erased, so nothing in it may
/// identify a person: ids are opaque, and inputs belong into the [`Payload`](crate::Payload).
///
/// ```
/// use pellucid_store::{Digest, Record, RecordedModel};
/// let model = RecordedModel { name: "credit".into(), version: "7".into(), digest: Digest::of(&[b"model file"]) };
/// let record = Record::new("request-1", 1_790_000_000_000_000, model, "tree_shap");
/// assert_eq!(record.inclusion_probability, 1.0);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Names the prediction; several records may explain one.
    pub prediction_id: String,
    /// When it was explained: microseconds since 1970-01-01 UTC. The order of a log is that of its entries, not of this.
    pub timestamp_micros: i64,
    /// What predicted.
    pub model: RecordedModel,
    /// The outputs that the model gave.
    pub prediction: Vec<f64>,
    /// The method's name.
    pub method: String,
    /// All parameters, defaults written out.
    pub parameters: Map<String, Value>,
    /// Where random draws began.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "seed")]
    pub seed: Option<u64>,
    /// What was checked of the explanation, by name.
    pub checks: BTreeMap<String, Check>,
    /// What ran the model, exactly enough to expect the same bytes of it.
    pub runtime_fingerprint: String,
    /// Records with the same key may be compared and averaged; others never.
    pub comparability_key: String,
    /// With which probability this prediction was chosen to be explained; statistics weigh a record by its inverse.
    pub inclusion_probability: f64,
    /// What a human decided, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
}

/// A model as a record names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedModel {
    /// What it is called.
    pub name: String,
    /// Which version of it.
    pub version: String,
    /// SHA-256 of the model file.
    pub digest: Digest,
}

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Whether it held.
    pub passed: bool,
    /// What was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
}

/// What a human made of a prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// What was decided.
    pub outcome: String,
    /// Who decided, as an opaque id.
    pub by: String,
    /// When: microseconds since 1970-01-01 UTC.
    pub timestamp_micros: i64,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became known of a prediction after its record was written: a record itself is never changed.
///
/// ```
/// let feedback = pellucid_store::Feedback {
///     prediction_id: "request-1".into(),
///     timestamp_micros: 1_790_000_000_000_000,
///     label: Some("repaid".into()),
///     decision: None,
/// };
/// # let _ = feedback;
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    /// The prediction it is about.
    pub prediction_id: String,
    /// When it became known: microseconds since 1970-01-01 UTC.
    pub timestamp_micros: i64,
    /// What was true, as JSON: a class, a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Value>,
    /// What a human decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
}

impl Feedback {
    /// Whether it can be kept and found again.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse =
            |reason: String| Err(Error::refused(format!("feedback on `{}`", self.prediction_id), reason));
        if let Err(reason) = check_id(&self.prediction_id) {
            return refuse(format!("prediction_id {reason}"));
        }
        if let Err(reason) = check_times(self.timestamp_micros, self.decision.as_ref()) {
            return refuse(reason);
        }
        match (&self.label, &self.decision) {
            (None | Some(Value::Null), None) => refuse("says nothing: give a label or a decision".to_owned()),
            (Some(Value::Null), _) => refuse("its label is null: leave it out".to_owned()),
            _ => Ok(()),
        }
    }
}

impl Record {
    /// A record that says the least: no parameters, checks or decision, explained for sure.
    #[must_use]
    pub fn new(prediction_id: &str, timestamp_micros: i64, model: RecordedModel, method: &str) -> Self {
        Self {
            prediction_id: prediction_id.to_owned(),
            timestamp_micros,
            model,
            prediction: Vec::new(),
            method: method.to_owned(),
            parameters: Map::new(),
            seed: None,
            checks: BTreeMap::new(),
            runtime_fingerprint: String::new(),
            comparability_key: String::new(),
            inclusion_probability: 1.0,
            decision: None,
        }
    }

    /// Whether the record can be kept and found again.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse = |reason: String| Err(Error::refused(format!("record `{}`", self.prediction_id), reason));
        if let Err(reason) = check_id(&self.prediction_id) {
            return refuse(format!("prediction_id {reason}"));
        }
        if let Err(reason) = check_times(self.timestamp_micros, self.decision.as_ref()) {
            return refuse(reason);
        }
        let p = self.inclusion_probability;
        if !(p > 0.0 && p <= 1.0) {
            return refuse(format!(
                "inclusion_probability is {p}: give the probability, above 0 and at most 1"
            ));
        }
        if let Some(index) = self.prediction.iter().position(|x| !x.is_finite()) {
            let x = self.prediction[index];
            return refuse(format!("prediction[{index}] is {x}: records hold finite numbers"));
        }
        let value = |check: &Check| check.value.is_some_and(|x| !x.is_finite());
        match self.checks.iter().find(|(_, check)| value(check)) {
            Some((name, _)) => refuse(format!("the value of check `{name}` is not finite: leave it out")),
            None => Ok(()),
        }
    }
}

fn check_id(id: &str) -> Result<(), String> {
    match id.len() {
        0 => Err("is empty: name the prediction".to_owned()),
        n if n > MAX_ID_BYTES => Err(format!("has {n} bytes, {MAX_ID_BYTES} are allowed")),
        _ if id.chars().any(char::is_control) => Err("has control characters".to_owned()),
        _ => Ok(()),
    }
}

fn check_times(timestamp_micros: i64, decision: Option<&Decision>) -> Result<(), String> {
    let mut times = [Some(timestamp_micros), decision.map(|it| it.timestamp_micros)].into_iter().flatten();
    match times.find(|time| time.unsigned_abs() > MAX_MICROS) {
        Some(time) => Err(format!("timestamp {time} is not within 285 years of 1970: give microseconds")),
        None => Ok(()),
    }
}

/// Seeds have 64 bits, numbers of JSON 53: they are written as strings.
mod seed {
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde passes the field by reference")]
    pub(super) fn serialize<S: Serializer>(seed: &Option<u64>, to: S) -> Result<S::Ok, S::Error> {
        match seed {
            Some(seed) => to.collect_str(seed),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map(Some).map_err(|_| serde::de::Error::custom("a seed is a decimal string"))
    }
}

//! A record, feedback or an erasure → the bytes that enter the tree, and back.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::canonical;
use crate::digest::Digest;
use crate::error::Error;
use crate::record::{Feedback, Record};

/// Bundles of entries count an entry's bytes in 16 bits.
pub const MAX_ENTRY_BYTES: usize = 65_535;
/// What this version writes.
const SCHEMA: u64 = 1;

/// What the tree holds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Entry {
    /// An explanation.
    Record {
        /// Its header.
        record: Box<Record>,
        /// `SHA-256(salt ‖ payload)`.
        payload_commitment: Digest,
    },
    /// A label or a decision that came later.
    Feedback(Feedback),
    /// Payloads that were erased.
    Erasure(Erasure),
}

/// The tombstone: which payloads are gone, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Erasure {
    /// Ranges of entries, `[first, end)`, in order, without overlap.
    pub records: Vec<[u64; 2]>,
    /// Why.
    pub reason: String,
    /// When: microseconds since 1970-01-01 UTC.
    pub timestamp_micros: i64,
}

impl Entry {
    /// The entry's bytes: canonical JSON (RFC 8785) of at most 65,535 bytes.
    ///
    /// # Errors
    /// A record that cannot be kept, with the field at fault.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Record { record, .. } => record.check()?,
            Self::Feedback(feedback) => feedback.check()?,
            Self::Erasure(_) => {}
        }
        let refuse = |reason| Error::refused(self.name(), reason);
        let bytes = canonical::write(&self.to_json().map_err(refuse)?).map_err(refuse)?.into_bytes();
        if bytes.len() > MAX_ENTRY_BYTES {
            let n = bytes.len();
            return Err(refuse(format!(
                "its header has {n} bytes, {MAX_ENTRY_BYTES} are allowed: move long parameters into the payload"
            )));
        }
        // What cannot be read again must not be acknowledged: too deep a nesting, for one.
        Self::parse(&bytes).map_err(refuse)?;
        Ok(bytes)
    }

    /// The entry that these bytes are.
    ///
    /// # Errors
    /// What is wrong with them: no canonical JSON, another schema, a field missing or unknown.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let Value::Object(mut members) = canonical::read(bytes)? else {
            return Err("is no JSON object".to_owned());
        };
        match members.remove("schema").as_ref().and_then(Value::as_u64) {
            Some(SCHEMA) => {}
            Some(other) => return Err(format!("has schema {other}; this version reads {SCHEMA}")),
            None => return Err("has no schema".to_owned()),
        }
        let kind = members.remove("kind");
        let entry = match kind.as_ref().and_then(Value::as_str) {
            Some("record") => Self::Record {
                payload_commitment: field(members.remove("payload_commitment").unwrap_or(Value::Null))?,
                record: field(Value::Object(members))?,
            },
            Some("feedback") => Self::Feedback(field(Value::Object(members))?),
            Some("erasure") => Self::Erasure(field(Value::Object(members))?),
            _ => return Err(format!("is of the unknown kind {}", kind.unwrap_or(Value::Null))),
        };
        // Also finds members that this version does not know: they would be dropped.
        match entry.to_json().and_then(|json| canonical::write(&json)) {
            Ok(text) if text.as_bytes() == bytes => Ok(entry),
            Ok(_) => Err("has members that this version does not know".to_owned()),
            Err(reason) => Err(reason),
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Record { .. } => "record",
            Self::Feedback(_) => "feedback",
            Self::Erasure(_) => "erasure",
        }
    }

    /// When it was written, as its writer's clock had it: microseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn timestamp_micros(&self) -> i64 {
        match self {
            Self::Record { record, .. } => record.timestamp_micros,
            Self::Feedback(feedback) => feedback.timestamp_micros,
            Self::Erasure(erasure) => erasure.timestamp_micros,
        }
    }

    /// The prediction that it is about.
    pub(crate) fn prediction_id(&self) -> Option<&str> {
        match self {
            Self::Record { record, .. } => Some(&record.prediction_id),
            Self::Feedback(feedback) => Some(&feedback.prediction_id),
            Self::Erasure(_) => None,
        }
    }

    /// The record, where it is one.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        match self {
            Self::Record { record, .. } => Some(record),
            Self::Feedback(_) | Self::Erasure(_) => None,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Record { record, .. } => format!("record `{}`", record.prediction_id),
            Self::Feedback(feedback) => format!("feedback on `{}`", feedback.prediction_id),
            Self::Erasure(_) => "erasure".to_owned(),
        }
    }

    fn to_json(&self) -> Result<Value, String> {
        let mut members = match self {
            Self::Record { record, payload_commitment } => {
                let mut members = object(record)?;
                members.insert("payload_commitment".to_owned(), payload_commitment.to_string().into());
                members
            }
            Self::Feedback(feedback) => object(feedback)?,
            Self::Erasure(erasure) => object(erasure)?,
        };
        members.insert("kind".to_owned(), self.kind().into());
        members.insert("schema".to_owned(), SCHEMA.into());
        Ok(Value::Object(members))
    }
}

fn field<T: for<'de> Deserialize<'de>>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|fault| fault.to_string())
}

fn object(it: &impl Serialize) -> Result<Map<String, Value>, String> {
    match serde_json::to_value(it) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err("is no JSON object".to_owned()),
        Err(fault) => Err(fault.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Check;
    use crate::testing::{full_record, record};
    use serde_json::json;

    fn entry(record: Record) -> Entry {
        Entry::Record { record: Box::new(record), payload_commitment: Digest([7; 32]) }
    }

    /// Logs name entries by these bytes: they may never change.
    #[test]
    fn an_entry_has_the_specified_bytes() {
        let bytes = entry(full_record()).to_bytes().expect("keepable");
        let expected = concat!(
            r#"{"checks":{"completeness":{"passed":true,"value":1e-9}},"comparability_key":"key","decision":{"by":"clerk-4","#,
            r#""outcome":"refused","timestamp_micros":1790000000000009},"inclusion_probability":0.25,"kind":"record","#,
            r#""method":"kernel_shap","model":{"digest":"6d6f64656c6d6f64656c6d6f64656c6d6f64656c6d6f64656c6d6f64656c6d6f","#,
            r#""name":"credit","version":"7"},"parameters":{"link":"logit","n_samples":2048},"#,
            r#""payload_commitment":"0707070707070707070707070707070707070707070707070707070707070707","prediction":[0.1,2],"#,
            r#""prediction_id":"p-1","runtime_fingerprint":"rten 0.27","schema":1,"seed":"18446744073709551615","#,
            r#""timestamp_micros":1790000000000000}"#,
        );
        assert_eq!(String::from_utf8(bytes.clone()).expect("JSON is text"), expected);
        assert_eq!(Entry::parse(&bytes), Ok(entry(full_record())));
    }

    #[test]
    fn erasures_come_back_as_they_were() {
        let erasure =
            Erasure { records: vec![[0, 3], [7, 8]], reason: "asked to".into(), timestamp_micros: -5 };
        let bytes = Entry::Erasure(erasure.clone()).to_bytes().expect("keepable");
        assert_eq!(Entry::parse(&bytes), Ok(Entry::Erasure(erasure)));
    }

    #[test]
    fn feedback_comes_back_as_it_was_or_is_refused() {
        let mut feedback = Feedback {
            prediction_id: "p-1".into(),
            timestamp_micros: 7,
            label: Some(json!("repaid")),
            decision: full_record().decision,
        };
        let bytes = Entry::Feedback(feedback.clone()).to_bytes().expect("keepable");
        assert_eq!(Entry::parse(&bytes), Ok(Entry::Feedback(feedback.clone())));
        feedback.label = None;
        feedback.decision = None;
        let fault = Entry::Feedback(feedback).to_bytes().expect_err("empty").to_string();
        assert_eq!(fault, "feedback on `p-1`: says nothing: give a label or a decision");
    }

    fn refusal(change: impl FnOnce(&mut Record)) -> String {
        let mut changed = record(1);
        change(&mut changed);
        entry(changed).to_bytes().expect_err("refused").to_string()
    }

    #[test]
    fn what_cannot_be_kept_is_refused_by_name() {
        assert!(refusal(|it| it.prediction_id.clear()).contains("prediction_id is empty"));
        assert!(refusal(|it| it.prediction = vec![0.0, f64::NAN]).contains("prediction[1] is NaN"));
        assert!(refusal(|it| it.inclusion_probability = 0.0).contains("inclusion_probability is 0"));
        assert!(refusal(|it| it.timestamp_micros = i64::MAX).contains("give microseconds"));
        let long = |it: &mut Record| {
            it.parameters.insert("background".into(), json!("x".repeat(MAX_ENTRY_BYTES)));
        };
        assert!(refusal(long).contains("move long parameters into the payload"));
        let wide = |it: &mut Record| {
            it.parameters.insert("n".into(), json!(u64::MAX));
        };
        assert!(refusal(wide).contains("beyond 2^53"));
        let deep = |it: &mut Record| {
            let nested = (0..200).fold(json!(1), |inner, _| json!([inner]));
            it.parameters.insert("deep".into(), nested);
        };
        assert!(refusal(deep).contains("recursion limit"));
    }

    #[test]
    fn every_finite_number_can_be_kept() {
        let two = 2.0_f64;
        let mut large = record(1);
        large.prediction =
            vec![two.powi(53) + 2.0, 1e17, -1e17, two.powi(63), two.powi(64), f64::MAX, f64::MIN_POSITIVE];
        large.checks.insert("gap".into(), Check { passed: true, value: Some(1e17) });
        let kept = entry(large);
        assert_eq!(Entry::parse(&kept.to_bytes().expect("keepable")), Ok(kept));
    }

    #[test]
    fn unknown_members_and_schemas_are_refused() {
        let bytes = entry(record(1)).to_bytes().expect("keepable");
        let text = String::from_utf8(bytes).expect("JSON is text");
        let parse =
            |from: &str, to: &str| Entry::parse(text.replace(from, to).as_bytes()).expect_err("other");
        assert!(parse("{\"checks\"", "{\"a\":1,\"checks\"").contains("does not know"));
        assert!(parse("\"schema\":1", "\"schema\":2").contains("schema 2"));
        assert!(parse("\"kind\":\"record\"", "\"kind\":\"other\"").contains("unknown kind"));
    }
}

//! `pellucid log feedback`.

use pellucid_store::{Decision, Feedback, Query};
use serde_json::Value;

use super::keys;
use super::time::Time;
use crate::arguments::FeedbackArguments;
use crate::console::Console;
use crate::failure::Failure;

pub(crate) fn run(arguments: &FeedbackArguments, console: &Console) -> Result<(), Failure> {
    let log = keys::open(&arguments.log, &arguments.key)?;
    let now = Time::now().micros();
    let decision = |outcome: &String| Decision {
        outcome: outcome.clone(),
        by: arguments.by.clone().unwrap_or_default(),
        timestamp_micros: now,
        reason: arguments.why.clone(),
    };
    let feedback = Feedback {
        prediction_id: arguments.prediction_id.clone(),
        timestamp_micros: now,
        label: arguments.label.as_deref().map(label),
        decision: arguments.decision.as_ref().map(decision),
    };
    let appended = log.append_feedback(&feedback)?;
    let query = Query { prediction_id: Some(feedback.prediction_id.clone()), limit: 1, ..Query::default() };
    let known = !log.reader()?.query(&query)?.is_empty();
    log.close()?;
    console.print(&format!("appended  entry {}", appended.index))?;
    match known {
        true => Ok(()),
        false => console.print(&format!("warning   no record of prediction {} yet", feedback.prediction_id)),
    }
}

/// A number where it is one, else a class's name.
pub(super) fn label(text: &str) -> Value {
    let number = serde_json::from_str::<Value>(text).ok().filter(Value::is_number);
    number.unwrap_or_else(|| Value::String(text.to_owned()))
}

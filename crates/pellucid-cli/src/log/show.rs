//! `pellucid log show`.

use std::fmt::Write;

use pellucid_store::{Array, Decision, Entry, Feedback, Payload, Reader, Record, Stored, Values};
use serde_json::Value;

use super::json;
use super::place::find;
use super::time::Time;
use crate::arguments::ShowArguments;
use crate::console::Console;
use crate::failure::Failure;

/// Features that are named.
const MAX_FEATURES: usize = 10;

pub(crate) fn run(arguments: &ShowArguments, console: &Console) -> Result<(), Failure> {
    let reader = Reader::open(&arguments.log)?;
    let stored = find(&reader, &arguments.entry)?;
    if arguments.json {
        return console.print(&json::of_entry(&reader, stored.index, true)?.to_string());
    }
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_entry(&mut text, &stored);
    if let Entry::Record { record, .. } = &stored.entry {
        let _ = match reader.payload(stored.index) {
            Ok(payload) => write_payload(&mut text, &payload),
            Err(pellucid_store::Error::Erased { by, .. }) => {
                writeln!(text, "payload   erased, entry {by} says why")
            }
            Err(fault) => return Err(fault.into()),
        };
        for later in reader.feedback(&record.prediction_id)? {
            if let Entry::Feedback(feedback) = &later.entry {
                let _ = write_feedback(&mut text, feedback);
            }
        }
    }
    console.print(text.trim_end())
}

fn write_entry(text: &mut String, stored: &Stored) -> std::fmt::Result {
    match &stored.entry {
        Entry::Record { record, .. } => {
            writeln!(text, "entry     {}: record of prediction {}", stored.index, record.prediction_id)?;
            write_record(text, record)
        }
        Entry::Feedback(feedback) => {
            writeln!(text, "entry     {}: feedback on prediction {}", stored.index, feedback.prediction_id)?;
            write_feedback(text, feedback)
        }
        Entry::Erasure(erasure) => {
            writeln!(
                text,
                "entry     {}: erasure, {}",
                stored.index,
                Time::of_micros(erasure.timestamp_micros)
            )?;
            let ranges = erasure.records.iter().map(|[first, end]| match end - first {
                1 => first.to_string(),
                _ => format!("{first} to {}", end - 1),
            });
            writeln!(text, "payloads  of entries {}", ranges.collect::<Vec<_>>().join(", "))?;
            writeln!(text, "reason    {}", erasure.reason)
        }
        _ => writeln!(text, "entry     {}: of a kind that this version does not know", stored.index),
    }
}

fn write_record(text: &mut String, record: &Record) -> std::fmt::Result {
    writeln!(text, "time      {}", Time::of_micros(record.timestamp_micros))?;
    let model = &record.model;
    writeln!(text, "model     {} {} (SHA-256 {})", model.name, model.version, model.digest)?;
    let parameters: Vec<String> =
        record.parameters.iter().map(|(name, value)| format!("{name}={}", plain(value))).collect();
    writeln!(text, "method    {}: {}", record.method, parameters.join(", "))?;
    if let Some(seed) = record.seed {
        writeln!(text, "seed      {seed}")?;
    }
    if !record.prediction.is_empty() {
        let outputs: Vec<String> = record.prediction.iter().map(f64::to_string).collect();
        writeln!(text, "outputs   {}", outputs.join(", "))?;
    }
    let checks = record.checks.iter().map(|(name, check)| {
        let value = check.value.map_or_else(String::new, |value| format!(" {value:.1e}"));
        format!("{name}{value} {}", if check.passed { "holds" } else { "DOES NOT HOLD" })
    });
    writeln!(text, "checks    {}", checks.collect::<Vec<_>>().join("; "))?;
    writeln!(text, "ran on    {}", record.runtime_fingerprint)?;
    writeln!(text, "key       {}", record.comparability_key)?;
    if record.inclusion_probability < 1.0 {
        writeln!(text, "chosen    with probability {}", record.inclusion_probability)?;
    }
    record.decision.as_ref().map_or(Ok(()), |decision| write_decision(text, decision))
}

fn write_feedback(text: &mut String, feedback: &Feedback) -> std::fmt::Result {
    if let Some(label) = &feedback.label {
        let time = Time::of_micros(feedback.timestamp_micros);
        writeln!(text, "label     {}, known since {time}", plain(label))?;
    }
    feedback.decision.as_ref().map_or(Ok(()), |decision| write_decision(text, decision))
}

fn write_decision(text: &mut String, decision: &Decision) -> std::fmt::Result {
    let time = Time::of_micros(decision.timestamp_micros);
    let why = decision.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    writeln!(text, "decision  {} by {}, {time}{why}", decision.outcome, decision.by)
}

fn write_payload(text: &mut String, payload: &Payload) -> std::fmt::Result {
    let details = &payload.details;
    write!(text, "\n{} = {}", plain(&details["target"]["name"]), details["output"])?;
    if !details["base_value"].is_null() {
        write!(text, ", base value {}", details["base_value"])?;
    }
    writeln!(text)?;
    if let Some(Values::Text(words)) = payload.input.first().map(Array::values) {
        writeln!(text, "  {}", words.join(" "))?;
    }
    let Some(values) = numbers(&payload.attribution, "values") else { return Ok(()) };
    let names = names(payload, values.len());
    let data = numbers(&payload.input, "input").filter(|data| data.len() == values.len());
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].abs().total_cmp(&values[a].abs()));
    for &index in order.iter().take(MAX_FEATURES) {
        let data = data.as_ref().map_or_else(String::new, |data| format!(" = {}", data[index]));
        writeln!(text, "  {:+.4}  {}{data}", values[index], names(index))?;
    }
    let rest: f64 = order.iter().skip(MAX_FEATURES).map(|&index| values[index]).sum();
    match order.len().saturating_sub(MAX_FEATURES) {
        0 => Ok(()),
        n => writeln!(text, "  {rest:+.4}  {n} others"),
    }
}

/// What the values belong to: words, features, or places.
fn names(payload: &Payload, n: usize) -> impl Fn(usize) -> String {
    let words = payload.attribution.iter().find(|array| array.name() == "words").map(Array::values);
    let features = payload.details["feature_names"].as_array();
    let known: Option<Vec<String>> = match (words, features) {
        (Some(Values::Text(words)), _) => Some(words.clone()),
        (_, Some(features)) => Some(features.iter().map(plain).collect()),
        _ => None,
    };
    let known = known.filter(|names| names.len() == n);
    move |index| known.as_ref().map_or_else(|| format!("[{index}]"), |names| names[index].clone())
}

/// The numbers of an array, by its name.
pub(super) fn numbers(arrays: &[Array], name: &str) -> Option<Vec<f64>> {
    arrays.iter().find(|array| array.name() == name)?.numbers()
}

/// Texts without their quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

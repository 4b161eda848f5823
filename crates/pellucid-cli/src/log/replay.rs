//! `pellucid log replay`: the row of a record, explained again by the same command, compared number by number.

mod difference;

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use clap::{CommandFactory, Parser};
use pellucid_engine::{
    AgnosticMethod, Cancellation, Error, RecordContext, RecordedInput, is_digest, recorded, recorded_input,
    recorded_text, write_file,
};
use pellucid_store::{Entry, Payload, Reader, Record};
use serde_json::{Map, Value};

use super::keeping::Explained;
use super::place::find;
use crate::arguments::{Arguments, Command, ExplainArguments, ReplayArguments};
use crate::console::Console;
use crate::explain;
use crate::failure::Failure;
use difference::Difference;

/// What a record says of itself beside the options of its method.
///
/// Of a background and of rules, the name of the file stands there without its folder.
const NO_OPTIONS: [&str; 5] = ["target", "output_space", "output_name", "background", "rules"];

pub(crate) fn run(
    arguments: &ReplayArguments,
    console: &Console,
    cancellation: &Cancellation,
) -> Result<(), Failure> {
    let reader = Reader::open(&arguments.log)?;
    let stored = find(&reader, &arguments.entry)?;
    let Entry::Record { record, .. } = &stored.entry else {
        let reason = format!("entry {} is no record; only records are explained again", stored.index);
        return Err(Error::Request { option: "entry".to_owned(), reason }.into());
    };
    if record.method == "feature_permutation" {
        let what = "replaying feature_permutation is not supported: its values are made from the other rows, which the record does not hold";
        return Err(Error::Unsupported { what: what.to_owned() }.into());
    }
    let payload = reader.payload(stored.index)?;
    let folder = tempfile::tempdir().map_err(|error| Failure::Setup(error.to_string()))?;
    let explained = |ran: &Run| {
        let input = input(&payload, ran, folder.path())?;
        let (again, new) = explained_again(arguments, record, ran, &input, cancellation)?;
        check_same(record, &again)?;
        let difference = Difference::of((record, &payload), (&again, &new));
        Ok::<_, Failure>((again, difference))
    };
    let alone = Run::alone(&payload);
    let (mut again, mut difference) = explained(&alone)?;
    if let Some(among) = Run::among(record, &payload).filter(|_| !difference.same_bytes) {
        (again, difference) = explained(&among)?;
    }
    compared(stored.index, [record, &again], &difference, arguments.tolerance, console)
}

/// How a row goes through its model: the last bits of a network's outputs depend on the size of what runs together.
struct Run {
    n_rows: usize,
    row: usize,
    batch_size: Option<u64>,
    max_memory_bytes: Option<u64>,
}

impl Run {
    /// The row alone, which is enough for all but networks that ran several rows at once.
    fn alone(payload: &Payload) -> Self {
        let number = |name: &str| payload.details["run"][name].as_u64();
        Self {
            n_rows: 1,
            row: 0,
            batch_size: number("batch_size"),
            max_memory_bytes: number("max_memory_bytes"),
        }
    }

    /// As many copies of the row as ran together, where there were several; no more than one run takes, as more change nothing.
    fn among(record: &Record, payload: &Payload) -> Option<Self> {
        let number = |name: &str| payload.details["run"][name].as_u64();
        let together = payload.details["model_format"] == "onnx" && !AgnosticMethod::is_one(&record.method);
        let n_elements = payload.input.first().map_or(1, |row| row.shape().iter().product::<u64>()).max(1);
        let most = (MOST_BYTES / (n_elements * BYTES_OF_ELEMENT)).clamp(1, MAX_ROWS);
        let most = number("batch_size").map_or(most, |asked| most.min(asked.max(1)));
        let n_rows = number("rows").filter(|_| together)?.min(most) as usize;
        let row = number("row").map_or(0, |row| row as usize).min(n_rows.saturating_sub(1));
        (n_rows > 1).then(|| Self { n_rows, row, ..Self::alone(payload) })
    }
}

/// What a network runs at once: no more rows, and no more bytes of activations, of which the rows are a part.
const MAX_ROWS: u64 = 4_096;
const MOST_BYTES: u64 = 64 << 20;
const BYTES_OF_ELEMENT: u64 = 4;

/// What stands for the row on the command line.
fn input(payload: &Payload, ran: &Run, folder: &Path) -> Result<String, Failure> {
    match recorded_input(payload, ran.n_rows)? {
        RecordedInput::Text(text) => Ok(format!("--text={text}")),
        RecordedInput::Row(npy) => {
            let path = folder.join("row.npy");
            write_file(&path, &npy)?;
            Ok(path.display().to_string())
        }
    }
}

/// Some parameters cannot be said, because they follow from others: those are left out one by one. What is explained then is
/// compared with the record, parameters first.
fn explained_again(
    arguments: &ReplayArguments,
    record: &Record,
    ran: &Run,
    input: &str,
    cancellation: &Cancellation,
) -> Result<(Record, Payload), Failure> {
    let mut options = options(&record.parameters, &arguments.options);
    loop {
        let asked = asked(arguments, record, ran, input, &options)?;
        let found: Mutex<Option<(Record, Payload)>> = Mutex::new(None);
        let keep = |explained: Explained<'_>| {
            let again = again(explained, record, ran.row)?;
            found.lock().unwrap_or_else(PoisonError::into_inner).replace(again);
            Ok(())
        };
        let done = explain::explained(&asked, &Console::silent(), cancellation, &keep);
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        match (done, found) {
            (_, Some(found)) => return Ok(found),
            (Err(Failure::Engine(Error::Request { option, reason })), None) => {
                let n = options.len();
                options.retain(|(name, _)| *name != option.replace('-', "_"));
                if options.len() == n {
                    return Err(Error::Request { option, reason }.into());
                }
            }
            (Err(fault), None) => return Err(fault),
            (Ok(()), None) => return Err(Failure::Setup("nothing was explained".to_owned())),
        }
    }
}

/// The command that explains the record's row.
fn asked(
    arguments: &ReplayArguments,
    record: &Record,
    ran: &Run,
    input: &str,
    options: &[(String, String)],
) -> Result<ExplainArguments, Failure> {
    let mut words = vec!["pellucid".to_owned(), "explain".to_owned(), arguments.model.display().to_string()];
    words.push(input.to_owned());
    words.push(format!("--method={}", record.method.replace('_', "-")));
    words.push(format!("--seed={}", record.seed.unwrap_or(0)));
    words.push("--quiet".to_owned());
    words.extend(ran.batch_size.map(|n| format!("--batch-size={n}")));
    words.extend(ran.max_memory_bytes.map(|n| format!("--max-memory={n}")));
    let target = record.parameters.get("target").and_then(Value::as_str).unwrap_or("top-1");
    // Of a log-loss, the target is the loss.
    if target != "log_loss" {
        words.push(format!("--target={target}"));
    }
    words.extend(options.iter().map(|(_, word)| word.clone()));
    words.extend(arguments.options.iter().cloned());
    let fault = |error: clap::Error| {
        let said = error.to_string();
        let reason = said.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Error::Request { option: "options".to_owned(), reason }
    };
    match Arguments::try_parse_from(words).map_err(fault)?.command {
        Command::Explain(asked) => Ok(*asked),
        _ => Err(Failure::Setup("no explain".to_owned())),
    }
}

/// The record's parameters that are options of `pellucid explain`, by name, but for those that are given.
fn options(parameters: &Map<String, Value>, given: &[String]) -> Vec<(String, String)> {
    let command = Arguments::command();
    let Some(explain) = command.find_subcommand("explain") else { return Vec::new() };
    let mut options = Vec::new();
    for (name, value) in parameters.iter().filter(|(name, _)| !NO_OPTIONS.contains(&name.as_str())) {
        let long = name.replace('_', "-");
        let own = format!("--{long}");
        let is_given = given.iter().any(|it| *it == own || it.starts_with(&format!("{own}=")));
        let option = explain.get_arguments().find(|it| it.get_long() == Some(long.as_str()));
        let Some(option) = option.filter(|_| !is_given && !names_file(value)) else { continue };
        let word = match (value, option.get_action().takes_values()) {
            (Value::Bool(true), false) => own,
            (Value::Null, _) | (Value::Bool(false), false) => continue,
            (Value::String(text), true) if text.is_empty() => continue,
            // Each of several inputs is an option of its own.
            (Value::String(text), true) if name == "fixed" => {
                options.extend(text.split("; ").map(|input| (name.clone(), format!("{own}={input}"))));
                continue;
            }
            // Lengths of axes are told as 7×7.
            (Value::String(text), true) => format!("{own}={}", text.replace('×', ",")),
            (other, _) => format!("{own}={other}"),
        };
        options.push((name.clone(), word));
    }
    options
}

/// Whether a baseline is the content of a file, of which a record holds the name and the digest.
fn names_file(value: &Value) -> bool {
    value.as_str().is_some_and(|text| ["array:", "mean:"].iter().any(|kind| text.starts_with(kind)))
}

/// The record of the new explanation, named as the old.
fn again(explained: Explained<'_>, record: &Record, row: usize) -> Result<(Record, Payload), Failure> {
    let target = record.parameters.get("target_place").and_then(Value::as_u64).unwrap_or(0) as usize;
    let context = RecordContext {
        model_name: Some(&record.model.name),
        model_version: Some(&record.model.version),
        target,
        ..RecordContext::new(&record.prediction_id, record.timestamp_micros)
    };
    Ok(match explained {
        Explained::Rows(explanation) => recorded(explanation, row, &context)?,
        Explained::Text(text) => recorded_text(text, &context)?,
    })
}

/// Another model or other parameters give other values, which says nothing about the record.
fn check_same(record: &Record, again: &Record) -> Result<(), Failure> {
    if record.model.digest != again.model.digest {
        let reason =
            format!("has SHA-256 {}, the record's model {}", again.model.digest, record.model.digest);
        return Err(Error::Request { option: "model".to_owned(), reason }.into());
    }
    let names = record.parameters.keys().chain(again.parameters.keys());
    let differing: Vec<&String> =
        names.filter(|name| record.parameters.get(*name) != again.parameters.get(*name)).collect();
    // That another file was read follows from an option that is another.
    let Some(name) = differing.iter().find(|name| !is_digest(name)).or(differing.first()) else {
        return match record.comparability_key == again.comparability_key {
            true => Ok(()),
            false => Err(Error::Request {
                option: "entry".to_owned(),
                reason: format!(
                    "the record has the comparability key {}, this explanation {}: they cannot be compared",
                    record.comparability_key, again.comparability_key
                ),
            }
            .into()),
        };
    };
    let told = |parameters: &Map<String, Value>| {
        parameters.get(*name).map_or_else(|| "not set".to_owned(), Value::to_string)
    };
    let advice = match is_digest(name) {
        true => "other rows or another file are given now; give those of the record",
        false => "give the record's options behind --, as for `pellucid explain`",
    };
    Err(Error::Request {
        option: (*name).clone(),
        reason: format!(
            "is {} in the record, {} now; {advice}",
            told(&record.parameters),
            told(&again.parameters)
        ),
    }
    .into())
}

fn compared(
    index: u64,
    [old, new]: [&Record; 2],
    difference: &Difference,
    tolerance: f64,
    console: &Console,
) -> Result<(), Failure> {
    let same_fingerprint = old.runtime_fingerprint == new.runtime_fingerprint;
    let fingerprints = match same_fingerprint {
        true => format!("the same fingerprint ({})", new.runtime_fingerprint),
        false => format!(
            "another fingerprint ({}; the record's is {})",
            new.runtime_fingerprint, old.runtime_fingerprint
        ),
    };
    if difference.same_bytes {
        return console.print(&format!("replayed  entry {index}: same bytes, under {fingerprints}"));
    }
    let apart = difference.text();
    if !same_fingerprint && difference.is_within(tolerance) {
        return console.print(&format!(
            "replayed  entry {index}: same values within {tolerance}, under {fingerprints}; {apart}"
        ));
    }
    Err(Failure::Check(vec![format!("entry {index}: {apart}, under {fingerprints}")]))
}

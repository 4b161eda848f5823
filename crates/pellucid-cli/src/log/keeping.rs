//! Explanations → records at the end of a log.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use pellucid_engine::{
    Error, Explanation, RecordContext, TextExplanation, background_digest, recorded, recorded_text,
};
use pellucid_store::{Feedback, Log, Payload, Pending, Record};

use super::feedback::label;
use super::keys;
use super::time::Time;
use crate::arguments::KeepArguments;
use crate::console::Console;
use crate::failure::Failure;

/// Entries that are on their way to the disk while the next are made.
const MAX_PENDING: usize = 1_000;

/// What was explained.
#[derive(Clone, Copy)]
pub(crate) enum Explained<'a> {
    /// Rows, each chosen with this probability.
    Rows(&'a Explanation, f64),
    /// A text.
    Text(&'a TextExplanation),
}

/// What is done with what was explained.
pub(crate) type Keep<'a> = &'a (dyn Fn(Explained<'_>) -> Result<(), Failure> + Sync);

/// A log that explanations go into.
pub(crate) struct Sink {
    log: Log,
    path: PathBuf,
    naming: Naming,
    background_digest: Option<String>,
    /// Predictions that were given names here: of all rows of all files, so that no two have one name.
    n_named: AtomicUsize,
    written: Mutex<Written>,
}

/// What a record says that its explanation does not know.
pub(crate) struct Naming {
    pub(crate) model_name: Option<String>,
    pub(crate) model_version: Option<String>,
    pub(crate) prediction_ids: Option<String>,
    /// The column that says what was true.
    pub(crate) known_labels: Option<String>,
    pub(crate) time: Time,
}

#[derive(Default)]
struct Written {
    pending: VecDeque<(Pending, Kind)>,
    indices: Option<(u64, u64)>,
    n_records: u64,
    n_labels: u64,
}

#[derive(Clone, Copy)]
enum Kind {
    Record,
    Label,
}

impl Sink {
    /// The log of `pellucid explain --log`, open before anything is explained.
    pub(crate) fn of(
        arguments: &KeepArguments,
        background: &[PathBuf],
        console: &Console,
    ) -> Result<Option<Self>, Failure> {
        let Some(path) = &arguments.log else { return Ok(None) };
        let naming = Naming {
            model_name: arguments.model_name.clone(),
            model_version: arguments.model_version.clone(),
            prediction_ids: arguments.prediction_ids.clone(),
            known_labels: arguments.known_labels.clone(),
            time: Time::now(),
        };
        let log = keys::open_or_make(path, &arguments.key, console)?;
        Ok(Some(Self {
            background_digest: background_digest(background)?,
            ..Self::new(log, path.clone(), naming)
        }))
    }

    pub(crate) fn new(log: Log, path: PathBuf, naming: Naming) -> Self {
        Self {
            log,
            path,
            naming,
            background_digest: None,
            n_named: AtomicUsize::new(0),
            written: Mutex::default(),
        }
    }

    /// One record a row and target.
    pub(crate) fn keep(&self, explained: Explained<'_>) -> Result<(), Failure> {
        match explained {
            Explained::Rows(explanation, inclusion_probability) => {
                for row in 0..explanation.n_rows() {
                    let id = self.id(explanation, row)?;
                    let context = self.context(&id, inclusion_probability);
                    for target in 0..explanation.n_targets() {
                        self.append(recorded(explanation, row, &RecordContext { target, ..context })?)?;
                    }
                    self.append_label(&id, explanation, row)?;
                }
            }
            Explained::Text(text) => {
                let id = self.made();
                let context = self.context(&id, 1.0);
                for target in 0..text.explanation.n_targets() {
                    self.append(recorded_text(text, &RecordContext { target, ..context })?)?;
                }
            }
        }
        Ok(())
    }

    fn id(&self, explanation: &Explanation, row: usize) -> Result<String, Failure> {
        match &self.naming.prediction_ids {
            Some(column) => Ok(cell(explanation, column, row, "prediction_ids")?.to_owned()),
            None => Ok(self.made()),
        }
    }

    /// Nothing of the row may be in a name: it can never be erased.
    fn made(&self) -> String {
        let number = self.n_named.fetch_add(1, Ordering::Relaxed);
        format!("{}-{number}", self.naming.time.micros())
    }

    fn context<'a>(&'a self, id: &'a str, inclusion_probability: f64) -> RecordContext<'a> {
        RecordContext {
            model_name: self.naming.model_name.as_deref(),
            model_version: self.naming.model_version.as_deref(),
            inclusion_probability,
            background_digest: self.background_digest.as_deref(),
            ..RecordContext::new(id, self.naming.time.micros())
        }
    }

    pub(crate) fn append(&self, (record, payload): (Record, Payload)) -> Result<(), Failure> {
        self.submitted(self.log.submit(&record, &payload)?, Kind::Record)
    }

    /// What the table says was true, where it is known.
    fn append_label(&self, id: &str, explanation: &Explanation, row: usize) -> Result<(), Failure> {
        let Some(column) = &self.naming.known_labels else { return Ok(()) };
        let known = cell(explanation, column, row, "known_labels")?;
        if known.is_empty() {
            return Ok(());
        }
        let feedback = Feedback {
            prediction_id: id.to_owned(),
            timestamp_micros: self.naming.time.micros(),
            label: Some(label(known)),
            decision: None,
        };
        self.submitted(self.log.submit_feedback(&feedback)?, Kind::Label)
    }

    fn submitted(&self, pending: Pending, kind: Kind) -> Result<(), Failure> {
        // A thread that panicked has told so.
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.pending.push_back((pending, kind));
        match written.pending.len() > MAX_PENDING {
            true => written.acknowledge_first(),
            false => Ok(()),
        }
    }

    /// Waits for the disk, signs, and says what was appended.
    pub(crate) fn finish(self, console: &Console) -> Result<(), Failure> {
        let mut written = self.written.into_inner().unwrap_or_else(PoisonError::into_inner);
        // What stands behind a fault is written all the same: it is waited for, signed and counted before the fault is told.
        let mut fault = Ok(());
        while !written.pending.is_empty() {
            fault = fault.and(written.acknowledge_first());
        }
        let fault = fault.and(self.log.close().map(drop).map_err(Failure::from));
        let Some((first, last)) = written.indices else { return fault };
        let counted = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let records = counted(written.n_records, "record");
        let labels = match written.n_labels {
            0 => String::new(),
            n => format!(" and {}", counted(n, "label")),
        };
        let path = self.path.display();
        console.note(&format!("log       {records}{labels}, entries {first} to {last} of {path}"));
        fault
    }
}

impl Written {
    fn acknowledge_first(&mut self) -> Result<(), Failure> {
        let Some((pending, kind)) = self.pending.pop_front() else { return Ok(()) };
        let index = pending.wait()?.index;
        match kind {
            Kind::Record => self.n_records += 1,
            Kind::Label => self.n_labels += 1,
        }
        self.indices = Some((self.indices.map_or(index, |(first, _)| first), index));
        Ok(())
    }
}

/// What a table says of a row in a column beside the features.
fn cell<'a>(
    explanation: &'a Explanation,
    column: &str,
    row: usize,
    option: &str,
) -> Result<&'a str, Failure> {
    let cells = explanation.about.other_columns.get(column);
    let cell = cells.and_then(|cells| cells.get(row)).map(String::as_str);
    Ok(cell.ok_or_else(|| Error::Request {
        option: option.to_owned(),
        reason: format!("no column `{column}` beside the features"),
    })?)
}

//! Explanations → records at the end of a log.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use pellucid_engine::{Error, Explanation, RecordContext, TextExplanation, recorded, recorded_text};
use pellucid_store::{Entry, Feedback, Log, Payload, Pending, Record};

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
    /// Rows.
    Rows(&'a Explanation),
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
    /// With which probability rows were chosen before they came here; by default 1.
    pub(crate) inclusion_probability: Option<f64>,
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
    pub(crate) fn of(arguments: &KeepArguments, console: &Console) -> Result<Option<Self>, Failure> {
        let Some(path) = &arguments.log else { return Ok(None) };
        let naming = Naming {
            model_name: arguments.model_name.clone(),
            model_version: arguments.model_version.clone(),
            prediction_ids: arguments.prediction_ids.clone(),
            known_labels: arguments.known_labels.clone(),
            inclusion_probability: arguments.inclusion_probability,
            time: Time::now(),
        };
        let log = keys::open_or_make(path, &arguments.key, console)?;
        Ok(Some(Self::new(log, path.clone(), naming)))
    }

    pub(crate) fn new(log: Log, path: PathBuf, naming: Naming) -> Self {
        Self { log, path, naming, n_named: AtomicUsize::new(0), written: Mutex::default() }
    }

    /// One record a row and target.
    pub(crate) fn keep(&self, explained: Explained<'_>) -> Result<(), Failure> {
        match explained {
            Explained::Rows(explanation) => {
                // What a row cannot be called is told before the first row is in the log, where it would stay.
                let named: Vec<Known> = (0..explanation.n_rows())
                    .map(|row| self.known(explanation, row))
                    .collect::<Result<_, _>>()?;
                for (row, Known { id, label }) in named.iter().enumerate() {
                    let context = self.context(id);
                    for target in 0..explanation.n_targets() {
                        self.append(recorded(explanation, row, &RecordContext { target, ..context })?)?;
                    }
                    if let Some(label) = label {
                        self.submitted(self.log.submit_feedback(label)?, Kind::Label)?;
                    }
                }
            }
            Explained::Text(text) => {
                let id = self.made();
                let context = self.context(&id);
                for target in 0..text.explanation.n_targets() {
                    self.append(recorded_text(text, &RecordContext { target, ..context })?)?;
                }
            }
        }
        Ok(())
    }

    /// What a row is called, and what was true of it.
    fn known(&self, explanation: &Explanation, row: usize) -> Result<Known, Failure> {
        let id = match &self.naming.prediction_ids {
            Some(column) => cell(explanation, column, row, "prediction_ids")?.to_owned(),
            None => self.made(),
        };
        let known = match &self.naming.known_labels {
            Some(column) => cell(explanation, column, row, "known_labels")?,
            None => "",
        };
        let feedback = |label| Feedback {
            prediction_id: id.clone(),
            timestamp_micros: self.naming.time.micros(),
            label: Some(label),
            decision: None,
        };
        let place = &explanation.about.inputs[row].source;
        let refused = |fault: pellucid_store::Error| Error::Input {
            path: format!("{}, row {}", place.file, place.row_index),
            reason: fault.to_string(),
        };
        let label = (!known.is_empty()).then(|| feedback(label(known)));
        // A name is the same in records and in feedback.
        let probe = label.clone().unwrap_or_else(|| feedback("none".into()));
        Entry::Feedback(probe).to_bytes().map_err(refused)?;
        Ok(Known { id, label })
    }

    /// Nothing of the row may be in a name: it can never be erased.
    fn made(&self) -> String {
        let number = self.n_named.fetch_add(1, Ordering::Relaxed);
        format!("{}-{number}", self.naming.time.micros())
    }

    fn context<'a>(&'a self, id: &'a str) -> RecordContext<'a> {
        RecordContext {
            model_name: self.naming.model_name.as_deref(),
            model_version: self.naming.model_version.as_deref(),
            inclusion_probability: self.naming.inclusion_probability.unwrap_or(1.0),
            ..RecordContext::new(id, self.naming.time.micros())
        }
    }

    pub(crate) fn append(&self, (record, payload): (Record, Payload)) -> Result<(), Failure> {
        self.submitted(self.log.submit(&record, &payload)?, Kind::Record)
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

/// What is known of a row beside its explanation.
struct Known {
    id: String,
    label: Option<Feedback>,
}

/// Of a command that failed and a log that could not be closed after it: the cause before what follows from it. That something does not
/// hold is said of what is in the log, and comes after.
pub(crate) fn first_fault(done: Result<(), Failure>, finished: Result<(), Failure>) -> Result<(), Failure> {
    match (done, finished) {
        (Err(Failure::Check(_)), Err(fault)) => Err(fault),
        (done, finished) => done.and(finished),
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

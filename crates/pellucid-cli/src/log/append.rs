//! `pellucid log append`.

use std::path::Path;

use pellucid_engine::{Error, Explanation, read_text_file};

use super::json::read_record;
use super::keeping::{Explained, Naming, Sink, first_fault};
use super::keys;
use super::time::Time;
use crate::arguments::AppendArguments;
use crate::console::Console;
use crate::failure::Failure;

pub(crate) fn run(arguments: &AppendArguments, console: &Console) -> Result<(), Failure> {
    let naming = Naming {
        model_name: arguments.model_name.clone(),
        model_version: arguments.model_version.clone(),
        prediction_ids: arguments.prediction_ids.clone(),
        known_labels: None,
        inclusion_probability: arguments.inclusion_probability,
        time: Time::now(),
    };
    let log = keys::open_or_make(&arguments.log, &arguments.key, console)?;
    let sink = Sink::new(log, arguments.log.clone(), naming);
    let appended = arguments.files.iter().try_for_each(|file| append(&sink, file));
    // What was appended before a fault is in the log, and said to be.
    first_fault(appended, sink.finish(console))
}

fn append(sink: &Sink, file: &Path) -> Result<(), Failure> {
    if file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("jsonl")) {
        return append_lines(sink, file);
    }
    sink.keep(Explained::Rows(&Explanation::read(file)?))
}

fn append_lines(sink: &Sink, file: &Path) -> Result<(), Failure> {
    let text = read_text_file(file)?;
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let named = |reason| Error::Input { path: format!("{}, line {number}", file.display()), reason };
        sink.append(read_record(line).map_err(named)?)?;
    }
    Ok(())
}

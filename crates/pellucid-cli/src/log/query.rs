//! `pellucid log query`.

use std::path::Path;

use pellucid_engine::{RecordsFile, feature_names};
use pellucid_store::{Entry, Payload, Query, Reader, Record, Stored};

use super::json;
use super::time::Time;
use crate::arguments::QueryArguments;
use crate::console::Console;
use crate::failure::Failure;

const HEAD: [&str; 6] = ["entry", "time", "prediction", "model", "method", "outputs"];

/// Outputs that a line has room for.
const MAX_OUTPUTS: usize = 3;

pub(crate) fn run(arguments: &QueryArguments, console: &Console) -> Result<(), Failure> {
    let reader = Reader::open(&arguments.log)?;
    let query = arguments.query();
    if let Some(path) = &arguments.parquet {
        return write_parquet(&reader, query, path, console);
    }
    let found = reader.query(&query)?;
    if arguments.json {
        for stored in &found {
            console.print(&json::of_entry(&reader, stored.index, arguments.payloads)?.to_string())?;
        }
        return Ok(());
    }
    let rows: Vec<[String; 6]> = found.iter().map(cells).collect();
    console.print(&table(&rows))?;
    match found.last() {
        Some(last) if found.len() as u64 == query.limit => {
            console.print(&format!("…      there may be more: --from {}", last.index + 1))
        }
        _ => Ok(()),
    }
}

/// All records, as many at a time as the query's limit says.
fn write_parquet(reader: &Reader, mut query: Query, path: &Path, console: &Console) -> Result<(), Failure> {
    let mut file = RecordsFile::create(path, first_features(reader, query.clone())?.unwrap_or_default())?;
    let mut n = 0;
    loop {
        let page = reader.query(&query)?;
        let payloads = page
            .iter()
            .map(|stored| stored.payload_present.then(|| reader.payload(stored.index)).transpose());
        let payloads: Vec<Option<Payload>> = payloads.collect::<Result<_, pellucid_store::Error>>()?;
        let rows = page.iter().zip(&payloads);
        let rows: Vec<(u64, &Record, Option<&Payload>)> = rows
            .filter_map(|(stored, payload)| Some((stored.index, stored.entry.record()?, payload.as_ref())))
            .collect();
        let Some((last, ..)) = rows.last() else { break };
        file.write(&rows)?;
        query.from_index = last + 1;
        n += rows.len();
    }
    file.finish()?;
    console.print(&format!("wrote     {} ({n} records)", path.display()))
}

/// The features of the first record that has some: before it may stand records of images, and such whose payload was erased.
fn first_features(reader: &Reader, mut query: Query) -> Result<Option<Vec<String>>, Failure> {
    loop {
        let page = reader.query(&query)?;
        let Some(last) = page.last() else { return Ok(None) };
        for stored in page.iter().filter(|stored| stored.payload_present) {
            if let Some(features) = feature_names(&reader.payload(stored.index)?) {
                return Ok(Some(features));
            }
        }
        query.from_index = last.index + 1;
    }
}

fn cells(stored: &Stored) -> [String; 6] {
    let time = Time::of_micros(stored.entry.timestamp_micros()).to_string();
    let index = stored.index.to_string();
    let other = |prediction: &str, what: String| {
        [index.clone(), time.clone(), prediction.to_owned(), String::new(), what, String::new()]
    };
    match &stored.entry {
        Entry::Record { record, .. } => {
            let mut outputs: Vec<String> =
                record.prediction.iter().take(MAX_OUTPUTS).map(|x| format!("{x:.4}")).collect();
            if record.prediction.len() > MAX_OUTPUTS {
                outputs.push("…".to_owned());
            }
            let model = format!("{} {}", record.model.name, record.model.version);
            let erased = if stored.payload_present { "" } else { " (payload erased)" };
            let method = format!("{}{erased}", record.method);
            [index, time, record.prediction_id.clone(), model, method, outputs.join(" ")]
        }
        Entry::Feedback(feedback) => other(&feedback.prediction_id, "feedback".to_owned()),
        Entry::Erasure(erasure) => other("", format!("erasure: {}", erasure.reason)),
        _ => other("", "of an unknown kind".to_owned()),
    }
}

fn table(rows: &[[String; 6]]) -> String {
    let head = HEAD.map(str::to_owned);
    let all = || std::iter::once(&head).chain(rows);
    let width = |column: usize| all().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all().map(line).collect::<Vec<_>>().join("\n")
}

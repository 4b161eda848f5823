//! `INDEX|ID` → entries.

use pellucid_engine::Error;
use pellucid_store::{Query, Reader, Stored};

use crate::failure::Failure;

/// Entries that one prediction's records are looked for in at once.
const PAGE: u64 = 1_000;

/// The entry at an index, or the newest record of a prediction.
pub(crate) fn find(reader: &Reader, asked: &str) -> Result<Stored, Failure> {
    if let Some(index) = index(asked) {
        return Ok(reader.entry(index)?);
    }
    records(reader, asked)?.pop().ok_or_else(|| none(asked))
}

/// The records at an index, or all of a prediction, by their indices.
pub(crate) fn find_all(reader: &Reader, asked: &str) -> Result<Vec<u64>, Failure> {
    if let Some(index) = index(asked) {
        return Ok(vec![index]);
    }
    let found: Vec<u64> = records(reader, asked)?.iter().map(|stored| stored.index).collect();
    if found.is_empty() { Err(none(asked)) } else { Ok(found) }
}

fn records(reader: &Reader, asked: &str) -> Result<Vec<Stored>, Failure> {
    let id = asked.strip_prefix("id:").unwrap_or(asked);
    let mut query = Query { prediction_id: Some(id.to_owned()), limit: PAGE, ..Query::default() };
    let mut found: Vec<Stored> = Vec::new();
    loop {
        let page = reader.query(&query)?;
        let Some(last) = page.last() else { return Ok(found) };
        query.from_index = last.index + 1;
        found.extend(page);
    }
}

fn index(asked: &str) -> Option<u64> {
    asked.parse().ok()
}

fn none(asked: &str) -> Failure {
    let reason = format!("no record of prediction `{asked}`; `pellucid log query` lists what there is");
    Error::Request { option: "entry".to_owned(), reason }.into()
}

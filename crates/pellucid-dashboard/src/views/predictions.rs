//! Predictions: the explorer's table, a line for each record that holds.

use std::cmp::Ordering;

use serde::Serialize;

use super::select::{Choices, Filter, failed_names};
use crate::asked::Asked;
use crate::error::ViewError;
use crate::index::{Index, Kind, Outcome, Row};

/// What the view takes beside filters.
pub(super) const PARAMETERS: &[&str] = &["sort", "order", "page", "page_size"];

const MAX_PAGE: usize = 200;

#[derive(Debug, Serialize)]
pub(super) struct Predictions {
    n_records: usize,
    n_found: usize,
    page: usize,
    page_size: usize,
    rows: Vec<Line>,
    choices: Choices,
}

/// A record in the table.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    entry: u64,
    id: String,
    time_micros: i64,
    model: String,
    version: String,
    method: String,
    kind: Kind,
    class: Option<String>,
    confidence: Option<f64>,
    output: f64,
    output_name: Option<String>,
    n_checks: u8,
    failed_checks: Vec<String>,
    label: Option<String>,
    outcome: Outcome,
    erased: bool,
    decided: bool,
    weight: f64,
}

impl Line {
    pub(super) fn new(index: &Index, row: &Row) -> Self {
        let (model, prediction) = (index.model_of(row), index.prediction_of(row));
        Self {
            entry: row.entry,
            id: prediction.id.to_string(),
            time_micros: row.time_micros,
            model: model.name.clone(),
            version: model.version.clone(),
            method: index.method_of(row).to_owned(),
            kind: index.group_of(row).kind,
            class: model.class_name(row.class),
            confidence: row.confidence(),
            output: f64::from(row.output),
            output_name: model.output_name(row.target),
            n_checks: row.n_checks,
            failed_checks: failed_names(index, row).map(str::to_owned).collect(),
            label: prediction.label.as_ref().map(|label| model.label_name(label, row.class)),
            outcome: index.outcome(row),
            erased: row.erased,
            decided: prediction.decided,
            weight: row.weight(),
        }
    }
}

pub(super) fn predictions(index: &Index, asked: Asked<'_>) -> Result<Predictions, ViewError> {
    let filter = Filter::new(asked)?;
    let sort = asked.choice("sort", &["time", "confidence", "id", "output"])?.unwrap_or("time");
    let descending = asked.choice("order", &["asc", "desc"])?.unwrap_or("desc") == "desc";
    let page_size = asked.number::<usize>("page_size")?.unwrap_or(50).clamp(1, MAX_PAGE);
    let mut found: Vec<&Row> = index.current().filter(|row| filter.takes(index, row)).collect();
    found.sort_by(|a, b| order(index, sort, a, b, descending));
    let last_page = found.len().saturating_sub(1) / page_size;
    let page = asked.number::<usize>("page")?.unwrap_or(0).min(last_page);
    let rows = found.iter().skip(page * page_size).take(page_size);
    Ok(Predictions {
        n_records: index.current().count(),
        n_found: found.len(),
        page,
        page_size,
        rows: rows.map(|row| Line::new(index, row)).collect(),
        choices: Choices::of(index),
    })
}

/// What has no number comes last, whichever way it goes; the log's order decides between equals.
fn order(index: &Index, by: &str, a: &Row, b: &Row, descending: bool) -> Ordering {
    let numbers = |a: f32, b: f32| match (a.is_nan(), b.is_nan()) {
        (false, false) if descending => b.total_cmp(&a),
        (a_missing, b_missing) if a_missing || b_missing => a_missing.cmp(&b_missing),
        _ => a.total_cmp(&b),
    };
    let turned = |order: Ordering| if descending { order.reverse() } else { order };
    let first = match by {
        "confidence" => numbers(a.confidence, b.confidence),
        "output" => numbers(a.output, b.output),
        "id" => turned(index.prediction_of(a).id.cmp(&index.prediction_of(b).id)),
        _ => turned(a.time_micros.cmp(&b.time_micros)),
    };
    first.then(turned(a.entry.cmp(&b.entry)))
}

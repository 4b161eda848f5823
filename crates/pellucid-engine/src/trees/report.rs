//! Tree model + table → the page of its explanation.

use std::path::PathBuf;

use pellucid_core::Work;

use super::explain::{TableExplanation, TableRequest, explain_table};
use super::model::TreeModel;
use crate::error::Error;
use crate::table_report::{Reported, page};

/// The page, one HTML file that needs no other. `cohort` is a feature, or a column of the request's
/// `other_columns`; its groups are compared.
///
/// # Errors
/// Whatever explaining and drawing report.
pub fn report_table(
    model: &TreeModel,
    inputs: &[PathBuf],
    request: &TableRequest,
    cohort: Option<&str>,
    work: &Work,
) -> Result<String, Error> {
    let explained = explain_table(model, inputs, request, None, work)?;
    let (name, producer) = (model.name(), &explained.explanation.about.model.producer);
    page(&Reported {
        explanation: &explained.explanation,
        classifies: model.classifies(),
        model: format!("{name} ({producer}, {} trees)", model.ensemble().trees.len()),
        n_rows: explained.summary.n_rows,
        adds_up: adds_up(&explained),
        cohort,
    })
}

fn adds_up(explained: &TableExplanation) -> Option<String> {
    let gap = explained.summary.largest_gap.as_ref()?;
    let holds = if explained.summary.n_gaps_beyond == 0 { "holds" } else { "does not hold" };
    Some(format!(
        "{holds}: the largest gap is {:.1e} of the values' size, {:.1e} is allowed",
        gap.share, explained.summary.allowed_gap
    ))
}

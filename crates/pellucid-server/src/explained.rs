//! Rows + plan → one explanation a row; where some rows fail, the others are still explained.

use ndarray::{ArrayD, Axis};
use pellucid_engine::{Explanation, RecordContext, TextExplanation, Work, recorded, recorded_text};
use pellucid_store::{Payload, Record};

use crate::error::Fault;
use crate::models::plan::Plan;
use crate::models::rows::{Rows, row, stacked};
use crate::models::served::{Kind, Served};

/// What is known of one row.
pub(crate) struct Explained {
    pub(crate) made: Made,
    /// All outputs of the model in its own space; of texts those that the explanation tells.
    pub(crate) outputs: Option<Vec<f64>>,
    /// Its place among the rows that were explained in one call, and their number.
    pub(crate) ran_as: (usize, usize),
}

/// The explanation of a row of numbers, or of a text.
pub(crate) enum Made {
    Row(Box<Explanation>),
    Text(Box<TextExplanation>),
}

impl Made {
    pub(crate) fn explanation(&self) -> &Explanation {
        match self {
            Self::Row(explanation) => explanation,
            Self::Text(text) => &text.explanation,
        }
    }

    /// What the log keeps of it.
    ///
    /// # Errors
    /// A row that cannot be kept.
    pub(crate) fn recorded(&self, context: &RecordContext<'_>) -> Result<(Record, Payload), Fault> {
        Ok(match self {
            Self::Row(explanation) => recorded(explanation, 0, context)?,
            Self::Text(text) => recorded_text(text, context)?,
        })
    }
}

/// Explains rows in one call of the method; each alone where the call fails, and texts, which are of different lengths, always.
pub(crate) fn explain(
    served: &Served,
    plan: &Plan,
    rows: &[&Rows],
    work: &Work,
) -> Vec<Result<Explained, Fault>> {
    if let Kind::Texts(_) = served.kind {
        return rows.iter().map(|row| text(served, plan, row, work)).collect();
    }
    match at_once(served, plan, rows, work) {
        Ok(explained) => explained.into_iter().map(Ok).collect(),
        Err(fault) if rows.len() == 1 => vec![Err(fault)],
        Err(_) => rows.iter().map(|row| alone(served, plan, row, work)).collect(),
    }
}

fn alone(served: &Served, plan: &Plan, row: &Rows, work: &Work) -> Result<Explained, Fault> {
    let none = || Fault::Internal("nothing was explained".to_owned());
    at_once(served, plan, &[row], work)?.pop().ok_or_else(none)
}

fn text(served: &Served, plan: &Plan, row: &Rows, work: &Work) -> Result<Explained, Fault> {
    let none = || Fault::Internal("there is no text".to_owned());
    let text = row.texts()?.first().ok_or_else(none)?;
    let explanation = plan.explain_text(&served.kind, text, work)?;
    Ok(Explained { made: Made::Text(Box::new(explanation)), outputs: None, ran_as: (0, 1) })
}

fn at_once(served: &Served, plan: &Plan, rows: &[&Rows], work: &Work) -> Result<Vec<Explained>, Fault> {
    let rows = stacked(rows)?;
    let mut explanation = plan.explain(&served.kind, &rows, work)?;
    if let Some(names) = &served.feature_names {
        explanation.about.feature_names = Some(names.clone());
    }
    let outputs = served.kind.outputs(&rows, work)?;
    let n_rows = outputs.len();
    let explained = outputs.into_iter().enumerate().map(|(index, outputs)| Explained {
        made: Made::Row(Box::new(one(&explanation, index))),
        outputs: Some(outputs),
        ran_as: (index, n_rows),
    });
    Ok(explained.collect())
}

/// The explanation of one of the rows, as if it had been explained alone.
fn one(of: &Explanation, index: usize) -> Explanation {
    let part = |array: &ArrayD<f64>| row(array, index);
    let mut about = of.about.select_rows(&[index]);
    about.warnings = of.about.warnings.iter().filter_map(|warning| warning_of(warning, index)).collect();
    let optional = |array: &Option<ArrayD<f64>>| array.as_ref().map(part);
    Explanation {
        values: part(&of.values),
        outputs: part(&of.outputs),
        base_values: optional(&of.base_values),
        convergence_delta: optional(&of.convergence_delta),
        standard_error: optional(&of.standard_error),
        raw_map: optional(&of.raw_map),
        data: part(&of.data),
        baselines: of
            .baselines
            .as_ref()
            .map(|array| array.index_axis(Axis(0), index).to_owned().insert_axis(Axis(0))),
        evaluations: of.evaluations.get(index).copied().into_iter().collect(),
        about,
    }
}

/// A warning as it would be told of the row alone; `None` where it is of another row, which is nobody's business here.
fn warning_of(warning: &str, index: usize) -> Option<String> {
    let of_row = warning.strip_prefix("row ").and_then(|rest| rest.split_once(": "));
    match of_row.and_then(|(place, told)| Some((place.parse::<usize>().ok()?, told))) {
        Some((place, told)) if place == index => Some(format!("row 0: {told}")),
        Some(_) => None,
        None => Some(warning.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_of_other_rows_are_left_out() {
        let check = |warning: &str, expected: Option<&str>| {
            assert_eq!(warning_of(warning, 3).as_deref(), expected, "{warning}");
        };
        check("row 3: all values are 0", Some("row 0: all values are 0"));
        check("row 13: all values are 0", None);
        check("row by row: slow", Some("row by row: slow"));
        check("the file is old", Some("the file is old"));
    }
}

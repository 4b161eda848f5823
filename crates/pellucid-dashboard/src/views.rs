//! Views: what a page shows, as JSON.

mod cohorts;
mod global;
mod misclassified;
mod overview;
mod prediction;
mod predictions;
mod select;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::asked::Asked;
use crate::dashboard::Dashboard;
use crate::error::ViewError;

/// The names of all views.
pub const VIEWS: [&str; 6] = ["overview", "predictions", "prediction", "global", "cohorts", "misclassified"];

/// The view of this name. Beside its own members it has `reading`, which says how far the log was read.
///
/// # Errors
/// [`ViewError`] with its status: no such view or prediction, parameters that cannot be understood, an unreadable log.
pub fn view(
    dashboard: &Dashboard,
    name: &str,
    parameters: &BTreeMap<String, String>,
) -> Result<Value, ViewError> {
    let asked = |known: &[&str]| Asked::new(parameters, known);
    // A single record is read from the log; nobody must wait for the disk to read the index.
    let mut shown = match name {
        "prediction" => json(prediction::prediction(dashboard, asked(prediction::PARAMETERS)?)?),
        "overview" => json(overview::overview(&dashboard.index(), asked(overview::PARAMETERS)?)),
        "predictions" => {
            let known = [select::PARAMETERS, predictions::PARAMETERS].concat();
            json(predictions::predictions(&dashboard.index(), asked(&known)?)?)
        }
        "global" => json(global::global(&dashboard.index(), asked(global::PARAMETERS)?)?),
        "cohorts" => json(cohorts::cohorts(&dashboard.index(), asked(cohorts::PARAMETERS)?)?),
        "misclassified" => {
            json(misclassified::misclassified(&dashboard.index(), asked(misclassified::PARAMETERS)?)?)
        }
        _ => {
            let known = VIEWS.join(", ");
            return Err(ViewError::not_found(format!("no view `{name}`: there are {known}")));
        }
    }?;
    shown["reading"] = json(dashboard.reading())?;
    Ok(shown)
}

fn json(view: impl Serialize) -> Result<Value, ViewError> {
    let value = serde_json::to_value(view);
    value
        .map_err(|fault| ViewError::unavailable(format!("the view cannot be written: {fault}")))
        .map(|value| if value.is_object() { value } else { json!({ "value": value }) })
}

#[cfg(test)]
mod tests;

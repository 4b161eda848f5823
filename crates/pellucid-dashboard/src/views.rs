//! Views: what a page shows, as JSON.

mod cohorts;
mod drift;
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
pub const VIEWS: [&str; 7] =
    ["overview", "predictions", "prediction", "global", "drift", "cohorts", "misclassified"];

/// The view of this name. Beside its own members it has `reading`, which says how far the log was read.
///
/// | view | parameters |
/// |---|---|
/// | `overview` | – |
/// | `predictions` | `model`, `version`, `method`, `key`, `class`, `confidence_min`, `confidence_max`, `checks`, `outcome`, `since`, `until`, `text`; `sort`, `order`, `page`, `page_size` |
/// | `prediction` | `id`, which must be given |
/// | `global` | `series` |
/// | `drift` | `series`, `every` |
/// | `cohorts` | `series`, `a`, `b`, `class` |
/// | `misclassified` | `series` |
///
/// An empty parameter counts as not given. `docs/dashboard.md` says what each takes.
///
/// # Errors
/// - [`Status::NotFound`](crate::Status::NotFound): there is no view of this name, no prediction of this id, no such series.
/// - [`Status::BadRequest`](crate::Status::BadRequest): a parameter that the view does not know, or a value that cannot be understood.
/// - [`Status::Unavailable`](crate::Status::Unavailable): the log cannot be read, or the numbers cannot be compared.
pub fn view(
    dashboard: &Dashboard,
    name: &str,
    parameters: &BTreeMap<String, String>,
) -> Result<Value, ViewError> {
    let asked = |known: &[&str]| Asked::new(parameters, known);
    // What a view takes from the index is its own: nobody waits for the index while it is written out.
    let mut shown = match name {
        "prediction" => json(prediction::prediction(dashboard, asked(prediction::PARAMETERS)?)?),
        "overview" => json(overview::overview(dashboard, asked(overview::PARAMETERS)?)),
        "predictions" => {
            let asked = asked(&[select::PARAMETERS, predictions::PARAMETERS].concat())?;
            json(dashboard.with_index(|index| predictions::predictions(index, asked))?)
        }
        "drift" => json(drift::drift(dashboard, asked(drift::PARAMETERS)?)?),
        "global" => {
            let asked = asked(global::PARAMETERS)?;
            json(dashboard.with_index(|index| global::global(index, asked))?)
        }
        "cohorts" => {
            let asked = asked(cohorts::PARAMETERS)?;
            json(dashboard.with_index(|index| cohorts::cohorts(index, asked))?)
        }
        "misclassified" => {
            let asked = asked(misclassified::PARAMETERS)?;
            json(dashboard.with_index(|index| misclassified::misclassified(index, asked))?)
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

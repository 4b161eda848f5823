//! Drift: windows of a series against its reference, and alarms.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::asked::Asked;
use crate::dashboard::Dashboard;
use crate::error::ViewError;
use crate::series::{Described, PARAMETER, Series, choices};
use crate::watch::{Every, REFERENCE_ROWS, WINDOW_ROWS, Watched, watched};

/// What the view takes.
pub(super) const PARAMETERS: &[&str] = &[PARAMETER, "every"];

#[derive(Debug, Serialize)]
pub(super) struct Drift {
    choices: Vec<Described>,
    chosen: Option<Described>,
    every: &'static str,
    /// The first so many records are the reference, and so many more are needed for a window.
    reference_rows: usize,
    window_rows: usize,
    /// `None` where the series has too few records.
    #[serde(serialize_with = "behind")]
    drift: Option<Arc<Watched>>,
}

#[expect(clippy::ref_option, reason = "serde passes the field by reference")]
fn behind<S: Serializer>(drift: &Option<Arc<Watched>>, to: S) -> Result<S::Ok, S::Error> {
    drift.as_deref().serialize(to)
}

pub(super) fn drift(dashboard: &Dashboard, asked: Asked<'_>) -> Result<Drift, ViewError> {
    let every = asked.choice("every", &Every::NAMES)?.unwrap_or("count");
    let (choices, chosen) = {
        let index = dashboard.index();
        let chosen = Series::asked(&index, asked, true)?;
        (choices(&index, true), chosen.as_ref().map(Series::described))
    };
    let drift = match &chosen {
        Some(chosen) => watched(dashboard, &chosen.id, Every::named(every))?,
        None => None,
    };
    let (reference_rows, window_rows) = (REFERENCE_ROWS, WINDOW_ROWS);
    Ok(Drift { choices, chosen, every, reference_rows, window_rows, drift })
}

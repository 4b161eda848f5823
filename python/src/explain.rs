//! Model + rows in memory + keywords → explanation.

use std::sync::Arc;

use pellucid_engine::{
    AgnosticMethod, Input, LoadedModel, Method, NamedColumns, PredictedRows, Request, Rows as TreeRows,
    TableRequest, TreeMethod, TreeModel, Work, explain_rows,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{Rows, table};
use crate::errors::{CheckError, UnsupportedError, fault};
use crate::explanation::ExplanationCore;
use crate::model::{Kind, ModelCore};
use crate::options;
use crate::predicted::{self, Asking};
use crate::watched::{Limits, at_once, watched};

/// Explains `rows`, an array of f32 or f64 `[rows, features…]`.
#[pyfunction]
#[pyo3(signature = (model, rows, names, warnings, method, target, options, seed, limits))]
#[allow(clippy::too_many_arguments, reason = "only the Python side of the package calls it")]
pub(crate) fn explain(
    py: Python<'_>,
    model: &ModelCore,
    rows: &Bound<'_, PyAny>,
    names: Option<Vec<String>>,
    warnings: Vec<String>,
    method: Option<&str>,
    target: &Bound<'_, PyAny>,
    options: Option<&Bound<'_, PyDict>>,
    seed: u64,
    limits: Limits,
) -> PyResult<ExplanationCore> {
    let rows = Rows::of(rows)?;
    let predicted = match &model.kind {
        Kind::Predicted(_) => Some(method.unwrap_or("kernel_shap")),
        _ => method.filter(|method| AgnosticMethod::is_one(method)),
    };
    if let Some(method) = predicted {
        let options = options::of_predictions(options, &model.row_shape())?;
        let target = options::target(target)?;
        let (options, space, journal) = options;
        let asking = Asking { method, target, options, space, journal, seed };
        let mut rows = rows_of_any(py, &model.kind, rows, names)?;
        rows.warnings.extend(warnings);
        return Ok(ExplanationCore::new(py, predicted::explain(py, &model.asked(), rows, asking, &limits)?));
    }
    match &model.kind {
        Kind::Predicted(_) => Err(UnsupportedError::new_err("only predictions are known of this model")),
        Kind::Network(model) => {
            // What a call asks for may take any time.
            let has_defaults = options.is_none_or(|options| options.is_empty());
            let options = options::of_network(options)?;
            let method = Method::new(method.unwrap_or("integrated_gradients"), &options, model, seed);
            let target = options::target_of_network(target, model)?;
            let request = Request { method: method.map_err(fault)?, target, seed };
            let header = (names, warnings);
            network(py, model, &rows, header, &request, (&limits, has_defaults))
        }
        Kind::Trees(model) => {
            let options = options::of_trees(options)?;
            let method = TreeMethod::new(method, &options, model).map_err(fault)?;
            let target = options::target(target)?;
            let request = TableRequest { method, target, seed, array: None, other_columns: Vec::new() };
            let header = (names, warnings);
            trees(py, model, rows, header, request, &limits)
        }
    }
}

/// Rows as a model of any kind takes them when it is asked for predictions alone.
pub(crate) fn rows_of_any(
    py: Python<'_>,
    model: &Kind,
    rows: Rows<'_>,
    names: Option<Vec<String>>,
) -> PyResult<PredictedRows> {
    let Kind::Trees(model) = model else {
        return Ok(PredictedRows::from_rows(rows.to_f64(), names));
    };
    let columns = model.columns(names.as_deref(), rows.n_columns().unwrap_or(0)).map_err(fault)?;
    let rows = rows.picked(py, &columns.places)?.to_f64();
    let mut rows = PredictedRows::from_rows(rows, Some(columns.feature_names));
    rows.warnings = columns.warnings;
    Ok(rows)
}

/// The names of the columns, and what must be known of them.
type Header = (Option<Vec<String>>, Vec<String>);

fn network(
    py: Python<'_>,
    model: &LoadedModel,
    rows: &Rows<'_>,
    (names, warnings): Header,
    request: &Request,
    (limits, has_defaults): (&Limits, bool),
) -> PyResult<ExplanationCore> {
    let mut input = Input::from_rows(rows.to_f32());
    input.feature_names = names;
    input.warnings = warnings;
    let explained = |work: &Work| pellucid_engine::explain(model, &input, request, work);
    let row_length: usize = model.input_shape().iter().product();
    let explanation = match input.rows.len() == row_length && has_defaults && model.is_small() {
        true => at_once(py, limits, explained),
        false => watched(py, limits, explained),
    }?;
    Ok(ExplanationCore::new(py, explanation))
}

fn trees(
    py: Python<'_>,
    model: &Arc<TreeModel>,
    rows: Rows<'_>,
    (names, warnings): Header,
    request: TableRequest,
    limits: &Limits,
) -> PyResult<ExplanationCore> {
    let n_columns = rows.n_columns().unwrap_or(0);
    let mut columns: NamedColumns = model.columns(names.as_deref(), n_columns).map_err(fault)?;
    columns.warnings.extend(warnings);
    let rows = rows.picked(py, &columns.places)?;
    let run = |rows: TreeRows<'_>| {
        let explained = |work: &Work| explain_rows(model, rows, &request, work);
        match rows.n_rows() == 1 && request.method.is_quick() {
            true => at_once(py, limits, explained),
            false => watched(py, limits, explained),
        }
    };
    let made = match &rows {
        Rows::F32(rows) => run(TreeRows::F32(table(rows.as_array())?))?,
        Rows::F64(rows) => run(TreeRows::F64(table(rows.as_array())?))?,
    };
    if let Some(claim) = made.summary.fault() {
        return Err(CheckError::new_err(claim));
    }
    Ok(ExplanationCore::of_rows(
        py,
        made,
        rows.kept(py),
        model.clone(),
        columns,
        request,
        limits.max_memory_bytes(),
    ))
}

//! What is done with models beside explaining: scores of explanations, compiled files, looks inside.

use std::path::PathBuf;

use pellucid_engine::{
    CurveOptions, EvaluationOptions, Input, LoadedModel, Method, Metric, Request, Rows as TreeRows,
    TreeModel, importance_of_rows, importance_table, inspect_trees,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::arrays::{Rows, table};
use crate::errors::{self, During, UnsupportedError, fault, of_option, raised};
use crate::explanation::ExplanationCore;
use crate::model::{Kind, ModelCore, Wishes};
use crate::options::{self, read};
use crate::watched::{Limits, watched};

/// Explains rows of a network and scores the result: the explanation, and the scores as a JSON document.
#[pyfunction]
#[pyo3(signature = (model, rows, names, method, target, options, scoring, seed, limits))]
#[allow(clippy::too_many_arguments, reason = "only the Python side of the package calls it")]
pub(crate) fn evaluate(
    py: Python<'_>,
    model: &ModelCore,
    rows: &Bound<'_, PyAny>,
    names: Option<Vec<String>>,
    method: Option<&str>,
    target: &Bound<'_, PyAny>,
    options: Option<&Bound<'_, PyDict>>,
    scoring: &Bound<'_, PyDict>,
    seed: u64,
    limits: Limits,
) -> PyResult<(ExplanationCore, String)> {
    let model = network(model, "evaluate")?;
    let mut input = Input::from_rows(Rows::of(rows)?.to_f32());
    input.feature_names = names;
    let options = options::of_network(options)?;
    let method =
        Method::new(method.unwrap_or("integrated_gradients"), &options, model, seed).map_err(fault)?;
    let request = Request { method, target: options::target_of_network(target, model)?, seed };
    let scoring = scoring_options(scoring)?;
    let found =
        watched(py, &limits, |work| pellucid_engine::evaluate(model, &input, &request, &scoring, work))?;
    let scores = found.to_json().map_err(fault)?;
    Ok((ExplanationCore::new(py, found.explanation), scores))
}

/// What LRP passes through each node, a table in CSV.
#[pyfunction]
#[pyo3(signature = (model, rows, target, options, seed, limits))]
pub(crate) fn conservation(
    py: Python<'_>,
    model: &ModelCore,
    rows: &Bound<'_, PyAny>,
    target: &Bound<'_, PyAny>,
    options: Option<&Bound<'_, PyDict>>,
    seed: u64,
    limits: Limits,
) -> PyResult<String> {
    let model = network(model, "conservation")?;
    let input = Input::from_rows(Rows::of(rows)?.to_f32());
    let method = Method::new("lrp", &options::of_network(options)?, model, seed).map_err(fault)?;
    let request = Request { method, target: options::target_of_network(target, model)?, seed };
    let table =
        watched(py, &limits, |work| pellucid_engine::conservation_csv(model, &input, &request, work))?;
    Ok(String::from_utf8_lossy(&table).into_owned())
}

/// The bytes of an ONNX file that gives prediction and attribution together.
#[pyfunction]
#[pyo3(signature = (model, method, target, options, seed))]
pub(crate) fn compile<'py>(
    py: Python<'py>,
    model: &ModelCore,
    method: Option<&str>,
    target: &Bound<'_, PyAny>,
    options: Option<&Bound<'_, PyDict>>,
    seed: u64,
) -> PyResult<Bound<'py, PyBytes>> {
    let model = network(model, "compile")?;
    let options = options::of_network(options)?;
    let method =
        Method::new(method.unwrap_or("integrated_gradients"), &options, model, seed).map_err(fault)?;
    let target = options::target_of_network(target, model)?;
    let bytes = py.detach(|| pellucid_engine::compile(model, &method, &target)).map_err(fault)?;
    Ok(PyBytes::new(py, &bytes))
}

/// What is in a model, as a JSON document.
#[pyfunction]
pub(crate) fn inspect(py: Python<'_>, model: &ModelCore) -> PyResult<String> {
    match &model.kind {
        Kind::Network(model) => Ok(py.detach(|| model.inspect().to_json())),
        Kind::Trees(model) => Ok(py.detach(|| inspect_trees(model).to_json())),
        Kind::Predicted(_) => Err(UnsupportedError::new_err(
            "inspect looks into models; of this one only predictions are known",
        )),
    }
}

/// The same of a file, even where it cannot be explained: the document says why not.
#[pyfunction]
pub(crate) fn inspect_file(py: Python<'_>, path: PathBuf, wishes: Wishes) -> PyResult<String> {
    let found = py.detach(|| {
        let options = wishes.options();
        if TreeModel::is_one(&path)? {
            return Ok(inspect_trees(&TreeModel::open(&path, &options)?).to_json());
        }
        Ok(pellucid_engine::inspect(&path, wishes.runtime()?, &options)?.to_json())
    });
    found.map_err(|error| raised(&error, During::Loading))
}

/// How much a tree model uses each feature, as a JSON document.
#[pyfunction]
#[pyo3(signature = (model, rows, names, background, limits))]
pub(crate) fn importance(
    py: Python<'_>,
    model: &ModelCore,
    rows: Option<&Bound<'_, PyAny>>,
    names: Option<Vec<String>>,
    background: Option<&Bound<'_, PyAny>>,
    limits: Limits,
) -> PyResult<String> {
    let Kind::Trees(model) = &model.kind else {
        return Err(UnsupportedError::new_err("importance is for tree models; this is none"));
    };
    let Some(rows) = rows else {
        let table = watched(py, &limits, |work| importance_table(model, &[], &[], work))?;
        return Ok(table.to_json(model));
    };
    let rows = Rows::of(rows)?;
    let columns = model.columns(names.as_deref(), rows.n_columns().unwrap_or(0)).map_err(fault)?;
    let rows = rows.picked(py, &columns.places)?;
    let background = background.map(options::background).transpose()?;
    let run = |rows: TreeRows<'_>| {
        watched(py, &limits, |work| importance_of_rows(model, rows, columns, background, work))
    };
    let found = match &rows {
        Rows::F32(rows) => run(TreeRows::F32(table(rows.as_array())?))?,
        Rows::F64(rows) => run(TreeRows::F64(table(rows.as_array())?))?,
    };
    Ok(found.to_json(model))
}

/// Which runtimes are found and used, as a JSON document.
#[pyfunction]
pub(crate) fn doctor(py: Python<'_>, wishes: Wishes) -> PyResult<String> {
    let options = wishes.runtime_options().map_err(fault)?;
    let found = py.detach(|| pellucid_engine::doctor(&options));
    serde_json::to_string(&found).map_err(|error| errors::Error::new_err(error.to_string()))
}

fn network<'m>(model: &'m ModelCore, what: &str) -> PyResult<&'m LoadedModel> {
    match &model.kind {
        Kind::Network(model) => Ok(model),
        Kind::Trees(_) => {
            Err(UnsupportedError::new_err(format!("{what} is for networks; this is a tree model")))
        }
        Kind::Predicted(_) => Err(UnsupportedError::new_err(format!(
            "{what} is for networks; of this model only predictions are known"
        ))),
    }
}

fn scoring_options(given: &Bound<'_, PyDict>) -> PyResult<EvaluationOptions> {
    let mut options = EvaluationOptions::default();
    let CurveOptions { n_steps, n_random, patch } = &mut options.curves;
    for (name, value) in given.iter().filter(|(_, value)| !value.is_none()) {
        let name: String = name.extract()?;
        match name.as_str() {
            "metrics" => options.metrics = metrics(&read::<Vec<String>>(&name, &value)?)?,
            "curve_steps" => *n_steps = read(&name, &value)?,
            "n_random" => *n_random = read(&name, &value)?,
            "patch" => *patch = Some(read(&name, &value)?),
            "deletion_baseline" => options.deletion_baseline = Some(read(&name, &value)?),
            "insertion_baseline" => options.insertion_baseline = Some(read(&name, &value)?),
            "n_layers" => options.n_layers = read(&name, &value)?,
            "max_gap" => options.max_gap = Some(read(&name, &value)?),
            "beat_random" => options.beat_random = read(&name, &value)?,
            _ => return Err(of_option(&name, "evaluation has no such option")),
        }
    }
    Ok(options)
}

fn metrics(names: &[String]) -> PyResult<Vec<Metric>> {
    names.iter().map(|name| Metric::from_name(name).map_err(fault)).collect()
}

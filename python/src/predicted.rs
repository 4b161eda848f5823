//! Models of which only predictions are known: functions of Python and served models.

use std::path::PathBuf;

use ndarray::{Array2, ArrayD};
use numpy::{PyArray, PyReadonlyArray2};
use pellucid_engine::{
    AgnosticMethod, AgnosticOptions, AgnosticRequest, EndpointOptions, Error, Explanation, FunctionInfo,
    LoadedModel, OutputSpace, OutputTarget, PredictedModel, PredictedRows, TreeModel, Work,
    explain_predicted, patience,
};
use pyo3::prelude::*;

use crate::errors::fault;
use crate::model::Wishes;
use crate::watched::{Limits, answering, watched};

/// A model that is asked over and over.
pub(crate) struct Predicted {
    /// The same as what asks, for a function with nobody who answers.
    model: PredictedModel<'static>,
    function: Option<Function>,
}

struct Function {
    /// `[rows, features…]` → `[rows, outputs]`, both arrays of f64; the Python side sees to that.
    call: Py<PyAny>,
    info: FunctionInfo,
}

/// What the Python side says of a function.
#[derive(FromPyObject)]
pub(crate) struct Description {
    #[pyo3(item)]
    name: String,
    #[pyo3(item)]
    module: String,
    /// What it gave for an example.
    #[pyo3(item)]
    fingerprint: String,
    #[pyo3(item)]
    row_shape: Vec<usize>,
    #[pyo3(item)]
    n_outputs: usize,
    #[pyo3(item)]
    output_names: Option<Vec<String>>,
}

impl Description {
    pub(crate) fn info(self) -> FunctionInfo {
        FunctionInfo {
            name: self.name,
            producer: self.module,
            fingerprint: self.fingerprint,
            row_shape: self.row_shape,
            n_outputs: self.n_outputs,
            output_names: self.output_names,
        }
    }
}

impl Predicted {
    pub(crate) fn of_function(call: Py<PyAny>, told: Description) -> Self {
        let info = told.info();
        let model = PredictedModel::of_function(info.clone(), |_| Err("nobody answers".to_owned()));
        Self { model, function: Some(Function { call, info }) }
    }

    pub(crate) fn of_endpoint(
        address: &str,
        token: Option<String>,
        timeout_secs: Option<f64>,
        wishes: &Wishes,
    ) -> Result<Self, Error> {
        let patience = patience(timeout_secs)?;
        let options = EndpointOptions { patience, token, ..EndpointOptions::default() };
        let model = PredictedModel::of_endpoint(address, options, &wishes.options())?;
        Ok(Self { model, function: None })
    }

    pub(crate) fn is_function(&self) -> bool {
        self.function.is_some()
    }

    /// To be read, not to be asked.
    pub(crate) fn model(&self) -> &PredictedModel<'static> {
        &self.model
    }

    /// Runs what asks the model.
    pub(crate) fn run<T: Send>(
        &self,
        py: Python<'_>,
        limits: &Limits,
        run: impl FnOnce(PredictedModel<'_>, &Work) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        let Some(function) = &self.function else {
            return watched(py, limits, |work| run(self.model.borrowed(), work));
        };
        answering(py, limits, &|py, rows| function.call(py, rows), |work, asker| {
            run(PredictedModel::of_function(function.info.clone(), |rows| asker.ask(rows)), work)
        })
    }
}

impl Function {
    fn call(&self, py: Python<'_>, rows: ArrayD<f64>) -> PyResult<Array2<f64>> {
        let outputs = self.call.call1(py, (PyArray::from_owned_array(py, rows),))?;
        let outputs: PyReadonlyArray2<'_, f64> = outputs.extract(py)?;
        Ok(outputs.as_array().to_owned())
    }
}

/// A model of any kind of which predictions are asked.
pub(crate) enum Asked<'m> {
    Network(&'m LoadedModel),
    Trees(&'m TreeModel),
    Predicted(&'m Predicted),
}

impl Asked<'_> {
    /// The space of probabilities, of models that classify.
    pub(crate) fn probabilities(&self) -> Option<OutputSpace> {
        let classifies = match *self {
            Self::Network(model) => model.classifies(),
            Self::Trees(model) => model.classifies(),
            Self::Predicted(_) => false,
        };
        classifies.then_some(OutputSpace::Probability)
    }

    /// Runs what asks the model, with its outputs in a space, if one is asked for.
    pub(crate) fn run<T: Send>(
        &self,
        py: Python<'_>,
        limits: &Limits,
        space: Option<OutputSpace>,
        run: impl FnOnce(PredictedModel<'_>, &Work) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        match *self {
            Self::Network(model) => {
                watched(py, limits, |work| run(PredictedModel::of_network(model, space)?, work))
            }
            Self::Trees(model) => {
                watched(py, limits, |work| run(PredictedModel::of_trees(model, space)?, work))
            }
            Self::Predicted(model) => {
                model.model.check_space(space).map_err(fault)?;
                model.run(py, limits, run)
            }
        }
    }
}

/// What a call asks for beside rows.
pub(crate) struct Asking<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: OutputTarget,
    pub(crate) options: AgnosticOptions,
    pub(crate) space: Option<OutputSpace>,
    /// The file that predictions are kept in.
    pub(crate) journal: Option<PathBuf>,
    pub(crate) seed: u64,
}

/// Explains rows by predictions alone.
pub(crate) fn explain(
    py: Python<'_>,
    model: &Asked<'_>,
    rows: PredictedRows,
    asking: Asking<'_>,
    limits: &Limits,
) -> PyResult<Explanation> {
    model.run(py, limits, asking.space, |model, work| {
        let model = match &asking.journal {
            Some(path) => model.kept_in(path)?,
            None => model,
        };
        let read = |_: &[PathBuf]| Ok(PredictedRows::from_rows(ArrayD::zeros(vec![0]), None));
        let names = rows.feature_names.as_deref();
        let method = AgnosticMethod::new(asking.method, &asking.options, &model, asking.seed, names, read)?;
        let request = AgnosticRequest { method, target: asking.target, seed: asking.seed };
        explain_predicted(&model, &rows, &request, work)
    })
}

//! A model file, bytes or arrays of trees → a model in memory.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ndarray::{Array2, ArrayD};
use numpy::{PyArrayDyn, PyReadonlyArray2};
use pellucid_engine::{
    Ending, Error, LoadedModel, ModelOptions, Opened, Rows as TreeRows, Runtime, RuntimeChoice,
    RuntimeOptions, TreeModel, Work, linear_network,
};
use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;

use crate::arrays::{Rows, frozen, table};
use crate::errors::{During, fault, raised};
use crate::options::read_by_name;
use crate::predicted::{self, Asked, Predicted};
use crate::trees::{self, Description, PythonTree};
use crate::watched::{Limits, watched};

/// A model ready to be explained.
#[pyclass(frozen, module = "pellucid._pellucid")]
pub(crate) struct ModelCore {
    pub(crate) kind: Kind,
}

/// What kinds there are.
pub(crate) enum Kind {
    Network(Arc<LoadedModel>),
    Trees(Arc<TreeModel>),
    Predicted(Box<Predicted>),
}

/// What a call says of a model.
pub(crate) struct Wishes {
    input_shape: Option<Vec<usize>>,
    output: Option<String>,
    explain_probability: bool,
    output_names: Option<Vec<String>>,
    start: Option<String>,
    /// The shape and the values of a row, by the name of an input.
    fixed: BTreeMap<String, (Vec<usize>, Vec<f64>)>,
    /// `auto`, `rten` or `onnxruntime`.
    runtime: Option<String>,
    /// Where the ONNX Runtime library is.
    library: Option<PathBuf>,
    threads: Option<usize>,
}

read_by_name!(Wishes {
    input_shape,
    output,
    explain_probability,
    output_names,
    start,
    fixed,
    runtime,
    library,
    threads
});

/// `None` where the shape is not that of the values, which NumPy has no arrays of.
fn array((shape, values): &(Vec<usize>, Vec<f64>)) -> Option<ArrayD<f64>> {
    ArrayD::from_shape_vec(shape.as_slice(), values.clone()).ok()
}

impl Wishes {
    pub(crate) fn options(&self) -> ModelOptions {
        ModelOptions {
            input_shape: self.input_shape.clone(),
            output: self.output.clone(),
            explain_probability: self.explain_probability,
            output_names: self.output_names.clone(),
            start: self.start.clone(),
            fixed: self.fixed.iter().filter_map(|(name, row)| Some((name.clone(), array(row)?))).collect(),
            ..ModelOptions::default()
        }
    }

    pub(crate) fn runtime(&self) -> Result<Arc<dyn Runtime>, Error> {
        Ok(pellucid_engine::runtime(&self.runtime_options()?)?)
    }

    pub(crate) fn runtime_options(&self) -> Result<RuntimeOptions, Error> {
        let choice = match &self.runtime {
            Some(name) => name.parse()?,
            None => RuntimeChoice::from_environment()?,
        };
        let defaults = RuntimeOptions::default();
        let threads = self.threads.unwrap_or(defaults.threads);
        Ok(RuntimeOptions { choice, threads, library: self.library.clone(), ..defaults })
    }
}

#[pymethods]
impl ModelCore {
    /// Opens a model file.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf, wishes: Wishes) -> PyResult<Self> {
        Self::opened(py.detach(|| Opened::open(&path, || wishes.runtime(), &wishes.options())))
    }

    /// Reads the bytes of a model file.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, name: &str, bytes: &[u8], wishes: Wishes) -> PyResult<Self> {
        Self::opened(py.detach(|| Opened::from_bytes(name, bytes, || wishes.runtime(), &wishes.options())))
    }

    /// A linear model: `coefficients` `[outputs, features]`, `intercepts` `[outputs]`, and what stands behind them.
    #[staticmethod]
    fn linear(
        name: &str,
        coefficients: PyReadonlyArray2<'_, f64>,
        intercepts: Vec<f64>,
        ending: &str,
        wishes: Wishes,
    ) -> PyResult<Self> {
        let ending = match ending {
            "sigmoid" => Ending::Sigmoid,
            "softmax" => Ending::Softmax,
            _ => Ending::Plain,
        };
        let bytes = linear_network(coefficients.as_array(), &intercepts, ending);
        Self::opened(
            bytes.and_then(|bytes| Opened::from_bytes(name, &bytes, || wishes.runtime(), &wishes.options())),
        )
    }

    /// Puts trees together that are at hand as arrays.
    #[staticmethod]
    fn from_trees(trees: Vec<PythonTree<'_>>, description: Description) -> PyResult<Self> {
        let model = trees::model(&trees, description)?;
        Self::opened(model.map(|model| Opened::Trees(Box::new(model))))
    }

    /// A function of rows `[rows, features…]` that gives outputs `[rows, outputs]`, arrays of f64.
    #[staticmethod]
    fn of_function(call: Py<PyAny>, description: predicted::Description) -> Self {
        Self { kind: Kind::Predicted(Box::new(Predicted::of_function(call, description))) }
    }

    /// A served model, by its address.
    #[staticmethod]
    #[pyo3(signature = (address, token, timeout_secs, wishes))]
    fn of_endpoint(
        py: Python<'_>,
        address: &str,
        token: Option<String>,
        timeout_secs: Option<f64>,
        wishes: Wishes,
    ) -> PyResult<Self> {
        let found = py.detach(|| Predicted::of_endpoint(address, token, timeout_secs, &wishes));
        let model = found.map_err(|error| raised(&error, During::Loading))?;
        Ok(Self { kind: Kind::Predicted(Box::new(model)) })
    }

    /// `network`, `trees`, `function` or `endpoint`.
    #[getter]
    fn kind(&self) -> &'static str {
        match &self.kind {
            Kind::Network(_) => "network",
            Kind::Trees(_) => "trees",
            Kind::Predicted(model) if model.is_function() => "function",
            Kind::Predicted(_) => "endpoint",
        }
    }

    /// Whether it is a tree model.
    #[getter]
    fn is_trees(&self) -> bool {
        matches!(self.kind, Kind::Trees(_))
    }

    #[getter]
    fn name(&self) -> &str {
        match &self.kind {
            Kind::Network(model) => model.name(),
            Kind::Trees(model) => model.name(),
            Kind::Predicted(model) => &model.model().source().model.name,
        }
    }

    #[getter]
    fn format(&self) -> &str {
        match &self.kind {
            Kind::Network(_) => "onnx",
            Kind::Trees(model) => model.format(),
            Kind::Predicted(model) => &model.model().source().model.format,
        }
    }

    #[getter]
    fn digest(&self) -> String {
        match &self.kind {
            Kind::Network(model) => model.digest(),
            Kind::Trees(model) => model.digest().to_owned(),
            Kind::Predicted(model) => model.model().source().model.digest.clone(),
        }
    }

    #[getter]
    fn input_shape(&self) -> Vec<usize> {
        self.row_shape()
    }

    #[getter]
    fn n_outputs(&self) -> usize {
        match &self.kind {
            Kind::Network(model) => model.n_outputs(),
            Kind::Trees(model) => model.ensemble().n_outputs(),
            Kind::Predicted(model) => model.model().predictor().n_outputs(),
        }
    }

    #[getter]
    fn output_names(&self) -> Option<Vec<String>> {
        match &self.kind {
            Kind::Network(model) => model.labels().map(<[String]>::to_vec),
            Kind::Trees(model) => model.labels().map(<[String]>::to_vec),
            Kind::Predicted(model) => model.model().source().output_names.clone(),
        }
    }

    #[getter]
    fn feature_names(&self) -> Option<Vec<String>> {
        match &self.kind {
            Kind::Network(_) | Kind::Predicted(_) => None,
            Kind::Trees(model) => model.ensemble().feature_names.clone(),
        }
    }

    /// For each feature the names of its categories, if the model has them.
    #[getter]
    fn feature_categories(&self) -> Option<Vec<Vec<String>>> {
        match &self.kind {
            Kind::Network(_) | Kind::Predicted(_) => None,
            Kind::Trees(model) => model.ensemble().categories.clone(),
        }
    }

    #[getter]
    fn output_space(&self) -> &'static str {
        match &self.kind {
            Kind::Network(model) => model.network().space().name(),
            Kind::Trees(model) => model.space().name(),
            Kind::Predicted(model) => model.model().source().space.name(),
        }
    }

    #[getter]
    fn warnings(&self) -> Vec<String> {
        match &self.kind {
            Kind::Network(model) => [model.file().warnings.as_slice(), model.network().warnings()].concat(),
            Kind::Trees(model) => model.ensemble().provenance.warnings.clone(),
            Kind::Predicted(model) => model.model().source().warnings.clone(),
        }
    }

    /// What a cell is taken for that a sparse row leaves out.
    #[getter]
    fn absent(&self) -> f64 {
        match &self.kind {
            Kind::Network(_) | Kind::Predicted(_) => 0.0,
            Kind::Trees(model) => model.ensemble().absent,
        }
    }

    /// For each feature its place among some columns, their names, and what must be known of them.
    #[pyo3(signature = (names, n_columns))]
    fn columns(
        &self,
        names: Option<Vec<String>>,
        n_columns: usize,
    ) -> PyResult<(Vec<usize>, Vec<String>, Vec<String>)> {
        let found = self.trees()?.columns(names.as_deref(), n_columns).map_err(fault)?;
        Ok((found.places, found.feature_names, found.warnings))
    }

    /// The codes of cells of a feature, and what must be known of them.
    fn codes(&self, feature: usize, cells: Vec<String>) -> PyResult<(Vec<f64>, Vec<String>)> {
        self.trees()?.codes(feature, &cells).map_err(fault)
    }

    /// The outputs that explanations are of, `[rows, outputs]`, or with `linked` what the model itself predicts.
    fn outputs(
        &self,
        py: Python<'_>,
        rows: &Bound<'_, PyAny>,
        linked: bool,
        limits: Limits,
    ) -> PyResult<Py<PyArrayDyn<f64>>> {
        let rows = Rows::of(rows)?;
        let outputs = match &self.kind {
            Kind::Network(model) => {
                let rows = rows.to_f32();
                watched(py, &limits, |work| {
                    let outputs = model.outputs(&rows, work)?;
                    // The file ends in what gives probabilities, or it gives outputs as they are.
                    let linked = linked && model.network().ending() != Ending::Plain;
                    Ok(if linked { model.network().probabilities(&outputs) } else { outputs })
                })?
            }
            Kind::Trees(model) => {
                let rows = match &rows {
                    Rows::F32(rows) => TreeRows::F32(table(rows.as_array())?),
                    Rows::F64(rows) => TreeRows::F64(table(rows.as_array())?),
                };
                let ensemble = model.ensemble();
                let run = |_: &Work| -> Result<Array2<f64>, Error> {
                    Ok(if linked { ensemble.predict(rows)? } else { ensemble.margins(rows)? })
                };
                watched(py, &limits, run)?
            }
            Kind::Predicted(model) => {
                let rows = rows.to_f64();
                model.run(py, &limits, |model, work| model.outputs(rows.view(), work))?
            }
        };
        Ok(frozen(py, outputs))
    }
}

impl ModelCore {
    fn opened(opened: Result<Opened, Error>) -> PyResult<Self> {
        let kind = match opened.map_err(|error| raised(&error, During::Loading))? {
            Opened::Network(model) => Kind::Network(Arc::from(model)),
            Opened::Trees(model) => Kind::Trees(Arc::from(model)),
        };
        Ok(Self { kind })
    }

    /// The shape of one row.
    pub(crate) fn row_shape(&self) -> Vec<usize> {
        match &self.kind {
            Kind::Network(model) => model.input_shape().to_vec(),
            Kind::Trees(model) => vec![model.ensemble().n_features],
            Kind::Predicted(model) => model.model().predictor().row_shape().to_vec(),
        }
    }

    /// To be asked for predictions alone.
    pub(crate) fn asked(&self) -> Asked<'_> {
        match &self.kind {
            Kind::Network(model) => Asked::Network(model),
            Kind::Trees(model) => Asked::Trees(model),
            Kind::Predicted(model) => Asked::Predicted(model),
        }
    }

    fn trees(&self) -> PyResult<&TreeModel> {
        match &self.kind {
            Kind::Trees(model) => Ok(model),
            _ => Err(PyAttributeError::new_err("only tree models have such a thing")),
        }
    }
}

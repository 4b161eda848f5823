//! An explanation: arrays at hand, everything else made when it is asked for.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use ndarray::{Array1, ArrayD, Ix2};
use numpy::PyArrayDyn;
use pellucid_engine::{
    About, Explanation, KnownOfRows, NamedColumns, Parameter, PlotKind, PlotOptions, RowsExplanation,
    TableRequest, TreeModel, Work, chart, panel, series_chart, write_file,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{Data, frozen, owned, selected};
use crate::drawing::{self, Drawing};
use crate::errors::{InputError, fault, of_option};

type Numbers = Py<PyArrayDyn<f64>>;

/// The explanation of some rows.
#[pyclass(frozen, module = "pellucid._pellucid")]
pub(crate) struct ExplanationCore {
    arrays: Arrays,
    about: Arc<Told>,
    /// Which rows of what is told, if not all.
    rows: Option<Vec<usize>>,
}

struct Arrays {
    values: Numbers,
    outputs: Numbers,
    base_values: Option<Numbers>,
    convergence_delta: Option<Numbers>,
    standard_error: Option<Numbers>,
    raw_map: Option<Numbers>,
    baselines: Option<Py<PyArrayDyn<f32>>>,
    data: Data,
    evaluations: Py<PyArrayDyn<i64>>,
}

/// What is told beside the arrays; of rows in memory it is made once somebody asks.
struct Told {
    about: OnceLock<About>,
    later: Option<Later>,
}

/// What it is made of.
struct Later {
    model: Arc<TreeModel>,
    known: KnownOfRows,
    columns: NamedColumns,
    request: TableRequest,
    max_memory_bytes: usize,
    data: Data,
}

impl ExplanationCore {
    pub(crate) fn new(py: Python<'_>, explanation: Explanation) -> Self {
        let optional = |array: Option<ArrayD<f64>>| array.map(|array| frozen(py, array));
        let evaluations: Array1<i64> = explanation.evaluations.iter().map(|&n| n as i64).collect();
        let data = explanation.data;
        let arrays = Arrays {
            values: frozen(py, explanation.values),
            outputs: frozen(py, explanation.outputs),
            base_values: optional(explanation.base_values),
            convergence_delta: optional(explanation.convergence_delta),
            standard_error: optional(explanation.standard_error),
            raw_map: optional(explanation.raw_map),
            baselines: explanation.baselines.map(|baselines| frozen(py, baselines)),
            data: Data::F64(frozen(py, data)),
            evaluations: frozen(py, evaluations),
        };
        let about = Arc::new(Told { about: OnceLock::from(explanation.about), later: None });
        Self { arrays, about, rows: None }
    }

    pub(crate) fn of_rows(
        py: Python<'_>,
        made: RowsExplanation,
        data: Data,
        model: Arc<TreeModel>,
        columns: NamedColumns,
        request: TableRequest,
        max_memory_bytes: usize,
    ) -> Self {
        let optional = |array: Option<ArrayD<f64>>| array.map(|array| frozen(py, array));
        let evaluations: Array1<i64> = made.evaluations.iter().map(|&n| n as i64).collect();
        let later =
            Later { model, known: made.known, columns, request, max_memory_bytes, data: data.clone_ref(py) };
        let arrays = Arrays {
            values: frozen(py, made.values),
            outputs: frozen(py, made.outputs),
            base_values: optional(made.base_values),
            convergence_delta: optional(made.convergence_delta),
            standard_error: optional(made.standard_error),
            raw_map: None,
            baselines: None,
            data,
            evaluations: frozen(py, evaluations),
        };
        let about = Arc::new(Told { about: OnceLock::new(), later: Some(later) });
        Self { arrays, about, rows: None }
    }

    /// What is told of all rows that were explained together.
    fn told<'s>(&'s self, py: Python<'_>) -> &'s About {
        self.about.about.get_or_init(|| match &self.about.later {
            Some(later) => later.about(py),
            None => unreachable!("it was told at once or is told later"),
        })
    }

    fn about(&self, py: Python<'_>) -> About {
        let told = self.told(py);
        self.rows.as_ref().map_or_else(|| told.clone(), |rows| told.select_rows(rows))
    }

    /// Everything together, copied.
    fn whole(&self, py: Python<'_>) -> Explanation {
        let arrays = &self.arrays;
        let optional = |array: &Option<Numbers>| array.as_ref().map(|array| owned(py, array));
        Explanation {
            values: owned(py, &arrays.values),
            outputs: owned(py, &arrays.outputs),
            base_values: optional(&arrays.base_values),
            convergence_delta: optional(&arrays.convergence_delta),
            standard_error: optional(&arrays.standard_error),
            raw_map: optional(&arrays.raw_map),
            data: arrays.data.to_f64(py),
            baselines: arrays.baselines.as_ref().map(|baselines| owned(py, baselines)),
            evaluations: owned(py, &arrays.evaluations).iter().map(|&n| n as usize).collect(),
            about: self.about(py),
        }
    }
}

impl Later {
    fn about(&self, py: Python<'_>) -> About {
        let work = Work { max_memory_bytes: self.max_memory_bytes, ..Work::default() };
        match self.data.to_f64(py).into_dimensionality::<Ix2>() {
            Ok(rows) => self.known.about(&self.model, rows.view(), &self.columns, &self.request, &work),
            Err(error) => unreachable!("a table was explained: {error}"),
        }
    }
}

/// Arrays are read-only.
#[pymethods]
impl ExplanationCore {
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &str) -> PyResult<Self> {
        Ok(Self::new(py, Explanation::from_json(text).map_err(fault)?))
    }

    /// Reads what [`ExplanationCore::save`] wrote.
    #[staticmethod]
    fn read(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        Ok(Self::new(py, Explanation::read(&path).map_err(fault)?))
    }

    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        self.whole(py).to_json().map_err(fault)
    }

    /// Writes JSON or, where the ending says so, `.npz`.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let whole = self.whole(py);
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let bytes = match ending.as_deref() {
            Some("json") => whole.to_json().map_err(fault)?.into_bytes(),
            Some("npz") => whole.to_npz().map_err(fault)?,
            _ => return Err(of_option("path", "name a file that ends in .json or .npz")),
        };
        write_file(&path, &bytes).map_err(fault)
    }

    /// Some of the rows.
    fn select_rows(&self, py: Python<'_>, rows: Vec<usize>) -> PyResult<Self> {
        let n_rows = self.n_rows(py);
        if let Some(row) = rows.iter().find(|&&row| row >= n_rows) {
            return Err(InputError::new_err(format!("row {row} is out of range; there are {n_rows} rows")));
        }
        let arrays = &self.arrays;
        let optional = |array: &Option<Numbers>| array.as_ref().map(|array| selected(py, array, &rows));
        let baselines = arrays.baselines.as_ref();
        let of_told = self.rows.as_ref().map(|own| rows.iter().map(|&row| own[row]).collect());
        Ok(Self {
            arrays: Arrays {
                values: selected(py, &arrays.values, &rows),
                outputs: selected(py, &arrays.outputs, &rows),
                base_values: optional(&arrays.base_values),
                convergence_delta: optional(&arrays.convergence_delta),
                standard_error: optional(&arrays.standard_error),
                raw_map: optional(&arrays.raw_map),
                baselines: baselines.map(|baselines| selected(py, baselines, &rows)),
                data: arrays.data.rows(py, &rows),
                evaluations: selected(py, &arrays.evaluations, &rows),
            },
            about: self.about.clone(),
            rows: Some(of_told.unwrap_or(rows)),
        })
    }

    #[getter]
    fn n_rows(&self, py: Python<'_>) -> usize {
        use numpy::PyUntypedArrayMethods;
        self.arrays.outputs.bind(py).shape()[0]
    }

    #[getter]
    fn values(&self, py: Python<'_>) -> Numbers {
        self.arrays.values.clone_ref(py)
    }

    #[getter]
    fn outputs(&self, py: Python<'_>) -> Numbers {
        self.arrays.outputs.clone_ref(py)
    }

    #[getter]
    fn base_values(&self, py: Python<'_>) -> Option<Numbers> {
        self.arrays.base_values.as_ref().map(|array| array.clone_ref(py))
    }

    #[getter]
    fn convergence_delta(&self, py: Python<'_>) -> Option<Numbers> {
        self.arrays.convergence_delta.as_ref().map(|array| array.clone_ref(py))
    }

    #[getter]
    fn standard_error(&self, py: Python<'_>) -> Option<Numbers> {
        self.arrays.standard_error.as_ref().map(|array| array.clone_ref(py))
    }

    #[getter]
    fn raw_map(&self, py: Python<'_>) -> Option<Numbers> {
        self.arrays.raw_map.as_ref().map(|array| array.clone_ref(py))
    }

    #[getter]
    fn baselines(&self, py: Python<'_>) -> Option<Py<PyArrayDyn<f32>>> {
        self.arrays.baselines.as_ref().map(|array| array.clone_ref(py))
    }

    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.arrays.data.object(py)
    }

    #[getter]
    fn evaluations(&self, py: Python<'_>) -> Py<PyArrayDyn<i64>> {
        self.arrays.evaluations.clone_ref(py)
    }

    #[getter]
    fn method(&self, py: Python<'_>) -> String {
        self.told(py).method.clone()
    }

    #[getter]
    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let parameters = PyDict::new(py);
        for (name, value) in &self.told(py).parameters {
            match value {
                Parameter::Unset => parameters.set_item(name, py.None())?,
                Parameter::Flag(flag) => parameters.set_item(name, flag)?,
                Parameter::Count(count) => parameters.set_item(name, count)?,
                Parameter::Number(number) => parameters.set_item(name, number)?,
                Parameter::Text(text) => parameters.set_item(name, text)?,
            }
        }
        Ok(parameters)
    }

    #[getter]
    fn seed(&self, py: Python<'_>) -> u64 {
        self.told(py).seed
    }

    /// As asked for.
    #[getter]
    fn target(&self, py: Python<'_>) -> String {
        self.told(py).target.asked.clone()
    }

    /// For each row the explained outputs, where each target is one output.
    #[getter]
    fn target_indices(&self, py: Python<'_>) -> Option<Vec<Vec<usize>>> {
        self.about(py).target.indices
    }

    #[getter]
    fn output_space(&self, py: Python<'_>) -> &'static str {
        self.told(py).output_space.name()
    }

    #[getter]
    fn output_names(&self, py: Python<'_>) -> Option<Vec<String>> {
        self.told(py).output_names.clone()
    }

    #[getter]
    fn feature_names(&self, py: Python<'_>) -> Option<Vec<String>> {
        self.told(py).feature_names.clone()
    }

    #[getter]
    fn feature_categories(&self, py: Python<'_>) -> Option<Vec<Vec<String>>> {
        self.told(py).feature_categories.clone()
    }

    #[getter]
    fn feature_sets(&self, py: Python<'_>) -> Option<Vec<Vec<usize>>> {
        self.told(py).feature_sets.clone()
    }

    #[getter]
    fn warnings(&self, py: Python<'_>) -> Vec<String> {
        self.told(py).warnings.clone()
    }

    /// Name, format, digest and producer of the model.
    #[getter]
    fn model(&self, py: Python<'_>) -> (String, String, String, String) {
        let model = &self.told(py).model;
        (model.name.clone(), model.format.clone(), model.digest.clone(), model.producer.clone())
    }

    /// What ran the model.
    #[getter]
    fn runtime(&self, py: Python<'_>) -> String {
        self.told(py).runtime.fingerprint.clone()
    }

    /// Draws a chart of a table's explanation.
    #[pyo3(signature = (kind, row, target, feature, cohort, title, max_features, color=None))]
    #[allow(clippy::too_many_arguments, reason = "only the Python side of the package calls it")]
    fn chart(
        &self,
        py: Python<'_>,
        kind: &str,
        row: usize,
        target: usize,
        feature: Option<String>,
        cohort: Option<String>,
        title: String,
        max_features: Option<usize>,
        color: Option<String>,
    ) -> PyResult<Drawing> {
        let kind: PlotKind = kind.parse().map_err(|reason: String| of_option("kind", &reason))?;
        let whole = self.whole(py);
        let max_features = max_features.unwrap_or(PlotOptions::default().max_features);
        let options = PlotOptions { row, target, feature, color, cohort, title, max_features };
        let drawn = py.detach(|| chart(&whole, kind, &options)).map_err(fault)?;
        Ok(Drawing::new(drawing::Kind::Chart(drawn), whole.about.model.name))
    }

    /// Draws the heatmap of one row over the image that the model saw; `None` where rows are no images.
    fn panel(&self, py: Python<'_>, row: usize, target: usize) -> PyResult<Option<Drawing>> {
        let whole = self.whole(py);
        if row >= whole.n_rows() || target >= whole.n_targets() {
            return Err(InputError::new_err(format!("there is no row {row} with a target {target}")));
        }
        let drawn = py.detach(|| panel(&whole, row, target)).map_err(fault)?;
        Ok(drawn.map(|panel| Drawing::new(drawing::Kind::Panel(panel), whole.about.model.name)))
    }

    /// Draws the series of one row over what its steps add; `None` where rows are no series.
    fn series(&self, py: Python<'_>, row: usize, target: usize) -> PyResult<Option<Drawing>> {
        let whole = self.whole(py);
        if row >= whole.n_rows() || target >= whole.n_targets() {
            return Err(InputError::new_err(format!("there is no row {row} with a target {target}")));
        }
        let drawn = py.detach(|| series_chart(&whole, row, target)).map_err(fault)?;
        Ok(drawn.map(|chart| Drawing::new(drawing::Kind::Chart(chart), whole.about.model.name)))
    }

    /// The name of the explained output of one row and target.
    fn target_label(&self, py: Python<'_>, row: usize, target: usize) -> String {
        let row = self.rows.as_ref().map_or(row, |rows| rows[row]);
        let told = self.told(py);
        let Some(indices) = &told.target.indices else { return told.target.asked.clone() };
        told.output_label(indices[row][target])
    }
}

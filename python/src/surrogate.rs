//! What lime's names stand on: surrogates around one row, segments of an image, a background summed up.

use ndarray::{Array1, ArrayD};
use numpy::{PyArrayDyn, PyReadonlyArray2, PyReadonlyArrayDyn};
use pellucid_engine::lime::{
    Column, Discretization, Fit, Options, Sampling, Selection, Surrogate, Table, TabularOptions,
};
use pellucid_engine::{Neighborhood, segments_of_image, surrogate};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::frozen;
use crate::errors::{fault, of_option};
use crate::model::ModelCore;
use crate::options::{numbers_of_groups, read_by_name};
use crate::watched::Limits;

type Numbers = Py<PyArrayDyn<f64>>;

/// What sampling around a row must know of training rows.
#[pyclass(frozen, module = "pellucid._pellucid")]
pub(crate) struct LimeTable {
    table: Table,
}

#[pymethods]
impl LimeTable {
    #[new]
    #[pyo3(signature = (rows, is_category, discretization, labels))]
    fn new(
        rows: PyReadonlyArray2<'_, f64>,
        is_category: Vec<bool>,
        discretization: &str,
        labels: Option<Vec<usize>>,
    ) -> PyResult<Self> {
        let columns: Vec<Column> = is_category
            .into_iter()
            .map(|is_category| if is_category { Column::Category } else { Column::Number })
            .collect();
        let discretization = match (discretization, labels) {
            ("quartile", _) => Discretization::Quartile,
            ("decile", _) => Discretization::Decile,
            ("entropy", Some(labels)) => Discretization::Entropy { labels },
            ("none", _) => Discretization::None,
            _ => return Err(of_option("discretizer", "is quartile, decile, entropy (with labels) or none")),
        };
        Ok(Self { table: Table::new(rows.as_array(), &columns, &discretization).map_err(fault)? })
    }

    /// For each column the edges that a row's number lies between: above the first, at most the second; nothing where
    /// there are no bins.
    fn intervals(&self, row: Vec<f64>) -> Vec<Option<(Option<f64>, Option<f64>)>> {
        let interval = |(column, &number): (usize, &f64)| Some(self.table.bins(column)?.interval(number));
        row.iter().enumerate().map(interval).collect()
    }
}

/// How surrogates are fitted.
pub(crate) struct FitWishes {
    n_features: usize,
    /// `auto`, `forward_selection`, `highest_weights` or `none`.
    selection: String,
    n_samples: usize,
    kernel_width: Option<f64>,
    /// tables: numbers that are not in bins are drawn around the row.
    around_row: bool,
    /// groups: the number of absent ones is uniform, as lime's for texts; else each is present or not.
    by_removal_count: bool,
    seed: u64,
}

read_by_name!(FitWishes {
    n_features,
    selection,
    n_samples,
    kernel_width,
    around_row,
    by_removal_count,
    seed
});

impl FitWishes {
    fn fit(&self) -> PyResult<Fit> {
        let selection = match self.selection.as_str() {
            "auto" => Selection::Auto,
            "forward_selection" => Selection::Forward,
            "highest_weights" => Selection::HighestWeights,
            "none" => Selection::None,
            _ => {
                return Err(of_option(
                    "feature_selection",
                    "there are auto, forward_selection, highest_weights and none",
                ));
            }
        };
        Ok(Fit { n_features: self.n_features, selection, n_resamples: 0, ..Fit::default() })
    }
}

/// The surrogates of some outputs around a row of a table.
#[pyfunction]
pub(crate) fn surrogate_of_table<'py>(
    py: Python<'py>,
    model: &ModelCore,
    row: PyReadonlyArrayDyn<'py, f64>,
    table: &LimeTable,
    outputs: Vec<usize>,
    wishes: FitWishes,
    limits: Limits,
) -> PyResult<Bound<'py, PyDict>> {
    let options = TabularOptions {
        kernel_width: wishes.kernel_width,
        n_samples: wishes.n_samples,
        around_row: wishes.around_row,
        fit: wishes.fit()?,
        tolerance: None,
        seed: wishes.seed,
    };
    let neighborhood = Neighborhood::Table(table.table.clone(), options);
    found(py, model, row.as_array().to_owned(), &outputs, &neighborhood, &limits)
}

/// The same around a row of groups of features, of which absent ones have the baseline's values.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "only the Python side of the package calls it")]
pub(crate) fn surrogate_of_groups<'py>(
    py: Python<'py>,
    model: &ModelCore,
    row: PyReadonlyArrayDyn<'py, f64>,
    groups: &Bound<'py, PyAny>,
    baseline: PyReadonlyArrayDyn<'py, f64>,
    outputs: Vec<usize>,
    wishes: FitWishes,
    limits: Limits,
) -> PyResult<Bound<'py, PyDict>> {
    let defaults = Options::image();
    let options = Options {
        sampling: if wishes.by_removal_count { Sampling::RemovalCount } else { defaults.sampling },
        kernel_width: wishes.kernel_width.unwrap_or(defaults.kernel_width),
        n_samples: wishes.n_samples,
        fit: wishes.fit()?,
        tolerance: None,
        seed: wishes.seed,
    };
    let groups = numbers_of_groups("segments", groups)?;
    let neighborhood = Neighborhood::Coalitions { groups, baseline: baseline.as_array().to_owned(), options };
    found(py, model, row.as_array().to_owned(), &outputs, &neighborhood, &limits)
}

fn found<'py>(
    py: Python<'py>,
    model: &ModelCore,
    row: ArrayD<f64>,
    outputs: &[usize],
    neighborhood: &Neighborhood,
    limits: &Limits,
) -> PyResult<Bound<'py, PyDict>> {
    let found: Surrogate = model
        .asked()
        .run(py, limits, None, |model, work| surrogate(&model, row.view(), outputs, neighborhood, work))?;
    let told = PyDict::new(py);
    told.set_item("values", frozen(py, found.estimate.values))?;
    told.set_item("intercept", frozen(py, found.intercept))?;
    told.set_item("score", frozen(py, found.r_squared))?;
    told.set_item("local_prediction", frozen(py, found.local_prediction))?;
    told.set_item("selected", found.selected)?;
    told.set_item("warnings", found.estimate.warnings)?;
    Ok(told)
}

/// The segments of an image `[height, width, channels]`, numbered from 0: `[height, width]`.
#[pyfunction]
pub(crate) fn segments(
    py: Python<'_>,
    image: PyReadonlyArrayDyn<'_, f64>,
    text: &str,
) -> PyResult<Py<PyArrayDyn<i64>>> {
    let found = segments_of_image(image.as_array(), text).map_err(fault)?;
    Ok(frozen(py, found.mapv(|segment| segment as i64)))
}

/// A table summed up by at most `k` rows of values that occur in it, with a weight each.
#[pyfunction]
pub(crate) fn k_means(
    py: Python<'_>,
    rows: PyReadonlyArray2<'_, f64>,
    k: usize,
    seed: u64,
) -> PyResult<(Numbers, Numbers)> {
    let found = pellucid_engine::k_means(rows.as_array(), k, seed).map_err(fault)?;
    let weights: Array1<f64> = found.weights;
    Ok((frozen(py, found.rows), frozen(py, weights)))
}

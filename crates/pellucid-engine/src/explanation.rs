//! What a person gets: an attribution with everything needed to understand, repeat and judge it.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayD, ArrayView, ArrayViewD, Axis, Dimension, IxDyn};
use pellucid_core::OutputSpace;
use serde_json::{Value, json};

use crate::deletion::DeletionCheck;
use crate::error::Error;
use crate::input::Source;
use crate::parameter::Parameter;
use crate::preprocess::Preprocess;
use crate::trees::TreeModel;

/// The form of [`Explanation`] in files; a number larger than this one's is refused.
pub const SCHEMA_VERSION: u32 = 1;

/// Of a model with more outputs than these, an explanation tells the highest and the explained ones alone.
pub const MAX_TOLD_OUTPUTS: usize = 1024;

/// The explanation of some rows by one method.
///
/// Arrays have one place a row, and behind all other axes one a target where several are explained (`top-5`): for
/// `[rows, features…]` below read `[rows, features…, targets]` then, for `[rows]` read `[rows, targets]`. An axis of
/// length 1 is never there. Class activation maps have no channels: their features are `[height, width]`. Interactions of
/// pairs have `[features, features]`, values of sets of features `[sets]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// One signed number a feature, `[rows, features…]`.
    pub values: ArrayD<f64>,
    /// The explained output at the input, `[rows]`, in the output space of the explanation.
    pub outputs: ArrayD<f64>,
    /// The explained output at the baseline, `[rows]`, for methods that have one.
    pub base_values: Option<ArrayD<f64>>,
    /// `Σ values − (output − base_value)`, `[rows]`, for methods that promise completeness.
    pub convergence_delta: Option<ArrayD<f64>>,
    /// The standard error of each value, of the shape of `values`, for sampled methods; of a weighted sum of outputs at
    /// most this.
    pub standard_error: Option<ArrayD<f64>>,
    /// The map before it was enlarged to the input's size, `[rows, height, width]`, for CAM methods.
    pub raw_map: Option<ArrayD<f64>>,
    /// The rows as the model takes them, `[rows, features…]`; never with an axis of targets. NaN is a missing value of a
    /// table.
    pub data: ArrayD<f64>,
    /// The baseline of each row, of the shape of `data`, where it is more than one number.
    pub baselines: Option<ArrayD<f32>>,
    /// Model evaluations that each row took.
    pub evaluations: Vec<usize>,
    /// Everything else.
    pub about: About,
}

/// What an explanation is of and how it was made.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    /// The method's name.
    pub method: String,
    /// All its options, defaults written out.
    pub parameters: BTreeMap<String, Parameter>,
    /// What random draws were made from, together with each row's digest.
    pub seed: u64,
    /// Which outputs are explained.
    pub target: ExplainedTarget,
    /// The unit of values and outputs.
    pub output_space: OutputSpace,
    /// The name of the explained output in the model file.
    pub output_name: String,
    /// The names of the model's outputs.
    pub output_names: Option<Vec<String>>,
    /// The names of the features, for tables.
    pub feature_names: Option<Vec<String>>,
    /// What the numbers of a feature count from 0, one list a feature, empty for features without categories.
    pub feature_categories: Option<Vec<Vec<String>>>,
    /// The features of each value, by index, for methods that give values to sets of features.
    pub feature_sets: Option<Vec<Vec<usize>>>,
    /// Columns of a table that are no features, by name: one text a row.
    pub other_columns: BTreeMap<String, Vec<String>>,
    /// The axis of a row that holds channels, where rows are images.
    pub channel_axis: Option<usize>,
    /// Whether values below 0 speak against the output; otherwise there are none.
    pub signed: bool,
    /// The highest outputs of each row, highest first.
    pub predictions: Vec<Vec<Prediction>>,
    /// All outputs of each row, in the space of `predictions`, where they are at most [`MAX_TOLD_OUTPUTS`].
    pub all_outputs: Option<Vec<Vec<f64>>>,
    /// The model.
    pub model: ModelSource,
    /// What ran it.
    pub runtime: RuntimeUse,
    /// The rows.
    pub inputs: Vec<RowSource>,
    /// With which probability each row was chosen: 1, but for the rows that are kept of a large table.
    pub inclusion_probability: f64,
    /// What is done to photos before this model; rows that were photos have a crop box.
    pub preprocessing: Option<Preprocess>,
    /// How attention did in deletion, for the rows that were checked.
    pub deletion: Vec<DeletionCheck>,
    /// What the reader must know.
    pub warnings: Vec<String>,
    /// The version of Pellucid.
    pub pellucid_version: String,
}

/// Which outputs are explained.
#[derive(Clone, Debug, PartialEq)]
pub struct ExplainedTarget {
    /// As asked for: `top-1`, `281`, `+1*281-1*282`.
    pub asked: String,
    /// For each row the explained outputs, where each target is one output.
    pub indices: Option<Vec<Vec<usize>>>,
}

/// One output of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Which output.
    pub index: usize,
    /// Its label.
    pub label: Option<String>,
    /// Its value, in the explanation's output space; its margin where a log-loss is explained.
    pub output: f64,
    /// Its probability, where the model classifies: by what the file ends in, by softmax where it ends in bare logits.
    pub probability: Option<f64>,
}

/// A model, by what identifies it.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSource {
    /// The file's name without folder and ending.
    pub name: String,
    /// `onnx`, `xgboost-json`, `lightgbm` …
    pub format: String,
    /// SHA-256 of the file (and its external data), in hexadecimal.
    pub digest: String,
    /// The tool that wrote it.
    pub producer: String,
}

impl ModelSource {
    pub(crate) fn of_trees(model: &TreeModel) -> Self {
        Self {
            name: model.name().to_owned(),
            format: model.format().to_owned(),
            digest: model.digest().to_owned(),
            producer: model.producer(),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({"name": self.name, "format": self.format, "digest": self.digest, "producer": self.producer})
    }
}

/// What ran a model. Within one fingerprint, batch size and memory, results are equal to the bit.
#[derive(Clone, Debug, PartialEq)]
pub struct RuntimeUse {
    /// Name and version, processor features, threads.
    pub fingerprint: String,
    /// Rows of one run, as asked for.
    pub batch_size: Option<usize>,
    /// What activations of one run could take, by which the rows of one run were chosen otherwise.
    pub max_memory_bytes: usize,
}

/// One explained row.
#[derive(Clone, Debug, PartialEq)]
pub struct RowSource {
    /// Where it came from.
    pub source: Source,
    /// SHA-256 of its numbers, in hexadecimal: see `pellucid_core::row_digest`.
    pub digest: String,
}

impl Explanation {
    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.data.len_of(Axis(0))
    }

    /// The number of targets of each row.
    pub fn n_targets(&self) -> usize {
        if self.outputs.ndim() == 2 { self.outputs.len_of(Axis(1)) } else { 1 }
    }

    /// The values of one row and target, `[features…]`.
    pub fn values_of(&self, row: usize, target: usize) -> ArrayViewD<'_, f64> {
        self.part(&self.values, row, target)
    }

    /// The standard errors of one row and target, `[features…]`.
    pub fn errors_of(&self, row: usize, target: usize) -> Option<ArrayViewD<'_, f64>> {
        self.standard_error.as_ref().map(|errors| self.part(errors, row, target))
    }

    /// A number of one row and target out of `[rows]` or `[rows, targets]`.
    pub fn number_of(&self, numbers: &ArrayD<f64>, row: usize, target: usize) -> f64 {
        self.part(numbers, row, target).iter().copied().next().unwrap_or(f64::NAN)
    }

    fn part<'a>(&self, array: &'a ArrayD<f64>, row: usize, target: usize) -> ArrayViewD<'a, f64> {
        let of_row = array.index_axis(Axis(0), row);
        match self.n_targets() {
            1 => of_row,
            _ => {
                let last = of_row.ndim() - 1;
                of_row.index_axis_move(Axis(last), target)
            }
        }
    }

    /// The name of the explained output of one row and target.
    pub fn target_label(&self, row: usize, target: usize) -> String {
        let Some(indices) = &self.about.target.indices else { return self.about.target.asked.clone() };
        let index = indices[row][target];
        // Of very many outputs only the predictions are named.
        let predicted = self.about.predictions[row].iter().find(|prediction| prediction.index == index);
        let label = predicted.and_then(|prediction| prediction.label.clone());
        label.unwrap_or_else(|| self.about.output_label(index))
    }

    /// The probability of the explained output of one row and target, where it is one output of a classifier.
    pub fn target_probability(&self, row: usize, target: usize) -> Option<f64> {
        let index = self.about.target.indices.as_ref()?[row][target];
        self.about.predictions[row].iter().find(|prediction| prediction.index == index)?.probability
    }

    /// `|convergence_delta|` as a share of `|output − base_value|`, for methods that promise completeness; infinite
    /// where both ends give the same output.
    pub fn relative_gap(&self, row: usize, target: usize) -> Option<f64> {
        let delta = self.number_of(self.convergence_delta.as_ref()?, row, target);
        let base_value = self.number_of(self.base_values.as_ref()?, row, target);
        let difference = self.number_of(&self.outputs, row, target) - base_value;
        Some(if delta == 0.0 { 0.0 } else { delta.abs() / difference.abs() })
    }

    /// Refuses NaN and infinities, by their place.
    ///
    /// # Errors
    /// [`Error::NotFinite`].
    pub fn check_finite(&self) -> Result<(), Error> {
        let parts = [
            ("values", Some(&self.values)),
            ("outputs", Some(&self.outputs)),
            ("base_values", self.base_values.as_ref()),
            ("convergence_delta", self.convergence_delta.as_ref()),
            ("standard_error", self.standard_error.as_ref()),
            ("raw_map", self.raw_map.as_ref()),
        ];
        for (what, array) in parts {
            if let Some(array) = array {
                finite(what, array.view())?;
            }
        }
        finite("data", self.data.mapv(|x| if x.is_nan() { 0.0 } else { x }).view())?;
        self.baselines.as_ref().map_or(Ok(()), |baselines| finite("baselines", baselines.view()))
    }
}

impl About {
    /// The checks of one row, as if it were at another place.
    fn deletion_of(&self, row: usize, place: usize) -> impl Iterator<Item = DeletionCheck> + '_ {
        let own = self.deletion.iter().filter(move |check| check.row == row);
        own.map(move |check| DeletionCheck { row: place, ..*check })
    }

    /// The name of an output: its label, or `output 3`.
    pub fn output_label(&self, index: usize) -> String {
        let names = self.output_names.as_ref();
        names.and_then(|names| names.get(index).cloned()).unwrap_or_else(|| format!("output {index}"))
    }

    /// What is told of some of the rows, which must be there.
    #[must_use]
    pub fn select_rows(&self, rows: &[usize]) -> Self {
        let texts = |texts: &Vec<String>| rows.iter().map(|&row| texts[row].clone()).collect();
        let indices = |indices: &Vec<Vec<usize>>| rows.iter().map(|&row| indices[row].clone()).collect();
        Self {
            target: ExplainedTarget {
                asked: self.target.asked.clone(),
                indices: self.target.indices.as_ref().map(indices),
            },
            other_columns: self
                .other_columns
                .iter()
                .map(|(name, column)| (name.clone(), texts(column)))
                .collect(),
            predictions: rows.iter().map(|&row| self.predictions[row].clone()).collect(),
            all_outputs: self
                .all_outputs
                .as_ref()
                .map(|all| rows.iter().map(|&row| all[row].clone()).collect()),
            inputs: rows.iter().map(|&row| self.inputs[row].clone()).collect(),
            deletion: rows
                .iter()
                .enumerate()
                .flat_map(|(place, &row)| self.deletion_of(row, place))
                .collect(),
            ..self.clone()
        }
    }
}

/// All outputs `[rows, outputs]` of each row, where they are few enough to be told.
pub(crate) fn told_outputs(outputs: &Array2<f64>) -> Option<Vec<Vec<f64>>> {
    let told = outputs.ncols() <= MAX_TOLD_OUTPUTS;
    told.then(|| outputs.rows().into_iter().map(|row| row.to_vec()).collect())
}

fn finite<T: Copy + Into<f64>>(what: &'static str, array: ArrayView<'_, T, IxDyn>) -> Result<(), Error> {
    match array.indexed_iter().find(|(_, value)| !(**value).into().is_finite()) {
        None => Ok(()),
        Some((place, &value)) => {
            Err(Error::NotFinite { what, value: value.into(), index: place.slice().to_vec() })
        }
    }
}

/// `[rows, K, …]` as `[rows, …]` for one target, `[rows, …, K]` for several.
pub(crate) fn targets_last(array: ArrayD<f64>) -> ArrayD<f64> {
    if array.len_of(Axis(1)) == 1 {
        return array.index_axis_move(Axis(1), 0);
    }
    let mut axes: Vec<usize> = (0..array.ndim()).filter(|&axis| axis != 1).collect();
    axes.push(1);
    array.permuted_axes(axes).as_standard_layout().into_owned()
}

//! Everything of an explanation but its arrays, as it stands in files.

use std::collections::BTreeMap;

use pellucid_core::OutputSpace;
use serde::{Deserialize, Serialize};

use crate::deletion::DeletionCheck;
use crate::explanation::{self, SCHEMA_VERSION};
use crate::input::Source;
use crate::parameter;
use crate::preprocess::Preprocess;

/// Says what a file is.
const SCHEMA: &str = "pellucid.explanation";

#[derive(Serialize, Deserialize)]
pub(super) struct About {
    schema: String,
    schema_version: u32,
    pellucid_version: String,
    method: String,
    parameters: BTreeMap<String, Parameter>,
    seed: u64,
    target: Target,
    output_space: String,
    signed: bool,
    channel_axis: Option<usize>,
    output_name: String,
    model: Model,
    runtime: Runtime,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    deletion: Vec<Deletion>,
    warnings: Vec<String>,
    predictions: Vec<Vec<Prediction>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    all_outputs: Option<Vec<Vec<f64>>>,
    inputs: Vec<Input>,
    #[serde(default = "surely", skip_serializing_if = "is_sure")]
    inclusion_probability: f64,
    preprocessing: Option<Preprocess>,
    feature_names: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    feature_categories: Option<Vec<Vec<String>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    feature_sets: Option<Vec<Vec<usize>>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    other_columns: BTreeMap<String, Vec<String>>,
    output_names: Option<Vec<String>>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Parameter {
    Flag(bool),
    Count(usize),
    Number(f64),
    Text(String),
    Unset(()),
}

#[derive(Serialize, Deserialize)]
struct Target {
    asked: String,
    indices: Option<Vec<Vec<usize>>>,
}

#[derive(Serialize, Deserialize)]
struct Model {
    name: String,
    format: String,
    digest: String,
    producer: String,
}

#[derive(Serialize, Deserialize)]
struct Runtime {
    fingerprint: String,
    batch_size: Option<usize>,
    max_memory_bytes: usize,
}

#[derive(Serialize, Deserialize)]
struct Prediction {
    index: usize,
    label: Option<String>,
    output: f64,
    probability: Option<f64>,
}

#[derive(Serialize, Deserialize)]
struct Deletion {
    row: usize,
    target: usize,
    auc: f64,
    random_auc: f64,
    random_standard_error: f64,
    share_of_random_beaten: f64,
}

#[derive(Serialize, Deserialize)]
struct Input {
    file: String,
    row_index: usize,
    digest: String,
    crop_box: Option<[f64; 4]>,
}

fn surely() -> f64 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes the field by reference")]
fn is_sure(probability: &f64) -> bool {
    *probability >= 1.0
}

impl About {
    pub(super) fn of(about: &explanation::About) -> Self {
        let about = about.clone();
        Self {
            schema: SCHEMA.to_owned(),
            schema_version: SCHEMA_VERSION,
            pellucid_version: about.pellucid_version,
            method: about.method,
            parameters: about.parameters.into_iter().map(|(name, value)| (name, value.into())).collect(),
            seed: about.seed,
            target: Target { asked: about.target.asked, indices: about.target.indices },
            output_space: about.output_space.name().to_owned(),
            signed: about.signed,
            channel_axis: about.channel_axis,
            output_name: about.output_name,
            model: Model {
                name: about.model.name,
                format: about.model.format,
                digest: about.model.digest,
                producer: about.model.producer,
            },
            runtime: Runtime {
                fingerprint: about.runtime.fingerprint,
                batch_size: about.runtime.batch_size,
                max_memory_bytes: about.runtime.max_memory_bytes,
            },
            deletion: about.deletion.into_iter().map(Deletion::of).collect(),
            warnings: about.warnings,
            predictions: about
                .predictions
                .into_iter()
                .map(|row| row.into_iter().map(Prediction::of).collect())
                .collect(),
            all_outputs: about.all_outputs,
            inputs: about.inputs.into_iter().map(Input::of).collect(),
            inclusion_probability: about.inclusion_probability,
            preprocessing: about.preprocessing,
            feature_names: about.feature_names,
            feature_categories: about.feature_categories,
            feature_sets: about.feature_sets,
            other_columns: about.other_columns,
            output_names: about.output_names,
        }
    }

    /// In words, what is wrong with it.
    pub(super) fn into_about(self) -> Result<explanation::About, String> {
        if self.schema != SCHEMA {
            return Err(format!("its schema is `{}`, not `{SCHEMA}`", self.schema));
        }
        if self.schema_version > SCHEMA_VERSION {
            return Err(format!(
                "it has version {} of the schema, this Pellucid knows {SCHEMA_VERSION}; use a newer one",
                self.schema_version
            ));
        }
        let probability = self.inclusion_probability;
        if !(probability > 0.0 && probability <= 1.0) {
            return Err(format!("`inclusion_probability` is {probability}, not above 0 and at most 1"));
        }
        let space = OutputSpace::ALL.into_iter().find(|space| space.name() == self.output_space);
        Ok(explanation::About {
            method: self.method,
            parameters: self.parameters.into_iter().map(|(name, value)| (name, value.into())).collect(),
            seed: self.seed,
            target: explanation::ExplainedTarget { asked: self.target.asked, indices: self.target.indices },
            output_space: space.ok_or_else(|| format!("no output space `{}`", self.output_space))?,
            signed: self.signed,
            channel_axis: self.channel_axis,
            output_name: self.output_name,
            output_names: self.output_names,
            feature_names: self.feature_names,
            feature_categories: self.feature_categories,
            feature_sets: self.feature_sets,
            other_columns: self.other_columns,
            predictions: self
                .predictions
                .into_iter()
                .map(|row| row.into_iter().map(Into::into).collect())
                .collect(),
            all_outputs: self.all_outputs,
            model: explanation::ModelSource {
                name: self.model.name,
                format: self.model.format,
                digest: self.model.digest,
                producer: self.model.producer,
            },
            runtime: explanation::RuntimeUse {
                fingerprint: self.runtime.fingerprint,
                batch_size: self.runtime.batch_size,
                max_memory_bytes: self.runtime.max_memory_bytes,
            },
            inputs: self.inputs.into_iter().map(Into::into).collect(),
            inclusion_probability: self.inclusion_probability,
            preprocessing: self.preprocessing,
            deletion: self.deletion.into_iter().map(Into::into).collect(),
            warnings: self.warnings,
            pellucid_version: self.pellucid_version,
        })
    }
}

impl From<parameter::Parameter> for Parameter {
    fn from(value: parameter::Parameter) -> Self {
        match value {
            parameter::Parameter::Unset => Self::Unset(()),
            parameter::Parameter::Flag(flag) => Self::Flag(flag),
            parameter::Parameter::Count(count) => Self::Count(count),
            parameter::Parameter::Number(number) => Self::Number(number),
            parameter::Parameter::Text(text) => Self::Text(text),
        }
    }
}

impl From<Parameter> for parameter::Parameter {
    fn from(value: Parameter) -> Self {
        match value {
            Parameter::Unset(()) => Self::Unset,
            Parameter::Flag(flag) => Self::Flag(flag),
            Parameter::Count(count) => Self::Count(count),
            Parameter::Number(number) => Self::Number(number),
            Parameter::Text(text) => Self::Text(text),
        }
    }
}

impl Deletion {
    fn of(check: DeletionCheck) -> Self {
        let DeletionCheck { row, target, auc, random_auc, random_standard_error, share_of_random_beaten } =
            check;
        Self { row, target, auc, random_auc, random_standard_error, share_of_random_beaten }
    }
}

impl From<Deletion> for DeletionCheck {
    fn from(check: Deletion) -> Self {
        let Deletion { row, target, auc, random_auc, random_standard_error, share_of_random_beaten } = check;
        Self { row, target, auc, random_auc, random_standard_error, share_of_random_beaten }
    }
}

impl Prediction {
    fn of(prediction: explanation::Prediction) -> Self {
        let explanation::Prediction { index, label, output, probability } = prediction;
        Self { index, label, output, probability }
    }
}

impl From<Prediction> for explanation::Prediction {
    fn from(prediction: Prediction) -> Self {
        let Prediction { index, label, output, probability } = prediction;
        Self { index, label, output, probability }
    }
}

impl Input {
    fn of(row: explanation::RowSource) -> Self {
        let Source { file, row_index, crop_box } = row.source;
        Self { file, row_index, crop_box, digest: row.digest }
    }
}

impl From<Input> for explanation::RowSource {
    fn from(input: Input) -> Self {
        let Input { file, row_index, crop_box, digest } = input;
        Self { source: Source { file, row_index, crop_box }, digest }
    }
}

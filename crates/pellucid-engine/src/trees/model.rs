//! A tree model file with everything that stands beside it.

use std::path::Path;

use pellucid_core::OutputSpace;
use pellucid_trees::{FileFormat, Link, TreeEnsemble};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::input::hex;
use crate::opened::holds_trees;
use crate::{file, labels};

/// A tree model ready to be explained.
#[derive(Clone, Debug)]
pub struct TreeModel {
    name: String,
    digest: String,
    format: FileFormat,
    ensemble: TreeEnsemble,
    labels: Option<Vec<String>>,
}

impl TreeModel {
    /// Whether a file is a tree model, or is to be refused as one.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn is_one(path: &Path) -> Result<bool, Error> {
        holds_trees(path)
    }

    /// Opens a model file of any of the formats that `pellucid_trees` reads; `given` are labels to take instead of the
    /// file's own.
    ///
    /// # Errors
    /// A file that is no such model, a broken one, or one that cannot be explained; labels that do not fit.
    pub fn open(path: &Path, given: Option<&Path>) -> Result<Self, Error> {
        let bytes = file::read(path)?;
        let fault = |error: pellucid_trees::Error| of_file(path, &error);
        let format = pellucid_trees::recognize(&bytes).map_err(fault)?;
        let ensemble = pellucid_trees::read(&bytes).map_err(fault)?;
        let labels = labels::find(path, given, ensemble.n_outputs())?;
        Ok(Self {
            name: path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned()),
            digest: hex(&Sha256::digest(&bytes)),
            format,
            labels: labels.or_else(|| ensemble.output_names.clone()),
            ensemble,
        })
    }

    /// The file's name without folder and ending.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the file, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The trees.
    pub fn ensemble(&self) -> &TreeEnsemble {
        &self.ensemble
    }

    /// The names of the outputs.
    pub fn labels(&self) -> Option<&[String]> {
        self.labels.as_deref()
    }

    /// The file's format in a word: `lightgbm`, `xgboost-json`.
    pub fn format(&self) -> &'static str {
        match self.format {
            FileFormat::XgboostJson => "xgboost-json",
            FileFormat::XgboostUbj => "xgboost-ubj",
            FileFormat::LightgbmText => "lightgbm",
            FileFormat::CatboostJson => "catboost-json",
            FileFormat::Onnx => "onnx",
        }
    }

    /// Library and version.
    pub fn producer(&self) -> String {
        let provenance = &self.ensemble.provenance;
        format!("{} {}", provenance.library, provenance.version).trim().to_owned()
    }

    /// The unit of margins.
    pub fn space(&self) -> OutputSpace {
        match self.ensemble.link {
            Link::Identity => OutputSpace::Value,
            Link::Probability => OutputSpace::Probability,
            _ => OutputSpace::Margin,
        }
    }

    /// Whether predictions are probabilities.
    pub fn classifies(&self) -> bool {
        matches!(self.ensemble.link, Link::Sigmoid { .. } | Link::Softmax | Link::Probability)
    }

    /// The name of an output: its label, or `output 3`.
    pub fn output_label(&self, index: usize) -> String {
        let label = self.labels().and_then(|labels| labels.get(index).cloned());
        label.unwrap_or_else(|| format!("output {index}"))
    }
}

/// A reader's fault with the file's name; what is not supported stays so.
fn of_file(path: &Path, error: &pellucid_trees::Error) -> Error {
    match error {
        pellucid_trees::Error::Unsupported { .. } => {
            Error::Unsupported { what: format!("{}: {error}", path.display()) }
        }
        _ => Error::input(path, error.to_string()),
    }
}

//! A tree model file with everything that stands beside it.

use std::fmt::Display;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use pellucid_core::OutputSpace;
use pellucid_trees::{FileFormat, Link, PathDependent, Plan, Test, Tree, TreeEnsemble};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::input::hex;
use crate::model::{ModelOptions, stem};
use crate::opened::holds_trees;
use crate::{file, labels};

/// A tree model ready to be explained.
#[derive(Clone, Debug)]
pub struct TreeModel {
    name: String,
    digest: String,
    format: &'static str,
    ensemble: TreeEnsemble,
    labels: Option<Vec<String>>,
    /// What the default method works out of the trees, once it was asked for.
    plan: OnceLock<Arc<Plan>>,
}

impl TreeModel {
    /// Whether a file is a tree model, or is to be refused as one.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn is_one(path: &Path) -> Result<bool, Error> {
        holds_trees(path)
    }

    /// Opens a model file of any of the formats that `pellucid_trees` reads; labels given go before the file's own.
    ///
    /// # Errors
    /// A file that is no such model, a broken one, or one that cannot be explained; labels that do not fit.
    pub fn open(path: &Path, options: &ModelOptions) -> Result<Self, Error> {
        refuse_options_of_networks(options)?;
        let bytes = file::read(path)?;
        let mut model = Self::read(stem(path), &bytes).map_err(|error| of_file(&path.display(), &error))?;
        model.find_labels(Some(path), options)?;
        Ok(model)
    }

    /// The same of a file's bytes; `name` stands for the file's name.
    ///
    /// # Errors
    /// As [`TreeModel::open`].
    pub fn from_bytes(name: &str, bytes: &[u8], options: &ModelOptions) -> Result<Self, Error> {
        refuse_options_of_networks(options)?;
        let mut model = Self::read(name.to_owned(), bytes).map_err(|error| of_file(&name, &error))?;
        model.find_labels(None, options)?;
        Ok(model)
    }

    /// Trees that came from no file; `digest` identifies what they were made of.
    ///
    /// # Errors
    /// Trees that are none.
    pub fn from_ensemble(
        name: &str,
        format: &'static str,
        digest: String,
        ensemble: TreeEnsemble,
    ) -> Result<Self, Error> {
        ensemble.check()?;
        let labels = ensemble.output_names.clone();
        Ok(Self { name: name.to_owned(), digest, format, ensemble, labels, plan: OnceLock::new() })
    }

    fn read(name: String, bytes: &[u8]) -> Result<Self, pellucid_trees::Error> {
        let format = match pellucid_trees::recognize(bytes)? {
            FileFormat::XgboostJson => "xgboost-json",
            FileFormat::XgboostUbj => "xgboost-ubj",
            FileFormat::LightgbmText => "lightgbm",
            FileFormat::CatboostJson => "catboost-json",
            FileFormat::Onnx => "onnx",
        };
        let (digest, ensemble) = (hex(&Sha256::digest(bytes)), pellucid_trees::read(bytes)?);
        Ok(Self { name, digest, format, ensemble, labels: None, plan: OnceLock::new() })
    }

    fn find_labels(&mut self, path: Option<&Path>, options: &ModelOptions) -> Result<(), Error> {
        let labels = labels::find(path, options, self.ensemble.n_outputs())?;
        self.labels = labels.or_else(|| self.ensemble.output_names.clone());
        Ok(())
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

    /// Path-dependent Shapley values of the trees; a model that explains one row after the other prepares them once.
    pub(crate) fn path_dependent(&self) -> Result<PathDependent<'_>, Error> {
        if let Some(plan) = self.plan.get() {
            return Ok(PathDependent::with_plan(&self.ensemble, plan.clone()));
        }
        let made = PathDependent::new(&self.ensemble)?;
        // Where another thread was first, its plan is the same.
        let _ = self.plan.set(made.plan());
        Ok(made)
    }

    /// The names of the outputs.
    pub fn labels(&self) -> Option<&[String]> {
        self.labels.as_deref()
    }

    /// The file's format in a word: `lightgbm`, `xgboost-json`.
    pub fn format(&self) -> &'static str {
        self.format
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

    /// Whether some split asks whether a feature's number is one of a set, so that numbers are codes without an order.
    pub(crate) fn is_cut_by_sets(&self, feature: usize) -> bool {
        let mut splits = self.ensemble.trees.iter().flat_map(Tree::splits);
        splits.any(|split| split.feature as usize == feature && matches!(split.test, Test::In(_)))
    }

    /// The name of an output: its label, or `output 3`.
    pub fn output_label(&self, index: usize) -> String {
        let label = self.labels().and_then(|labels| labels.get(index).cloned());
        label.unwrap_or_else(|| format!("output {index}"))
    }
}

fn refuse_options_of_networks(options: &ModelOptions) -> Result<(), Error> {
    let given = [
        ("input_shape", options.input_shape.is_some()),
        ("output", options.output.is_some()),
        ("explain_probability", options.explain_probability),
        ("start", options.start.is_some()),
        ("fixed", !options.fixed.is_empty()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(Error::request(*option, "is for networks; this is a tree model")),
        None => Ok(()),
    }
}

/// A reader's fault with the file's name; what is not supported stays so.
fn of_file(name: &dyn Display, error: &pellucid_trees::Error) -> Error {
    match error {
        pellucid_trees::Error::Unsupported { .. } => Error::Unsupported { what: format!("{name}: {error}") },
        _ => Error::Input { path: name.to_string(), reason: error.to_string() },
    }
}

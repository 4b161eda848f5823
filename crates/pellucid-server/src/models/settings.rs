//! `pellucid.toml`: what stands beside a model file in its folder.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

/// The file's name.
pub(crate) const FILE: &str = "pellucid.toml";

/// Everything may be left out.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// The model file, where the folder does not hold exactly one; within the folder of models.
    pub(crate) model: Option<PathBuf>,
    /// Where no subfolder says it.
    pub(crate) version: Option<String>,
    /// Names of the outputs, a file.
    pub(crate) labels: Option<PathBuf>,
    /// The `tokenizer.json` of a network that reads texts; by default the one beside the model file, where there is one.
    pub(crate) tokenizer: Option<PathBuf>,
    pub(crate) feature_names: Option<Vec<String>>,
    /// Where the file leaves lengths open.
    pub(crate) input_shape: Option<Vec<usize>>,
    /// Which output is explained.
    pub(crate) output: Option<String>,
    /// The unit of tree models' predictions: `margin`, or what their library predicts.
    pub(crate) prediction_space: Option<String>,
    pub(crate) explain: ExplainSettings,
    pub(crate) sampling: Sampling,
}

/// How the model's predictions are explained, where a request says nothing else.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ExplainSettings {
    pub(crate) method: Option<String>,
    pub(crate) target: String,
    pub(crate) seed: u64,
    pub(crate) output_space: Option<String>,
    /// A table of rows to average over.
    pub(crate) background: Option<PathBuf>,
    /// The method's options by their names.
    pub(crate) options: Map<String, Value>,
    /// Batches of this model that are explained at a time.
    pub(crate) max_concurrent: usize,
}

impl Default for ExplainSettings {
    fn default() -> Self {
        Self {
            method: None,
            target: "top-1".to_owned(),
            seed: 0,
            output_space: None,
            background: None,
            options: Map::new(),
            max_concurrent: 1,
        }
    }
}

/// Which predictions are explained without being asked for.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Sampling {
    #[default]
    All,
    None,
    /// One in `n`, drawn by the prediction's id.
    OneIn {
        n: u32,
    },
    /// All whose two highest probabilities lie closer than `below`; of the others one in `otherwise_one_in`, where that is given.
    LowMargin {
        below: f64,
        #[serde(default)]
        otherwise_one_in: Option<u32>,
    },
}

impl Settings {
    /// The settings of a folder; all defaults where it has no file of them.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let path = folder.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(format!("{FILE}: {error}")),
        };
        let settings: Self = toml::from_str(&text).map_err(|error| format!("{FILE}: {error}"))?;
        settings.check().map_err(|reason| format!("{FILE}: {reason}"))?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), String> {
        match self.sampling {
            Sampling::OneIn { n: 0 } | Sampling::LowMargin { otherwise_one_in: Some(0), .. } => {
                Err("sampling: one in 0 explains nothing; write rule = \"none\"".to_owned())
            }
            Sampling::LowMargin { below, .. } if below.is_nan() || below <= 0.0 => {
                Err(format!("sampling: below = {below} chooses nothing; give a difference of probabilities"))
            }
            _ if self.explain.max_concurrent == 0 => {
                Err("explain: max_concurrent = 0 explains nothing; give at least 1".to_owned())
            }
            _ => Ok(()),
        }
    }
}

//! A model that answers: predictions on one session, explanations on another.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::{Axis, Ix2};
use pellucid_engine::{
    Dim, ElementType, Error, LoadedModel, ModelOptions, Opened, OutputSpace, PredictedModel, PredictedRows,
    Rows as TreeRows, Runtime, Session, Tensor, TextModel, TreeModel, Work,
};

use pellucid_store::{Digest, RecordedModel};

use super::plan::{Asked, Plan, Planned};
use super::rows::{Numbers, Rows};
use super::scan::Found;
use super::settings::Sampling;
use super::texts::ServedTexts;
use crate::error::Fault;

/// A model as it is served, until its files change.
pub(crate) struct Served {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) kind: Kind,
    /// How its predictions are explained where nobody says otherwise.
    pub(crate) plan: Arc<Plan>,
    pub(crate) asked: Asked,
    pub(crate) sampling: Sampling,
    pub(crate) max_concurrent: usize,
    pub(crate) inputs: Vec<Signature>,
    pub(crate) outputs: Vec<Signature>,
    /// The names of the features, where the settings give them.
    pub(crate) feature_names: Option<Vec<String>>,
    background: Vec<PathBuf>,
    /// A digest of all files that the model is made from.
    files: [u8; 32],
    /// Whether trees answer with margins instead of what their library predicts.
    pub(crate) margins: bool,
}

/// What answers.
pub(crate) enum Kind {
    Trees(Box<TreeModel>),
    Network(Box<ServedNetwork>),
    Texts(Box<ServedTexts>),
}

/// A network twice: as its file has it, and as it is explained.
pub(crate) struct ServedNetwork {
    pub(crate) model: LoadedModel,
    session: Arc<dyn Session>,
    /// What the session takes.
    element: ElementType,
}

/// A tensor that a model takes or gives; −1 is a length that only a request fixes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Signature {
    pub(crate) name: String,
    pub(crate) datatype: &'static str,
    pub(crate) shape: Vec<i64>,
}

/// The runtimes of both sessions.
#[derive(Clone)]
pub(crate) struct Runtimes {
    pub(crate) predicting: Arc<dyn Runtime>,
    pub(crate) explaining: Arc<dyn Runtime>,
}

impl Served {
    /// Opens a model with everything beside it.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub(crate) fn open(
        root: &Path,
        found: &Found,
        files: &[u8; 32],
        runtimes: &Runtimes,
    ) -> Result<Self, Fault> {
        let settings = &found.settings;
        let file = |path: &PathBuf| found.file(root, path).map_err(Fault::Unprocessable);
        let options = ModelOptions {
            labels: settings.labels.as_ref().map(file).transpose()?,
            input_shape: settings.input_shape.clone(),
            output: settings.output.clone(),
            ..ModelOptions::default()
        };
        let background = settings.explain.background.iter().map(file).collect::<Result<Vec<_>, _>>()?;
        let kind = kind(found, &options, runtimes)?;
        if let (Kind::Texts(_), Sampling::LowMargin { .. }) = (&kind, &settings.sampling) {
            let reason = "sampling: low_margin is not for texts; take one_in".to_owned();
            return Err(Fault::Unprocessable(reason));
        }
        let asked = Asked {
            method: settings.explain.method.clone(),
            target: settings.explain.target.clone(),
            seed: settings.explain.seed,
            output_space: settings.explain.output_space.clone(),
            options: settings.explain.options.clone(),
        };
        let of = Planned {
            kind: &kind,
            recorded: recorded(&kind, &found.name, &found.version)?,
            background: &background,
            files,
        };
        let plan = Plan::new(&of, &asked)?;
        let (inputs, outputs) = kind.signatures();
        Ok(Self {
            name: found.name.clone(),
            version: found.version.clone(),
            plan: Arc::new(plan),
            margins: margins(&kind, settings.prediction_space.as_deref())?,
            asked,
            feature_names: feature_names(&kind, settings.feature_names.as_ref())?,
            sampling: settings.sampling.clone(),
            max_concurrent: settings.explain.max_concurrent,
            inputs,
            outputs,
            kind,
            background,
            files: *files,
        })
    }

    /// The plan of a request that asks for something else than the model's settings.
    ///
    /// # Errors
    /// What the model or the method does not have.
    pub(crate) fn plan_of(&self, asked: &Asked) -> Result<Arc<Plan>, Fault> {
        match *asked == self.asked {
            true => Ok(self.plan.clone()),
            false => {
                let recorded = recorded(&self.kind, &self.name, &self.version)?;
                let of =
                    Planned { kind: &self.kind, recorded, background: &self.background, files: &self.files };
                Plan::new(&of, asked).map(Arc::new)
            }
        }
    }

    /// SHA-256 of the model file, in hexadecimal.
    pub(crate) fn digest(&self) -> String {
        self.kind.digest()
    }

    /// What the model file gives for rows: one tensor an output.
    ///
    /// # Errors
    /// Whatever the model reports.
    pub(crate) fn predict(&self, rows: &Rows) -> Result<Vec<Tensor>, Fault> {
        match &self.kind {
            Kind::Network(network) => network.predict(rows.numbers()?),
            Kind::Texts(texts) => texts.predict(rows.texts()?),
            Kind::Trees(model) => {
                let shape = rows.numbers()?.view().into_dimensionality::<Ix2>();
                let rows = TreeRows::F64(shape.map_err(|error| Fault::Internal(error.to_string()))?);
                let outputs = match self.margins {
                    true => model.ensemble().margins(rows),
                    false => model.ensemble().predict(rows),
                };
                let outputs = outputs.map_err(Error::from)?;
                Ok(vec![Tensor::f64(&[outputs.nrows(), outputs.ncols()], outputs.iter().copied().collect())])
            }
        }
    }

    /// The kind of the model's file, as the Open Inference Protocol has it.
    pub(crate) fn platform(&self) -> String {
        match &self.kind {
            Kind::Trees(model) => format!("pellucid_{}", model.format().replace('-', "_")),
            Kind::Network(_) | Kind::Texts(_) => "onnx".to_owned(),
        }
    }

    /// The names of a table's columns: those of the settings, or of the model file.
    pub(crate) fn column_names(&self) -> Vec<String> {
        self.feature_names.clone().or_else(|| self.kind.feature_names()).unwrap_or_default()
    }

    /// Which of the outputs stands for the prediction where there is one only: the explained one.
    pub(crate) fn main_output(&self) -> usize {
        let Kind::Network(network) = &self.kind else { return 0 };
        let name = network.model.output_name();
        self.outputs.iter().position(|output| output.name == name).unwrap_or(0)
    }
}

impl ServedNetwork {
    fn new(model: LoadedModel, runtime: &dyn Runtime) -> Result<Self, Fault> {
        let graph = &model.file().graph;
        let [input] = graph.inputs() else {
            let reason = format!("has {} inputs; models of one input are served", graph.inputs().len());
            return Err(Fault::Unprocessable(reason));
        };
        let element = graph.element(*input);
        let session = runtime.session(graph).map_err(Error::from)?;
        Ok(Self { session, element, model })
    }

    fn predict(&self, rows: &Numbers) -> Result<Vec<Tensor>, Fault> {
        // From f64 to what the file takes at once: by way of f32, large whole numbers would become others.
        let tensor = Tensor::f64(rows.shape(), rows.iter().copied().collect());
        Ok(self.session.run(&[tensor.cast(self.element)]).map_err(Error::from)?)
    }
}

impl Kind {
    fn digest(&self) -> String {
        match self {
            Self::Trees(model) => model.digest().to_owned(),
            Self::Network(network) => network.model.digest(),
            Self::Texts(texts) => texts.model.digest(),
        }
    }

    /// Whether rows may be this model's, which was another when they were predicted.
    ///
    /// # Errors
    /// Rows of another kind or shape.
    pub(crate) fn check(&self, rows: &Rows) -> Result<(), Fault> {
        if let Self::Texts(_) = self {
            return rows.texts().map(drop);
        }
        let (shape, own) = (self.row_shape(), &rows.numbers()?.shape()[1..]);
        match own == shape {
            true => Ok(()),
            false => {
                Err(Fault::Conflict(format!("the stored row has shape {own:?}, the model takes {shape:?}")))
            }
        }
    }

    /// The shape of one row of numbers.
    pub(crate) fn row_shape(&self) -> Vec<usize> {
        match self {
            Self::Trees(model) => vec![model.ensemble().n_features],
            Self::Network(network) => network.model.input_shape().to_vec(),
            Self::Texts(_) => Vec::new(),
        }
    }

    /// The names of a table's columns, where the model file knows them.
    pub(crate) fn feature_names(&self) -> Option<Vec<String>> {
        let Self::Trees(model) = self else { return None };
        let columns = model.columns(None, model.ensemble().n_features).ok()?;
        Some(columns.feature_names)
    }

    /// The model as one of which only predictions are known.
    pub(crate) fn predicted(&self, space: Option<OutputSpace>) -> Result<PredictedModel<'_>, Fault> {
        Ok(match self {
            Self::Trees(model) => PredictedModel::of_trees(model, space)?,
            Self::Network(network) => PredictedModel::of_network(&network.model, space)?,
            Self::Texts(_) => return Err(Fault::Internal("a text is no row of numbers".to_owned())),
        })
    }

    /// All outputs of rows in the model's own space, as records hold them: `[rows][outputs]`.
    pub(crate) fn outputs(&self, rows: &Numbers, work: &Work) -> Result<Vec<Vec<f64>>, Fault> {
        let outputs = self.predicted(None)?.outputs(rows.view(), work)?;
        Ok(outputs.axis_iter(Axis(0)).map(|row| row.to_vec()).collect())
    }

    /// Rows of files, as inputs are read.
    pub(crate) fn read(&self, paths: &[PathBuf]) -> Result<PredictedRows, Error> {
        match self {
            Self::Trees(model) => PredictedRows::of_trees(model, paths, None, &[]),
            Self::Network(network) => PredictedRows::of_network(&network.model, paths, None, &[]),
            Self::Texts(_) => {
                let reason = "is of rows; this model reads texts".to_owned();
                Err(Error::Request { option: "background".to_owned(), reason })
            }
        }
    }

    fn signatures(&self) -> (Vec<Signature>, Vec<Signature>) {
        match self {
            Self::Trees(model) => {
                let signature = |name: &str, width: usize| Signature {
                    name: name.to_owned(),
                    datatype: "FP64",
                    shape: vec![-1, i64::try_from(width).unwrap_or(-1)],
                };
                let ensemble = model.ensemble();
                (
                    vec![signature("input", ensemble.n_features)],
                    vec![signature("predict", ensemble.n_outputs())],
                )
            }
            Self::Texts(texts) => texts.signatures(),
            Self::Network(network) => {
                let graph = &network.model.file().graph;
                let of = |wire| Signature {
                    name: graph.name_of(wire).to_owned(),
                    datatype: datatype(graph.element(wire)),
                    shape: graph.shape(wire).unwrap_or_default().iter().map(length).collect(),
                };
                let mut inputs: Vec<Signature> = graph.inputs().iter().map(|&wire| of(wire)).collect();
                // Lengths that the file leaves open and the settings fix.
                let row = network.model.input_shape().iter().map(|&n| i64::try_from(n).unwrap_or(-1));
                inputs
                    .iter_mut()
                    .for_each(|input| input.shape = std::iter::once(-1).chain(row.clone()).collect());
                (inputs, graph.outputs().iter().map(|&wire| of(wire)).collect())
            }
        }
    }
}

/// Opens the model file for what it is.
fn kind(found: &Found, options: &ModelOptions, runtimes: &Runtimes) -> Result<Kind, Fault> {
    if let Some(tokenizer) = &found.tokenizer {
        let model = TextModel::open(&found.model, tokenizer, runtimes.explaining.clone(), options)?;
        return Ok(Kind::Texts(Box::new(ServedTexts::new(model, &*runtimes.predicting)?)));
    }
    let opened = Opened::open(&found.model, || Ok::<_, Error>(runtimes.explaining.clone()), options)?;
    Ok(match opened {
        Opened::Trees(model) => Kind::Trees(model),
        Opened::Network(model) => Kind::Network(Box::new(ServedNetwork::new(*model, &*runtimes.predicting)?)),
    })
}

/// A model as records name it.
fn recorded(kind: &Kind, name: &str, version: &str) -> Result<RecordedModel, Fault> {
    let digest = kind.digest();
    let parsed =
        Digest::parse(&digest).ok_or_else(|| Fault::Internal(format!("`{digest}` is no SHA-256")))?;
    Ok(RecordedModel { name: name.to_owned(), version: version.to_owned(), digest: parsed })
}

fn feature_names(kind: &Kind, names: Option<&Vec<String>>) -> Result<Option<Vec<String>>, Fault> {
    let Some(names) = names else { return Ok(None) };
    match kind.row_shape().as_slice() {
        [n] if *n == names.len() => Ok(Some(names.clone())),
        shape => Err(Fault::Unprocessable(format!(
            "feature_names has {} names, a row of the model has shape {shape:?}",
            names.len()
        ))),
    }
}

fn margins(kind: &Kind, space: Option<&str>) -> Result<bool, Fault> {
    match (space, kind) {
        (None, _) => Ok(false),
        (Some("margin"), Kind::Trees(_)) => Ok(true),
        (Some("probability"), Kind::Trees(model)) if model.classifies() => Ok(false),
        (Some("value"), Kind::Trees(model)) if !model.classifies() => Ok(false),
        (Some(space), _) => Err(Fault::Unprocessable(format!(
            "prediction_space: `{space}` is none of this model's; tree models have margin, and probability or value"
        ))),
    }
}

fn length(dim: &Dim) -> i64 {
    match dim {
        Dim::Known(n) => i64::try_from(*n).unwrap_or(-1),
        _ => -1,
    }
}

/// An element type as the Open Inference Protocol names it.
pub(crate) fn datatype(element: ElementType) -> &'static str {
    match element {
        ElementType::F16 => "FP16",
        ElementType::BF16 => "BF16",
        ElementType::F32 => "FP32",
        ElementType::F64 => "FP64",
        ElementType::I8 => "INT8",
        ElementType::I16 => "INT16",
        ElementType::I32 => "INT32",
        ElementType::I64 => "INT64",
        ElementType::U8 => "UINT8",
        ElementType::U16 => "UINT16",
        ElementType::U32 => "UINT32",
        ElementType::U64 => "UINT64",
        ElementType::Bool => "BOOL",
        ElementType::String | ElementType::Unknown => "BYTES",
    }
}

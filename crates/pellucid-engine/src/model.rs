//! A model file with everything that stands beside it: labels, preprocessing, a runtime.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::{Array2, ArrayD};
use pellucid_core::{Model as _, OutputSpace, Similarity, Work};
use pellucid_explain::Network;
use pellucid_explain::network::{self, Ending};
use pellucid_graph::{Graph, Runtime, Wire, onnx};

use crate::aim::Comparison;
use crate::error::Error;
use crate::explain::network_classifies;
use crate::fixed::{self, Fixed};
use crate::input::{Input, ReadOptions, hex};
use crate::inspect::flops;
use crate::labels;
use crate::parameter::Parameter;
use crate::preprocess::{Preprocess, PreprocessOptions};

/// What a person says of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelOptions {
    /// The shape of one row, needed where the file leaves lengths other than the batch open.
    pub input_shape: Option<Vec<usize>>,
    /// The output by name; the first that holds floats otherwise.
    pub output: Option<String>,
    /// Explain what stands behind a final softmax or sigmoid instead of the logits before it.
    pub explain_probability: bool,
    /// The wire that is explained by its name, an input or one inside the network; the only input otherwise.
    pub start: Option<String>,
    /// What the other inputs hold in every row.
    pub fixed: Fixed,
    /// A file of labels to take instead of the one beside the model.
    pub labels: Option<PathBuf>,
    /// The names of the outputs, instead of a file of labels.
    pub output_names: Option<Vec<String>>,
    /// What is done to photos.
    pub preprocess: PreprocessOptions,
}

/// A model ready to be explained.
pub struct LoadedModel {
    name: String,
    file: Arc<onnx::Model>,
    network: Arc<Network>,
    input_name: String,
    output_name: String,
    labels: Option<Vec<String>>,
    preprocess: Option<Preprocess>,
    is_small: bool,
    reads_vectors: bool,
    comparison: Option<Comparison>,
    warnings: Vec<String>,
    of_network: network::Options,
}

/// Operations of one row up to which some hundred evaluations end before anybody could wish to stop them.
const FLOPS_OF_SMALL: u64 = 1 << 20;

/// What a graph is made a network by.
///
/// # Errors
/// What inputs are said to hold and cannot.
pub(crate) fn network_options(graph: &Graph, options: &ModelOptions) -> Result<network::Options, Error> {
    Ok(network::Options {
        input_shape: options.input_shape.clone(),
        output: options.output.clone(),
        explain_probability: options.explain_probability,
        start: options.start.clone(),
        fixed: fixed::tensors(graph, &options.fixed)?,
    })
}

impl LoadedModel {
    /// Opens a model file, with the labels and the preprocessing that lie beside it.
    ///
    /// # Errors
    /// A file of another kind, broken, or beyond what can be explained; labels or preprocessing that do not fit.
    pub fn open(path: &Path, runtime: Arc<dyn Runtime>, options: &ModelOptions) -> Result<Self, Error> {
        let mut model = Self::new(stem(path), read(path)?, runtime, options)?;
        model.labels = labels::find(Some(path), options, model.n_labels())?;
        model.preprocess = Preprocess::find(path, &options.preprocess)?;
        Ok(model)
    }

    /// Reads the bytes of an ONNX file that holds all its weights; `name` stands for the file's name.
    ///
    /// # Errors
    /// As [`LoadedModel::open`].
    pub fn from_bytes(
        name: &str,
        bytes: &[u8],
        runtime: Arc<dyn Runtime>,
        options: &ModelOptions,
    ) -> Result<Self, Error> {
        let mut model = Self::new(name.to_owned(), onnx::read_bytes(bytes, None)?, runtime, options)?;
        model.labels = labels::find(None, options, model.n_labels())?;
        Ok(model)
    }

    fn new(
        name: String,
        file: onnx::Model,
        runtime: Arc<dyn Runtime>,
        options: &ModelOptions,
    ) -> Result<Self, Error> {
        let of_network = network_options(&file.graph, options)?;
        let network = Network::new(&file.graph, runtime, &of_network)?;
        let output = network::chosen_output(&file.graph, options.output.as_deref())?;
        let network_input = network.graph().inputs()[0];
        let flops = flops::count(network.graph());
        let warnings = network.warnings().iter().cloned().chain(fixed::warnings(&of_network.fixed)).collect();
        Ok(Self {
            warnings,
            is_small: flops.n_unknown_nodes == 0 && flops.known <= FLOPS_OF_SMALL,
            name,
            input_name: network.graph().name_of(network_input).to_owned(),
            output_name: file.graph.name_of(output).to_owned(),
            file: Arc::new(file),
            network: Arc::new(network),
            labels: None,
            preprocess: None,
            reads_vectors: false,
            comparison: None,
            of_network,
        })
    }

    /// A part of a model as one of its own: what stands behind the vectors of one text.
    pub(crate) fn of_part(
        name: &str,
        file: Arc<onnx::Model>,
        network: Arc<Network>,
        output_name: &str,
        labels: Option<Vec<String>>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            warnings: network.warnings().to_vec(),
            input_name: network.graph().name_of(network.graph().inputs()[0]).to_owned(),
            output_name: output_name.to_owned(),
            file,
            network,
            labels,
            preprocess: None,
            // Nobody knows how long a text takes.
            is_small: false,
            reads_vectors: true,
            comparison: None,
            of_network: network::Options::default(),
        }
    }

    /// The same model with one output: how alike its outputs are to an embedding.
    pub(crate) fn compared(&self, to: &[f32], measure: Similarity) -> Result<Self, Error> {
        Ok(Self {
            name: self.name.clone(),
            file: self.file.clone(),
            network: Arc::new(self.network.compared(to, measure)?),
            input_name: self.input_name.clone(),
            output_name: self.output_name.clone(),
            labels: None,
            preprocess: self.preprocess.clone(),
            is_small: self.is_small,
            reads_vectors: self.reads_vectors,
            comparison: Some(Comparison { to: to.to_vec(), measure }),
            warnings: self.warnings.clone(),
            of_network: self.of_network.clone(),
        })
    }

    /// What its outputs are compared with, where it ends in a similarity.
    pub(crate) fn comparison(&self) -> Option<&Comparison> {
        self.comparison.as_ref()
    }

    /// Whether the explanation of a row by a method's defaults takes no more than some milliseconds.
    pub fn is_small(&self) -> bool {
        self.is_small
    }

    /// The network of another graph, made as this one is of its file.
    pub(crate) fn network_of(&self, graph: &Graph) -> Result<Network, Error> {
        let options = network::Options {
            input_shape: Some(self.network.input_shape().to_vec()),
            ..self.of_network.clone()
        };
        Ok(Network::new(graph, self.network.runtime().clone(), &options)?)
    }

    /// The names of the file's wires that the output is computed by from the explained one on.
    pub(crate) fn explained_wires(&self) -> BTreeSet<&str> {
        let graph = &self.file.graph;
        let start = self.of_network.start.as_deref().and_then(|name| graph.wire(name).ok());
        let mut needed: BTreeSet<Wire> = graph.outputs().iter().copied().collect();
        for node in graph.nodes().iter().rev() {
            let makes_start = start.is_some() && node.outputs.contains(&start);
            if !makes_start && node.outputs.iter().flatten().any(|wire| needed.contains(wire)) {
                needed.extend(node.inputs.iter().flatten());
            }
        }
        needed.into_iter().filter(|wire| Some(*wire) != start).map(|wire| graph.name_of(wire)).collect()
    }

    /// What of the file predicts, where it is not all of it: `start`, the wire that rows stand for, and `fixed`, what its other
    /// inputs hold.
    pub(crate) fn variant(&self) -> Vec<(&'static str, Parameter)> {
        let start = self.of_network.start.clone().map(|wire| ("start", wire.into()));
        let held = self.of_network.fixed.iter().map(|(name, row)| format!("{name}={}", fixed::text(row)));
        let held: Vec<String> = held.collect();
        let fixed = (!held.is_empty()).then(|| ("fixed", held.join("; ").into()));
        start.into_iter().chain(fixed).collect()
    }

    /// What the reader of an explanation must know of the model.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The file's name without folder and ending.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the file says of itself.
    pub fn file(&self) -> &onnx::Model {
        &self.file
    }

    /// SHA-256 of the file, in hexadecimal.
    pub fn digest(&self) -> String {
        hex(&self.file.digest)
    }

    /// What can be differentiated.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The shape of one row.
    pub fn input_shape(&self) -> &[usize] {
        self.network.input_shape()
    }

    /// The number of outputs of a row.
    pub fn n_outputs(&self) -> usize {
        self.network.n_outputs()
    }

    /// How many names its outputs have: one a class, where every place of an image has all of them.
    fn n_labels(&self) -> usize {
        self.network.places().map_or(self.network.n_outputs(), |places| places.n_classes)
    }

    /// The outputs that explanations are of, `[rows, outputs]`.
    ///
    /// # Errors
    /// Rows of another shape; a canceled work; whatever the runtime reports.
    pub fn outputs(&self, rows: &ArrayD<f32>, work: &Work) -> Result<Array2<f64>, Error> {
        Ok(self.network.outputs(rows, work)?)
    }

    /// The unit of the outputs that explanations are of.
    pub fn output_space(&self) -> OutputSpace {
        self.network.space()
    }

    /// The name of the input.
    pub fn input_name(&self) -> &str {
        &self.input_name
    }

    /// The name of the explained output in the file.
    pub fn output_name(&self) -> &str {
        &self.output_name
    }

    /// The names of the outputs.
    pub fn labels(&self) -> Option<&[String]> {
        self.labels.as_deref()
    }

    /// What is done to photos.
    pub fn preprocess(&self) -> Option<&Preprocess> {
        self.preprocess.as_ref()
    }

    /// The name of an output: its label, or `output 3`.
    pub fn output_label(&self, index: usize) -> String {
        match self.labels.as_ref().and_then(|labels| labels.get(index)) {
            Some(label) => label.clone(),
            None => format!("output {index}"),
        }
    }

    /// The axis of a row that holds channels, where rows are images: as the preprocessing says, or the axis of length 1
    /// or 3, the first where both ends have it.
    pub fn channel_axis(&self) -> Option<usize> {
        let shape = self.network.input_shape();
        match (&self.preprocess, shape) {
            (_, shape) if shape.len() != 3 || self.reads_vectors => None,
            (Some(preprocess), _) => Some(preprocess.channel_axis()),
            (None, [1 | 3, _, _]) => Some(0),
            (None, [_, _, 1 | 3]) => Some(2),
            _ => None,
        }
    }

    /// The axis of a row over which what goes together extends: the channels of a pixel, the vector of a token.
    pub(crate) fn position_axis(&self) -> Option<usize> {
        if self.reads_vectors { Some(1) } else { self.channel_axis() }
    }

    /// The shorter side of an image row; `None` where rows are no images.
    pub fn shorter_side(&self) -> Option<usize> {
        let (channel_axis, shape) = (self.channel_axis()?, self.network.input_shape());
        let sides = shape.iter().enumerate().filter(|(axis, _)| *axis != channel_axis).map(|(_, side)| *side);
        sides.min()
    }

    /// Reads input files for this model; `array` names the array of an `.npz` file.
    ///
    /// # Errors
    /// As [`Input::read`].
    pub fn read_input(&self, paths: &[PathBuf], array: Option<&str>) -> Result<Input, Error> {
        Input::read(paths, &self.read_options(array))
    }

    /// The same, but the columns `kept` of a table are no features, and come as texts.
    ///
    /// # Errors
    /// As [`Input::read`].
    pub fn read_table(
        &self,
        paths: &[PathBuf],
        array: Option<&str>,
        kept: &[String],
    ) -> Result<Input, Error> {
        Input::read(paths, &ReadOptions { kept, ..self.read_options(array) })
    }

    /// Whether its outputs are those of classes, and have probabilities.
    pub fn classifies(&self) -> bool {
        network_classifies(&self.network)
    }

    /// The probabilities that the file's own outputs `[rows, outputs]` are or stand for; `None` where they have none, or where every
    /// place of an image has some.
    pub fn probabilities_of_file(&self, outputs: &Array2<f64>) -> Option<Array2<f64>> {
        let is_one = outputs.ncols() == self.n_outputs() && self.network.places().is_none();
        if !self.classifies() || !is_one {
            return None;
        }
        Some(match self.network.ending() {
            Ending::Plain => self.network.probabilities(outputs),
            Ending::Softmax | Ending::Sigmoid => outputs.clone(),
        })
    }

    /// How its inputs are read.
    pub(crate) fn read_options<'a>(&'a self, array: Option<&'a str>) -> ReadOptions<'a> {
        ReadOptions {
            input_shape: self.network.input_shape(),
            input_name: &self.input_name,
            array,
            preprocess: self.preprocess.as_ref(),
            kept: &[],
        }
    }
}

/// A file's name without folder and ending.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

/// Reads a model file of a kind that is known.
pub(crate) fn read(path: &Path) -> Result<onnx::Model, Error> {
    let ending = path.extension().map_or_else(String::new, |ending| ending.to_string_lossy().to_lowercase());
    match advice(&ending) {
        Some(advice) => Err(Error::Unsupported { what: format!("{}: {advice}", path.display()) }),
        None => Ok(onnx::read(path)?),
    }
}

/// What to do with model files of this ending, which are not read.
pub(crate) fn advice(ending: &str) -> Option<&'static str> {
    match ending {
        "pt" | "pth" => Some("torch files are not read; export the model with torch.onnx.export"),
        "h5" | "keras" | "pb" | "tflite" => {
            Some("such files are not read; export the model as ONNX (tf2onnx, Keras' export)")
        }
        "pkl" | "joblib" => Some("pickles are not read; export the model as ONNX (skl2onnx)"),
        "safetensors" => Some("it holds weights without the network; export the model as ONNX"),
        _ => None,
    }
}

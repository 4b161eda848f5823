//! A model of any kind as something that predicts, with the names of its parts.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use ndarray::{Array2, ArrayViewD, Axis, Ix2};
use pellucid_agnostic::{Entries, Function, InSpace, Journal, Predictor, predict};
use pellucid_core::{OutputSpace, Work};
use pellucid_explain::Network;
use pellucid_remote::{Address, Endpoint, Options as EndpointOptions, Patience, Protocol};
use pellucid_trees::Rows;
use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::explain::{network_classifies, producer};
use crate::explanation::ModelSource;
use crate::labels;
use crate::model::{LoadedModel, ModelOptions};
use crate::parameter::Parameter;
use crate::preprocess::Preprocess;
use crate::trees::{TreeModel, check_link, fingerprint};

/// A model of which predictions are asked.
pub struct PredictedModel<'a> {
    pub(crate) predictor: Box<dyn Predictor + Send + 'a>,
    pub(crate) source: Source,
    /// The network that predicts, where its predictions are taken as they are.
    pub(crate) network: Option<&'a Network>,
    /// The trees that predict.
    trees: Option<&'a TreeModel>,
    /// The network whose outputs, as they are, have probabilities.
    pub(crate) classifier: Option<&'a Network>,
    /// Whether its rows are words of a text, present or absent.
    pub(crate) reads_words: bool,
}

/// What is known of a predicted model beside its predictions.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// What identifies it.
    pub model: ModelSource,
    /// What of its file predicts: the wire that rows stand for (`start`), and what its other inputs hold (`fixed`); empty where all
    /// of it does.
    pub variant: Vec<(&'static str, Parameter)>,
    /// What runs it.
    pub fingerprint: String,
    /// The unit of its outputs.
    pub space: OutputSpace,
    /// The name of its output.
    pub output_name: String,
    /// The names of its outputs.
    pub output_names: Option<Vec<String>>,
    /// What the numbers of a feature count from 0, one list a feature, empty for features without categories.
    pub feature_categories: Option<Vec<Vec<String>>>,
    /// The axis of a row that holds channels, where rows are images.
    pub channel_axis: Option<usize>,
    /// What is done to photos before it.
    pub preprocessing: Option<Preprocess>,
    /// Whether it takes rows in f32, by which they are named in records.
    pub takes_f32: bool,
    /// What the reader must know of it.
    pub warnings: Vec<String>,
}

/// What is said of a function that predicts.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionInfo {
    /// Its name.
    pub name: String,
    /// Where it comes from: the module.
    pub producer: String,
    /// What tells it from others of the same name: what it gave for an example.
    pub fingerprint: String,
    /// The shape of one row, `[features…]`.
    pub row_shape: Vec<usize>,
    /// The number of outputs of a row.
    pub n_outputs: usize,
    /// The names of its outputs.
    pub output_names: Option<Vec<String>>,
}

impl<'a> PredictedModel<'a> {
    /// Something that predicts, and what is known of it.
    pub fn new(predictor: Box<dyn Predictor + Send + 'a>, source: Source) -> Self {
        Self { predictor, source, network: None, classifier: None, trees: None, reads_words: false }
    }

    /// What predicts from the words of a text: a row has one number a word, 0 where it is absent.
    pub(crate) fn of_words(predictor: Box<dyn Predictor + Send + 'a>, source: Source) -> Self {
        Self { reads_words: true, ..Self::new(predictor, source) }
    }

    /// A network, its outputs in the space asked for (its own by default).
    ///
    /// # Errors
    /// A space that the network does not have.
    pub fn of_network(model: &'a LoadedModel, space: Option<OutputSpace>) -> Result<Self, Error> {
        let network = model.network();
        let space = space.unwrap_or_else(|| network.space());
        let known = space == network.space() || space == OutputSpace::Probability && model.classifies();
        if !known {
            let own = network.space().name();
            return Err(Error::request(
                "output_space",
                format!("this network gives {own}, not {}", space.name()),
            ));
        }
        let mut warnings = model.file().warnings.clone();
        warnings.extend_from_slice(model.warnings());
        let source = Source {
            model: ModelSource {
                name: model.name().to_owned(),
                format: "onnx".to_owned(),
                digest: model.digest(),
                producer: producer(model),
            },
            variant: model.variant(),
            fingerprint: network.runtime().fingerprint(),
            space,
            output_name: model.output_name().to_owned(),
            output_names: model.labels().map(<[String]>::to_vec),
            feature_categories: None,
            channel_axis: model.channel_axis(),
            preprocessing: model.preprocess().cloned(),
            takes_f32: true,
            warnings,
        };
        let as_it_is = (space == network.space()).then_some(network);
        let classifier = as_it_is.filter(|network| network_classifies(network));
        Ok(Self {
            network: as_it_is,
            classifier,
            ..Self::new(Box::new(InSpace { model: network, space }), source)
        })
    }

    /// A tree model, its outputs in the space asked for (margins by default).
    ///
    /// # Errors
    /// A space that the trees do not have.
    pub fn of_trees(model: &'a TreeModel, space: Option<OutputSpace>) -> Result<Self, Error> {
        // What has no link has its margins for values, or for probabilities.
        let space = space.filter(|&space| space != OutputSpace::Margin).unwrap_or_else(|| model.space());
        if space == OutputSpace::LogLoss {
            let reason = "log-loss is of explanations; predictions are margin, probability or value";
            return Err(Error::request("output_space", reason));
        }
        if space != model.space() {
            check_link(space, model)?;
        }
        let source = Source {
            model: ModelSource::of_trees(model),
            variant: Vec::new(),
            fingerprint: fingerprint(),
            space,
            output_name: model.ensemble().provenance.objective.clone(),
            output_names: model.labels().map(<[String]>::to_vec),
            feature_categories: model.ensemble().categories.clone(),
            channel_axis: None,
            preprocessing: None,
            takes_f32: false,
            warnings: model.ensemble().provenance.warnings.clone(),
        };
        let row_shape = [model.ensemble().n_features];
        let predictor = Trees { model, row_shape, linked: space != model.space() };
        Ok(Self { trees: Some(model), ..Self::new(Box::new(predictor), source) })
    }

    /// A served model, by its address.
    ///
    /// # Errors
    /// An address that is none, a server that does not answer or does not follow its protocol.
    pub fn of_endpoint(
        address: &str,
        mut endpoint: EndpointOptions,
        model: &ModelOptions,
    ) -> Result<Self, Error> {
        refuse_options_of_files(model)?;
        endpoint.row_shape = model.input_shape.clone();
        endpoint.output = model.output.clone();
        let endpoint = Endpoint::connect(Address::parse(address)?, endpoint)?;
        let address = endpoint.address();
        let protocol = match address.protocol() {
            Protocol::V2 => "open-inference-v2",
            Protocol::V1 => "kserve-v1",
        };
        let labels = labels::find(None, model, endpoint.n_outputs())?;
        let source = Source {
            model: ModelSource {
                name: address.name().to_owned(),
                format: protocol.to_owned(),
                // Nobody sees the file behind a server; its address and what it says of its version stand for it.
                digest: String::new(),
                producer: endpoint.version().to_owned(),
            },
            variant: Vec::new(),
            fingerprint: format!("served at {address}"),
            space: OutputSpace::Value,
            output_name: model.output.clone().unwrap_or_default(),
            output_names: labels,
            feature_categories: None,
            channel_axis: None,
            preprocessing: None,
            takes_f32: false,
            warnings: vec![
                "the model is served: its file is not seen, and it may change between two questions"
                    .to_owned(),
            ],
        };
        Ok(Self::new(Box::new(endpoint), source))
    }

    /// A function of rows `[rows, features…]` that gives outputs `[rows, outputs]`, or says what is wrong.
    pub fn of_function(
        info: FunctionInfo,
        predict: impl Fn(ArrayViewD<'_, f64>) -> Result<Array2<f64>, String> + Send + Sync + 'a,
    ) -> Self {
        let predict = move |rows: ArrayViewD<'_, f64>| {
            predict(rows).map_err(|reason| pellucid_core::Error::Model { reason }.into())
        };
        let source = Source {
            channel_axis: channel_axis(&info.row_shape),
            model: ModelSource {
                name: info.name,
                format: "function".to_owned(),
                // Nobody sees what is behind a function; what it was seen to give stands for it.
                digest: String::new(),
                producer: info.producer,
            },
            variant: Vec::new(),
            fingerprint: info.fingerprint,
            space: OutputSpace::Value,
            output_name: String::new(),
            output_names: info.output_names,
            feature_categories: None,
            preprocessing: None,
            takes_f32: false,
            warnings: Vec::new(),
        };
        let function = Function { row_shape: info.row_shape, n_outputs: info.n_outputs, predict };
        Self::new(Box::new(function), source)
    }

    /// Sees to it that its outputs are in the space asked for, where a caller says one.
    ///
    /// # Errors
    /// Another space than that of its outputs, which come as they are.
    pub fn check_space(&self, space: Option<OutputSpace>) -> Result<(), Error> {
        match space.filter(|&space| space != self.source.space) {
            None => Ok(()),
            Some(space) => {
                let (asked, own) = (space.name(), self.source.space.name());
                let reason = format!(
                    "outputs of a function or a served model are explained as they come, as {own}; leave it out, or let the model \
                     give what is {asked}"
                );
                Err(Error::request("output_space", reason))
            }
        }
    }

    /// The same model, borrowed.
    pub fn borrowed(&self) -> PredictedModel<'_> {
        PredictedModel {
            network: self.network,
            trees: self.trees,
            classifier: self.classifier,
            reads_words: self.reads_words,
            ..PredictedModel::new(Box::new(&*self.predictor), self.source.clone())
        }
    }

    /// The same with its predictions kept in a file, from which those that are there are taken: what was finished before a failure is
    /// not asked again. The file belongs to this model: its digest or address, the version that a server tells, the output and its space.
    ///
    /// # Errors
    /// A file that cannot be read or written, is no journal, or one of another model; it is left as it was.
    pub fn kept_in(self, path: &Path) -> Result<Self, Error> {
        let known = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(Error::input(path, error.to_string())),
        };
        let identity = self.source.identity();
        let entries = Entries::read(&known, &identity)?;
        let file = opened(path, &entries, &identity).map_err(|error| Error::output(path, error))?;
        let journal = Journal::new(self.predictor, entries, file);
        let (trees, classifier) = (self.trees, self.classifier);
        Ok(Self { trees, classifier, ..Self::new(Box::new(journal), self.source) })
    }

    /// The outputs of rows, `[rows, outputs]`.
    ///
    /// # Errors
    /// Rows of another shape, outputs that are no numbers, whatever the model reports.
    pub fn outputs(&self, rows: ArrayViewD<'_, f64>, work: &Work) -> Result<Array2<f64>, Error> {
        work.progress.begin(rows.len_of(Axis(0)));
        let outputs = predict(self.predictor(), rows, work);
        work.progress.end();
        Ok(outputs?)
    }

    /// Whether the model's own splits take a feature's numbers for codes without an order.
    pub(crate) fn is_cut_by_sets(&self, feature: usize) -> bool {
        self.trees.is_some_and(|trees| trees.is_cut_by_sets(feature))
    }

    /// What predicts.
    pub fn predictor(&self) -> &(dyn Predictor + Send + 'a) {
        &*self.predictor
    }

    /// What is known of it.
    pub fn source(&self) -> &Source {
        &self.source
    }
}

/// What a server decides by itself.
fn refuse_options_of_files(options: &ModelOptions) -> Result<(), Error> {
    let given = [
        ("explain_probability", options.explain_probability),
        ("start", options.start.is_some()),
        ("fixed", !options.fixed.is_empty()),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(Error::request(option, "is for a model's file; this one is served")),
        None => Ok(()),
    }
}

/// How long a server is waited for: so many seconds for a question, or as long as usual.
///
/// # Errors
/// What is no time to wait.
pub fn patience(timeout_secs: Option<f64>) -> Result<Patience, Error> {
    let mut patience = Patience::default();
    if let Some(secs) = timeout_secs {
        let timeout = Duration::try_from_secs_f64(secs).ok().filter(|timeout| !timeout.is_zero());
        let reason = || format!("{secs} seconds are no time to wait");
        patience.timeout = timeout.ok_or_else(|| Error::request("timeout", reason()))?;
    }
    Ok(patience)
}

impl Source {
    /// The name of an output, or `output 3`.
    pub(crate) fn output_label(&self, index: usize) -> String {
        let name = self.output_names.as_ref().and_then(|names| names.get(index).cloned());
        name.unwrap_or_else(|| format!("output {index}"))
    }

    /// A digest of all that predictions depend on, beside the rows.
    fn identity(&self) -> [u8; 32] {
        let model = &self.model;
        let told = |(name, value): &(&str, Parameter)| format!("{name} {value}; ");
        let variant: String = self.variant.iter().map(told).collect();
        let parts = [
            &model.digest,
            &variant,
            &self.fingerprint,
            &model.producer,
            &self.output_name,
            self.space.name(),
        ];
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// A journal ready to be written on: a new one with its header, a known one cut to its whole entries, as what was cut off must not
/// stand before the next.
fn opened(path: &Path, entries: &Entries, identity: &[u8; 32]) -> std::io::Result<File> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    match entries.whole_bytes {
        0 => file.write_all(&Entries::header(identity))?,
        whole => file.set_len(whole as u64)?,
    }
    Ok(file)
}

/// The axis of an image's channels, by which there are one, three or four of; the first where both could be.
fn channel_axis(row_shape: &[usize]) -> Option<usize> {
    let are_channels = |axis: usize| matches!(row_shape[axis], 1 | 3 | 4);
    match row_shape.len() {
        3 => [0, 2].into_iter().find(|&axis| are_channels(axis)),
        _ => None,
    }
}

struct Trees<'a> {
    model: &'a TreeModel,
    row_shape: [usize; 1],
    /// Whether probabilities are asked for instead of margins.
    linked: bool,
}

impl Predictor for Trees<'_> {
    fn row_shape(&self) -> &[usize] {
        &self.row_shape
    }

    fn n_outputs(&self) -> usize {
        self.model.ensemble().n_outputs()
    }

    fn predict_batch(&self, rows: ArrayViewD<'_, f64>) -> Result<Array2<f64>, pellucid_agnostic::Error> {
        let fault = |reason: String| pellucid_core::Error::Model { reason };
        let rows = rows.into_dimensionality::<Ix2>().map_err(|error| fault(error.to_string()))?;
        let ensemble = self.model.ensemble();
        let outputs = match self.linked {
            true => ensemble.predict(Rows::F64(rows)),
            false => ensemble.margins(Rows::F64(rows)),
        };
        Ok(outputs.map_err(|error| fault(error.to_string()))?)
    }
}

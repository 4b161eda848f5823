//! A differentiable model: its graph, pinned and canonized, and the runtime that runs what is made of it.

mod choice;

pub use choice::chosen_output;
pub(crate) use choice::ending;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use ndarray::{Array2, ArrayD, Axis, Dimension, Slice};
use pellucid_core::{Model, OutputSpace, ResolvedTarget, Similarity, Target, Work};
use pellucid_graph::passes::{canonize, fold_constants, lower};
use pellucid_graph::{Dim, Graph, Runtime, Session, Tensor, Wire, is_known};

use crate::batchable::{Batchable, batchable};
use crate::error::Error;
use crate::micro_batch;
use crate::places::{FeatureMap, roles};
use crate::similarity;
use choice::{ends_in_probability, from_start, row_shape};

/// What of the model is explained.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The shape of one row, needed where the file leaves lengths other than the batch open.
    pub input_shape: Option<Vec<usize>>,
    /// The output by name; the first that holds floats otherwise.
    pub output: Option<String>,
    /// Explain what stands behind a final softmax or sigmoid instead of the logits before it.
    pub explain_probability: bool,
    /// The wire that is explained by its name, an input or one inside such as the vectors of an embedding; the only input
    /// otherwise.
    pub start: Option<String>,
    /// What the other inputs hold in every row, `[1, …]`, by name.
    pub fixed: BTreeMap<String, Tensor>,
}

/// What the graph ends in, behind the explained wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nothing: the output itself is explained.
    Plain,
    /// A softmax over the last axis.
    Softmax,
    /// A sigmoid of each output.
    Sigmoid,
}

/// A differentiable model with one float input `[N, features…]` and an explained output `[N, outputs]`.
pub struct Network {
    graph: Graph,
    source: Graph,
    runtime: Arc<dyn Runtime>,
    input_shape: Vec<usize>,
    n_outputs: usize,
    ending: Ending,
    space: OutputSpace,
    places: Option<OutputPlaces>,
    rows_at_once: Option<usize>,
    warnings: Vec<String>,
    prepared: Mutex<BTreeMap<String, Arc<Prepared>>>,
}

/// How the outputs of a model that classifies every place of an image lie: `[N, classes, places…]`, or classes last.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputPlaces {
    /// The number of classes.
    pub n_classes: usize,
    /// The lengths of the sides.
    pub grid: Vec<usize>,
    /// Whether the classes of a place stand side by side.
    pub classes_last: bool,
    /// What the output of an only class has to be above for it to be predicted.
    pub cutoff: f64,
}

impl OutputPlaces {
    /// The number of places.
    pub fn n_places(&self) -> usize {
        self.grid.iter().product()
    }

    /// Where among the outputs of a row a class of a place is.
    pub fn index(&self, class: usize, place: usize) -> usize {
        match self.classes_last {
            true => place * self.n_classes + class,
            false => class * self.n_places() + place,
        }
    }
}

/// A rewritten graph with its session.
pub(crate) struct Prepared {
    pub(crate) graph: Graph,
    pub(crate) session: Arc<dyn Session>,
}

impl Network {
    /// Prepares a graph for explanation: picks input and output, pins all lengths but the batch, steps back before a
    /// final softmax or sigmoid, and canonizes.
    ///
    /// # Errors
    /// No float input or more than one, lengths left open, outputs of unknown shape; whatever a pass reports.
    pub fn new(graph: &Graph, runtime: Arc<dyn Runtime>, options: &Options) -> Result<Self, Error> {
        let output = chosen_output(graph, options.output.as_deref())?;
        let (ending, explained) = ending(graph, output, options.explain_probability);
        let mut source = graph.clone();
        source.set_outputs(&[explained]);
        let source = from_start(&source, options)?;
        check_shapes(&source)?;
        let input_shape = row_shape(&source, options.input_shape.as_deref())?;
        let Batchable { graph: source, rows_at_once, warnings } =
            batchable(&source, &input_shape, &*runtime)?;
        let source = with_known_output(source)?;
        let mut places = output_places(&source);
        let source = with_flat_output(&source)?;
        let canonical = canonical(&source, graph)?;
        let n_outputs = n_outputs(&canonical)?;
        let space = match ending {
            Ending::Plain if ends_in_probability(graph, output) => OutputSpace::Probability,
            Ending::Plain if ends_in(graph, output, &["LogSoftmax"]) => OutputSpace::LogProbability,
            Ending::Plain if n_outputs == 1 => OutputSpace::Value,
            _ => OutputSpace::Margin,
        };
        if let Some(places) = places.as_mut().filter(|_| space == OutputSpace::Probability) {
            places.cutoff = 0.5;
        }
        let prepared = Mutex::default();
        Ok(Self {
            graph: canonical,
            source,
            runtime,
            input_shape,
            n_outputs,
            ending,
            space,
            places,
            rows_at_once,
            warnings,
            prepared,
        })
    }

    /// The same network with one output: how alike its outputs are to `to`, `[outputs]`. `y · v` is linear in the outputs;
    /// the cosine gets nodes of its own at the end, so that every method walks back through them.
    ///
    /// # Errors
    /// Another number of outputs; a vector of zeros, which has no direction; numbers that are none.
    pub fn compared(&self, to: &[f32], measure: Similarity) -> Result<Self, Error> {
        similarity::check(to, self.n_outputs)?;
        let ended = |graph: &Graph| similarity::ended(graph, to, measure);
        Ok(Self {
            graph: ended(&self.graph)?,
            source: ended(&self.source)?,
            runtime: self.runtime.clone(),
            input_shape: self.input_shape.clone(),
            n_outputs: 1,
            ending: Ending::Plain,
            space: OutputSpace::Value,
            places: None,
            rows_at_once: self.rows_at_once,
            warnings: self.warnings.clone(),
            prepared: Mutex::default(),
        })
    }

    /// The canonized graph: one input, one output `[N, outputs]`.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The unit of the explained output.
    pub fn space(&self) -> OutputSpace {
        self.space
    }

    /// What stands behind the explained output in the file.
    pub fn ending(&self) -> Ending {
        self.ending
    }

    /// How the outputs lie, where the network classifies every place of an image.
    pub fn places(&self) -> Option<&OutputPlaces> {
        self.places.as_ref()
    }

    /// The runtime that runs this network.
    pub fn runtime(&self) -> &Arc<dyn Runtime> {
        &self.runtime
    }

    /// What the reader of an explanation must know of this network.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// How many rows one run of a rewritten graph takes.
    pub(crate) fn micro_batch(&self, prepared: &Prepared, n_rows: usize, work: &Work) -> usize {
        let size = micro_batch::size(prepared, n_rows, work);
        self.rows_at_once.map_or(size, |most| size.min(most))
    }

    /// The input wire of [`Network::graph`].
    pub(crate) fn input(&self) -> Wire {
        self.graph.inputs()[0]
    }

    /// The explained wire of [`Network::graph`].
    pub(crate) fn output(&self) -> Wire {
        self.graph.outputs()[0]
    }

    /// The graph that `key` stands for, with its session, made once.
    pub(crate) fn prepared(
        &self,
        key: &str,
        make: impl FnOnce() -> Result<Graph, Error>,
    ) -> Result<Arc<Prepared>, Error> {
        let lock = || self.prepared.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(found) = lock().get(key) {
            return Ok(found.clone());
        }
        let graph = make()?;
        let session = self.runtime.session(&graph)?;
        let made = Arc::new(Prepared { graph, session });
        lock().insert(key.to_owned(), made.clone());
        Ok(made)
    }

    /// The graph as the file has it, ready to run.
    pub(crate) fn source(&self) -> Result<Arc<Prepared>, Error> {
        self.prepared("source", || Ok(self.source.clone()))
    }

    /// Checks that `rows` is `[rows, features…]` of this network and holds numbers only.
    ///
    /// # Errors
    /// Another shape; the place of the first NaN or infinity.
    pub fn check_rows(&self, rows: &ArrayD<f32>) -> Result<(), Error> {
        let fault = |reason: String| Error::Core(pellucid_core::Error::Input { reason });
        if rows.ndim() == 0 || rows.shape()[1..] != self.input_shape {
            let expected = self.input_shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
            return Err(fault(format!("expected shape [rows, {expected}], got {:?}", rows.shape())));
        }
        match rows.indexed_iter().find(|(_, x)| !x.is_finite()) {
            Some((place, x)) => {
                Err(fault(format!("{x} at {:?}; replace it before explaining", place.slice())))
            }
            None => Ok(()),
        }
    }

    /// The explained outputs of `rows`, `[rows, outputs]`, from the graph as the file has it.
    ///
    /// # Errors
    /// Rows of another shape; a canceled work; whatever the runtime reports.
    pub fn outputs(&self, rows: &ArrayD<f32>, work: &Work) -> Result<Array2<f64>, Error> {
        self.check_rows(rows)?;
        let source = self.source()?;
        let n_rows = rows.len_of(Axis(0));
        let size = self.micro_batch(&source, n_rows, work);
        let mut outputs = Array2::zeros((n_rows, self.n_outputs));
        micro_batch::run(&*source.session, std::slice::from_ref(rows), size, work, |range, tensors| {
            let values = micro_batch::first_rows(&tensors[0], range.len());
            let mut part = outputs.slice_axis_mut(Axis(0), Slice::from(range));
            part.iter_mut().zip(values).for_each(|(slot, y)| *slot = y);
            Ok(())
        })?;
        Ok(outputs)
    }

    /// The target as weights of this network's outputs for each row.
    ///
    /// # Errors
    /// A target that the model does not have.
    pub fn resolve(
        &self,
        target: &Target,
        rows: &ArrayD<f32>,
        labels: Option<&[String]>,
        work: &Work,
    ) -> Result<ResolvedTarget, Error> {
        let outputs = match target {
            Target::Top(_) => self.outputs(rows, work)?,
            _ => Array2::zeros((rows.len_of(Axis(0)), self.n_outputs)),
        };
        Ok(target.resolve(outputs.view(), labels)?)
    }

    /// Turns explained outputs `[rows, outputs]` into probabilities: by what the file ends in, or, where it gives bare
    /// logits, by softmax (sigmoid for a single output).
    pub fn probabilities(&self, outputs: &Array2<f64>) -> Array2<f64> {
        if let (Some(places), Ending::Softmax) = (&self.places, self.ending) {
            return softmax_of_places(outputs, places);
        }
        let sigmoid = self.ending == Ending::Sigmoid || self.n_outputs == 1 || self.places.is_some();
        match (self.space, sigmoid) {
            (OutputSpace::Probability, _) => outputs.clone(),
            (_, true) => outputs.mapv(|x| 1.0 / (1.0 + (-x).exp())),
            _ => softmax(outputs),
        }
    }
}

impl Model for Network {
    fn input_shape(&self) -> &[usize] {
        &self.input_shape
    }

    fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    fn predict(&self, rows: &ArrayD<f32>, space: OutputSpace) -> Result<Array2<f64>, pellucid_core::Error> {
        let outputs = self.outputs(rows, &Work::default());
        let outputs = outputs.map_err(|error| pellucid_core::Error::Model { reason: error.to_string() })?;
        match space {
            OutputSpace::Probability => Ok(self.probabilities(&outputs)),
            space if space == self.space => Ok(outputs),
            space => Err(pellucid_core::Error::Model {
                reason: format!("this network gives {}, not {}", self.space.name(), space.name()),
            }),
        }
    }
}

/// Softmax over the classes of each place.
fn softmax_of_places(outputs: &Array2<f64>, places: &OutputPlaces) -> Array2<f64> {
    let mut result = outputs.clone();
    for mut row in result.rows_mut() {
        for place in 0..places.n_places() {
            let indices: Vec<usize> = (0..places.n_classes).map(|class| places.index(class, place)).collect();
            let own = Array2::from_shape_fn((1, indices.len()), |(_, i)| row[indices[i]]);
            indices.iter().zip(softmax(&own).iter()).for_each(|(index, share)| row[*index] = *share);
        }
    }
    result
}

/// Softmax of each row.
fn softmax(outputs: &Array2<f64>) -> Array2<f64> {
    let mut result = outputs.clone();
    for mut row in result.rows_mut() {
        let highest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        row.mapv_inplace(|x| (x - highest).exp());
        let sum = row.sum();
        row.mapv_inplace(|x| x / sum);
    }
    result
}

/// The canonized graph. Wires that the file gives out stay as they are, so that a layer may be one that canonizing would
/// merge with what follows.
fn canonical(source: &Graph, file: &Graph) -> Result<Graph, Error> {
    let explained = source.outputs()[0];
    let given_out = file.outputs().iter().filter_map(|wire| source.wire(file.name_of(*wire)).ok());
    let mut whole = source.clone();
    whole.set_outputs(&once([explained].into_iter().chain(given_out)));
    let mut canonical = canonize(&whole)?;
    canonical.set_outputs(&[canonical.outputs()[0]]);
    Ok(canonical)
}

/// Each wire once, in order.
fn once(wires: impl Iterator<Item = Wire>) -> Vec<Wire> {
    let mut seen = BTreeSet::new();
    wires.filter(|wire| seen.insert(*wire)).collect()
}

fn ends_in(graph: &Graph, output: Wire, ops: &[&str]) -> bool {
    graph.producer(output).is_some_and(|node| node.domain.is_empty() && ops.contains(&node.op.as_str()))
}

/// Outputs for every place of an image, `[N, classes, height, width]` or classes last where the network says so.
fn output_places(graph: &Graph) -> Option<OutputPlaces> {
    let output = graph.outputs()[0];
    let shape = graph.shape(output).filter(|shape| shape.len() >= 4)?;
    let lengths: Vec<usize> = shape[1..].iter().map(Dim::known).collect::<Option<_>>()?;
    let map = FeatureMap::of(graph, &roles(graph), output);
    let classes_last = map.is_some_and(|map| map.channel_axis > 1);
    let (n_classes, grid) = match classes_last {
        true => (*lengths.last()?, lengths[..lengths.len() - 1].to_vec()),
        false => (lengths[0], lengths[1..].to_vec()),
    };
    Some(OutputPlaces { n_classes, grid, classes_last, cutoff: 0.0 })
}

/// Ops that give as many elements as their input's numbers say.
const OF_NUMBERS: &[&str] = &["Compress", "NonMaxSuppression", "NonZero", "Unique"];

/// Refuses shapes and branches that depend on the numbers of the input: another input would be another graph.
fn check_shapes(graph: &Graph) -> Result<(), Error> {
    let reached = reached_by_values(graph, graph.inputs()[0]);
    let is_read = |wire: &Option<Wire>| wire.is_some_and(|wire| reached.contains(&wire));
    for node in graph.nodes().iter().filter(|node| node.domain.is_empty()) {
        let what = match node.op.as_str() {
            "If" if node.inputs.first().is_some_and(is_read) => "which branch is taken",
            op if OF_NUMBERS.contains(&op) && node.inputs.iter().any(is_read) => "the shape of what follows",
            _ => continue,
        };
        return Err(Error::network(format!(
            "{what} depends on the numbers in its input, at op `{}` of node `{}`; export the model without it",
            node.op, node.name
        )));
    }
    Ok(())
}

/// The wires whose numbers depend on those of `from`, and not only on its shape.
pub(crate) fn reached_by_values(graph: &Graph, from: Wire) -> BTreeSet<Wire> {
    let mut reached = BTreeSet::from([from]);
    for node in graph.nodes().iter().filter(|node| !matches!(node.op.as_str(), "Shape" | "Size")) {
        if node.inputs.iter().flatten().any(|wire| reached.contains(wire)) {
            reached.extend(node.outputs.iter().flatten());
        }
    }
    reached
}

/// The graph with the shape of its output known, where constants that a file leaves to be computed tell it.
fn with_known_output(graph: Graph) -> Result<Graph, Error> {
    let is_known = graph.shape(graph.outputs()[0]).is_some_and(|shape| !shape.contains(&Dim::Unknown));
    if is_known { Ok(graph) } else { Ok(fold_constants(&graph)?) }
}

/// The graph with its output as `[N, outputs]`.
fn with_flat_output(graph: &Graph) -> Result<Graph, Error> {
    let output = graph.outputs()[0];
    if graph.rank(output) == Some(2) {
        return Ok(graph.clone());
    }
    let mut flat = graph.clone();
    let per_row = graph.shape(output).and_then(|shape| {
        shape.get(1..)?.iter().map(Dim::known).try_fold(1, |product, n| Some(product * n?))
    });
    let per_row = per_row.ok_or_else(|| unknown_output(graph))?;
    let wire = flat.reshape(output, &[-1, per_row as i64]);
    flat.check_fault()?;
    flat.set_outputs(&[wire]);
    Ok(flat)
}

/// Behind an op that nothing is known of, the output's shape is unknown: the op is what to tell.
fn unknown_output(graph: &Graph) -> Error {
    match graph.nodes().iter().find(|node| !is_known(&node.domain, &node.op)) {
        Some(node) => Error::Graph(pellucid_graph::Error::NoRule {
            table: "gradient".to_owned(),
            op: node.full_op(),
            node: node.name.clone(),
        }),
        // What cannot be written out hides the shape, and says why.
        None => {
            lower(graph).map_or_else(Error::Graph, |_| Error::network("the shape of its output is unknown"))
        }
    }
}

fn n_outputs(graph: &Graph) -> Result<usize, Error> {
    let output = graph.outputs()[0];
    let n = graph.shape(output).and_then(|shape| shape.get(1)?.known());
    n.ok_or_else(|| {
        Error::network(format!("the number of its outputs `{}` is unknown", graph.name_of(output)))
    })
}

//! A token model: ids become vectors, and what stands behind them is a [`Network`] of the vectors.
//!
//! Ids are integers and have no gradient, so that every method works on the vectors that the model looks up for them,
//! `[N, tokens, width]`. What a token gets is the sum over `width`. Masks and token types stay as they are.

mod predictor;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ndarray::{Array1, Array2};
use pellucid_graph::passes::{Embedding, after_embedding, cut, find_embedding, fold_constants, prune};
use pellucid_graph::{Attribute, Data, Dim, ElementType, Graph, Runtime, Tensor, Wire};

use crate::compile;
use crate::error::Error;
use crate::network::{self, Ending, Network};
pub use predictor::{AskedTokens, TokenPredictor};

/// Tokens of the text by which a model's outputs are looked at once, before there is a text.
const TRIED_TOKENS: usize = 5;

/// One text as a tokenizer gives it; all parts are as long as `ids`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tokens {
    /// What the model looks up.
    pub ids: Vec<i64>,
    /// 1 for a token, 0 for padding.
    pub attention_mask: Vec<i64>,
    /// Which of two texts a token belongs to.
    pub type_ids: Vec<i64>,
}

/// Which outputs of a token model are explained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The token whose outputs they are, for models with outputs for every token.
    pub token: Option<usize>,
    /// Whether they are taken as logarithms of their softmax.
    pub log_probability: bool,
}

/// A model that reads token ids, cut where they become vectors.
pub struct TokenModel {
    graph: Graph,
    embedding: Embedding,
    table: Arc<Tensor>,
    runtime: Arc<dyn Runtime>,
    explain_probability: bool,
    n_outputs: usize,
    has_outputs_per_token: bool,
    reads_ids_elsewhere: bool,
    last: Mutex<Option<(Tokens, Reading, Arc<Network>)>>,
}

impl TokenModel {
    /// Finds the embedding of a model and looks at its outputs.
    ///
    /// # Errors
    /// A model that looks up no ids in a table of weights; inputs that no tokenizer fills; whatever a pass reports.
    pub fn new(graph: &Graph, runtime: Arc<dyn Runtime>, options: &network::Options) -> Result<Self, Error> {
        let output = network::chosen_output(graph, options.output.as_deref())?;
        let mut graph = graph.clone();
        graph.set_outputs(&[output]);
        let graph = fold_constants(&prune(&graph)?)?;
        let embedding = find_embedding(&graph, graph.outputs()[0]).ok_or_else(|| no_embedding(&graph))?;
        let table = table(&graph, embedding.table)?;
        let mut model = Self {
            reads_ids_elsewhere: reads_values(&graph, &embedding)?,
            graph,
            embedding,
            table,
            runtime,
            explain_probability: options.explain_probability,
            n_outputs: 0,
            has_outputs_per_token: false,
            last: Mutex::default(),
        };
        let tried = Tokens::plain(vec![0; model.fixed_length().unwrap_or(TRIED_TOKENS)]);
        let part = model.part(&tried)?;
        (model.n_outputs, model.has_outputs_per_token) = outputs(&part, tried.ids.len())?;
        Ok(model)
    }

    /// The runtime that runs it.
    pub fn runtime(&self) -> &Arc<dyn Runtime> {
        &self.runtime
    }

    /// The number of ids that have a vector.
    pub fn vocabulary_size(&self) -> usize {
        self.table.shape()[0]
    }

    /// The number of tokens of every text, where the file fixes it.
    pub fn fixed_length(&self) -> Option<usize> {
        self.graph.shape(self.embedding.ids)?.get(1)?.known()
    }

    /// The number of outputs of a text; of each token, where there are outputs for every token.
    pub fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    /// Whether there are outputs for every token.
    pub fn has_outputs_per_token(&self) -> bool {
        self.has_outputs_per_token
    }

    /// The name of the input that holds the ids.
    pub fn ids_name(&self) -> &str {
        self.graph.name_of(self.embedding.ids)
    }

    /// The vectors of tokens, `[tokens, width]`.
    ///
    /// # Errors
    /// An id beyond the table.
    pub fn vectors(&self, ids: &[i64]) -> Result<Array2<f32>, Error> {
        let (n_rows, width) = (self.table.shape()[0], self.table.shape()[1]);
        let Data::F32(elements) = self.table.data() else { return Err(not_float32()) };
        let mut vectors = Vec::with_capacity(ids.len() * width);
        for &id in ids {
            let row = usize::try_from(id).ok().filter(|row| *row < n_rows).ok_or_else(|| {
                input_fault(format!(
                    "token id {id} has no vector; the model knows the ids 0 to {}",
                    n_rows - 1
                ))
            })?;
            vectors.extend_from_slice(&elements[row * width..(row + 1) * width]);
        }
        Array2::from_shape_vec((ids.len(), width), vectors).map_err(|error| Error::network(error.to_string()))
    }

    /// The mean vector of the vocabulary, `[width]`.
    pub fn mean_vector(&self) -> Array1<f32> {
        let (n_rows, width) = (self.table.shape()[0], self.table.shape()[1]);
        let mut sums = vec![0.0; width];
        if let Data::F32(elements) = self.table.data() {
            for row in elements.chunks_exact(width) {
                sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
            }
        }
        sums.into_iter().map(|sum: f64| (sum / n_rows as f64) as f32).collect()
    }

    /// What stands behind the vectors of one text, a network of `[N, tokens, width]`.
    ///
    /// # Errors
    /// More tokens than the model takes; a token that is not there; whatever [`Network::new`] reports.
    pub fn network(&self, tokens: &Tokens, reading: Reading) -> Result<Arc<Network>, Error> {
        let key = if self.reads_ids_elsewhere { tokens.clone() } else { tokens.without_ids() };
        let lock = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, of, network)) = &*lock()
            && (known, *of) == (&key, reading)
        {
            return Ok(network.clone());
        }
        let part = self.part(tokens).map_err(|error| self.too_long(tokens, error))?;
        let read = self.read(&part, reading, tokens.ids.len())?;
        let options =
            network::Options { explain_probability: self.explain_probability, ..Default::default() };
        let network = Arc::new(Network::new(&read, self.runtime.clone(), &options)?);
        *lock() = Some((key, reading, network.clone()));
        Ok(network)
    }

    /// A graph of ids: `network`, which must be of this model, with the embedding before it and a method behind it. Ids
    /// `[N, tokens]` in; outputs `[N, outputs]` and `attribution` `[N, tokens]` out. Masks and token types are those of the
    /// text that the network was made of.
    ///
    /// # Errors
    /// A model that reads the ids elsewhere too; whatever [`compile()`](crate::compile::compile) reports.
    pub fn compiled(
        &self,
        network: &Network,
        method: &compile::Method,
        target: compile::CompiledTarget,
    ) -> Result<Graph, Error> {
        if self.reads_ids_elsewhere {
            return Err(Error::network(format!(
                "the output also depends on `{}` beside their vectors, which a compiled graph would hold fixed",
                self.ids_name()
            )));
        }
        compile::compile_tokens(network, self.table.clone(), self.ids_name(), method, target)
    }

    /// What the reader of an explanation must know of this model.
    pub fn warnings(&self) -> Vec<String> {
        let elsewhere = self.reads_ids_elsewhere.then(|| {
            format!(
                "the output also depends on `{}` beside their vectors; that part is held fixed",
                self.ids_name()
            )
        });
        elsewhere.into_iter().collect()
    }

    /// The graph behind the vectors, its shape arithmetic folded.
    fn part(&self, tokens: &Tokens) -> Result<Graph, Error> {
        let inputs = self.graph.inputs().iter().map(|input| self.graph.name_of(*input));
        let fixed: BTreeMap<String, Tensor> =
            inputs.filter_map(|name| Some((name.to_owned(), self.filled(name, tokens)?))).collect();
        let part = after_embedding(&self.graph, &self.embedding, tokens.ids.len(), &fixed)?;
        Ok(fold_constants(&part)?)
    }

    /// What an input of this name holds for a text, `[1, tokens]`; `None` where no tokenizer fills it.
    pub fn filled(&self, name: &str, tokens: &Tokens) -> Option<Tensor> {
        self.elements(name, tokens).map(|elements| Tensor::i64(&[1, elements.len()], elements))
    }

    /// The same, flat.
    fn elements(&self, name: &str, tokens: &Tokens) -> Option<Vec<i64>> {
        let lower = name.to_lowercase();
        if name == self.ids_name() {
            Some(tokens.ids.clone())
        } else if lower.contains("mask") {
            Some(tokens.attention_mask.clone())
        } else if lower.contains("type") || lower.contains("segment") {
            Some(tokens.type_ids.clone())
        } else if lower.contains("position") {
            Some((0..tokens.ids.len() as i64).collect())
        } else {
            None
        }
    }

    /// A fault that shorter texts do not have is one of length; says how many tokens fit then.
    fn too_long(&self, tokens: &Tokens, error: Error) -> Error {
        let fits = |n: usize| self.part(&tokens.shortened(n)).is_ok();
        let (mut fitting, mut too_many) = (1, tokens.ids.len());
        if too_many <= 1 || self.fixed_length().is_some() || !fits(fitting) {
            return error;
        }
        while too_many - fitting > 1 {
            let middle = usize::midpoint(fitting, too_many);
            if fits(middle) { fitting = middle } else { too_many = middle }
        }
        input_fault(format!(
            "the text has {} tokens, the model takes at most {fitting}; shorten it, or explain its parts",
            tokens.ids.len()
        ))
    }

    /// The graph with the outputs that are asked for, a final softmax or sigmoid still behind them.
    fn read(&self, part: &Graph, reading: Reading, n_tokens: usize) -> Result<Graph, Error> {
        let output = part.outputs()[0];
        let (ending, before) = network::ending(part, output, self.explain_probability);
        if reading == Reading::default() {
            return Ok(part.clone());
        }
        let mut graph = part.clone();
        let mut wire = before;
        if let Some(token) = reading.token {
            if !self.has_outputs_per_token {
                return Err(Error::option(
                    "token",
                    "is for models with outputs for every token; this one has none",
                ));
            }
            if token >= n_tokens {
                return Err(Error::option(
                    "token",
                    format!("{token} is not there; the text has {n_tokens} tokens"),
                ));
            }
            let index = graph.add_constant("token", Tensor::scalar(ElementType::I64, token as f64));
            wire = graph.node("Gather", &[wire, index], &[("axis", Attribute::Int(1))]);
        }
        if reading.log_probability {
            check_log_probability(ending)?;
        }
        wire = match (reading.log_probability, ending) {
            (true, _) => graph.node("LogSoftmax", &[wire], &last_axis()),
            (false, Ending::Softmax) => graph.node("Softmax", &[wire], &last_axis()),
            (false, Ending::Sigmoid) => graph.sigmoid(wire),
            (false, Ending::Plain) => wire,
        };
        graph.check_fault()?;
        graph.set_outputs(&[wire]);
        Ok(graph)
    }
}

fn last_axis() -> [(&'static str, Attribute); 1] {
    [("axis", Attribute::Int(-1))]
}

fn check_log_probability(ending: Ending) -> Result<(), Error> {
    match ending {
        Ending::Sigmoid => {
            Err(Error::option("log_probability", "is of a softmax; this model ends in a sigmoid"))
        }
        Ending::Softmax | Ending::Plain => Ok(()),
    }
}

impl Tokens {
    /// Ids without padding, all of one text.
    pub fn plain(ids: Vec<i64>) -> Self {
        let n = ids.len();
        Self { ids, attention_mask: vec![1; n], type_ids: vec![0; n] }
    }

    fn shortened(&self, n: usize) -> Self {
        let first = |elements: &[i64]| elements[..n].to_vec();
        Self {
            ids: first(&self.ids),
            attention_mask: first(&self.attention_mask),
            type_ids: first(&self.type_ids),
        }
    }

    fn without_ids(&self) -> Self {
        Self { ids: vec![0; self.ids.len()], ..self.clone() }
    }
}

fn table(graph: &Graph, wire: Wire) -> Result<Arc<Tensor>, Error> {
    let table = graph.constant(wire).filter(|table| table.element() == ElementType::F32);
    table.cloned().ok_or_else(not_float32)
}

fn not_float32() -> Error {
    Error::network("the table of its embedding holds other numbers than float32; export it as float32")
}

fn no_embedding(graph: &Graph) -> Error {
    let names: Vec<&str> = graph.inputs().iter().map(|input| graph.name_of(*input)).collect();
    Error::network(format!(
        "no integer input among {} is looked up (Gather) in a table of weights, [N, tokens] → [N, tokens, width]",
        names.join(", ")
    ))
}

/// Whether the output needs the ids' values, and not only their shape, by another way than the vectors.
fn reads_values(graph: &Graph, embedding: &Embedding) -> Result<bool, Error> {
    let part = cut(graph, &[embedding.vectors])?;
    let Ok(ids) = part.wire(graph.name_of(embedding.ids)) else { return Ok(false) };
    let reached = network::reached_by_values(&part, ids);
    Ok(part.outputs().iter().any(|output| reached.contains(output)))
}

/// The number of outputs, and whether there are so many for every token: `[N, tokens, outputs]`.
fn outputs(part: &Graph, n_tokens: usize) -> Result<(usize, bool), Error> {
    let shape = part.shape(part.outputs()[0]).unwrap_or_default();
    let lengths: Option<Vec<usize>> = shape.iter().skip(1).map(Dim::known).collect();
    match lengths.as_deref() {
        Some([tokens, outputs]) if *tokens == n_tokens => Ok((*outputs, true)),
        Some(lengths) if !shape.is_empty() => Ok((lengths.iter().product(), false)),
        _ => {
            let name = part.name_of(part.outputs()[0]);
            Err(Error::network(format!("the shape of its output `{name}` is unknown")))
        }
    }
}

fn input_fault(reason: String) -> Error {
    Error::Core(pellucid_core::Error::Input { reason })
}

#[cfg(test)]
mod tests;

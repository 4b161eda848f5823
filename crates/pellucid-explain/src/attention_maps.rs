//! The attentions of a network: found, run, and read as one number a token.

use ndarray::{ArrayD, Axis};
use pellucid_core::{Attribution, Model, Target, Work};
use pellucid_graph::recognize::attention_weights;
use pellucid_graph::{Dim, Graph, Wire};

use crate::cam::enlarged;
use crate::error::Error;
use crate::gradients::run_targets;
use crate::network::Network;

/// The most tokens before the patches of an image that are no patches: class, distillation, registers.
const MAX_EXTRA_TOKENS: usize = 5;

/// What the reader of every attribution by attention must know.
const CAUTION: &str = "attention is where the model looked, not what made it decide: check by deletion";

/// How the maps of several heads become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeadFusion {
    /// Their mean.
    #[default]
    Mean,
    /// The largest at each place.
    Max,
    /// The smallest at each place.
    Min,
}

impl HeadFusion {
    /// All of them with their names.
    pub const NAMES: [(&'static str, Self); 3] =
        [("mean", Self::Mean), ("max", Self::Max), ("min", Self::Min)];
}

/// The token that looks at the others: whose row of a map is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Query {
    /// The class token of an image; the mean of all where there is none, and of texts.
    #[default]
    Auto,
    /// One token, counted from 0.
    Token(usize),
    /// The last token.
    Last,
    /// The mean over all tokens.
    Mean,
}

/// What a reading of maps needs beside them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Whose row is read.
    pub query: Query,
    /// The axis of an image row that holds channels.
    pub channel_axis: usize,
}

/// The attention weights of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerMaps {
    /// The name of the wire that holds them.
    pub name: String,
    /// How much each token takes from each other one, `[rows, heads, queries, keys]`; `[rows, windows, heads, queries,
    /// keys]` where attention is confined to windows.
    pub maps: ArrayD<f64>,
}

/// The weights of every attention of a network, in running order, whatever their lengths: fused ones and such as are
/// written out.
///
/// # Errors
/// A network without attention; rows that do not fit; a canceled work.
pub fn attention_layers(network: &Network, rows: &ArrayD<f32>, work: &Work) -> Result<Vec<LayerMaps>, Error> {
    let graph = network.graph();
    let weights = weights(graph)?;
    let shapes = weights.iter().map(|wire| row_shape(graph, *wire)).collect::<Result<Vec<_>, _>>()?;
    let results = run_targets(network, rows, &Target::Index(0), work, "attention layers", |graph, _| {
        let by_row = |(wire, shape): (&Wire, &Vec<usize>)| {
            let lengths: Vec<i64> = std::iter::once(-1).chain(shape.iter().map(|&n| n as i64)).collect();
            graph.reshape(*wire, &lengths)
        };
        Ok(weights.iter().zip(&shapes).map(by_row).collect())
    })?;
    let layer = |(index, shape): (usize, &Vec<usize>)| {
        let shape = [&[rows.len_of(Axis(0)), 1], shape.as_slice()].concat();
        let maps = results.values_of(index, &shape)?.index_axis_move(Axis(1), 0);
        Ok(LayerMaps { name: graph.name_of(weights[index]).to_owned(), maps })
    };
    shapes.iter().enumerate().map(layer).collect()
}

/// The attention weights of all layers and heads, `[rows, layers, heads, tokens, tokens]`: how much each token (second
/// to last axis) takes from each other one (last axis).
///
/// # Errors
/// As [`attention_layers`]; attentions of different lengths, which that function gives one by one.
pub fn attention_maps(network: &Network, rows: &ArrayD<f32>, work: &Work) -> Result<ArrayD<f64>, Error> {
    Layers::of(network.graph())?;
    let layers = attention_layers(network, rows, work)?;
    let views: Vec<_> = layers.iter().map(|layer| layer.maps.view()).collect();
    ndarray::stack(Axis(1), &views).map_err(|error| Error::network(error.to_string()))
}

/// What every softmax of an attention gives.
fn weights(graph: &Graph) -> Result<Vec<Wire>, Error> {
    match attention_weights(graph, graph.outputs()[0]) {
        found if found.is_empty() => Err(Error::network(
            "it has no attention: no softmax between two matrix products (`pellucid inspect` lists its ops)",
        )),
        found => Ok(found),
    }
}

/// The lengths of one row's weights: a batch that holds heads or windows too is taken apart, one head is an axis as well.
fn row_shape(graph: &Graph, wire: Wire) -> Result<Vec<usize>, Error> {
    let shape = graph.shape(wire).unwrap_or_default();
    let times = match shape.first() {
        Some(Dim::Symbol { times, .. }) => Some(*times),
        Some(Dim::Known(1)) => Some(1),
        _ => None,
    };
    let rest: Option<Vec<usize>> = shape.iter().skip(1).map(Dim::known).collect();
    match (times, rest) {
        (Some(times), Some(rest)) if rest.len() >= 2 => {
            let is_axis = times > 1 || rest.len() == 2;
            Ok(is_axis.then_some(times).into_iter().chain(rest).collect())
        }
        _ => Err(Error::network(format!(
            "its attention `{}` has the shape {}; [N, heads, tokens, tokens] is read",
            graph.name_of(wire),
            pellucid_graph::shape_text(shape)
        ))),
    }
}

/// The attentions of a network, all over the same tokens and with as many heads.
pub(crate) struct Layers {
    /// What each softmax gives, from the input on.
    weights: Vec<Wire>,
    n_heads: usize,
    n_tokens: usize,
}

impl Layers {
    fn of(graph: &Graph) -> Result<Self, Error> {
        let weights = weights(graph)?;
        let lengths = row_shape(graph, weights[0])?;
        let [n_heads, n_tokens, _] = lengths[..] else { return Err(not_over_all_tokens(graph, weights[0])) };
        for wire in &weights {
            let other = row_shape(graph, *wire)?;
            if other.len() != 3 || other[1] != other[2] {
                return Err(not_over_all_tokens(graph, *wire));
            }
            if other != lengths {
                let (a, b) = (graph.name_of(weights[0]), graph.name_of(*wire));
                return Err(Error::network(format!(
                    "its attentions `{a}` and `{b}` have other numbers of heads or tokens, and cannot be read together"
                )));
            }
        }
        Ok(Self { weights, n_heads, n_tokens })
    }

    pub(crate) fn n_tokens(&self) -> usize {
        self.n_tokens
    }

    pub(crate) fn n_heads(&self) -> usize {
        self.n_heads
    }

    /// The layer of that number, or the last.
    pub(crate) fn one(&self, layer: Option<usize>) -> Result<Wire, Error> {
        let layer = layer.unwrap_or(self.weights.len() - 1);
        check("layer", layer, self.weights.len())?;
        Ok(self.weights[layer])
    }

    /// The layers from one on.
    pub(crate) fn from(&self, start_layer: usize) -> Result<&[Wire], Error> {
        check("start_layer", start_layer, self.weights.len())?;
        Ok(&self.weights[start_layer..])
    }

    /// Weights of one layer, or what was made of them, as `[N, heads, tokens, tokens]`.
    pub(crate) fn by_head(&self, graph: &mut Graph, wire: Wire) -> Wire {
        let [heads, n] = [self.n_heads as i64, self.n_tokens as i64];
        graph.reshape(wire, &[-1, heads, n, n])
    }

    /// Their heads as one, `[N, tokens, tokens]`.
    pub(crate) fn fused(&self, graph: &mut Graph, wire: Wire, fusion: HeadFusion) -> Wire {
        let heads = self.by_head(graph, wire);
        match fusion {
            HeadFusion::Mean => graph.reduce_mean(heads, &[1], false),
            HeadFusion::Max => graph.reduce("ReduceMax", heads, &[1], false),
            HeadFusion::Min => graph.reduce("ReduceMin", heads, &[1], false),
        }
    }
}

fn not_over_all_tokens(graph: &Graph, wire: Wire) -> Error {
    Error::network(format!(
        "its attention `{}` has the shape {}: not every token looks at every token (windows, or two sequences), so that \
         layers cannot be followed to the input",
        graph.name_of(wire),
        pellucid_graph::shape_text(graph.shape(wire).unwrap_or_default())
    ))
}

/// Refuses a number that counts beyond the last.
pub(crate) fn check(option: &'static str, index: usize, count: usize) -> Result<(), Error> {
    match index < count {
        true => Ok(()),
        false => Err(Error::option(
            option,
            format!("{index} is not there; the network has {count}, counted from 0"),
        )),
    }
}

/// How the map of a network's tokens becomes one number a token.
pub(crate) struct Reader {
    layers: Layers,
    grid: Grid,
    /// The token whose row is read, `None` for the mean of all.
    query: Option<usize>,
}

impl Reader {
    pub(crate) fn new(network: &Network, look: Look) -> Result<Self, Error> {
        let layers = Layers::of(network.graph())?;
        let grid = grid(network.graph(), network.input_shape(), look.channel_axis, layers.n_tokens)?;
        let query = query(look.query, &grid, layers.n_tokens)?;
        Ok(Self { layers, grid, query })
    }

    /// Emits what the query takes from each token, `[N, tokens]`, of images from each patch, `[N, rows, columns]`. `map`
    /// emits how much each token takes from each, `[N, tokens, tokens]`.
    pub(crate) fn emit(
        &self,
        graph: &mut Graph,
        map: impl FnOnce(&mut Graph, &Layers) -> Result<Wire, Error>,
    ) -> Result<Wire, Error> {
        let map = map(graph, &self.layers)?;
        let row = match self.query {
            None => graph.reduce_mean(map, &[1], false),
            Some(token) => {
                let row = graph.slice(map, 1, token as i64, token as i64 + 1);
                graph.squeeze(row, &[1])
            }
        };
        let read = match self.grid {
            Grid::Text => row,
            Grid::Image { n_extra, places: [height, width], .. } => {
                let patches = graph.slice(row, 1, n_extra as i64, self.layers.n_tokens as i64);
                graph.reshape(patches, &[-1, height as i64, width as i64])
            }
        };
        graph.check_fault()?;
        Ok(read)
    }

    /// The lengths of the image that patches are of.
    pub(crate) fn image(&self) -> Option<[usize; 2]> {
        match self.grid {
            Grid::Text => None,
            Grid::Image { image, .. } => Some(image),
        }
    }
}

/// Runs what `map` emits for each target's seed, and reads it: an attribution of tokens `[rows, K, tokens]`, or of the
/// image that they are patches of. `key` tells apart what is emitted.
pub(crate) fn attribution(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    look: Look,
    work: &Work,
    key: &str,
    map: impl Fn(&mut Graph, &Layers, Wire) -> Result<Wire, Error>,
) -> Result<Attribution, Error> {
    let reader = Reader::new(network, look)?;
    let key = format!("{key}, {look:?}");
    let results = run_targets(network, rows, target, work, &key, |graph, seeds| {
        let emit = |seed: &Wire| reader.emit(graph, |graph, layers| map(graph, layers, *seed));
        seeds.iter().map(emit).collect()
    })?;
    let shape = [rows.len_of(Axis(0)), target.n_targets()];
    let mut attribution = match reader.grid {
        Grid::Text => {
            let [values] = results.per_target(&[&shape[..], &[reader.layers.n_tokens]].concat())?;
            Attribution::new(values, results.outputs)
        }
        Grid::Image { places, image, .. } => {
            let [raw] = results.per_target(&[&shape[..], &places].concat())?;
            let mut attribution = Attribution::new(enlarged(&raw, &image), results.outputs);
            attribution.raw_map = Some(raw);
            attribution
        }
    };
    attribution.warnings.push(CAUTION.to_owned());
    Ok(attribution)
}

/// What the tokens are of.
enum Grid {
    /// A text: `[tokens, width]`.
    Text,
    /// An image: patches in rows, some tokens before them.
    Image { n_extra: usize, places: [usize; 2], image: [usize; 2] },
}

/// Where the tokens lie: by the convolution that cuts an image into patches, else by the image's proportions.
fn grid(graph: &Graph, input_shape: &[usize], channel_axis: usize, n_tokens: usize) -> Result<Grid, Error> {
    if input_shape.len() == 2 && input_shape[0] == n_tokens {
        return Ok(Grid::Text);
    }
    let sides: Vec<usize> =
        (0..input_shape.len()).filter(|axis| *axis != channel_axis).map(|axis| input_shape[axis]).collect();
    if let [height, width] = sides[..] {
        if let Some((places, n_extra)) = cut_by_convolution(graph, n_tokens) {
            return Ok(Grid::Image { n_extra, places, image: [height, width] });
        }
        for n_extra in 0..=MAX_EXTRA_TOKENS.min(n_tokens - 1) {
            let n = n_tokens - n_extra;
            let rows = (1..=n).find(|rows| n.is_multiple_of(*rows) && rows * width == n / rows * height);
            if let Some(rows) = rows {
                return Ok(Grid::Image { n_extra, places: [rows, n / rows], image: [height, width] });
            }
        }
    }
    Err(Error::network(format!(
        "the {n_tokens} tokens of its attention are neither the rows of an input of shape {input_shape:?} nor patches of \
         an image"
    )))
}

/// The grid of a convolution that makes as many patches as there are tokens, and the number of tokens beside them.
fn cut_by_convolution(graph: &Graph, n_tokens: usize) -> Option<([usize; 2], usize)> {
    graph.nodes().iter().filter(|node| node.op == "Conv").find_map(|node| {
        let [_, _, height, width] = graph.shape(node.outputs.first().copied().flatten()?)? else {
            return None;
        };
        let places = [height.known()?, width.known()?];
        let n_extra = n_tokens.checked_sub(places[0] * places[1])?;
        (n_extra <= MAX_EXTRA_TOKENS).then_some((places, n_extra))
    })
}

/// The token whose row is read, `None` for the mean of all.
fn query(query: Query, grid: &Grid, n_tokens: usize) -> Result<Option<usize>, Error> {
    match (query, grid) {
        (Query::Auto, Grid::Image { n_extra, .. }) if *n_extra > 0 => Ok(Some(0)),
        (Query::Auto | Query::Mean, _) => Ok(None),
        (Query::Last, _) => Ok(Some(n_tokens - 1)),
        (Query::Token(token), _) if token < n_tokens => Ok(Some(token)),
        (Query::Token(token), _) => Err(Error::option(
            "query",
            format!("token {token} is not there; there are {n_tokens}, counted from 0"),
        )),
    }
}

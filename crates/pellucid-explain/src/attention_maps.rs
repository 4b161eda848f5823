//! The attentions of a network: found, run, and read as one number a token.

use ndarray::{Array2, ArrayD, ArrayView3, ArrayViewD, Axis, Ix3, IxDyn};
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

/// The attention weights of all layers and heads, `[rows, layers, heads, tokens, tokens]`: how much each token (second
/// to last axis) takes from each other one (last axis).
///
/// # Errors
/// A network without attention, or with attentions of different lengths; rows that do not fit; a canceled work.
pub fn attention_maps(network: &Network, rows: &ArrayD<f32>, work: &Work) -> Result<ArrayD<f64>, Error> {
    let (maps, _) =
        run_maps(network, rows, &Target::Index(0), work, "attention", |_, _, weights| Ok(weights.to_vec()))?;
    Ok(maps.index_axis_move(Axis(1), 0))
}

/// The attentions found in a network.
struct Found {
    weights: Vec<Wire>,
    n_heads: usize,
    n_tokens: usize,
}

fn find(graph: &Graph) -> Result<Found, Error> {
    let weights = attention_weights(graph, graph.outputs()[0]);
    let first = weights.first().ok_or_else(|| {
        Error::network(
            "it has no attention: no softmax between two matrix products (`pellucid inspect` lists its ops)",
        )
    })?;
    let (n_heads, n_tokens) = lengths(graph, *first)?;
    for wire in &weights {
        if lengths(graph, *wire)? != (n_heads, n_tokens) {
            let (a, b) = (graph.name_of(*first), graph.name_of(*wire));
            return Err(Error::network(format!(
                "its attentions `{a}` and `{b}` have other numbers of heads or tokens, and cannot be read together"
            )));
        }
    }
    Ok(Found { weights, n_heads, n_tokens })
}

/// Heads and tokens of weights `[N, heads, tokens, tokens]` or `[N · heads, tokens, tokens]`.
fn lengths(graph: &Graph, wire: Wire) -> Result<(usize, usize), Error> {
    let shape = graph.shape(wire).unwrap_or_default();
    let found = match shape {
        [Dim::Symbol { times: 1, .. } | Dim::Known(1), heads, queries, keys] if queries == keys => {
            heads.known().zip(keys.known())
        }
        [Dim::Symbol { times, .. }, queries, keys] if queries == keys => Some(*times).zip(keys.known()),
        _ => None,
    };
    found.ok_or_else(|| {
        Error::network(format!(
            "its attention `{}` has the shape {}; [N, heads, tokens, tokens] of a whole input is read",
            graph.name_of(wire),
            pellucid_graph::shape_text(shape)
        ))
    })
}

/// Runs the network and gives what `build` makes of the weights for each target's seed, one wire a layer of their shape:
/// `[rows, K, layers, heads, tokens, tokens]`, and the explained outputs `[rows, K]`.
pub(crate) fn run_maps(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    work: &Work,
    key: &str,
    build: impl Fn(&mut Graph, Wire, &[Wire]) -> Result<Vec<Wire>, Error>,
) -> Result<(ArrayD<f64>, ArrayD<f64>), Error> {
    let found = find(network.graph())?;
    let results = run_targets(network, rows, target, work, key, |graph, seeds| {
        let stack = |seed: &Wire| {
            let layers = build(graph, *seed, &found.weights)?;
            Ok(stacked(graph, &layers, &found))
        };
        seeds.iter().map(stack).collect()
    })?;
    let (n_layers, n) = (found.weights.len(), found.n_tokens);
    let shape = [rows.len_of(Axis(0)), target.n_targets(), n_layers, found.n_heads, n, n];
    let [maps] = results.per_target(&shape)?;
    Ok((maps, results.outputs))
}

/// One wire a layer as `[N, layers, heads, tokens, tokens]`.
fn stacked(graph: &mut Graph, layers: &[Wire], found: &Found) -> Wire {
    let n = found.n_tokens as i64;
    let shape = [-1, 1, found.n_heads as i64, n, n];
    let parts: Vec<Wire> = layers.iter().map(|wire| graph.reshape(*wire, &shape)).collect();
    graph.concat(&parts, 1)
}

/// The heads' maps `[heads, tokens, tokens]` as one.
pub(crate) fn fused(heads: ArrayView3<'_, f64>, fusion: HeadFusion) -> Array2<f64> {
    let folded = |start: f64, pick: fn(f64, f64) -> f64| heads.fold_axis(Axis(0), start, |a, b| pick(*a, *b));
    match fusion {
        HeadFusion::Mean => folded(0.0, |a, b| a + b) / heads.len_of(Axis(0)) as f64,
        HeadFusion::Max => folded(f64::NEG_INFINITY, f64::max),
        HeadFusion::Min => folded(f64::INFINITY, f64::min),
    }
}

/// The layers of one row and target as `[heads, tokens, tokens]` each.
pub(crate) fn layers<'a>(maps: &'a ArrayViewD<'_, f64>) -> Vec<ArrayView3<'a, f64>> {
    let layers = maps.axis_iter(Axis(0)).map(|layer| layer.into_dimensionality::<Ix3>());
    layers.filter_map(Result::ok).collect()
}

/// Reads each row's and target's maps `[layers, heads, tokens, tokens]` as one map `[tokens, tokens]`, and that as the
/// query's row: an attribution of tokens, or of the image that they are patches of.
pub(crate) fn attribution(
    network: &Network,
    (maps, outputs): (ArrayD<f64>, ArrayD<f64>),
    look: Look,
    read: impl Fn(&ArrayViewD<'_, f64>) -> Array2<f64>,
) -> Result<Attribution, Error> {
    let n_tokens = maps.len_of(Axis(5));
    let grid = grid(network.input_shape(), look.channel_axis, n_tokens)?;
    let query = query(look.query, &grid, n_tokens)?;
    let (n_rows, n_targets) = (maps.len_of(Axis(0)), maps.len_of(Axis(1)));
    let mut scores = ArrayD::zeros(IxDyn(&[n_rows, n_targets, n_tokens]));
    for row in 0..n_rows {
        for k in 0..n_targets {
            let maps = maps.index_axis(Axis(0), row);
            let map = read(&maps.index_axis(Axis(0), k));
            let mut slot = scores.index_axis_mut(Axis(0), row);
            let mut slot = slot.index_axis_mut(Axis(0), k);
            match query {
                Some(token) => slot.assign(&map.row(token).into_dyn()),
                None => slot.assign(&(map.sum_axis(Axis(0)) / n_tokens as f64).into_dyn()),
            }
        }
    }
    let mut attribution = match grid {
        Grid::Text => Attribution::new(scores, outputs),
        Grid::Image { n_extra, places, image } => {
            let patches = scores.slice_axis(Axis(2), (n_extra..).into()).as_standard_layout().into_owned();
            let shape = [n_rows, n_targets, places[0], places[1]];
            let raw = patches
                .into_shape_with_order(IxDyn(&shape))
                .map_err(|error| Error::network(error.to_string()))?;
            let mut attribution = Attribution::new(enlarged(&raw, &image), outputs);
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

fn grid(input_shape: &[usize], channel_axis: usize, n_tokens: usize) -> Result<Grid, Error> {
    if input_shape.len() == 2 && input_shape[0] == n_tokens {
        return Ok(Grid::Text);
    }
    let sides: Vec<usize> =
        (0..input_shape.len()).filter(|axis| *axis != channel_axis).map(|axis| input_shape[axis]).collect();
    if let [height, width] = sides[..] {
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

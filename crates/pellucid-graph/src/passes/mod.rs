//! Rewrites of whole graphs, each graph → graph. None changes what is computed, but for `cut`, `expose`,
//! `after_embedding`, `from_wire` and `randomize`, whose names say what they do.

mod affine;
mod after_embedding;
mod cut;
mod embed;
mod fold_batch_norm;
mod fold_constants;
mod from_wire;
mod lower;
mod pin;
mod randomize;
mod rebatch;
mod rebuild;
mod spell_out_windows;

pub use affine::affine_frontier;
pub use after_embedding::{Embedding, after_embedding, find_embedding};
pub use cut::{cut, expose, prune};
pub use embed::embed;
pub use fold_batch_norm::fold_batch_norm;
pub use fold_constants::fold_constants;
pub use from_wire::from_wire;
pub(crate) use lower::{CONTRIBUTED, kept_factors, lowering_of};
pub use lower::{is_lowered, lower};
pub use pin::{BATCH, pin_shapes};
pub use randomize::{ParameterLayer, parameter_layers, randomize};
pub use rebatch::open_batch;
pub use rebuild::{Rebuild, rebuild};
pub use spell_out_windows::spell_out_windows;

use crate::error::Error;
use crate::graph::Graph;

/// Makes a graph as the backward walk wants it: constants folded, BatchNorm merged into what stands before it, rare ops
/// written as common ones, windows spelled out, dead nodes gone.
///
/// # Errors
/// Whatever a pass reports of the graph.
pub fn canonize(graph: &Graph) -> Result<Graph, Error> {
    let graph = fold_constants(graph)?;
    let graph = fold_batch_norm(&graph)?;
    let graph = spell_out_windows(&lower(&graph)?)?;
    prune(&fold_constants(&graph)?)
}

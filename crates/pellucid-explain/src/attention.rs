#![doc = include_str!("attention.md")]

use ndarray::{ArrayD, Axis};
use pellucid_core::{Attribution, Target, Work};

use crate::attention_maps::{HeadFusion, Look, attribution, fused, layers, run_maps};
use crate::error::Error;
use crate::network::Network;

/// Settings of [`attention`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The layer, counted from 0; the last one otherwise.
    pub layer: Option<usize>,
    /// One head, counted from 0; all of them fused otherwise.
    pub head: Option<usize>,
    /// How heads are fused.
    pub fusion: HeadFusion,
    /// Whose row is read.
    pub look: Look,
}

/// How much the query token takes from each token in one layer: values `[rows, K, tokens]`, for images
/// `[rows, K, height, width]` with the grid of patches in `raw_map`. The same for every target.
///
/// # Errors
/// A network without attention; a layer, head or token that is not there; rows that do not fit; a canceled work.
pub fn attention(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    options: &Options,
    work: &Work,
) -> Result<Attribution, Error> {
    let results = run_maps(network, rows, target, work, "attention", |_, _, weights| Ok(weights.to_vec()))?;
    let (n_layers, n_heads) = (results.0.len_of(Axis(2)), results.0.len_of(Axis(3)));
    let layer = options.layer.unwrap_or(n_layers - 1);
    check("layer", layer, n_layers)?;
    check("head", options.head.unwrap_or(0), n_heads)?;
    attribution(network, results, options.look, |maps| {
        let heads = layers(maps)[layer];
        match options.head {
            Some(head) => heads.index_axis(Axis(0), head).to_owned(),
            None => fused(heads, options.fusion),
        }
    })
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

#[cfg(test)]
mod tests;

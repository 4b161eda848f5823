#![doc = include_str!("guided.md")]

use ndarray::{ArrayD, Axis};
use pellucid_core::{Attribution, Target, Work};
use pellucid_graph::guided;

use crate::cam::{self, cam};
use crate::error::Error;
use crate::gradients::run_targets;
use crate::network::Network;

/// What every reader of such an attribution must know.
pub const WARNING: &str = "guided backpropagation hardly depends on what the model learned (it fails the model \
                           randomization check): it shows edges of the input, whatever the class";

/// The gradient with only positive signals passed on at ReLUs (Springenberg et al. 2015) for each row of `rows`
/// `[rows, features…]`; values `[rows, K, features…]`, signed, with a warning.
///
/// # Errors
/// Rows that do not fit, a target that is not there, an op without a gradient rule, a canceled work.
pub fn guided_backprop(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    work: &Work,
) -> Result<Attribution, Error> {
    let results = run_targets(network, rows, target, work, "guided", |graph, seeds| {
        let (output, input) = (graph.outputs()[0], graph.inputs()[0]);
        seeds.iter().map(|seed| Ok(guided(graph, output, *seed, &[input])?[0])).collect()
    })?;
    let mut shape = rows.shape().to_vec();
    shape.insert(1, target.n_targets());
    let [values] = results.per_target(&shape)?;
    let mut attribution = Attribution::new(values, results.outputs);
    attribution.warnings.push(WARNING.to_owned());
    Ok(attribution)
}

/// [`guided_backprop`] times the enlarged map of Grad-CAM (Selvaraju et al. 2017), which is at hand in `raw_map`; values
/// `[rows, K, features…]`.
///
/// # Errors
/// As [`guided_backprop`] and [`cam()`].
pub fn guided_grad_cam(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    options: &cam::Options,
    work: &Work,
) -> Result<Attribution, Error> {
    let map = cam(network, rows, target, options, work)?;
    let mut attribution = guided_backprop(network, rows, target, work)?;
    // Behind rows and targets.
    attribution.values *= &map.values.insert_axis(Axis(2 + options.channel_axis));
    attribution.raw_map = map.raw_map;
    attribution.evaluations += &map.evaluations;
    Ok(attribution)
}

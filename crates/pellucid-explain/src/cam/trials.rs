//! Maps that are made by trying: what the output does without a channel (Ablation-CAM), or where a channel alone
//! uncovers the input (Score-CAM). Eigen-CAM, which tries nothing, needs the same activations.

use ndarray::{Array1, Array2, ArrayD, Axis, Slice};
use pellucid_core::{Target, Work};
use pellucid_graph::Wire;

use super::parts::Parts;
use super::uncovered::Uncovered;
use super::{Made, Options, Variant, eigen};
use crate::error::Error;
use crate::gradients::explained;
use crate::lift::rows_per_block;
use crate::network::Network;

/// Where places lie in an input row.
#[derive(Clone, Copy)]
pub(super) struct Image<'a> {
    /// The spatial lengths of the input.
    pub(super) shape: &'a [usize],
    pub(super) channel_axis: usize,
}

/// One map for each row and target.
pub(super) fn maps(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    layer: Wire,
    options: &Options,
    image: Image<'_>,
    work: &Work,
) -> Result<Made, Error> {
    let outputs = network.outputs(rows, work)?;
    let resolved = target.resolve(outputs.view(), None)?;
    let trial = Trial { network, layer, parts: Parts::new(network, layer)?, image, work };
    let n_channels = network.graph().shape(layer).and_then(|shape| shape[1].known()).unwrap_or(0);
    let n_tries = if options.variant == Variant::EigenCam { 0 } else { n_channels };
    let (mut maps, mut warnings) = (Vec::new(), Vec::new());
    work.progress.begin(rows.len_of(Axis(0)) * (n_tries + 1));
    for index in 0..rows.len_of(Axis(0)) {
        let row = rows.slice_axis(Axis(0), Slice::from(index..index + 1)).to_owned();
        let weights: Vec<_> =
            resolved.weights.iter().map(|weights| weights.row(index).mapv(f64::from)).collect();
        let made = trial.of_row(&row, options.variant, &weights);
        let (of_row, converged) = made.inspect_err(|_| work.progress.end())?;
        if !converged {
            warnings.push(format!("row {index}: the first two principal components are hard to tell apart"));
        }
        let views: Vec<_> = of_row.iter().map(|map| map.view()).collect();
        maps.push(ndarray::stack(Axis(0), &views).map_err(|error| Error::network(error.to_string()))?);
    }
    work.progress.end();
    if options.variant == Variant::EigenCam {
        warnings
            .push("Eigen-CAM does not look at the target: its map is the same for every output".to_owned());
    }
    let views: Vec<_> = maps.iter().map(|map| map.view()).collect();
    let raw = ndarray::stack(Axis(0), &views).map_err(|error| Error::network(error.to_string()))?;
    let raw = if options.relu { raw.mapv(|value| value.max(0.0)) } else { raw };
    Ok(Made { raw, outputs: explained(&outputs, &resolved), evaluations: n_tries + 1, warnings })
}

struct Trial<'a> {
    network: &'a Network,
    layer: Wire,
    parts: Parts<'a>,
    image: Image<'a>,
    work: &'a Work,
}

impl Trial<'_> {
    /// The signed maps of one row `[1, features…]` for each target's weights of the outputs, and whether they are sure.
    fn of_row(
        &self,
        row: &ArrayD<f32>,
        variant: Variant,
        targets: &[Array1<f64>],
    ) -> Result<(Vec<ArrayD<f64>>, bool), Error> {
        let activations = self.parts.activations(row, self.work)?;
        if variant == Variant::EigenCam {
            let (map, converged) = eigen::map(&activations);
            return Ok((vec![map; targets.len()], converged));
        }
        let effects = match variant {
            Variant::AblationCam => self.without_each(row, &activations)?,
            _ => self.uncovered_by_each(row, &activations)?,
        };
        let activations = activations.mapv(f64::from);
        let map = |target: &Array1<f64>| {
            let weights = effects.dot(target);
            let channels = activations.axis_iter(Axis(0)).zip(&weights);
            let zero = ArrayD::zeros(&activations.shape()[1..]);
            channels.fold(zero, |map: ArrayD<f64>, (channel, weight)| map + &channel * *weight)
        };
        Ok((targets.iter().map(map).collect(), true))
    }

    /// `f(a) − f(a without channel c)`, `[channels, outputs]`.
    fn without_each(&self, row: &ArrayD<f32>, activations: &ArrayD<f32>) -> Result<Array2<f64>, Error> {
        let whole = activations.clone().insert_axis(Axis(0));
        let at_input = self.parts.outputs(row, whole.clone(), self.work)?;
        let trial = |channels: &[usize]| {
            let mut ablated = whole.select(Axis(0), &vec![0; channels.len()]);
            for (mut copy, channel) in ablated.outer_iter_mut().zip(channels) {
                copy.index_axis_mut(Axis(0), *channel).fill(0.0);
            }
            self.parts.outputs(row, ablated, self.work)
        };
        let without = self.of_channels(activations, trial)?;
        Ok(&at_input.row(0) - &without)
    }

    /// `f(x ∘ H_c) − f(0)` with the channel enlarged to the image and stretched to 0…1, `[channels, outputs]`.
    fn uncovered_by_each(&self, row: &ArrayD<f32>, activations: &ArrayD<f32>) -> Result<Array2<f64>, Error> {
        let at_black = self.network.outputs(&ArrayD::zeros(row.raw_dim()), self.work)?;
        let uncovered = Uncovered::new(self.network, self.layer, self.image)?;
        let trial = |channels: &[usize]| {
            let maps = activations.select(Axis(0), channels).insert_axis(Axis(1));
            uncovered.outputs(row, maps, self.work)
        };
        Ok(self.of_channels(activations, trial)? - at_black.row(0))
    }

    /// What `trial` gives for all channels, a bounded number at a time: `[channels, outputs]`.
    fn of_channels(
        &self,
        activations: &ArrayD<f32>,
        trial: impl Fn(&[usize]) -> Result<Array2<f64>, Error>,
    ) -> Result<Array2<f64>, Error> {
        let channels: Vec<usize> = (0..activations.len_of(Axis(0))).collect();
        let at_once = rows_per_block(self.network, self.work);
        let parts = channels.chunks(at_once).map(trial).collect::<Result<Vec<_>, _>>()?;
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        ndarray::concatenate(Axis(0), &views).map_err(|error| Error::network(error.to_string()))
    }
}

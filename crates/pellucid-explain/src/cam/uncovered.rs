//! The network at an input of which single channels of a layer uncover a part: masks are made in the graph that they are tried in.

use std::sync::Arc;

use ndarray::{Array2, ArrayD, Axis};
use pellucid_core::{Model, Work};
use pellucid_graph::passes::{canonize, embed};
use pellucid_graph::{Dim, Graph, Wire};

use super::enlarged_wire;
use super::trials::Image;
use crate::error::Error;
use crate::micro_batch;
use crate::network::{Network, Prepared};

/// Row and channel → outputs.
pub(super) struct Uncovered<'a> {
    network: &'a Network,
    prepared: Arc<Prepared>,
}

impl<'a> Uncovered<'a> {
    pub(super) fn new(network: &'a Network, layer: Wire, image: Image<'_>) -> Result<Self, Error> {
        let key = format!("uncovered by {}", network.graph().name_of(layer));
        let prepared = network.prepared(&key, || {
            let mut graph = network.graph().clone();
            let input = graph.inputs()[0];
            let mut ty = graph.type_of(layer).clone();
            if let Some(channels) = ty.shape.as_mut().and_then(|shape| shape.get_mut(1)) {
                *channels = Dim::Known(1);
            }
            let channel = graph.add_input("channel", ty);
            let mask = mask(&mut graph, channel, image)?;
            let masked = graph.mul(input, mask);
            let output = embed(&mut graph, network.graph(), &[masked])?;
            graph.set_outputs(&output);
            Ok(canonize(&graph)?)
        })?;
        Ok(Self { network, prepared })
    }

    /// The outputs `[tries, outputs]` for each of `channels` `[tries, 1, spatial…]` of a row `[1, features…]`.
    pub(super) fn outputs(
        &self,
        row: &ArrayD<f32>,
        channels: ArrayD<f32>,
        work: &Work,
    ) -> Result<Array2<f64>, Error> {
        let n = channels.len_of(Axis(0));
        let inputs = [row.select(Axis(0), &vec![0; n]), channels];
        let size = self.network.micro_batch(&self.prepared, n, work);
        let mut values = Vec::new();
        micro_batch::run(&*self.prepared.session, &inputs, size, work, |range, tensors| {
            values.extend(micro_batch::first_rows(&tensors[0], range.len()));
            Ok(())
        })?;
        Array2::from_shape_vec((n, self.network.n_outputs()), values)
            .map_err(|error| Error::network(format!("outputs of another shape: {error}")))
    }
}

/// A channel enlarged to the image, as shares of the input to let through: 0 where it is lowest, 1 where it is highest;
/// nothing where it is the same everywhere.
fn mask(graph: &mut Graph, channel: Wire, image: Image<'_>) -> Result<Wire, Error> {
    let large = enlarged_wire(graph, channel, image.shape)?;
    let axes: Vec<i64> = (1..image.shape.len() as i64 + 2).collect();
    let (low, high) =
        (graph.reduce("ReduceMin", large, &axes, true), graph.reduce("ReduceMax", large, &axes, true));
    let (above, span) = (graph.sub(large, low), graph.sub(high, low));
    let (zero, one) = (graph.scalar(0.0, span), graph.scalar(1.0, span));
    let flat = graph.equal(span, zero);
    let divisor = graph.select(flat, one, span);
    let mask = graph.div(above, divisor);
    if image.channel_axis == 0 {
        return Ok(mask);
    }
    let plane = graph.squeeze(mask, &[1]);
    Ok(graph.unsqueeze(plane, &[image.channel_axis as i64 + 1]))
}

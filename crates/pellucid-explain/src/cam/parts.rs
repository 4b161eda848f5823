//! The network before and behind a layer, for maps that are made by trying.

use std::sync::Arc;

use ndarray::{Array2, ArrayD, Axis, IxDyn};
use pellucid_core::{Model, Work};
use pellucid_graph::Dim;
use pellucid_graph::passes::prune;

use crate::error::Error;
use crate::gradients::part_from;
use crate::micro_batch;
use crate::network::{Network, Prepared};
use crate::places::FeatureMap;

/// A network taken apart at a layer.
pub(super) struct Parts<'a> {
    network: &'a Network,
    before: Arc<Prepared>,
    behind: Arc<Prepared>,
    /// The layer's lengths without the batch.
    layer_shape: Vec<usize>,
    /// `[channels, spatial…]`.
    map_shape: Vec<usize>,
}

/// What a layer gives for one row.
pub(super) struct Activations {
    /// As the network lays it out.
    pub(super) layer: ArrayD<f32>,
    /// The features of the places, `[channels, spatial…]`.
    pub(super) map: ArrayD<f32>,
}

impl<'a> Parts<'a> {
    pub(super) fn new(network: &'a Network, layer: &FeatureMap) -> Result<Self, Error> {
        let graph = network.graph();
        let name = graph.name_of(layer.wire);
        let lengths =
            graph.shape(layer.wire).and_then(|shape| shape.get(1..)?.iter().map(Dim::known).collect());
        let layer_shape: Vec<usize> =
            lengths.ok_or_else(|| Error::option("layer", format!("the shape of `{name}` is unknown")))?;
        let before = network.prepared(&format!("before {name}"), || {
            let mut part = graph.clone();
            let map = layer.arranged(&mut part, layer.wire);
            part.set_outputs(&[layer.wire, map]);
            Ok(prune(&part)?)
        })?;
        let behind = network.prepared(&format!("behind {name}"), || part_from(graph, layer.wire))?;
        let map_shape = [layer.n_channels].iter().chain(&layer.grid).copied().collect();
        Ok(Self { network, before, behind, layer_shape, map_shape })
    }

    /// The layer's activations for one row `[1, features…]`.
    pub(super) fn activations(&self, row: &ArrayD<f32>, work: &Work) -> Result<Activations, Error> {
        let mut values = [Vec::new(), Vec::new()];
        micro_batch::run(&*self.before.session, std::slice::from_ref(row), 1, work, |range, tensors| {
            for (values, tensor) in values.iter_mut().zip(&tensors) {
                values.extend(micro_batch::first_rows(tensor, range.len()).into_iter().map(|a| a as f32));
            }
            Ok(())
        })?;
        let [layer, map] = values;
        let array = |shape: &[usize], values: Vec<f32>| {
            ArrayD::from_shape_vec(IxDyn(shape), values)
                .map_err(|error| Error::network(format!("activations of another shape: {error}")))
        };
        Ok(Activations { layer: array(&self.layer_shape, layer)?, map: array(&self.map_shape, map)? })
    }

    /// The outputs `[tries, outputs]` with each of `activations` `[tries, …]` in place of the row's.
    pub(super) fn outputs(
        &self,
        row: &ArrayD<f32>,
        activations: ArrayD<f32>,
        work: &Work,
    ) -> Result<Array2<f64>, Error> {
        let n = activations.len_of(Axis(0));
        let mut inputs = vec![activations];
        if self.behind.graph.inputs().len() > 1 {
            // A way around the layer leads from the input.
            inputs.push(row.select(Axis(0), &vec![0; n]));
        }
        let size = self.network.micro_batch(&self.behind, n, work);
        let mut values = Vec::new();
        micro_batch::run(&*self.behind.session, &inputs, size, work, |range, tensors| {
            values.extend(micro_batch::first_rows(&tensors[0], range.len()));
            Ok(())
        })?;
        Array2::from_shape_vec((n, self.network.n_outputs()), values)
            .map_err(|error| Error::network(format!("outputs of another shape: {error}")))
    }
}

//! The network before and behind a layer, for maps that are made by trying.

use std::sync::Arc;

use ndarray::{Array2, ArrayD, Axis, IxDyn};
use pellucid_core::{Model, Work};
use pellucid_graph::passes::prune;
use pellucid_graph::{Dim, Wire};

use crate::error::Error;
use crate::gradients::part_from;
use crate::micro_batch;
use crate::network::{Network, Prepared};

/// A network taken apart at a layer.
pub(super) struct Parts<'a> {
    network: &'a Network,
    before: Arc<Prepared>,
    behind: Arc<Prepared>,
    /// `[channels, spatial…]`.
    layer_shape: Vec<usize>,
}

impl<'a> Parts<'a> {
    pub(super) fn new(network: &'a Network, layer: Wire) -> Result<Self, Error> {
        let graph = network.graph();
        let name = graph.name_of(layer);
        let lengths = graph.shape(layer).and_then(|shape| shape.get(1..)?.iter().map(Dim::known).collect());
        let layer_shape: Vec<usize> =
            lengths.ok_or_else(|| Error::option("layer", format!("the shape of `{name}` is unknown")))?;
        let before = network.prepared(&format!("before {name}"), || {
            let mut part = graph.clone();
            part.set_outputs(&[layer]);
            Ok(prune(&part)?)
        })?;
        let behind = network.prepared(&format!("behind {name}"), || part_from(graph, layer))?;
        Ok(Self { network, before, behind, layer_shape })
    }

    /// The layer's activations for one row `[1, features…]`: `[channels, spatial…]`.
    pub(super) fn activations(&self, row: &ArrayD<f32>, work: &Work) -> Result<ArrayD<f32>, Error> {
        let mut values = Vec::new();
        micro_batch::run(&*self.before.session, std::slice::from_ref(row), 1, work, |range, tensors| {
            values.extend(micro_batch::first_rows(&tensors[0], range.len()).into_iter().map(|a| a as f32));
            Ok(())
        })?;
        ArrayD::from_shape_vec(IxDyn(&self.layer_shape), values)
            .map_err(|error| Error::network(format!("activations of another shape: {error}")))
    }

    /// The outputs `[tries, outputs]` with each of `activations` `[tries, channels, spatial…]` in place of the row's.
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

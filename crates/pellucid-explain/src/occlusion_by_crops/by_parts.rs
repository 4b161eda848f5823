//! Windows by parts: the first layers on crops around the window, the rest whole.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array1, Array2};
use pellucid_core::{Model, Work};
use pellucid_graph::{Incremental, Tensor};

use super::window::Windows;
use super::{Drops, Occluded, padded_indices};
use crate::error::Error;
use crate::micro_batch;
use crate::network::{Network, Prepared};

/// A network in two parts, with what stores the maps of a row as it is.
pub(super) struct ByParts {
    parts: Incremental,
    clean: Arc<Prepared>,
    head: Arc<Prepared>,
    tail: Arc<Prepared>,
}

impl ByParts {
    /// `None` where the network or the window does not allow it, it would gain too little, or the runtime cannot run a
    /// part: the whole network serves every case.
    pub(super) fn new(network: &Network, windows: &Windows) -> Option<Self> {
        let axes = network.input_shape().len().checked_sub(1).filter(|&n| n > 0)?;
        let spatial = |numbers: &[usize]| numbers[numbers.len() - axes..].to_vec();
        let (size, strides) = (spatial(&windows.size), spatial(&windows.strides));
        let parts = Incremental::of(network.graph(), &size, &strides).ok().flatten()?;
        let prepared = |part: &str, graph: &pellucid_graph::Graph| {
            network.prepared(&format!("occlusion {size:?} {strides:?}, {part}"), || Ok(graph.clone())).ok()
        };
        let clean = prepared("clean", parts.clean())?;
        let head = prepared("head", parts.head())?;
        let tail = prepared("tail", parts.tail())?;
        Some(Self { parts, clean, head, tail })
    }

    pub(super) fn gain(&self) -> f64 {
        self.parts.gain()
    }

    /// `f(x) − f(x with the window hidden)` for each window, `[windows, outputs]`.
    pub(super) fn drops(
        &self,
        network: &Network,
        occluded: &Occluded<'_>,
        work: &Work,
    ) -> Result<Array2<f64>, Error> {
        let mut shape = occluded.row.shape().to_vec();
        shape.insert(0, 1);
        let row = Tensor::f32(&shape, occluded.row.iter().copied().collect());
        let mut kept = self.clean.session.run(&[row])?;
        // Both outputs of a difference come from the same graph, so that its rounding does not show.
        let clean: Array1<f64> = kept.remove(0).to_f64s().into();
        let n = occluded.windows.len();
        let size = network.micro_batch(&self.head, n, work).min(network.micro_batch(&self.tail, n, work));
        let lanes = self.head.session.lanes().min(self.tail.session.lanes());
        let mut drops = Drops::new(&clean, n);
        let run = |wave: &[Range<usize>]| self.run(occluded, &kept, wave, size);
        micro_batch::in_waves(n, size, lanes, work, run, |range, tensors| {
            work.progress.advance(range.len());
            drops.fill(range, &tensors[0]);
            Ok(())
        })?;
        Ok(drops.0)
    }

    /// Sends batches of windows through both parts.
    fn run(
        &self,
        occluded: &Occluded<'_>,
        kept: &[Tensor],
        wave: &[Range<usize>],
        size: usize,
    ) -> Result<Vec<Vec<Tensor>>, Error> {
        let rows: Vec<Tensor> = wave.iter().map(|range| occluded.rows(range, size)).collect();
        let corner = |index| occluded.windows.corner(index).split_off(1);
        let corners: Vec<Vec<Vec<usize>>> =
            wave.iter().map(|range| padded_indices(range, size).map(corner).collect()).collect();
        let batches = rows.iter().zip(&corners);
        let crops = batches.clone().map(|(rows, corners)| self.parts.head_inputs(rows, kept, corners));
        let regions = self.head.session.run_all(&crops.collect::<Result<Vec<_>, _>>()?)?;
        let maps = batches.zip(&regions);
        let maps =
            maps.map(|((rows, corners), regions)| self.parts.tail_inputs(rows, kept, corners, regions));
        Ok(self.tail.session.run_all(&maps.collect::<Result<Vec<_>, _>>()?)?)
    }
}

#![doc = include_str!("occlusion_by_crops.md")]

mod by_parts;
#[cfg(test)]
mod tests;
mod window;

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayD, ArrayViewD, Axis, IxDyn};
use pellucid_core::{Attribution, Baseline, ImageValues, Model, ResolvedTarget, Target, Work};
use pellucid_graph::Tensor;

use crate::error::Error;
use crate::gradients::explained;
use crate::micro_batch;
use crate::network::Network;
use by_parts::ByParts;
use window::Windows;

/// Settings of [`occlusion`].
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The window's lengths along the last axes of a row: `[height, width]` hides all channels of an image,
    /// `[channels, height, width]` some of them.
    pub window: Vec<usize>,
    /// By how much the window moves along each of its axes; `None`: by its own length, so that none overlap.
    pub strides: Option<Vec<usize>>,
    /// What stands in the window.
    pub baseline: Baseline,
    /// What black and white are, for baselines that are images.
    pub image: Option<ImageValues>,
    /// For baselines that are noise.
    pub seed: u64,
    /// Compute the first layers on crops around the window, where that is possible and faster. The result is the same
    /// within rounding.
    pub incremental: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            window: Vec::new(),
            strides: None,
            baseline: Baseline::Zeros,
            image: None,
            seed: 0,
            incremental: true,
        }
    }
}

/// `A_i`, the mean of `f(x) − f(x with window w at the baseline)` over the windows `w` that hold feature `i` (Zeiler and
/// Fergus 2014), for each row of `rows` `[rows, features…]`; values `[rows, K, features…]` in output units.
///
/// # Errors
/// Windows or strides that cannot be, rows or a baseline that do not fit, a target that is not there, a canceled work.
pub fn occlusion(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    options: &Options,
    work: &Work,
) -> Result<Attribution, Error> {
    network.check_rows(rows)?;
    let windows = Windows::new(network.input_shape(), &options.window, options.strides.as_deref())?;
    let baselines = options.baseline.of_rows(rows.view(), options.image.as_ref(), options.seed)?;
    let outputs = network.outputs(rows, work)?;
    let resolved = target.resolve(outputs.view(), None)?;
    let by_parts = if options.incremental { ByParts::new(network, &windows) } else { None };
    let n_rows = rows.len_of(Axis(0));
    let mut values = ArrayD::zeros(value_shape(rows, resolved.weights.len()));
    work.progress.begin(n_rows * windows.len());
    let result = (0..n_rows).try_for_each(|row| {
        let occluded = Occluded {
            row: rows.index_axis(Axis(0), row),
            baseline: baselines.index_axis(Axis(0), row),
            windows: &windows,
        };
        let clean = outputs.row(row).to_owned();
        let drops = match &by_parts {
            Some(by_parts) => by_parts.drops(network, &occluded, work),
            None => drops(network, &occluded, &clean, work),
        }?;
        let mut values = values.index_axis_mut(Axis(0), row);
        for (k, mut values) in values.outer_iter_mut().enumerate() {
            values.assign(&windows.mean(&weighted(&drops, &resolved, k, row)));
        }
        Ok::<(), Error>(())
    });
    work.progress.end();
    result?;
    let mut attribution = Attribution::new(values, explained(&outputs, &resolved));
    attribution.evaluations.fill(windows.len() + 1);
    Ok(attribution)
}

/// How many times fewer operations a window takes by the first layers on crops than by the whole network; `None` where
/// [`occlusion`] uses the whole network each time.
///
/// # Errors
/// Windows or strides that cannot be.
pub fn gain(network: &Network, options: &Options) -> Result<Option<f64>, Error> {
    let windows = Windows::new(network.input_shape(), &options.window, options.strides.as_deref())?;
    let by_parts = if options.incremental { ByParts::new(network, &windows) } else { None };
    Ok(by_parts.map(|by_parts| by_parts.gain()))
}

/// `[rows, K, features…]`.
fn value_shape(rows: &ArrayD<f32>, n_targets: usize) -> IxDyn {
    let mut shape = rows.shape().to_vec();
    shape.insert(1, n_targets);
    IxDyn(&shape)
}

/// The target's share of each window's drop.
fn weighted(drops: &Array2<f64>, resolved: &ResolvedTarget, k: usize, row: usize) -> Vec<f64> {
    let weights = resolved.weights[k].row(row);
    let of = |drop: ndarray::ArrayView1<'_, f64>| {
        drop.iter().zip(&weights).map(|(d, w)| d * f64::from(*w)).sum::<f64>()
    };
    drops.outer_iter().map(of).collect()
}

/// One row, of which windows are hidden.
struct Occluded<'a> {
    row: ArrayViewD<'a, f32>,
    baseline: ArrayViewD<'a, f32>,
    windows: &'a Windows,
}

impl Occluded<'_> {
    /// The row once for each window, the window at the baseline, `[size, features…]`. Beyond the last window of
    /// `range`, that window again.
    fn rows(&self, range: &Range<usize>, size: usize) -> Tensor {
        let mut shape = self.row.shape().to_vec();
        shape.insert(0, size);
        let mut rows = Vec::with_capacity(shape.iter().product());
        for index in padded_indices(range, size) {
            let mut row = self.row.to_owned();
            self.windows.part_mut(&mut row, index).assign(&self.windows.part(&self.baseline, index));
            rows.extend(row.iter());
        }
        Tensor::f32(&shape, rows)
    }
}

/// The indices of `range`, the last one repeated to make `size`.
fn padded_indices(range: &Range<usize>, size: usize) -> impl Iterator<Item = usize> + use<> {
    let (start, last) = (range.start, range.end - 1);
    (0..size).map(move |i| (start + i).min(last))
}

/// `f(x) − f(x with the window hidden)` for each window, `[windows, outputs]`, by the whole network each time.
fn drops(
    network: &Network,
    occluded: &Occluded<'_>,
    clean: &Array1<f64>,
    work: &Work,
) -> Result<Array2<f64>, Error> {
    let source = network.source()?;
    let n = occluded.windows.len();
    let size = network.micro_batch(&source, n, work);
    let mut drops = Drops::new(clean, n);
    let run = |wave: &[Range<usize>]| {
        let batches: Vec<Vec<Tensor>> = wave.iter().map(|range| vec![occluded.rows(range, size)]).collect();
        Ok(source.session.run_all(&batches)?)
    };
    micro_batch::in_waves(n, size, source.session.lanes(), work, run, |range, tensors| {
        work.progress.advance(range.len());
        drops.fill(range, &tensors[0]);
        Ok(())
    })?;
    Ok(drops.0)
}

/// `f(x)` for each window, from which each batch takes what its windows leave of it.
struct Drops(Array2<f64>);

impl Drops {
    fn new(clean: &Array1<f64>, n_windows: usize) -> Self {
        Self(Array2::from_shape_fn((n_windows, clean.len()), |(_, output)| clean[output]))
    }

    fn fill(&mut self, range: Range<usize>, outputs: &Tensor) {
        let outputs = micro_batch::first_rows(outputs, range.len());
        let mut rows = self.0.slice_axis_mut(Axis(0), range.into());
        rows.iter_mut().zip(outputs).for_each(|(drop, y)| *drop -= y);
    }
}

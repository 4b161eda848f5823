//! Occlusion of a convolutional network, whose first layers are computed on crops around the window.

use std::sync::Arc;

use ndarray::{Array2, ArrayD, Axis};
use pellucid_agnostic::{Estimate, Game as _, MaskedRow};
use pellucid_core::{Attribution, Baseline, NoProgress, ResolvedTarget, Target, Work};
use pellucid_explain::Network;
pub(super) use pellucid_explain::occlusion_by_crops::Options;
use pellucid_explain::occlusion_by_crops::{gain, occlusion};

use crate::error::Error;

/// What the network's own occlusion is asked for, where its first layers can be computed on crops, and that is faster.
pub(super) fn options(
    network: &Network,
    window: &[usize],
    strides: Option<&[usize]>,
    baselines: ArrayD<f32>,
) -> Option<Options> {
    let options = Options {
        window: window.to_vec(),
        strides: strides.map(<[usize]>::to_vec),
        baseline: Baseline::PerRow(baselines),
        ..Options::default()
    };
    // A window that cannot be is refused, with its reason, where rows are made whole.
    gain(network, &options).ok().flatten().map(|_| options)
}

/// The values of all rows.
pub(super) fn by_crops(
    network: &Network,
    rows: &ArrayD<f64>,
    target: &ResolvedTarget,
    options: &Options,
    work: &Work,
) -> Result<Attribution, Error> {
    // Progress counts predictions already, from the first row to the last.
    let quiet = Work { progress: Arc::new(NoProgress), ..work.clone() };
    let (rows, target) = (rows.mapv(|x| x as f32), Target::Resolved(target.clone()));
    let found = occlusion(network, &rows, &target, options, &quiet)?;
    work.progress.advance(found.evaluations.sum());
    Ok(found)
}

/// A row's values as those of a game whose players are its elements.
pub(super) fn of_row(
    found: &Attribution,
    row: usize,
    game: &MaskedRow<'_>,
    work: &Work,
) -> Result<Estimate, Error> {
    let ends = Array2::from_shape_fn((2, game.n_players()), |(end, _)| end == 1);
    let worth = game.worth(ends.view(), work)?;
    let shape = (game.n_targets(), game.n_players());
    let values = found.values.index_axis(Axis(0), row).to_shape(shape).map(|values| values.t().to_owned());
    Ok(Estimate {
        values: values.map_err(|error| Error::request("window", error.to_string()))?,
        standard_error: None,
        base_values: worth.row(0).to_owned(),
        outputs: worth.row(1).to_owned(),
        evaluations: found.evaluations[row] + ends.nrows(),
        warnings: Vec::new(),
    })
}

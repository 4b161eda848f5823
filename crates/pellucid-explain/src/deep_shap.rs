#![doc = include_str!("deep_shap.md")]

use ndarray::{ArrayD, Axis, IxDyn};
use pellucid_core::{Attribution, Model, RunningMean, Target, Work};
use pellucid_graph::MultiplierRule;

use crate::error::Error;
use crate::gradients::explained;
use crate::lift::{Lift, check_background, mean_explained, outputs_at, rows_per_block, targets_second};
use crate::network::Network;

/// Settings of [`deep_shap`].
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The rows that each row is compared with, `[background rows, features…]`. All of them count.
    pub background: ArrayD<f32>,
    /// What functions of one number hand back.
    pub rule: MultiplierRule,
}

impl Options {
    /// The defaults for a background: the Rescale rule.
    pub fn new(background: ArrayD<f32>) -> Self {
        Self { background, rule: MultiplierRule::default() }
    }
}

/// The mean of DeepLIFT over the rows of a background (Lundberg and Lee 2017), with its standard error, for each row of
/// `rows` `[rows, features…]`; values `[rows, K, features…]` in output units. The base value is the mean output over the
/// background.
///
/// # Errors
/// Rows or a background that do not fit, a target that is not there, an op without a multiplier rule, a canceled work.
pub fn deep_shap(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    options: &Options,
    work: &Work,
) -> Result<Attribution, Error> {
    network.check_rows(rows)?;
    let background = &options.background;
    check_background(network, background)?;
    let (outputs, at_background) = outputs_at(network, rows, background, work)?;
    let resolved = target.resolve(outputs.view(), None)?;
    let lift = Lift::new(network, options.rule)?;
    let (n_rows, n_background) = (rows.len_of(Axis(0)), background.len_of(Axis(0)));
    let mut means = vec![vec![RunningMean::new(network.input_shape()); n_rows]; resolved.weights.len()];
    work.progress.begin(n_rows * n_background * means.len());
    let pairs: Vec<(usize, usize)> =
        (0..n_rows).flat_map(|row| (0..n_background).map(move |other| (row, other))).collect();
    let result = pairs.chunks(rows_per_block(network, work)).try_for_each(|pairs| {
        let (of_row, of_background): (Vec<usize>, Vec<usize>) = pairs.iter().copied().unzip();
        let (x, others) = (rows.select(Axis(0), &of_row), background.select(Axis(0), &of_background));
        for (weights, means) in resolved.weights.iter().zip(&mut means) {
            let values = lift.compare(&x, &others, &weights.select(Axis(0), &of_row), work)?.values;
            for (row, values) in of_row.iter().zip(values.outer_iter()) {
                means[*row].add(values);
            }
        }
        Ok::<(), Error>(())
    });
    work.progress.end();
    result?;
    let of_targets = |of: fn(&RunningMean<IxDyn>) -> ArrayD<f64>| {
        let parts = means.iter().map(|means| stacked(means, of)).collect::<Result<Vec<_>, _>>()?;
        targets_second(&parts)
    };
    let values = of_targets(|mean| mean.mean().clone())?;
    let mut attribution = Attribution::new(values, explained(&outputs, &resolved))
        .with_base_values(mean_explained(&at_background, &resolved.weights));
    if n_background > 1 {
        attribution.standard_error = Some(of_targets(RunningMean::standard_error)?);
    }
    attribution.evaluations.fill(2 * n_background * resolved.weights.len());
    Ok(attribution)
}

/// One array a row as `[rows, features…]`.
pub(crate) fn stacked(
    means: &[RunningMean<IxDyn>],
    of: fn(&RunningMean<IxDyn>) -> ArrayD<f64>,
) -> Result<ArrayD<f64>, Error> {
    let parts: Vec<ArrayD<f64>> = means.iter().map(of).collect();
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    ndarray::stack(Axis(0), &views).map_err(|error| Error::network(error.to_string()))
}

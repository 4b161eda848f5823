#![doc = include_str!("deep_lift.md")]

pub use pellucid_graph::MultiplierRule as Rule;

use ndarray::{Array2, ArrayD, Axis};
use pellucid_core::{Attribution, Baseline, ImageValues, Target, Work};

use crate::error::Error;
use crate::gradients::explained;
use crate::lift::{Comparison, Lift, targets_second};
use crate::network::Network;

/// A completeness gap above this share of the row's scale is looked into: a node that leaks as much is an error.
const TOLERANCE: f64 = 1e-4;

/// Settings of [`deep_lift`].
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// What the row is compared with.
    pub baseline: Baseline,
    /// What functions of one number hand back.
    pub rule: Rule,
    /// What black and white are, for baselines that are images.
    pub image: Option<ImageValues>,
    /// For baselines that are noise.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { baseline: Baseline::Zeros, rule: Rule::default(), image: None, seed: 0 }
    }
}

/// `A_i = m_i (x_i − x′_i)` with the multipliers of a rule (Shrikumar et al. 2017) for each row of `rows`
/// `[rows, features…]`; values `[rows, K, features…]` in output units, with base values and convergence delta.
///
/// # Errors
/// Rows or a baseline that do not fit, a target that is not there, an op without a multiplier rule, a node at which
/// completeness is lost, a canceled work.
pub fn deep_lift(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    options: &Options,
    work: &Work,
) -> Result<Attribution, Error> {
    network.check_rows(rows)?;
    let baselines = options.baseline.of_rows(rows.view(), options.image.as_ref(), options.seed)?;
    // A target that is known beforehand needs no outputs: those of the comparison serve.
    let resolved = network.resolve(target, rows, None, work)?;
    let lift = Lift::new(network, options.rule)?;
    work.progress.begin(rows.len_of(Axis(0)) * resolved.weights.len());
    let compared = resolved.weights.iter().map(|weights| lift.compare(rows, &baselines, weights, work));
    let compared: Result<Vec<Comparison>, Error> = compared.collect();
    work.progress.end();
    let compared = compared?;
    let first = compared.first().ok_or_else(|| Error::network("there is no target"))?;
    let outputs = explained(&first.outputs, &resolved);
    let base_values = explained(&first.at_baselines, &resolved);
    let parts: Vec<ArrayD<f64>> = compared.into_iter().map(|comparison| comparison.values).collect();
    let mut attribution = Attribution::new(targets_second(&parts)?, outputs).with_base_values(base_values);
    attribution.evaluations.fill(2 * resolved.weights.len());
    attribution.warnings = leaks(&lift, &attribution, rows, &baselines, &resolved.weights)?;
    Ok(attribution)
}

/// A warning for each row whose values miss more than [`TOLERANCE`]: rounding, added up over many nodes.
///
/// # Errors
/// The node that loses as much by itself.
fn leaks(
    lift: &Lift<'_>,
    attribution: &Attribution,
    rows: &ArrayD<f32>,
    baselines: &ArrayD<f32>,
    weights: &[Array2<f32>],
) -> Result<Vec<String>, Error> {
    let mut warnings = Vec::new();
    for (row, k, gap, scale) in gaps(attribution) {
        if gap <= TOLERANCE * scale {
            continue;
        }
        let (x, baseline) = (rows.index_axis(Axis(0), row), baselines.index_axis(Axis(0), row));
        let weights = weights[k].row(row).to_vec();
        if let Some(leak) = lift.leak(x, baseline, &weights, TOLERANCE * scale)? {
            return Err(Error::network(format!(
                "row {row}: DeepLIFT loses completeness at {leak}; take integrated-gradients"
            )));
        }
        warnings.push(format!(
            "row {row}: the completeness gap is {:.3} % of the values' scale, by rounding",
            100.0 * gap / scale
        ));
    }
    Ok(warnings)
}

/// Row, target, `|convergence delta|`, and the scale that it is judged by: the largest of the output, the base value and
/// the sum of the values' sizes.
fn gaps(attribution: &Attribution) -> Vec<(usize, usize, f64, f64)> {
    let (Some(deltas), Some(base)) = (&attribution.convergence_delta, &attribution.base_values) else {
        return Vec::new();
    };
    let places = deltas.indexed_iter().map(|(place, delta)| (place[0], place[1], delta.abs()));
    let scaled = places.map(|(row, k, gap)| {
        let sizes: f64 = attribution.row(row, k).iter().map(|value| value.abs()).sum();
        let ends = attribution.outputs[[row, k]].abs().max(base[[row, k]].abs());
        (row, k, gap, sizes.max(ends))
    });
    scaled.collect()
}

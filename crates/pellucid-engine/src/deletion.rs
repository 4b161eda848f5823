//! The number that stands beside attention: does the output fall when what attention marks is deleted?

use ndarray::{Array2, ArrayD, Axis, Slice};
use pellucid_core::{Attribution, ResolvedTarget, Work};
use pellucid_metrics::deletion_insertion::{self, Score};
use pellucid_metrics::{Explained, deletion};

use crate::error::Error;
use crate::evaluate::{CurveOptions, by_default, curve_options};
use crate::explain::Attributed;
use crate::input::Input;
use crate::method::{self, Method};
use crate::model::LoadedModel;

/// Rows that the number is found out for: each takes as many evaluations as [`CURVES`] has points.
const MAX_CHECKED_ROWS: usize = 16;

/// Coarser than `evaluate`, which measures rather than warns.
const CURVES: CurveOptions = CurveOptions { n_steps: 10, n_random: 10, patch: None };

/// The axis of a row `[tokens, width]` that is a token's own.
const WIDTH_AXIS: usize = 1;

/// The deletion curve of one row and target in short: the mean output while what the attribution marks is deleted, most
/// marked first, beside random orders. Lower is better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeletionCheck {
    /// The row.
    pub row: usize,
    /// Which of its targets.
    pub target: usize,
    /// The area under the curve.
    pub auc: f64,
    /// The mean area of random orders.
    pub random_auc: f64,
    /// Its standard error.
    pub random_standard_error: f64,
    /// The share of the random orders that are worse.
    pub share_of_random_beaten: f64,
}

impl DeletionCheck {
    fn new(row: usize, target: usize, score: &Score) -> Self {
        Self {
            row,
            target,
            auc: score.curve.auc,
            random_auc: score.random.mean.auc,
            random_standard_error: score.random.standard_error,
            share_of_random_beaten: score.share_of_random_beaten(),
        }
    }

    /// `deletion 0.412, random 0.530 ± 0.012 (lower is better; better than 90 % of random orders)`
    pub fn text(&self) -> String {
        format!(
            "deletion {:.3}, random {:.3} ± {:.3} (lower is better; better than {:.0} % of random orders)",
            self.auc,
            self.random_auc,
            self.random_standard_error,
            100.0 * self.share_of_random_beaten
        )
    }
}

/// What must stand beside a picture of one row and target: the method's caution, and how it did in deletion.
pub(crate) fn note(method: &str, checks: &[DeletionCheck], row: usize, target: usize) -> String {
    let check = checks.iter().find(|check| (check.row, check.target) == (row, target));
    let check = check.map(|check| format!("Checked by {}.", check.text()));
    [Some(method::caution(method).to_owned()), check]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The checks of an attention method's first rows; none for other methods. `replacement` is what a deleted token becomes,
/// otherwise as `evaluate` has it.
pub(crate) fn deletion_checks(
    model: &LoadedModel,
    input: &Input,
    method: &Method,
    attributed: &mut Attributed,
    seed: u64,
    replacement: Option<&ArrayD<f32>>,
    work: &Work,
) -> Result<Vec<DeletionCheck>, Error> {
    let Method::Attention(attention) = method else { return Ok(Vec::new()) };
    let n_rows = input.rows.len_of(Axis(0));
    let n_checked = n_rows.min(MAX_CHECKED_ROWS);
    if n_checked < n_rows {
        let warning =
            format!("deletion was checked for the first {n_checked} of {n_rows} rows; `evaluate` checks all");
        attributed.attribution.warnings.push(warning);
    }
    let mut options: deletion_insertion::Options = curve_options(model, attributed, seed, CURVES);
    options.channel_axis = match attributed.attribution.raw_map {
        Some(_) => Some(attention.channel_axis()),
        None => Some(WIDTH_AXIS),
    };
    let first = Slice::from(..n_checked);
    let all = match replacement {
        Some(replacement) => replacement.clone(),
        None => by_default(model, input)?.slice_axis(Axis(0), first).to_owned(),
    };
    let inputs = input.rows.slice_axis(Axis(0), first).to_owned();
    let target = first_rows(&attributed.target, n_checked);
    let attribution = Attribution::new(
        attributed.attribution.values.slice_axis(Axis(0), first).to_owned(),
        attributed.attribution.outputs.slice_axis(Axis(0), first).to_owned(),
    );
    let explained = Explained { model: model.network(), inputs: &inputs, target: &target };
    let scores: Array2<Score> = deletion(&explained, &attribution, &all, &options, work)?;
    let check = |((row, target), score): ((usize, usize), &Score)| DeletionCheck::new(row, target, score);
    Ok(scores.indexed_iter().map(check).collect())
}

fn first_rows(target: &ResolvedTarget, n_rows: usize) -> ResolvedTarget {
    let rows: Vec<usize> = (0..n_rows).collect();
    ResolvedTarget {
        weights: target.weights.iter().map(|weights| weights.select(Axis(0), &rows)).collect(),
        indices: target.indices.as_ref().map(|indices| indices[..n_rows].to_vec()),
    }
}

//! Thresholds from the reference alone: parts of it stand for windows and are compared with the rest.

use std::collections::BTreeMap;

use pellucid_core::Draws;

use crate::Error;
use crate::options::{Limit, Options, ReferenceWindows};
use crate::prepared::{Kind, Pooled, Prepared, split_distance};
use crate::random::choose_first;
use crate::sample::{Part, Sample};
use crate::share::{shares, total_variation};
use crate::weighted::effective_size;

/// The fewest consecutive windows that a threshold is drawn from.
const MIN_CONSECUTIVE: usize = 5;

/// What the reference's own windows hardly exceed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Threshold {
    limit: f64,
    /// `1/n + 1/m` of the comparisons that it comes from.
    variance: f64,
}

impl Threshold {
    /// The threshold where nothing ever differed.
    pub(crate) const NONE: Self = Self { limit: 0.0, variance: f64::INFINITY };

    /// The threshold for a window whose comparison has this `1/n + 1/m`. Distances without drift go with its root, so a smaller window's is wider. A larger
    /// window's is not narrower: what changes from window to window does not get less with more rows.
    pub(crate) fn at(&self, variance: f64) -> f64 {
        self.limit * (variance / self.variance).sqrt().max(1.0)
    }
}

/// The thresholds of all columns, and of the shares of |attribution|; `None` where the reference cannot tell.
pub(crate) struct Thresholds {
    pub(crate) columns: Vec<Option<Threshold>>,
    pub(crate) shares: Option<Threshold>,
}

/// # Errors
/// Consecutive windows are asked for and the reference has too few.
pub(crate) fn calibrate(
    reference: &Sample,
    columns: &[Prepared],
    options: &Options,
) -> Result<Thresholds, Error> {
    let weights = reference.weights();
    let columns: Vec<Splittable> = columns.iter().map(Splittable::new).collect();
    let mut effects = vec![Vec::new(); columns.len()];
    let mut share_effects = Vec::new();
    let mut variances = Vec::new();
    for in_window in splits(reference, options)? {
        let side = |inside: bool| -> Vec<f64> {
            weights
                .iter()
                .zip(&in_window)
                .filter(|(_, row)| **row == inside)
                .map(|(weight, _)| *weight)
                .collect()
        };
        variances.push(1.0 / effective_size(&side(true)) + 1.0 / effective_size(&side(false)));
        for (effects, column) in effects.iter_mut().zip(&columns) {
            effects.push(column.effect(&in_window));
        }
        share_effects.push(share_effect(&columns, &in_window));
    }
    let variance = variances.iter().sum::<f64>() / variances.len() as f64;
    let threshold = |effects: &Vec<f64>| {
        (!effects.is_empty())
            .then(|| Threshold { limit: limit(effects, options.calibration.limit), variance })
    };
    Ok(Thresholds { columns: effects.iter().map(threshold).collect(), shares: threshold(&share_effects) })
}

fn limit(effects: &[f64], limit: Limit) -> f64 {
    let n = effects.len() as f64;
    match limit {
        Limit::MeanPlusDeviations(deviations) => {
            let mean = effects.iter().sum::<f64>() / n;
            let squares: f64 = effects.iter().map(|effect| (effect - mean).powi(2)).sum();
            mean + deviations * (squares / n).sqrt()
        }
        Limit::Quantile(quantile) => {
            let mut sorted = effects.to_vec();
            sorted.sort_by(f64::total_cmp);
            // The next larger of two: a threshold rather too high than too low.
            sorted[((quantile * n).ceil() as usize).clamp(1, sorted.len()) - 1]
        }
    }
}

/// Which rows stand for a window, once for each comparison. None where the reference cannot be split.
fn splits(reference: &Sample, options: &Options) -> Result<Vec<Vec<bool>>, Error> {
    let n_rows = reference.n_rows();
    match options.calibration.windows {
        ReferenceWindows::Consecutive => {
            let n_windows = n_rows / options.window_rows;
            if n_windows < MIN_CONSECUTIVE {
                let reason = format!(
                    "{n_rows} rows make {n_windows} consecutive windows of {}; {MIN_CONSECUTIVE} are needed, or resampled ones",
                    options.window_rows
                );
                return Err(Error::sample("reference", reason));
            }
            let window = |i: usize| (0..n_rows).map(|row| row / options.window_rows == i).collect();
            Ok((0..n_windows).map(window).collect())
        }
        ReferenceWindows::Resampled(n_resamples) => {
            let blocks = blocks(reference);
            let wanted = options.window_rows.min(n_rows / 2);
            let draws = Draws::new(options.seed, &[0; 32], "drift calibration");
            let drawn = (0..n_resamples).map(|i| resample(&blocks, n_rows, wanted, &draws, i as u64));
            Ok(drawn.filter(|in_window| in_window.contains(&true) && in_window.contains(&false)).collect())
        }
    }
}

/// Rows that are drawn together.
fn blocks(reference: &Sample) -> Vec<Vec<usize>> {
    match &reference.groups {
        None => (0..reference.n_rows()).map(|row| vec![row]).collect(),
        Some(groups) => {
            let mut rows: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
            for (row, group) in groups.iter().enumerate() {
                rows.entry(*group).or_default().push(row);
            }
            rows.into_values().collect()
        }
    }
}

/// Draws blocks until they have the rows that are wanted.
fn resample(blocks: &[Vec<usize>], n_rows: usize, wanted: usize, draws: &Draws, index: u64) -> Vec<bool> {
    let mut in_window = vec![false; n_rows];
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    // With groups nobody knows beforehand how many are needed; single rows, one each.
    let most = if blocks.len() == n_rows { wanted } else { blocks.len() };
    choose_first(&mut order, most, &mut draws.draw(index));
    let mut n_drawn = 0;
    for block in order {
        if n_drawn >= wanted {
            break;
        }
        blocks[block].iter().for_each(|row| in_window[*row] = true);
        n_drawn += blocks[block].len();
    }
    in_window
}

/// A column whose rows lie ready to be split.
struct Splittable<'a> {
    column: &'a Prepared,
    pooled: Option<(Pooled, f64)>,
    /// The weight of each row of the reference that is present.
    weights: Vec<f64>,
}

impl<'a> Splittable<'a> {
    fn new(column: &'a Prepared) -> Self {
        let pooled = match &column.kind {
            Kind::Numeric(numeric) => Some((Pooled::of(numeric, &column.present), numeric.scale)),
            Kind::Categorical(_) => None,
        };
        Self { column, pooled, weights: column.present.weights().to_vec() }
    }

    fn effect(&self, in_window: &[bool]) -> f64 {
        match (&self.column.kind, &self.pooled) {
            (Kind::Numeric(_), Some((pooled, scale))) => {
                let area = pooled.gap(in_window).area;
                if area == 0.0 { 0.0 } else { area / scale }
            }
            _ => {
                let inside: Vec<bool> = self.column.present.rows.iter().map(|row| in_window[*row]).collect();
                split_distance(&self.column.cells, &self.weights, &inside, self.column.n_cells())
            }
        }
    }

    /// The means of |value| outside and inside.
    fn mean_sizes(&self, in_window: &[bool]) -> Option<[f64; 2]> {
        let Kind::Numeric(numeric) = &self.column.kind else { return None };
        let (mut sums, mut totals) = ([0.0; 2], [0.0; 2]);
        for ((value, weight), row) in numeric.values.iter().zip(&self.weights).zip(&self.column.present.rows)
        {
            let side = usize::from(in_window[*row]);
            sums[side] += weight * value.abs();
            totals[side] += weight;
        }
        Some([sums[0] / totals[0], sums[1] / totals[1]])
    }
}

/// The total variation between the shares of |attribution| outside and inside.
fn share_effect(columns: &[Splittable], in_window: &[bool]) -> f64 {
    let attributions = columns.iter().filter(|column| column.column.part == Part::Attribution);
    let sizes: Vec<[f64; 2]> = attributions.filter_map(|column| column.mean_sizes(in_window)).collect();
    let of = |side: usize| shares(&sizes.iter().map(|sizes| sizes[side]).collect::<Vec<f64>>());
    total_variation(&of(0), &of(1))
}

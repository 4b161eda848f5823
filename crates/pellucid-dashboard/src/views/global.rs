//! Global: how much each feature counts over all records of a series.

use serde::Serialize;

use crate::asked::Asked;
use crate::error::ViewError;
use crate::index::{Index, Row};
use crate::series::{Described, PARAMETER, Series, choices};
use crate::weighted::{Estimate, Sums, represented};

/// What the view takes.
pub(super) const PARAMETERS: &[&str] = &[PARAMETER];

/// Records from which quantiles are taken.
const SAMPLE: usize = 2_000;
/// Points a feature, for the features that are drawn.
const POINTS: usize = 300;
const MAX_DRAWN: usize = 20;

#[derive(Debug, Serialize)]
pub(super) struct Global {
    choices: Vec<Described>,
    chosen: Option<Described>,
    n: u64,
    /// `Σ 1/π`: the predictions that the records stand for.
    represents: f64,
    weighted: bool,
    n_sample: usize,
    /// The most important first.
    features: Vec<Feature>,
}

#[derive(Debug, Serialize)]
struct Feature {
    name: String,
    mean_absolute: Estimate,
    mean: Estimate,
    /// At 5, 25, 50, 75 and 95%.
    quantiles: [f64; 5],
    /// Attribution, place of the input's value from low (0) to high (1) or null without an order, and the value.
    points: Vec<(f64, Option<f64>, Option<f64>)>,
}

type Record<'a> = (&'a Row, &'a [f32], &'a [f32]);

pub(super) fn global(index: &Index, asked: Asked<'_>) -> Result<Global, ViewError> {
    let series = Series::asked(index, asked, true)?;
    let records: Vec<Record<'_>> = series.iter().flat_map(Series::explained).collect();
    let n_features = series.map_or(0, |series| series.group().n_features());
    let (mut absolute, mut signed) = (vec![Sums::default(); n_features], vec![Sums::default(); n_features]);
    for (row, attributions, _) in &records {
        for (feature, &value) in attributions.iter().enumerate() {
            absolute[feature].add(f64::from(value.abs()), row.weight());
            signed[feature].add(f64::from(value), row.weight());
        }
    }
    let mut order: Vec<usize> = (0..n_features).collect();
    order.sort_by(|&a, &b| absolute[b].mean().total_cmp(&absolute[a].mean()));
    let sample = sample(&records, SAMPLE);
    let feature = |(place, feature): (usize, usize)| Feature {
        name: series.map(|series| series.group().names[feature].clone()).unwrap_or_default(),
        mean_absolute: absolute[feature].mean_estimate(),
        mean: signed[feature].mean_estimate(),
        quantiles: quantiles(sample.iter().map(|record| record.1[feature])),
        points: series
            .filter(|_| place < MAX_DRAWN)
            .map(|series| points(&series, &sample, feature))
            .unwrap_or_default(),
    };
    Ok(Global {
        choices: choices(index, true),
        chosen: series.as_ref().map(Series::described),
        n: records.len() as u64,
        represents: represented(records.iter().map(|(row, _, _)| *row)),
        weighted: records.iter().any(|(row, _, _)| row.weight > 1.0),
        n_sample: sample.len(),
        features: order.into_iter().enumerate().map(feature).collect(),
    })
}

/// So many records, evenly over the log, each as often as it stands for predictions: systematic sampling proportional to the
/// weights. The same log gives the same sample.
fn sample<'a>(records: &[Record<'a>], n: usize) -> Vec<Record<'a>> {
    let n = n.min(records.len());
    let total = represented(records.iter().map(|(row, _, _)| *row));
    let step = total / n as f64;
    let (mut sampled, mut passed) = (Vec::with_capacity(n), 0.0);
    for record in records {
        passed += record.0.weight();
        while sampled.len() < n && (sampled.len() as f64 + 0.5) * step < passed {
            sampled.push(*record);
        }
    }
    sampled
}

fn quantiles(values: impl Iterator<Item = f32>) -> [f64; 5] {
    let mut values: Vec<f32> = values.filter(|x| !x.is_nan()).collect();
    values.sort_by(f32::total_cmp);
    [0.05, 0.25, 0.5, 0.75, 0.95].map(|share| quantile(&values, share))
}

/// Between the two nearest, as R's type 7; NaN of nothing.
fn quantile(sorted: &[f32], share: f64) -> f64 {
    let place = share * sorted.len().saturating_sub(1) as f64;
    let at = |place: f64| sorted.get(place as usize).map_or(f64::NAN, |&x| f64::from(x));
    let (low, high) = (at(place.floor()), at(place.ceil()));
    low + (high - low) * place.fract()
}

fn points(
    series: &Series<'_>,
    sample: &[Record<'_>],
    feature: usize,
) -> Vec<(f64, Option<f64>, Option<f64>)> {
    let has_order = series.group().categories.get(feature).is_none_or(Vec::is_empty);
    let [low, .., high] = quantiles(sample.iter().map(|record| record.2[feature]));
    let place = |value: f64| ((value - low) / (high - low).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
    let step = sample.len().div_ceil(POINTS).max(1);
    let point = |record: &Record<'_>| {
        let value = Some(f64::from(record.2[feature])).filter(|value| !value.is_nan());
        let share = value.filter(|_| has_order).map(|value| rounded(place(value)));
        (rounded(f64::from(record.1[feature])), share, value.map(rounded))
    };
    sample.iter().step_by(step).map(point).collect()
}

/// Four digits are more than a screen shows.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let scale = 10_f64.powi(3 - value.abs().log10().floor() as i32);
    if scale.is_finite() { (value * scale).round() / scale } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbors() {
        assert_eq!(quantiles([4.0, 1.0, f32::NAN, 2.0, 3.0, 5.0].into_iter()), [1.2, 2.0, 3.0, 4.0, 4.8]);
        assert!(quantiles(std::iter::empty()).iter().all(|x| x.is_nan()));
        assert_eq!([0.123_456, -98_765.0, 0.0, 1e-320].map(rounded), [0.1235, -98_770.0, 0.0, 1e-320]);
    }
}

#![doc = include_str!("accumulated.md")]

mod order;
mod pair;

pub use pair::{AccumulatedPair, accumulated_pair};

use ndarray::{Array1, Array2, ArrayView2, Axis, Ix1, Slice};
use pellucid_core::{RunningMean, Work};

use crate::effects::table::{Levels, checked, distinct, quantiles};
use crate::error::Error;
use crate::predictor::{Predictor, predict};

/// Settings of [`accumulated`] and [`accumulated_pair`].
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Bins of a numeric feature; fewer where quantiles coincide.
    pub n_bins: usize,
    /// The order of a categorical feature's levels; found from the rows if `None`.
    pub order: Option<Vec<f64>>,
}

impl Default for Options {
    fn default() -> Self {
        Self { n_bins: 20, order: None }
    }
}

/// How outputs follow one feature near the data.
#[derive(Clone, Debug, PartialEq)]
pub struct Accumulated {
    /// The edges of the bins, or the levels in their order.
    pub points: Vec<f64>,
    /// The effect at each point, of mean 0 over the rows, `[points, outputs]`.
    pub effect: Array2<f64>,
    /// Its standard error, `[points, outputs]`.
    pub standard_error: Array2<f64>,
    /// Rows of each bin (one less than points), or of each level.
    pub n_rows: Vec<usize>,
}

/// The accumulated local effect of one feature over `rows` `[rows, features]`.
///
/// # Errors
/// Rows of another width than the predictor's, a feature that is not there, is constant or holds a missing value, an order that
/// lacks a level, whatever the predictor reports, cancellation.
pub fn accumulated(
    predictor: &dyn Predictor,
    rows: ArrayView2<'_, f64>,
    feature: usize,
    levels: Levels,
    options: &Options,
    work: &Work,
) -> Result<Accumulated, Error> {
    checked(predictor, rows, &[feature])?;
    match levels {
        Levels::Numeric => numeric(predictor, rows, feature, options, work),
        Levels::Categorical => categorical(predictor, rows, feature, options, work),
    }
}

fn numeric(
    predictor: &dyn Predictor,
    rows: ArrayView2<'_, f64>,
    feature: usize,
    options: &Options,
    work: &Work,
) -> Result<Accumulated, Error> {
    let edges = edges(rows, feature, options.n_bins)?;
    let bins: Vec<usize> = rows.column(feature).iter().map(|&value| bin_of(&edges, value)).collect();
    let n_bins = edges.len() - 1;
    let mut steps = Steps::new(n_bins, predictor.n_outputs());
    let high = moved(predictor, rows, feature, |row| edges[bins[row] + 1], work)?;
    let low = moved(predictor, rows, feature, |row| edges[bins[row]], work)?;
    for (row, &bin) in bins.iter().enumerate() {
        steps.add(bin, &(&high.row(row) - &low.row(row)));
    }
    let n_rows = steps.counts();
    // The mean over rows of the middle of their bin: half of the two edges' effects each.
    let mut at_points = vec![0.0; n_bins + 1];
    for (bin, &n) in n_rows.iter().enumerate() {
        at_points[bin] += n as f64 / 2.0;
        at_points[bin + 1] += n as f64 / 2.0;
    }
    let (effect, standard_error) = steps.accumulated(&at_points);
    Ok(Accumulated { points: edges, effect, standard_error, n_rows })
}

fn categorical(
    predictor: &dyn Predictor,
    rows: ArrayView2<'_, f64>,
    feature: usize,
    options: &Options,
    work: &Work,
) -> Result<Accumulated, Error> {
    let found = distinct(rows, feature);
    if found.len() < 2 {
        return Err(constant(feature));
    }
    let points = match &options.order {
        None => order::by_likeness(rows, feature, &found),
        Some(order) => {
            if let Some(level) = found.iter().find(|level| !order.contains(level)) {
                return Err(Error::setting("order", format!("lacks level {level} of feature {feature}")));
            }
            order.iter().copied().filter(|level| found.contains(level)).collect()
        }
    };
    let places: Vec<usize> = rows
        .column(feature)
        .iter()
        .map(|value| points.iter().position(|point| point == value).unwrap_or_default())
        .collect();
    let mut steps = Steps::new(points.len() - 1, predictor.n_outputs());
    let own = predict(predictor, rows.into_dyn(), work)?;
    // A row takes part in the step up from its level and in the step up to it.
    let up = moved(predictor, rows, feature, |row| points[(places[row] + 1).min(points.len() - 1)], work)?;
    let down = moved(predictor, rows, feature, |row| points[places[row].saturating_sub(1)], work)?;
    for (row, &place) in places.iter().enumerate() {
        if place + 1 < points.len() {
            steps.add(place, &(&up.row(row) - &own.row(row)));
        }
        if place > 0 {
            steps.add(place - 1, &(&own.row(row) - &down.row(row)));
        }
    }
    let mut n_rows = vec![0; points.len()];
    places.iter().for_each(|&place| n_rows[place] += 1);
    let at_points: Vec<f64> = n_rows.iter().map(|&n| n as f64).collect();
    let (effect, standard_error) = steps.accumulated(&at_points);
    Ok(Accumulated { points, effect, standard_error, n_rows })
}

fn constant(feature: usize) -> Error {
    Error::setting(
        "features",
        format!("feature {feature} is constant in these rows; a constant has no effect to follow"),
    )
}

/// The edges of a numeric feature's bins, two or more.
fn edges(rows: ArrayView2<'_, f64>, feature: usize, n_bins: usize) -> Result<Vec<f64>, Error> {
    if n_bins == 0 {
        return Err(Error::setting("n_bins", "one is the least"));
    }
    let edges = quantiles(rows, feature, n_bins);
    if edges.len() < 2 { Err(constant(feature)) } else { Ok(edges) }
}

/// The bin `(z_{k}, z_{k+1}]` of a value; the first one holds its lower edge too.
fn bin_of(edges: &[f64], value: f64) -> usize {
    edges.partition_point(|&edge| edge < value).saturating_sub(1).min(edges.len() - 2)
}

/// The outputs of all rows with another value of one feature each.
fn moved(
    predictor: &dyn Predictor,
    rows: ArrayView2<'_, f64>,
    feature: usize,
    value: impl Fn(usize) -> f64,
    work: &Work,
) -> Result<Array2<f64>, Error> {
    const AT_ONCE: usize = 4096;
    let mut outputs = Array2::zeros((rows.nrows(), predictor.n_outputs()));
    for range in crate::batches::in_batches(rows.nrows(), AT_ONCE) {
        let mut part = rows.slice_axis(Axis(0), Slice::from(range.clone())).to_owned();
        for (row, slot) in range.clone().zip(part.column_mut(feature)) {
            *slot = value(row);
        }
        let of_part = predict(predictor, part.view().into_dyn(), work)?;
        outputs.slice_axis_mut(Axis(0), Slice::from(range)).assign(&of_part);
    }
    Ok(outputs)
}

/// The changes from point to point: one mean a step.
struct Steps(Vec<RunningMean<Ix1>>);

impl Steps {
    fn new(n_steps: usize, n_outputs: usize) -> Self {
        Self(vec![RunningMean::new(n_outputs); n_steps])
    }

    fn add(&mut self, step: usize, change: &Array1<f64>) {
        self.0[step].add(change.view());
    }

    fn counts(&self) -> Vec<usize> {
        self.0.iter().map(RunningMean::n_draws).collect()
    }

    /// The sums from the first point on, less their mean over `at_points`, the number of rows at each point; and the errors that
    /// follow: an effect is `Σ_j c_j mean_j`, so its variance is `Σ_j c_j² variance_j / n_j`.
    fn accumulated(&self, at_points: &[f64]) -> (Array2<f64>, Array2<f64>) {
        let n_points = at_points.len();
        let total: f64 = at_points.iter().sum();
        // The share of rows beyond each step: what the centering takes off each step's mean.
        let beyond: Vec<f64> =
            (0..n_points - 1).map(|step| at_points[step + 1..].iter().sum::<f64>() / total).collect();
        let n_outputs = self.0.first().map_or(0, |step| step.mean().len());
        let mut effect = Array2::zeros((n_points, n_outputs));
        let mut error = effect.clone();
        for point in 0..n_points {
            for (step, (of_step, share)) in self.0.iter().zip(&beyond).enumerate() {
                let c = f64::from(u8::from(step < point)) - share;
                let variance = of_step.standard_error().mapv(|error| error * error);
                effect.row_mut(point).scaled_add(c, of_step.mean());
                error.row_mut(point).scaled_add(c * c, &variance);
            }
        }
        (effect, error.mapv(f64::sqrt))
    }
}

#[cfg(test)]
mod tests;

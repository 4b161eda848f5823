//! A weighted linear model of what was seen around one row.

use std::ops::Range;

use ndarray::{Array1, Array2, Array3, ArrayView1, Axis};
use pellucid_core::{Draws, Work};
use rayon::prelude::*;

use super::stability::{Resample, Stability, coefficients_index, variables_index};
use crate::draw::below;
use crate::error::Error;
use crate::estimate::Estimate;
use crate::regression::{Blocks, Line, Sums, Weighted};

/// How the features that take part are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// [`Selection::Forward`] up to 6 features, [`Selection::HighestWeights`] for more.
    #[default]
    Auto,
    /// One by one, always the one that adds most to R², without a ridge.
    Forward,
    /// Those of the largest `|coefficient · value at the row|` in a fit of all, with a ridge of 0.01.
    HighestWeights,
    /// All take part, whatever `n_features` says.
    None,
}

/// The most features for which [`Selection::Auto`] goes forward one by one.
const MAX_AUTO_FORWARD: usize = 6;
/// The ridge under which [`Selection::HighestWeights`] ranks features.
const RANKING_ALPHA: f64 = 0.01;
/// Half the width of a 95 % interval of a normal distribution, in standard errors.
const Z_95: f64 = 1.959_963_984_540_054;

/// Blocks of samples that resamples are drawn from.
const MAX_BLOCKS: usize = 128;

/// How the surrogate is fitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The ridge: what is added for the sum of squared coefficients.
    pub alpha: f64,
    /// Features that take part, at the most.
    pub n_features: usize,
    /// How they are found.
    pub selection: Selection,
    /// Bootstrap resamples whose surrogates are compared for the stability; 0 for none.
    pub n_resamples: usize,
    /// The largest coefficients that the stability looks at.
    pub n_top: usize,
}

impl Default for Fit {
    fn default() -> Self {
        Self { alpha: 1.0, n_features: 10, selection: Selection::Auto, n_resamples: 10, n_top: 5 }
    }
}

impl Fit {
    pub(super) fn check(&self) -> Result<(), Error> {
        if !(self.alpha.is_finite() && self.alpha >= 0.0) {
            return Err(Error::setting("alpha", format!("{} is no ridge; 0 or more is", self.alpha)));
        }
        if self.n_features == 0 {
            return Err(Error::setting("n_features", "must be 1 or more"));
        }
        if self.n_resamples == 1 {
            return Err(Error::setting(
                "n_resamples",
                "one alone cannot be compared; 2 or more, or 0 for none",
            ));
        }
        if self.n_top == 0 {
            return Err(Error::setting("n_top", "must be 1 or more"));
        }
        Ok(())
    }

    fn selected(&self, sums: &Sums, at_row: ArrayView1<'_, f64>, target: usize) -> Vec<usize> {
        let n = self.n_features.min(at_row.len());
        match self.selection {
            Selection::None => (0..at_row.len()).collect(),
            Selection::Auto if self.n_features > MAX_AUTO_FORWARD => highest_weights(sums, at_row, target, n),
            Selection::Auto | Selection::Forward => sums.forward_selection(target, n),
            Selection::HighestWeights => highest_weights(sums, at_row, target, n),
        }
    }
}

fn highest_weights(sums: &Sums, at_row: ArrayView1<'_, f64>, target: usize, n: usize) -> Vec<usize> {
    let all: Vec<usize> = (0..at_row.len()).collect();
    let effects = sums.ridge(&all, target, RANKING_ALPHA).coefficients * at_row;
    largest(effects.view(), all, n)
}

/// The `n` of `of` with the largest sizes; of equals the first.
fn largest(sizes: ArrayView1<'_, f64>, mut of: Vec<usize>, n: usize) -> Vec<usize> {
    of.sort_by(|&a, &b| sizes[b].abs().total_cmp(&sizes[a].abs()));
    of.truncate(n);
    of
}

/// What was seen around a row.
#[derive(Default)]
pub(super) struct Samples {
    /// What the surrogate sees, `[samples, features]`; sample 0 is the row itself.
    pub(super) design: Array2<f64>,
    /// What the model said, `[samples, targets]`.
    pub(super) outputs: Array2<f64>,
    /// How near the row, `[samples]`.
    pub(super) weights: Array1<f64>,
}

/// A local linear model of the predictor, and how far it can be trusted.
#[derive(Clone, Debug, PartialEq)]
pub struct Surrogate {
    /// The coefficients as values (0 for features that were not selected), with their standard errors over samples; the base value is
    /// the intercept, so that for presence features the convergence delta is `local_prediction − output`.
    pub estimate: Estimate,
    /// `[targets]`.
    pub intercept: Array1<f64>,
    /// The share of the weighted variance of the outputs that the surrogate tells, `[targets]`.
    pub r_squared: Array1<f64>,
    /// What the surrogate says of the row itself, `[targets]`.
    pub local_prediction: Array1<f64>,
    /// 95 % intervals of the coefficients over other samples, `[features, targets, low and high]`.
    pub intervals: Array3<f64>,
    /// The features that take part, largest coefficient first, for each target.
    pub selected: Vec<Vec<usize>>,
    /// Agreement over resamples, unless `n_resamples` is 0.
    pub stability: Option<Stability>,
}

/// A surrogate of one target.
struct Fitted {
    line: Line,
    errors: Array1<f64>,
}

/// How often each resample has each block, `[resamples, blocks]`; the first one, the row itself, once, as in every run.
fn drawn_blocks(draws: &Draws, n_resamples: usize, n_blocks: usize) -> Array2<f64> {
    let mut counts = Array2::zeros((n_resamples, n_blocks));
    for (number, mut counts) in counts.outer_iter_mut().enumerate() {
        let mut generator = draws.draw(number as u64);
        counts[0] = 1.0;
        (1..n_blocks).for_each(|_| counts[1 + below(&mut generator, n_blocks - 1)] += 1.0);
    }
    counts
}

impl Samples {
    fn fitted(&self, fit: &Fit, sums: &Sums, target: usize) -> Fitted {
        let selected = fit.selected(sums, self.design.row(0), target);
        let line = sums.ridge(&selected, target, fit.alpha);
        let outputs = self.outputs.column(target);
        let errors = sums.standard_errors(&line, fit.alpha, self.design.view(), outputs, self.weights.view());
        Fitted { line, errors }
    }

    /// The largest standard error of a coefficient.
    pub(super) fn largest_error(&self, fit: &Fit) -> f64 {
        let sums = Sums::new(self.design.view(), self.outputs.view(), self.weights.view());
        let of_target = |target| self.fitted(fit, &sums, target).errors.into_iter().fold(0.0, f64::max);
        (0..self.outputs.ncols()).map(of_target).fold(0.0, f64::max)
    }

    /// Fits the surrogate of each target. `draws` gives the resamples.
    pub(super) fn surrogate(&self, fit: &Fit, draws: &Draws, work: &Work) -> Result<Surrogate, Error> {
        let (n_features, n_targets) = (self.design.ncols(), self.outputs.ncols());
        let ranges = self.blocks();
        // Without resamples nobody asks for the blocks.
        let blocks = match fit.n_resamples {
            0 => None,
            _ => Some(Blocks::new(self.weighted(), &ranges, work)?),
        };
        let sums = match &blocks {
            Some(blocks) => blocks.sums(Array1::ones(blocks.len()).view()),
            None => Sums::new(self.design.view(), self.outputs.view(), self.weights.view()),
        };
        let mut surrogate = self.empty();
        let mut errors = Array2::zeros((n_features, n_targets));
        for target in 0..n_targets {
            let Fitted { line, errors: own } = self.fitted(fit, &sums, target);
            surrogate.intercept[target] = line.intercept;
            surrogate.estimate.base_values[target] = line.intercept;
            surrogate.r_squared[target] = line.r_squared;
            let at_row = self.design.row(0).select(Axis(0), &line.columns);
            surrogate.local_prediction[target] = line.intercept + at_row.dot(&line.coefficients);
            for (place, &column) in line.columns.iter().enumerate() {
                let (value, error) = (line.coefficients[place], own[place]);
                surrogate.estimate.values[[column, target]] = value;
                errors[[column, target]] = error;
                surrogate.intervals[[column, target, 0]] = value - Z_95 * error;
                surrogate.intervals[[column, target, 1]] = value + Z_95 * error;
            }
            let values = surrogate.estimate.values.column(target);
            surrogate.selected.push(largest(values, line.columns, n_features));
        }
        surrogate.estimate.standard_error = Some(errors);
        surrogate.estimate.warnings = self.warnings(&surrogate);
        if let Some(blocks) = &blocks {
            surrogate.stability = Some(self.stability(fit, &surrogate.selected, blocks, draws, work)?);
        }
        Ok(surrogate)
    }

    fn weighted(&self) -> Weighted<'_> {
        Weighted { x: self.design.view(), y: self.outputs.view(), weights: self.weights.view() }
    }

    fn empty(&self) -> Surrogate {
        let (n_features, n_targets) = (self.design.ncols(), self.outputs.ncols());
        Surrogate {
            estimate: Estimate {
                values: Array2::zeros((n_features, n_targets)),
                standard_error: None,
                base_values: Array1::zeros(n_targets),
                outputs: self.outputs.row(0).to_owned(),
                evaluations: self.outputs.nrows(),
                warnings: Vec::new(),
            },
            intercept: Array1::zeros(n_targets),
            r_squared: Array1::zeros(n_targets),
            local_prediction: Array1::zeros(n_targets),
            intervals: Array3::zeros((n_features, n_targets, 2)),
            selected: Vec::new(),
            stability: None,
        }
    }

    fn warnings(&self, surrogate: &Surrogate) -> Vec<String> {
        let mut warnings = Vec::new();
        for (target, &r_squared) in surrogate.r_squared.iter().enumerate() {
            let first = self.outputs[[0, target]];
            if self.outputs.column(target).iter().all(|&output| output == first) {
                warnings.push(format!(
                    "target {target}: all samples have the output {first}; there is nothing to explain"
                ));
            } else if r_squared < 0.2 {
                warnings.push(format!(
                    "target {target}: the surrogate tells {:.0} % of the variance around the row; its coefficients say little \
                     of the model",
                    100.0 * r_squared.max(0.0)
                ));
            }
        }
        warnings
    }

    /// Bootstrap: as many blocks of samples, drawn from the blocks with replacement, are what another seed could have drawn.
    fn stability(
        &self,
        fit: &Fit,
        selected: &[Vec<usize>],
        blocks: &Blocks<'_>,
        draws: &Draws,
        work: &Work,
    ) -> Result<Stability, Error> {
        let n_targets = self.outputs.ncols();
        let counts = drawn_blocks(draws, fit.n_resamples, blocks.len());
        let resample = |counts: ArrayView1<'_, f64>| -> Result<Vec<Resample>, Error> {
            work.check()?;
            let sums = blocks.sums(counts);
            let of_target = |target| {
                let chosen = fit.selected(&sums, self.design.row(0), target);
                let line = sums.ridge(&chosen, target, fit.alpha);
                let errors = blocks.errors(&sums, &line, (target, fit.alpha), counts);
                self.resample(fit, &Fitted { line, errors })
            };
            Ok((0..n_targets).map(of_target).collect())
        };
        let counts: Vec<_> = counts.outer_iter().collect();
        let resamples: Result<Vec<_>, Error> = counts.into_par_iter().map(resample).collect();
        let mut of_target: Vec<Vec<Resample>> = (0..n_targets).map(|_| Vec::new()).collect();
        for resample in resamples? {
            of_target.iter_mut().zip(resample).for_each(|(of_target, own)| of_target.push(own));
        }
        let coefficients = |(resamples, selected): (&Vec<Resample>, &Vec<usize>)| {
            coefficients_index(resamples, &selected[..selected.len().min(fit.n_top)])
        };
        Ok(Stability {
            variables: of_target.iter().map(|resamples| variables_index(resamples)).collect(),
            coefficients: of_target.iter().zip(selected).map(coefficients).collect(),
            n_resamples: fit.n_resamples,
        })
    }

    /// The row itself, and the other samples in blocks of about one size, each sample alone where they are few.
    fn blocks(&self) -> Vec<Range<usize>> {
        let n_others = self.weights.len() - 1;
        let n_blocks = n_others.min(MAX_BLOCKS);
        let bound = |block: usize| 1 + block * n_others / n_blocks.max(1);
        std::iter::once(0..1).chain((0..n_blocks).map(|block| bound(block)..bound(block + 1))).collect()
    }

    fn resample(&self, fit: &Fit, fitted: &Fitted) -> Resample {
        let n_features = self.design.ncols();
        let (mut intervals, mut values) = (vec![None; n_features], Array1::zeros(n_features));
        for (place, &column) in fitted.line.columns.iter().enumerate() {
            let (value, reach) = (fitted.line.coefficients[place], Z_95 * fitted.errors[place]);
            values[column] = value;
            intervals[column] = Some([value - reach, value + reach]);
        }
        Resample { top: largest(values.view(), fitted.line.columns.clone(), fit.n_top), intervals }
    }

    /// Adds samples behind those that are there.
    pub(super) fn extend(&mut self, more: Self) -> Result<(), Error> {
        if self.design.is_empty() {
            *self = more;
            return Ok(());
        }
        let expected = format!("[samples, {}] and [samples, {}]", self.design.ncols(), self.outputs.ncols());
        let misfit = |_| Error::shape("more samples", &expected, more.outputs.shape());
        self.design.append(Axis(0), more.design.view()).map_err(misfit)?;
        self.outputs.append(Axis(0), more.outputs.view()).map_err(misfit)?;
        self.weights.append(Axis(0), more.weights.view()).map_err(misfit)?;
        Ok(())
    }
}

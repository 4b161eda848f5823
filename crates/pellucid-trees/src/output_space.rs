#![doc = include_str!("output_space.md")]

mod game;
mod pair;
mod space;
#[cfg(test)]
mod tests;

use ndarray::{Array1, Array2, Array3};
use pellucid_core::{Attribution, Draws, OutputSpace, Work, row_digest_f64};
use rayon::prelude::*;

use self::game::Shares;
use self::pair::Pair;
pub(crate) use self::space::Space;
use crate::ensemble::TreeEnsemble;
use crate::error::Error;
use crate::interventional::{Interventional, shares};
use crate::rows::Rows;

/// The most features for which all coalitions are counted.
pub const MAX_EXACT_FEATURES: usize = 16;

/// Background rows that a thread takes at a time.
const CHUNK_ROWS: usize = 32;

/// In which space outputs are explained, and how where coalitions are too many to be counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Margin, probability, value or log-loss.
    pub space: OutputSpace,
    /// For log-loss the label of each row: 0 or 1 for a single output, else the index of the class.
    pub labels: Option<Vec<usize>>,
    /// Where a row and a background row differ in more features than this, permutations are drawn; at most
    /// [`MAX_EXACT_FEATURES`].
    pub max_exact_features: usize,
    /// Pairs of a permutation and its reverse for each such background row; at least 2, so that there is a standard error.
    pub n_permutations: usize,
    /// Keys the permutations.
    pub seed: u64,
}

/// Interventional Shapley values in an output space, `[rows, outputs, features]`; one output for log-loss. `weights` are those
/// of the background's rows, all alike where there are none.
///
/// Exact for each background row from which the row differs in at most `max_exact_features` features that matter there; else
/// estimated, with a standard error and a warning that says for how many pairs.
///
/// # Errors
/// Rows or a background of another width than the model, an empty background, a space that the model does not have, labels
/// that do not fit, options out of range, cancellation.
pub fn interventional_in_space(
    ensemble: &TreeEnsemble,
    rows: Rows<'_>,
    background: Rows<'_>,
    weights: Option<&[f64]>,
    options: &Options,
    work: &Work,
) -> Result<Attribution, Error> {
    ensemble.check()?;
    rows.check(ensemble, "rows")?;
    background.check(ensemble, "background")?;
    check(options)?;
    let space = Space::new(ensemble, options.space, options.labels.as_deref(), rows.n_rows())?;
    let even = vec![1.0; background.n_rows()];
    let weights = weights.unwrap_or(&even);
    if space.is_margin() {
        return Interventional::weighted(ensemble, background, weights, work)?.explain(rows, work);
    }
    let weights = shares(background, weights)?;
    work.progress.begin(rows.n_rows() * background.n_rows());
    let explainer = Explainer { ensemble, rows, background, weights, space, options, work };
    let of_rows: Result<Vec<Partial>, Error> =
        (0..rows.n_rows()).into_par_iter().map(|row| explainer.row(row)).collect();
    work.progress.end();
    explainer.attribution(&of_rows?)
}

fn check(options: &Options) -> Result<(), Error> {
    let fault = |option: &'static str, reason: String| Err(Error::Setting { option, reason });
    if options.max_exact_features > MAX_EXACT_FEATURES {
        let reason = format!("{} is more than {MAX_EXACT_FEATURES}", options.max_exact_features);
        return fault("max_exact_features", reason);
    }
    if options.n_permutations < 2 {
        return fault(
            "n_permutations",
            format!("{} gives no standard error; take 2 or more", options.n_permutations),
        );
    }
    Ok(())
}

struct Explainer<'a, 'r, 'b> {
    ensemble: &'a TreeEnsemble,
    rows: Rows<'r>,
    background: Rows<'b>,
    weights: Vec<f64>,
    space: Space<'a>,
    options: &'a Options,
    work: &'a Work,
}

/// Sums over some background rows, for one row.
struct Partial {
    /// `[outputs, features]`.
    values: Array2<f64>,
    /// The variance of each value.
    variance: Array2<f64>,
    base_values: Array1<f64>,
    evaluations: usize,
    /// Pairs of which permutations were drawn.
    n_drawn: usize,
}

impl Explainer<'_, '_, '_> {
    /// Sums up in the order of the background, whatever the threads.
    fn row(&self, index: usize) -> Result<Partial, Error> {
        let mut row = vec![0.0; self.ensemble.n_features];
        self.rows.fill(index, self.ensemble, &mut row);
        let digest = row_digest_f64(ndarray::aview1(&row).into_dyn());
        let draws = Draws::new(self.options.seed, &digest, "output_space");
        let starts: Vec<usize> = (0..self.background.n_rows()).step_by(CHUNK_ROWS).collect();
        let chunks: Result<Vec<Partial>, Error> =
            starts.into_par_iter().map(|start| self.chunk(index, &row, start, &draws)).collect();
        Ok(chunks?.into_iter().fold(self.nothing(), Partial::plus))
    }

    fn chunk(&self, index: usize, row: &[f64], start: usize, draws: &Draws) -> Result<Partial, Error> {
        self.work.check()?;
        let end = self.background.n_rows().min(start + CHUNK_ROWS);
        let mut pair = Pair::new(self.ensemble);
        let mut reference = vec![0.0; self.ensemble.n_features];
        let mut sums = self.nothing();
        for place in (start..end).filter(|&place| self.weights[place] > 0.0) {
            self.background.fill(place, self.ensemble, &mut reference);
            pair.meet(row, &reference);
            let value = |margins: &mut [f64], into: &mut [f64]| self.space.value(index, margins, into);
            let shares = if pair.features().len() <= self.options.max_exact_features {
                Shares::exact(&pair, self.space.n_outputs(), value)
            } else {
                let first = (place * self.options.n_permutations) as u64;
                let draw = |i: usize| draws.draw(first + i as u64);
                sums.n_drawn += 1;
                Shares::drawn(&pair, self.space.n_outputs(), self.options.n_permutations, draw, value)
            };
            sums.add(&shares, pair.features(), self.weights[place]);
        }
        self.work.progress.advance(end - start);
        Ok(sums)
    }

    fn nothing(&self) -> Partial {
        let shape = (self.space.n_outputs(), self.ensemble.n_features);
        Partial {
            values: Array2::zeros(shape),
            variance: Array2::zeros(shape),
            base_values: Array1::zeros(shape.0),
            evaluations: 0,
            n_drawn: 0,
        }
    }

    fn attribution(&self, of_rows: &[Partial]) -> Result<Attribution, Error> {
        let (n_rows, n_outputs) = (of_rows.len(), self.space.n_outputs());
        let shape = (n_rows, n_outputs, self.ensemble.n_features);
        let values =
            Array3::from_shape_fn(shape, |(row, output, feature)| of_rows[row].values[[output, feature]]);
        let mut outputs = Array2::zeros((n_rows, n_outputs));
        let margins = self.ensemble.margins(self.rows)?;
        for (index, (mut output, margins)) in outputs.rows_mut().into_iter().zip(margins.rows()).enumerate() {
            let mut value = vec![0.0; n_outputs];
            self.space.value(index, &mut margins.to_vec(), &mut value);
            output.iter_mut().zip(value).for_each(|(to, value)| *to = value);
        }
        let base_values =
            Array2::from_shape_fn((n_rows, n_outputs), |(row, output)| of_rows[row].base_values[output]);
        let mut attribution =
            Attribution::new(values.into_dyn(), outputs.into_dyn()).with_base_values(base_values.into_dyn());
        attribution.evaluations = of_rows.iter().map(|row| row.evaluations).collect();
        let n_drawn: usize = of_rows.iter().map(|row| row.n_drawn).sum();
        if n_drawn > 0 {
            let error = |(row, output, feature): (usize, usize, usize)| {
                f64::sqrt(of_rows[row].variance[[output, feature]])
            };
            attribution.standard_error = Some(Array3::from_shape_fn(shape, error).into_dyn());
            attribution.warnings.push(format!(
                "{n_drawn} of {} pairs of a row and a background row differ in more than {} features: their share is \
                 estimated from {} permutations and their reverses each; standard_error says how well",
                n_rows * self.background.n_rows(),
                self.options.max_exact_features,
                self.options.n_permutations,
            ));
        }
        Ok(attribution)
    }
}

impl Partial {
    fn add(&mut self, shares: &Shares, features: &[u32], weight: f64) {
        for (output, base_value) in shares.base_values.iter().enumerate() {
            self.base_values[output] += weight * base_value;
            for (local, &feature) in features.iter().enumerate() {
                let place = [output, feature as usize];
                self.values[place] += weight * shares.values[[output, local]];
                self.variance[place] += weight * weight * shares.variance[[output, local]];
            }
        }
        self.evaluations += shares.evaluations;
    }

    fn plus(mut self, other: Self) -> Self {
        self.values += &other.values;
        self.variance += &other.variance;
        self.base_values += &other.base_values;
        self.evaluations += other.evaluations;
        self.n_drawn += other.n_drawn;
        self
    }
}

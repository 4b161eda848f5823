#![doc = include_str!("tabular.md")]

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};
use pellucid_core::{Draws, Work};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::discretize::{Bins, entropy_edges, percentiles};
use super::surrogate::{Fit, Samples, Surrogate};
use super::{Pieces, check_sampling, kernel, sampled};
use crate::draw::below;
use crate::error::Error;
use crate::game::{Game, MaskedRow};

/// What the numbers of a column mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    /// An amount.
    #[default]
    Number,
    /// The code of a category.
    Category,
}

/// How columns of numbers are put in bins.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Discretization {
    /// At the quartiles of the training rows.
    #[default]
    Quartile,
    /// At their deciles.
    Decile,
    /// At the thresholds of a tree of depth 3 that tells the labels of the training rows (numbered from 0) from the column.
    Entropy {
        /// One a training row.
        labels: Vec<usize>,
    },
    /// Not at all: the surrogate is linear in the standardized number.
    None,
}

/// What sampling around a row must know of the training rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    columns: Vec<Known>,
}

#[derive(Clone, Debug, PartialEq)]
enum Known {
    /// Distinct values, and how many rows have one of them or of those before.
    Category {
        values: Vec<f64>,
        up_to: Vec<usize>,
    },
    Binned {
        bins: Bins,
        up_to: Vec<usize>,
    },
    /// Scale 1 for a constant column.
    Number {
        mean: f64,
        scale: f64,
    },
}

impl Known {
    /// The bin of a number, of columns that have any.
    fn bin(&self, number: f64) -> Option<usize> {
        match self {
            Self::Binned { bins, .. } => Some(bins.bin(number)),
            Self::Category { .. } | Self::Number { .. } => None,
        }
    }
}

impl Table {
    /// Of training `rows` `[rows, columns]`.
    ///
    /// # Errors
    /// No rows, numbers that are none, another number of columns or labels.
    pub fn new(
        rows: ArrayView2<'_, f64>,
        columns: &[Column],
        discretization: &Discretization,
    ) -> Result<Self, Error> {
        if rows.nrows() == 0 {
            return Err(Error::setting("training rows", "there are none; one is the least"));
        }
        if columns.len() != rows.ncols() {
            return Err(Error::shape("training rows", format!("[rows, {}]", columns.len()), rows.shape()));
        }
        if let Some(((row, column), &value)) = rows.indexed_iter().find(|(_, value)| !value.is_finite()) {
            return Err(Error::NotFinite { what: "training rows", value, index: vec![row, column] });
        }
        if let Discretization::Entropy { labels } = discretization
            && labels.len() != rows.nrows()
        {
            return Err(Error::shape("labels", format!("[{}]", rows.nrows()), &[labels.len()]));
        }
        let known = rows.columns().into_iter().zip(columns).map(|(column, kind)| match kind {
            Column::Category => categories(column),
            Column::Number => numbers(column, discretization),
        });
        Ok(Self { columns: known.collect() })
    }

    /// The number of columns.
    pub fn n_columns(&self) -> usize {
        self.columns.len()
    }

    /// The bins of a column, if it has any.
    pub fn bins(&self, column: usize) -> Option<&Bins> {
        match self.columns.get(column) {
            Some(Known::Binned { bins, .. }) => Some(bins),
            _ => None,
        }
    }
}

fn categories(column: ArrayView1<'_, f64>) -> Known {
    // −0 is 0.
    let mut sorted: Vec<f64> = column.iter().map(|x| x + 0.0).collect();
    sorted.sort_by(f64::total_cmp);
    let mut values = sorted.clone();
    values.dedup();
    let up_to = values.iter().map(|value| sorted.partition_point(|x| x <= value)).collect();
    Known::Category { values, up_to }
}

fn numbers(column: ArrayView1<'_, f64>, discretization: &Discretization) -> Known {
    let deciles = || (1..10).map(|tenth| 10.0 * f64::from(tenth)).collect::<Vec<_>>();
    let edges = match discretization {
        Discretization::None => {
            let mean = column.sum() / column.len() as f64;
            let deviation = column.std(0.0);
            return Known::Number { mean, scale: if deviation > 0.0 { deviation } else { 1.0 } };
        }
        Discretization::Quartile => percentiles(column, &[25.0, 50.0, 75.0]),
        Discretization::Decile => percentiles(column, &deciles()),
        Discretization::Entropy { labels } => entropy_edges(column, labels),
    };
    let bins = Bins::new(column, edges);
    let mut sum = 0;
    let up_to = bins.counts().into_iter().map(|count| {
        sum += count;
        sum
    });
    Known::Binned { up_to: up_to.collect(), bins }
}

/// Settings of [`lime_tabular`].
#[derive(Clone, Debug, PartialEq)]
pub struct TabularOptions {
    /// The width w of the kernel `√exp(−d²/w²)`; `None`: 0.75 √columns.
    pub kernel_width: Option<f64>,
    /// Samples, the row itself among them.
    pub n_samples: usize,
    /// Numbers that are not in bins are drawn around the row, not around the mean of the training rows.
    pub around_row: bool,
    /// The surrogate.
    pub fit: Fit,
    /// Stops before `n_samples` as soon as no coefficient has a larger standard error; in units of the output.
    pub tolerance: Option<f64>,
    /// What samples are drawn from, with the row's digest.
    pub seed: u64,
}

impl Default for TabularOptions {
    fn default() -> Self {
        Self {
            kernel_width: None,
            n_samples: 5000,
            around_row: false,
            fit: Fit::default(),
            tolerance: None,
            seed: 0,
        }
    }
}

/// Fits a weighted linear surrogate to the predictor around `game`'s row, among rows drawn column by column from what `table` knows of
/// the training rows. A value is the coefficient of "in the row's bin", "of the row's category", or of the standardized number;
/// the game's masker plays no part.
///
/// # Errors
/// Options that cannot be, a row that is no row of the table, a canceled work, whatever the predictor reports.
pub fn lime_tabular(
    game: &MaskedRow<'_>,
    table: &Table,
    options: &TabularOptions,
    work: &Work,
) -> Result<Surrogate, Error> {
    let n_columns = table.n_columns();
    let width = options.kernel_width.unwrap_or(0.75 * (n_columns as f64).sqrt());
    check_sampling(options.n_samples, width, options.tolerance)?;
    options.fit.check()?;
    let row = game.row();
    if row.shape() != [n_columns] {
        return Err(Error::shape("row", format!("[{n_columns}], as the training rows"), row.shape()));
    }
    if let Some((place, &value)) = row.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        return Err(Error::NotFinite { what: "row", value, index: vec![place] });
    }
    let row: Array1<f64> = row.iter().copied().collect();
    let digest = game.digest();
    let bins = table.columns.iter().zip(&row).map(|(known, &own)| known.bin(own)).collect();
    let near = Near { table, row: row.view(), bins, around_row: options.around_row };
    let draws = Draws::new(options.seed, &digest, "lime tabular");
    let own = near.design_of_row();
    // A sample is a row, and what the surrogate sees of it.
    let sample_bytes = 2 * n_columns * size_of::<f64>();
    let pieces = Pieces { n_samples: options.n_samples, sample_bytes, tolerance: options.tolerance };
    let samples = sampled(&pieces, &options.fit, work, |range| {
        let (rows, design) = near.samples(&draws, range);
        let outputs = game.targets_of(rows.view().into_dyn(), work)?;
        let weights = design.outer_iter().map(|seen| kernel(distance(seen, own.view()), width)).collect();
        Ok(Samples { design, outputs, weights })
    })?;
    let resamples = Draws::new(options.seed, &digest, "lime resamples");
    let mut surrogate = samples.surrogate(&options.fit, &resamples, work)?;
    surrogate.estimate.warnings.extend(near.unseen());
    Ok(surrogate)
}

/// The neighborhood of one row.
struct Near<'a> {
    table: &'a Table,
    row: ArrayView1<'a, f64>,
    /// The row's own, for columns that have bins.
    bins: Vec<Option<usize>>,
    around_row: bool,
}

impl Near<'_> {
    /// The samples numbered `range` and what the surrogate sees of them; sample 0 is the row itself.
    fn samples(&self, draws: &Draws, range: Range<usize>) -> (Array2<f64>, Array2<f64>) {
        let shape = (range.len(), self.row.len());
        let (mut rows, mut design) = (Array2::zeros(shape), Array2::zeros(shape));
        let places: Vec<_> = range.zip(rows.outer_iter_mut().zip(design.outer_iter_mut())).collect();
        places.into_par_iter().for_each(|(number, (mut row, mut seen))| {
            if number == 0 {
                row.assign(&self.row);
                seen.assign(&self.design_of_row());
                return;
            }
            let mut generator = draws.draw(number as u64);
            for (column, known) in self.table.columns.iter().enumerate() {
                (row[column], seen[column]) = self.drawn(known, column, &mut generator);
            }
        });
        (rows, design)
    }

    /// A value of a column, and what the surrogate sees of it.
    fn drawn(&self, known: &Known, column: usize, generator: &mut ChaCha8Rng) -> (f64, f64) {
        let own = self.row[column];
        match known {
            Known::Category { values, up_to } => {
                let value = values[among(up_to, generator)];
                (value, f64::from(value == own))
            }
            Known::Binned { bins, up_to } => {
                let bin = among(up_to, generator);
                (bins.draw_within(bin, generator), f64::from(Some(bin) == self.bins[column]))
            }
            Known::Number { mean, scale } => {
                let z: f64 = StandardNormal.sample(generator);
                let value = if self.around_row { own } else { *mean } + scale * z;
                (value, (value - mean) / scale)
            }
        }
    }

    fn design_of_row(&self) -> Array1<f64> {
        let seen = |(known, &own): (&Known, &f64)| match known {
            Known::Number { mean, scale } => (own - mean) / scale,
            _ => 1.0,
        };
        self.table.columns.iter().zip(self.row).map(seen).collect()
    }

    /// Categories of the row that no training row has: no sample shares them.
    fn unseen(&self) -> Vec<String> {
        let columns = self.table.columns.iter().zip(self.row).enumerate();
        let warning = |(column, (known, own)): (usize, (&Known, &f64))| match known {
            Known::Category { values, .. } if !values.contains(own) => Some(format!(
                "column {column}: no training row has the category {own}; its coefficient rests on the row alone"
            )),
            _ => None,
        };
        columns.filter_map(warning).collect()
    }
}

/// `|a − b|`.
fn distance(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

/// One of several, as likely as its count; `up_to` are the counts summed up.
fn among(up_to: &[usize], generator: &mut ChaCha8Rng) -> usize {
    let drawn = below(generator, up_to.last().copied().unwrap_or(0));
    up_to.partition_point(|&sum| sum <= drawn)
}

#[cfg(test)]
mod tests;

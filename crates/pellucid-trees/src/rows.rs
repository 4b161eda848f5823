//! The rows that are predicted and explained: dense or sparse, f32 or f64.

use ndarray::ArrayView2;

use crate::ensemble::{Precision, TreeEnsemble};
use crate::error::Error;

/// A table of feature values.
#[derive(Clone, Copy, Debug)]
pub enum Rows<'a> {
    /// `[rows, features]`.
    F32(ArrayView2<'a, f32>),
    /// `[rows, features]`.
    F64(ArrayView2<'a, f64>),
    /// Compressed sparse rows; cells left out are [`TreeEnsemble::absent`].
    Sparse(&'a Csr),
}

/// Compressed sparse rows: row `i` has `values[starts[i]..starts[i + 1]]` in the columns of the same places.
#[derive(Clone, Debug, PartialEq)]
pub struct Csr {
    /// `[rows + 1]`, ascending from 0.
    pub starts: Vec<usize>,
    /// Ascending within a row.
    pub columns: Vec<u32>,
    /// One a column.
    pub values: Vec<f64>,
    /// Columns of the table.
    pub n_columns: usize,
}

impl Rows<'_> {
    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        match self {
            Self::F32(rows) => rows.nrows(),
            Self::F64(rows) => rows.nrows(),
            Self::Sparse(rows) => rows.starts.len().saturating_sub(1),
        }
    }

    /// The number of features.
    pub fn n_features(&self) -> usize {
        match self {
            Self::F32(rows) => rows.ncols(),
            Self::F64(rows) => rows.ncols(),
            Self::Sparse(rows) => rows.n_columns,
        }
    }

    /// Writes a row as the model compares it: rounded to its precision, what it takes as missing as NaN.
    /// `into` is `[features]`.
    pub fn fill(&self, row: usize, ensemble: &TreeEnsemble, into: &mut [f64]) {
        match self {
            Self::F32(rows) => into.iter_mut().zip(rows.row(row)).for_each(|(to, &x)| *to = f64::from(x)),
            Self::F64(rows) => into.iter_mut().zip(rows.row(row)).for_each(|(to, &x)| *to = x),
            Self::Sparse(rows) => rows.fill(row, ensemble.absent, into),
        }
        into.iter_mut().for_each(|x| *x = ensemble.compared(*x));
    }

    /// Fails where the rows have another number of features than the model. `what`: `rows` or `background`.
    ///
    /// # Errors
    /// [`Error::Rows`].
    pub fn check(&self, ensemble: &TreeEnsemble, what: &'static str) -> Result<(), Error> {
        if self.n_features() == ensemble.n_features {
            return Ok(());
        }
        let reason = format!("{} columns, but the model takes {}", self.n_features(), ensemble.n_features);
        Err(Error::Rows { what, reason })
    }
}

impl Csr {
    fn fill(&self, row: usize, absent: f64, into: &mut [f64]) {
        into.fill(absent);
        let cells = self.starts[row]..self.starts[row + 1];
        for (&column, &value) in self.columns[cells.clone()].iter().zip(&self.values[cells]) {
            into[column as usize] = value;
        }
    }
}

impl TreeEnsemble {
    /// A feature value as splits compare it.
    pub fn compared(&self, value: f64) -> f64 {
        let rounded = match self.precision {
            Precision::F32 => f64::from(value as f32),
            Precision::F64 => value,
        };
        if self.missing_value == Some(rounded) { f64::NAN } else { rounded }
    }
}

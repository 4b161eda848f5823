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
    pub(crate) starts: Vec<usize>,
    /// Ascending within a row.
    pub(crate) columns: Vec<u32>,
    /// One a column.
    pub(crate) values: Vec<f64>,
    /// Columns of the table.
    pub(crate) n_columns: usize,
}

impl Rows<'_> {
    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        match self {
            Self::F32(rows) => rows.nrows(),
            Self::F64(rows) => rows.nrows(),
            Self::Sparse(rows) => rows.n_rows(),
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
    /// Rows whose cells are `values[starts[i]..starts[i + 1]]`, in the columns of the same places.
    ///
    /// # Errors
    /// Starts that do not ascend from 0 to the number of values, columns that do not ascend within a row or that the table
    /// does not have, another number of columns than of values.
    pub fn new(
        starts: Vec<usize>,
        columns: Vec<u32>,
        values: Vec<f64>,
        n_columns: usize,
    ) -> Result<Self, Error> {
        let fault = |reason: String| Err(Error::Rows { what: "sparse rows", reason });
        let n = values.len();
        if columns.len() != n {
            return fault(format!("{} columns for {n} values", columns.len()));
        }
        if starts.first() != Some(&0) || starts.last() != Some(&n) || !starts.is_sorted() {
            return fault(format!("the starts of rows do not ascend from 0 to {n}"));
        }
        for (row, cells) in starts.windows(2).enumerate() {
            let columns = &columns[cells[0]..cells[1]];
            if !columns.is_sorted_by(|a, b| a < b) {
                return fault(format!("the columns of row {row} do not ascend, or come twice"));
            }
            if let Some(column) = columns.last().filter(|&&column| column as usize >= n_columns) {
                return fault(format!("row {row} has a value in column {column} of {n_columns}"));
            }
        }
        Ok(Self { starts, columns, values, n_columns })
    }

    /// A table without rows yet.
    pub fn empty(n_columns: usize) -> Self {
        Self { starts: vec![0], columns: Vec::new(), values: Vec::new(), n_columns }
    }

    /// Adds a dense row, `[features]`, of which the cells are left out that `absent` would fill in again.
    pub fn push(&mut self, row: &[f64], absent: f64) {
        let stored = row.iter().zip(0..).filter(|(x, _)| **x != absent && !(x.is_nan() && absent.is_nan()));
        for (&value, column) in stored {
            self.columns.push(column);
            self.values.push(value);
        }
        self.starts.push(self.columns.len());
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The number of columns.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Writes a row with `absent` in the cells that are left out; `into` is `[features]`.
    pub fn fill(&self, row: usize, absent: f64, into: &mut [f64]) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_filled_in_again() {
        let rows = [[0.0, 1.0, f64::NAN], [f64::NAN, 0.0, 2.0]];
        for (absent, n_stored) in [(f64::NAN, 4), (0.0, 4), (7.0, 6)] {
            let mut sparse = Csr::empty(3);
            rows.iter().for_each(|row| sparse.push(row, absent));
            assert_eq!((sparse.n_rows(), sparse.values.len()), (2, n_stored));
            for (index, row) in rows.iter().enumerate() {
                let mut filled = [0.0; 3];
                sparse.fill(index, absent, &mut filled);
                assert!(
                    filled.iter().zip(row).all(|(a, b)| a == b || (a.is_nan() && b.is_nan())),
                    "{filled:?}"
                );
            }
        }
    }

    #[test]
    fn sparse_rows_that_do_not_hold_together_are_refused() {
        let reason = |starts: &[usize], columns: &[u32], n_values: usize| {
            let result = Csr::new(starts.to_vec(), columns.to_vec(), vec![1.0; n_values], 3);
            result.expect_err("refused").to_string()
        };
        assert!(Csr::new(vec![0, 2, 2, 3], vec![0, 2, 1], vec![1.0; 3], 3).is_ok());
        assert!(Csr::new(vec![0], vec![], vec![], 3).is_ok_and(|rows| Rows::Sparse(&rows).n_rows() == 0));
        assert_eq!(reason(&[0, 1], &[0, 1], 1), "sparse rows: 2 columns for 1 values");
        for starts in [&[][..], &[1, 2], &[0, 1], &[0, 3, 2], &[0, 2, 1, 2]] {
            assert!(reason(starts, &[0, 1], 2).contains("do not ascend from 0 to 2"), "{starts:?}");
        }
        assert!(reason(&[0, 0, 2], &[1, 0], 2).contains("the columns of row 1 do not ascend"));
        assert!(reason(&[0, 2], &[1, 1], 2).contains("come twice"));
        assert!(reason(&[0, 2], &[1, 3], 2).contains("row 0 has a value in column 3 of 3"));
    }
}

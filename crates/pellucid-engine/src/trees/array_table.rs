//! Rows of a NumPy file, in the order of the model's features.

use std::path::Path;

use ndarray::{Array2, Axis, Ix2};

use super::blocks::RowsRead;
use super::cells::Cells;
use super::columns::Columns;
use crate::error::Error;
use crate::input::{ReadOptions, numbers_of_file};

pub(crate) struct ArrayTable {
    rows: Array2<f64>,
    n_read: usize,
}

impl ArrayTable {
    pub(crate) fn open(path: &Path, array: Option<&str>, n_features: usize) -> Result<Self, Error> {
        let numbers = numbers_of_file(path, &ReadOptions { array, ..ReadOptions::default() })?;
        let shape = numbers.shape().to_vec();
        let numbers = if shape == [n_features] { numbers.insert_axis(Axis(0)) } else { numbers };
        let rows = numbers.into_dimensionality::<Ix2>().map_err(|_| {
            Error::input(path, format!("has shape {shape:?}, the model takes [rows, {n_features}]"))
        })?;
        Ok(Self { rows, n_read: 0 })
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.rows.ncols()
    }

    pub(crate) fn share_read(&self) -> f64 {
        self.n_read as f64 / self.rows.nrows().max(1) as f64
    }

    pub(crate) fn read(&mut self, n: usize, columns: &Columns) -> Result<RowsRead, String> {
        let mut read = RowsRead::new(columns);
        for row in self.rows.rows().into_iter().skip(self.n_read).take(n) {
            for &column in &columns.features {
                let place = || format!("row {}, column {column}", self.n_read + read.n_rows);
                let value = Cells::checked(row[column]).map_err(|reason| format!("{}: {reason}", place()))?;
                read.numbers.push(value);
            }
            read.n_rows += 1;
        }
        self.n_read += read.n_rows;
        Ok(read)
    }
}

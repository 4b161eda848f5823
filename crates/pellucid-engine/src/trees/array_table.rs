//! Rows of a NumPy file, in the order of the model's features.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use ndarray::{Array2, Axis, Ix2};

use super::blocks::RowsRead;
use super::cells::Cells;
use super::columns::Columns;
use crate::error::Error;
use crate::input::{ReadOptions, numbers_of_file};
use crate::npy;

pub(crate) struct ArrayTable {
    rows: Held,
    n_rows: usize,
    n_columns: usize,
    n_read: usize,
}

enum Held {
    /// A file that is larger than memory, perhaps.
    File(npy::Rows<BufReader<File>>),
    Memory(Array2<f64>),
}

impl ArrayTable {
    pub(crate) fn open(path: &Path, array: Option<&str>, n_features: usize) -> Result<Self, Error> {
        if let Some(rows) = rows_of_npy(path)? {
            let (n_rows, n_columns) = (rows.n_rows, rows.n_columns);
            return Ok(Self { rows: Held::File(rows), n_rows, n_columns, n_read: 0 });
        }
        let numbers = numbers_of_file(path, &ReadOptions { array, ..ReadOptions::default() })?;
        let shape = numbers.shape().to_vec();
        let numbers = if shape == [n_features] { numbers.insert_axis(Axis(0)) } else { numbers };
        let rows = numbers.into_dimensionality::<Ix2>().map_err(|_| {
            Error::input(path, format!("has shape {shape:?}, the model takes [rows, {n_features}]"))
        })?;
        let (n_rows, n_columns) = rows.dim();
        Ok(Self { rows: Held::Memory(rows), n_rows, n_columns, n_read: 0 })
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.n_columns
    }

    pub(crate) fn share_read(&self) -> f64 {
        self.n_read as f64 / self.n_rows.max(1) as f64
    }

    /// At most `n` more rows; without names, columns stand in the order of the features.
    pub(crate) fn read(&mut self, n: usize, columns: &Columns) -> Result<RowsRead, String> {
        let mut read = RowsRead::new(columns);
        read.n_rows = n.min(self.n_rows - self.n_read);
        let end = self.n_read + read.n_rows;
        read.numbers = match &mut self.rows {
            Held::File(rows) => rows.read(read.n_rows)?,
            Held::Memory(rows) => {
                rows.rows().into_iter().skip(self.n_read).take(read.n_rows).flatten().copied().collect()
            }
        };
        for (place, &number) in read.numbers.iter().enumerate() {
            Cells::checked(number).map_err(|reason| {
                let (row, column) = (self.n_read + place / self.n_columns, place % self.n_columns);
                format!("row {row}, column {column}: {reason}")
            })?;
        }
        self.n_read = end;
        Ok(read)
    }
}

/// A table that can be read row by row; `None` for files of other kinds, empty ones and folders, of which is spoken later.
fn rows_of_npy(path: &Path) -> Result<Option<npy::Rows<BufReader<File>>>, Error> {
    let is_npy = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npy"));
    if !is_npy || !path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0) {
        return Ok(None);
    }
    let file = File::open(path).map_err(|error| Error::input(path, format!("cannot be read: {error}")))?;
    npy::Rows::open(BufReader::with_capacity(1 << 16, file)).map_err(|reason| Error::input(path, reason))
}

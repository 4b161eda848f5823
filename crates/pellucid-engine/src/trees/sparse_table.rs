//! Rows of a matrix that SciPy's `save_npz` wrote: compressed sparse rows, of which a block at a time is filled in.

use std::path::Path;

use pellucid_trees::Csr;

use super::blocks::RowsRead;
use super::cells::Cells;
use super::columns::Columns;
use crate::error::Error;
use crate::file;
use crate::npz::Npz;

pub(crate) struct SparseTable {
    rows: Csr,
    /// What the model's library takes a cell for that is left out.
    absent: f64,
    n_read: usize,
}

impl SparseTable {
    /// The matrix of a file; `None` for a file of other arrays.
    pub(crate) fn open(path: &Path, absent: f64) -> Result<Option<Self>, Error> {
        let fault = |reason: String| Error::input(path, reason);
        let bytes = file::read(path)?;
        let mut archive = Npz::open(&bytes).map_err(fault)?;
        let names = archive.names();
        if !["data", "format", "shape"].iter().all(|name| names.iter().any(|other| other == name)) {
            return Ok(None);
        }
        let format = archive.word("format").map_err(fault)?;
        if format != "csr" {
            return Err(fault(format!(
                "is a sparse matrix in SciPy's `{format}` format, of which rows cannot be read; save matrix.tocsr()"
            )));
        }
        let rows = csr(&mut archive).map_err(fault)?;
        Ok(Some(Self { rows, absent, n_read: 0 }))
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.rows.n_columns()
    }

    pub(crate) fn share_read(&self) -> f64 {
        self.n_read as f64 / self.rows.n_rows().max(1) as f64
    }

    /// At most `n` more rows.
    pub(crate) fn read(&mut self, n: usize, columns: &Columns) -> RowsRead {
        let mut read = RowsRead::new(columns);
        read.n_rows = n.min(self.rows.n_rows() - self.n_read);
        let n_features = self.rows.n_columns();
        read.numbers = vec![self.absent; read.n_rows * n_features];
        for (index, row) in read.numbers.chunks_exact_mut(n_features.max(1)).enumerate() {
            self.rows.fill(self.n_read + index, self.absent, row);
        }
        self.n_read += read.n_rows;
        read
    }
}

/// The matrix, checked, with the columns of each row in order.
fn csr(archive: &mut Npz<'_>) -> Result<Csr, String> {
    let shape = whole_numbers(archive, "shape")?;
    let &[n_rows, n_columns] = shape.as_slice() else {
        return Err(format!("array `shape`: {shape:?} is not [rows, columns]"));
    };
    let starts = whole_numbers(archive, "indptr")?;
    let columns = whole_numbers(archive, "indices")?;
    let mut values: Vec<f64> = archive.array("data")?.into_iter().collect();
    let ascend = starts.is_sorted() && starts.first() == Some(&0) && starts.last() == Some(&columns.len());
    if starts.len() != n_rows.saturating_add(1) || !ascend || columns.len() != values.len() {
        return Err("its `indptr`, `indices`, `data` and `shape` do not fit together".to_owned());
    }
    let columns: Option<Vec<u32>> =
        columns.into_iter().map(|column| u32::try_from(column).ok().filter(|_| column < n_columns)).collect();
    let mut columns =
        columns.ok_or_else(|| format!("array `indices`: a column beyond the {n_columns} of `shape`"))?;
    for row in 0..n_rows {
        let cells = starts[row]..starts[row + 1];
        put_in_order(row, &mut columns[cells.clone()], &mut values[cells])?;
    }
    Csr::new(starts, columns, values, n_columns).map_err(|error| error.to_string())
}

fn whole_numbers(archive: &mut Npz<'_>, name: &str) -> Result<Vec<usize>, String> {
    let whole = |x: f64| (x >= 0.0 && x.fract() == 0.0).then_some(x as usize);
    let numbers: Option<Vec<usize>> = archive.array(name)?.into_iter().map(whole).collect();
    numbers.ok_or_else(|| format!("array `{name}`: holds something else than counts"))
}

/// Sorts a row by its columns; refuses one that comes twice, and infinite values.
fn put_in_order(row: usize, columns: &mut [u32], values: &mut [f64]) -> Result<(), String> {
    if !columns.is_sorted() {
        let mut sorted: Vec<(u32, f64)> = columns.iter().copied().zip(values.iter().copied()).collect();
        sorted.sort_by_key(|(column, _)| *column);
        for (place, (column, value)) in sorted.into_iter().enumerate() {
            (columns[place], values[place]) = (column, value);
        }
    }
    if let Some(twice) = columns.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!(
            "row {row} holds column {} twice; call sum_duplicates() before saving",
            twice[0]
        ));
    }
    for (column, &value) in columns.iter().zip(values.iter()) {
        Cells::checked(value).map_err(|reason| format!("row {row}, column {column}: {reason}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::{npy, npz};

    /// A `.npy` file of one word.
    fn word(word: &str) -> Vec<u8> {
        let header = npy::header::<u8>(&[]);
        let header = String::from_utf8_lossy(&header[10..]).replace("|u1", &format!("|S{}", word.len()));
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        [bytes, header.into_bytes(), word.as_bytes().to_vec()].concat()
    }

    fn opened(
        format: &str,
        starts: Vec<i64>,
        columns: Vec<i64>,
        shape: [i64; 2],
    ) -> Result<SparseTable, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.npz");
        let values: Vec<f64> = (0..columns.len()).map(|i| i as f64).collect();
        let ints = |numbers: Vec<i64>| npy::bytes(&ndarray::Array1::from(numbers).into_dyn());
        let arrays = [
            ("data", npy::bytes(&ndarray::Array1::from(values).into_dyn())),
            ("format", word(format)),
            ("indices", ints(columns)),
            ("indptr", ints(starts)),
            ("shape", ints(shape.to_vec())),
        ];
        std::fs::write(&path, npz::bytes(&arrays).unwrap()).unwrap();
        let opened = SparseTable::open(&path, -9.0).map_err(|error| error.to_string())?;
        opened.ok_or_else(|| "no sparse matrix".to_owned())
    }

    #[test]
    fn rows_are_filled_in_block_by_block() {
        let mut table = opened("csr", vec![0, 2, 2, 3], vec![2, 0, 1], [3, 3]).unwrap();
        let columns = Columns {
            features: vec![0, 1, 2],
            kept: Vec::new(),
            feature_names: Vec::new(),
            warnings: Vec::new(),
        };
        assert_eq!(table.read(2, &columns).numbers, [1.0, -9.0, 0.0, -9.0, -9.0, -9.0]);
        assert_eq!(table.read(2, &columns).numbers, [-9.0, 2.0, -9.0]);
        assert_eq!(table.read(2, &columns).n_rows, 0);
    }

    #[test]
    fn what_is_no_csr_matrix_is_refused() {
        let refused = |format: &str, starts: &[i64], columns: &[i64], part: &str| {
            let error = opened(format, starts.to_vec(), columns.to_vec(), [2, 3]).map(|_| ()).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        refused("csc", &[0, 1, 1], &[0], "`csc`");
        refused("csr", &[0, 1], &[0], "do not fit together");
        refused("csr", &[0, 2, 1], &[0], "do not fit together");
        refused("csr", &[0, 1, 2], &[0], "do not fit together");
        refused("csr", &[0, 1, 2], &[0, 3], "beyond the 3");
        refused("csr", &[0, 1, 2], &[0, -1], "something else than counts");
        refused("csr", &[0, 2, 2], &[1, 1], "column 1 twice");
    }

    #[test]
    fn other_arrays_are_no_sparse_matrix() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.npz");
        std::fs::write(&path, npz::bytes(&[("data", npy::bytes(&array![1.0].into_dyn()))]).unwrap()).unwrap();
        assert!(SparseTable::open(&path, 0.0).unwrap().is_none());
    }
}

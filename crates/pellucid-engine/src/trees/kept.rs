//! The rows of a table that an explanation holds: all of a small one, of a large one a few, evenly spread.

use ndarray::{ArrayD, ArrayView2, Axis, IxDyn};

use super::blocks::Block;
use super::targets::Explained;
use crate::error::Error;

/// More rows are never kept; there are at least half as many of a table that has more.
const MAX_KEPT_ROWS: usize = 2000;

/// Rows `0`, `stride`, `2 · stride`, … of all that went by.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) stride: usize,
    pub(crate) rows: Vec<KeptRow>,
    max_rows: usize,
    n_seen: usize,
}

/// All that is told of one row.
#[derive(Clone, Debug)]
pub(crate) struct KeptRow {
    pub(crate) file: String,
    pub(crate) row_index: usize,
    pub(crate) data: Vec<f64>,
    /// `[targets, …]`, flat.
    pub(crate) values: Vec<f64>,
    pub(crate) standard_error: Option<Vec<f64>>,
    pub(crate) outputs: Vec<f64>,
    pub(crate) base_values: Option<Vec<f64>>,
    pub(crate) convergence_delta: Option<Vec<f64>>,
    pub(crate) indices: Option<Vec<usize>>,
    pub(crate) evaluations: usize,
    /// The margins of all outputs of the model.
    pub(crate) margins: Vec<f64>,
    /// The texts of the columns kept beside the features.
    pub(crate) texts: Vec<String>,
}

impl Kept {
    pub(crate) fn new(max_rows: usize) -> Self {
        Self { stride: 1, rows: Vec::new(), max_rows: max_rows.min(MAX_KEPT_ROWS), n_seen: 0 }
    }

    /// Keeps what is to be kept of a block. `margins` `[rows, outputs]` are those of the model.
    pub(crate) fn add(&mut self, block: &Block, explained: &Explained, margins: ArrayView2<'_, f64>) {
        for row in 0..block.rows.nrows() {
            if self.n_seen.is_multiple_of(self.stride) {
                self.rows.push(KeptRow::of(block, explained, margins, row));
            }
            self.n_seen += 1;
            if self.rows.len() > self.max_rows {
                self.stride *= 2;
                let mut index = 0;
                self.rows.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
            }
        }
    }

    /// The numbers of all kept rows, `[rows, …]`.
    pub(crate) fn array(
        &self,
        of_row: impl Fn(&KeptRow) -> &[f64],
        shape_of_row: &[usize],
    ) -> Result<ArrayD<f64>, Error> {
        let shape: Vec<usize> = [self.rows.len()].iter().chain(shape_of_row).copied().collect();
        let numbers = self.rows.iter().flat_map(|row| of_row(row).iter().copied()).collect();
        ArrayD::from_shape_vec(IxDyn(&shape), numbers)
            .map_err(|error| Error::request("rows", error.to_string()))
    }

    /// As [`Kept::array`], where all rows have it.
    pub(crate) fn optional(
        &self,
        of_row: impl Fn(&KeptRow) -> Option<&Vec<f64>>,
        shape_of_row: &[usize],
    ) -> Result<Option<ArrayD<f64>>, Error> {
        if !self.rows.iter().all(|row| of_row(row).is_some()) {
            return Ok(None);
        }
        self.array(|row| of_row(row).map_or(&[], Vec::as_slice), shape_of_row).map(Some)
    }
}

impl KeptRow {
    fn of(block: &Block, explained: &Explained, margins: ArrayView2<'_, f64>, row: usize) -> Self {
        let numbers = |array: &ndarray::Array2<f64>| array.row(row).to_vec();
        let all = |array: &ArrayD<f64>| array.index_axis(Axis(0), row).iter().copied().collect();
        Self {
            file: block.file.clone(),
            row_index: block.first_row + row,
            data: block.rows.row(row).to_vec(),
            values: all(&explained.values),
            standard_error: explained.standard_error.as_ref().map(all),
            outputs: numbers(&explained.outputs),
            base_values: explained.base_values.as_ref().map(numbers),
            convergence_delta: explained.convergence_delta.as_ref().map(numbers),
            indices: explained.indices.as_ref().map(|indices| indices[row].clone()),
            evaluations: explained.evaluations[row],
            margins: margins.row(row).to_vec(),
            texts: block.kept.iter().map(|texts| texts[row].clone()).collect(),
        }
    }
}

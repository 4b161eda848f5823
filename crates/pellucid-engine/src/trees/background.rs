//! The rows of whole tables, held in memory: a background, or what a global effect is averaged over.

use std::path::PathBuf;

use ndarray::{Array2, ArrayView2};
use pellucid_core::row_digest_f64;
use pellucid_trees::{Csr, Rows};

use super::blocks::{Blocks, file_name, rows_within};
use super::columns::Beside;
use super::model::TreeModel;
use crate::digests::{self, Named};
use crate::error::Error;

/// What a block that is read into memory may take beside it.
const BLOCK_BYTES: usize = 64 << 20;

/// Rows that absent features are averaged over.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Background {
    /// The files' names without folders, with the digest of the rows.
    pub(crate) named: Named,
    pub(crate) rows: TableRows,
    /// What must be known of it.
    pub(crate) warnings: Vec<String>,
}

/// `[rows, features]`; sparse where a file is, so that it takes no more memory than its cells.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TableRows {
    Dense(Array2<f64>),
    Sparse(Csr),
}

/// All rows of some files.
pub(crate) struct WholeTable {
    pub(crate) rows: TableRows,
    pub(crate) feature_names: Vec<String>,
    /// The texts of the columns kept beside the features, `[columns][rows]`.
    pub(crate) kept: Vec<Vec<String>>,
    pub(crate) warnings: Vec<String>,
}

impl Background {
    /// Reads files; `None` where there are none.
    pub(crate) fn read(
        model: &TreeModel,
        paths: &[PathBuf],
        ignored: Option<&str>,
    ) -> Result<Option<Self>, Error> {
        if paths.is_empty() {
            return Ok(None);
        }
        let table = all_rows(model, paths, None, Beside { ignored, kept: &[] })?;
        let files = paths.iter().map(|path| file_name(path)).collect::<Vec<_>>().join(", ");
        let warnings = table.warnings.into_iter().map(|warning| format!("background: {warning}")).collect();
        let named = table.rows.named(files, model.ensemble().absent);
        Ok(Some(Self { named, rows: table.rows, warnings }))
    }

    /// Rows that are at hand, in the order of the model's features.
    pub(crate) fn of_rows(rows: Array2<f64>) -> Self {
        let rows = TableRows::Dense(rows);
        Self { named: rows.named("array".to_owned(), f64::NAN), rows, warnings: Vec::new() }
    }
}

impl TableRows {
    pub(crate) fn view(&self) -> Rows<'_> {
        match self {
            Self::Dense(rows) => Rows::F64(rows.view()),
            Self::Sparse(rows) => Rows::Sparse(rows),
        }
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.view().n_rows()
    }

    /// The rows by name, with their digest, which is the same for sparse rows written out; `absent` is what a sparse row does not say.
    fn named(&self, text: String, absent: f64) -> Named {
        let digest = match self {
            Self::Dense(rows) => {
                digests::of_rows(rows.outer_iter().map(|row| row_digest_f64(row.into_dyn())))
            }
            Self::Sparse(sparse) => {
                let mut numbers = vec![0.0; sparse.n_columns()];
                digests::of_rows((0..sparse.n_rows()).map(|index| {
                    sparse.fill(index, absent, &mut numbers);
                    row_digest_f64(ndarray::aview1(&numbers).into_dyn())
                }))
            }
        };
        Named { text, digest: Some(digest) }
    }
}

/// All rows of some files.
pub(crate) fn all_rows(
    model: &TreeModel,
    paths: &[PathBuf],
    array: Option<&str>,
    beside: Beside<'_>,
) -> Result<WholeTable, Error> {
    let (n_features, absent) = (model.ensemble().n_features, model.ensemble().absent);
    let n_at_once = rows_within(BLOCK_BYTES, 8 * n_features);
    let mut blocks = Blocks::open(model, paths, array, beside, n_at_once)?;
    let mut kept = vec![Vec::new(); beside.kept.len()];
    let mut numbers = Vec::new();
    let mut sparse: Option<Csr> = None;
    while let Some(block) = blocks.next_block()? {
        kept.iter_mut().zip(block.kept).for_each(|(all, texts)| all.extend(texts));
        if blocks.is_sparse() && sparse.is_none() {
            let mut rows = Csr::empty(n_features);
            push(&mut rows, dense(std::mem::take(&mut numbers), n_features)?.view(), absent);
            sparse = Some(rows);
        }
        match &mut sparse {
            Some(rows) => push(rows, block.rows.view(), absent),
            None => numbers.extend(block.rows),
        }
    }
    let rows = match sparse {
        Some(rows) => TableRows::Sparse(rows),
        None => TableRows::Dense(dense(numbers, n_features)?),
    };
    Ok(WholeTable { rows, feature_names: blocks.feature_names().to_vec(), kept, warnings: blocks.warnings() })
}

/// All rows of some files, dense.
pub(crate) struct DenseTable {
    /// `[rows, features]`.
    pub(crate) rows: Array2<f64>,
    pub(crate) feature_names: Vec<String>,
    /// The texts of the columns kept beside the features, `[columns][rows]`.
    pub(crate) kept: Vec<Vec<String>>,
    pub(crate) warnings: Vec<String>,
}

/// All rows of some files, those of sparse ones written out.
pub(crate) fn whole_tables(
    model: &TreeModel,
    paths: &[PathBuf],
    array: Option<&str>,
    kept: &[String],
) -> Result<DenseTable, Error> {
    let table = all_rows(model, paths, array, Beside { kept, ignored: None })?;
    let rows = match table.rows {
        TableRows::Dense(rows) => rows,
        TableRows::Sparse(sparse) => {
            let mut rows = Array2::zeros((sparse.n_rows(), sparse.n_columns()));
            let mut numbers = vec![0.0; sparse.n_columns()];
            for (index, mut row) in rows.outer_iter_mut().enumerate() {
                sparse.fill(index, model.ensemble().absent, &mut numbers);
                row.assign(&ndarray::aview1(&numbers));
            }
            rows
        }
    };
    Ok(DenseTable { rows, feature_names: table.feature_names, kept: table.kept, warnings: table.warnings })
}

fn dense(numbers: Vec<f64>, n_features: usize) -> Result<Array2<f64>, Error> {
    Array2::from_shape_vec((numbers.len() / n_features.max(1), n_features), numbers)
        .map_err(|error| Error::request("background", error.to_string()))
}

fn push(into: &mut Csr, rows: ArrayView2<'_, f64>, absent: f64) {
    rows.rows().into_iter().for_each(|row| into.push(&row.to_vec(), absent));
}

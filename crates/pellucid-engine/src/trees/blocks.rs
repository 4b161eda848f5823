//! Table files → blocks of rows, with the columns in the order of the model's features.

use std::path::{Path, PathBuf};

use ndarray::Array2;

use super::array_table::ArrayTable;
use super::cells::Cells;
use super::columns::{Beside, Columns, columns};
use super::csv_table::CsvTable;
use super::model::TreeModel;
use super::parquet_table::ParquetTable;
use super::sparse_table::SparseTable;
use crate::error::Error;

/// The most rows that are read and explained at a time.
pub(crate) const BLOCK_ROWS: usize = 8192;

/// How many rows of so many bytes are taken at a time to keep to a limit.
pub(crate) fn rows_within(max_bytes: usize, bytes_of_row: usize) -> usize {
    (max_bytes / bytes_of_row.max(1)).clamp(1, BLOCK_ROWS)
}

/// Some rows of a table.
pub(crate) struct Block {
    /// `[rows, features]`; NaN is missing.
    pub(crate) rows: Array2<f64>,
    /// The file's name without its folder.
    pub(crate) file: String,
    /// Which row of the file the first one is.
    pub(crate) first_row: usize,
    /// The texts of the columns kept beside the features, `[columns][rows]`.
    pub(crate) kept: Vec<Vec<String>>,
}

/// What a reader gives at a time.
pub(crate) struct RowsRead {
    pub(crate) n_rows: usize,
    /// Row by row, in the order of the features.
    pub(crate) numbers: Vec<f64>,
    pub(crate) kept: Vec<Vec<String>>,
}

impl RowsRead {
    pub(crate) fn new(columns: &Columns) -> Self {
        Self { n_rows: 0, numbers: Vec::new(), kept: vec![Vec::new(); columns.kept.len()] }
    }
}

/// The rows of some files, one below the other.
pub(crate) struct Blocks<'a> {
    model: &'a TreeModel,
    paths: &'a [PathBuf],
    array: Option<&'a str>,
    beside: Beside<'a>,
    n_at_once: usize,
    next_path: usize,
    open: Option<OpenTable>,
    cells: Cells,
    feature_names: Vec<String>,
    warnings: Vec<String>,
    n_rows_read: usize,
}

struct OpenTable {
    source: Source,
    columns: Columns,
    n_rows_read: usize,
}

enum Source {
    Csv(Box<CsvTable>),
    Parquet(Box<ParquetTable>),
    Array(ArrayTable),
    Sparse(SparseTable),
}

impl<'a> Blocks<'a> {
    /// Opens the first file, so that its faults come before any work. `array` is the array of an `.npz` file; `n_at_once`
    /// rows are in a block, or fewer.
    pub(crate) fn open(
        model: &'a TreeModel,
        paths: &'a [PathBuf],
        array: Option<&'a str>,
        beside: Beside<'a>,
        n_at_once: usize,
    ) -> Result<Self, Error> {
        let cells = Cells::new(model.ensemble());
        let (feature_names, warnings) = (Vec::new(), Vec::new());
        let mut blocks = Self {
            model,
            paths,
            array,
            beside,
            n_at_once,
            next_path: 0,
            open: None,
            cells,
            feature_names,
            warnings,
            n_rows_read: 0,
        };
        if !blocks.open_next()? {
            return Err(Error::request("input", "name at least one file"));
        }
        Ok(blocks)
    }

    /// The names of the features: the model's, or the first table's.
    pub(crate) fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// The next rows; `None` after the last.
    pub(crate) fn next_block(&mut self) -> Result<Option<Block>, Error> {
        while let Some(open) = &mut self.open {
            let path = &self.paths[self.next_path - 1];
            let fault = |reason: String| Error::input(path, reason);
            let read = open.read(self.n_at_once, &mut self.cells).map_err(fault)?;
            if read.n_rows > 0 {
                let first_row = open.n_rows_read;
                open.n_rows_read += read.n_rows;
                self.n_rows_read += read.n_rows;
                let shape = (read.n_rows, self.feature_names.len());
                let rows =
                    Array2::from_shape_vec(shape, read.numbers).map_err(|error| fault(error.to_string()))?;
                return Ok(Some(Block { rows, file: file_name(path), first_row, kept: read.kept }));
            }
            if open.n_rows_read == 0 {
                return Err(fault("holds no rows".to_owned()));
            }
            self.open_next()?;
        }
        Ok(None)
    }

    /// How many rows there will be, by the part of the files read so far.
    pub(crate) fn estimated_rows(&self) -> usize {
        let of_open = self.open.as_ref().map_or(0.0, |open| open.source.share_read());
        let done = self.next_path as f64 - 1.0 + of_open;
        (self.n_rows_read as f64 * self.paths.len() as f64 / done.max(1e-9)).round() as usize
    }

    /// Whether the last block came from a sparse table.
    pub(crate) fn is_sparse(&self) -> bool {
        matches!(&self.open, Some(OpenTable { source: Source::Sparse(_), .. }))
    }

    /// What the reader of an explanation must know of the tables.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.warnings.iter().cloned().chain(self.cells.warnings(&self.feature_names)).collect()
    }

    fn open_next(&mut self) -> Result<bool, Error> {
        self.open = None;
        let Some(path) = self.paths.get(self.next_path) else { return Ok(false) };
        self.next_path += 1;
        let source = Source::open(path, self.array, self.model)?;
        let columns = columns(path, source.header(), source.n_columns(), self.model, self.beside)?;
        if self.feature_names.is_empty() {
            self.feature_names.clone_from(&columns.feature_names);
        }
        self.warnings.extend(columns.warnings.iter().cloned());
        self.open = Some(OpenTable { source, columns, n_rows_read: 0 });
        Ok(true)
    }
}

impl OpenTable {
    fn read(&mut self, n: usize, cells: &mut Cells) -> Result<RowsRead, String> {
        match &mut self.source {
            Source::Csv(table) => table.read(n, &self.columns, cells),
            Source::Parquet(table) => table.read(n, &self.columns, cells),
            Source::Array(table) => table.read(n, &self.columns),
            Source::Sparse(table) => Ok(table.read(n, &self.columns)),
        }
    }
}

impl Source {
    fn open(path: &Path, array: Option<&str>, model: &TreeModel) -> Result<Self, Error> {
        let name = path.to_string_lossy().to_lowercase();
        if name.ends_with(".csv") || name.ends_with(".csv.gz") {
            return Ok(Self::Csv(Box::new(CsvTable::open(path, name.ends_with(".gz"))?)));
        }
        if name.ends_with(".parquet") {
            return Ok(Self::Parquet(Box::new(ParquetTable::open(path)?)));
        }
        if name.ends_with(".npz")
            && array.is_none()
            && let Some(table) = SparseTable::open(path, model.ensemble().absent)?
        {
            return Ok(Self::Sparse(table));
        }
        if name.ends_with(".npy") || name.ends_with(".npz") {
            return Ok(Self::Array(ArrayTable::open(path, array, model.ensemble().n_features)?));
        }
        Err(Error::input(path, "is no table; a tree model takes .csv, .csv.gz, .parquet, .npy or .npz"))
    }

    fn header(&self) -> Option<&[String]> {
        match self {
            Self::Csv(table) => Some(table.header()),
            Self::Parquet(table) => Some(table.header()),
            Self::Array(_) | Self::Sparse(_) => None,
        }
    }

    fn n_columns(&self) -> usize {
        match self {
            Self::Csv(table) => table.header().len(),
            Self::Parquet(table) => table.header().len(),
            Self::Array(table) => table.n_columns(),
            Self::Sparse(table) => table.n_columns(),
        }
    }

    fn share_read(&self) -> f64 {
        match self {
            Self::Csv(table) => table.share_read(),
            Self::Parquet(table) => table.share_read(),
            Self::Array(table) => table.share_read(),
            Self::Sparse(table) => table.share_read(),
        }
    }
}

/// A file's name without its folder.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

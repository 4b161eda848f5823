//! Rows for a predicted model, in f64, with where they came from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ndarray::{ArrayD, Axis};
use pellucid_core::{row_digest, row_digest_f64};

use crate::error::Error;
use crate::explanation::RowSource;
use crate::input::{Input, Source, hex};
use crate::model::LoadedModel;
use crate::trees::{TreeModel, whole_tables};

/// Rows to be explained, with where they came from.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictedRows {
    /// `[rows, features…]`; NaN is a missing value of a table.
    pub rows: ArrayD<f64>,
    /// One for each row.
    pub sources: Vec<Source>,
    /// The names of the features, for tables.
    pub feature_names: Option<Vec<String>>,
    /// Columns of a table that are no features, as texts, by name.
    pub other_columns: BTreeMap<String, Vec<String>>,
    /// What must be known of the rows.
    pub warnings: Vec<String>,
}

impl PredictedRows {
    /// Rows that came from no file.
    pub fn from_rows(rows: ArrayD<f64>, feature_names: Option<Vec<String>>) -> Self {
        let n_rows = if rows.ndim() == 0 { 0 } else { rows.len_of(Axis(0)) };
        let sources = (0..n_rows).map(|row_index| source(String::new(), row_index)).collect();
        Self { rows, sources, feature_names, other_columns: BTreeMap::new(), warnings: Vec::new() }
    }

    /// The names of a table's columns; those without are counted.
    pub fn names_of_columns(&self) -> Vec<String> {
        let n = self.rows.shape().get(1).copied().unwrap_or(0);
        let numbered = || (0..n).map(|index| format!("feature {index}")).collect();
        self.feature_names.clone().unwrap_or_else(numbered)
    }

    /// Reads files as a network's inputs; the columns `kept` of a table are none of them.
    ///
    /// # Errors
    /// As [`LoadedModel::read_input`].
    pub fn of_network(
        model: &LoadedModel,
        paths: &[PathBuf],
        array: Option<&str>,
        kept: &[String],
    ) -> Result<Self, Error> {
        Ok(model.read_table(paths, array, kept)?.into())
    }

    /// Reads tables as a tree model's rows; the columns `kept` are no features.
    ///
    /// # Errors
    /// A table that cannot be read or does not fit, or lacks a column.
    pub fn of_trees(
        model: &TreeModel,
        paths: &[PathBuf],
        array: Option<&str>,
        kept: &[String],
    ) -> Result<Self, Error> {
        let mut all: Option<Self> = None;
        for path in paths {
            let table = whole_tables(model, std::slice::from_ref(path), array, kept)?;
            let sources =
                (0..table.rows.nrows()).map(|row_index| source(file_name(path), row_index)).collect();
            let (rows, feature_names) = (table.rows.into_dyn(), Some(table.feature_names));
            let other_columns = kept.iter().cloned().zip(table.kept).collect();
            let part = Self { rows, sources, feature_names, other_columns, warnings: table.warnings };
            all = Some(match all {
                None => part,
                Some(all) => all.followed_by(part).map_err(|reason| Error::input(path, reason))?,
            });
        }
        all.ok_or_else(|| Error::request("input", "name at least one file"))
    }

    fn followed_by(mut self, part: Self) -> Result<Self, String> {
        self.rows.append(Axis(0), part.rows.view()).map_err(|error| error.to_string())?;
        self.sources.extend(part.sources);
        for (name, texts) in part.other_columns {
            self.other_columns.entry(name).or_default().extend(texts);
        }
        self.warnings.extend(part.warnings);
        Ok(self)
    }

    /// Where each row came from, with its digest.
    pub(crate) fn row_sources(&self, takes_f32: bool) -> Vec<RowSource> {
        let digest = |row: ndarray::ArrayViewD<'_, f64>| match takes_f32 {
            true => hex(&row_digest(row.mapv(|x| x as f32).view())),
            false => hex(&row_digest_f64(row)),
        };
        let digests = self.rows.outer_iter().map(digest);
        self.sources
            .iter()
            .cloned()
            .zip(digests)
            .map(|(source, digest)| RowSource { source, digest })
            .collect()
    }
}

impl From<Input> for PredictedRows {
    fn from(input: Input) -> Self {
        Self {
            rows: input.rows.mapv(f64::from),
            sources: input.sources,
            feature_names: input.feature_names,
            other_columns: input.other_columns,
            warnings: input.warnings,
        }
    }
}

fn source(file: String, row_index: usize) -> Source {
    Source { file, row_index, crop_box: None }
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

//! The attributions of all rows, block by block, into one file that is there whole or not at all.

mod csv_sink;
mod npz_sink;
mod parquet_sink;

use std::path::PathBuf;
use std::str::FromStr;

use ndarray::{ArrayViewD, Axis};

use self::csv_sink::CsvSink;
use self::npz_sink::NpzSink;
use self::parquet_sink::ParquetSink;
use super::explain::{TableOutput, by_row};
use super::targets::Explained;
use crate::error::Error;
use crate::file::Pending;

/// The form of the file of attributions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TableFormat {
    /// `attributions.csv`.
    #[default]
    Csv,
    /// `attributions.parquet`.
    Parquet,
    /// `attributions.npz`.
    Npz,
}

impl FromStr for TableFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "csv" => Ok(Self::Csv),
            "parquet" => Ok(Self::Parquet),
            "npz" => Ok(Self::Npz),
            _ => Err(format!("no format `{text}`; there are: csv, parquet, npz")),
        }
    }
}

/// The names of the values of one target, in order: features, pairs `a × b`, or sets.
pub(crate) fn value_names(features: &[String], sets: Option<&[Vec<u32>]>, n_axes: usize) -> Vec<String> {
    let joined = |set: &mut dyn Iterator<Item = usize>| {
        set.map(|index| features[index].as_str()).collect::<Vec<_>>().join(" × ")
    };
    match sets {
        Some(sets) => sets.iter().map(|set| joined(&mut set.iter().map(|&index| index as usize))).collect(),
        None if n_axes == 4 => pairs(features.len())
            .map(|(i, j)| if i == j { features[i].clone() } else { joined(&mut [i, j].into_iter()) })
            .collect(),
        None => features.to_vec(),
    }
}

/// Each feature alone and each pair once.
fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |i| (i..n).map(move |j| (i, j)))
}

/// Values in the order of [`value_names`]: both halves of a pair in one.
fn flat(values: ArrayViewD<'_, f64>) -> Vec<f64> {
    match values.ndim() {
        2 => pairs(values.shape()[0])
            .map(|(i, j)| if i == j { values[[i, j]] } else { values[[i, j]] + values[[j, i]] })
            .collect(),
        _ => values.iter().copied().collect(),
    }
}

/// Writes block after block.
pub(crate) struct Writer {
    sink: Sink,
    path: PathBuf,
    n_rows: usize,
}

enum Sink {
    Csv(CsvSink),
    Parquet(ParquetSink),
    Npz(NpzSink),
}

/// One row and target of the file.
pub(crate) struct Line {
    pub(crate) row: usize,
    /// The explained output, where each target is one.
    pub(crate) label: String,
    pub(crate) output: f64,
    pub(crate) base_value: f64,
    /// In the order of [`value_names`].
    pub(crate) values: Vec<f64>,
    /// The standard error of each value; none where values are exact.
    pub(crate) errors: Vec<f64>,
}

/// The columns of a file with one line a row and target.
pub(crate) struct Header {
    /// Whether lines tell their target.
    pub(crate) has_targets: bool,
    pub(crate) names: Vec<String>,
}

impl Header {
    fn new(values: &[String], has_targets: bool, has_errors: bool) -> Self {
        let first = ["row", "target", "output", "base_value"].into_iter();
        let first = first.filter(|name| has_targets || *name != "target").map(str::to_owned);
        let errors = values.iter().filter(|_| has_errors).map(|name| format!("standard_error of {name}"));
        let names = first.chain(values.iter().cloned()).chain(errors).collect();
        Self { has_targets, names }
    }
}

impl Writer {
    /// Opens a file for explained rows like these.
    pub(crate) fn new(output: &TableOutput, names: &[String], explained: &Explained) -> Result<Self, Error> {
        let (n_targets, has_errors) = (explained.values.shape()[1], explained.standard_error.is_some());
        let header = Header::new(names, n_targets > 1, has_errors);
        let open = |file: &str| {
            let path = output.folder.join(file);
            Ok::<_, Error>((Pending::new(&path)?, path))
        };
        let (sink, path) = match output.format {
            TableFormat::Csv => {
                let (file, path) = open("attributions.csv")?;
                (CsvSink::new(file, &header).map(Sink::Csv), path)
            }
            TableFormat::Parquet => {
                let (file, path) = open("attributions.parquet")?;
                (ParquetSink::new(file, &header).map(Sink::Parquet), path)
            }
            TableFormat::Npz => {
                let (file, path) = open("attributions.npz")?;
                let sink = NpzSink::new(file, &output.folder, names, n_targets, has_errors);
                (sink.map(Sink::Npz), path)
            }
        };
        let sink = sink.map_err(|reason| Error::output(&path, reason))?;
        Ok(Self { sink, path, n_rows: 0 })
    }

    /// One line a row and target.
    pub(crate) fn write(
        &mut self,
        explained: &Explained,
        label: impl Fn(usize) -> String,
    ) -> Result<(), Error> {
        let mut lines = Vec::new();
        for (row, values) in by_row(explained).enumerate() {
            for (target, values) in values.axis_iter(Axis(0)).enumerate() {
                let index = explained.indices.as_ref().map(|indices| indices[row][target]);
                let errors = explained.standard_error.as_ref();
                let errors = errors.map(|all| all.index_axis(Axis(0), row).index_axis_move(Axis(0), target));
                lines.push(Line {
                    row: self.n_rows,
                    label: index.map_or_else(String::new, &label),
                    output: explained.outputs[[row, target]],
                    base_value: explained.base_values.as_ref().map_or(f64::NAN, |base| base[[row, target]]),
                    values: flat(values),
                    errors: errors.map_or_else(Vec::new, flat),
                });
            }
            self.n_rows += 1;
        }
        let written = match &mut self.sink {
            Sink::Csv(sink) => sink.write(&lines),
            Sink::Parquet(sink) => sink.write(&lines),
            Sink::Npz(sink) => sink.write(&lines),
        };
        written.map_err(|reason| Error::output(&self.path, reason))
    }

    /// Gives the file its name.
    pub(crate) fn finish(self) -> Result<PathBuf, Error> {
        let pending = match self.sink {
            Sink::Csv(sink) => sink.finish(),
            Sink::Parquet(sink) => sink.finish(),
            Sink::Npz(sink) => sink.finish(self.n_rows),
        };
        pending.map_err(|reason| Error::output(&self.path, reason))?.finish()?;
        Ok(self.path)
    }
}

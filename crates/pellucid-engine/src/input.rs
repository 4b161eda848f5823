//! Input files → rows of a model.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ndarray::{Array2, ArrayD, Axis};
use pellucid_core::row_digest;

use crate::error::Error;
use crate::file;
use crate::npy;
use crate::npz::Npz;
use crate::photo::Photo;
use crate::preprocess::Preprocess;
use crate::table;

/// Rows to be explained, with where they came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// `[rows, features…]`.
    pub rows: ArrayD<f32>,
    /// One for each row.
    pub sources: Vec<Source>,
    /// The names of the features, for tables.
    pub feature_names: Option<Vec<String>>,
    /// Columns of a table that are no features, as texts, by name.
    pub other_columns: BTreeMap<String, Vec<String>>,
    /// What the reader of an explanation must know of the inputs.
    pub warnings: Vec<String>,
}

/// Where a row came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The file's name without its folder; empty for rows that came from no file.
    pub file: String,
    /// Which row of the file.
    pub row_index: usize,
    /// For a photo, the part that the model sees: left, top, right, bottom, in pixel edges of the upright photo.
    pub crop_box: Option<[f64; 4]>,
}

/// How input files are read.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadOptions<'a> {
    /// The shape of a row, which the model knows.
    pub input_shape: &'a [usize],
    /// The name of the model's input, by which an array is found among several.
    pub input_name: &'a str,
    /// The array of an `.npz` file.
    pub array: Option<&'a str>,
    /// What is done to photos.
    pub preprocess: Option<&'a Preprocess>,
    /// Columns of a table that are no features and are read as texts; a file without one of them is refused.
    pub kept: &'a [String],
}

impl Input {
    /// Rows that came from no file.
    pub fn from_rows(rows: ArrayD<f32>) -> Self {
        let n_rows = if rows.ndim() == 0 { 0 } else { rows.len_of(Axis(0)) };
        let source = |row_index| Source { file: String::new(), row_index, crop_box: None };
        let sources = (0..n_rows).map(source).collect();
        Self { rows, sources, feature_names: None, other_columns: BTreeMap::new(), warnings: Vec::new() }
    }

    /// Reads `.npy`, `.npz`, `.csv`, `.png` and `.jpg` files, all rows one below the other.
    ///
    /// # Errors
    /// A file that cannot be read, of another kind, or whose rows do not fit the model; a number that is none.
    pub fn read(paths: &[PathBuf], options: &ReadOptions<'_>) -> Result<Self, Error> {
        let mut parts = paths.iter().map(|path| read_one(path, options));
        let mut input = parts.next().ok_or_else(|| Error::request("input", "name at least one file"))??;
        for (part, path) in parts.zip(&paths[1..]) {
            let part = part?;
            if part.feature_names.is_some() && part.feature_names != input.feature_names {
                return Err(Error::input(path, "names other features than the file before"));
            }
            let views = [input.rows.view(), part.rows.view()];
            input.rows = ndarray::concatenate(Axis(0), &views)
                .map_err(|error| Error::input(path, error.to_string()))?;
            input.sources.extend(part.sources);
            for (name, texts) in part.other_columns {
                input.other_columns.entry(name).or_default().extend(texts);
            }
            input.warnings.extend(part.warnings);
        }
        Ok(input)
    }

    /// SHA-256 of each row, in hexadecimal: see [`row_digest`].
    pub fn digests(&self) -> Vec<String> {
        self.rows.axis_iter(Axis(0)).map(|row| hex(&row_digest(row))).collect()
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn read_one(path: &Path, options: &ReadOptions<'_>) -> Result<Input, Error> {
    let mut crop_box = None;
    let mut feature_names = None;
    let mut other_columns = BTreeMap::new();
    let mut warnings = Vec::new();
    let rows = match ending(path).as_str() {
        "png" | "jpg" | "jpeg" => {
            let photo = Photo::read(path)?;
            let preprocess = options.preprocess.ok_or_else(|| no_preprocessing(path))?;
            let prepared = photo.prepare(preprocess)?;
            crop_box = Some(prepared.crop_box);
            warnings.extend(photo.warnings.iter().map(|warning| format!("{}: {warning}", path.display())));
            let hint = "after preprocessing";
            fitting(path, prepared.row.insert_axis(Axis(0)), options.input_shape, hint)?
        }
        "csv" => {
            if let (Some(name), true) = (options.kept.first(), options.input_shape.len() > 1) {
                let reason =
                    format!("is a series, a line a step: no column such as `{name}` is kept beside its rows");
                return Err(Error::input(path, reason));
            }
            let table = table::read(path, options.kept)?;
            feature_names = Some(table.feature_names);
            other_columns = options.kept.iter().cloned().zip(table.kept).collect();
            fitting_table(path, table.rows, options.input_shape)?
        }
        _ => rows_of_array(path, options)?,
    };
    if let Some(missing) = options.kept.iter().find(|&name| !other_columns.contains_key(name)) {
        let reason = format!("has no names of columns, so none is `{missing}`; give a .csv file");
        return Err(Error::input(path, reason));
    }
    let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let source = |row_index| Source { file: file.clone(), row_index, crop_box };
    let sources = (0..rows.len_of(Axis(0))).map(source).collect();
    Ok(Input { rows, sources, feature_names, other_columns, warnings })
}

fn no_preprocessing(path: &Path) -> Error {
    let reason = "nothing says what the model expects of a photo; write MODEL.preprocess.json beside the model, or say \
                  --resize, --crop, --range, --mean and --std";
    Error::input(path, reason)
}

/// The rows of an array or table file.
pub(crate) fn rows_of_file(
    path: &Path,
    array: Option<&str>,
    input_shape: &[usize],
) -> Result<ArrayD<f32>, Error> {
    match ending(path).as_str() {
        "csv" => fitting_table(path, table::read(path, &[])?.rows, input_shape),
        _ => rows_of_array(path, &ReadOptions { input_shape, array, ..ReadOptions::default() }),
    }
}

fn ending(path: &Path) -> String {
    path.extension().map_or_else(String::new, |ending| ending.to_string_lossy().to_lowercase())
}

fn rows_of_array(path: &Path, options: &ReadOptions<'_>) -> Result<ArrayD<f32>, Error> {
    let numbers = numbers_of_file(path, options)?;
    fitting(path, numbers.mapv(|x| x as f32), options.input_shape, "")
}

/// The numbers of an `.npy` or `.npz` file, of whatever shape.
pub(crate) fn numbers_of_file(path: &Path, options: &ReadOptions<'_>) -> Result<ArrayD<f64>, Error> {
    let numbers = match ending(path).as_str() {
        "npy" => npy::parse(&file::read(path)?),
        "npz" => chosen_array(&file::read(path)?, options),
        "parquet" | "txt" => {
            return Err(Error::Unsupported {
                what: format!(
                    "{}: such inputs are not supported for networks yet; give .npy, .npz, .csv, .png or .jpg",
                    path.display()
                ),
            });
        }
        _ => Err("is of an unknown kind; give .npy, .npz, .csv, .png or .jpg".to_owned()),
    };
    numbers.map_err(|reason| Error::input(path, reason))
}

/// The array named, the only one, or the one called as the model's input.
fn chosen_array(bytes: &[u8], options: &ReadOptions<'_>) -> Result<ArrayD<f64>, String> {
    let mut npz = Npz::open(bytes)?;
    let names = npz.names();
    let wanted = match options.array {
        Some(name) => Some(name.to_owned()),
        None if names.len() == 1 => names.first().cloned(),
        None => {
            let own = [options.input_name.to_owned(), format!("in_{}", options.input_name)];
            own.into_iter().find(|name| names.contains(name))
        }
    };
    match wanted {
        Some(name) if names.contains(&name) => npz.array(&name),
        _ => Err(format!("holds the arrays {}; name one with --array", names.join(", "))),
    }
}

/// The rows of a table: a line each, or for series a line a step and a column a channel, one series below the other.
fn fitting_table(path: &Path, lines: Array2<f32>, input_shape: &[usize]) -> Result<ArrayD<f32>, Error> {
    let [a, b] = *input_shape else { return fitting(path, lines.into_dyn(), input_shape, "") };
    let (n_lines, n_columns) = lines.dim();
    let (n_steps, is_lying) = if n_columns == b { (a, false) } else { (b, true) };
    let n_channels = if is_lying { a } else { b };
    if n_columns != n_channels || n_lines % n_steps != 0 {
        let reason = format!(
            "has {n_lines} lines of {n_columns} columns, and a row of the model is a series of shape {input_shape:?}: give a line a step \
             and a column a channel, one series below the other"
        );
        return Err(Error::input(path, reason));
    }
    let series = lines.into_shape_with_order((n_lines / n_steps, n_steps, n_channels));
    let series = series.map_err(|error| Error::input(path, error.to_string()))?;
    let series = if is_lying { series.permuted_axes([0, 2, 1]) } else { series };
    fitting(path, series.as_standard_layout().into_owned().into_dyn(), input_shape, "")
}

/// Checks that rows have the model's shape, adding the leading axis to a single one, and that all are finite numbers.
fn fitting(path: &Path, rows: ArrayD<f32>, input_shape: &[usize], hint: &str) -> Result<ArrayD<f32>, Error> {
    let rows = if rows.shape() == input_shape { rows.insert_axis(Axis(0)) } else { rows };
    if rows.ndim() == 0 || rows.shape()[1..] != *input_shape {
        let expected: String = input_shape.iter().map(|n| format!(", {n}")).collect();
        let hint = if hint.is_empty() { String::new() } else { format!(" {hint}") };
        let reason = format!("has shape {:?}{hint}, the model takes [rows{expected}]", rows.shape());
        return Err(Error::input(path, reason));
    }
    if rows.is_empty() {
        return Err(Error::input(path, "holds no rows"));
    }
    match rows.indexed_iter().find(|(_, x)| !x.is_finite()) {
        Some((place, x)) => {
            let place = ndarray::Dimension::slice(&place).to_vec();
            Err(Error::input(path, format!("holds {x} at {place:?}; replace it before explaining")))
        }
        None => Ok(rows),
    }
}

#[cfg(test)]
mod tests;

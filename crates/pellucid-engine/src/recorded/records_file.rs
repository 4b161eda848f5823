//! Records and their payloads → a Parquet table: a row a record, and for tables a column for each feature's cell and value.

use std::path::{Path, PathBuf};

use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;
use pellucid_store::{Array, Payload, Record};
use serde_json::{Value, json};

use crate::error::Error;
use crate::file::Pending;
use crate::parquet_columns::{Kind, column, open};

/// Columns of a record, in order.
const COLUMNS: [(&str, Kind); 17] = [
    ("entry", Kind::Integer),
    ("timestamp", Kind::Time),
    ("prediction_id", Kind::Text),
    ("model_name", Kind::Text),
    ("model_version", Kind::Text),
    ("model_digest", Kind::Text),
    ("method", Kind::Text),
    ("parameters", Kind::Text),
    ("seed", Kind::Text),
    ("outputs", Kind::Text),
    ("checks", Kind::Text),
    ("runtime_fingerprint", Kind::Text),
    ("comparability_key", Kind::Text),
    ("inclusion_probability", Kind::Number),
    ("target", Kind::Text),
    ("output", Kind::Number),
    ("base_value", Kind::Number),
];

/// One record as it goes into the table.
type Row<'a> = (u64, &'a Record, Option<&'a Payload>);

/// A Parquet file of records. What has a form of its own (parameters, checks, outputs) is JSON; what was erased or is not
/// there is NaN, or an empty text. Of records of a table the features' cells follow, and then `value of NAME` for each: the table can be
/// explained again.
///
/// ```
/// use pellucid_engine::{RecordsFile, feature_names};
/// # fn write(records: &[(u64, pellucid_store::Record, pellucid_store::Payload)]) -> Result<(), pellucid_engine::Error> {
/// let rows: Vec<_> = records.iter().map(|(index, record, payload)| (*index, record, Some(payload))).collect();
/// let features = records.iter().find_map(|(_, _, payload)| feature_names(payload)).unwrap_or_default();
/// let mut file = RecordsFile::create("records.parquet".as_ref(), features)?;
/// file.write(&rows)?;
/// file.finish()
/// # }
/// ```
pub struct RecordsFile {
    file: SerializedFileWriter<Pending>,
    path: PathBuf,
    features: Vec<String>,
}

impl RecordsFile {
    /// Begins a file of records with these [features](feature_names); without any, of records of whatever kind.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn create(path: &Path, features: Vec<String>) -> Result<Self, Error> {
        let cells = features.iter().map(|name| cell_name(name));
        let own: Vec<String> = cells.chain(features.iter().map(|name| format!("value of {name}"))).collect();
        let mut columns = COLUMNS.to_vec();
        columns.extend(own.iter().map(|name| (name.as_str(), Kind::Number)));
        let file = open(Pending::new(path)?, "records", &columns);
        let file = file.map_err(|reason| Error::output(path, reason))?;
        Ok(Self { file, path: path.to_owned(), features })
    }

    /// Writes the next records.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where one has other features; [`Error::Output`].
    pub fn write(&mut self, rows: &[Row<'_>]) -> Result<(), Error> {
        for (index, _, payload) in rows {
            let own = payload.and_then(feature_names);
            if !self.features.is_empty() && own.is_some_and(|own| own != self.features) {
                return Err(Error::Unsupported {
                    what: format!(
                        "a table of records with different features (entry {index}) is not supported; choose records that are \
                         alike, as by --comparability-key"
                    ),
                });
            }
        }
        self.write_group(rows).map_err(|error| Error::output(&self.path, error))
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn finish(self) -> Result<(), Error> {
        let pending = self.file.into_inner().map_err(|error| Error::output(&self.path, error))?;
        pending.finish()
    }

    fn write_group(&mut self, rows: &[Row<'_>]) -> Result<(), ParquetError> {
        let n_features = self.features.len();
        let mut group = self.file.next_row_group()?;
        for (name, kind) in COLUMNS {
            match kind {
                Kind::Integer | Kind::Time => {
                    let integers: Vec<i64> = rows.iter().map(|row| integer(row, name)).collect();
                    column::<Int64Type>(&mut group, &integers)?;
                }
                Kind::Number => {
                    let numbers: Vec<f64> = rows.iter().map(|row| number(row, name)).collect();
                    column::<DoubleType>(&mut group, &numbers)?;
                }
                Kind::Text => {
                    let texts: Vec<ByteArray> =
                        rows.iter().map(|row| text(row, name).as_str().into()).collect();
                    column::<ByteArrayType>(&mut group, &texts)?;
                }
            }
        }
        for array in ["input", "values"] {
            let of_rows: Vec<Vec<f64>> = rows.iter().map(|row| numbers(row.2, array, n_features)).collect();
            for feature in 0..n_features {
                let cells: Vec<f64> = of_rows.iter().map(|cells| cells[feature]).collect();
                column::<DoubleType>(&mut group, &cells)?;
            }
        }
        group.close()?;
        Ok(())
    }
}

fn integer((index, record, _): &Row<'_>, name: &str) -> i64 {
    match name {
        "entry" => *index as i64,
        _ => record.timestamp_micros,
    }
}

fn number((_, record, payload): &Row<'_>, name: &str) -> f64 {
    match name {
        "inclusion_probability" => record.inclusion_probability,
        detail => payload.and_then(|it| it.details[detail].as_f64()).unwrap_or(f64::NAN),
    }
}

fn text((_, record, payload): &Row<'_>, name: &str) -> String {
    match name {
        "prediction_id" => record.prediction_id.clone(),
        "model_name" => record.model.name.clone(),
        "model_version" => record.model.version.clone(),
        "model_digest" => record.model.digest.to_string(),
        "method" => record.method.clone(),
        "parameters" => json!(record.parameters).to_string(),
        "seed" => record.seed.map_or_else(String::new, |seed| seed.to_string()),
        "outputs" => json!(record.prediction).to_string(),
        "checks" => json!(record.checks).to_string(),
        "runtime_fingerprint" => record.runtime_fingerprint.clone(),
        "comparability_key" => record.comparability_key.clone(),
        _ => payload.and_then(|it| it.details["target"]["name"].as_str()).unwrap_or_default().to_owned(),
    }
}

/// A feature is called as in its table, unless a column of the record is.
fn cell_name(feature: &str) -> String {
    match COLUMNS.iter().any(|(column, _)| *column == feature) {
        true => format!("input {feature}"),
        false => feature.to_owned(),
    }
}

/// The names of a record's features, where there is one value a feature.
pub fn feature_names(payload: &Payload) -> Option<Vec<String>> {
    let names = payload.details["feature_names"].as_array()?;
    let names: Vec<String> = names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let fits = |array: &Array| array.shape() == [names.len() as u64];
    let one_each = payload.input.first().is_some_and(fits) && payload.attribution.first().is_some_and(fits);
    one_each.then_some(names)
}

/// The numbers of an array; NaN where it is not there.
fn numbers(payload: Option<&Payload>, name: &str, n: usize) -> Vec<f64> {
    let arrays = payload.into_iter().flat_map(|it| it.input.iter().chain(&it.attribution));
    let found = arrays.filter(|array| array.name() == name).find_map(Array::numbers);
    found.filter(|numbers: &Vec<f64>| numbers.len() == n).unwrap_or_else(|| vec![f64::NAN; n])
}

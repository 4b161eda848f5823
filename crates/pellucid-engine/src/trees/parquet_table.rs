//! Parquet, read block by block: one reader a column that is wanted.

use std::fs::File;
use std::path::Path;

use parquet::basic::{ConvertedType, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use super::blocks::RowsRead;
use super::cells::Cells;
use super::columns::Columns;
use crate::error::Error;

/// A Parquet file.
pub(crate) struct ParquetTable {
    file: SerializedFileReader<File>,
    header: Vec<String>,
    next_group: usize,
    /// Of the row group that is being read: a reader for each feature, then for each column kept.
    readers: Vec<ColumnReader>,
    n_read: usize,
    n_left_in_group: usize,
}

/// What a column holds.
enum Column {
    Numbers(Vec<Option<f64>>),
    Texts(Vec<Option<String>>),
}

impl ParquetTable {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let fault = |reason: String| Error::input(path, reason);
        let file = File::open(path).map_err(|error| fault(format!("cannot be read: {error}")))?;
        if file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
            return Err(fault("the file is empty".to_owned()));
        }
        let file = SerializedFileReader::new(file)
            .map_err(|error| fault(format!("is no readable Parquet file: {error}")))?;
        let columns = file.metadata().file_metadata().schema_descr().columns();
        let header = columns.iter().map(|column| column.path().string()).collect();
        Ok(Self { file, header, next_group: 0, readers: Vec::new(), n_read: 0, n_left_in_group: 0 })
    }

    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    pub(crate) fn share_read(&self) -> f64 {
        let n_rows = self.file.metadata().file_metadata().num_rows().max(1);
        self.n_read as f64 / n_rows as f64
    }

    /// At most `n` more rows, all of one row group.
    pub(crate) fn read(
        &mut self,
        n: usize,
        columns: &Columns,
        cells: &mut Cells,
    ) -> Result<RowsRead, String> {
        let mut read = RowsRead::new(columns);
        let wanted: Vec<usize> = columns.features.iter().chain(&columns.kept).copied().collect();
        while self.n_left_in_group == 0 {
            if !self.next_group(&wanted)? {
                return Ok(read);
            }
        }
        let n_rows = n.min(self.n_left_in_group);
        let n_features = columns.features.len();
        read.numbers = vec![f64::NAN; n_rows * n_features];
        for (place, (&column, reader)) in wanted.iter().zip(&mut self.readers).enumerate() {
            let descriptor = self.file.metadata().file_metadata().schema_descr().column(column);
            let name = &self.header[column];
            let fault =
                |row: usize, reason: String| format!("row {}, column `{name}`: {reason}", self.n_read + row);
            let held = column_of(reader, &descriptor, n_rows)
                .map_err(|reason| format!("column `{name}`: {reason}"))?;
            if place >= n_features {
                read.kept[place - n_features] = held.into_texts();
                continue;
            }
            for row in 0..n_rows {
                let value = held.value(row, place, cells).map_err(|reason| fault(row, reason))?;
                read.numbers[row * n_features + place] = value;
            }
        }
        read.n_rows = n_rows;
        self.n_read += n_rows;
        self.n_left_in_group -= n_rows;
        Ok(read)
    }

    fn next_group(&mut self, wanted: &[usize]) -> Result<bool, String> {
        if self.next_group >= self.file.num_row_groups() {
            return Ok(false);
        }
        let group = self.file.get_row_group(self.next_group).map_err(|error| error.to_string())?;
        let readers =
            wanted.iter().map(|&column| group.get_column_reader(column).map_err(|error| error.to_string()));
        self.readers = readers.collect::<Result<_, _>>()?;
        self.n_left_in_group = group.metadata().num_rows().max(0) as usize;
        self.next_group += 1;
        Ok(true)
    }
}

impl Column {
    /// The value of a feature, as a cell of text would give it.
    fn value(&self, row: usize, feature: usize, cells: &mut Cells) -> Result<f64, String> {
        match self {
            Self::Numbers(numbers) => match numbers[row] {
                None => Ok(f64::NAN),
                Some(number) if number.is_nan() => Ok(number),
                Some(number) if cells.has_categories(feature) => cells.value(feature, &number.to_string()),
                Some(number) => Cells::checked(number),
            },
            Self::Texts(texts) => cells.value(feature, texts[row].as_deref().unwrap_or_default()),
        }
    }

    fn into_texts(self) -> Vec<String> {
        match self {
            Self::Numbers(numbers) => {
                numbers.into_iter().map(|x| x.map_or_else(String::new, |x| x.to_string())).collect()
            }
            Self::Texts(texts) => texts.into_iter().map(Option::unwrap_or_default).collect(),
        }
    }
}

/// The next `n` cells of a column.
fn column_of(reader: &mut ColumnReader, descriptor: &ColumnDescriptor, n: usize) -> Result<Column, String> {
    if descriptor.max_rep_level() > 0 {
        return Err("holds lists; a feature is one number or text".to_owned());
    }
    let kind = descriptor.converted_type();
    let refused = || Err(format!("holds {}, which is no plain number or text", kind_name(descriptor)));
    let level = descriptor.max_def_level();
    let numbers = |cells: Vec<Option<f64>>| Ok(Column::Numbers(cells));
    match (reader, kind) {
        (_, ConvertedType::DECIMAL | ConvertedType::DATE | ConvertedType::INTERVAL)
        | (_, ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS)
        | (_, ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIMESTAMP_MICROS) => refused(),
        (ColumnReader::BoolColumnReader(reader), _) => {
            numbers(cells(reader, level, n, |x| f64::from(u8::from(*x)))?)
        }
        (ColumnReader::Int32ColumnReader(reader), ConvertedType::UINT_32) => {
            numbers(cells(reader, level, n, |x| f64::from(*x as u32))?)
        }
        (ColumnReader::Int32ColumnReader(reader), _) => numbers(cells(reader, level, n, |x| f64::from(*x))?),
        (ColumnReader::Int64ColumnReader(reader), ConvertedType::UINT_64) => {
            numbers(cells(reader, level, n, |x| *x as u64 as f64)?)
        }
        (ColumnReader::Int64ColumnReader(_), _) if descriptor.logical_type_ref().is_some_and(is_time) => {
            refused()
        }
        (ColumnReader::Int64ColumnReader(reader), _) => numbers(cells(reader, level, n, |x| *x as f64)?),
        (ColumnReader::FloatColumnReader(reader), _) => numbers(cells(reader, level, n, |x| f64::from(*x))?),
        (ColumnReader::DoubleColumnReader(reader), _) => numbers(cells(reader, level, n, |x| *x)?),
        (ColumnReader::ByteArrayColumnReader(reader), _) => {
            let texts =
                cells(reader, level, n, |bytes| std::str::from_utf8(bytes.data()).map(str::to_owned).ok())?;
            let texts: Option<Vec<Option<String>>> =
                texts.into_iter().map(|cell| cell.map_or(Some(None), |text| text.map(Some))).collect();
            texts.map(Column::Texts).ok_or_else(|| "holds bytes that are no UTF-8 text".to_owned())
        }
        _ => refused(),
    }
}

fn is_time(kind: &parquet::basic::LogicalType) -> bool {
    use parquet::basic::LogicalType;
    matches!(kind, LogicalType::Timestamp { .. } | LogicalType::Time { .. })
}

fn kind_name(descriptor: &ColumnDescriptor) -> String {
    match (descriptor.converted_type(), descriptor.physical_type()) {
        (ConvertedType::NONE, Type::INT96) => "timestamps".to_owned(),
        (ConvertedType::NONE, kind) => format!("{kind}"),
        (kind, _) => format!("{kind}"),
    }
}

/// The next `n` cells; a definition level below the highest says that one is missing.
fn cells<T: DataType, U>(
    reader: &mut ColumnReaderImpl<T>,
    level: i16,
    n: usize,
    convert: impl Fn(&T::T) -> U,
) -> Result<Vec<Option<U>>, String> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let mut n_records = 0;
    while n_records < n {
        let (records, _, _) = reader
            .read_records(n - n_records, (level > 0).then_some(&mut levels), None, &mut values)
            .map_err(|error| error.to_string())?;
        if records == 0 {
            return Err(format!("ends after {n_records} of {n} rows; the file is broken"));
        }
        n_records += records;
    }
    let mut values = values.iter().map(convert);
    if level == 0 {
        return Ok(values.map(Some).collect());
    }
    Ok(levels.iter().map(|&found| if found == level { values.next() } else { None }).collect())
}

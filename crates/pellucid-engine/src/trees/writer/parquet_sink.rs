//! Lines → Parquet.

use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;

use super::{Header, Line};
use crate::file::Pending;
use crate::parquet_columns::{Kind, column, open};

/// Columns as in CSV, all required; a row group for each block.
pub(crate) struct ParquetSink {
    file: SerializedFileWriter<Pending>,
    has_targets: bool,
}

impl ParquetSink {
    pub(crate) fn new(file: Pending, header: &Header) -> Result<Self, String> {
        let kind = |(index, name)| match index {
            0 => (name, Kind::Integer),
            1 if header.has_targets => (name, Kind::Text),
            _ => (name, Kind::Number),
        };
        let columns: Vec<(&str, Kind)> =
            header.names.iter().map(String::as_str).enumerate().map(kind).collect();
        Ok(Self { file: open(file, "attributions", &columns)?, has_targets: header.has_targets })
    }

    pub(crate) fn write(&mut self, lines: &[Line]) -> Result<(), String> {
        self.write_group(lines).map_err(|error| error.to_string())
    }

    fn write_group(&mut self, lines: &[Line]) -> Result<(), ParquetError> {
        let mut group = self.file.next_row_group()?;
        let of = |number: &dyn Fn(&Line) -> f64| -> Vec<f64> { lines.iter().map(number).collect() };
        column::<Int64Type>(&mut group, &lines.iter().map(|line| line.row as i64).collect::<Vec<_>>())?;
        if self.has_targets {
            let labels: Vec<ByteArray> = lines.iter().map(|line| line.label.as_str().into()).collect();
            column::<ByteArrayType>(&mut group, &labels)?;
        }
        column::<DoubleType>(&mut group, &of(&|line| line.output))?;
        column::<DoubleType>(&mut group, &of(&|line| line.base_value))?;
        let counts = lines.first().map_or((0, 0), |line| (line.values.len(), line.errors.len()));
        for index in 0..counts.0 {
            column::<DoubleType>(&mut group, &of(&|line| line.values[index]))?;
        }
        for index in 0..counts.1 {
            column::<DoubleType>(&mut group, &of(&|line| line.errors[index]))?;
        }
        group.close()?;
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Pending, String> {
        self.file.into_inner().map_err(|error| error.to_string())
    }
}

//! Lines → Parquet.

use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, Repetition, Type as PhysicalType};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use super::{Header, Line};
use crate::file::Pending;

/// Columns as in CSV, all required; a row group for each block.
pub(crate) struct ParquetSink {
    file: SerializedFileWriter<Pending>,
    has_targets: bool,
}

impl ParquetSink {
    pub(crate) fn new(file: Pending, header: &Header) -> Result<Self, String> {
        let schema = schema(header).map_err(|error| error.to_string())?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            // Attributions hardly repeat.
            .set_dictionary_enabled(false)
            .set_created_by(format!("pellucid {}", env!("CARGO_PKG_VERSION")))
            .build();
        let file = SerializedFileWriter::new(file, schema, Arc::new(properties));
        Ok(Self { file: file.map_err(|error| error.to_string())?, has_targets: header.has_targets })
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

fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Pending>,
    values: &[T::T],
) -> Result<(), ParquetError> {
    let missing = || ParquetError::General("more columns than the schema has".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()
}

fn schema(header: &Header) -> Result<TypePtr, ParquetError> {
    let column = |(index, name): (usize, &String)| {
        let (kind, text) = match index {
            0 => (PhysicalType::INT64, ConvertedType::NONE),
            1 if header.has_targets => (PhysicalType::BYTE_ARRAY, ConvertedType::UTF8),
            _ => (PhysicalType::DOUBLE, ConvertedType::NONE),
        };
        let builder = Type::primitive_type_builder(name, kind).with_repetition(Repetition::REQUIRED);
        builder.with_converted_type(text).build().map(Arc::new)
    };
    let columns = header.names.iter().enumerate().map(column).collect::<Result<_, _>>()?;
    Type::group_type_builder("attributions").with_fields(columns).build().map(Arc::new)
}

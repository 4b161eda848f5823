//! Columns → a Parquet file that is there whole or not at all.

use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, Repetition, Type as PhysicalType};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use crate::file::Pending;

/// What a column holds.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Integer,
    Text,
    Number,
    /// Microseconds since 1970-01-01 UTC.
    Time,
}

/// Opens a file of these columns, all required.
///
/// # Errors
/// In words, why not.
pub(crate) fn open(
    file: Pending,
    table: &str,
    columns: &[(&str, Kind)],
) -> Result<SerializedFileWriter<Pending>, String> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        // Attributions hardly repeat.
        .set_dictionary_enabled(false)
        .set_created_by(format!("pellucid {}", env!("CARGO_PKG_VERSION")))
        .build();
    let schema = schema(table, columns).map_err(|error| error.to_string())?;
    SerializedFileWriter::new(file, schema, Arc::new(properties)).map_err(|error| error.to_string())
}

fn schema(table: &str, columns: &[(&str, Kind)]) -> Result<TypePtr, ParquetError> {
    let column = |(name, kind): &(&str, Kind)| {
        let (physical, converted) = match kind {
            Kind::Integer => (PhysicalType::INT64, ConvertedType::NONE),
            Kind::Time => (PhysicalType::INT64, ConvertedType::TIMESTAMP_MICROS),
            Kind::Text => (PhysicalType::BYTE_ARRAY, ConvertedType::UTF8),
            Kind::Number => (PhysicalType::DOUBLE, ConvertedType::NONE),
        };
        let builder = Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED);
        builder.with_converted_type(converted).build().map(Arc::new)
    };
    let fields = columns.iter().map(column).collect::<Result<_, _>>()?;
    Type::group_type_builder(table).with_fields(fields).build().map(Arc::new)
}

/// Writes the next column of a group of rows.
pub(crate) fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Pending>,
    values: &[T::T],
) -> Result<(), ParquetError> {
    let missing = || ParquetError::General("more columns than the schema has".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()
}

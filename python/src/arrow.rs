//! Arrow tables ⇄ columns, through the C interface that Arrow's Python packages share.

use std::ffi::CStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::ffi::to_ffi;
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, Float64Array, RecordBatch, RecordBatchIterator, RecordBatchReader, StringArray,
    StructArray,
};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyCapsuleMethods, PyIterator};

use crate::errors::{InputError, UnsupportedError};

/// The names that the interface gives to streams, schemas and arrays.
const STREAM: &CStr = c"arrow_array_stream";
const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";

/// The batches of a stream, one after the other.
#[pyclass(frozen, module = "pellucid._pellucid")]
pub(crate) struct ArrowBatches(Mutex<RecordBatchStreamReader>);

/// The cells of a column.
enum Cells {
    /// NaN is missing.
    Numbers(Vec<f64>),
    Texts(Vec<Option<String>>),
}

#[pymethods]
impl ArrowBatches {
    /// Takes over the stream in a capsule, as `__arrow_c_stream__` gives it.
    #[new]
    fn new(capsule: &Bound<'_, PyCapsule>) -> PyResult<Self> {
        let pointer = capsule.pointer_checked(Some(STREAM))?.cast::<FFI_ArrowArrayStream>();
        // SAFETY: a capsule of this name holds such a stream, which is its own until somebody moves it out: the
        // interface says so, and moving leaves a stream behind that is released already.
        #[allow(unsafe_code, reason = "Arrow's interface between packages is a pointer")]
        let reader = unsafe { RecordBatchStreamReader::from_raw(pointer.as_ptr()) };
        reader.map(|reader| Self(Mutex::new(reader))).map_err(fault)
    }

    /// The names of the columns.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.reader().schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    fn __iter__(own: PyRef<'_, Self>) -> PyRef<'_, Self> {
        own
    }

    fn __next__(&self) -> PyResult<Option<ArrowTable>> {
        self.reader().next().transpose().map(|batch| batch.map(ArrowTable)).map_err(fault)
    }
}

impl ArrowBatches {
    fn reader(&self) -> MutexGuard<'_, RecordBatchStreamReader> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn object(py: Python<'_>, cells: Cells) -> PyResult<Py<PyAny>> {
    match cells {
        Cells::Numbers(numbers) => Ok(PyArray1::from_vec(py, numbers).into_any().unbind()),
        Cells::Texts(texts) => Ok(texts.into_pyobject(py)?.into_any().unbind()),
    }
}

macro_rules! numbers {
    ($column:expr, $type:ty, $number:expr) => {
        $column.as_primitive::<$type>().iter().map(|cell| cell.map_or(f64::NAN, $number)).collect()
    };
}

fn cells(column: &ArrayRef, name: &str) -> PyResult<Cells> {
    let text = |cell: Option<&str>| cell.map(str::to_owned);
    Ok(Cells::Numbers(match column.data_type() {
        DataType::Float64 => numbers!(column, Float64Type, |x| x),
        DataType::Float32 => numbers!(column, Float32Type, f64::from),
        DataType::Float16 => numbers!(column, Float16Type, f64::from),
        DataType::Int8 => numbers!(column, Int8Type, f64::from),
        DataType::Int16 => numbers!(column, Int16Type, f64::from),
        DataType::Int32 => numbers!(column, Int32Type, f64::from),
        DataType::Int64 => numbers!(column, Int64Type, |x| x as f64),
        DataType::UInt8 => numbers!(column, UInt8Type, f64::from),
        DataType::UInt16 => numbers!(column, UInt16Type, f64::from),
        DataType::UInt32 => numbers!(column, UInt32Type, f64::from),
        DataType::UInt64 => numbers!(column, UInt64Type, |x| x as f64),
        DataType::Boolean => {
            column.as_boolean().iter().map(|cell| cell.map_or(f64::NAN, |x| f64::from(u8::from(x)))).collect()
        }
        DataType::Null => vec![f64::NAN; column.len()],
        DataType::Utf8 => return Ok(Cells::Texts(column.as_string::<i32>().iter().map(text).collect())),
        DataType::LargeUtf8 => return Ok(Cells::Texts(column.as_string::<i64>().iter().map(text).collect())),
        DataType::Utf8View => return Ok(Cells::Texts(column.as_string_view().iter().map(text).collect())),
        DataType::Dictionary(..) => return coded(column, name),
        other => {
            return Err(UnsupportedError::new_err(format!(
                "column `{name}`: {other} is no number, text or category"
            )));
        }
    }))
}

/// The cells of a column that counts its values.
fn coded(column: &ArrayRef, name: &str) -> PyResult<Cells> {
    let column = column.as_any_dictionary();
    let values = cells(column.values(), name)?;
    let places = column.normalized_keys().into_iter().enumerate();
    let places = places.map(|(row, place)| column.is_valid(row).then_some(place));
    Ok(match values {
        Cells::Numbers(values) => {
            Cells::Numbers(places.map(|place| place.map_or(f64::NAN, |p| values[p])).collect())
        }
        Cells::Texts(values) => {
            Cells::Texts(places.map(|place| place.and_then(|p| values[p].clone())).collect())
        }
    })
}

/// A table: a batch of a stream, or columns for other packages to take, which call `__arrow_c_stream__`.
#[pyclass(frozen, module = "pellucid._pellucid")]
pub(crate) struct ArrowTable(RecordBatch);

/// A column to be given.
#[derive(FromPyObject)]
pub(crate) enum Column<'py> {
    Numbers(PyReadonlyArray1<'py, f64>),
    Texts(Vec<String>),
}

#[pymethods]
impl ArrowTable {
    #[new]
    fn new(names: Vec<String>, columns: Vec<Column<'_>>) -> PyResult<Self> {
        let arrays: Vec<ArrayRef> = columns.iter().map(array).collect();
        let field = |(name, array): (&String, &ArrayRef)| Field::new(name, array.data_type().clone(), false);
        let schema = Schema::new(names.iter().zip(&arrays).map(field).collect::<Vec<_>>());
        RecordBatch::try_new(Arc::new(schema), arrays).map(Self).map_err(fault)
    }

    /// The names of the columns.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.0.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    #[getter]
    fn n_rows(&self) -> usize {
        self.0.num_rows()
    }

    /// The columns: arrays of floats, or lists of texts and `None`.
    fn columns(&self, py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
        let schema = self.0.schema();
        let columns = self.0.columns().iter().zip(schema.fields());
        columns.map(|(column, field)| object(py, cells(column, field.name())?)).collect()
    }

    /// This table behind some columns of another of as many rows, which stay as they are.
    fn after(&self, other: &Self, names: Vec<String>) -> PyResult<Self> {
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        for name in names {
            let place = other.0.schema().index_of(&name);
            let place = place.map_err(|_| {
                InputError::new_err(format!("column `{name}` is to be kept and is not there"))
            })?;
            if self.0.schema().index_of(&name).is_ok() {
                let reason =
                    "is to be kept, and a column of the attributions has the same name; give it another";
                return Err(InputError::new_err(format!("column `{name}` {reason}")));
            }
            fields.push(other.0.schema().field(place).clone());
            columns.push(other.0.column(place).clone());
        }
        fields.extend(self.0.schema().fields().iter().map(|field| Field::clone(field)));
        columns.extend(self.0.columns().iter().cloned());
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map(Self).map_err(fault)
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // What the schema asks for need not be followed.
        let _ = requested_schema;
        stream(py, RecordBatchIterator::new([Ok(self.0.clone())], self.0.schema()))
    }

    /// The table as one batch.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        let _ = requested_schema;
        let (array, schema) = to_ffi(&StructArray::from(self.0.clone()).into_data()).map_err(fault)?;
        Ok((PyCapsule::new_with_value(py, schema, SCHEMA)?, PyCapsule::new_with_value(py, array, ARRAY)?))
    }
}

/// The tables that an iterator gives as one stream; each is made when the stream's reader asks for it.
#[pyfunction]
pub(crate) fn arrow_stream<'py>(tables: &Bound<'py, PyIterator>) -> PyResult<Bound<'py, PyCapsule>> {
    let mut given = Given { tables: tables.clone().unbind(), first: None, schema: Arc::new(Schema::empty()) };
    let first = given.following(tables.py())?;
    let first = first
        .ok_or_else(|| InputError::new_err("the stream holds no rows, so that nobody knows its columns"))?;
    given.schema = first.schema();
    given.first = Some(first);
    stream(tables.py(), given)
}

fn stream<'py>(
    py: Python<'py>,
    batches: impl RecordBatchReader + Send + 'static,
) -> PyResult<Bound<'py, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(batches)), STREAM)
}

/// Batches that a Python iterator gives.
struct Given {
    tables: Py<PyIterator>,
    /// The first one, which told the columns.
    first: Option<RecordBatch>,
    schema: SchemaRef,
}

impl Given {
    fn following(&self, py: Python<'_>) -> PyResult<Option<RecordBatch>> {
        let next = self.tables.bind(py).clone().next().transpose()?;
        next.map(|table| Ok(table.cast::<ArrowTable>()?.get().0.clone())).transpose()
    }
}

impl Iterator for Given {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match self.first.take() {
            Some(first) => Ok(Some(first)),
            None => Python::attach(|py| self.following(py)),
        };
        next.map_err(|error| ArrowError::ExternalError(Box::new(error))).transpose()
    }
}

impl RecordBatchReader for Given {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

fn array(column: &Column<'_>) -> ArrayRef {
    match column {
        Column::Numbers(numbers) => Arc::new(numbers.as_array().iter().copied().collect::<Float64Array>()),
        Column::Texts(texts) => Arc::new(StringArray::from_iter_values(texts)),
    }
}

fn fault(error: ArrowError) -> PyErr {
    InputError::new_err(format!("Arrow: {error}"))
}

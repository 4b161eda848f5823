//! Arrow tables ⇄ columns, through the C stream interface that Arrow's Python packages share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, Float64Array, RecordBatch, RecordBatchIterator, RecordBatchReader, StringArray,
};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyCapsuleMethods};

use crate::errors::{InputError, UnsupportedError};

/// The name that the interface gives to streams.
const STREAM: &std::ffi::CStr = c"arrow_array_stream";

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

    /// The columns of the next batch: arrays of floats, or lists of texts and `None`.
    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Vec<Py<PyAny>>>> {
        let Some(batch) = self.reader().next() else { return Ok(None) };
        let batch = batch.map_err(fault)?;
        let names = batch.schema();
        let columns = batch.columns().iter().zip(names.fields());
        columns
            .map(|(column, field)| object(py, cells(column, field.name())?))
            .collect::<PyResult<_>>()
            .map(Some)
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

/// A table for other packages to take: they call `__arrow_c_stream__`.
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

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // What the schema asks for need not be followed.
        let _ = requested_schema;
        let batches = RecordBatchIterator::new([Ok(self.0.clone())], self.0.schema());
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(batches)), STREAM)
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

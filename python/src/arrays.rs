//! NumPy's arrays ⇄ ndarray's.

use ndarray::{Array, ArrayD, ArrayViewD, Axis, Dimension, Ix2, IxDyn};
use numpy::{Element, PyArray, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, ToPyArray};
use pyo3::prelude::*;

use crate::errors::InputError;

/// Rows as they came: nothing is copied.
pub(crate) enum Rows<'py> {
    F32(PyReadonlyArrayDyn<'py, f32>),
    F64(PyReadonlyArrayDyn<'py, f64>),
}

impl<'py> Rows<'py> {
    /// An array of f32 or f64; the Python side sees to that.
    pub(crate) fn of(array: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(rows) = array.cast::<PyArrayDyn<f32>>() {
            return Ok(Self::F32(
                rows.try_readonly().map_err(|error| InputError::new_err(error.to_string()))?,
            ));
        }
        let rows =
            array.cast::<PyArrayDyn<f64>>().map_err(|_| InputError::new_err("rows: no array of floats"))?;
        Ok(Self::F64(rows.try_readonly().map_err(|error| InputError::new_err(error.to_string()))?))
    }

    pub(crate) fn n_columns(&self) -> Option<usize> {
        let shape = match self {
            Self::F32(rows) => rows.as_array().shape().to_vec(),
            Self::F64(rows) => rows.as_array().shape().to_vec(),
        };
        if let [_, n_columns] = shape[..] { Some(n_columns) } else { None }
    }

    /// `[rows, features…]` in f32, copied.
    pub(crate) fn to_f32(&self) -> ArrayD<f32> {
        match self {
            Self::F32(rows) => standard(rows.as_array()),
            Self::F64(rows) => rows.as_array().mapv(|x| x as f32),
        }
    }

    /// `[rows, features…]` in f64, copied.
    pub(crate) fn to_f64(&self) -> ArrayD<f64> {
        match self {
            Self::F32(rows) => rows.as_array().mapv(f64::from),
            Self::F64(rows) => standard(rows.as_array()),
        }
    }

    /// A copy that nobody else writes to.
    pub(crate) fn kept(&self, py: Python<'py>) -> Data {
        match self {
            Self::F32(rows) => Data::F32(frozen(py, rows.as_array().to_owned())),
            Self::F64(rows) => Data::F64(frozen(py, rows.as_array().to_owned())),
        }
    }

    /// The columns at `places`, in their order; the same rows where that changes nothing.
    pub(crate) fn picked(self, py: Python<'py>, places: &[usize]) -> PyResult<Self> {
        if self.n_columns() == Some(places.len())
            && places.iter().enumerate().all(|(index, &place)| index == place)
        {
            return Ok(self);
        }
        Ok(match self {
            Self::F32(rows) => Self::F32(picked(py, rows.as_array(), places)?),
            Self::F64(rows) => Self::F64(picked(py, rows.as_array(), places)?),
        })
    }
}

/// A copy in standard layout. The strides of NumPy's arrays without elements are none that ndarray takes for a copy's.
fn standard<T: Copy>(rows: ArrayViewD<'_, T>) -> ArrayD<T> {
    match ArrayD::from_shape_vec(rows.raw_dim(), rows.iter().copied().collect()) {
        Ok(copy) => copy,
        Err(_) => rows.to_owned(),
    }
}

fn picked<'py, T: Element + Copy>(
    py: Python<'py>,
    rows: ArrayViewD<'_, T>,
    places: &[usize],
) -> PyResult<PyReadonlyArrayDyn<'py, T>> {
    let picked = rows.select(Axis(1), places).to_pyarray(py);
    picked.try_readonly().map_err(|error| InputError::new_err(error.to_string()))
}

/// `[rows, features]` of a view.
pub(crate) fn table<T>(rows: ArrayViewD<'_, T>) -> PyResult<ndarray::ArrayView2<'_, T>> {
    let shape = rows.shape().to_vec();
    rows.into_dimensionality::<Ix2>().map_err(|_| {
        InputError::new_err(format!("rows: have shape {shape:?}; a tree model takes [rows, features]"))
    })
}

/// The rows that an explanation holds.
pub(crate) enum Data {
    F32(Py<PyArrayDyn<f32>>),
    F64(Py<PyArrayDyn<f64>>),
}

impl Data {
    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::F32(rows) => Self::F32(rows.clone_ref(py)),
            Self::F64(rows) => Self::F64(rows.clone_ref(py)),
        }
    }

    pub(crate) fn to_f64(&self, py: Python<'_>) -> ArrayD<f64> {
        match self {
            Self::F32(rows) => owned(py, rows).mapv(f64::from),
            Self::F64(rows) => owned(py, rows),
        }
    }

    pub(crate) fn rows(&self, py: Python<'_>, rows: &[usize]) -> Self {
        match self {
            Self::F32(data) => Self::F32(selected(py, data, rows)),
            Self::F64(data) => Self::F64(selected(py, data, rows)),
        }
    }

    pub(crate) fn object<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        match self {
            Self::F32(rows) => rows.bind(py).clone().into_any(),
            Self::F64(rows) => rows.bind(py).clone().into_any(),
        }
    }
}

/// An array for Python that cannot be written to: what an explanation says stays as it is. Nothing is copied.
pub(crate) fn frozen<T: Element, D: Dimension>(py: Python<'_>, array: Array<T, D>) -> Py<PyArrayDyn<T>> {
    let array = PyArray::from_owned_array(py, array.into_dyn());
    array.readwrite().make_nonwriteable();
    array.unbind()
}

/// A copy of an array of Python's.
pub(crate) fn owned<T: Element + Clone>(py: Python<'_>, array: &Py<PyArrayDyn<T>>) -> ArrayD<T> {
    array.bind(py).readonly().as_array().to_owned()
}

/// Some rows of an array.
pub(crate) fn selected<T: Element + Copy>(
    py: Python<'_>,
    array: &Py<PyArrayDyn<T>>,
    rows: &[usize],
) -> Py<PyArrayDyn<T>> {
    let selected: Array<T, IxDyn> = array.bind(py).readonly().as_array().select(Axis(0), rows);
    frozen(py, selected)
}

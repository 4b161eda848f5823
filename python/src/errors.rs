//! The engine's faults → Python's exceptions.

use pellucid_engine::Kind;
use pyo3::exceptions::{PyException, PyKeyboardInterrupt};
use pyo3::prelude::*;

pyo3::create_exception!(
    pellucid,
    Error,
    PyException,
    "Whatever Pellucid cannot do; the base of its other exceptions."
);
pyo3::create_exception!(pellucid, ModelError, Error, "The model is broken, or is none.");
pyo3::create_exception!(
    pellucid,
    InputError,
    Error,
    "An input or an option that cannot be: the message says which, why, and what would do."
);
pyo3::create_exception!(pellucid, UnsupportedError, Error, "It makes sense, and Pellucid cannot do it.");
pyo3::create_exception!(
    pellucid,
    CheckError,
    Error,
    "Something that was to hold does not: values that do not add up, above all."
);

/// What the engine was about when it failed.
#[derive(Clone, Copy)]
pub(crate) enum During {
    Loading,
    Explaining,
}

/// The exception for a fault, with its words.
pub(crate) fn raised(error: &pellucid_engine::Error, during: During) -> PyErr {
    let text = error.to_string();
    match (error.kind(), during) {
        (Kind::BadInput, During::Loading) => ModelError::new_err(text),
        (Kind::BadInput, During::Explaining) | (Kind::Usage, _) => InputError::new_err(text),
        (Kind::Unsupported, _) => UnsupportedError::new_err(text),
        (Kind::Canceled, _) => PyKeyboardInterrupt::new_err(text),
        (Kind::Failed, _) => Error::new_err(text),
    }
}

/// [`raised`] of a fault while explaining.
pub(crate) fn fault(error: impl Into<pellucid_engine::Error>) -> PyErr {
    raised(&error.into(), During::Explaining)
}

/// An option that cannot be.
pub(crate) fn of_option(option: &str, reason: &str) -> PyErr {
    InputError::new_err(format!("{option}: {reason}"))
}

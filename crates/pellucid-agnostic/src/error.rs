//! What can go wrong while a predictor is asked.

/// A fault in what was to be explained or how, or in the predictor that was asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model failed, the target is not there, or the work was canceled.
    #[error(transparent)]
    Core(#[from] pellucid_core::Error),
    /// Two things that belong together do not fit.
    #[error("{what} has shape {actual:?}, expected {expected}")]
    Shape {
        /// What does not fit: `rows`, `background`, `labels` …
        what: &'static str,
        /// The shape that fits.
        expected: String,
        /// The shape it has.
        actual: Vec<usize>,
    },
    /// A value that is no number, or infinite, where numbers are compared or summed.
    #[error("{what} holds {value} at {index:?}; every value must be a finite number")]
    NotFinite {
        /// What holds it.
        what: &'static str,
        /// `NaN`, `inf` or `-inf`.
        value: f64,
        /// Where: `[row, output]` of the batch for outputs.
        index: Vec<usize>,
    },
    /// A setting that makes no sense.
    #[error("option `{option}`: {reason}")]
    Setting {
        /// Its name.
        option: &'static str,
        /// What is wrong, and what would do.
        reason: String,
    },
}

impl Error {
    pub(crate) fn setting(option: &'static str, reason: impl Into<String>) -> Self {
        Self::Setting { option, reason: reason.into() }
    }

    pub(crate) fn shape(what: &'static str, expected: impl ToString, actual: &[usize]) -> Self {
        Self::Shape { what, expected: expected.to_string(), actual: actual.to_vec() }
    }
}

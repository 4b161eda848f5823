//! What can go wrong while an attribution is scored.

/// A fault in what was to be scored or how, or in the model that was asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model failed, or the work was canceled.
    #[error(transparent)]
    Core(#[from] pellucid_core::Error),
    /// Two things that belong together do not fit.
    #[error("{what} has shape {actual:?}, expected {expected}")]
    Shape {
        /// What does not fit: `attribution`, `replacement`, `inputs` …
        what: &'static str,
        /// The shape that fits.
        expected: String,
        /// The shape it has.
        actual: Vec<usize>,
    },
    /// A value that is no number, or infinite: nothing can be ordered or summed.
    #[error("{what} holds {value} at {index:?}; every value must be a finite number")]
    NotFinite {
        /// What holds it.
        what: &'static str,
        /// `NaN`, `inf` or `-inf`.
        value: f64,
        /// Where.
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

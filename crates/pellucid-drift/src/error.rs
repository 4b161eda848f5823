//! What cannot be compared or counted, and what to do next.

/// A fault of the samples or the options.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Samples whose explanations were made differently.
    #[error(
        "comparability key `{found}` against `{expected}`: the explanations differ in method, parameters, seed policy or model version; take a new reference for the new key"
    )]
    NotComparable {
        /// The key of the reference.
        expected: String,
        /// The key of what was compared to it.
        found: String,
    },
    /// A sample that cannot be read.
    #[error("{what}: {reason}")]
    Sample {
        /// Which column or list.
        what: String,
        /// What is wrong with it, and what would do.
        reason: String,
    },
    /// An option outside its range.
    #[error("option `{name}` is {value}: {reason}")]
    Option {
        /// The option.
        name: &'static str,
        /// What it was.
        value: f64,
        /// What would do.
        reason: &'static str,
    },
}

impl Error {
    pub(crate) fn sample(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Sample { what: what.into(), reason: reason.into() }
    }
}

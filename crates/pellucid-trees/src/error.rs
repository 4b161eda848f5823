//! What can go wrong with a tree model file, or while it is explained.

/// A fault in a file, in rows or in what was asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is not what it seems: truncated, wrong types, missing fields.
    #[error("this {format} model cannot be read: {reason}")]
    Format {
        /// What it was read as: `XGBoost JSON`, `LightGBM text`.
        format: &'static str,
        /// What is wrong, and where.
        reason: String,
    },
    /// A tree that is no tree.
    #[error("tree {tree}, node {node}: {reason}")]
    Malformed {
        /// Which tree.
        tree: usize,
        /// Which node.
        node: usize,
        /// What is wrong.
        reason: String,
    },
    /// Something that is not explained, by name.
    #[error("{what} is not supported: {hint}")]
    Unsupported {
        /// Its name, and where it stands.
        what: String,
        /// What to do instead.
        hint: String,
    },
    /// Rows that do not fit the model or each other.
    #[error("{what}: {reason}")]
    Rows {
        /// `rows` or `background`.
        what: &'static str,
        /// What does not fit, and what would.
        reason: String,
    },
    /// A setting that makes no sense.
    #[error("option `{option}`: {reason}")]
    Setting {
        /// Its name.
        option: &'static str,
        /// What is wrong, and what would do.
        reason: String,
    },
    /// The work was canceled, or the model failed.
    #[error(transparent)]
    Core(#[from] pellucid_core::Error),
}

impl Error {
    /// Says in which tree of a file its fault is.
    pub(crate) fn in_tree(self, index: usize) -> Self {
        match self {
            Self::Format { format, reason } => {
                Self::Format { format, reason: format!("tree {index}: {reason}") }
            }
            other => other,
        }
    }
}

//! What can go wrong before any method runs.

/// A fault in what was asked, or the end of patience.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The work was canceled.
    #[error("canceled")]
    Canceled,
    /// The target is not an output of the model.
    #[error("target {target}: {reason}")]
    Target {
        /// As asked for.
        target: String,
        /// Why not, and what there is.
        reason: String,
    },
    /// The baseline does not fit the input.
    #[error("baseline {baseline}: {reason}")]
    Baseline {
        /// As asked for.
        baseline: String,
        /// Why not.
        reason: String,
    },
    /// An input that cannot be explained: wrong shape, not a number.
    #[error("input: {reason}")]
    Input {
        /// What is wrong, and where.
        reason: String,
    },
    /// The model failed.
    #[error("the model failed: {reason}")]
    Model {
        /// Its own words.
        reason: String,
    },
}

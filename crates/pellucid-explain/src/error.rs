//! What can go wrong while explaining.

/// A fault in a model, an option, or a run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A fault in target, baseline or input, or a cancellation.
    #[error(transparent)]
    Core(#[from] pellucid_core::Error),
    /// A fault in the graph or its run.
    #[error(transparent)]
    Graph(#[from] pellucid_graph::Error),
    /// An option that cannot be.
    #[error("option {option}: {reason}")]
    Option {
        /// Its name.
        option: &'static str,
        /// What is wrong, and what there is.
        reason: String,
    },
    /// A network that the method cannot explain.
    #[error("this network cannot be explained so: {reason}")]
    Network {
        /// Why, and what to do instead.
        reason: String,
    },
}

impl Error {
    /// An error about an option.
    pub(crate) fn option(option: &'static str, reason: impl Into<String>) -> Self {
        Self::Option { option, reason: reason.into() }
    }

    /// An error about the network.
    pub(crate) fn network(reason: impl Into<String>) -> Self {
        Self::Network { reason: reason.into() }
    }
}

//! What can go wrong between a request and its answer, and what kind of fault that is.

use std::path::Path;

/// A fault in a request, in a file, in a model, or in the work on them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option or a value of it that cannot be.
    #[error("{option}: {reason}")]
    Request {
        /// The option as a person names it: `target`, `n_steps`, `baseline` …
        option: String,
        /// What is wrong, and what there is instead.
        reason: String,
    },
    /// A file that cannot be read, or holds something else than it should.
    #[error("{path}: {reason}")]
    Input {
        /// The file.
        path: String,
        /// What is wrong, where, and what to do.
        reason: String,
    },
    /// Something that Pellucid does not do yet.
    #[error("{what}")]
    Unsupported {
        /// What, and what to do instead.
        what: String,
    },
    /// A file that cannot be written.
    #[error("cannot write {path}: {reason}; nothing was left half-written")]
    Output {
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// A number that is none where an explanation is kept or shown.
    #[error("{what} holds {value} at {index:?}; an explanation holds finite numbers only")]
    NotFinite {
        /// The part of the explanation.
        what: &'static str,
        /// NaN or an infinity.
        value: f64,
        /// Where.
        index: Vec<usize>,
    },
    /// A fault of a target, a baseline, or an input; a cancellation.
    #[error(transparent)]
    Core(#[from] pellucid_core::Error),
    /// A fault of a graph or its run.
    #[error(transparent)]
    Graph(#[from] pellucid_graph::Error),
    /// A fault of a method.
    #[error(transparent)]
    Explain(#[from] pellucid_explain::Error),
    /// A fault of a tree model or its methods.
    #[error(transparent)]
    Trees(#[from] pellucid_trees::Error),
    /// A fault of a method that needs predictions alone, or of what predicts.
    #[error(transparent)]
    Agnostic(#[from] pellucid_agnostic::Error),
    /// A fault between a question to a served model and its answer.
    #[error(transparent)]
    Remote(#[from] pellucid_remote::Error),
    /// A fault of the log, or of what was to go into it.
    #[error(transparent)]
    Store(#[from] pellucid_store::Error),
    /// A fault of a metric.
    #[error(transparent)]
    Metrics(#[from] pellucid_metrics::Error),
    /// A fault of a picture.
    #[error(transparent)]
    Plot(#[from] pellucid_plot::Error),
}

/// The kinds of faults: what exit codes, HTTP statuses and Python exceptions are chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be: an unknown option, a target that is not there.
    Usage,
    /// The model or an input is broken.
    BadInput,
    /// It makes sense, and Pellucid cannot do it.
    Unsupported,
    /// It was canceled.
    Canceled,
    /// The machine failed: no space for the output, a runtime that gave up.
    Failed,
}

impl Error {
    /// Which kind of fault this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Request { .. } => Kind::Usage,
            Self::Input { .. } | Self::NotFinite { .. } => Kind::BadInput,
            Self::Unsupported { .. } => Kind::Unsupported,
            Self::Output { .. } | Self::Plot(_) => Kind::Failed,
            Self::Core(error) => kind_of_core(error),
            Self::Graph(error) => kind_of_graph(error),
            Self::Explain(error) => kind_of_explain(error),
            Self::Trees(error) => kind_of_trees(error),
            Self::Remote(pellucid_remote::Error::Address { .. } | pellucid_remote::Error::Setting { .. }) => {
                Kind::Usage
            }
            Self::Remote(_) => Kind::Failed,
            Self::Agnostic(error) => kind_of_agnostic(error),
            Self::Store(error) => kind_of_store(error),
            Self::Metrics(error) => kind_of_metrics(error),
        }
    }

    pub(crate) fn request(option: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Request { option: option.into(), reason: reason.into() }
    }

    pub(crate) fn input(path: &Path, reason: impl Into<String>) -> Self {
        Self::Input { path: path.display().to_string(), reason: reason.into() }
    }

    pub(crate) fn output(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::Output { path: path.display().to_string(), reason: reason.to_string() }
    }
}

fn kind_of_core(error: &pellucid_core::Error) -> Kind {
    use pellucid_core::Error::*;
    match error {
        Canceled => Kind::Canceled,
        Target { .. } | Baseline { .. } => Kind::Usage,
        Input { .. } => Kind::BadInput,
        _ => Kind::Failed,
    }
}

fn kind_of_graph(error: &pellucid_graph::Error) -> Kind {
    use pellucid_graph::Error::*;
    match error {
        Canceled => Kind::Canceled,
        UnknownWire { .. } | RelevanceRule { .. } => Kind::Usage,
        Unsupported { .. } | UnknownOp { .. } | NoRule { .. } | Runtime { .. } => Kind::Unsupported,
        Run { .. } => Kind::Failed,
        _ => Kind::BadInput,
    }
}

fn kind_of_explain(error: &pellucid_explain::Error) -> Kind {
    match error {
        pellucid_explain::Error::Core(error) => kind_of_core(error),
        pellucid_explain::Error::Graph(error) => kind_of_graph(error),
        pellucid_explain::Error::Option { .. } => Kind::Usage,
        pellucid_explain::Error::Network { .. } => Kind::Unsupported,
        _ => Kind::Failed,
    }
}

fn kind_of_trees(error: &pellucid_trees::Error) -> Kind {
    use pellucid_trees::Error::*;
    match error {
        Core(error) => kind_of_core(error),
        Setting { .. } => Kind::Usage,
        Unsupported { .. } => Kind::Unsupported,
        _ => Kind::BadInput,
    }
}

fn kind_of_agnostic(error: &pellucid_agnostic::Error) -> Kind {
    match error {
        pellucid_agnostic::Error::Core(error) => kind_of_core(error),
        pellucid_agnostic::Error::Setting { .. } => Kind::Usage,
        pellucid_agnostic::Error::NotFinite { .. } | pellucid_agnostic::Error::Shape { .. } => Kind::BadInput,
        _ => Kind::Failed,
    }
}

fn kind_of_store(error: &pellucid_store::Error) -> Kind {
    use pellucid_store::Error::*;
    match error {
        NoEntry { .. } | Erased { .. } => Kind::Usage,
        Refused { .. } | Key { .. } | File { .. } | Damaged { .. } | Untrue { .. } | OtherSigner { .. } => {
            Kind::BadInput
        }
        _ => Kind::Failed,
    }
}

fn kind_of_metrics(error: &pellucid_metrics::Error) -> Kind {
    match error {
        pellucid_metrics::Error::Core(error) => kind_of_core(error),
        pellucid_metrics::Error::Setting { .. } => Kind::Usage,
        pellucid_metrics::Error::NotFinite { .. } => Kind::BadInput,
        _ => Kind::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_follow_the_innermost_fault() {
        let canceled = Error::Explain(pellucid_explain::Error::Core(pellucid_core::Error::Canceled));
        assert_eq!(canceled.kind(), Kind::Canceled);
        let wire = pellucid_graph::Error::UnknownWire { name: "x".into(), hint: String::new() };
        assert_eq!(Error::Explain(wire.into()).kind(), Kind::Usage);
        let rows = pellucid_agnostic::Error::Shape { what: "rows", expected: String::new(), actual: vec![2] };
        assert_eq!(Error::Agnostic(rows).kind(), Kind::BadInput);
    }
}

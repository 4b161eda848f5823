//! Python objects → engine → Python objects. The package `pellucid`.

mod arrays;
mod arrow;
mod command;
mod drawing;
mod errors;
mod explain;
mod explanation;
mod model;
mod options;
mod predicted;
mod surrogate;
mod texts;
mod tools;
mod trees;
mod watched;
mod whole_tables;

use pyo3::prelude::*;

/// What the Python side of the package is built on; its classes and functions are documented there.
#[pymodule]
mod _pellucid {
    #[pymodule_export]
    use super::arrow::{ArrowBatches, ArrowTable, arrow_stream};
    #[pymodule_export]
    use super::command::command;
    #[pymodule_export]
    use super::drawing::Drawing;
    #[pymodule_export]
    use super::errors::{CheckError, Error, InputError, ModelError, UnsupportedError};
    #[pymodule_export]
    use super::explain::explain;
    #[pymodule_export]
    use super::explanation::ExplanationCore;
    #[pymodule_export]
    use super::model::ModelCore;
    #[pymodule_export]
    use super::surrogate::{LimeTable, k_means, segments, surrogate_of_groups, surrogate_of_table};
    #[pymodule_export]
    use super::texts::{TextCore, TextModelCore, explain_text_function};
    #[pymodule_export]
    use super::tools::{compile, conservation, doctor, evaluate, importance, inspect, inspect_file};

    #[pymodule_export]
    use super::whole_tables::{
        Found, find_counterfactuals, global_effects, importance_by_labels, surrogate_tree,
    };

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}

//! The console command `pellucid`.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Does what the binary `pellucid` does with these arguments, the command's name first; gives the exit code.
#[pyfunction]
pub(crate) fn command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| pellucid_cli::command(arguments))
}

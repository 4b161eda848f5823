//! XGBoost's JSON and UBJ, 1.0 to 3 → `TreeEnsemble`.
//!
//! XGBoost compares and adds in f32: a row goes left where `x < t`, and leaves are added to the base score in the
//! order of the trees.

mod bare_words;
mod booster;
mod categories;
mod file;
mod objective;
mod tree;

#[cfg(test)]
mod tests;

use file::File;

use crate::ensemble::TreeEnsemble;
use crate::error::Error;
use crate::readers::ubj;

/// Reads what `save_model("model.json")` wrote.
///
/// # Errors
/// [`Error::Format`], [`Error::Malformed`], or [`Error::Unsupported`] for linear boosters, unknown objectives and
/// versions after 3.
pub(super) fn read_json(bytes: &[u8]) -> Result<TreeEnsemble, Error> {
    let fault =
        |error: serde_json::Error| Error::Format { format: "XGBoost JSON", reason: error.to_string() };
    let bytes = bare_words::replace(bytes);
    let file: File = serde_json::from_slice(&bytes).map_err(fault)?;
    booster::ensemble(file, bytes.len())
}

/// Reads what `save_model("model.ubj")` wrote.
///
/// # Errors
/// As [`read_json`].
pub(super) fn read_ubj(bytes: &[u8]) -> Result<TreeEnsemble, Error> {
    let fault = |fault: ubj::Fault| Error::Format { format: "XGBoost UBJ", reason: fault.to_string() };
    let file: File = ubj::from_bytes(bytes).map_err(fault)?;
    booster::ensemble(file, bytes.len())
}

fn broken(reason: impl Into<String>) -> Error {
    Error::Format { format: "XGBoost", reason: reason.into() }
}

//! The rows that a method for networks averages over.

use ndarray::ArrayD;
use pellucid_core::row_digest;

use crate::digests::{self, Named};
use crate::error::Error;
use crate::method::MethodOptions;
use crate::model::LoadedModel;

/// Takes the background out of the options of `method`: its rows `[rows, features…]`, read and prepared as inputs are, and
/// the names of its files.
///
/// # Errors
/// None given; a file that cannot be read or holds rows of another shape.
pub(crate) fn take(
    method: &str,
    left: &mut MethodOptions,
    model: &LoadedModel,
) -> Result<(ArrayD<f32>, Named), Error> {
    let named = |rows: ArrayD<f32>, text: String| {
        let digest = Some(digests::of_rows(rows.outer_iter().map(row_digest)));
        (rows, Named { text, digest })
    };
    if let Some(rows) = left.background_array.take() {
        return Ok(named(rows, "array".to_owned()));
    }
    let files = std::mem::take(&mut left.background);
    if files.is_empty() {
        let reason =
            format!("{method} compares with rows and averages; give some, such as those of the training set");
        return Err(Error::request("background", reason));
    }
    let rows = model.read_input(&files, None)?.rows;
    // Where a file lay is nobody's business.
    let names: Vec<_> =
        files.iter().map(|path| path.file_name().unwrap_or_default().to_string_lossy()).collect();
    Ok(named(rows, names.join(", ")))
}

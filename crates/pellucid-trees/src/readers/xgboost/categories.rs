//! The names of categories, which files have from 3.1 on: one list a feature, or nothing.

use super::broken;
use super::file::{Categories, CategoryNames};
use crate::error::Error;

/// One list a feature, empty for features without names. `None` where the model was not trained on a data frame.
pub(super) fn names(categories: Categories, n_features: usize) -> Result<Option<Vec<Vec<String>>>, Error> {
    match categories.enc.len() {
        0 => Ok(None),
        n if n == n_features => {
            categories.enc.into_iter().map(of_feature).collect::<Result<_, _>>().map(Some)
        }
        n => Err(broken(format!("`cats` has names for {n} features, the model has {n_features}"))),
    }
}

/// Texts stand as their UTF-8 bytes one behind the other, each from one offset to the next; numbers as they are.
fn of_feature(names: CategoryNames) -> Result<Vec<String>, Error> {
    let Some(offsets) = names.offsets else {
        return Ok(names.values.iter().map(ToString::to_string).collect());
    };
    let bytes: Option<Vec<u8>> =
        names.values.iter().map(|value| value.as_i64().map(|byte| byte as u8)).collect();
    let bytes = bytes.ok_or_else(|| broken("`cats` has texts whose bytes are no numbers"))?;
    let text = |ends: &[usize]| {
        let bytes = bytes.get(ends[0]..ends[1])?;
        String::from_utf8(bytes.to_vec()).ok()
    };
    let texts: Option<Vec<String>> = offsets.windows(2).map(text).collect();
    texts.ok_or_else(|| broken("`cats` has a name that is no UTF-8 text within its bytes"))
}

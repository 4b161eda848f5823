//! The names of categories, which files have from 3.1 on: one list a feature, or nothing.

use super::broken;
use super::file::{Categories, CategoryNames};
use crate::error::Error;

/// One list a feature, empty for features without names. `None` where the model was not trained on a data frame.
///
/// XGBoost 3.2 writes as many bytes of a name as it has characters: names of which some are not ASCII are cut, and not kept.
pub(super) fn names(
    categories: Categories,
    n_features: usize,
    warnings: &mut Vec<String>,
) -> Result<Option<Vec<Vec<String>>>, Error> {
    match categories.enc.len() {
        0 => return Ok(None),
        n if n == n_features => {}
        n => return Err(broken(format!("`cats` has names for {n} features, the model has {n_features}"))),
    }
    let mut names = Vec::with_capacity(n_features);
    for (feature, of) in categories.enc.into_iter().enumerate() {
        names.push(of_feature(of)?.unwrap_or_else(|| {
            warnings.push(format!(
                "names of the categories of feature {feature} are cut in the file, since they are not ASCII: give the codes"
            ));
            Vec::new()
        }));
    }
    Ok(Some(names))
}

/// Texts stand as their bytes one behind the other, each from one offset to the next; numbers as they are. `None` where some
/// byte is not ASCII.
fn of_feature(names: CategoryNames) -> Result<Option<Vec<String>>, Error> {
    let Some(offsets) = names.offsets else {
        return Ok(Some(names.values.iter().map(ToString::to_string).collect()));
    };
    let bytes: Option<Vec<i64>> = names.values.iter().map(serde_json::Value::as_i64).collect();
    let bytes = bytes.ok_or_else(|| broken("`cats` has texts whose bytes are no numbers"))?;
    let Ok(text) =
        bytes.iter().map(|&byte| u8::try_from(byte).map(char::from)).collect::<Result<String, _>>()
    else {
        return Ok(None);
    };
    if !text.is_ascii() {
        return Ok(None);
    }
    let names = offsets.windows(2).map(|ends| text.get(ends[0]..ends[1]).map(str::to_owned));
    let names: Option<Vec<String>> = names.collect();
    names.map(Some).ok_or_else(|| broken("`cats` has a name beyond its bytes"))
}

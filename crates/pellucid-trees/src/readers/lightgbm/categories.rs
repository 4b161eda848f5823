//! The file's last line, `pandas_categorical:[["a", "b"], …]`: the names of the categories that codes stand for.

use serde_json::Value;

use super::section::{Sections, broken};
use crate::error::Error;

/// One list a feature, empty for features without names. The line has one list for each categorical column, in order, and
/// does not say which columns these are: the parameters do, or else the features' ranges. `None` where neither fits.
pub(super) fn read(sections: &Sections<'_>, n_features: usize) -> Result<Option<Vec<Vec<String>>>, Error> {
    let Some(text) = sections.pandas_categorical else { return Ok(None) };
    let lists: Vec<Vec<Value>> = serde_json::from_str(text)
        .map_err(|error| broken(format!("pandas_categorical is no list of lists: {error}")))?;
    let columns = match sections.categorical_feature {
        Some(text) => text.split(',').filter_map(|index| index.trim().parse().ok()).collect(),
        None => by_ranges(sections),
    };
    let fits = columns.len() == lists.len() && columns.iter().all(|&column| column < n_features);
    Ok(fits.then(|| {
        let mut categories = vec![Vec::new(); n_features];
        for (column, list) in columns.into_iter().zip(lists) {
            categories[column] = list.iter().map(name).collect();
        }
        categories
    }))
}

/// Ranges are `[0:1]` for numbers, `0:1:2` for categories, `none` for what no tree could use.
fn by_ranges(sections: &Sections<'_>) -> Vec<usize> {
    let ranges = sections.header.text("feature_infos").unwrap_or_default().split_whitespace();
    let categorical = ranges.enumerate().filter(|(_, range)| !range.starts_with('[') && *range != "none");
    categorical.map(|(index, _)| index).collect()
}

/// As pandas writes the value into a table.
fn name(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    }
}

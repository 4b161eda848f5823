//! Which column of a table is which feature of the model.

use std::path::Path;

use crate::error::Error;
use crate::trees::TreeModel;

/// Columns that are named in an error or a warning.
const MAX_NAMED: usize = 8;

/// Columns of a table that are no features.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Beside<'a> {
    /// Read as text; a table without one of them is refused.
    pub(crate) kept: &'a [String],
    /// Passed over where it is there.
    pub(crate) ignored: Option<&'a str>,
}

/// Where in a row of a table stands what is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Columns {
    /// For each feature of the model its column.
    pub(crate) features: Vec<usize>,
    /// For each column kept beside the features its place.
    pub(crate) kept: Vec<usize>,
    /// The names of the features.
    pub(crate) feature_names: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

/// Finds the model's features and the columns beside them among the columns of a table: by name where both have names,
/// else by their place.
pub(crate) fn columns(
    path: &Path,
    header: Option<&[String]>,
    n_columns: usize,
    model: &TreeModel,
    beside: Beside<'_>,
) -> Result<Columns, Error> {
    let fault = |reason: String| Error::input(path, reason);
    let kept_places = kept_places(header, beside.kept).map_err(fault)?;
    let ignored = beside.ignored.and_then(|name| header?.iter().position(|column| column == name));
    let is_beside = |index: &usize| kept_places.contains(index) || ignored == Some(*index);
    let n_features = model.ensemble().n_features;
    let names = model.ensemble().feature_names.as_deref();
    if let (Some(header), Some(names)) = (header, names) {
        let found: Vec<Option<usize>> = names.iter().map(|name| place(header, name)).collect();
        if found.iter().any(Option::is_some) || !are_numbered(names) {
            let features = all_found(header, names, &found).map_err(fault)?;
            let unused: Vec<&str> = (0..header.len())
                .filter(|index| !features.contains(index) && !is_beside(index))
                .map(|index| header[index].as_str())
                .collect();
            let warnings = if unused.is_empty() { vec![] } else { vec![unused_warning(path, &unused)] };
            return Ok(Columns { features, kept: kept_places, feature_names: names.to_vec(), warnings });
        }
    }
    let features: Vec<usize> = (0..n_columns).filter(|index| !is_beside(index)).collect();
    if features.len() != n_features {
        let unnamed = if header.is_some() { " and does not name them; leave out the others" } else { "" };
        return Err(fault(format!("has {} columns, the model takes {n_features}{unnamed}", features.len())));
    }
    let numbered = || (0..n_features).map(|index| format!("feature {index}")).collect();
    let of_table = header.map(|header| features.iter().map(|&index| header[index].clone()).collect());
    let feature_names = of_table.or_else(|| names.map(<[String]>::to_vec)).unwrap_or_else(numbered);
    Ok(Columns { features, kept: kept_places, feature_names, warnings: Vec::new() })
}

/// The places of the columns `kept` among those of a header.
pub(crate) fn kept_places(header: Option<&[String]>, kept: &[String]) -> Result<Vec<usize>, String> {
    let place = |name: &String| match header {
        None => Err(format!("has no names of columns, so none is `{name}`; give a .csv or .parquet file")),
        Some(header) => header
            .iter()
            .position(|column| column == name)
            .ok_or_else(|| format!("has no column `{name}`; its columns: {}", listed(header))),
    };
    kept.iter().map(place).collect()
}

/// LightGBM writes blanks in names as `_`.
fn place(header: &[String], name: &str) -> Option<usize> {
    let as_lightgbm = |column: &String| column.split_whitespace().collect::<Vec<_>>().join("_") == name;
    header.iter().position(|column| column == name).or_else(|| header.iter().position(as_lightgbm))
}

/// Whether names only count: `Column_0`, `f0`, `0`.
fn are_numbered(names: &[String]) -> bool {
    names.iter().enumerate().all(|(index, name)| {
        name.strip_suffix(&index.to_string())
            .is_some_and(|rest| !rest.ends_with(|c: char| c.is_ascii_digit()))
    })
}

fn all_found(header: &[String], names: &[String], found: &[Option<usize>]) -> Result<Vec<usize>, String> {
    if let Some(features) = found.iter().copied().collect() {
        return Ok(features);
    }
    let missing: Vec<&String> =
        names.iter().zip(found).filter(|(_, place)| place.is_none()).map(|(name, _)| name).collect();
    Err(format!(
        "lacks {} of the model's {} features: {}; its columns: {}",
        missing.len(),
        names.len(),
        listed(&missing),
        listed(header)
    ))
}

fn unused_warning(path: &Path, unused: &[&str]) -> String {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let columns = if unused.len() == 1 { "a column" } else { "columns" };
    format!("{file}: {columns} that the model does not use: {}", listed(unused))
}

/// The first names, and how many more there are.
pub(crate) fn listed(names: &[impl AsRef<str>]) -> String {
    let shown: Vec<String> =
        names.iter().take(MAX_NAMED).map(|name| format!("`{}`", name.as_ref())).collect();
    match names.len().saturating_sub(MAX_NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

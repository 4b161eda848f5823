//! Names of a model's outputs.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::file;
use crate::model::ModelOptions;

/// The labels that `options` give, or those in `MODEL.labels.json` or `MODEL.labels.txt` beside the model; `None` where
/// there are none. A JSON file holds a list of names; any other file has one a line.
///
/// # Errors
/// A file that cannot be read; not `n_outputs` names.
pub(crate) fn find(
    model_path: Option<&Path>,
    options: &ModelOptions,
    n_outputs: usize,
) -> Result<Option<Vec<String>>, Error> {
    let fault = |n: usize| format!("holds {n} labels, the model has {n_outputs} outputs");
    if let Some(names) = &options.output_names {
        return match names.len() {
            n if n == n_outputs => Ok(Some(names.clone())),
            n => Err(Error::request("output_names", fault(n))),
        };
    }
    let endings = ["labels.json", "labels.txt"];
    let beside = model_path.into_iter().flat_map(|path| endings.map(|ending| path.with_extension(ending)));
    let path: Option<PathBuf> =
        options.labels.clone().or_else(|| beside.into_iter().find(|path| path.is_file()));
    let Some(path) = path else { return Ok(None) };
    let labels = read(&path)?;
    if labels.len() != n_outputs {
        return Err(Error::input(&path, fault(labels.len())));
    }
    Ok(Some(labels))
}

fn read(path: &Path) -> Result<Vec<String>, Error> {
    let text = file::read_text(path)?;
    if path.extension().is_some_and(|ending| ending == "json") {
        return serde_json::from_str(&text).map_err(|error| {
            Error::input(path, format!("is no JSON list of names, such as [\"cat\", \"dog\"]: {error}"))
        });
    }
    Ok(text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_found_beside_the_model() {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("net.onnx");
        let find = |labels: Option<&Path>, n_outputs| {
            let labels = labels.map(Path::to_owned);
            super::find(Some(&model), &ModelOptions { labels, ..ModelOptions::default() }, n_outputs)
        };
        assert_eq!(find(None, 2).unwrap(), None);
        std::fs::write(folder.path().join("net.labels.txt"), "cat\n\ndog\n").unwrap();
        assert_eq!(find(None, 2).unwrap().unwrap(), ["cat", "dog"]);
        assert!(find(None, 3).unwrap_err().to_string().contains("holds 2 labels, the model has 3"));
        let given = folder.path().join("other.json");
        std::fs::write(&given, "[\"a\", \"b\"]").unwrap();
        assert_eq!(find(Some(&given), 2).unwrap().unwrap(), ["a", "b"]);
        std::fs::write(&given, "{\"a\": 1}").unwrap();
        assert!(find(Some(&given), 2).unwrap_err().to_string().contains("no JSON list of names"));
    }
}

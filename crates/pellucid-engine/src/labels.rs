//! Names of a model's outputs.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::file;

/// The labels in `given`, or in `MODEL.labels.json` or `MODEL.labels.txt` beside the model; `None` where there are
/// none. A JSON file holds a list of names; any other file has one a line.
///
/// # Errors
/// A file that cannot be read or does not hold `n_outputs` names.
pub(crate) fn find(
    model_path: &Path,
    given: Option<&Path>,
    n_outputs: usize,
) -> Result<Option<Vec<String>>, Error> {
    let beside = ["labels.json", "labels.txt"].map(|ending| model_path.with_extension(ending));
    let path: Option<PathBuf> =
        given.map(Path::to_owned).or_else(|| beside.into_iter().find(|path| path.is_file()));
    let Some(path) = path else { return Ok(None) };
    let labels = read(&path)?;
    if labels.len() != n_outputs {
        let reason = format!("holds {} labels, the model has {n_outputs} outputs", labels.len());
        return Err(Error::input(&path, reason));
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
        assert_eq!(find(&model, None, 2).unwrap(), None);
        std::fs::write(folder.path().join("net.labels.txt"), "cat\n\ndog\n").unwrap();
        assert_eq!(find(&model, None, 2).unwrap().unwrap(), ["cat", "dog"]);
        assert!(find(&model, None, 3).unwrap_err().to_string().contains("holds 2 labels, the model has 3"));
        let given = folder.path().join("other.json");
        std::fs::write(&given, "[\"a\", \"b\"]").unwrap();
        assert_eq!(find(&model, Some(&given), 2).unwrap().unwrap(), ["a", "b"]);
        std::fs::write(&given, "{\"a\": 1}").unwrap();
        assert!(find(&model, Some(&given), 2).unwrap_err().to_string().contains("no JSON list of names"));
    }
}

//! What a person writes for a target.

use std::path::{Path, PathBuf};

use ndarray::ArrayD;
use pellucid_core::{Similarity, Target};

use crate::error::Error;
use crate::input::{ReadOptions, numbers_of_file};
use crate::model::LoadedModel;
use crate::photo;

/// The target that `text` names:
///
/// | text | target |
/// |---|---|
/// | `top-1`, `top-5` | the highest outputs of each row |
/// | `281` | output 281, counted from 0 |
/// | `281-282` | output 281 less output 282 |
/// | `281:1,282:-0.5` | a weighted sum of outputs |
/// | `tabby`, `label:281-282` | the output with this label; `label:` where it looks like one of the above |
///
/// ```
/// use pellucid_core::Target;
/// use pellucid_engine::parse_target;
///
/// assert_eq!(parse_target("top-5")?, Target::Top(5));
/// assert_eq!(parse_target("3-1")?, Target::Weighted(vec![(3, 1.0), (1, -1.0)]));
/// assert_eq!(parse_target("tiger cat")?, Target::Label("tiger cat".into()));
/// # Ok::<(), pellucid_engine::Error>(())
/// ```
///
/// # Errors
/// An empty text; a weighted sum that is none.
pub fn parse_target(text: &str) -> Result<Target, Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::request("target", "is empty; write top-1, an index or a label"));
    }
    if let Some(label) = text.strip_prefix("label:") {
        return Ok(Target::Label(label.to_owned()));
    }
    if let Some(k) = text.strip_prefix("top-").and_then(|k| k.parse().ok()) {
        return Ok(Target::Top(k));
    }
    if let Ok(index) = text.parse() {
        return Ok(Target::Index(index));
    }
    if let Some((first, second)) = text.split_once('-')
        && let (Ok(first), Ok(second)) = (first.parse(), second.parse())
    {
        return Ok(Target::Weighted(vec![(first, 1.0), (second, -1.0)]));
    }
    match text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(':') {
        true => weighted(text),
        false => Ok(Target::Label(text.to_owned())),
    }
}

/// The target that `text` names, as [`parse_target`], and beyond:
///
/// | text | target |
/// |---|---|
/// | `cosine:FILE` | the cosine similarity of the outputs to an embedding, or to that of an input |
/// | `dot:FILE` | their dot product |
/// | `mask:CLASS:FILE` | of a model that classifies every place of an image: a class over the places of a mask |
///
/// Files are `.npy` or `.npz`; an input may be a photo, and a mask a `.png`: what is neither black nor transparent is inside.
///
/// # Errors
/// As [`parse_target`]; files that cannot be read.
pub fn read_target(model: &LoadedModel, text: &str) -> Result<Target, Error> {
    for (name, measure) in Similarity::NAMES {
        if let Some(path) = text.trim().strip_prefix(name).and_then(|rest| rest.strip_prefix(':')) {
            let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Ok(Target::Similar { measure, to: reference(model, Path::new(path))?, name });
        }
    }
    let Some(rest) = text.trim().strip_prefix("mask:") else { return parse_target(text) };
    let (class, path) = rest.split_once(':').ok_or_else(|| {
        Error::request(
            "target",
            format!("`{text}` is no mask; write mask:CLASS:FILE, the file .npy, .npz or .png"),
        )
    })?;
    let mask = read_mask(Path::new(path))?;
    Ok(Target::Masked { class: Box::new(parse_target(class)?), mask })
}

/// The weight of each place: of an array file its numbers, of a picture 1 inside and 0 outside.
fn read_mask(path: &Path) -> Result<ArrayD<f32>, Error> {
    match path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png")) {
        true => Ok(photo::read_mask(path)?.mapv(|inside| f32::from(u8::from(inside))).into_dyn()),
        false => Ok(numbers_of_file(path, &ReadOptions::default())?.mapv(|x| x as f32)),
    }
}

/// The numbers of an array file, or the first row of what else holds inputs.
fn reference(model: &LoadedModel, path: &Path) -> Result<ArrayD<f32>, Error> {
    let ending = path.extension().map_or_else(String::new, |ending| ending.to_string_lossy().to_lowercase());
    match ending.as_str() {
        "npy" | "npz" => {
            let options = ReadOptions { input_name: model.input_name(), ..ReadOptions::default() };
            Ok(numbers_of_file(path, &options)?.mapv(|x| x as f32))
        }
        _ => {
            let paths: [PathBuf; 1] = [path.to_owned()];
            Ok(model.read_input(&paths, None)?.rows)
        }
    }
}

fn weighted(text: &str) -> Result<Target, Error> {
    let term = |term: &str| {
        let (index, weight) = term.split_once(':')?;
        Some((index.trim().parse().ok()?, weight.trim().parse().ok()?))
    };
    let terms: Option<Vec<(usize, f64)>> = text.split(',').map(term).collect();
    terms.map(Target::Weighted).ok_or_else(|| {
        let reason = format!("`{text}` is no weighted sum; write INDEX:WEIGHT,INDEX:WEIGHT or label:NAME");
        Error::request("target", reason)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_told_apart() {
        let check =
            |text: &str, expected: Target| assert_eq!(parse_target(text).unwrap(), expected, "{text}");
        check("0", Target::Index(0));
        check("top-1", Target::Top(1));
        check("2:1, 5:-0.5", Target::Weighted(vec![(2, 1.0), (5, -0.5)]));
        check("top-hat", Target::Label("top-hat".into()));
        check("-3", Target::Label("-3".into()));
        check("label:7", Target::Label("7".into()));
        assert!(parse_target("2:x").is_err());
        assert!(parse_target(" ").is_err());
    }
}

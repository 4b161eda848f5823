//! The bytes of a tree model file → `TreeEnsemble`.

mod arrays;
mod catboost;
mod lightgbm;
mod onnx;
mod ubj;
mod walk;
mod xgboost;

use std::fmt;

use serde::Deserializer;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};

use crate::ensemble::TreeEnsemble;
use crate::error::Error;
pub use arrays::{TreeArrays, tree_of_arrays};

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// XGBoost's `save_model("model.json")`.
    XgboostJson,
    /// XGBoost's `save_model("model.ubj")`.
    XgboostUbj,
    /// LightGBM's `save_model("model.txt")`.
    LightgbmText,
    /// CatBoost's `save_model("model.json", format="json")`.
    CatboostJson,
    /// ONNX with the tree ops of ONNX-ML.
    Onnx,
}

/// Reads a tree model, whichever library wrote it: the content tells.
///
/// # Errors
/// [`Error::Format`] for what is no tree model, or a broken one, [`Error::Unsupported`] and [`Error::Malformed`] for
/// one that cannot be explained.
pub fn read(bytes: &[u8]) -> Result<TreeEnsemble, Error> {
    let outcome = recognize(bytes).and_then(|format| match format {
        FileFormat::XgboostJson => xgboost::read_json(bytes),
        FileFormat::XgboostUbj => xgboost::read_ubj(bytes),
        FileFormat::LightgbmText => lightgbm::read(bytes),
        FileFormat::CatboostJson => catboost::read(bytes),
        FileFormat::Onnx => onnx::read(bytes),
    });
    outcome.map_err(|error| match error {
        Error::Format { format, reason } => Error::Format { format, reason: one_line(&reason, 230) },
        Error::Malformed { tree, node, reason } => {
            Error::Malformed { tree, node, reason: one_line(&reason, 230) }
        }
        Error::Unsupported { what, hint } => Error::Unsupported { what: one_line(&what, 120), hint },
        other => other,
    })
}

/// At most `n_most` characters. What a message quotes may be as long as the file: its beginning, and its end, which says where.
fn one_line(text: &str, n_most: usize) -> String {
    let printable: Vec<char> = text.chars().filter(|c| !c.is_control()).collect();
    if printable.len() <= n_most {
        return printable.into_iter().collect();
    }
    let (beginning, end) = (&printable[..n_most - 48], &printable[printable.len() - 45..]);
    beginning.iter().chain(&[' ', '…', ' ']).chain(end).collect()
}

/// Which format bytes are of, from their beginning.
///
/// # Errors
/// [`Error::Format`] that says what they seem to be.
pub fn recognize(bytes: &[u8]) -> Result<FileFormat, Error> {
    let text = bytes.trim_ascii_start();
    match bytes {
        // A UBJ object: the brace, then the type of the first key's length.
        [b'{', b'i' | b'U' | b'I' | b'l' | b'L' | b'$' | b'#' | b'N', ..] => Ok(FileFormat::XgboostUbj),
        _ if text.starts_with(b"{") => recognize_json(text),
        _ if text.starts_with(b"tree\n") || text.starts_with(b"tree\r\n") => Ok(FileFormat::LightgbmText),
        // The version of the file format, field 1, stands first.
        [0x08, _, ..] => Ok(FileFormat::Onnx),
        _ if mentions(bytes, b"ai.onnx.ml") => Ok(FileFormat::Onnx),
        _ => Err(no_model(what_else(bytes, text))),
    }
}

fn no_model(reason: &str) -> Error {
    let read = "XGBoost JSON and UBJ, LightGBM text, CatBoost JSON and ONNX are read";
    Error::Format { format: "tree", reason: format!("{reason}; {read}") }
}

fn mentions(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

fn what_else(bytes: &[u8], text: &[u8]) -> &'static str {
    const BEGINNINGS: [(&[u8], &str); 6] = [
        (b"binf", "it is XGBoost's old binary format: load it with XGBoost and save it as .json"),
        (b"bs64", "it is XGBoost's old binary format: load it with XGBoost and save it as .json"),
        (
            b"CBM1",
            "it is CatBoost's binary format: save it with format=\"json\", which CatBoost does for models without text and \
             embedding features",
        ),
        (b"PK\x03\x04", "it is a zip archive"),
        (b"\x1f\x8b", "it is a gzip file: unpack it"),
        (b"\x89HDF", "it is an HDF5 file"),
    ];
    if text.is_empty() {
        return "it is empty";
    }
    if let Some((_, what)) = BEGINNINGS.iter().find(|(beginning, _)| bytes.starts_with(beginning)) {
        return what;
    }
    match (text[0], bytes.get(1)) {
        // Protocols 2 to 5.
        (0x80, Some(2..=5)) => {
            "it is a Python pickle, which could run any code: save the model in its library's own format"
        }
        (b'[', _) => {
            "it is a JSON list, as dump_model writes it, which leaves out what a prediction needs: use save_model"
        }
        (b'<', _) => "it is XML, maybe PMML",
        _ => "its beginning is that of no known model",
    }
}

/// The keys of a JSON object tell, the first of which usually does.
fn recognize_json(text: &[u8]) -> Result<FileFormat, Error> {
    let mut found = None;
    let end = serde_json::Deserializer::from_slice(text).deserialize_map(TopKeys { found: &mut found });
    match (found, end) {
        (Some(format), _) => format.ok_or_else(|| {
            no_model("it is LightGBM's dump_model, which leaves out what a prediction needs: use save_model")
        }),
        (None, Err(error)) => Err(no_model(&format!("it begins like JSON, but: {error}"))),
        (None, Ok(())) => {
            Err(no_model("it is JSON without `learner` (XGBoost) and `features_info` (CatBoost)"))
        }
    }
}

/// Stops, with an error, at the first key that tells.
struct TopKeys<'f> {
    /// The inner `None` is a dump.
    found: &'f mut Option<Option<FileFormat>>,
}

impl<'de> Visitor<'de> for TopKeys<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            *self.found = match key.as_str() {
                "learner" => Some(Some(FileFormat::XgboostJson)),
                "oblivious_trees" | "trees" | "features_info" | "scale_and_bias" => {
                    Some(Some(FileFormat::CatboostJson))
                }
                "tree_info" => Some(None),
                _ => None,
            };
            if self.found.is_some() {
                return Err(A::Error::custom("seen enough"));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

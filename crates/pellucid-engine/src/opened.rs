//! A model file of whatever kind: its content tells.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use pellucid_graph::Runtime;

use crate::error::Error;
use crate::model::{LoadedModel, ModelOptions, advice};
use crate::trees::TreeModel;

/// A model of one of the kinds that are explained.
pub enum Opened {
    /// Explained by gradients, on a runtime.
    Network(Box<LoadedModel>),
    /// Explained exactly, without one.
    Trees(Box<TreeModel>),
}

/// The nodes of an ONNX file stand before its weights: what follows these bytes is not looked at.
const HEAD_BYTES: u64 = 64 << 20;

impl Opened {
    /// Opens a model file; `runtime` is called for networks only.
    ///
    /// # Errors
    /// Those of [`LoadedModel::open`] and [`TreeModel::open`].
    pub fn open(
        path: &Path,
        runtime: impl FnOnce() -> Result<Arc<dyn Runtime>, Error>,
        options: &ModelOptions,
    ) -> Result<Self, Error> {
        if !holds_trees(path)? {
            return Ok(Self::Network(Box::new(LoadedModel::open(path, runtime()?, options)?)));
        }
        Ok(Self::Trees(Box::new(TreeModel::open(path, options)?)))
    }

    /// The same of a file's bytes; `name` stands for the file's name.
    ///
    /// # Errors
    /// As [`Opened::open`].
    pub fn from_bytes(
        name: &str,
        bytes: &[u8],
        runtime: impl FnOnce() -> Result<Arc<dyn Runtime>, Error>,
        options: &ModelOptions,
    ) -> Result<Self, Error> {
        let text = bytes.trim_ascii_start();
        if !(begins_as_trees(text) || mentions(bytes, b"TreeEnsemble")) {
            return Ok(Self::Network(Box::new(LoadedModel::from_bytes(name, bytes, runtime()?, options)?)));
        }
        Ok(Self::Trees(Box::new(TreeModel::from_bytes(name, bytes, options)?)))
    }
}

/// Whether a file is a tree model, or is to be refused as one. What cannot be read is left to the reader of networks.
pub(crate) fn holds_trees(path: &Path) -> Result<bool, Error> {
    let ending = path.extension().map_or_else(String::new, |ending| ending.to_string_lossy().to_lowercase());
    let Some(file) = std::fs::File::open(path).ok().filter(|_| path.is_file() && advice(&ending).is_none())
    else {
        return Ok(false);
    };
    let mut head = Vec::new();
    let fault = |error: std::io::Error| Error::input(path, format!("cannot be read: {error}"));
    file.take(HEAD_BYTES).read_to_end(&mut head).map_err(fault)?;
    Ok(begins_as_trees(head.trim_ascii_start())
        || matches!(ending.as_str(), "json" | "ubj" | "txt" | "cbm" | "bst")
        || (ending == "onnx" && mentions(&head, b"TreeEnsemble")))
}

fn begins_as_trees(text: &[u8]) -> bool {
    text.starts_with(b"{") || text.starts_with(b"tree\n") || text.starts_with(b"tree\r\n")
}

fn mentions(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

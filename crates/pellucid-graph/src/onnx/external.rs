//! Weights beside the model file. Only files inside the model's own folder are read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use super::budget::Budget;
use super::proto::TensorProto;
use crate::error::Error;

/// The folder of the model, and a digest of what was read from it.
pub(super) struct External {
    folder: Option<PathBuf>,
    files: BTreeMap<String, (File, u64)>,
    /// Covers the model's own bytes and then everything read here, in order.
    pub(super) digest: Sha256,
}

impl External {
    pub(super) fn new(folder: Option<&Path>) -> Self {
        let folder = folder.map(Path::to_path_buf);
        Self { folder, files: BTreeMap::new(), digest: Sha256::new() }
    }

    /// The bytes of a tensor with external data, which must be `n_bytes`. A file read for the first time adds to what
    /// tensors may take.
    pub(super) fn read(
        &mut self,
        proto: &TensorProto,
        n_bytes: usize,
        budget: &mut Budget,
    ) -> Result<Vec<u8>, Error> {
        let location = entry(proto, "location").unwrap_or_default().to_owned();
        let fault = |reason: String| Error::ExternalData {
            tensor: proto.name().to_owned(),
            location: location.clone(),
            reason,
        };
        let number = |key: &str| match entry(proto, key) {
            None => Ok(None),
            Some(text) => {
                text.parse::<u64>().map(Some).map_err(|_| fault(format!("{key} `{text}` is no number")))
            }
        };
        let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);
        if length.is_some_and(|length| length != n_bytes as u64) {
            let stated = length.unwrap_or_default();
            return Err(fault(format!("states {stated} bytes, but the tensor's shape takes {n_bytes}")));
        }
        let (file, size) = self.open(&location, budget).map_err(fault)?;
        if offset.checked_add(n_bytes as u64).is_none_or(|end| end > *size) {
            return Err(fault(format!("{n_bytes} bytes from {offset} are past the file's end at {size}")));
        }
        budget.take(proto.name(), n_bytes)?;
        let mut bytes = vec![0; n_bytes];
        let result = file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(&mut bytes));
        result.map_err(|error| fault(format!("cannot be read: {error}")))?;
        self.digest.update(&bytes);
        Ok(bytes)
    }

    fn open(&mut self, location: &str, budget: &mut Budget) -> Result<&mut (File, u64), String> {
        if !self.files.contains_key(location) {
            let path = self.resolve(location)?;
            let file = File::open(&path).map_err(|error| format!("cannot be opened: {error}"))?;
            let size = file.metadata().map_err(|error| error.to_string())?.len();
            budget.add_file(size);
            self.files.insert(location.to_owned(), (file, size));
        }
        self.files.get_mut(location).ok_or_else(|| "cannot be opened".to_owned())
    }

    /// The file's own path, all links followed, which must lie in the model's folder.
    fn resolve(&self, location: &str) -> Result<PathBuf, String> {
        let folder = self.folder.as_ref().ok_or("the model was given as bytes, so that it has no folder")?;
        let relative = Path::new(location);
        let inside =
            relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if location.is_empty() || !inside {
            return Err("only files inside the model's own folder are read".to_owned());
        }
        let canonical =
            |path: &Path| path.canonicalize().map_err(|error| format!("cannot be found: {error}"));
        let (folder, path) = (canonical(folder)?, canonical(&folder.join(relative))?);
        if !path.starts_with(&folder) {
            return Err("it is a link out of the model's own folder, where no file is read".to_owned());
        }
        match path.is_file() {
            true => Ok(path),
            false => Err("it is no file".to_owned()),
        }
    }
}

fn entry<'a>(proto: &'a TensorProto, key: &str) -> Option<&'a str> {
    proto.external_data.iter().find(|entry| entry.key() == key).map(|entry| entry.value())
}

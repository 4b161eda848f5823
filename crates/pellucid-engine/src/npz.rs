//! NumPy's `.npz` bytes ⇄ named arrays.

use std::io::{Cursor, Read, Write};

use ndarray::ArrayD;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::file::MAX_INPUT_BYTES;
use crate::npy;

/// The arrays of an `.npz` file.
pub(crate) struct Npz<'b>(ZipArchive<Cursor<&'b [u8]>>);

impl<'b> Npz<'b> {
    /// Opens the archive.
    ///
    /// # Errors
    /// In words, what is wrong with the bytes.
    pub(crate) fn open(bytes: &'b [u8]) -> Result<Self, String> {
        ZipArchive::new(Cursor::new(bytes)).map(Self).map_err(|error| format!("is no .npz file: {error}"))
    }

    /// The names of its arrays, in alphabetical order.
    pub(crate) fn names(&self) -> Vec<String> {
        let files = self.0.file_names().filter_map(Result::ok);
        let mut names: Vec<String> =
            files.filter_map(|name| name.strip_suffix(".npy").map(str::to_owned)).collect();
        names.sort();
        names
    }

    /// One array. No more is unpacked than an input may have bytes.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub(crate) fn array(&mut self, name: &str) -> Result<ArrayD<f64>, String> {
        npy::parse(&self.bytes(name)?).map_err(|reason| format!("array `{name}`: {reason}"))
    }

    /// The word that one array holds.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub(crate) fn word(&mut self, name: &str) -> Result<String, String> {
        npy::word(&self.bytes(name)?).map_err(|reason| format!("array `{name}`: {reason}"))
    }

    fn bytes(&mut self, name: &str) -> Result<Vec<u8>, String> {
        let fault = |reason: String| format!("array `{name}`: {reason}");
        let file = self.0.by_name(&format!("{name}.npy")).map_err(|error| fault(error.to_string()))?;
        let mut bytes = Vec::new();
        file.take(MAX_INPUT_BYTES + 1).read_to_end(&mut bytes).map_err(|error| fault(error.to_string()))?;
        if bytes.len() as u64 > MAX_INPUT_BYTES {
            return Err(fault(format!("unpacks to more than {MAX_INPUT_BYTES} bytes")));
        }
        Ok(bytes)
    }
}

/// `.npy` bytes under their names as an `.npz` file, deflated. Same arrays, same bytes: no clock goes in.
///
/// # Errors
/// In words, what the archive's writer reports.
pub(crate) fn bytes(arrays: &[(&str, Vec<u8>)]) -> Result<Vec<u8>, String> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default());
    for (name, array) in arrays {
        // Archives of more than 4 GiB say so in each file's header.
        let options = options.large_file(array.len() as u64 > u64::from(u32::MAX) / 2);
        writer.start_file(format!("{name}.npy"), options).map_err(|error| error.to_string())?;
        writer.write_all(array).map_err(|error| error.to_string())?;
    }
    Ok(writer.finish().map_err(|error| error.to_string())?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn arrays_come_back_by_name() {
        let first = array![[1.0, 2.5]].into_dyn();
        let archive =
            bytes(&[("b", npy::bytes(&first)), ("a", npy::bytes(&array![3i64].into_dyn()))]).unwrap();
        let mut npz = Npz::open(&archive).unwrap();
        assert_eq!(npz.names(), ["a", "b"]);
        assert_eq!(npz.array("b").unwrap(), first);
        assert!(npz.array("c").unwrap_err().contains("array `c`"));
        assert_eq!(
            archive,
            bytes(&[("b", npy::bytes(&first)), ("a", npy::bytes(&array![3i64].into_dyn()))]).unwrap()
        );
    }

    #[test]
    fn a_cut_archive_is_refused() {
        let archive = bytes(&[("a", npy::bytes(&array![1.0, 2.0].into_dyn()))]).unwrap();
        assert!(Npz::open(&archive[..archive.len() - 30]).is_err());
        assert!(Npz::open(b"no archive").is_err());
    }
}

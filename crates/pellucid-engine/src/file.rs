//! Files: read whole within a limit, written whole or not at all.

use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Inputs beyond this are refused before memory is taken for them.
pub(crate) const MAX_INPUT_BYTES: u64 = 2 << 30;

/// The bytes of an input file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let fault = |error: std::io::Error| Error::input(path, format!("cannot be read: {error}"));
    let metadata = std::fs::metadata(path).map_err(fault)?;
    if metadata.is_dir() {
        return Err(Error::input(path, "is a folder; name a file"));
    }
    check_length(path, metadata.len())?;
    let mut bytes = Vec::new();
    // A pipe has no length beforehand.
    let file = std::fs::File::open(path).map_err(fault)?;
    file.take(MAX_INPUT_BYTES + 1).read_to_end(&mut bytes).map_err(fault)?;
    check_length(path, bytes.len() as u64)?;
    match bytes.is_empty() {
        true => Err(Error::input(path, "the file is empty")),
        false => Ok(bytes),
    }
}

fn check_length(path: &Path, length: u64) -> Result<(), Error> {
    if length <= MAX_INPUT_BYTES {
        return Ok(());
    }
    let reason =
        format!("{length} bytes are more than the {MAX_INPUT_BYTES} that are read at once; split it");
    Err(Error::input(path, reason))
}

/// The text of an input file.
///
/// # Errors
/// A file that cannot be read, is empty, or is no UTF-8.
pub fn read_text(path: &Path) -> Result<String, Error> {
    let bytes = read(path)?;
    String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        Error::input(path, format!("is no UTF-8 text: byte {place} starts no character"))
    })
}

/// Writes a file under another name beside it and renames it when it is whole, so that a full disk or a stop leaves
/// what was there before, or nothing. Makes the folder if it is not there.
///
/// # Errors
/// Whatever the system reports.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let fault = |error: std::io::Error| Error::output(path, error);
    // What is no ordinary file, such as a device or a pipe, cannot be replaced.
    if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        std::fs::create_dir_all(folder_of(path)).map_err(fault)?;
        let mut file = std::fs::OpenOptions::new().write(true).open(path).map_err(fault)?;
        return file.write_all(bytes).and_then(|()| file.flush()).map_err(fault);
    }
    let mut file = Pending::new(path)?;
    file.write_all(bytes).map_err(fault)?;
    file.finish()
}

/// A file that is written piece by piece under another name, and is there when it is whole or not at all.
pub(crate) struct Pending {
    path: PathBuf,
    file: BufWriter<tempfile::NamedTempFile>,
}

impl Pending {
    pub(crate) fn new(path: &Path) -> Result<Self, Error> {
        let fault = |error: std::io::Error| Error::output(path, error);
        let folder = folder_of(path);
        std::fs::create_dir_all(folder).map_err(fault)?;
        let mut builder = tempfile::Builder::new();
        as_readable_as_any(builder.prefix(".pellucid-"));
        let file = builder.tempfile_in(folder).map_err(fault)?;
        Ok(Self { path: path.to_owned(), file: BufWriter::with_capacity(1 << 16, file) })
    }

    /// Gives the file its name.
    pub(crate) fn finish(self) -> Result<(), Error> {
        let fault = |error: std::io::Error| Error::output(&self.path, error);
        let file = self.file.into_inner().map_err(|error| fault(error.into_error()))?;
        file.as_file().sync_all().map_err(fault)?;
        file.persist(&self.path).map_err(|error| fault(error.error))?;
        Ok(())
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Pending {
    fn seek(&mut self, place: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(place)
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Temporary files are private; an output should be as readable as any new file. The process's umask takes its part of
/// the permissions.
fn as_readable_as_any(builder: &mut tempfile::Builder<'_, '_>) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    #[cfg(not(unix))]
    let _ = builder;
}

/// A table as CSV.
pub(crate) fn csv_bytes(
    header: Vec<String>,
    lines: impl Iterator<Item = Vec<String>>,
) -> Result<Vec<u8>, Error> {
    let fault = |error: String| Error::request("out", error);
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in [header].into_iter().chain(lines) {
        writer.write_record(&line).map_err(|error| fault(error.to_string()))?;
    }
    writer.into_inner().map_err(|error| fault(error.error().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/file.txt");
        write(&path, b"first").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn an_empty_file_and_a_folder_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty.csv");
        std::fs::write(&path, b"").unwrap();
        assert!(read(&path).unwrap_err().to_string().ends_with("the file is empty"));
        assert!(read(folder.path()).unwrap_err().to_string().contains("is a folder"));
        assert!(read(&folder.path().join("none")).unwrap_err().to_string().contains("cannot be read"));
    }
}

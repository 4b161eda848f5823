//! Writing files so that a machine that stops leaves them whole: the old content, the new, or none.

use std::fs;
use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::Error;

/// Who may read a file.
#[derive(Clone, Copy)]
pub(crate) enum Readers {
    /// Its owner alone.
    Owner,
    /// Everybody.
    All,
}

/// Writes a file that must not exist yet.
pub(crate) fn create(
    path: &Path,
    content: &[u8],
    readers: Readers,
    doing: &'static str,
) -> Result<(), Error> {
    let file = written_beside(path, content, readers, doing)?;
    file.persist_noclobber(path).map_err(|fault| Error::file(path, doing)(fault.error))?;
    sync_folder_of(path, doing)
}

/// Writes a file, in place of another where there is one.
pub(crate) fn replace(
    path: &Path,
    content: &[u8],
    readers: Readers,
    doing: &'static str,
) -> Result<(), Error> {
    let file = written_beside(path, content, readers, doing)?;
    file.persist(path).map_err(|fault| Error::file(path, doing)(fault.error))?;
    sync_folder_of(path, doing)
}

/// Writes a file that its owner alone may read, in place of another where there is one, and makes its folder where that is missing. Once
/// this returns the file survives the process and the machine; a reader finds all of it or none.
///
/// # Errors
/// [`Error::File`].
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), Error> {
    const DOING: &str = "writing it";
    let folder = folder_of(path);
    if !folder.is_dir() {
        fs::create_dir(folder).map_err(Error::file(folder, "making the folder"))?;
        sync_folder_of(folder, DOING)?;
    }
    replace(path, content, Readers::Owner, DOING)
}

/// The text of a file; `None` where there is none.
pub(crate) fn read(path: &Path, doing: &'static str) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(Error::file(path, doing)(fault)),
    }
}

/// A temporary file in the same folder, on the disk, which only needs its name.
fn written_beside(
    path: &Path,
    content: &[u8],
    readers: Readers,
    doing: &'static str,
) -> Result<NamedTempFile, Error> {
    let mut file = temporary_in(folder_of(path), readers).map_err(Error::file(path, doing))?;
    file.write_all(content).and_then(|()| file.as_file().sync_all()).map_err(Error::file(path, doing))?;
    Ok(file)
}

/// A bare name has the empty path as its parent, which no system call takes.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(unix)]
fn temporary_in(folder: &Path, readers: Readers) -> std::io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;
    let mode = match readers {
        Readers::Owner => 0o600,
        Readers::All => 0o644,
    };
    tempfile::Builder::new().permissions(fs::Permissions::from_mode(mode)).tempfile_in(folder)
}

#[cfg(not(unix))]
fn temporary_in(folder: &Path, _readers: Readers) -> std::io::Result<NamedTempFile> {
    NamedTempFile::new_in(folder)
}

/// A name is on the disk when its folder is.
#[cfg(unix)]
fn sync_folder_of(path: &Path, doing: &'static str) -> Result<(), Error> {
    let folder = folder_of(path);
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::file(folder, doing))
}

/// Other systems give no way to do it.
#[cfg(not(unix))]
fn sync_folder_of(_path: &Path, _doing: &'static str) -> Result<(), Error> {
    Ok(())
}

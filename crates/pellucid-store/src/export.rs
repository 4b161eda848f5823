//! The log as a folder of static files (C2SP tlog-tiles), which any web server or bucket can serve.

use std::fs;
use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::Error;
use crate::reader::Reader;
use crate::stored;
use crate::tree::TILE_HEIGHT;

/// Hashes, or entries, of a full tile.
const TILE_WIDTH: u64 = 1 << TILE_HEIGHT;

/// What an export wrote.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exported {
    /// How many entries the exported checkpoint covers.
    pub n_entries: u64,
    /// How many files are new.
    pub n_new_files: u64,
}

impl Reader {
    /// Writes the log up to its newest checkpoint into `folder`: `checkpoint`, `tile/LEVEL/INDEX` and
    /// `tile/entries/INDEX`. Payloads stay where they are. Into a folder that has an older export only what is new is
    /// written.
    ///
    /// # Errors
    /// [`Error::NoEntry`] without a checkpoint; [`Error::Damaged`] where the folder's full tiles are not this log's;
    /// [`Error::File`].
    pub fn export(&self, folder: &Path) -> Result<Exported, Error> {
        let latest = stored::latest_checkpoint(&self.path, &self.connection)?;
        let none = || Error::NoEntry { index: 0, reason: "no checkpoint covers it yet: sign one".to_owned() };
        let (n, note) = latest.ok_or_else(none)?;
        let mut n_new_files = 0;
        for level in 0..64 / TILE_HEIGHT {
            let hashes = |from, to| self.tile(level * TILE_HEIGHT, from, to);
            n_new_files += export_level(folder, &level.to_string(), n >> (level * TILE_HEIGHT), hashes)?;
        }
        n_new_files += export_level(folder, "entries", n, |from, to| self.bundle(from, to))?;
        // Last, so that whoever sees it finds the tiles that it needs.
        replace(&folder.join("checkpoint"), note.as_bytes())?;
        Ok(Exported { n_entries: n, n_new_files })
    }

    fn tile(&self, level: u8, from: u64, to: u64) -> Result<Vec<u8>, Error> {
        let hashes = (from..to).map(|index| stored::hash(&self.path, &self.connection, level, index));
        hashes
            .map(|hash| hash.map(|hash| hash.0))
            .collect::<Result<Vec<_>, _>>()
            .map(|hashes| hashes.concat())
    }

    /// Entries, each behind its length as big-endian u16.
    fn bundle(&self, from: u64, to: u64) -> Result<Vec<u8>, Error> {
        let mut bundle = Vec::new();
        for index in from..to {
            let entry = self.entry_bytes(index)?;
            let length = u16::try_from(entry.len());
            let length = length
                .map_err(|_| Error::damaged(format!("entry {index}"), "is longer than an entry can be"))?;
            bundle.extend(length.to_be_bytes());
            bundle.extend(entry);
        }
        Ok(bundle)
    }
}

/// All tiles of a level of `n` elements; how many of the files are new.
fn export_level(
    folder: &Path,
    level: &str,
    n: u64,
    content: impl Fn(u64, u64) -> Result<Vec<u8>, Error>,
) -> Result<u64, Error> {
    let mut n_new = 0;
    for tile in 0..n.div_ceil(TILE_WIDTH) {
        let (from, to) = (tile * TILE_WIDTH, n.min((tile + 1) * TILE_WIDTH));
        let path = folder.join("tile").join(level).join(tile_path(tile, to - from));
        let content = content(from, to)?;
        match fs::read(&path) {
            Ok(present) if present == content => {}
            Ok(_) => {
                let reason = "the folder has the tile of another log or history: export into an empty folder";
                return Err(Error::damaged(path.display().to_string(), reason));
            }
            Err(_) => {
                replace(&path, &content)?;
                n_new += 1;
            }
        }
    }
    Ok(n_new)
}

/// `x001/x234/067` for tile 1,234,067; `.p/WIDTH` behind it where the tile is not full.
fn tile_path(tile: u64, width: u64) -> String {
    let mut path = format!("{:03}", tile % 1_000);
    let mut rest = tile / 1_000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1_000);
        rest /= 1_000;
    }
    if width == TILE_WIDTH { path } else { format!("{path}.p/{width}") }
}

/// The file has the old content or the new, whenever the machine stops.
fn replace(path: &Path, content: &[u8]) -> Result<(), Error> {
    let doing = "exporting";
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(Error::file(folder, doing))?;
    let mut file = temporary_in(folder).map_err(Error::file(path, doing))?;
    file.write_all(content).and_then(|()| file.as_file().sync_all()).map_err(Error::file(path, doing))?;
    file.persist(path).map_err(|fault| Error::file(path, doing)(fault.error))?;
    sync_folder(folder)
}

/// Temporary files are their owner's alone; an export is for others to read.
#[cfg(unix)]
fn temporary_in(folder: &Path) -> std::io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;
    tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o644)).tempfile_in(folder)
}

#[cfg(not(unix))]
fn temporary_in(folder: &Path) -> std::io::Result<NamedTempFile> {
    NamedTempFile::new_in(folder)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> Result<(), Error> {
    let synced = fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(Error::file(folder, "exporting"))
}

/// Other systems give no way to do it.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> Result<(), Error> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::tile_path;

    #[test]
    fn tiles_have_the_specified_paths() {
        assert_eq!(tile_path(1_234_067, 256), "x001/x234/067");
        assert_eq!(tile_path(0, 1), "000.p/1");
        assert_eq!(tile_path(1_000, 255), "x001/000.p/255");
    }
}

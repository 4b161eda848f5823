//! The log as a folder of static files (C2SP tlog-tiles), which any web server or bucket can serve.

use std::path::Path;

use crate::checkpoint::Checkpoint;
use crate::error::Error;
use crate::files::{self, Readers};
use crate::reader::Reader;
use crate::stored;
use crate::tree::{TILE_HEIGHT, range_root};

/// Hashes, or entries, of a full tile.
const TILE_WIDTH: u64 = 1 << TILE_HEIGHT;

const DOING: &str = "exporting";

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
    /// [`Error::NoEntry`] without a checkpoint; [`Error::Damaged`] where the folder has the export of another log, of
    /// another history or of a newer state; [`Error::File`].
    pub fn export(&self, folder: &Path) -> Result<Exported, Error> {
        let latest = stored::latest_checkpoint(&self.path, &self.connection)?;
        let none = || Error::NoEntry { index: 0, reason: "no checkpoint covers it yet: sign one".to_owned() };
        let (n, note) = latest.ok_or_else(none)?;
        self.check_exported(&folder.join("checkpoint"), n)?;
        let mut n_new_files = 0;
        for level in 0..64 / TILE_HEIGHT {
            let hashes = |from, to| self.tile(level * TILE_HEIGHT, from, to);
            n_new_files += export_level(folder, &level.to_string(), n >> (level * TILE_HEIGHT), hashes)?;
        }
        n_new_files += export_level(folder, "entries", n, |from, to| self.bundle(from, to))?;
        // Last, so that whoever sees it finds the tiles that it needs.
        write(&folder.join("checkpoint"), note.as_bytes())?;
        Ok(Exported { n_entries: n, n_new_files })
    }

    /// What was exported before, which others may hold on to, must be the beginning of what is exported now.
    fn check_exported(&self, path: &Path, n: u64) -> Result<(), Error> {
        let Some(present) = files::read(path, DOING)? else { return Ok(()) };
        let damaged = |reason: String| Err(Error::damaged(path.display().to_string(), reason));
        let opened = Checkpoint::open(&String::from_utf8_lossy(&present), &self.claimed_key()?);
        let exported = match opened {
            Ok(exported) => exported,
            Err(fault) => {
                return damaged(format!("is not of this log ({fault}): export into an empty folder"));
            }
        };
        let n_exported = exported.n_entries;
        if n_exported > n {
            return damaged(format!(
                "covers {n_exported} entries, the log's newest checkpoint {n}: where the log is an older copy, put the \
                 newest back; else sign a checkpoint first"
            ));
        }
        let hash = |level, index| stored::hash(&self.path, &self.connection, level, index);
        match range_root(0, n_exported, &hash)? == exported.root {
            true => Ok(()),
            false => damaged(format!(
                "the log has another root at {n_exported} entries, so one of both was rewritten: verify the log against \
                 this checkpoint, and export into an empty folder"
            )),
        }
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
        match files::read(&path, DOING)? {
            Some(present) if present == content => {}
            Some(_) => {
                let reason = "the folder has the tile of another log or history: export into an empty folder";
                return Err(Error::damaged(path.display().to_string(), reason));
            }
            None => {
                write(&path, &content)?;
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

fn write(path: &Path, content: &[u8]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(Error::file(folder, DOING))?;
    files::replace(path, content, Readers::All, DOING)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing::{Place, append};

    /// An export is public: an older state in its place would look like a log that was rolled back.
    #[test]
    fn an_export_never_goes_back() {
        let place = Place::new();
        place.filled(3);
        fs::copy(place.path(), place.beside("copy")).expect("copied");
        let log = place.open();
        append(&log, 3..5);
        log.close().expect("signed");
        let folder = place.beside("export");
        place.reader().export(&folder).expect("exported");
        let before = fs::read(folder.join("checkpoint")).expect("exported");
        let older = Reader::open(&place.beside("copy")).expect("a log");
        let fault = older.export(&folder).expect_err("refused");
        assert!(matches!(fault, Error::Damaged { .. }), "{fault}");
        assert!(fault.to_string().contains("covers 5 entries, the log's newest checkpoint 3"), "{fault}");
        assert_eq!(fs::read(folder.join("checkpoint")).expect("exported"), before);
    }

    /// Partial tiles have names of their own: only the checkpoint tells that the entries before are others.
    #[test]
    fn an_export_of_another_history_is_refused() {
        let place = Place::new();
        place.filled(3);
        let folder = place.beside("export");
        place.reader().export(&folder).expect("exported");
        let log = place.open();
        append(&log, 3..5);
        log.close().expect("signed");
        place.tamper(|it| {
            it.execute_batch("UPDATE hash SET hash = zeroblob(32) WHERE node_index = 1").expect("changed")
        });
        let fault = place.reader().export(&folder).expect_err("refused");
        assert!(matches!(fault, Error::Damaged { .. }), "{fault}");
        assert!(fault.to_string().contains("another root at 3 entries"), "{fault}");
    }

    #[test]
    fn what_cannot_be_read_is_not_written_over() {
        let place = Place::new();
        place.filled(3);
        let folder = place.beside("export");
        fs::create_dir_all(folder.join("checkpoint")).expect("a folder");
        assert!(matches!(place.reader().export(&folder), Err(Error::File { .. })));
        assert!(!folder.join("tile").exists());
    }

    #[test]
    fn tiles_have_the_specified_paths() {
        assert_eq!(tile_path(1_234_067, 256), "x001/x234/067");
        assert_eq!(tile_path(0, 1), "000.p/1");
        assert_eq!(tile_path(1_000, 255), "x001/000.p/255");
    }
}

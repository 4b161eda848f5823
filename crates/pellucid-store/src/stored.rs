//! What both the writer and readers look up in the file.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use crate::digest::Digest;
use crate::error::Error;

/// How many entries there are.
pub(crate) fn n_entries(path: &Path, connection: &Connection) -> Result<u64, Error> {
    let fault = Error::sqlite(path, "counting its entries");
    let query = "SELECT coalesce(max(entry_index) + 1, 0) FROM entry";
    let n: i64 = connection.query_row(query, [], |row| row.get(0)).map_err(&fault)?;
    u64::try_from(n)
        .map_err(|_| Error::damaged(format!("log {}", path.display()), "an entry has a negative index"))
}

/// A stored hash of the tree, at a level at which tiles begin.
pub(crate) fn hash(path: &Path, connection: &Connection, level: u8, index: u64) -> Result<Digest, Error> {
    let query = "SELECT hash FROM hash WHERE level = ?1 AND node_index = ?2";
    let found = connection
        .prepare_cached(query)
        .and_then(|mut it| it.query_row((level, index as i64), |row| row.get::<_, Vec<u8>>(0)).optional());
    let found = found.map_err(Error::sqlite(path, "reading the tree"))?;
    let hash = found.and_then(|bytes| bytes.try_into().ok().map(Digest));
    hash.ok_or_else(|| Error::damaged(format!("hash {index} of level {level}"), "is missing or no hash"))
}

/// The newest checkpoint: size and signed note.
pub(crate) fn latest_checkpoint(
    path: &Path,
    connection: &Connection,
) -> Result<Option<(u64, String)>, Error> {
    let query = "SELECT n_entries, note FROM checkpoint ORDER BY n_entries DESC LIMIT 1";
    let found = connection.query_row(query, [], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?))).optional();
    let found = found.map_err(Error::sqlite(path, "reading its checkpoint"))?;
    Ok(found.map(|(n, note)| (n.unsigned_abs(), note)))
}

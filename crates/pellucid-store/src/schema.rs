//! The log's file: an SQLite database whose tables hold entries, hashes, payloads and checkpoints.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::error::Error;

/// `PRAGMA application_id`: "PLcd".
const APPLICATION_ID: i64 = 0x504c_6364;
/// `PRAGMA user_version`: what this version writes.
const FORMAT: i64 = 1;
/// How long to wait where somebody else holds the file for a moment.
pub(crate) const BUSY: Duration = Duration::from_secs(10);

/// Tables, indexes and triggers, by name; `verify` compares them with what a file has.
///
/// What is derived from an entry (the columns behind `bytes`) serves queries alone; `verify` compares it too.
const OBJECTS: &[(&str, &str)] = &[
    ("about", "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID"),
    (
        "entry",
        "CREATE TABLE entry (entry_index INTEGER PRIMARY KEY, bytes BLOB NOT NULL, kind TEXT NOT NULL, \
         timestamp_micros INTEGER NOT NULL, prediction_id TEXT, model_name TEXT, model_version TEXT, model_digest TEXT, \
         method TEXT, comparability_key TEXT) STRICT",
    ),
    (
        "hash",
        "CREATE TABLE hash (level INTEGER NOT NULL, node_index INTEGER NOT NULL, hash BLOB NOT NULL, \
         PRIMARY KEY (level, node_index)) STRICT, WITHOUT ROWID",
    ),
    (
        "payload",
        "CREATE TABLE payload (entry_index INTEGER PRIMARY KEY, salt BLOB NOT NULL, n_bytes INTEGER NOT NULL, \
         deflated BLOB NOT NULL) STRICT",
    ),
    ("checkpoint", "CREATE TABLE checkpoint (n_entries INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT"),
    ("entry_by_prediction", "CREATE INDEX entry_by_prediction ON entry (prediction_id, comparability_key)"),
    (
        "entry_by_model",
        "CREATE INDEX entry_by_model ON entry (model_name, model_version, method, timestamp_micros)",
    ),
    ("entry_by_time", "CREATE INDEX entry_by_time ON entry (timestamp_micros)"),
    ("erasures", "CREATE INDEX erasures ON entry (entry_index) WHERE kind = 'erasure'"),
    (
        "about_is_kept",
        "CREATE TRIGGER about_is_kept BEFORE DELETE ON about BEGIN SELECT RAISE(ABORT, 'a log keeps its name'); END",
    ),
    (
        "about_is_written_once",
        "CREATE TRIGGER about_is_written_once BEFORE UPDATE ON about BEGIN SELECT RAISE(ABORT, 'a log keeps its name'); END",
    ),
    (
        "entry_is_kept",
        "CREATE TRIGGER entry_is_kept BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entries are kept'); END",
    ),
    (
        "entry_is_written_once",
        "CREATE TRIGGER entry_is_written_once BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries are written once'); END",
    ),
    (
        "hash_is_kept",
        "CREATE TRIGGER hash_is_kept BEFORE DELETE ON hash BEGIN SELECT RAISE(ABORT, 'hashes are kept'); END",
    ),
    (
        "hash_is_written_once",
        "CREATE TRIGGER hash_is_written_once BEFORE UPDATE ON hash BEGIN SELECT RAISE(ABORT, 'hashes are written once'); END",
    ),
    (
        "payload_is_written_once",
        "CREATE TRIGGER payload_is_written_once BEFORE UPDATE ON payload BEGIN SELECT RAISE(ABORT, 'payloads are written once'); END",
    ),
    (
        "checkpoint_is_kept",
        "CREATE TRIGGER checkpoint_is_kept BEFORE DELETE ON checkpoint BEGIN SELECT RAISE(ABORT, 'checkpoints are kept'); END",
    ),
    (
        "checkpoint_is_written_once",
        "CREATE TRIGGER checkpoint_is_written_once BEFORE UPDATE ON checkpoint BEGIN SELECT RAISE(ABORT, 'checkpoints are written once'); END",
    ),
];

/// The database, opened for the one writer; a new or empty file becomes a log of this key.
pub(crate) fn open_to_write(path: &Path, key: &str) -> Result<Connection, Error> {
    let fault = Error::sqlite(path, "opening it");
    let connection = Connection::open(path).map_err(&fault)?;
    connection.busy_timeout(BUSY).map_err(&fault)?;
    // secure_delete overwrites what is deleted: an erased payload must not stay in free pages.
    let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;";
    connection.execute_batch(settings).map_err(&fault)?;
    let new: bool = connection
        .query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_master)", [], |row| row.get(0))
        .map_err(&fault)?;
    if new {
        create(&connection, key).map_err(Error::sqlite(path, "creating its tables"))?;
    }
    check_format(path, &connection)?;
    Ok(connection)
}

/// The database, opened beside the writer.
pub(crate) fn open_to_read(path: &Path) -> Result<Connection, Error> {
    if !path.is_file() {
        let reason = "no such file: give the path of a log, or open it for writing to make one".to_owned();
        return Err(Error::File { path: path.to_owned(), doing: "opening the log", reason });
    }
    let fault = Error::sqlite(path, "opening it");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(&fault)?;
    connection.busy_timeout(BUSY).map_err(&fault)?;
    check_format(path, &connection)?;
    Ok(connection)
}

fn create(connection: &Connection, key: &str) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    for (_, object) in OBJECTS {
        transaction.execute_batch(object)?;
    }
    transaction.execute("INSERT INTO about VALUES ('key', ?1)", [key])?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()
}

fn check_format(path: &Path, connection: &Connection) -> Result<(), Error> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let fault = Error::sqlite(path, "reading its format");
    match (pragma("application_id").map_err(&fault)?, pragma("user_version").map_err(&fault)?) {
        (APPLICATION_ID, FORMAT) => Ok(()),
        (APPLICATION_ID, other) => Err(Error::refused(
            format!("log {}", path.display()),
            format!("has format {other}; this version reads {FORMAT}: use the version that wrote it"),
        )),
        _ => Err(Error::refused(format!("log {}", path.display()), "is a database of another program")),
    }
}

/// The key that a log was made for, as the log says it.
pub(crate) fn key_in(path: &Path, connection: &Connection) -> Result<String, Error> {
    let key = connection.query_row("SELECT value FROM about WHERE name = 'key'", [], |row| row.get(0));
    let key = key.optional().map_err(Error::sqlite(path, "reading its key"))?;
    key.ok_or_else(|| Error::damaged(format!("log {}", path.display()), "the table `about` has lost the key"))
}

/// Tables, indexes and triggers that are not as they were made.
pub(crate) fn altered_objects(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement =
        connection.prepare("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_autoindex%'")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let found: Vec<(String, String)> = rows.collect::<rusqlite::Result<_>>()?;
    let is_found = |(name, sql): &&(&str, &str)| found.iter().any(|(n, s)| n == name && s == sql);
    let altered = OBJECTS.iter().filter(|object| !is_found(object)).map(|(name, _)| (*name).to_owned());
    let is_known = |name: &String| OBJECTS.iter().any(|(known, _)| known == name);
    let unknown = found.iter().map(|(name, _)| name).filter(|name| !is_known(name)).cloned();
    Ok(altered.chain(unknown).collect())
}

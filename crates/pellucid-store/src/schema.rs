//! The log's file: an SQLite database whose tables hold entries, hashes, payloads and checkpoints.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::error::Error;

/// `PRAGMA application_id`: "PLcd".
const APPLICATION_ID: i64 = 0x504c_6364;
/// `PRAGMA user_version`: what this version writes.
const FORMAT: i64 = 1;
/// How long to wait where somebody else holds the file for a moment.
pub(crate) const BUSY: Duration = Duration::from_secs(10);

/// What the writer needs: name, value as it is set, value as it is read.
///
/// `secure_delete` overwrites what is deleted: an erased payload must not stay in free pages.
const SETTINGS: &[(&str, &str, &str)] =
    &[("journal_mode", "WAL", "wal"), ("synchronous", "FULL", "2"), ("secure_delete", "ON", "1")];

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
    // Whoever may write, even without changing a thing, takes over what a crash of another program left undone.
    if path.metadata().is_ok_and(|file| file.len() > 0) {
        let connection = connect_to_read(path)?;
        if !is_new(path, &connection)? {
            check_format(path, &connection)?;
        }
    }
    let fault = Error::sqlite(path, "opening it");
    let connection = Connection::open(path).map_err(&fault)?;
    connection.busy_timeout(BUSY).map_err(&fault)?;
    set_up(path, &connection)?;
    if is_new(path, &connection)? {
        create(&connection, key).map_err(Error::sqlite(path, "creating its tables"))?;
    }
    check_format(path, &connection)?;
    Ok(connection)
}

/// SQLite passes over settings that it cannot follow, so each is read back.
fn set_up(path: &Path, connection: &Connection) -> Result<(), Error> {
    let fault = Error::sqlite(path, "setting it up");
    for (name, set, expected) in SETTINGS {
        let pragma = format!("PRAGMA {name} = {set}");
        // Some settings answer with a row, some do not.
        connection.execute_batch(&pragma).map_err(&fault)?;
        let found = setting(connection, name).map_err(&fault)?;
        if found != *expected {
            let reason = format!(
                "`{pragma}` had no effect ({name} is {found}), so that it cannot promise what it should: put it on a local disk"
            );
            return Err(Error::refused(format!("log {}", path.display()), reason));
        }
    }
    Ok(())
}

/// A setting as text, whatever type it has.
fn setting(connection: &Connection, name: &str) -> rusqlite::Result<String> {
    connection.pragma_query_value(None, name, |row| {
        Ok(match row.get(0)? {
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => text,
            other => format!("{other:?}"),
        })
    })
}

/// A database in which nobody has put anything yet: a crash may have come before the tables.
fn is_new(path: &Path, connection: &Connection) -> Result<bool, Error> {
    let empty = "SELECT NOT EXISTS (SELECT 1 FROM sqlite_master)";
    let empty: bool =
        connection.query_row(empty, [], |row| row.get(0)).map_err(Error::sqlite(path, "opening it"))?;
    Ok(empty && format_of(path, connection)? == (0, 0))
}

/// The database, opened beside the writer.
pub(crate) fn open_to_read(path: &Path) -> Result<Connection, Error> {
    if !path.is_file() {
        let reason = "no such file: give the path of a log, or open it for writing to make one".to_owned();
        return Err(Error::File { path: path.to_owned(), doing: "opening the log", reason });
    }
    let connection = connect_to_read(path)?;
    check_format(path, &connection)?;
    Ok(connection)
}

fn connect_to_read(path: &Path) -> Result<Connection, Error> {
    let fault = Error::sqlite(path, "opening it");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(&fault)?;
    connection.busy_timeout(BUSY).map_err(&fault)?;
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
    match format_of(path, connection)? {
        (APPLICATION_ID, FORMAT) => Ok(()),
        (APPLICATION_ID, other) => Err(Error::refused(
            format!("log {}", path.display()),
            format!("has format {other}; this version reads {FORMAT}: use the version that wrote it"),
        )),
        _ => Err(Error::refused(format!("log {}", path.display()), "is a database of another program")),
    }
}

/// `application_id` and `user_version`.
fn format_of(path: &Path, connection: &Connection) -> Result<(i64, i64), Error> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let fault = Error::sqlite(path, "reading its format");
    Ok((pragma("application_id").map_err(&fault)?, pragma("user_version").map_err(&fault)?))
}

/// The key that a log was made for, as the log says it.
pub(crate) fn key_in(path: &Path, connection: &Connection) -> Result<String, Error> {
    let key = connection.query_row("SELECT value FROM about WHERE name = 'key'", [], |row| row.get(0));
    let key = key.optional().map_err(Error::sqlite(path, "reading its key"))?;
    key.ok_or_else(|| Error::damaged(format!("log {}", path.display()), "the table `about` has lost the key"))
}

/// Tables, indexes and triggers that are not as they were made.
pub(crate) fn altered_objects(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    // Indexes that SQLite makes by itself have no statement.
    let mut statement =
        connection.prepare("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let found: Vec<(String, String, String)> = rows.collect::<rusqlite::Result<_>>()?;
    let is = |object: &(&str, &str), (kind, name, sql): &(String, String, String)| {
        *kind == kind_of(object.1) && name == object.0 && sql == object.1
    };
    let missing = OBJECTS.iter().filter(|object| !found.iter().any(|it| is(object, it)));
    let unknown = found.iter().filter(|it| !OBJECTS.iter().any(|object| is(object, it)));
    let mut altered: Vec<String> = missing.map(|(name, _)| (*name).to_owned()).collect();
    for (_, name, _) in unknown {
        // A changed object is both missing and unknown.
        if !altered.contains(name) {
            altered.push(name.clone());
        }
    }
    Ok(altered)
}

/// `table`, `index` or `trigger`, as the statement says that makes it.
fn kind_of(sql: &str) -> String {
    sql.split(' ').nth(1).unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_writers_settings_are_in_effect_or_the_log_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        for _ in ["made", "opened again"] {
            let connection = open_to_write(&path, "key").expect("a log");
            for (name, _, expected) in SETTINGS {
                assert_eq!(setting(&connection, name).as_deref(), Ok(*expected), "{name}");
            }
        }
        // There is no write-ahead log in memory.
        let in_memory = Connection::open_in_memory().expect("memory");
        let fault = set_up(&path, &in_memory).expect_err("refused").to_string();
        assert!(
            fault.contains("`PRAGMA journal_mode = WAL` had no effect (journal_mode is memory)"),
            "{fault}"
        );
    }

    #[test]
    fn a_file_that_is_no_log_keeps_its_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("foreign");
        let checks = |content: &str| {
            let connection = Connection::open(&path).expect("a database");
            connection.execute_batch(content).expect("made");
            // Still open, as a program that was killed leaves it: nothing was moved out of its write-ahead log.
            let names = ["foreign", "foreign-wal"].map(|name| folder.path().join(name));
            let bytes = || names.clone().map(|name| fs::read(name).unwrap_or_default());
            let before = bytes();
            let refused = open_to_write(&path, "key");
            assert!(matches!(refused, Err(Error::Refused { .. })), "{content}");
            assert_eq!(bytes(), before, "{content}");
        };
        checks("CREATE TABLE t (x)");
        checks("DROP TABLE t; PRAGMA user_version = 7");
        checks("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)");
    }

    #[test]
    fn a_database_without_anything_becomes_a_log() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, content) in [("empty", ""), ("header", "PRAGMA journal_mode = WAL")] {
            let path = folder.path().join(name);
            Connection::open(&path).and_then(|it| it.execute_batch(content)).expect("a database");
            assert!(open_to_write(&path, "key").is_ok(), "{name}");
            assert!(open_to_read(&path).is_ok(), "{name}");
        }
    }
}

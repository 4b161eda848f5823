//! The log, open for reading beside the writer: entries, payloads, queries, proofs.

use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use crate::digest::Digest;
use crate::entry::Entry;
use crate::error::Error;
use crate::note::VerifyingKey;
use crate::payload::{Payload, inflate, payload_commitment};
use crate::query::Query;
use crate::schema;
use crate::stored;

/// A log, open for reading. It never writes, and never holds up the writer.
#[derive(Debug)]
pub struct Reader {
    pub(crate) path: PathBuf,
    pub(crate) connection: Connection,
}

/// An entry and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The entry's place in the log, counted from 0.
    pub index: u64,
    /// The entry.
    pub entry: Entry,
    /// Whether it has a payload that was not erased.
    pub payload_present: bool,
}

/// A payload as it is stored.
type SaltedRow = (Vec<u8>, i64, Vec<u8>);

impl Reader {
    /// Opens the log at `path`.
    ///
    /// # Errors
    /// [`Error::File`] where there is none, [`Error::Refused`] where it is the database of another program,
    /// [`Error::Damaged`] where it is no database.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self { path: path.to_owned(), connection: schema::open_to_read(path)? })
    }

    /// The key that the log says it was made with. Whoever verifies takes the key from somewhere else.
    ///
    /// # Errors
    /// [`Error::Damaged`] where it is none.
    pub fn claimed_key(&self) -> Result<VerifyingKey, Error> {
        let key = schema::key_in(&self.path, &self.connection)?;
        let damaged =
            |fault: Error| Error::damaged(format!("log {}", self.path.display()), fault.to_string());
        VerifyingKey::parse(&key).map_err(damaged)
    }

    /// How many entries there are.
    ///
    /// # Errors
    /// What SQLite reports.
    pub fn n_entries(&self) -> Result<u64, Error> {
        stored::n_entries(&self.path, &self.connection)
    }

    /// The newest signed checkpoint, if there is one.
    ///
    /// # Errors
    /// What SQLite reports.
    pub fn latest_checkpoint(&self) -> Result<Option<String>, Error> {
        Ok(stored::latest_checkpoint(&self.path, &self.connection)?.map(|(_, note)| note))
    }

    /// An entry as it went into the tree.
    ///
    /// # Errors
    /// [`Error::NoEntry`].
    pub fn entry_bytes(&self, index: u64) -> Result<Vec<u8>, Error> {
        let query = "SELECT bytes FROM entry WHERE entry_index = ?1";
        let found = self.connection.query_row(query, [index as i64], |row| row.get(0)).optional();
        let found = found.map_err(Error::sqlite(&self.path, "reading an entry"))?;
        let n = self.n_entries()?;
        found.ok_or_else(|| Error::NoEntry { index, reason: format!("the log has {n} entries") })
    }

    /// The entry at this place.
    ///
    /// # Errors
    /// [`Error::NoEntry`], [`Error::Damaged`].
    pub fn entry(&self, index: u64) -> Result<Stored, Error> {
        let query = Query { from_index: index, limit: 1, records_only: false, ..Query::default() };
        let found = self.query(&query)?.pop().filter(|stored| stored.index == index);
        let n = self.n_entries()?;
        found.ok_or_else(|| Error::NoEntry { index, reason: format!("the log has {n} entries") })
    }

    /// The records that a query asks for, in the order of the log.
    ///
    /// # Errors
    /// [`Error::Damaged`] where one cannot be read.
    pub fn query(&self, query: &Query) -> Result<Vec<Stored>, Error> {
        let (sql, values) = query.to_sql();
        self.stored(&sql, values)
    }

    /// The explanation that holds for a prediction under a comparability key: the newest one.
    ///
    /// # Errors
    /// [`Error::Damaged`] where it cannot be read.
    pub fn current(&self, prediction_id: &str, comparability_key: &str) -> Result<Option<Stored>, Error> {
        let (sql, values) = Query::newest(prediction_id, comparability_key);
        Ok(self.stored(&sql, values)?.pop())
    }

    /// What became known of a prediction after it was made, in the order of the log.
    ///
    /// # Errors
    /// [`Error::Damaged`] where something cannot be read.
    pub fn feedback(&self, prediction_id: &str) -> Result<Vec<Stored>, Error> {
        let (sql, values) = Query::feedback(prediction_id);
        self.stored(&sql, values)
    }

    fn stored(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Stored>, Error> {
        let fault = Error::sqlite(&self.path, "reading entries");
        let mut statement = self.connection.prepare_cached(sql).map_err(&fault)?;
        let mut rows = statement.query(params_from_iter(values)).map_err(&fault)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(&fault)? {
            let (index, bytes, payload_present) = fields(row).map_err(&fault)?;
            let entry =
                Entry::parse(&bytes).map_err(|reason| Error::damaged(format!("entry {index}"), reason))?;
            found.push(Stored { index, entry, payload_present });
        }
        Ok(found)
    }

    /// The payload of a record, checked against what the tree says of it.
    ///
    /// # Errors
    /// [`Error::Erased`] with the tombstone's place, [`Error::NoEntry`], [`Error::Damaged`].
    pub fn payload(&self, index: u64) -> Result<Payload, Error> {
        let entry = self.entry(index)?.entry;
        let Entry::Record { payload_commitment, .. } = entry else {
            return Err(Error::NoEntry {
                index,
                reason: format!("is of kind {}, which has no payload", entry.kind()),
            });
        };
        let Some(salted) = self.salted_payload(index)? else {
            let by = self.erasure_of(index)?;
            return Err(by.map_or_else(
                || Error::damaged(format!("entry {index}"), "its payload is missing"),
                |by| Error::Erased { index, by },
            ));
        };
        let damaged = |reason| Error::damaged(format!("payload of entry {index}"), reason);
        let bytes = opened_payload(&salted, payload_commitment).map_err(damaged)?;
        Payload::from_bytes(&bytes).map_err(|fault| damaged(fault.to_string()))
    }

    fn salted_payload(&self, index: u64) -> Result<Option<SaltedRow>, Error> {
        let query = "SELECT salt, n_bytes, deflated FROM payload WHERE entry_index = ?1";
        let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let found = self.connection.query_row(query, [index as i64], row).optional();
        found.map_err(Error::sqlite(&self.path, "reading a payload"))
    }

    /// The first tombstone that names this record.
    fn erasure_of(&self, index: u64) -> Result<Option<u64>, Error> {
        let fault = Error::sqlite(&self.path, "reading erasures");
        let query = "SELECT entry_index, bytes FROM entry WHERE kind = 'erasure' AND entry_index > ?1 ORDER BY entry_index";
        let mut statement = self.connection.prepare_cached(query).map_err(&fault)?;
        let mut rows = statement.query([index as i64]).map_err(&fault)?;
        while let Some(row) = rows.next().map_err(&fault)? {
            let (by, bytes): (i64, Vec<u8>) =
                row.get(0).and_then(|by| Ok((by, row.get(1)?))).map_err(&fault)?;
            let names =
                |erasure: &crate::Erasure| erasure.records.iter().any(|it| (it[0]..it[1]).contains(&index));
            if matches!(Entry::parse(&bytes), Ok(Entry::Erasure(erasure)) if names(&erasure)) {
                return Ok(Some(by.unsigned_abs()));
            }
        }
        Ok(None)
    }
}

fn fields(row: &Row<'_>) -> rusqlite::Result<(u64, Vec<u8>, bool)> {
    Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?, row.get(2)?))
}

/// The bytes of a stored payload, if they are those of the commitment.
pub(crate) fn opened_payload(
    (salt, n_bytes, deflated): &SaltedRow,
    commitment: Digest,
) -> Result<Vec<u8>, String> {
    let salt: &[u8; 32] = salt.as_slice().try_into().map_err(|_| "its salt has no 32 bytes".to_owned())?;
    let n_bytes = u64::try_from(*n_bytes).map_err(|_| "its length is negative".to_owned())?;
    let bytes = inflate(deflated, n_bytes)?;
    match payload_commitment(salt, &bytes) == commitment {
        true => Ok(bytes),
        false => Err("salt and payload are not those that the entry is committed to".to_owned()),
    }
}

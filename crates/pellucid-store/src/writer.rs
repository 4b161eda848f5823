//! The one writer: takes what waits, writes it in one transaction, and acknowledges when it is on the disk.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::entry::{Entry, Erasure};
use crate::error::Error;
use crate::log::{Appended, Erased, Options, answer};
use crate::note::{Signer, VerifyingKey};
use crate::schema;
use crate::signed::Signed;
use crate::stored;
use crate::traces::Traces;
use crate::tree::{Frontier, TILE_HEIGHT, entry_hash, range_root};

/// Requests that one transaction takes at the most.
const MAX_BATCH: usize = 1_024;
/// Ranges that one tombstone names at the most: it has to stay below the largest entry.
const MAX_RANGES: usize = 1_000;

/// What callers ask for.
pub(crate) enum Request {
    Append { entry: Box<Prepared>, reply: Sender<Result<Appended, Error>> },
    Erase { records: Vec<u64>, reason: String, timestamp_micros: i64, reply: Sender<Result<Erased, Error>> },
    Checkpoint { reply: Sender<Result<String, Error>> },
}

/// An entry, ready to be written.
pub(crate) struct Prepared {
    entry: Entry,
    bytes: Vec<u8>,
    payload: Option<SaltedPayload>,
}

/// A payload as it is stored.
pub(crate) struct SaltedPayload {
    pub(crate) salt: [u8; 32],
    pub(crate) n_bytes: u64,
    pub(crate) deflated: Vec<u8>,
}

impl Prepared {
    pub(crate) fn new(entry: Entry, payload: Option<SaltedPayload>) -> Result<Self, Error> {
        Ok(Self { bytes: entry.to_bytes()?, entry, payload })
    }
}

/// What the writer knows of the log without looking; taken over only when a transaction is on the disk.
#[derive(Clone)]
struct State {
    frontier: Frontier,
    newest_micros: i64,
    n_at_checkpoint: u64,
}

pub(crate) struct Writer {
    path: PathBuf,
    connection: Connection,
    signer: Signer,
    signed: Signed,
    checkpoint_every: u64,
    state: State,
    traces: Traces,
}

/// What a request came to; given to its caller after the commit.
enum Outcome {
    Appended(Appended),
    Erased(Erased),
    Checkpoint,
    /// The request cannot be met; nothing was written for it.
    Refused(Error),
}

impl Writer {
    pub(crate) fn open(
        path: &Path,
        key_file: &Path,
        signer: Signer,
        traces: Traces,
        options: &Options,
    ) -> Result<Self, Error> {
        let own = signer.key().to_string();
        let connection = schema::open_to_write(path, &own)?;
        let logs = schema::key_in(path, &connection)?;
        if logs != own {
            let reason = format!("is {own}, but the log was made with {logs}: give that key");
            return Err(Error::Key { path: key_file.to_owned(), reason });
        }
        if let Some(max_bytes) = options.max_file_bytes {
            limit(&connection, max_bytes).map_err(Error::sqlite(path, "limiting its size"))?;
        }
        let state = State::of(path, &connection, signer.key())?;
        let signed = Signed::beside(key_file);
        let hash = |level, index| stored::hash(path, &connection, level, index);
        signed.check(signer.key(), state.frontier.n_entries(), &hash)?;
        let checkpoint_every = options.checkpoint_every;
        Ok(Self { path: path.to_owned(), connection, signer, signed, checkpoint_every, state, traces })
    }

    /// Until nobody can ask any more.
    pub(crate) fn run(mut self, requests: &Receiver<Request>) {
        self.traces.try_again(&self.connection);
        while let Ok(first) = requests.recv() {
            let waiting = requests.try_iter().take(MAX_BATCH - 1);
            let batch: Vec<Request> = std::iter::once(first).chain(waiting).collect();
            self.commit(batch);
        }
        self.traces.try_again(&self.connection);
    }

    fn commit(&mut self, batch: Vec<Request>) {
        let mut state = self.state.clone();
        let written = self.write(&mut state, &batch);
        if written.is_ok() {
            self.state = state;
        }
        let overwritten = self.traces.overwrite(&self.connection);
        match written {
            Ok((outcomes, note)) => {
                // What is in the log is acknowledged, whether or not the note can be kept beside the key.
                let kept = self.signed.keep(note.as_deref()).map(|()| note.unwrap_or_default());
                for (request, outcome) in batch.iter().zip(outcomes) {
                    request.tell(outcome, &kept, overwritten);
                }
            }
            Err(fault) => {
                let none = Err(fault.clone());
                batch.iter().for_each(|it| it.tell(Outcome::Refused(fault.clone()), &none, overwritten));
            }
        }
    }

    /// All of the batch in one transaction, or nothing; with the checkpoint that it ends with, if there is one.
    fn write(&self, state: &mut State, batch: &[Request]) -> Result<(Vec<Outcome>, Option<String>), Error> {
        let fault = Error::sqlite(&self.path, "writing");
        let behavior = TransactionBehavior::Immediate;
        let transaction = Transaction::new_unchecked(&self.connection, behavior).map_err(&fault)?;
        self.check_alone(state)?;
        let mut outcomes = Vec::with_capacity(batch.len());
        for request in batch {
            outcomes.push(self.write_one(state, request)?);
        }
        let asked = outcomes.iter().any(|it| matches!(it, Outcome::Checkpoint));
        let due = state.frontier.n_entries() - state.n_at_checkpoint >= self.checkpoint_every;
        let note = if asked || due { Some(self.write_checkpoint(state).map_err(&fault)?) } else { None };
        transaction.commit().map_err(&fault)?;
        Ok((outcomes, note))
    }

    /// The lock file may have been removed by hand: whoever wrote in between has forked no history yet.
    fn check_alone(&self, state: &State) -> Result<(), Error> {
        match stored::n_entries(&self.path, &self.connection)? == state.frontier.n_entries() {
            true => Ok(()),
            false => Err(Error::SecondWriter { path: self.path.clone() }),
        }
    }

    fn write_one(&self, state: &mut State, request: &Request) -> Result<Outcome, Error> {
        let fault = Error::sqlite(&self.path, "writing an entry");
        Ok(match request {
            Request::Append { entry, .. } => {
                Outcome::Appended(self.write_entry(state, entry).map_err(&fault)?)
            }
            Request::Erase { records, reason, timestamp_micros, .. } => {
                let present = match self.payloads_among(records, state.frontier.n_entries())? {
                    Ok(present) => present,
                    Err(refusal) => return Ok(Outcome::Refused(refusal)),
                };
                if !present.is_empty() {
                    // Before the first payload goes: a crash must not leave traces that nobody remembers.
                    self.traces.owe().map_err(Error::file(&self.path, "marking its lock"))?;
                }
                match tombstones(&present, reason, *timestamp_micros) {
                    Ok(tombstones) => self.write_erasure(state, &present, &tombstones).map_err(&fault)?,
                    Err(refusal) => Outcome::Refused(refusal),
                }
            }
            Request::Checkpoint { .. } => Outcome::Checkpoint,
        })
    }

    fn write_entry(&self, state: &mut State, prepared: &Prepared) -> rusqlite::Result<Appended> {
        let Prepared { entry, bytes, payload } = prepared;
        let index = state.frontier.n_entries();
        let record = entry.record();
        let time = entry.timestamp_micros();
        self.connection
            .prepare_cached("INSERT INTO entry VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?
            .execute(params![
                index as i64,
                bytes,
                entry.kind(),
                time,
                entry.prediction_id(),
                record.map(|it| &it.model.name),
                record.map(|it| &it.model.version),
                record.map(|it| it.model.digest.to_string()),
                record.map(|it| &it.method),
                record.map(|it| &it.comparability_key),
            ])?;
        for node in state.frontier.push(entry_hash(bytes)) {
            if node.level.is_multiple_of(TILE_HEIGHT) {
                let mut insert = self.connection.prepare_cached("INSERT INTO hash VALUES (?1, ?2, ?3)")?;
                insert.execute(params![node.level, node.index as i64, node.hash.0])?;
            }
        }
        if let Some(SaltedPayload { salt, n_bytes, deflated }) = payload {
            let mut insert = self.connection.prepare_cached("INSERT INTO payload VALUES (?1, ?2, ?3, ?4)")?;
            insert.execute(params![index as i64, salt, *n_bytes as i64, deflated])?;
        }
        let clock_behind_micros = u64::try_from(state.newest_micros.saturating_sub(time)).unwrap_or(0);
        state.newest_micros = state.newest_micros.max(time);
        Ok(Appended { index, clock_behind_micros })
    }

    /// Those of these records that still have a payload, in order; or why one of them is no record.
    fn payloads_among(&self, records: &[u64], n: u64) -> Result<Result<Vec<u64>, Error>, Error> {
        let fault = Error::sqlite(&self.path, "looking for payloads");
        let query = "SELECT kind, EXISTS (SELECT 1 FROM payload WHERE payload.entry_index = entry.entry_index) \
                     FROM entry WHERE entry_index = ?1";
        let mut statement = self.connection.prepare_cached(query).map_err(&fault)?;
        let mut present = Vec::new();
        for &index in records {
            let row = statement.query_row([index as i64], |row| Ok((row.get(0)?, row.get(1)?))).optional();
            let row: Option<(String, bool)> = row.map_err(&fault)?;
            match row.as_ref().map(|(kind, has_payload)| (kind.as_str(), has_payload)) {
                Some(("record", true)) => present.push(index),
                Some(("record", false)) => {}
                Some((kind, _)) => {
                    return Ok(Err(Error::NoEntry {
                        index,
                        reason: format!("is of kind {kind}, which has no payload"),
                    }));
                }
                None => return Ok(Err(Error::NoEntry { index, reason: format!("the log has {n} entries") })),
            }
        }
        present.sort_unstable();
        present.dedup();
        Ok(Ok(present))
    }

    fn write_erasure(
        &self,
        state: &mut State,
        payloads: &[u64],
        tombstones: &[Prepared],
    ) -> rusqlite::Result<Outcome> {
        let mut delete = self.connection.prepare_cached("DELETE FROM payload WHERE entry_index = ?1")?;
        for &index in payloads {
            delete.execute([index as i64])?;
        }
        let mut entries = Vec::with_capacity(tombstones.len());
        for tombstone in tombstones {
            entries.push(self.write_entry(state, tombstone)?.index);
        }
        Ok(Outcome::Erased(Erased { entries, n_payloads: payloads.len() as u64, overwritten: false }))
    }

    fn write_checkpoint(&self, state: &mut State) -> rusqlite::Result<String> {
        let n = state.frontier.n_entries();
        let note = Checkpoint::sign(n, state.frontier.root(), &self.signer);
        // Ed25519 is deterministic: signing the same tree twice gives the same note.
        self.connection
            .execute("INSERT OR IGNORE INTO checkpoint VALUES (?1, ?2)", params![n as i64, note])?;
        state.n_at_checkpoint = n;
        Ok(note)
    }
}

impl State {
    fn of(path: &Path, connection: &Connection, key: &VerifyingKey) -> Result<Self, Error> {
        let hash = |level, index| stored::hash(path, connection, level, index);
        let n = stored::n_entries(path, connection)?;
        let frontier = Frontier::of(n, &hash)?;
        let n_at_checkpoint = match stored::latest_checkpoint(path, connection)? {
            Some((_, note)) => Self::check_root(&note, key, n, &hash)?,
            None => 0,
        };
        let newest = "SELECT coalesce(max(timestamp_micros), ?1) FROM entry";
        let newest = connection.query_row(newest, [i64::MIN], |row| row.get(0));
        let newest_micros = newest.map_err(Error::sqlite(path, "reading its newest time"))?;
        Ok(Self { frontier, newest_micros, n_at_checkpoint })
    }

    /// Nothing is signed on top of a tree that is not the one that was signed before.
    fn check_root(
        note: &str,
        key: &VerifyingKey,
        n: u64,
        hash: &impl Fn(u8, u64) -> Result<Digest, Error>,
    ) -> Result<u64, Error> {
        let untrue = |fault: Error| Error::damaged("its newest checkpoint", fault.to_string());
        let checkpoint = Checkpoint::open(note, key).map_err(untrue)?;
        let place = format!("checkpoint at {}", checkpoint.n_entries);
        if checkpoint.n_entries > n {
            return Err(Error::damaged(place, format!("the log has {n} entries only")));
        }
        match range_root(0, checkpoint.n_entries, hash)? == checkpoint.root {
            true => Ok(checkpoint.n_entries),
            false => Err(Error::damaged(place, "the log has another root there")),
        }
    }
}

impl Request {
    fn tell(&self, outcome: Outcome, note: &Result<String, Error>, overwritten: bool) {
        match (self, outcome) {
            (Self::Append { reply, .. }, Outcome::Appended(appended)) => answer(reply, Ok(appended)),
            (Self::Append { reply, .. }, Outcome::Refused(fault)) => answer(reply, Err(fault)),
            (Self::Erase { reply, .. }, Outcome::Erased(erased)) => {
                answer(reply, Ok(Erased { overwritten, ..erased }));
            }
            (Self::Erase { reply, .. }, Outcome::Refused(fault)) => answer(reply, Err(fault)),
            (Self::Checkpoint { reply }, Outcome::Checkpoint) => {
                // A batch with such a request always ends with a checkpoint.
                answer(reply, note.clone());
            }
            (Self::Checkpoint { reply }, Outcome::Refused(fault)) => answer(reply, Err(fault)),
            // Outcomes are made from their requests; the caller would see the writer hang up.
            _ => {}
        }
    }
}

/// The entries that say that these payloads are gone.
fn tombstones(payloads: &[u64], reason: &str, timestamp_micros: i64) -> Result<Vec<Prepared>, Error> {
    let mut ranges: Vec<[u64; 2]> = Vec::new();
    for &index in payloads {
        match ranges.last_mut().filter(|range| range[1] == index) {
            Some(range) => range[1] = index + 1,
            None => ranges.push([index, index + 1]),
        }
    }
    let tombstone = |records: &[[u64; 2]]| {
        let erasure = Erasure { records: records.to_vec(), reason: reason.to_owned(), timestamp_micros };
        Prepared::new(Entry::Erasure(erasure), None)
    };
    ranges.chunks(MAX_RANGES).map(tombstone).collect()
}

/// At least one page more than there are, or SQLite would ignore it.
fn limit(connection: &Connection, max_bytes: u64) -> rusqlite::Result<()> {
    let page_bytes: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let pages = i64::try_from(max_bytes).unwrap_or(i64::MAX) / page_bytes.max(1);
    connection.pragma_update(None, "max_page_count", pages.max(1))
}

//! The log, open for appending: many callers, one writer.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread::JoinHandle;

use crate::entry::Entry;
use crate::error::Error;
use crate::key::{random_bytes, signer_for};
use crate::note::VerifyingKey;
use crate::payload::{Payload, deflate, payload_commitment};
use crate::reader::Reader;
use crate::record::{Feedback, Record};
use crate::traces::Traces;
use crate::writer::{Prepared, Request, SaltedPayload, Writer};

/// Entries that may wait to be written.
const QUEUE: usize = 4_096;

/// How a log is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// A checkpoint is signed with the write after which at least this many entries follow the last one.
    pub checkpoint_every: u64,
    /// The file grows no larger; `None`: as large as the disk allows.
    pub max_file_bytes: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self { checkpoint_every: 1_000, max_file_bytes: None }
    }
}

/// An acknowledgment: the entry is on the disk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Appended {
    /// The entry's place in the log, counted from 0.
    pub index: u64,
    /// By how much its time lies before the newest in the log: 0 as long as the clock runs forward.
    pub clock_behind_micros: u64,
}

/// What an erasure did.
#[derive(Clone, Debug, PartialEq)]
pub struct Erased {
    /// The tombstones' entries; none where nothing was left to erase.
    pub entries: Vec<u64>,
    /// How many payloads it erased.
    pub n_payloads: u64,
    /// Whether no copy is left in the log's files. Where a reader still looks at the state before, the write-ahead log
    /// keeps one until a later append, erasure or closing finds the reader gone; where there was no room to write the file
    /// anew, until a later erasure, closing or opening finds it.
    pub overwritten: bool,
}

/// An entry on its way to the disk.
#[derive(Debug)]
pub struct Pending {
    reply: Receiver<Result<Appended, Error>>,
    path: PathBuf,
}

impl Pending {
    /// Waits until the entry is on the disk.
    ///
    /// # Errors
    /// What kept it from getting there. An entry that was not acknowledged may still be found after a crash.
    pub fn wait(self) -> Result<Appended, Error> {
        self.reply.recv().unwrap_or(Err(Error::Closed { path: self.path }))
    }
}

/// A log, open for appending; threads may share it. Dropping it waits for what is under way.
///
/// ```
/// use pellucid_store::{Digest, Log, Options, Payload, Record, RecordedModel, create_key};
/// let (keys, logs) = (tempfile::tempdir()?, tempfile::tempdir()?);
/// let key_file = keys.path().join("credit.key");
/// create_key(&key_file, "example.com/credit")?;
/// let log = Log::open(&logs.path().join("credit.log"), &key_file, &Options::default())?;
///
/// let model = RecordedModel { name: "credit".into(), version: "7".into(), digest: Digest::of(&[b"model"]) };
/// let record = Record::new("request-1", 1_790_000_000_000_000, model, "tree_shap");
/// let payload = Payload {
///     input_digest: Digest::of(&[b"row"]),
///     input: vec![],
///     attribution: vec![],
///     details: serde_json::json!({ "base_value": 0.1 }),
/// };
/// assert_eq!(log.append(&record, &payload)?.index, 0);
/// assert_eq!(log.reader()?.payload(0)?, payload);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    key: VerifyingKey,
    queue: Option<SyncSender<Request>>,
    writer: Option<JoinHandle<()>>,
    /// Held as long as the writer lives; the system releases it when the process ends, however it ends.
    _lock: File,
}

impl Log {
    /// Opens the log at `path`, or makes one there, and signs with the key of `key_file`.
    ///
    /// # Errors
    /// [`Error::SecondWriter`]; [`Error::Key`] where the key file lies in the log's folder, can be read by others, or
    /// is not the key that the log was made with; [`Error::Damaged`] where the tree does not have the root that the
    /// last checkpoint says, or the one that the key signed last (`KEY.signed`, beside the key file);
    /// [`Error::Refused`] where the file is no log; [`Error::File`].
    pub fn open(path: &Path, key_file: &Path, options: &Options) -> Result<Self, Error> {
        if options.checkpoint_every == 0 {
            return Err(Error::refused("checkpoint_every", "is 0: give the number of entries, at least 1"));
        }
        let signer = signer_for(path, key_file)?;
        let key = signer.key().clone();
        let lock = lock(path)?;
        let traces = lock.try_clone().and_then(Traces::of).map_err(Error::file(path, "reading its lock"))?;
        let writer = Writer::open(path, key_file, signer, traces, options)?;
        let (queue, requests) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name("log writer".to_owned());
        let writer =
            thread.spawn(move || writer.run(&requests)).map_err(Error::file(path, "starting its writer"))?;
        Ok(Self { path: path.to_owned(), key, queue: Some(queue), writer: Some(writer), _lock: lock })
    }

    /// The public half of the key that signs.
    #[must_use]
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// A reader beside the writer.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn reader(&self) -> Result<Reader, Error> {
        Reader::open(&self.path)
    }

    /// Appends a record and waits until it is on the disk. Callers that append at the same time share one write.
    ///
    /// # Errors
    /// [`Error::Refused`] with the field that cannot be kept; [`Error::Full`]; what SQLite reports.
    pub fn append(&self, record: &Record, payload: &Payload) -> Result<Appended, Error> {
        let (request, pending) = self.prepared(record, payload)?;
        self.send(request)?;
        pending.wait()
    }

    /// Appends what became known of a prediction later: a label, a human's decision.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn append_feedback(&self, feedback: &Feedback) -> Result<Appended, Error> {
        let (request, pending) = self.request(Entry::Feedback(feedback.clone()), None)?;
        self.send(request)?;
        pending.wait()
    }

    /// Puts a record into the queue without waiting for the disk.
    ///
    /// # Errors
    /// As [`append`](Self::append), and [`Error::QueueFull`].
    pub fn submit(&self, record: &Record, payload: &Payload) -> Result<Pending, Error> {
        self.submitted(self.prepared(record, payload)?)
    }

    /// Puts records into the queue without waiting for the disk, all made ready first: what comes together is written together.
    ///
    /// # Errors
    /// As [`submit`](Self::submit), each of its own.
    pub fn submit_all(&self, records: &[(&Record, &Payload)]) -> Vec<Result<Pending, Error>> {
        let ready: Vec<Result<(Request, Pending), Error>> =
            records.iter().map(|(record, payload)| self.prepared(record, payload)).collect();
        ready.into_iter().map(|it| self.submitted(it?)).collect()
    }

    /// Puts what became known of a prediction into the queue without waiting for the disk.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub fn submit_feedback(&self, feedback: &Feedback) -> Result<Pending, Error> {
        self.submitted(self.request(Entry::Feedback(feedback.clone()), None)?)
    }

    fn submitted(&self, (request, pending): (Request, Pending)) -> Result<Pending, Error> {
        let full = |_| Error::QueueFull { path: self.path.clone(), limit: QUEUE };
        match self.queue.as_ref().map(|queue| queue.try_send(request)) {
            Some(Ok(())) => Ok(pending),
            Some(Err(TrySendError::Full(request))) => Err(full(request)),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(self.closed()),
        }
    }

    /// Erases the payloads of these records: no copy of salt, input and attribution stays in the log's files, a
    /// tombstone with the reason is appended, and every proof stays as it was. What is erased already stays so.
    ///
    /// The whole file is written anew, which takes room for a second copy and time in proportion to it: erase many at
    /// once. Copies elsewhere (backups, what a disk keeps of files that were deleted) are the caller's to erase.
    ///
    /// # Errors
    /// [`Error::NoEntry`] where one of them is no record, [`Error::Refused`] for a reason that is too long,
    /// [`Error::Full`], and what SQLite reports; nothing is erased then.
    pub fn erase(&self, records: &[u64], reason: &str, timestamp_micros: i64) -> Result<Erased, Error> {
        let (reply, answer) = channel();
        let (records, reason) = (records.to_vec(), reason.to_owned());
        self.send(Request::Erase { records, reason, timestamp_micros, reply })?;
        answer.recv().unwrap_or_else(|_| Err(self.closed()))
    }

    /// Signs the log as it is now, and gives the note: keep it elsewhere, and no older or other log passes for this one.
    ///
    /// # Errors
    /// [`Error::File`] where it could not be kept beside the key (it is in the log, and kept there with a later write);
    /// what SQLite reports.
    pub fn checkpoint(&self) -> Result<String, Error> {
        let (reply, answer) = channel();
        self.send(Request::Checkpoint { reply })?;
        answer.recv().unwrap_or_else(|_| Err(self.closed()))
    }

    /// Signs a last checkpoint and closes the file.
    ///
    /// # Errors
    /// As [`checkpoint`](Self::checkpoint).
    pub fn close(self) -> Result<String, Error> {
        self.checkpoint()
    }

    /// Everything that takes time but no disk happens in the caller's thread.
    fn prepared(&self, record: &Record, payload: &Payload) -> Result<(Request, Pending), Error> {
        let (salt, payload) = (random_bytes()?, payload.to_bytes()?);
        let entry = Entry::Record {
            record: Box::new(record.clone()),
            payload_commitment: payload_commitment(&salt, &payload),
        };
        let deflated = deflate(&payload).map_err(Error::file(&self.path, "compressing a payload"))?;
        let salted = SaltedPayload { salt, n_bytes: payload.len() as u64, deflated };
        self.request(entry, Some(salted))
    }

    fn request(&self, entry: Entry, payload: Option<SaltedPayload>) -> Result<(Request, Pending), Error> {
        let (reply, answer) = channel();
        let request = Request::Append { entry: Box::new(Prepared::new(entry, payload)?), reply };
        Ok((request, Pending { reply: answer, path: self.path.clone() }))
    }

    fn send(&self, request: Request) -> Result<(), Error> {
        let sent = self.queue.as_ref().is_some_and(|queue| queue.send(request).is_ok());
        if sent { Ok(()) } else { Err(self.closed()) }
    }

    fn closed(&self) -> Error {
        Error::Closed { path: self.path.clone() }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.queue = None;
        // A writer that panicked has told its callers by hanging up.
        let _ = self.writer.take().map(JoinHandle::join);
    }
}

/// One writer: whoever holds the lock of `PATH.lock`. (SQLite's own locks last for a transaction only.)
fn lock(path: &Path) -> Result<File, Error> {
    let target = if path.exists() { path.canonicalize() } else { std::path::absolute(path) };
    let mut name = target.map_err(Error::file(path, "finding it"))?.into_os_string();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&name);
    let file = file.map_err(Error::file(&name, "opening the lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::SecondWriter { path: path.to_owned() }),
        Err(TryLockError::Error(fault)) => Err(Error::file(&name, "locking")(fault)),
    }
}

/// Where an answer goes; nobody may be waiting for it any more.
pub(crate) fn answer<T>(to: &Sender<T>, with: T) {
    let _ = to.send(with);
}

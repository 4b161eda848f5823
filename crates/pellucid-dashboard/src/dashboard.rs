//! The index of one log, kept up to date by a thread, and readers for single records.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use pellucid_store::{Entry, Error, Query, Reader, Stored};
use serde::Serialize;

use crate::error::ViewError;
use crate::index::{Fresh, Index};

/// Entries that are read before the index takes them in: views wait for no more than that.
const BATCH: u64 = 500;

/// What a log shows. Views answer from what was read so far.
#[derive(Debug)]
pub struct Dashboard {
    path: PathBuf,
    index: RwLock<Index>,
    reading: Mutex<Reading>,
    /// Held while entries are read: they come in order.
    refreshing: Mutex<Reader>,
}

/// How far the log was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// Entries that views know of.
    pub n_read: u64,
    /// Entries that the log had when it was last looked at.
    pub n_entries: u64,
    /// Why reading ended before; empty where it did not.
    pub fault: Option<String>,
}

impl Dashboard {
    /// The dashboard of the log at `path`; nothing was read yet.
    ///
    /// # Errors
    /// Where the log cannot be opened.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let reader = Reader::open(path)?;
        let reading = Reading { n_entries: reader.n_entries()?, ..Reading::default() };
        Ok(Self {
            path: path.to_owned(),
            index: RwLock::default(),
            reading: Mutex::new(reading),
            refreshing: Mutex::new(reader),
        })
    }

    /// Reads what is new in the log; gives how many entries that were.
    ///
    /// # Errors
    /// What keeps it from reading on; what was read before stays.
    pub fn refresh(&self) -> Result<u64, Error> {
        self.refresh_until(&|| false)
    }

    /// Refreshes again and again, that long apart, in a thread that ends with what is returned.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn follow(self: &Arc<Self>, every: Duration) -> Result<Follower, Error> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let (dashboard, stopped) = (Arc::clone(self), Arc::clone(&stop));
        let thread = std::thread::Builder::new().name("dashboard index".to_owned());
        let thread = thread.spawn(move || dashboard.run(every, &stopped)).map_err(|fault| Error::File {
            path: self.path.clone(),
            doing: "starting a thread that reads the log",
            reason: fault.to_string(),
        })?;
        Ok(Follower { stop, thread: Some(thread) })
    }

    /// How far the log was read.
    #[must_use]
    pub fn reading(&self) -> Reading {
        lock(&self.reading).clone()
    }

    pub(crate) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// A reader of single records.
    pub(crate) fn reader(&self) -> Result<Reader, ViewError> {
        Ok(Reader::open(&self.path)?)
    }

    fn run(&self, every: Duration, (stop, woken): &(Mutex<bool>, Condvar)) {
        loop {
            // What went wrong stands in `reading` and is shown; the next turn tries again.
            let _ = self.refresh_until(&|| *lock(stop));
            let waited = woken.wait_timeout_while(lock(stop), every, |stop| !*stop);
            if *waited.unwrap_or_else(PoisonError::into_inner).0 {
                return;
            }
        }
    }

    fn refresh_until(&self, stop: &dyn Fn() -> bool) -> Result<u64, Error> {
        let reader = lock(&self.refreshing);
        let refreshed = self.read_on(&reader, stop);
        lock(&self.reading).fault = refreshed.as_ref().err().map(Error::to_string);
        refreshed
    }

    fn read_on(&self, reader: &Reader, stop: &dyn Fn() -> bool) -> Result<u64, Error> {
        let first = self.index().next_entry;
        let mut next = first;
        loop {
            let n_entries = reader.n_entries()?;
            self.tell(next, n_entries);
            if next >= n_entries || stop() {
                return Ok(next - first);
            }
            let query = Query { records_only: false, from_index: next, limit: BATCH, ..Query::default() };
            let mut batch = Vec::new();
            for stored in reader.query(&query)? {
                batch.push(fresh(reader, stored)?);
            }
            if batch.is_empty() {
                let reason =
                    "is missing; verify the log, and restore it from a copy that verifies".to_owned();
                return Err(Error::NoEntry { index: next, reason });
            }
            let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
            batch.into_iter().for_each(|fresh| index.add(fresh));
            next = index.next_entry;
        }
    }

    fn tell(&self, n_read: u64, n_entries: u64) {
        let mut reading = lock(&self.reading);
        (reading.n_read, reading.n_entries) = (n_read, n_entries);
    }
}

/// An entry with its payload. One that was erased, or that has been damaged, still has a header to show.
fn fresh(reader: &Reader, stored: Stored) -> Result<Fresh, Error> {
    if !stored.payload_present || !matches!(stored.entry, Entry::Record { .. }) {
        return Ok(Fresh::new(stored, None));
    }
    match reader.payload(stored.index) {
        Ok(payload) => Ok(Fresh::new(stored, Some(&payload))),
        Err(Error::Erased { .. } | Error::Damaged { .. } | Error::Refused { .. }) => {
            Ok(Fresh::new(stored, None))
        }
        Err(fault) => Err(fault),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread that keeps a dashboard up to date; ends when it is dropped.
#[derive(Debug)]
pub struct Follower {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        *lock(&self.stop.0) = true;
        self.stop.1.notify_all();
        // A thread that panicked has nothing left to wait for.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

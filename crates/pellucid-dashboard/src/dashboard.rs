//! The index of one log, kept up to date by a thread, and readers for single records.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use pellucid_store::{Entry, Error, Query, Reader, Stored};
use serde::Serialize;

use crate::error::ViewError;
use crate::index::{Fresh, Index};
use crate::series::Series;
use crate::watch::{Every, SeriesWatch, Watched, watched};

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
    /// What was last found of the drift of each series.
    watched: Mutex<BTreeMap<WatchedKey, Arc<Watched>>>,
    /// The reference of each series, and how far its records were compared with it.
    watching: Mutex<BTreeMap<String, Watching>>,
}

/// A series' id, and how its records were parted into windows.
type WatchedKey = (String, Every);
/// Of one series; whoever compares holds it.
pub(crate) type Watching = Arc<Mutex<Option<SeriesWatch>>>;

/// How far the log was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// Entries that views know of.
    pub n_read: u64,
    /// Entries that the log had when it was last looked at.
    pub n_entries: u64,
    /// Entries that cannot be read and were passed over; verifying the log names them.
    pub n_damaged: u64,
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
            watched: Mutex::default(),
            watching: Mutex::default(),
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

    /// Looks for drift in every series that has enough records and has grown; the overview tells of alarms that were found so.
    /// The thread of [`follow`](Self::follow) does it by itself.
    pub fn watch(&self) {
        let ids: Vec<String> = Series::all(&self.index(), true).iter().map(Series::id).collect();
        for id in ids {
            // A series that cannot be compared says why on its own page.
            let _ = watched(self, &id, Every::Count);
        }
    }

    /// How far the log was read.
    #[must_use]
    pub fn reading(&self) -> Reading {
        lock(&self.reading).clone()
    }

    pub(crate) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks into the index for as long as `take` takes.
    pub(crate) fn with_index<T>(&self, take: impl FnOnce(&Index) -> T) -> T {
        take(&self.index())
    }

    /// How the drift of a series is followed.
    pub(crate) fn watching(&self, series: &str) -> Watching {
        Arc::clone(lock(&self.watching).entry(series.to_owned()).or_default())
    }

    pub(crate) fn kept(&self, key: &WatchedKey) -> Option<Arc<Watched>> {
        lock(&self.watched).get(key).cloned()
    }

    pub(crate) fn keep(&self, key: WatchedKey, found: Watched) -> Arc<Watched> {
        let found = Arc::new(found);
        lock(&self.watched).insert(key, Arc::clone(&found));
        found
    }

    /// A reader of single records.
    pub(crate) fn reader(&self) -> Result<Reader, ViewError> {
        Ok(Reader::open(&self.path)?)
    }

    fn run(&self, every: Duration, (stop, woken): &(Mutex<bool>, Condvar)) {
        loop {
            let turn = || {
                // What went wrong stands in `reading` and is shown; the next turn tries again.
                let read = self.refresh_until(&|| *lock(stop));
                if read.is_ok_and(|n_new| n_new > 0) && !*lock(stop) {
                    self.watch();
                }
            };
            if !self.lives_through(turn) {
                return;
            }
            let waited = woken.wait_timeout_while(lock(stop), every, |stop| !*stop);
            if *waited.unwrap_or_else(PoisonError::into_inner).0 {
                return;
            }
        }
    }

    /// Whether a turn of the thread came to its end. Where it panicked the pages say so: numbers that stand still in silence would be taken for the
    /// newest.
    fn lives_through(&self, turn: impl FnOnce()) -> bool {
        let Err(panic) = catch_unwind(AssertUnwindSafe(turn)) else { return true };
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let reason = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("it does not say why");
        lock(&self.reading).fault = Some(format!(
            "the thread that reads the log failed: {reason}; what was read before is shown; restart the server, and report this"
        ));
        false
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
            let batch = batch(reader, next)?;
            let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
            for read in batch {
                match read {
                    Read::Fresh(fresh) => index.add(*fresh),
                    Read::Damaged(entry) => index.skip(entry),
                }
            }
            next = index.next_entry;
            lock(&self.reading).n_damaged = index.n_damaged;
        }
    }

    fn tell(&self, n_read: u64, n_entries: u64) {
        let mut reading = lock(&self.reading);
        (reading.n_read, reading.n_entries) = (n_read, n_entries);
    }
}

/// What came of reading an entry.
enum Read {
    Fresh(Box<Fresh>),
    /// The entry's place; nothing else is known of it.
    Damaged(u64),
}

/// The next entries, one at least.
fn batch(reader: &Reader, from_index: u64) -> Result<Vec<Read>, Error> {
    let query = |from_index, limit| Query { records_only: false, from_index, limit, ..Query::default() };
    let mut limit = BATCH;
    let all = loop {
        match reader.query(&query(from_index, limit)) {
            Ok(all) => break all,
            // One of them is damaged; fewer and fewer, until it is known which.
            Err(Error::Damaged { .. }) if limit > 1 => limit /= 2,
            Err(Error::Damaged { .. }) => return Ok(vec![Read::Damaged(from_index)]),
            Err(fault) => return Err(fault),
        }
    };
    if all.is_empty() {
        let reason = "is missing; verify the log, and restore it from a copy that verifies".to_owned();
        return Err(Error::NoEntry { index: from_index, reason });
    }
    all.into_iter().map(|stored| Ok(Read::Fresh(Box::new(fresh(reader, stored)?)))).collect()
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

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
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

#[cfg(test)]
mod tests {
    use pellucid_store::{Log, Options, create_key};

    use super::*;
    use crate::testing::{payload, table};

    /// Writes over the first place where the file has these bytes.
    fn overwrite(path: &Path, bytes: &[u8], by: &[u8]) {
        let mut file = std::fs::read(path).expect("a log");
        let at = file.windows(bytes.len()).position(|it| it == bytes).expect("it is there");
        file[at..at + by.len()].copy_from_slice(by);
        std::fs::write(path, file).expect("room");
    }

    #[test]
    fn damaged_headers_are_passed_over_and_counted() {
        let [folder, keys] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        let (path, key) = (folder.path().join("log"), keys.path().join("key"));
        create_key(&key, "example.com/log").expect("a new file");
        let log = Log::open(&path, &key, &Options::default()).expect("a log");
        for i in 0..9 {
            log.append(&table(&format!("prediction {i}"), 1.0), &payload([1.0; 3], [1.0, 0.0, 0.0]))
                .expect("room");
        }
        drop(log);
        overwrite(&path, b"\"prediction 4\"", b"?");
        overwrite(&path, b"\"prediction 8\"", b"?");
        let dashboard = Dashboard::open(&path).expect("a log");
        dashboard.refresh().expect("readable");
        let reading = dashboard.reading();
        assert_eq!((reading.n_read, reading.n_damaged, reading.fault), (9, 2, None));
        let entries: Vec<u64> = dashboard.index().rows.iter().map(|row| row.entry).collect();
        assert_eq!(entries, [0, 1, 2, 3, 5, 6, 7]);
    }

    #[test]
    fn a_panic_of_the_thread_is_told() {
        let place = crate::testing::Place::new();
        assert!(place.dashboard.lives_through(|| ()));
        assert!(!place.dashboard.lives_through(|| panic!("entry 7 is odd")));
        let fault = place.dashboard.reading().fault.expect("a fault");
        assert!(fault.starts_with("the thread that reads the log failed: entry 7 is odd; "), "{fault}");
    }
}

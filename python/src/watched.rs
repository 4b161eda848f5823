//! Work without Python's lock, on threads of its own, while the calling thread looks out for Ctrl-C and shows progress.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pellucid_engine::{Cancellation, Error, NoProgress, Progress, Work};
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::errors::{self, fault};

/// How often the calling thread looks.
const TICK: Duration = Duration::from_millis(50);

/// Work that is shorter shows no progress.
const LONG: Duration = Duration::from_secs(1);

/// The bounds of one piece of work, and who is told of it.
#[derive(FromPyObject)]
pub(crate) struct Limits {
    #[pyo3(item)]
    pub(crate) batch_size: Option<usize>,
    #[pyo3(item)]
    pub(crate) max_memory_bytes: Option<usize>,
    #[pyo3(item)]
    pub(crate) threads: Option<usize>,
    /// Called with what is done and what is to be done.
    #[pyo3(item)]
    pub(crate) watcher: Option<Py<PyAny>>,
}

impl Limits {
    pub(crate) fn max_memory_bytes(&self) -> usize {
        self.max_memory_bytes.unwrap_or(Work::default().max_memory_bytes)
    }

    fn work(&self, progress: Arc<dyn Progress>) -> Work {
        Work {
            batch_size: self.batch_size,
            max_memory_bytes: self.max_memory_bytes(),
            cancellation: Cancellation::default(),
            progress,
        }
    }
}

/// Runs what ends before anybody could wish to stop it, on the calling thread: others need not be woken for it.
pub(crate) fn at_once<T: Send>(
    py: Python<'_>,
    limits: &Limits,
    run: impl FnOnce(&Work) -> Result<T, Error> + Send,
) -> PyResult<T> {
    let work = limits.work(Arc::new(NoProgress));
    py.detach(|| run(&work)).map_err(fault)
}

/// Runs `run` on all threads or on so many; a Ctrl-C stops it at its next step.
pub(crate) fn watched<T: Send>(
    py: Python<'_>,
    limits: &Limits,
    run: impl FnOnce(&Work) -> Result<T, Error> + Send,
) -> PyResult<T> {
    let pool = pool(limits.threads)?;
    let meter = Arc::new(Meter::default());
    let work = limits.work(meter.clone());
    let (sender, receiver) = sync_channel(1);
    let work = &work;
    let (result, stopped) = py.detach(|| {
        pool.in_place_scope(|scope| {
            // The sender goes along, so that the receiver hears of a panic too.
            scope.spawn(move |_| {
                let _ = sender.send(run(work));
            });
            wait(receiver, &work.cancellation, &meter, limits.watcher.as_ref())
        })
    });
    match (stopped, result) {
        (Some(stopped), _) => Err(stopped),
        (None, Some(result)) => result.map_err(fault),
        (None, None) => Err(errors::Error::new_err("the work ended without a result")),
    }
}

/// Waits for the result. What a signal's handler or the watcher raises cancels the work and is kept.
fn wait<T>(
    receiver: Receiver<T>,
    cancellation: &Cancellation,
    meter: &Meter,
    watcher: Option<&Py<PyAny>>,
) -> (Option<T>, Option<PyErr>) {
    let start = Instant::now();
    let mut stopped = None;
    loop {
        match receiver.recv_timeout(TICK) {
            Ok(result) => return (Some(result), stopped),
            Err(RecvTimeoutError::Disconnected) => return (None, stopped),
            Err(RecvTimeoutError::Timeout) if stopped.is_some() => {}
            Err(RecvTimeoutError::Timeout) => {
                let watcher = watcher.filter(|_| start.elapsed() > LONG);
                stopped = Python::attach(|py| look(py, meter, watcher)).err();
                if stopped.is_some() {
                    cancellation.cancel();
                }
            }
        }
    }
}

fn look(py: Python<'_>, meter: &Meter, watcher: Option<&Py<PyAny>>) -> PyResult<()> {
    py.check_signals()?;
    if let Some(watcher) = watcher {
        watcher.call1(py, meter.read())?;
    }
    Ok(())
}

/// How much is done.
#[derive(Default)]
struct Meter {
    done: AtomicUsize,
    total: AtomicUsize,
}

impl Meter {
    fn read(&self) -> (usize, usize) {
        let done = self.done.load(Ordering::Relaxed);
        // Refinement may take more than was foreseen.
        (done, self.total.load(Ordering::Relaxed).max(done))
    }
}

impl Progress for Meter {
    fn begin(&self, total: usize) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    fn advance(&self, n: usize) {
        self.done.fetch_add(n, Ordering::Relaxed);
    }

    fn end(&self) {}
}

/// Threads that were started, by the process and their number: those of a parent are not there after a fork.
static POOLS: Mutex<Vec<Started>> = Mutex::new(Vec::new());

/// The process, the number of threads that was asked for, and they.
type Started = (u32, Option<usize>, Arc<ThreadPool>);

fn pool(threads: Option<usize>) -> PyResult<Arc<ThreadPool>> {
    let process = std::process::id();
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    let known = pools.iter().find(|(of, n, _)| *of == process && *n == threads);
    if let Some((_, _, pool)) = known {
        return Ok(pool.clone());
    }
    let pool = ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0)).build();
    let pool = Arc::new(pool.map_err(|error| errors::Error::new_err(format!("threads: {error}")))?);
    pools.push((process, threads, pool.clone()));
    Ok(pool)
}

//! Work without Python's lock, on threads of its own, while the calling thread looks out for Ctrl-C and shows progress.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ndarray::{Array2, ArrayD, ArrayViewD};
use pellucid_engine::{Cancellation, Error, NoProgress, Progress, Work};
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::errors::{self, fault};
use crate::options::read_by_name;

/// How often the calling thread looks.
const TICK: Duration = Duration::from_millis(50);

/// Work that is shorter shows no progress.
const LONG: Duration = Duration::from_secs(1);

/// The bounds of one piece of work, and who is told of it.
pub(crate) struct Limits {
    pub(crate) batch_size: Option<usize>,
    pub(crate) max_memory: Option<usize>,
    pub(crate) threads: Option<usize>,
    /// Called with what is done and what is to be done.
    pub(crate) watcher: Option<Py<PyAny>>,
}

read_by_name!(Limits { batch_size, max_memory, threads, watcher });

impl Limits {
    pub(crate) fn max_memory_bytes(&self) -> usize {
        self.max_memory.unwrap_or(Work::default().max_memory_bytes)
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
    let nobody_asks = |_: Python<'_>, _| Err(errors::Error::new_err("nobody asks"));
    on(&pool, py, limits, &nobody_asks, |work, _| run(work))
}

/// Runs `run` on a thread of its own, which asks the calling thread: there `answer` is called, as any function of Python
/// is, so that what it raises, and a Ctrl-C in it, ends the work and comes out as it is.
///
/// The thread is no shared one: what is asked may explain something itself.
pub(crate) fn answering<T: Send>(
    py: Python<'_>,
    limits: &Limits,
    answer: &Answer<'_>,
    run: impl FnOnce(&Work, &Asker) -> Result<T, Error> + Send,
) -> PyResult<T> {
    on(&started(Some(1))?, py, limits, answer, run)
}

/// What the calling thread says of rows: their outputs.
pub(crate) type Answer<'a> = dyn Fn(Python<'_>, ArrayD<f64>) -> PyResult<Array2<f64>> + Sync + 'a;

/// Rows, and where their outputs are waited for.
struct Question {
    rows: ArrayD<f64>,
    reply: SyncSender<Array2<f64>>,
}

/// Asks the calling thread.
pub(crate) struct Asker(Sender<Question>);

impl Asker {
    /// The outputs of rows; where there are none, the calling thread knows why, and has stopped the work.
    pub(crate) fn ask(&self, rows: ArrayViewD<'_, f64>) -> Result<Array2<f64>, String> {
        let (reply, answer) = sync_channel(1);
        let sent = self.0.send(Question { rows: rows.to_owned(), reply });
        sent.ok()
            .and_then(|()| answer.recv().ok())
            .ok_or_else(|| "the function raised an exception".to_owned())
    }
}

fn on<T: Send>(
    pool: &ThreadPool,
    py: Python<'_>,
    limits: &Limits,
    answer: &Answer<'_>,
    run: impl FnOnce(&Work, &Asker) -> Result<T, Error> + Send,
) -> PyResult<T> {
    let meter = Arc::new(Meter::default());
    let work = &limits.work(meter.clone());
    let (sender, receiver) = channel();
    let asker = Asker(sender);
    let found = Mutex::new(None);
    let stopped = py.detach(|| {
        pool.in_place_scope(|scope| {
            let found = &found;
            // The asker goes along: when it is gone, the work has ended, by a panic too.
            scope.spawn(move |_| {
                let result = run(work, &asker);
                *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            });
            attend(receiver, &work.cancellation, &meter, limits.watcher.as_ref(), answer)
        })
    });
    match (stopped, found.into_inner().unwrap_or_else(PoisonError::into_inner)) {
        (Some(stopped), _) => Err(stopped),
        (None, Some(result)) => result.map_err(fault),
        (None, None) => Err(errors::Error::new_err("the work ended without a result")),
    }
}

/// Answers until the work has ended. What an answer, a signal's handler or the watcher raises cancels the work and is kept.
fn attend(
    questions: Receiver<Question>,
    cancellation: &Cancellation,
    meter: &Meter,
    watcher: Option<&Py<PyAny>>,
    answer: &Answer<'_>,
) -> Option<PyErr> {
    let start = Instant::now();
    let mut looked = start;
    let mut stopped = None;
    loop {
        let question = match questions.recv_timeout(TICK) {
            Ok(question) => Some(question),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return stopped,
        };
        if stopped.is_some() {
            continue;
        }
        let due = question.is_none() || looked.elapsed() > TICK;
        let attended: PyResult<()> = Python::attach(|py| {
            if due {
                looked = Instant::now();
                look(py, meter, watcher.filter(|_| start.elapsed() > LONG))?;
            }
            if let Some(Question { rows, reply }) = question {
                // Nobody waits any more where the work was canceled.
                let _ = reply.send(answer(py, rows)?);
            }
            Ok(())
        });
        stopped = attended.err();
        if stopped.is_some() {
            cancellation.cancel();
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
    let pool = Arc::new(started(threads)?);
    pools.push((process, threads, pool.clone()));
    Ok(pool)
}

fn started(threads: Option<usize>) -> PyResult<ThreadPool> {
    let pool = ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0)).build();
    pool.map_err(|error| errors::Error::new_err(format!("threads: {error}")))
}

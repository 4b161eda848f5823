//! The threads that explain: batches of the queue → explanations → the recorder.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use pellucid_engine::Work;

use super::{Batch, Queue, Task};
use crate::cache::{self, Cache};
use crate::config::Hook;
use crate::error::Fault;
use crate::explained::{Explained, explain};
use crate::jobs::State;
use crate::metrics::Metrics;
use crate::recorder::Recorder;

/// What the threads share.
pub(crate) struct Workshop {
    pub(crate) queue: Arc<Queue>,
    pub(crate) cache: Cache,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) before_explaining: Option<Hook>,
}

/// Starts the threads; they end when the queue is closed and empty.
///
/// # Errors
/// Threads that cannot be started.
pub(crate) fn start(
    workshop: &Arc<Workshop>,
    n_threads: usize,
) -> std::io::Result<Vec<std::thread::JoinHandle<()>>> {
    let one = |index: usize| {
        let workshop = workshop.clone();
        let thread = std::thread::Builder::new().name(format!("explain-{index}"));
        thread.spawn(move || workshop.explain_all())
    };
    (0..n_threads).map(one).collect()
}

impl Workshop {
    fn explain_all(&self) {
        // One thread each: the rest of the machine belongs to predictions.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
        while let Some(batch) = self.queue.next() {
            // A fault of the program ends its rows, and not the thread: others wait.
            let _ = catch_unwind(AssertUnwindSafe(|| match &pool {
                Ok(pool) => pool.install(|| self.explain(batch)),
                Err(_) => self.explain(batch),
            }));
        }
    }

    fn explain(&self, mut batch: Batch<'_>) {
        if let Some(hook) = &self.before_explaining {
            hook();
        }
        let mut tasks = std::mem::take(&mut batch.tasks);
        // What ended while it waited was canceled or came too late.
        tasks.retain(|task| task.row.set(State::Running));
        let (known, new) = known_and_new(tasks, &self.cache);
        self.metrics.cache(known.len(), new.len());
        for (task, explained) in known {
            self.made(task, &explained);
        }
        if !new.is_empty() {
            self.explain_new(new);
        }
    }

    fn explain_new(&self, tasks: Vec<(Task, cache::Key)>) {
        let explained = self.watched(&tasks);
        for ((task, key), explained) in tasks.into_iter().zip(explained) {
            match explained {
                Ok(explained) => {
                    let explained = Arc::new(explained);
                    self.cache.keep(key, explained.clone());
                    self.made(task, &explained);
                }
                Err(fault) => failed(&task, fault),
            }
        }
    }

    /// A single row is stopped when it is canceled; of several the others still want to be explained.
    fn watched(&self, tasks: &[(Task, cache::Key)]) -> Vec<Result<Explained, Fault>> {
        let Some((first, _)) = tasks.first() else { return Vec::new() };
        let inputs: Vec<_> = tasks.iter().map(|(task, _)| &*task.input).collect();
        let work = match tasks {
            [(only, _)] => Work { cancellation: only.row.cancellation.clone(), ..Work::default() },
            _ => Work::default(),
        };
        let started = std::time::Instant::now();
        let explained =
            catch_unwind(AssertUnwindSafe(|| explain(&first.served, &first.plan, &inputs, &work)));
        self.metrics.explained(&first.plan.method, started.elapsed());
        explained.unwrap_or_else(|_| {
            let fault = || Err(Fault::Internal(format!("{} failed on these rows", first.plan.method)));
            tasks.iter().map(|_| fault()).collect()
        })
    }

    fn made(&self, task: Task, explained: &Explained) {
        if task.row.set(State::Explained(None)) {
            self.recorder.record(task, explained);
        }
    }
}

fn failed(task: &Task, fault: Fault) {
    tracing::warn!(prediction_id = task.row.prediction_id, model = task.served.name, %fault, "not explained");
    task.row.set(State::Failed(fault));
}

/// Tasks whose explanation is known, and the others with their keys.
type Sorted = (Vec<(Task, Arc<Explained>)>, Vec<(Task, cache::Key)>);

fn known_and_new(tasks: Vec<Task>, cache: &Cache) -> Sorted {
    let (mut known, mut new) = (Vec::new(), Vec::new());
    for task in tasks {
        let key = cache::key(&task.plan, &task.input);
        match cache.get(&key) {
            Some(explained) => known.push((task, explained)),
            None => new.push((task, key)),
        }
    }
    (known, new)
}

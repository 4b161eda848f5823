//! Rows that wait to be explained: bounded, by priority, one call of a method for many rows of one plan.

pub(crate) mod worker;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Fault;
use crate::jobs::{Row, State};
use crate::models::plan::Plan;
use crate::models::rows::Rows;
use crate::models::served::Served;

/// How soon a row is explained: all of a higher priority come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Priority {
    /// Somebody holds the line.
    High,
    /// Somebody asked.
    #[default]
    Normal,
    /// Chosen by the sampling rule.
    Low,
}

/// A row to explain.
pub(crate) struct Task {
    pub(crate) served: Arc<Served>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) priority: Priority,
    pub(crate) row: Arc<Row>,
    /// `[1, features…]`.
    pub(crate) input: Arc<Rows>,
    pub(crate) inclusion_probability: f64,
    /// Whether whoever waits wants the explanation itself, not only its place in the log.
    pub(crate) keep: bool,
}

/// Rows that one call of a method can explain.
type Lane = (Priority, String);

/// The rows that wait.
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    capacity: Capacity,
    max_batch: usize,
}

/// What may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    pub(crate) n_rows: usize,
    pub(crate) n_bytes: usize,
}

#[derive(Default)]
struct Waiting {
    lanes: BTreeMap<Lane, VecDeque<(u64, Task)>>,
    n_tasks: usize,
    n_bytes: usize,
    n_running: usize,
    /// Batches under way of each model.
    running: HashMap<(String, String), usize>,
    next_number: u64,
    closed: bool,
}

/// Rows taken out of the queue; they count as running until this is dropped.
pub(crate) struct Batch<'a> {
    queue: &'a Queue,
    pub(crate) tasks: Vec<Task>,
    model: (String, String),
    n_tasks: usize,
}

impl Queue {
    pub(crate) fn new(capacity: Capacity, max_batch: usize) -> Self {
        Self { waiting: Mutex::default(), changed: Condvar::new(), capacity, max_batch: max_batch.max(1) }
    }

    /// Puts rows into the queue, all of them or none.
    ///
    /// # Errors
    /// [`Fault::TooMany`] where they do not fit; [`Fault::Unavailable`] where the server is stopping.
    pub(crate) fn add(&self, tasks: Vec<Task>) -> Result<(), Fault> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(Fault::Unavailable("the server is stopping".to_owned()));
        }
        let n_bytes: usize = tasks.iter().map(Task::n_bytes).sum();
        let Capacity { n_rows: most, n_bytes: most_bytes } = self.capacity;
        let has_room = waiting.n_tasks == 0 || waiting.n_bytes + n_bytes <= most_bytes;
        if waiting.n_tasks + tasks.len() > most || !has_room {
            let reason = format!(
                "{} rows of {} bytes wait to be explained; {most} rows and {most_bytes} bytes are the most",
                waiting.n_tasks, waiting.n_bytes
            );
            return Err(Fault::TooMany { reason, retry_after_secs: 1 + waiting.n_tasks as u64 / 1_000 });
        }
        waiting.n_bytes += n_bytes;
        for task in tasks {
            let number = waiting.next_number;
            waiting.next_number += 1;
            waiting.n_tasks += 1;
            let lane = (task.priority, task.plan.call.clone());
            waiting.lanes.entry(lane).or_default().push_back((number, task));
        }
        drop(waiting);
        self.changed.notify_all();
        Ok(())
    }

    /// Lets rows of one call go ahead with those of a higher priority, where they wait behind them.
    pub(crate) fn raise(&self, call: &str, rows: &[Arc<Row>], to: Priority) {
        if rows.is_empty() {
            return;
        }
        let raised: HashSet<*const Row> = rows.iter().map(Arc::as_ptr).collect();
        let mut waiting = self.lock();
        for from in [Priority::Normal, Priority::Low].into_iter().filter(|from| *from > to) {
            let Some(lane) = waiting.lanes.remove(&(from, call.to_owned())) else { continue };
            let (ahead, behind): (VecDeque<_>, VecDeque<_>) =
                lane.into_iter().partition(|(_, task)| raised.contains(&Arc::as_ptr(&task.row)));
            if !behind.is_empty() {
                waiting.lanes.insert((from, call.to_owned()), behind);
            }
            if !ahead.is_empty() {
                let lane = waiting.lanes.entry((to, call.to_owned())).or_default();
                lane.extend(ahead.into_iter().map(|(number, mut task)| {
                    task.priority = to;
                    (number, task)
                }));
                lane.make_contiguous().sort_by_key(|(number, _)| *number);
            }
        }
    }

    /// The next rows: of the highest priority the longest waiting, of a model that may run, and others that the same call
    /// explains. `None` once the queue is closed and empty.
    pub(crate) fn next(&self) -> Option<Batch<'_>> {
        let mut waiting = self.lock();
        loop {
            if let Some(lane) = waiting.eligible() {
                let tasks = waiting.take(&lane, self.max_batch);
                let served = &tasks.first()?.served;
                let model = (served.name.clone(), served.version.clone());
                *waiting.running.entry(model.clone()).or_default() += 1;
                waiting.n_running += tasks.len();
                return Some(Batch { queue: self, n_tasks: tasks.len(), tasks, model });
            }
            if waiting.closed && waiting.n_tasks == 0 {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes nothing more; what waits is still given out.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Takes out all that waits.
    pub(crate) fn clear(&self) -> Vec<Task> {
        let mut waiting = self.lock();
        (waiting.n_tasks, waiting.n_bytes) = (0, 0);
        let lanes = std::mem::take(&mut waiting.lanes);
        drop(waiting);
        self.changed.notify_all();
        lanes.into_values().flatten().map(|(_, task)| task).collect()
    }

    /// How many rows wait, and how many are being explained.
    pub(crate) fn n_waiting_and_running(&self) -> (usize, usize) {
        let waiting = self.lock();
        (waiting.n_tasks, waiting.n_running)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn eligible(&self) -> Option<Lane> {
        let head = |(lane, tasks): (&Lane, &VecDeque<(u64, Task)>)| {
            let (number, task) = tasks.front()?;
            let model = (task.served.name.clone(), task.served.version.clone());
            let n_running = self.running.get(&model).copied().unwrap_or(0);
            (n_running < task.served.max_concurrent).then(|| (lane.0, *number, lane.clone()))
        };
        self.lanes
            .iter()
            .filter_map(head)
            .min_by_key(|(priority, number, _)| (*priority, *number))
            .map(|it| it.2)
    }

    /// Rows of this lane, and then of the lanes of lower priority under the same key.
    fn take(&mut self, lane: &Lane, max: usize) -> Vec<Task> {
        let mut tasks = Vec::new();
        for priority in [Priority::High, Priority::Normal, Priority::Low] {
            let lane = (priority.max(lane.0), lane.1.clone());
            if let Some(waiting) = self.lanes.get_mut(&lane) {
                let n = waiting.len().min(max - tasks.len());
                tasks.extend(waiting.drain(..n).map(|(_, task)| task));
                if waiting.is_empty() {
                    self.lanes.remove(&lane);
                }
            }
        }
        self.n_tasks -= tasks.len();
        self.n_bytes -= tasks.iter().map(Task::n_bytes).sum::<usize>();
        tasks
    }
}

impl Task {
    fn n_bytes(&self) -> usize {
        self.input.n_bytes()
    }
}

impl Drop for Task {
    /// Nobody waits for a row whose thread broke off.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let reason = "the work on this row broke off; the server's own messages say where".to_owned();
            self.row.set(State::Failed(Fault::Internal(reason)));
        }
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let mut waiting = self.queue.lock();
        waiting.n_running -= self.n_tasks;
        if let Some(n) = waiting.running.get_mut(&self.model) {
            *n -= 1;
            if *n == 0 {
                waiting.running.remove(&self.model);
            }
        }
        drop(waiting);
        self.queue.changed.notify_all();
    }
}

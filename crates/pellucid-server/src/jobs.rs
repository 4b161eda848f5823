//! Rows that somebody waits for, alone or as a job: what state each is in, and who is told.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use pellucid_engine::Cancellation;
use pellucid_store::Payload;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::cache::Key;
use crate::error::Fault;
use crate::metrics::Metrics;
use crate::models::plan::Plan;
use crate::models::served::Served;

/// Rows that have not ended, by prediction and by what is asked of it.
type UnderWay = Mutex<HashMap<(String, Key), Arc<Row>>>;

/// A row on its way from the queue to the log.
pub(crate) struct Row {
    pub(crate) prediction_id: String,
    /// What is asked: plan, seed and input.
    question: Key,
    state: watch::Sender<State>,
    pub(crate) cancellation: Cancellation,
    /// Whether it is on the disk as part of an accepted job, and goes on at the next start.
    kept: AtomicBool,
    /// Jobs that want it; it is canceled with the last of them.
    wanted: AtomicUsize,
    /// Told of every change of any row.
    changes: watch::Sender<u64>,
    /// Where it stands until it has ended.
    under_way: Weak<UnderWay>,
    metrics: Arc<Metrics>,
}

/// Where a row is.
#[derive(Clone)]
pub(crate) enum State {
    Queued,
    Running,
    /// Made, and waiting for the log; the log's fault where it had one.
    Explained(Option<Fault>),
    /// On the disk, under this index; `None`: its explanation is read from there.
    Recorded(u64, Option<Arc<Payload>>),
    Failed(Fault),
    Canceled,
}

impl State {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Explained(..) => "explained",
            Self::Recorded(..) => "recorded",
            Self::Failed(_) => "failed",
            Self::Canceled => "canceled",
        }
    }

    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Recorded(..) | Self::Failed(_) | Self::Canceled)
    }
}

impl Row {
    pub(crate) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Moves on, unless it has ended; whether it did. What became of it is counted.
    pub(crate) fn set(&self, next: State) -> bool {
        let outcome = next.is_final().then(|| next.name());
        let moved = self.settle(next);
        if let (true, Some(outcome)) = (moved, outcome) {
            self.metrics.outcome(outcome);
        }
        moved
    }

    /// The same of a row that was not accepted, or that needs no work: nothing is counted.
    pub(crate) fn settle(&self, next: State) -> bool {
        let is_end = next.is_final();
        let moved = self.state.send_if_modified(|state| {
            let moves = !state.is_final();
            if moves {
                *state = next;
            }
            moves
        });
        if moved && is_end {
            self.forget();
        }
        if moved {
            self.changes.send_modify(|n| *n = n.wrapping_add(1));
        }
        moved
    }

    fn forget(&self) {
        let Some(under_way) = self.under_way.upgrade() else { return };
        let key = (self.prediction_id.clone(), self.question);
        let mut under_way = under_way.lock().unwrap_or_else(PoisonError::into_inner);
        // Another may have taken its place.
        if under_way.get(&key).is_some_and(|row| std::ptr::eq(&**row, self)) {
            under_way.remove(&key);
        }
    }

    /// It is on the disk as part of an accepted job.
    pub(crate) fn keep(&self) {
        self.kept.store(true, Ordering::Release);
    }

    /// One of those that want it does no longer; the last one cancels it. What is made already goes to the log.
    pub(crate) fn give_up(&self, with: State) {
        if self.wanted.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        let is_made = matches!(self.state(), State::Explained(..));
        if !is_made && self.set(with) {
            self.cancellation.cancel();
        }
    }

    fn to_json(&self) -> Value {
        let state = self.state();
        let mut described = json!({ "prediction_id": self.prediction_id, "status": state.name() });
        match state {
            State::Recorded(index, _) => described["record_index"] = index.into(),
            State::Failed(fault) | State::Explained(Some(fault)) => {
                described["error"] = fault.to_string().into()
            }
            _ => {}
        }
        described
    }
}

/// What somebody asked to be explained.
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) created_micros: i64,
    pub(crate) model: Arc<Served>,
    pub(crate) method: String,
    pub(crate) comparability_key: String,
    pub(crate) rows: Vec<Arc<Row>>,
    /// Whether it has given its rows up, which it may once.
    canceled: AtomicBool,
}

impl Job {
    /// A job of rows that are under way by the plan.
    pub(crate) fn new(
        id: String,
        created_micros: i64,
        model: Arc<Served>,
        plan: &Plan,
        rows: Vec<Arc<Row>>,
    ) -> Self {
        let (method, comparability_key) = (plan.method.clone(), plan.comparability_key.clone());
        Self { id, created_micros, model, method, comparability_key, rows, canceled: AtomicBool::new(false) }
    }

    /// How many rows are in each state.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts { n_rows: self.rows.len(), ..Counts::default() };
        for row in &self.rows {
            match row.state() {
                State::Queued => {}
                State::Running | State::Explained(..) => counts.n_running += 1,
                State::Recorded(..) => counts.n_recorded += 1,
                State::Failed(_) => counts.n_failed += 1,
                State::Canceled => counts.n_canceled += 1,
            }
        }
        counts
    }

    /// Asks for an end; rows that another job wants go on.
    pub(crate) fn cancel(&self, with: &State) {
        if !self.canceled.swap(true, Ordering::AcqRel) {
            self.rows.iter().for_each(|row| row.give_up(with.clone()));
        }
    }

    pub(crate) fn to_json(&self, with_rows: bool) -> Value {
        let counts = self.counts();
        let mut described = json!({
            "job_id": self.id,
            "status": counts.status(),
            "created_micros": self.created_micros,
            "model": self.model.name,
            "version": self.model.version,
            "method": self.method,
            "comparability_key": self.comparability_key,
            "n_rows": counts.n_rows,
            "n_done": counts.n_done(),
            "progress": counts.to_json(),
        });
        if with_rows {
            described["rows"] = self.rows.iter().map(|row| row.to_json()).collect();
        }
        described
    }
}

/// How far a job is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    n_rows: usize,
    n_running: usize,
    n_recorded: usize,
    n_failed: usize,
    n_canceled: usize,
}

impl Counts {
    pub(crate) fn is_final(self) -> bool {
        self.n_done() == self.n_rows
    }

    fn n_done(self) -> usize {
        self.n_recorded + self.n_failed + self.n_canceled
    }

    pub(crate) fn status(self) -> &'static str {
        match () {
            () if !self.is_final() && self.n_running + self.n_recorded + self.n_failed == 0 => "queued",
            () if !self.is_final() => "running",
            () if self.n_canceled > 0 => "canceled",
            () if self.n_failed == self.n_rows => "failed",
            () if self.n_failed > 0 => "partly_failed",
            () => "done",
        }
    }

    pub(crate) fn to_json(self) -> Value {
        json!({
            "n_rows": self.n_rows,
            "n_running": self.n_running,
            "n_recorded": self.n_recorded,
            "n_failed": self.n_failed,
            "n_canceled": self.n_canceled,
        })
    }
}

/// All jobs, and all rows under way.
pub(crate) struct Jobs {
    known: Mutex<Known>,
    under_way: Arc<UnderWay>,
    n_kept: usize,
    changes: watch::Sender<u64>,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct Known {
    by_id: HashMap<String, Arc<Job>>,
    order: VecDeque<String>,
}

impl Jobs {
    pub(crate) fn new(n_kept: usize, metrics: Arc<Metrics>) -> Self {
        let under_way = Arc::default();
        Self { known: Mutex::default(), under_way, n_kept, changes: watch::Sender::new(0), metrics }
    }

    /// The row of a prediction that is asked this: the one under way where there is one, and whether it is new. Another seed, or
    /// another input under the same name, is another row.
    pub(crate) fn row(&self, prediction_id: &str, question: Key) -> (Arc<Row>, bool) {
        let key = (prediction_id.to_owned(), question);
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(row) = under_way.get(&key)
            && !row.state().is_final()
        {
            row.wanted.fetch_add(1, Ordering::AcqRel);
            return (row.clone(), false);
        }
        let row = Arc::new(Row {
            prediction_id: prediction_id.to_owned(),
            question,
            state: watch::Sender::new(State::Queued),
            cancellation: Cancellation::default(),
            kept: AtomicBool::new(false),
            wanted: AtomicUsize::new(1),
            changes: self.changes.clone(),
            under_way: Arc::downgrade(&self.under_way),
            metrics: self.metrics.clone(),
        });
        under_way.insert(key, row.clone());
        (row, true)
    }

    /// Ends all rows that are under way; how many those were: those that are on the disk as parts of accepted jobs, and the others.
    pub(crate) fn end_all(&self, fault: &Fault) -> (usize, usize) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = std::mem::take(&mut *under_way);
        drop(under_way);
        let ends = |row: &&Arc<Row>| {
            row.cancellation.cancel();
            row.set(State::Failed(fault.clone()))
        };
        let ended: Vec<&Arc<Row>> = rows.values().filter(ends).collect();
        let n_kept = ended.iter().filter(|row| row.kept.load(Ordering::Acquire)).count();
        (n_kept, ended.len() - n_kept)
    }

    /// Keeps a job; of those that have ended the oldest are forgotten.
    pub(crate) fn add(&self, job: Arc<Job>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.by_id.insert(job.id.clone(), job.clone()).is_none() {
            known.order.push_back(job.id.clone());
        }
        let mut left = known.order.len();
        while known.by_id.len() > self.n_kept && left > 0 {
            left -= 1;
            let Some(id) = known.order.pop_front() else { break };
            if known.by_id.get(&id).is_some_and(|job| job.counts().is_final()) {
                known.by_id.remove(&id);
            } else {
                known.order.push_back(id);
            }
        }
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<Job>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).by_id.get(id).cloned()
    }

    /// All jobs, the newest first.
    pub(crate) fn all(&self) -> Vec<Arc<Job>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.order.iter().rev().filter_map(|id| known.by_id.get(id).cloned()).collect()
    }

    /// Changes whenever any row does.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

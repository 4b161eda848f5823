//! Explanations → the log. What the log does not take now is kept and tried again, within a number of bytes: beyond them whoever
//! explains waits. Nothing that was accepted is lost while the process lives.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pellucid_engine::RecordContext;
use pellucid_store::{
    Array, Error, Feedback, Log, Options, Payload, Pending, Reader, Record, Values, VerifyingKey,
    read_verifying_key,
};

use crate::config::{Clock, Limits};
use crate::error::Fault;
use crate::explained::Explained;
use crate::jobs::State;
use crate::metrics::Metrics;
use crate::queue::{Priority, Task};

/// The first pause after the log took nothing.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Entries that are sent to the log before the first is waited for.
const GROUP: usize = 1_024;
/// What is gathered at the most before it is written.
const MAX_GATHERED_BYTES: usize = 16 << 20;

/// The log with what is needed to open it again.
pub(crate) struct LogFile {
    path: PathBuf,
    key: PathBuf,
    options: Options,
    open: Mutex<Option<Arc<Log>>>,
    /// Why nothing can be written, where nothing can.
    fault: Mutex<Option<Fault>>,
}

impl LogFile {
    pub(crate) fn new(path: PathBuf, key: PathBuf, options: Options) -> Self {
        Self { path, key, options, open: Mutex::default(), fault: Mutex::default() }
    }

    /// The log, opened where it is not.
    ///
    /// # Errors
    /// Another writer, a wrong key, a damaged file.
    pub(crate) fn log(&self) -> Result<Arc<Log>, Fault> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(log) = &*open {
            return Ok(log.clone());
        }
        match Log::open(&self.path, &self.key, &self.options) {
            Ok(log) => {
                let log = Arc::new(log);
                *open = Some(log.clone());
                self.note(None);
                Ok(log)
            }
            Err(error) => {
                let fault = Fault::Unavailable(error.to_string());
                self.note(Some(fault.clone()));
                Err(fault)
            }
        }
    }

    /// A reader beside the writer.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub(crate) fn reader(&self) -> Result<Reader, Fault> {
        Reader::open(&self.path).map_err(|error| Fault::Unavailable(error.to_string()))
    }

    /// What the log's signatures are checked with; that needs no writer.
    ///
    /// # Errors
    /// A key that cannot be read.
    pub(crate) fn verifying_key(&self) -> Result<VerifyingKey, Fault> {
        read_verifying_key(&self.key).map_err(|error| Fault::Unavailable(error.to_string()))
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Why nothing can be written, where that is so.
    pub(crate) fn fault(&self) -> Option<Fault> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, fault: Option<Fault>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// Appends what became known of a prediction later.
    ///
    /// # Errors
    /// As of [`Log::append_feedback`].
    pub(crate) fn append_feedback(&self, feedback: &Feedback) -> Result<u64, Fault> {
        Ok(self.log()?.append_feedback(feedback)?.index)
    }

    /// Signs what is there now.
    ///
    /// # Errors
    /// As of [`Log::checkpoint`].
    pub(crate) fn checkpoint(&self) -> Result<String, Fault> {
        Ok(self.log()?.checkpoint()?)
    }

    fn close(&self) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// The thread that writes.
pub(crate) struct Recorder {
    queue: Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
    room: Arc<Room>,
}

/// Room for explanations that are not on the disk yet, in bytes.
struct Room {
    taken: Mutex<usize>,
    freed: Condvar,
    max_bytes: usize,
}

/// Some of the room, until it is dropped.
struct Held {
    room: Arc<Room>,
    n_bytes: usize,
}

enum Message {
    Record(Box<Waiting>),
    Stop(Instant),
}

/// An explanation that is not on the disk yet.
struct Waiting {
    task: Task,
    record: Record,
    payload: Payload,
    held: Held,
}

impl Recorder {
    /// Starts the thread.
    ///
    /// # Errors
    /// A thread that cannot be started.
    pub(crate) fn start(
        log: Arc<LogFile>,
        metrics: Arc<Metrics>,
        clock: Clock,
        limits: &Limits,
    ) -> std::io::Result<Self> {
        let (queue, messages) = channel();
        let (longest_pause, gathering, max_bytes) =
            (limits.log_retry, limits.gathering, limits.unrecorded_bytes);
        let waiting = VecDeque::new();
        let mut writing = Writing { log, metrics, clock, longest_pause, gathering, waiting };
        let thread = std::thread::Builder::new().name("recorder".to_owned());
        let thread = thread.spawn(move || writing.run(&messages))?;
        let room = Arc::new(Room { taken: Mutex::default(), freed: Condvar::new(), max_bytes });
        Ok(Self { queue, thread: Mutex::new(Some(thread)), room })
    }

    /// Takes an explanation, once there is room for it; its row is told when it is on the disk.
    pub(crate) fn record(&self, task: Task, explained: &Explained) {
        let context = RecordContext {
            model_name: Some(&task.served.name),
            model_version: Some(&task.served.version),
            inclusion_probability: task.inclusion_probability,
            outputs: explained.outputs.as_deref(),
            ran_as: Some(explained.ran_as),
            background_digest: task.plan.background_digest.as_deref(),
            ..RecordContext::new(&task.row.prediction_id, 0)
        };
        match explained.made.recorded(&context) {
            Ok((record, payload)) => {
                let held = self.room.hold(bytes_of(&payload));
                let waiting = Box::new(Waiting { task, record, payload, held });
                if let Err(unsent) = self.queue.send(Message::Record(waiting))
                    && let Message::Record(waiting) = unsent.0
                {
                    let fault = Fault::Unavailable("the server is stopping".to_owned());
                    waiting.task.row.set(State::Failed(fault));
                }
            }
            Err(error) => {
                task.row.set(State::Failed(error));
            }
        }
    }

    /// Writes what is there, trying until `until`.
    pub(crate) fn stop(&self, until: Instant) {
        let _ = self.queue.send(Message::Stop(until));
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        thread.map(JoinHandle::join);
    }
}

impl Room {
    /// Waits until there is room; something larger than all of it is let in alone.
    fn hold(self: &Arc<Self>, n_bytes: usize) -> Held {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |taken: &mut usize| *taken > 0 && *taken + n_bytes > self.max_bytes;
        let mut taken = self.freed.wait_while(taken, is_full).unwrap_or_else(PoisonError::into_inner);
        *taken += n_bytes;
        Held { room: self.clone(), n_bytes }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        *self.room.taken.lock().unwrap_or_else(PoisonError::into_inner) -= self.n_bytes;
        self.room.freed.notify_all();
    }
}

/// Nearly: names and what is said in words are short.
fn bytes_of(payload: &Payload) -> usize {
    let of_array = |array: &Array| match array.values() {
        Values::Text(texts) => texts.iter().map(|text| text.len() + size_of::<String>()).sum(),
        _ => size_of::<f64>() * array.shape().iter().product::<u64>() as usize,
    };
    4_096 + payload.input.iter().chain(&payload.attribution).map(of_array).sum::<usize>()
}

struct Writing {
    log: Arc<LogFile>,
    metrics: Arc<Metrics>,
    clock: Clock,
    longest_pause: Duration,
    gathering: Duration,
    waiting: VecDeque<Waiting>,
}

impl Writing {
    fn run(&mut self, messages: &Receiver<Message>) {
        // A log that cannot be opened is told of before the first explanation.
        let _ = self.log.log();
        let mut pause = FIRST_PAUSE;
        let mut stop: Option<Instant> = None;
        loop {
            self.receive(messages, pause, &mut stop);
            // A fault of the program ends the rows that were at hand, and not the thread.
            let written = catch_unwind(AssertUnwindSafe(|| self.write())).unwrap_or(false);
            if written || self.waiting.is_empty() {
                pause = FIRST_PAUSE;
            } else {
                pause = (pause * 2).min(self.longest_pause);
                std::thread::sleep(FIRST_PAUSE.min(pause));
            }
            self.metrics.unrecorded(self.waiting.len());
            let in_time = stop.is_none_or(|stop| Instant::now() < stop);
            if stop.is_some() && (self.waiting.is_empty() || !in_time) {
                self.log.close();
                return;
            }
        }
    }

    /// Waits for something to write; where something waits already, for no longer than the pause.
    fn receive(&mut self, messages: &Receiver<Message>, pause: Duration, stop: &mut Option<Instant>) {
        let first = match (self.waiting.is_empty() && self.log.fault().is_none(), &stop) {
            (true, None) => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            (_, None) => messages.recv_timeout(pause),
            (_, Some(_)) => messages.recv_timeout(Duration::ZERO),
        };
        if matches!(first, Err(RecvTimeoutError::Disconnected)) && stop.is_none() {
            *stop = Some(Instant::now());
        }
        for message in first.into_iter().chain(messages.try_iter()) {
            self.take(message, stop);
        }
        let until = Instant::now() + self.gathering;
        while stop.is_none() && self.may_gather() {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(message) = messages.recv_timeout(left) else { break };
            self.take(message, stop);
        }
    }

    fn take(&mut self, message: Message, stop: &mut Option<Instant>) {
        match message {
            Message::Record(waiting) => self.waiting.push_back(*waiting),
            Message::Stop(until) => *stop = Some(until),
        }
    }

    /// Whether the disk may wait: for all that is here, nobody does.
    fn may_gather(&self) -> bool {
        let is_awaited = |waiting: &Waiting| waiting.task.priority != Priority::Low;
        let n_bytes: usize = self.waiting.iter().map(|waiting| waiting.held.n_bytes).sum();
        (1..GROUP).contains(&self.waiting.len())
            && n_bytes < MAX_GATHERED_BYTES
            && !self.waiting.iter().any(is_awaited)
    }

    /// Writes what waits, in groups; whether the log took all of it.
    fn write(&mut self) -> bool {
        let log = match self.log.log() {
            Ok(log) => log,
            Err(fault) => return self.tell(&fault),
        };
        while !self.waiting.is_empty() {
            let n = self.waiting.len().min(GROUP);
            let now = (self.clock)();
            let mut group: Vec<Waiting> = self.waiting.drain(..n).collect();
            group.iter_mut().for_each(|waiting| waiting.record.timestamp_micros = now);
            let records: Vec<(&Record, &Payload)> =
                group.iter().map(|waiting| (&waiting.record, &waiting.payload)).collect();
            let pending = log.submit_all(&records);
            let mut fault = None;
            for (waiting, pending) in group.into_iter().zip(pending) {
                match pending.and_then(Pending::wait) {
                    Ok(appended) => recorded_at(waiting, appended.index),
                    Err(error @ Error::Refused { .. }) => {
                        waiting.task.row.set(State::Failed(error.into()));
                    }
                    Err(error) => {
                        fault = Some(Fault::Unavailable(error.to_string()));
                        if matches!(error, Error::Closed { .. }) {
                            self.log.close();
                        }
                        self.waiting.push_back(waiting);
                    }
                }
            }
            if let Some(fault) = fault {
                self.log.note(Some(fault.clone()));
                return self.tell(&fault);
            }
        }
        self.log.note(None);
        true
    }

    /// Tells all that wait why nothing is written; they wait on.
    fn tell(&self, fault: &Fault) -> bool {
        for waiting in &self.waiting {
            let is_told =
                matches!(waiting.task.row.state(), State::Explained(Some(known)) if known == *fault);
            if !is_told {
                waiting.task.row.set(State::Explained(Some(fault.clone())));
            }
        }
        false
    }
}

fn recorded_at(waiting: Waiting, index: u64) {
    let Waiting { task, payload, .. } = waiting;
    task.row.set(State::Recorded(index, task.keep.then(|| Arc::new(payload))));
}

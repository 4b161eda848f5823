//! What a server is started with.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Microseconds since 1970-01-01 UTC: everything that is recorded gets its time from here.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What a server is started with.
#[derive(Clone)]
pub struct Options {
    /// The folder of models; nothing outside it is served.
    pub models: PathBuf,
    /// The log that explanations are recorded in; made where there is none.
    pub log: PathBuf,
    /// The key that signs the log's checkpoints, outside the log's folder.
    pub key: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// The file of hashed tokens. Without one nothing but this machine is listened to.
    pub tokens: Option<PathBuf>,
    /// Names that requests may call this server by, beside its address.
    pub allowed_hosts: Vec<String>,
    /// A checkpoint is signed after so many entries.
    pub checkpoint_every: u64,
    /// The log's file grows no larger.
    pub max_log_bytes: Option<u64>,
    /// How much of everything.
    pub limits: Limits,
    /// The time.
    pub clock: Clock,
    /// Called in an explaining thread before each batch.
    pub before_explaining: Option<Hook>,
}

/// Something that is called.
pub type Hook = Arc<dyn Fn() + Send + Sync>;

impl Options {
    /// A server on this machine alone, at any free port.
    pub fn new(models: PathBuf, log: PathBuf, key: PathBuf, clock: Clock) -> Self {
        Self {
            models,
            log,
            key,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tokens: None,
            allowed_hosts: Vec::new(),
            checkpoint_every: 1_000,
            max_log_bytes: None,
            limits: Limits::default(),
            clock,
            before_explaining: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { models, log, address, limits, .. } = self;
        let known = (models, log, address, limits);
        f.debug_tuple("Options").field(&known).finish()
    }
}

/// Bounds: what goes beyond is refused, never queued without end.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Of a body as it comes.
    pub max_body_bytes: usize,
    /// Of a compressed body when it is inflated.
    pub max_inflated_bytes: usize,
    /// In which a body has to be here.
    pub body_timeout: Duration,
    /// In which the head of a request has to be here.
    pub head_timeout: Duration,
    /// Open at a time.
    pub max_connections: usize,
    /// Requests of one token a second, on average.
    pub requests_per_second: f64,
    /// Requests of one token at once.
    pub burst: f64,
    /// Rows of one request.
    pub max_rows: usize,
    /// Model evaluations that one request may cost, as estimated beforehand.
    pub max_cost: u64,
    /// Predictions that wait.
    pub predict_queue: usize,
    /// Rows that wait to be explained.
    pub explain_queue: usize,
    /// The same in bytes of their inputs.
    pub explain_queue_bytes: usize,
    /// Explanations that the log has not taken yet, in bytes; beyond them nothing more is explained until it takes some.
    pub unrecorded_bytes: usize,
    /// Rows of one call of a method.
    pub rows_at_once: usize,
    /// Jobs that are remembered once they have ended.
    pub jobs_kept: usize,
    /// Explanations that are remembered, in bytes.
    pub cache_bytes: usize,
    /// Predictions that are remembered so that they can be explained later, in bytes.
    pub predictions_bytes: usize,
    /// In which a row is explained, where the request says nothing else.
    pub explain_timeout: Duration,
    /// How long one half of an event waits for the other.
    pub event_timeout: Duration,
    /// Between two looks at the folder of models.
    pub poll: Duration,
    /// The longest pause between two attempts to write to a log that cannot be written to.
    pub log_retry: Duration,
    /// How long explanations that nobody waits for are gathered before they are written. Each write waits for the disk, and what the
    /// system does for that delays predictions, whichever core explains.
    pub gathering: Duration,
    /// What accepted work is given to end when the server stops.
    pub drain: Duration,
    /// Threads that predict.
    pub predict_threads: usize,
    /// Threads that explain.
    pub explain_threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            max_body_bytes: 32 << 20,
            max_inflated_bytes: 128 << 20,
            body_timeout: Duration::from_secs(30),
            head_timeout: Duration::from_secs(10),
            max_connections: 1_024,
            requests_per_second: 10_000.0,
            burst: 10_000.0,
            max_rows: 4_096,
            max_cost: 200_000_000,
            predict_queue: 1_024,
            explain_queue: 16_384,
            explain_queue_bytes: 512 << 20,
            unrecorded_bytes: 256 << 20,
            rows_at_once: 64,
            jobs_kept: 1_024,
            cache_bytes: 128 << 20,
            predictions_bytes: 256 << 20,
            explain_timeout: Duration::from_secs(60),
            event_timeout: Duration::from_secs(300),
            poll: Duration::from_secs(2),
            log_retry: Duration::from_secs(30),
            gathering: Duration::from_millis(500),
            drain: Duration::from_secs(30),
            predict_threads: 1,
            explain_threads: cores.saturating_sub(1).max(1),
        }
    }
}

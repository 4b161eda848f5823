//! How long work is bounded, watched and stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;

/// A flag that stops work at its next step; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Cancellation(Arc<AtomicBool>);

impl Cancellation {
    /// Asks the work to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to stop.
    pub fn is_canceled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Where work says how far it is.
pub trait Progress: Send + Sync {
    /// Work of `total` model evaluations begins.
    fn begin(&self, total: usize);
    /// `n` more are done.
    fn advance(&self, n: usize);
    /// The work ended, well or not.
    fn end(&self);
}

/// Says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn begin(&self, _total: usize) {}
    fn advance(&self, _n: usize) {}
    fn end(&self) {}
}

/// The bounds of one piece of work, and who watches it.
#[derive(Clone)]
pub struct Work {
    /// Rows that one run of the model takes at the most; `None`: as many as `max_memory_bytes` allows.
    pub batch_size: Option<usize>,
    /// What activations of one run may take.
    pub max_memory_bytes: usize,
    /// Checked between runs.
    pub cancellation: Cancellation,
    /// Told after each run.
    pub progress: Arc<dyn Progress>,
}

impl Default for Work {
    fn default() -> Self {
        Self {
            batch_size: None,
            max_memory_bytes: 1 << 30,
            cancellation: Cancellation::default(),
            progress: Arc::new(NoProgress),
        }
    }
}

impl Work {
    /// Goes on, or stops where that was asked.
    ///
    /// # Errors
    /// [`Error::Canceled`].
    pub fn check(&self) -> Result<(), Error> {
        if self.cancellation.is_canceled() { Err(Error::Canceled) } else { Ok(()) }
    }
}

//! Everything that requests share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::config::Options;
use crate::jobs::Jobs;
use crate::metrics::Metrics;
use crate::models::Folder;
use crate::predict::Pool;
use crate::predict::stored::Predictions;
use crate::queue::Queue;
use crate::recorder::LogFile;
use crate::security::audit::Audit;
use crate::security::headers::host_name;
use crate::security::rate::Rate;
use crate::security::tokens::Tokens;

/// What requests share.
pub(crate) struct App {
    pub(crate) options: Options,
    /// What this server is called, by its address or as it was told.
    pub(crate) names: Vec<String>,
    pub(crate) folder: Arc<Folder>,
    pub(crate) pool: Pool,
    pub(crate) predictions: Predictions,
    pub(crate) queue: Arc<Queue>,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) log: Arc<LogFile>,
    pub(crate) metrics: Arc<Metrics>,
    /// `None`: anybody who reaches this server may ask.
    pub(crate) tokens: Option<Tokens>,
    pub(crate) rate: Rate,
    pub(crate) audit: Audit,
    pub(crate) draining: AtomicBool,
}

impl App {
    /// Whether this server is called so.
    pub(crate) fn is_called(&self, host: &str) -> bool {
        self.names.contains(&host_name(host))
    }

    pub(crate) fn now(&self) -> i64 {
        (self.options.clock)()
    }
}

/// Does what blocks, files above all, away from the threads that answer.
///
/// # Errors
/// Those of the work, and where it failed.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, crate::error::Fault> + Send + 'static,
) -> Result<T, crate::error::Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(crate::error::Fault::Internal("the work broke off".to_owned())))
}

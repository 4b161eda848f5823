//! Everything that requests share.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pellucid_dashboard::{Dashboard, Follower};
use serde_json::Value;

use crate::accepted::Accepted;
use crate::config::Options;
use crate::error::Fault;
use crate::events::Pairs;
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
use crate::security::tokens::{Caller, Tokens};

/// Between two looks of the dashboard at the log.
const FOLLOWING: Duration = Duration::from_millis(500);

/// The dashboard and what keeps it up to date.
pub(crate) struct Shown {
    dashboard: Arc<Dashboard>,
    _follower: Follower,
}

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
    /// Halves of predictions made elsewhere.
    pub(crate) events: Pairs,
    pub(crate) dashboard: Mutex<Option<Shown>>,
    pub(crate) audit: Audit,
    pub(crate) accepted: Accepted,
    pub(crate) draining: AtomicBool,
}

impl App {
    /// Whether this server is called so.
    pub(crate) fn is_called(&self, host: &str) -> bool {
        self.names.contains(&host_name(host))
    }

    /// The index of the log; it follows the log from the first time that somebody looks.
    ///
    /// # Errors
    /// A log that cannot be read.
    pub(crate) fn dashboard(&self) -> Result<Arc<Dashboard>, Fault> {
        let mut shown = self.dashboard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shown) = &*shown {
            return Ok(shown.dashboard.clone());
        }
        let unavailable = |error: pellucid_store::Error| Fault::Unavailable(error.to_string());
        let dashboard = Arc::new(Dashboard::open(self.log.path()).map_err(unavailable)?);
        let follower = dashboard.follow(FOLLOWING).map_err(unavailable)?;
        *shown = Some(Shown { dashboard: dashboard.clone(), _follower: follower });
        Ok(dashboard)
    }

    /// Writes down who reads what, before it is shown.
    ///
    /// # Errors
    /// What cannot be written down.
    pub(crate) async fn note_read(
        self: &Arc<Self>,
        caller: &Caller,
        action: &str,
        of: Value,
    ) -> Result<(), Fault> {
        let (app, caller, action) = (self.clone(), caller.name.clone(), action.to_owned());
        blocking(move || app.audit.note(app.now(), &caller, &action, &of)).await
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
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Fault::Internal("the work broke off".to_owned())))
}

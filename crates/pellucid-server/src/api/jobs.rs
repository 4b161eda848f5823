//! Jobs: how far they are, told once or as it happens, and their end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::app::App;
use crate::error::Fault;
use crate::jobs::{Counts, Job, State as RowState};
use crate::security::ids;
use crate::security::tokens::{Caller, Scope};

/// Between two events of a job.
const EVENT_PAUSE: Duration = Duration::from_millis(50);

/// All jobs, the newest first.
#[utoipa::path(get, path = "/v1/jobs", tag = "Explanations", responses((status = 200, body = Value)))]
pub(crate) async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Value>, Fault> {
    caller.may(Scope::Explain)?;
    let jobs: Vec<Value> = app.jobs.all().iter().map(|job| job.to_json(false)).collect();
    let (n_waiting, n_running) = app.queue.n_waiting_and_running();
    Ok(Json(json!({ "jobs": jobs, "n_waiting_rows": n_waiting, "n_running_rows": n_running })))
}

/// A job and its rows.
#[utoipa::path(get, path = "/v1/jobs/{job}", tag = "Explanations", params(("job" = String, Path)),
    responses((status = 200, body = Value), (status = 404, body = Value)))]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Fault> {
    caller.may(Scope::Explain)?;
    Ok(Json(job(&app, &id)?.to_json(true)))
}

/// Cancels a job: rows that are not explained yet never are. What is made stays, and goes into the log.
#[utoipa::path(delete, path = "/v1/jobs/{job}", tag = "Explanations", params(("job" = String, Path)),
    responses((status = 200, body = Value), (status = 404, body = Value)))]
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Fault> {
    caller.may(Scope::Explain)?;
    let job = job(&app, &id)?;
    if !job.counts().is_final() {
        job.cancel(&RowState::Canceled);
        app.metrics.outcome("canceled_jobs");
    }
    Ok(Json(job.to_json(true)))
}

/// A job's progress as server-sent events, until it ends.
#[utoipa::path(get, path = "/v1/jobs/{job}/events", tag = "Explanations", params(("job" = String, Path)),
    responses((status = 200, body = String, content_type = "text/event-stream"), (status = 404, body = Value)))]
pub(crate) async fn events(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Sse<impl futures_util::Stream<Item = Result<Event, Infallible>>>, Fault> {
    caller.may(Scope::Explain)?;
    let told = Told { job: job(&app, &id)?, changes: app.jobs.changes(), last: None };
    let stream = futures_util::stream::unfold(told, next_event);
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

/// What a listener was told.
struct Told {
    job: Arc<Job>,
    changes: watch::Receiver<u64>,
    last: Option<Counts>,
}

async fn next_event(mut told: Told) -> Option<(Result<Event, Infallible>, Told)> {
    if told.last.is_some_and(|counts| counts.is_final()) {
        return None;
    }
    loop {
        told.changes.mark_unchanged();
        let counts = told.job.counts();
        if told.last != Some(counts) {
            told.last = Some(counts);
            let name = if counts.is_final() { "end" } else { "progress" };
            let data =
                json!({ "job_id": told.job.id, "status": counts.status(), "progress": counts.to_json() });
            return Some((Ok(Event::default().event(name).data(data.to_string())), told));
        }
        told.changes.changed().await.ok()?;
        tokio::time::sleep(EVENT_PAUSE).await;
    }
}

pub(crate) fn job(app: &App, id: &str) -> Result<Arc<Job>, Fault> {
    let id = ids::checked("job", id)?;
    app.jobs.get(&id).ok_or_else(|| Fault::NotFound(format!("there is no job {id}, or it ended long ago")))
}

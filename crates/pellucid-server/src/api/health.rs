//! The server itself: alive, ready, counted, described.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use utoipa::openapi::{ContentBuilder, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi, ToSchema};

use crate::app::App;
use crate::error::Fault;
use crate::metrics::Now;
use crate::security::tokens::{Caller, Scope};

/// The description of all routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Pellucid",
        description = "Predictions at once, explanations after them, all of it in a log."
    ),
    paths(
        super::models::list_v1,
        super::models::ready_v1,
        super::models::server_v2,
        super::models::live_v2,
        super::models::ready_server_v2,
        super::models::index_v2,
        super::models::model_v2,
        super::models::version_v2,
        super::models::ready_v2,
        super::models::ready_version_v2,
        super::infer::verb_v1,
        super::infer::infer_v2,
        super::infer::infer_version_v2,
        super::explanations::create,
        super::explanations::read,
        super::jobs::list,
        super::jobs::read,
        super::jobs::cancel,
        super::jobs::events,
        super::records::read,
        super::records::proof,
        super::records::feedback,
        super::records::verify,
        super::records::checkpoint,
        super::events::receive,
        super::dashboard::read,
        alive,
        ready,
        metrics,
        openapi_json,
    ),
    components(schemas(Failure)),
    modifiers(&Failures)
)]
struct Description;

/// What every answer of 400 and above holds.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described and never made: a fault writes itself")]
struct Failure {
    /// What, where, what to do next.
    error: String,
}

/// Describes the failures: their form, and those that every route has (names, tokens, rates).
struct Failures;

impl Modify for Failures {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        for item in description.paths.paths.values_mut() {
            for operation in [&mut item.get, &mut item.post, &mut item.delete].into_iter().flatten() {
                let reads_body = operation.request_body.is_some();
                let responses = &mut operation.responses.responses;
                let told = responses.keys().filter(|status| status.as_str() >= "400").cloned();
                let common = ["400", "401", "403", "429"].into_iter().chain(reads_body.then_some("408"));
                for status in told.chain(common.map(str::to_owned)).collect::<Vec<String>>() {
                    responses.insert(status, failure().into());
                }
            }
        }
    }
}

fn failure() -> utoipa::openapi::Response {
    let schema = Ref::from_schema_name("Failure");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description("What is wrong.").content("application/json", content).build()
}

/// The description as a document.
pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// Whether the process lives.
#[utoipa::path(get, path = "/healthz", tag = "Server", responses((status = 200, body = Value)))]
pub(crate) async fn alive() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

/// Whether models are served and the log takes entries.
#[utoipa::path(get, path = "/readyz", tag = "Server", responses((status = 200, body = Value), (status = 503, body = Value)))]
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Result<Json<Value>, Fault> {
    readiness(&app)?;
    Ok(Json(json!({ "status": "ready", "models": app.folder.all().len(), "broken": app.folder.faults() })))
}

pub(crate) fn readiness(app: &App) -> Result<(), Fault> {
    if app.draining.load(Ordering::Acquire) {
        return Err(Fault::Unavailable("the server is stopping".to_owned()));
    }
    if app.folder.all().is_empty() {
        return Err(Fault::Unavailable(format!("no model is served: {:?}", app.folder.faults())));
    }
    app.log.fault().map_or(Ok(()), Err)
}

/// Counters and gauges in Prometheus' text form.
#[utoipa::path(get, path = "/metrics", tag = "Server", responses((status = 200, body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(app): State<Arc<App>>, caller: Caller) -> Result<impl IntoResponse, Fault> {
    caller.may(Scope::Read)?;
    let (n_waiting, n_running) = app.queue.n_waiting_and_running();
    let now = Now {
        n_waiting,
        n_running,
        n_models: app.folder.all().len(),
        n_broken_models: app.folder.faults().len(),
        n_unpaired_events: app.events.n_unpaired(),
        log_writable: app.log.fault().is_none(),
    };
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.text(&now)))
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "Server", responses((status = 200, body = Value)))]
pub(crate) async fn openapi_json() -> Json<utoipa::openapi::OpenApi> {
    Json(openapi())
}

/// Another method than the route has.
pub(crate) async fn method_not_allowed() -> impl IntoResponse {
    let status = axum::http::StatusCode::METHOD_NOT_ALLOWED;
    (status, Json(json!({ "error": "this address has other methods; /openapi.json says which" })))
}

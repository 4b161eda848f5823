//! Routes → handlers. A handler says who may call it, reads, asks, and answers; what it asks lies elsewhere.

mod dashboard;
mod events;
mod explanations;
mod health;
mod infer;
mod jobs;
mod models;
mod records;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::app::App;
use crate::error::Fault;
use crate::security::headers::guard;

pub(crate) use explanations::Wish;
pub(crate) use health::openapi;

/// All routes of the server.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .merge(protocols())
        .merge(own())
        .fallback(|| async {
            Fault::NotFound("there is nothing here; /openapi.json says what there is".to_owned())
        })
        .method_not_allowed_fallback(health::method_not_allowed)
        .layer(from_fn_with_state(app.clone(), guard))
        .with_state(app)
}

/// KServe V1 and the Open Inference Protocol V2.
fn protocols() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/models", get(models::list_v1))
        .route("/v1/models/{model}", get(models::ready_v1).post(infer::verb_v1))
        .route("/v2", get(models::server_v2))
        .route("/v2/health/live", get(models::live_v2))
        .route("/v2/health/ready", get(models::ready_server_v2))
        .route("/v2/repository/index", post(models::index_v2))
        .route("/v2/models/{model}", get(models::model_v2))
        .route("/v2/models/{model}/ready", get(models::ready_v2))
        .route("/v2/models/{model}/infer", post(infer::infer_v2))
        .route("/v2/models/{model}/versions/{version}", get(models::version_v2))
        .route("/v2/models/{model}/versions/{version}/ready", get(models::ready_version_v2))
        .route("/v2/models/{model}/versions/{version}/infer", post(infer::infer_version_v2))
}

/// Explanations, jobs, records, and the server itself.
fn own() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/explanations", post(explanations::create))
        .route("/v1/explanations/{job}", get(explanations::read))
        .route("/", get(dashboard::home).post(events::receive))
        .route("/dashboard/", get(dashboard::first_page))
        .route("/dashboard/{*path}", get(dashboard::page))
        .route("/v1/views/{name}", get(dashboard::read))
        .route("/v1/events", post(events::receive))
        .route("/v1/jobs", get(jobs::list))
        .route("/v1/jobs/{job}", get(jobs::read).delete(jobs::cancel))
        .route("/v1/jobs/{job}/events", get(jobs::events))
        .route("/v1/records/{index}", get(records::read))
        .route("/v1/records/{index}/proof", get(records::proof))
        .route("/v1/predictions/{id}/feedback", post(records::feedback))
        .route("/v1/verify", post(records::verify))
        .route("/v1/checkpoint", get(records::checkpoint))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(health::openapi_json))
}

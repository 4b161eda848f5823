//! What models there are, in the words of both protocols.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::health::readiness;
use crate::app::App;
use crate::error::Fault;
use crate::protocols::v2;
use crate::security::tokens::Caller;

/// The names of all models (KServe V1).
#[utoipa::path(get, path = "/v1/models", tag = "KServe V1", responses((status = 200, body = Value)))]
pub(crate) async fn list_v1(State(app): State<Arc<App>>, _: Caller) -> Json<Value> {
    let mut names: Vec<String> = app.folder.all().iter().map(|served| served.name.clone()).collect();
    names.dedup();
    Json(json!({ "models": names }))
}

/// Whether a model is ready (KServe V1).
#[utoipa::path(get, path = "/v1/models/{model}", tag = "KServe V1", params(("model" = String, Path)),
    responses((status = 200, body = Value), (status = 404, body = Value), (status = 503, body = Value)))]
pub(crate) async fn ready_v1(
    State(app): State<Arc<App>>,
    _: Caller,
    Path(model): Path<String>,
) -> Result<Json<Value>, Fault> {
    ready(&app, &model, None)
}

/// What the server is (V2).
#[utoipa::path(get, path = "/v2", tag = "Open Inference Protocol V2", responses((status = 200, body = Value)))]
pub(crate) async fn server_v2() -> Json<Value> {
    Json(v2::server())
}

/// Whether the server lives (V2).
#[utoipa::path(get, path = "/v2/health/live", tag = "Open Inference Protocol V2", responses((status = 200, body = Value)))]
pub(crate) async fn live_v2() -> Json<Value> {
    Json(json!({ "live": true }))
}

/// Whether the server is ready (V2).
#[utoipa::path(get, path = "/v2/health/ready", tag = "Open Inference Protocol V2",
    responses((status = 200, body = Value), (status = 503, body = Value)))]
pub(crate) async fn ready_server_v2(State(app): State<Arc<App>>) -> Result<Json<Value>, Fault> {
    readiness(&app).map(|()| Json(json!({ "ready": true })))
}

/// All models with their states (V2 repository extension).
#[utoipa::path(post, path = "/v2/repository/index", tag = "Open Inference Protocol V2", responses((status = 200, body = Value)))]
pub(crate) async fn index_v2(State(app): State<Arc<App>>, _: Caller) -> Json<Value> {
    let ready = app.folder.all().into_iter().map(
        |served| json!({ "name": served.name, "version": served.version, "state": "READY", "reason": "" }),
    );
    let broken = app.folder.faults().into_iter().map(
        |(name, reason)| json!({ "name": name, "version": "", "state": "UNAVAILABLE", "reason": reason }),
    );
    Json(ready.chain(broken).collect())
}

/// What a model takes and gives (V2).
#[utoipa::path(get, path = "/v2/models/{model}", tag = "Open Inference Protocol V2", params(("model" = String, Path)),
    responses((status = 200, body = Value), (status = 404, body = Value)))]
pub(crate) async fn model_v2(
    State(app): State<Arc<App>>,
    _: Caller,
    Path(model): Path<String>,
) -> Result<Json<Value>, Fault> {
    described(&app, &model, None)
}

/// What a version of a model takes and gives (V2).
#[utoipa::path(get, path = "/v2/models/{model}/versions/{version}", tag = "Open Inference Protocol V2",
    params(("model" = String, Path), ("version" = String, Path)),
    responses((status = 200, body = Value), (status = 404, body = Value)))]
pub(crate) async fn version_v2(
    State(app): State<Arc<App>>,
    _: Caller,
    Path((model, version)): Path<(String, String)>,
) -> Result<Json<Value>, Fault> {
    described(&app, &model, Some(&version))
}

fn described(app: &App, model: &str, version: Option<&str>) -> Result<Json<Value>, Fault> {
    let served = app.folder.model(model, version)?;
    let versions: Vec<String> = app.folder.versions(model).iter().map(|it| it.version.clone()).collect();
    Ok(Json(v2::model(&served, &versions)))
}

/// Whether a model is ready (V2).
#[utoipa::path(get, path = "/v2/models/{model}/ready", tag = "Open Inference Protocol V2", params(("model" = String, Path)),
    responses((status = 200, body = Value), (status = 404, body = Value), (status = 503, body = Value)))]
pub(crate) async fn ready_v2(
    State(app): State<Arc<App>>,
    _: Caller,
    Path(model): Path<String>,
) -> Result<Json<Value>, Fault> {
    ready(&app, &model, None)
}

/// Whether a version of a model is ready (V2).
#[utoipa::path(get, path = "/v2/models/{model}/versions/{version}/ready", tag = "Open Inference Protocol V2",
    params(("model" = String, Path), ("version" = String, Path)),
    responses((status = 200, body = Value), (status = 404, body = Value), (status = 503, body = Value)))]
pub(crate) async fn ready_version_v2(
    State(app): State<Arc<App>>,
    _: Caller,
    Path((model, version)): Path<(String, String)>,
) -> Result<Json<Value>, Fault> {
    ready(&app, &model, Some(&version))
}

/// The same of both protocols.
fn ready(app: &App, model: &str, version: Option<&str>) -> Result<Json<Value>, Fault> {
    let served = app.folder.model(model, version)?;
    Ok(Json(json!({ "name": served.name, "ready": true })))
}

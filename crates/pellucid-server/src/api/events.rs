//! Predictions made elsewhere, as inference loggers tell of them.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use bytes::Bytes;
use serde_json::{Value, json};

use super::infer::predicted;
use crate::app::App;
use crate::error::Fault;
use crate::events::Paired;
use crate::models::rows::Rows;
use crate::models::served::Served;
use crate::protocols::{cloud_events, tensors, v1, v2};
use crate::security::body::Content;
use crate::security::ids;
use crate::security::tokens::{Caller, Scope};

/// A request or response that another server logged (CloudEvents 1.0 and 0.3, of KServe and MLServer). When both halves are here, the
/// prediction is explained by the model of the same name, by its sampling rule.
#[utoipa::path(post, path = "/v1/events", tag = "CloudEvents", request_body = Value,
    responses((status = 202, body = Value), (status = 400, body = Value), (status = 404, body = Value),
        (status = 413, body = Value), (status = 415, body = Value), (status = 422, body = Value), (status = 429, body = Value),
        (status = 503, body = Value)))]
pub(crate) async fn receive(
    State(app): State<Arc<App>>,
    caller: Caller,
    content: Content,
) -> Result<impl IntoResponse, Fault> {
    caller.may(Scope::PredictLog)?;
    let mut told = Vec::new();
    for event in cloud_events::read(&content.headers, &content.bytes)? {
        told.push(match app.events.add(event, Instant::now())? {
            Paired::Waiting => json!({ "status": "waiting" }),
            Paired::Duplicate => json!({ "status": "duplicate" }),
            Paired::Both { id, models, request, response, first } => {
                let explained = explained(&app, &id, &models, &request, &response).await;
                if explained.is_err() {
                    app.events.undo(first, Instant::now());
                }
                explained?
            }
        });
    }
    let answer = if told.len() == 1 { told.pop().unwrap_or_default() } else { json!({ "events": told }) };
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

async fn explained(
    app: &Arc<App>,
    id: &str,
    models: &[String],
    request: &Bytes,
    response: &Bytes,
) -> Result<Value, Fault> {
    let response: Value = parsed("response", response)?;
    let served = model(app, models, &response)?;
    let rows = rows(app, &served, request)?;
    let (n_rows, n_answered) = (rows.len(), n_rows_of(&response));
    if n_answered.is_some_and(|n| n != n_rows) {
        let reason = format!("the request has {n_rows} rows, the response {}", n_answered.unwrap_or(0));
        return Err(Fault::Unprocessable(reason));
    }
    let answered = predicted(app, &served, rows, Some(ids::of_foreign(id))).await?;
    if answered.sampled.n_dropped > 0 {
        return Err(Fault::TooMany { reason: "the queue is full".to_owned(), retry_after_secs: 5 });
    }
    Ok(json!({ "status": "paired", "prediction_id": answered.id, "n_queued": answered.sampled.n_queued }))
}

/// The model of one of these names that is served here.
fn model(app: &App, names: &[String], response: &Value) -> Result<Arc<Served>, Fault> {
    let told = response.get("model_name").and_then(Value::as_str).map(str::to_owned);
    let version = response.get("model_version").and_then(Value::as_str).filter(|it| !it.is_empty());
    let names: Vec<String> = told.into_iter().chain(names.iter().cloned()).collect();
    let known = names.iter().find(|name| !app.folder.versions(name).is_empty());
    let known = known.ok_or_else(|| Fault::NotFound(format!("no model is called {}", names.join(" or "))))?;
    // Where the version is not here, the newest would explain another model's prediction.
    app.folder.model(known, version)
}

fn rows(app: &App, served: &Served, request: &Bytes) -> Result<Rows, Fault> {
    let max_rows = app.options.limits.max_rows;
    let body: Value = parsed("request", request)?;
    match body.get("inputs").and_then(|inputs| inputs.get(0)).and_then(|input| input.get("datatype")) {
        Some(_) => tensors::rows(&v2::read(request, None)?.inputs, served, max_rows),
        None => {
            let body: v1::Body = serde_json::from_slice(request)
                .map_err(|error| Fault::BadRequest(format!("the logged request: {error}")))?;
            v1::rows(&body, served, max_rows)
        }
    }
}

fn n_rows_of(response: &Value) -> Option<usize> {
    if let Some(predictions) = response.get("predictions").and_then(Value::as_array) {
        return Some(predictions.len());
    }
    let shape = response.get("outputs")?.get(0)?.get("shape")?.get(0)?.as_u64()?;
    usize::try_from(shape).ok()
}

fn parsed(half: &str, bytes: &[u8]) -> Result<Value, Fault> {
    serde_json::from_slice(bytes)
        .map_err(|error| Fault::BadRequest(format!("the logged {half} is no JSON: {error}")))
}

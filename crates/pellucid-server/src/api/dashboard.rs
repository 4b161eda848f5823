//! The pages and the views that they draw.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use pellucid_dashboard::{Status, ViewError, asset, view};
use serde_json::{Value, json};

use crate::app::{App, blocking};
use crate::error::Fault;
use crate::security::tokens::{Caller, Scope};

/// Views that show single predictions: who looks at them is written down.
const AUDITED: [&str; 3] = ["prediction", "predictions", "misclassified"];

pub(crate) async fn home() -> Redirect {
    Redirect::temporary("/dashboard/")
}

pub(crate) async fn first_page(headers: HeaderMap) -> Response {
    page(Path(String::new()), headers).await
}

/// A file of the pages: it holds no data, so anybody may have it.
pub(crate) async fn page(Path(path): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = asset(&path) else {
        return Fault::NotFound("there is no such page".to_owned()).into_response();
    };
    let fixed = [(header::ETAG, asset.etag), (header::CACHE_CONTROL, "no-cache")];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|it| it.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|it| it.trim() == asset.etag)) {
        return (StatusCode::NOT_MODIFIED, fixed).into_response();
    }
    (fixed, [(header::CONTENT_TYPE, asset.content_type)], asset.bytes).into_response()
}

/// What the pages draw, as JSON.
#[utoipa::path(get, path = "/v1/views/{name}", tag = "Dashboard", params(("name" = String, Path)),
    responses((status = 200, body = Value), (status = 400, body = Value), (status = 404, body = Value),
        (status = 503, body = Value)))]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Query(parameters): Query<BTreeMap<String, String>>,
) -> Result<Json<Value>, Fault> {
    caller.may(Scope::Read)?;
    if AUDITED.contains(&name.as_str()) {
        app.note_read(&caller, &format!("view {name}"), json!(parameters)).await?;
    }
    blocking(move || {
        let dashboard = app.dashboard()?;
        Ok(Json(view(&dashboard, &name, &parameters)?))
    })
    .await
}

impl From<ViewError> for Fault {
    fn from(error: ViewError) -> Self {
        match error.status {
            Status::BadRequest => Self::BadRequest(error.message),
            Status::NotFound => Self::NotFound(error.message),
            Status::Unavailable => Self::Unavailable(error.message),
        }
    }
}

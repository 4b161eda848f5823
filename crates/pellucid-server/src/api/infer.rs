//! Predictions in both protocols, and V1's synchronous explanations.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use pellucid_engine::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::explanations::Wish;
use super::records::{explanation_json, explanation_of};
use crate::app::App;
use crate::error::Fault;
use crate::explaining::{self, Order, Ordered, Sampled};
use crate::jobs::{Row, State as RowState};
use crate::models::rows::Rows;
use crate::models::served::Served;
use crate::predict::sampling;
use crate::protocols::strict::values;
use crate::protocols::{binary, tensors, v1, v2};
use crate::queue::Priority;
use crate::security::body::Content;
use crate::security::ids;
use crate::security::tokens::{Caller, Scope};

/// Names a prediction, in a request of V1 and in every answer.
const PREDICTION_ID: HeaderName = HeaderName::from_static("x-prediction-id");

/// A request of KServe V1.
#[derive(Deserialize, Serialize, ToSchema)]
pub(crate) struct Instances {
    /// One element a row: nested lists of numbers, for tables a list or an object of cells, for models that read texts a text.
    #[serde(deserialize_with = "values")]
    instances: Vec<Value>,
    /// `:explain`: how, where not as the model's settings say.
    #[serde(default)]
    parameters: Option<Wish>,
}

/// Predict (`MODEL:predict`) or explain (`MODEL:explain`) rows (KServe V1).
#[utoipa::path(post, path = "/v1/models/{model}", tag = "KServe V1",
    params(("model" = String, Path, description = "`MODEL:predict` or `MODEL:explain`")),
    request_body = Instances,
    responses((status = 200, body = Value), (status = 400, body = Value), (status = 404, body = Value),
        (status = 413, body = Value), (status = 415, body = Value), (status = 422, body = Value),
        (status = 429, body = Value), (status = 503, body = Value), (status = 504, body = Value)))]
pub(crate) async fn verb_v1(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(model): Path<String>,
    content: Content,
) -> Result<Response, Fault> {
    match model.rsplit_once(':') {
        Some((model, "predict")) => predict_v1(&app, &caller, model, &content).await,
        Some((model, "explain")) => explain_v1(&app, &caller, model, &content).await,
        _ => Err(Fault::NotFound("expected MODEL:predict or MODEL:explain".to_owned())),
    }
}

async fn predict_v1(
    app: &Arc<App>,
    caller: &Caller,
    model: &str,
    content: &Content,
) -> Result<Response, Fault> {
    caller.may(Scope::PredictLog)?;
    let served = app.folder.model(model, None)?;
    let body: v1::Body = content.json()?;
    let rows = v1::rows(&body, &served, app.options.limits.max_rows)?;
    let id = content.header(PREDICTION_ID.as_str()).map(str::to_owned);
    let answered = predicted(app, &served, rows, id).await?;
    let predictions = v1::predictions(&served, &answered.outputs)?;
    Ok((answered.headers(), Json(predictions)).into_response())
}

/// Rows that were predicted.
pub(crate) struct Answered {
    outputs: Vec<Tensor>,
    pub(crate) id: String,
    pub(crate) sampled: Sampled,
}

/// Predicts rows, and leaves those that the sampling rule chooses to be explained.
pub(crate) async fn predicted(
    app: &Arc<App>,
    served: &Arc<Served>,
    rows: Rows,
    id: Option<String>,
) -> Result<Answered, Fault> {
    let started = Instant::now();
    let n_rows = rows.len();
    let (id, ids) = prediction_ids(id, n_rows)?;
    let rows = Arc::new(rows);
    let outputs = app.pool.predict(served.clone(), rows.clone()).await?;
    app.metrics.predicted(started.elapsed());
    let probabilities = sampling::probabilities(served, &outputs, n_rows);
    let sampled = explaining::sample(app, served, &ids, &rows, &probabilities);
    Ok(Answered { outputs, id, sampled })
}

/// The id of a request, and of each of its rows: the same for one row, numbered for several.
pub(crate) fn prediction_ids(id: Option<String>, n_rows: usize) -> Result<(String, Vec<String>), Fault> {
    let id = match id {
        Some(id) => ids::checked("prediction id", &id)?,
        None => ids::random()?,
    };
    let ids: Vec<String> = match n_rows {
        1 => vec![id.clone()],
        _ => (0..n_rows).map(|index| format!("{id}-{index}")).collect(),
    };
    if let Some(last) = ids.last() {
        ids::checked("prediction id with the row's number", last)?;
    }
    Ok((id, ids))
}

impl Answered {
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Ok(id) = HeaderValue::from_str(&self.id) {
            headers.insert(PREDICTION_ID, id);
        }
        headers.insert("x-explanations-queued", HeaderValue::from(self.sampled.n_queued));
        if self.sampled.n_dropped > 0 {
            headers.insert("x-explanations-dropped", HeaderValue::from(self.sampled.n_dropped));
        }
        headers
    }
}

async fn explain_v1(
    app: &Arc<App>,
    caller: &Caller,
    model: &str,
    content: &Content,
) -> Result<Response, Fault> {
    caller.may(Scope::Explain)?;
    // What could not be recorded is not begun.
    app.log.fault().map_or(Ok(()), Err)?;
    let served = app.folder.model(model, None)?;
    let Instances { instances, parameters } = content.json()?;
    let wish = parameters.unwrap_or_default();
    let rows = v1::rows_of(&instances, &served, app.options.limits.max_rows)?;
    let id = content.header(PREDICTION_ID.as_str()).map(str::to_owned);
    let (id, ids) = prediction_ids(id, instances.len())?;
    let deadline = wish.deadline(&app.options.limits)?;
    let plan = wish.plan(&served).await?;
    let ordered = ids.into_iter().enumerate().map(|(index, prediction_id)| Ordered {
        prediction_id,
        input: Arc::new(rows.row(index)),
        inclusion_probability: 1.0,
    });
    let order = Order { keep: true, ..Order::new(served, plan, Priority::High, ordered.collect()) };
    let rows = explaining::place(app, order).await?;
    let until = tokio::time::Instant::now() + deadline;
    let mut explanations = Vec::new();
    let mut first_fault = None;
    for row in &rows {
        // A row that others want as well goes on, but not for whoever holds the line.
        let told = tokio::time::timeout_at(until, ended(app, row)).await.unwrap_or_else(|_| {
            row.give_up(RowState::Failed(explaining::late(deadline)));
            Err(explaining::late(deadline))
        });
        match told {
            Ok(explanation) => explanations.push(explanation),
            Err(fault) => {
                explanations.push(json!({ "prediction_id": row.prediction_id, "error": fault.to_string() }));
                first_fault.get_or_insert(fault);
            }
        }
    }
    let all_failed = explanations.iter().all(|it| it.get("error").is_some());
    if let (Some(fault), true) = (first_fault, all_failed) {
        return Err(fault);
    }
    let mut headers = HeaderMap::new();
    headers.insert(PREDICTION_ID, HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("")));
    Ok((headers, Json(json!({ "explanations": explanations }))).into_response())
}

/// Waits for a row; its explanation, once it is on the disk.
async fn ended(app: &Arc<App>, row: &Row) -> Result<Value, Fault> {
    let mut watch = row.watch();
    let is_told = |state: &RowState| state.is_final() || matches!(state, RowState::Explained(Some(_)));
    let state = watch.wait_for(is_told).await.map(|state| state.clone());
    match state.unwrap_or_else(|_| row.state()) {
        RowState::Recorded(index, Some(payload)) => {
            Ok(explanation_json(&row.prediction_id, index, Some(&payload)))
        }
        // Somebody else asked for it first, and did not want to see it.
        RowState::Recorded(index, None) => explanation_of(app, index).await,
        RowState::Failed(fault) => Err(fault),
        RowState::Explained(Some(fault)) => {
            Err(Fault::Unavailable(format!("explained and kept, and not in the log yet: {fault}")))
        }
        _ => Err(Fault::Conflict("canceled".to_owned())),
    }
}

/// Predict (V2): tensors as JSON or in binary.
#[utoipa::path(post, path = "/v2/models/{model}/infer", tag = "Open Inference Protocol V2", params(("model" = String, Path)),
    request_body = Infer,
    responses((status = 200, body = Value), (status = 400, body = Value), (status = 404, body = Value),
        (status = 413, body = Value), (status = 415, body = Value), (status = 422, body = Value),
        (status = 429, body = Value), (status = 503, body = Value)))]
pub(crate) async fn infer_v2(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(model): Path<String>,
    content: Content,
) -> Result<Response, Fault> {
    infer(&app, &caller, &model, None, &content).await
}

/// Predict by a version of a model (V2).
#[utoipa::path(post, path = "/v2/models/{model}/versions/{version}/infer", tag = "Open Inference Protocol V2",
    params(("model" = String, Path), ("version" = String, Path)), request_body = Infer,
    responses((status = 200, body = Value), (status = 400, body = Value), (status = 404, body = Value),
        (status = 413, body = Value), (status = 415, body = Value), (status = 422, body = Value),
        (status = 429, body = Value), (status = 503, body = Value)))]
pub(crate) async fn infer_version_v2(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((model, version)): Path<(String, String)>,
    content: Content,
) -> Result<Response, Fault> {
    infer(&app, &caller, &model, Some(&version), &content).await
}

/// The JSON form of a V2 request, for the description of the interface.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described and never made: the reader has its own form")]
pub(crate) struct Infer {
    /// Names the request, and its predictions where it is an id.
    id: Option<String>,
    parameters: Option<Map<String, Value>>,
    inputs: Vec<InferInput>,
    outputs: Option<Vec<InferOutput>>,
}

/// A tensor of a request.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described and never made")]
pub(crate) struct InferInput {
    name: String,
    shape: Vec<u32>,
    datatype: String,
    parameters: Option<Map<String, Value>>,
    data: Vec<Value>,
}

/// A tensor that is wanted.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described and never made")]
pub(crate) struct InferOutput {
    name: String,
    parameters: Option<Map<String, Value>>,
}

async fn infer(
    app: &Arc<App>,
    caller: &Caller,
    model: &str,
    version: Option<&str>,
    content: &Content,
) -> Result<Response, Fault> {
    caller.may(Scope::PredictLog)?;
    let served = app.folder.model(model, version)?;
    let length = content.header(binary::LENGTH_HEADER).map(|text| {
        let fault = || Fault::BadRequest(format!("{} is no number of bytes", binary::LENGTH_HEADER));
        text.trim().parse::<usize>().map_err(|_| fault())
    });
    let asked = v2::read(&content.bytes, length.transpose()?)?;
    let rows = tensors::rows(&asked.inputs, &served, app.options.limits.max_rows)?;
    let id = asked.id.as_deref().filter(|id| !id.is_empty()).map(ids::of_foreign);
    let answered = predicted(app, &served, rows, id).await?;
    let answer = v2::answer(&asked, &served, &answered.outputs)?;
    let mut headers = answered.headers();
    if answer.raw.is_empty() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    } else {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        headers.insert(binary::LENGTH_HEADER, HeaderValue::from(answer.json.len()));
    }
    Ok((headers, [answer.json, answer.raw].concat()).into_response())
}

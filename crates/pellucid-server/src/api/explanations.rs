//! Pellucid's own interface: explanations as jobs.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::infer::prediction_ids;
use super::records::explanation_of;
use crate::accepted::{Kept, forget_once_ended};
use crate::app::{App, blocking};
use crate::cache;
use crate::config::Limits;
use crate::error::Fault;
use crate::explaining::{self, Order, Ordered};
use crate::jobs::{Job, State as RowState};
use crate::models::plan::{Asked, Plan};
use crate::models::rows::Rows;
use crate::models::served::Served;
use crate::protocols::strict::optional_values;
use crate::protocols::v1;
use crate::queue::Priority;
use crate::security::body::Content;
use crate::security::ids;
use crate::security::tokens::{Caller, Scope};

/// How somebody wants rows to be explained, where not as the model's settings say.
#[derive(Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wish {
    method: Option<String>,
    /// `top-1`, an index, a label.
    target: Option<String>,
    seed: Option<u64>,
    output_space: Option<String>,
    /// The method's options by their names.
    options: Option<Map<String, Value>>,
    /// Rows that are not explained by then fail.
    deadline_secs: Option<f64>,
}

/// A request for explanations.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// Needed with `instances`; of stored predictions it is known.
    model: Option<String>,
    version: Option<String>,
    /// Rows, as in KServe V1.
    #[serde(default, deserialize_with = "optional_values")]
    instances: Option<Vec<Value>>,
    /// The id of these rows' prediction.
    prediction_id: Option<String>,
    /// Predictions that were made here before, or that are in the log.
    prediction_ids: Option<Vec<String>>,
    #[serde(default)]
    priority: Priority,
    #[serde(default)]
    parameters: Wish,
}

impl Wish {
    /// The plan of this wish for a model.
    pub(crate) async fn plan(&self, served: &Arc<Served>) -> Result<Arc<Plan>, Fault> {
        let own = &served.asked;
        // Options belong to a method: with another method the settings' options mean nothing.
        let is_other = self.method.as_ref().is_some_and(|method| Some(method) != own.method.as_ref());
        let options = if is_other { Map::new() } else { own.options.clone() };
        let asked = Asked {
            method: self.method.clone().or_else(|| own.method.clone()),
            target: self.target.clone().unwrap_or_else(|| own.target.clone()),
            seed: self.seed.unwrap_or(own.seed),
            output_space: self.output_space.clone().or_else(|| own.output_space.clone()),
            options: self.options.clone().unwrap_or(options),
        };
        let served = served.clone();
        blocking(move || served.plan_of(&asked)).await
    }

    pub(crate) fn has_deadline(&self) -> bool {
        self.deadline_secs.is_some()
    }

    pub(crate) fn deadline(&self, limits: &Limits) -> Result<Duration, Fault> {
        let Some(secs) = self.deadline_secs else { return Ok(limits.explain_timeout) };
        let deadline = Duration::try_from_secs_f64(secs).ok().filter(|it| !it.is_zero());
        deadline.ok_or_else(|| Fault::BadRequest(format!("deadline_secs: {secs} is no time to wait")))
    }
}

/// Ask for explanations of rows, or of predictions that were made before. The same request again is the same job.
#[utoipa::path(post, path = "/v1/explanations", tag = "Explanations", request_body = Request,
    responses((status = 202, body = Value), (status = 200, body = Value, description = "The job is known, and has ended."),
        (status = 400, body = Value), (status = 404, body = Value), (status = 409, body = Value), (status = 413, body = Value),
        (status = 415, body = Value), (status = 422, body = Value), (status = 429, body = Value), (status = 503, body = Value)))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    content: Content,
) -> Result<Response, Fault> {
    caller.may(Scope::Explain)?;
    app.log.fault().map_or(Ok(()), Err)?;
    let request: Request = content.json()?;
    let (served, ordered) = rows(&app, &request).await?;
    let plan = request.parameters.plan(&served).await?;
    let deadline = request.parameters.deadline(&app.options.limits)?;
    let order = Order::new(served.clone(), plan.clone(), request.priority, ordered);
    let id = job_id(&order);
    if let Some(job) = app.jobs.get(&id).filter(|job| is_good(job)) {
        return Ok(accepted(&job));
    }
    order.check_cost(app.options.limits.max_cost)?;
    let created_micros = app.now();
    let kept = Kept::new(&id, created_micros, &order, &request.parameters);
    let keeping = app.clone();
    blocking(move || keeping.accepted.keep(&kept)).await?;
    let placed = explaining::place(&app, order).await;
    if placed.is_err() && app.jobs.get(&id).is_none_or(|job| !is_good(&job)) {
        app.accepted.forget(&id);
    }
    let rows = placed?;
    rows.iter().for_each(|row| row.keep());
    let job = Arc::new(Job::new(id, created_micros, served, &plan, rows));
    if request.parameters.has_deadline() {
        explaining::expire(&job, deadline);
    }
    forget_once_ended(&app, &job);
    app.jobs.add(job.clone());
    Ok(accepted(&job))
}

/// Whether asking again is to change nothing: what failed or was canceled is tried again.
fn is_good(job: &Job) -> bool {
    !job.counts().is_final() || job.counts().status() == "done"
}

fn accepted(job: &Job) -> Response {
    let status = if job.counts().is_final() { StatusCode::OK } else { StatusCode::ACCEPTED };
    let location = format!("/v1/explanations/{}", job.id);
    (status, [(header::LOCATION, location)], Json(job.to_json(true))).into_response()
}

/// The same for the same rows of the same predictions by the same plan.
fn job_id(order: &Order) -> String {
    let mut hash = Sha256::new();
    for row in &order.rows {
        hash.update(cache::key(&order.plan, &row.input));
        hash.update(row.prediction_id.as_bytes());
        hash.update(b"\n");
    }
    ids::hex(&hash.finalize())[..32].to_owned()
}

/// The model and the rows that a request names.
async fn rows(app: &Arc<App>, request: &Request) -> Result<(Arc<Served>, Vec<Ordered>), Fault> {
    let ordered = |prediction_id: String, input: Arc<Rows>| Ordered {
        prediction_id,
        input,
        inclusion_probability: 1.0,
    };
    match (&request.instances, &request.prediction_ids, &request.model) {
        (Some(instances), None, Some(model)) => {
            let served = app.folder.model(model, request.version.as_deref())?;
            let rows = v1::rows_of(instances, &served, app.options.limits.max_rows)?;
            let (_, ids) = prediction_ids(request.prediction_id.clone(), instances.len())?;
            let inputs = (0..ids.len()).map(|index| Arc::new(rows.row(index)));
            Ok((served, ids.into_iter().zip(inputs).map(|(id, input)| ordered(id, input)).collect()))
        }
        (None, Some(ids), _) if !ids.is_empty() && ids.len() <= app.options.limits.max_rows => {
            let stored = stored(app, ids, request).await?;
            let (model, version) = &stored.model;
            let served = app.folder.model(model, Some(version))?;
            stored.inputs.iter().try_for_each(|input| served.kind.check(input))?;
            Ok((
                served,
                ids.iter().cloned().zip(stored.inputs).map(|(id, input)| ordered(id, input)).collect(),
            ))
        }
        (None, Some(ids), _) => Err(Fault::BadRequest(format!(
            "{} prediction_ids; name 1 to {}",
            ids.len(),
            app.options.limits.max_rows
        ))),
        _ => Err(Fault::BadRequest("expected model and instances, or prediction_ids".to_owned())),
    }
}

/// Rows of predictions that were made before, all by one model.
struct StoredRows {
    model: (String, String),
    inputs: Vec<Arc<Rows>>,
}

async fn stored(app: &Arc<App>, ids: &[String], request: &Request) -> Result<StoredRows, Fault> {
    let mut model = request.model.clone().zip(request.version.clone());
    let mut inputs = Vec::with_capacity(ids.len());
    for id in ids {
        let id = ids::checked("prediction_ids", id)?;
        let prediction = match app.predictions.get(&id) {
            Some(prediction) => prediction,
            None => super::records::prediction_of(app, &id).await?,
        };
        let own = (prediction.model, prediction.version);
        match &model {
            Some(known) if *known != own => {
                let reason = format!(
                    "prediction {id} is of model {} version {}; one job is of one model",
                    own.0, own.1
                );
                return Err(Fault::BadRequest(reason));
            }
            _ => model = Some(own),
        }
        inputs.push(prediction.row);
    }
    let none = || Fault::BadRequest("name at least one prediction".to_owned());
    Ok(StoredRows { model: model.ok_or_else(none)?, inputs })
}

/// A job with the explanations that are in the log.
#[utoipa::path(get, path = "/v1/explanations/{job}", tag = "Explanations", params(("job" = String, Path)),
    responses((status = 200, body = Value), (status = 404, body = Value), (status = 503, body = Value)))]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Fault> {
    caller.may(Scope::Explain)?;
    let job = super::jobs::job(&app, &id)?;
    app.note_read(&caller, "explanations", json!({ "job_id": job.id })).await?;
    let mut described = job.to_json(true);
    for (place, row) in job.rows.iter().enumerate() {
        if let RowState::Recorded(index, _) = row.state() {
            described["rows"][place]["explanation"] = explanation_of(&app, index).await?;
        }
    }
    Ok(Json(described))
}

//! The log: records, proofs, verification, and what becomes known of predictions later.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use ndarray::{ArrayD, IxDyn};
use pellucid_store::{Array, Decision, Entry, Feedback, Payload, Query, Trusted, Values};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::app::{App, blocking};
use crate::error::Fault;
use crate::models::rows::Rows;
use crate::predict::stored::Prediction;
use crate::protocols::v1::nested;
use crate::security::body::Content;
use crate::security::ids;
use crate::security::tokens::{Caller, Scope};

/// An entry of the log, with its payload where it was not erased.
#[utoipa::path(get, path = "/v1/records/{index}", tag = "Log", params(("index" = u64, Path)),
    responses((status = 200, body = Value), (status = 400, body = Value), (status = 404, body = Value),
        (status = 503, body = Value)))]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(index): Path<String>,
) -> Result<Json<Value>, Fault> {
    caller.may(Scope::Read)?;
    let index = place(&index)?;
    app.note_read(&caller, "record", json!({ "index": index })).await?;
    let log = app.log.clone();
    blocking(move || {
        let reader = log.reader()?;
        let stored = reader.entry(index)?;
        let payload = match stored.payload_present {
            true => payload_json(&reader.payload(index)?),
            false => Value::Null,
        };
        let entry = serde_json::from_slice::<Value>(&reader.entry_bytes(index)?);
        let entry = entry.map_err(|error| Fault::Unavailable(format!("entry {index}: {error}")))?;
        Ok(Json(json!({ "index": index, "entry": entry, "payload": payload })))
    })
    .await
}

/// That an entry is in the log: a file of the form C2SP tlog-proof.
#[utoipa::path(get, path = "/v1/records/{index}/proof", tag = "Log", params(("index" = u64, Path)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 400, body = Value),
        (status = 404, body = Value), (status = 503, body = Value)))]
pub(crate) async fn proof(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(index): Path<String>,
) -> Result<impl IntoResponse, Fault> {
    caller.may(Scope::Audit)?;
    let index = place(&index)?;
    app.note_read(&caller, "proof", json!({ "index": index })).await?;
    let log = app.log.clone();
    let text = blocking(move || {
        let reader = log.reader()?;
        reader.entry_bytes(index)?;
        if let Ok(proof) = reader.prove_inclusion(index) {
            return Ok(proof.to_text());
        }
        // No checkpoint covers the entry yet.
        log.checkpoint()?;
        Ok(reader.prove_inclusion(index)?.to_text())
    });
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text.await?))
}

/// What a verification may be given.
#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Verify {
    /// An older checkpoint, of which the log has to be a continuation.
    checkpoint: Option<String>,
}

/// Verify the whole log: every entry, payload, hash and signature.
#[utoipa::path(post, path = "/v1/verify", tag = "Log", request_body = Verify,
    responses((status = 200, body = Value), (status = 400, body = Value), (status = 415, body = Value),
        (status = 503, body = Value)))]
pub(crate) async fn verify(
    State(app): State<Arc<App>>,
    caller: Caller,
    content: Content,
) -> Result<Json<Value>, Fault> {
    caller.may(Scope::Audit)?;
    let asked: Verify = if content.bytes.is_empty() { Verify::default() } else { content.json()? };
    app.note_read(&caller, "verify", Value::Null).await?;
    let log = app.log.clone();
    blocking(move || {
        let key = log.verifying_key()?;
        let trusted = Trusted { key: Some(&key), checkpoint: asked.checkpoint.as_deref() };
        let report = pellucid_store::verify(log.path(), &trusted)?;
        let faults = report.faults.iter().map(|fault| fault.to_string());
        Ok(Json(json!({
            "passed": report.is_sound(),
            "n_entries": report.n_entries,
            "n_signed": report.n_signed,
            "n_payloads": report.n_payloads,
            "n_erased": report.n_erased,
            "n_clock_steps_back": report.n_clock_steps_back,
            "root": report.root,
            "faults": faults.collect::<Vec<_>>(),
            "n_faults": report.n_faults,
        })))
    })
    .await
}

/// Signs the log as it is now, and gives the signed note.
#[utoipa::path(get, path = "/v1/checkpoint", tag = "Log",
    responses((status = 200, body = String, content_type = "text/plain"), (status = 503, body = Value)))]
pub(crate) async fn checkpoint(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<impl IntoResponse, Fault> {
    caller.may(Scope::Audit)?;
    let log = app.log.clone();
    let note = blocking(move || log.checkpoint()).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], note))
}

/// What became known of a prediction.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Known {
    /// What was true: a class by name or index, a number.
    label: Option<Value>,
    decision: Option<Decided>,
}

/// What a human decided.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decided {
    outcome: String,
    /// Who, as an opaque id; the token's name where it is left out.
    by: Option<String>,
    reason: Option<String>,
}

/// Record a label or a decision that became known after the prediction.
#[utoipa::path(post, path = "/v1/predictions/{id}/feedback", tag = "Log", params(("id" = String, Path)), request_body = Known,
    responses((status = 201, body = Value), (status = 400, body = Value), (status = 415, body = Value),
        (status = 422, body = Value), (status = 503, body = Value)))]
pub(crate) async fn feedback(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    content: Content,
) -> Result<impl IntoResponse, Fault> {
    caller.may(Scope::PredictLog)?;
    let prediction_id = ids::checked("prediction", &id)?;
    let known: Known = content.json()?;
    let timestamp_micros = app.now();
    let decision = known.decision.map(|decided| {
        let by = decided.by.map_or(Ok(caller.name.clone()), |by| ids::checked("decision.by", &by))?;
        Ok::<_, Fault>(Decision { outcome: decided.outcome, by, timestamp_micros, reason: decided.reason })
    });
    let feedback =
        Feedback { prediction_id, timestamp_micros, label: known.label, decision: decision.transpose()? };
    let log = app.log.clone();
    let index = blocking(move || log.append_feedback(&feedback)).await?;
    Ok((StatusCode::CREATED, Json(json!({ "index": index }))))
}

/// An explanation as the log has it.
pub(crate) async fn explanation_of(app: &Arc<App>, index: u64) -> Result<Value, Fault> {
    let log = app.log.clone();
    blocking(move || {
        let reader = log.reader()?;
        let stored = reader.entry(index)?;
        let Entry::Record { record, .. } = stored.entry else {
            return Err(Fault::NotFound(format!("entry {index} is no record")));
        };
        let payload = stored.payload_present.then(|| reader.payload(index)).transpose()?;
        Ok(explanation_json(&record.prediction_id, index, payload.as_ref()))
    })
    .await
}

/// An explanation of one row, as answers hold it: what its payload says; nothing where that was erased.
pub(crate) fn explanation_json(prediction_id: &str, index: u64, payload: Option<&Payload>) -> Value {
    let mut described = match payload.map(|payload| payload.details.clone()) {
        Some(Value::Object(details)) => details,
        _ => Map::new(),
    };
    let values = |name: &str| payload.map_or(Value::Null, |payload| attribution(payload, name));
    described.insert("values".to_owned(), values("values"));
    described.insert("standard_error".to_owned(), values("standard_error"));
    // Of a text, what the values are of.
    if let words @ Value::Array(_) = values("words") {
        described.insert("words".to_owned(), words);
    }
    described.insert("prediction_id".to_owned(), prediction_id.into());
    described.insert("record_index".to_owned(), index.into());
    Value::Object(described)
}

fn attribution(payload: &Payload, name: &str) -> Value {
    payload.attribution.iter().find(|array| array.name() == name).map_or(Value::Null, values_json)
}

/// A prediction whose row the log holds.
pub(crate) async fn prediction_of(app: &Arc<App>, id: &str) -> Result<Prediction, Fault> {
    let (log, id) = (app.log.clone(), id.to_owned());
    blocking(move || {
        let unknown = || Fault::NotFound(format!("prediction {id} is not remembered, and not in the log"));
        let Ok(reader) = log.reader() else { return Err(unknown()) };
        let query = Query { prediction_id: Some(id.clone()), limit: 1, ..Query::default() };
        let stored = reader.query(&query)?.pop().ok_or_else(unknown)?;
        let Entry::Record { record, .. } = stored.entry else { return Err(unknown()) };
        let payload = reader.payload(stored.index)?;
        let row = payload.input.first().and_then(row_of).ok_or_else(unknown)?;
        Ok(Prediction { model: record.model.name, version: record.model.version, row: Arc::new(row) })
    })
    .await
}

fn row_of(array: &Array) -> Option<Rows> {
    if let Values::Text(texts) = array.values() {
        return Some(Rows::Texts(texts.clone()));
    }
    let numbers: Vec<f64> = numbers(array)?;
    let shape: Vec<usize> = std::iter::once(1).chain(array.shape().iter().map(|&n| n as usize)).collect();
    ArrayD::from_shape_vec(IxDyn(&shape), numbers).ok().map(Rows::Numbers)
}

fn numbers(array: &Array) -> Option<Vec<f64>> {
    match array.values() {
        Values::F32(values) => Some(values.iter().map(|&x| f64::from(x)).collect()),
        Values::F64(values) => Some(values.clone()),
        Values::I64(values) => Some(values.iter().map(|&x| x as f64).collect()),
        _ => None,
    }
}

fn payload_json(payload: &Payload) -> Value {
    let arrays = |arrays: &[Array]| -> Vec<Value> {
        let of = |array: &Array| json!({ "name": array.name(), "shape": array.shape(), "values": values_json(array) });
        arrays.iter().map(of).collect()
    };
    json!({
        "input_digest": payload.input_digest,
        "input": arrays(&payload.input),
        "attribution": arrays(&payload.attribution),
        "details": payload.details,
    })
}

/// Nested lists; what is missing is null.
fn values_json(array: &Array) -> Value {
    if let Values::Text(texts) = array.values() {
        return json!(texts);
    }
    let shape: Vec<usize> = array.shape().iter().map(|&n| n as usize).collect();
    let values = numbers(array).and_then(|numbers| ArrayD::from_shape_vec(IxDyn(&shape), numbers).ok());
    values.map_or(Value::Null, |values| nested(values.view()))
}

fn place(text: &str) -> Result<u64, Fault> {
    text.parse().map_err(|_| {
        Fault::BadRequest("a record is named by its place in the log, a whole number".to_owned())
    })
}

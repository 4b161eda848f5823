//! CloudEvents of inference loggers (KServe's and MLServer's): headers and body → one half of a prediction made elsewhere.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value};

use crate::error::Fault;

/// One half of a prediction.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    /// What both halves have in common.
    pub(crate) id: String,
    pub(crate) half: Half,
    /// What the model may be called, the likeliest first.
    pub(crate) models: Vec<String>,
    /// The body that was logged.
    pub(crate) data: Bytes,
}

/// Which half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    Request,
    Response,
}

/// Ends of the types of events, behind `org.kubeflow.serving.inference.` or `io.seldon.serving.inference.`.
const TYPES: [(&str, Half); 2] =
    [(".inference.request", Half::Request), (".inference.response", Half::Response)];

/// The attributes that name the model.
const MODEL_ATTRIBUTES: [&str; 3] = ["modelid", "inferenceservicename", "endpoint"];

/// The events of a request: one in binary or structured mode, or a batch.
///
/// # Errors
/// A request that is no event, or one of another type or version.
pub(crate) fn read(headers: &HeaderMap, body: &Bytes) -> Result<Vec<Event>, Fault> {
    let kind = text(headers, "content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/cloudevents+json" => Ok(vec![structured(&json(body)?)?]),
        "application/cloudevents-batch+json" => json(body)?
            .as_array()
            .ok_or_else(|| bad("a batch is a list of events"))?
            .iter()
            .map(structured)
            .collect(),
        _ => Ok(vec![event(&|name| text(headers, &format!("ce-{name}")), body.clone())?]),
    }
}

fn structured(event: &Value) -> Result<Event, Fault> {
    let fields = event.as_object().ok_or_else(|| bad("an event is an object"))?;
    self::event(&|name| Some(fields.get(name)?.as_str()?.to_owned()), data(fields)?)
}

fn data(fields: &Map<String, Value>) -> Result<Bytes, Fault> {
    match (fields.get("data"), fields.get("data_base64").and_then(Value::as_str)) {
        (Some(data), None) => Ok(data.to_string().into()),
        (None, Some(encoded)) => {
            STANDARD.decode(encoded).map(Bytes::from).map_err(|_| bad("data_base64 is no base64"))
        }
        _ => Err(bad("an event has data or data_base64")),
    }
}

fn event(attribute: &dyn Fn(&str) -> Option<String>, data: Bytes) -> Result<Event, Fault> {
    let version =
        attribute("specversion").ok_or_else(|| bad("expected a CloudEvent: ce-specversion is missing"))?;
    if version != "1.0" && version != "0.3" {
        return Err(bad(format!("specversion {version} is not read; send 1.0 or 0.3")));
    }
    let kind = attribute("type").ok_or_else(|| bad("the event has no type"))?;
    let half = TYPES.iter().find(|(end, _)| kind.ends_with(end)).map(|(_, half)| *half);
    let half = half.ok_or_else(|| {
        bad(format!("events of type {kind} are not read; send inference requests and responses"))
    })?;
    // MLServer names each event anew and the request beside it.
    let id = attribute("requestid").or_else(|| attribute("id")).filter(|id| !id.is_empty());
    let models = MODEL_ATTRIBUTES.iter().filter_map(|name| attribute(name)).filter(|name| !name.is_empty());
    Ok(Event { id: id.ok_or_else(|| bad("the event has no id"))?, half, models: models.collect(), data })
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn json(body: &[u8]) -> Result<Value, Fault> {
    serde_json::from_slice(body).map_err(|error| bad(format!("the body is no JSON: {error}")))
}

fn bad(reason: impl Into<String>) -> Fault {
    Fault::BadRequest(reason.into())
}

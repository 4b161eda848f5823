//! Entries and payloads ⇄ JSON, as `show --json` and `query --json` print them and `append` reads them.

use pellucid_store::{Array, Digest, Payload, Reader, Record, Values};
use serde_json::{Value, json};

use crate::failure::Failure;

/// `{"index", "entry", "payload"}`; a payload that was erased, or is not asked for, is not there.
pub(crate) fn of_entry(reader: &Reader, index: u64, payload: bool) -> Result<Value, Failure> {
    let entry: Value = serde_json::from_slice(&reader.entry_bytes(index)?).map_err(|fault| {
        pellucid_store::Error::Damaged { place: format!("entry {index}"), reason: fault.to_string() }
    })?;
    let mut told = json!({"index": index, "entry": entry});
    if payload && told["entry"]["kind"] == "record" {
        match reader.payload(index) {
            Ok(payload) => told["payload"] = of_payload(&payload),
            Err(pellucid_store::Error::Erased { by, .. }) => told["erased_by"] = json!(by),
            Err(fault) => return Err(fault.into()),
        }
    }
    Ok(told)
}

fn of_payload(payload: &Payload) -> Value {
    let arrays = |arrays: &[Array]| arrays.iter().map(of_array).collect::<Vec<Value>>();
    json!({
        "input_digest": payload.input_digest,
        "input": arrays(&payload.input),
        "attribution": arrays(&payload.attribution),
        "details": payload.details,
    })
}

/// NaN is `null`.
fn of_array(array: &Array) -> Value {
    let (kind, values) = match array.values() {
        Values::F32(values) => ("f32", json!(values)),
        Values::F64(values) => ("f64", json!(values)),
        Values::I64(values) => ("i64", json!(values)),
        Values::Text(values) => ("text", json!(values)),
        _ => ("unknown", Value::Null),
    };
    json!({"name": array.name(), "shape": array.shape(), "type": kind, "values": values})
}

/// A record and its payload from a line of JSON; in words, what is wrong with it.
pub(crate) fn read_record(line: &str) -> Result<(Record, Payload), String> {
    let mut line: Value = serde_json::from_str(line).map_err(|fault| fault.to_string())?;
    let mut entry = line.get_mut("entry").map(Value::take).unwrap_or_default();
    if entry["kind"] != "record" {
        return Err("`entry` is no record".to_owned());
    }
    if let Some(members) = entry.as_object_mut() {
        for name in ["kind", "schema", "payload_commitment"] {
            members.remove(name);
        }
    }
    let record = serde_json::from_value(entry).map_err(|fault| format!("entry: {fault}"))?;
    let payload = &line["payload"];
    let digest = payload["input_digest"].as_str().and_then(Digest::parse);
    let payload = Payload {
        input_digest: digest.ok_or("payload: `input_digest` is no digest")?,
        input: arrays(&payload["input"])?,
        attribution: arrays(&payload["attribution"])?,
        details: payload["details"].clone(),
    };
    Ok((record, payload))
}

fn arrays(arrays: &Value) -> Result<Vec<Array>, String> {
    let arrays = arrays.as_array().ok_or("payload: `input` and `attribution` are lists of arrays")?;
    arrays
        .iter()
        .map(|it| array(it).ok_or_else(|| format!("payload: `{}` is no array", it["name"])))
        .collect()
}

fn array(array: &Value) -> Option<Array> {
    let shape: Vec<u64> = serde_json::from_value(array["shape"].clone()).ok()?;
    let elements = array["values"].as_array()?;
    let number = |it: &Value| if it.is_null() { Some(f64::NAN) } else { it.as_f64() };
    let numbers = || elements.iter().map(number).collect::<Option<Vec<f64>>>();
    let values = match array["type"].as_str()? {
        "f32" => Values::F32(numbers()?.into_iter().map(|x| x as f32).collect()),
        "f64" => Values::F64(numbers()?),
        "i64" => Values::I64(elements.iter().map(Value::as_i64).collect::<Option<_>>()?),
        "text" => {
            Values::Text(elements.iter().map(|it| it.as_str().map(str::to_owned)).collect::<Option<_>>()?)
        }
        _ => return None,
    };
    Array::new(array["name"].as_str()?, &shape, values).ok()
}

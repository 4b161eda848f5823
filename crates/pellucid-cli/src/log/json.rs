//! Entries and payloads ⇄ JSON, as `show --json` and `query --json` print them and `append` reads them.

use pellucid_store::{Payload, Reader, Record};
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
            Ok(payload) => told["payload"] = payload.to_json(),
            Err(pellucid_store::Error::Erased { by, .. }) => told["erased_by"] = json!(by),
            Err(fault) => return Err(fault.into()),
        }
    }
    Ok(told)
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
    let payload = Payload::from_json(&line["payload"]).map_err(|fault| fault.to_string())?;
    Ok((record, payload))
}

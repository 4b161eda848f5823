//! Open Inference Protocol V2: what is written, and what is read.

use ndarray::{Array2, ArrayViewD};
use serde::{Deserialize, Serialize};

/// `GET …/v2/models/NAME`.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    #[serde(default)]
    pub(crate) platform: String,
    #[serde(default)]
    pub(crate) versions: Vec<String>,
    #[serde(default)]
    pub(crate) inputs: Vec<TensorMetadata>,
    #[serde(default)]
    pub(crate) outputs: Vec<TensorMetadata>,
}

/// One input or output; a length of −1 is open.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct TensorMetadata {
    pub(crate) name: String,
    pub(crate) datatype: String,
    pub(crate) shape: Vec<i64>,
}

#[derive(Serialize)]
struct Question<'a> {
    inputs: [QuestionInput<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<Named<'a>>,
}

#[derive(Serialize)]
struct QuestionInput<'a> {
    name: &'a str,
    datatype: &'a str,
    shape: &'a [usize],
    data: Vec<serde_json::Value>,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    outputs: Vec<AnswerOutput>,
}

#[derive(Deserialize)]
struct AnswerOutput {
    name: String,
    shape: Vec<usize>,
    data: serde_json::Value,
}

/// What is asked about rows: flat data in row-major order, whole numbers for integer types.
pub(crate) fn question(
    input: &TensorMetadata,
    output: Option<&str>,
    rows: ArrayViewD<'_, f64>,
) -> Result<Vec<u8>, String> {
    let number = match input.datatype.as_str() {
        "FP32" | "FP64" | "FP16" | "BF16" => |x: f64| serde_json::Value::from(x),
        "INT8" | "INT16" | "INT32" | "INT64" | "UINT8" | "UINT16" | "UINT32" | "UINT64" => {
            |x: f64| serde_json::Value::from(x as i64)
        }
        other => return Err(format!("takes {other}, which rows of numbers cannot be written as")),
    };
    if let Some(value) = rows.iter().find(|value| !value.is_finite()) {
        return Err(format!("a row holds {value}, which JSON has no way to write"));
    }
    let data = rows.iter().map(|&x| number(x)).collect();
    let inputs = [QuestionInput { name: &input.name, datatype: &input.datatype, shape: rows.shape(), data }];
    let outputs = output.map(|name| Named { name }).into_iter().collect();
    serde_json::to_vec(&Question { inputs, outputs }).map_err(|error| error.to_string())
}

/// The outputs `[rows, outputs]` of an answer: those named, or the first.
pub(crate) fn answer(body: &[u8], output: Option<&str>, n_rows: usize) -> Result<Array2<f64>, String> {
    let answer: Answer = serde_json::from_slice(body)
        .map_err(|error| format!("the answer is none of the protocol's: {error}"))?;
    let found = match output {
        Some(name) => answer.outputs.iter().find(|output| output.name == name),
        None => answer.outputs.first(),
    };
    let found = found.ok_or_else(|| match output {
        Some(name) => format!("the answer has no output `{name}`"),
        None => "the answer has no outputs".to_owned(),
    })?;
    let mut data = Vec::new();
    flatten(&found.data, &mut data)?;
    if found.shape.first() != Some(&n_rows) || found.shape.iter().product::<usize>() != data.len() {
        let (shape, n) = (&found.shape, data.len());
        return Err(format!("output `{}` has shape {shape:?} and {n} numbers for {n_rows} rows", found.name));
    }
    Array2::from_shape_vec((n_rows, data.len() / n_rows.max(1)), data).map_err(|error| error.to_string())
}

/// The numbers of nested lists, in order.
pub(crate) fn flatten(value: &serde_json::Value, into: &mut Vec<f64>) -> Result<(), String> {
    match value {
        serde_json::Value::Array(items) => items.iter().try_for_each(|item| flatten(item, into)),
        serde_json::Value::Bool(flag) => {
            into.push(f64::from(u8::from(*flag)));
            Ok(())
        }
        // JSON has no NaN; servers write null for it, and whoever asked refuses it by its place.
        serde_json::Value::Null => {
            into.push(f64::NAN);
            Ok(())
        }
        other => {
            into.push(other.as_f64().ok_or_else(|| format!("the answer holds {other}, which is no number"))?);
            Ok(())
        }
    }
}

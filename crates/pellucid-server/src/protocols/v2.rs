//! Open Inference Protocol V2: JSON and binary tensors ⇄ rows and outputs; what a server says of itself and its models.

use pellucid_engine::{Tensor, TensorData};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::binary;
use super::tensors::{Answered, Datatype, Elements, Received, n_elements};
use crate::error::Fault;
use crate::models::served::{Served, Signature, datatype};

/// A request of `infer`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) id: Option<String>,
    pub(crate) inputs: Vec<Received>,
    /// The outputs by name, and whether each comes in binary; all of them where none is named.
    pub(crate) outputs: Vec<(String, bool)>,
    /// Whether outputs that are not named come in binary.
    pub(crate) binary: bool,
}

#[derive(Deserialize)]
struct Body {
    id: Option<String>,
    #[serde(default)]
    parameters: Map<String, Value>,
    inputs: Vec<Input>,
    #[serde(default)]
    outputs: Vec<Output>,
}

#[derive(Deserialize)]
struct Input {
    name: String,
    shape: Vec<usize>,
    datatype: String,
    #[serde(default)]
    parameters: Map<String, Value>,
    data: Option<Value>,
}

#[derive(Deserialize)]
struct Output {
    name: String,
    #[serde(default)]
    parameters: Map<String, Value>,
}

/// Reads a body whose first `json_bytes` are JSON; all of it where nothing is said.
///
/// # Errors
/// What does not follow the protocol, by name.
pub(crate) fn read(body: &[u8], json_bytes: Option<usize>) -> Result<Asked, Fault> {
    let split = body.split_at_checked(json_bytes.unwrap_or(body.len()));
    let (json, mut raw) = split.ok_or_else(|| {
        Fault::BadRequest(format!("{} says more bytes than the body has", binary::LENGTH_HEADER))
    })?;
    let body: Body = serde_json::from_slice(json)
        .map_err(|error| Fault::BadRequest(format!("the body is no V2 request: {error}")))?;
    let inputs = body.inputs.into_iter().map(|input| received(input, &mut raw)).collect::<Result<_, _>>()?;
    if !raw.is_empty() {
        return Err(Fault::BadRequest(format!("{} bytes behind the tensors belong to none", raw.len())));
    }
    let binary = flag(&body.parameters, "binary_data_output");
    let output = |output: Output| {
        if output.parameters.contains_key("classification") {
            let reason = "outputs: `classification` is not supported; take the numbers";
            return Err(Fault::Unprocessable(reason.to_owned()));
        }
        let binary = output.parameters.get("binary_data").and_then(Value::as_bool).unwrap_or(binary);
        Ok((output.name, binary))
    };
    let outputs = body.outputs.into_iter().map(output).collect::<Result<_, _>>()?;
    Ok(Asked { id: body.id, inputs, outputs, binary })
}

fn flag(parameters: &Map<String, Value>, name: &str) -> bool {
    parameters.get(name).and_then(Value::as_bool).unwrap_or(false)
}

fn received(input: Input, raw: &mut &[u8]) -> Result<Received, Fault> {
    let Input { name, shape, parameters, data, .. } = input;
    let datatype = Datatype::parse(&input.datatype)?;
    let n = n_elements(&name, &shape)?;
    let fault = |reason: String| Fault::BadRequest(format!("input `{name}`: {reason}"));
    let elements = match (parameters.get("binary_data_size").map(Value::as_u64), data) {
        (Some(size), None) => {
            let size = size.and_then(|size| usize::try_from(size).ok());
            let split = size.and_then(|size| raw.split_at_checked(size));
            let (own, rest) =
                split.ok_or_else(|| fault("binary_data_size is more than the body has".to_owned()))?;
            *raw = rest;
            binary::elements(&name, datatype, n, own)?
        }
        (Some(_), Some(_)) => {
            return Err(fault("has data and binary_data_size; send one of them".to_owned()));
        }
        (None, None) => return Err(fault("has neither data nor binary_data_size".to_owned())),
        (None, Some(_)) if datatype == Datatype::Fp16 => {
            return Err(fault("FP16 cannot be written in JSON; send it in binary".to_owned()));
        }
        (None, Some(data)) => {
            let elements = of_json(&data, datatype)
                .ok_or_else(|| fault(format!("data is no list of {}", input.datatype)))?;
            if elements.len() != n {
                return Err(fault(format!("{} elements for shape {shape:?}", elements.len())));
            }
            elements
        }
    };
    Ok(Received { name, datatype, shape, elements })
}

/// A flat or nested list.
fn of_json(data: &Value, datatype: Datatype) -> Option<Elements> {
    let mut leaves = Vec::new();
    leaves_of(data.as_array()?, &mut leaves);
    if datatype == Datatype::Bytes {
        let texts = leaves.into_iter().map(|leaf| leaf.as_str().map(str::to_owned));
        return texts.collect::<Option<_>>().map(Elements::Texts);
    }
    let number = |leaf: &Value| match leaf {
        Value::Bool(flag) if datatype == Datatype::Bool => Some(f64::from(u8::from(*flag))),
        Value::Number(number) => number.as_f64(),
        // JSON has no NaN; a table's missing value comes as null.
        Value::Null if matches!(datatype, Datatype::Fp32 | Datatype::Fp64) => Some(f64::NAN),
        _ => None,
    };
    leaves.into_iter().map(number).collect::<Option<_>>().map(Elements::Numbers)
}

fn leaves_of<'a>(list: &'a [Value], into: &mut Vec<&'a Value>) {
    for value in list {
        match value {
            Value::Array(list) => leaves_of(list, into),
            leaf => into.push(leaf),
        }
    }
}

impl Elements {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Texts(texts) => texts.len(),
        }
    }
}

/// An answer: JSON, and the bytes of binary tensors behind it.
pub(crate) struct Answer {
    pub(crate) json: Vec<u8>,
    pub(crate) raw: Vec<u8>,
}

/// The answer of `infer`.
///
/// # Errors
/// An output that the model does not have.
pub(crate) fn answer(asked: &Asked, served: &Served, outputs: &[Tensor]) -> Result<Answer, Fault> {
    let all = || served.outputs.iter().map(|output| (output.name.clone(), asked.binary)).collect();
    let wanted: Vec<(String, bool)> = if asked.outputs.is_empty() { all() } else { asked.outputs.clone() };
    let (mut described, mut raw) = (Vec::new(), Vec::new());
    for (name, is_binary) in &wanted {
        let place = served.outputs.iter().position(|output| output.name == *name);
        let tensor = place.and_then(|place| outputs.get(place)).ok_or_else(|| {
            let names: Vec<&str> = served.outputs.iter().map(|output| output.name.as_str()).collect();
            Fault::BadRequest(format!(
                "outputs: the model has no output `{name}`; it has {}",
                names.join(", ")
            ))
        })?;
        described.push(output(&Answered { name, tensor }, *is_binary, &mut raw));
    }
    let mut answer = Map::new();
    answer.insert("model_name".to_owned(), served.name.clone().into());
    answer.insert("model_version".to_owned(), served.version.clone().into());
    if let Some(id) = &asked.id {
        answer.insert("id".to_owned(), id.clone().into());
    }
    answer.insert("outputs".to_owned(), described.into());
    let json = serde_json::to_vec(&answer).map_err(|error| Fault::Internal(error.to_string()))?;
    Ok(Answer { json, raw })
}

fn output(answered: &Answered<'_>, is_binary: bool, raw: &mut Vec<u8>) -> Value {
    let tensor = answered.tensor;
    let mut described = json!({
        "name": answered.name,
        "shape": tensor.shape(),
        "datatype": datatype(tensor.element()),
    });
    if is_binary {
        let bytes = binary::bytes(tensor);
        described["parameters"] = json!({ "binary_data_size": bytes.len() });
        raw.extend(bytes);
    } else {
        described["data"] = data(tensor);
    }
    described
}

fn data(tensor: &Tensor) -> Value {
    match tensor.data() {
        TensorData::String(texts) => json!(texts),
        TensorData::Bool(flags) => json!(flags),
        TensorData::F32(numbers) => json!(numbers),
        TensorData::I64(numbers) => json!(numbers),
        TensorData::U64(numbers) => json!(numbers),
        _ if tensor.element().is_integer() => json!(tensor.to_i64s()),
        _ => json!(tensor.to_f64s()),
    }
}

/// What the server is.
pub(crate) fn server() -> Value {
    json!({
        "name": "pellucid",
        "version": env!("CARGO_PKG_VERSION"),
        "extensions": ["binary_tensor_data", "model_repository", "pellucid_explanations"],
    })
}

/// What a model takes and gives.
pub(crate) fn model(served: &Served, versions: &[String]) -> Value {
    let of = |signature: &Signature| json!({ "name": signature.name, "datatype": signature.datatype, "shape": signature.shape });
    json!({
        "name": served.name,
        "versions": versions,
        "platform": served.platform(),
        "inputs": served.inputs.iter().map(of).collect::<Vec<_>>(),
        "outputs": served.outputs.iter().map(of).collect::<Vec<_>>(),
    })
}

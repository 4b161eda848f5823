//! KServe V1: `{"instances": […]}` → rows; tensors → `{"predictions": […]}`.

use ndarray::ArrayD;
use pellucid_engine::{Tensor, TreeModel};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::strict::optional_values;
use crate::error::Fault;
use crate::models::rows::{self, Cell, Rows};
use crate::models::served::{Kind, Served};
use crate::models::texts::TEXT_INPUT;

/// A request for predictions. Whatever else clients send is theirs.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Body {
    #[serde(deserialize_with = "optional_values")]
    instances: Option<Vec<Value>>,
    #[serde(deserialize_with = "optional_values")]
    inputs: Option<Vec<Value>>,
}

/// The rows of a request's instances.
///
/// # Errors
/// A body without instances; instances that do not fit the model; more of them than `max_rows`.
pub(crate) fn rows(body: &Body, served: &Served, max_rows: usize) -> Result<Rows, Fault> {
    let instances = body.instances.as_ref().or(body.inputs.as_ref());
    let missing = || Fault::BadRequest("expected {\"instances\": [ … ]}, one element a row".to_owned());
    rows_of(instances.ok_or_else(missing)?, served, max_rows)
}

/// The rows of instances.
pub(crate) fn rows_of(instances: &[Value], served: &Served, max_rows: usize) -> Result<Rows, Fault> {
    if instances.is_empty() {
        return Err(Fault::BadRequest("instances is empty; send at least one row".to_owned()));
    }
    if instances.len() > max_rows {
        let n = instances.len();
        return Err(Fault::TooLarge(format!("{n} rows; at most {max_rows} go into one request")));
    }
    match &served.kind {
        Kind::Trees(model) => of_table(instances, model, &served.column_names()),
        Kind::Network(network) => {
            of_arrays(instances, network.model.input_shape(), network.model.input_name())
        }
        Kind::Texts(_) => of_texts(instances),
    }
}

/// A text, or an object that holds it under the input's name.
fn of_texts(instances: &[Value]) -> Result<Rows, Fault> {
    let text = |(index, instance): (usize, &Value)| {
        let text = instance.as_str().or_else(|| instance.get(TEXT_INPUT)?.as_str());
        text.map(str::to_owned).ok_or_else(|| {
            Fault::BadRequest(format!("instance {index} is neither a text nor {{\"{TEXT_INPUT}\": \"…\"}}"))
        })
    };
    rows::of_texts(instances.iter().enumerate().map(text).collect::<Result<_, Fault>>()?)
}

fn of_table(instances: &[Value], model: &TreeModel, names: &[String]) -> Result<Rows, Fault> {
    let mut columns = vec![Vec::with_capacity(instances.len()); names.len()];
    for (index, instance) in instances.iter().enumerate() {
        let cells = match instance {
            Value::Array(cells) if cells.len() == names.len() => cells.iter().map(Some).collect(),
            Value::Array(cells) => {
                let (n, expected) = (cells.len(), names.len());
                return Err(Fault::BadRequest(format!(
                    "instance {index} has {n} values, the model takes {expected}"
                )));
            }
            Value::Object(fields) => by_name(index, fields, names)?,
            _ => return Err(Fault::BadRequest(format!("instance {index} is neither a list nor an object"))),
        };
        for ((column, cell), name) in columns.iter_mut().zip(cells).zip(names) {
            let fault = || {
                Fault::BadRequest(format!("instance {index}, `{name}`: expected a number, a text or null"))
            };
            column.push(cell.map_or(Some(Cell::Missing), cell_of).ok_or_else(fault)?);
        }
    }
    rows::of_columns(model, &columns)
}

/// What is left out is missing; what the model does not know is a mistake.
fn by_name<'a>(
    index: usize,
    fields: &'a Map<String, Value>,
    names: &[String],
) -> Result<Vec<Option<&'a Value>>, Fault> {
    match fields.keys().find(|key| !names.contains(key)) {
        Some(unknown) => Err(Fault::BadRequest(format!(
            "instance {index}: the model has no feature `{unknown}`; it has {}",
            names.join(", ")
        ))),
        None => Ok(names.iter().map(|name| fields.get(name)).collect()),
    }
}

fn cell_of(value: &Value) -> Option<Cell> {
    match value {
        Value::Null => Some(Cell::Missing),
        Value::Bool(flag) => Some(Cell::Number(f64::from(u8::from(*flag)))),
        Value::Number(number) => number.as_f64().map(Cell::Number),
        Value::String(text) => Some(Cell::Text(text.clone())),
        _ => None,
    }
}

fn of_arrays(instances: &[Value], row_shape: &[usize], input_name: &str) -> Result<Rows, Fault> {
    let n: usize = row_shape.iter().product();
    let mut numbers = Vec::with_capacity(instances.len() * n);
    for (index, instance) in instances.iter().enumerate() {
        let array = match instance {
            Value::Object(fields) => fields.get(input_name).unwrap_or(instance),
            other => other,
        };
        let before = numbers.len();
        let fits = flatten(array, row_shape, &mut numbers) && numbers.len() - before == n;
        if !fits {
            return Err(Fault::BadRequest(format!(
                "instance {index} is no array of numbers of shape {row_shape:?}, which `{input_name}` takes"
            )));
        }
    }
    rows::of_numbers(numbers, instances.len(), row_shape, false)
}

/// Appends a nested list of this shape; whether it is one.
fn flatten(value: &Value, shape: &[usize], into: &mut Vec<f64>) -> bool {
    match (value, shape) {
        (Value::Number(number), []) => number.as_f64().is_some_and(|number| {
            into.push(number);
            true
        }),
        (Value::Array(list), [length, rest @ ..]) => {
            list.len() == *length && list.iter().all(|value| flatten(value, rest, into))
        }
        _ => false,
    }
}

/// The answer: one element a row, a number where the model has a single output.
pub(crate) fn predictions(served: &Served, outputs: &[Tensor]) -> Result<Value, Fault> {
    let output = outputs.get(served.main_output()).filter(|output| !output.shape().is_empty());
    let output = output.ok_or_else(|| Fault::Internal("the model gave no output".to_owned()))?;
    let array = ArrayD::from_shape_vec(output.shape(), output.to_f64s());
    let array = array.map_err(|error| Fault::Internal(error.to_string()))?;
    let of_row = |row: ndarray::ArrayViewD<'_, f64>| match row.len() {
        1 => row.first().map_or(Value::Null, |x| json!(x)),
        _ => nested(row),
    };
    let rows: Vec<Value> = array.outer_iter().map(of_row).collect();
    Ok(json!({ "predictions": rows }))
}

/// An array as nested lists; what is not finite is null.
pub(crate) fn nested(array: ndarray::ArrayViewD<'_, f64>) -> Value {
    match array.ndim() {
        0 => array.first().map_or(Value::Null, |x| json!(x)),
        _ => Value::Array(array.outer_iter().map(nested).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_lists_have_to_have_the_shape() {
        let check = |value: Value, expected: Option<Vec<f64>>| {
            let mut numbers = Vec::new();
            let fits = flatten(&value, &[2, 2], &mut numbers);
            assert_eq!(fits.then_some(numbers), expected, "{value}");
        };
        check(json!([[1, 2.5], [3, 4]]), Some(vec![1.0, 2.5, 3.0, 4.0]));
        for wrong in [
            json!([[1, 2], [3]]),
            json!([1, 2]),
            json!([[1, 2], [3, "4"]]),
            json!([[1, 2], [3, null]]),
            json!(1),
        ] {
            check(wrong, None);
        }
        assert_eq!(nested(ndarray::array![[1.0, f64::NAN]].into_dyn().view()), json!([[1.0, null]]));
    }
}

//! KServe V1: what is written, and what is read.

use ndarray::{Array2, ArrayViewD};
use serde_json::{Value, json};

use crate::v2::flatten;

/// `{"instances": [row, …]}`, each row as nested as it has axes.
pub(crate) fn question(rows: ArrayViewD<'_, f64>) -> Result<Vec<u8>, String> {
    if let Some(value) = rows.iter().find(|value| !value.is_finite()) {
        return Err(format!("a row holds {value}, which JSON has no way to write"));
    }
    serde_json::to_vec(&json!({ "instances": nested(rows) })).map_err(|error| error.to_string())
}

fn nested(array: ArrayViewD<'_, f64>) -> Value {
    match array.ndim() {
        0 => array.iter().next().copied().map_or(Value::Null, Value::from),
        _ => Value::Array(array.outer_iter().map(nested).collect()),
    }
}

/// `{"predictions": [output or list of outputs, …]}` as `[rows, outputs]`.
pub(crate) fn answer(body: &[u8], n_rows: usize) -> Result<Array2<f64>, String> {
    let answer: Value =
        serde_json::from_slice(body).map_err(|error| format!("the answer is no JSON: {error}"))?;
    let predictions = answer.get("predictions").and_then(Value::as_array);
    let predictions = predictions.ok_or("the answer has no list `predictions`")?;
    if predictions.len() != n_rows {
        return Err(format!("{} predictions for {n_rows} rows", predictions.len()));
    }
    let mut data = Vec::new();
    let mut n_outputs = None;
    for (row, prediction) in predictions.iter().enumerate() {
        let before = data.len();
        flatten(prediction, &mut data)?;
        let n = data.len() - before;
        match n_outputs {
            Some(known) if known != n => return Err(format!("row {row} has {n} outputs, the first {known}")),
            _ => n_outputs = Some(n),
        }
    }
    Array2::from_shape_vec((n_rows, n_outputs.unwrap_or(0)), data).map_err(|error| error.to_string())
}

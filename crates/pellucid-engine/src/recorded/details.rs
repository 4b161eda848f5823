//! What a payload says in words beside its arrays.

use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::explanation::{Explanation, Prediction};
use crate::recorded::RecordContext;

/// Numbers that are not finite are `null`.
pub(super) fn details(
    explanation: &Explanation,
    row: usize,
    context: &RecordContext<'_>,
) -> Result<Value, Error> {
    let (about, target) = (&explanation.about, context.target);
    let (place, n_rows) = context.ran_as.unwrap_or((row, explanation.n_rows()));
    let source = &about.inputs[row].source;
    let number = |numbers: Option<&ndarray::ArrayD<f64>>| {
        numbers.map(|numbers| explanation.number_of(numbers, row, target))
    };
    let mut details = json!({
        "target": {
            "index": about.target.indices.as_ref().map(|rows| rows[row][target]),
            "name": explanation.target_label(row, target),
        },
        "output_space": about.output_space.name(),
        "output": number(Some(&explanation.outputs)),
        "base_value": number(explanation.base_values.as_ref()),
        "convergence_delta": number(explanation.convergence_delta.as_ref()),
        "feature_names": about.feature_names,
        "feature_categories": about.feature_categories,
        "channel_axis": about.channel_axis,
        "signed": about.signed,
        "predictions": about.predictions[row].iter().map(prediction).collect::<Vec<Value>>(),
        "warnings": about.warnings,
        "source": {"file": source.file, "row_index": source.row_index},
        "model_format": about.model.format,
        // Last bits depend on how many rows go through a network at once.
        "run": {
            "rows": n_rows,
            "row": place,
            "batch_size": about.runtime.batch_size,
            "max_memory_bytes": about.runtime.max_memory_bytes,
        },
        "pellucid_version": about.pellucid_version,
    });
    if let Some(sets) = &about.feature_sets {
        details["feature_sets"] = json!(sets);
    }
    if !about.other_columns.is_empty() {
        let of_row: Map<String, Value> =
            about.other_columns.iter().map(|(name, column)| (name.clone(), json!(column[row]))).collect();
        details["other_columns"] = Value::Object(of_row);
    }
    if let Some(preprocessing) = &about.preprocessing {
        let fault = |error: serde_json::Error| Error::Input {
            path: "explanation".to_owned(),
            reason: format!("its preprocessing: {error}"),
        };
        details["preprocessing"] = serde_json::to_value(preprocessing).map_err(fault)?;
    }
    Ok(details)
}

fn prediction(prediction: &Prediction) -> Value {
    let name = prediction.label.clone().unwrap_or_else(|| format!("output {}", prediction.index));
    let mut told = json!({"index": prediction.index, "name": name, "value": prediction.output});
    if let Some(probability) = prediction.probability {
        told["probability"] = json!(probability);
    }
    told
}

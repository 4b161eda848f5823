//! An explanation of one row → what the log keeps of it.

use std::collections::BTreeMap;

use ndarray::ArrayD;
use pellucid_engine::Explanation;
use pellucid_store::{Array, Check, Digest, Payload, Record, RecordedModel, Values};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::error::Fault;
use crate::models::plan::Plan;
use crate::models::served::Served;
use crate::security::ids::hex;

/// A completeness gap of more than this share of the explained difference is a check that failed.
const MAX_GAP: f64 = 0.01;

/// What a record says beside the explanation.
pub(crate) struct Facts<'a> {
    pub(crate) prediction_id: &'a str,
    pub(crate) timestamp_micros: i64,
    pub(crate) model_version: &'a str,
    pub(crate) model_name: &'a str,
    pub(crate) comparability_key: &'a str,
    pub(crate) inclusion_probability: f64,
    /// All outputs of the model.
    pub(crate) outputs: &'a [f64],
}

/// Records with the same key may be compared: one model file, one method with the same parameters and seed.
pub(crate) fn comparability_key(served: &Served, plan: &Plan) -> String {
    let key = json!({
        "method": plan.method,
        "parameters": parameters(plan),
        "seed": plan.seed.to_string(),
        "model": { "name": served.name, "version": served.version, "digest": served.digest() },
    });
    // Maps of serde_json are ordered: the text is canonical.
    hex(&Sha256::digest(key.to_string()))[..32].to_owned()
}

fn parameters(plan: &Plan) -> Map<String, Value> {
    let mut parameters = plan.parameters.clone();
    parameters.insert("target".to_owned(), plan.target.clone().into());
    parameters
}

/// The record and payload of an explanation of one row and one target.
///
/// # Errors
/// A model without a digest; an array whose shape and numbers do not agree.
pub(crate) fn recorded(
    explanation: &Explanation,
    plan: &Plan,
    facts: &Facts<'_>,
) -> Result<(Record, Payload), Fault> {
    let about = &explanation.about;
    let model = RecordedModel {
        name: facts.model_name.to_owned(),
        version: facts.model_version.to_owned(),
        digest: digest(&about.model.digest)?,
    };
    let mut parameters = parameters(plan);
    parameters.insert("output_space".to_owned(), about.output_space.name().into());
    parameters.insert("output_name".to_owned(), about.output_name.clone().into());
    let record = Record {
        prediction: facts.outputs.to_vec(),
        parameters,
        seed: Some(about.seed),
        checks: checks(explanation),
        runtime_fingerprint: about.runtime.fingerprint.clone(),
        comparability_key: facts.comparability_key.to_owned(),
        inclusion_probability: facts.inclusion_probability,
        ..Record::new(facts.prediction_id, facts.timestamp_micros, model, &about.method)
    };
    let of_row = |array: &ArrayD<f64>| array.index_axis(ndarray::Axis(0), 0).to_owned();
    let mut attribution = vec![array("values", &of_row(&explanation.values))?];
    if let Some(errors) = &explanation.standard_error {
        attribution.push(array("standard_error", &of_row(errors))?);
    }
    let input_digest = about.inputs.first().map_or(Ok(Digest::of(&[])), |input| digest(&input.digest))?;
    let payload = Payload {
        input_digest,
        input: vec![array("input", &of_row(&explanation.data))?],
        attribution,
        details: details(explanation),
    };
    Ok((record, payload))
}

fn digest(hex: &str) -> Result<Digest, Fault> {
    let fault = |_| Fault::Internal(format!("`{hex}` is no SHA-256"));
    serde_json::from_value(hex.into()).map_err(fault)
}

fn array(name: &str, array: &ArrayD<f64>) -> Result<Array, Fault> {
    let shape: Vec<u64> = array.shape().iter().map(|&length| length as u64).collect();
    Ok(Array::new(name, &shape, Values::F64(array.iter().copied().collect()))?)
}

fn checks(explanation: &Explanation) -> BTreeMap<String, Check> {
    let mut checks = BTreeMap::new();
    checks.insert("finite".to_owned(), Check { passed: true, value: None });
    if let Some(gap) = explanation.relative_gap(0, 0) {
        let value = gap.is_finite().then_some(gap);
        checks.insert("completeness".to_owned(), Check { passed: gap <= MAX_GAP, value });
    }
    if let Some(errors) = &explanation.standard_error {
        let largest = |array: &ArrayD<f64>| array.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        let share = largest(errors) / largest(&explanation.values);
        let value = share.is_finite().then_some(share);
        checks.insert("standard_error".to_owned(), Check { passed: share <= 0.1, value });
    }
    checks
}

/// What is told beside the numbers.
pub(crate) fn details(explanation: &Explanation) -> Value {
    let about = &explanation.about;
    let number = |numbers: &Option<ArrayD<f64>>| numbers.as_ref().map(|it| explanation.number_of(it, 0, 0));
    let index = about.target.indices.as_ref().and_then(|rows| rows.first()?.first());
    let predictions = about.predictions.first().into_iter().flatten().map(|it| {
        let name = it.label.clone().unwrap_or_else(|| about.output_label(it.index));
        json!({ "index": it.index, "name": name, "value": it.probability.unwrap_or(it.output) })
    });
    json!({
        "target": { "index": index, "name": explanation.target_label(0, 0) },
        "output_space": about.output_space.name(),
        "output": explanation.number_of(&explanation.outputs, 0, 0),
        "base_value": number(&explanation.base_values),
        "convergence_delta": number(&explanation.convergence_delta),
        "feature_names": about.feature_names,
        "feature_categories": about.feature_categories,
        "channel_axis": about.channel_axis,
        "signed": about.signed,
        "predictions": predictions.collect::<Vec<_>>(),
        "warnings": about.warnings,
    })
}

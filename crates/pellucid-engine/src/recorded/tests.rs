use pellucid_store::{Log, Options, Values, create_key};
use serde_json::json;

use super::*;
use crate::wire::tests::explanation;

fn context() -> RecordContext<'static> {
    RecordContext { model_version: Some("7"), ..RecordContext::new("p-1", 1_790_000_000_000_000) }
}

#[test]
fn a_record_holds_the_explanation_and_nothing_of_the_row() {
    let explanation = explanation(1);
    let (record, payload) = recorded(&explanation, 1, &context()).unwrap();
    assert_eq!((record.prediction_id.as_str(), record.timestamp_micros), ("p-1", 1_790_000_000_000_000));
    assert_eq!((record.model.name.as_str(), record.model.version.as_str()), ("net", "7"));
    assert_eq!((record.method.as_str(), record.seed), ("integrated_gradients", Some(u64::MAX)));
    let parameters = json!({
        "absolute": true, "n_steps": 50, "tolerance": null, "share": 0.1, "baseline": "zeros",
        "target": "top", "output_space": "margin", "output_name": "logits",
    });
    assert_eq!(Value::Object(record.parameters.clone()), parameters);
    assert_eq!(record.runtime_fingerprint, "rten");
    let Values::F32(input) = payload.input[0].values() else { panic!("{:?}", payload.input) };
    assert_eq!(
        (payload.input[0].name(), payload.input[0].shape(), &input[..]),
        ("input", &[3][..], &[1e-7, 0.0, 7.0][..])
    );
    let values: Vec<f64> = explanation.values_of(1, 0).iter().copied().collect();
    let names: Vec<&str> = payload.attribution.iter().map(|array| array.name()).collect();
    assert_eq!(names, ["values", "standard_error"]);
    assert_eq!(payload.attribution[0].values(), &Values::F64(values));
    let details = &payload.details;
    assert_eq!(details["target"], json!({"index": 0, "name": "cat"}));
    assert_eq!(details["output"], json!(explanation.outputs[1]));
    assert_eq!(details["base_value"], json!(explanation.base_values.as_ref().unwrap()[1]));
    assert_eq!(details["feature_categories"], json!([[], [], ["a"]]));
    assert_eq!(details["channel_axis"], 0);
    assert_eq!(details["other_columns"], json!({"sex": "m"}));
    assert_eq!(
        details["predictions"],
        json!([{"index": 1, "name": "dog", "value": 1.5, "probability": 0.75}])
    );
    assert_eq!(details["warnings"], json!(["mind this"]));
    let text = serde_json::to_string(&record).unwrap();
    assert!(!text.contains("rows.csv") && !text.contains("sex"), "{text}");
}

/// Checked by hand: `Σ values` against `output − base value`, the largest error against the largest value.
#[test]
fn checks_say_what_was_promised() {
    let mut one = explanation(1);
    one.values = ndarray::array![[1.0, 2.0, -4.0], [0.0, 0.0, 0.0]].into_dyn();
    one.standard_error = Some(ndarray::array![[0.1, 1.0, 0.0], [0.0, 0.0, 0.0]].into_dyn());
    one.outputs = ndarray::array![1.0, 2.0].into_dyn();
    one.base_values = Some(ndarray::array![2.0, 2.0].into_dyn());
    one.convergence_delta = Some(ndarray::array![0.005, 1e-6].into_dyn());
    let (record, _) = recorded(&one, 0, &context()).unwrap();
    let expected = json!({
        "completeness": {"passed": true, "value": 0.005},
        "standard_error": {"passed": true, "value": 0.25},
        "finite": {"passed": true},
    });
    assert_eq!(serde_json::to_value(&record.checks).unwrap(), expected);
    // Both ends give the same output: no share, but no more than rounding.
    let (record, _) = recorded(&one, 1, &context()).unwrap();
    assert_eq!(record.checks["completeness"], pellucid_store::Check { passed: true, value: None });
    one.convergence_delta = Some(ndarray::array![-0.02, 1e-3].into_dyn());
    one.values[[0, 0]] = f64::NAN;
    let passed = |row| {
        let (record, _) = recorded(&one, row, &context()).unwrap();
        ["completeness", "finite"].map(|name| record.checks[name].passed)
    };
    assert_eq!([passed(0), passed(1)], [[false, false], [false, true]]);
    one.convergence_delta = None;
    one.standard_error = None;
    let (record, _) = recorded(&one, 1, &context()).unwrap();
    assert_eq!(record.checks.len(), 1);
}

#[test]
fn only_what_is_alike_has_the_same_key() {
    let one = explanation(1);
    let key = |explanation: &Explanation, context: RecordContext<'_>| {
        recorded(explanation, 0, &context).unwrap().0.comparability_key
    };
    let first = key(&one, context());
    assert!(first.len() == 32 && first.bytes().all(|digit| digit.is_ascii_hexdigit()), "{first}");
    let mut other_seed = one.clone();
    other_seed.about.seed = 3;
    let later = RecordContext { prediction_id: "p-2", timestamp_micros: 0, ..context() };
    assert_eq!([key(&other_seed, context()), key(&one, later)], [first.clone(), first.clone()]);
    let mut others = Vec::new();
    let mut other = |change: fn(&mut Explanation)| {
        let mut changed = one.clone();
        change(&mut changed);
        others.push(key(&changed, context()));
    };
    other(|it| it.about.method = "lime".to_owned());
    other(|it| it.about.parameters.insert("n_steps".to_owned(), Parameter::Count(51)).map_or((), drop));
    other(|it| it.about.target.asked = "1".to_owned());
    other(|it| it.about.output_space = pellucid_core::OutputSpace::Probability);
    other(|it| it.about.model.digest = "ab".repeat(32));
    others.push(key(&one, RecordContext { model_version: Some("8"), ..context() }));
    others.push(key(&one, RecordContext { model_name: Some("other"), ..context() }));
    for digest in ["00", "01"] {
        let mut of_background = one.clone();
        of_background.about.parameters.insert("background_digest".to_owned(), digest.into());
        others.push(key(&of_background, context()));
    }
    others.extend((0..2).map(|target| key(&explanation(2), RecordContext { target, ..context() })));
    others.push(first);
    let n = others.len();
    others.sort();
    others.dedup();
    assert_eq!(others.len(), n);
}

#[test]
fn all_outputs_are_told_where_they_are_few() {
    let prediction = |explanation: &Explanation, context: RecordContext<'_>| {
        recorded(explanation, 0, &context).unwrap().0.prediction
    };
    let mut one = explanation(1);
    assert_eq!(prediction(&one, context()), [-0.5, 1.5]);
    assert_eq!(prediction(&one, RecordContext { outputs: Some(&[3.0, 4.0]), ..context() }), [3.0, 4.0]);
    one.about.all_outputs = None;
    assert_eq!(prediction(&one, context()), [0.0; 0]);
}

#[test]
fn what_was_recorded_comes_back_from_a_log() {
    let [keys, logs] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let key = keys.path().join("log.key");
    create_key(&key, "example.com/log").unwrap();
    let log = Log::open(&logs.path().join("test.log"), &key, &Options::default()).unwrap();
    let mut missing = explanation(1);
    missing.data[[0, 1]] = f64::NAN;
    missing.data[[0, 2]] = 0.1;
    let (record, payload) = recorded(&missing, 0, &context()).unwrap();
    assert!(matches!(payload.input[0].values(), Values::F64(row) if row[1].is_nan() && row[2] == 0.1));
    let index = log.append(&record, &payload).unwrap().index;
    let reader = log.reader().unwrap();
    assert_eq!(reader.payload(index).unwrap().to_bytes(), payload.to_bytes());
    assert_eq!(reader.entry(index).unwrap().entry.record(), Some(&record));
}

#[test]
fn places_that_are_not_there_are_refused() {
    let check = |row, target, part: &str| {
        let context = RecordContext { target, ..context() };
        let fault = recorded(&explanation(2), row, &context).unwrap_err().to_string();
        assert!(fault.contains(part), "{fault}");
    };
    check(2, 0, "there is no row 2; the explanation has 2");
    check(0, 2, "there is no target 2; the explanation has 2");
}

#[test]
fn a_recorded_row_is_an_input_again() {
    let (_, payload) = recorded(&explanation(1), 1, &context()).unwrap();
    let RecordedInput::Row(bytes) = recorded_input(&payload, 2).unwrap() else { panic!("a row") };
    let rows = crate::npy::parse(&bytes).unwrap();
    let row = explanation(1).data.index_axis_move(ndarray::Axis(0), 1);
    assert_eq!(rows, ndarray::stack![ndarray::Axis(0), row, row]);
    assert_eq!(
        payload.details["run"],
        json!({"rows": 2, "row": 1, "batch_size": null, "max_memory_bytes": 1 << 30})
    );
    let empty = Payload { input: Vec::new(), ..payload };
    assert!(recorded_input(&empty, 1).is_err());
}

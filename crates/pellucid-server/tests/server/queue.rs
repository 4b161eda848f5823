//! Nothing that is accepted is lost, nothing blocks, and what does not fit is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::harness::{Gate, Place, known, row, series, start};

#[test]
fn predicting_does_not_wait_for_explaining() {
    let gate = Gate::default();
    let server = Place::new().start(|options| gate.hold(options));
    server.predict("table", "first", &json!([row()])).expect(200);
    gate.until_reached();
    // The only explaining thread stands still; predictions are answered.
    for id in 0..20 {
        server.predict("table", &format!("table-{id}"), &json!([row()])).expect(200);
        server.predict("weather", &format!("weather-{id}"), &json!([series(1.0)])).expect(200);
    }
    assert!(server.records().is_empty());
    gate.open();
    server.until_recorded(41);
}

#[test]
fn a_full_queue_says_so_and_predictions_are_answered() {
    let gate = Gate::default();
    let server = Place::new().start(|options| {
        gate.hold(options);
        options.limits.explain_queue = 2;
    });
    server.predict("table", "running", &json!([row()])).expect(200);
    gate.until_reached();
    let queued = server.predict("table", "queued", &json!([row(), row()])).expect(200);
    assert_eq!(queued.header("x-explanations-queued"), Some("2"));
    let dropped = server.predict("table", "dropped", &json!([row()])).expect(200);
    assert_eq!(dropped.header("x-explanations-queued"), Some("0"));
    assert_eq!(dropped.header("x-explanations-dropped"), Some("1"));
    let refused =
        server.post("/v1/explanations", &json!({ "model": "table", "instances": [row()] })).expect(429);
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    server.post("/v1/models/table:explain", &json!({ "instances": [row()] })).expect(429);
    assert_eq!(server.metric("pellucid_explanations_total{outcome=\"dropped\"}"), 1.0);
    gate.open();
    let mut ids: Vec<String> =
        server.until_recorded(3).into_iter().map(|record| record.prediction_id).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["queued-0", "queued-1", "running"]);
    // What was dropped can be asked for.
    server.post("/v1/explanations", &json!({ "prediction_ids": ["dropped"] })).expect(202);
    server.until_recorded(4);
}

#[test]
fn who_asks_comes_before_what_was_sampled() {
    let gate = Gate::default();
    let server = Place::new().start(|options| gate.hold(options));
    server.predict("table", "running", &json!([row()])).expect(200);
    gate.until_reached();
    server.predict("weather", "sampled", &json!([series(1.0)])).expect(200);
    let ask = |id: &str, priority: &str| {
        let request = json!({
            "model": "words", "instances": [{ "attribute_1": 0 }], "prediction_id": id, "priority": priority,
            "parameters": { "seed": id.len() },
        });
        server.post("/v1/explanations", &request).expect(202);
    };
    ask("normal", "normal");
    ask("high", "high");
    gate.open();
    let ids: Vec<String> = server.until_recorded(4).into_iter().map(|record| record.prediction_id).collect();
    assert_eq!(ids, ["running", "high", "normal", "sampled"]);
}

#[test]
fn rows_of_one_plan_go_into_one_call_and_known_rows_into_none() {
    let gate = Gate::default();
    let server = Place::new().start(|options| gate.hold(options));
    let rows: Vec<Value> = known(10).into_iter().map(|known| known.row).collect();
    server.predict("table", "running", &json!([rows[0]])).expect(200);
    gate.until_reached();
    for (index, row) in rows.iter().enumerate() {
        server.predict("table", &format!("p{index}"), &json!([row])).expect(200);
    }
    gate.open();
    server.until_recorded(11);
    assert_eq!(server.metric("request_explain_seconds_count{method=\"tree_shap\"}"), 2.0);
    // The first row was explained under another id before.
    assert_eq!(server.metric("pellucid_cache_hits_total"), 1.0);
    assert_eq!(server.metric("pellucid_cache_misses_total"), 10.0);
}

#[test]
fn an_orderly_end_finishes_what_was_accepted() {
    let gate = Gate::default();
    let mut server = Place::new().start(|options| gate.hold(options));
    server.predict("table", "a", &json!([row(), row(), row()])).expect(200);
    gate.until_reached();
    let opening = gate.clone();
    let opener = std::thread::spawn(move || opening.open());
    assert_eq!(server.stop().n_lost, 0);
    opener.join().unwrap();
    assert_eq!(server.records().len(), 3);
}

#[test]
fn what_there_is_no_time_for_is_counted() {
    let gate = Gate::default();
    let mut server = Place::new().start(|options| {
        gate.hold(options);
        options.limits.drain = std::time::Duration::ZERO;
    });
    server.predict("table", "a", &json!([row()])).expect(200);
    gate.until_reached();
    server.predict("weather", "b", &json!([series(1.0), series(2.0)])).expect(200);
    assert_eq!(server.stop().n_lost, 3);
    gate.open();
}

#[test]
fn sampling_rules_choose_and_tell_how_probable_that_was() {
    let place = Place::new();
    place.model("table", "trees/lightgbm/binary.txt", "[sampling]\nrule = \"low_margin\"\nbelow = 0.05\n");
    place.model(
        "weather",
        "models/seattle_weather.onnx",
        "[sampling]\nrule = \"one_in\"\nn = 4\n[explain]\nmethod = \"saliency\"\n",
    );
    place.model(
        "margins",
        "trees/lightgbm/binary.txt",
        "prediction_space = \"margin\"\n[sampling]\nrule = \"low_margin\"\nbelow = 0.05\n",
    );
    let server = place.start(|_| {});
    let known = known(20);
    let n_near = known.iter().filter(|known| (2.0 * known.probability - 1.0).abs() < 0.05).count();
    assert!(n_near > 0 && n_near < 20);
    let rows: Vec<&Value> = known.iter().map(|known| &known.row).collect();
    let answer = server.predict("table", "p", &json!(rows)).expect(200);
    assert_eq!(answer.header("x-explanations-queued"), Some(n_near.to_string().as_str()));
    let series: Vec<Value> = (0..40).map(|rain| series(f64::from(rain))).collect();
    let answer = server.predict("weather", "w", &json!(series)).expect(200);
    let n_drawn: usize = answer.header("x-explanations-queued").unwrap().parse().unwrap();
    assert!((1..40).contains(&n_drawn));
    let records = server.until_recorded(n_near + n_drawn);
    let probability = |model: &str| if model == "weather" { 0.25 } else { 1.0 };
    assert!(records.iter().all(|record| record.inclusion_probability == probability(&record.model.name)));
    // Whoever answers with margins has probabilities all the same.
    let answer = server.predict("margins", "m", &json!(rows)).expect(200);
    assert_eq!(answer.header("x-explanations-queued"), Some(n_near.to_string().as_str()));
}

#[test]
fn one_prediction_is_explained_once_however_often_it_is_asked() {
    let server = start();
    server.predict("table", "p", &json!([row()])).expect(200);
    server.until_recorded(1);
    for _ in 0..3 {
        let job = server.post("/v1/explanations", &json!({ "prediction_ids": ["p"] })).json();
        server.until_ended(job["job_id"].as_str().unwrap());
    }
    assert_eq!(server.records().len(), 1);
}

#[test]
fn a_row_that_somebody_waits_for_goes_ahead_of_what_was_sampled() {
    let gate = Gate::default();
    let server = Place::new().start(|options| gate.hold(options));
    server.predict("table", "running", &json!([row()])).expect(200);
    gate.until_reached();
    server.predict("weather", "first", &json!([series(1.0)])).expect(200);
    server.predict("words", "second", &json!([{ "attribute_1": 0 }])).expect(200);
    server.post("/v1/explanations", &json!({ "prediction_ids": ["second"], "priority": "high" })).expect(202);
    gate.open();
    let ids: Vec<String> = server.until_recorded(3).into_iter().map(|record| record.prediction_id).collect();
    assert_eq!(ids, ["running", "second", "first"]);
}

#[test]
fn what_was_canceled_or_recorded_is_not_lost() {
    let gate = Gate::default();
    let mut server = Place::new().start(|options| {
        gate.hold(options);
        options.limits.drain = std::time::Duration::ZERO;
    });
    server.predict("table", "running", &json!([row()])).expect(200);
    gate.until_reached();
    let asked = json!({ "model": "weather", "instances": [series(1.0), series(2.0)] });
    let job = server.post("/v1/explanations", &asked).expect(202).json();
    server.send("DELETE", &format!("/v1/jobs/{}", job["job_id"].as_str().unwrap()), &[], b"").expect(200);
    assert_eq!(server.metric("pellucid_explanations_total{outcome=\"canceled\"}"), 2.0);
    assert_eq!(server.stop().n_lost, 1);
    gate.open();
}

#[test]
fn a_fault_of_the_program_ends_its_rows_alone() {
    let broke = Arc::new(AtomicBool::new(false));
    let breaking = broke.clone();
    let server = Place::new().start(|options| {
        options.before_explaining = Some(Arc::new(move || assert!(breaking.swap(true, Ordering::Relaxed))));
    });
    let explain = || server.post("/v1/models/table:explain", &json!({ "instances": [row()] }));
    explain().expect(500).says("broke off");
    assert!(broke.load(Ordering::Relaxed));
    explain().expect(200);
    assert_eq!(server.metric("pellucid_running_rows"), 0.0);
    assert_eq!(server.metric("pellucid_explanations_total{outcome=\"failed\"}"), 1.0);
}

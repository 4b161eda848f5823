//! Explanations as jobs: once for each prediction and plan, told as they come, stopped when asked.

use serde_json::{Value, json};

use crate::harness::{Gate, Place, known, row, series, start, until};

#[test]
fn a_job_ends_in_the_log_and_is_the_same_when_asked_again() {
    let server = start();
    let request = json!({ "model": "table", "instances": [row()], "prediction_id": "p1" });
    let answer = server.post("/v1/explanations", &request).expect(202);
    let job = answer.json()["job_id"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("location"), Some(format!("/v1/explanations/{job}").as_str()));
    let ended = server.until_ended(&job);
    assert_eq!((&ended["status"], &ended["n_done"]), (&json!("done"), &json!(1)));
    let read = server.get(&format!("/v1/explanations/{job}")).expect(200).json();
    assert_eq!(read["rows"][0]["record_index"], 0);
    assert_eq!(read["rows"][0]["explanation"]["values"].as_array().unwrap().len(), 5);
    assert_eq!(server.records()[0].comparability_key, read["comparability_key"].as_str().unwrap());

    let again = server.post("/v1/explanations", &request).expect(200).json();
    assert_eq!(again["job_id"], job.as_str());
    // Another plan is another job.
    let other = json!({ "model": "table", "instances": [row()], "prediction_id": "p1", "parameters": { "method": "saabas" } });
    let other = server.post("/v1/explanations", &other).expect(202).json();
    assert_ne!(other["job_id"], job.as_str());
    let records = server.until_recorded(2);
    assert_eq!((records[1].prediction_id.as_str(), records[1].method.as_str()), ("p1", "saabas"));
    assert_eq!(server.get("/v1/jobs").expect(200).json()["jobs"].as_array().unwrap().len(), 2);
}

#[test]
fn every_kind_of_method_has_the_key_of_its_records() {
    let server = start();
    let background = server.place.models().join("table/background.csv");
    std::fs::write(&background, "Column_0,Column_1,Column_2,Column_3,Column_4\n0,0,0,0,30\n1,1,1,1,50\n")
        .unwrap();
    let check = |model: &str, instance: Value, parameters: Value| {
        let request = json!({ "model": model, "instances": [instance], "parameters": parameters });
        let job = server.post("/v1/explanations", &request).expect(202).json();
        let ended = server.until_ended(job["job_id"].as_str().unwrap());
        assert_eq!(ended["status"], "done", "{ended}");
        let place = ended["rows"][0]["record_index"].as_u64().unwrap();
        let record = server.records().swap_remove(usize::try_from(place).unwrap());
        assert_eq!(record.comparability_key, ended["comparability_key"].as_str().unwrap(), "{parameters}");
        assert_eq!(record.method, ended["method"].as_str().unwrap());
    };
    check("table", row(), json!({}));
    check(
        "table",
        row(),
        json!({ "method": "kernel_shap", "options": { "baseline": "zeros" }, "target": "0" }),
    );
    check(
        "table",
        row(),
        json!({ "method": "permutation-shap", "output_space": "probability", "options": { "baseline": "zeros" } }),
    );
    check("weather", series(1.0), json!({}));
    check(
        "weather",
        series(1.0),
        json!({ "method": "saliency", "target": "rain tomorrow".len().min(1).to_string() }),
    );
    check(
        "weather",
        series(1.0),
        json!({ "method": "smoothgrad", "seed": 7, "options": { "n_samples": 3 } }),
    );
}

#[test]
fn what_a_method_cannot_do_is_refused_by_name() {
    let server = start();
    let check = |parameters: Value, part: &str| {
        let request = json!({ "model": "table", "instances": [row()], "parameters": parameters });
        server.post("/v1/explanations", &request).expect(400).says(part);
    };
    check(json!({ "method": "guessing" }), "guessing");
    check(json!({ "target": "all outputs" }), "all outputs");
    check(json!({ "options": { "n_steps": 5 } }), "n_steps");
    check(json!({ "options": { "window": [1] } }), "window");
    check(json!({ "options": { "speed": 5 } }), "no option `speed`");
    check(
        json!({ "method": "kernel_shap", "options": { "baseline": "array:/etc/passwd" } }),
        "files are not read",
    );
    check(json!({ "method": "feature_permutation" }), "rows that are explained together");
    check(json!({ "output_space": "log_loss" }), "log-loss");
    check(json!({ "deadline_secs": -1.0 }), "no time to wait");
    check(json!({ "colour": 1 }), "unknown field `colour`");
    let many = json!({ "method": "kernel_shap", "options": { "baseline": "zeros", "max_evaluations": 900_000_000 } });
    let request = json!({ "model": "table", "instances": [row()], "parameters": many });
    server.post("/v1/explanations", &request).expect(413).says("model evaluations");
    // Nothing of what was refused was queued: what is asked last is alone in the log.
    let request = json!({ "model": "table", "instances": [row()], "prediction_id": "last" });
    let job = server.post("/v1/explanations", &request).expect(202).json();
    server.until_ended(job["job_id"].as_str().unwrap());
    assert_eq!(server.until_recorded(1)[0].prediction_id, "last");
}

/// Names are the callers', and one plan may be asked with two seeds at once.
#[test]
fn a_name_answers_for_its_own_input_and_seed_alone() {
    let gate = Gate::default();
    let server = Place::new().start(|options| gate.hold(options));
    let ask = |instance: Value, seed: u64| {
        let request = json!({ "model": "weather", "instances": [instance], "prediction_id": "p1",
            "parameters": { "method": "smoothgrad", "seed": seed, "options": { "n_samples": 3 } } });
        server.post("/v1/explanations", &request).expect(202).json()["job_id"].as_str().unwrap().to_owned()
    };
    let first = ask(series(0.5), 0);
    gate.until_reached();
    // These wait together.
    let waiting = [ask(series(1.0), 4), ask(series(1.0), 5), ask(series(2.0), 4), ask(series(1.0), 4)];
    assert_eq!(waiting[0], waiting[3]);
    gate.open();
    server.until_ended(&first);
    let values: Vec<Value> = waiting
        .iter()
        .map(|job| {
            server.until_ended(job);
            let read = server.get(&format!("/v1/explanations/{job}")).expect(200).json();
            read["rows"][0]["explanation"]["values"].clone()
        })
        .collect();
    assert!(values[0] != values[1] && values[0] != values[2] && values[0] == values[3]);
    let mut seeds: Vec<Option<u64>> =
        server.until_recorded(4).into_iter().map(|record| record.seed).collect();
    seeds.sort_unstable();
    assert_eq!(seeds, [Some(0), Some(4), Some(4), Some(5)]);
}

#[test]
fn stored_predictions_are_explained_later_and_after_a_restart() {
    let place = Place::new();
    place.model("table", "trees/lightgbm/binary.txt", "[sampling]\nrule = \"none\"\n");
    let mut server = place.start(|_| {});
    let rows: Vec<Value> = known(2).into_iter().map(|known| known.row).collect();
    server.predict("table", "p", &json!(rows)).expect(200);
    let request = json!({ "prediction_ids": ["p-0", "p-1"] });
    let job = server.post("/v1/explanations", &request).expect(202).json();
    server.until_ended(job["job_id"].as_str().unwrap());
    assert_eq!(server.records().len(), 2);
    server
        .post("/v1/explanations", &json!({ "prediction_ids": ["p-0", "unknown"] }))
        .expect(404)
        .says("unknown");
    assert_eq!(server.stop().n_lost, 0);

    let server = server.place.start(|_| {});
    // What is explained already is not explained again.
    let job = server.post("/v1/explanations", &request).expect(200).json();
    assert_eq!(job["rows"][1]["status"], "recorded");
    let other = json!({ "prediction_ids": ["p-1"], "parameters": { "method": "saabas" } });
    let job = server.post("/v1/explanations", &other).expect(202).json();
    server.until_ended(job["job_id"].as_str().unwrap());
    let records = server.until_recorded(3);
    assert_eq!((records[2].prediction_id.as_str(), records[2].method.as_str()), ("p-1", "saabas"));
}

#[test]
fn a_canceled_job_leaves_nothing_in_the_log() {
    let gate = Gate::default();
    let server = Place::new().start(|options| gate.hold(options));
    let explain = |model: &str, id: &str, instance: Value| {
        let request = json!({ "model": model, "instances": [instance], "prediction_id": id });
        server.post("/v1/explanations", &request).expect(202).json()["job_id"].as_str().unwrap().to_owned()
    };
    let first = explain("table", "first", row());
    gate.until_reached();
    let canceled = explain("weather", "canceled", series(1.0));
    let answer = server.send("DELETE", &format!("/v1/jobs/{canceled}"), &[], b"").expect(200).json();
    assert_eq!(answer["status"], "canceled");
    let last = explain("weather", "last", series(2.0));
    gate.open();
    assert_eq!(server.until_ended(&first)["status"], "done");
    assert_eq!(server.until_ended(&last)["status"], "done");
    let ids: Vec<String> = server.until_recorded(2).into_iter().map(|record| record.prediction_id).collect();
    assert_eq!(ids, ["first", "last"]);
    // Asked again, it is explained.
    let again = explain("weather", "canceled", series(1.0));
    assert_eq!(again, canceled);
    assert_eq!(server.until_ended(&again)["status"], "done");
}

#[test]
fn whoever_holds_the_line_is_told_when_time_is_over() {
    let gate = Gate::default();
    let server = Place::new().start(|options| gate.hold(options));
    let request = json!({ "instances": [row()], "parameters": { "deadline_secs": 0.05 } });
    server.post("/v1/models/table:explain", &request).expect(504).says("not explained within 0.05 s");
    let job = json!({ "model": "table", "instances": [row()], "parameters": { "deadline_secs": 0.05 } });
    let job = server.post("/v1/explanations", &job).expect(202).json();
    assert_eq!(server.until_ended(job["job_id"].as_str().unwrap())["status"], "failed");
    gate.open();
}

#[test]
fn progress_is_told_as_it_happens() {
    let gate = Gate::default();
    let server = Place::new().start(|options| gate.hold(options));
    let rows: Vec<Value> = known(3).into_iter().map(|known| known.row).collect();
    let request = json!({ "model": "table", "instances": rows });
    let job = server.post("/v1/explanations", &request).expect(202).json();
    let path = format!("/v1/jobs/{}/events", job["job_id"].as_str().unwrap());
    let told = std::thread::scope(|scope| {
        let told = scope.spawn(|| server.get(&path).expect(200));
        gate.until_reached();
        gate.open();
        told.join().unwrap()
    });
    assert_eq!(told.header("content-type"), Some("text/event-stream"));
    let text = told.text();
    let last = text.trim_end().rsplit("\n\n").next().unwrap();
    let data: Value = serde_json::from_str(last.split_once("data: ").unwrap().1).unwrap();
    assert!(last.starts_with("event: end\n"), "{text}");
    assert_eq!((&data["status"], &data["progress"]["n_recorded"]), (&json!("done"), &json!(3)));
}

#[test]
fn rows_that_fail_are_told_and_others_explained() {
    let server = start();
    // Sums of such numbers are beyond what f32 can hold, and the network's outputs are none.
    let beyond: Value = (0..28).map(|_| json!([3e38, 3e38, -3e38, 3e38])).collect();
    let rows = json!([series(1.0), beyond, series(2.0), beyond]);
    let answer = server.post("/v1/models/weather:explain", &json!({ "instances": rows })).expect(200).json();
    for (index, fails) in [false, true, false, true].into_iter().enumerate() {
        let explanation = &answer["explanations"][index];
        assert_eq!(explanation.get("error").is_some(), fails, "{explanation}");
        assert_eq!(explanation.get("values").is_some(), !fails);
    }
    let failing = json!({ "model": "weather", "instances": rows, "prediction_id": "half" });
    let job = server.post("/v1/explanations", &failing).expect(202).json();
    let ended = server.until_ended(job["job_id"].as_str().unwrap());
    assert_eq!(ended["status"], "partly_failed");
    assert!(ended["rows"][1]["error"].as_str().unwrap().contains("finite"), "{ended}");
    server.post("/v1/models/weather:explain", &json!({ "instances": [beyond] })).expect(400);
    let infinite = json!({ "instances": [series(1e39)] });
    server.post("/v1/models/weather:predict", &infinite).expect(400).says("finite numbers");
    until(|| server.records().len() == 4);
}

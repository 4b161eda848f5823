//! What was answered with 202 goes on at the next start.

use std::fs;
use std::time::Duration;

use pellucid_server::Drained;
use pellucid_store::{Log, Options as LogOptions};
use serde_json::json;

use crate::harness::{Gate, Place, row, series, until};

#[test]
fn what_was_accepted_goes_on_at_the_next_start() {
    let gate = Gate::default();
    let mut server = Place::new().start(|options| {
        gate.hold(options);
        options.limits.drain = Duration::ZERO;
    });
    let asked =
        json!({ "model": "weather", "instances": [series(1.0), series(2.0)], "prediction_id": "asked" });
    let job = server.post("/v1/explanations", &asked).expect(202).json();
    let table = json!({ "model": "words", "instances": [{ "attribute_1": null }], "prediction_id": "gap" });
    server.post("/v1/explanations", &table).expect(202);
    gate.until_reached();
    assert_eq!(server.stop(), Drained { n_kept: 3, n_lost: 0 });
    gate.open();

    let folder = server.place.log().with_extension("log.accepted");
    // A process that was killed left this.
    fs::write(folder.join(".tmp1"), "{").unwrap();
    // As long as another writes to the log, these jobs may be its own.
    let other = Log::open(&server.place.log(), &server.place.key(), &LogOptions::default()).unwrap();
    let server = server.place.start(|_| {});
    assert_eq!(server.get("/v1/jobs").expect(200).json()["jobs"], json!([]));
    drop(other);
    let records = server.until_recorded(3);
    assert!(records.iter().any(|record| record.prediction_id == "gap"));
    let path = format!("/v1/explanations/{}", job["job_id"].as_str().unwrap());
    assert_eq!(server.get(&path).expect(200).json()["status"], "done");
    until(|| fs::read_dir(&folder).unwrap().next().is_none());
    // Nothing is left, and nothing is explained twice.
    let mut server = server;
    server.stop();
    let server = server.place.start(|_| {});
    server.post("/v1/explanations", &asked).expect(200);
    assert_eq!(server.records().len(), 3);
}

#[test]
fn what_cannot_be_written_down_is_not_accepted() {
    let place = Place::new();
    fs::write(place.log().with_extension("log.accepted"), "in the way").unwrap();
    let server = place.start(|_| {});
    let asked = json!({ "model": "table", "instances": [row()] });
    server.post("/v1/explanations", &asked).expect(503).says("not accepted");
    assert_eq!(server.get("/v1/jobs").expect(200).json()["jobs"], json!([]));
    server.predict("table", "p", &json!([row()])).expect(200);
    server.until_recorded(1);
}

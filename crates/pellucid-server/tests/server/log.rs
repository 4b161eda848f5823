//! The log behind the server: proofs, labels, and a log that cannot be written to.

use pellucid_store::{
    Entry, InclusionProof, Log, Options as LogOptions, Reader, VerifyingKey, read_verifying_key,
};
use serde_json::json;

use crate::harness::{Place, row, start, until};

#[test]
fn records_are_proven_and_the_log_verifies() {
    let server = start();
    server.predict("table", "p", &json!([row(), row()])).expect(200);
    server.until_recorded(2);
    let proof = server.get("/v1/records/1/proof").expect(200).text();
    let key = read_verifying_key(&server.place.key()).unwrap();
    let entry = Reader::open(&server.place.log()).unwrap().entry_bytes(1).unwrap();
    assert_eq!(InclusionProof::parse(&proof).unwrap().check(&entry, &key).unwrap().n_entries, 2);
    let checkpoint = server.get("/v1/checkpoint").expect(200).text();
    let report = server.post("/v1/verify", &json!({ "checkpoint": checkpoint })).expect(200).json();
    assert_eq!((&report["passed"], &report["n_entries"]), (&json!(true), &json!(2)));
    server.get("/v1/records/2").expect(404).says("2 entries");
    server.get("/v1/records/2/proof").expect(404);
    server.post("/v1/verify", &json!({ "checkpoint": "none" })).expect(400);
    assert!(VerifyingKey::parse(&key.to_string()).is_ok());
}

/// Of what nobody waits for, as much as possible is written at once; it comes with what somebody waits for, and with the end.
#[test]
fn explanations_are_gathered_until_somebody_waits() {
    let an_hour = std::time::Duration::from_secs(3_600);
    let mut server = Place::new().start(|options| options.limits.gathering = an_hour);
    server.predict("table", "a", &json!([row(), row()])).expect(200);
    until(|| server.metric("pellucid_cache_misses_total") == 2.0);
    assert!(server.records().is_empty());
    server.post("/v1/models/table:explain", &json!({ "instances": [row()] })).expect(200);
    assert_eq!(server.records().len(), 3);
    server.predict("table", "b", &json!([row()])).expect(200);
    assert_eq!(server.stop().n_lost, 0);
    assert_eq!(server.records().len(), 4);
}

#[test]
fn labels_and_decisions_come_later() {
    let server = start();
    server.predict("table", "p", &json!([row()])).expect(200);
    server.until_recorded(1);
    let feedback = |body| server.post("/v1/predictions/p/feedback", &body);
    let answer =
        feedback(json!({ "label": 1, "decision": { "outcome": "granted", "reason": "known here" } }))
            .expect(201);
    assert_eq!(answer.json(), json!({ "index": 1 }));
    let stored = Reader::open(&server.place.log()).unwrap().feedback("p").unwrap();
    let Entry::Feedback(feedback_entry) = &stored[0].entry else { panic!("{stored:?}") };
    assert_eq!(feedback_entry.label, Some(json!(1)));
    assert_eq!(feedback_entry.decision.as_ref().unwrap().by, "local");
    feedback(json!({})).expect(422).says("says nothing");
    feedback(json!({ "lable": 1 })).expect(400).says("unknown field");
}

#[test]
fn views_and_pages_are_served() {
    let server = start();
    server.predict("table", "p", &json!([row()])).expect(200);
    server.until_recorded(1);
    server.get("/").expect(307);
    let page = server.get("/dashboard/").expect(200);
    assert!(page.text().contains("<html"));
    let etag = page.header("etag").unwrap();
    server.send("GET", "/dashboard/", &[("If-None-Match", etag)], b"").expect(304);
    assert!(
        server.get("/dashboard/app.js").expect(200).header("content-type").unwrap().contains("javascript")
    );
    until(|| server.get("/v1/views/overview").expect(200).json()["reading"]["n_read"] == 1);
    server.get("/v1/views/nothing").expect(404).says("no view `nothing`");
    server.get("/v1/views/overview?colour=1").expect(400);
}

#[test]
fn behind_another_writer_the_server_predicts_and_records_later() {
    let place = Place::new();
    let other = Log::open(&place.log(), &place.key(), &LogOptions::default()).unwrap();
    let server = place.start(|_| {});
    server.get("/readyz").expect(503).says("another writer");
    server.get("/healthz").expect(200);
    server.predict("table", "p", &json!([row()])).expect(200);
    server
        .post("/v1/explanations", &json!({ "model": "table", "instances": [row()] }))
        .expect(503)
        .says("another writer");
    server.post("/v1/models/table:explain", &json!({ "instances": [row()] })).expect(503);
    until(|| server.metric("pellucid_unrecorded_rows") == 1.0);
    drop(other);
    server.until_recorded(1);
    until(|| server.get("/readyz").status == 200);
    server.post("/v1/models/table:explain", &json!({ "instances": [row()] })).expect(200);
}

#[test]
fn on_a_full_disk_the_server_goes_on_and_tells() {
    let mut server = Place::new().start(|options| {
        options.max_log_bytes = Some(200_000);
        options.limits.drain = std::time::Duration::ZERO;
    });
    let mut n_sent = 0;
    until(|| {
        let id = server.records().len();
        server.predict("table", &format!("p{id}"), &json!([row()])).expect(200);
        server.get("/readyz").status == 503
    });
    server.get("/readyz").expect(503).says("no room");
    server.predict("table", "last", &json!([row()])).expect(200);
    n_sent += 1;
    server
        .post("/v1/explanations", &json!({ "model": "table", "instances": [row()] }))
        .expect(503)
        .says("no room");
    until(|| server.metric("pellucid_unrecorded_rows") >= f64::from(n_sent));
    assert!(server.stop().n_lost >= 1);
}

#[test]
fn behind_another_writer_what_is_kept_is_bounded_and_nothing_accepted_is_lost() {
    let place = Place::new();
    let other = Log::open(&place.log(), &place.key(), &LogOptions::default()).unwrap();
    let server = place.start(|options| {
        options.limits.unrecorded_bytes = 1;
        options.limits.explain_queue = 3;
        options.limits.rows_at_once = 1;
    });
    let predict = |id: &str| {
        let answer = server.predict("table", id, &json!([row()])).expect(200);
        answer.header("x-explanations-dropped").is_none()
    };
    assert!(predict("kept"));
    until(|| server.metric("pellucid_unrecorded_rows") == 1.0);
    // The explaining thread holds the next one and waits for room.
    assert!(predict("held"));
    until(|| server.metric("pellucid_running_rows") == 1.0);
    let taken = (0..6).filter(|index| predict(&format!("p{index}"))).count();
    assert_eq!(taken, 3);
    assert_eq!(server.metric("pellucid_explanations_total{outcome=\"dropped\"}"), 3.0);
    drop(other);
    server.until_recorded(5);
}

#[test]
fn the_log_is_verified_behind_another_writer() {
    let place = Place::new();
    let other = Log::open(&place.log(), &place.key(), &LogOptions::default()).unwrap();
    let server = place.start(|_| {});
    assert_eq!(server.post("/v1/verify", &json!({})).expect(200).json()["passed"], true);
    drop(other);
}

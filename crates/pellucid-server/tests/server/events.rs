//! Predictions made elsewhere, as inference loggers tell of them.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::client::Answer;
use crate::harness::{Place, Running, known, row, start, until};

struct Sent<'a> {
    server: &'a Running,
    headers: Vec<(&'a str, String)>,
}

impl Sent<'_> {
    fn send(&self, path: &str, half: &str, body: &[u8]) -> Answer {
        let mut headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let kind = headers.iter().find(|(name, _)| *name == "ce-type").unwrap().1;
        let kind = format!("{kind}{half}");
        headers.retain(|(name, _)| *name != "ce-type");
        headers.push(("ce-type", &kind));
        self.server.send("POST", path, &headers, body)
    }
}

/// As KServe's logger sends it.
fn kserve<'a>(server: &'a Running, id: &str) -> Sent<'a> {
    let headers = [
        ("content-type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-id", id),
        ("ce-type", "org.kubeflow.serving.inference."),
        ("ce-source", "http://localhost:9081/"),
        ("ce-inferenceservicename", "table"),
        ("ce-namespace", "default"),
    ];
    Sent { server, headers: headers.into_iter().map(|(name, value)| (name, value.to_owned())).collect() }
}

/// As MLServer's logger sends it: every event has an id of its own.
fn mlserver<'a>(server: &'a Running, event: &str, id: &str) -> Sent<'a> {
    let headers = [
        ("content-type", "application/json"),
        ("ce-specversion", "0.3"),
        ("ce-id", event),
        ("ce-requestid", id),
        ("ce-modelid", "table"),
        ("ce-type", "io.seldon.serving.inference."),
    ];
    Sent { server, headers: headers.into_iter().map(|(name, value)| (name, value.to_owned())).collect() }
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[test]
fn halves_in_any_order_become_one_record() {
    let server = start();
    let (request, response) =
        (bytes(&json!({ "instances": [row()] })), bytes(&json!({ "predictions": [0.4] })));
    let event = kserve(&server, "7f3c-1");
    assert_eq!(event.send("/", "response", &response).expect(202).json()["status"], "waiting");
    assert_eq!(event.send("/", "response", &response).expect(202).json()["status"], "duplicate");
    let paired = event.send("/v1/events", "request", &request).expect(202).json();
    assert_eq!(paired, json!({ "status": "paired", "prediction_id": "7f3c-1", "n_queued": 1 }));
    assert_eq!(event.send("/", "request", &request).expect(202).json()["status"], "duplicate");
    let records = server.until_recorded(1);
    assert_eq!(records[0].prediction_id, "7f3c-1");
    assert!((records[0].prediction[0] - known(1)[0].margin).abs() < 1e-12);
}

#[test]
fn both_versions_and_both_protocols_are_read() {
    let server = start();
    let request = json!({ "id": "x", "inputs": [{ "name": "i", "shape": [2, 5], "datatype": "FP64", "data": [row(), row()] }] });
    let response = json!({ "model_name": "table", "model_version": "1", "outputs": [{ "name": "predict", "shape": [2, 1], "datatype": "FP64", "data": [0.4, 0.4] }] });
    mlserver(&server, "e1", "req/1").send("/", "request", &bytes(&request)).expect(202);
    let paired = mlserver(&server, "e2", "req/1").send("/", "response", &bytes(&response)).expect(202).json();
    // No id of ours can be made of that one; the same name always gives the same.
    let id = paired["prediction_id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("x-") && paired["n_queued"] == 2);

    let structured = |half: &str, data: &Value| {
        let kind = format!("org.kubeflow.serving.inference.{half}");
        let event = json!({ "specversion": "1.0", "id": "s", "type": kind, "source": "x", "inferenceservicename": "table", "data": data });
        server.send(
            "POST",
            "/",
            &[("content-type", "application/cloudevents+json")],
            event.to_string().as_bytes(),
        )
    };
    structured("request", &json!({ "instances": [row()] })).expect(202);
    assert_eq!(
        structured("response", &json!({ "predictions": [0.4] })).expect(202).json()["prediction_id"],
        "s"
    );

    let mut zipped = kserve(&server, "z");
    zipped.send("/", "response", &bytes(&json!({ "predictions": [0.4] }))).expect(202);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&bytes(&json!({ "instances": [row()] }))).unwrap();
    zipped.headers.push(("content-encoding", "gzip".to_owned()));
    zipped.send("/", "request", &encoder.finish().unwrap()).expect(202);
    server.until_recorded(4);
}

#[test]
fn what_cannot_be_paired_is_told() {
    let server = Place::new().start(|options| options.limits.poll = Duration::from_millis(10));
    let event = kserve(&server, "a");
    event.send("/", "request", &bytes(&json!({ "instances": [row(), row()] }))).expect(202);
    event
        .send("/", "response", &bytes(&json!({ "predictions": [0.4] })))
        .expect(422)
        .says("2 rows, the response 1");
    let mut other = kserve(&server, "b");
    other.headers.retain(|(name, _)| *name != "ce-inferenceservicename");
    other.headers.push(("ce-inferenceservicename", "nobody".to_owned()));
    other.send("/", "request", &bytes(&json!({ "instances": [row()] }))).expect(202);
    other
        .send("/", "response", &bytes(&json!({ "predictions": [0.4] })))
        .expect(404)
        .says("no model is called nobody");
    // The model is there later: the second half comes again, and the first was kept.
    server.place.model("nobody", "trees/lightgbm/binary.txt", "");
    until(|| server.get("/v1/models/nobody").status == 200);
    let again = other.send("/", "response", &bytes(&json!({ "predictions": [0.4] }))).expect(202);
    assert_eq!(again.json()["status"], "paired");
    kserve(&server, "c").send("/", "feedback", b"{}").expect(400).says("not read");
    server.post("/", &json!({})).expect(400).says("specversion");
    let mut old = kserve(&server, "d");
    old.headers.retain(|(name, _)| *name != "ce-specversion");
    old.headers.push(("ce-specversion", "0.1".to_owned()));
    old.send("/", "request", b"{}").expect(400).says("0.1");
}

//! Endpoints against a server of a few lines.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is what a test reports")]

mod server;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use ndarray::{ArrayD, array};
use pellucid_agnostic::{Predictor, predict};
use pellucid_core::Work;
use pellucid_remote::{Address, Endpoint, Error, Options, Patience};

use server::serve;

const METADATA: &str = r#"{"name": "m", "platform": "x", "versions": ["7"],
    "inputs": [{"name": "in", "datatype": "FP32", "shape": [-1, 2]}],
    "outputs": [{"name": "margin", "datatype": "FP32", "shape": [-1, 2]}]}"#;

/// `[x₀ + x₁, x₀ − x₁]` of every row of a V2 question.
fn v2_answer(body: &str) -> String {
    let question: serde_json::Value = serde_json::from_str(body).expect("JSON");
    let data: Vec<f64> = question["inputs"][0]["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|x| x.as_f64().expect("a number"))
        .collect();
    let outputs: Vec<f64> = data.chunks(2).flat_map(|row| [row[0] + row[1], row[0] - row[1]]).collect();
    let n = data.len() / 2;
    serde_json::json!({"outputs": [{"name": "margin", "datatype": "FP32", "shape": [n, 2], "data": outputs}]})
        .to_string()
}

fn quick() -> Options {
    Options { patience: Patience { timeout: Duration::from_secs(5), n_retries: 2 }, ..Options::default() }
}

fn connect(host: &str, path: &str, options: Options) -> Result<Endpoint, Error> {
    Endpoint::connect(Address::parse(&format!("{host}{path}")).expect("an address"), options)
}

fn rows() -> ArrayD<f64> {
    array![[1.0, 2.0], [3.0, 5.0], [0.5, 0.25]].into_dyn()
}

#[test]
fn a_v2_server_predicts_in_batches() {
    let (host, asked) = serve(|_, (first, _, body)| match first.starts_with("GET") {
        true => (200, "", METADATA.to_owned()),
        false => (200, "", v2_answer(body)),
    });
    let options = Options { token: Some("secret".to_owned()), ..quick() };
    let endpoint = connect(&host, "/v2/models/m", options).expect("an endpoint");
    assert_eq!((endpoint.row_shape(), endpoint.n_outputs(), endpoint.version()), (&[2][..], 2, "x 7"));
    let work = Work { batch_size: Some(2), ..Work::default() };
    let outputs = predict(&endpoint, rows().view(), &work).expect("predictions");
    assert_eq!(outputs, array![[3.0, -1.0], [8.0, -2.0], [0.75, 0.25]]);
    let asked = asked.lock().expect("no panic");
    let first_lines: Vec<&str> = asked.iter().map(|(first, ..)| first.trim()).collect();
    let infer = "POST /v2/models/m/infer HTTP/1.1";
    assert_eq!(first_lines, ["GET /v2/models/m HTTP/1.1", infer, infer, infer]);
    assert!(
        asked.iter().all(|(_, headers, _)| headers.to_lowercase().contains("authorization: bearer secret"))
    );
}

#[test]
fn a_v1_server_predicts_once_the_row_is_known() {
    let (host, asked) = serve(|_, (_, _, body)| {
        let question: serde_json::Value = serde_json::from_str(body).expect("JSON");
        let n = question["instances"].as_array().expect("rows").len();
        (200, "", serde_json::json!({"predictions": vec![0.5; n]}).to_string())
    });
    let unknown = connect(&host, "/v1/models/m:predict", quick()).err().expect("a refusal");
    assert!(unknown.to_string().contains("input_shape"), "{unknown}");
    let options = Options { row_shape: Some(vec![2]), ..quick() };
    let endpoint = connect(&host, "/v1/models/m", options).expect("an endpoint");
    let outputs = predict(&endpoint, rows().view(), &Work::default()).expect("predictions");
    assert_eq!(outputs, array![[0.5], [0.5], [0.5]]);
    let asked = asked.lock().expect("no panic");
    assert_eq!(asked[1].2, r#"{"instances":[[1.0,2.0],[3.0,5.0],[0.5,0.25]]}"#);
}

#[test]
fn what_may_pass_is_asked_again() {
    let (host, asked) = serve(|number, (first, _, body)| match (number, first.starts_with("GET")) {
        (0, _) => (503, "retry-after: 0\r\n", "busy".to_owned()),
        (2, _) => (429, "", "busy".to_owned()),
        (_, true) => (200, "", METADATA.to_owned()),
        _ => (200, "", v2_answer(body)),
    });
    let endpoint = connect(&host, "/v2/models/m", quick()).expect("an endpoint");
    assert_eq!(endpoint.n_outputs(), 2);
    assert_eq!(asked.lock().expect("no panic").len(), 4);
}

#[test]
fn what_stays_is_told_at_once() {
    let (host, asked) = serve(|_, _| (404, "", "no such model".to_owned()));
    let error = connect(&host, "/v2/models/m", quick()).err().expect("a refusal").to_string();
    assert!(error.contains("404: no such model"), "{error}");
    assert_eq!(asked.lock().expect("no panic").len(), 1);
    let (host, asked) = serve(|_, _| (503, "retry-after: 0\r\n", "busy".to_owned()));
    let error = connect(&host, "/v2/models/m", quick()).err().expect("a refusal").to_string();
    assert!(error.contains("503: busy"), "{error}");
    assert_eq!(asked.lock().expect("no panic").len(), 3);
}

#[test]
fn nothing_is_asked_again_after_the_deadline() {
    let (host, asked) = serve(|_, _| (503, "retry-after: 1\r\n", "busy".to_owned()));
    let options = Options { deadline: Some(Instant::now()), ..quick() };
    let error = connect(&host, "/v2/models/m", options).err().expect("a refusal").to_string();
    assert!(error.contains("503: busy"), "{error}");
    assert_eq!(asked.lock().expect("no panic").len(), 1);
}

#[test]
fn no_other_address_is_asked() {
    let (elsewhere, asked_elsewhere) = serve(|_, _| (200, "", METADATA.to_owned()));
    let location: &'static str = format!("location: {elsewhere}/v2/models/m\r\n").leak();
    let (host, _) = serve(move |_, _| (302, location, String::new()));
    let error = connect(&host, "/v2/models/m", quick()).err().expect("a refusal").to_string();
    assert!(error.contains("redirect, which is not followed"), "{error}");
    assert!(asked_elsewhere.lock().expect("no panic").is_empty());
}

#[test]
fn nobody_there_and_nonsense_are_told() {
    let gone = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address");
    let error = connect(&format!("http://{gone}"), "/v2/models/m", quick()).err().expect("a refusal");
    assert!(error.to_string().contains("tried 3 times"), "{error}");
    let check = |metadata: &'static str, answer: &'static str, part: &str| {
        let (host, _) = serve(move |_, (first, ..)| match first.starts_with("GET") {
            true => (200, "", metadata.to_owned()),
            false => (200, "", answer.to_owned()),
        });
        let error = connect(&host, "/v2/models/m", quick()).err().expect("a refusal").to_string();
        assert!(error.contains(part), "{error}");
    };
    check("nonsense", "", "no model metadata");
    check(r#"{"inputs": []}"#, "", "exactly one is supported");
    check(r#"{"inputs": [{"name": "a", "datatype": "FP32", "shape": [-1, -1]}]}"#, "", "input_shape");
    check(r#"{"inputs": [{"name": "a", "datatype": "BYTES", "shape": [-1, 1]}]}"#, "", "BYTES");
    check(METADATA, "{}", "none of the protocol's");
    check(METADATA, r#"{"outputs": []}"#, "no outputs");
    check(METADATA, r#"{"outputs": [{"name": "m", "shape": [2, 2], "data": [1, 2, 3, 4]}]}"#, "for 1 rows");
    check(METADATA, r#"{"outputs": [{"name": "m", "shape": [1, 1], "data": ["x"]}]}"#, "no number");
}

#[test]
fn a_prediction_that_is_no_number_is_refused_where_it_stands() {
    let (host, _) = serve(|number, (first, ..)| match (number, first.starts_with("GET")) {
        (_, true) => (200, "", METADATA.to_owned()),
        (1, _) => (200, "", r#"{"outputs": [{"name": "m", "shape": [1, 2], "data": [1, 2]}]}"#.to_owned()),
        _ => (200, "", r#"{"outputs": [{"name": "m", "shape": [1, 2], "data": [[1, null]]}]}"#.to_owned()),
    });
    let endpoint = connect(&host, "/v2/models/m", quick()).expect("an endpoint");
    let error = predict(&endpoint, array![[1.0, 2.0]].into_dyn().view(), &Work::default());
    assert!(error.expect_err("a refusal").to_string().contains("NaN at [0, 1]"));
}

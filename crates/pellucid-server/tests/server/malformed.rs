//! Malformed HTTP: an answer each, and the server goes on.

use std::io::Write;
use std::net::Shutdown;

use serde_json::json;

use crate::client::{answer, connect, raw};
use crate::harness::{Running, row, series, start};

const PREDICT: &str = "/v1/models/table:predict";

fn head(server: &Running, headers: &str) -> String {
    format!("POST {PREDICT} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n", server.address)
}

#[test]
fn what_is_no_http_is_refused() {
    let server = start();
    let check = |request: String, status: u16| {
        let answer = raw(server.address, request.as_bytes());
        assert_eq!(answer.status, status, "{request:?}");
        server.get("/healthz").expect(200);
    };
    check(head(&server, "Content-Length: many\r\n"), 400);
    check(head(&server, "Content-Length: 1\r\nContent-Length: 2\r\n"), 400);
    check(head(&server, "Content-Length\r\n"), 400);
    check(head(&server, "A b: c\r\n"), 400);
    check(head(&server, "A: b\u{0}c\r\n"), 400);
    check(head(&server, &"A: b\r\n".repeat(1_000)), 431);
    check(head(&server, &format!("A: {}\r\n", "b".repeat(1 << 20))), 431);
    check(format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(1 << 17)), 414);
    check("GET / HTTP/7.1\r\n\r\n".to_owned(), 400);
}

#[test]
fn bodies_that_break_off_are_told() {
    let server = start();
    let chunked = head(&server, "Transfer-Encoding: chunked\r\n");
    raw(server.address, format!("{chunked}zz\r\n{{}}\r\n0\r\n\r\n").as_bytes()).expect(400).says("broke off");
    raw(server.address, format!("{chunked}fffffffffffffffff\r\n").as_bytes()).expect(400).says("broke off");
    let mut stream = connect(server.address);
    write!(stream, "{}{{\"instances\"", head(&server, "Content-Length: 100\r\n")).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    answer(stream).expect(400).says("broke off");
    server.predict("table", "good", &json!([row()])).expect(200);
}

#[test]
fn paths_that_are_no_text_are_refused() {
    let server = start();
    for path in ["/v1/models/%ff%fe", "/v1/jobs/a%c3", "/dashboard/%80", "/v2/models/%e2%82/infer"] {
        server.get(path).expect(400).says("no UTF-8");
    }
    for path in ["/v1/models/%", "/v1/models/%g0", "/v1/models/a%2"] {
        server.get(path).expect(400).says("hexadecimal");
    }
    server.get("/v1/models/%74able").expect(200);
}

#[test]
fn numbers_that_are_none_and_names_that_stand_twice_are_refused() {
    let server = start();
    let json = [("Content-Type", "application/json")];
    let send = |path: &str, body: &str| server.send("POST", path, &json, body.as_bytes()).expect(400);
    send("/v1/models/words:predict", r#"{"instances": [{"attribute_2": 1, "attribute_2": 2}]}"#)
        .says("stands twice");
    send("/v1/models/words:explain", r#"{"instances": [{"attribute_2": 1, "attribute_2": 2}]}"#)
        .says("stands twice");
    send(PREDICT, r#"{"instances": [[1, 1, 1, 1, 1]], "instances": [[2, 2, 2, 2, 2]]}"#)
        .says("duplicate field");
    let infer = "/v2/models/table/infer";
    send(
        infer,
        r#"{"inputs": [{"name": "x", "shape": [1, 5], "datatype": "FP64", "data": [NaN, 1, 1, 1, 1]}]}"#,
    )
    .says("no V2 request");
    send(
        infer,
        r#"{"inputs": [{"name": "x", "shape": [1, 5], "datatype": "FP64", "data": [1e999, 1, 1, 1, 1]}]}"#,
    )
    .says("out of range");
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    send(
        infer,
        &format!(r#"{{"inputs": [{{"name": "x", "shape": [1, 5], "datatype": "FP64", "data": {deep}}}]}}"#),
    )
    .says("recursion limit");
    // A network has no missing values, and no numbers beyond single precision.
    let mut days = series(1.0);
    for (wrong, part) in [(json!(null), "no array of numbers"), (json!(1e300), "send finite numbers")] {
        days[0][0] = wrong;
        server.predict("weather", "p", &json!([days])).expect(400).says(part);
    }
}

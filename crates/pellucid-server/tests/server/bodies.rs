//! Malformed, oversized and slow requests: a clear answer each, and the server goes on.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::client::{answer, connect, raw};
use crate::harness::{Place, row, start};

const PREDICT: &str = "/v1/models/table:predict";

#[test]
fn what_is_no_request_is_told() {
    let server = start();
    let json = [("Content-Type", "application/json")];
    let check = |body: &[u8], part: &str| server.send("POST", PREDICT, &json, body).expect(400).says(part);
    check(b"", "no JSON");
    check(b"{\"instances\": [[1, 2", "no JSON");
    check(b"{\"instances\": [[NaN, 1, 1, 1, 1]]}", "no JSON");
    check(b"\xff\xfe", "no JSON");
    check(&[b'['; 100_000], "a list, expected an object");
    check(&[&b"{\"instances\": "[..], &[b'['; 100_000]].concat(), "recursion limit");
    check(b"{\"instances\": [[1e999, 1, 1, 1, 1]]}", "no JSON");
    server.send("POST", PREDICT, &[("Content-Type", "text/plain")], b"{}").expect(415).says("text/plain");
    server.send("POST", PREDICT, &[("Content-Encoding", "br")], b"{}").expect(415).says("br");
    server.send("PUT", PREDICT, &json, b"{}").expect(405);
    server.get("/nowhere").expect(404).says("nothing here");
    for broken in ["GET\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost b\r\n\r\n", "\u{0}\u{1}\r\n\r\n"] {
        assert_eq!(raw(server.address, broken.as_bytes()).status, 400);
    }
    server.predict("table", "good", &json!([row()])).expect(200);
}

#[test]
fn ids_are_opaque() {
    let server = start();
    for id in ["a/b", "../../etc/passwd", "a b", "", "%00", &"x".repeat(129)] {
        server.predict("table", id, &json!([row()])).expect(400).says("an id has");
    }
    for path in ["/v1/jobs/..%2f..%2fetc", "/v1/jobs/a.b", "/v1/explanations/%2e%2e"] {
        assert_eq!(server.get(path).status, 400, "{path}");
    }
    for path in
        ["/v1/records/-1", "/v1/records/1e3", "/v1/records/..%2f1", "/v1/records/99999999999999999999999"]
    {
        assert_eq!(server.get(path).status, 400, "{path}");
    }
    for path in ["/dashboard/../../etc/passwd", "/dashboard/..%2f..%2fetc%2fpasswd", "/dashboard//etc/passwd"]
    {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
    for model in ["..", "..%2ftable", "table%00", "table/../table"] {
        assert_eq!(server.get(&format!("/v1/models/{model}")).status, 404, "{model}");
    }
    server.post("/v1/predictions/a%2fb/feedback", &json!({ "label": 1 })).expect(400);
}

#[test]
fn bodies_are_bounded_as_they_come_and_inflated() {
    let server = Place::new().start(|options| {
        options.limits.max_body_bytes = 10_000;
        options.limits.max_inflated_bytes = 20_000;
        options.limits.max_rows = 10;
    });
    let large = vec![b' '; 10_001];
    server.send("POST", PREDICT, &[], &large).expect(413).says("larger than 10000 bytes");
    // The length is not believed, and a body without one is counted.
    let head =
        format!("POST {PREDICT} HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n", server.address);
    let chunk = format!("{:x}\r\n{}\r\n", large.len(), " ".repeat(large.len()));
    raw(server.address, format!("{head}{chunk}0\r\n\r\n").as_bytes()).expect(413);
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let send = |bytes: &[u8]| server.send("POST", PREDICT, &[("Content-Encoding", "gzip")], bytes);
    send(&gzip(&vec![b' '; 1 << 20])).expect(413).says("inflated body is larger than 20000");
    send(b"no gzip").expect(400).says("cannot be inflated");
    send(&gzip(json!({ "instances": [row()] }).to_string().as_bytes())).expect(200);
    let rows = vec![row(); 11];
    server.predict("table", "many", &json!(rows)).expect(413).says("11 rows");
}

#[test]
fn slow_clients_are_not_waited_for() {
    let server = Place::new().start(|options| {
        options.limits.body_timeout = Duration::from_millis(50);
        options.limits.head_timeout = Duration::from_millis(50);
        options.limits.max_connections = 3;
    });
    let mut slow = connect(server.address);
    write!(slow, "POST {PREDICT} HTTP/1.1\r\nHost: {}\r\nContent-Length: 100\r\n\r\n{{", server.address)
        .unwrap();
    answer(slow).expect(408).says("not here within 0.05 s");
    // One that never finishes its head is hung up on.
    let mut head = connect(server.address);
    write!(head, "GET / HTTP/1.1\r\nHost: ").unwrap();
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut head, &mut rest);
    let text = String::from_utf8_lossy(&rest);
    assert!(rest.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");
    server.predict("table", "good", &json!([row()])).expect(200);
}

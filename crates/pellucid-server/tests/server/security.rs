//! Who may ask for what.

use std::fs;

use pellucid_server::{Scope, Server, new_token};
use serde_json::{Value, json};

use crate::client::Answer;
use crate::harness::{Place, Running, row, start};

const SCOPES: [Scope; 5] = [Scope::PredictLog, Scope::Explain, Scope::Read, Scope::Audit, Scope::Admin];

struct Guarded {
    running: Running,
    tokens: Vec<(Scope, String)>,
}

impl Guarded {
    fn start() -> Self {
        let place = Place::new();
        let made = SCOPES.map(|scope| (scope, new_token(scope.name(), &[scope]).unwrap()));
        let lines: Vec<&str> = made.iter().map(|(_, (_, line))| line.as_str()).collect();
        let file = place.keys().join("tokens");
        fs::write(&file, format!("# who may what\n{}\n", lines.join("\n"))).unwrap();
        let running = place.start(|options| options.tokens = Some(file));
        Self { running, tokens: made.map(|(scope, (token, _))| (scope, token)).to_vec() }
    }

    fn send(&self, method: &str, path: &str, scope: Scope) -> Answer {
        let token = &self.tokens.iter().find(|(known, _)| *known == scope).unwrap().1;
        self.running.send(method, path, &[("Authorization", &format!("Bearer {token}"))], b"")
    }
}

/// Every route with the scope that it asks for; `None`: any token, or none at all where it is open.
fn routes() -> Vec<(String, String)> {
    let description: Value = serde_json::from_str(&pellucid_server::openapi_json().unwrap()).unwrap();
    let paths = description["paths"].as_object().unwrap().clone();
    let methods = |(path, item): (String, Value)| -> Vec<(String, String)> {
        item.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone())).collect()
    };
    paths.into_iter().flat_map(methods).collect()
}

/// What anybody may ask, and what any token opens.
const OPEN: [&str; 6] =
    ["/healthz", "/readyz", "/openapi.json", "/v2", "/v2/health/live", "/v2/health/ready"];
const ANY_TOKEN: [&str; 8] = [
    "/v1/models",
    "/v1/models/{model}",
    "/v2/models/{model}",
    "/v2/models/{model}/ready",
    "/v2/models/{model}/versions/{version}",
    "/v2/models/{model}/versions/{version}/ready",
    "/v2/repository/index",
    "",
];

fn scope_of(method: &str, path: &str) -> Option<Scope> {
    match path {
        "/v1/models/{model}" if method == "POST" => Some(Scope::PredictLog),
        _ if ANY_TOKEN.contains(&path) => None,
        _ if path.ends_with("/infer") || path.ends_with("/feedback") || path == "/v1/events" => {
            Some(Scope::PredictLog)
        }
        _ if path.starts_with("/v1/explanations") || path.starts_with("/v1/jobs") => Some(Scope::Explain),
        _ if path.ends_with("/proof") || path == "/v1/verify" || path == "/v1/checkpoint" => {
            Some(Scope::Audit)
        }
        _ => Some(Scope::Read),
    }
}

#[test]
fn every_route_asks_for_its_scope() {
    let guarded = Guarded::start();
    let routes = routes();
    assert!(routes.len() >= 27, "{routes:?}");
    for (method, path) in routes {
        let place = path
            .replace(
                "{model}",
                if path.starts_with("/v1") && method == "POST" { "table:predict" } else { "table" },
            )
            .replace("{version}", "1")
            .replace("{index}", "0")
            .replace("{name}", "overview")
            .replace("{job}", "none")
            .replace("{id}", "p");
        let without = guarded.running.send(&method, &place, &[], b"");
        if OPEN.contains(&path.as_str()) {
            assert!(![401, 403, 404, 405].contains(&without.status), "{method} {path}: {}", without.status);
            continue;
        }
        assert_eq!(
            (without.status, without.header("www-authenticate")),
            (401, Some("Bearer")),
            "{method} {path}"
        );
        let scope = scope_of(&method, &path);
        for (held, _) in &guarded.tokens {
            let status = guarded.send(&method, &place, *held).status;
            let may = scope.is_none_or(|scope| scope == *held || *held == Scope::Admin);
            assert_eq!(status == 403, !may, "{method} {path} with {}: {status}", held.name());
            assert!(status != 401 && status != 405, "{method} {path}: {status}");
        }
    }
    let wrong =
        |value: &str| guarded.running.send("GET", "/v1/models", &[("Authorization", value)], b"").expect(401);
    for value in ["Bearer", "Bearer x", "Basic abc", "bearer ", &format!("Token {}", guarded.tokens[4].1)] {
        wrong(value);
    }
}

#[test]
fn explaining_synchronously_asks_for_explain() {
    let guarded = Guarded::start();
    guarded.send("POST", "/v1/models/table:explain", Scope::PredictLog).expect(403).says("`explain`");
    guarded.send("POST", "/v1/models/table:explain", Scope::Explain).expect(400);
}

#[test]
fn others_than_this_machine_need_tokens() {
    let place = Place::new();
    let mut options = place.options();
    options.address = "0.0.0.0:0".parse().unwrap();
    let error = Server::start(options.clone()).err().unwrap().to_string();
    assert!(error.contains("with tokens only"), "{error}");
    let file = place.keys().join("tokens");
    let check = |text: &str, part: &str| {
        fs::write(&file, text).unwrap();
        let options = pellucid_server::Options { tokens: Some(file.clone()), ..options.clone() };
        let error = Server::start(options).err().unwrap().to_string();
        assert!(error.contains(part), "{error}");
    };
    check("", "holds no token");
    check("a read\n", "line 1");
    check("# fine\na write 00\n", "line 2: there is no scope `write`");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        check("a read 00\n", "others can write");
    }
}

#[test]
fn pages_elsewhere_cannot_ask_by_another_name() {
    let server = Place::new().start(|options| options.allowed_hosts = vec!["models.example".to_owned()]);
    let get = |headers: &[(&str, &str)]| server.send("GET", "/v1/models", headers, b"").status;
    let port = server.address.port();
    assert_eq!(get(&[("Host", "evil.example")]), 403);
    assert_eq!(get(&[("Host", &format!("evil.example:{port}"))]), 403);
    assert_eq!(get(&[("Host", "127.0.0.1.evil.example")]), 403);
    assert_eq!(get(&[("Host", &format!("localhost:{port}"))]), 200);
    assert_eq!(get(&[("Host", "MODELS.example")]), 200);
    assert_eq!(get(&[("Origin", "http://evil.example")]), 403);
    assert_eq!(get(&[("Origin", "null")]), 403);
    assert_eq!(get(&[("Origin", &format!("http://127.0.0.1:{port}"))]), 200);
    let absolute = format!("GET http://evil.example/v1/models HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    assert_eq!(crate::client::raw(server.address, absolute.as_bytes()).status, 403);
    let without = "GET /v1/models HTTP/1.1\r\n\r\n";
    assert_eq!(crate::client::raw(server.address, without.as_bytes()).status, 400);
}

#[test]
fn every_answer_has_the_headers_that_browsers_heed() {
    let server = start();
    for path in ["/dashboard/", "/v1/models", "/nowhere", "/v1/records/0"] {
        let answer = server.get(path);
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
        assert!(answer.header("access-control-allow-origin").is_none());
    }
    assert_eq!(server.get("/v1/models").header("cache-control"), Some("no-store"));
}

#[test]
fn callers_that_ask_too_often_are_told_when_to_come_back() {
    let server = Place::new().start(|options| {
        options.limits.requests_per_second = 0.001;
        options.limits.burst = 3.0;
    });
    for _ in 0..3 {
        server.get("/v1/models").expect(200);
    }
    let refused = server.get("/v1/models").expect(429);
    refused.says("asks too often");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() > 1);
    server.get("/healthz").expect(200);
}

#[test]
fn every_read_of_a_record_is_written_down() {
    let guarded = Guarded::start();
    let server = &guarded.running;
    let token = &guarded.tokens[4].1;
    let headers = [("Authorization", format!("Bearer {token}"))];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = json!({ "instances": [row()] }).to_string();
    server.send("POST", "/v1/models/table:predict", &headers, body.as_bytes()).expect(200);
    server.until_recorded(1);
    guarded.send("GET", "/v1/records/0", Scope::Read).expect(200);
    guarded.send("GET", "/v1/records/0/proof", Scope::Audit).expect(200);
    guarded.send("GET", "/v1/records/0", Scope::Explain).expect(403);
    guarded.send("GET", "/v1/views/predictions", Scope::Read);
    let trail = fs::read_to_string(format!("{}.audit.jsonl", server.place.log().display())).unwrap();
    let lines: Vec<Value> = trail.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<(&str, &str)> = lines
        .iter()
        .map(|line| (line["caller"].as_str().unwrap(), line["action"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("read", "record"), ("audit", "proof"), ("read", "view predictions")]);
    assert_eq!(lines[0]["of"], json!({ "index": 0 }));
    assert!(!trail.contains(token.as_str()));
}

#[test]
fn what_cannot_be_written_down_is_not_shown() {
    let place = Place::new();
    fs::create_dir(format!("{}.audit.jsonl", place.log().display())).unwrap();
    let server = place.start(|_| {});
    server.predict("table", "p", &json!([row()])).expect(200);
    server.until_recorded(1);
    server.get("/v1/records/0").expect(503).says("audit trail");
}

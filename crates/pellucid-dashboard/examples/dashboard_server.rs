//! The pages over a made-up log, for looking at them and for their tests: `dashboard_server [TABLES] [PORT]`.
//!
//! One request a connection, on this machine alone. It prints its address when it is ready.

#![allow(clippy::print_stdout, reason = "it prints its address")]

mod synthetic;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pellucid_dashboard::{Dashboard, Status, asset, view};
use pellucid_store::{Reader, Trusted, VerifyingKey, verify};
use serde_json::json;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct Server {
    log: PathBuf,
    key: VerifyingKey,
    dashboard: Arc<Dashboard>,
}

struct Answer {
    status: u16,
    content_type: String,
    body: Vec<u8>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let n: u64 = arguments.next().map_or(Ok(3_000), |it| it.parse())?;
    let port: u16 = arguments.next().map_or(Ok(0), |it| it.parse())?;
    let (folder, keys) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let made = synthetic::make(folder.path(), keys.path(), n)?;
    let dashboard = Arc::new(Dashboard::open(&made.log)?);
    let _follower = dashboard.follow(Duration::from_millis(500))?;
    let server = Server { log: made.log, key: made.key, dashboard };
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    println!("http://{}/dashboard/", listener.local_addr()?);
    std::io::stdout().flush()?;
    std::thread::scope(|scope| {
        for stream in listener.incoming().flatten() {
            let server = &server;
            scope.spawn(move || {
                // Whoever hangs up in between has no interest in the answer.
                let _ = serve(server, stream);
            });
        }
    });
    Ok(())
}

fn serve(server: &Server, mut stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let target = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
        length = match header.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                value.trim().parse().unwrap_or(0)
            }
            _ => length,
        };
    }
    reader.take(length).read_to_end(&mut Vec::new())?;
    let Answer { status, content_type, body } = answer(server, &target);
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} \r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\
         Content-Security-Policy: {POLICY}\r\nX-Content-Type-Options: nosniff\r\n\r\n"
    )?;
    stream.write_all(&body)
}

fn answer(server: &Server, target: &str) -> Answer {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let answered = match segments.as_slice() {
        ["dashboard", file @ ..] => {
            asset(&file.join("/")).map(|it| Ok((it.content_type.to_owned(), it.bytes.to_vec())))
        }
        ["v1", "views", name] => Some(shown(server, name, query)),
        ["v1", "records", index, "proof"] => Some(proof(server, index)),
        ["v1", "checkpoint"] => Some(checkpoint(server)),
        ["v1", "verify"] => Some(verified(server)),
        ["v1", "jobs"] => Some(Ok(jobs())),
        _ => None,
    };
    match answered {
        Some(Ok((content_type, body))) => Answer { status: 200, content_type, body },
        Some(Err((status, message))) => fault(status, &message),
        None => fault(404, "no such address"),
    }
}

type Answered = Result<(String, Vec<u8>), (u16, String)>;

fn fault(status: u16, message: &str) -> Answer {
    let body = json!({ "error": message }).to_string().into_bytes();
    Answer { status, content_type: "application/json".to_owned(), body }
}

fn shown(server: &Server, name: &str, query: &str) -> Answered {
    let parameters: BTreeMap<String, String> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    let shown = view(&server.dashboard, name, &parameters).map_err(|fault| {
        let status = match fault.status {
            Status::BadRequest => 400,
            Status::NotFound => 404,
            Status::Unavailable => 503,
        };
        (status, fault.message)
    })?;
    Ok(("application/json".to_owned(), shown.to_string().into_bytes()))
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, more @ ..] = rest {
        let code = std::str::from_utf8(more.get(..2).unwrap_or_default()).ok();
        let code = code.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        (bytes, rest) = match (first, code) {
            (b'%', Some(code)) => ([bytes, vec![code]].concat(), &more[2..]),
            (b'+', _) => ([bytes, vec![b' ']].concat(), more),
            _ => ([bytes, vec![*first]].concat(), more),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn unavailable(fault: pellucid_store::Error) -> (u16, String) {
    (503, fault.to_string())
}

fn proof(server: &Server, index: &str) -> Answered {
    let index = index.parse().map_err(|_| (400, "an entry is a number".to_owned()))?;
    let reader = Reader::open(&server.log).map_err(unavailable)?;
    let proof = reader.prove_inclusion(index).map_err(|fault| (404, fault.to_string()))?;
    Ok(("text/plain".to_owned(), proof.to_text().into_bytes()))
}

fn checkpoint(server: &Server) -> Answered {
    let reader = Reader::open(&server.log).map_err(unavailable)?;
    let note = reader.latest_checkpoint().map_err(unavailable)?.unwrap_or_default();
    Ok(("text/plain".to_owned(), note.into_bytes()))
}

fn verified(server: &Server) -> Answered {
    let trusted = Trusted { key: Some(&server.key), checkpoint: None };
    let report = verify(&server.log, &trusted).map_err(unavailable)?;
    let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    let told = json!({
        "passed": report.is_sound(), "n_entries": report.n_entries, "n_signed": report.n_signed, "n_payloads": report.n_payloads,
        "n_erased": report.n_erased, "n_clock_steps_back": report.n_clock_steps_back, "root": report.root.to_string(),
        "n_faults": report.n_faults, "faults": faults,
    });
    Ok(("application/json".to_owned(), told.to_string().into_bytes()))
}

fn jobs() -> (String, Vec<u8>) {
    let job = |id: &str, status: &str, n_rows: u64, n_recorded: u64, n_failed: u64| {
        json!({
            "job_id": id, "status": status, "created_micros": synthetic::START_MICROS, "model": "credit", "version": "2",
            "method": "kernel_shap", "progress": {
                "n_rows": n_rows, "n_running": 0, "n_recorded": n_recorded, "n_failed": n_failed, "n_canceled": 0,
            },
        })
    };
    let jobs =
        json!({ "jobs": [job("job-2", "running", 400, 120, 0), job("job-1", "partly_failed", 8, 7, 1)] });
    ("application/json".to_owned(), jobs.to_string().into_bytes())
}

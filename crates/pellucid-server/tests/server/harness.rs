//! A server on a folder of small models, and what tests ask of it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use pellucid_server::{Drained, Options, Server};
use pellucid_store::{Entry, Query, Reader, Record, create_key};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Answer, raw, request};

/// What a test has on the disk: models, a log, a key.
pub(crate) struct Place {
    models: TempDir,
    logs: TempDir,
    keys: TempDir,
}

/// A server and its place.
pub(crate) struct Running {
    pub(crate) server: Option<Server>,
    pub(crate) place: Place,
    pub(crate) address: SocketAddr,
}

pub(crate) fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(path)
}

impl Place {
    /// `table`: five columns, one probability. `words`: columns with categories. `weather`: series of 28 days.
    pub(crate) fn new() -> Self {
        let place = Self {
            models: tempfile::tempdir().unwrap(),
            logs: tempfile::tempdir().unwrap(),
            keys: tempfile::tempdir().unwrap(),
        };
        create_key(&place.key(), "example.com/test").unwrap();
        place.model("table", "trees/lightgbm/binary.txt", "");
        place.model("words", "trees/lightgbm/german_credit.txt", "");
        place.model("weather", "models/seattle_weather.onnx", "[explain]\noptions = { n_steps = 8 }\n");
        place
    }

    /// Puts a model into the folder.
    pub(crate) fn model(&self, name: &str, from: &str, settings: &str) -> PathBuf {
        let folder = self.models().join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::copy(fixture(from), folder.join(Path::new(from).file_name().unwrap())).unwrap();
        if !settings.is_empty() {
            fs::write(folder.join("pellucid.toml"), settings).unwrap();
        }
        folder
    }

    pub(crate) fn models(&self) -> PathBuf {
        self.models.path().to_owned()
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.logs.path().join("explanations.log")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.keys.path().join("test.key")
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.keys.path().to_owned()
    }

    pub(crate) fn options(&self) -> Options {
        let time = AtomicI64::new(1_790_000_000_000_000);
        let clock = Arc::new(move || time.fetch_add(1, Ordering::Relaxed));
        let mut options = Options::new(self.models(), self.log(), self.key(), clock);
        options.limits.log_retry = Duration::from_millis(20);
        options.limits.gathering = Duration::from_millis(2);
        options.limits.explain_threads = 1;
        options
    }

    pub(crate) fn start(self, change: impl FnOnce(&mut Options)) -> Running {
        let mut options = self.options();
        change(&mut options);
        let server = Server::start(options).unwrap();
        let address = server.address();
        Running { server: Some(server), place: self, address }
    }
}

pub(crate) fn start() -> Running {
    Place::new().start(|_| {})
}

impl Running {
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        raw(self.address, &request(self.address, method, path, headers, body))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[("Content-Type", "application/json")], body.to_string().as_bytes())
    }

    pub(crate) fn predict(&self, model: &str, id: &str, instances: &Value) -> Answer {
        let headers = [("Content-Type", "application/json"), ("X-Prediction-Id", id)];
        let body = json!({ "instances": instances }).to_string();
        self.send("POST", &format!("/v1/models/{model}:predict"), &headers, body.as_bytes())
    }

    /// All records of the log.
    pub(crate) fn records(&self) -> Vec<Record> {
        let Ok(reader) = Reader::open(&self.place.log()) else { return Vec::new() };
        let stored = reader.query(&Query::default()).unwrap();
        let record = |entry: Entry| match entry {
            Entry::Record { record, .. } => *record,
            other => panic!("{other:?}"),
        };
        stored.into_iter().map(|stored| record(stored.entry)).collect()
    }

    /// Waits until the log has so many records.
    pub(crate) fn until_recorded(&self, n: usize) -> Vec<Record> {
        until(|| self.records().len() >= n);
        let records = self.records();
        assert_eq!(records.len(), n);
        records
    }

    /// Waits until a job has ended; what it says then.
    pub(crate) fn until_ended(&self, job: &str) -> Value {
        let read = || self.get(&format!("/v1/jobs/{job}")).expect(200).json();
        until(|| !["queued", "running"].contains(&read()["status"].as_str().unwrap()));
        read()
    }

    /// The value of a metric.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").expect(200).text();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    pub(crate) fn stop(&mut self) -> Drained {
        self.server.take().unwrap().stop()
    }
}

/// A row of the table and what the library said of it.
pub(crate) struct Known {
    pub(crate) row: Value,
    pub(crate) margin: f64,
    pub(crate) probability: f64,
    /// Of the features, and the base value at the end; of the first rows only.
    pub(crate) contributions: Vec<f64>,
}

/// Rows of `table`.
pub(crate) fn known(n: usize) -> Vec<Known> {
    let text = fs::read_to_string(fixture("trees/lightgbm/binary.expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let of = |index: usize| Known {
        row: expected["rows"][index].clone(),
        margin: expected["raw"][index][0].as_f64().unwrap(),
        probability: expected["prediction"][index][0].as_f64().unwrap(),
        contributions: serde_json::from_value(expected["contributions"][index].clone()).unwrap_or_default(),
    };
    (0..n).map(of).collect()
}

/// A row of `table`.
pub(crate) fn row() -> Value {
    known(1).remove(0).row
}

/// Four weeks of weather.
pub(crate) fn series(rain: f64) -> Value {
    (0..28).map(|day| json!([rain, 10.0 + f64::from(day) / 4.0, 4.0, 3.0])).collect()
}

/// Waits for what has to come.
pub(crate) fn until(what: impl Fn() -> bool) {
    for _ in 0..6_000 {
        if what() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it never came");
}

/// Where explaining threads wait until a test lets them pass.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<(bool, usize)>, Condvar)>);

impl Gate {
    pub(crate) fn hold(&self, options: &mut Options) {
        let gate = self.clone();
        options.before_explaining = Some(Arc::new(move || gate.wait()));
    }

    fn wait(&self) {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap();
        state.1 += 1;
        changed.notify_all();
        drop(changed.wait_while(state, |state| !state.0).unwrap());
    }

    /// Waits until somebody waits here.
    pub(crate) fn until_reached(&self) {
        let (state, changed) = &*self.0;
        drop(changed.wait_while(state.lock().unwrap(), |state| state.1 == 0).unwrap());
    }

    pub(crate) fn open(&self) {
        self.0.0.lock().unwrap().0 = true;
        self.0.1.notify_all();
    }
}

//! Records and payloads for tests.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::json;

use crate::digest::Digest;
use crate::key::create_key;
use crate::log::{Log, Options, Pending};
use crate::note::VerifyingKey;
use crate::payload::{Array, Payload, Values};
use crate::reader::Reader;
use crate::record::{Check, Decision, Record, RecordedModel};
use crate::verify::{Report, Trusted, verify};

/// The `i`th record of a series: one second apart, two methods in turn.
pub(crate) fn record(i: u64) -> Record {
    let model = RecordedModel {
        name: "credit".to_owned(),
        version: "7".to_owned(),
        digest: Digest(*b"modelmodelmodelmodelmodelmodelmo"),
    };
    let method = if i.is_multiple_of(2) { "tree_shap" } else { "lime" };
    let mut record =
        Record::new(&format!("p-{i}"), 1_790_000_000_000_000 + i as i64 * 1_000_000, model, method);
    record.prediction = vec![0.1, 2.0];
    record.comparability_key = format!("key of {method}");
    record
}

/// A record with every field.
pub(crate) fn full_record() -> Record {
    let mut record = record(0);
    record.prediction_id = "p-1".to_owned();
    record.method = "kernel_shap".to_owned();
    record.parameters.insert("n_samples".to_owned(), json!(2048));
    record.parameters.insert("link".to_owned(), json!("logit"));
    record.seed = Some(u64::MAX);
    record.checks = BTreeMap::from([("completeness".to_owned(), Check { passed: true, value: Some(1e-9) })]);
    record.runtime_fingerprint = "rten 0.27".to_owned();
    record.comparability_key = "key".to_owned();
    record.inclusion_probability = 0.25;
    record.decision = Some(Decision {
        outcome: "refused".to_owned(),
        by: "clerk-4".to_owned(),
        timestamp_micros: 1_790_000_000_000_009,
        reason: None,
    });
    record
}

/// The payload of the `i`th record; tells which it is by its numbers.
pub(crate) fn payload(i: u64) -> Payload {
    let row: Vec<f32> = (0..4).map(|feature| (i * 10 + feature) as f32).collect();
    let attribution: Vec<f64> = row.iter().map(|&x| f64::from(x) / 7.0).collect();
    Payload {
        input_digest: Digest::of(&[&i.to_le_bytes()]),
        input: vec![Array::new("x", &[1, 4], Values::F32(row)).expect("fits")],
        attribution: vec![Array::new("x", &[1, 4], Values::F64(attribution)).expect("fits")],
        details: json!({ "base_value": 0.5 }),
    }
}

/// A log and its key, in two folders.
pub(crate) struct Place {
    logs: tempfile::TempDir,
    keys: tempfile::TempDir,
    pub(crate) key: VerifyingKey,
}

impl Place {
    pub(crate) fn new() -> Self {
        let [logs, keys] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        let key = create_key(&keys.path().join("log.key"), "example.com/log").expect("a new file");
        Self { logs, keys, key }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.logs.path().join("test.log")
    }

    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.logs.path().join(name)
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.keys.path().join("log.key")
    }

    /// Open for writing, with a checkpoint every four entries.
    pub(crate) fn open(&self) -> Log {
        Log::open(&self.path(), &self.key_file(), &Options { checkpoint_every: 4, ..Options::default() })
            .expect("a log")
    }

    /// A closed log of `n` records; its last checkpoint.
    pub(crate) fn filled(&self, n: u64) -> String {
        let log = self.open();
        // A checkpoint ends what is written together; four at a time, and it comes after every fourth.
        for first in (0..n).step_by(4) {
            append(&log, first..n.min(first + 4));
        }
        log.close().expect("signed")
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::open(&self.path()).expect("a log")
    }

    pub(crate) fn verify(&self) -> Report {
        self.verify_against(None)
    }

    pub(crate) fn verify_against(&self, checkpoint: Option<&str>) -> Report {
        verify(&self.path(), &Trusted { key: Some(&self.key), checkpoint }).expect("a report")
    }

    /// Does what triggers forbid, and leaves no trace of how.
    pub(crate) fn tamper(&self, change: impl FnOnce(&Connection)) {
        let connection = Connection::open(self.path()).expect("a database");
        let triggers: Vec<(String, String)> = connection
            .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            .and_then(|mut it| it.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .expect("triggers");
        for (name, _) in &triggers {
            connection.execute_batch(&format!("DROP TRIGGER {name}")).expect("dropped");
        }
        change(&connection);
        for (_, sql) in &triggers {
            connection.execute_batch(sql).expect("made again");
        }
    }
}

/// All of them wait for the disk together.
pub(crate) fn append(log: &Log, numbers: std::ops::Range<u64>) {
    let pending: Vec<Pending> = numbers.map(|i| log.submit(&record(i), &payload(i)).expect("room")).collect();
    for pending in pending {
        pending.wait().expect("room on the disk");
    }
}

//! A log in a process of its own, to which something happens, while a ledger outside of it notes what was acknowledged.

#![allow(clippy::expect_used, reason = "a broken expectation is what a test reports")]

#[cfg(target_os = "linux")]
mod disk;
mod kill;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use pellucid_store::{
    Array, Digest, Entry, Log, Options, Payload, Query, Reader, Record, RecordedModel, Values, VerifyingKey,
    create_key, read_verifying_key,
};

/// Id, record and payload of one append: what is found later must be exactly this.
fn appended(id: &str) -> (Record, Payload) {
    let digest = Digest::of(&[id.as_bytes()]);
    let model = RecordedModel { name: "m".into(), version: "1".into(), digest };
    let numbers = Values::F64(digest.0.iter().map(|&byte| f64::from(byte)).collect());
    let input = Array::new("x", &[32], numbers).expect("fits");
    let payload = Payload {
        input_digest: digest,
        input: vec![input.clone()],
        attribution: vec![input; 20],
        details: serde_json::json!(id),
    };
    (Record::new(id, 1, model, "saliency"), payload)
}

/// A folder for a log and a key outside of it; the log's path, and the verifying key.
fn made(folder: &Path) -> (PathBuf, VerifyingKey) {
    std::fs::create_dir(folder.join("log")).expect("a folder");
    create_key(&folder.join("key"), "example.com/process").expect("a key");
    (folder.join("log/log"), read_verifying_key(&folder.join("key")).expect("a key"))
}

fn open(folder: &Path) -> Log {
    let options = Options { checkpoint_every: 10, ..Options::default() };
    Log::open(&folder.join("log/log"), &folder.join("key"), &options)
        .expect("the log opens after every fault")
}

/// In the child: tells the parent.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes()).and_then(|()| out.flush()).expect("the parent listens");
}

/// What the ledger knows: which ids were tried, and where those lie that were acknowledged.
#[derive(Default)]
struct Ledger {
    tried: BTreeSet<String>,
    acknowledged: BTreeMap<String, u64>,
}

impl Ledger {
    /// Whole lines only; the end of the process may have cut the last one.
    fn note(&mut self, line: &str) {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["try", id, "."] => drop(self.tried.insert(id.to_owned())),
            ["acknowledged", id, index, "."] => {
                self.acknowledged.insert(id.to_owned(), index.parse().expect("a number"));
            }
            _ => {}
        }
    }
}

/// All records are as they were appended, and all are there that were acknowledged; gives their ids.
fn check(reader: &Reader, ledger: &Ledger) -> BTreeSet<String> {
    let all = reader.query(&Query { limit: u64::MAX, ..Query::default() }).expect("readable");
    let mut found = BTreeMap::new();
    for stored in &all {
        let Entry::Record { record, .. } = &stored.entry else { continue };
        let id = record.prediction_id.clone();
        let (expected, payload) = appended(&id);
        assert_eq!(**record, expected);
        assert_eq!(reader.payload(stored.index), Ok(payload), "{id}");
        assert!(ledger.tried.contains(&id), "{id} was never appended");
        assert_eq!(found.insert(id, stored.index), None, "twice in the log");
    }
    for (id, index) in &ledger.acknowledged {
        assert_eq!(found.get(id), Some(index), "{id} was acknowledged");
    }
    found.into_keys().collect()
}

//! A process that appends is killed again and again, while a ledger outside of it notes what was acknowledged.

#![allow(clippy::expect_used, reason = "a broken expectation is what a test reports")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pellucid_store::{
    Array, Digest, Entry, Log, Options, Payload, Query, Reader, Record, RecordedModel, Trusted, Values,
    create_key, read_verifying_key, verify,
};

const FOLDER: &str = "PELLUCID_STORE_KILL_FOLDER";
const ROUND: &str = "PELLUCID_STORE_KILL_ROUND";
const N_KILLS: u64 = 20;
const N_WRITERS: u64 = 4;

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

fn open(folder: &Path) -> Log {
    let options = Options { checkpoint_every: 10, ..Options::default() };
    Log::open(&folder.join("log/log"), &folder.join("key"), &options).expect("the log opens after every kill")
}

/// In the child: appends from several threads until it is killed, and says before and after each append.
fn append_until_killed(folder: &Path, round: &str) {
    let log = open(folder);
    let say = |line: String| {
        let mut out = std::io::stdout().lock();
        out.write_all(line.as_bytes()).and_then(|()| out.flush()).expect("the parent listens");
    };
    std::thread::scope(|scope| {
        for writer in 0..N_WRITERS {
            let (log, say) = (&log, &say);
            scope.spawn(move || {
                for i in 0.. {
                    let id = format!("{round}-{writer}-{i}");
                    let (record, payload) = appended(&id);
                    say(format!("\ntry {id} .\n"));
                    let index = log.append(&record, &payload).expect("room").index;
                    say(format!("\nacknowledged {id} {index} .\n"));
                }
            });
        }
    });
}

/// What the ledger knows: which ids were tried, and where those lie that were acknowledged.
#[derive(Default)]
struct Ledger {
    tried: BTreeSet<String>,
    acknowledged: BTreeMap<String, u64>,
}

impl Ledger {
    /// Whole lines only; the kill may have cut the last one.
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

fn start(folder: &Path, round: u64) -> Child {
    let own = std::env::current_exe().expect("a test runs from a file");
    Command::new(own)
        .args(["--exact", "nothing_acknowledged_is_lost_and_nothing_invented", "--nocapture"])
        .env(FOLDER, folder)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the test starts itself")
}

/// Lets the child write for a while, a little longer in each round, and kills it.
fn run_and_kill(folder: &Path, round: u64, ledger: &mut Ledger) {
    let mut child = start(folder, round);
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let before = ledger.acknowledged.len();
    // The clock starts when the first is acknowledged: a loaded machine takes its time to start a process.
    while ledger.acknowledged.len() == before {
        let line = lines.next().expect("the child appends").expect("text");
        ledger.note(&line);
    }
    std::thread::sleep(Duration::from_millis(1 + round * 7 % 50));
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    lines.map_while(Result::ok).for_each(|line| ledger.note(&line));
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_invented() {
    if let (Ok(folder), Ok(round)) = (std::env::var(FOLDER), std::env::var(ROUND)) {
        return append_until_killed(Path::new(&folder), &round);
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("log")).expect("a folder");
    create_key(&folder.path().join("key"), "example.com/killed").expect("a key");
    let key = read_verifying_key(&folder.path().join("key")).expect("a key");
    let path = folder.path().join("log/log");
    let mut ledger = Ledger::default();
    let mut kept: Option<String> = None;
    for round in 0..N_KILLS {
        run_and_kill(folder.path(), round, &mut ledger);
        let trusted = Trusted { key: Some(&key), checkpoint: kept.as_deref() };
        let report = verify(&path, &trusted).expect("a report");
        assert!(report.is_sound(), "round {round}: {:?}", report.faults);
        kept = Reader::open(&path).and_then(|it| it.latest_checkpoint()).expect("readable").or(kept);
    }
    drop(open(folder.path()));
    check(&Reader::open(&path).expect("a log"), &ledger);
}

fn check(reader: &Reader, ledger: &Ledger) {
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
    assert!(ledger.acknowledged.len() as u64 >= N_KILLS);
}

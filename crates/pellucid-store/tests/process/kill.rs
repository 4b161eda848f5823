//! A process that appends is killed again and again, while a ledger outside of it notes what was acknowledged.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pellucid_store::{Reader, Trusted, verify};

use crate::{Ledger, appended, check, made, open, say};

const FOLDER: &str = "PELLUCID_STORE_KILL_FOLDER";
const ROUND: &str = "PELLUCID_STORE_KILL_ROUND";
const N_KILLS: u64 = 20;
const N_WRITERS: u64 = 4;

/// In the child: appends from several threads until it is killed, and says before and after each append.
fn append_until_killed(folder: &Path, round: &str) {
    let log = open(folder);
    std::thread::scope(|scope| {
        for writer in 0..N_WRITERS {
            let log = &log;
            scope.spawn(move || {
                for i in 0.. {
                    let id = format!("{round}-{writer}-{i}");
                    let (record, payload) = appended(&id);
                    say(&format!("\ntry {id} .\n"));
                    let index = log.append(&record, &payload).expect("room").index;
                    say(&format!("\nacknowledged {id} {index} .\n"));
                }
            });
        }
    });
}

fn start(folder: &Path, round: u64) -> Child {
    let own = std::env::current_exe().expect("a test runs from a file");
    Command::new(own)
        .args(["--exact", "kill::nothing_acknowledged_is_lost_and_nothing_invented", "--nocapture"])
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
    let (path, key) = made(folder.path());
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
    assert!(ledger.acknowledged.len() as u64 >= N_KILLS);
}

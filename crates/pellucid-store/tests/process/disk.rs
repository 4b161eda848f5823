//! Writes fail, as on a full or broken disk, and work again: the same writer goes on.
//!
//! The system lets the process write no file beyond a length (`RLIMIT_FSIZE`), and lifts the limit while it runs.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};

use pellucid_store::{Error, Reader, Trusted, verify};

use crate::{Ledger, appended, check, made, open, say};

const FOLDER: &str = "PELLUCID_STORE_DISK_FOLDER";
/// The write-ahead log reaches it after some dozen records.
const LIMIT_BYTES: u64 = 1 << 20;
/// Appends that fail before the limit is lifted, and that follow after.
const N_REFUSED: usize = 5;
const N_AFTER: usize = 30;

/// In the child: appends, says what came of each, and ends in order when enough came after the faults.
fn append_until_recovered(folder: &Path) {
    let log = open(folder);
    let (mut n_refused, mut n_after) = (0, 0);
    for i in 0.. {
        let id = format!("{i}");
        let (record, payload) = appended(&id);
        say(&format!("\ntry {id} .\n"));
        match log.append(&record, &payload) {
            Ok(appended) => {
                say(&format!("\nacknowledged {id} {} .\n", appended.index));
                n_after += usize::from(n_refused > 0);
            }
            Err(fault @ (Error::Full { .. } | Error::Sqlite { .. })) => {
                say(&format!("\nrefused {id} {fault}\n"));
                n_refused += 1;
                // What is there can be read all the while.
                let n = log.reader().and_then(|reader| reader.n_entries()).expect("readable");
                assert_eq!(n, i - n_refused as u64 + 1);
                if n_refused == N_REFUSED {
                    // The parent lifts the limit before it answers.
                    std::io::stdin().read_line(&mut String::new()).expect("an answer");
                }
            }
            Err(fault) => panic!("{fault}"),
        }
        if n_after == N_AFTER {
            break;
        }
    }
    say(&format!("\nclosed {} .\n", log.close().is_ok()));
}

/// What the child says until a line that begins so.
fn until(lines: &mut Lines<BufReader<ChildStdout>>, start: &str, ledger: &mut Ledger) -> String {
    loop {
        let line = lines.next().expect("the child goes on").expect("text");
        ledger.note(&line);
        if line.starts_with(start) {
            return line;
        }
    }
}

#[test]
fn when_writes_fail_nothing_acknowledged_is_lost_and_the_writer_goes_on() {
    if let Ok(folder) = std::env::var(FOLDER) {
        return append_until_recovered(Path::new(&folder));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (path, key) = made(folder.path());
    // Without the signal, a write beyond the limit is an error as any other.
    let script = format!("trap '' XFSZ; exec prlimit --fsize={LIMIT_BYTES}:unlimited \"$0\" \"$@\"");
    let mut child = Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().expect("a test runs from a file"))
        .args(["--exact", "disk::when_writes_fail_nothing_acknowledged_is_lost_and_the_writer_goes_on"])
        .arg("--nocapture")
        .env(FOLDER, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the test starts itself");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let (mut ledger, mut refused) = (Ledger::default(), Vec::new());
    for _ in 0..N_REFUSED {
        let line = until(&mut lines, "refused", &mut ledger);
        assert!(line.contains("log/log: ") && line.contains("disk"), "{line}");
        refused.extend(line.split(' ').nth(1).map(str::to_owned));
    }
    let before = ledger.acknowledged.len();
    assert!(before >= 10, "{before}");
    // What was acknowledged is proven while the disk is full, too: beyond the last checkpoint there are a few.
    let trusted = Trusted { key: Some(&key), checkpoint: None };
    let report = verify(&path, &trusted).expect("a report");
    assert!(report.is_sound() && report.n_entries as usize == before, "{:?}", report.faults);
    let pid = child.id().to_string();
    let lifted = Command::new("prlimit").args(["--fsize=unlimited:unlimited", "--pid", &pid]).status();
    assert!(lifted.expect("prlimit runs").success());
    drop(child.stdin.take());
    assert_eq!(until(&mut lines, "closed", &mut ledger), "closed true .");
    assert!(child.wait().expect("it ends").success());
    assert_eq!(ledger.acknowledged.len(), before + N_AFTER);
    let report = verify(&path, &trusted).expect("a report");
    assert!(report.is_sound(), "{:?}", report.faults);
    assert_eq!(report.n_signed, report.n_entries);
    let found = check(&Reader::open(&path).expect("a log"), &ledger);
    assert!(refused.iter().all(|id| !found.contains(id)), "what was refused is not there");
}

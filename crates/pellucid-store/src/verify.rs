//! A log → what is wrong with it, by name: the whole file, and against a checkpoint that was kept elsewhere.

mod payloads;
mod report;
mod walk;

use std::path::Path;

use rusqlite::Connection;

use crate::checkpoint::Checkpoint;
use crate::error::Error;
use crate::note::VerifyingKey;
use crate::reader::Reader;
use crate::schema;
use report::Faults;
pub use report::{Fault, FaultKind, Place, Report};
use walk::{Signed, Walk};

/// What the verifier brings along, because the log cannot be asked for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trusted<'a> {
    /// The key that is to have signed the log. Without it the log's own word is taken, so that a log that was made
    /// anew with another key is noticed by an older checkpoint alone.
    pub key: Option<&'a VerifyingKey>,
    /// An older checkpoint of the log: it must still be its beginning.
    pub checkpoint: Option<&'a str>,
}

/// Reads the whole log and reports every fault: entries and hashes that were changed, payloads that are not those they
/// were, another history, an older copy, another key.
///
/// ```no_run
/// use pellucid_store::{Trusted, VerifyingKey, verify};
/// let key = VerifyingKey::parse("example.com/credit+…")?;
/// let report = verify("credit.log".as_ref(), &Trusted { key: Some(&key), checkpoint: None })?;
/// for fault in &report.faults {
///     println!("{fault}");
/// }
/// # Ok::<(), pellucid_store::Error>(())
/// ```
///
/// # Errors
/// Where there is no report to give: no log, too damaged to be opened, or an older checkpoint that is none.
pub fn verify(path: &Path, trusted: &Trusted<'_>) -> Result<Report, Error> {
    let reader = Reader::open(path)?;
    // One state of the log, however much is appended meanwhile.
    let snapshot = reader.connection.unchecked_transaction().map_err(Error::sqlite(path, "opening it"))?;
    let mut faults = Faults::default();
    check_structure(&snapshot, &mut faults);
    let claimed = schema::key_in(path, &snapshot)?;
    let key = match trusted.key {
        Some(key) => key.clone(),
        None => VerifyingKey::parse(&claimed)?,
    };
    if claimed != key.to_string() {
        faults.add(Place::Log, FaultKind::SwappedKey, format!("the log names {claimed}, expected {key}"));
    }
    let older =
        trusted.checkpoint.map(|note| older_checkpoint(note, &key, &mut faults)).transpose()?.flatten();
    let signed = signed_checkpoints(&snapshot, &key, &mut faults);
    Walk::new(&snapshot, signed, older, faults).run()
}

fn check_structure(connection: &Connection, faults: &mut Faults) {
    // First: what follows would run what somebody put there.
    match schema::altered_objects(connection) {
        Ok(altered) => {
            for name in altered {
                faults.add(
                    Place::Log,
                    FaultKind::Structure,
                    format!("`{name}` is not as the log was made with it"),
                );
            }
        }
        Err(fault) => faults.add(Place::Log, FaultKind::Structure, fault.to_string()),
    }
    let problems = || {
        let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        rows.collect::<rusqlite::Result<Vec<String>>>()
    };
    match problems() {
        Ok(problems) => {
            for problem in problems.into_iter().filter(|problem| problem != "ok") {
                faults.add(Place::Log, FaultKind::Structure, problem);
            }
        }
        Err(fault) => faults.add(Place::Log, FaultKind::Structure, fault.to_string()),
    }
}

/// The older checkpoint, or a fault where another key signed it.
fn older_checkpoint(
    note: &str,
    key: &VerifyingKey,
    faults: &mut Faults,
) -> Result<Option<Checkpoint>, Error> {
    match Checkpoint::open(note, key) {
        Ok(checkpoint) => Ok(Some(checkpoint)),
        Err(Error::OtherSigner { signed_by, expected, .. }) => {
            let what = format!("the older checkpoint was signed by {signed_by}, not by {expected}");
            faults.add(Place::Log, FaultKind::SwappedKey, what);
            Ok(None)
        }
        Err(fault) => Err(fault),
    }
}

/// What the log's own checkpoints say, smallest first; those that prove nothing are faults.
fn signed_checkpoints(connection: &Connection, key: &VerifyingKey, faults: &mut Faults) -> Vec<Signed> {
    let read = || {
        let mut statement =
            connection.prepare("SELECT n_entries, note FROM checkpoint ORDER BY n_entries")?;
        let rows = statement.query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, String::from_utf8_lossy(row.get_ref(1)?.as_bytes()?).into_owned()))
        })?;
        rows.collect::<rusqlite::Result<Vec<(i64, String)>>>()
    };
    let rows = match read() {
        Ok(rows) => rows,
        Err(fault) => {
            faults.add(Place::Log, FaultKind::Structure, format!("its checkpoints cannot be read: {fault}"));
            return Vec::new();
        }
    };
    let mut signed = Vec::new();
    for (n, note) in rows {
        let place = Place::Checkpoint(n.unsigned_abs());
        match Checkpoint::open(&note, key) {
            Ok(checkpoint) if i64::try_from(checkpoint.n_entries) == Ok(n) => {
                signed.push(Signed { n_entries: checkpoint.n_entries, root: checkpoint.root });
            }
            Ok(checkpoint) => {
                let what = format!("it was signed for {} entries", checkpoint.n_entries);
                faults.add(place, FaultKind::Signature, what);
            }
            Err(Error::OtherSigner { signed_by, expected, .. }) => {
                let what = format!("signed by {signed_by}, not by {expected}");
                faults.add(place, FaultKind::SwappedKey, what);
            }
            Err(fault) => faults.add(place, FaultKind::Signature, fault.to_string()),
        }
    }
    signed
}

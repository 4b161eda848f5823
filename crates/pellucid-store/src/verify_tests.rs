//! What somebody who can write the file may do to a log, and what verification says to it.

use std::fs::{self, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use rusqlite::{Connection, params};

use crate::testing::{Place, append};
use crate::*;

/// Place and kind of each fault.
fn found(report: &Report) -> Vec<(crate::Place, FaultKind)> {
    report.faults.iter().map(|fault| (fault.place, fault.kind)).collect()
}

fn entry(index: u64) -> crate::Place {
    crate::Place::Entry(index)
}

/// Another prediction in an entry's bytes.
fn change_entry(connection: &Connection, index: u64) -> Vec<u8> {
    let bytes: Vec<u8> = connection
        .query_row("SELECT bytes FROM entry WHERE entry_index = ?1", [index as i64], |row| row.get(0))
        .expect("there");
    let text = String::from_utf8(bytes).expect("JSON").replace("[0.1,2]", "[0.9,2]");
    let change = "UPDATE entry SET bytes = ?1 WHERE entry_index = ?2";
    connection.execute(change, params![text.as_bytes(), index as i64]).expect("changed");
    text.into_bytes()
}

/// The same, with the tree made anew: without the key that is all that can be done.
fn rewrite_entry(connection: &Connection, index: u64) {
    let hash = entry_hash(&change_entry(connection, index)).0;
    let change = "UPDATE hash SET hash = ?1 WHERE level = 0 AND node_index = ?2";
    connection.execute(change, params![hash, index as i64]).expect("changed");
}

fn check_tampered(n: u64, change: impl FnOnce(&Connection), expected: &[(crate::Place, FaultKind)]) {
    let place = Place::new();
    place.filled(n);
    place.tamper(change);
    let report = place.verify();
    assert_eq!(found(&report), expected, "{:?}", report.faults);
    assert!(!report.is_sound());
}

#[test]
fn each_change_is_named() {
    use FaultKind as Kind;
    let sql = |change: &'static str| move |it: &Connection| it.execute_batch(change).expect("changed");
    check_tampered(10, |it| drop(change_entry(it, 3)), &[(entry(3), Kind::Entry)]);
    check_tampered(10, |it| drop(change_entry(it, 9)), &[(entry(9), Kind::Entry)]);
    check_tampered(
        10,
        sql("UPDATE hash SET hash = zeroblob(32) WHERE node_index = 5"),
        &[(entry(5), Kind::Hash)],
    );
    check_tampered(10, sql("DELETE FROM payload WHERE entry_index = 2"), &[(entry(2), Kind::Payload)]);
    check_tampered(
        10,
        sql("UPDATE payload SET salt = zeroblob(32) WHERE entry_index = 2"),
        &[(entry(2), Kind::Payload)],
    );
    check_tampered(
        10,
        sql(
            "UPDATE payload SET (salt, n_bytes, deflated) = (SELECT salt, n_bytes, deflated FROM payload WHERE entry_index = 1) \
             WHERE entry_index = 2",
        ),
        &[(entry(2), Kind::Payload)],
    );
    check_tampered(
        10,
        sql("UPDATE entry SET method = 'lime' WHERE entry_index = 4"),
        &[(entry(4), Kind::Column)],
    );
    check_tampered(
        10,
        sql("UPDATE entry SET timestamp_micros = 0 WHERE entry_index = 4"),
        &[(entry(4), Kind::Column)],
    );
    let missing = (crate::Place::Entries { first: 4, end: 5 }, Kind::Entry);
    let stray = (crate::Place::Log, Kind::Payload);
    check_tampered(10, sql("DELETE FROM entry WHERE entry_index = 4"), &[missing, stray]);
    let signature = (crate::Place::Checkpoint(8), Kind::Signature);
    check_tampered(
        10,
        sql(
            "UPDATE checkpoint SET note = replace(note, char(10) || '8' || char(10), char(10) || '9' || char(10)) WHERE n_entries = 8",
        ),
        &[signature],
    );
    let cut = sql("DELETE FROM entry WHERE entry_index = 9; DELETE FROM hash WHERE node_index = 9; \
                   DELETE FROM payload WHERE entry_index = 9");
    check_tampered(10, cut, &[(crate::Place::Checkpoint(10), Kind::RolledBack)]);
}

#[test]
fn missing_triggers_and_stray_tables_are_named() {
    let place = Place::new();
    place.filled(3);
    let connection = Connection::open(place.path()).expect("a database");
    connection.execute_batch("DROP TRIGGER entry_is_kept; CREATE TABLE more (x)").expect("changed");
    let report = place.verify();
    let words: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    assert_eq!(words.len(), 2);
    assert!(words[0].starts_with("log: damaged database: `entry_is_kept`"), "{words:?}");
    assert!(words[1].contains("`more`"), "{words:?}");
}

/// Names that look like one of the log's own, or of SQLite's.
#[test]
fn objects_that_hide_behind_a_known_name_are_named() {
    let hidden = [
        ("CREATE TRIGGER payload AFTER DELETE ON payload BEGIN SELECT 1; END", "payload"),
        ("CREATE TABLE sqliteXautoindex_1 (x)", "sqliteXautoindex_1"),
        ("CREATE VIEW erased AS SELECT * FROM payload", "erased"),
        ("DROP INDEX erasures; CREATE INDEX erasures ON entry (entry_index)", "erasures"),
    ];
    for (change, name) in hidden {
        let place = Place::new();
        place.filled(1);
        Connection::open(place.path()).and_then(|it| it.execute_batch(change)).expect("changed");
        let report = place.verify();
        assert_eq!(found(&report), [(crate::Place::Log, FaultKind::Structure)], "{change}");
        assert!(report.faults[0].what.contains(&format!("`{name}`")), "{:?}", report.faults);
    }
}

#[test]
fn the_hash_of_a_whole_tile_is_checked_too() {
    let place = Place::new();
    let log = place.open();
    append(&log, 0..260);
    log.close().expect("signed");
    assert!(place.verify().is_sound());
    place.tamper(|it| {
        it.execute_batch("UPDATE hash SET hash = zeroblob(32) WHERE level = 8").expect("changed")
    });
    let tile = crate::Place::Entries { first: 0, end: 256 };
    assert_eq!(found(&place.verify()), [(tile, FaultKind::Hash)]);
}

#[test]
fn history_rewritten_without_the_key_is_noticed() {
    for (index, first, end) in [(3, 0, 4), (5, 4, 8), (9, 8, 10)] {
        let place = Place::new();
        place.filled(10);
        place.tamper(|it| rewrite_entry(it, index));
        let report = place.verify();
        let rewritten = (crate::Place::Entries { first, end }, FaultKind::Rewritten);
        assert_eq!(found(&report), [rewritten]);
        assert_eq!(report.n_signed, first);
        let log = Log::open(&place.path(), &place.key_file(), &Options::default());
        assert!(matches!(log, Err(Error::Damaged { .. })), "nothing is signed on top of it");
    }
}

/// Without its checkpoints a rewritten log agrees with itself; a checkpoint kept elsewhere tells.
#[test]
fn history_rewritten_and_stripped_of_checkpoints_needs_an_older_one() {
    let place = Place::new();
    let kept = place.filled(10);
    place.tamper(|it| {
        rewrite_entry(it, 3);
        it.execute_batch("DELETE FROM checkpoint").expect("deleted");
    });
    let report = place.verify();
    assert!(report.is_sound());
    assert_eq!(report.n_signed, 0, "and says that nothing vouches for it");
    let rewritten = (crate::Place::Entries { first: 0, end: 10 }, FaultKind::Rewritten);
    assert_eq!(found(&place.verify_against(Some(&kept))), [rewritten]);
}

#[test]
fn an_older_copy_is_noticed_by_a_newer_checkpoint() {
    let place = Place::new();
    let first = place.filled(6);
    fs::copy(place.path(), place.beside("copy")).expect("copied");
    let log = place.open();
    append(&log, 6..9);
    let second = log.close().expect("signed");
    assert!(place.verify_against(Some(&first)).is_sound());
    assert!(place.verify_against(Some(&second)).is_sound());

    fs::copy(place.beside("copy"), place.path()).expect("copied");
    assert!(place.verify_against(Some(&first)).is_sound());
    let report = place.verify_against(Some(&second));
    assert_eq!(found(&report), [(crate::Place::Log, FaultKind::RolledBack)]);
    assert!(report.faults[0].what.contains("6 entries, the older checkpoint 9"), "{:?}", report.faults);

    // Whoever goes on from the older copy, with the key alone, makes another history.
    fs::remove_file(place.key_file().with_extension("key.signed")).expect("there");
    let log = place.open();
    append(&log, 20..25);
    drop(log);
    let rewritten = (crate::Place::Entries { first: 0, end: 9 }, FaultKind::Rewritten);
    assert_eq!(found(&place.verify_against(Some(&second))), [rewritten]);
}

#[test]
fn a_log_made_anew_with_another_key_is_told_apart() {
    let (place, forger) = (Place::new(), Place::new());
    let kept = place.filled(6);
    forger.filled(6);
    fs::copy(forger.path(), place.path()).expect("copied");
    let by_key = place.verify();
    assert!(by_key.faults.iter().all(|fault| fault.kind == FaultKind::SwappedKey), "{:?}", by_key.faults);
    assert!(by_key.n_faults >= 2 && by_key.n_signed == 0);
    // Somebody who has no key of their own, but an older checkpoint.
    let trusted = Trusted { key: None, checkpoint: Some(&kept) };
    let by_checkpoint = verify(&place.path(), &trusted).expect("a report");
    assert_eq!(found(&by_checkpoint), [(crate::Place::Log, FaultKind::SwappedKey)]);
    assert!(verify(&place.path(), &Trusted::default()).expect("a report").is_sound());
    // A checkpoint that somebody altered is no evidence against the log.
    let altered = kept.replacen("\n6\n", "\n7\n", 1);
    let trusted = Trusted { key: Some(&place.key), checkpoint: Some(&altered) };
    assert!(matches!(verify(&place.path(), &trusted), Err(Error::Untrue { .. })));
}

#[test]
fn checkpoints_signed_anew_by_another_key_are_told_apart() {
    let (place, forger) = (Place::new(), Place::new());
    place.filled(4);
    let note = forger.filled(4);
    place.tamper(|it| {
        it.execute("UPDATE checkpoint SET note = ?1 WHERE n_entries = 4", [note]).expect("changed");
    });
    assert_eq!(found(&place.verify()), [(crate::Place::Checkpoint(4), FaultKind::SwappedKey)]);
}

#[test]
fn an_erased_payload_that_is_back_is_named() {
    let place = Place::new();
    let log = place.open();
    append(&log, 0..4);
    let copy = "CREATE TEMP TABLE kept AS SELECT * FROM payload WHERE entry_index = 1";
    let connection = Connection::open(place.path()).expect("a database");
    connection.execute_batch(copy).expect("copied");
    log.erase(&[1], "asked to", 0).expect("erased");
    drop(log);
    assert!(place.verify().is_sound());
    connection.execute_batch("INSERT INTO payload SELECT * FROM kept").expect("put back");
    drop(connection);
    assert_eq!(found(&place.verify()), [(entry(1), FaultKind::Payload)]);
}

/// Everything that can be read from a log.
fn contents(path: &Path) -> Result<Vec<String>, Error> {
    let reader = Reader::open(path)?;
    let mut all = vec![format!("{:?} {:?}", reader.claimed_key()?, reader.latest_checkpoint()?)];
    for stored in reader.query(&Query { records_only: false, ..Query::default() })? {
        let payload = reader.payload(stored.index);
        all.push(format!(
            "{} {stored:?} {payload:?}",
            String::from_utf8_lossy(&reader.entry_bytes(stored.index)?)
        ));
        let again = reader
            .query(&Query { prediction_id: Some(format!("p-{}", stored.index)), ..Query::default() })?;
        all.push(format!("{again:?}"));
        if let Ok(proof) = reader.prove_inclusion(stored.index) {
            all.push(proof.to_text());
        }
    }
    Ok(all)
}

/// A closed log in one file of small pages, with an erasure.
fn small_log(place: &Place) {
    let log = place.open();
    append(&log, 0..4);
    log.erase(&[1], "asked to", 0).expect("erased");
    append(&log, 4..5);
    log.close().expect("signed");
    let connection = Connection::open(place.path()).expect("a database");
    let pack = "PRAGMA journal_mode = DELETE; PRAGMA page_size = 1024; VACUUM";
    connection.execute_batch(pack).expect("packed");
}

/// Flips a bit, looks, and flips it back.
fn with_flipped<T>(path: &Path, byte: usize, bit: usize, look: impl FnOnce() -> T) -> T {
    let flip = || {
        let mut file = OpenOptions::new().read(true).write(true).open(path).expect("there");
        let mut value = [0];
        file.seek(SeekFrom::Start(byte as u64)).and_then(|_| file.read_exact(&mut value)).expect("within");
        value[0] ^= 1 << bit;
        file.seek(SeekFrom::Start(byte as u64)).and_then(|_| file.write_all(&value)).expect("within");
    };
    flip();
    let seen = look();
    flip();
    seen
}

/// A flipped bit anywhere in the file is a fault, or of no meaning: then everything reads as before.
#[test]
fn a_flipped_bit_is_found_or_means_nothing() {
    let place = Place::new();
    small_log(&place);
    let trusted = Trusted { key: Some(&place.key), checkpoint: None };
    assert!(verify(&place.path(), &trusted).expect("a report").is_sound());
    let before = contents(&place.path()).expect("readable");
    let file = fs::read(place.path()).expect("there");
    // Most of a file of small tables is free space: zeros between zeros.
    let is_free =
        |byte: &usize| file[byte.saturating_sub(8)..file.len().min(byte + 8)].iter().all(|&it| it == 0);
    let (free, used): (Vec<usize>, Vec<usize>) = (0..file.len()).partition(is_free);
    let bytes = free.into_iter().step_by(step(151)).chain(used.into_iter().step_by(step(53)));
    let (mut n_found, mut n_harmless) = (0, 0);
    for byte in bytes {
        let unharmed = with_flipped(&place.path(), byte, byte % 8, || {
            let passes = verify(&place.path(), &trusted).is_ok_and(|report| report.is_sound());
            // Reading what is damaged may fail, but not panic.
            let after = contents(&place.path());
            passes.then_some(after)
        });
        match unharmed {
            Some(after) => {
                assert_eq!(after.as_ref(), Ok(&before), "byte {byte}");
                n_harmless += 1;
            }
            None => n_found += 1,
        }
    }
    assert!(n_found > 50 && n_harmless > 10, "{n_found} found, {n_harmless} harmless");
}

/// One byte in so many is flipped; each of them where `PELLUCID_EVERY_BYTE` is set, which takes minutes.
fn step(usual: usize) -> usize {
    if std::env::var_os("PELLUCID_EVERY_BYTE").is_some() { 1 } else { usual }
}

/// Where the bit lies in an entry, a salt, a payload or a hash, the entry is named.
#[test]
fn a_flipped_bit_names_its_entry() {
    let place = Place::new();
    small_log(&place);
    let file = fs::read(place.path()).expect("there");
    let connection = Connection::open(place.path()).expect("a database");
    let blobs: Vec<(u64, Vec<u8>)> = connection
        .prepare(
            "SELECT entry_index, bytes FROM entry UNION ALL SELECT entry_index, salt FROM payload \
             UNION ALL SELECT entry_index, deflated FROM payload UNION ALL SELECT node_index, hash FROM hash",
        )
        .and_then(|mut it| it.query_map([], |row| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?)))?.collect())
        .expect("read");
    drop(connection);
    assert_eq!(blobs.len(), 6 + 4 + 4 + 6);
    for (index, blob) in blobs {
        // SQLite leaves older copies in the free parts of its pages, where a flip means nothing.
        let places = file.windows(blob.len()).enumerate().filter(|(_, window)| *window == blob);
        let places: Vec<usize> = places.map(|(at, _)| at).collect();
        for byte in (0..blob.len()).step_by(step(41)) {
            let reports =
                places.iter().map(|at| with_flipped(&place.path(), at + byte, byte % 8, || place.verify()));
            let faults: Vec<Fault> = reports.flat_map(|report| report.faults).collect();
            // An erasure that cannot be read explains no missing payload.
            let follows = |fault: &Fault| index == 4 && fault.place == entry(1);
            let named = faults.iter().all(|it| it.place == entry(index) || follows(it));
            assert!(named, "byte {byte} of entry {index}: {faults:?}");
            // A bit of compressed bytes may mean nothing: the header says how hard they were compressed.
            let may_be_harmless = blob.starts_with(&[0x78]);
            assert!(may_be_harmless || !faults.is_empty(), "byte {byte} of entry {index}");
        }
    }
}

//! Appending, reading, erasing and exporting, on real files.

use std::collections::BTreeSet;
use std::fs;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use rusqlite::Connection;
use sha2::Sha256;

use crate::testing::{Place, append, payload, record};
use crate::*;

#[test]
fn what_was_appended_is_read_back() {
    let place = Place::new();
    let log = place.open();
    append(&log, 0..10);
    let reader = log.reader().expect("a log");
    for i in 0..10 {
        let stored = reader.entry(i).expect("there");
        assert!(matches!(stored.entry, Entry::Record { record: found, .. } if *found == record(i)));
        assert_eq!(reader.payload(i), Ok(payload(i)));
    }
    assert!(matches!(reader.entry(10), Err(Error::NoEntry { index: 10, .. })));
    assert_eq!(reader.claimed_key().as_ref(), Ok(&place.key));
    assert_eq!(
        log.close().as_deref(),
        Ok(place.reader().latest_checkpoint().expect("read").expect("signed").as_str())
    );
    assert!(place.verify().is_sound());
}

#[test]
fn threads_that_append_at_once_get_places_of_their_own() {
    let place = Place::new();
    let log = place.open();
    let indices: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8_u64)
            .map(|writer| {
                let log = &log;
                let append = |i| (i, log.append(&record(i), &payload(i)).expect("room").index);
                scope.spawn(move || (writer * 10..writer * 10 + 10).map(append).collect::<Vec<_>>())
            })
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().expect("no panic")).collect()
    });
    let places: BTreeSet<u64> = indices.iter().map(|(_, index)| *index).collect();
    assert_eq!(places, (0..80).collect());
    let reader = log.reader().expect("a log");
    assert!(indices.iter().all(|&(i, index)| reader.payload(index) == Ok(payload(i))));
}

#[test]
fn submitted_entries_share_a_write_and_keep_their_order() {
    let place = Place::new();
    let log = place.open();
    let pending: Vec<Pending> =
        (0..600).map(|i| log.submit(&record(i), &payload(i)).expect("room")).collect();
    for (i, pending) in (0..).zip(pending) {
        assert_eq!(pending.wait().map(|it| it.index), Ok(i));
    }
    drop(log);
    let report = place.verify();
    assert!(report.is_sound(), "{:?}", report.faults);
    assert_eq!(report.n_entries, 600);
}

#[test]
fn a_second_writer_is_refused_and_readers_are_not() {
    let place = Place::new();
    let log = place.open();
    append(&log, 0..1);
    let second = Log::open(&place.path(), &place.key_file(), &Options::default());
    assert_eq!(second.err(), Some(Error::SecondWriter { path: place.path() }));
    let reader = place.reader();
    assert_eq!(reader.n_entries(), Ok(1));
    append(&log, 1..2);
    assert_eq!(reader.n_entries(), Ok(2));
    drop(log);
    assert!(Log::open(&place.path(), &place.key_file(), &Options::default()).is_ok());
}

/// Whoever removes the lock file by hand gets two writers, but never two histories.
#[test]
fn a_writer_that_was_overtaken_stops() {
    let place = Place::new();
    let one = place.open();
    append(&one, 0..2);
    fs::remove_file(place.beside("test.log.lock")).expect("there");
    let other = place.open();
    append(&other, 2..3);
    let refused = one.append(&record(3), &payload(3));
    assert_eq!(refused, Err(Error::SecondWriter { path: place.path() }));
    append(&other, 3..4);
    drop((one, other));
    assert!(place.verify().is_sound());
}

#[test]
fn a_log_takes_no_other_key_and_no_other_database() {
    let (place, other) = (Place::new(), Place::new());
    place.filled(3);
    let fault = Log::open(&place.path(), &other.key_file(), &Options::default()).expect_err("refused");
    assert!(fault.to_string().contains("but the log was made with example.com/log+"), "{fault}");
    let foreign = place.beside("foreign");
    Connection::open(&foreign).and_then(|it| it.execute_batch("CREATE TABLE t (x)")).expect("a database");
    for opened in
        [Reader::open(&foreign).err(), Log::open(&foreign, &place.key_file(), &Options::default()).err()]
    {
        assert!(matches!(opened, Some(Error::Refused { .. })), "{opened:?}");
    }
    assert!(matches!(Reader::open(&place.beside("none")), Err(Error::File { .. })));
    fs::write(place.beside("text"), "not a database, but long enough to look at".repeat(20))
        .expect("written");
    assert!(matches!(Reader::open(&place.beside("text")), Err(Error::Damaged { .. })));
}

#[test]
fn the_file_itself_refuses_changes() {
    let place = Place::new();
    place.filled(3);
    let connection = Connection::open(place.path()).expect("a database");
    for change in [
        "UPDATE entry SET bytes = x'00'",
        "DELETE FROM entry",
        "UPDATE hash SET hash = x'00'",
        "DELETE FROM hash",
        "UPDATE payload SET salt = x'00'",
        "UPDATE checkpoint SET note = ''",
        "DELETE FROM checkpoint",
        "UPDATE about SET value = ''",
        "DELETE FROM about",
    ] {
        assert!(connection.execute_batch(change).is_err(), "{change}");
    }
}

#[test]
fn a_refused_record_leaves_no_trace() {
    let place = Place::new();
    let log = place.open();
    let mut wrong = record(0);
    wrong.prediction = vec![f64::INFINITY];
    assert!(matches!(log.append(&wrong, &payload(0)), Err(Error::Refused { .. })));
    append(&log, 0..1);
    assert_eq!(log.reader().and_then(|it| it.n_entries()), Ok(1));
}

/// Each condition alone, and all of them, against a filter over everything.
#[test]
fn queries_find_what_a_filter_finds() {
    let place = Place::new();
    place.filled(40);
    let all = place.reader().query(&Query::default()).expect("read");
    assert_eq!(all.len(), 40);
    let time = |i: i64| 1_790_000_000_000_000 + i * 1_000_000;
    let some = |text: &str| Some(text.to_owned());
    let check = |query: Query, keep: &dyn Fn(&Record) -> bool, n: usize| {
        let expected: Vec<Stored> = all
            .iter()
            .filter(|stored| matches!(&stored.entry, Entry::Record { record, .. } if keep(record)))
            .cloned()
            .collect();
        assert_eq!(expected.len(), n);
        assert_eq!(place.reader().query(&query), Ok(expected));
    };
    let all_of = Query::default;
    check(Query { prediction_id: some("p-7"), ..all_of() }, &|it| it.prediction_id == "p-7", 1);
    check(Query { method: some("lime"), ..all_of() }, &|it| it.method == "lime", 20);
    check(Query { model_name: some("credit"), model_version: some("7"), ..all_of() }, &|_| true, 40);
    check(Query { model_digest: some("00"), ..all_of() }, &|_| false, 0);
    check(Query { comparability_key: some("key of lime"), ..all_of() }, &|it| it.method == "lime", 20);
    check(
        Query { since_micros: Some(time(5)), until_micros: Some(time(9)), ..all_of() },
        &|it| (time(5)..time(9)).contains(&it.timestamp_micros),
        4,
    );
    let both = Query { method: some("lime"), since_micros: Some(time(30)), ..all_of() };
    check(both, &|it| it.method == "lime" && it.timestamp_micros >= time(30), 5);
    check(Query { prediction_id: some("' OR 1 = 1 --"), ..all_of() }, &|_| false, 0);
    let page = place.reader().query(&Query { from_index: 10, limit: 3, ..all_of() }).expect("read");
    assert_eq!(page.iter().map(|it| it.index).collect::<Vec<_>>(), [10, 11, 12]);
}

#[test]
fn of_two_explanations_of_a_prediction_the_newest_holds() {
    let place = Place::new();
    let log = place.open();
    append(&log, 0..4);
    append(&log, 2..3);
    let reader = place.reader();
    let current = reader.current("p-2", "key of tree_shap").expect("read").expect("there");
    assert_eq!(current.index, 4);
    assert_eq!(reader.current("p-2", "key of lime"), Ok(None));
}

#[test]
fn labels_and_decisions_that_come_late_are_found_by_prediction() {
    let place = Place::new();
    let log = place.open();
    append(&log, 0..3);
    let feedback = |label: &str| Feedback {
        prediction_id: "p-1".into(),
        timestamp_micros: 1_790_000_000_000_009,
        label: Some(label.into()),
        decision: None,
    };
    for label in ["unknown", "repaid"] {
        log.append_feedback(&feedback(label)).expect("room");
    }
    let reader = place.reader();
    let entries: Vec<Entry> =
        reader.feedback("p-1").expect("read").into_iter().map(|stored| stored.entry).collect();
    assert_eq!(entries, ["unknown", "repaid"].map(|label| Entry::Feedback(feedback(label))));
    assert_eq!(reader.feedback("p-2"), Ok(vec![]));
    assert_eq!(
        reader.query(&Query { prediction_id: Some("p-1".into()), ..Query::default() }).map(|it| it.len()),
        Ok(1)
    );
    assert!(reader.payload(3).expect_err("none").to_string().contains("is of kind feedback"));
    assert!(log.erase(&[3], "wrong", 0).is_err());
    log.close().expect("signed");
    let report = place.verify();
    assert!(report.is_sound(), "{:?}", report.faults);
}

#[test]
fn proofs_hold_without_the_log_and_for_nothing_else() {
    let place = Place::new();
    let log = place.open();
    append(&log, 0..3);
    let old = log.checkpoint().expect("signed");
    append(&log, 3..11);
    log.checkpoint().expect("signed");
    let reader = place.reader();
    for index in 0..11 {
        let proof = reader.prove_inclusion(index).expect("covered");
        assert_eq!(InclusionProof::parse(&proof.to_text()), Ok(proof.clone()));
        let bytes = reader.entry_bytes(index).expect("there");
        assert_eq!(proof.check(&bytes, &place.key).map(|it| it.n_entries), Ok(11));
        let other = reader.entry_bytes((index + 1) % 11).expect("there");
        assert!(proof.check(&other, &place.key).is_err());
        assert!(proof.check(&bytes, &Place::new().key).is_err());
    }
    let old = Checkpoint::open(&old, &place.key).expect("signed");
    let proof = reader.prove_consistency(3).expect("covered");
    assert_eq!(ConsistencyProof::parse(&proof.to_text()), Ok(proof.clone()));
    assert_eq!(proof.check(&old, &place.key).map(|it| it.n_entries), Ok(11));
    let forged = Checkpoint { root: Digest([1; 32]), ..old.clone() };
    assert!(proof.check(&forged, &place.key).is_err());
    let empty = Checkpoint { n_entries: 0, root: Digest::of(&[]), ..old };
    assert!(reader.prove_consistency(0).expect("covered").check(&empty, &place.key).is_ok());
    append(&log, 11..12);
    assert!(reader.prove_inclusion(11).expect_err("not covered").to_string().contains("sign one"));
}

#[test]
fn proof_files_that_were_cut_or_stretched_are_refused() {
    let place = Place::new();
    place.filled(9);
    let reader = place.reader();
    let text = reader.prove_inclusion(4).expect("covered").to_text();
    let bytes = reader.entry_bytes(4).expect("there");
    let proves =
        |text: &str| InclusionProof::parse(text).is_ok_and(|proof| proof.check(&bytes, &place.key).is_ok());
    assert!(proves(&text));
    assert!(proves(&text.replace("index 4", "extra AAAA\nindex 4")));
    for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
        assert!(!proves(&text[..end]), "cut at {end}");
    }
    for byte in 0..text.len() {
        let mut flipped = text.clone().into_bytes();
        flipped[byte] ^= 1 << (byte % 8);
        assert!(!String::from_utf8(flipped).is_ok_and(|text| proves(&text)), "byte {byte}");
    }
    for (from, to) in
        [("index 4", "index 5"), ("index 4", "index 04"), ("v1\n", "v2\n"), ("\n\n", "\nAAAA\n\n")]
    {
        assert!(!proves(&text.replacen(from, to, 1)), "{to}");
    }
}

/// What the files of the log hold, all of them.
fn all_bytes(place: &Place) -> Vec<u8> {
    let names = ["test.log", "test.log-wal", "test.log-shm"];
    names.iter().flat_map(|name| fs::read(place.beside(name)).unwrap_or_default()).collect()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn an_erased_payload_is_gone_from_the_files_and_proofs_stay() {
    let place = Place::new();
    let log = place.open();
    append(&log, 0..8);
    let (salt, deflated): (Vec<u8>, Vec<u8>) = Connection::open(place.path())
        .and_then(|it| {
            let query = "SELECT salt, deflated FROM payload WHERE entry_index = 3";
            it.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?)))
        })
        .expect("there");
    assert!(contains(&all_bytes(&place), &salt) && contains(&all_bytes(&place), &deflated));
    let proof = place.reader().prove_inclusion(3).expect("covered");

    let erased = log.erase(&[3, 5, 4, 3], "asked to by subject 17", 1_790_000_100_000_000).expect("erased");
    assert_eq!(erased, Erased { entries: vec![8], n_payloads: 3, overwritten: true });
    assert!(!contains(&all_bytes(&place), &salt) && !contains(&all_bytes(&place), &deflated));
    let reader = place.reader();
    assert_eq!(reader.payload(3), Err(Error::Erased { index: 3, by: 8 }));
    assert_eq!(reader.payload(2), Ok(payload(2)));
    assert!(proof.check(&reader.entry_bytes(3).expect("there"), &place.key).is_ok());
    let tombstone = Entry::Erasure(Erasure {
        records: vec![[3, 6]],
        reason: "asked to by subject 17".into(),
        timestamp_micros: 1_790_000_100_000_000,
    });
    assert_eq!(reader.entry(8).map(|it| it.entry), Ok(tombstone));

    let again = log.erase(&[4], "again", 0).expect("nothing to do");
    assert_eq!((again.entries, again.n_payloads), (vec![], 0));
    for (index, reason) in [(8, "is of kind erasure"), (99, "the log has 9 entries")] {
        let fault = log.erase(&[0, index], "wrong", 0).expect_err("no record");
        assert!(fault.to_string().contains(reason), "{fault}");
    }
    assert_eq!(reader.payload(0), Ok(payload(0)));
    log.close().expect("signed");
    let report = place.verify();
    assert!(report.is_sound(), "{:?}", report.faults);
    assert_eq!((report.n_payloads, report.n_erased), (5, 3));
}

/// Erasing moves rows between pages, which may leave copies behind: none may be left of what was erased.
#[test]
fn erasing_here_and_there_leaves_no_copy() {
    let place = Place::new();
    let log = place.open();
    append(&log, 0..600);
    let salts: Vec<Vec<u8>> = Connection::open(place.path())
        .and_then(|it| {
            let mut all = it.prepare("SELECT salt FROM payload ORDER BY entry_index")?;
            all.query_map([], |row| row.get(0))?.collect()
        })
        .expect("there");
    for round in 0..7 {
        let some: Vec<u64> = (0..600).filter(|i| i * 7_919 % 11 == round || (*i < 40 * round)).collect();
        assert!(log.erase(&some, "here and there", 0).expect("erased").overwritten);
    }
    let bytes = all_bytes(&place);
    let windows: BTreeSet<&[u8]> = bytes.windows(32).collect();
    let reader = place.reader();
    let left = (0_u64..)
        .zip(&salts)
        .filter(|(i, salt)| reader.payload(*i).is_err() && windows.contains(salt.as_slice()));
    assert_eq!(left.map(|(i, _)| i).collect::<Vec<_>>(), [0_u64; 0]);
}

/// The lock file remembers what a writer that was killed, or that had no room, could not do.
#[test]
fn what_could_not_be_overwritten_is_made_up_for() {
    let place = Place::new();
    let log = place.open();
    append(&log, 0..4);
    let lock = place.beside("test.log.lock");
    let marked = || fs::metadata(&lock).expect("there").len() == 1;
    let reader = place.reader();
    let snapshot = reader.connection.unchecked_transaction().expect("begun");
    reader.payload(1).expect("there");
    assert!(!log.erase(&[1], "asked to", 0).expect("erased").overwritten && marked());
    drop(log);
    assert!(marked(), "the reader is still there");
    drop(snapshot);
    drop(reader);
    drop(place.open());
    assert!(!marked());
}

/// A reader that still looks at the state before keeps the old pages alive; the log says so, and makes up for it.
#[test]
fn an_erasure_under_a_reader_is_overwritten_when_the_reader_is_gone() {
    let place = Place::new();
    let log = place.open();
    append(&log, 0..4);
    let reader = place.reader();
    let snapshot = reader.connection.unchecked_transaction().expect("begun");
    assert_eq!(reader.payload(1), Ok(payload(1)));
    let erased = log.erase(&[1], "asked to", 0).expect("erased");
    assert!(!erased.overwritten);
    assert_eq!(reader.payload(1), Ok(payload(1)));
    drop(snapshot);
    drop(reader);
    assert!(log.erase(&[2], "asked to", 0).expect("erased").overwritten);
}

#[test]
fn retention_drops_payloads_and_breaks_no_proof() {
    let place = Place::new();
    let log = place.open();
    append(&log, 0..30);
    let old = log.checkpoint().expect("signed");
    let since = Retention::Since(1_790_000_000_000_000 + 10_000_000);
    assert_eq!(log.retain(since, "older than ten", 1).map(|it| it.n_payloads), Ok(10));
    let lime = Retention::Rule(&|record: &Record| record.method == "lime");
    assert_eq!(log.retain(lime, "only lime", 2).map(|it| it.n_payloads), Ok(10));
    let reader = place.reader();
    let chosen = |index: &u64| {
        let hash = entry_hash(&reader.entry_bytes(*index).expect("there")).0;
        u64::from_be_bytes(*hash.first_chunk().expect("32 bytes")) % 3 == 0
    };
    // Records 11, 13 … 29 were left; which of them are chosen depends on their salts.
    let n = (11..30).step_by(2).filter(|index| !chosen(index)).count() as u64;
    assert_eq!(log.retain(Retention::OneIn(3), "one in three", 3).map(|it| it.n_payloads), Ok(n));
    assert_eq!(log.retain(Retention::OneIn(3), "one in three", 4).map(|it| it.n_payloads), Ok(0));
    assert!(log.retain(Retention::OneIn(0), "", 5).is_err());
    log.close().expect("signed");
    let report = place.verify_against(Some(&old));
    assert!(report.is_sound(), "{:?}", report.faults);
    assert_eq!((report.n_payloads, report.n_erased), (10 - n, 20 + n));
    for index in 0..30 {
        let proof = reader.prove_inclusion(index).expect("covered");
        assert!(proof.check(&reader.entry_bytes(index).expect("there"), &place.key).is_ok());
    }
}

#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let place = Place::new();
    append(&place.open(), 0..1);
    let room = Options { max_file_bytes: Some(140_000), checkpoint_every: 4 };
    let log = Log::open(&place.path(), &place.key_file(), &room).expect("a log");
    let mut n = 1;
    let fault = loop {
        match log.append(&record(n), &payload(n)) {
            Ok(appended) => assert_eq!(appended.index, n),
            Err(fault) => break fault,
        }
        n += 1;
    };
    assert!(matches!(fault, Error::Full { .. }), "{fault}");
    assert!(fault.to_string().contains("make room and append again"), "{fault}");
    assert!(n > 10);
    // The writer lives on, readers too, and there is room again as soon as somebody makes it.
    assert!(matches!(log.append(&record(n), &payload(n)), Err(Error::Full { .. })));
    assert_eq!(log.reader().and_then(|it| it.payload(n - 1)), Ok(payload(n - 1)));
    drop(log);
    assert_eq!(place.reader().n_entries(), Ok(n));
    append(&place.open(), n..n + 5);
    let report = place.verify();
    assert!(report.is_sound(), "{:?}", report.faults);
    assert_eq!(report.n_entries, n + 5);
}

#[test]
fn a_clock_that_goes_back_is_told_and_changes_no_order() {
    let place = Place::new();
    let log = place.open();
    let at = |seconds: i64| {
        let mut it = record(0);
        it.timestamp_micros += seconds * 1_000_000;
        it
    };
    let behind: Vec<u64> = [10, 11, 4, 12]
        .map(|seconds| log.append(&at(seconds), &payload(0)).expect("room").clock_behind_micros)
        .to_vec();
    assert_eq!(behind, [0, 0, 7_000_000, 0]);
    drop(log);
    let log = place.open();
    assert_eq!(log.append(&at(0), &payload(0)).map(|it| it.clock_behind_micros), Ok(12_000_000));
    let early = Query { until_micros: Some(at(5).timestamp_micros), ..Query::default() };
    let found = log.reader().and_then(|it| it.query(&early)).expect("read");
    assert_eq!(found.iter().map(|it| it.index).collect::<Vec<_>>(), [2, 4]);
    drop(log);
    let report = place.verify();
    assert!(report.is_sound(), "{:?}", report.faults);
    assert_eq!(report.n_clock_steps_back, 2);
}

/// The exported files alone, read by somebody who knows the two formats and nothing of this crate.
#[test]
fn an_export_is_the_log_as_static_files() {
    let place = Place::new();
    let log = place.open();
    append(&log, 0..300);
    log.checkpoint().expect("signed");
    let folder = place.beside("export");
    let exported = place.reader().export(&folder).expect("exported");
    assert_eq!(exported, Exported { n_entries: 300, n_new_files: 5 });
    let file = |name: &str| fs::read(folder.join(name)).expect("exported");

    let mut oracle: MemoryBackedTree<Sha256, Vec<u8>> = MemoryBackedTree::new();
    for bundle in [file("tile/entries/000"), file("tile/entries/001.p/44")] {
        let mut rest = &bundle[..];
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let (entry, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
            oracle.push(entry.to_vec());
            rest = after;
        }
    }
    assert_eq!(oracle.len(), 300);
    let note = String::from_utf8(file("checkpoint")).expect("text");
    let checkpoint = Checkpoint::open(&note, &place.key).expect("signed");
    assert_eq!(checkpoint.root.0, oracle.root().as_bytes()[..]);
    let mut hashes = file("tile/0/000");
    assert_eq!(hashes.len(), 8_192);
    let full: MemoryBackedTree<Sha256, Vec<u8>> =
        oracle.items()[..256].iter().cloned().fold(MemoryBackedTree::new(), |mut tree, entry| {
            tree.push(entry);
            tree
        });
    assert_eq!(file("tile/1/000.p/1"), full.root().as_bytes()[..]);
    hashes.extend(file("tile/0/001.p/44"));
    let of_entries = oracle.items().iter().map(|entry| entry_hash(entry).0);
    assert!(hashes.chunks(32).eq(of_entries.collect::<Vec<_>>().iter().map(|hash| &hash[..])));

    assert_eq!(place.reader().export(&folder).map(|it| it.n_new_files), Ok(0));
    append(&log, 300..301);
    log.checkpoint().expect("signed");
    assert_eq!(place.reader().export(&folder).map(|it| it.n_new_files), Ok(2));
    let other = Place::new();
    other.filled(301);
    assert!(matches!(other.reader().export(&folder), Err(Error::Damaged { .. })));
}

//! One pass over the entries, from the first to the last, with the tree that they make.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::payloads::{Erasures, PayloadCount, StoredPayload, check_payload};
use super::report::{FaultKind, Faults, Place, Report};
use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::entry::Entry;
use crate::error::Error;
use crate::stored;
use crate::tree::{Frontier, Node, TILE_HEIGHT, entry_hash};

/// A true checkpoint.
pub(super) struct Signed {
    pub(super) n_entries: u64,
    pub(super) root: Digest,
}

/// Two trees grow side by side: of the entries, and of the hashes stored for them. Where they part, the next signed root
/// tells which of both was changed.
pub(super) struct Walk<'a> {
    connection: &'a Connection,
    faults: Faults,
    of_entries: Frontier,
    of_hashes: Frontier,
    /// Entries whose stored hash is another, since the last signed root that was met.
    parted: Vec<u64>,
    /// Smallest first.
    signed: std::iter::Peekable<std::vec::IntoIter<Signed>>,
    older: Option<Checkpoint>,
    n_signed: u64,
    rewritten: bool,
    newest_micros: i64,
    n_clock_steps_back: u64,
    erasures: Erasures,
    payloads: PayloadCount,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        signed: Vec<Signed>,
        older: Option<Checkpoint>,
        mut faults: Faults,
    ) -> Self {
        let erasures = Erasures::read(connection, &mut faults);
        Self {
            connection,
            faults,
            of_entries: Frontier::default(),
            of_hashes: Frontier::default(),
            parted: Vec::new(),
            signed: signed.into_iter().peekable(),
            older,
            n_signed: 0,
            rewritten: false,
            newest_micros: i64::MIN,
            n_clock_steps_back: 0,
            erasures,
            payloads: PayloadCount::default(),
        }
    }

    pub(super) fn run(mut self) -> Result<Report, Error> {
        self.meet_checkpoints();
        if let Err(fault) = self.walk() {
            let n = self.of_entries.n_entries();
            let what = format!("from entry {n} on, nothing can be read: {fault}");
            self.faults.add(Place::Entry(n), FaultKind::Structure, what);
        }
        self.finish();
        Ok(Report {
            n_entries: self.of_entries.n_entries(),
            root: self.of_entries.root(),
            n_signed: self.n_signed,
            n_payloads: self.payloads.n_present,
            n_erased: self.payloads.n_erased,
            n_clock_steps_back: self.n_clock_steps_back,
            faults: self.faults.named,
            n_faults: self.faults.n,
        })
    }

    fn walk(&mut self) -> rusqlite::Result<()> {
        let query = "SELECT entry.entry_index, bytes, kind, timestamp_micros, prediction_id, model_name, model_version, \
             model_digest, method, comparability_key, salt, n_bytes, deflated FROM entry \
             LEFT JOIN payload ON payload.entry_index = entry.entry_index ORDER BY entry.entry_index";
        let mut statement = self.connection.prepare(query)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let index = row.get::<_, i64>(0)?;
            let expected = self.of_entries.n_entries();
            match u64::try_from(index) {
                Ok(index) if index >= expected => self.stand_in_for(expected, index),
                _ => {
                    let what = format!("there is an entry {index} where entry {expected} should be");
                    self.faults.add(Place::Entry(expected), FaultKind::Structure, what);
                    continue;
                }
            }
            self.visit(row)?;
        }
        Ok(())
    }

    /// Entries that are missing between `from` and `to`; their hashes hold their places.
    fn stand_in_for(&mut self, from: u64, to: u64) {
        if from == to {
            return;
        }
        let end = to.min(from + 1_000_000);
        self.faults.add(Place::Entries { first: from, end: to }, FaultKind::Entry, "missing");
        for index in from..end {
            let hash = self.stored_hash(0, index).unwrap_or(Digest([0; 32]));
            self.push(hash, hash);
        }
    }

    fn visit(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        let index = self.of_entries.n_entries();
        let bytes = row.get_ref(1)?.as_bytes().unwrap_or(&[]);
        let hash = entry_hash(bytes);
        let stored = self.stored_hash(0, index);
        if stored != Some(hash) {
            self.parted.push(index);
        }
        match Entry::parse(bytes) {
            Ok(entry) => {
                self.check_columns(index, &entry, row)?;
                self.check_time(&entry);
                let payload = StoredPayload::of(row)?;
                check_payload(index, &entry, payload, &self.erasures, &mut self.payloads, &mut self.faults);
            }
            // Where the bytes are not those that were hashed, that says more.
            Err(reason) if stored == Some(hash) => {
                self.faults.add(
                    Place::Entry(index),
                    FaultKind::Entry,
                    format!("cannot be read: it {reason}"),
                );
            }
            Err(_) => {}
        }
        self.push(hash, stored.unwrap_or(hash));
        Ok(())
    }

    fn push(&mut self, of_entry: Digest, of_hash: Digest) {
        let nodes = self.of_entries.push(of_entry);
        let others = self.of_hashes.push(of_hash);
        for (node, other) in nodes.iter().zip(&others).skip(1) {
            self.check_node(node, other);
        }
        self.meet_checkpoints();
    }

    /// A stored hash of a whole tile: it must be that of the entries, or of the hashes below it.
    fn check_node(&mut self, node: &Node, other: &Node) {
        if !node.level.is_multiple_of(TILE_HEIGHT) {
            return;
        }
        let stored = self.stored_hash(node.level, node.index);
        if stored != Some(node.hash) && stored != Some(other.hash) {
            let (first, end) = (node.index << node.level, (node.index + 1) << node.level);
            let what = format!("the hash over these {} entries is another", 1_u64 << node.level);
            self.faults.add(Place::Entries { first, end }, FaultKind::Hash, what);
        }
    }

    fn stored_hash(&self, level: u8, index: u64) -> Option<Digest> {
        let path = std::path::Path::new("");
        stored::hash(path, self.connection, level, index).ok()
    }

    /// Compares with every signed root of this size.
    fn meet_checkpoints(&mut self) {
        let n = self.of_entries.n_entries();
        while let Some(signed) = self.signed.next_if(|signed| signed.n_entries <= n) {
            if signed.n_entries == n {
                self.meet(&signed);
            }
        }
        if let Some(older) = self.older.take_if(|older| older.n_entries == n) {
            let roots = [self.of_entries.root(), self.of_hashes.root()];
            if !roots.contains(&older.root) {
                let what = format!("the first {n} entries are not those of the older checkpoint");
                self.faults.add(Place::Entries { first: 0, end: n }, FaultKind::Rewritten, what);
            }
        }
    }

    fn meet(&mut self, signed: &Signed) {
        if self.rewritten {
            return;
        }
        if self.of_entries.root() == signed.root {
            for index in std::mem::take(&mut self.parted) {
                let what = "the hash that is stored for it is another; the entry itself is proven";
                self.faults.add(Place::Entry(index), FaultKind::Hash, what);
            }
            self.of_hashes = self.of_entries.clone();
            self.n_signed = signed.n_entries;
        } else if self.of_hashes.root() == signed.root {
            self.report_parted("it is not the entry that was signed");
            self.of_entries = self.of_hashes.clone();
            self.n_signed = signed.n_entries;
        } else {
            let what = format!("entries are not those that were signed at {}", signed.n_entries);
            let place = Place::Entries { first: self.n_signed, end: signed.n_entries };
            self.faults.add(place, FaultKind::Rewritten, what);
            self.report_parted("it and its hash disagree");
            self.rewritten = true;
        }
    }

    fn report_parted(&mut self, what: &str) {
        for index in std::mem::take(&mut self.parted) {
            self.faults.add(Place::Entry(index), FaultKind::Entry, what);
        }
    }

    fn check_columns(&mut self, index: u64, entry: &Entry, row: &Row<'_>) -> rusqlite::Result<()> {
        let record = entry.record();
        let digest = record.map(|it| it.model.digest.to_string());
        let texts = [
            ("kind", 2, Some(entry.kind())),
            ("prediction_id", 4, entry.prediction_id()),
            ("model_name", 5, record.map(|it| it.model.name.as_str())),
            ("model_version", 6, record.map(|it| it.model.version.as_str())),
            ("model_digest", 7, digest.as_deref()),
            ("method", 8, record.map(|it| it.method.as_str())),
            ("comparability_key", 9, record.map(|it| it.comparability_key.as_str())),
        ];
        let mut wrong = Vec::new();
        for (name, column, expected) in texts {
            let expected = expected.map_or(ValueRef::Null, |text| ValueRef::Text(text.as_bytes()));
            if row.get_ref(column)? != expected {
                wrong.push(name);
            }
        }
        if row.get_ref(3)? != ValueRef::Integer(entry.timestamp_micros()) {
            wrong.push("timestamp_micros");
        }
        for name in wrong {
            let what = format!("`{name}` is not what the entry says: queries would miss it");
            self.faults.add(Place::Entry(index), FaultKind::Column, what);
        }
        Ok(())
    }

    fn check_time(&mut self, entry: &Entry) {
        let time = entry.timestamp_micros();
        self.n_clock_steps_back += u64::from(time < self.newest_micros);
        self.newest_micros = self.newest_micros.max(time);
    }

    fn finish(&mut self) {
        let n = self.of_entries.n_entries();
        self.report_parted(
            "it and the hash that is stored for it disagree, and no checkpoint tells which was changed",
        );
        for signed in self.signed.by_ref() {
            let what = format!("the log has {n} entries only");
            self.faults.add(Place::Checkpoint(signed.n_entries), FaultKind::RolledBack, what);
        }
        if let Some(older) = self.older.take() {
            let what = format!("the log has {n} entries, the older checkpoint {}", older.n_entries);
            self.faults.add(Place::Log, FaultKind::RolledBack, what);
        }
        if let Err(fault) = self.check_counts(n) {
            self.faults.add(Place::Log, FaultKind::Structure, fault.to_string());
        }
    }

    /// Nothing may lie in the tables that no entry accounts for.
    fn check_counts(&mut self, n: u64) -> rusqlite::Result<()> {
        let count = |query: &str| self.connection.query_row(query, [], |row| row.get::<_, i64>(0));
        let n_hashes: u64 = (0..64 / TILE_HEIGHT).map(|level| n >> (level * TILE_HEIGHT)).sum();
        let n_stored = count("SELECT count(*) FROM hash")?;
        if i64::try_from(n_hashes) != Ok(n_stored) {
            let what = format!("{n_stored} hashes are stored, {n_hashes} belong to {n} entries");
            self.faults.add(Place::Log, FaultKind::Hash, what);
        }
        let stray = "SELECT count(*) FROM payload WHERE entry_index NOT IN (SELECT entry_index FROM entry)";
        let n_stray = count(stray)?;
        if n_stray > 0 {
            let what = format!("{n_stray} payloads belong to no entry");
            self.faults.add(Place::Log, FaultKind::Payload, what);
        }
        if count("SELECT count(*) FROM about")? != 1 {
            self.faults.add(
                Place::Log,
                FaultKind::Structure,
                "`about` has lines that this version does not write",
            );
        }
        Ok(())
    }
}

//! Whether every record has its payload, or a tombstone that says why not.

use rusqlite::{Connection, Row};

use super::report::{FaultKind, Faults, Place};
use crate::entry::Entry;
use crate::payload::Payload;
use crate::reader::opened_payload;

/// Which records' payloads were erased, by all tombstones together.
#[derive(Default)]
pub(super) struct Erasures {
    /// `[first, end)`, in order, without overlap.
    ranges: Vec<[u64; 2]>,
}

#[derive(Default)]
pub(super) struct PayloadCount {
    pub(super) n_present: u64,
    pub(super) n_erased: u64,
}

/// Salt, length and compressed bytes, as they are stored.
pub(super) struct StoredPayload(Result<(Vec<u8>, i64, Vec<u8>), String>);

impl Erasures {
    /// Whether what a tombstone says is true of the log is checked as the walk comes by it.
    pub(super) fn read(connection: &Connection, faults: &mut Faults) -> Self {
        let read = || {
            let mut statement = connection.prepare("SELECT bytes FROM entry WHERE kind = 'erasure'")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<Vec<Vec<u8>>>>()
        };
        let entries = read().unwrap_or_else(|fault| {
            faults.add(Place::Log, FaultKind::Structure, format!("its erasures cannot be read: {fault}"));
            Vec::new()
        });
        let mut ranges: Vec<[u64; 2]> = Vec::new();
        for entry in entries {
            if let Ok(Entry::Erasure(erasure)) = Entry::parse(&entry) {
                ranges.extend(erasure.records);
            }
        }
        ranges.sort_unstable();
        let mut merged: Vec<[u64; 2]> = Vec::new();
        for range in ranges {
            match merged.last_mut().filter(|last| range[0] <= last[1]) {
                Some(last) => last[1] = last[1].max(range[1]),
                None => merged.push(range),
            }
        }
        Self { ranges: merged }
    }

    fn names(&self, index: u64) -> bool {
        let after = self.ranges.partition_point(|range| range[0] <= index);
        after > 0 && index < self.ranges[after - 1][1]
    }
}

impl StoredPayload {
    /// `None`: there is none.
    pub(super) fn of(row: &Row<'_>) -> rusqlite::Result<Option<Self>> {
        if row.get_ref(10)? == rusqlite::types::ValueRef::Null {
            return Ok(None);
        }
        let read = || Ok((row.get(10)?, row.get(11)?, row.get(12)?));
        Ok(Some(Self(read().map_err(|fault: rusqlite::Error| fault.to_string()))))
    }
}

pub(super) fn check_payload(
    index: u64,
    entry: &Entry,
    payload: Option<StoredPayload>,
    erasures: &Erasures,
    count: &mut PayloadCount,
    faults: &mut Faults,
) {
    let mut wrong = |what: &str| faults.add(Place::Entry(index), FaultKind::Payload, what);
    let erased = erasures.names(index);
    match (entry, payload) {
        (Entry::Erasure(erasure), None) => {
            let ordered = erasure.records.iter().all(|range| range[0] < range[1] && range[1] <= index)
                && erasure.records.windows(2).all(|pair| pair[0][1] <= pair[1][0]);
            if !ordered {
                wrong("the erasure names entries that do not come before it");
            }
        }
        (Entry::Feedback(_), None) => {}
        (Entry::Erasure(_) | Entry::Feedback(_), Some(_)) => {
            wrong("only records have payloads, but there is one")
        }
        (Entry::Record { .. }, Some(_)) if erased => wrong("it was erased, but it is there"),
        (Entry::Record { .. }, None) if erased => count.n_erased += 1,
        (Entry::Record { .. }, None) => wrong("it is missing, and no erasure says why"),
        (Entry::Record { payload_commitment, .. }, Some(StoredPayload(stored))) => {
            let opened = stored.and_then(|stored| opened_payload(&stored, *payload_commitment));
            let read =
                opened.and_then(|bytes| Payload::from_bytes(&bytes).map_err(|fault| fault.to_string()));
            match read {
                Ok(_) => count.n_present += 1,
                Err(reason) => wrong(&reason),
            }
        }
    }
}

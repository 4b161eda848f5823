//! Which payloads are kept, and for how long: what goes is erased with a tombstone, so that no proof breaks.

use crate::entry::Entry;
use crate::error::Error;
use crate::log::{Erased, Log};
use crate::query::Query;
use crate::record::Record;
use crate::tree::entry_hash;

/// Records looked at at once.
const PAGE: u64 = 1_000;

/// Which payloads stay.
#[derive(Clone, Copy)]
pub enum Retention<'a> {
    /// Those of records from this time on: microseconds since 1970-01-01 UTC.
    Since(i64),
    /// Those of one record in `n`, chosen by the entry's hash: the same whenever it is asked, and by no pattern in time.
    OneIn(u64),
    /// Those that this rule keeps.
    Rule(&'a dyn Fn(&Record) -> bool),
}

impl Retention<'_> {
    /// Whether the payload of a record stays.
    ///
    /// # Errors
    /// [`Error::Refused`] for one in none.
    pub fn keeps(&self, entry: &Entry) -> Result<bool, Error> {
        self.check()?;
        let Entry::Record { record, .. } = entry else { return Ok(true) };
        match self {
            Self::Since(micros) => Ok(record.timestamp_micros >= *micros),
            Self::OneIn(n) => {
                let hash = entry_hash(&entry.to_bytes()?).0;
                let first = hash[..8].iter().fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
                Ok(first.is_multiple_of(*n))
            }
            Self::Rule(keep) => Ok(keep(record)),
        }
    }

    fn check(&self) -> Result<(), Error> {
        match self {
            Self::OneIn(0) => Err(Error::refused("retention", "one in 0 keeps nothing: give at least 1")),
            _ => Ok(()),
        }
    }
}

impl Log {
    /// Erases the payloads that are not to be kept.
    ///
    /// ```
    /// # use pellucid_store::{Error, Log, Retention};
    /// # fn yearly(log: &Log, now_micros: i64) -> Result<(), Error> {
    /// let year = 365 * 24 * 3_600 * 1_000_000;
    /// let erased = log.retain(Retention::Since(now_micros - year), "older than a year", now_micros)?;
    /// println!("{} payloads erased", erased.n_payloads);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`erase`](Self::erase), and where a record cannot be read.
    pub fn retain(
        &self,
        retention: Retention<'_>,
        reason: &str,
        timestamp_micros: i64,
    ) -> Result<Erased, Error> {
        retention.check()?;
        let reader = self.reader()?;
        let mut query = Query { limit: PAGE, ..Query::default() };
        let mut gone = Vec::new();
        loop {
            let page = reader.query(&query)?;
            let Some(last) = page.last() else { break };
            query.from_index = last.index + 1;
            for stored in page.iter().filter(|stored| stored.payload_present) {
                if !retention.keeps(&stored.entry)? {
                    gone.push(stored.index);
                }
            }
        }
        // A reader that still looks at the payloads would keep them in the write-ahead log.
        drop(reader);
        self.erase(&gone, reason, timestamp_micros)
    }
}

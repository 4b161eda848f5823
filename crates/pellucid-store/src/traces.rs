//! What erasing leaves behind in the log's files, and how it goes: pages that moved keep copies of what they held, and
//! the write-ahead log keeps old pages.

use std::cell::Cell;
use std::fs::File;
use std::time::Duration;

use rusqlite::Connection;

use crate::schema;

/// What is still to be done. The lock file holds a byte as long as anything is, so that a crash does not make it
/// forgotten.
pub(crate) struct Traces {
    lock: File,
    owed: Cell<Owed>,
}

#[derive(Clone, Copy, PartialEq)]
enum Owed {
    /// Unused parts of pages may hold what was erased.
    Pages,
    /// They may, and there was no room to do anything about it.
    PagesLater,
    /// The write-ahead log may.
    WriteAheadLog,
    Nothing,
}

impl Traces {
    pub(crate) fn of(lock: File) -> std::io::Result<Self> {
        let owed = if lock.metadata()?.len() > 0 { Owed::Pages } else { Owed::Nothing };
        Ok(Self { lock, owed: Cell::new(owed) })
    }

    /// An erasure is about to be written.
    pub(crate) fn owe(&self) -> std::io::Result<()> {
        self.owed.set(Owed::Pages);
        self.lock.set_len(1).and_then(|()| self.lock.sync_all())
    }

    /// Does what it can, and what it could not do before for want of room.
    pub(crate) fn try_again(&self, connection: &Connection) -> bool {
        if self.owed.get() == Owed::PagesLater {
            self.owed.set(Owed::Pages);
        }
        self.overwrite(connection)
    }

    /// Does what it can at once; whether nothing is owed any more. Appending does not wait for readers.
    pub(crate) fn overwrite(&self, connection: &Connection) -> bool {
        // `secure_delete` overwrites a deleted row, not the copies that were left where rows moved between pages: only a
        // file that is written anew has none.
        if self.owed.get() == Owed::Pages {
            let written = connection.execute_batch("VACUUM").is_ok();
            self.owed.set(if written { Owed::WriteAheadLog } else { Owed::PagesLater });
        }
        if self.owed.get() == Owed::WriteAheadLog && emptied(connection).unwrap_or(false) {
            // Where the mark stays, the file is written anew once too often.
            let _ = self.lock.set_len(0);
            self.owed.set(Owed::Nothing);
        }
        self.owed.get() == Owed::Nothing
    }
}

/// Whether no reader was in the way.
fn emptied(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(Duration::ZERO)?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
    connection.busy_timeout(schema::BUSY)?;
    busy.map(|busy| !busy)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};
    use std::fs;
    use std::path::Path;

    use rusqlite::params;

    use super::*;

    const N: i64 = 4_000;

    fn salt(index: i64) -> [u8; 32] {
        crate::Digest::of(&[&index.to_le_bytes()]).0
    }

    /// Numbers that look random and are the same each time.
    fn draw(state: &mut u64, below: i64) -> i64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) as i64 % below
    }

    /// Rows of many lengths, of which each erasure takes every second, third … of a stretch. Gives those that went.
    fn append_and_erase(connection: &Connection) -> rusqlite::Result<BTreeSet<i64>> {
        let (mut state, mut erased) = (1, BTreeSet::new());
        let rows = connection.unchecked_transaction()?;
        for index in 0..N {
            let noise = vec![7_u8; 100 + draw(&mut state, 100) as usize];
            rows.execute("INSERT INTO payload VALUES (?1, ?2, 1, ?3)", params![index, salt(index), noise])?;
        }
        rows.commit()?;
        for _ in 0..160 {
            let (step, first) = (2 + draw(&mut state, 8), draw(&mut state, N));
            let erasure = connection.unchecked_transaction()?;
            for index in (first..N.min(first + 200)).step_by(step as usize) {
                erasure.execute("DELETE FROM payload WHERE entry_index = ?1", [index])?;
                erased.insert(index);
            }
            erasure.commit()?;
        }
        Ok(erased)
    }

    fn n_left(erased: &BTreeSet<i64>, file: &Path) -> usize {
        let bytes = fs::read(file).expect("there");
        let windows: HashSet<&[u8]> = bytes.windows(32).collect();
        erased.iter().filter(|index| windows.contains(&salt(**index)[..])).count()
    }

    /// A row that moves to another page leaves a copy where it was, which no later erasure finds.
    #[test]
    fn no_page_keeps_a_copy_of_what_was_erased() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let connection = schema::open_to_write(&path, "key").expect("a log");
        connection.execute_batch("PRAGMA synchronous = OFF").expect("set");
        let erased = append_and_erase(&connection).expect("written");
        assert_eq!(emptied(&connection), Ok(true));
        assert!(n_left(&erased, &path) > 0, "secure_delete suffices by itself");
        let traces = Traces::of(fs::File::create(folder.path().join("lock")).expect("new")).expect("a lock");
        traces.owe().expect("marked");
        assert!(traces.overwrite(&connection));
        assert_eq!(n_left(&erased, &path), 0);
    }
}

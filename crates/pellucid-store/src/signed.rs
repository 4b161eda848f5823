//! The newest checkpoint that a key signed, kept where the log is not: whoever can change the log cannot have the writer
//! sign another history than the one that it signed before.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::error::Error;
use crate::files::{self, Readers};
use crate::note::VerifyingKey;
use crate::tree::range_root;

/// Where the newest checkpoint lies, and what of it is not yet there.
pub(crate) struct Signed {
    path: PathBuf,
    /// A note that could not be written: the next one makes up for it.
    owed: Option<String>,
}

/// Where the newest note lies that a key signed: `KEY.signed`.
#[must_use]
pub fn signed_note(key_file: &Path) -> PathBuf {
    let mut name = OsString::from(key_file);
    name.push(".signed");
    PathBuf::from(name)
}

impl Signed {
    /// Beside the key: `KEY.signed`.
    pub(crate) fn beside(key_file: &Path) -> Self {
        Self { path: signed_note(key_file), owed: None }
    }

    /// Whether a log of `n` entries still begins with what was signed.
    pub(crate) fn check(
        &self,
        key: &VerifyingKey,
        n: u64,
        hash: &impl Fn(u8, u64) -> Result<Digest, Error>,
    ) -> Result<(), Error> {
        let Some(note) = files::read(&self.path, "reading what was signed last")? else { return Ok(()) };
        let damaged = |reason: String| Err(Error::damaged(self.path.display().to_string(), reason));
        let signed = match Checkpoint::open(&String::from_utf8_lossy(&note), key) {
            Ok(signed) => signed,
            Err(fault) => return damaged(fault.to_string()),
        };
        if signed.n_entries > n {
            return damaged(format!(
                "{} entries were signed, the log has {n}: it is an older copy, or another log with the same key",
                signed.n_entries
            ));
        }
        match range_root(0, signed.n_entries, hash)? == signed.root {
            true => Ok(()),
            false => damaged(format!(
                "the log has another root at {} entries than was signed: it was rewritten, or is another log with the same key",
                signed.n_entries
            )),
        }
    }

    /// Keeps a note that the log holds already, and one that could not be kept before.
    pub(crate) fn keep(&mut self, note: Option<&str>) -> Result<(), Error> {
        self.owed = note.map(str::to_owned).or(self.owed.take());
        let Some(note) = &self.owed else { return Ok(()) };
        files::replace(&self.path, note.as_bytes(), Readers::All, "keeping what was signed last")?;
        self.owed = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::testing::{Place, append};
    use crate::*;

    fn refusal(place: &Place) -> String {
        let fault = Log::open(&place.path(), &place.key_file(), &Options::default()).err();
        assert!(matches!(fault, Some(Error::Damaged { .. })), "{fault:?}");
        fault.map(|it| it.to_string()).unwrap_or_default()
    }

    #[test]
    fn an_older_copy_is_not_signed_again() {
        let place = Place::new();
        place.filled(5);
        fs::copy(place.path(), place.beside("copy")).expect("copied");
        let log = place.open();
        append(&log, 5..7);
        log.close().expect("signed");
        fs::rename(place.beside("copy"), place.path()).expect("put back");
        assert!(refusal(&place).contains("7 entries were signed, the log has 5"));
        assert!(place.verify().is_sound(), "it is a log, but not the newest");
    }

    /// Without its checkpoints the log itself does not tell that its history was rewritten.
    #[test]
    fn a_rewritten_history_is_not_signed() {
        let place = Place::new();
        place.filled(5);
        place.tamper(|it| {
            let change = "DELETE FROM checkpoint; UPDATE hash SET hash = zeroblob(32) WHERE node_index = 2";
            it.execute_batch(change).expect("changed");
        });
        assert!(refusal(&place).contains("another root at 5 entries than was signed"));
    }

    #[test]
    fn what_was_signed_is_kept_with_every_checkpoint_and_made_up_for() {
        let place = Place::new();
        let kept = place.key_file().with_extension("key.signed");
        let log = place.open();
        append(&log, 0..1);
        assert!(!kept.exists());
        let note = log.checkpoint().expect("signed");
        assert_eq!(fs::read_to_string(&kept).as_deref().ok(), Some(note.as_str()));
        // A folder in its place: nothing can be kept there, which whoever asked for a checkpoint hears.
        fs::remove_file(&kept).expect("there");
        fs::create_dir_all(kept.join("x")).expect("a folder");
        append(&log, 1..2);
        assert!(matches!(log.checkpoint(), Err(Error::File { .. })));
        fs::remove_dir_all(&kept).expect("there");
        append(&log, 2..3);
        let made_up = fs::read_to_string(&kept).expect("kept with the next write");
        assert_eq!(Checkpoint::open(&made_up, &place.key).map(|it| it.n_entries), Ok(2));
        fs::write(&kept, "no note").expect("written");
        drop(log);
        fs::write(&kept, "no note").expect("written");
        assert!(refusal(&place).contains("key.signed: note: "));
    }
}

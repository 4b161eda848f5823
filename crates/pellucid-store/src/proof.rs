//! Proofs that leave the log: that an entry is in it, and that an older log is the beginning of a newer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::error::Error;
use crate::note::VerifyingKey;
use crate::reader::Reader;
use crate::stored;
use crate::tree::{
    consistency_path, entry_hash, inclusion_path, root_from_inclusion, roots_from_consistency,
};

/// First line of a proof file.
const INCLUSION_HEAD: &str = "c2sp.org/tlog-proof@v1";
/// A path of a tree of 2^63 entries.
const MAX_PATH: usize = 126;

/// That an entry is in the log, checkable without the log: its place, the hashes beside its way to the root, and the
/// signed checkpoint.
///
/// ```
/// # use pellucid_store::{Error, InclusionProof, VerifyingKey};
/// # fn check(entry: &[u8], text: &str) -> Result<(), Error> {
/// let key = VerifyingKey::parse("example.com/credit+…")?;
/// let checkpoint = InclusionProof::parse(text)?.check(entry, &key)?;
/// println!("among the first {} entries", checkpoint.n_entries);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct InclusionProof {
    /// The entry's place, counted from 0.
    pub index: u64,
    /// The entry's sibling first.
    pub path: Vec<Digest>,
    /// The signed note.
    pub checkpoint: String,
}

/// That the log of an older checkpoint is the beginning of the log of a newer one.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsistencyProof {
    /// How many entries the older log had.
    pub n_old: u64,
    /// As RFC 6962, 2.1.2 orders them.
    pub path: Vec<Digest>,
    /// The newer log's signed note.
    pub checkpoint: String,
}

impl InclusionProof {
    /// What the log was when this proof was made, if the entry is in it and `key` signed it.
    ///
    /// # Errors
    /// [`Error::Untrue`], [`Error::OtherSigner`].
    pub fn check(&self, entry: &[u8], key: &VerifyingKey) -> Result<Checkpoint, Error> {
        let checkpoint = Checkpoint::open(&self.checkpoint, key)?;
        let root = root_from_inclusion(self.index, checkpoint.n_entries, entry_hash(entry), &self.path);
        match root == Some(checkpoint.root) {
            true => Ok(checkpoint),
            false => Err(Error::untrue(
                format!("proof of entry {}", self.index),
                format!("does not lead from this entry to the root of {} entries", checkpoint.n_entries),
            )),
        }
    }

    /// The proof as a file of the form C2SP tlog-proof.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{INCLUSION_HEAD}\nindex {}\n{}\n{}", self.index, path_lines(&self.path), self.checkpoint)
    }

    /// The proof of such a file; a line of extra data is passed over.
    ///
    /// # Errors
    /// [`Error::Untrue`] where it is none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let parsed = || {
            let rest = text.strip_prefix(INCLUSION_HEAD)?.strip_prefix('\n')?;
            let rest = match rest.strip_prefix("extra ") {
                Some(extra) => extra.split_once('\n')?.1,
                None => rest,
            };
            let (index, path, checkpoint) = parse_path(rest, "index ")?;
            Some(Self { index, path, checkpoint })
        };
        parsed().ok_or_else(|| Error::untrue("proof", "is no file of the form c2sp.org/tlog-proof@v1"))
    }
}

impl ConsistencyProof {
    /// What the newer log was, if it begins with the older log and `key` signed it.
    ///
    /// # Errors
    /// [`Error::Untrue`], [`Error::OtherSigner`].
    pub fn check(&self, old: &Checkpoint, key: &VerifyingKey) -> Result<Checkpoint, Error> {
        let new = Checkpoint::open(&self.checkpoint, key)?;
        let roots = roots_from_consistency(old.n_entries, new.n_entries, old.root, &self.path);
        let is_about = self.n_old == old.n_entries && old.origin == new.origin;
        let proven = roots == Some((old.root, new.root));
        // Every log begins with the empty one.
        let empty = old.n_entries == 0 && self.path.is_empty() && old.root == Digest::of(&[]);
        match is_about && (proven || empty) {
            true => Ok(new),
            false => Err(Error::untrue(
                format!("proof that {} entries became {}", old.n_entries, new.n_entries),
                "does not lead to both roots: the older entries were changed, or it is another log's",
            )),
        }
    }

    /// The proof as text: what C2SP tlog-witness has a log send to a witness.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("old {}\n{}\n{}", self.n_old, path_lines(&self.path), self.checkpoint)
    }

    /// The proof of such a text.
    ///
    /// # Errors
    /// [`Error::Untrue`] where it is none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let parsed =
            parse_path(text, "old ").map(|(n_old, path, checkpoint)| Self { n_old, path, checkpoint });
        parsed.ok_or_else(|| Error::untrue("proof", "does not begin with `old`, a size and hashes"))
    }
}

impl Reader {
    /// The proof that an entry is in the log, up to the newest checkpoint.
    ///
    /// # Errors
    /// [`Error::NoEntry`] where no checkpoint covers the entry yet: sign one.
    pub fn prove_inclusion(&self, index: u64) -> Result<InclusionProof, Error> {
        let (n, checkpoint) = self.covering(index, |n| index < n)?;
        let path =
            inclusion_path(index, n, &|level, node| stored::hash(&self.path, &self.connection, level, node))?;
        Ok(InclusionProof { index, path, checkpoint })
    }

    /// The proof that the log's first `n_old` entries are still those of the newest checkpoint.
    ///
    /// # Errors
    /// [`Error::NoEntry`] where the newest checkpoint is older than that.
    pub fn prove_consistency(&self, n_old: u64) -> Result<ConsistencyProof, Error> {
        let (n, checkpoint) = self.covering(n_old.saturating_sub(1), |n| n_old <= n)?;
        let hash = |level, node| stored::hash(&self.path, &self.connection, level, node);
        let path = if n_old == 0 { Vec::new() } else { consistency_path(n_old, n, &hash)? };
        Ok(ConsistencyProof { n_old, path, checkpoint })
    }

    /// The newest checkpoint, which has to cover so many entries that the entry at `index` is among them.
    fn covering(&self, index: u64, suffices: impl Fn(u64) -> bool) -> Result<(u64, String), Error> {
        let latest = stored::latest_checkpoint(&self.path, &self.connection)?;
        let n = latest.as_ref().map_or(0, |(n, _)| *n);
        latest.filter(|_| suffices(n)).ok_or_else(|| Error::NoEntry {
            index,
            reason: format!("the newest checkpoint covers {n} entries: sign one that covers it"),
        })
    }
}

fn path_lines(path: &[Digest]) -> String {
    path.iter().map(|hash| format!("{}\n", BASE64.encode(hash.0))).collect()
}

/// A number after its word, hashes up to an empty line, and the checkpoint.
fn parse_path(text: &str, word: &str) -> Option<(u64, Vec<Digest>, String)> {
    let (head, checkpoint) = text.split_once("\n\n")?;
    let mut lines = head.split('\n');
    let digits = lines.next()?.strip_prefix(word)?;
    let number: u64 = digits.parse().ok()?;
    if number.to_string() != digits {
        return None;
    }
    let hash = |line: &str| BASE64.decode(line).ok()?.try_into().ok().map(Digest);
    let path = lines.take(MAX_PATH + 1).map(hash).collect::<Option<Vec<Digest>>>()?;
    (path.len() <= MAX_PATH).then(|| (number, path, checkpoint.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Place;

    #[test]
    fn no_entry_beyond_the_checkpoint_is_proven_however_far() {
        let place = Place::new();
        place.filled(3);
        let reader = place.reader();
        for index in [3, i64::MAX as u64, u64::MAX - 1, u64::MAX] {
            let refused = reader.prove_inclusion(index);
            assert!(
                matches!(refused, Err(Error::NoEntry { index: at, .. }) if at == index),
                "{index}: {refused:?}"
            );
            assert!(matches!(reader.prove_consistency(index.max(4)), Err(Error::NoEntry { .. })));
        }
    }

    #[test]
    fn a_proof_about_the_empty_log_is_about_this_log_alone() {
        let place = Place::new();
        place.filled(3);
        let proof = place.reader().prove_consistency(0).expect("covered");
        let empty = Checkpoint { origin: "example.com/log".into(), n_entries: 0, root: Digest::of(&[]) };
        assert!(proof.check(&empty, &place.key).is_ok());
        let of_another_log = Checkpoint { origin: "example.com/other".into(), ..empty.clone() };
        assert!(proof.check(&of_another_log, &place.key).is_err());
        let of_another_size = ConsistencyProof { n_old: 1, ..proof };
        assert!(of_another_size.check(&empty, &place.key).is_err());
    }
}

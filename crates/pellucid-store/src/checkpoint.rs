//! Checkpoints (C2SP tlog-checkpoint): the log's name, its size and its root, signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::digest::Digest;
use crate::error::Error;
use crate::note::{Signer, VerifyingKey};

/// What a checkpoint says: `n_entries` entries have this root.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// How many entries the tree has.
    pub n_entries: u64,
    /// Its root.
    pub root: Digest,
}

impl Checkpoint {
    /// What a signed checkpoint says.
    ///
    /// ```
    /// use pellucid_store::{Checkpoint, VerifyingKey};
    /// let key = VerifyingKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")?;
    /// assert!(Checkpoint::open("PeterNeumann\n0\n", &key).is_err());
    /// # Ok::<(), pellucid_store::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::OtherSigner`] where this key did not sign it; [`Error::Untrue`] where it was changed, or is another log's,
    /// or no checkpoint.
    pub fn open(note: &str, key: &VerifyingKey) -> Result<Self, Error> {
        let untrue = |reason: &str| Error::untrue("checkpoint", reason);
        let checkpoint = Self::parse(key.open(note)?).ok_or_else(|| untrue("is a note of another kind"))?;
        match checkpoint.origin == key.name() {
            true => Ok(checkpoint),
            false => Err(untrue(&format!("is of log {}, not of {}", checkpoint.origin, key.name()))),
        }
    }

    /// From the text of a note; lines that follow are extensions, which say nothing about the tree.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let n_entries: u64 = size.parse().ok()?;
        let root = BASE64.decode(root).ok()?.try_into().ok()?;
        let exact = n_entries.to_string() == size && !origin.is_empty() && lines.all(|line| !line.is_empty());
        exact.then(|| Self { origin: origin.to_owned(), n_entries, root: Digest(root) })
    }

    /// The signed checkpoint of a tree.
    pub(crate) fn sign(n_entries: u64, root: Digest, signer: &Signer) -> String {
        let origin = signer.key().name();
        signer.sign(&format!("{origin}\n{n_entries}\n{}\n", BASE64.encode(root.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_has_the_specified_lines() {
        let signer = Signer::new("example.com/log", [1; 32]).expect("a key");
        let note = Checkpoint::sign(20, Digest([0xff; 32]), &signer);
        assert!(note.starts_with(
            "example.com/log\n20\n//////////////////////////////////////////8=\n\n— example.com/log "
        ));
        let opened = Checkpoint::open(&note, signer.key()).expect("signed");
        assert_eq!(
            opened,
            Checkpoint { origin: "example.com/log".into(), n_entries: 20, root: Digest([0xff; 32]) }
        );
    }

    #[test]
    fn other_texts_are_no_checkpoints() {
        let signer = Signer::new("log", [1; 32]).expect("a key");
        let root = BASE64.encode([7; 32]);
        let open = |text: String| Checkpoint::open(&signer.sign(&text), signer.key());
        assert!(open(format!("log\n7\n{root}\nextension\n")).is_ok());
        for text in [
            format!("other\n7\n{root}\n"),
            format!("log\n07\n{root}\n"),
            format!("log\n-7\n{root}\n"),
            "log\n7\nAAAA\n".to_owned(),
            "log\n7\n".to_owned(),
        ] {
            assert!(open(text.clone()).is_err(), "{text}");
        }
    }
}

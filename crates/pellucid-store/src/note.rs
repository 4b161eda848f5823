//! Signed notes (C2SP signed-note) with Ed25519: text and signatures, one line each.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::digest::Digest;
use crate::error::Error;

/// The signature type of Ed25519.
const ED25519_TYPE: u8 = 1;
/// Enough for 16 signatures of any kind that there is.
const MAX_NOTE_BYTES: usize = 100_000;

/// Who signed: a name and the public key, as `name+key id+key`, the form that other tools read too. It is what people
/// who verify a log must get from somewhere else than from the log.
///
/// ```
/// let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
/// let key = pellucid_store::VerifyingKey::parse(text)?;
/// assert_eq!((key.name(), key.to_string().as_str()), ("PeterNeumann", text));
/// # Ok::<(), pellucid_store::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct VerifyingKey {
    name: String,
    public: [u8; 32],
}

/// Signs in a name.
pub(crate) struct Signer {
    pair: Ed25519KeyPair,
    seed: [u8; 32],
    key: VerifyingKey,
}

/// One signature line.
struct Signature {
    name: String,
    key_id: [u8; 4],
    signature: Vec<u8>,
}

impl VerifyingKey {
    fn new(name: &str, public: [u8; 32]) -> Result<Self, Error> {
        let allowed =
            !name.is_empty() && !name.contains(|c: char| c == '+' || c.is_whitespace() || c.is_control());
        match allowed {
            true => Ok(Self { name: name.to_owned(), public }),
            false => Err(Error::refused(
                format!("name `{name}`"),
                "a log's name has at least one character, no spaces and no `+`: example.com/credit",
            )),
        }
    }

    /// The key that is written so.
    ///
    /// # Errors
    /// [`Error::Untrue`] where it is none, is of another kind, or its id does not fit.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let untrue = |reason: &str| Error::untrue(format!("key `{text}`"), reason);
        let (name, id, bytes) = fields(text).ok_or_else(|| untrue("is not of the form name+id+key"))?;
        let public = key_bytes(&bytes).ok_or_else(|| untrue("is no Ed25519 key"))?;
        let key = Self::new(name, public)?;
        match hexadecimal(key.id()) == id {
            true => Ok(key),
            false => Err(untrue("its id is another key's: copy it again")),
        }
    }

    /// The signer's name, which is also the log's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key)[:4]`.
    pub(crate) fn id(&self) -> [u8; 4] {
        let digest = Digest::of(&[self.name.as_bytes(), b"\n", &[ED25519_TYPE], &self.public]).0;
        [digest[0], digest[1], digest[2], digest[3]]
    }

    /// The text of a note that this key signed.
    ///
    /// # Errors
    /// [`Error::OtherSigner`]; [`Error::Untrue`] where it is no note, or was signed with another text.
    pub(crate) fn open<'a>(&self, note: &'a str) -> Result<&'a str, Error> {
        let untrue = |reason: String| Error::untrue("note", reason);
        let (text, signatures) = parse(note).map_err(untrue)?;
        let own = |it: &&Signature| it.name == self.name && it.key_id == self.id();
        let Some(signature) = signatures.iter().find(own) else {
            let others: Vec<String> =
                signatures.iter().map(|it| format!("{}+{}", it.name, hexadecimal(it.key_id))).collect();
            let expected = format!("{}+{}", self.name, hexadecimal(self.id()));
            return Err(Error::OtherSigner {
                what: "note".to_owned(),
                signed_by: others.join(", "),
                expected,
            });
        };
        let public = UnparsedPublicKey::new(&ED25519, self.public);
        match public.verify(text.as_bytes(), &signature.signature) {
            Ok(()) => Ok(text),
            Err(_) => Err(untrue("its signature does not belong to its text".to_owned())),
        }
    }
}

impl std::fmt::Display for VerifyingKey {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}+{}+{}", self.name, hexadecimal(self.id()), key_text(&self.public))
    }
}

impl Signer {
    pub(crate) fn new(name: &str, seed: [u8; 32]) -> Result<Self, Error> {
        let refuse = |_| Error::refused(format!("key of `{name}`"), "is no Ed25519 key");
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(refuse)?;
        let mut public = [0; 32];
        public.copy_from_slice(pair.public_key().as_ref());
        Ok(Self { pair, seed, key: VerifyingKey::new(name, public)? })
    }

    /// From `PRIVATE+KEY+name+id+seed`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (name, id, bytes) = fields(text.trim_end().strip_prefix("PRIVATE+KEY+")?)?;
        let signer = Self::new(name, key_bytes(&bytes)?).ok()?;
        (hexadecimal(signer.key.id()) == id).then_some(signer)
    }

    /// `PRIVATE+KEY+name+id+seed`.
    pub(crate) fn to_secret_text(&self) -> String {
        let VerifyingKey { name, .. } = &self.key;
        format!("PRIVATE+KEY+{name}+{}+{}", hexadecimal(self.key.id()), key_text(&self.seed))
    }

    pub(crate) fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// The note: this text, which ends with a line break, and its signature.
    pub(crate) fn sign(&self, text: &str) -> String {
        let signature = self.pair.sign(text.as_bytes());
        let bytes = [&self.key.id()[..], signature.as_ref()].concat();
        format!("{text}\n— {} {}\n", self.key.name, BASE64.encode(bytes))
    }
}

/// Name, id and bytes of `name+id+base64`; the base64 may hold a `+` itself.
fn fields(text: &str) -> Option<(&str, &str, Vec<u8>)> {
    let (name, rest) = text.split_once('+')?;
    let (id, encoded) = rest.split_once('+')?;
    Some((name, id, BASE64.decode(encoded).ok()?))
}

fn key_bytes(bytes: &[u8]) -> Option<[u8; 32]> {
    let (&kind, key) = bytes.split_first()?;
    (kind == ED25519_TYPE).then(|| key.try_into().ok()).flatten()
}

fn key_text(key: &[u8; 32]) -> String {
    BASE64.encode([&[ED25519_TYPE][..], key].concat())
}

fn hexadecimal(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}

/// Text and signatures: the last empty line stands between them.
fn parse(note: &str) -> Result<(&str, Vec<Signature>), String> {
    if note.len() > MAX_NOTE_BYTES {
        return Err(format!("has {} bytes, {MAX_NOTE_BYTES} are allowed", note.len()));
    }
    if note.contains(|c: char| c < ' ' && c != '\n') {
        return Err("has control characters".to_owned());
    }
    let end = note.rfind("\n\n").ok_or("has no empty line before its signatures")?;
    let (text, lines) = (&note[..=end], &note[end + 2..]);
    let lines = lines.strip_suffix('\n').ok_or("does not end with a line break")?;
    let signatures: Option<Vec<Signature>> = lines.split('\n').map(parse_signature).collect();
    Ok((text, signatures.ok_or("has a line that is no signature")?))
}

fn parse_signature(line: &str) -> Option<Signature> {
    let (name, encoded) = line.strip_prefix("— ")?.split_once(' ')?;
    let bytes = BASE64.decode(encoded).ok()?;
    let (key_id, signature) = bytes.split_at_checked(4)?;
    Some(Signature { name: name.to_owned(), key_id: key_id.try_into().ok()?, signature: signature.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Go's `golang.org/x/mod/sumdb/note`: key, text and signature made by other code.
    #[test]
    fn the_note_of_another_library_opens() {
        let key = VerifyingKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
        let key = key.expect("the documented key");
        let note = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
            — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        let text = key.open(note).expect("signed");
        assert!(text.ends_with("your problem is.\n"));
        let other = note.replacen("you think", "You think", 1);
        assert!(key.open(&other).expect_err("altered").to_string().contains("does not belong"));
    }

    /// Signing is deterministic, so the documented secret key gives the documented signature.
    #[test]
    fn signatures_are_those_of_another_library() {
        let secret = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
        let signer = Signer::parse(secret).expect("the documented key");
        assert_eq!(signer.to_secret_text(), secret);
        let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
        let signature = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        assert_eq!(signer.sign(text), format!("{text}\n{signature}"));
    }

    #[test]
    fn another_key_of_the_same_name_is_told_apart() {
        let [one, other] = [1, 2].map(|seed| Signer::new("example.com/log", [seed; 32]).expect("a key"));
        let note = one.sign("text\n");
        assert_eq!(one.key().open(&note), Ok("text\n"));
        let fault = other.key().open(&note).expect_err("signed by one");
        assert!(matches!(fault, Error::OtherSigner { .. }));
        let fault = fault.to_string();
        assert!(fault.contains("signed by example.com/log+") && fault.contains(", not by example.com/log+"));
    }

    #[test]
    fn every_flipped_bit_of_a_note_is_noticed() {
        let signer = Signer::new("example.com/log", [1; 32]).expect("a key");
        let note = signer.sign("text\nmore\n");
        for bit in 0..note.len() * 8 {
            let mut bytes = note.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let opened = String::from_utf8(bytes).ok().filter(|note| signer.key().open(note).is_ok());
            assert_eq!(opened, None, "bit {bit}");
        }
    }

    #[test]
    fn names_and_keys_that_cannot_stand_in_a_note_are_refused() {
        for name in ["", "two words", "a+b", "line\nbreak"] {
            assert!(Signer::new(name, [1; 32]).is_err(), "{name}");
        }
        for text in ["", "a+b", "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"] {
            assert!(VerifyingKey::parse(text).is_err(), "{text}");
        }
    }
}

//! Names of predictions, models and jobs: opaque, and safe wherever they are put.

use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest as _, Sha256};

use crate::error::Fault;

const MAX_BYTES: usize = 128;

/// Whether a text is an id: 1 to 128 letters, digits, `_` and `-`.
pub(crate) fn is_id(text: &str) -> bool {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=MAX_BYTES).contains(&text.len()) && text.bytes().all(is_safe)
}

/// An id, or what is wrong with it.
pub(crate) fn checked(what: &str, text: &str) -> Result<String, Fault> {
    match is_id(text) {
        true => Ok(text.to_owned()),
        false => {
            Err(Fault::BadRequest(format!("{what}: an id has 1 to {MAX_BYTES} letters, digits, `_` and `-`")))
        }
    }
}

/// The id that stands for a name somebody else gave: itself, or where it is none its digest.
pub(crate) fn of_foreign(name: &str) -> String {
    if is_id(name) { name.to_owned() } else { format!("x-{}", &hex(&Sha256::digest(name))[..32]) }
}

/// A new id.
pub(crate) fn random() -> Result<String, Fault> {
    let mut bytes = [0; 16];
    let none = |_| Fault::Unavailable("the operating system gives no random bytes".to_owned());
    SystemRandom::new().fill(&mut bytes).map_err(none)?;
    Ok(hex(&bytes))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_safe_everywhere() {
        for good in ["a", "request-1", "A_9", &"x".repeat(128)] {
            assert!(is_id(good), "{good}");
        }
        for bad in ["", "a/b", "..", "a b", "é", "a.b", "%2e", "a\n", &"x".repeat(129)] {
            assert!(!is_id(bad), "{bad}");
        }
        assert_eq!(of_foreign("abc-1"), "abc-1");
        assert!(is_id(&of_foreign("urn:uuid:1/2")) && of_foreign("a b") != of_foreign("a c"));
    }
}

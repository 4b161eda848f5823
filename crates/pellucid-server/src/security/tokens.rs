//! Tokens: hashed in a file, each with the scopes that it opens.

use std::collections::BTreeSet;
use std::path::Path;

use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use super::ids::{self, hex};
use crate::error::Fault;

/// What a token may open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Predict, and send events and feedback.
    PredictLog,
    /// Ask for explanations, and see jobs.
    Explain,
    /// Read records and views.
    Read,
    /// Checkpoints, proofs, verification.
    Audit,
    /// Everything.
    Admin,
}

impl Scope {
    const NAMES: [(&'static str, Self); 5] = [
        ("predict-log", Self::PredictLog),
        ("explain", Self::Explain),
        ("read", Self::Read),
        ("audit", Self::Audit),
        ("admin", Self::Admin),
    ];

    /// The name in files and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, scope)| *scope == self).map_or("", |(name, _)| name)
    }

    /// The scope of that name.
    ///
    /// # Errors
    /// In words, which names there are.
    pub fn parse(name: &str) -> Result<Self, String> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, scope)| *scope);
        found.ok_or_else(|| {
            let names: Vec<&str> = Self::NAMES.iter().map(|(name, _)| *name).collect();
            format!("there is no scope `{name}`; there are {}", names.join(", "))
        })
    }
}

/// Whoever asks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Caller {
    pub(crate) name: String,
    scopes: BTreeSet<Scope>,
}

impl Caller {
    /// Anybody on this machine, where no tokens are asked for.
    pub(crate) fn local() -> Self {
        Self { name: "local".to_owned(), scopes: BTreeSet::from([Scope::Admin]) }
    }

    /// Goes on, or says what is missing.
    ///
    /// # Errors
    /// [`Fault::Forbidden`].
    pub(crate) fn may(&self, scope: Scope) -> Result<(), Fault> {
        match self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin) {
            true => Ok(()),
            false => Err(Fault::Forbidden(format!("token `{}` has no scope `{}`", self.name, scope.name()))),
        }
    }
}

/// All tokens, by their hashes.
pub(crate) struct Tokens(Vec<([u8; 32], Caller)>);

impl Tokens {
    /// Reads a file of lines `NAME SCOPE,SCOPE SHA-256-OF-THE-TOKEN`; `#` begins a comment.
    ///
    /// # Errors
    /// A file that cannot be read or by others; a line of another form, or none at all.
    pub(crate) fn read(path: &Path) -> Result<Self, Fault> {
        let fault = |reason: String| Fault::Unprocessable(format!("{}: {reason}", path.display()));
        check_private(path).map_err(fault)?;
        let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
        let lines = text.lines().map(str::trim).enumerate();
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let token = |(index, line): (usize, &str)| {
            parse_line(line).map_err(|reason| fault(format!("line {}: {reason}", index + 1)))
        };
        let tokens = lines.map(token).collect::<Result<Vec<_>, Fault>>()?;
        match tokens.is_empty() {
            true => Err(fault("holds no token; make one with `pellucid token`".to_owned())),
            false => Ok(Self(tokens)),
        }
    }

    /// Who sends this token. All hashes are compared, and each in constant time.
    pub(crate) fn caller(&self, token: &str) -> Option<Caller> {
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let mut found = None;
        for (known, caller) in &self.0 {
            if bool::from(known.ct_eq(&hash)) {
                found = Some(caller.clone());
            }
        }
        found
    }
}

fn parse_line(line: &str) -> Result<([u8; 32], Caller), String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [name, scopes, hash] = fields.as_slice() else {
        return Err("expected NAME SCOPES SHA-256".to_owned());
    };
    if !ids::is_id(name) {
        return Err(format!("`{name}` is no name: letters, digits, `_` and `-`"));
    }
    let scopes = scopes.split(',').map(Scope::parse).collect::<Result<BTreeSet<_>, _>>()?;
    let hash = unhex(hash).ok_or_else(|| "the hash is not 64 hexadecimal digits".to_owned())?;
    Ok((hash, Caller { name: (*name).to_owned(), scopes }))
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).map(|it| it as u8)).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect();
    (digits.len() == 64).then(|| bytes.try_into().ok()).flatten()
}

#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = path.metadata().map_err(|error| error.to_string())?.permissions().mode() & 0o777;
    match mode & 0o022 {
        0 => Ok(()),
        _ => Err(format!("others can write to it (mode {mode:o}): chmod 600")),
    }
}

#[cfg(not(unix))]
fn check_private(_: &Path) -> Result<(), String> {
    Ok(())
}

/// A new token, and the line that lets a server know it: the token itself is nowhere else.
///
/// # Errors
/// In words: a name that is none, or no random bytes.
pub fn new_token(name: &str, scopes: &[Scope]) -> Result<(String, String), String> {
    if !ids::is_id(name) || scopes.is_empty() {
        return Err("a token has a name of letters, digits, `_` and `-`, and at least one scope".to_owned());
    }
    let mut bytes = [0; 32];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| "the operating system gives no random bytes".to_owned())?;
    let token = format!("plt_{}", hex(&bytes));
    let names: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
    let line = format!("{name} {} {}", names.join(","), hex(&Sha256::digest(token.as_bytes())));
    Ok((token, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_open_their_scopes_alone() {
        let (token, line) = new_token("monitor", &[Scope::Read, Scope::Audit]).unwrap();
        assert!(!line.contains(&token));
        let tokens = Tokens(vec![parse_line(&line).unwrap()]);
        let caller = tokens.caller(&token).unwrap();
        assert!(caller.may(Scope::Read).is_ok() && caller.may(Scope::Audit).is_ok());
        assert!(caller.may(Scope::Explain).is_err() && caller.may(Scope::Admin).is_err());
        assert_eq!(tokens.caller(&token[1..]), None);
        assert_eq!(tokens.caller(""), None);
    }

    #[test]
    fn lines_of_another_form_are_refused() {
        for wrong in
            ["a read", "a/b read 00", "a write 00", "a read 00", &format!("a read {}", "g".repeat(64))]
        {
            assert!(parse_line(wrong).is_err(), "{wrong}");
        }
    }
}

//! What tells numbers apart that no option spells out: those of a baseline, a background, the rows beside a row.

use pellucid_core::{Baseline, Target, row_digest};
use sha2::{Digest as _, Sha256};

use crate::input::hex;
use crate::parameter::Parameter;

/// Whether an explanation's parameter of this name is such a digest: it tells one explanation from another, and says nothing to
/// people.
pub fn is_digest(parameter: &str) -> bool {
    parameter.ends_with("_digest")
}

/// Numbers by what people call them, and by their digest where the name does not say them all.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// As it is recorded: `zeros`, `array`, `train.csv`.
    pub text: String,
    /// In hexadecimal digits.
    pub digest: Option<String>,
}

impl Named {
    /// The digest as a parameter of this name, where there is one.
    pub(crate) fn parameter(&self, name: &'static str) -> Option<(&'static str, Parameter)> {
        self.digest.clone().map(|digest| (name, digest.into()))
    }
}

/// The digest of a baseline whose numbers its name does not say.
pub(crate) fn of_baseline(baseline: &Baseline) -> Option<String> {
    match baseline {
        Baseline::Array(array) | Baseline::PerRow(array) => Some(hex(&row_digest(array.view()))),
        _ => None,
    }
}

/// The digest of what a target names a file for: an embedding, a mask.
pub(crate) fn of_target(target: &Target) -> Option<String> {
    match target {
        Target::Similar { to: array, .. } | Target::Masked { mask: array, .. } => {
            Some(hex(&row_digest(array.view())))
        }
        _ => None,
    }
}

/// The digest of rows by theirs.
pub(crate) fn of_rows(rows: impl Iterator<Item = [u8; 32]>) -> String {
    let mut hash = Sha256::new();
    rows.for_each(|row| hash.update(row));
    hex(&hash.finalize())
}

/// The digest of a text.
pub(crate) fn of_text(text: &str) -> String {
    hex(&Sha256::digest(text))
}

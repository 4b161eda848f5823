//! `pellucid log verify`.

use std::path::Path;

use pellucid_engine::{Error, read_text_file};
use pellucid_store::{InclusionProof, Reader, Report, Trusted, VerifyingKey, verify};

use super::keys::known_verifier;
use crate::arguments::VerifyArguments;
use crate::console::Console;
use crate::failure::Failure;

pub(crate) fn run(arguments: &VerifyArguments, console: &Console) -> Result<(), Failure> {
    let given = arguments.key.as_deref().map(verifier).transpose()?;
    if let (Some(proof), Some(key)) = (&arguments.proof, &given) {
        return check_proof(arguments, proof, key, console);
    }
    let Some(path) = &arguments.log else {
        return Err(Error::Request { option: "log".to_owned(), reason: "name the log".to_owned() }.into());
    };
    let key = given.or_else(|| known_verifier(path));
    let checkpoint = arguments.checkpoint.as_deref().map(read_text_file).transpose()?;
    let trusted = Trusted { key: key.as_ref(), checkpoint: checkpoint.as_deref() };
    let report = verify(path, &trusted)?;
    console.print(&told(&report, key.as_ref()))?;
    if report.is_sound() {
        return Ok(());
    }
    let mut faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    if let Some(more) = report.n_faults.checked_sub(faults.len() as u64).filter(|more| *more > 0) {
        faults.push(format!("and {more} faults more"));
    }
    Err(Failure::Check(faults))
}

/// A verifying key as it is written, or in a file.
fn verifier(text: &str) -> Result<VerifyingKey, Failure> {
    let text = match Path::new(text).is_file() {
        true => read_text_file(Path::new(text))?,
        false => text.to_owned(),
    };
    Ok(VerifyingKey::parse(text.trim())?)
}

fn told(report: &Report, key: Option<&VerifyingKey>) -> String {
    let by = match key {
        Some(key) => format!("signed by {key}"),
        None => "signed by the key that the log itself names; --key says which it should be".to_owned(),
    };
    let mut lines = vec![
        format!("entries   {}, root {}", report.n_entries, report.root),
        format!("signed    the first {}, {by}", report.n_signed),
        format!("payloads  {} there and as they were, {} erased", report.n_payloads, report.n_erased),
    ];
    if report.n_clock_steps_back > 0 {
        lines.push(format!(
            "clock     {} times before an earlier entry's (no fault)",
            report.n_clock_steps_back
        ));
    }
    lines.push(match report.n_faults {
        0 => "sound     nothing is wrong".to_owned(),
        n => format!("WRONG     {n} fault{}", if n == 1 { "" } else { "s" }),
    });
    lines.join("\n")
}

fn check_proof(
    arguments: &VerifyArguments,
    proof: &Path,
    key: &VerifyingKey,
    console: &Console,
) -> Result<(), Failure> {
    let proof = InclusionProof::parse(&read_text_file(proof)?)?;
    let entry = match (&arguments.entry, &arguments.log) {
        (Some(entry), _) => read_text_file(entry)?.into_bytes(),
        (None, Some(log)) => Reader::open(log)?.entry_bytes(proof.index)?,
        (None, None) => {
            let reason = "a proof is of an entry: give its file (or the log)".to_owned();
            return Err(Error::Request { option: "entry".to_owned(), reason }.into());
        }
    };
    match proof.check(&entry, key) {
        Ok(checkpoint) => console.print(&format!(
            "proven    entry {} is among the first {} of {}",
            proof.index, checkpoint.n_entries, checkpoint.origin
        )),
        Err(fault) => Err(Failure::Check(vec![fault.to_string()])),
    }
}

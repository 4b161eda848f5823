//! `pellucid log prove`.

use std::path::PathBuf;

use pellucid_engine::{Error, write_file};
use pellucid_store::Reader;

use super::place::find;
use crate::arguments::ProveArguments;
use crate::console::Console;
use crate::failure::Failure;

pub(crate) fn run(arguments: &ProveArguments, console: &Console) -> Result<(), Failure> {
    let reader = Reader::open(&arguments.log)?;
    let index = find(&reader, &arguments.entry)?.index;
    let proof = reader.prove_inclusion(index)?;
    let default = || PathBuf::from(format!("entry-{index}.tlog-proof"));
    let path = arguments.out.clone().unwrap_or_else(default);
    let entry = path.with_extension("json");
    if entry == path {
        return Err(Error::Request {
            option: "out".to_owned(),
            reason: format!(
                "the entry goes to {}; give the proof another ending, such as .tlog-proof",
                entry.display()
            ),
        }
        .into());
    }
    write_file(&path, proof.to_text().as_bytes())?;
    // The bytes that were hashed: nobody may write them otherwise.
    write_file(&entry, &reader.entry_bytes(index)?)?;
    console.print(&format!("wrote     {}\nwrote     {}", path.display(), entry.display()))
}

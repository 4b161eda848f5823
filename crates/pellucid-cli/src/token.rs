//! `pellucid token`: a new token, and its hash in a file.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};

use pellucid_engine::Error;
use pellucid_server::{Scope, new_token};

use crate::arguments::TokenArguments;
use crate::console::Console;
use crate::failure::Failure;

pub(crate) fn run(arguments: &TokenArguments, console: &Console) -> Result<(), Failure> {
    let usage = |option: &str, reason: String| Error::Request { option: option.to_owned(), reason };
    let scopes = arguments.scopes.iter().map(|name| Scope::parse(name)).collect::<Result<Vec<_>, _>>();
    let scopes = scopes.map_err(|reason| usage("scopes", reason))?;
    let (token, line) = new_token(&arguments.name, &scopes).map_err(|reason| usage("name", reason))?;
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&arguments.file).and_then(|mut file| append(&mut file, &line));
    let path = arguments.file.display().to_string();
    written.map_err(|error| Error::Output { path, reason: error.to_string() })?;
    console.print(&token)
}

/// A file that somebody edited may end without a line feed: the new line is to be one of its own.
fn append(file: &mut File, line: &str) -> std::io::Result<()> {
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    let feed = if last == *b"\n" { "" } else { "\n" };
    file.write_all(format!("{feed}{line}\n").as_bytes())
}

//! What goes to standard output and standard error.

use std::io::{self, IsTerminal, Write};

use crate::failure::Failure;

/// Standard output for results, standard error for everything else.
pub(crate) struct Console {
    silent: bool,
}

impl Console {
    pub(crate) fn new() -> Self {
        Self { silent: false }
    }

    /// Says nothing.
    pub(crate) fn silent() -> Self {
        Self { silent: true }
    }

    /// Prints a result. A reader that has seen enough (`| head`) is no fault.
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        if self.silent {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result.map_err(Failure::Output),
        }
    }

    /// Whether results are read by a person at a terminal that shows colors (https://no-color.org).
    pub(crate) fn has_colors(&self) -> bool {
        io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
    }

    /// Says something beside the result.
    pub(crate) fn note(&self, text: &str) {
        // Where standard error is gone, nobody is left to be told.
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// Says what went wrong, in one line.
    pub(crate) fn error(&self, text: &str) {
        // Where standard error is gone, nobody is left to be told.
        let _ = writeln!(io::stderr(), "error: {text}");
    }
}

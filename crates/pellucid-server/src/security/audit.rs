//! The trail of reads: one line of JSON each, appended to a file beside the log.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::error::Fault;

/// The file, open for appending. What cannot be written down is not shown.
pub(crate) struct Audit {
    path: PathBuf,
    file: Mutex<Option<File>>,
}

impl Audit {
    /// The trail of a log: `LOG.audit.jsonl`.
    pub(crate) fn of_log(log: &Path) -> Self {
        let mut name = log.as_os_str().to_owned();
        name.push(".audit.jsonl");
        Self { path: PathBuf::from(name), file: Mutex::default() }
    }

    /// Writes down who reads what.
    ///
    /// # Errors
    /// [`Fault::Unavailable`] where that is not possible.
    pub(crate) fn note(&self, now_micros: i64, caller: &str, action: &str, of: &Value) -> Result<(), Fault> {
        let line = json!({ "time_micros": now_micros, "caller": caller, "action": action, "of": of });
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = self.opened(&mut file).and_then(|file| file.write_all(format!("{line}\n").as_bytes()));
        written.map_err(|error| {
            *file = None;
            Fault::Unavailable(format!("the audit trail cannot be written, so nothing is shown: {error}"))
        })
    }

    fn opened<'a>(&self, file: &'a mut Option<File>) -> std::io::Result<&'a mut File> {
        match file {
            Some(file) => Ok(file),
            None => {
                let mut options = OpenOptions::new();
                options.create(true).append(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                Ok(file.insert(options.open(&self.path)?))
            }
        }
    }
}

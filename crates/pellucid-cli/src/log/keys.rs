//! Where the key of a log lies, and opening the log with it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use pellucid_engine::Error;
use pellucid_store::{
    Digest, Log, Options, VerifyingKey, check_key_apart, create_key, read_verifying_key, signed_note,
};

use crate::arguments::KeyArguments;
use crate::console::Console;
use crate::failure::Failure;

/// Digits that tell the keys of logs of the same name apart.
const N_DIGITS: usize = 8;

/// Opens a log for writing, and makes log and key where they are not there.
pub(crate) fn open_or_make(path: &Path, key: &KeyArguments, console: &Console) -> Result<Log, Failure> {
    opened(path, &ready(path, key, console)?)
}

/// The key file of a log; a new one where neither log nor key is there.
pub(crate) fn ready(path: &Path, key: &KeyArguments, console: &Console) -> Result<PathBuf, Failure> {
    let key_file = key_file(path, key)?;
    // A key that has signed a log signs no other.
    if !path.exists() && signed_note(&key_file).exists() {
        return Err(gone(path, &key_file));
    }
    if !path.exists() && !key_file.exists() {
        make_folder(path)?;
        make_folder(&key_file)?;
        check_key_apart(path, &key_file).map_err(|fault| apart(fault, key.log_key.is_none()))?;
        let name = key.log_name.clone().unwrap_or_else(|| name_of(path));
        let verifier = create_key(&key_file, &name)?;
        console.note(&format!("key       {}; keep it safe, and apart from the log", key_file.display()));
        console.note(&format!("verifier  {verifier}; give it to whoever verifies"));
    }
    Ok(key_file)
}

/// Opens a log for writing that is there.
pub(crate) fn open(path: &Path, key: &KeyArguments) -> Result<Log, Failure> {
    if !path.exists() {
        let reason = "no such log; `pellucid explain --log` and `pellucid log append` make one".to_owned();
        return Err(Error::Input { path: path.display().to_string(), reason }.into());
    }
    opened(path, &key_file(path, key)?)
}

/// The verifying key of the key file that belongs to a log by default, where there is one.
pub(crate) fn known_verifier(path: &Path) -> Option<VerifyingKey> {
    read_verifying_key(&default_key(path).ok()?).ok()
}

fn gone(path: &Path, key_file: &Path) -> Failure {
    let reason = format!(
        "there is no log, but {} has signed one: put that log back, or begin a new one with another key (--log-key, or move \
         the key file and its .signed away)",
        key_file.display()
    );
    Error::Input { path: path.display().to_string(), reason }.into()
}

fn opened(path: &Path, key_file: &Path) -> Result<Log, Failure> {
    Ok(Log::open(path, key_file, &Options::default())?)
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let fault = |error: std::io::Error| Error::Output {
        path: folder.display().to_string(),
        reason: error.to_string(),
    };
    Ok(fs::create_dir_all(folder).map_err(fault)?)
}

fn key_file(path: &Path, key: &KeyArguments) -> Result<PathBuf, Failure> {
    match &key.log_key {
        Some(file) => Ok(file.clone()),
        None => default_key(path),
    }
}

/// A file of the log's own in the user's data folder: two logs never share a key.
fn default_key(path: &Path) -> Result<PathBuf, Failure> {
    let none = || Error::Request {
        option: "log_key".to_owned(),
        reason: "there is no folder of the user (HOME, XDG_DATA_HOME) to keep the key in; name a file"
            .to_owned(),
    };
    let absolute = path.canonicalize().or_else(|_| absolute(path));
    let absolute = absolute
        .map_err(|error| Error::Input { path: path.display().to_string(), reason: error.to_string() })?;
    let digest = Digest::of(&[absolute.as_os_str().as_encoded_bytes()]).to_string();
    let name = format!("{}-{}.key", name_of(path), &digest[..N_DIGITS]);
    Ok(data_folder().ok_or_else(none)?.join("pellucid").join("keys").join(name))
}

/// Of a log that is not there yet, with links of its folder followed, as they will be when it is there.
fn absolute(path: &Path) -> std::io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    match (absolute.parent().map(Path::canonicalize), absolute.file_name()) {
        (Some(Ok(folder)), Some(name)) => Ok(folder.join(name)),
        _ => Ok(absolute),
    }
}

fn data_folder() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let of_home = || {
        let below = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/share" };
        Some(folder("HOME")?.join(below))
    };
    folder("XDG_DATA_HOME").or_else(|| folder("APPDATA")).or_else(of_home)
}

/// The file's name without what a note's name cannot hold.
fn name_of(path: &Path) -> String {
    let stem: OsString = path.file_stem().unwrap_or_default().to_owned();
    let name: String =
        stem.to_string_lossy().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    if name.is_empty() { "log".to_owned() } else { name }
}

/// Of a key file that nobody chose, the log is to move.
fn apart(fault: pellucid_store::Error, by_default: bool) -> Failure {
    match fault {
        pellucid_store::Error::Key { path, .. } if by_default => Error::Request {
            option: "log".to_owned(),
            reason: format!(
                "its folder holds the user's data folder, where the key would lie ({}); put the log into a folder of its \
                 own, or name a key file elsewhere with --log-key",
                path.display()
            ),
        }
        .into(),
        fault => fault.into(),
    }
}

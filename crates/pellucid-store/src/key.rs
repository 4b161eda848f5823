//! The key file: where the secret that signs checkpoints lies, which must not be where the log lies.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};

use crate::error::Error;
use crate::files::{self, Readers};
use crate::note::{Signer, VerifyingKey};

const MAX_KEY_FILE_BYTES: u64 = 4_096;

/// Random bytes of the operating system.
pub(crate) fn random_bytes() -> Result<[u8; 32], Error> {
    let mut bytes = [0; 32];
    let refuse = |_| Error::refused("random bytes", "the operating system gives none: try again");
    SystemRandom::new().fill(&mut bytes).map_err(refuse).map(|()| bytes)
}

/// Makes a key for the log named `name` (as `example.com/credit`) and writes it to a new file that its owner alone can
/// read. Gives the public half, for those who verify.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let key = pellucid_store::create_key(&folder.path().join("credit.key"), "example.com/credit")?;
/// assert!(key.to_string().starts_with("example.com/credit+"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] for a name that no note can hold, [`Error::File`] where the file exists or cannot be written.
pub fn create_key(path: &Path, name: &str) -> Result<VerifyingKey, Error> {
    let signer = Signer::new(name, random_bytes()?)?;
    let text = format!("{}\n", signer.to_secret_text());
    files::create(path, text.as_bytes(), Readers::Owner, "creating the key file")?;
    Ok(signer.key().clone())
}

/// The public half of a key file.
///
/// # Errors
/// [`Error::Key`] where there is none, it is none, or others can read it; [`Error::File`].
pub fn read_verifying_key(path: &Path) -> Result<VerifyingKey, Error> {
    read(path).map(|signer| signer.key().clone())
}

/// Whether a key file lies outside the log's folder, or would, if one of the two is not there yet.
///
/// # Errors
/// [`Error::Key`] where it does not; [`Error::File`] where one of the folders is not there.
pub fn check_key_apart(log: &Path, key_file: &Path) -> Result<(), Error> {
    let key_folder = folder_of(key_file)?;
    let log_folder = folder_of(log)?;
    if key_folder.starts_with(&log_folder) {
        let reason = format!(
            "lies in the log's folder {}, so that whoever copies the log could sign: move it elsewhere",
            log_folder.display()
        );
        return Err(Error::Key { path: key_file.to_owned(), reason });
    }
    Ok(())
}

/// The signer of a key file that lies outside the log's folder.
pub(crate) fn signer_for(log: &Path, key_file: &Path) -> Result<Signer, Error> {
    check_key_apart(log, key_file)?;
    read(key_file)
}

/// Where a file really lies, links followed.
fn folder_of(path: &Path) -> Result<PathBuf, Error> {
    let doing = "finding its folder";
    let target = if path.exists() { path.canonicalize() } else { std::path::absolute(path) };
    let target = target.map_err(Error::file(path, doing))?;
    let folder = target.parent().unwrap_or(&target);
    fs::canonicalize(folder).map_err(Error::file(path, doing))
}

fn read(path: &Path) -> Result<Signer, Error> {
    let doing = "reading the key file";
    let file = File::open(path).map_err(|fault| match fault.kind() {
        std::io::ErrorKind::NotFound => {
            let reason = "there is none: give its path, or make one for a new log".to_owned();
            Error::Key { path: path.to_owned(), reason }
        }
        _ => Error::file(path, doing)(fault),
    })?;
    check_private(path, &file)?;
    let mut text = String::new();
    file.take(MAX_KEY_FILE_BYTES).read_to_string(&mut text).map_err(Error::file(path, doing))?;
    Signer::parse(&text).ok_or_else(|| Error::Key {
        path: path.to_owned(),
        reason: "is no key file (PRIVATE+KEY+name+id+key): restore it from a copy".to_owned(),
    })
}

#[cfg(unix)]
fn check_private(path: &Path, file: &File) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_err(Error::file(path, "reading its mode"))?.permissions().mode() & 0o777;
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(Error::Key {
            path: path.to_owned(),
            reason: format!(
                "others can read or write it (mode {mode:o}): chmod 600, and make a new key if they did"
            ),
        }),
    }
}

#[cfg(not(unix))]
fn check_private(_path: &Path, _file: &File) -> Result<(), Error> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_its_owners_and_is_never_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log.key");
        let key = create_key(&path, "example.com/log").expect("a new file");
        assert_eq!(read_verifying_key(&path), Ok(key));
        assert!(matches!(create_key(&path, "example.com/log"), Err(Error::File { .. })));
        assert!(matches!(read_verifying_key(&folder.path().join("none")), Err(Error::Key { .. })));
        fs::write(folder.path().join("other"), "PRIVATE+KEY+x").expect("written");
        assert!(matches!(read_verifying_key(&folder.path().join("other")), Err(Error::Key { .. })));
    }

    /// Whoever sees the file sees all of it, and so does who comes after a machine that stopped.
    #[test]
    fn a_key_file_is_whole_as_soon_as_it_is_there() {
        let folder = tempfile::tempdir().expect("a folder");
        for i in 0..50 {
            let path = folder.path().join(format!("{i}.key"));
            let seen = std::thread::scope(|scope| {
                let watcher = scope.spawn(|| {
                    loop {
                        if let Ok(text) = fs::read_to_string(&path) {
                            return text;
                        }
                    }
                });
                create_key(&path, "example.com/log").expect("a new file");
                watcher.join().expect("no panic")
            });
            assert!(seen.starts_with("PRIVATE+KEY+") && seen.ends_with('\n'), "key {i}: {seen:?}");
        }
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 50, "and nothing else is left");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log.key");
        create_key(&path, "example.com/log").expect("a new file");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("owned");
        assert!(read_verifying_key(&path).expect_err("readable").to_string().contains("mode 640"));
    }

    #[test]
    fn a_key_in_the_logs_folder_is_refused_by_whatever_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let log_folder = folder.path().join("logs");
        fs::create_dir_all(log_folder.join("keys")).expect("a folder");
        let log = log_folder.join("credit.db");
        let refused = |key: &Path| {
            let fault = signer_for(&log, key).err().expect("refused").to_string();
            assert!(fault.contains("lies in the log's folder"), "{fault}");
        };
        for inside in ["a.key", "keys/b.key"] {
            create_key(&log_folder.join(inside), "log").expect("a new file");
            refused(&log_folder.join(inside));
        }
        refused(&folder.path().join("logs/../logs/a.key"));
        let outside = folder.path().join("c.key");
        create_key(&outside, "log").expect("a new file");
        assert!(signer_for(&log, &outside).is_ok());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(log_folder.join("a.key"), folder.path().join("link")).expect("a link");
            refused(&folder.path().join("link"));
        }
    }
}

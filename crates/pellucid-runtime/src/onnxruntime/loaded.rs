//! The library in the process. There can be one, and it stays until the process ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ort::environment::Environment;

/// A loaded library and its environment.
#[derive(Clone)]
pub(super) struct Loaded {
    pub(super) path: PathBuf,
    pub(super) version: String,
    pub(super) environment: Environment,
}

/// `ort` permits one environment a process, so that it must live as long.
static LOADED: Mutex<Option<Loaded>> = Mutex::new(None);

impl Loaded {
    /// Loads the library at `path`, once.
    pub(super) fn load(path: &Path) -> Result<Self, String> {
        let path = path.canonicalize().map_err(|error| error.to_string())?;
        let mut slot = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        match &*slot {
            Some(loaded) if loaded.path == path => return Ok(loaded.clone()),
            Some(other) => return Err(format!("this process has already loaded {}", other.path.display())),
            None => {}
        }
        // `ort` panics where a library has the right symbols and gives nothing through them.
        let loaded = catch_unwind(AssertUnwindSafe(|| initialize(&path)))
            .unwrap_or_else(|_| Err("it is not a working ONNX Runtime library".to_owned()))?;
        *slot = Some(loaded.clone());
        Ok(loaded)
    }
}

fn initialize(path: &Path) -> Result<Loaded, String> {
    let mut builder = ort::init_from(path).map_err(|error| load_fault(&error))?.with_telemetry(false);
    // Its warnings go to stderr otherwise; what fails comes back as an error too. `ORT_LOG` brings them back.
    let silent = std::env::var_os("ORT_LOG").is_none();
    if silent {
        builder = builder.with_logger(Arc::new(|_, _, _, _, _| {}));
    }
    let environment = builder.build().map_err(|error| error.to_string())?;
    if silent {
        environment.set_log_level(ort::logging::LogLevel::Fatal);
    }
    Ok(Loaded { path: path.to_path_buf(), version: version(path, ort::info()), environment })
}

fn load_fault(error: &ort::LoadDynamicError) -> String {
    match error {
        ort::LoadDynamicError::Dlopen { error, .. } => format!("it is no library that loads here: {error}"),
        ort::LoadDynamicError::MissingApi { .. } => "it is a library, but not ONNX Runtime".to_owned(),
        ort::LoadDynamicError::BadVersion { version_str, .. } => {
            format!("version {version_str} is too old: 1.{} or newer is needed", ort::MINOR_VERSION)
        }
        other => other.to_string(),
    }
}

/// The version, which a loaded library does not tell in any safe call: from the file's name, or the wheel's; else the
/// commit it was built from, which names it as well.
fn version(path: &Path, build_info: &str) -> String {
    let in_file_name = path.file_name().and_then(|name| version_in(&name.to_string_lossy()));
    in_file_name.or_else(|| wheel_version(path)).unwrap_or_else(|| commit_in(build_info))
}

/// `1.31.1` in `libonnxruntime.so.1.31.1`.
fn version_in(name: &str) -> Option<String> {
    let parts: Vec<&str> =
        name.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
    (parts.len() >= 2).then(|| parts.join("."))
}

/// `…/site-packages/onnxruntime/capi/onnxruntime.dll` lies beside `…/site-packages/onnxruntime-1.31.1.dist-info`.
fn wheel_version(path: &Path) -> Option<String> {
    let site_packages = path.ancestors().nth(3)?;
    let names =
        std::fs::read_dir(site_packages).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut wheels: Vec<String> =
        names.filter(|name| name.starts_with("onnxruntime") && name.ends_with(".dist-info")).collect();
    wheels.sort();
    wheels.first().and_then(|name| version_in(name))
}

/// `commit 6af1a93` from `ORT Build Info: git-branch=HEAD, git-commit-id=6af1a93, build type=Release`.
fn commit_in(build_info: &str) -> String {
    let commit = build_info.split(", ").find_map(|part| part.strip_prefix("git-commit-id="));
    commit.map_or_else(|| "of unknown version".to_owned(), |commit| format!("commit {commit}"))
}

#[cfg(test)]
mod tests {
    use super::{commit_in, version, version_in};

    #[test]
    fn the_version_is_in_the_name_of_the_file() {
        assert_eq!(version_in("libonnxruntime.so.1.31.1").as_deref(), Some("1.31.1"));
        assert_eq!(version_in("libonnxruntime.1.22.0.dylib").as_deref(), Some("1.22.0"));
        assert_eq!(version_in("libonnxruntime.so"), None);
    }

    #[test]
    fn the_commit_stands_for_an_unknown_version() {
        let info = "ORT Build Info: git-branch=HEAD, git-commit-id=6af1a93, build type=Release";
        assert_eq!(commit_in(info), "commit 6af1a93");
        assert_eq!(version(std::path::Path::new("/nowhere/libonnxruntime.so"), info), "commit 6af1a93");
    }
}

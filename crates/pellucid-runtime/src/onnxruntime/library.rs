//! Where the ONNX Runtime library is.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// One place that was looked at.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Place {
    /// Why it was looked at: the option, an environment variable, the project's environment, a system folder.
    pub source: String,
    /// The file or folder, as it was given.
    pub path: PathBuf,
    /// The library there.
    pub library: Option<PathBuf>,
}

/// What a search reads of its surroundings; a parameter, so that tests need not change the process.
pub(crate) struct Surroundings<'a> {
    pub(crate) variable: &'a dyn Fn(&str) -> Option<OsString>,
    pub(crate) current_folder: Option<PathBuf>,
}

impl Surroundings<'static> {
    pub(crate) fn of_process() -> Self {
        Self { variable: &|name| std::env::var_os(name), current_folder: std::env::current_dir().ok() }
    }
}

impl Surroundings<'_> {
    fn path(&self, variable: &str) -> Option<PathBuf> {
        (self.variable)(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
    }
}

/// Variables that name the library or its folder.
const LIBRARY_VARIABLES: [&str; 2] = ["PELLUCID_ORT", "ORT_DYLIB_PATH"];
/// Variables that name the active Python environment.
const ENVIRONMENT_VARIABLES: [&str; 2] = ["VIRTUAL_ENV", "CONDA_PREFIX"];
/// Variables that list folders of libraries.
const FOLDER_VARIABLES: [&str; 2] = ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];
const SYSTEM_FOLDERS: [&str; 8] = [
    "/usr/local/lib",
    "/usr/local/lib64",
    "/opt/onnxruntime/lib",
    "/opt/homebrew/lib",
    "/usr/lib64",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib",
];

/// Every place to look at, in order. A library that was named ends the search: another one would be a surprise.
pub(crate) fn search(named: Option<&Path>, around: &Surroundings<'_>) -> Vec<Place> {
    let variables = LIBRARY_VARIABLES.into_iter().filter_map(|name| Some((name, around.path(name)?)));
    let option = named.map(|path| ("the library option", path.to_path_buf()));
    if let Some((source, path)) = option.into_iter().chain(variables).next() {
        return vec![place_of(source, &path)];
    }
    let mut places = python_places(around);
    for variable in FOLDER_VARIABLES {
        let listed = (around.variable)(variable).unwrap_or_default();
        let folders = std::env::split_paths(&listed).filter(|folder| !folder.as_os_str().is_empty());
        places.extend(folders.map(|folder| place_of(variable, &folder)));
    }
    places.extend(SYSTEM_FOLDERS.map(|folder| place_of("system folder", Path::new(folder))));
    places
}

fn python_places(around: &Surroundings<'_>) -> Vec<Place> {
    let environments = python_environments(around);
    environments.iter().map(|(source, root)| package_place(source, root)).collect()
}

/// The active Python environment and the project's: why it counts, and its root.
pub(crate) fn python_environments(around: &Surroundings<'_>) -> Vec<(String, PathBuf)> {
    let active = ENVIRONMENT_VARIABLES
        .into_iter()
        .filter_map(|name| Some((format!("Python environment {name}"), around.path(name)?)));
    let project = around.current_folder.iter().flat_map(|folder| folder.ancestors());
    let project = project.map(|folder| folder.join(".venv")).find(|folder| folder.is_dir());
    active.chain(project.map(|root| ("Python environment of the project".to_owned(), root))).collect()
}

/// The library inside the `onnxruntime` package of the environment at `root`.
fn package_place(source: &str, root: &Path) -> Place {
    let candidates = site_packages(root).into_iter().map(|folder| folder.join("onnxruntime").join("capi"));
    let library = candidates.filter_map(|folder| library_in(&folder)).next();
    Place { source: source.to_owned(), path: root.to_path_buf(), library }
}

/// `lib/python3.x/site-packages`, newest Python first; `Lib/site-packages` on Windows.
fn site_packages(root: &Path) -> Vec<PathBuf> {
    let mut pythons: Vec<PathBuf> =
        ["lib", "lib64"].iter().flat_map(|lib| entries(&root.join(lib))).collect();
    pythons.retain(|folder| file_name(folder).starts_with("python"));
    pythons.sort_by_key(|folder| std::cmp::Reverse(version_key(&file_name(folder))));
    pythons.push(root.join("Lib"));
    pythons.into_iter().map(|folder| folder.join("site-packages")).collect()
}

fn place_of(source: &str, path: &Path) -> Place {
    let library = if path.is_dir() { library_in(path) } else { path.is_file().then(|| path.to_path_buf()) };
    Place { source: source.to_owned(), path: path.to_path_buf(), library }
}

/// The newest ONNX Runtime library directly inside `folder`.
fn library_in(folder: &Path) -> Option<PathBuf> {
    entries(folder)
        .into_iter()
        .filter(|path| is_library_name(&file_name(path)))
        .max_by_key(|path| version_key(&file_name(path)))
}

/// Whether a file name is that of the library itself, not of one of its providers.
fn is_library_name(name: &str) -> bool {
    name == "libonnxruntime.so"
        || name.starts_with("libonnxruntime.so.")
        || (name.starts_with("libonnxruntime.") && name.ends_with(".dylib"))
        || name == "onnxruntime.dll"
}

/// The numbers in a name, so that 1.9 comes before 1.31.
fn version_key(name: &str) -> Vec<u64> {
    name.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(read) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = read.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> String {
    path.file_name().map(OsStr::to_string_lossy).unwrap_or_default().into_owned()
}

#[cfg(test)]
mod tests;

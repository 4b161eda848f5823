//! The folder of models → which models there are, and from which bytes.

use std::fs::{File, Metadata};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use super::settings::{FILE, Settings};
use crate::security::ids;

/// Endings of model files.
const MODEL_ENDINGS: [&str; 5] = ["onnx", "json", "ubj", "txt", "cbm"];
/// Endings of what stands beside a model file without being one.
const BESIDE: [&str; 5] =
    [".labels.json", ".labels.txt", ".preprocess.json", TOKENIZER, "tokenizer_config.json"];
/// The tokenizer of a network that reads texts.
const TOKENIZER: &str = "tokenizer.json";

/// How files begin that are for people.
const NO_MODELS: [&str; 4] = ["readme", "license", "notice", "changelog"];

/// A model as it lies in the folder.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) settings: Settings,
    /// The folder that relative paths start from.
    pub(crate) folder: PathBuf,
    pub(crate) model: PathBuf,
    /// Where the model reads texts.
    pub(crate) tokenizer: Option<PathBuf>,
    /// Everything that the model is made from.
    files: Vec<PathBuf>,
}

/// What tells cheaply whether files may have changed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stamp(Vec<(PathBuf, u64, Option<SystemTime>)>);

/// A model that there seems to be, by name, and why it is none where it is none.
pub(crate) type Finding = (String, Result<Found, String>);

/// All models below `root`, which is canonical.
pub(crate) fn models(root: &Path) -> std::io::Result<Vec<Finding>> {
    let mut found = Vec::new();
    for path in entries(root)? {
        if is_link(&path) {
            let name = name_of(&path);
            found.push((name, Err("is a symbolic link; models lie in their folder themselves".to_owned())));
        } else if path.is_dir() {
            found.extend(versions(root, &path));
        }
    }
    Ok(found)
}

/// A folder with a model file or settings is a model of one version; other folders hold one folder a version.
fn versions(root: &Path, folder: &Path) -> Vec<Finding> {
    let name = name_of(folder);
    if !ids::is_id(&name) {
        let reason = "names of models have 1 to 128 letters, digits, `_` and `-`".to_owned();
        return vec![(name, Err(reason))];
    }
    let listed = match entries(folder) {
        Ok(listed) => listed,
        Err(error) => return vec![(name, Err(error.to_string()))],
    };
    let folders: Vec<&PathBuf> = listed.iter().filter(|path| !is_link(path) && path.is_dir()).collect();
    let is_one = |path: &PathBuf| name_of(path) == FILE || is_model_file(path);
    match folders.is_empty() || listed.iter().any(is_one) {
        true => vec![(name.clone(), found(root, &name, None, folder))],
        // Whatever else lies beside them is nobody's.
        false => {
            folders.into_iter().map(|it| (name.clone(), found(root, &name, Some(name_of(it)), it))).collect()
        }
    }
}

fn found(root: &Path, name: &str, version: Option<String>, folder: &Path) -> Result<Found, String> {
    let settings = Settings::read(folder)?;
    let version = version.or_else(|| settings.version.clone()).unwrap_or_else(|| "1".to_owned());
    if !ids::is_id(&version) {
        return Err(format!("version `{version}`: versions have 1 to 128 letters, digits, `_` and `-`"));
    }
    let listed = entries(folder).map_err(|error| error.to_string())?;
    let model = match &settings.model {
        Some(path) => folder.join(path),
        None => only_model(&listed)?,
    };
    let model = contained(root, &model)?;
    let mut files: Vec<PathBuf> = listed.into_iter().filter(|path| path.is_file()).collect();
    files.extend(beside(&model)?);
    let tokenizer = match &settings.tokenizer {
        Some(path) => Some(folder.join(path)),
        None => files.iter().find(|path| name_of(path) == TOKENIZER).cloned(),
    };
    let tokenizer = tokenizer.map(|path| contained(root, &path)).transpose()?;
    files.extend(tokenizer.clone());
    let named = [&settings.labels, &settings.explain.background];
    files.extend(named.into_iter().flatten().map(|path| folder.join(path)));
    let mut files =
        files.iter().map(|path| contained(root, path)).collect::<Result<Vec<PathBuf>, String>>()?;
    files.sort();
    files.dedup();
    let (name, folder) = (name.to_owned(), folder.to_owned());
    Ok(Found { name, version, settings, folder, model, tokenizer, files })
}

impl Found {
    /// What tells whether its files may have changed.
    pub(crate) fn stamp(&self) -> std::io::Result<Stamp> {
        let of_file = |path: &PathBuf| {
            let data = path.metadata()?;
            Ok((path.clone(), data.len(), data.modified().ok()))
        };
        self.files.iter().map(of_file).collect::<std::io::Result<_>>().map(Stamp)
    }

    /// SHA-256 of all its files with their names.
    pub(crate) fn digest(&self) -> std::io::Result<[u8; 32]> {
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        for path in &self.files {
            let mut file = BufReader::new(File::open(path)?);
            let name = path.to_string_lossy();
            hash.update((name.len() as u64).to_le_bytes());
            hash.update(name.as_bytes());
            hash.update(file.get_ref().metadata()?.len().to_le_bytes());
            loop {
                match file.read(&mut buffer)? {
                    0 => break,
                    n => hash.update(&buffer[..n]),
                }
            }
        }
        Ok(hash.finalize().into())
    }

    /// A file that the settings name, which has to lie in the folder of models.
    pub(crate) fn file(&self, root: &Path, path: &Path) -> Result<PathBuf, String> {
        contained(root, &self.folder.join(path))
    }
}

/// The path with all links followed, if it still lies below `root`; a file with a second name could be anybody's.
fn contained(root: &Path, path: &Path) -> Result<PathBuf, String> {
    let shown = path.strip_prefix(root).unwrap_or(path).display();
    let real = path.canonicalize().map_err(|error| format!("{shown}: {error}"))?;
    if !real.starts_with(root) {
        return Err(format!("{shown}: lies outside the folder of models; copy it into the model's folder"));
    }
    Ok(real)
}

/// The files that the engine finds beside a model file by its name.
fn beside(model: &Path) -> Result<Vec<PathBuf>, String> {
    let folder = model.parent().unwrap_or(model);
    let stem = model.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let listed = entries(folder).map_err(|error| error.to_string())?;
    let belongs = |path: &PathBuf| path == model || name_of(path).starts_with(&format!("{stem}."));
    Ok(listed.into_iter().filter(|path| path.is_file() && belongs(path)).collect())
}

fn only_model(listed: &[PathBuf]) -> Result<PathBuf, String> {
    let models: Vec<&PathBuf> = listed.iter().filter(|path| is_model_file(path)).collect();
    match models.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(format!(
            "holds no model file (.onnx, .json, .ubj, .txt, .cbm); put one there, or name it: model = … in {FILE}"
        )),
        many => {
            let names: Vec<String> = many.iter().map(|path| name_of(path)).collect();
            Err(format!("holds {}; name the model file: model = … in {FILE}", names.join(", ")))
        }
    }
}

fn is_model_file(path: &Path) -> bool {
    let name = name_of(path).to_lowercase();
    let has_ending = path
        .extension()
        .is_some_and(|ending| MODEL_ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)));
    let is_read_first = NO_MODELS.iter().any(|word| name.starts_with(word));
    path.is_file() && has_ending && !is_read_first && !BESIDE.iter().any(|beside| name.ends_with(beside))
}

fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|data: Metadata| data.is_symlink())
}

/// What a folder holds, in order, without what is hidden.
fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let listed = std::fs::read_dir(folder)?;
    let mut paths = listed.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<PathBuf>>>()?;
    paths.retain(|path| !name_of(path).starts_with('.'));
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Place, Surroundings, search};

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pellucid-runtime-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "").unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn places(named: Option<&Path>, variables: &[(&str, &Path)], current_folder: &Path) -> Vec<Place> {
    let variables: BTreeMap<&str, OsString> =
        variables.iter().map(|(k, v)| (*k, v.as_os_str().to_owned())).collect();
    let variable = |name: &str| variables.get(name).cloned();
    search(named, &Surroundings { variable: &variable, current_folder: Some(current_folder.to_path_buf()) })
}

fn first_found(places: &[Place]) -> Option<&Path> {
    places.iter().find_map(|place| place.library.as_deref())
}

const IN_WHEEL: &str = "lib/python3.11/site-packages/onnxruntime/capi/libonnxruntime.so.1.31.1";

#[test]
fn a_named_library_ends_the_search() {
    let folder = Folder::new("named");
    let venv = folder.file(&format!("venv/{IN_WHEEL}"));
    let venv_root = folder.0.join("venv");
    let absent = folder.0.join("absent.so");
    let found = places(None, &[("PELLUCID_ORT", &absent), ("VIRTUAL_ENV", &venv_root)], &folder.0);
    assert_eq!(found, [Place { source: "PELLUCID_ORT".into(), path: absent.clone(), library: None }]);
    let found = places(Some(&venv), &[("PELLUCID_ORT", &absent)], &folder.0);
    assert_eq!(found.len(), 1);
    assert_eq!(first_found(&found), Some(venv.as_path()));
}

#[test]
fn our_variable_goes_before_that_of_ort() {
    let folder = Folder::new("variables");
    let (ours, theirs) = (folder.file("ours.so"), folder.file("theirs.so"));
    let found = places(None, &[("ORT_DYLIB_PATH", &theirs), ("PELLUCID_ORT", &ours)], &folder.0);
    assert_eq!(first_found(&found), Some(ours.as_path()));
    assert_eq!(first_found(&places(None, &[("ORT_DYLIB_PATH", &theirs)], &folder.0)), Some(theirs.as_path()));
}

#[test]
fn the_active_environment_goes_before_the_project_s() {
    let folder = Folder::new("environments");
    let active = folder.file(&format!("active/{IN_WHEEL}"));
    let project = folder.file(&format!("project/.venv/{IN_WHEEL}"));
    let deep = folder.0.join("project/src/deep");
    std::fs::create_dir_all(&deep).unwrap();
    let found = places(None, &[("VIRTUAL_ENV", &folder.0.join("active"))], &deep);
    assert_eq!(first_found(&found), Some(active.as_path()));
    assert_eq!(first_found(&places(None, &[], &deep)), Some(project.as_path()));
}

#[test]
fn the_newest_version_wins_and_providers_are_no_library() {
    let folder = Folder::new("versions");
    folder.file("libonnxruntime.so.1.9.0");
    folder.file("libonnxruntime_providers_shared.so");
    let newest = folder.file("libonnxruntime.so.1.31.1");
    assert_eq!(
        first_found(&places(None, &[("LD_LIBRARY_PATH", &folder.0)], &folder.0)),
        Some(newest.as_path())
    );
    assert_eq!(first_found(&places(None, &[("PELLUCID_ORT", &folder.0)], &folder.0)), Some(newest.as_path()));
}

#[test]
fn every_place_is_told_where_nothing_is_found() {
    let folder = Folder::new("nothing");
    let found = places(None, &[("VIRTUAL_ENV", &folder.0), ("LD_LIBRARY_PATH", &folder.0)], &folder.0);
    let sources: Vec<&str> = found.iter().map(|place| place.source.as_str()).collect();
    assert_eq!(sources[..2], ["Python environment VIRTUAL_ENV", "LD_LIBRARY_PATH"]);
    assert!(sources.contains(&"system folder"));
}

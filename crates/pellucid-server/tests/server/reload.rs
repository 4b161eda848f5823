//! Models change under a running server: whole or not at all.

use std::fs;
use std::time::Duration;

use pellucid_server::Options;
use serde_json::json;

use crate::harness::{Place, Running, fixture, row, until};

fn often(options: &mut Options) {
    options.limits.poll = Duration::from_millis(10);
}

fn digest(server: &Running) -> String {
    let body = json!({ "instances": [row()] });
    let explained = server.post("/v1/models/table:explain", &body).expect(200).json();
    let place = explained["explanations"][0]["record_index"].clone();
    let record = server.get(&format!("/v1/records/{place}")).expect(200).json();
    record["entry"]["model"]["digest"].as_str().unwrap().to_owned()
}

#[test]
fn new_files_are_served_and_broken_ones_are_not() {
    let server = Place::new().start(often);
    let file = server.place.models().join("table/binary.txt");
    let first = digest(&server);
    // Another model of five columns.
    let text = fs::read_to_string(&file).unwrap().replace("sigmoid:0.7", "sigmoid:0.9");
    fs::write(&file, &text).unwrap();
    until(|| digest(&server) != first);
    let second = digest(&server);

    fs::write(&file, &text[..text.len() / 2]).unwrap();
    until(|| server.get("/readyz").expect(200).json()["broken"].get("table").is_some());
    assert_eq!(digest(&server), second);
    fs::write(&file, text.replace("sigmoid:0.9", "sigmoid:0.8")).unwrap();
    until(|| digest(&server) != second);
    assert_eq!(server.get("/readyz").expect(200).json()["broken"], json!({}));

    fs::remove_dir_all(server.place.models().join("table")).unwrap();
    until(|| server.get("/v1/models/table").status == 404);
    let folder = server.place.model("later", "trees/lightgbm/binary.txt", "");
    until(|| server.get("/v1/models/later").status == 200);
    fs::write(folder.join("pellucid.toml"), "[explain]\nmethod = \"guessing\"\n").unwrap();
    until(|| server.get("/readyz").expect(200).json()["broken"].get("later").is_some());
    server.get("/v1/models/later").expect(200);
}

#[test]
fn versions_are_folders_and_the_highest_number_answers() {
    let place = Place::new();
    for version in ["2", "10"] {
        let folder = place.models().join("versioned").join(version);
        fs::create_dir_all(&folder).unwrap();
        fs::copy(fixture("trees/lightgbm/binary.txt"), folder.join("model.txt")).unwrap();
    }
    let server = place.start(|_| {});
    let body = json!({ "inputs": [{ "name": "x", "shape": [1, 5], "datatype": "FP64", "data": row() }] });
    let infer = |path: &str| server.post(path, &body).expect(200).json()["model_version"].clone();
    assert_eq!(infer("/v2/models/versioned/infer"), "10");
    assert_eq!(infer("/v2/models/versioned/versions/2/infer"), "2");
    assert_eq!(server.get("/v2/models/versioned").json()["versions"], json!(["2", "10"]));
    server.post("/v2/models/versioned/versions/3/infer", &body).expect(404).says("no version 3");
}

#[test]
fn broken_models_are_told_and_others_served() {
    let place = Place::new();
    let check = |name: &str, settings: &str| drop(place.model(name, "trees/lightgbm/binary.txt", settings));
    check("unknown-setting", "colour = 1\n");
    check("no-such-file", "model = \"other.txt\"\n");
    check("bad-names", "feature_names = [\"a\"]\n");
    check("bad-rule", "[sampling]\nrule = \"one_in\"\nn = 0\n");
    fs::create_dir_all(place.models().join("empty")).unwrap();
    fs::create_dir_all(place.models().join("bad.name")).unwrap();
    fs::write(place.models().join("unknown-setting/second.txt"), "tree\n").unwrap();
    let server = place.start(|_| {});
    let broken = server.get("/readyz").expect(200).json()["broken"].clone();
    let check = |name: &str, part: &str| {
        let fault = broken[name].as_str().unwrap_or_default();
        assert!(fault.contains(part), "{name}: {broken}");
        server.get(&format!("/v1/models/{name}")).expect(503).says("not ready");
    };
    check("unknown-setting", "colour");
    check("no-such-file", "other.txt");
    check("bad-names", "feature_names has 1 names");
    check("bad-rule", "one in 0");
    assert!(broken["bad.name"].as_str().unwrap().contains("names of models"));
    server.get("/v1/models/table").expect(200);
}

#[cfg(unix)]
#[test]
fn nothing_outside_the_folder_is_served() {
    use std::os::unix::fs::symlink;
    let place = Place::new();
    let outside = tempfile::tempdir().unwrap();
    fs::copy(fixture("trees/lightgbm/binary.txt"), outside.path().join("binary.txt")).unwrap();
    symlink(outside.path(), place.models().join("linked-folder")).unwrap();
    fs::create_dir(place.models().join("linked-file")).unwrap();
    symlink(outside.path().join("binary.txt"), place.models().join("linked-file/model.txt")).unwrap();
    let up =
        format!("model = \"../../{}/binary.txt\"\n", outside.path().file_name().unwrap().to_string_lossy());
    place.model("climbing", "trees/lightgbm/binary.txt", &up);
    let absolute = format!("model = \"{}\"\n", outside.path().join("binary.txt").display());
    place.model("absolute", "trees/lightgbm/binary.txt", &absolute);
    let labels = format!("labels = \"{}\"\n", outside.path().join("binary.txt").display());
    place.model("labels", "trees/lightgbm/binary.txt", &labels);
    let server = place.start(|_| {});
    let broken = server.get("/readyz").expect(200).json()["broken"].clone();
    assert!(broken["linked-folder"].as_str().unwrap().contains("symbolic link"), "{broken}");
    for name in ["linked-file", "climbing", "absolute", "labels"] {
        assert!(broken[name].as_str().unwrap().contains("outside the folder"), "{name}: {broken}");
        server.get(&format!("/v1/models/{name}")).expect(503);
    }
}

#[test]
fn a_fault_is_gone_with_what_was_wrong() {
    let place = Place::new();
    let versions = place.models().join("versioned");
    let version = |number: &str, text: &str| {
        fs::create_dir_all(versions.join(number)).unwrap();
        fs::write(versions.join(number).join("model.txt"), text).unwrap();
    };
    let good = fs::read_to_string(fixture("trees/lightgbm/binary.txt")).unwrap();
    version("1", &good);
    version("2", &good[..good.len() / 2]);
    let server = place.start(often);
    let broken = || server.get("/readyz").expect(200).json()["broken"].clone();
    assert!(broken()["versioned"].is_string());
    server.get("/v1/models/versioned").expect(200);
    fs::remove_dir_all(versions.join("2")).unwrap();
    until(|| broken() == json!({}));

    // The same file is back, untouched.
    let (file, aside) =
        (server.place.models().join("table/binary.txt"), server.place.keys().join("aside.txt"));
    fs::rename(&file, &aside).unwrap();
    until(|| broken()["table"].is_string());
    server.get("/v1/models/table").expect(200);
    fs::rename(&aside, &file).unwrap();
    until(|| broken() == json!({}));
}

#[test]
fn what_lies_beside_the_versions_is_nobodys() {
    let place = Place::new();
    let folder = place.models().join("versioned");
    fs::create_dir_all(folder.join("1")).unwrap();
    fs::copy(fixture("trees/lightgbm/binary.txt"), folder.join("1/model.txt")).unwrap();
    for stray in ["README.txt", "notes.md", "1/LICENSE.txt"] {
        fs::write(folder.join(stray), "for people\n").unwrap();
    }
    let server = place.start(|_| {});
    server.get("/v1/models/versioned").expect(200);
    assert_eq!(server.get("/readyz").expect(200).json()["broken"], json!({}));
}

#[test]
fn explanations_tell_the_labels_that_are_there_now() {
    let place = Place::new();
    let labels = place.model("table", "trees/lightgbm/binary.txt", "[explain]\ntarget = \"0\"\n");
    let labels = labels.join("binary.labels.json");
    fs::write(&labels, "[\"early\"]").unwrap();
    let server = place.start(often);
    let name = || {
        let body = json!({ "instances": [row()] });
        let explained = server.post("/v1/models/table:explain", &body).expect(200).json();
        explained["explanations"][0]["target"]["name"].clone()
    };
    assert_eq!(name(), "early");
    // The model file is the same, and so is the row.
    fs::write(&labels, "[\"later\"]").unwrap();
    until(|| name() == "later");
}

//! Reads the source tree and the crate graph, and holds them to ARCHITECTURE.md and the house style.

#![allow(clippy::expect_used, reason = "a broken expectation is what a test reports")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Which crates of the workspace each crate may use (`ARCHITECTURE.md` has the table in words).
const ALLOWED_EDGES: &[(&str, &[&str])] = &[
    ("pellucid-core", &[]),
    ("pellucid-graph", &[]),
    ("pellucid-runtime", &["pellucid-graph"]),
    ("pellucid-trees", &["pellucid-core", "pellucid-graph"]),
    ("pellucid-explain", &["pellucid-core", "pellucid-graph"]),
    ("pellucid-agnostic", &["pellucid-core"]),
    ("pellucid-remote", &["pellucid-core", "pellucid-agnostic"]),
    ("pellucid-metrics", &["pellucid-core"]),
    ("pellucid-plot", &["pellucid-core"]),
    ("pellucid-store", &[]),
    ("pellucid-drift", &["pellucid-core"]),
    ("pellucid-dashboard", &["pellucid-store", "pellucid-drift"]),
    (
        "pellucid-engine",
        &[
            "pellucid-core",
            "pellucid-graph",
            "pellucid-runtime",
            "pellucid-trees",
            "pellucid-explain",
            "pellucid-agnostic",
            "pellucid-remote",
            "pellucid-metrics",
            "pellucid-plot",
            "pellucid-store",
        ],
    ),
    ("pellucid-server", &["pellucid-store", "pellucid-dashboard", "pellucid-engine"]),
    ("pellucid-cli", &["pellucid-store", "pellucid-engine", "pellucid-server"]),
    ("pellucid-python", &["pellucid-engine", "pellucid-cli"]),
    ("pellucid-tidy", &[]),
];

/// Words that the glossary keeps out of public names.
const UNWANTED_WORDS: &[&str] =
    &["heatmap_data", "x_batch", "perturb_func", "random_state", "imputer", "superpixel"];

const MAX_FUNCTION_LINES: usize = 70;
const MAX_FILE_BYTES: u64 = 1 << 20;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("crates/NAME lies two folders deep")
        .to_owned()
}

/// All files below `folder` with this ending, in order.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the checkout").flatten() {
            let path = entry.path();
            match path.is_dir() {
                true if path.file_name().is_some_and(|name| name != "target") => folders.push(path),
                false if path.to_string_lossy().ends_with(ending) => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<(PathBuf, String)> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["crates", "python/src"].map(|folder| root().join(folder));
    let all = folders.iter().flat_map(|folder| files(folder, ".rs")).filter(|path| !path.starts_with(own));
    all.map(|path| (path.clone(), std::fs::read_to_string(&path).expect("source is UTF-8"))).collect()
}

fn assert_none(what: &str, offenders: &[String]) {
    assert!(offenders.is_empty(), "{what}:\n{}", offenders.join("\n"));
}

fn metadata() -> Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
    let output = Command::new(cargo).args(arguments).current_dir(root()).output().expect("cargo runs");
    serde_json::from_slice(&output.stdout).expect("cargo metadata gives JSON")
}

#[test]
fn crates_use_only_what_the_architecture_allows() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("a list of packages");
    let mut offenders = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let allowed = ALLOWED_EDGES.iter().find(|(known, _)| *known == name).map(|(_, allowed)| *allowed);
        let Some(allowed) = allowed else {
            offenders.push(format!("{name}: not in the table of crates"));
            continue;
        };
        let dependencies = package["dependencies"].as_array().expect("a list of dependencies");
        // What tests alone need may come from anywhere.
        let used = dependencies.iter().filter(|dependency| dependency["kind"] != "dev");
        let used: BTreeSet<&str> = used.filter_map(|dependency| dependency["name"].as_str()).collect();
        let inside = used.iter().filter(|name| name.starts_with("pellucid-") && !allowed.contains(name));
        offenders.extend(inside.map(|used| format!("{name} must not use {used}")));
        let runtimes = used.iter().filter(|used| matches!(**used, "ort" | "rten"));
        if name != "pellucid-runtime" {
            offenders.extend(
                runtimes.map(|used| format!("{name} must not use {used}: only pellucid-runtime may")),
            );
        }
    }
    assert_none("crate edges", &offenders);
}

#[test]
fn members_stand_in_the_order_of_the_flow() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("the root manifest");
    let members: Vec<String> = manifest
        .lines()
        .skip_while(|line| !line.starts_with("members"))
        .skip(1)
        .take_while(|line| *line != "]")
        .map(|line| {
            line.trim().trim_matches(['"', ',']).replace("crates/", "").replace("python", "pellucid-python")
        })
        .collect();
    let place = |member: &String| ALLOWED_EDGES.iter().position(|(name, _)| name == member);
    let places: Vec<Option<usize>> = members.iter().map(place).collect();
    assert!(places.is_sorted() && !places.contains(&None), "{members:?}");
}

#[test]
fn every_file_begins_by_saying_what_it_is() {
    let silent = |(path, text): &&(PathBuf, String)| {
        let says = |line: &str| line.starts_with("//!") || line.starts_with("#![doc");
        !path.ends_with("tests.rs") && !text.lines().next().is_some_and(says)
    };
    let offenders: Vec<String> =
        sources().iter().filter(silent).map(|(path, _)| path.display().to_string()).collect();
    assert_none("files without a first //! line", &offenders);
}

#[test]
fn functions_fit_a_screen() {
    let mut offenders = Vec::new();
    // A test may hold a long table of numbers.
    let is_test = |path: &Path| path.to_string_lossy().contains("tests");
    for (path, text) in sources().into_iter().filter(|(path, _)| !is_test(path)) {
        for (line, name, length) in functions(&text) {
            if length > MAX_FUNCTION_LINES {
                offenders.push(format!("{}:{line} {name}: {length} lines", path.display()));
            }
        }
    }
    assert_none("functions over 70 lines", &offenders);
}

/// First line, name and length of each function, as rustfmt lays them out.
fn functions(text: &str) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = &line[..line.len() - code.len()];
        let modifiers = ["pub ", "pub(crate) ", "pub(super) ", "const ", "async ", "unsafe "];
        let head = modifiers.iter().fold(code, |head, modifier| head.strip_prefix(modifier).unwrap_or(head));
        let Some(name) = head.strip_prefix("fn ") else { continue };
        let close = format!("{indent}}}");
        let end = lines[index..].iter().position(|line| *line == close).unwrap_or(0);
        found.push((index + 1, name.split(['(', '<']).next().unwrap_or(name).to_owned(), end + 1));
    }
    found
}

#[test]
fn names_tell_a_story() {
    let vague = ["utils", "util", "common", "misc", "helpers", "helper"];
    let is_vague =
        |path: &&PathBuf| path.file_stem().is_some_and(|stem| vague.iter().any(|word| stem == *word));
    let paths: Vec<PathBuf> = sources().into_iter().map(|(path, _)| path).collect();
    let offenders: Vec<String> =
        paths.iter().filter(is_vague).map(|path| path.display().to_string()).collect();
    assert_none("files named for nothing", &offenders);
}

#[test]
fn public_names_use_the_glossary() {
    let mut offenders = Vec::new();
    for (path, text) in sources() {
        for (index, line) in
            text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("pub "))
        {
            let unwanted = UNWANTED_WORDS.iter().filter(|word| line.contains(*word));
            offenders.extend(unwanted.map(|word| format!("{}:{}: {word}", path.display(), index + 1)));
        }
    }
    assert_none("words that the glossary keeps out", &offenders);
}

#[test]
fn nothing_is_left_for_before_the_merge() {
    let marker = ["FIX", "ME"].concat();
    let marked = |(_, text): &&(PathBuf, String)| text.contains(&marker) || text.contains("#[ignore");
    let offenders: Vec<String> =
        sources().iter().filter(marked).map(|(path, _)| path.display().to_string()).collect();
    assert_none("unfinished or switched off", &offenders);
}

#[test]
fn every_method_has_a_card() {
    let folders = ["explain", "agnostic"].map(|name| root().join(format!("crates/pellucid-{name}/src")));
    let results = ["Result<Attribution, Error>", "Result<Estimate, Error>"];
    let mut offenders = Vec::new();
    let methods =
        sources().into_iter().filter(|(path, _)| folders.iter().any(|folder| path.parent() == Some(folder)));
    for (path, text) in methods {
        let is_method = |text: &str| {
            text.split('{').next().is_some_and(|head| results.iter().any(|result| head.contains(result)))
        };
        if text.split("\npub fn ").skip(1).any(is_method) && !path.with_extension("md").exists() {
            offenders.push(path.display().to_string());
        }
    }
    assert_none("methods without a card", &offenders);
}

#[test]
fn large_files_are_fixtures() {
    let listed = Command::new("git").args(["ls-files"]).current_dir(root()).output().expect("git runs");
    let listed = String::from_utf8(listed.stdout).expect("paths are UTF-8");
    let large = |name: &&str| {
        !name.starts_with("fixtures/")
            && std::fs::metadata(root().join(name)).is_ok_and(|data| data.len() > MAX_FILE_BYTES)
    };
    let offenders: Vec<String> = listed.lines().filter(large).map(str::to_owned).collect();
    assert_none("files over 1 MiB outside fixtures", &offenders);
}

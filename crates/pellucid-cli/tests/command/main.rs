//! The built binary: what it prints, writes, and exits with.

#![allow(clippy::expect_used, reason = "a broken expectation is what a test reports")]

mod agnostic;
mod bad_input;
mod bad_model;
mod counterfactuals;
mod effects;
mod fixed;
mod label_importance;
mod log;
mod log_replay;
mod onnx_bytes;
mod series;
mod spaces;
mod stopping;
mod surrogate;
mod table_pages;
mod tables;
mod targets;
mod texts;
mod texts_predicted;
mod token;
mod work_done;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The binary, on the runtime that is compiled in, so that nothing depends on what is installed.
fn pellucid(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pellucid"));
    command.args(arguments).env("PELLUCID_RUNTIME", "rten");
    command
}

fn run(arguments: &[&str]) -> Output {
    pellucid(arguments).output().expect("the binary runs")
}

fn stdout(output: &Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    text
}

/// Asserts that the command fails with this code and one line that holds all `parts`.
fn assert_fails(arguments: &[&str], code: i32, parts: &[&str]) {
    let output = run(arguments);
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    assert_eq!(text.lines().count(), 1, "{arguments:?}: more than one line:\n{text}");
    assert!(text.starts_with("error: ") && !text.contains("panicked"), "{text}");
    for part in parts {
        assert!(text.contains(part), "{arguments:?}: {text:?} without {part:?}");
    }
    assert!(output.stdout.is_empty(), "{arguments:?}");
}

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name);
    path.to_str().expect("UTF-8").to_owned()
}

/// A folder of the test's own, and paths in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), bytes).expect("the file is written");
        self.text(name)
    }

    /// The names of all files, in order.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

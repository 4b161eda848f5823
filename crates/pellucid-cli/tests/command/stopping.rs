//! Ctrl-C.

#![cfg(unix)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Folder, fixture, pellucid};

#[test]
fn an_interrupt_ends_long_work_within_a_second() {
    let folder = Folder::new();
    let (model, rows, out) =
        (fixture("models/mnist_cnn.onnx"), fixture("models/mnist_cnn.sample.npz"), folder.text("out"));
    let endless = ["--method", "smoothgrad", "--n-samples", "10000000", "--out", &out];
    let arguments = [&["explain", &model, &rows][..], &endless].concat();
    let mut child =
        pellucid(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    std::thread::sleep(Duration::from_secs(2));
    assert!(child.try_wait().expect("the child is ours").is_none(), "it works on");
    let begin = Instant::now();
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
    let output = child.wait_with_output().expect("the child is ours");
    let took = begin.elapsed();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "error: canceled\n");
    // A second, and another one for a machine that does more than this test.
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(!folder.path("out").exists());
}

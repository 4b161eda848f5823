//! Weights beside the model: read where they belong, refused elsewhere; and files written whole or not at all.

use std::path::{Path, PathBuf};

use super::messages::*;
use crate::error::Error;
use crate::onnx::file::write_split;
use crate::onnx::proto::*;
use crate::onnx::{read, read_bytes, write};
use crate::tensor::Tensor;
use crate::text;

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pellucid-external-{}-{name}", std::process::id()));
        std::fs::create_dir_all(path.join("model")).unwrap();
        Self(path)
    }

    /// Where the model lies.
    fn model(&self) -> PathBuf {
        self.0.join("model")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// `y = x + w` with `w`, `[3]`, at a place outside the file.
fn model_with(entries: &[(&str, &str)]) -> Vec<u8> {
    let entry = |(key, value): &(&str, &str)| StringStringEntryProto {
        key: Some((*key).to_owned()),
        value: Some((*value).to_owned()),
    };
    let weights = TensorProto {
        float_data: vec![],
        external_data: entries.iter().map(entry).collect(),
        data_location: Some(EXTERNAL),
        ..floats("w", &[0.0; 3])
    };
    bytes(&model(graph(vec![node("Add", &["x", "w"], &["y"], vec![])], vec![weights])))
}

fn weights() -> Vec<u8> {
    [1.0f32, 2.0, 3.0].iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn check_refused(folder: Option<&Path>, entries: &[(&str, &str)], said: &str) {
    let error = read_bytes(&model_with(entries), folder).unwrap_err();
    assert!(
        matches!(&error, Error::ExternalData { reason, tensor, .. } if reason.contains(said) && tensor == "w"),
        "{error}"
    );
}

#[test]
fn weights_beside_the_model_are_read() {
    let folder = Folder::new("read");
    std::fs::write(folder.model().join("w.bin"), [vec![9; 4], weights()].concat()).unwrap();
    let file = model_with(&[("location", "w.bin"), ("offset", "4"), ("length", "12")]);
    std::fs::write(folder.model().join("m.onnx"), &file).unwrap();
    let model = read(&folder.model().join("m.onnx")).unwrap();
    let wire = model.graph.wire("w").unwrap();
    assert_eq!(**model.graph.constant(wire).unwrap(), Tensor::f32(&[3], vec![1.0, 2.0, 3.0]));
    let all = [file, weights()].concat();
    assert_eq!(model.digest, <[u8; 32]>::from(<sha2::Sha256 as sha2::Digest>::digest(all)));
}

#[test]
fn weights_outside_the_folder_are_not_read() {
    let folder = Folder::new("outside");
    let outside = folder.0.join("outside.bin");
    std::fs::write(&outside, weights()).unwrap();
    let inside = Some(folder.model());
    let inside = inside.as_deref();
    let said = "only files inside the model's own folder";
    check_refused(inside, &[("location", "../outside.bin")], said);
    check_refused(inside, &[("location", "sub/../../outside.bin")], said);
    check_refused(inside, &[("location", outside.to_str().unwrap())], said);
    check_refused(inside, &[("location", "")], said);
    check_refused(inside, &[], said);
    check_refused(None, &[("location", "w.bin")], "no folder");
    check_refused(inside, &[("location", ".")], "no file");
}

#[cfg(unix)]
#[test]
fn links_out_of_the_folder_are_not_followed() {
    let folder = Folder::new("links");
    std::fs::write(folder.0.join("outside.bin"), weights()).unwrap();
    std::os::unix::fs::symlink("../outside.bin", folder.model().join("link.bin")).unwrap();
    std::os::unix::fs::symlink("..", folder.model().join("up")).unwrap();
    std::fs::write(folder.model().join("w.bin"), weights()).unwrap();
    std::os::unix::fs::symlink("w.bin", folder.model().join("own.bin")).unwrap();
    let inside = Some(folder.model());
    let inside = inside.as_deref();
    check_refused(inside, &[("location", "link.bin")], "a link out of");
    check_refused(inside, &[("location", "up/outside.bin")], "a link out of");
    assert!(read_bytes(&model_with(&[("location", "own.bin")]), inside).is_ok());
}

#[test]
fn weights_that_are_missing_or_short_are_refused() {
    let folder = Folder::new("short");
    std::fs::write(folder.model().join("w.bin"), weights()).unwrap();
    let inside = Some(folder.model());
    let inside = inside.as_deref();
    check_refused(inside, &[("location", "gone.bin")], "cannot be found");
    check_refused(inside, &[("location", "w.bin"), ("offset", "4")], "past the file's end at 12");
    check_refused(
        inside,
        &[("location", "w.bin"), ("offset", "18446744073709551615")],
        "past the file's end",
    );
    check_refused(inside, &[("location", "w.bin"), ("length", "8")], "states 8 bytes");
    check_refused(inside, &[("location", "w.bin"), ("offset", "-4")], "offset `-4` is no number");
}

const SOURCE: &str = "g (float[N,2] x) => (float[N,2] y) <float[2] w = {1, 2}> { y = Mul(x, w) }";

#[test]
fn a_graph_is_written_to_a_file() {
    let folder = Folder::new("write");
    let (graph, path) = (text::parse(SOURCE).unwrap(), folder.model().join("g.onnx"));
    write(&graph, &path).unwrap();
    write(&graph, &path).unwrap();
    assert_eq!(text::print(&read(&path).unwrap().graph), text::print(&graph));
    assert_eq!(std::fs::read_dir(folder.model()).unwrap().count(), 1);
}

#[test]
fn a_large_graph_is_written_with_its_weights_beside() {
    let folder = Folder::new("beside");
    let mut graph = text::parse(SOURCE).unwrap();
    let mut sum = graph.outputs()[0];
    for seed in 0..3 {
        let elements = (0..2000).map(|i| (i * (seed + 1)) as f32).collect();
        let large = graph.add_constant("large", Tensor::f32(&[1000, 2], elements));
        sum = graph.add(sum, large);
    }
    graph.set_outputs(&[sum]);
    let path = folder.model().join("g.onnx");
    write_split(&graph, &path, 1000).unwrap();
    let data = std::fs::metadata(folder.model().join("g.onnx.data")).unwrap();
    assert_eq!(data.len(), 8192 + 8192 + 8000);
    let back = read(&path).unwrap().graph;
    for wire in graph.wires().filter(|wire| graph.constant(*wire).is_some()) {
        let other = back.wire(graph.name_of(wire)).unwrap();
        assert_eq!(back.constant(other), graph.constant(wire));
    }
    assert_eq!(std::fs::read_dir(folder.model()).unwrap().count(), 2);
}

#[test]
fn nothing_half_written_is_left() {
    let folder = Folder::new("refused");
    // A folder of that name is in the way of the last step.
    let path = folder.model().join("taken.onnx");
    std::fs::create_dir(&path).unwrap();
    let error = write(&text::parse(SOURCE).unwrap(), &path).unwrap_err();
    assert!(matches!(&error, Error::Write { path, .. } if path.ends_with("taken.onnx")), "{error}");
    let names: Vec<_> =
        std::fs::read_dir(folder.model()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["taken.onnx"]);
    let error = write(&text::parse(SOURCE).unwrap(), &folder.0.join("no/such/g.onnx")).unwrap_err();
    assert!(matches!(error, Error::Write { .. }));
}

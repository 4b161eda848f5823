//! Files of every opset: read, run in the evaluator, and compared with what ONNX Runtime recorded.

use std::path::{Path, PathBuf};

use super::npz;
use crate::error::Error;
use crate::evaluate::evaluate;
use crate::graph::Graph;
use crate::onnx::{read, read_bytes, write_bytes};
use crate::tensor::Tensor;

/// Committed files, named from the checkout's root.
pub(super) fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(folder);
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "onnx"));
    paths.sort();
    paths
}

/// Runs a graph on the recorded inputs and compares all outputs.
fn check_recorded(graph: &Graph, path: &Path) -> Result<(), Error> {
    let recorded = npz::load(&path.with_extension("npz"));
    let named = |prefix: &str, wire: &crate::graph::Wire| {
        recorded[&format!("{prefix}{}", graph.name_of(*wire))].clone()
    };
    let inputs: Vec<Tensor> = graph.inputs().iter().map(|wire| named("in_", wire)).collect();
    let outputs = evaluate(graph, &inputs)?;
    for (wire, output) in graph.outputs().iter().zip(outputs) {
        let expected = named("out_", wire);
        let what = format!("{} of {}", graph.name_of(*wire), path.display());
        assert_eq!(output.shape(), expected.shape(), "{what}");
        let (output, expected) = (output.to_f64s(), expected.to_f64s());
        let scale = expected.iter().fold(1e-3f64, |scale, x| scale.max(x.abs()));
        for (index, (a, b)) in output.iter().zip(&expected).enumerate() {
            assert!(a == b || (a - b).abs() <= 1e-5 * scale, "{what}: {a} for {b} at {index}");
        }
    }
    Ok(())
}

/// Reads and checks files; those with an op that the evaluator lacks are named.
fn check_files(paths: &[PathBuf]) {
    let mut unknown = Vec::new();
    for path in paths {
        let model = read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        match check_recorded(&model.graph, path) {
            Err(Error::UnknownOp { op, .. }) => unknown.push(op),
            result => result.unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        }
    }
    eprintln!("{} of {} compared, without {unknown:?}", paths.len() - unknown.len(), paths.len());
}

#[test]
fn every_opset_gives_the_recorded_outputs() {
    check_files(&fixtures("upgrade"));
}

#[test]
fn unusual_files_give_the_recorded_outputs() {
    check_files(&[fixtures("unusual"), fixtures("external")].concat());
}

#[test]
fn every_network_survives_a_round_trip() {
    for folder in ["gradients", "rebatch", "endings", "unusual", "external", "upgrade", "models"] {
        for path in fixtures(folder) {
            let model = read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let once = write_bytes(&model.graph).unwrap();
            let back =
                read_bytes(&once, None).unwrap_or_else(|error| panic!("{}: {error}", path.display())).graph;
            assert!(
                write_bytes(&back).unwrap() == once,
                "{}: the second file differs from the first",
                path.display()
            );
        }
    }
}

//! Class activation maps against their formulas in float64.

use std::sync::Arc;

use ndarray::{ArrayD, Axis, IxDyn};
use pellucid_core::Work;
use pellucid_explain::cam::{self, cam};
use pellucid_graph::passes::prune;
use pellucid_graph::{Runtime, Tensor, Wire};

use super::runtimes::onnx_runtime;
use super::subject::{Part, files, subject};
use super::{CAM_VARIANTS, array, relative_l2};

/// The wire that holds torch's activation of the layer, found by its values.
fn wire_with(part: &Part, runtime: &Arc<dyn Runtime>, expected: &ArrayD<f64>) -> Option<Wire> {
    let graph = part.network.graph();
    let candidates: Vec<Wire> = graph
        .nodes()
        .iter()
        .flat_map(|node| node.outputs.iter().flatten().copied())
        .filter(|wire| graph.type_of(*wire).admits(expected.shape()))
        .collect();
    let mut exposed = graph.clone();
    exposed.set_outputs(&candidates);
    let exposed = prune(&exposed).ok()?;
    let input = Tensor::f32(part.rows.shape(), part.rows.iter().copied().collect());
    let outputs = runtime.session(&exposed).ok()?.run(&[input]).ok()?;
    let matches = |tensor: &Tensor| {
        let values = ArrayD::from_shape_vec(IxDyn(expected.shape()), tensor.to_f64s());
        values.is_ok_and(|values| relative_l2(&values, expected) < 1e-4)
    };
    outputs.iter().position(matches).map(|index| candidates[index])
}

#[test]
fn class_activation_maps_match_their_formulas_in_float64() {
    let Some(on) = onnx_runtime() else { return };
    let mut failures = Vec::new();
    let mut n_checked = 0;
    for file in files().iter().filter(|file| file.ends_with(".script.onnx")) {
        let subject = subject(file, &on);
        let Some(activation) = subject.references.get("cam_activation") else { continue };
        let part = &subject.parts[0];
        let Some(layer) = wire_with(part, &on.runtime, &array(activation)) else {
            eprintln!("{file}: no wire holds torch's activation (folded away)");
            continue;
        };
        n_checked += 1;
        for (key, variant) in CAM_VARIANTS {
            let layer = Some(part.network.graph().name_of(layer).to_owned());
            let options = cam::Options { variant, layer, ..Default::default() };
            let map = cam(&part.network, &part.rows, &part.target, &options, &Work::default());
            let raw = map.expect("runs").raw_map.expect("kept").index_axis(Axis(1), 0).to_owned();
            let distance = relative_l2(&raw, &array(&subject.references[key]));
            if distance > 1e-3 {
                failures.push(format!("{file}: {key} {distance:.2e} off"));
            }
        }
    }
    assert!(n_checked >= 10, "only {n_checked} networks checked");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

//! Class activation maps against their formulas in float64.

use std::sync::Arc;

use ndarray::{ArrayD, Axis, IxDyn};
use pellucid_core::{Model as _, Target, Work};
use pellucid_explain::cam::{self, cam};
use pellucid_explain::{Network, network};
use pellucid_graph::passes::{cut, prune};
use pellucid_graph::{ElementType, Runtime, Tensor, Wire, evaluate, evaluate_wires, onnx};

use super::runtimes::onnx_runtime;
use super::subject::{Part, files, subject};
use super::{CAM_VARIANTS, array, fixtures, relative_l2};

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
        if activation.shape()[2..].iter().product::<usize>() == 1 {
            eprintln!("{file}: a single place is no map");
            continue;
        }
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

/// Grad-CAM by hand at a wire that holds `n_extra` tokens before the places, channels last: gradients by finite differences
/// of what stands behind it, in f64.
fn grad_cam_by_hand(
    network: &Network,
    row: &ArrayD<f32>,
    layer: Wire,
    n_extra: usize,
    target: usize,
) -> Vec<f64> {
    let graph = network.graph();
    let x = Tensor::f32(row.shape(), row.iter().copied().collect()).cast(ElementType::F64);
    let tokens = evaluate_wires(graph, std::slice::from_ref(&x), &[layer]).expect("runs").remove(0);
    let behind = cut(graph, &[layer]).expect("a part");
    let width = *tokens.shape().last().expect("channels");
    let elements = tokens.to_f64s();
    let places = n_extra..elements.len() / width;
    // The mean gradient of a channel is the slope along all its places at once.
    let mean = |channel: usize| {
        let at = |step: f64| {
            let mut moved = elements.clone();
            places.clone().for_each(|place| moved[place * width + channel] += step);
            let mut inputs = vec![Tensor::f64(tokens.shape(), moved)];
            // A residual path leads around the layer.
            inputs.extend((behind.inputs().len() > 1).then(|| x.clone()));
            evaluate(&behind, &inputs).expect("runs")[0].to_f64s()[target]
        };
        (at(1e-4) - at(-1e-4)) / 2e-4 / places.len() as f64
    };
    let means: Vec<f64> = (0..width).map(mean).collect();
    let of = |place: usize| (0..width).map(|c| means[c] * elements[place * width + c]).sum::<f64>().max(0.0);
    places.clone().map(of).collect()
}

/// A transformer's layer is found, with the tokens that are places: nobody says how the network lays them out.
#[test]
fn class_activation_maps_of_transformers_are_found() {
    let Some(on) = onnx_runtime() else { return };
    // How many tokens stand before the places, and the grid.
    let cases = [
        ("gradients/vit.script.onnx", 1, [4, 4]),
        ("gradients/vit.dynamo.onnx", 1, [4, 4]),
        ("gradients/swin.script.onnx", 0, [8, 8]),
        ("gradients/swin.dynamo.onnx", 0, [8, 8]),
        ("models/vit_tiny_mnist.onnx", 1, [7, 7]),
    ];
    for (file, n_extra, grid) in cases {
        let model = onnx::read(&fixtures().join(file)).expect("committed");
        let network = Network::new(&model.graph, on.runtime.clone(), &network::Options::default());
        let network = network.expect("a network");
        let shape: Vec<usize> = [1].iter().chain(network.input_shape()).copied().collect();
        let row = ArrayD::from_shape_fn(shape, |place| {
            ((place[1] + 3 * place[2] + place[2] * place[3]) as f32).sin()
        });
        let layer = cam::find_layer(network.graph()).expect("found");
        let map = cam(&network, &row, &Target::Index(3), &cam::Options::default(), &Work::default());
        let raw = map.expect("runs").raw_map.expect("kept");
        assert_eq!(raw.shape()[2..], grid, "{file}");
        if grid == [7, 7] {
            // The same network as the others, but larger than finite differences in a test should be.
            assert!(raw.iter().any(|value| *value > 0.0), "{file}");
            continue;
        }
        let channels_first = network.graph().producer(layer).is_some_and(|node| node.op == "Transpose");
        let wire = match channels_first {
            true => network.graph().producer(layer).expect("a node").inputs[0].expect("an input"),
            false => layer,
        };
        let expected = grad_cam_by_hand(&network, &row, wire, n_extra, 3);
        let expected = ArrayD::from_shape_vec(IxDyn(raw.shape()), expected).expect("as many places");
        assert!(expected.iter().any(|value| *value > 0.0), "{file}: an empty map proves nothing");
        let distance = relative_l2(&raw, &expected);
        assert!(distance < 1e-4, "{file}: {distance:.2e} off at {}", network.graph().name_of(layer));
    }
}

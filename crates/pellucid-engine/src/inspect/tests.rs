use std::path::PathBuf;

use pellucid_graph::Reference;

use super::*;

fn inspected(name: &str) -> Inspection {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/models").join(name);
    inspect(&path, Arc::new(Reference), &ModelOptions::default()).unwrap()
}

#[test]
fn the_digits_network_is_as_its_card_says() {
    let inspection = inspected("mnist_cnn.onnx");
    let count = |op: &str| inspection.ops.iter().find(|info| info.op == op).map(|info| info.count);
    assert_eq!((count("Conv"), count("MaxPool"), count("Gemm")), (Some(3), Some(3), Some(2)));
    assert!((380_000..400_000).contains(&inspection.n_parameters), "{}", inspection.n_parameters);
    assert_eq!(inspection.inputs[0].shape.replace("N", "n"), "[n, 1, 28, 28]");
    assert_eq!(inspection.flops.n_unknown_nodes, 0);
    assert!(inspection.flops.known > 2 * 380_000);
    assert!(!inspection.cam_layers.is_empty());
    assert!(inspection.text.contains("Conv"));
}

#[test]
fn the_imagenet_network_takes_about_400_million_multiply_adds() {
    let inspection = inspected("efficientnet_lite0_imagenet.onnx");
    let multiply_adds = inspection.flops.known / 2;
    // The paper's table says 407 million.
    assert!((380_000_000..420_000_000).contains(&multiply_adds), "{multiply_adds}");
    assert!((4_600_000..4_700_000).contains(&inspection.n_parameters), "{}", inspection.n_parameters);
    assert_eq!(inspection.cam_layers[0].shape, "[N, 1280, 7, 7]");
}

//! The demo model, of 224 pixels, against PyTorch.

use ndarray::{ArrayD, Axis, Slice};
use pellucid_core::{Target, Work};
use pellucid_explain::cam::{self, cam};
use pellucid_explain::integrated_gradients::{self, integrated_gradients};
use pellucid_explain::saliency::{self, saliency};
use pellucid_explain::{Network, network};
use pellucid_graph::onnx;

use super::runtimes::onnx_runtime;
use super::{BOUND, CAM_VARIANTS, TIMES_FLOAT32, array, fixtures, relative_l2, rows, targets};
use crate::npz;

/// The rows of the demo model's reference whose gradients are committed.
const N_GRADIENTS: usize = 2;

#[test]
fn the_demo_model_matches_float64_pytorch() {
    let Some(on) = onnx_runtime() else { return };
    let models = fixtures().join("models");
    let model = onnx::read(&models.join("efficientnet_lite0_imagenet.onnx")).expect("the demo model");
    let network = Network::new(&model.graph, on.runtime, &network::Options::default()).expect("a network");
    let references = npz::load(&fixtures().join("gradients/efficientnet_lite0_imagenet.npz"));
    let x = rows(&npz::load(&models.join("efficientnet_lite0_imagenet.sample.npz"))["in_image"]);
    let target = targets(&references["target"]);
    let Target::PerRow(classes) = &target else { unreachable!("one class a row") };
    let (with_gradients, of_them) = (
        x.slice_axis(Axis(0), Slice::from(..N_GRADIENTS)).to_owned(),
        Target::PerRow(classes[..N_GRADIENTS].to_vec()),
    );

    let signed = saliency::Options { absolute: false };
    let gradients =
        saliency(&network, &with_gradients, &of_them, &signed, &Work::default()).expect("gradients");
    let options = integrated_gradients::Options::default();
    let integrated =
        integrated_gradients(&network, &with_gradients, &of_them, &options, &Work::default()).expect("runs");
    let [gradient, captum, of_float32] =
        ["gradient", "ig_captum", "gradient_f32_distance"].map(|key| array(&references[key]));
    // At some of the 50 points of a path gates flip; what float32 costs there, PyTorch's own five rows tell.
    let along_path = TIMES_FLOAT32 * of_float32.iter().copied().fold(0.0, f64::max);
    for row in 0..N_GRADIENTS {
        let of_row = |array: &ArrayD<f64>| array.index_axis(Axis(0), row).to_owned();
        let distance = relative_l2(&gradients.row(row, 0).to_owned(), &of_row(&gradient));
        let bound = BOUND.max(TIMES_FLOAT32 * of_float32[[row]]);
        assert!(distance <= bound, "row {row}: gradient {distance:.2e} off, allowed {bound:.2e}");
        let distance = relative_l2(&integrated.row(row, 0).to_owned(), &of_row(&captum));
        assert!(distance <= along_path, "row {row}: {distance:.2e} from captum's integrated gradients");
    }
    for (key, variant) in CAM_VARIANTS {
        let options = cam::Options { variant, ..Default::default() };
        let map = cam(&network, &x, &target, &options, &Work::default()).expect("a map");
        let raw = map.raw_map.expect("kept").index_axis(Axis(1), 0).to_owned();
        let distance = relative_l2(&raw, &array(&references[key]));
        assert!(distance <= 1e-3, "{key}: {distance:.2e} off");
    }
}

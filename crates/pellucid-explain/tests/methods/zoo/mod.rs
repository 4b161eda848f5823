//! Real exports of small architectures against float64 references from PyTorch and captum, on both runtimes.
//!
//! `fixtures/README.md` says what each file holds. The bound is the one of the design: 1e-4 relative L2 of the float64
//! gradient, or five times what float32 PyTorch itself is off, where ReLU gates flip on rounding.

mod asked_texts;
mod deep_lift;
mod demo_model;
mod gradients;
mod maps;
mod occluded;
mod page;
mod relevance;
mod runtimes;
mod subject;

use std::path::{Path, PathBuf};

use ndarray::{ArrayD, Axis, IxDyn};
use pellucid_core::{Attribution, Target};
use pellucid_explain::cam::Variant;
use pellucid_graph::Tensor;

const BOUND: f64 = 1e-4;
const TIMES_FLOAT32: f64 = 5.0;

/// The maps by their names in the references.
const CAM_VARIANTS: [(&str, Variant); 4] = [
    ("gradcam", Variant::GradCam),
    ("gradcam_plus_plus", Variant::GradCamPlusPlus),
    ("layercam", Variant::LayerCam),
    ("hirescam", Variant::HiResCam),
];

/// What a file is looked at by: by all of it under `make torture`, else by a third, another one for each file in turn. Most
/// of the time goes into sessions of large graphs, which each of these needs for itself.
fn share<T: Clone, const N: usize>(all: [T; N], file: &str) -> Vec<T> {
    let place = subject::files().iter().position(|it| it == file).expect("a file of the zoo");
    match std::env::var_os("PELLUCID_TORTURE") {
        Some(_) => all.to_vec(),
        None => all.iter().skip(place % 3).step_by(3).cloned().collect(),
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

fn array(tensor: &Tensor) -> ArrayD<f64> {
    ArrayD::from_shape_vec(IxDyn(tensor.shape()), tensor.to_f64s()).expect("as many as its shape says")
}

fn rows(tensor: &Tensor) -> ArrayD<f32> {
    array(tensor).mapv(|x| x as f32)
}

fn targets(tensor: &Tensor) -> Target {
    Target::PerRow(tensor.to_f64s().into_iter().map(|x| x as usize).collect())
}

fn relative_l2(actual: &ArrayD<f64>, expected: &ArrayD<f64>) -> f64 {
    let norm = |array: &ArrayD<f64>| array.iter().map(|x| x * x).sum::<f64>().sqrt();
    norm(&(actual - expected)) / norm(expected)
}

/// The values of the only target.
fn values(attribution: &Attribution) -> ArrayD<f64> {
    attribution.values.index_axis(Axis(1), 0).to_owned()
}

/// `|convergence delta|` at the most, as a share of the largest of output, base value and the sum of the values' sizes.
fn completeness_gap(attribution: &Attribution) -> f64 {
    let (deltas, base) = (attribution.convergence_delta.as_ref(), attribution.base_values.as_ref());
    let (deltas, base) = (deltas.expect("promised"), base.expect("has a baseline"));
    let of_place = |(place, delta): (IxDyn, &f64)| {
        let sizes: f64 = attribution.row(place[0], place[1]).iter().map(|value| value.abs()).sum();
        delta.abs() / sizes.max(attribution.outputs[&place].abs()).max(base[&place].abs())
    };
    deltas.indexed_iter().map(of_place).fold(0.0, f64::max)
}

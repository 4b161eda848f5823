//! Real exports of small architectures against float64 references from PyTorch and captum, on both runtimes.
//!
//! `fixtures/README.md` says what each file holds. The bound is the one of the design: 1e-4 relative L2 of the float64
//! gradient, or five times what float32 PyTorch itself is off, where ReLU gates flip on rounding.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::panic,
    reason = "a broken expectation is what a test reports"
)]

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::{ArrayD, Axis, IxDyn};
use pellucid_core::{Baseline, Target, Work};
use pellucid_explain::cam::{self, Variant, cam};
use pellucid_explain::deep_lift::{self, deep_lift};
use pellucid_explain::deep_shap::{self, deep_shap};
use pellucid_explain::integrated_gradients::{self, integrated_gradients};
use pellucid_explain::lrp::{self, Composite, conservation, lrp};
use pellucid_explain::occlusion::{self, occlusion};
use pellucid_explain::saliency::{self, saliency};
use pellucid_explain::{Network, network};
use pellucid_graph::{Error, Runtime, Wire, onnx};
use pellucid_runtime::{Options, RuntimeChoice, runtime};

const BOUND: f64 = 1e-4;
const TIMES_FLOAT32: f64 = 5.0;

/// The maps by their names in the references.
const CAM_VARIANTS: [(&str, Variant); 4] = [
    ("gradcam", Variant::GradCam),
    ("gradcam_plus_plus", Variant::GradCamPlusPlus),
    ("layercam", Variant::LayerCam),
    ("hirescam", Variant::HiResCam),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/gradients")
}

/// The arrays of an `.npz` file, all as f64.
struct Reference(zip::ZipArchive<File>);

impl Reference {
    fn open(path: &Path) -> Self {
        let file = File::open(path).expect("a reference beside each network");
        Self(zip::ZipArchive::new(file).expect("an archive"))
    }

    fn has(&mut self, name: &str) -> bool {
        self.0.by_name(&format!("{name}.npy")).is_ok()
    }

    /// NumPy's format: magic, version, length of the header as u16, the header as a Python dictionary, the elements.
    fn array(&mut self, name: &str) -> ArrayD<f64> {
        let mut file = self.0.by_name(&format!("{name}.npy")).unwrap_or_else(|_| panic!("no array `{name}`"));
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("a whole file");
        let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let header = String::from_utf8_lossy(&bytes[10..start]).into_owned();
        let elements = &bytes[start..];
        let value =
            |key: &str| header.split(key).nth(1).expect("every header has it").trim_start_matches([':', ' ']);
        let shape: Vec<usize> = value("'shape'")[1..]
            .split(')')
            .next()
            .expect("a closed tuple")
            .split(',')
            .filter_map(|length| length.trim().parse().ok())
            .collect();
        let eight = |chunk: &[u8]| <[u8; 8]>::try_from(chunk).expect("eight bytes");
        let four = |chunk: &[u8]| <[u8; 4]>::try_from(chunk).expect("four bytes");
        let elements: Vec<f64> = match &value("'descr'")[1..4] {
            "<f8" => elements.chunks_exact(8).map(|c| f64::from_le_bytes(eight(c))).collect(),
            "<f4" => elements.chunks_exact(4).map(|c| f64::from(f32::from_le_bytes(four(c)))).collect(),
            "<i8" => elements.chunks_exact(8).map(|c| i64::from_le_bytes(eight(c)) as f64).collect(),
            other => panic!("array `{name}` holds {other}"),
        };
        ArrayD::from_shape_vec(IxDyn(&shape), elements).expect("as many as its shape says")
    }
}

fn relative_l2(actual: &ArrayD<f64>, expected: &ArrayD<f64>) -> f64 {
    let norm = |array: &ArrayD<f64>| array.iter().map(|x| x * x).sum::<f64>().sqrt();
    norm(&(actual - expected)) / norm(expected)
}

/// The networks in the folder: names without `.script.onnx` or `.dynamo.onnx`.
fn names() -> Vec<String> {
    let files = std::fs::read_dir(folder()).expect("committed fixtures").flatten();
    let mut names: Vec<String> = files
        .filter_map(|file| file.file_name().to_str()?.strip_suffix(".script.onnx").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() >= 6, "{names:?}");
    names
}

/// Both runtimes; ONNX Runtime may be missing on a developer's machine, not where `PELLUCID_REQUIRE_ORT` is set.
fn runtimes() -> Vec<(&'static str, Arc<dyn Runtime>)> {
    let of = |choice: RuntimeChoice| runtime(&Options { choice, ..Options::default() });
    let mut found = vec![("rten", of(RuntimeChoice::Rten).expect("compiled in"))];
    match of(RuntimeChoice::OnnxRuntime) {
        Ok(onnxruntime) => found.push(("onnxruntime", onnxruntime)),
        Err(error) if std::env::var_os("PELLUCID_REQUIRE_ORT").is_some() => panic!("{error}"),
        Err(error) => eprintln!("LEFT OUT: everything on ONNX Runtime: {error}"),
    }
    found
}

/// `Ok(None)` where the runtime refuses the graph by name, as rten's allow-list does.
fn unless_refused<T>(result: Result<T, pellucid_explain::Error>) -> Result<Option<T>, String> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(pellucid_explain::Error::Graph(Error::Runtime { .. })) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

struct Loaded {
    network: Network,
    rows: ArrayD<f32>,
    target: Target,
}

fn loaded(
    file: &str,
    reference: &mut Reference,
    runtime: &Arc<dyn Runtime>,
) -> Result<Option<Loaded>, String> {
    let model = onnx::read(&folder().join(file)).map_err(|error| error.to_string())?;
    let rows = reference.array("input").mapv(|x| x as f32);
    let options = network::Options { input_shape: Some(rows.shape()[1..].to_vec()), ..Default::default() };
    let network = unless_refused(Network::new(&model.graph, runtime.clone(), &options))?;
    let target = Target::PerRow(reference.array("target").iter().map(|&x| x as usize).collect());
    Ok(network.map(|network| Loaded { network, rows, target }))
}

fn check_gradient(loaded: &Loaded, reference: &mut Reference) -> Result<Option<f64>, String> {
    let signed = saliency::Options { absolute: false };
    let result = saliency(&loaded.network, &loaded.rows, &loaded.target, &signed, &Work::default());
    let Some(attribution) = unless_refused(result)? else { return Ok(None) };
    let expected = reference.array("gradient");
    let of_float32 = relative_l2(&reference.array("gradient_f32"), &expected);
    let distance = relative_l2(&attribution.values.index_axis(Axis(1), 0).to_owned(), &expected);
    let bound = BOUND.max(TIMES_FLOAT32 * of_float32);
    match distance <= bound {
        true => Ok(Some(distance)),
        false => Err(format!("gradient: {distance:.2e} off, allowed {bound:.2e}")),
    }
}

fn check_integrated_gradients(loaded: &Loaded, reference: &mut Reference) -> Result<(), String> {
    let options = integrated_gradients::Options::default();
    let result =
        integrated_gradients(&loaded.network, &loaded.rows, &loaded.target, &options, &Work::default());
    let Some(attribution) = unless_refused(result)? else { return Ok(()) };
    let of_float32 = relative_l2(&reference.array("gradient_f32"), &reference.array("gradient"));
    let values = attribution.values.index_axis(Axis(1), 0).to_owned();
    let distance = relative_l2(&values, &reference.array("ig_captum"));
    // The sum over 50 points flips more gates than a single one.
    let bound = (10.0 * BOUND).max(2.0 * TIMES_FLOAT32 * of_float32);
    match distance <= bound {
        true => Ok(()),
        false => Err(format!("integrated gradients: {distance:.2e} from captum's, allowed {bound:.2e}")),
    }
}

#[test]
fn gradients_match_float64_pytorch_on_both_runtimes() {
    let mut failures = Vec::new();
    let mut report = Vec::new();
    for (runtime_name, runtime) in runtimes() {
        let mut n_run = 0;
        for name in names() {
            for exporter in ["script", "dynamo"] {
                let file = format!("{name}.{exporter}.onnx");
                let mut reference = Reference::open(&folder().join(format!("{name}.npz")));
                let result = loaded(&file, &mut reference, &runtime).and_then(|loaded| match loaded {
                    Some(loaded) => {
                        let distance = check_gradient(&loaded, &mut reference)?;
                        check_integrated_gradients(&loaded, &mut reference)?;
                        Ok(distance)
                    }
                    None => Ok(None),
                });
                match result {
                    Ok(Some(distance)) => {
                        n_run += 1;
                        report.push(format!("{runtime_name} {file}: {distance:.1e}"));
                    }
                    Ok(None) => report.push(format!("{runtime_name} {file}: refused")),
                    Err(reason) => failures.push(format!("{runtime_name} {file}: {reason}")),
                }
            }
        }
        let least = if runtime_name == "onnxruntime" { 2 * names().len() } else { 12 };
        if n_run < least {
            failures.push(format!("{runtime_name} ran {n_run} files, expected {least}"));
        }
    }
    eprintln!("{}", report.join("\n"));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The wire that holds torch's activation of the layer, found by its values.
fn wire_with(loaded: &Loaded, runtime: &Arc<dyn Runtime>, expected: &ArrayD<f64>) -> Option<Wire> {
    let graph = loaded.network.graph();
    let candidates: Vec<Wire> = graph
        .nodes()
        .iter()
        .flat_map(|node| node.outputs.iter().flatten().copied())
        .filter(|wire| graph.type_of(*wire).admits(expected.shape()))
        .collect();
    let mut exposed = graph.clone();
    exposed.set_outputs(&candidates);
    let exposed = pellucid_graph::passes::prune(&exposed).ok()?;
    let input = pellucid_graph::Tensor::f32(loaded.rows.shape(), loaded.rows.iter().copied().collect());
    let outputs = runtime.session(&exposed).ok()?.run(&[input]).ok()?;
    let matches = |tensor: &pellucid_graph::Tensor| {
        let values = ArrayD::from_shape_vec(IxDyn(expected.shape()), tensor.to_f64s());
        values.is_ok_and(|values| relative_l2(&values, expected) < 1e-4)
    };
    outputs.iter().position(matches).map(|index| candidates[index])
}

#[test]
fn class_activation_maps_match_their_formulas_in_float64() {
    let Some((_, runtime)) = runtimes().into_iter().find(|(name, _)| *name == "onnxruntime") else { return };
    let mut failures = Vec::new();
    let mut n_checked = 0;
    for name in names() {
        let mut reference = Reference::open(&folder().join(format!("{name}.npz")));
        if !reference.has("cam_activation") {
            continue;
        }
        let file = format!("{name}.script.onnx");
        let loaded =
            loaded(&file, &mut reference, &runtime).expect("readable").expect("ONNX Runtime takes it");
        let Some(layer) = wire_with(&loaded, &runtime, &reference.array("cam_activation")) else {
            eprintln!("{file}: no wire holds torch's activation (folded away)");
            continue;
        };
        n_checked += 1;
        for (key, variant) in CAM_VARIANTS {
            let layer = Some(loaded.network.graph().name_of(layer).to_owned());
            let options = cam::Options { variant, layer, ..Default::default() };
            let map = cam(&loaded.network, &loaded.rows, &loaded.target, &options, &Work::default());
            let raw = map.expect("runs").raw_map.expect("kept").index_axis(Axis(1), 0).to_owned();
            let distance = relative_l2(&raw, &reference.array(key));
            if distance > 1e-3 {
                failures.push(format!("{file}: {key} {distance:.2e} off"));
            }
        }
    }
    assert!(n_checked >= 8, "only {n_checked} networks checked");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn composite(name: &str) -> lrp::Options {
    let bounds = (name == "epsilon_gamma_box").then(|| (vec![-1.0], vec![1.0]));
    let settings = lrp::Settings { bounds, ..Default::default() };
    lrp::Options { composite: Composite::named(name, &settings).expect("a composite") }
}

#[test]
fn relevance_is_zennits_on_both_runtimes() {
    let folder = folder().join("../relevance");
    let model = onnx::read(&folder.join("cnn.onnx")).expect("committed");
    let mut reference = Reference::open(&folder.join("cnn.npz"));
    let rows = reference.array("input").mapv(|x| x as f32);
    let target = Target::PerRow(reference.array("target").iter().map(|&x| x as usize).collect());
    let own = |op: &str, formula: lrp::Formula| lrp::Assignment {
        selector: lrp::Selector { op: Some(op.to_owned()), ..Default::default() },
        rule: lrp::LayerRule::new(formula),
    };
    let w_square_and_gamma = lrp::Composite {
        own: vec![own("Conv", lrp::Formula::WSquare), own("Gemm", lrp::Formula::Gamma { gamma: 0.5 })],
        ..composite("epsilon").composite
    };
    let named =
        Composite::NAMES.iter().filter(|name| **name != "attnlrp").map(|name| (*name, composite(name)));
    let all: Vec<_> =
        named.chain([("w_square_and_gamma", lrp::Options { composite: w_square_and_gamma })]).collect();
    for (runtime_name, runtime) in runtimes() {
        let network = Network::new(&model.graph, runtime, &network::Options::default()).expect("a network");
        for (name, options) in &all {
            let explained = lrp(&network, &rows, &target, options, &Work::default()).expect("runs");
            let values = explained.values.index_axis(Axis(1), 0).to_owned();
            let distance = relative_l2(&values, &reference.array(name));
            assert!(distance <= BOUND, "{runtime_name}: {name} {distance:.2e} from zennit's");
        }
    }
}

/// What nobody accounts for of a network's relevance, as a share of all that moved: the convergence delta, and with
/// `counted` what is left of it when all that stabilizers took is taken off.
fn gap_of_relevance(loaded: &Loaded, name: &str, counted: bool) -> Result<f64, String> {
    let (options, work) = (composite(name), Work::default());
    let text = |error: pellucid_explain::Error| error.to_string();
    let explained = lrp(&loaded.network, &loaded.rows, &loaded.target, &options, &work).map_err(text)?;
    if explained.values.iter().any(|value| !value.is_finite()) {
        return Err("values that are not finite".to_owned());
    }
    let mut gap = explained.convergence_delta.clone().ok_or("nobody knows what was absorbed")?;
    if counted {
        for flow in
            conservation(&loaded.network, &loaded.rows, &loaded.target, &options, &work).map_err(text)?
        {
            gap += &flow.stabilizer;
        }
    }
    let share = |row: usize| {
        let moved = explained.row(row, 0).iter().map(|value| value.abs()).sum::<f64>();
        gap[[row, 0]].abs() / moved.max(explained.outputs[[row, 0]].abs())
    };
    Ok((0..loaded.rows.len_of(Axis(0))).map(share).fold(0.0, f64::max))
}

#[test]
fn relevance_is_finite_and_accounted_for_throughout_the_zoo() {
    let Some((_, runtime)) = runtimes().into_iter().find(|(name, _)| *name == "onnxruntime") else { return };
    let mut failures = Vec::new();
    for name in names() {
        // Under z⁺ and αβ, outputs of the wrong sign have nowhere to send their relevance: it has to be counted.
        for (exporter, composites) in [
            ("script", [("epsilon_plus", true), ("epsilon_gamma_box", false)]),
            ("dynamo", [("attnlrp", false), ("epsilon_alpha2_beta1_flat", true)]),
        ] {
            let file = format!("{name}.{exporter}.onnx");
            let mut reference = Reference::open(&folder().join(format!("{name}.npz")));
            let loaded = loaded(&file, &mut reference, &runtime).expect("readable").expect("taken");
            for (composite, counted) in composites {
                let gap = gap_of_relevance(&loaded, composite, counted);
                if !gap.as_ref().is_ok_and(|gap| *gap < 1e-3) {
                    failures.push(format!("{file}: {composite}: {gap:?}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The rows of the demo model's reference whose gradients are committed.
const N_DEMO_GRADIENTS: usize = 2;

#[test]
fn the_demo_model_matches_float64_pytorch() {
    let Some((_, runtime)) = runtimes().into_iter().find(|(name, _)| *name == "onnxruntime") else { return };
    let models = folder().join("../models");
    let model = onnx::read(&models.join("efficientnet_lite0_imagenet.onnx")).expect("the demo model");
    let network = Network::new(&model.graph, runtime, &network::Options::default()).expect("a network");
    let mut sample = Reference::open(&models.join("efficientnet_lite0_imagenet.sample.npz"));
    let mut reference = Reference::open(&folder().join("efficientnet_lite0_imagenet.npz"));
    let rows = sample.array("in_image").mapv(|x| x as f32);
    let target = Target::PerRow(reference.array("target").iter().map(|&x| x as usize).collect());

    let signed = saliency::Options { absolute: false };
    let gradients = saliency(&network, &rows, &target, &signed, &Work::default()).expect("gradients");
    let options = integrated_gradients::Options::default();
    let integrated =
        integrated_gradients(&network, &rows, &target, &options, &Work::default()).expect("integrated");
    let (gradient, captum) = (reference.array("gradient"), reference.array("ig_captum"));
    let of_float32 = reference.array("gradient_f32_distance");
    // At some of the 50 points of a path gates flip; what float32 costs there, PyTorch's own five rows tell.
    let along_path = TIMES_FLOAT32 * of_float32.iter().copied().fold(0.0, f64::max);
    for row in 0..N_DEMO_GRADIENTS {
        let of_row = |array: &ArrayD<f64>| array.index_axis(Axis(0), row).to_owned();
        let distance = relative_l2(&gradients.row(row, 0), &of_row(&gradient));
        let bound = BOUND.max(TIMES_FLOAT32 * of_float32[[row]]);
        assert!(distance <= bound, "row {row}: gradient {distance:.2e} off, allowed {bound:.2e}");
        let distance = relative_l2(&integrated.row(row, 0), &of_row(&captum));
        assert!(distance <= along_path, "row {row}: {distance:.2e} from captum's integrated gradients");
    }
    for (key, variant) in CAM_VARIANTS {
        let options = cam::Options { variant, ..Default::default() };
        let map = cam(&network, &rows, &target, &options, &Work::default()).expect("a map");
        let raw = map.raw_map.expect("kept").index_axis(Axis(1), 0).to_owned();
        let distance = relative_l2(&raw, &reference.array(key));
        assert!(distance <= 1e-3, "{key}: {distance:.2e} off");
    }
}

/// `|convergence delta|` at the most, as a share of the largest of output, base value and the sum of the values' sizes.
fn completeness_gap(attribution: &pellucid_core::Attribution) -> f64 {
    let (deltas, base) = (attribution.convergence_delta.as_ref(), attribution.base_values.as_ref());
    let (deltas, base) = (deltas.expect("promised"), base.expect("has a baseline"));
    let of_place = |(place, delta): (ndarray::IxDyn, &f64)| {
        let sizes: f64 = attribution.row(place[0], place[1]).iter().map(|value| value.abs()).sum();
        delta.abs() / sizes.max(attribution.outputs[&place].abs()).max(base[&place].abs())
    };
    deltas.indexed_iter().map(of_place).fold(0.0, f64::max)
}

#[test]
fn deep_lift_is_complete_on_every_network() {
    let mut failures = Vec::new();
    let mut report = Vec::new();
    for (runtime_name, runtime) in runtimes() {
        let mut n_run = 0;
        for name in names() {
            for exporter in ["script", "dynamo"] {
                let file = format!("{name}.{exporter}.onnx");
                let mut reference = Reference::open(&folder().join(format!("{name}.npz")));
                let Some(loaded) = loaded(&file, &mut reference, &runtime).expect("readable") else {
                    continue;
                };
                // From zeros, and from another row of the same kind.
                for baseline in
                    [Baseline::Zeros, Baseline::Array(loaded.rows.index_axis(Axis(0), 1).to_owned())]
                {
                    let options = deep_lift::Options { baseline, ..Default::default() };
                    let result =
                        deep_lift(&loaded.network, &loaded.rows, &loaded.target, &options, &Work::default());
                    match unless_refused(result) {
                        Ok(Some(attribution)) => {
                            n_run += 1;
                            let gap = completeness_gap(&attribution);
                            report
                                .push(format!("{runtime_name} {file} from {}: {gap:.1e}", options.baseline));
                            if gap.is_nan() || gap > 1e-4 {
                                failures
                                    .push(format!("{runtime_name} {file}: misses {gap:.1e} of its scale"));
                            }
                        }
                        Ok(None) => report.push(format!("{runtime_name} {file}: refused by the runtime")),
                        Err(reason) => failures.push(format!("{runtime_name} {file}: {reason}")),
                    }
                }
            }
        }
        let least = if runtime_name == "onnxruntime" { 4 * names().len() } else { 24 };
        if n_run < least {
            failures.push(format!("{runtime_name} ran {n_run} times, expected {least}"));
        }
    }
    eprintln!("{}", report.join("\n"));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn deep_lift_is_captums_where_captum_is_right() {
    let folder = folder().join("../deep_lift");
    for (runtime_name, runtime) in runtimes() {
        for name in ["relu", "curved", "cnn"] {
            let model = onnx::read(&folder.join(format!("{name}.onnx"))).expect("committed");
            let mut reference = Reference::open(&folder.join(format!("{name}.npz")));
            let network = Network::new(&model.graph, runtime.clone(), &network::Options::default());
            let network = network.expect("an ordinary network");
            let [rows, baselines] = ["input", "baseline"].map(|key| reference.array(key).mapv(|x| x as f32));
            let target = Target::PerRow(reference.array("target").iter().map(|&x| x as usize).collect());
            let options =
                deep_lift::Options { baseline: Baseline::PerRow(baselines.clone()), ..Default::default() };
            let lift = deep_lift(&network, &rows, &target, &options, &Work::default()).expect("runs");
            let shap = deep_shap::Options { background: baselines };
            let shap = deep_shap(&network, &rows, &target, &shap, &Work::default()).expect("runs");
            for (key, attribution) in [("deep_lift", lift), ("deep_lift_shap", shap)] {
                let values = attribution.values.index_axis(Axis(1), 0).to_owned();
                let distance = relative_l2(&values, &reference.array(key));
                assert!(distance < BOUND, "{runtime_name} {name}: {key} {distance:.2e} from captum's");
            }
        }
    }
}

/// How far the two ways to occlude are apart, relative to the outputs; `None` where the network is not split.
fn check_occlusion(loaded: &Loaded) -> Result<Option<String>, String> {
    let (network, rows) = (&loaded.network, loaded.rows.slice_axis(Axis(0), (0..1).into()).to_owned());
    let n_axes = rows.ndim().saturating_sub(2);
    if n_axes == 0 {
        return Ok(None);
    }
    let length = rows.shape()[2] / 4;
    let options =
        |incremental| occlusion::Options { window: vec![length; n_axes], incremental, ..Default::default() };
    let gain = occlusion::gain(network, &options(true)).map_err(|error| error.to_string())?;
    let of = |incremental| {
        unless_refused(occlusion(network, &rows, &Target::Top(1), &options(incremental), &Work::default()))
    };
    let Some(gain) = gain else { return Ok(None) };
    let (Some(parts), Some(whole)) = (of(true)?, of(false)?) else { return Ok(None) };
    let norm = |array: &ArrayD<f64>| array.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    let distance = norm(&(&parts.values - &whole.values)) / norm(&whole.outputs).max(norm(&whole.values));
    match distance <= 1e-5 && norm(&whole.values) > 1e-3 * norm(&whole.outputs) {
        true => Ok(Some(format!("gain {gain:.2}, {distance:.1e} of {:.1e}", norm(&whole.values)))),
        false => Err(format!("occlusion by parts is {distance:.1e} from {:.1e}", norm(&whole.values))),
    }
}

#[test]
fn occlusion_by_parts_is_that_of_the_whole_network() {
    let mut failures = Vec::new();
    let mut split: Vec<String> = Vec::new();
    for (runtime_name, runtime) in runtimes() {
        for name in names() {
            // The larger ones take long on rten, which has nothing of its own here.
            if runtime_name == "rten" && name != "resnet" {
                continue;
            }
            let mut reference = Reference::open(&folder().join(format!("{name}.npz")));
            let file = format!("{name}.script.onnx");
            let checked = loaded(&file, &mut reference, &runtime)
                .and_then(|loaded| loaded.map_or(Ok(None), |loaded| check_occlusion(&loaded)));
            match checked {
                Ok(Some(told)) => split.push(format!("{runtime_name} {name}: {told}")),
                Ok(None) => {}
                Err(reason) => failures.push(format!("{runtime_name} {name}: {reason}")),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    for name in ["rten resnet", "onnxruntime resnet", "onnxruntime densenet", "onnxruntime vgg"] {
        assert!(split.iter().any(|line| line.contains(name)), "{name} is not split: {split:?}");
    }
}

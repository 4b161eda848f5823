//! DeepLIFT and DeepSHAP: complete on every file, and captum's where captum is right.

use pellucid_core::{Baseline, Work};
use pellucid_explain::deep_lift::{self, Rule, deep_lift};
use pellucid_explain::deep_shap::{self, deep_shap};
use pellucid_explain::{Network, network};
use pellucid_graph::onnx;

use super::runtimes::{both, unless_refused};
use super::subject::{Subject, files, subject_alone};
use super::{BOUND, array, completeness_gap, fixtures, relative_l2, rows, share, targets, values};
use crate::npz;

/// The largest gap of a file, from zeros or by either rule from another row of the same kind; or why the runtime refuses.
fn gap(subject: &Subject) -> Result<Result<f64, String>, String> {
    let (mut largest, part) = (0.0f64, subject.first());
    let other = Baseline::Array(subject.other_row(0));
    let ways =
        [(Baseline::Zeros, Rule::Rescale), (other.clone(), Rule::Rescale), (other, Rule::RevealCancel)];
    for (baseline, rule) in share(ways, &subject.file) {
        let options = deep_lift::Options { baseline, rule, ..Default::default() };
        let result = deep_lift(&part.network, &part.rows, &part.target, &options, &Work::default());
        match unless_refused(result)? {
            Ok(attribution) => {
                let gap = completeness_gap(&attribution);
                largest = if gap.is_nan() { f64::INFINITY } else { largest.max(gap) };
            }
            Err(reason) => return Ok(Err(reason)),
        }
    }
    Ok(Ok(largest))
}

#[test]
fn deep_lift_is_complete_on_every_network() {
    let (mut failures, mut report) = (Vec::new(), Vec::new());
    for on in both() {
        let mut n_run = 0;
        for file in files() {
            let line = format!("{} {file}", on.name);
            match gap(&subject_alone(&file, &on)) {
                Ok(Ok(gap)) => {
                    n_run += 1;
                    report.push(format!("{line}: {gap:.1e}"));
                    if gap > 1e-4 {
                        failures.push(format!("{line}: misses {gap:.1e} of its scale"));
                    }
                }
                Ok(Err(reason)) => report.push(format!("{line}: refused, {reason}")),
                Err(reason) => failures.push(format!("{line}: {reason}")),
            }
        }
        let least = if on.name == "onnxruntime" { files().len() } else { 12 };
        if n_run < least {
            failures.push(format!("{} ran {n_run} files, expected {least}", on.name));
        }
    }
    eprintln!("{}", report.join("\n"));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn deep_lift_is_captums_where_captum_is_right() {
    let folder = fixtures().join("deep_lift");
    for on in both() {
        for name in ["relu", "curved", "cnn"] {
            let model = onnx::read(&folder.join(format!("{name}.onnx"))).expect("committed");
            let references = npz::load(&folder.join(format!("{name}.npz")));
            let network = Network::new(&model.graph, on.runtime.clone(), &network::Options::default());
            let network = network.expect("an ordinary network");
            let [x, baselines] = ["input", "baseline"].map(|key| rows(&references[key]));
            let target = targets(&references["target"]);
            let options =
                deep_lift::Options { baseline: Baseline::PerRow(baselines.clone()), ..Default::default() };
            let lift = deep_lift(&network, &x, &target, &options, &Work::default()).expect("runs");
            let shap = deep_shap::Options::new(baselines);
            let shap = deep_shap(&network, &x, &target, &shap, &Work::default()).expect("runs");
            for (key, attribution) in [("deep_lift", lift), ("deep_lift_shap", shap)] {
                let distance = relative_l2(&values(&attribution), &array(&references[key]));
                assert!(distance < BOUND, "{} {name}: {key} {distance:.2e} from captum's", on.name);
            }
        }
    }
}

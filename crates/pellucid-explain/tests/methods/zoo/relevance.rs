//! LRP: zennit's numbers, and an account of all relevance on every file.

use ndarray::{ArrayD, Axis};
use pellucid_core::Work;
use pellucid_explain::lrp::{self, Composite, conservation, lrp};
use pellucid_explain::{Network, network};
use pellucid_graph::onnx;

use super::runtimes::{both, onnx_runtime};
use super::subject::{Part, files, subject_alone};
use super::{BOUND, array, fixtures, relative_l2, rows, share, targets, values};
use crate::npz;

pub(super) fn composite(name: &str) -> lrp::Options {
    let bounds = (name == "epsilon_gamma_box").then(|| (vec![-1.0], vec![1.0]));
    let settings = lrp::Settings { bounds, ..Default::default() };
    lrp::Options { composite: Composite::named(name, &settings).expect("a composite") }
}

#[test]
fn relevance_is_zennits_on_both_runtimes() {
    let folder = fixtures().join("relevance");
    let model = onnx::read(&folder.join("cnn.onnx")).expect("committed");
    let references = npz::load(&folder.join("cnn.npz"));
    let (x, target) = (rows(&references["input"]), targets(&references["target"]));
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
    for on in both() {
        let options = network::Options::default();
        let network = Network::new(&model.graph, on.runtime, &options).expect("a network");
        for (name, options) in &all {
            let explained = lrp(&network, &x, &target, options, &Work::default()).expect("runs");
            let distance = relative_l2(&values(&explained), &array(&references[*name]));
            assert!(distance <= BOUND, "{}: {name} {distance:.2e} from zennit's", on.name);
        }
    }
}

/// What nobody accounts for of a network's relevance, as a share of all that moved: the convergence delta, and with
/// `counted` what is left of it when all that stabilizers took is taken off, which is looked at for one row: rows go one by
/// one there, each through a graph that reads every node.
fn unaccounted(part: &Part, name: &str, counted: bool) -> Result<f64, String> {
    let (options, work) = (composite(name), Work::default());
    let text = |error: pellucid_explain::Error| error.to_string();
    let explained = lrp(&part.network, &part.rows, &part.target, &options, &work).map_err(text)?;
    if explained.values.iter().any(|value| !value.is_finite()) {
        return Err("values that are not finite".to_owned());
    }
    let mut gap: ArrayD<f64> = explained.convergence_delta.clone().ok_or("nobody knows what was absorbed")?;
    if counted {
        gap = gap.slice_axis(Axis(0), (..1).into()).to_owned();
        let row = part.rows.slice_axis(Axis(0), (..1).into()).to_owned();
        for flow in conservation(&part.network, &row, &part.first_target(), &options, &work).map_err(text)? {
            gap += &flow.stabilizer;
        }
    }
    let share = |row: usize| {
        let moved = explained.row(row, 0).iter().map(|value| value.abs()).sum::<f64>();
        gap[[row, 0]].abs() / moved.max(explained.outputs[[row, 0]].abs())
    };
    Ok((0..gap.len_of(Axis(0))).map(share).fold(0.0, f64::max))
}

/// The composites that a file is explained by, and whether what stabilizers took is counted node by node. Under z⁺ and
/// αβ, outputs of the wrong sign have nowhere to send their relevance: it has to be.
fn composites(file: &str) -> [(&'static str, bool); 3] {
    match file.rsplit('.').nth(1) {
        Some("script") => [("epsilon", true), ("epsilon_plus", true), ("epsilon_gamma_box", false)],
        _ => [("epsilon", true), ("attnlrp", false), ("epsilon_alpha2_beta1_flat", true)],
    }
}

#[test]
fn relevance_is_finite_and_accounted_for_throughout_the_zoo() {
    let Some(on) = onnx_runtime() else { return };
    let mut failures = Vec::new();
    for file in files() {
        let subject = subject_alone(&file, &on);
        for (composite, counted) in share(composites(&file), &file) {
            let gap = unaccounted(subject.first(), composite, counted);
            if !gap.as_ref().is_ok_and(|gap| *gap < 1e-3) {
                failures.push(format!("{file}: {composite}: {gap:?}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

//! Gradients and integrated gradients of every file.

use pellucid_core::Work;
use pellucid_explain::integrated_gradients::{self, integrated_gradients};
use pellucid_explain::saliency::{self, saliency};

use super::runtimes::{both, unless_refused};
use super::subject::{Part, files, subject};
use super::{BOUND, TIMES_FLOAT32, relative_l2, values};

/// How far off, or why the runtime refuses.
type Checked = Result<Result<f64, String>, String>;

fn check_gradient(part: &Part) -> Checked {
    let signed = saliency::Options { absolute: false };
    let result = saliency(&part.network, &part.rows, &part.target, &signed, &Work::default());
    let attribution = match unless_refused(result)? {
        Ok(attribution) => attribution,
        Err(reason) => return Ok(Err(reason)),
    };
    let distance = relative_l2(&values(&attribution), &part.gradient);
    let bound = BOUND.max(TIMES_FLOAT32 * part.of_float32);
    match distance <= bound {
        true => Ok(Ok(distance)),
        false => Err(format!("gradient: {distance:.2e} off, allowed {bound:.2e}")),
    }
}

/// Values as captum's, and so complete as its are: the same points of the same path.
fn check_integrated_gradients(part: &Part) -> Checked {
    let options = integrated_gradients::Options::default();
    let result = integrated_gradients(&part.network, &part.rows, &part.target, &options, &Work::default());
    let attribution = match unless_refused(result)? {
        Ok(attribution) => attribution,
        Err(reason) => return Ok(Err(reason)),
    };
    let distance = relative_l2(&values(&attribution), &part.integrated);
    // The sum over 50 points flips more gates than a single one.
    let bound = (10.0 * BOUND).max(2.0 * TIMES_FLOAT32 * part.of_float32);
    match distance <= bound {
        true => Ok(Ok(distance)),
        false => Err(format!("integrated gradients: {distance:.2e} from captum's, allowed {bound:.2e}")),
    }
}

#[test]
fn gradients_match_float64_pytorch_on_both_runtimes() {
    let (mut failures, mut report) = (Vec::new(), Vec::new());
    for on in both() {
        let mut n_run = 0;
        for file in files() {
            let subject = subject(&file, &on);
            let checks = subject
                .parts
                .iter()
                .flat_map(|part| [check_gradient(part), check_integrated_gradients(part)]);
            let line = format!("{} {}", on.name, subject.file);
            match checks.collect::<Result<Result<Vec<f64>, String>, String>>() {
                Ok(Ok(distances)) => {
                    n_run += 1;
                    report.push(format!("{line}: {:.1e}", distances.iter().copied().fold(0.0, f64::max)));
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

/// `Σ values = output − base value` where the number of steps may grow.
#[test]
fn integrated_gradients_are_complete_on_every_network() {
    let Some(on) = super::runtimes::onnx_runtime() else { return };
    let mut failures = Vec::new();
    for file in files() {
        let subject = subject(&file, &on);
        let part = subject.first();
        let options = integrated_gradients::Options { tolerance: Some(1e-2), ..Default::default() };
        let run = integrated_gradients(&part.network, &part.rows, &part.target, &options, &Work::default());
        let gap = super::completeness_gap(&run.unwrap_or_else(|error| panic!("{file}: {error}")));
        if gap.is_nan() || gap > 1e-2 {
            failures.push(format!("{file}: misses {gap:.1e} of its scale"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

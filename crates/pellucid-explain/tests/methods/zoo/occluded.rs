//! Occlusion by parts, where the first layers are computed on crops, against the whole network for each window.

use ndarray::{ArrayD, Axis};
use pellucid_core::{Target, Work};
use pellucid_explain::occlusion_by_crops::{self, occlusion};

use super::runtimes::{both, unless_refused};
use super::subject::{Part, files, subject};

/// How far the two ways to occlude are apart, relative to the outputs; `None` where the network is not split.
fn check(part: &Part) -> Result<Option<String>, String> {
    let rows = part.rows.slice_axis(Axis(0), (0..1).into()).to_owned();
    let n_axes = rows.ndim().saturating_sub(2);
    if n_axes == 0 {
        return Ok(None);
    }
    let length = rows.shape()[2] / 4;
    let options = |incremental| occlusion_by_crops::Options {
        window: vec![length; n_axes],
        incremental,
        ..Default::default()
    };
    let gain = occlusion_by_crops::gain(&part.network, &options(true)).map_err(|error| error.to_string())?;
    let Some(gain) = gain else { return Ok(None) };
    let of = |incremental| {
        let (target, work) = (Target::Top(1), Work::default());
        unless_refused(occlusion(&part.network, &rows, &target, &options(incremental), &work))
    };
    let (Ok(parts), Ok(whole)) = (of(true)?, of(false)?) else { return Ok(None) };
    let largest = |array: &ArrayD<f64>| array.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    let distance =
        largest(&(&parts.values - &whole.values)) / largest(&whole.outputs).max(largest(&whole.values));
    match distance <= 1e-5 && largest(&whole.values) > 1e-3 * largest(&whole.outputs) {
        true => Ok(Some(format!("gain {gain:.2}, {distance:.1e} of {:.1e}", largest(&whole.values)))),
        false => Err(format!("occlusion by parts is {distance:.1e} from {:.1e}", largest(&whole.values))),
    }
}

#[test]
fn occlusion_by_parts_is_that_of_the_whole_network() {
    let (mut failures, mut split) = (Vec::new(), Vec::new());
    for on in both() {
        let in_folder = |file: &&String| file.starts_with("gradients/") && file.ends_with(".script.onnx");
        for file in files().iter().filter(in_folder) {
            // rten has nothing of its own here.
            if on.name == "rten" && !file.contains("/resnet.") {
                continue;
            }
            match check(subject(file, &on).first()) {
                Ok(Some(told)) => split.push(format!("{} {file}: {told}", on.name)),
                Ok(None) => {}
                Err(reason) => failures.push(format!("{} {file}: {reason}", on.name)),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    for name in ["rten gradients/resnet.", "onnxruntime gradients/resnet.", "/densenet.", "/vgg."] {
        assert!(split.iter().any(|line| line.contains(name)), "{name} is not split: {split:?}");
    }
}

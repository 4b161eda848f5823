//! Pellucid's side of the benchmarks: jobs in (JSON), seconds out (JSON). `bench/run.py` starts it beside the peers.
//!
//!     cargo run --release -p pellucid-engine --example bench -- --jobs bench/jobs.json --data out/bench --threads 2
//!
//! `--batch-size N` instead of what memory suggests, `--runtime rten` instead of ONNX Runtime.

#![allow(clippy::print_stdout, reason = "the result goes to standard output")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ndarray::{ArrayD, Axis, Slice};
use pellucid_core::Attribution;
use pellucid_engine::{
    LoadedModel, Method, MethodOptions, ModelOptions, RuntimeChoice, RuntimeOptions, Target, Work, runtime,
};
use pellucid_explain::occlusion_by_crops::{self, occlusion};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The class that the peers explain too (`bench/peer/torch_gradients.py`).
const TARGET: usize = 1;

struct Settings {
    networks: PathBuf,
    options: RuntimeOptions,
    repeats: usize,
    work: Work,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given: BTreeMap<&str, &str> =
        arguments.chunks_exact(2).map(|pair| (pair[0].trim_start_matches("--"), pair[1].as_str())).collect();
    let number = |name: &str, default: usize| given.get(name).map_or(Ok(default), |text| text.parse());
    let choice = match given.get("runtime").copied() {
        Some("rten") => RuntimeChoice::Rten,
        _ => RuntimeChoice::OnnxRuntime,
    };
    let settings = Settings {
        networks: PathBuf::from(given.get("data").copied().unwrap_or("out/bench")),
        options: RuntimeOptions { choice, threads: number("threads", 2)?, ..RuntimeOptions::default() },
        repeats: number("repeats", 5)?,
        work: Work {
            batch_size: given.get("batch-size").map(|text| text.parse()).transpose()?,
            ..Work::default()
        },
    };
    let jobs = given.get("jobs").copied().unwrap_or("bench/jobs.json");
    let jobs: Vec<Value> = serde_json::from_slice(&std::fs::read(jobs)?)?;
    let of_networks = jobs.iter().filter(|job| job["network"].is_string());
    let results = of_networks.map(|job| run(job, &settings)).collect::<Result<Vec<_>>>()?;
    println!("{}", serde_json::to_string_pretty(&json!({ "results": results }))?);
    Ok(())
}

/// Times one job after a warm-up, whose result is compared with PyTorch's float64 gradient where that is the job.
fn run(job: &Value, settings: &Settings) -> Result<Value> {
    let text = |key: &str| job[key].as_str().ok_or_else(|| format!("a job without `{key}`: {job}"));
    let network = text("network")?;
    let model = open(&settings.networks.join(format!("{network}.onnx")), settings)?;
    let arrays = settings.networks.join(format!("{network}.npz"));
    let n_rows = job["rows"].as_u64().unwrap_or(1) as usize;
    let rows = first(&model, &arrays, "input", n_rows)?;
    let call: Box<dyn Fn() -> Result<Attribution> + '_> = match text("work")? {
        "occlusion" => {
            let (options, work) = (occlusion_options(job), &settings.work);
            let (network, rows) = (model.network(), &rows);
            Box::new(move || Ok(occlusion(network, rows, &Target::Index(TARGET), &options, work)?))
        }
        work => {
            let method = method(work, job, &model)?;
            let (network, rows) = (model.network(), &rows);
            Box::new(move || Ok(method.attribute(network, rows, &Target::Index(TARGET), &settings.work)?))
        }
    };
    let values = call()?.values.index_axis(Axis(1), 0).to_owned();
    let error = match text("work")? {
        "raw_gradient" => Some(relative_l2(&values, &first(&model, &arrays, "gradient", n_rows)?)),
        _ => None,
    };
    let mut seconds = Vec::new();
    while seconds.len() < settings.repeats || (seconds.iter().sum::<f64>() < 1.0 && seconds.len() < 1000) {
        let start = Instant::now();
        call()?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    let spread = json!({
        "min": seconds[0],
        "median": seconds[seconds.len() / 2],
        "max": seconds[seconds.len() - 1],
        "repeats": seconds.len(),
    });
    let runtime = model.network().runtime().fingerprint();
    Ok(json!({ "id": text("id")?, "seconds": spread, "relative_error": error, "runtime": runtime }))
}

fn open(path: &Path, settings: &Settings) -> Result<LoadedModel> {
    Ok(LoadedModel::open(path, runtime(&settings.options)?, &ModelOptions::default())?)
}

/// The first rows of an array of the network's `.npz`.
fn first(model: &LoadedModel, arrays: &Path, name: &str, n_rows: usize) -> Result<ArrayD<f32>> {
    let all = model.read_input(&[arrays.to_owned()], Some(name))?.rows;
    Ok(all.slice_axis(Axis(0), Slice::from(..n_rows)).to_owned())
}

fn method(work: &str, job: &Value, model: &LoadedModel) -> Result<Method> {
    let mut options = MethodOptions::default();
    let name = match work {
        "raw_gradient" => {
            options.absolute = Some(false);
            "saliency"
        }
        "integrated_gradients" => {
            options.n_steps = job["n_steps"].as_u64().map(|n| n as usize);
            "integrated_gradients"
        }
        "lrp" => {
            options.composite = job["composite"].as_str().map(str::to_owned);
            "lrp"
        }
        "grad_cam" => "grad_cam",
        "score_cam" => "score_cam",
        "deep_lift" => "deep_lift",
        "guided_backprop" => "guided_backprop",
        other => return Err(format!("no work `{other}` on this side").into()),
    };
    Ok(Method::new(name, &options, model, 0)?)
}

fn occlusion_options(job: &Value) -> occlusion_by_crops::Options {
    let pixels = |key: &str| vec![job[key].as_u64().unwrap_or(1) as usize; 2];
    occlusion_by_crops::Options {
        window: pixels("window"),
        strides: Some(pixels("stride")),
        ..Default::default()
    }
}

fn relative_l2(actual: &ArrayD<f64>, expected: &ArrayD<f32>) -> f64 {
    let expected = expected.mapv(f64::from);
    let norm = |array: &ArrayD<f64>| array.iter().map(|x| x * x).sum::<f64>().sqrt();
    norm(&(actual - &expected)) / norm(&expected)
}

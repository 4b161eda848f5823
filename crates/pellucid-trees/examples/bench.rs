//! Jobs (JSON) → seconds (JSON): Pellucid's side of the tree rows of `bench/jobs.json`.
//!
//!     cargo run --release -p pellucid-trees --example bench -- --jobs bench/jobs.json --data out/bench
//!
//! `bench/peers.py export` writes the models and rows. `--level portable|avx2|avx512` holds it to fewer instructions.
#![allow(clippy::print_stdout, reason = "its result")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to say")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use ndarray::Array2;
use pellucid_trees::*;
use serde_json::{Value, json};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str, default: &str| {
        let place = arguments.iter().position(|argument| argument == name);
        place.and_then(|place| arguments.get(place + 1)).map_or(default, String::as_str).to_owned()
    };
    let jobs = std::fs::read(option("--jobs", "bench/jobs.json")).expect("--jobs names a file");
    let jobs: Vec<Value> = serde_json::from_slice(&jobs).expect("a JSON list of jobs");
    let data = PathBuf::from(option("--data", "out/bench"));
    let repeats: usize = option("--repeats", "5").parse().expect("--repeats takes a number");
    let level = level(&option("--level", "best"));
    let threads: usize = option("--threads", "0").parse().expect("--threads takes a number");
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("one pool");
    let only = option("--only", "");
    let known =
        jobs.iter().filter(|job| text(job, "work").starts_with("tree_") && text(job, "id").contains(&only));
    let results: Vec<Value> = known.map(|job| run(job, &data, level, repeats)).collect();
    let level = format!("{level:?}").to_lowercase();
    let threads = rayon::current_num_threads();
    let report = json!({ "level": level, "threads": threads, "results": results });
    println!("{}", serde_json::to_string_pretty(&report).expect("JSON"));
}

fn level(name: &str) -> Level {
    let levels = Level::available();
    let named = levels.iter().find(|level| format!("{level:?}").to_lowercase() == name);
    *named.or(levels.last()).expect("one at least")
}

fn text<'a>(job: &'a Value, field: &str) -> &'a str {
    job[field].as_str().unwrap_or_default()
}

fn run(job: &Value, data: &Path, level: Level, repeats: usize) -> Value {
    let model = text(job, "model");
    let bytes =
        std::fs::read(data.join(format!("{model}.json"))).expect("`bench/peers.py export` writes the models");
    let ensemble = read(&bytes).expect("an XGBoost model");
    let rows = rows(&data.join(format!("{model}.f32")), ensemble.n_features);
    let n_rows = job["rows"].as_u64().expect("`rows`: how many") as usize;
    if text(job, "work").starts_with("tree_interventional") {
        return run_interventional(job, &ensemble, &rows, n_rows, repeats);
    }
    let rows = rows.slice(ndarray::s![..n_rows, ..]);
    let prepared = seconds(1, || explainer(job, &ensemble, level));
    let explainer = explainer(job, &ensemble, level);
    let mut values = vec![0.0; n_rows * explainer.n_values()];
    let seconds =
        seconds(repeats, || explainer.explain_block(Rows::F32(rows), 0..n_rows, &mut values).expect("fits"));
    json!({ "id": job["id"], "seconds": spread(seconds), "prepare_secs": prepared[0] })
}

/// Rows that the peers export before those of the background (`bench/peer/trees.py`).
const EXPORTED_ROWS: usize = 4000;

/// The background is made ready in the call that is timed, as it is on the peer's side.
fn run_interventional(
    job: &Value,
    ensemble: &TreeEnsemble,
    rows: &Array2<f32>,
    n_rows: usize,
    repeats: usize,
) -> Value {
    let n_background = job["background"].as_u64().expect("`background`: how many") as usize;
    let background = rows.slice(ndarray::s![EXPORTED_ROWS..EXPORTED_ROWS + n_background, ..]);
    let (rows, background) = (Rows::F32(rows.slice(ndarray::s![..n_rows, ..])), Rows::F32(background));
    let work = pellucid_core::Work::default();
    let call = || match text(job, "work") {
        "tree_interventional" => interventional(ensemble, rows, background, &work),
        "tree_interventional_interactions" => interventional_interactions(ensemble, rows, background, &work),
        other => panic!("{}: no work `{other}`", job["id"]),
    };
    let prepared = seconds(1, || Interventional::new(ensemble, background, &work).expect("fits"));
    json!({ "id": job["id"], "seconds": spread(seconds(repeats, || call().expect("fits"))), "prepare_secs": prepared[0] })
}

fn explainer<'a>(job: &Value, ensemble: &'a TreeEnsemble, level: Level) -> PathDependent<'a> {
    let explainer = match text(job, "work") {
        "tree_shap" => PathDependent::new(ensemble),
        "tree_interactions" => PathDependent::interactions(ensemble),
        other => panic!("{}: no work `{other}`", job["id"]),
    };
    explainer.expect("a model with covers").at_level(level)
}

/// Seconds of `repeats` calls after one that is not counted, and of more until a second has passed.
fn seconds<T>(repeats: usize, mut call: impl FnMut() -> T) -> Vec<f64> {
    let mut once = || {
        let start = Instant::now();
        call();
        start.elapsed().as_secs_f64()
    };
    if repeats > 1 {
        once();
    }
    let mut all: Vec<f64> = (0..repeats).map(|_| once()).collect();
    while repeats > 1 && all.len() < 1000 && all.iter().sum::<f64>() < 1.0 {
        all.push(once());
    }
    all
}

fn spread(mut seconds: Vec<f64>) -> Value {
    seconds.sort_by(f64::total_cmp);
    let n = seconds.len();
    json!({ "min": seconds[0], "median": seconds[n / 2], "max": seconds[n - 1], "repeats": n })
}

/// Little-endian f32 numbers, row by row.
fn rows(path: &Path, n_features: usize) -> Array2<f32> {
    let bytes = std::fs::read(path).expect("`bench/peers.py export` writes the rows");
    let values: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    Array2::from_shape_vec((values.len() / n_features, n_features), values).expect("whole rows")
}

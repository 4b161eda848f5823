//! A job (JSON) → counterfactuals (JSON): Pellucid's side of `bench/counterfactuals.py`, on a tree model.
//!
//!     cargo run --release -p pellucid-trees --example counterfactuals -- job.json
#![allow(clippy::print_stdout, reason = "its result")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to say")]

use std::time::Instant;

use ndarray::{Array1, Array2, ArrayViewD, Ix2};
use pellucid_agnostic::Function;
use pellucid_agnostic::counterfactual::{
    Column, Counterfactuals, Direction, Finder, Kind, Options, Outcome, Table,
};
use pellucid_core::Work;
use pellucid_trees::dependence::threshold_grid;
use pellucid_trees::{Rows, TreeEnsemble, read};
use serde_json::{Value, json};

fn main() {
    let path = std::env::args().nth(1).expect("the path of a job");
    let job: Value = serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("a JSON job");
    let model = std::fs::read(job["model"].as_str().expect("a path of a model")).expect("a model file");
    let ensemble = read(&model).expect("a tree model");
    let predictor = Function {
        row_shape: vec![ensemble.n_features],
        n_outputs: ensemble.n_outputs(),
        predict: |rows: ArrayViewD<'_, f64>| {
            let rows = rows.into_dimensionality::<Ix2>().expect("a table");
            Ok(ensemble.predict(Rows::F64(rows)).expect("predictions"))
        },
    };
    let columns =
        list(&job["columns"]).iter().enumerate().map(|(place, text)| column(text, &ensemble, place));
    let table = Table { columns: columns.collect(), outcome_names: names(&job["outcome_names"]) };
    let background: Vec<Array1<f64>> = list(&job["background"]).iter().map(row).collect();
    let width = ensemble.n_features;
    let background = Array2::from_shape_fn((background.len(), width), |(i, j)| background[i][j]);
    let work = Work::default();
    let finder = Finder::new(&predictor, &table, background.view(), &work).expect("a table that fits");
    let results: Vec<Value> = list(&job["queries"])
        .iter()
        .map(|query| {
            let options = Options {
                n_counterfactuals: query["n"].as_u64().expect("a number") as usize,
                max_changes: query["max_changes"].as_u64().map(|most| most as usize),
                ..options(&job["options"])
            };
            let started = Instant::now();
            let found = finder.find(row(&query["row"]).view(), &Outcome::Opposite, &options, &work);
            report(&found.expect("an answer"), started.elapsed().as_secs_f64())
        })
        .collect();
    println!("{}", serde_json::to_string_pretty(&results).expect("JSON"));
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn names(value: &Value) -> Vec<String> {
    list(value).iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
}

/// Missing values are `null`.
fn row(value: &Value) -> Array1<f64> {
    list(value).iter().map(|x| x.as_f64().unwrap_or(f64::NAN)).collect()
}

fn column(text: &Value, ensemble: &TreeEnsemble, place: usize) -> Column {
    let labels = names(&text["labels"]);
    let is_category = !labels.is_empty();
    let ends = row(&text["range"]);
    Column {
        name: text["name"].as_str().expect("a name").to_owned(),
        kind: if is_category { Kind::Category { labels } } else { Kind::Integer },
        immutable: text["immutable"] == true,
        range: (ends.len() == 2).then(|| (ends[0], ends[1])),
        direction: match text["direction"].as_str() {
            Some("up") => Some(Direction::Up),
            Some("down") => Some(Direction::Down),
            _ => None,
        },
        candidates: match is_category || text["thresholds"] == false {
            true => Vec::new(),
            false => threshold_grid(ensemble, place).expect("a feature of the model"),
        },
        scale: text["scale"].as_f64(),
        ..Column::default()
    }
}

fn options(text: &Value) -> Options {
    let usual = Options::default();
    let number = |name: &str, usual: f64| text[name].as_f64().unwrap_or(usual);
    Options {
        proximity_weight: number("proximity_weight", usual.proximity_weight),
        sparsity_weight: number("sparsity_weight", usual.sparsity_weight),
        diversity_weight: number("diversity_weight", usual.diversity_weight),
        max_evaluations: number("max_evaluations", usual.max_evaluations as f64) as usize,
        ..usual
    }
}

fn report(found: &Counterfactuals, seconds: f64) -> Value {
    let counterfactuals = found.found.iter().map(|one| {
        json!({
            "row": one.row.iter().map(|x| if x.is_nan() { Value::Null } else { json!(x) }).collect::<Vec<_>>(),
            "output": one.outputs[0],
            "distance": one.distance,
            "n_changes": one.changes.len(),
            "sentence": one.sentence,
        })
    });
    json!({
        "counterfactuals": counterfactuals.collect::<Vec<_>>(),
        "diversity": found.diversity,
        "evaluations": found.evaluations,
        "warnings": found.warnings,
        "seconds": seconds,
    })
}

//! `pellucid log replay`: what was recorded is explained again.

use crate::bad_input::npy;
use crate::log::Place;
use crate::texts::{TEXT, files};
use crate::{Folder, fixture, stdout};

/// Explains with a log, and replays entry 0.
fn check(explain: &[&str], replay: &[&str]) {
    let place = Place::new();
    let (model, log) = (explain[0].to_owned(), place.log.clone());
    stdout(&place.run(&[&["explain"], explain, &["--log", &log]].concat()));
    let told = stdout(&place.log("replay", &[&["0", "--model", &model], replay].concat()));
    assert!(told.contains("entry 0: same bytes, under the same fingerprint"), "{explain:?}: {told}");
}

#[test]
fn rows_of_trees_give_the_same_bytes() {
    let (model, table) = (fixture("trees/demo/adult.txt"), fixture("data/adult_declined.csv"));
    let background = fixture("data/adult_declined.csv");
    for options in [
        &[][..],
        &["--interactions"],
        &["--method", "banzhaf"],
        &["--method", "saabas"],
        &["--method", "shapley-interactions", "--index", "sii"],
        &["--seed", "18446744073709551615", "--target", "all"],
    ] {
        check(&[&[model.as_str(), &table], options].concat(), &[]);
    }
    let with = ["--background", background.as_str(), "--output-space", "probability"];
    check(&[&[model.as_str(), &table], &with[..]].concat(), &[&["--"], &with[..]].concat());
}

/// Three blurred strokes: of so many rows a network runs four at once.
fn images() -> Vec<u8> {
    let pixel = |i: usize| {
        let (image, y, x) = (i / 784, i / 28 % 28, i % 28);
        let off = (y as f32 - 14.0) * image as f32 * 0.5 + x as f32 - 14.0;
        (-off * off / 8.0).exp()
    };
    npy("(3, 1, 28, 28)", &(0..3 * 784).map(pixel).collect::<Vec<f32>>())
}

#[test]
fn rows_of_networks_give_the_same_bytes() {
    let folder = Folder::new();
    let (model, images) = (fixture("models/mnist_cnn.onnx"), folder.write("images.npy", images()));
    for options in [
        &["--target", "top-3", "--n-steps", "4"][..],
        &["--tolerance", "0.2"],
        &["--method", "smoothgrad", "--n-samples", "3", "--seed", "7"],
        &["--method", "deep-lift", "--baseline", "value:0.5"],
        &["--method", "occlusion", "--window", "1,7,7"],
        &["--method", "kernel-shap", "--segments", "grid:3", "--max-evaluations", "24"],
    ] {
        // Which segments there were is no parameter of the method.
        let given: &[&str] = if options.contains(&"grid:3") { &["--", "--segments", "grid:3"] } else { &[] };
        check(&[&[model.as_str(), &images], options].concat(), given);
    }
}

#[test]
fn texts_give_the_same_bytes() {
    let files = files();
    check(
        &[files[0].as_str(), "--tokenizer", &files[1], "--text", TEXT, "--target", "of", "--n-steps", "4"],
        &["--", "--tokenizer", &files[1]],
    );
}

#[test]
fn what_differs_is_shown() {
    let place = Place::filled();
    let model = fixture("trees/lightgbm/binary.txt");
    let replay =
        |entry: &str, more: &[&str]| place.log("replay", &[&[entry, "--model", &model], more].concat());
    stdout(&replay("r-2", &[]));
    let other = fixture("trees/lightgbm/multiclass.txt");
    place.fails(&place.log("replay", &["0", "--model", &other]), 2, "the record's model");
    place.fails(&replay("0", &["--", "--method", "saabas"]), 2, "");
    place.fails(&replay("0", &["--", "--target", "0"]), 2, "");
    // The same record with one value that nobody computed.
    let line = stdout(&place.log("query", &["--json", "--payloads", "--limit", "1"]));
    let mut record: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    let value = &mut record["payload"]["attribution"][0]["values"][0];
    *value = (value.as_f64().expect("a number") + 0.5).into();
    let appended = place.write("changed.jsonl", &record.to_string());
    record["entry"]["runtime_fingerprint"] = "another".into();
    let elsewhere = place.write("elsewhere.jsonl", &record.to_string());
    stdout(&place.log("append", &[&appended, &elsewhere]));
    place.fails(&replay("3", &[]), 5, "the farthest 5.0e-1 at 0");
    place.fails(&replay("3", &[]), 5, "under the same fingerprint");
    place.fails(&replay("4", &[]), 5, "under another fingerprint");
    assert!(stdout(&replay("4", &["--tolerance", "1e9"])).contains("same values within"));
    stdout(&place.log("erase", &["1", "--reason", "x"]));
    place.fails(&replay("1", &[]), 2, "its payload was erased");
}

/// Nobody computed this, whatever part of the explanation it is.
#[test]
fn every_part_is_compared() {
    let place = Place::new();
    let (model, table) = (fixture("trees/demo/adult.txt"), fixture("data/adult_declined.csv"));
    let text = std::fs::read_to_string(&table).expect("a table");
    let rows: Vec<&str> = text.lines().take(5).collect();
    let table = place.write("few.csv", &rows.join("\n"));
    let sampled = ["--method", "permutation-shap", "--max-evaluations", "60", "--background", &table];
    let explain = ["explain", &model, &table, "--log", &place.log];
    stdout(&place.run(&[&explain[..], &sampled].concat()));
    let line = stdout(&place.log("query", &["--json", "--payloads", "--limit", "1"]));
    let whole: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    let mut lines = String::new();
    let parts = [
        ("/entry/prediction/0", "outputs: "),
        ("/payload/attribution/0/values/1", "values: "),
        ("/payload/attribution/1/values/1", "standard errors: "),
        ("/payload/details/output", "output: "),
        ("/payload/details/base_value", "base value: "),
        ("/payload/details/convergence_delta", "completeness gap: "),
    ];
    for (pointer, _) in parts {
        let mut changed = whole.clone();
        let number = changed.pointer_mut(pointer).expect("there");
        *number = (number.as_f64().expect("a number") + 0.5).into();
        lines += &(changed.to_string() + "\n");
    }
    let n = place.lines(&[]).len();
    let lines = place.write("changed.jsonl", &lines);
    stdout(&place.log("append", &[&lines]));
    let replay = |entry: usize, background: &str| {
        let entry = entry.to_string();
        place.log("replay", &[&entry, "--model", &model, "--", "--background", background])
    };
    assert!(stdout(&replay(0, &table)).contains("same bytes"));
    for (place_of, (_, part)) in parts.iter().enumerate() {
        place.fails(&replay(n + place_of, &table), 5, part);
    }
    // Other rows under the same name give other values, which say nothing of the record.
    let folder = Folder::new();
    let shuffled = [&rows[..1], &rows[2..], &rows[1..2]].concat().join("\n");
    let other = folder.write("few.csv", shuffled);
    place.fails(&replay(0, &other), 2, "background_digest");
}

#[test]
fn what_other_rows_gave_is_not_replayed() {
    let place = Place::new();
    let model = fixture("trees/lightgbm/binary.txt");
    let table = place.write("two.csv", "a,b,c,d,e\n0.5,1,0,2,46\n-1,0,0.5,1,31\n");
    let explain = ["explain", &model, &table, "--method", "feature-permutation", "--log", &place.log];
    stdout(&place.run(&explain));
    place.fails(&place.log("replay", &["0", "--model", &model]), 4, "feature_permutation");
}

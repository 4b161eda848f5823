//! `pellucid effects`: against every row explained with every value put in.

use serde_json::Value;

use crate::tables::explained;
use crate::{Folder, assert_fails, fixture, run, stdout};

/// Some rows of the demo's table.
fn table(folder: &Folder, n_rows: usize) -> String {
    let text = std::fs::read_to_string(fixture("data/adult_test.csv")).expect("a fixture");
    let lines: Vec<&str> = text.lines().take(n_rows + 1).collect();
    folder.write("rows.csv", lines.join("\n") + "\n")
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(&run(&[arguments, &["--json"]].concat()))).expect("JSON and nothing else")
}

fn numbers(value: &Value) -> Vec<f64> {
    match value.as_array() {
        Some(list) => list.iter().flat_map(numbers).collect(),
        None => value.as_f64().into_iter().collect(),
    }
}

/// The outputs of all rows with one cell replaced, as `explain` has them.
fn outputs_with(folder: &Folder, model: &str, table: &str, column: usize, cell: &str) -> Vec<f64> {
    let text = std::fs::read_to_string(table).expect("a file");
    let replaced = text.lines().enumerate().map(|(index, line)| {
        let mut cells: Vec<&str> = line.split(',').collect();
        if index > 0 {
            cells[column] = cell;
        }
        cells.join(",") + "\n"
    });
    let replaced = folder.write("replaced.csv", replaced.collect::<String>());
    explained(&["explain", model, &replaced, "--json"]).outputs.iter().copied().collect()
}

#[test]
fn partial_dependence_is_the_mean_over_rows_with_the_value_put_in() {
    let folder = Folder::new();
    let (model, table) = (fixture("trees/demo/adult.txt"), table(&folder, 40));
    let check = |feature: &str, column: usize, space: &str, link: fn(f64) -> f64| {
        let words =
            ["effects", &model, &table, "--kind", "ice", "--feature", feature, "--output-space", space];
        let found = json(&words);
        let (grid, mean) = (numbers(&found["grid"]), numbers(&found["mean"]));
        assert_eq!((found["kind"].as_str(), found["n_rows"].as_u64()), (Some("ice"), Some(40)));
        assert!(grid.is_sorted() && grid.len() == mean.len() && grid.len() > 1);
        let categories = found["features"][0]["categories"].as_array().expect("a list");
        let curves = numbers(&found["curves"]["values"]);
        for point in [0, grid.len() / 2, grid.len() - 1] {
            let cell = match categories.get(grid[point] as usize) {
                Some(name) => name.as_str().expect("a name").to_owned(),
                None => grid[point].to_string(),
            };
            let outputs = outputs_with(&folder, &model, &table, column, &cell);
            let expected = outputs.iter().map(|&margin| link(margin)).sum::<f64>() / 40.0;
            assert!((mean[point] - expected).abs() < 1e-12, "{feature} = {cell}: {} {expected}", mean[point]);
            for (row, &output) in outputs.iter().enumerate() {
                assert!((curves[row * grid.len() + point] - link(output)).abs() < 1e-12);
            }
        }
    };
    check("age", 0, "margin", |margin| margin);
    check("sex", 8, "margin", |margin| margin);
    check("education_num", 3, "probability", |margin| 1.0 / (1.0 + (-margin).exp()));
}

#[test]
fn two_features_have_every_pair_of_values() {
    let folder = Folder::new();
    let (model, table) = (fixture("trees/demo/adult.txt"), table(&folder, 40));
    let words = ["effects", &model, &table, "--feature", "age", "--feature", "sex", "--points", "5"];
    let found = json(&words);
    let grid = numbers(&found["grid"]);
    assert_eq!(grid.len(), 2 * 5 * 2);
    // What stands at one age for both sexes is their share in the mean of the single feature.
    let sexes = json(&["effects", &model, &table, "--feature", "sex"]);
    assert_eq!(numbers(&sexes["grid"]), grid.iter().skip(1).step_by(2).take(2).copied().collect::<Vec<_>>());
    assert_eq!(sexes["features"][0]["counts"].as_array().map(Vec::len), Some(2));
}

#[test]
fn effects_are_written_and_drawn() {
    let folder = Folder::new();
    let (model, table, out) = (fixture("trees/demo/adult.txt"), table(&folder, 300), folder.text("out"));
    let words = ["effects", &model, &table, "--out", &out];
    let text =
        stdout(&run(
            &[&words[..], &["--kind", "ice", "--feature", "age", "--centered", "--curves", "7"]].concat()
        ));
    assert!(text.contains("7 of 300 rows, evenly spread") && text.contains("at age = "), "{text}");
    assert_eq!(
        folder.names("out"),
        ["curves.csv", "effects.csv", "effects.json", "effects.png", "effects.svg"]
    );
    let read = |name: &str| std::fs::read_to_string(folder.path(name)).expect("a file");
    let first: Vec<String> = read("out/effects.csv").lines().take(2).map(str::to_owned).collect();
    assert!(first[0] == "age,output,mean" && first[1].ends_with(",0"), "centered: {first:?}");
    let n_points = read("out/effects.csv").lines().count() - 1;
    assert_eq!(read("out/curves.csv").lines().count() - 1, 7 * n_points);
    assert!(read("out/curves.csv").starts_with("row,age,output,value\n0,"));
    assert!(read("out/effects.svg").contains("Individual curves over age"));
    stdout(&run(&[&words[..], &["--feature", "sex", "--feature", "age"]].concat()));
    assert!(read("out/effects.svg").contains("Partial dependence on sex and age"));
}

#[test]
fn effects_that_make_no_sense_are_refused() {
    let folder = Folder::new();
    let (model, table) = (fixture("trees/demo/adult.txt"), table(&folder, 20));
    let refused = |options: &[&str], parts: &[&str]| {
        assert_fails(&[&["effects", &model, &table][..], options].concat(), 2, parts);
    };
    refused(&["--feature", "height"], &["no feature `height`", "`age`"]);
    refused(&["--feature", "age", "--points", "1"], &["points", "2 or more"]);
    refused(&["--feature", "age", "--curves", "5"], &["curves", "ice"]);
    refused(&["--feature", "age", "--feature", "sex", "--kind", "ice"], &["one feature"]);
    refused(&["--feature", "age", "--feature", "age"], &["age", "twice"]);
    refused(&["--feature", "age", "--output-space", "log-loss"], &["margin, probability or value"]);
    refused(&["--feature", "age", "--output-space", "value"], &["predicts classes"]);
    let kind = run(&["effects", &model, &table, "--feature", "age", "--kind", "ale"]);
    assert_eq!(kind.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&kind.stderr).contains("partial-dependence, ice"));
    let network = fixture("models/mnist_cnn.onnx");
    assert_fails(&["effects", &network, &table, "--feature", "age"], 4, &["not supported"]);
    let text = std::fs::read_to_string(&table).expect("a file");
    let empty: String = text
        .lines()
        .enumerate()
        .map(|(index, line)| match index {
            0 => line.to_owned() + "\n",
            _ => format!(",{}\n", line.split_once(',').map_or("", |cells| cells.1)),
        })
        .collect();
    let empty = folder.write("empty.csv", empty);
    assert_fails(&["effects", &model, &empty, "--feature", "age"], 2, &["`age`", "no value"]);
}

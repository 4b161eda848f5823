//! `pellucid effects`: against every row explained with every value put in.

use serde_json::Value;

use crate::agnostic::served;
use crate::onnx_bytes;
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

/// With two categories there is one step, in which every row takes part: that of the partial dependence.
#[test]
fn accumulated_effects_of_two_categories_are_their_partial_dependence() {
    let folder = Folder::new();
    let (model, table) = (fixture("trees/demo/adult.txt"), table(&folder, 60));
    let of = |kind: &str| json(&["effects", &model, &table, "--feature", "sex", "--kind", kind]);
    let (ale, dependence) = (of("ale"), of("partial-dependence"));
    assert_eq!(numbers(&ale["grid"]), numbers(&dependence["grid"]));
    let (effect, mean) = (numbers(&ale["mean"]), numbers(&dependence["mean"]));
    assert!((effect[1] - effect[0] - (mean[1] - mean[0])).abs() < 1e-9, "{effect:?} {mean:?}");
    let n_rows = numbers(&ale["rows_in_bins"]);
    assert!((effect[0] * n_rows[0] + effect[1] * n_rows[1]).abs() < 1e-9);
    // The step's standard error is shared out by how many rows lie beyond it.
    let errors = numbers(&ale["standard_error"]);
    assert!(errors[0] > 0.0 && (errors[0] * n_rows[0] - errors[1] * n_rows[1]).abs() < 1e-9);
    // Asked about every row, trees give the same and how sure it is.
    let slow = json(&["effects", &model, &table, "--feature", "sex", "--confidence", "0.9"]);
    let apart =
        numbers(&slow["mean"]).iter().zip(&mean).fold(0.0, |most: f64, (a, b)| most.max((a - b).abs()));
    assert!(apart < 1e-9 && numbers(&slow["standard_error"]).iter().all(|&error| error > 0.0));
    assert!(dependence["standard_error"].is_null() && slow["confidence"].as_f64() == Some(0.9));
}

/// `x₀ x₁` on a full grid: what both do beyond each alone is `(x₀ − mean)(x₁ − mean)`.
#[test]
fn a_served_models_effects_are_those_of_its_function() {
    let folder = Folder::new();
    let lines = (0..25).map(|row| format!("{},{}\n", row % 5, row / 5));
    let table = folder.write("rows.csv", "a,b\n".to_owned() + &lines.collect::<String>());
    let product = served(|row| row[0] * row[1]);
    let options = ["--kind", "ale", "--feature", "a", "--feature", "b", "--points", "5"];
    let found = json(&[&["effects", &product, &table][..], &options].concat());
    let (grid, effect) = (numbers(&found["grid"]), numbers(&found["mean"]));
    // The first bin holds two values of five, each other one; the means are those of the bins' middles.
    let middle = (2.0 * 0.5 + 1.5 + 2.5 + 3.5) / 5.0;
    for (point, effect) in grid.chunks(2).zip(&effect) {
        let expected = (point[0] - middle) * (point[1] - middle);
        assert!((effect - expected).abs() < 1e-9, "{point:?}: {effect} {expected}");
    }
    // Within a cell all rows change alike.
    assert!(numbers(&found["standard_error"]).iter().all(|&error| error < 1e-9));
    // The mean of b is 2, its variance 2.5 · 20/24.
    let alone = json(&["effects", &product, &table, "--feature", "a"]);
    assert!(
        numbers(&alone["mean"]).iter().zip(0..).all(|(mean, a)| (mean - 2.0 * f64::from(a)).abs() < 1e-9)
    );
    let error = numbers(&alone["standard_error"]);
    let expected = 4.0 * (2.0 * 25.0_f64 / 24.0 / 25.0).sqrt();
    assert!((error[4] - expected).abs() < 1e-9, "{error:?} {expected}");
    // Codes without an order: a step from level to level.
    let out = folder.text("out");
    let codes = [&options[..4], &["--categorical", "a", "--out", &out]].concat();
    let told = stdout(&run(&[&["effects", &product, &table][..], &codes].concat()));
    assert!(told.contains("ale of a") && told.contains("±") && told.contains("5 points"), "{told}");
    let lines = std::fs::read_to_string(folder.path("out/effects.csv")).expect("a file");
    assert!(lines.starts_with("a,output,mean,standard_error,low,high\n"), "{lines}");
    assert!(folder.names("out").contains(&"effects.png".to_owned()));
}

#[test]
fn a_networks_effects_are_those_of_its_function() {
    let folder = Folder::new();
    let bytes = onnx_bytes::model(&[onnx_bytes::node("Mul", &["x", "x"], "y")], &[]);
    let (model, table) =
        (folder.write("square.onnx", bytes), folder.write("rows.csv", "a,b,c\n1,2,3\n2,0,1\n4,1,1\n"));
    let found = json(&["effects", &model, &table, "--feature", "a", "--kind", "ice"]);
    let (grid, mean) = (numbers(&found["grid"]), numbers(&found["mean"]));
    assert_eq!(grid, [1.0, 2.0, 4.0]);
    // Output 0 is the square of a; output 1 that of b, whatever a is.
    let squares = mean.iter().step_by(3).zip(&grid);
    assert!(squares.clone().count() == 3 && squares.into_iter().all(|(mean, a)| (mean - a * a).abs() < 1e-5));
    assert!(mean.iter().skip(1).step_by(3).all(|mean| (mean - 5.0 / 3.0).abs() < 1e-5));
    assert_eq!(numbers(&found["curves"]["values"]).len(), 3 * 3 * 3);
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
    refused(&["--feature", "age", "--confidence", "95"], &["confidence", "between 0 and 1"]);
    refused(&["--feature", "age", "--kind", "ale", "--centered"], &["centered"]);
    refused(&["--feature", "age", "--feature", "sex", "--kind", "ale"], &["`sex` has categories"]);
    refused(&["--feature", "age", "--categorical", "height"], &["no feature `height`"]);
    refused(&["--feature", "age", "--output-space", "value"], &["predicts classes"]);
    let kind = run(&["effects", &model, &table, "--feature", "age", "--kind", "m-plot"]);
    assert_eq!(kind.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&kind.stderr).contains("partial-dependence, ice, ale"));
    let (network, images) = (fixture("models/mnist_cnn.onnx"), fixture("models/mnist_cnn.sample.npz"));
    let of_images = ["effects", &network, &images, "--array", "in_image", "--feature", "age"];
    assert_fails(&of_images, 2, &["effects are of tables"]);
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
    let one = folder.write("one.csv", text.lines().take(2).collect::<Vec<_>>().join("\n") + "\n");
    for kind in ["partial-dependence", "ale"] {
        assert_fails(
            &["effects", &model, &empty, "--feature", "age", "--kind", kind],
            2,
            &["`age`", "no value"],
        );
        assert_fails(
            &["effects", &model, &one, "--feature", "age", "--kind", kind],
            2,
            &["`age`", "constant"],
        );
    }
}

//! Output spaces, backgrounds of path-dependent values, and tables beside a model without covers.

use pellucid_engine::{Explanation, OutputSpace, Parameter};
use serde_json::Value;

use crate::tables::{Row, explained, recorded};
use crate::{Folder, assert_fails, fixture, run, stdout};

/// A table of columns `a` to `e`, and `y` of these labels where there are some.
fn table(rows: &[Row], labels: Option<&[&str]>) -> String {
    let mut text = format!("a,b,c,d,e{}\n", if labels.is_some() { ",y" } else { "" });
    for (index, row) in rows.iter().enumerate() {
        let mut cells: Vec<String> =
            row.iter().map(|cell| cell.map_or_else(String::new, |x| x.to_string())).collect();
        cells.extend(labels.map(|labels| labels[index % labels.len()].to_owned()));
        text += &format!("{}\n", cells.join(","));
    }
    text
}

/// What the source library predicted for the recorded rows.
fn predictions(name: &str) -> Vec<Vec<f64>> {
    let text = std::fs::read_to_string(fixture(&format!("trees/lightgbm/{name}.expected.json")));
    let value: Value = serde_json::from_str(&text.expect("a fixture")).expect("JSON");
    let rows = value["rows"].as_array().expect("a list").iter();
    let is_finite = |row: &Value| serde_json::from_value::<Row>(row.clone()).is_ok();
    let predictions = value["prediction"].as_array().expect("a list").iter();
    let kept = rows.zip(predictions).filter(|(row, _)| is_finite(row));
    kept.map(|(_, prediction)| serde_json::from_value(prediction.clone()).expect("numbers")).collect()
}

/// Values and base value add up to `outputs`, what the library itself says of the rows.
fn assert_adds_up(explanation: &Explanation, outputs: &[f64], tolerance: f64) {
    let base_values = explanation.base_values.as_ref().expect("base values");
    for (row, output) in outputs.iter().enumerate() {
        assert!((explanation.outputs[[row]] - output).abs() < 1e-14, "row {row}");
        let sum: f64 = explanation.values_of(row, 0).sum();
        assert!((base_values[[row]] + sum - output).abs() < tolerance, "row {row}");
    }
}

#[test]
fn probabilities_and_values_add_up_to_lightgbms_own() {
    let folder = Folder::new();
    for (name, space) in [("binary", "probability"), ("poisson", "value")] {
        let (rows, _) = recorded(name);
        let predictions: Vec<f64> = predictions(name)[..10].iter().map(|row| row[0]).collect();
        let input = folder.write("rows.csv", table(&rows[..10], None));
        let background = folder.write("background.csv", table(&rows[10..30], None));
        let model = fixture(&format!("trees/lightgbm/{name}.txt"));
        let explanation = explained(&[
            "explain",
            &model,
            &input,
            "--background",
            &background,
            "--output-space",
            space,
            "--json",
        ]);
        assert_adds_up(&explanation, &predictions, 1e-12);
        let about = &explanation.about;
        assert_eq!(about.output_space.name(), space);
        assert_eq!((&explanation.standard_error, about.warnings.len()), (&None, 0));
        assert_eq!(about.parameters["max_exact_features"], Parameter::Count(16));
        assert_eq!(about.predictions[3][0].output, predictions[3]);
        // The base value is the mean prediction over the background.
        let of_background = explained(&["explain", &model, &background, "--json"]);
        let mean = of_background.outputs.iter().map(|margin| match space {
            "value" => margin.exp(),
            _ => 1.0 / (1.0 + (-0.7 * margin).exp()),
        });
        let mean = mean.sum::<f64>() / 20.0;
        assert!((explanation.base_values.expect("base values")[[0]] - mean).abs() < 1e-12);
    }
}

#[test]
fn the_log_loss_is_explained_at_each_rows_label() {
    let folder = Folder::new();
    let (rows, _) = recorded("binary");
    let input = folder.write("rows.csv", table(&rows[..10], Some(&["0", "1", "true"])));
    // The labels of the background are no features either.
    let background = folder.write("background.csv", table(&rows[10..20], Some(&["0"])));
    let model = fixture("trees/lightgbm/binary.txt");
    let losses: Vec<f64> = predictions("binary")[..10]
        .iter()
        .enumerate()
        .map(|(row, p)| -(if row % 3 == 0 { 1.0 - p[0] } else { p[0] }).ln())
        .collect();
    for option in ["--labels", "--label-column"] {
        let explanation = explained(&[
            "explain",
            &model,
            &input,
            "--background",
            &background,
            "--output-space",
            "log-loss",
            option,
            "y",
            "--json",
        ]);
        assert_adds_up(&explanation, &losses, 1e-12);
        let about = &explanation.about;
        assert_eq!((about.output_space, about.warnings.len()), (OutputSpace::LogLoss, 0));
        assert_eq!(about.parameters["labels"], Parameter::Text("y".to_owned()));
        assert_eq!(about.other_columns["y"][..2], ["0", "1"]);
        assert_eq!(explanation.target_label(0, 0), "log_loss");
    }
}

#[test]
fn labels_are_names_where_classes_have_some() {
    let folder = Folder::new();
    let (rows, _) = recorded("multiclass");
    let predictions = predictions("multiclass");
    let names = folder.write("names.json", r#"["cat", "dog", "eel"]"#);
    let model = fixture("trees/lightgbm/multiclass.txt");
    let background = folder.write("background.csv", table(&rows[9..20], None));
    let explain = |labels: &[&str]| -> Vec<String> {
        let input = folder.write("rows.csv", table(&rows[..9], Some(labels)));
        let words = ["explain", &model, &input, "--background", &background, "--labels", &names, "--json"];
        let words = [&words[..], &["--output-space", "log-loss", "--label-column", "y"]].concat();
        words.into_iter().map(str::to_owned).collect()
    };
    let words = explain(&["eel", "cat", "1"]);
    let explanation = explained(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let losses: Vec<f64> = (0..9).map(|row| -predictions[row][[2, 0, 1][row % 3]].ln()).collect();
    assert_adds_up(&explanation, &losses, 1e-12);
    let refused = |labels: &[&str], parts: &[&str]| {
        let words = explain(labels);
        assert_fails(&words.iter().map(String::as_str).collect::<Vec<_>>(), 3, parts);
    };
    refused(&["cat", "cow"], &["rows.csv", "row 1, column `y`: `cow`", "`dog`"]);
    refused(&["cat", "cat", "3"], &["rows.csv", "row 2, column `y`: `3`", "from 0 to 2"]);
    refused(&["cat", ""], &["row 1, column `y`: ``"]);
}

#[test]
fn estimates_have_a_standard_error_and_say_so() {
    let folder = Folder::new();
    let (rows, _) = recorded("binary");
    let input = folder.write("rows.csv", table(&rows[..10], None));
    let background = folder.write("background.csv", table(&rows[10..20], None));
    let model = fixture("trees/lightgbm/binary.txt");
    let words = ["explain", &model, &input, "--background", &background, "--output-space", "probability"];
    let few = ["--max-exact-features", "1", "--n-permutations", "20"];
    let exact = explained(&[&words[..], &["--json"]].concat());
    let drawn = explained(&[&words[..], &few, &["--json"]].concat());
    let errors = drawn.standard_error.as_ref().expect("estimated");
    assert!(drawn.about.warnings.iter().any(|warning| warning.contains("more than 1 features")));
    let far = drawn
        .values
        .iter()
        .zip(&exact.values)
        .zip(errors)
        .filter(|((a, b), e)| (*a - *b).abs() > 5.0 * *e + 1e-12);
    assert_eq!(far.count(), 0);
    let again = explained(&[&words[..], &few, &["--json", "--seed", "1"]].concat());
    assert_ne!(again.values, drawn.values);
    for format in ["csv", "parquet", "npz"] {
        let out = folder.text("out");
        stdout(&run(&[&words[..], &few, &["--out", &out, "--format", format]].concat()));
        assert!(folder.path(&format!("out/attributions.{format}")).exists());
    }
    let written = std::fs::read_to_string(folder.path("out/attributions.csv")).expect("a file");
    let head = written.lines().next().expect("a header");
    assert!(head.contains(",d,e,standard_error of a,standard_error of b,"), "{head}");
    let first = written.lines().nth(1).expect("a row").split(',');
    let first: Vec<f64> = first.map(|x| x.parse().expect("a number")).collect();
    let expected: Vec<f64> = errors.iter().take(5).copied().collect();
    assert_eq!(first[8..], expected);
}

#[test]
fn spaces_that_make_no_sense_are_refused() {
    let folder = Folder::new();
    let (rows, _) = recorded("binary");
    let input = folder.write("rows.csv", table(&rows[..4], Some(&["0"])));
    let background = folder.write("background.csv", table(&rows[4..8], None));
    let (classifier, regression) =
        (fixture("trees/lightgbm/binary.txt"), fixture("trees/lightgbm/poisson.txt"));
    let refused = |model: &str, with_background: bool, options: &[&str], parts: &[&str]| {
        let background: &[&str] = if with_background { &["--background", &background] } else { &[] };
        assert_fails(&[&["explain", model, &input][..], background, options].concat(), 2, parts);
    };
    refused(&classifier, true, &["--output-space", "odds"], &["no output space `odds`", "log-loss"]);
    refused(&regression, true, &["--output-space", "probability"], &["of classifiers", "margin or value"]);
    refused(&regression, true, &["--output-space", "log-loss", "--labels", "y"], &["of classifiers"]);
    refused(&classifier, true, &["--output-space", "value"], &["predicts classes"]);
    refused(&classifier, true, &["--output-space", "log-loss"], &["--labels COLUMN"]);
    refused(&classifier, true, &["--output-space", "probability", "--label-column", "y"], &["log-loss"]);
    refused(&classifier, true, &["--label-column", "y"], &["--output-space"]);
    refused(&classifier, false, &["--output-space", "probability"], &["--background"]);
    refused(
        &classifier,
        true,
        &["--output-space", "probability", "--removal", "path-dependent"],
        &["path-dependent", "no mean probability"],
    );
    let probability = ["--output-space", "probability"];
    refused(&classifier, true, &[&probability[..], &["--interactions"]].concat(), &["without interactions"]);
    for method in ["banzhaf", "saabas", "shapley-interactions"] {
        refused(&classifier, true, &[&probability[..], &["--method", method]].concat(), &["tree-shap"]);
    }
    refused(&classifier, true, &[&probability[..], &["--max-exact-features", "17"]].concat(), &["0 to 16"]);
    refused(&classifier, true, &[&probability[..], &["--n-permutations", "1"]].concat(), &["2 or more"]);
    refused(&classifier, true, &["--n-permutations", "4"], &["n_permutations", "--output-space"]);
    let loss = ["--output-space", "log-loss", "--labels", "y"];
    refused(&classifier, true, &[&loss[..], &["--target", "0"]].concat(), &["target", "one number a row"]);
    let missing = [
        "explain",
        &classifier,
        &input,
        "--background",
        &background,
        "--output-space",
        "log-loss",
        "--labels",
        "z",
    ];
    assert_fails(&missing, 3, &["rows.csv", "no column `z`", "`y`"]);
}

/// Covers of a background: the base value becomes its mean margin, whatever the file's own covers.
#[test]
fn path_dependent_values_take_covers_from_a_background() {
    let folder = Folder::new();
    let (rows, raw) = recorded("binary");
    let input = folder.write("rows.csv", table(&rows[..10], None));
    let background = folder.write("background.csv", table(&rows[10..40], None));
    let mean: f64 = raw[10..40].iter().map(|raw| raw[0]).sum::<f64>() / 30.0;
    let model = fixture("trees/lightgbm/binary.txt");
    for method in [&["--removal", "path-dependent"][..], &["--method", "saabas"]] {
        let words = ["explain", &model, &input, "--background", &background, "--json"];
        let explanation = explained(&[&words[..], method].concat());
        let raw: Vec<f64> = raw[..10].iter().map(|raw| raw[0]).collect();
        assert_adds_up(&explanation, &raw, 1e-6);
        assert!((explanation.base_values.expect("base values")[[0]] - mean).abs() < 1e-12);
        let parameters = &explanation.about.parameters;
        assert_eq!(parameters["covers"], Parameter::Text("background".to_owned()));
        assert_eq!(parameters["removal"], Parameter::Text("path_dependent".to_owned()));
        assert_eq!(parameters["n_background_rows"], Parameter::Count(30));
    }
    let own = explained(&["explain", &model, &input, "--json"]);
    assert_eq!(own.about.parameters["covers"], Parameter::Text("model".to_owned()));
}

#[test]
fn a_model_without_covers_needs_a_background_and_says_both_ways() {
    let folder = Folder::new();
    let cases = std::fs::read_to_string(fixture("trees/onnx/cases.json")).expect("a fixture");
    let case: Value = serde_json::from_str(&cases).expect("JSON");
    let rows: Vec<Row> = serde_json::from_value(case["lightgbm_regression"]["rows"].clone()).expect("rows");
    let names: Vec<String> = (0..rows[0].len()).map(|i| format!("f{i}")).collect();
    let mut text = format!("{}\n", names.join(","));
    for row in &rows {
        let cells: Vec<String> = row.iter().map(|x| x.map_or_else(String::new, |x| x.to_string())).collect();
        text += &format!("{}\n", cells.join(","));
    }
    let (model, table) = (fixture("trees/onnx/lightgbm_regression.onnx"), folder.write("rows.csv", text));
    let explain = ["explain", &model, &table, "--json"];
    assert_fails(&explain, 4, &["no covers", "--background", "interventional", "--removal path-dependent"]);
    assert_fails(&[&explain[..], &["--method", "saabas"]].concat(), 4, &["no covers", "--background"]);
    let with = |options: &[&str]| {
        let explanation = explained(&[&explain[..], &["--background", &table], options].concat());
        explanation.base_values.expect("base values")[[0]]
    };
    let (counted, interventional) = (with(&["--removal", "path-dependent"]), with(&[]));
    assert!((counted - interventional).abs() < 1e-6 * counted.abs().max(1.0), "both are the mean margin");
}

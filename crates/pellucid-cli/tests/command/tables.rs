//! Tree models and tables: what is explained, written and refused.

use pellucid_engine::Explanation;
use serde_json::Value;

use crate::{Folder, assert_fails, fixture, run, stdout};

fn credit() -> String {
    fixture("trees/lightgbm/german_credit.txt")
}

/// A row's cells; `None` is missing.
pub(crate) type Row = Vec<Option<f64>>;

/// The recorded rows of a LightGBM fixture, and what LightGBM says of them; without rows that hold infinities.
pub(crate) fn recorded(name: &str) -> (Vec<Row>, Vec<Vec<f64>>) {
    let text = std::fs::read_to_string(fixture(&format!("trees/lightgbm/{name}.expected.json")));
    let value: Value = serde_json::from_str(&text.expect("a fixture")).expect("JSON");
    let rows =
        value["rows"].as_array().expect("a list").iter().map(|row| serde_json::from_value(row.clone()).ok());
    let raw: Vec<Vec<f64>> = serde_json::from_value(value["raw"].clone()).expect("lists of numbers");
    rows.zip(raw).filter_map(|(row, raw)| Some((row?, raw))).unzip()
}

/// A table with columns `attribute_20` to `attribute_1` and one that no model knows.
fn credit_table(rows: &[Row]) -> String {
    let names: Vec<String> = (1..=20).rev().map(|i| format!("attribute_{i}")).collect();
    let mut text = format!("{},note\n", names.join(","));
    for row in rows {
        let cells: Vec<String> =
            row.iter().rev().map(|cell| cell.map_or_else(String::new, |x| x.to_string())).collect();
        text += &format!("{},\"a, b\"\n", cells.join(","));
    }
    text
}

pub(crate) fn explained(arguments: &[&str]) -> Explanation {
    Explanation::from_json(&stdout(&run(arguments))).expect("an explanation")
}

#[test]
fn rows_are_explained_by_name_and_add_up_to_lightgbms_own_margin() {
    let folder = Folder::new();
    let (rows, raw) = recorded("german_credit");
    let table = folder.write("rows.csv", credit_table(&rows));
    let explanation = explained(&["explain", &credit(), &table, "--json"]);
    assert_eq!(explanation.n_rows(), rows.len());
    let base_values = explanation.base_values.as_ref().expect("base values");
    for (row, raw) in raw.iter().enumerate() {
        assert_eq!(explanation.outputs[[row]], raw[0], "row {row}");
        let sum: f64 = explanation.values_of(row, 0).sum();
        assert!((base_values[[row]] + sum - raw[0]).abs() < 1e-6, "row {row}");
    }
    assert_eq!(explanation.about.feature_names.as_ref().expect("names")[0], "attribute_1");
    assert!(explanation.about.warnings.iter().any(|warning| warning.contains("does not use: `note`")));
    assert_eq!(explanation.about.model.format, "lightgbm");
}

#[test]
fn every_method_for_trees_explains() {
    let folder = Folder::new();
    let (rows, _) = recorded("german_credit");
    let table = folder.write("rows.csv", credit_table(&rows[..12]));
    let background = folder.write("background.csv", credit_table(&rows[12..40]));
    let check = |options: &[&str], method: &str, axes: usize, adds_up: bool| {
        let model = credit();
        let all = [&["explain", &model, &table, "--json"][..], options].concat();
        let explanation = explained(&all);
        assert_eq!(explanation.about.method, method);
        assert_eq!(explanation.values.ndim(), axes, "{options:?}");
        assert_eq!(explanation.convergence_delta.is_some(), adds_up, "{options:?}");
        let largest =
            explanation.convergence_delta.iter().flatten().fold(0.0, |most: f64, x| most.max(x.abs()));
        assert!(largest < 1e-6, "{options:?}: {largest}");
        assert!(explanation.values.iter().any(|&value| value != 0.0), "{options:?}");
    };
    check(&["--method", "saabas"], "saabas", 2, true);
    for with in [&[][..], &["--background", &background]] {
        let options = |own: &[&'static str]| [own, with].concat();
        check(&options(&[]), "tree_shap", 2, true);
        check(&options(&["--interactions"]), "tree_shap", 3, true);
        check(&options(&["--method", "banzhaf"]), "banzhaf", 2, false);
        check(&options(&["--method", "shapley-interactions"]), "shapley_interactions", 2, true);
        check(
            &options(&["--method", "shapley-interactions", "--index", "sii"]),
            "shapley_interactions",
            2,
            false,
        );
    }
}

#[test]
fn all_outputs_or_the_highest_are_explained() {
    let folder = Folder::new();
    let (rows, raw) = recorded("multiclass");
    let mut text = "a,b,c,d,e\n".to_owned();
    for row in &rows[..9] {
        let cells: Vec<String> = row.iter().map(|x| x.map_or("NA".to_owned(), |x| x.to_string())).collect();
        text += &format!("{}\n", cells.join(","));
    }
    let (model, table) = (fixture("trees/lightgbm/multiclass.txt"), folder.write("rows.csv", text));
    let all = explained(&["explain", &model, &table, "--target", "all", "--json"]);
    assert_eq!(all.outputs.shape(), [9, 3]);
    let top = explained(&["explain", &model, &table, "--json"]);
    for (row, raw) in raw[..9].iter().enumerate() {
        let highest = (0..3).max_by(|&a, &b| raw[a].total_cmp(&raw[b])).expect("three");
        assert_eq!(top.about.target.indices.as_ref().expect("indices")[row], [highest]);
        assert_eq!(top.values_of(row, 0), all.values_of(row, highest));
        assert_eq!(all.outputs[[row, 1]], raw[1]);
    }
    assert_fails(&["explain", &model, &table, "--target", "3"], 2, &["outputs 0 to 2"]);
}

#[test]
fn attributions_of_all_rows_are_written() {
    let folder = Folder::new();
    let (rows, raw) = recorded("german_credit");
    let table = folder.write("rows.csv", credit_table(&rows));
    let out = folder.text("out");
    let text = stdout(&run(&["explain", &credit(), &table, "--out", &out]));
    assert!(text.contains("adds up") && text.contains("attribute_"), "{text}");
    assert!(text.contains("waterfalls of the first 3 rows only"), "{text}");
    let pictures = ["bar", "beeswarm", "waterfall-0", "waterfall-1", "waterfall-2"];
    let pictures = pictures.iter().flat_map(|name| ["png", "svg"].map(|ending| format!("{name}.{ending}")));
    let files = ["attributions.csv", "explanation.json", "explanation.npz"].map(str::to_owned);
    let mut expected: Vec<String> = files.into_iter().chain(pictures).collect();
    expected.sort();
    assert_eq!(folder.names("out"), expected);
    let written = std::fs::read_to_string(folder.path("out/attributions.csv")).expect("a file");
    let mut lines = written.lines();
    assert!(lines.next().is_some_and(|head| head.starts_with("row,output,base_value,attribute_1,")));
    for (row, line) in lines.enumerate() {
        let numbers: Vec<f64> = line.split(',').map(|cell| cell.parse().expect("a number")).collect();
        assert_eq!((numbers[0], numbers[1]), (row as f64, raw[row][0]));
        let sum: f64 = numbers[2..].iter().sum();
        assert!((sum - numbers[1]).abs() < 1e-6, "{line}");
    }
    let whole = std::fs::read(folder.path("out/explanation.npz")).expect("a file");
    let json = std::fs::read_to_string(folder.path("out/explanation.json")).expect("a file");
    let same = Explanation::from_json(&json).expect("an explanation");
    assert_eq!(Explanation::from_npz(&whole).expect("an explanation").values, same.values);
}

#[test]
fn a_large_table_is_told_of_in_sum() {
    let folder = Folder::new();
    let (rows, _) = recorded("german_credit");
    let many: Vec<Row> = rows.iter().cycle().take(20_000).cloned().collect();
    let table = folder.write("rows.csv", credit_table(&many));
    let out = folder.text("out");
    let output = run(&["explain", &credit(), &table, "--out", &out, "--json", "--threads", "2"]);
    let told: Value = serde_json::from_str(&stdout(&output)).expect("JSON and nothing else");
    assert_eq!((&told["complete"], &told["n_rows"]), (&Value::Bool(false), &Value::from(20_000)));
    assert!(folder.path("out/sample.npz").exists() && !folder.path("out/explanation.npz").exists());
    let written = std::fs::read_to_string(folder.path("out/attributions.csv")).expect("a file");
    assert_eq!(written.lines().count(), 20_001);
    let sample = std::fs::read(folder.path("out/sample.npz")).expect("a file");
    let sample = Explanation::from_npz(&sample).expect("an explanation");
    assert_eq!(sample.about.inputs[1].source.row_index, 16, "every 16th row");
    let (sample, page) = (folder.text("out/sample.npz"), folder.text("page.html"));
    let drawn = |options: &[&str]| {
        stdout(&run(&[&["plot", &sample, "--out", &page, "--kind"][..], options].concat()));
        texts(&std::fs::read_to_string(&page).expect("a page"))
    };
    let decision = drawn(&["decision"]);
    assert!(decision.contains(" row 96: output ") && !decision.contains(" row 6: output "));
    assert!(decision.contains("These are 1250 of the table"), "the chart says that it is of a sample");
    assert!(drawn(&["waterfall", "--row", "2"]).contains("Row 32 of rows.csv."));
    // The mean over all rows, found while they went by.
    let columns = written.lines().skip(1).map(|line| {
        line.split(',').skip(3).map(|cell| cell.parse::<f64>().expect("a number").abs()).collect::<Vec<_>>()
    });
    let mut means = [0.0; 20];
    columns.for_each(|row| means.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / 20_000.0));
    for (feature, mean) in means.iter().enumerate() {
        let found = told["mean_absolute_values"][0][feature].as_f64().expect("a number");
        assert!((found - mean).abs() < 1e-9, "{feature}: {found} and {mean}");
    }
}

#[test]
fn words_are_looked_up_in_the_models_categories() {
    let folder = Folder::new();
    let model = fixture("trees/lightgbm/pandas.txt");
    let words = folder.write("words.csv", "word,number\nw3,0.5\nw0,-1\nnew,2\n,2\n");
    let codes = folder.write("codes.npy", npy(4, 2, &[0.5, 3.0, -1.0, 0.0, 2.0, f64::NAN, 2.0, f64::NAN]));
    let by_words = explained(&["explain", &model, &words, "--json"]);
    let by_codes = explained(&["explain", &model, &codes, "--json"]);
    assert_eq!(by_words.values, by_codes.values);
    assert_eq!(by_words.about.feature_categories.as_ref().expect("names")[1][3], "w3");
    let unseen = by_words.about.warnings.iter().find(|warning| warning.contains("not trained on"));
    assert!(unseen.is_some_and(|warning| warning.contains("`word`") && warning.contains("(new)")));
}

/// What was trained on words and missing cells, on what was held out: see fixtures/makers/adult_demo.py.
#[test]
fn the_demos_table_has_lightgbms_own_margins() {
    let folder = Folder::new();
    let (model, table) = (fixture("trees/demo/adult.txt"), fixture("data/adult_test.csv"));
    let out = folder.text("out");
    stdout(&run(&["explain", &model, &table, "--out", &out, "--format", "npz"]));
    let margins = Explanation::read(&folder.path("out/sample.npz")).expect("an explanation").outputs;
    assert_eq!(margins.len(), 2000, "so many rows are kept");
    let bytes = std::fs::read(fixture("trees/demo/adult.margins.npy")).expect("a fixture");
    let recorded = bytes[bytes.len() - 8 * 2000..].chunks_exact(8);
    let recorded = recorded.map(|bytes| f64::from_le_bytes(bytes.try_into().expect("eight")));
    for (row, (margin, recorded)) in margins.iter().zip(recorded).enumerate() {
        assert_eq!(*margin, recorded, "row {row}");
    }
}

#[test]
fn every_format_holds_the_same_attributions() {
    let folder = Folder::new();
    let (rows, _) = recorded("german_credit");
    let table = folder.write("rows.csv", credit_table(&rows));
    let explain = |table: &str, format: &str, out: &str| {
        let out = folder.text(out);
        stdout(&run(&["explain", &credit(), table, "--out", &out, "--format", format]));
    };
    explain(&table, "csv", "a");
    explain(&table, "parquet", "b");
    explain(&table, "npz", "c");
    // What was written as Parquet is read as a table again: its columns are named as the features.
    let parquet = folder.text("b/attributions.parquet");
    explain(&parquet, "csv", "d");
    let from_csv = folder.text("a/attributions.csv");
    explain(&from_csv, "csv", "e");
    let text = |name: &str| std::fs::read_to_string(folder.path(name)).expect("a file");
    assert_eq!(text("d/attributions.csv"), text("e/attributions.csv"));
    let npz = std::fs::read(folder.path("c/attributions.npz")).expect("a file");
    assert!(npz.starts_with(b"PK"));
}

#[test]
fn every_kind_of_plot_is_drawn() {
    let folder = Folder::new();
    let (rows, _) = recorded("german_credit");
    let table = folder.write("rows.csv", credit_table(&rows[..30]));
    let (out, pairs) = (folder.text("out"), folder.text("pairs"));
    stdout(&run(&["explain", &credit(), &table, "--out", &out, "--keep", "note"]));
    stdout(&run(&["explain", &credit(), &table, "--out", &pairs, "--interactions"]));
    let explanation = folder.text("out/explanation.npz");
    let draw = |explanation: &str, options: &[&str], file: &str| {
        let file = folder.text(file);
        stdout(&run(&[&["plot", explanation, "--out", &file, "--kind"][..], options].concat()));
        std::fs::read(file).expect("a file")
    };
    for kind in ["waterfall", "force", "bar", "beeswarm", "dependence", "decision", "heatmap"] {
        let svg = String::from_utf8(draw(&explanation, &[kind], "chart.svg")).expect("UTF-8");
        assert!(svg.starts_with("<svg") && svg.contains("attribute_"), "{kind}");
    }
    let svg = draw(&folder.text("out/explanation.json"), &["cohorts", "--cohort", "note"], "chart.svg");
    assert!(String::from_utf8_lossy(&svg).contains("a, b"));
    let pairs = folder.text("pairs/explanation.npz");
    draw(&pairs, &["interactions"], "chart.svg");
    let page = |explanation: &str, options: &[&str]| {
        texts(&String::from_utf8(draw(explanation, options, "page.html")).expect("UTF-8"))
    };
    assert!(page(&pairs, &["dependence"]).contains("with the largest interactions"));
    assert!(page(&explanation, &["dependence"]).contains("estimated from these"));
    let colored = page(&explanation, &["dependence", "--feature", "attribute_2", "--color", "attribute_5"]);
    assert!(colored.contains("attribute_5"));
    assert!(draw(&explanation, &["bar"], "chart.png").starts_with(b"\x89PNG"));
    assert!(
        draw(&explanation, &["dependence", "--feature", "attribute_2"], "page.html")
            .starts_with(b"<!DOCTYPE")
    );
    let refused = |options: &[&str], code: i32, parts: &[&str]| {
        let file = folder.text("chart.svg");
        assert_fails(&[&["plot", &explanation, "--out", &file][..], options].concat(), code, parts);
    };
    refused(&["--kind", "waterfall", "--row", "30"], 2, &["row", "0 to 29"]);
    refused(&["--kind", "dependence", "--feature", "age"], 2, &["no feature `age`", "attribute_1"]);
    refused(&["--kind", "dependence", "--color", "age"], 2, &["color: no feature `age`"]);
    refused(&["--kind", "cohorts"], 2, &["cohort"]);
    refused(&["--kind", "cohorts", "--cohort", "age"], 2, &["no column `age`"]);
    refused(&["--kind", "interactions"], 2, &["--interactions"]);
    let gif = folder.text("chart.gif");
    assert_fails(&["plot", &explanation, "--kind", "bar", "--out", &gif], 2, &[".svg, .png or .html"]);
    assert_fails(&["plot", &table, "--kind", "bar", "--out", &folder.text("x.svg")], 3, &["rows.csv"]);
}

#[test]
fn a_model_is_inspected_and_its_features_are_ranked() {
    let folder = Folder::new();
    let (model, table) = (fixture("trees/demo/adult.txt"), fixture("data/adult_test.csv"));
    let json = |arguments: &[&str]| -> Value {
        serde_json::from_str(&stdout(&run(&[arguments, &["--json"]].concat())))
            .expect("JSON and nothing else")
    };
    let inspected = json(&["inspect", &model]);
    assert_eq!((&inspected["n_trees"], &inspected["n_leaves"]), (&Value::from(200), &Value::from(6200)));
    assert_eq!(inspected["features"][8]["categories"], serde_json::json!(["Female", "Male"]));
    let text = stdout(&run(&["inspect", &model]));
    assert!(text.contains("lightgbm v4") && text.contains("2: Female, Male"), "{text}");

    let ranked = json(&["importance", &model, &table]);
    assert_eq!(ranked["n_rows"], 2000);
    let explained = json(&["explain", &model, &table]);
    assert_eq!(ranked["mean_absolute_values"][0]["values"], explained["mean_absolute_values"][0]);
    let n_splits: f64 =
        ranked["of_file"]["splits"].as_array().expect("a list").iter().filter_map(Value::as_f64).sum();
    assert_eq!(n_splits, 6000.0);
    let text = stdout(&run(&["importance", &model]));
    assert!(text.lines().nth(1).is_some_and(|line| line.starts_with("relationship")), "{text}");
    let network = fixture("models/mnist_cnn.onnx");
    assert_fails(&["importance", &network], 4, &["--label-column"]);
    drop(folder);
}

#[test]
fn a_table_gets_a_page() {
    let folder = Folder::new();
    let (model, table) = (fixture("trees/demo/adult.txt"), fixture("data/adult_test.csv"));
    let out = folder.text("out");
    let text = stdout(&run(&["report", &model, &table, "--cohort", "sex", "--out", &out]));
    assert!(text.contains("Open this page") && text.contains("index.html"), "{text}");
    let page = std::fs::read_to_string(folder.path("out/index.html")).expect("a page");
    for part in [
        "Three rows, one by one",
        "The closest decision",
        "Groups by sex",
        "sex = Female",
        "holds: the largest gap",
        "log-odds: 0 is an even chance",
        "income above $50,000",
    ] {
        assert!(page.contains(part), "no {part:?}");
    }
    assert!(
        !page.contains("http://www.w3.org/1999/xlink") && !page.contains("src=\"http"),
        "needs no other file"
    );
    let pairs = stdout(&run(&["report", &model, &table, "--cohort", "sex", "--interactions", "--out", &out]));
    assert!(pairs.contains("Open this page"), "{pairs}");
    assert!(
        std::fs::read_to_string(folder.path("out/index.html")).expect("a page").contains("Pairs of features")
    );
    assert_fails(
        &["report", &model, &table, "--out", &out, "--methods", "saliency"],
        2,
        &["saliency", "tree_shap"],
    );
}

/// What a page says, without its tags.
fn texts(page: &str) -> String {
    let texts = page.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text.trim());
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A `.npy` file of float64 numbers.
fn npy(n_rows: usize, n_columns: usize, numbers: &[f64]) -> Vec<u8> {
    let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({n_rows}, {n_columns}), }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
    bytes
}

fn assert_table_fails(name: &str, bytes: impl AsRef<[u8]>, parts: &[&str]) {
    let folder = Folder::new();
    let (table, out) = (folder.write(name, bytes), folder.text("out"));
    let model = fixture("trees/lightgbm/pandas.txt");
    let all = [&[name][..], parts].concat();
    assert_fails(&["explain", &model, &table, "--out", &out], 3, &all);
    assert_eq!(folder.names("out"), Vec::<String>::new(), "a failed command leaves nothing");
}

#[test]
fn tables_must_fit_the_model() {
    assert_table_fails("rows.csv", "", &["the file is empty"]);
    assert_table_fails("rows.csv", "word,number\n", &["holds no rows"]);
    assert_table_fails("rows.csv", "word,size\nw1,2\n", &["lacks 1", "`number`", "`size`"]);
    assert_table_fails(
        "rows.csv",
        "word,number\nw1,2\nw1,two\n",
        &["line 3, column `number`: `two` is no number"],
    );
    assert_table_fails("rows.csv", "word,number\nw1,inf\n", &["line 2, column `number`", "infinite"]);
    assert_table_fails("rows.csv", "word,number\nw1\n", &["line: 2", "1 field"]);
    assert_table_fails("rows.csv", "word,word\nw1,2\n", &["two columns `word`"]);
    assert_table_fails("rows.csv", b"word,number\nw1,\xff\n", &["line 2, column `number`", "UTF-8"]);
    assert_table_fails("rows.npy", npy(1, 3, &[0.0; 3]), &["has 3 columns, the model takes 2"]);
    assert_table_fails("rows.npy", npy(1, 2, &[0.0, f64::INFINITY]), &["row 0, column 1", "infinite"]);
    assert_table_fails("rows.xlsx", "PK", &["is no table", ".csv"]);
}

#[test]
fn a_fault_in_a_late_block_leaves_nothing() {
    let mut text = "word,number\n".to_owned() + &"w1,2\n".repeat(30_000);
    text += "w1,two\n";
    assert_table_fails("rows.csv", text, &["line 30002, column `number`"]);
}

#[test]
fn a_background_with_other_columns_is_refused() {
    let folder = Folder::new();
    let model = fixture("trees/lightgbm/pandas.txt");
    let table = folder.write("rows.csv", "word,number\nw1,2\n");
    let other = folder.write("other.csv", "word,size\nw1,2\n");
    let explain = ["explain", &model, &table];
    assert_fails(&[&explain[..], &["--background", &other]].concat(), 3, &["other.csv", "`number`"]);
    assert_fails(&[&explain[..], &["--removal", "interventional"]].concat(), 2, &["--background"]);
    assert_fails(&[&explain[..], &["--removal", "other"]].concat(), 2, &["path-dependent, interventional"]);
}

#[test]
fn broken_and_unknown_tree_models_are_refused() {
    let folder = Folder::new();
    let table = folder.write("rows.csv", "number,word\n1,2\n");
    let model = std::fs::read_to_string(fixture("trees/lightgbm/pandas.txt")).expect("a fixture");
    let check = |name: &str, bytes: &[u8], code: i32, parts: &[&str]| {
        let path = folder.write(name, bytes);
        assert_fails(&["explain", &path, &table], code, &[&[name][..], parts].concat());
    };
    let half = &model.as_bytes()[..model.len() / 2];
    check("cut.txt", half, 3, &["LightGBM text", "truncated"]);
    check("v9.txt", model.replace("version=v4", "version=v9").as_bytes(), 4, &["version `v9`", "v4"]);
    let objective = model.replace("objective=regression", "objective=magic");
    check("magic.txt", objective.as_bytes(), 4, &["objective `magic`"]);
    check("none.json", b"{}", 3, &["learner", "features_info"]);
    check("old.bst", b"binf\x00\x00", 3, &["old binary format", ".json"]);
    check("pool.cbm", b"CBM1\x00\x00", 3, &["format=\"json\""]);
    check("empty.txt", b"", 3, &["the file is empty"]);
    let ctr = fixture("trees/catboost/ctr.json");
    assert_fails(&["explain", &ctr, &table], 4, &["ctr.json"]);
    let linear = fixture("trees/xgboost/3.2.0/linear.json");
    assert_fails(&["explain", &linear, &table], 4, &["gblinear"]);
}

#[test]
fn options_of_the_other_kind_of_model_are_refused() {
    let folder = Folder::new();
    let table = folder.write("rows.csv", "number,word\n1,2\n");
    let trees = fixture("trees/lightgbm/pandas.txt");
    let refused = |model: &str, options: &[&str], parts: &[&str]| {
        assert_fails(&[&["explain", model, &table][..], options].concat(), 2, parts);
    };
    refused(&trees, &["--n-steps", "5"], &["n_steps", "for networks"]);
    refused(&trees, &["--method", "saliency"], &["no method `saliency`", "tree_shap"]);
    refused(&trees, &["--method", "banzhaf", "--interactions"], &["interactions", "no such option"]);
    refused(&trees, &["--method", "saabas", "--removal", "interventional"], &["removal", "no such option"]);
    refused(&trees, &["--max-order", "3"], &["max_order", "no such option"]);
    refused(&trees, &["--method", "shapley-interactions", "--index", "owen"], &["no index `owen`", "k-sii"]);
    refused(&trees, &["--input-shape", "3"], &["input_shape", "for networks"]);
    let network = fixture("models/mnist_cnn.onnx");
    refused(&network, &["--removal", "interventional"], &["removal", "for tree models"]);
    refused(&network, &["--interactions"], &["interactions", "for tree models"]);
}

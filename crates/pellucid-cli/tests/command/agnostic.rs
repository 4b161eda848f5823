//! Explanations by predictions alone: of trees, networks and served models, by the same methods.

#[path = "../../../pellucid-remote/tests/server/mod.rs"]
mod server;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::tables::{Row, explained, recorded};
use crate::{Folder, assert_fails, fixture, run, stdout};

fn trees() -> String {
    fixture("trees/lightgbm/binary.txt")
}

/// The recorded rows of [`trees`] without missing cells, as a table.
fn table(rows: &[Row]) -> String {
    let names: Vec<String> = (0..rows[0].len()).map(|i| format!("Column_{i}")).collect();
    let lines = rows.iter().map(|row| {
        row.iter().map(|cell| cell.map_or_else(String::new, |x| x.to_string())).collect::<Vec<_>>().join(",")
    });
    names.join(",") + "\n" + &lines.collect::<Vec<_>>().join("\n") + "\n"
}

fn whole_rows() -> Vec<Row> {
    recorded("binary").0.into_iter().filter(|row| row.iter().all(Option::is_some)).collect()
}

/// Predictions alone give what the trees give: the same game, counted two ways.
#[test]
fn shapley_values_by_predictions_are_those_of_the_trees() {
    let (folder, rows) = (Folder::new(), whole_rows());
    let input = folder.write("rows.csv", table(&rows[..3]));
    let background = folder.write("background.csv", table(&rows[3..20]));
    let exact = explained(&["explain", &trees(), &input, "--background", &background, "--json"]);
    for (method, bound) in
        [("exact-shap", 1e-6), ("kernel-shap", 1e-6), ("permutation-shap", 0.2), ("owen", 1.0)]
    {
        let made = ["explain", &trees(), &input, "--method", method, "--background", &background, "--json"];
        let explanation = explained(&made);
        assert_eq!(explanation.about.method, method.replace('-', "_"));
        assert_eq!(explanation.about.feature_names, exact.about.feature_names);
        let gap =
            (&explanation.values - &exact.values).iter().fold(0.0, |most: f64, gap| most.max(gap.abs()));
        let size = exact.values.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        assert!(gap < bound * size, "{method}: {gap} of {size}");
        let delta = explanation.convergence_delta.expect("promised");
        assert!(delta.iter().all(|delta| delta.abs() < 1e-6), "{method}: {delta}");
    }
}

#[test]
fn groups_are_sets_and_the_background_is_never_capped_silently() {
    let (folder, rows) = (Folder::new(), whole_rows());
    let input = folder.write("rows.csv", table(&rows[..2]));
    let background = folder.write("background.csv", table(&rows[2..20]));
    let base = ["explain", &trees(), &input, "--method", "exact-shap", "--background", &background, "--json"];
    let grouped = explained(&[&base[..], &["--feature-groups", "Column_0+Column_2"]].concat());
    let sets = grouped.about.feature_sets.expect("sets of features");
    assert_eq!((&sets[0][..], sets.len()), (&[0, 2][..], rows[0].len() - 1));
    let summed = explained(&[&base[..], &["--background-clusters", "3"]].concat());
    assert!(summed.about.warnings.iter().any(|warning| warning.contains("summed up by 3")));
    assert!(!explained(&base).about.warnings.iter().any(|warning| warning.contains("summed up")));
}

#[test]
fn images_are_explained_by_windows_segments_and_masks() {
    let (model, sample) = (fixture("models/mnist_cnn.onnx"), fixture("models/mnist_cnn.sample.npz"));
    let of = |method: &str, options: &[&str]| {
        let base = ["explain", &model, &sample, "--array", "in_image", "--method", method, "--json"];
        explained(&[&base[..], options].concat())
    };
    let windows = of("occlusion", &["--window", "7,7"]);
    assert_eq!(&windows.values.shape()[1..], [1, 28, 28]);
    // Every place of a window has the window's value.
    assert_eq!(windows.values[[0, 0, 0, 0]], windows.values[[0, 0, 6, 6]]);
    assert!(windows.values.iter().any(|&value| value != 0.0));
    let segments = of("kernel-shap", &["--segments", "grid:3"]);
    assert_eq!(segments.values[[0, 0, 0, 0]], segments.values[[0, 0, 8, 8]]);
    assert!(segments.convergence_delta.expect("promised").iter().all(|delta| delta.abs() < 1e-3));
    let surrogate = of("lime", &["--segments", "grid:4", "--n-samples", "100"]);
    assert!(surrogate.about.warnings.iter().any(|warning| warning.contains("R²")));
    let masks = of("rise", &["--n-samples", "50"]);
    assert!(masks.standard_error.is_some());
}

#[test]
fn a_convolutional_network_computes_crops_and_gets_the_same() {
    let folder = Folder::new();
    let (model, sample) = (fixture("gradients/resnet.script.onnx"), fixture("gradients/resnet.npz"));
    let base = ["explain", &model, &sample, "--array", "input", "--method", "occlusion", "--json"];
    let window = ["--window", "8,8", "--strides", "4,4"];
    let by_crops = explained(&[&base[..], &window].concat());
    // Predictions that are kept are of whole rows.
    let whole = explained(&[&base[..], &window, &["--journal", &folder.text("journal")]].concat());
    let largest = whole.values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    let apart = (&by_crops.values - &whole.values).iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    assert!(largest > 1e-3 && apart < 1e-5 * largest.max(1.0), "{apart:.1e} of {largest:.1e}");
    assert_eq!(by_crops.about.predictions, whole.about.predictions);
}

/// A V2 server of `x₀ + 2 x₁`, which fails once, at prediction number `failing`; its address, and what it is asked.
fn sums(failing: usize) -> (String, Arc<Mutex<Vec<server::Question>>>) {
    let n_predicted = AtomicUsize::new(0);
    let (host, asked) = server::serve(move |_, (first, _, body)| match first.starts_with("GET") {
        true => (200, "", METADATA.to_owned()),
        false if n_predicted.fetch_add(1, Ordering::Relaxed) == failing => {
            (500, "", "out of memory".to_owned())
        }
        false => (200, "", answer(body, |row| row[0] + 2.0 * row[1])),
    });
    (host + "/v2/models/sum", asked)
}

/// The address of a V2 server of a function of two numbers.
pub(crate) fn served(of_row: fn(&[f64]) -> f64) -> String {
    let (host, _) = server::serve(move |_, (first, _, body)| match first.starts_with("GET") {
        true => (200, "", METADATA.to_owned()),
        false => (200, "", answer(body, of_row)),
    });
    host + "/v2/models/function"
}

const METADATA: &str = r#"{"inputs": [{"name": "x", "datatype": "FP64", "shape": [-1, 2]}],
    "outputs": [{"name": "y", "datatype": "FP64", "shape": [-1, 1]}]}"#;

fn answer(body: &str, of_row: fn(&[f64]) -> f64) -> String {
    let question: serde_json::Value = serde_json::from_str(body).expect("JSON");
    let data: Vec<f64> = serde_json::from_value(question["inputs"][0]["data"].clone()).expect("numbers");
    let outputs: Vec<f64> = data.chunks(2).map(of_row).collect();
    serde_json::json!({"outputs": [{"name": "y", "shape": [outputs.len(), 1], "data": outputs}]}).to_string()
}

#[test]
fn a_served_model_is_explained_by_its_address() {
    let folder = Folder::new();
    let input = folder.write("rows.csv", "a,b\n1,2\n0,3\n");
    let made =
        explained(&["explain", &sums(100).0, &input, "--baseline", "value:1", "--target", "0", "--json"]);
    assert_eq!(made.about.method, "kernel_shap");
    let expected = [0.0, 2.0, -1.0, 4.0];
    assert!(made.values.iter().zip(expected).all(|(value, expected)| (value - expected).abs() < 1e-9));
    assert!(made.about.warnings.iter().any(|warning| warning.contains("served")));
}

#[test]
fn a_served_model_has_counterfactuals_too() {
    let folder = Folder::new();
    let rows = folder.write("rows.csv", "a,b\n1,2\n");
    let background = folder.write("background.csv", "a,b\n0,0\n1,2\n3,5\n9,1\n4,4\n");
    let (address, _) = sums(usize::MAX);
    let base = ["counterfactuals", &address, &rows, "--background", &background, "--outcome", "8.."];
    let options = ["--immutable", "a", "--counterfactuals", "1", "--json"];
    let found = run(&[&base[..], &options].concat());
    let found: serde_json::Value = serde_json::from_str(&stdout(&found)).expect("JSON and nothing else");
    let one = &found["rows"][0]["counterfactuals"][0];
    assert!(one["outputs"][0].as_f64().expect("a number") >= 8.0, "{found}");
    assert_eq!((one["row"][0].as_f64(), one["sparsity"].as_u64()), (Some(1.0), Some(1)));
    // 1 + 2 b cannot reach 40 with what b was seen to be: the nearest miss says how near it came.
    let beyond = ["counterfactuals", &address, &rows, "--background", &background, "--outcome", "40.."];
    let told = stdout(&run(&[&beyond[..], &["--immutable", "a"]].concat()));
    assert!(told.contains("no counterfactual was found") && told.contains("nearest miss"), "{told}");
}

#[test]
fn work_that_died_half_way_goes_on_where_it_stopped() {
    let folder = Folder::new();
    let input = folder.write("rows.csv", "a,b\n1,2\n0,3\n");
    let journal = folder.text("journal");
    // Prediction 0 tells the number of outputs, 1 are the rows; the first coalitions fail.
    let (address, asked) = sums(2);
    let with = |address: &str, journal: &str| {
        let given = [
            "explain",
            address,
            &input,
            "--baseline",
            "zeros",
            "--target",
            "0",
            "--json",
            "--journal",
            journal,
        ];
        given.map(str::to_owned)
    };
    let base = with(&address, &journal);
    let base = base.each_ref().map(String::as_str);
    let died = run(&base);
    assert_eq!(died.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&died.stderr).contains("out of memory"));
    let whole = explained(&base).values;
    let n_asked = || asked.lock().expect("no panic").len();
    let before = n_asked();
    // All is known now but what tells the number of outputs: the metadata and one prediction.
    assert_eq!(explained(&base).values, whole);
    assert_eq!(n_asked() - before, 2);
    for (address, journal, part) in
        [(&sums(100).0, &journal, "another model"), (&address, &input, "is no journal")]
    {
        let refused = with(address, journal);
        assert_fails(&refused.each_ref().map(String::as_str), 2, &["journal", part]);
    }
    assert_eq!(std::fs::read_to_string(&input).expect("left as it was"), "a,b\n1,2\n0,3\n");
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let (folder, rows) = (Folder::new(), whole_rows());
    let input = folder.write("rows.csv", table(&rows[..2]));
    let trees = trees();
    let check = |options: &[&str], parts: &[&str]| {
        assert_fails(&[&["explain", &trees, &input][..], options].concat(), 2, parts);
    };
    check(&["--method", "kernel-shap"], &["--background table"]);
    check(&["--method", "kernel-shap", "--baseline", "zeros", "--n-steps", "3"], &["n_steps"]);
    check(&["--method", "kernel-shap", "--baseline", "zeros", "--window", "2"], &["window"]);
    check(&["--method", "kernel-shap", "--baseline", "zeros", "--background", &input], &["not both"]);
    check(
        &["--method", "lime", "--baseline", "zeros", "--feature-groups", "nobody"],
        &["no feature `nobody`"],
    );
    check(&["--method", "rise", "--baseline", "zeros", "--segments", "slic"], &["is for images"]);
    check(&["--method", "exact-shap", "--baseline", "zeros", "--max-evaluations", "4"], &["max_evaluations"]);
    check(&["--journal", "x"], &["predictions alone"]);
    assert_fails(&["explain", "http://127.0.0.1:1/predict", &input], 2, &["names no model"]);
}

/// Predictions alone give the pairs that the trees give, half of each at both of its places.
#[test]
fn pairs_by_predictions_are_those_of_the_trees() {
    let (folder, rows) = (Folder::new(), whole_rows());
    let input = folder.write("rows.csv", table(&rows[..2]));
    let background = folder.write("background.csv", table(&rows[3..12]));
    let (trees, out) = (trees(), folder.text("out"));
    let base = ["explain", &trees, &input, "--background", &background];
    for index in ["sii", "k-sii", "faith-shap"] {
        let of = |method: &str, more: &[&str]| {
            explained(&[&base[..], &["--method", method, "--index", index, "--json"], more].concat())
        };
        let (exact, found) = (of("shapley-interactions", &[]), of("pairwise-interactions", &[]));
        let size = exact.values.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        let sets = exact.about.feature_sets.expect("sets");
        assert!(sets.iter().any(|set| set.len() == 2), "{sets:?}");
        for row in 0..2 {
            for (place, set) in sets.iter().enumerate() {
                let value = match set[..] {
                    [i] => found.values[[row, i, i]],
                    [i, j] => found.values[[row, i, j]] + found.values[[row, j, i]],
                    _ => continue,
                };
                let gap = (value - exact.values[[row, place]]).abs();
                assert!(gap < 1e-6 * size, "{index}, {set:?}: {value}, trees {}", exact.values[[row, place]]);
            }
        }
        match found.convergence_delta {
            Some(delta) => assert!(delta.iter().all(|delta| delta.abs() < 1e-6 * size), "{index}: {delta}"),
            None => assert_eq!(index, "sii"),
        }
    }
    stdout(&run(&[&base[..], &["--method", "pairwise-interactions", "--out", &out]].concat()));
    let names = folder.names("out");
    for name in ["interactions.png", "interactions.svg", "waterfall-0.svg", "explanation.json"] {
        assert!(names.iter().any(|known| known == name), "{names:?} without {name}");
    }
    let check = |more: &[&str], parts: &[&str]| {
        assert_fails(&[&base[..], &["--method", "pairwise-interactions"], more].concat(), 2, parts);
    };
    check(&["--index", "stii"], &["no `stii` by predictions alone", "sii, k-sii, faith-shap"]);
    check(&["--feature-groups", "0+1"], &["single features of a table"]);
    check(&["--max-evaluations", "20"], &["max_evaluations"]);
    let digits = fixture("models/mnist_cnn.sample.npz");
    let of_images =
        ["explain", &fixture("models/mnist_cnn.onnx"), &digits, "--array", "in_image", "--method"];
    assert_fails(&[&of_images[..], &["pairwise-interactions"]].concat(), 2, &["single features of a table"]);
}

#[test]
fn what_is_of_servers_or_of_files_alone_is_refused_for_the_other() {
    let folder = Folder::new();
    let (model, table) = (fixture("trees/demo/adult.txt"), fixture("data/adult_declined.csv"));
    for options in [["--timeout", "3"], ["--token-file", "nowhere"]] {
        let option = options[0][2..].replace('-', "_");
        let effects = ["effects", &model, &table, "--kind", "ale", "--feature", "age"];
        assert_fails(&[&effects[..], &options].concat(), 2, &[&option, "served"]);
        assert_fails(&[&["importance", &model, &table][..], &options].concat(), 2, &[&option, "served"]);
    }
    assert_fails(&["importance", &model, &table, "--fixed", "age=1"], 2, &["fixed", "networks"]);
    let address = served(|row| row[0]);
    let rows = folder.write("rows.csv", "a,b\n1,2\n3,4\n5,6\n");
    let effects = ["effects", &address, &rows, "--kind", "ale", "--feature", "a"];
    for options in [
        &["--output-space", "probability"][..],
        &["--start", "x"],
        &["--fixed", "z=1"],
        &["--explain-probability"],
    ] {
        let option = options[0][2..].replace('-', "_");
        assert_fails(&[&effects[..], options].concat(), 2, &[&option, "served"]);
    }
}

//! Explanations by predictions alone: of trees, networks and served models, by the same methods.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

use pellucid_engine::Explanation;

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

/// A V2 server of `x₀ + 2 x₁`, which gives up after `n_answers` predictions.
fn serve(n_answers: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}/v2/models/sum", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let mut n_left = n_answers;
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut reader = BufReader::new(&stream);
            let (mut first, mut length) = (String::new(), 0);
            reader.read_line(&mut first).expect("a line");
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).expect("a line");
                if line.trim().is_empty() {
                    break;
                }
                if let Some(text) = line.to_lowercase().strip_prefix("content-length:") {
                    length = text.trim().parse().expect("a length");
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            let (status, text) = match first.starts_with("GET") {
                true => (200, METADATA.to_owned()),
                false if n_left == 0 => (500, "out of memory".to_owned()),
                false => {
                    n_left -= 1;
                    (200, answer(&body))
                }
            };
            let head =
                format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", text.len());
            let _ = stream.write_all((head + &text).as_bytes());
        }
    });
    address
}

const METADATA: &str = r#"{"inputs": [{"name": "x", "datatype": "FP64", "shape": [-1, 2]}],
    "outputs": [{"name": "y", "datatype": "FP64", "shape": [-1, 1]}]}"#;

fn answer(body: &[u8]) -> String {
    let question: serde_json::Value = serde_json::from_slice(body).expect("JSON");
    let data: Vec<f64> = serde_json::from_value(question["inputs"][0]["data"].clone()).expect("numbers");
    let sums: Vec<f64> = data.chunks(2).map(|row| row[0] + 2.0 * row[1]).collect();
    serde_json::json!({"outputs": [{"name": "y", "shape": [sums.len(), 1], "data": sums}]}).to_string()
}

#[test]
fn a_served_model_is_explained_by_its_address() {
    let folder = Folder::new();
    let input = folder.write("rows.csv", "a,b\n1,2\n0,3\n");
    let made =
        explained(&["explain", &serve(100), &input, "--baseline", "value:1", "--target", "0", "--json"]);
    assert_eq!(made.about.method, "kernel_shap");
    let expected = [0.0, 2.0, -1.0, 4.0];
    assert!(made.values.iter().zip(expected).all(|(value, expected)| (value - expected).abs() < 1e-9));
    assert!(made.about.warnings.iter().any(|warning| warning.contains("served")));
}

#[test]
fn work_that_died_half_way_goes_on_where_it_stopped() {
    let folder = Folder::new();
    let input = folder.write("rows.csv", "a,b\n1,2\n0,3\n");
    let journal = folder.text("journal");
    let arguments = |address: &str| {
        ["explain", address, &input, "--baseline", "zeros", "--target", "0", "--journal", &journal, "--json"]
            .map(str::to_owned)
    };
    let of = |address: &str| {
        let arguments = arguments(address);
        run(&arguments.each_ref().map(String::as_str))
    };
    // One answer tells the outputs, one predicts the rows; then it dies.
    let died = of(&serve(2));
    assert_eq!(died.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&died.stderr).contains("out of memory"));
    assert!(!std::fs::read(&journal).expect("kept").is_empty());
    let values = |n_answers: usize| {
        Explanation::from_json(&stdout(&of(&serve(n_answers)))).expect("an explanation").values
    };
    let whole = values(100);
    // Everything is known now: one answer, to the question how many outputs there are, is enough.
    assert_eq!(values(1), whole);
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

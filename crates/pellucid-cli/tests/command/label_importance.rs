//! `pellucid importance --label-column`: against losses by hand, of trees, networks and served models.

use serde_json::Value;

use crate::agnostic::served;
use crate::tables::explained;
use crate::{Folder, assert_fails, fixture, onnx_bytes, run, stdout};

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(&run(&[arguments, &["--json"]].concat()))).expect("JSON and nothing else")
}

fn of_group(found: &Value, place: usize, what: &str) -> f64 {
    found["groups"][place][what].as_f64().expect("a number")
}

/// Some rows of the demo's table, with their true classes in the last column.
fn adult(folder: &Folder, n_rows: usize) -> String {
    let text = std::fs::read_to_string(fixture("data/adult_test.csv")).expect("a fixture");
    folder.write("rows.csv", text.lines().take(n_rows + 1).collect::<Vec<_>>().join("\n") + "\n")
}

/// `a + 2 b` on a full grid, of which the label is the sum itself.
#[test]
fn a_served_models_importances_are_twice_the_weighted_variances() {
    let folder = Folder::new();
    let line = |row: usize| {
        let (a, b) = (row % 5, row / 5);
        format!("{a},{},{b}\n", a + 2 * b)
    };
    let lines: String = (0..25).map(line).collect();
    let table = folder.write("rows.csv", "a,sum,b\n".to_owned() + &lines);
    let address = served(|row| row[0] + 2.0 * row[1]);
    let base = ["importance", &address, &table, "--label-column", "sum", "--repeats", "80"];
    let found = json(&base);
    assert_eq!((found["loss"].as_str(), found["loss_of_rows"].as_f64()), (Some("squared_error"), Some(0.0)));
    // The variance of 0 to 4 is 2.
    for (place, expected) in [(0, 4.0), (1, 16.0)] {
        let (increase, low, high) = (
            of_group(&found, place, "increase"),
            of_group(&found, place, "low"),
            of_group(&found, place, "high"),
        );
        assert!((increase / expected - 1.0).abs() < 0.1 && low < increase && increase < high, "{increase}");
        let half = 1.959_963_984_540_054 * of_group(&found, place, "standard_error");
        assert!((high - increase - half).abs() < 1e-9 && (increase - low - half).abs() < 1e-9);
    }
    let both = json(&[&base[..], &["--feature-groups", "a+b", "--loss", "absolute-error"]].concat());
    assert_eq!(both["groups"].as_array().map(Vec::len), Some(1));
    assert_eq!(both["groups"][0]["name"], "a + b");
    let out = folder.text("out");
    let told = stdout(&run(&[&base[..], &["--out", &out]].concat()));
    let (first, second) = (told.find("\nb "), told.find("\na "));
    assert!(told.contains("95 % interval") && first < second && first.is_some(), "{told}");
    let written = ["importance.csv", "importance.json", "importance.png", "importance.svg"];
    assert_eq!(folder.names("out"), written);
}

#[test]
fn trees_are_judged_by_their_probabilities() {
    let folder = Folder::new();
    let (model, table) = (fixture("trees/demo/adult.txt"), adult(&folder, 60));
    let margins = explained(&["explain", &model, &table, "--json"]).outputs;
    let text = std::fs::read_to_string(&table).expect("a file");
    let labels: Vec<bool> = text.lines().skip(1).map(|line| line.ends_with(",1")).collect();
    let base = ["importance", &model, &table, "--label-column", "income", "--repeats", "2"];
    let check = |loss: &[&str], of_row: fn(f64, bool) -> f64| {
        let expected =
            margins.iter().zip(&labels).map(|(&margin, &label)| of_row(margin, label)).sum::<f64>() / 60.0;
        let found = json(&[&base[..], loss].concat());
        let own = found["loss_of_rows"].as_f64().expect("a number");
        assert!((own - expected).abs() < 1e-9, "{loss:?}: {own} {expected}");
        assert_eq!(
            (found["n_rows"].as_u64(), found["groups"].as_array().map(Vec::len)),
            (Some(60), Some(13))
        );
    };
    check(&[], |margin, label| (1.0 + (if label { -margin } else { margin }).exp()).ln());
    check(&["--loss", "zero-one"], |margin, label| f64::from(u8::from((margin > 0.0) != label)));
}

/// Outputs are the squares of what a row holds, taken for logits: their softmax is judged.
#[test]
fn a_networks_classes_are_those_of_its_highest_output() {
    let folder = Folder::new();
    let bytes = onnx_bytes::model(&[onnx_bytes::node("Mul", &["x", "x"], "y")], &[]);
    let model = folder.write("square.onnx", bytes);
    let table = folder.write("rows.csv", "a,b,c,class\n3,1,1,0\n0,2,1,1\n1,0,2,2\n-3,1,0,1\n");
    let of =
        |loss: &[&str]| json(&[&["importance", &model, &table, "--label-column", "class"], loss].concat());
    let loss_of_rows = |found: &Value| found["loss_of_rows"].as_f64().expect("a number");
    assert_eq!(loss_of_rows(&of(&["--loss", "zero-one"])), 0.25);
    let logits: [([f64; 3], usize); 4] =
        [([9.0, 1.0, 1.0], 0), ([0.0, 4.0, 1.0], 1), ([1.0, 0.0, 4.0], 2), ([9.0, 1.0, 0.0], 1)];
    let of_row =
        |(row, label): &([f64; 3], usize)| row.iter().map(|x| x.exp()).sum::<f64>().ln() - row[*label];
    let expected = logits.iter().map(of_row).sum::<f64>() / 4.0;
    let found = of(&[]);
    assert_eq!(found["loss"], "log_loss");
    assert!((loss_of_rows(&found) - expected).abs() < 1e-5, "{found} {expected}");
    let squared = ["importance", &model, &table, "--label-column", "class", "--loss", "squared-error"];
    assert_fails(&squared, 2, &["compares one output"]);
}

#[test]
fn labels_that_are_none_are_refused() {
    let folder = Folder::new();
    let (model, table) = (fixture("trees/demo/adult.txt"), adult(&folder, 20));
    let fails = |options: &[&str], code: i32, parts: &[&str]| {
        assert_fails(&[&["importance", &model, &table][..], options].concat(), code, parts);
    };
    fails(&["--label-column", "wealth"], 3, &["no column `wealth`"]);
    fails(&["--label-column", "education"], 2, &["row 0", "`education`", "a number from 0 to 1"]);
    fails(&["--label-column", "income", "--loss", "hinge"], 2, &["`hinge`", "zero_one"]);
    fails(&["--label-column", "income", "--repeats", "0"], 2, &["n_repeats"]);
    fails(&["--label-column", "income", "--feature-groups", "age+height"], 2, &["no feature `height`"]);
    fails(&["--label-column", "income", "--confidence", "1"], 2, &["confidence"]);
    let network = fixture("models/mnist_cnn.onnx");
    assert_fails(&["importance", &network, &table], 4, &["without labels", "--label-column"]);
    for (first, second) in [("--loss", "zero-one"), ("--out", "out"), ("--repeats", "3")] {
        assert_eq!(run(&["importance", &model, &table, first, second]).status.code(), Some(2));
    }
}

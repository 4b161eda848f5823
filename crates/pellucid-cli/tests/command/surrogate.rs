//! `pellucid surrogate`: rules that are right where the model is a tree, and how far they are where it is none.

use serde_json::Value;

use crate::agnostic::served;
use crate::{Folder, assert_fails, fixture, run, stdout};

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(&run(&[arguments, &["--json"]].concat()))).expect("JSON and nothing else")
}

#[test]
fn a_model_that_is_a_tree_is_found_again() {
    let folder = Folder::new();
    let lines: String = (0..120).map(|row| format!("{},{}\n", row % 12, row % 3)).collect();
    let table = folder.write("rows.csv", "a,b\n".to_owned() + &lines);
    // 10 up to 5; beyond, 20, or 30 for the code 1.
    let address = served(|row| match (row[0] <= 5.0, row[1] == 1.0) {
        (true, _) => 10.0,
        (false, is_one) => {
            if is_one {
                30.0
            } else {
                20.0
            }
        }
    });
    let base = ["surrogate", &address, &table, "--categorical", "b", "--min-rows-in-leaf", "5"];
    let found = json(&base);
    let rules: Vec<&str> =
        found["rules"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let values: Vec<&str> = rules.iter().filter_map(|rule| rule.split(" (").next()).collect();
    assert_eq!(values.len(), 3, "{rules:?}");
    assert_eq!(values[0], "if a ≤ 5.5: 10");
    assert_eq!(values[2], "if a > 5.5 and b is not category 0 or category 2: 30");
    assert_eq!(
        (found["fidelity"]["value"].as_f64(), found["imitated"].as_str()),
        (Some(1.0), Some("output 0"))
    );
    assert_eq!(found["nodes"][0]["column"], "a");
    let out = folder.text("out");
    let told = stdout(&run(&[&base[..], &["--out", &out]].concat()));
    assert!(
        told.starts_with("fidelity  R² 1.000 (95 %: 1.000 to 1.000) on 30 rows that the tree has not seen"),
        "{told}"
    );
    assert_eq!(folder.names("out"), ["rules.txt", "surrogate.json"]);
}

#[test]
fn a_classifiers_tree_names_classes_and_is_judged_on_rows_it_has_not_seen() {
    let folder = Folder::new();
    let (model, table) = (fixture("trees/demo/adult.txt"), fixture("data/adult_test.csv"));
    let found = json(&["surrogate", &model, &table, "--max-depth", "3", "--held-out", "0.4"]);
    let fidelity = |what: &str| found["fidelity"][what].as_f64().expect("a number");
    assert_eq!(
        (found["imitated"].as_str(), found["fidelity"]["measure"].as_str()),
        (Some("class"), Some("accuracy"))
    );
    assert_eq!(fidelity("n_rows"), 800.0);
    assert!(fidelity("constant") < fidelity("low") && fidelity("low") < fidelity("value"), "{found}");
    let leaves = found["nodes"].as_array().into_iter().flatten().filter_map(|node| node["n_rows"].as_u64());
    assert_eq!(leaves.sum::<u64>(), 1200);
    let told = stdout(&run(&["surrogate", &model, &table, "--max-depth", "3", "--target", "class"]));
    assert!(
        told.contains(": not income above $50,000 (") && told.contains("the most frequent class alone"),
        "{told}"
    );
    let margins = json(&["surrogate", &model, &table, "--target", "0", "--output-space", "margin"]);
    assert_eq!(
        (margins["output_space"].as_str(), margins["fidelity"]["measure"].as_str()),
        (Some("margin"), Some("R²"))
    );
    let few = std::fs::read_to_string(&table).expect("a fixture");
    let few = folder.write("few.csv", few.lines().take(12).collect::<Vec<_>>().join("\n") + "\n");
    let fails = |table: &str, options: &[&str], parts: &[&str]| {
        assert_fails(&[&["surrogate", &model, table][..], options].concat(), 2, parts);
    };
    fails(&few, &[], &["too few"]);
    fails(&table, &["--target", "rich"], &["`rich`", "class"]);
    fails(&table, &["--target", "0", "--threshold", "0.3"], &["threshold"]);
    fails(&table, &["--categorical", "height"], &["no feature `height`"]);
    fails(&table, &["--held-out", "1"], &["held_out"]);
}

#[test]
fn codes_that_the_model_cuts_by_sets_have_no_order() {
    let folder = Folder::new();
    let lines: String = (0..240).map(|i| format!("{}\n", i % 48)).collect();
    let table = folder.write("rows.csv", "Column_0\n".to_owned() + &lines);
    let model = fixture("trees/lightgbm/categories_only.txt");
    let base = ["surrogate", &model, &table, "--target", "0", "--min-rows-in-leaf", "2"];
    let (told, named) = (json(&base), json(&[&base[..], &["--categorical", "Column_0"]].concat()));
    assert_eq!((&told["rules"], &told["fidelity"]), (&named["rules"], &named["fidelity"]));
}

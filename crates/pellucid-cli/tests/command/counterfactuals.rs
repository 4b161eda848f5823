//! `pellucid counterfactuals`: every one valid, and within its constraints.

use serde_json::Value;

use crate::{Folder, assert_fails, fixture, run, stdout};

/// Two people of the demo's table below $50,000, and a background of 200.
fn tables(folder: &Folder) -> (String, String) {
    let text = std::fs::read_to_string(fixture("data/adult_test.csv")).expect("a fixture");
    let lines: Vec<&str> = text.lines().collect();
    let below = lines[1..].iter().filter(|line| line.ends_with(",0")).take(2);
    let rows: Vec<&str> = std::iter::once(&lines[0]).chain(below).copied().collect();
    (
        folder.write("rows.csv", rows.join("\n") + "\n"),
        folder.write("background.csv", lines[..201].join("\n") + "\n"),
    )
}

#[test]
fn counterfactuals_are_valid_and_obey_their_constraints() {
    let folder = Folder::new();
    let (rows, background) = tables(&folder);
    let model = fixture("trees/demo/adult.txt");
    let base = ["counterfactuals", &model, &rows, "--background", &background, "--counterfactuals", "3"];
    let constraints = [
        "--immutable",
        "race,sex,native_country",
        "--only-up",
        "age",
        "--column-range",
        "hours_per_week:20..50",
        "--max-changes",
        "3",
    ];
    let found = run(&[&base[..], &constraints, &["--json"]].concat());
    let found: Value = serde_json::from_str(&stdout(&found)).expect("JSON and nothing else");
    for row in found["rows"].as_array().expect("rows") {
        assert!(row["outputs"][0].as_f64().expect("a margin") < 0.0);
        let all = row["counterfactuals"].as_array().expect("a list");
        assert_eq!(all.len(), 3);
        for one in all {
            assert!(one["outputs"][0].as_f64().expect("a margin") > 0.0 && one["valid"] == true);
            let changes = one["changes"].as_array().expect("a list");
            assert!((1..=3).contains(&changes.len()));
            for change in changes {
                let (from, to) = (change["from"].as_f64(), change["to"].as_f64().expect("a value"));
                match change["column"].as_str().expect("a name") {
                    "race" | "sex" | "native_country" => panic!("{change} is immutable"),
                    "age" => assert!(Some(to) > from),
                    "hours_per_week" => assert!((20.0..=50.0).contains(&to)),
                    _ => {}
                }
            }
            assert!(one["sentence"].as_str().expect("a sentence").starts_with("Had "));
        }
    }
    let text = stdout(&run(&[&base[..], &constraints].concat()));
    assert!(text.contains("the outcome would have been income above $50,000"), "{text}");
}

#[test]
fn what_cannot_be_is_said_by_name() {
    let folder = Folder::new();
    let (rows, background) = tables(&folder);
    let model = fixture("trees/demo/adult.txt");
    let base = ["counterfactuals", &model, &rows, "--background", &background];
    let fails = |options: &[&str], parts: &[&str]| assert_fails(&[&base[..], options].concat(), 2, parts);
    fails(&["--immutable", "height"], &["immutable", "there is no column `height`"]);
    fails(&["--only-up", "age", "--only-down", "age"], &["`age`", "only rise"]);
    fails(&["--column-range", "age:old"], &["column_range", "LOW..HIGH"]);
    fails(&["--allow", "workclass:Circus"], &["`Circus`", "workclass"]);
    fails(&["--outcome", "rich"], &["outcome", "`rich`"]);
    fails(&["--outcome", "0"], &["outcome", "row 0", "has it already"]);
    fails(&["--column-range", "age:90..20"], &["age"]);
}

#[test]
fn a_regression_has_no_classes() {
    let folder = Folder::new();
    let header = "Column_0,Column_1,Column_2,Column_3,Column_4\n";
    let lines: Vec<String> = (0..40)
        .map(|i| {
            let x = |step: f64| (f64::from(i) * step).sin() * 2.0;
            format!("{},{},0,{},{}\n", x(0.7), x(1.3), x(2.1), 30 + i)
        })
        .collect();
    let table = folder.write("rows.csv", header.to_owned() + &lines.concat());
    let row = folder.write("row.csv", header.to_owned() + &lines[0]);
    let model = fixture("trees/lightgbm/regression.txt");
    let base = ["counterfactuals", &model, &row, "--background", &table, "--counterfactuals", "1"];
    assert_fails(&base, 2, &["outcome", "LOW..HIGH", "threshold"]);
    let found = run(&[&base[..], &["--threshold", "0", "--json"]].concat());
    let found: Value = serde_json::from_str(&stdout(&found)).expect("JSON and nothing else");
    assert_eq!(
        (&found["schema"], &found["threshold"], &found["outcome"], &found["model"]["name"]),
        (&"pellucid.counterfactuals".into(), &0.0.into(), &"opposite".into(), &"regression".into())
    );
}

#[test]
fn an_end_of_a_range_may_be_left_out_and_no_column_has_two() {
    let folder = Folder::new();
    let (rows, background) = tables(&folder);
    let model = fixture("trees/demo/adult.txt");
    let base = ["counterfactuals", &model, &rows, "--background", &background, "--counterfactuals", "1"];
    let two = ["--column-range", "age:20..60", "--column-range", "age:0..99"];
    assert_fails(&[&base[..], &two].concat(), 2, &["column_range", "`age` has two"]);
    let two = ["--allow", "workclass:Private", "--allow", "workclass:State-gov"];
    assert_fails(&[&base[..], &two].concat(), 2, &["allow", "`workclass` has two"]);
    let found = run(&[&base[..], &["--column-range", "hours_per_week:60..", "--json"]].concat());
    let found: Value = serde_json::from_str(&stdout(&found)).expect("JSON and nothing else");
    for row in found["rows"].as_array().expect("rows") {
        let changes = row["counterfactuals"][0]["changes"].as_array().expect("a list");
        let hours = changes.iter().find(|change| change["column"] == "hours_per_week").expect("is changed");
        assert!(hours["to"].as_f64().expect("hours") >= 60.0, "{hours}");
    }
}

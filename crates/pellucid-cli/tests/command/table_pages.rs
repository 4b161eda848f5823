//! `pellucid report` of tables by methods for any model: whole, and by cohort.

use crate::agnostic::served;
use crate::{Folder, assert_fails, fixture, onnx_bytes, run, stdout};

fn page(folder: &Folder, arguments: &[&str]) -> String {
    let out = folder.text("page");
    stdout(&run(&[&["report"], arguments, &["--out", &out]].concat()));
    std::fs::read_to_string(folder.path("page/index.html")).expect("a page")
}

/// Of `a + 2 b` beside the row (1, 1), the values are `a − 1` and `2 (b − 1)`.
#[test]
fn a_served_models_table_has_a_page_whole_and_by_cohort() {
    let folder = Folder::new();
    let table = folder.write("rows.csv", "a,group,b\n1,x,4\n3,x,2\n5,y,1\n2,y,0\n");
    let background = folder.write("background.csv", "a,b\n1,1\n");
    let address = served(|row| row[0] + 2.0 * row[1]);
    let base = [&address, &table, "--background", &background, "--target", "0"];
    let page = page(&folder, &[&base[..], &["--cohort", "group"]].concat());
    // |0|, |2|, |4|, |1| and |6|, |2|, |0|, |−2|.
    for part in
        ["a: mean |SHAP value| 1.75", "b: mean |SHAP value| 2.50", "Three rows, one by one", "Adds up"]
    {
        assert!(page.contains(part), "no {part:?}");
    }
    assert!(
        page.contains("group = x: 2 rows, mean output 8.000") && page.contains("group = y: 2 rows"),
        "cohorts"
    );
    // The server tells of no file.
    assert!(!page.contains("SHA-256") && page.contains("the model is served"));
    let fails = |options: &[&str], parts: &[&str]| {
        assert_fails(&[&["report"], &base[..], options, &["--out", &folder.text("x")]].concat(), 2, parts);
    };
    fails(&["--methods", "kernel-shap,lime"], &["methods", "one method"]);
    fails(&["--methods", "tree-shap", "--cohort", "group"], &["tree_shap"]);
}

#[test]
fn a_networks_table_has_a_page_by_its_own_methods() {
    let folder = Folder::new();
    let bytes = onnx_bytes::model(&[onnx_bytes::node("Mul", &["x", "x"], "y")], &[]);
    let model = folder.write("square.onnx", bytes);
    let table = folder.write("rows.csv", "a,b,c,kind\n1,2,3,left\n2,0,1,right\n4,1,1,left\n");
    // Integrated gradients of a square from 0 on are the square.
    let whole = page(&folder, &[&model, &table, "--target", "0", "--cohort", "kind"]);
    for part in ["a: mean |attribution| 7.00", "kind = left: 2 rows", "integrated-gradients"] {
        assert!(whole.contains(part), "no {part:?}");
    }
    let features = folder.write("features.csv", "a,b,c\n1,2,3\n2,0,1\n4,1,1\n");
    let of_feature =
        page(&folder, &[&model, &features, "--target", "0", "--cohort", "b", "--methods", "saliency"]);
    assert!(
        of_feature.contains("b = 2: 1 rows") && !of_feature.contains("Three rows, one by one"),
        "no base value"
    );
}

#[test]
fn trees_have_pages_by_predictions_too() {
    let folder = Folder::new();
    let model = fixture("trees/demo/adult.txt");
    let text = std::fs::read_to_string(fixture("data/adult_test.csv")).expect("a fixture");
    let lines: Vec<&str> = text.lines().take(21).collect();
    let table = folder.write("rows.csv", lines.join("\n") + "\n");
    let background = folder.write("background.csv", lines[..3].join("\n") + "\n");
    let base = [&model, &table, "--background", &background, "--methods", "feature-ablation"];
    for cohort in ["income", "sex"] {
        let page = page(&folder, &[&base[..], &["--cohort", cohort]].concat());
        assert!(
            page.contains(&format!("Groups by {cohort}")) && page.contains("need not add up"),
            "{cohort}"
        );
    }
    let fails = |arguments: &[&str], parts: &[&str]| {
        assert_fails(&[&["report"], arguments, &["--out", &folder.text("x")]].concat(), 2, parts);
    };
    fails(&[&base[..], &["--interactions"]].concat(), &["interactions"]);
    fails(&[&model, &table, "--window", "2"], &["window", "predictions alone"]);
    let (network, images) = (fixture("models/mnist_cnn.onnx"), fixture("models/mnist_cnn.sample.npz"));
    fails(&[&network, &images, "--array", "in_image", "--methods", "occlusion"], &["pages of tables only"]);
}

#[test]
fn a_page_says_that_values_add_up_only_where_they_do() {
    let folder = Folder::new();
    let out = folder.text("out");
    let page = |method: &str| {
        let (model, table) = (fixture("trees/demo/adult.txt"), fixture("data/adult_declined.csv"));
        stdout(&run(&["report", &model, &table, "--methods", method, "--out", &out]));
        std::fs::read_to_string(folder.path("out/index.html")).expect("a page")
    };
    assert!(page("tree-shap").contains("add up to what the model says"));
    assert!(page("banzhaf").contains("need not add up"));
}

#[test]
fn a_page_says_which_columns_were_taken_as_features() {
    let folder = Folder::new();
    let table = folder.write("rows.csv", "sex,b,c,d,e,label\n0,1,2,3,4,1\n1,0,1,2,3,0\n");
    let (model, out) = (fixture("tables/tabular.dynamo.onnx"), folder.text("out"));
    let base = ["report", &model, &table, "--fixed", "codes=2,0,1", "--target", "1", "--out", &out];
    stdout(&run(&[&base[..], &["--cohort", "sex"]].concat()));
    let page = std::fs::read_to_string(folder.path("out/index.html")).expect("a page");
    assert!(page.contains("in this order: b, c, d, e, label"), "{page}");
}

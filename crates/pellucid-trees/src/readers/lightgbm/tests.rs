//! LightGBM's own numbers, what is kept of a file, and files that are broken.

use pellucid_core::Work;

use super::*;
use crate::path_dependent::path_dependent;
use crate::readers::testing::*;
use crate::rows::Rows;

/// Models of all objectives and boosting types whose `raw_score` is the margin.
const NAMES: &str = "adult binary categories_none categories_only cross_entropy cross_entropy_lambda custom custom_three dart deep early_stopped \
    fair fair_sqrt gamma german_credit goss huber huber_sqrt lambdarank mape mape_sqrt missing_nan missing_none missing_zero \
    multiclass multiclassova one_leaf pandas path_of_60_features poisson quantile quantile_sqrt rank_xendcg regression regression_l1 \
    regression_l1_sqrt regression_sqrt thresholds_at_zero tweedie v2_nan v2_none \
    v2_zero v3_nan v3_none v3_zero weighted";

fn text(name: &str) -> String {
    String::from_utf8(bytes(&format!("lightgbm/{name}.txt"))).expect("UTF-8")
}

fn read_text(text: &str) -> Result<TreeEnsemble, Error> {
    crate::readers::read(text.as_bytes())
}

#[test]
fn predictions_are_lightgbms_own() {
    for name in NAMES.split_whitespace() {
        lightgbm(name).with_own_predictions();
    }
}

#[test]
fn each_objective_has_its_link() {
    let link = |name: &str| lightgbm(name).ensemble.link;
    let identity = ["regression", "huber_sqrt", "lambdarank", "rank_xendcg", "custom", "custom_three"];
    assert!(identity.into_iter().all(|name| link(name) == Link::Identity));
    assert!(
        ["regression_sqrt", "fair_sqrt", "mape_sqrt"]
            .into_iter()
            .all(|name| link(name) == Link::SignedSquare)
    );
    assert!(["poisson", "gamma", "tweedie"].into_iter().all(|name| link(name) == Link::Exp));
    assert_eq!(link("binary"), Link::Sigmoid { slope: 0.7 });
    assert_eq!(link("multiclassova"), Link::Sigmoid { slope: 1.5 });
    assert_eq!(link("cross_entropy"), Link::Sigmoid { slope: 1.0 });
    assert_eq!(link("cross_entropy_lambda"), Link::Softplus);
    assert_eq!(link("multiclass"), Link::Softmax);
}

#[test]
fn values_add_up_to_what_lightgbm_predicts() {
    for name in NAMES.split_whitespace() {
        let model = lightgbm(name);
        assert_values_add_up(&model, &model.expected("raw"));
    }
}

#[test]
fn values_are_lightgbms_own_contributions() {
    // Where paths are short, LightGBM's are right.
    for name in
        ["adult", "german_credit", "missing_zero", "multiclass", "rf_multiclass", "v2_none", "weighted"]
    {
        let model = lightgbm(name);
        let attribution =
            path_dependent(&model.ensemble, Rows::F64(model.rows.view()), &Work::default()).expect("covers");
        let base = attribution.base_values.expect("base values");
        let rounds = (1.0 / model.ensemble.scale).round();
        let theirs = model.expected("contributions") / rounds;
        let width = model.ensemble.n_features + 1;
        for ((row, column), theirs) in theirs.indexed_iter() {
            let (output, feature) = (column / width, column % width);
            let ours = match feature + 1 == width {
                true => base[[row, output]],
                false => attribution.values[[row, output, feature]],
            };
            assert!((ours - theirs).abs() <= 2e-6, "{name}, row {row}, {feature}: {ours}, not {theirs}");
        }
    }
}

#[test]
fn covers_are_counts_of_rows_even_where_rows_have_weights() {
    let ensemble = lightgbm("weighted").ensemble;
    assert!(ensemble.has_covers);
    for tree in &ensemble.trees {
        assert_eq!(tree.nodes[0].cover(), 500.0);
        for split in tree.splits() {
            let below = tree.nodes[split.left as usize].cover() + tree.nodes[split.right as usize].cover();
            assert_eq!(split.cover, below);
        }
    }
    let without = text("weighted").replace("leaf_count", "other");
    assert!(!read_text(&without).expect("counts may be absent").has_covers);
}

#[test]
fn names_gains_and_where_it_comes_from_are_kept() {
    let ensemble = lightgbm("adult").ensemble;
    assert_eq!(ensemble.feature_names.as_ref().map(|names| names[8].as_str()), Some("capital_gain"));
    let provenance = &ensemble.provenance;
    assert_eq!(
        (provenance.library.as_str(), provenance.version.as_str(), provenance.objective.as_str()),
        ("lightgbm", "v4", "binary sigmoid:1")
    );
    assert!(provenance.warnings.is_empty());
    assert!(ensemble.trees[0].splits().all(|split| split.gain > 0.0));
}

#[test]
fn pandas_categories_are_warned_of() {
    let warnings = lightgbm("pandas").ensemble.provenance.warnings;
    assert!(warnings.len() == 1 && warnings[0].contains("codes"), "{warnings:?}");
}

#[test]
fn pandas_categories_have_their_names() {
    let text = text("pandas");
    let names: Vec<String> = (0..5).map(|i| format!("w{i}")).collect();
    let check = |text: &str, expected: Option<Vec<Vec<String>>>| {
        assert_eq!(read_text(text).expect("a model").categories, expected);
    };
    check(&text, Some(vec![vec![], names.clone()]));
    // Without the parameters, the ranges of the features tell which are categorical.
    check(&text.replace("[categorical_feature: 1]", ""), Some(vec![vec![], names]));
    check(&text.replace("[categorical_feature: 1]", "[categorical_feature: 0,1]"), None);
    let cut = &text[..text.find("end of parameters").expect("parameters")];
    assert!(read_text(cut).expect_err("cut").to_string().contains("no `end of parameters`"));
    let mixed = text.replace(r#"["w0", "w1", "w2", "w3", "w4"]"#, r#"[1, 2.5, true, "w3"]"#);
    let mixed_names = ["1", "2.5", "True", "w3"].map(str::to_owned).to_vec();
    check(&mixed, Some(vec![vec![], mixed_names]));
    let error = read_text(&text.replace("[[\"w0\"", "[[\"w0")).expect_err("broken JSON").to_string();
    assert!(error.contains("pandas_categorical is no list of lists"), "{error}");
}

#[test]
fn other_line_ends_and_older_versions_say_the_same() {
    let text = text("multiclass");
    let expected = read_text(&text).expect("a model");
    let windows = read_text(&text.replace('\n', "\r\n")).expect("CRLF");
    assert_eq!(windows, expected);
    for version in ["v2", "v3"] {
        let mut older = read_text(&text.replace("version=v4", &format!("version={version}"))).expect(version);
        older.provenance.version = "v4".to_owned();
        assert_eq!(older, expected);
    }
}

/// A model of one tree whose splits form a chain: `n` splits, each on the next feature of `n_features`.
fn chain(n: usize, n_features: usize) -> String {
    let words = |of: &dyn Fn(usize) -> String, n: usize| (0..n).map(of).collect::<Vec<_>>().join(" ");
    let names = words(&|i| format!("x{i}"), n_features);
    let features = words(&|i| (i % n_features).to_string(), n);
    let right = words(&|i| if i + 1 < n { (i + 1).to_string() } else { format!("-{}", n + 1) }, n);
    format!(
        "tree\nversion=v4\nnum_class=1\nmax_feature_idx={}\nfeature_names={names}\n\nTree=0\nnum_leaves={}\nnum_cat=0\nsplit_feature={features}\n\
        threshold={}\nleft_child={}\nright_child={right}\nleaf_value={}\n\nend of trees\n",
        n_features - 1,
        n + 1,
        words(&|i| i.to_string(), n),
        words(&|i| format!("-{}", i + 1), n),
        words(&|i| format!("{i}.5"), n + 1),
    )
}

#[test]
fn trees_beyond_32768_nodes_and_depths_beyond_all_stacks() {
    let ensemble = read_text(&chain(100_000, 3)).expect("a deep tree");
    assert_eq!(ensemble.trees[0].nodes.len(), 200_001);
    let rows = ndarray::array![[70_000.5, 70_000.5, 70_000.5], [1e9, 1e9, 1e9]];
    let margins = ensemble.margins(Rows::F64(rows.view())).expect("rows fit");
    assert_eq!(margins.into_raw_vec_and_offset().0, [70_001.5, 100_000.5]);
}

#[track_caller]
fn check_refused(change: impl Fn(&str) -> String, expected: &str) {
    let error = read_text(&change(&text("multiclass"))).expect_err("a broken model");
    let message = one_line(&error);
    assert!(message.contains(expected), "{message}");
}

/// Replaces the first line that begins with `key=`.
fn with_line(text: &str, key: &str, line: &str) -> String {
    let start = text.find(&format!("\n{key}=")).expect("such a line") + 1;
    let end = start + text[start..].find('\n').expect("a line's end");
    format!("{}{line}{}", &text[..start], &text[end..])
}

#[test]
fn what_is_unknown_is_named() {
    check_refused(
        |t| with_line(t, "version", "version=v5"),
        "version `v5` of LightGBM's text model is not supported",
    );
    check_refused(|t| with_line(t, "objective", "objective=focal"), "objective `focal` is not supported");
    check_refused(|t| with_line(t, "objective", "objective=binary"), "no setting `sigmoid:`");
    check_refused(
        |t| with_line(t, "decision_type", "decision_type=12 2 2 2 2"),
        "decision_type of node 0 is 12",
    );
}

#[test]
fn broken_files_say_where() {
    check_refused(|t| t[..t.len() / 2].to_owned(), "truncated: no `end of trees` after");
    check_refused(
        |t| t[..t.find("Tree=5").expect("a tree")].to_owned() + "end of trees\n",
        "tree_sizes announces 12",
    );
    check_refused(|t| t.replace("Tree=3", "Tree=4"), "where Tree=3 belongs");
    check_refused(|t| with_line(t, "num_leaves", "num_leaves=7"), "6 values in `leaf_value`, not 7");
    check_refused(|t| with_line(t, "num_leaves", "num_leaves=0"), "tree 0 (line 12): no leaves");
    check_refused(
        |t| with_line(t, "threshold", "threshold=1 2 x 4 5"),
        "line 17: `x` in `threshold` is not a number",
    );
    check_refused(|t| with_line(t, "threshold", "other="), "tree 0 (line 12) has no `threshold`");
    check_refused(|t| with_line(t, "threshold", "threshold=nan 1 0 4 5"), "threshold of node 0 is NaN");
    check_refused(|t| with_line(t, "left_child", "left_child=1 1 2 3 4"), "node 1 has two parents");
    check_refused(|t| with_line(t, "left_child", "left_child=99 1 2 3 4"), "no node 99");
    check_refused(|t| with_line(t, "left_child", "left_child=-2147483648 1 2 3 4"), "no leaf 2147483647");
    check_refused(|t| with_line(t, "split_feature", "split_feature=0 1 9 2 3"), "feature 9 of 5");
    check_refused(|t| with_line(t, "leaf_value", "leaf_value=1 2 inf 4 5 6"), "leaf values [inf]");
    check_refused(
        |t| with_line(t, "max_feature_idx", "max_feature_idx=6"),
        "5 feature_names, but max_feature_idx is 6",
    );
    check_refused(
        |t| with_line(t, "num_tree_per_iteration", "num_tree_per_iteration=5"),
        "5 trees an iteration for 3",
    );
    check_refused(|t| t.replace("Tree=", "Baum="), "0 trees, but tree_sizes");
}

#[test]
fn broken_categories_say_where() {
    let change = |key: &str, line: &str| {
        let error =
            read_text(&with_line(&text("categories_only"), key, line)).expect_err("broken categories");
        one_line(&error)
    };
    assert!(change("cat_boundaries", "cat_boundaries=0 3 2 8 10 13").contains("do not ascend"));
    assert!(change("cat_boundaries", "cat_boundaries=0 3").contains("values in `cat_boundaries`, not"));
    assert!(change("num_cat", "num_cat=18446744073709551615").contains("values in `cat_boundaries`, not"));
    assert!(change("cat_threshold", "cat_threshold=1 2").contains("2 values in `cat_threshold`, not"));
    assert!(change("threshold", "threshold=0 1 2 3 7.5").contains("category set 7.5, which is not there"));
}

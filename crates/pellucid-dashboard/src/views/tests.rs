use serde_json::json;

use super::*;
use crate::error::Status;
use crate::testing::{Place, close, payload, table};

/// The member at this path of names and places.
fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    value.pointer(path).unwrap_or_else(|| panic!("no {path} in {value}"))
}

/// Women of 52 and men of 30, one of four chosen of the men; age counts +1 for women, −1 for men.
fn people(place: &Place, n_women: usize, n_men: usize) {
    let women =
        (0..n_women).map(|i| (table(&format!("w{i}"), 1.5), payload([52.0, 0.0, 20.0], [1.0, 0.25, 0.25])));
    let men = (0..n_men).map(|i| {
        let mut record = table(&format!("m{i}"), -1.5);
        record.inclusion_probability = 0.25;
        (record, payload([30.0, 1.0, 40.0], [-1.0, -0.25, -0.25]))
    });
    place.add_all(women.chain(men));
}

#[test]
fn what_is_asked_is_understood_or_refused() {
    let place = Place::new();
    for name in VIEWS.iter().filter(|name| **name != "prediction") {
        let shown = place.view(name, &[]);
        assert_eq!(*at(&shown, "/reading"), json!({ "n_read": 0, "n_entries": 0, "fault": null }), "{name}");
    }
    let fault =
        |name: &str, parameters: &[(&str, &str)]| place.try_view(name, parameters).expect_err("a fault");
    assert_eq!(fault("nothing", &[]).status, Status::NotFound);
    assert_eq!(fault("prediction", &[]).message, "parameter `id` is missing");
    assert_eq!(fault("prediction", &[("id", "x")]).status, Status::NotFound);
    assert_eq!(fault("overview", &[("x", "1")]).message, "unknown parameter `x`: this view has none");
    assert_eq!(fault("predictions", &[("page", "x")]).status, Status::BadRequest);
    assert_eq!(fault("global", &[("series", "9")]).status, Status::NotFound);
    people(&place, 1, 0);
    let fault = place.try_view("cohorts", &[("a", "agee > 1")]).expect_err("a fault");
    assert!(fault.message.starts_with("cohort A: there is no feature `agee`"), "{}", fault.message);
    let fault = place.try_view("cohorts", &[("a", "age > 1"), ("class", "x")]).expect_err("a fault");
    assert_eq!(fault.message, "no class `x`: the model predicts repaid");
}

#[test]
fn the_overview_counts_predictions_once_and_weighs_them() {
    let place = Place::new();
    people(&place, 2, 3);
    // A second method explains one of them too.
    place.add_with("w0", [52.0, 0.0, 20.0], [1.0, 0.25, 0.25], |record| {
        record.method = "lime".into();
        record.checks.insert("completeness".into(), pellucid_store::Check { passed: false, value: None });
    });
    place.label("w0", json!(1));
    place.label("m0", json!(1));
    let shown = place.view("overview", &[]);
    let counts = at(&shown, "/counts");
    assert_eq!((&counts["n_predictions"], &counts["n_current"]), (&json!(5), &json!(6)));
    assert_eq!((&counts["n_labeled"], &counts["n_wrong"]), (&json!(2), &json!(1)));
    close(at(&shown, "/coverage/estimated_predictions"), 2.0 + 3.0 * 4.0);
    // One right that stands for 1, one wrong that stands for 4.
    close(at(&shown, "/accuracy/value"), 0.2);
    assert_eq!(*at(&shown, "/accuracy/insufficient"), true);
    assert_eq!(*at(&shown, "/models/0/methods"), json!(["lime", "tree_shap"]));
    assert_eq!(*at(&shown, "/checks/0"), json!({ "name": "finite", "n_failed": 0 }));
    assert_eq!(*at(&shown, "/checks/1"), json!({ "name": "completeness", "n_failed": 1 }));
    let n: u64 =
        at(&shown, "/confidences/counts").as_array().expect("counts").iter().filter_map(Value::as_u64).sum();
    assert_eq!(n, 6);
}

type Parameters<'a> = &'a [(&'a str, &'a str)];

fn found(place: &Place, parameters: &[(&str, &str)]) -> Vec<String> {
    let shown = place.view("predictions", parameters);
    let rows = at(&shown, "/rows").as_array().expect("rows").clone();
    rows.iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn the_explorer_filters_sorts_and_pages() {
    let place = Place::new();
    for (i, margin) in [0.5, -3.0, 2.0, 0.1].into_iter().enumerate() {
        place.add_with(&format!("P-{i}"), [1.0, 0.0, 1.0], [margin, 0.0, 0.0], |record| {
            record.timestamp_micros = 1_000 + i as i64;
            record.model.version = if i < 2 { "1" } else { "2" }.into();
            if i == 2 {
                record
                    .checks
                    .insert("completeness".into(), pellucid_store::Check { passed: false, value: None });
            }
        });
    }
    place.label("P-0", json!("repaid"));
    place.label("P-2", json!(0));
    place.label("P-3", json!("what?"));
    let all: &[(Parameters<'_>, &[&str])] = &[
        (&[], &["P-3", "P-2", "P-1", "P-0"]),
        (&[("order", "asc")], &["P-0", "P-1", "P-2", "P-3"]),
        (&[("sort", "confidence")], &["P-1", "P-2", "P-0", "P-3"]),
        (&[("sort", "output"), ("order", "asc")], &["P-1", "P-3", "P-0", "P-2"]),
        (&[("sort", "id"), ("order", "asc"), ("page_size", "3"), ("page", "1")], &["P-3"]),
        (&[("page_size", "3"), ("page", "99")], &["P-0"]),
        (&[("version", "1"), ("model", "credit")], &["P-1", "P-0"]),
        (&[("model", "other")], &[]),
        (&[("method", "tree_shap"), ("text", "p-1")], &["P-1"]),
        (&[("class", "repaid"), ("confidence_min", "0.6")], &["P-2", "P-0"]),
        (&[("class", "not repaid"), ("confidence_max", "0.99")], &["P-1"]),
        (&[("checks", "failed")], &["P-2"]),
        (&[("checks", "completeness")], &["P-2"]),
        (&[("checks", "passed"), ("since", "1001")], &["P-3", "P-1"]),
        (&[("until", "1001")], &["P-0"]),
        (&[("outcome", "right")], &["P-0"]),
        (&[("outcome", "wrong")], &["P-2"]),
        (&[("outcome", "unlabeled")], &["P-1"]),
        (&[("outcome", "not_judged")], &["P-3"]),
        (&[("key", "key-a"), ("outcome", "right")], &["P-0"]),
    ];
    for (parameters, expected) in all {
        assert_eq!(found(&place, parameters), *expected, "{parameters:?}");
    }
    let shown = place.view("predictions", &[("page_size", "1")]);
    assert_eq!((at(&shown, "/n_found"), at(&shown, "/n_records")), (&json!(4), &json!(4)));
    assert_eq!(*at(&shown, "/choices/classes"), json!(["not repaid", "repaid"]));
}

#[test]
fn a_prediction_shows_each_method_in_words_and_numbers() {
    let place = Place::new();
    place.add("p", [52.0, 0.0, f64::NAN], [1.0, -0.25, 0.5]);
    place.add_with("p", [52.0, 0.0, 20.0], [0.5, -0.25, 1.0], |record| record.method = "lime".into());
    place.label("p", json!("repaid"));
    let shown = place.view("prediction", &[("id", "p")]);
    assert_eq!((at(&shown, "/class"), at(&shown, "/outcome")), (&json!("repaid"), &json!("right")));
    assert_eq!(
        (at(&shown, "/records/0/method"), at(&shown, "/records/1/method")),
        (&json!("lime"), &json!("tree_shap"))
    );
    let features = at(&shown, "/records/1/explained/features");
    let named = |index: usize| (features[index]["name"].clone(), features[index]["shown"].clone());
    assert_eq!(named(0), (json!("age"), json!("52")));
    assert_eq!(named(1), (json!("hours per week"), json!("missing")));
    assert_eq!(named(2), (json!("sex"), json!("F")));
    let told = at(&shown, "/records/1/explained/told").as_str().expect("words");
    let expected = "The model says “repaid” with 78%. Mostly because age is 52 (+1) and hours per week is missing (+0.5); \
                    against it: sex is F (−0.25). Numbers are in the model's margin, before it becomes a probability.";
    assert_eq!(told, expected);
    let reader = place.log.reader().expect("a reader");
    let hash = pellucid_store::entry_hash(&reader.entry_bytes(0).expect("there"));
    assert_eq!(*at(&shown, "/records/1/entry_hash"), json!(hash.to_string()));
    place.log.erase(&[0], "asked for", 9_000_000).expect("erased");
    let shown = place.view("prediction", &[("id", "p")]);
    assert_eq!(*at(&shown, "/records/1/gone"), json!("entry 0: its payload was erased; entry 3 says why"));
    assert_eq!(*at(&shown, "/records/1/explained"), Value::Null);
}

#[test]
fn importance_is_weighted_by_what_records_stand_for() {
    let place = Place::new();
    place.add("a", [52.0, 0.0, 20.0], [1.0, 0.5, 0.0]);
    place.add_with("b", [30.0, 1.0, 40.0], [-2.0, 0.0, 0.0], |record| record.inclusion_probability = 0.25);
    place.add_with("c", [30.0, 1.0, 40.0], [-9.0, 9.0, 9.0], |record| {
        record.comparability_key = "other".into()
    });
    let shown = place.view("global", &[]);
    assert_eq!((at(&shown, "/n"), at(&shown, "/weighted")), (&json!(2), &json!(true)));
    close(at(&shown, "/represents"), 5.0);
    assert_eq!(*at(&shown, "/features/0/name"), json!("age"));
    close(at(&shown, "/features/0/mean_absolute/value"), (1.0 + 4.0 * 2.0) / 5.0);
    close(at(&shown, "/features/0/mean/value"), (1.0 - 4.0 * 2.0) / 5.0);
    close(at(&shown, "/features/1/mean_absolute/value"), 0.5 / 5.0);
    // Two of two points, and both are of the record that stands for four of five.
    assert_eq!(*at(&shown, "/features/0/points"), json!([[-2.0, 0.0, 30.0], [-2.0, 0.0, 30.0]]));
    assert_eq!(at(&shown, "/choices").as_array().map(Vec::len), Some(2));
}

#[test]
fn cohorts_have_the_rates_of_their_rows() {
    let place = Place::new();
    people(&place, 40, 60);
    for i in 0..40 {
        place_label(&place, &format!("w{i}"), i >= 10);
    }
    let shown = place.view("cohorts", &[("a", "sex == \"F\" and age > 40")]);
    let comparison = at(&shown, "/comparison");
    assert_eq!((at(comparison, "/a/n"), at(comparison, "/b/n")), (&json!(40), &json!(60)));
    close(at(comparison, "/b/represents"), 240.0);
    assert_eq!(*at(&shown, "/class"), json!("repaid"));
    close(at(comparison, "/a/selection/value"), 1.0);
    close(at(comparison, "/b/selection/value"), 0.0);
    assert_eq!(*at(comparison, "/selection/seen"), true);
    close(at(comparison, "/a/error/value"), 0.25);
    assert_eq!(
        (at(comparison, "/b/error/n"), at(comparison, "/error/insufficient")),
        (&json!(0), &json!(true))
    );
    close(at(comparison, "/a/confidence/value"), 1.0 / (1.0 + (-1.5_f64).exp()));
    assert_eq!(*at(comparison, "/attributions/0/feature"), json!("age"));
    close(at(comparison, "/attributions/0/difference/value"), 2.0);
    // Overlap is told, and small groups say nothing.
    let shown = place.view(
        "cohorts",
        &[("a", "age > 0"), ("b", "age == 52 and `hours per week` < 0"), ("class", "not repaid")],
    );
    assert_eq!(*at(&shown, "/comparison/n_in_both"), json!(0));
    assert_eq!(*at(&shown, "/comparison/selection/insufficient"), true);
    close(at(&shown, "/comparison/a/selection/value"), 240.0 / 280.0);
    let shown = place.view("cohorts", &[("a", "age > 0"), ("b", "age == 52")]);
    assert_eq!(*at(&shown, "/comparison/n_in_both"), json!(40));
}

fn place_label(place: &Place, id: &str, repaid: bool) {
    place.label(id, json!(u8::from(repaid)));
}

#[test]
fn errors_are_compared_with_hits() {
    let place = Place::new();
    place.add("right", [52.0, 0.0, 20.0], [2.0, 0.0, 0.0]);
    place.add_with("sure", [30.0, 1.0, 40.0], [-3.0, 0.5, 0.0], |record| record.inclusion_probability = 0.5);
    place.add("unsure", [30.0, 1.0, 40.0], [0.25, 0.0, 0.0]);
    place.add("open", [30.0, 1.0, 40.0], [1.0, 0.0, 0.0]);
    for (id, label) in [("right", 1), ("sure", 1), ("unsure", 0)] {
        place.label(id, json!(label));
    }
    let shown = place.view("misclassified", &[]);
    assert_eq!(
        (at(&shown, "/n_right"), at(&shown, "/n_wrong"), at(&shown, "/n_unlabeled")),
        (&json!(1), &json!(2), &json!(1))
    );
    // Weights 1 right, 2 + 1 wrong.
    close(at(&shown, "/error/value"), 0.75);
    assert_eq!((at(&shown, "/lines/0/id"), at(&shown, "/lines/1/id")), (&json!("sure"), &json!("unsure")));
    close(at(&shown, "/median_label_delay_secs"), 4.0);
    let steps = at(&shown, "/steps").as_array().expect("steps");
    let counts = |step: usize| (steps[step]["n_right"].clone(), steps[step]["n_wrong"].clone());
    assert_eq!(
        (counts(5), counts(8), counts(9)),
        ((json!(0), json!(1)), (json!(1), json!(0)), (json!(0), json!(1)))
    );
    assert_eq!(*at(&shown, "/features/0/name"), json!("sex"));
    let age = at(&shown, "/features")
        .as_array()
        .expect("features")
        .iter()
        .find(|it| it["name"] == "age")
        .expect("age");
    close(&age["wrong"]["value"], (2.0 * 3.0 + 0.25) / 3.0);
    close(&age["right"]["value"], 2.0);
    let pairs = at(&shown, "/pairs").as_array().expect("pairs").clone();
    assert!(pairs.contains(&json!({ "predicted": "not repaid", "label": "repaid", "n": 1 })), "{pairs:?}");
}

#[test]
fn a_regression_has_errors_but_no_classes() {
    let place = Place::new();
    for (id, output) in [("a", 3.0), ("b", 5.0)] {
        place.add_with(id, [1.0, 0.0, 1.0], [output, 0.0, 0.0], |record| {
            record.parameters.insert("output_space".into(), "value".into());
        });
        place.label(id, json!(4.5));
    }
    let shown = place.view("misclassified", &[]);
    assert_eq!((at(&shown, "/n_not_judged"), at(&shown, "/error")), (&json!(2), &Value::Null));
    close(at(&shown, "/mean_absolute_error/value"), 1.0);
    let shown = place.view("cohorts", &[("a", "age == 1")]);
    assert_eq!((at(&shown, "/class"), at(&shown, "/comparison/selection")), (&Value::Null, &Value::Null));
}

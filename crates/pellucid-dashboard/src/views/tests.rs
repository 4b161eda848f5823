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
        assert_eq!(
            *at(&shown, "/reading"),
            json!({ "n_read": 0, "n_entries": 0, "n_damaged": 0, "fault": null }),
            "{name}"
        );
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

/// A rate or mean of a cohort of a report, by its place among the aspects.
fn quantity(report: &Value, cohort: usize, aspect: usize) -> &Value {
    at(report, &format!("/cohorts/{cohort}/quantities/{aspect}"))
}

#[test]
fn cohorts_have_the_rates_of_their_rows() {
    let place = Place::new();
    people(&place, 80, 60);
    // Forty more women who are refused, of whom nobody was right: labels come for 70 of 120.
    let refused =
        (0..40).map(|i| (table(&format!("r{i}"), -1.5), payload([52.0, 0.0, 20.0], [-1.0, -0.25, -0.25])));
    place.add_all(refused);
    for i in 0..40 {
        place_label(&place, &format!("w{i}"), true);
    }
    for i in 0..30 {
        place_label(&place, &format!("w{}", 40 + i), false);
    }
    let shown = place.view("cohorts", &[("a", "sex == \"F\" and age > 40")]);
    let comparison = at(&shown, "/comparison");
    let rates = at(comparison, "/rates");
    assert_eq!((at(rates, "/cohorts/0/n_rows"), at(rates, "/cohorts/1/n_rows")), (&json!(120), &json!(60)));
    assert_eq!(*at(comparison, "/represents"), json!([120.0, 240.0]));
    assert_eq!((at(&shown, "/class"), at(comparison, "/weighted")), (&json!("repaid"), &json!(true)));
    close(&quantity(rates, 0, 0)["estimate"]["value"], 80.0 / 120.0);
    close(&quantity(rates, 1, 0)["estimate"]["value"], 0.0);
    // Of the men nobody is selected: too few positives to judge.
    assert_eq!(quantity(rates, 1, 0)["enough"], false);
    assert_eq!(*at(rates, "/differences/0/verdict"), json!("insufficient_evidence"));
    close(&quantity(rates, 0, 1)["estimate"]["value"], 30.0 / 70.0);
    assert_eq!((&quantity(rates, 0, 1)["n_rows"], &quantity(rates, 1, 1)["n_rows"]), (&json!(70), &json!(0)));
    let attributions = at(comparison, "/attributions");
    assert_eq!(*at(attributions, "/differences/0/aspect"), json!("mean_output"));
    close(&quantity(attributions, 0, 0)["estimate"]["value"], (80.0 * 1.5 - 40.0 * 1.5) / 120.0);
    assert_eq!(*at(attributions, "/differences/1/aspect"), json!({ "mean_attribution": "age" }));
    close(at(attributions, "/differences/1/estimate/value"), 40.0 / 120.0 + 1.0);
    assert_eq!(*at(attributions, "/differences/1/verdict"), json!("different"));
    // Overlap is told, and nobody is no cohort.
    let shown = place.view("cohorts", &[("a", "age > 0"), ("b", "age == 52"), ("class", "not repaid")]);
    assert_eq!(*at(&shown, "/comparison/n_in_both"), json!(120));
    close(&quantity(at(&shown, "/comparison/rates"), 0, 0)["estimate"]["value"], 280.0 / 360.0);
    let fault = place.try_view("cohorts", &[("a", "age > 99")]).expect_err("nobody").message;
    assert_eq!(fault, "cohort A has no records: no input meets it");
}

/// A NaN counted as 0 would pull a mean down; it has no part in one, but counts in rates.
#[test]
fn what_is_no_finite_number_has_no_part_in_means() {
    let place = Place::new();
    place.add_all((0..40).flat_map(|i| {
        let woman = (table(&format!("w{i}"), 2.0), payload([52.0, 0.0, 20.0], [1.0, 0.5, 0.5]));
        let man = (table(&format!("m{i}"), 1.0), payload([30.0, 1.0, 40.0], [0.5, 0.25, 0.25]));
        [woman, man]
    }));
    let add = |id: &str, age, attribution| {
        place
            .add_with(id, [age, 0.0, 20.0], [attribution, 0.5, 0.5], |record| record.prediction = vec![-2.0]);
    };
    add("nan", 52.0, f64::NAN);
    add("infinite", 52.0, f64::INFINITY);
    let shown = place.view("cohorts", &[("a", "sex == \"F\"")]);
    let comparison = at(&shown, "/comparison");
    assert_eq!(*at(comparison, "/n_not_finite"), json!(2));
    assert_eq!(
        (at(comparison, "/n_records"), at(comparison, "/n_explained")),
        (&json!([42, 40]), &json!([40, 40]))
    );
    close(&quantity(at(comparison, "/attributions"), 0, 1)["estimate"]["value"], 1.0);
    close(&quantity(at(comparison, "/attributions"), 0, 0)["estimate"]["value"], 2.0);
    close(&quantity(at(comparison, "/rates"), 0, 0)["estimate"]["value"], 40.0 / 42.0);
    // So everywhere.
    let shown = place.view("global", &[]);
    assert_eq!((at(&shown, "/n"), at(&shown, "/chosen/n_not_finite")), (&json!(80), &json!(2)));
    add("alone", 99.0, f64::NAN);
    let shown = place.view("cohorts", &[("a", "age == 99")]);
    assert_eq!(
        (at(&shown, "/comparison/n_records/0"), at(&shown, "/comparison/attributions")),
        (&json!(1), &Value::Null)
    );
}

/// Records of one key may explain different outputs; a mean is of one of them.
#[test]
fn a_mean_output_is_of_one_output() {
    let place = Place::new();
    let row = |i: usize, target: u64, output: f64| {
        let mut record = table(&format!("p{i}"), 0.0);
        record.prediction = vec![1.0, 2.0];
        let mut explained = payload([52.0, (i % 2) as f64, 20.0], [output, 0.0, 0.0]);
        explained.details["target"] = json!({ "index": target, "name": format!("class {target}") });
        (record, explained)
    };
    place.add_all((0..80).map(|i| if i < 50 { row(i, 0, 1.0) } else { row(i, 1, 1_000.0) }));
    let shown = place.view("cohorts", &[("a", "sex == \"F\"")]);
    assert_eq!(
        (at(&shown, "/chosen/output"), at(&shown, "/comparison/n_explained")),
        (&json!("repaid"), &json!([25, 25]))
    );
    close(&quantity(at(&shown, "/comparison/attributions"), 0, 0)["estimate"]["value"], 1.0);
    let aspects = at(&shown, "/comparison/rates/differences").as_array().expect("differences");
    assert!(aspects.iter().all(|it| it["aspect"] != "mean_output"), "{aspects:?}");
    assert_eq!(*at(&shown, "/comparison/n_records"), json!([40, 40]));
}

/// Version 2 explains again what version 1 predicted: version 1 stays as good as it was.
#[test]
fn a_later_version_takes_no_prediction_from_an_earlier_one() {
    let place = Place::new();
    for (version, margin) in [("1", 2.0), ("2", -2.0)] {
        place.add_with("p", [52.0, 0.0, 20.0], [margin, 0.0, 0.0], |record| {
            record.model.version = version.into();
        });
    }
    place.label("p", json!(1));
    let shown = place.view("overview", &[]);
    assert_eq!(*at(&shown, "/counts/n_predictions"), json!(1));
    let right = |model: usize| at(&shown, &format!("/models/{model}/accuracy/value")).clone();
    assert_eq!((right(0), right(1)), (json!(1.0), json!(0.0)));
}

fn place_label(place: &Place, id: &str, repaid: bool) {
    place.label(id, json!(u8::from(repaid)));
}

/// Tables of which age counts more from the record `from` on.
fn drifting(
    from: usize,
    n: usize,
) -> impl Iterator<Item = (pellucid_store::Record, pellucid_store::Payload)> {
    let at_random = |i: usize, salt: usize| ((i * 7_919 + salt * 104_729) % 1_000) as f64 / 1_000.0 - 0.5;
    (0..n).map(move |i| {
        let (factor, more) = if i < from { (1.0, 0.0) } else { (2.0, 0.5) };
        let (age, hours) = (at_random(i, 1), at_random(i, 2));
        let attribution = [factor * age + more, 0.0, hours];
        let mut record = table(&format!("p{i}"), attribution.iter().sum());
        record.timestamp_micros = i as i64 * 1_000_000;
        (record, payload([40.0 + 10.0 * age, f64::from(u8::from(i % 2 == 0)), hours], attribution))
    })
}

/// The first records are the reference; from record 1,500 on age counts twice as much. The alarm names age, and nothing of another
/// key is in it.
#[test]
fn drift_is_seen_within_one_key() {
    let place = Place::new();
    place.add_all(drifting(1_500, 2_300));
    place.add_with("other", [40.0, 0.0, 0.0], [1_000.0, 0.0, 0.0], |record| {
        record.comparability_key = "b".into()
    });
    let shown = place.view("drift", &[]);
    let drift = at(&shown, "/drift");
    assert_eq!((at(drift, "/reference/n_rows"), at(&shown, "/every")), (&json!(1_000), &json!("count")));
    let windows = at(drift, "/windows").as_array().expect("windows");
    assert_eq!((windows.len(), &windows[0]["n_rows"]), (5, &json!(250)));
    let features = at(drift, "/features").as_array().expect("features");
    let line = |part: &str, name: &str| {
        let found = features.iter().find(|line| line["part"] == part && line["name"] == name);
        found.unwrap_or_else(|| panic!("no {part} {name}"))["cells"].as_array().expect("cells").clone()
    };
    let verdicts: Vec<Value> =
        line("attribution", "age").iter().map(|cell| cell["verdict"].clone()).collect();
    assert_eq!(verdicts, ["not_shown", "not_shown", "drifted", "drifted", "drifted"]);
    assert!(line("attribution", "hours per week").iter().all(|cell| cell["verdict"] == "not_shown"));
    assert!(line("input", "age").iter().all(|cell| cell["verdict"] == "not_shown"));
    let shift = line("attribution", "age")[4]["mean_shift"].as_f64().expect("a number");
    // The mean went up by half, where the deviation of evenly spread numbers is 1/√12.
    assert!((shift - 0.5 * 12.0_f64.sqrt()).abs() < 0.1, "{shift}");
    let told = at(drift, "/alarms/0/sentence").as_str().expect("a sentence");
    assert!(told.starts_with("The attribution of `age` has drifted by"), "{told}");
    assert_eq!(*at(&place.view("overview", &[]), "/alarms/0/series"), json!("0.0"));
    // By time: 1,300 seconds lie in one hour.
    let hours = place.view("drift", &[("every", "hour")]);
    assert_eq!(at(&hours, "/drift/windows").as_array().map(Vec::len), Some(1));
    assert_eq!(*at(&place.view("drift", &[("series", "1.0")]), "/drift"), Value::Null);
    assert_eq!(
        place.try_view("drift", &[("every", "year")]).expect_err("unknown").status,
        Status::BadRequest
    );
}

/// What is known of closed windows does not depend on when it was looked at, nor on what came later; an erased reference is replaced.
#[test]
fn reference_and_closed_windows_stay() {
    let place = Place::new();
    let mut rows = drifting(1_500, 2_250);
    place.add_all(rows.by_ref().take(1_400));
    let drift = |place: &Place| at(&place.view("drift", &[]), "/drift").clone();
    let first = drift(&place);
    assert_eq!(first["windows"].as_array().map(Vec::len), Some(1));
    // A prediction of the reference is explained again: its first record stays what windows are compared with.
    place.add("p3", [40.0, 0.0, 0.0], [9.0, 9.0, 9.0]);
    place.add_all(rows);
    let grown = drift(&place);
    assert_eq!(grown["reference"], first["reference"]);
    assert_eq!(grown["windows"].as_array().map(Vec::len), Some(5));
    assert_eq!(grown["windows"][0], first["windows"][0]);
    assert_eq!(grown["features"][0]["cells"][0], first["features"][0]["cells"][0]);
    assert_eq!(grown["alarms"].as_array().map(Vec::len), Some(drift_alarms(&place.later())));
    place.log.erase(&[5], "asked for", 9_000_000_000).expect("erased");
    let anew = drift(&place);
    assert_eq!(
        (&anew["reference"]["n_rows"], &anew["reference"]["end_micros"]),
        (&json!(1_000), &json!(1_000_000_001))
    );
    assert_eq!(anew["windows"].as_array().map(Vec::len), Some(4));
}

/// The alarms of a dashboard that reads the whole log at once.
fn drift_alarms(dashboard: &Dashboard) -> usize {
    dashboard.refresh().expect("readable");
    let shown = view(dashboard, "drift", &BTreeMap::new()).expect("a view");
    at(&shown, "/drift/alarms").as_array().expect("alarms").len()
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
    let features = at(&shown, "/features");
    assert_eq!(*at(features, "/differences/0/aspect"), json!({ "mean_attribution": "age" }));
    close(&quantity(features, 0, 0)["estimate"]["value"], (2.0 * 3.0 + 0.25) / 3.0);
    // One hit has no interval.
    assert_eq!(quantity(features, 1, 0)["estimate"], Value::Null);
    let pairs = at(&shown, "/pairs").as_array().expect("pairs").clone();
    assert!(pairs.contains(&json!({ "predicted": "not repaid", "label": "repaid", "n": 1 })), "{pairs:?}");
    // A label that is an index goes by its class's name.
    assert_eq!(*at(&shown, "/lines/0/label"), json!("repaid"));
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
    let shown = place.view("cohorts", &[("a", "age == 1"), ("b", "age > 0")]);
    assert_eq!(
        (at(&shown, "/class"), at(&shown, "/comparison/attributions/differences/0/aspect")),
        (&Value::Null, &json!("mean_output"))
    );
}

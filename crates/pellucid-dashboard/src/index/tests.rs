use pellucid_store::Decision;
use serde_json::json;

use super::*;
use crate::testing::Place;

fn ids(place: &Place) -> Vec<(u64, bool)> {
    place.dashboard.index().rows.iter().map(|row| (row.entry, row.superseded)).collect()
}

#[test]
fn entries_are_read_once_and_labels_may_come_before_and_after() {
    let place = Place::new();
    place.label("late", json!("repaid"));
    place.add("late", [52.0, 0.0, 20.0], [1.0, 0.5, -0.25]);
    assert_eq!(place.dashboard.refresh().expect("readable"), 2);
    assert_eq!(place.dashboard.refresh().expect("readable"), 0);
    place.add("unknown", [30.0, 1.0, 40.0], [-1.0, 0.0, 0.0]);
    assert_eq!(place.dashboard.refresh().expect("readable"), 1);
    {
        let index = place.dashboard.index();
        let outcomes: Vec<Outcome> = index.rows.iter().map(|row| index.outcome(row)).collect();
        assert_eq!(outcomes, [Outcome::Right, Outcome::Unlabeled]);
        assert_eq!(index.model_of(&index.rows[0]).class_name(1), Some("repaid".to_owned()));
        assert_eq!(index.model_of(&index.rows[0]).class_name(0), Some("not repaid".to_owned()));
        assert!((index.rows[0].confidence - 1.0 / (1.0 + (-1.25_f32).exp())).abs() < 1e-6);
    }
    place.label("unknown", json!(1));
    place.dashboard.refresh().expect("readable");
    let index = place.dashboard.index();
    assert_eq!(index.outcome(&index.rows[1]), Outcome::Wrong);
    // The last label holds.
    drop(index);
    place.label("unknown", json!(false));
    place.dashboard.refresh().expect("readable");
    let index = place.dashboard.index();
    assert_eq!((index.outcome(&index.rows[1]), index.n_feedback), (Outcome::Right, 3));
}

#[test]
fn the_last_record_of_a_prediction_and_key_holds() {
    let place = Place::new();
    place.add("p", [1.0, 0.0, 1.0], [1.0, 0.0, 0.0]);
    place.add_with("p", [1.0, 0.0, 1.0], [1.0, 0.0, 0.0], |record| record.comparability_key = "other".into());
    place.add("q", [1.0, 0.0, 1.0], [1.0, 0.0, 0.0]);
    place.add("p", [1.0, 0.0, 1.0], [2.0, 0.0, 0.0]);
    place.dashboard.refresh().expect("readable");
    assert_eq!(ids(&place), [(0, true), (1, false), (2, false), (3, false)]);
    let index = place.dashboard.index();
    let prediction = index.prediction("p").expect("known");
    assert_eq!(index.records_of(prediction).map(|row| row.entry).collect::<Vec<_>>(), [3, 1, 0]);
    assert!(index.prediction("nobody").is_none());
}

/// Two keys, two versions, two targets and two methods under one key: nothing of them is put together.
#[test]
fn what_cannot_be_compared_is_never_in_one_group() {
    let place = Place::new();
    place.add("a", [1.0, 0.0, 1.0], [1.0, 0.0, 0.0]);
    place.add_with("b", [1.0, 0.0, 1.0], [1.0, 0.0, 0.0], |it| it.comparability_key = "key-b".into());
    place.add_with("c", [1.0, 0.0, 1.0], [1.0, 0.0, 0.0], |it| it.model.version = "2".into());
    place.add_with("d", [1.0, 0.0, 1.0], [1.0, 0.0, 0.0], |it| it.method = "lime".into());
    let mut other = crate::testing::payload([1.0, 0.0, 1.0], [1.0, 0.0, 0.0]);
    other.details["target"] = json!({ "index": 3, "name": "late" });
    place.log.append(&crate::testing::table("e", 1.0), &other).expect("room");
    // A table of other features under the same key is left out, and counted.
    other.details["feature_names"] = json!(["age", "sex", "job"]);
    place.log.append(&crate::testing::table("f", 1.0), &other).expect("room");
    place.dashboard.refresh().expect("readable");
    let index = place.dashboard.index();
    assert_eq!(index.groups.len(), 4);
    let series = crate::series::Series::all(&index, true);
    let sizes: Vec<usize> = series.iter().map(|series| series.explained().count()).collect();
    assert_eq!((series.len(), sizes.iter().sum::<usize>(), sizes.iter().max()), (5, 5, Some(&1)));
    assert_eq!(index.groups[0].n_left_out, 1);
}

#[test]
fn what_is_erased_leaves_memory() {
    let place = Place::new();
    let entries: Vec<u64> =
        (0..3).map(|i| place.add(&format!("p{i}"), [52.0, 0.0, 20.0], [1.0, 2.0, 3.0])).collect();
    place.dashboard.refresh().expect("readable");
    place.log.erase(&entries[1..2], "asked for", 9_000_000).expect("erased");
    place.dashboard.refresh().expect("readable");
    let index = place.dashboard.index();
    assert_eq!(index.rows.iter().map(|row| row.erased).collect::<Vec<_>>(), [false, true, false]);
    assert!(index.groups[0].inputs(1).iter().chain(index.groups[0].attributions(1)).all(|x| x.is_nan()));
    assert_eq!(index.groups[0].inputs(2), [52.0, 0.0, 20.0]);
    assert_eq!(index.rows[1].matrix_row, NONE);
    // The header stays, and what it says of the prediction.
    assert_eq!(index.rows[1].class, 1);
    drop(index);
    // A dashboard that is opened later finds no payload to read.
    let later = place.later();
    later.refresh().expect("readable");
    assert_eq!(later.index().rows.iter().map(|row| row.matrix_row).collect::<Vec<_>>(), [0, NONE, 1]);
}

#[test]
fn decisions_and_failed_checks_are_known() {
    let place = Place::new();
    place.add_with("p", [1.0, 0.0, 1.0], [1.0, 0.0, 0.0], |record| {
        record
            .checks
            .insert("completeness".into(), pellucid_store::Check { passed: false, value: Some(0.5) });
        record.inclusion_probability = 0.25;
    });
    let decision =
        Decision { outcome: "refused".into(), by: "clerk".into(), timestamp_micros: 7, reason: None };
    let feedback =
        Feedback { prediction_id: "p".into(), timestamp_micros: 8, label: None, decision: Some(decision) };
    place.log.append_feedback(&feedback).expect("room");
    place.dashboard.refresh().expect("readable");
    let index = place.dashboard.index();
    let row = &index.rows[0];
    assert_eq!(index.checks, ["completeness", "finite"]);
    assert_eq!((row.failed_checks, row.n_checks, row.weight), (0b01, 2, 4.0));
    assert!(index.prediction_of(row).decided && index.prediction_of(row).label.is_none());
}

/// Without a word about its space, a model's output is read as that of its other records is: whichever came first, and whatever was erased.
#[test]
fn outputs_are_read_alike_whichever_record_tells_how() {
    let place = Place::new();
    // A margin that could pass for a probability: as such it would say no.
    let untold = |id: &str, output: f64| {
        let mut record = crate::testing::table(id, output);
        record.parameters.remove("output_space");
        let mut payload = crate::testing::payload([1.0, 0.0, 1.0], [output, 0.0, 0.0]);
        payload.details["output_space"] = serde_json::Value::Null;
        place.log.append(&record, &payload).expect("room").index
    };
    let classes = |dashboard: &crate::Dashboard| -> Vec<u32> {
        dashboard.refresh().expect("readable");
        dashboard.index().rows.iter().map(|row| row.class).collect()
    };
    untold("a", 0.4);
    assert_eq!(classes(&place.dashboard), [0]);
    // One that can be none tells that both are margins.
    untold("b", 3.0);
    assert_eq!(classes(&place.dashboard), [1, 1]);
    let first = place.add("c", [1.0, 0.0, 1.0], [0.3, 0.0, 0.0]);
    place.log.erase(&[0, first], "asked for", 9_000_000).expect("erased");
    assert_eq!(classes(&place.dashboard), [1, 1, 1]);
    // After a restart, of what is left.
    assert_eq!(classes(&place.later()), [1, 1, 1]);
}

#[test]
fn a_series_counts_the_records_that_hold() {
    let place = Place::new();
    let counted = || {
        place.dashboard.refresh().expect("readable");
        let index = place.dashboard.index();
        let series = crate::series::choices(&index, true);
        serde_json::to_value(series)
            .expect("JSON")
            .as_array()
            .map(|all| all.iter().map(|it| it["n_records"].clone()).collect::<Vec<_>>())
    };
    place.add("p", [1.0, 0.0, 1.0], [1.0, 0.0, 0.0]);
    place.add("q", [1.0, 0.0, 1.0], [1.0, 0.0, 0.0]);
    place.add("p", [1.0, 0.0, 1.0], [2.0, 0.0, 0.0]);
    assert_eq!(counted(), Some(vec![json!(2)]));
    place.log.erase(&[0, 1], "asked for", 9_000_000).expect("erased");
    assert_eq!(counted(), Some(vec![json!(1)]));
    place.log.erase(&[2], "asked for", 9_000_000).expect("erased");
    assert_eq!(counted(), Some(vec![]));
}

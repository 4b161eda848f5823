use super::*;

fn scores(completeness_gap: Option<f64>) -> RowScores {
    RowScores { row: 2, target: 0, completeness_gap, deletion: None, insertion: None }
}

#[test]
fn redrawn_layers_are_spread_and_end_at_the_last() {
    let all: Vec<String> = ["logits", "c", "b", "a", "first"].map(str::to_owned).to_vec();
    let two = spread(&all, 2);
    assert_eq!(two.names, ["b", "first"]);
    assert_eq!(two.up_to(&two.names[..1]), &all[..3]);
    assert_eq!(two.up_to(&two.names), &all[..]);
    assert_eq!(spread(&all, 9).names, all);
    assert_eq!(spread(&all, 1).names, ["first"]);
    assert!(spread(&[], 3).names.is_empty());
}

#[test]
fn a_check_says_what_it_claims() {
    let options = EvaluationOptions { max_gap: Some(0.01), ..EvaluationOptions::default() };
    let check = |gap| checks(&[scores(gap)], &options, |row| format!("row {row}"));
    let held = &check(Some(0.002)).unwrap()[0];
    assert_eq!(held.claim, "row 2, target 0: completeness gap 0.200 % is at most 1.000 %");
    assert!(held.holds);
    assert!(!check(Some(0.02)).unwrap()[0].holds);
    assert!(!check(Some(f64::INFINITY)).unwrap()[0].holds);
    assert!(check(None).unwrap_err().to_string().contains("max_gap"));
}

#[test]
fn a_check_without_its_metric_is_refused() {
    let options = EvaluationOptions { beat_random: true, ..EvaluationOptions::default() };
    assert!(
        checks(&[scores(None)], &options, |row| format!("row {row}"))
            .unwrap_err()
            .to_string()
            .contains("beat_random")
    );
    assert_eq!(Metric::from_name("insertion").unwrap(), Metric::Insertion);
    assert!(Metric::from_name("infidelity").unwrap_err().to_string().contains("randomization"));
}

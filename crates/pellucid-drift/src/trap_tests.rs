//! Traps that monitoring tools are known to fall into, one test each.

use pellucid_core::Draws;
use rand_distr::{Distribution, StandardNormal};

use crate::*;

/// Standard normal numbers; each stream has its own.
fn normal(n: usize, stream: u64) -> Vec<f64> {
    let mut generator = Draws::new(7, &[0; 32], "trap tests").draw(stream);
    (0..n).map(|_| StandardNormal.sample(&mut generator)).collect()
}

fn plus(values: &[f64], shift: f64) -> Vec<f64> {
    values.iter().map(|value| value + shift).collect()
}

fn attributions(columns: Vec<Vec<f64>>) -> Sample {
    let named = |(i, values): (usize, Vec<f64>)| Column::numeric(format!("x{i}"), values);
    Sample {
        comparability_key: "a".to_owned(),
        attributions: columns.into_iter().enumerate().map(named).collect(),
        ..Sample::default()
    }
}

/// Findings of windows against a reference, with default options but for the window's size.
fn compare(reference: &Sample, window: &Sample) -> WindowDrift {
    let options = Options { window_rows: window.n_rows(), ..Options::default() };
    Reference::new(reference.clone(), options).unwrap().compare(window).unwrap()
}

fn index(reference: &[f64], window: &[f64]) -> Divergence {
    let (a, b) = (Weighted::alike(reference).unwrap(), Weighted::alike(window).unwrap());
    let bins = Bins::new(&a, 10);
    stability_index(&bins.shares(&a), &bins.shares(&b), [a.effective_size(), b.effective_size()])
}

/// With bins over both samples pooled, one outlier makes a shift of half a deviation vanish (0.270 becomes 0.00007).
#[test]
fn one_outlier_does_not_blind_the_stability_index() {
    let reference = normal(5_000, 0);
    let mut window = plus(&normal(5_000, 1), 0.5);
    let before = index(&reference, &window).value;
    assert!((0.22..0.32).contains(&before), "{before}");
    window.push(1e4);
    let after = index(&reference, &window).value;
    assert!((after - before).abs() < 0.002, "{before} became {after}");
}

/// 0.1 is exceeded without drift by about a third of the windows of 200 rows; the χ² floor by one in twenty.
#[test]
fn the_stability_index_has_a_floor_that_depends_on_rows() {
    let indices = |n: usize| -> Vec<Divergence> {
        (0..400).map(|i| index(&normal(n, 2 * i), &normal(n, 2 * i + 1))).collect()
    };
    let share = |indices: &[Divergence], above: &dyn Fn(&Divergence) -> bool| {
        indices.iter().filter(|index| above(index)).count() as f64 / indices.len() as f64
    };
    let of_200 = indices(200);
    assert!((of_200[0].floor - 0.169).abs() < 1e-3);
    let folklore = share(&of_200, &|index| index.value >= 0.1);
    assert!((0.2..0.4).contains(&folklore), "{folklore}");
    let ours = share(&of_200, &|index| index.value > index.floor);
    assert!(ours <= 0.08, "{ours}");
    let of_100 = indices(100);
    assert!(share(&of_100, &|index| index.value >= 0.1) > 0.7);
    assert!(share(&of_100, &|index| index.value > index.floor) <= 0.08);
}

/// The floor of the Jensen–Shannon distance, too, is exceeded by one in twenty.
#[test]
fn the_jensen_shannon_floor_holds() {
    let distance = |i: u64| {
        let (a, b) = (
            Weighted::alike(&normal(1_000, 2 * i)).unwrap(),
            Weighted::alike(&normal(300, 2 * i + 1)).unwrap(),
        );
        let bins = Bins::new(&a, 10);
        jensen_shannon(&bins.shares(&a), &bins.shares(&b), [1_000.0, 300.0])
    };
    let n_above = (0..400).map(distance).filter(|distance| distance.value > distance.floor).count();
    assert!((4..=32).contains(&n_above), "{n_above} of 400");
}

/// With many rows every difference is significant; it is no alarm unless it matters.
#[test]
fn a_significant_shift_of_no_size_is_no_drift() {
    let drift =
        compare(&attributions(vec![normal(50_000, 0)]), &attributions(vec![plus(&normal(12_000, 1), 0.05)]));
    let finding = &drift.features[0];
    assert!(finding.q_value.unwrap() < 1e-3, "{finding:?}");
    assert_eq!(finding.verdict, Verdict::NotShown);
}

/// And a large distance between few rows is none unless there are enough.
#[test]
fn too_few_rows_are_no_evidence() {
    let drift =
        compare(&attributions(vec![normal(1_000, 0)]), &attributions(vec![plus(&normal(20, 1), 3.0)]));
    assert!(drift.features[0].effect > 2.0);
    assert_eq!(drift.features[0].verdict, Verdict::InsufficientEvidence);
}

/// nDCG stays above Clarify's 0.9 where features swap, where attributions shrink to a tenth, and where every sign flips. The findings do not.
#[test]
fn what_ndcg_is_deaf_to_is_heard() {
    let sizes = [0.5, 0.3, 0.1, 0.06, 0.04];
    let rotated = [0.1, 0.5, 0.3, 0.06, 0.04];
    assert!(ndcg(&sizes, &[0.3, 0.5, 0.1, 0.06, 0.04]) > 0.9);
    let (flat, turned) = ([0.30, 0.25, 0.20, 0.15, 0.10], [0.20, 0.30, 0.25, 0.15, 0.10]);
    assert!(ndcg(&flat, &turned) > 0.9);
    assert!(ndcg(&sizes, &rotated) < ndcg(&sizes, &sizes));
    let columns = |scale: f64, shift: f64, stream: u64| -> Vec<Vec<f64>> {
        let column = |(i, size): (usize, &f64)| -> Vec<f64> {
            normal(1_000, stream + i as u64).iter().map(|x| scale * size * (x + shift)).collect()
        };
        sizes.iter().enumerate().map(column).collect()
    };
    let reference = attributions(columns(1.0, 1.0, 0));
    for (scale, sign) in [(0.1, "shrunk"), (-1.0, "flipped")] {
        let drift = compare(&reference, &attributions(columns(scale, 1.0, 10)));
        assert!(drift.ranking.as_ref().unwrap().ndcg > 0.99, "{sign}");
        let drifted =
            drift.of(Part::Attribution).filter(|finding| finding.verdict == Verdict::Drifted).count();
        assert_eq!(drifted, 5, "{sign}");
    }
    let swapped = {
        let mut columns = columns(1.0, 1.0, 10);
        columns.swap(0, 1);
        compare(&reference, &attributions(columns))
    };
    let verdicts: Vec<Verdict> = swapped.features.iter().map(|finding| finding.verdict).collect();
    use Verdict::{Drifted, NotShown};
    // The last is how features share |attribution|.
    assert_eq!(verdicts, [Drifted, Drifted, NotShown, NotShown, NotShown, Drifted]);
    assert!(swapped.ranking.unwrap().kendall_tau.unwrap() < 1.0);
}

/// A feature that the reference hardly used has no deviation; without a floor, noise of 1e-9 would be a thousand of them.
#[test]
fn an_idle_feature_does_not_explode() {
    let noise =
        |scale: f64, stream: u64| -> Vec<f64> { normal(1_000, stream).iter().map(|x| scale * x).collect() };
    let reference = attributions(vec![normal(1_000, 0), noise(1e-12, 1)]);
    let drift = compare(&reference, &attributions(vec![normal(1_000, 2), noise(1e-9, 3)]));
    assert!(drift.features[1].effect < 1e-5, "{}", drift.features[1].effect);
    assert_eq!(drift.features[1].verdict, Verdict::NotShown);
    // Where it comes to be used, that is seen.
    let drift = compare(&reference, &attributions(vec![normal(1_000, 2), noise(0.1, 3)]));
    assert_eq!(drift.features[1].verdict, Verdict::Drifted);
}

/// A reference that is 0 throughout has no unit; what is no longer 0 is still a finite number.
#[test]
fn a_reference_of_zeros_gives_finite_numbers() {
    let reference = attributions(vec![vec![0.0; 500]]);
    let same = compare(&reference, &reference);
    assert_eq!((same.features[0].effect, same.features[0].verdict), (0.0, Verdict::NotShown));
    let other = compare(&reference, &attributions(vec![normal(500, 0)]));
    assert!(other.features[0].effect.is_finite());
    assert_eq!(other.features[0].verdict, Verdict::Drifted);
}

/// Explanations that were made differently are not one distribution.
#[test]
fn samples_of_different_keys_are_not_compared() {
    let sample = attributions(vec![normal(200, 0)]);
    let reference = Reference::new(sample.clone(), Options::default()).unwrap();
    let other = Sample { comparability_key: "b".to_owned(), ..sample.clone() };
    let error = reference.compare(&other).unwrap_err();
    assert_eq!(error, Error::NotComparable { expected: "a".to_owned(), found: "b".to_owned() });
    let drift = reference.compare(&sample).unwrap();
    let window = Window { rows: 0..200, start_micros: 0, end_micros: 1 };
    let mut monitor = Monitor::new("b", AlarmRule::default()).unwrap();
    assert!(matches!(monitor.observe(&window, &drift), Err(Error::NotComparable { .. })));
}

/// Forty customers with 25 rows each, that are alike: by rows the test finds drift in most windows without any, by customers in few.
#[test]
fn rows_of_one_customer_are_permuted_together() {
    let sample = |n_groups: usize, stream: u64, grouped: bool| {
        let own = normal(n_groups, stream);
        let noise = normal(25 * n_groups, stream + 1);
        let values = noise.iter().enumerate().map(|(row, noise)| own[row / 25] + 0.3 * noise).collect();
        let groups = grouped.then(|| (0..25 * n_groups as u64).map(|row| row / 25).collect());
        Sample { groups, ..attributions(vec![values]) }
    };
    let n_found = |grouped: bool| {
        let significant = |i: &u64| {
            let options = Options { n_permutations: 199, ..Options::default() };
            let reference = Reference::new(sample(80, 4 * i, grouped), options).unwrap();
            let drift = reference.compare(&sample(20, 4 * i + 2, grouped)).unwrap();
            let finding = &drift.features[0];
            if grouped {
                let effective = finding.evidence.reference_effective;
                assert!((50.0..300.0).contains(&effective), "{effective} of 80 groups");
            }
            finding.p_value.unwrap() < 0.05
        };
        (0..20).filter(significant).count()
    };
    assert!(n_found(false) >= 12);
    assert!(n_found(true) <= 3);
}

/// Whole groups are found to drift where they do.
#[test]
fn a_drift_of_groups_is_found() {
    let sample = |n_groups: u64, shift: f64, stream: u64| Sample {
        groups: Some((0..2 * n_groups).map(|row| row / 2).collect()),
        ..attributions(vec![plus(&normal(2 * n_groups as usize, stream), shift)])
    };
    let drift = compare(&sample(500, 0.0, 0), &sample(125, 0.6, 1));
    assert_eq!(drift.features[0].verdict, Verdict::Drifted);
    assert!(drift.features[0].p_value.unwrap() <= 0.001);
}

/// Large outputs were explained ten times as often. Weighted, that is no drift; unweighted it would be.
#[test]
fn rows_explained_more_often_are_no_drift() {
    let all = normal(20_000, 0);
    let chosen = |weighted: bool| {
        let kept: Vec<(f64, f64)> = all
            .iter()
            .enumerate()
            .map(|(row, &x)| (row, x, if x > 1.0 { 1.0 } else { 0.1 }))
            .filter(|(row, _, probability)| *probability == 1.0 || row % 10 == 0)
            .map(|(_, x, probability)| (x, probability))
            .collect();
        Sample {
            inclusion_probabilities: weighted
                .then(|| kept.iter().map(|(_, probability)| *probability).collect()),
            ..attributions(vec![kept.iter().map(|(x, _)| *x).collect()])
        }
    };
    let reference = Reference::new(attributions(vec![normal(20_000, 1)]), Options::default()).unwrap();
    let drift = reference.compare(&chosen(true)).unwrap();
    assert_eq!(drift.features[0].verdict, Verdict::NotShown);
    assert!(drift.features[0].effect < 0.05);
    // Rows that weigh differently tell less than their number.
    assert!(drift.features[0].evidence.window_effective < 0.6 * drift.n_rows as f64);
    let blind = reference.compare(&chosen(false)).unwrap();
    assert_eq!(blind.features[0].verdict, Verdict::Drifted);
}

/// Missing values are neither filled in nor passed over: that they are missing is a finding of its own.
#[test]
fn missing_values_are_told_and_not_filled_in() {
    let sample = |stream: u64, every: usize| {
        let mut values = normal(2_000, stream);
        values.iter_mut().step_by(every).for_each(|x| *x = f64::NAN);
        Sample { inputs: vec![Column::numeric("age", values)], ..Sample::default() }
    };
    let drift = compare(&sample(0, 100), &sample(1, 5));
    let of = |part| drift.of(part).next().unwrap();
    assert_eq!(of(Part::Input).verdict, Verdict::NotShown);
    assert_eq!(of(Part::Input).evidence.window_rows, 1_600);
    assert_eq!(of(Part::Missing).verdict, Verdict::Drifted);
    let share = of(Part::Missing).categories.as_ref().unwrap().share;
    assert_eq!((share.reference, share.window), (0.01, 0.2));
}

/// A feature with an outlier in the window has a large distance and no drift: the test does not see a single row.
#[test]
fn a_single_outlier_is_no_drift() {
    let mut window = normal(500, 1);
    window[17] = 1e4;
    let drift = compare(&attributions(vec![normal(2_000, 0)]), &attributions(vec![window]));
    assert!(drift.features[0].effect > 10.0);
    assert_eq!(drift.features[0].verdict, Verdict::NotShown);
}

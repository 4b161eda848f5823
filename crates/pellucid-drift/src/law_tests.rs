//! Statistics against their definitions on random data, and what is refused.

use pellucid_core::Draws;
use rand_chacha::rand_core::Rng;

use crate::*;

/// Few distinct values, so that many are tied.
fn coarse(n: usize, stream: u64) -> Vec<f64> {
    let mut generator = Draws::new(3, &[0; 32], "law tests").draw(stream);
    (0..n).map(|_| f64::from(generator.next_u32() % 7) - 2.5).collect()
}

/// Which share of the weight lies at or below `x`.
fn distribution(values: &[f64], weights: &[f64], x: f64) -> f64 {
    let below: f64 =
        values.iter().zip(weights).filter(|(value, _)| **value <= x).map(|(_, weight)| weight).sum();
    below / weights.iter().sum::<f64>()
}

#[test]
fn distances_agree_with_their_definitions() {
    for stream in 0..40 {
        let (n, m) = (1 + stream as usize % 9, 1 + stream as usize % 5);
        let (a, b) = (coarse(n, 4 * stream), coarse(m, 4 * stream + 1));
        let weights = |n, stream| -> Vec<f64> { coarse(n, stream).iter().map(|x| 1.0 + x.abs()).collect() };
        let (v, w) = (weights(n, 4 * stream + 2), weights(m, 4 * stream + 3));
        let gap = |x: f64| (distribution(&a, &v, x) - distribution(&b, &w, x)).abs();
        // Distribution functions are steps between neighbors of the grid.
        let grid: Vec<f64> = (0..8).map(|i| f64::from(i) - 2.5).collect();
        let area: f64 = grid.iter().map(|x| gap(*x)).sum();
        let height = grid.iter().map(|x| gap(*x)).fold(0.0, f64::max);
        let (left, right) = (Weighted::new(&a, &v).unwrap(), Weighted::new(&b, &w).unwrap());
        assert!((wasserstein(&left, &right) - area).abs() < 1e-12);
        assert!((kolmogorov_smirnov(&left, &right).statistic - height).abs() < 1e-12);
    }
}

/// Every order of rows of two small samples, by brute force.
#[test]
fn the_exact_p_value_is_the_share_of_orders() {
    for (n, m) in [(1, 1), (3, 4), (5, 2), (4, 4), (6, 3)] {
        let apart = |sides: u32| -> f64 {
            let (mut i, mut j, mut largest) = (0.0, 0.0, 0.0_f64);
            for place in 0..n + m {
                if sides >> place & 1 == 1 {
                    i += 1.0
                } else {
                    j += 1.0
                }
                largest = largest.max((i / n as f64 - j / m as f64).abs());
            }
            largest
        };
        let orders: Vec<u32> = (0..1 << (n + m)).filter(|sides: &u32| sides.count_ones() == n).collect();
        for sides in &orders {
            let side = |wanted: u32| -> Vec<f64> {
                (0..n + m).filter(|place| sides >> place & 1 == wanted).map(f64::from).collect()
            };
            let test =
                kolmogorov_smirnov(&Weighted::alike(&side(1)).unwrap(), &Weighted::alike(&side(0)).unwrap());
            let as_large = orders.iter().filter(|other| apart(**other) >= apart(*sides) - 1e-12).count();
            let expected = as_large as f64 / orders.len() as f64;
            assert!(
                (test.p_value - expected).abs() < 1e-12,
                "{n} and {m}: {} against {expected}",
                test.p_value
            );
        }
    }
}

/// A row of weight 3 is three rows, for all that is no question of evidence.
#[test]
fn a_weight_is_so_many_rows() {
    let (values, other) = (coarse(20, 100), Weighted::alike(&coarse(30, 101)).unwrap());
    let weights: Vec<f64> = (0..20).map(|i| f64::from(1 + i % 3)).collect();
    let repeated: Vec<f64> =
        values.iter().zip(&weights).flat_map(|(value, weight)| vec![*value; *weight as usize]).collect();
    let (a, b) = (Weighted::new(&values, &weights).unwrap(), Weighted::alike(&repeated).unwrap());
    assert!((wasserstein(&a, &other) - wasserstein(&b, &other)).abs() < 1e-12);
    assert!((a.mean() - b.mean()).abs() < 1e-12 && (a.deviation() - b.deviation()).abs() < 1e-12);
    assert_eq!(Bins::new(&a, 5), Bins::new(&b, 5));
    assert_eq!(b.effective_size(), weights.iter().sum::<f64>());
    assert!(a.effective_size() < 20.0);
}

#[test]
fn thresholds_and_findings_repeat() {
    let sample = |stream| Sample {
        attributions: vec![Column::numeric("x", coarse(400, stream))],
        inputs: vec![Column::categorical(
            "c",
            coarse(400, stream).iter().map(|x| format!("{x}")).collect::<Vec<_>>(),
        )],
        groups: Some((0..400).map(|row| row / 2).collect()),
        ..Sample::default()
    };
    let drift = |seed| {
        let options = Options { seed, window_rows: 100, ..Options::default() };
        Reference::new(sample(1), options).unwrap().compare(&sample(2)).unwrap()
    };
    assert_eq!(drift(1), drift(1));
    assert_ne!(drift(1).features[0].threshold, drift(2).features[0].threshold);
    // All of it can be sent.
    let json = serde_json::to_value(drift(1)).unwrap();
    assert_eq!(json["features"][0]["measure"], "wasserstein_in_deviations");
    assert_eq!(json["features"][0]["verdict"], "not_shown");
}

/// A threshold from consecutive windows knows what changes from window to window; one from random rows does not.
#[test]
fn consecutive_windows_know_the_season() {
    let season = |row: usize| f64::from(u8::from((row / 100).is_multiple_of(2)));
    let values: Vec<f64> =
        coarse(1_000, 9).iter().enumerate().map(|(row, x)| x + 4.0 * season(row)).collect();
    let sample = |rows| {
        Sample { attributions: vec![Column::numeric("x", values.clone())], ..Sample::default() }.rows(rows)
    };
    let verdict = |windows, window| {
        let calibration = Calibration { windows, limit: Limit::Quantile(0.95) };
        let options = Options { calibration, window_rows: 100, ..Options::default() };
        Reference::new(sample(0..1_000), options).unwrap().compare(&sample(window)).unwrap().features[0]
            .verdict
    };
    assert_eq!(verdict(ReferenceWindows::Resampled(100), 0..100), Verdict::Drifted);
    assert_eq!(verdict(ReferenceWindows::Consecutive, 0..100), Verdict::NotShown);
    let few = Options {
        calibration: Calibration { windows: ReferenceWindows::Consecutive, limit: Limit::Quantile(0.95) },
        window_rows: 250,
        ..Options::default()
    };
    let error = Reference::new(sample(0..1_000), few).unwrap_err().to_string();
    assert!(error.contains("4 consecutive windows"), "{error}");
}

#[test]
fn unseen_categories_are_named() {
    let sample = |names: &[&str]| Sample {
        inputs: vec![Column::categorical("city", (0..300).map(|i| names[i % names.len()]))],
        ..Sample::default()
    };
    let reference = Reference::new(sample(&["Oslo", "Bergen"]), Options::default()).unwrap();
    let drift = reference.compare(&sample(&["Oslo", "Bergen", "Narvik"])).unwrap();
    let categories = drift.features[0].categories.as_ref().unwrap();
    assert_eq!(
        (categories.unseen.as_slice(), categories.moved_most.as_str()),
        (&["Narvik".to_owned()][..], "Narvik")
    );
    assert_eq!(drift.features[0].verdict, Verdict::Drifted);
}

/// What a sample or a window has wrong is named.
#[test]
fn faults_are_named() {
    let good = || Sample {
        attributions: vec![Column::numeric("a", vec![1.0; 200]), Column::numeric("b", vec![2.0; 200])],
        ..Sample::default()
    };
    let fault = |change: &dyn Fn(&mut Sample)| {
        let mut sample = good();
        change(&mut sample);
        Reference::new(sample, Options::default()).unwrap_err().to_string()
    };
    type Case<'a> = (&'a dyn Fn(&mut Sample), &'a str);
    let cases: [Case; 7] = [
        (&|s| s.attributions.clear(), "no rows"),
        (&|s| s.attributions[1] = Column::numeric("b", vec![1.0]), "b: 1 values for 200 rows"),
        (&|s| s.attributions[1] = Column::numeric("a", vec![1.0; 200]), "a: two columns have this name"),
        (&|s| s.attributions[0] = Column::numeric("a", vec![f64::NAN; 200]), "a: row 0 is NaN"),
        (&|s| s.attributions[0] = Column::categorical("a", vec!["x"; 200]), "a: attributions are numbers"),
        (&|s| s.inclusion_probabilities = Some(vec![0.0; 200]), "0 is no probability"),
        (&|s| s.groups = Some(vec![1]), "groups: 1 values for 200 rows"),
    ];
    for (change, expected) in cases {
        let error = fault(change);
        assert!(error.contains(expected), "{error}");
    }
    let reference = Reference::new(good(), Options::default()).unwrap();
    let compare = |names: &[&str]| {
        let attributions = names.iter().map(|name| Column::numeric(*name, vec![1.0; 200])).collect();
        reference.compare(&Sample { attributions, ..Sample::default() }).unwrap_err().to_string()
    };
    assert!(compare(&["a"]).starts_with("b: the window has no such"));
    assert!(compare(&["a", "b", "c"]).starts_with("c: the reference has no such"));
    let option = |options: Options| Reference::new(good(), options).unwrap_err().to_string();
    assert!(option(Options { n_bins: 1, ..Options::default() }).contains("`n_bins` is 1"));
    assert!(
        option(Options { false_discovery_rate: 0.0, ..Options::default() }).contains("false_discovery_rate")
    );
}

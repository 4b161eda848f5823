//! Every statistic against SciPy, statsmodels, Evidently and NannyML (`fixtures/makers/drift.py`).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::*;

#[derive(Deserialize)]
struct Golden {
    numeric: BTreeMap<String, NumericCase>,
    categorical: Vec<CategoricalCase>,
    ranking: Vec<RankingCase>,
    p_values: Vec<f64>,
    benjamini_hochberg: Vec<f64>,
    proportions: Vec<ProportionCase>,
}

#[derive(Deserialize)]
struct NumericCase {
    reference: Vec<f64>,
    window: Vec<f64>,
    weights: [Vec<f64>; 2],
    wasserstein: f64,
    wasserstein_weighted: f64,
    evidently_wasserstein: f64,
    ks_statistic: f64,
    ks_exact_p: f64,
    ks_weighted: f64,
    ks_weighted_p: f64,
    shares: [Vec<f64>; 2],
    stability_index: Option<f64>,
    stability_floor: f64,
    jensen_shannon: f64,
    mean_shift: f64,
    welch_p: f64,
    welch_interval: [f64; 2],
}

#[derive(Deserialize)]
struct CategoricalCase {
    reference: Vec<String>,
    window: Vec<String>,
    chi_square_p: f64,
    evidently_stability_index: Option<f64>,
    evidently_jensen_shannon: f64,
    nannyml_jensen_shannon: f64,
}

#[derive(Deserialize)]
struct RankingCase {
    reference: Vec<f64>,
    window: Vec<f64>,
    kendall_tau: f64,
}

#[derive(Deserialize)]
struct ProportionCase {
    positives: [f64; 2],
    sizes: [f64; 2],
    wilson: [[f64; 2]; 2],
    newcombe: [f64; 2],
    p: f64,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../../../fixtures/drift/golden.json")).unwrap()
}

fn check(what: &str, ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() <= 1e-10 * theirs.abs().max(1e-3), "{what}: {ours} against {theirs}");
}

#[test]
fn distances_of_numbers_are_those_of_scipy_and_evidently() {
    for (name, case) in golden().numeric {
        let a = Weighted::alike(&case.reference).unwrap();
        let b = Weighted::alike(&case.window).unwrap();
        let distance = wasserstein(&a, &b);
        check(&name, distance, case.wasserstein);
        check(&name, distance / scale(&a, 0.0), case.evidently_wasserstein);
        check(&name, (b.mean() - a.mean()) / scale(&a, 0.0), case.mean_shift);
        let [v, w] = &case.weights;
        let (a, b) = (Weighted::new(&case.reference, v).unwrap(), Weighted::new(&case.window, w).unwrap());
        check(&name, wasserstein(&a, &b), case.wasserstein_weighted);
    }
}

#[test]
fn kolmogorov_smirnov_is_scipys() {
    for (name, case) in golden().numeric {
        let a = Weighted::alike(&case.reference).unwrap();
        let b = Weighted::alike(&case.window).unwrap();
        let test = kolmogorov_smirnov(&a, &b);
        check(&name, test.statistic, case.ks_statistic);
        if a.n_rows() * b.n_rows() <= MAX_EXACT_PAIRS {
            check(&name, test.p_value, case.ks_exact_p);
        } else {
            // Kolmogorov's limit is too large rather than too small, and not by much.
            let ratio = test.p_value / case.ks_exact_p;
            assert!((1.0..1.1).contains(&ratio), "{name}: {} against {}", test.p_value, case.ks_exact_p);
        }
        let [v, w] = &case.weights;
        let test = kolmogorov_smirnov(
            &Weighted::new(&case.reference, v).unwrap(),
            &Weighted::new(&case.window, w).unwrap(),
        );
        check(&name, test.statistic, case.ks_weighted);
        check(&name, test.p_value, case.ks_weighted_p);
    }
}

#[test]
fn bins_and_what_is_made_of_them_are_those_of_the_formulas() {
    for (name, case) in golden().numeric {
        let a = Weighted::alike(&case.reference).unwrap();
        let b = Weighted::alike(&case.window).unwrap();
        let bins = Bins::new(&a, 10);
        let shares = [bins.shares(&a), bins.shares(&b)];
        for (ours, theirs) in shares.iter().flatten().zip(case.shares.iter().flatten()) {
            check(&name, *ours, *theirs);
        }
        assert_eq!(bins.n_bins(), case.shares[0].len(), "{name}");
        let sizes = [a.effective_size(), b.effective_size()];
        let index = stability_index(&shares[0], &shares[1], sizes);
        check(&name, index.floor, case.stability_floor);
        if let Some(expected) = case.stability_index {
            check(&name, index.value, expected);
        }
        check(&name, jensen_shannon(&shares[0], &shares[1], sizes).value, case.jensen_shannon);
    }
}

#[test]
fn means_are_compared_as_scipy_does() {
    for (name, case) in golden().numeric {
        let a = Weighted::alike(&case.reference).unwrap();
        let b = Weighted::alike(&case.window).unwrap();
        let contrast = compare_means(&a, &b, 0.95).unwrap();
        check(&name, contrast.p_value, case.welch_p);
        check(&name, contrast.interval.low, case.welch_interval[0]);
        check(&name, contrast.interval.high, case.welch_interval[1]);
    }
}

#[test]
fn categories_are_compared_as_scipy_evidently_and_nannyml_do() {
    for (index, case) in golden().categorical.into_iter().enumerate() {
        let name = format!("case {index}");
        let names: BTreeSet<&String> = case.reference.iter().chain(&case.window).collect();
        let shares = [&case.reference, &case.window].map(|values| {
            let counts = names.iter().map(|name| values.iter().filter(|value| value == name).count() as f64);
            shares(&counts.collect::<Vec<f64>>())
        });
        let sizes = [case.reference.len() as f64, case.window.len() as f64];
        check(&name, chi_square_test(&shares[0], &shares[1], sizes), case.chi_square_p);
        let sample = |values: Vec<String>| Sample {
            inputs: vec![Column::categorical("x", values)],
            ..Sample::default()
        };
        let reference = Reference::new(sample(case.reference), Options::default()).unwrap();
        let drift = reference.compare(&sample(case.window)).unwrap();
        let finding = &drift.features[0];
        check(&name, finding.effect, case.evidently_jensen_shannon);
        check(&name, finding.effect, case.nannyml_jensen_shannon);
        if let Some(expected) = case.evidently_stability_index {
            check(&name, finding.stability_index.unwrap().value, expected);
        }
    }
}

#[test]
fn order_rates_and_adjusted_p_values_are_those_of_scipy_and_statsmodels() {
    let golden = golden();
    for case in golden.ranking {
        check("τ", kendall_tau(&case.reference, &case.window).unwrap(), case.kendall_tau);
    }
    for (ours, theirs) in false_discovery_rate(&golden.p_values).into_iter().zip(golden.benjamini_hochberg) {
        check("q", ours, theirs);
    }
    for case in golden.proportions {
        let sides = [0, 1].map(|i| (case.positives[i] / case.sizes[i], case.sizes[i]));
        for (side, expected) in sides.iter().zip(case.wilson) {
            let interval = wilson(side.0, side.1, 0.95);
            check("low", interval.low, expected[0]);
            check("high", interval.high, expected[1]);
        }
        let contrast = compare_shares(sides[0], sides[1], 0.95);
        check("low", contrast.interval.low, case.newcombe[0]);
        check("high", contrast.interval.high, case.newcombe[1]);
        check("p", contrast.p_value, case.p);
    }
}

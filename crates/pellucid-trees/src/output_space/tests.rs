use super::*;
use crate::ensemble::Link;
use crate::interventional::interventional;
use crate::testing::{Shape, interventional_game, random_ensemble, random_rows, shapley_values, table};

fn options(space: OutputSpace) -> Options {
    Options { space, labels: None, max_exact_features: 16, n_permutations: 4, seed: 3 }
}

fn explain(
    ensemble: &TreeEnsemble,
    rows: &[Vec<f64>],
    background: &[Vec<f64>],
    options: &Options,
) -> Attribution {
    let (rows, background) = (table(rows), table(background));
    let (rows, background) = (Rows::F64(rows.view()), Rows::F64(background.view()));
    interventional_in_space(ensemble, rows, background, None, options, &Work::default()).expect("fits")
}

/// The loss of one row by its definition, from probabilities.
fn loss(link: Link, margins: &[f64], label: usize) -> f64 {
    let mut p = margins.to_vec();
    link.apply(&mut p);
    let p = if let [p] = p[..] { [1.0 - p, p][label] } else { p[label] };
    -p.max(f64::EPSILON).ln()
}

/// Against all coalitions, for each row and output.
fn check(ensemble: &TreeEnsemble, rows: &[Vec<f64>], background: &[Vec<f64>], options: &Options) {
    let result = explain(ensemble, rows, background, options);
    assert_eq!((&result.standard_error, result.warnings.len()), (&None, 0));
    for (index, row) in rows.iter().enumerate() {
        for output in 0..result.values.shape()[1] {
            let game = interventional_game(ensemble, row, background, |margins| match &options.labels {
                Some(labels) => loss(ensemble.link, margins, labels[index]),
                None => {
                    let mut prediction = margins.to_vec();
                    ensemble.link.apply(&mut prediction);
                    prediction[output]
                }
            });
            for (value, expected) in result.row(index, output).iter().zip(shapley_values(&game)) {
                assert!(
                    (value - expected).abs() < 1e-11,
                    "{:?} {options:?}: {value}, {expected}",
                    ensemble.link
                );
            }
            let base = result.base_values.as_ref().expect("promised")[[index, output]];
            assert!((base - game[0]).abs() < 1e-11);
            assert!((result.outputs[[index, output]] - game[game.len() - 1]).abs() < 1e-11);
        }
    }
}

#[test]
fn every_space_is_that_of_all_coalitions() {
    let sigmoid = Link::Sigmoid { slope: 0.7 };
    let cases = [
        (sigmoid, 1, OutputSpace::Probability),
        (sigmoid, 2, OutputSpace::Probability),
        (Link::Softmax, 3, OutputSpace::Probability),
        (Link::Exp, 1, OutputSpace::Value),
        (Link::Softplus, 1, OutputSpace::Value),
        (Link::SignedSquare, 1, OutputSpace::Value),
        (Link::Step, 1, OutputSpace::Value),
        (sigmoid, 1, OutputSpace::LogLoss),
        (Link::Softmax, 3, OutputSpace::LogLoss),
        (Link::Probability, 1, OutputSpace::LogLoss),
        (Link::Probability, 3, OutputSpace::LogLoss),
    ];
    for (link, n_outputs, space) in cases {
        for seed in 0..4 {
            let shape = Shape { n_trees: 6, depth: 1 + seed as usize, n_features: 7, n_outputs };
            let mut ensemble = random_ensemble(seed, shape);
            (ensemble.link, ensemble.scale) = (link, 0.5);
            if link == Link::Probability {
                ensemble.scale = 0.05;
                ensemble.base_scores.iter_mut().for_each(|base| *base = 0.4);
            }
            let (rows, background) = (random_rows(seed, 3, 7), random_rows(seed + 30, 5, 7));
            let labels = (space == OutputSpace::LogLoss).then(|| vec![0, 1, n_outputs - 1]);
            check(&ensemble, &rows, &background, &Options { labels, ..options(space) });
        }
    }
}

#[test]
fn spaces_in_which_nothing_changes_are_the_margin() {
    let shape = Shape { n_trees: 4, depth: 4, n_features: 6, n_outputs: 2 };
    let mut ensemble = random_ensemble(1, shape);
    let (rows, background) = (random_rows(1, 4, 6), random_rows(2, 4, 6));
    let (of_rows, of_background) = (table(&rows), table(&background));
    let (all, reference) = (Rows::F64(of_rows.view()), Rows::F64(of_background.view()));
    let margin = interventional(&ensemble, all, reference, &Work::default()).expect("fits");
    assert_eq!(explain(&ensemble, &rows, &background, &options(OutputSpace::Value)), margin);
    ensemble.link = Link::Probability;
    assert_eq!(explain(&ensemble, &rows, &background, &options(OutputSpace::Probability)), margin);
    assert_eq!(explain(&ensemble, &rows, &background, &options(OutputSpace::Margin)), margin);
}

#[test]
fn estimates_lie_within_their_standard_error() {
    let shape = Shape { n_trees: 30, depth: 4, n_features: 8, n_outputs: 3 };
    let mut ensemble = random_ensemble(8, shape);
    (ensemble.link, ensemble.scale) = (Link::Softmax, 0.3);
    let (rows, background) = (random_rows(9, 6, 8), random_rows(10, 6, 8));
    let exact = explain(&ensemble, &rows, &background, &options(OutputSpace::Probability));
    let few = Options { max_exact_features: 2, n_permutations: 50, ..options(OutputSpace::Probability) };
    let drawn = explain(&ensemble, &rows, &background, &few);
    let errors = drawn.standard_error.as_ref().expect("drawn");
    let gaps = (&drawn.values - &exact.values).mapv(f64::abs);
    let within = |factor: f64| {
        let good = gaps.iter().zip(errors).filter(|(gap, error)| **gap <= factor * **error + 1e-12).count();
        good as f64 / gaps.len() as f64
    };
    // A normal error lies within one standard error two times out of three, and within four nearly always.
    assert!((0.5..0.85).contains(&within(1.0)) && within(4.0) > 0.99, "{} {}", within(1.0), within(4.0));
    assert!(errors.iter().any(|&error| error > 1e-4));
    let delta = drawn.convergence_delta.expect("promised");
    assert!(delta.iter().all(|gap| gap.abs() < 1e-12), "permutations telescope");
    assert!(drawn.warnings[0].contains("36 pairs") && drawn.warnings[0].contains("more than 2 features"));
}

#[test]
fn drawn_values_depend_on_seed_and_row_alone() {
    let shape = Shape { n_trees: 40, depth: 6, n_features: 30, n_outputs: 1 };
    let mut ensemble = random_ensemble(11, shape);
    ensemble.link = Link::Sigmoid { slope: 1.0 };
    let (rows, background) = (random_rows(12, 5, 30), random_rows(13, 70, 30));
    let options = options(OutputSpace::Probability);
    let all = explain(&ensemble, &rows, &background, &options);
    assert!(all.warnings[0].contains("more than 16 features"), "{:?}", all.warnings);
    let reversed: Vec<Vec<f64>> = rows.iter().rev().cloned().collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    let other = pool.install(|| explain(&ensemble, &reversed[1..], &background, &options));
    for row in 0..4 {
        assert_eq!(all.row(row, 0), other.row(3 - row, 0));
    }
    assert_ne!(all.values, explain(&ensemble, &rows, &background, &Options { seed: 4, ..options }).values);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let shape = Shape { n_trees: 2, depth: 2, n_features: 3, n_outputs: 1 };
    let mut ensemble = random_ensemble(1, shape);
    let rows = table(&random_rows(1, 2, 3));
    let refused = |ensemble: &TreeEnsemble, options: &Options| {
        let rows = Rows::F64(rows.view());
        let result = interventional_in_space(ensemble, rows, rows, None, options, &Work::default());
        result.expect_err("no sense").to_string()
    };
    let loss = options(OutputSpace::LogLoss);
    assert!(refused(&ensemble, &options(OutputSpace::Probability)).contains("take margin or value"));
    assert!(refused(&ensemble, &loss).contains("log_loss"));
    ensemble.link = Link::Sigmoid { slope: 1.0 };
    assert!(refused(&ensemble, &loss).contains("label of each row"));
    assert!(
        refused(&ensemble, &Options { labels: Some(vec![1]), ..loss.clone() })
            .contains("1 labels for 2 rows")
    );
    assert!(refused(&ensemble, &Options { labels: Some(vec![1, 2]), ..loss.clone() }).contains("0 to 1"));
    assert!(refused(&ensemble, &options(OutputSpace::LogOdds)).contains("probability"));
    let probability = options(OutputSpace::Probability);
    assert!(
        refused(&ensemble, &Options { n_permutations: 1, ..probability.clone() }).contains("n_permutations")
    );
    assert!(
        refused(&ensemble, &Options { max_exact_features: 30, ..probability }).contains("max_exact_features")
    );
    ensemble.base_scores = vec![0.0, 0.0];
    assert!(refused(&ensemble, &Options { labels: Some(vec![1, 0]), ..loss }).contains("each for itself"));
}

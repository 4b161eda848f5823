use ndarray::ArrayViewD;
use pellucid_core::Work;

use super::*;
use crate::testing::{
    Shape, banzhaf_values, binomial, chain, interventional_game, pairwise_values, random_ensemble,
    random_rows, shapley_values, table,
};

fn assert_near(name: &str, actual: ArrayViewD<'_, f64>, expected: &[f64]) {
    assert_eq!(actual.len(), expected.len(), "{name}");
    for (a, b) in actual.iter().zip(expected) {
        assert!((a - b).abs() < 1e-11, "{name}: {actual} instead of {expected:?}");
    }
}

#[test]
fn values_are_those_of_all_coalitions() {
    for seed in 0..12 {
        let depth = 1 + seed as usize % 8;
        let mut ensemble = random_ensemble(seed, Shape { n_trees: 4, depth, n_features: 8, n_outputs: 2 });
        ensemble.scale = 0.5;
        let (rows, background) = (random_rows(seed, 5, 8), random_rows(seed + 100, 7, 8));
        let (table, all) = (table(&rows), table(&background));
        let prepared = Interventional::new(&ensemble, Rows::F64(all.view()), &Work::default()).expect("fits");
        let shapley = prepared.explain(Rows::F64(table.view()), &Work::default()).expect("fits");
        let banzhaf = prepared.banzhaf(Rows::F64(table.view()), &Work::default()).expect("fits");
        for (row, values) in rows.iter().enumerate() {
            for output in 0..2 {
                let game = interventional_game(&ensemble, values, &background, |margins| margins[output]);
                assert_near("Shapley", shapley.row(row, output).view(), &shapley_values(&game));
                assert_near("Banzhaf", banzhaf.row(row, output).view(), &banzhaf_values(&game));
                assert!((prepared.base_values()[output] - game[0]).abs() < 1e-12);
            }
        }
        let delta = shapley.convergence_delta.expect("promised");
        assert!(delta.iter().all(|gap| gap.abs() < 1e-12), "{delta}");
    }
}

#[test]
fn interactions_are_those_of_all_coalitions() {
    // Half the Shapley interaction index: Σ_T |T|! (n − |T| − 2)! / (2 (n − 1)!) Δ_ij(T).
    let half_interaction = |game: &[f64], i: usize, j: usize| -> f64 {
        let n = game.len().ilog2() as usize;
        let (a, b) = (1 << i, 1 << j);
        let without = (0..game.len()).filter(|s| s & (a | b) == 0);
        without
            .map(|s: usize| {
                let difference = game[s | a | b] - game[s | a] - game[s | b] + game[s];
                let weight = 1.0 / (2.0 * (n - 1) as f64 * binomial(n - 2, s.count_ones() as usize));
                weight * difference
            })
            .sum()
    };
    for seed in 0..6 {
        let shape = Shape { n_trees: 3, depth: 2 + seed as usize, n_features: 7, n_outputs: 2 };
        let ensemble = random_ensemble(seed, shape);
        let (rows, background) = (random_rows(seed, 3, 7), random_rows(seed + 50, 5, 7));
        let (of_rows, of_background) = (table(&rows), table(&background));
        let (all, reference) = (Rows::F64(of_rows.view()), Rows::F64(of_background.view()));
        let result = interventional_interactions(&ensemble, all, reference, &Work::default()).expect("fits");
        for (row, values) in rows.iter().enumerate() {
            for output in 0..2 {
                let game = interventional_game(&ensemble, values, &background, |margins| margins[output]);
                let shapley = shapley_values(&game);
                let mut matrix = vec![0.0; 49];
                for i in 0..7 {
                    (0..7)
                        .filter(|&j| j != i)
                        .for_each(|j| matrix[7 * i + j] = half_interaction(&game, i, j));
                    matrix[8 * i] = shapley[i] - matrix[7 * i..7 * i + 7].iter().sum::<f64>();
                }
                assert_near("interactions", result.row(row, output).view(), &matrix);
            }
        }
    }
}

/// Against a slow recursion over each pair of row and background row.
fn check_pairwise(name: &str, ensemble: &TreeEnsemble, rows: &[Vec<f64>], background: &[Vec<f64>]) {
    let (of_rows, of_background) = (table(rows), table(background));
    let (all, background_rows) = (Rows::F64(of_rows.view()), Rows::F64(of_background.view()));
    let attribution = interventional(ensemble, all, background_rows, &Work::default()).expect("fits");
    for (row, values) in rows.iter().enumerate() {
        for output in 0..ensemble.n_outputs() {
            let mut mean = vec![0.0; values.len()];
            for reference in background {
                let pair = pairwise_values(ensemble, values, reference, output);
                mean.iter_mut().zip(pair).for_each(|(to, value)| *to += value / background.len() as f64);
            }
            assert_near(name, attribution.row(row, output).view(), &mean);
        }
    }
}

#[test]
fn leaves_of_many_features_go_without_tables() {
    for seed in 0..3 {
        let shape = Shape { n_trees: 2, depth: 18, n_features: 40, n_outputs: 1 };
        let ensemble = random_ensemble(seed, shape);
        check_pairwise("depth 18", &ensemble, &random_rows(seed, 3, 40), &random_rows(seed + 9, 20, 40));
    }
}

#[test]
fn trees_deeper_than_60_are_exact() {
    for (depth, n_features) in [(61, 5), (70, 14), (80, 80), (200, 150)] {
        let ensemble = chain(depth, n_features);
        ensemble.check().expect("a tree");
        let inner = |seed, n| -> Vec<Vec<f64>> {
            let shrink = |x: f64| if x.is_nan() { x } else { x.rem_euclid(1.0) - 0.5 };
            random_rows(seed, n, n_features)
                .iter()
                .map(|row| row.iter().map(|&x| shrink(x)).collect())
                .collect()
        };
        check_pairwise("chain", &ensemble, &inner(1, 3), &inner(2, 20));
    }
}

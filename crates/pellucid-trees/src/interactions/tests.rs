//! Against the definitions, written out over all coalitions.

use std::collections::BTreeMap;

use ndarray::Array2;

use super::*;
use crate::testing::{
    Shape, binomial, chain, interventional_game, path_dependent_game, random_ensemble, random_rows, table,
};

/// Values of sets, each a bit mask.
type Values = BTreeMap<usize, f64>;

fn size(set: usize) -> usize {
    set.count_ones() as usize
}

/// All of them, the set itself first.
fn subsets_of(set: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(set), move |&part| (part > 0).then(|| (part - 1) & set))
}

fn sets_up_to(n: usize, order: usize) -> impl Iterator<Item = usize> {
    (1..1_usize << n).filter(move |&set| size(set) <= order)
}

/// `Δ_S(T) = Σ_{L ⊆ S} (−1)^{|S| − |L|} v(T ∪ L)`.
fn derivative(game: &[f64], set: usize, at: usize) -> f64 {
    subsets_of(set).map(|part| (-1.0_f64).powi((size(set) - size(part)) as i32) * game[at | part]).sum()
}

fn sii(game: &[f64], n: usize, set: usize) -> f64 {
    let rest = ((1 << n) - 1) & !set;
    let free = n - size(set);
    subsets_of(rest)
        .map(|at| derivative(game, set, at) / ((free + 1) as f64 * binomial(free, size(at))))
        .sum()
}

/// n-Shapley values as Bordt and von Luxburg define them: order by order.
fn k_sii(game: &[f64], n: usize, order: usize) -> Values {
    let numbers = [1.0, -0.5, 1.0 / 6.0, 0.0, -1.0 / 30.0];
    let mut values = Values::new();
    for k in 1..=order {
        for set in sets_up_to(n, k) {
            if size(set) == k {
                values.insert(set, sii(game, n, set));
                continue;
            }
            let more = k - size(set);
            let larger = sets_up_to(n, k).filter(|&other| size(other) == k && set & !other == 0);
            let sum: f64 = larger.map(|other| sii(game, n, other)).sum();
            *values.get_mut(&set).expect("smaller orders came first") += numbers[more] * sum;
        }
    }
    values
}

fn stii(game: &[f64], n: usize, order: usize) -> Values {
    let value = |set: usize| {
        if size(set) < order {
            return derivative(game, set, 0);
        }
        let rest = ((1 << n) - 1) & !set;
        let sum: f64 = subsets_of(rest).map(|at| derivative(game, set, at) / binomial(n - 1, size(at))).sum();
        order as f64 / n as f64 * sum
    };
    sets_up_to(n, order).map(|set| (set, value(set))).collect()
}

/// The least squares fit of a polynomial of the order with Shapley weights, exact for nobody and for all, by Lagrange's
/// conditions.
fn faith_shap(game: &[f64], n: usize, order: usize) -> Values {
    let sets: Vec<usize> = sets_up_to(n, order).collect();
    let full = (1 << n) - 1;
    let m = sets.len();
    let mut system = vec![vec![0.0; m + 2]; m + 1];
    for coalition in 1..full {
        let k = size(coalition);
        let weight = (n - 1) as f64 / (binomial(n, k) * (k * (n - k)) as f64);
        let present: Vec<usize> = (0..m).filter(|&i| sets[i] & !coalition == 0).collect();
        for &i in &present {
            present.iter().for_each(|&j| system[i][j] += weight);
            system[i][m + 1] += weight * (game[coalition] - game[0]);
        }
    }
    system[..m].iter_mut().for_each(|row| row[m] = 1.0);
    system[m][..m].fill(1.0);
    system[m][m + 1] = game[full] - game[0];
    sets.into_iter().zip(solve(system)).collect()
}

/// Gauss's elimination with pivots.
fn solve(mut system: Vec<Vec<f64>>) -> Vec<f64> {
    let n = system.len();
    for column in 0..n {
        let pivot = (column..n)
            .max_by(|&a, &b| system[a][column].abs().total_cmp(&system[b][column].abs()))
            .expect("rows");
        system.swap(column, pivot);
        let pivot_row = system[column].clone();
        for row in (0..n).filter(|&row| row != column) {
            let factor = system[row][column] / pivot_row[column];
            system[row].iter_mut().zip(&pivot_row).for_each(|(to, x)| *to -= factor * x);
        }
    }
    (0..n).map(|i| system[i][n] / system[i][i]).collect()
}

fn by_definition(index: InteractionIndex, game: &[f64], order: usize) -> Values {
    let n = game.len().ilog2() as usize;
    match index {
        InteractionIndex::Sii => sets_up_to(n, order).map(|set| (set, sii(game, n, set))).collect(),
        InteractionIndex::KSii => k_sii(game, n, order),
        InteractionIndex::Stii => stii(game, n, order),
        InteractionIndex::FaithShap => faith_shap(game, n, order),
    }
}

fn check(ensemble: &TreeEnsemble, index: InteractionIndex, order: usize) {
    let n = ensemble.n_features;
    let (rows, background) = (random_rows(1, 2, n), random_rows(2, 4, n));
    let (of_rows, of_background) = (table(&rows), table(&background));
    let removals = [Removal::PathDependent, Removal::Interventional(Rows::F64(of_background.view()))];
    for removal in removals {
        let all = Rows::F64(of_rows.view());
        let result = interactions(ensemble, all, removal, index, order, &Work::default()).expect("fits");
        for (row, values) in rows.iter().enumerate() {
            for output in 0..ensemble.n_outputs() {
                let game = match removal {
                    Removal::PathDependent => path_dependent_game(ensemble, values, output),
                    Removal::Interventional(_) => {
                        interventional_game(ensemble, values, &background, |margins| margins[output])
                    }
                };
                assert!((result.base_values[output] - game[0]).abs() < 1e-12);
                let mut expected = by_definition(index, &game, order);
                for (set, value) in result.row(row, output) {
                    let mask = set.iter().map(|&feature| 1 << feature).sum();
                    let wanted = expected.remove(&mask).expect("a set of the order");
                    assert!(
                        (value - wanted).abs() < 1e-9,
                        "{index:?} {order} {removal:?} {set:?}: {value} instead of {wanted}"
                    );
                }
                assert!(
                    expected.values().all(|left| left.abs() < 1e-9),
                    "{index:?} {order}: missing {expected:?}"
                );
            }
        }
        let is_complete = |delta: &Array2<f64>| delta.iter().all(|gap| gap.abs() < 1e-9);
        assert_eq!(
            result.convergence_delta.as_ref().map(is_complete),
            (index != InteractionIndex::Sii).then_some(true)
        );
    }
}

#[test]
fn indices_follow_their_definitions() {
    for (_, index) in InteractionIndex::NAMES {
        for order in 1..=4 {
            for seed in 0..3 {
                let shape = Shape { n_trees: 3, depth: 2 + 2 * seed as usize, n_features: 6, n_outputs: 2 };
                let mut ensemble = random_ensemble(seed, shape);
                ensemble.scale = 0.5;
                check(&ensemble, index, order);
            }
        }
    }
}

#[test]
fn leaves_without_tables_follow_the_definitions() {
    for (_, index) in InteractionIndex::NAMES {
        check(&chain(13, 13), index, 1);
    }
    for (_, index) in &InteractionIndex::NAMES[..3] {
        check(&chain(13, 13), *index, 3);
    }
}

#[test]
fn trees_without_splits_have_no_interactions() {
    let shape = Shape { n_trees: 3, depth: 0, n_features: 4, n_outputs: 1 };
    let (ensemble, rows) = (random_ensemble(1, shape), table(&random_rows(1, 2, 4)));
    let index = InteractionIndex::FaithShap;
    let rows = Rows::F64(rows.view());
    let result =
        interactions(&ensemble, rows, Removal::PathDependent, index, 2, &Work::default()).expect("fits");
    assert!(result.sets.is_empty());
    assert_eq!(result.base_values, vec![result.outputs[[0, 0]]]);
}

#[test]
fn too_many_sets_are_refused() {
    let (ensemble, rows) = (chain(2000, 2000), table(&random_rows(1, 1, 2000)));
    let ask = |order: usize| {
        let rows = Rows::F64(rows.view());
        interactions(&ensemble, rows, Removal::PathDependent, InteractionIndex::Sii, order, &Work::default())
            .expect_err("no room")
            .to_string()
    };
    assert!(ask(3).contains("lower order"), "{}", ask(3));
    assert!(ask(0).contains("max_order"), "{}", ask(0));
}

//! What the methods are judged by: games over all coalitions in f64, and random ensembles.
//!
//! A game is a vector of 2^M outputs; bit `j` of the index is set where feature `j` is present.

use ndarray::{Array2, ArrayD};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::ensemble::*;
use crate::rows::Csr;

/// The output of `ensemble` at each coalition of `row`'s features: absent features follow both children, weighted by cover.
pub(crate) fn path_dependent_game(ensemble: &TreeEnsemble, row: &[f64], output: usize) -> Vec<f64> {
    (0..1_usize << ensemble.n_features)
        .map(|present| {
            let sum: f64 = ensemble.trees.iter().map(|tree| expectation(tree, 0, row, present, output)).sum();
            ensemble.base_scores[output] + ensemble.scale * sum
        })
        .collect()
}

fn expectation(tree: &Tree, node: usize, row: &[f64], present: usize, output: usize) -> f64 {
    match &tree.nodes[node] {
        TreeNode::Leaf { leaf, .. } if tree.outputs.contains(&output) => {
            tree.leaf(*leaf)[output - tree.outputs.start]
        }
        TreeNode::Leaf { .. } => 0.0,
        TreeNode::Split(split) => {
            let below = |child: u32| expectation(tree, child as usize, row, present, output);
            if present >> split.feature & 1 == 1 {
                return below(if split.goes_left(row[split.feature as usize]) {
                    split.left
                } else {
                    split.right
                });
            }
            let cover = |child: u32| tree.nodes[child as usize].cover();
            let total = cover(split.left) + cover(split.right);
            if total == 0.0 {
                return 0.0;
            }
            (cover(split.left) * below(split.left) + cover(split.right) * below(split.right)) / total
        }
    }
}

/// The mean over `background` of `value` (margins in, one number out) at each coalition of `row`'s features.
pub(crate) fn interventional_game(
    ensemble: &TreeEnsemble,
    row: &[f64],
    background: &[Vec<f64>],
    value: impl Fn(&[f64]) -> f64,
) -> Vec<f64> {
    (0..1_usize << ensemble.n_features)
        .map(|present| {
            let sum: f64 = background
                .iter()
                .map(|reference| {
                    let mixed: Vec<f64> = (0..row.len())
                        .map(|j| if present >> j & 1 == 1 { row[j] } else { reference[j] })
                        .collect();
                    value(&margins_f64(ensemble, &mixed))
                })
                .sum();
            sum / background.len() as f64
        })
        .collect()
}

/// The interventional Shapley values of `row` against one background row, by recursion (Lundberg et al. 2020, algorithm 3):
/// for ensembles with more features than coalitions can be counted of.
pub(crate) fn pairwise_values(
    ensemble: &TreeEnsemble,
    row: &[f64],
    reference: &[f64],
    output: usize,
) -> Vec<f64> {
    let mut values = vec![0.0; row.len()];
    for tree in ensemble.trees.iter().filter(|tree| tree.outputs.contains(&output)) {
        // Nodes to visit, with the features that must be the row's and those that must be the reference's.
        let mut stack = vec![(0_u32, Vec::new(), Vec::new())];
        while let Some((node, of_row, of_reference)) = stack.pop() {
            match &tree.nodes[node as usize] {
                TreeNode::Leaf { leaf, .. } => {
                    let value = ensemble.scale * tree.leaf(*leaf)[output - tree.outputs.start];
                    add_leaf(&mut values, value, &of_row, &of_reference);
                }
                TreeNode::Split(split) => {
                    let way = |x: f64| if split.goes_left(x) { split.left } else { split.right };
                    let feature = split.feature as usize;
                    let (a, b) = (way(row[feature]), way(reference[feature]));
                    if a == b || of_row.contains(&feature) {
                        stack.push((a, of_row, of_reference));
                    } else if of_reference.contains(&feature) {
                        stack.push((b, of_row, of_reference));
                    } else {
                        stack.push((a, [of_row.clone(), vec![feature]].concat(), of_reference.clone()));
                        stack.push((b, of_row, [of_reference, vec![feature]].concat()));
                    }
                }
            }
        }
    }
    values
}

fn add_leaf(values: &mut [f64], value: f64, of_row: &[usize], of_reference: &[usize]) {
    let (a, n) = (of_row.len(), of_row.len() + of_reference.len());
    // (a − 1)! b! / n! = 1 / (n C(n − 1, a − 1)), and a! (b − 1)! / n! = 1 / (n C(n − 1, a)).
    of_row.iter().for_each(|&j| values[j] += value / (n as f64 * binomial(n - 1, a - 1)));
    of_reference.iter().for_each(|&j| values[j] -= value / (n as f64 * binomial(n - 1, a)));
}

/// The margins of one row in f64, whatever the source's arithmetic.
pub(crate) fn margins_f64(ensemble: &TreeEnsemble, row: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; ensemble.n_outputs()];
    for tree in &ensemble.trees {
        let values = tree.leaf(tree.leaf_of(row));
        tree.outputs.clone().zip(values).for_each(|(output, value)| sums[output] += value);
    }
    sums.iter().zip(&ensemble.base_scores).map(|(sum, base)| base + ensemble.scale * sum).collect()
}

/// The Shapley values of a game, by their definition.
pub(crate) fn shapley_values(game: &[f64]) -> Vec<f64> {
    let n = game.len().ilog2() as usize;
    let weight = |size: usize| 1.0 / (n as f64 * binomial(n - 1, size));
    marginal_sums(game, weight)
}

/// The Banzhaf values of a game, by their definition.
pub(crate) fn banzhaf_values(game: &[f64]) -> Vec<f64> {
    let n = game.len().ilog2() as usize;
    marginal_sums(game, |_| 0.5_f64.powi(n as i32 - 1))
}

fn marginal_sums(game: &[f64], weight: impl Fn(usize) -> f64) -> Vec<f64> {
    let n = game.len().ilog2() as usize;
    let without = |j: usize| (0..game.len()).filter(move |s| s >> j & 1 == 0);
    (0..n)
        .map(|j| without(j).map(|s| weight(s.count_ones() as usize) * (game[s | 1 << j] - game[s])).sum())
        .collect()
}

/// Half the Shapley interaction index of each pair, by its definition, `Σ_T |T|! (n − |T| − 2)! / (2 (n − 1)!) Δ_ij(T)`; what is
/// left of the Shapley value on the diagonal. `[features, features]`.
pub(crate) fn interaction_values(game: &[f64]) -> Vec<f64> {
    let n = game.len().ilog2() as usize;
    let shapley = shapley_values(game);
    let mut values = vec![0.0; n * n];
    for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).filter(|(i, j)| i != j) {
        let without = (0..game.len()).filter(|s| s >> i & 1 == 0 && s >> j & 1 == 0);
        let index: f64 = without
            .map(|s| {
                let gain = game[s | 1 << i | 1 << j] - game[s | 1 << i] - game[s | 1 << j] + game[s];
                gain / ((n - 1) as f64 * binomial(n - 2, s.count_ones() as usize))
            })
            .sum();
        values[i * n + j] = index / 2.0;
    }
    for i in 0..n {
        let others: f64 = (0..n).filter(|&j| j != i).map(|j| values[i * n + j]).sum();
        values[i * n + i] = shapley[i] - others;
    }
    values
}

/// Within 1e-6 of what the game can give or take.
#[track_caller]
pub(crate) fn assert_of_game(what: &str, found: &ArrayD<f64>, game: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = game.iter().fold(1e-30_f64, |most, value| most.max((value - game[0]).abs()));
    for (found, wanted) in found.iter().zip(expected) {
        let error = (found - wanted).abs() / scale;
        assert!(error <= 1e-6, "{what}: {found} instead of {wanted}, off by {error:e} of {scale}");
    }
}

/// n over k.
pub(crate) fn binomial(n: usize, k: usize) -> f64 {
    (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product()
}

/// What random ensembles look like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) n_trees: usize,
    pub(crate) depth: usize,
    pub(crate) n_features: usize,
    pub(crate) n_outputs: usize,
}

/// A random ensemble: numeric and categorical splits, missing directions of all kinds, covers that add up, some of them 0.
pub(crate) fn random_ensemble(seed: u64, shape: Shape) -> TreeEnsemble {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let trees = (0..shape.n_trees)
        .map(|t| {
            let output = t % shape.n_outputs;
            let mut tree = Tree { nodes: Vec::new(), leaf_values: Vec::new(), outputs: output..output + 1 };
            grow(&mut tree, &mut random, shape, shape.depth, 1000.0);
            tree
        })
        .collect();
    TreeEnsemble {
        trees,
        n_features: shape.n_features,
        base_scores: (0..shape.n_outputs).map(|k| 0.25 + k as f64).collect(),
        scale: 1.0,
        link: Link::Identity,
        precision: Precision::F64,
        arithmetic: Arithmetic::F64,
        absent: 0.0,
        missing_value: None,
        feature_names: None,
        output_names: None,
        categories: None,
        has_covers: true,
        provenance: Provenance::default(),
    }
}

fn grow(tree: &mut Tree, random: &mut ChaCha8Rng, shape: Shape, depth: usize, cover: f64) -> u32 {
    let index = tree.nodes.len() as u32;
    if depth == 0 || uniform(random) < 0.1 {
        let leaf = tree.leaf_values.len() as u32;
        tree.leaf_values.push(uniform(random) * 2.0 - 1.0);
        tree.nodes.push(TreeNode::Leaf { leaf, cover });
        return index;
    }
    tree.nodes.push(TreeNode::Leaf { leaf: 0, cover });
    let share = if uniform(random) < 0.1 { 0.0 } else { uniform(random) };
    let (feature, test, missing) = random_test(random, shape);
    let left = grow(tree, random, shape, depth - 1, cover * share);
    let right = grow(tree, random, shape, depth - 1, cover * (1.0 - share));
    tree.nodes[index as usize] =
        TreeNode::Split(Split { feature, test, missing, left, right, cover, gain: uniform(random) });
    index
}

fn random_test(random: &mut ChaCha8Rng, shape: Shape) -> (u32, Test, Missing) {
    let feature = random.next_u32() % shape.n_features as u32;
    let test = match feature % 3 {
        2 => {
            let word = random.next_u64();
            let fraction = [Fraction::Cut, Fraction::Floor, Fraction::None][(word % 3) as usize];
            Test::In(CategorySet { words: vec![word], other_left: uniform(random) < 0.5, fraction })
        }
        _ => Test::AtMost(uniform(random) * 2.0 - 1.0),
    };
    (feature, test, Missing { nan_left: uniform(random) < 0.5, zero: uniform(random) < 0.2 })
}

/// A tree that is one path of `depth` numeric splits, the features in turn; every second split goes on to the right.
pub(crate) fn chain(depth: usize, n_features: usize) -> TreeEnsemble {
    let mut nodes = Vec::new();
    for level in 0..depth {
        let (leaf, next) = (2 * level as u32 + 1, 2 * level as u32 + 2);
        let (left, right) = if level % 2 == 0 { (next, leaf) } else { (leaf, next) };
        nodes.push(TreeNode::Split(Split {
            feature: (level % n_features) as u32,
            // The thresholds of a feature close in from both sides, so that all leaves can be reached.
            test: Test::AtMost(if level % 2 == 0 { 1.0 } else { -1.0 } * (1.0 - level as f64 / depth as f64)),
            missing: Missing { nan_left: level % 3 == 0, zero: false },
            left,
            right,
            cover: (depth - level + 1) as f64,
            gain: 1.0,
        }));
        nodes.push(TreeNode::Leaf { leaf: level as u32, cover: 1.0 });
    }
    nodes.push(TreeNode::Leaf { leaf: depth as u32, cover: 1.0 });
    let leaf_values = (0..=depth).map(|leaf| (leaf % 7) as f64 - 2.5).collect();
    let tree = Tree { nodes, leaf_values, outputs: 0..1 };
    TreeEnsemble { has_covers: true, ..TreeEnsemble::new(vec![tree], n_features, 1) }
}

/// A tree with all nodes of `depth` levels of numeric splits.
pub(crate) fn complete_tree(depth: usize, n_features: u32) -> Tree {
    let first_leaf = (1_u32 << depth) - 1;
    let split = |node: u32| Split {
        feature: (node.wrapping_mul(2_654_435_761) >> 7) % n_features,
        test: Test::AtMost(f64::from(node % 13) / 13.0 - 0.5),
        missing: Missing { nan_left: node.is_multiple_of(2), zero: false },
        left: 2 * node + 1,
        right: 2 * node + 2,
        cover: f64::from(1_u32 << (depth as u32 - (node + 1).ilog2())),
        gain: 0.0,
    };
    let node = |node: u32| match node.checked_sub(first_leaf) {
        Some(leaf) => TreeNode::Leaf { leaf, cover: 1.0 },
        None => TreeNode::Split(split(node)),
    };
    let leaf_value = |leaf: u32| f64::from(leaf.wrapping_mul(97) % 1000) / 1000.0;
    Tree {
        nodes: (0..2 * first_leaf + 1).map(node).collect(),
        leaf_values: (0..=first_leaf).map(leaf_value).collect(),
        outputs: 0..1,
    }
}

/// Random rows that fit [`random_ensemble`]: some values missing, some 0; every third feature holds categories.
pub(crate) fn random_rows(seed: u64, n_rows: usize, n_features: usize) -> Vec<Vec<f64>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut cell = |feature: usize| match (uniform(&mut random), feature % 3) {
        (u, _) if u < 0.1 => f64::NAN,
        (u, _) if u < 0.2 => 0.0,
        (u, 2) => (u * 70.0).floor(),
        (u, _) => u * 2.4 - 1.2,
    };
    (0..n_rows).map(|_| (0..n_features).map(&mut cell).collect()).collect()
}

/// Rows as a table.
pub(crate) fn table(rows: &[Vec<f64>]) -> Array2<f64> {
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

/// Rows without the cells that are `absent`.
pub(crate) fn sparse(table: &Array2<f64>, absent: f64) -> Csr {
    let (mut starts, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
    for row in table.rows() {
        let is_absent = |x: f64| x == absent || (x.is_nan() && absent.is_nan());
        for (column, &value) in row.iter().enumerate().filter(|(_, x)| !is_absent(**x)) {
            columns.push(column as u32);
            values.push(value);
        }
        starts.push(values.len());
    }
    Csr::new(starts, columns, values, table.ncols()).expect("rows that hold together")
}

/// Rows as the model compares them.
pub(crate) fn compared(ensemble: &TreeEnsemble, table: &Array2<f64>) -> Vec<Vec<f64>> {
    let compared = |row: ndarray::ArrayView1<'_, f64>| row.iter().map(|&x| ensemble.compared(x)).collect();
    table.rows().into_iter().map(compared).collect()
}

fn uniform(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[test]
fn values_of_a_known_game() {
    // Gloves: a has a left one, b and c have right ones; a pair is worth 1.
    let game = [0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0];
    let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-15);
    assert!(close(&shapley_values(&game), &[2.0 / 3.0, 1.0 / 6.0, 1.0 / 6.0]));
    assert!(close(&banzhaf_values(&game), &[0.75, 0.25, 0.25]));
}

#[test]
fn random_ensembles_hold_together() {
    for seed in 0..20 {
        let ensemble = random_ensemble(seed, Shape { n_trees: 5, depth: 6, n_features: 7, n_outputs: 2 });
        ensemble.check().expect("a well-formed ensemble");
        let rows = random_rows(seed, 4, 7);
        let table = table(&rows);
        let margins = ensemble.margins(crate::Rows::F64(table.view())).expect("rows fit");
        for (row, margin) in rows.iter().zip(margins.rows()) {
            let game = path_dependent_game(&ensemble, row, 1);
            assert_eq!(game.last(), Some(&margin[1]));
            assert_eq!(margins_f64(&ensemble, row), margin.to_vec());
            let game = interventional_game(&ensemble, row, &rows[..1], |margins| margins[1]);
            assert_eq!([game[0], game[127]], [margins[[0, 1]], margin[1]]);
        }
    }
}

#![doc = include_str!("dependence.md")]

use ndarray::{Array2, Array3, ArrayView2, Axis, s};
use pellucid_core::{OutputSpace, Work};
use rayon::prelude::*;

use crate::ensemble::{Precision, Test, Tree, TreeEnsemble, TreeNode};
use crate::error::Error;
use crate::interventional::shares;
use crate::output_space::Space;
use crate::rows::Rows;

/// Background rows that are read at a time.
const CHUNK_ROWS: usize = 4096;

/// What is asked of the curves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Margin, probability or value; all but the margin need the curve of each row.
    pub space: OutputSpace,
    /// Whether the curves of single rows are kept.
    pub individual: bool,
}

/// How outputs follow some features.
#[derive(Clone, Debug, PartialEq)]
pub struct Dependence {
    /// The values of the features, `[points, features]`.
    pub grid: Array2<f64>,
    /// The mean over the background, `[points, outputs]`.
    pub mean: Array2<f64>,
    /// The curves of the background's rows, `[rows, points, outputs]`, where they were asked for.
    pub individual: Option<Array3<f64>>,
}

impl Dependence {
    /// The curves of rows, less their values at the first point.
    pub fn centered(&self) -> Option<Array3<f64>> {
        let curves = self.individual.as_ref()?;
        Some(curves - &curves.slice(s![.., ..1, ..]))
    }
}

/// Partial dependence of the outputs on some features, over a background whose rows count alike where there are no weights.
///
/// # Errors
/// A background of another width than the model or without rows, features that the model does not have or that come twice, a
/// grid with another number of columns, a space that the model does not have, curves that do not fit into the memory,
/// cancellation.
pub fn dependence(
    ensemble: &TreeEnsemble,
    background: Rows<'_>,
    weights: Option<&[f64]>,
    features: &[usize],
    grid: ArrayView2<'_, f64>,
    options: &Options,
    work: &Work,
) -> Result<Dependence, Error> {
    ensemble.check()?;
    background.check(ensemble, "background")?;
    let even = vec![1.0; background.n_rows()];
    let weights = shares(background, weights.unwrap_or(&even))?;
    let space = Space::new(ensemble, options.space, None, background.n_rows())?;
    check_features(ensemble, features, grid)?;
    let compared = grid.mapv(|x| ensemble.compared(x));
    let curves = Curves { ensemble, features, grid: compared.view() };
    let n_values = background.n_rows() * grid.nrows() * ensemble.n_outputs();
    if options.individual && n_values.saturating_mul(8) > work.max_memory_bytes {
        let reason =
            format!("{n_values} values do not fit into {} bytes; take fewer rows", work.max_memory_bytes);
        return Err(Error::Setting { option: "individual", reason });
    }
    work.progress.begin(background.n_rows());
    let outcome = match options.individual || !space.is_margin() {
        true => curves.of_rows(background, &weights, &space, options.individual, work),
        false => curves.mean_margins(background, &weights, work).map(|mean| (mean, None)),
    };
    work.progress.end();
    let (mean, individual) = outcome?;
    Ok(Dependence { grid: grid.to_owned(), mean, individual })
}

/// Values of a feature, one on each step of the model, ascending: its thresholds, each the last value of its step, and one
/// beyond them; for categories all that some split names, and one that none names. Empty where no split tests the feature.
///
/// # Errors
/// A feature that the model does not have.
pub fn threshold_grid(ensemble: &TreeEnsemble, feature: usize) -> Result<Vec<f64>, Error> {
    check_features(ensemble, &[feature], Array2::zeros((0, 1)).view())?;
    let mut values = Vec::new();
    let mut categories = Vec::new();
    let splits = ensemble.trees.iter().flat_map(Tree::splits);
    for split in splits.filter(|split| split.feature as usize == feature) {
        match &split.test {
            Test::AtMost(threshold) if threshold.is_finite() => values.push(*threshold),
            Test::AtMost(_) => {}
            Test::In(set) => {
                let named = 0..64 * set.words.len();
                categories
                    .extend(named.filter(|&category| set.words[category / 64] >> (category % 64) & 1 == 1));
            }
        }
    }
    if let Some(last) = values.iter().copied().max_by(f64::total_cmp) {
        values.push(match ensemble.precision {
            Precision::F32 => f64::from((last as f32).next_up()),
            Precision::F64 => last.next_up(),
        });
    }
    if !categories.is_empty() {
        let unnamed = (0..).find(|category| !categories.contains(category));
        values.extend(categories.iter().copied().chain(unnamed).map(|category| category as f64));
    }
    values.sort_unstable_by(f64::total_cmp);
    values.dedup();
    Ok(values)
}

fn check_features(
    ensemble: &TreeEnsemble,
    features: &[usize],
    grid: ArrayView2<'_, f64>,
) -> Result<(), Error> {
    let fault = |option: &'static str, reason: String| Err(Error::Setting { option, reason });
    if let Some(feature) = features.iter().find(|&&feature| feature >= ensemble.n_features) {
        return fault("features", format!("{feature} of {}", ensemble.n_features));
    }
    if features.iter().enumerate().any(|(place, feature)| features[..place].contains(feature)) {
        return fault("features", format!("{features:?} names one twice"));
    }
    if features.is_empty() || grid.ncols() != features.len() {
        return fault("grid", format!("{} columns for {} features", grid.ncols(), features.len()));
    }
    Ok(())
}

struct Curves<'a, 'g> {
    ensemble: &'a TreeEnsemble,
    features: &'a [usize],
    /// As the model compares values.
    grid: ArrayView2<'g, f64>,
}

impl Curves<'_, '_> {
    /// The curve of each row, and their mean; the curves are given where they are wanted.
    fn of_rows(
        &self,
        rows: Rows<'_>,
        weights: &[f64],
        space: &Space<'_>,
        keep: bool,
        work: &Work,
    ) -> Result<(Array2<f64>, Option<Array3<f64>>), Error> {
        let shape = (self.grid.nrows(), self.ensemble.n_outputs());
        let n_kept = if keep { rows.n_rows() } else { 0 };
        let mut kept = Array3::zeros((n_kept, shape.0, shape.1));
        let mut mean = Array2::zeros(shape);
        // Chunks small enough that curves that are not kept take little.
        let n_at_once = (work.max_memory_bytes / 16 / (shape.0 * shape.1).max(1)).clamp(1, CHUNK_ROWS);
        for first in (0..rows.n_rows()).step_by(n_at_once) {
            work.check()?;
            let end = rows.n_rows().min(first + n_at_once);
            let curve = |index: usize| {
                let mut row = vec![0.0; self.ensemble.n_features];
                rows.fill(index, self.ensemble, &mut row);
                self.of_row(&row, space)
            };
            let curves: Vec<Array2<f64>> = (first..end).into_par_iter().map(curve).collect();
            for (index, curve) in (first..end).zip(&curves) {
                mean.scaled_add(weights[index], curve);
                if keep {
                    kept.index_axis_mut(Axis(0), index).assign(curve);
                }
            }
            work.progress.advance(end - first);
        }
        Ok((mean, keep.then_some(kept)))
    }

    fn of_row(&self, row: &[f64], space: &Space<'_>) -> Array2<f64> {
        let mut curve = Array2::zeros((self.grid.nrows(), self.ensemble.n_outputs()));
        for tree in &self.ensemble.trees {
            self.walk(tree, &[(row, 1.0)], &mut curve);
        }
        self.finish(&mut curve);
        for mut outputs in curve.rows_mut() {
            let mut value = outputs.to_vec();
            space.value(0, &mut outputs.to_vec(), &mut value);
            outputs.iter_mut().zip(value).for_each(|(to, value)| *to = value);
        }
        curve
    }

    /// The mean margins, `[points, outputs]`: tree by tree, with the weights of the rows at each leaf.
    fn mean_margins(&self, rows: Rows<'_>, weights: &[f64], work: &Work) -> Result<Array2<f64>, Error> {
        let mut mean = Array2::zeros((self.grid.nrows(), self.ensemble.n_outputs()));
        for first in (0..rows.n_rows()).step_by(CHUNK_ROWS) {
            work.check()?;
            let end = rows.n_rows().min(first + CHUNK_ROWS);
            let mut table = Array2::zeros((end - first, self.ensemble.n_features));
            for (index, mut row) in (first..end).zip(table.rows_mut()) {
                rows.fill(index, self.ensemble, row.as_slice_mut().unwrap_or_default());
            }
            let chunk: Vec<(&[f64], f64)> = table
                .rows()
                .into_iter()
                .map(|row| row.to_slice().unwrap_or_default())
                .zip(weights[first..].iter().copied())
                .collect();
            let of_tree = |tree: &Tree| {
                let mut sums = Array2::zeros(mean.dim());
                self.walk(tree, &chunk, &mut sums);
                sums
            };
            let of_trees: Vec<Array2<f64>> = self.ensemble.trees.par_iter().map(of_tree).collect();
            of_trees.iter().for_each(|sums| mean += sums);
            work.progress.advance(end - first);
        }
        self.finish(&mut mean);
        Ok(mean)
    }

    /// From sums of leaves to margins.
    fn finish(&self, sums: &mut Array2<f64>) {
        *sums *= self.ensemble.scale;
        for (mut of_output, base) in sums.columns_mut().into_iter().zip(&self.ensemble.base_scores) {
            of_output += *base;
        }
    }

    /// Adds the weighted leaves of a tree: splits on the features part the grid, the others part the rows.
    fn walk(&self, tree: &Tree, rows: &[(&[f64], f64)], into: &mut Array2<f64>) {
        // Nodes, with the rows and the grid points that come there.
        let mut left_to_do: Vec<(u32, Vec<usize>, Vec<usize>)> =
            vec![(0, (0..rows.len()).collect(), (0..self.grid.nrows()).collect())];
        while let Some((node, members, points)) = left_to_do.pop() {
            if members.is_empty() || points.is_empty() {
                continue;
            }
            match &tree.nodes[node as usize] {
                TreeNode::Leaf { leaf, .. } => {
                    let weight: f64 = members.iter().map(|&row| rows[row].1).sum();
                    for (output, value) in tree.outputs.clone().zip(tree.leaf(*leaf)) {
                        points.iter().for_each(|&point| into[[point, output]] += weight * value);
                    }
                }
                TreeNode::Split(split) => {
                    let feature = split.feature as usize;
                    if let Some(column) = self.features.iter().position(|&explained| explained == feature) {
                        let goes_left = |point: &usize| split.goes_left(self.grid[[*point, column]]);
                        let (left, right) = points.into_iter().partition(goes_left);
                        left_to_do.push((split.left, members.clone(), left));
                        left_to_do.push((split.right, members, right));
                    } else {
                        let (left, right) =
                            members.into_iter().partition(|&row| split.goes_left(rows[row].0[feature]));
                        left_to_do.push((split.left, left, points.clone()));
                        left_to_do.push((split.right, right, points));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ensemble::Link;
    use crate::testing::{Shape, margins_f64, random_ensemble, random_rows, table};

    const MARGIN: Options = Options { space: OutputSpace::Margin, individual: false };

    fn ask(
        ensemble: &TreeEnsemble,
        background: &[Vec<f64>],
        features: &[usize],
        grid: &Array2<f64>,
        options: Options,
    ) -> Result<Dependence, Error> {
        let background = table(background);
        let rows = Rows::F64(background.view());
        dependence(ensemble, rows, None, features, grid.view(), &options, &Work::default())
    }

    /// Against the definition: every row with every point put in.
    fn check(
        ensemble: &TreeEnsemble,
        background: &[Vec<f64>],
        features: &[usize],
        grid: &Array2<f64>,
        options: Options,
    ) {
        let result = ask(ensemble, background, features, grid, options).expect("fits");
        for (point, values) in grid.rows().into_iter().enumerate() {
            let mut mean = vec![0.0; ensemble.n_outputs()];
            for (index, row) in background.iter().enumerate() {
                let mut row = row.clone();
                features.iter().zip(values).for_each(|(&feature, &value)| row[feature] = value);
                let mut output = margins_f64(ensemble, &row);
                if options.space != OutputSpace::Margin {
                    ensemble.link.apply(&mut output);
                }
                for (k, value) in output.iter().enumerate() {
                    mean[k] += value / background.len() as f64;
                    if let Some(curves) = &result.individual {
                        assert!((curves[[index, point, k]] - value).abs() < 1e-12);
                        let first = curves[[index, 0, k]];
                        let centered = result.centered().expect("kept")[[index, point, k]];
                        assert_eq!(centered, curves[[index, point, k]] - first);
                    }
                }
            }
            for (k, value) in mean.iter().enumerate() {
                assert!((result.mean[[point, k]] - value).abs() < 1e-12, "{options:?}");
            }
        }
        assert_eq!(result.individual.is_some(), options.individual);
    }

    #[test]
    fn curves_are_those_of_the_definition() {
        for seed in 0..6 {
            let shape = Shape { n_trees: 6, depth: 1 + seed as usize, n_features: 6, n_outputs: 3 };
            let mut ensemble = random_ensemble(seed, shape);
            (ensemble.scale, ensemble.link) = (0.5, Link::Softmax);
            let background = random_rows(seed, 30, 6);
            for features in [&[0][..], &[2], &[1, 2], &[5, 0, 3]] {
                let points = random_rows(seed + 7, 9, 6);
                let grid = Array2::from_shape_fn((9, features.len()), |(i, j)| points[i][features[j]]);
                for space in [OutputSpace::Margin, OutputSpace::Probability] {
                    for individual in [false, true] {
                        check(&ensemble, &background, features, &grid, Options { space, individual });
                    }
                }
            }
        }
    }

    #[test]
    fn a_threshold_grid_meets_every_step() {
        let shape = Shape { n_trees: 5, depth: 4, n_features: 3, n_outputs: 1 };
        for precision in [Precision::F32, Precision::F64] {
            let mut ensemble = random_ensemble(3, shape);
            ensemble.precision = precision;
            for node in ensemble.trees.iter_mut().flat_map(|tree| &mut tree.nodes) {
                if let TreeNode::Split(split) = node {
                    split.missing.zero = false;
                    if let Test::AtMost(threshold) = &mut split.test {
                        *threshold = f64::from(*threshold as f32);
                    }
                }
            }
            let background = random_rows(5, 10, 3);
            for feature in 0..3 {
                let grid = threshold_grid(&ensemble, feature).expect("known");
                assert!(grid.is_sorted());
                let column = |values: &[f64]| Array2::from_shape_fn((values.len(), 1), |(i, _)| values[i]);
                let steps =
                    ask(&ensemble, &background, &[feature], &column(&grid), MARGIN).expect("fits").mean;
                // What lies anywhere between lies on the step of the next grid point; categories on their own.
                let between: Vec<f64> = match feature {
                    2 => (0..90).map(f64::from).collect(),
                    _ => (-60..60).map(|i| f64::from(i) / 37.0).collect(),
                };
                let wanted =
                    ask(&ensemble, &background, &[feature], &column(&between), MARGIN).expect("fits").mean;
                for (value, wanted) in between.iter().zip(wanted) {
                    let step =
                        grid.iter().position(|point| value <= point && (feature != 2 || value == point));
                    let is_met = match step {
                        Some(step) => (steps[[step, 0]] - wanted).abs() < 1e-12,
                        None => steps.iter().any(|step| (step - wanted).abs() < 1e-12),
                    };
                    assert!(is_met, "feature {feature} at {value}: {wanted} is not on {steps}");
                }
            }
        }
    }

    #[test]
    fn weights_are_repeated_rows() {
        let shape = Shape { n_trees: 5, depth: 4, n_features: 3, n_outputs: 1 };
        let (ensemble, rows) = (random_ensemble(3, shape), random_rows(1, 3, 3));
        let grid = Array2::from_shape_fn((5, 1), |(i, _)| i as f64 / 3.0 - 0.7);
        let repeated = [rows.clone(), rows[1..2].to_vec()].concat();
        let expected = ask(&ensemble, &repeated, &[0], &grid, MARGIN).expect("fits").mean;
        let (rows, weights) = (table(&rows), [1.0, 2.0, 1.0]);
        let rows = Rows::F64(rows.view());
        let result =
            dependence(&ensemble, rows, Some(&weights), &[0], grid.view(), &MARGIN, &Work::default());
        assert!((result.expect("fits").mean - expected).iter().all(|gap| gap.abs() < 1e-14));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let shape = Shape { n_trees: 2, depth: 2, n_features: 3, n_outputs: 1 };
        let (ensemble, rows) = (random_ensemble(1, shape), random_rows(1, 2, 3));
        let refused = |features: &[usize], n_columns: usize, options: Options| {
            let grid = Array2::zeros((2, n_columns));
            ask(&ensemble, &rows, features, &grid, options).expect_err("no sense").to_string()
        };
        assert!(refused(&[3], 1, MARGIN).contains("3 of 3"));
        assert!(refused(&[1, 1], 2, MARGIN).contains("twice"));
        assert!(refused(&[1], 2, MARGIN).contains("2 columns for 1 features"));
        assert!(
            refused(&[1], 1, Options { space: OutputSpace::Probability, ..MARGIN }).contains("probability")
        );
        assert!(threshold_grid(&ensemble, 9).is_err());
        assert_eq!(threshold_grid(&TreeEnsemble::new(Vec::new(), 2, 1), 1), Ok(Vec::new()));
    }
}

//! The interaction of two numeric features near the data.

use ndarray::{Array2, Array3, ArrayView2, ArrayViewMut1, Axis, Slice};
use pellucid_core::Work;

use super::{Options, bin_of, edges};
use crate::batches::in_batches;
use crate::effects::table::checked;
use crate::error::Error;
use crate::predictor::{Predictor, predict};

/// Rows that are looked at together: each is asked about four times.
const AT_ONCE: usize = 1024;

/// How outputs follow two features beyond what each gives alone.
#[derive(Clone, Debug, PartialEq)]
pub struct AccumulatedPair {
    /// The edges of the bins of either feature.
    pub points: [Vec<f64>; 2],
    /// The interaction at each point, of mean 0 over the rows, `[points, points, outputs]`.
    pub effect: Array3<f64>,
    /// Rows of each cell, `[bins, bins]`; where there are none, the nearest cell's difference stands.
    pub n_rows: Array2<usize>,
}

/// The accumulated local effect of a pair of numeric features over `rows` `[rows, features]`.
///
/// # Errors
/// As [`super::accumulated`]; the same feature twice.
pub fn accumulated_pair(
    predictor: &dyn Predictor,
    rows: ArrayView2<'_, f64>,
    features: [usize; 2],
    options: &Options,
    work: &Work,
) -> Result<AccumulatedPair, Error> {
    checked(predictor, rows, &features)?;
    if features[0] == features[1] {
        return Err(Error::setting("features", "a pair has two different features"));
    }
    let points = [edges(rows, features[0], options.n_bins)?, edges(rows, features[1], options.n_bins)?];
    let (mut differences, n_rows) = differences(predictor, rows, features, &points, work)?;
    fill_empty_cells(&mut differences, &n_rows, &points);
    let effect = centered(&differences, &n_rows);
    Ok(AccumulatedPair { points, effect, n_rows })
}

/// The mean second difference of each cell, `[bins, bins, outputs]`, and the rows in it.
fn differences(
    predictor: &dyn Predictor,
    rows: ArrayView2<'_, f64>,
    features: [usize; 2],
    points: &[Vec<f64>; 2],
    work: &Work,
) -> Result<(Array3<f64>, Array2<usize>), Error> {
    let (n, m) = (points[0].len() - 1, points[1].len() - 1);
    let mut sums = Array3::zeros((n, m, predictor.n_outputs()));
    let mut n_rows = Array2::zeros((n, m));
    for range in in_batches(rows.nrows(), AT_ONCE) {
        let cells: Vec<[usize; 2]> = range
            .clone()
            .map(|row| [0, 1].map(|side| bin_of(&points[side], rows[[row, features[side]]])))
            .collect();
        let mut corners = Array2::zeros((4 * range.len(), rows.ncols()));
        for (number, mut slot) in corners.outer_iter_mut().enumerate() {
            let (place, corner) = (number / 4, number % 4);
            slot.assign(&rows.row(range.start + place));
            slot[features[0]] = points[0][cells[place][0] + (corner >> 1)];
            slot[features[1]] = points[1][cells[place][1] + (corner & 1)];
        }
        let outputs = predict(predictor, corners.view().into_dyn(), work)?;
        for (place, &[a, b]) in cells.iter().enumerate() {
            for (corner, sign) in [1.0, -1.0, -1.0, 1.0].into_iter().enumerate() {
                cell_mut(&mut sums, a, b).scaled_add(sign, &outputs.row(4 * place + corner));
            }
            n_rows[[a, b]] += 1;
        }
    }
    for ((a, b), &n) in n_rows.indexed_iter() {
        cell_mut(&mut sums, a, b).mapv_inplace(|sum| sum / (n as f64).max(1.0));
    }
    Ok((sums, n_rows))
}

/// The outputs of one cell.
fn cell_mut(cells: &mut Array3<f64>, a: usize, b: usize) -> ArrayViewMut1<'_, f64> {
    cells.index_axis_mut(Axis(0), a).index_axis_move(Axis(0), b)
}

/// A cell without rows takes the difference of the nearest one that has some, by the middles of cells in units of the ranges.
fn fill_empty_cells(differences: &mut Array3<f64>, n_rows: &Array2<usize>, points: &[Vec<f64>; 2]) {
    let middle = |side: usize, bin: usize| {
        let edges = &points[side];
        (edges[bin] + edges[bin + 1]) / 2.0 / (edges[edges.len() - 1] - edges[0])
    };
    let known: Vec<(usize, usize)> =
        n_rows.indexed_iter().filter(|(_, n)| **n > 0).map(|(cell, _)| cell).collect();
    let empty = n_rows.indexed_iter().filter(|(_, n)| **n == 0).map(|(cell, _)| cell);
    for (a, b) in empty {
        let distance = |&&(c, d): &&(usize, usize)| {
            (middle(0, a) - middle(0, c)).powi(2) + (middle(1, b) - middle(1, d)).powi(2)
        };
        let nearest = known.iter().min_by(|x, y| distance(x).total_cmp(&distance(y)));
        if let Some(&(c, d)) = nearest {
            let difference = cell_mut(differences, c, d).to_owned();
            cell_mut(differences, a, b).assign(&difference);
        }
    }
}

/// Differences added up over both features, less what each gives alone, less the mean over rows.
fn centered(differences: &Array3<f64>, n_rows: &Array2<usize>) -> Array3<f64> {
    let (n, m, n_outputs) = differences.dim();
    let mut effect = Array3::zeros((n + 1, m + 1, n_outputs));
    let (rows, columns) = (Slice::from(1..), Slice::from(1..));
    effect.slice_axis_mut(Axis(0), rows).slice_axis_mut(Axis(1), columns).assign(differences);
    effect.accumulate_axis_inplace(Axis(0), |&before, current| *current += before);
    effect.accumulate_axis_inplace(Axis(1), |&before, current| *current += before);
    let along = [along(&effect, n_rows, 0), along(&effect, n_rows, 1)];
    for ((a, b, output), value) in effect.indexed_iter_mut() {
        *value -= along[0][[a, output]] + along[1][[b, output]];
    }
    let total = n_rows.sum() as f64;
    for output in 0..n_outputs {
        let of_cell = |a: usize, b: usize| {
            (effect[[a, b, output]]
                + effect[[a + 1, b, output]]
                + effect[[a, b + 1, output]]
                + effect[[a + 1, b + 1, output]])
                / 4.0
        };
        let mean: f64 =
            n_rows.indexed_iter().map(|((a, b), &rows)| rows as f64 * of_cell(a, b)).sum::<f64>() / total;
        effect.index_axis_mut(Axis(2), output).mapv_inplace(|value| value - mean);
    }
    effect
}

/// What the accumulated surface gives along one feature alone, from 0 on, `[points, outputs]`: the mean step over the rows of each bin.
fn along(surface: &Array3<f64>, n_rows: &Array2<usize>, side: usize) -> Array2<f64> {
    let surface = if side == 0 { surface.view() } else { surface.view().permuted_axes([1, 0, 2]) };
    let n_rows = if side == 0 { n_rows.view() } else { n_rows.view().reversed_axes() };
    let mut effect = Array2::zeros((surface.dim().0, surface.dim().2));
    for bin in 0..n_rows.nrows() {
        let in_bin = n_rows.row(bin).sum() as f64;
        for output in 0..effect.ncols() {
            let step = |cell: usize, edge: usize| {
                surface[[bin + 1, cell + edge, output]] - surface[[bin, cell + edge, output]]
            };
            let of_cell =
                |(cell, &rows): (usize, &usize)| rows as f64 * (step(cell, 0) + step(cell, 1)) / 2.0;
            let sum: f64 = n_rows.row(bin).iter().enumerate().map(of_cell).sum();
            effect[[bin + 1, output]] = effect[[bin, output]] + sum / in_bin.max(1.0);
        }
    }
    effect
}

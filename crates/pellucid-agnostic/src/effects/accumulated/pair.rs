//! The interaction of two numeric features near the data.

use ndarray::{Array1, Array2, Array3, ArrayView2, Axis, Ix1, Slice};
use pellucid_core::{RunningMean, Work};

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
    /// Its standard error, `[points, points, outputs]`; `None` where no cell has two rows. A cell of one row has the variance of
    /// the others, taken together.
    pub standard_error: Option<Array3<f64>>,
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
    let cells = differences(predictor, rows, features, &points, work)?;
    let n_rows = cells.map(RunningMean::n_draws);
    let givers = givers(&n_rows, &points);
    let n_outputs = predictor.n_outputs();
    let differences = Array3::from_shape_fn((n_rows.nrows(), n_rows.ncols(), n_outputs), |(a, b, output)| {
        cells[givers[[a, b]]].mean()[output]
    });
    let effect = centered(&differences, &n_rows);
    let standard_error = standard_error(&cells, &givers, &n_rows, work)?;
    Ok(AccumulatedPair { points, effect, standard_error, n_rows })
}

/// As the effect is a sum of the cells' means, its variance is that of theirs with the squared shares that each has in it: what the
/// effect is where a cell's difference is 1, with those that take theirs from it, and all others are 0.
fn standard_error(
    cells: &Array2<RunningMean<Ix1>>,
    givers: &Array2<[usize; 2]>,
    n_rows: &Array2<usize>,
    work: &Work,
) -> Result<Option<Array3<f64>>, Error> {
    let squares = |cell: &RunningMean<Ix1>| {
        let n = cell.n_draws() as f64;
        cell.standard_error().mapv(|error| error * error * n * (n - 1.0))
    };
    let n_free: usize = n_rows.iter().map(|n| n.saturating_sub(1)).sum();
    if n_free == 0 {
        return Ok(None);
    }
    let zeros = Array1::zeros(cells[[0, 0]].mean().len());
    let several = || cells.iter().filter(|cell| cell.n_draws() > 1);
    let pooled = several().fold(zeros, |sum, cell| sum + squares(cell)) / n_free as f64;
    let (n, m) = n_rows.dim();
    let mut variance = Array3::zeros((n + 1, m + 1, pooled.len()));
    for ((a, b), cell) in cells.indexed_iter().filter(|(_, cell)| cell.n_draws() > 0) {
        work.check()?;
        let unit =
            Array3::from_shape_fn((n, m, 1), |(c, d, _)| f64::from(u8::from(givers[[c, d]] == [a, b])));
        let share = centered(&unit, n_rows);
        let n_draws = cell.n_draws() as f64;
        let of_mean = match cell.n_draws() {
            1 => pooled.clone(),
            _ => squares(cell) / (n_draws - 1.0) / n_draws,
        };
        for ((c, d, output), sum) in variance.indexed_iter_mut() {
            *sum += share[[c, d, 0]].powi(2) * of_mean[output];
        }
    }
    Ok(Some(variance.mapv(f64::sqrt)))
}

/// The second differences of each cell, `[bins, bins]`.
fn differences(
    predictor: &dyn Predictor,
    rows: ArrayView2<'_, f64>,
    features: [usize; 2],
    points: &[Vec<f64>; 2],
    work: &Work,
) -> Result<Array2<RunningMean<Ix1>>, Error> {
    let (n, m) = (points[0].len() - 1, points[1].len() - 1);
    let mut means = Array2::from_elem((n, m), RunningMean::new(predictor.n_outputs()));
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
            let mut difference = Array1::zeros(predictor.n_outputs());
            for (corner, sign) in [1.0, -1.0, -1.0, 1.0].into_iter().enumerate() {
                difference.scaled_add(sign, &outputs.row(4 * place + corner));
            }
            means[[a, b]].add(difference.view());
        }
    }
    Ok(means)
}

/// Whose difference each cell has: its own, or, without rows, that of the nearest one that has some, by the middles of cells in
/// units of the ranges.
fn givers(n_rows: &Array2<usize>, points: &[Vec<f64>; 2]) -> Array2<[usize; 2]> {
    let middle = |side: usize, bin: usize| {
        let edges = &points[side];
        (edges[bin] + edges[bin + 1]) / 2.0 / (edges[edges.len() - 1] - edges[0])
    };
    let known: Vec<(usize, usize)> =
        n_rows.indexed_iter().filter(|(_, n)| **n > 0).map(|(cell, _)| cell).collect();
    Array2::from_shape_fn(n_rows.dim(), |(a, b)| {
        let distance = |&&(c, d): &&(usize, usize)| {
            (middle(0, a) - middle(0, c)).powi(2) + (middle(1, b) - middle(1, d)).powi(2)
        };
        let nearest = known.iter().min_by(|x, y| distance(x).total_cmp(&distance(y)));
        nearest.filter(|_| n_rows[[a, b]] == 0).map_or([a, b], |&(c, d)| [c, d])
    })
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

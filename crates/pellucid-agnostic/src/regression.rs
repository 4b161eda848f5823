//! Weighted least squares with a ridge, from centered sums of products.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, Slice};
use pellucid_core::Work;
use rayon::prelude::*;

use crate::cholesky::Cholesky;
use crate::error::Error;

/// A pivot below this share of its variable's own spread is rounding: the variable says nothing that others have not said.
const SMALLEST_PIVOT: f64 = 1e-10;

/// `Σ w x̃ x̃ᵀ`, `Σ w x̃ ỹ` and `Σ w ỹ²` of the deviations from the weighted means, for several `y` at once.
pub(crate) struct Sums {
    /// `[variables]`.
    mean_x: Array1<f64>,
    /// `[targets]`.
    mean_y: Array1<f64>,
    /// `[variables, variables]`.
    xx: Array2<f64>,
    /// `[variables, targets]`.
    xy: Array2<f64>,
    /// `[targets]`.
    yy: Array1<f64>,
}

/// `y ≈ intercept + Σ coefficients · x` over some of the variables.
pub(crate) struct Line {
    /// The variables that take part.
    pub(crate) columns: Vec<usize>,
    /// One for each of `columns`.
    pub(crate) coefficients: Array1<f64>,
    pub(crate) intercept: f64,
    /// The share of the weighted variance of `y` that is told; 1 for a constant `y`.
    pub(crate) r_squared: f64,
}

impl Sums {
    /// Of `x` `[samples, variables]` and `y` `[samples, targets]`, with a weight each.
    pub(crate) fn new(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>, weights: ArrayView1<'_, f64>) -> Self {
        let total = weights.sum();
        let (mean_x, mean_y) = (weights.dot(&x) / total, weights.dot(&y) / total);
        let root = weights.mapv(f64::sqrt).insert_axis(Axis(1));
        let (x, y) = ((&x - &mean_x) * &root, (&y - &mean_y) * &root);
        let yy = (&y * &y).sum_axis(Axis(0));
        Self { xx: x.t().dot(&x), xy: x.t().dot(&y), mean_x, mean_y, yy }
    }

    /// Of the sums of products of x, y and 1 about `center`.
    fn of_moments(moments: &Array2<f64>, center: &Array1<f64>, n_variables: usize) -> Self {
        let total = moments[[center.len(), center.len()]];
        let inner = Slice::from(..center.len());
        let shift = moments.column(center.len()).slice_axis(Axis(0), inner).mapv(|sum| sum / total);
        let outer = shift.view().insert_axis(Axis(1)).dot(&shift.view().insert_axis(Axis(0)));
        let about_mean = &moments.slice_axis(Axis(0), inner).slice_axis(Axis(1), inner) - &(outer * total);
        let (of_x, of_y) = about_mean.view().split_at(Axis(0), n_variables);
        let (xx, xy) = of_x.split_at(Axis(1), n_variables);
        let yy = of_y.split_at(Axis(1), n_variables).1.diag().to_owned();
        let mean = center + &shift;
        let (mean_x, mean_y) = mean.view().split_at(Axis(0), n_variables);
        Self {
            xx: xx.to_owned(),
            xy: xy.to_owned(),
            yy,
            mean_x: mean_x.to_owned(),
            mean_y: mean_y.to_owned(),
        }
    }

    /// Minimizes `Σ w (y − b₀ − x·b)² + alpha |b|²` over `columns`; the intercept b₀ is free.
    pub(crate) fn ridge(&self, columns: &[usize], target: usize, alpha: f64) -> Line {
        let xx = self.xx.select(Axis(0), columns).select(Axis(1), columns);
        let xy = self.xy.column(target).select(Axis(0), columns);
        let mut penalized = xx.clone();
        penalized.diag_mut().mapv_inplace(|x| x + alpha);
        let coefficients = Cholesky::new(&penalized).solve(xy.view());
        let told = 2.0 * coefficients.dot(&xy) - coefficients.dot(&xx.dot(&coefficients));
        let spread = self.yy[target];
        let mean_x = self.mean_x.select(Axis(0), columns);
        Line {
            columns: columns.to_vec(),
            intercept: self.mean_y[target] - mean_x.dot(&coefficients),
            coefficients,
            r_squared: if spread > 0.0 { told / spread } else { 1.0 },
        }
    }

    /// The standard error of each coefficient of a [`Sums::ridge`], by the sandwich `B (Σ w² e² x̃ x̃ᵀ) B`, `B = (Σ w x̃ x̃ᵀ + alpha)⁻¹`,
    /// times n / (n − k − 1) (HC1 of MacKinnon & White 1985): weights of a kernel are no inverse variances, and the samples' errors
    /// are the model's bend, not noise of one size.
    pub(crate) fn standard_errors(
        &self,
        line: &Line,
        alpha: f64,
        x: ArrayView2<'_, f64>,
        y: ArrayView1<'_, f64>,
        weights: ArrayView1<'_, f64>,
    ) -> Array1<f64> {
        let influence = self.scores(line, x, y, weights).dot(&self.inverse(line, alpha));
        let n = weights.iter().filter(|&&weight| weight > 0.0).count() as f64;
        let freedom = (n - line.columns.len() as f64 - 1.0).max(1.0);
        influence.map_axis(Axis(0), |column| (column.dot(&column) * n / freedom).sqrt())
    }

    /// What each sample adds to `Σ w e x̃`, `[samples, columns of the line]`.
    fn scores(
        &self,
        line: &Line,
        x: ArrayView2<'_, f64>,
        y: ArrayView1<'_, f64>,
        weights: ArrayView1<'_, f64>,
    ) -> Array2<f64> {
        let mean = self.mean_x.select(Axis(0), &line.columns);
        let mut scores = x.select(Axis(1), &line.columns) - &mean;
        let mean_fit = line.intercept + mean.dot(&line.coefficients);
        let residuals = &y - &scores.dot(&line.coefficients) - mean_fit;
        scores *= &(&residuals * &weights).insert_axis(Axis(1));
        scores
    }

    /// `(Σ w x̃ x̃ᵀ + alpha)⁻¹` of the line's columns.
    fn inverse(&self, line: &Line, alpha: f64) -> Array2<f64> {
        let mut penalized = self.xx.select(Axis(0), &line.columns).select(Axis(1), &line.columns);
        penalized.diag_mut().mapv_inplace(|x| x + alpha);
        Cholesky::new(&penalized).inverse()
    }

    /// The variables that least squares without a ridge would take one by one, each the one that tells most of what is left; by
    /// elimination, so that a step costs the square of the number of variables. Of equals the first.
    pub(crate) fn forward_selection(&self, target: usize, n_selected: usize) -> Vec<usize> {
        let (mut xx, mut xy) = (self.xx.clone(), self.xy.column(target).to_owned());
        let mut left: Vec<usize> = (0..xy.len()).collect();
        let mut selected = Vec::new();
        while selected.len() < n_selected && !left.is_empty() {
            let gain = |&j: &usize| match xx[[j, j]] > SMALLEST_PIVOT * self.xx[[j, j]] {
                true => xy[j] * xy[j] / xx[[j, j]],
                false => 0.0,
            };
            let gains: Vec<f64> = left.iter().map(gain).collect();
            let place = (1..gains.len()).fold(0, |best, i| if gains[i] > gains[best] { i } else { best });
            let chosen = left.remove(place);
            selected.push(chosen);
            if gains[place] > 0.0 {
                let column = xx.column(chosen).to_owned();
                let pivot = column[chosen];
                let step = xy[chosen] / pivot;
                xy.scaled_add(-step, &column);
                for &i in &left {
                    xx.row_mut(i).scaled_add(-column[i] / pivot, &column);
                }
            }
        }
        selected
    }
}

/// Samples in several blocks, of which resamples are put together.
pub(crate) struct Blocks<'a> {
    samples: Weighted<'a>,
    blocks: &'a [Range<usize>],
    /// The samples of each block that count at all.
    lengths: Array1<f64>,
    /// Sums of products over each block, where they fit into memory: then a resample costs no walk through the samples.
    moments: Option<Moments>,
}

/// What a line is laid through.
#[derive(Clone, Copy)]
pub(crate) struct Weighted<'a> {
    /// `[samples, variables]`.
    pub(crate) x: ArrayView2<'a, f64>,
    /// `[samples, targets]`.
    pub(crate) y: ArrayView2<'a, f64>,
    /// `[samples]`.
    pub(crate) weights: ArrayView1<'a, f64>,
}

struct Moments {
    /// The weighted means of x and y over all samples, about which products are taken, so that rounding stays small.
    center: Array1<f64>,
    /// Of x, y and 1 with each other, one matrix a block.
    of_blocks: Vec<Array2<f64>>,
    n_variables: usize,
}

impl<'a> Blocks<'a> {
    /// Of samples in `blocks`.
    ///
    /// # Errors
    /// A canceled work.
    pub(crate) fn new(samples: Weighted<'a>, blocks: &'a [Range<usize>], work: &Work) -> Result<Self, Error> {
        let width = samples.x.ncols() + samples.y.ncols() + 1;
        let bytes = width.saturating_mul(width).saturating_mul(size_of::<f64>() * blocks.len());
        let fits = bytes <= work.max_memory_bytes / 2;
        let moments = if fits { Some(Moments::new(samples, blocks, work)?) } else { None };
        let counted = |block: &Range<usize>| {
            let weights = samples.weights.slice_axis(Axis(0), Slice::from(block.clone()));
            weights.iter().filter(|&&weight| weight > 0.0).count() as f64
        };
        Ok(Self { samples, blocks, lengths: blocks.iter().map(counted).collect(), moments })
    }

    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Of the resample that has the samples of block b `counts[b]` times.
    pub(crate) fn sums(&self, counts: ArrayView1<'_, f64>) -> Sums {
        let Weighted { x, y, weights } = self.samples;
        match &self.moments {
            Some(moments) => moments.sums(counts),
            None => {
                let mut weights = weights.to_owned();
                for (block, &count) in self.blocks.iter().zip(counts) {
                    weights.slice_axis_mut(Axis(0), Slice::from(block.clone())).mapv_inplace(|w| w * count);
                }
                Sums::new(x, y, weights.view())
            }
        }
    }

    /// The standard errors of a line through that resample, as [`Sums::standard_errors`], from sums over blocks: blocks are as
    /// independent of each other as samples are.
    pub(crate) fn errors(
        &self,
        sums: &Sums,
        line: &Line,
        (target, alpha): (usize, f64),
        counts: ArrayView1<'_, f64>,
    ) -> Array1<f64> {
        let scores = match &self.moments {
            Some(moments) => moments.scores(sums, line, target),
            None => self.summed_scores(sums, line, target),
        };
        let influence = scores.dot(&sums.inverse(line, alpha));
        let n = self.lengths.dot(&counts);
        let freedom = (n - line.columns.len() as f64 - 1.0).max(1.0);
        let squares = counts.dot(&(&influence * &influence));
        squares.mapv(|square| (square * n / freedom).sqrt())
    }

    /// What each block adds to `Σ w e x̃`, `[blocks, columns of the line]`.
    fn summed_scores(&self, sums: &Sums, line: &Line, target: usize) -> Array2<f64> {
        let Weighted { x, y, weights } = self.samples;
        let of_samples = sums.scores(line, x, y.column(target), weights);
        let mut scores = Array2::zeros((self.blocks.len(), line.columns.len()));
        for (block, mut score) in self.blocks.iter().zip(scores.outer_iter_mut()) {
            score.assign(&of_samples.slice_axis(Axis(0), Slice::from(block.clone())).sum_axis(Axis(0)));
        }
        scores
    }
}

impl Moments {
    fn new(samples: Weighted<'_>, blocks: &[Range<usize>], work: &Work) -> Result<Self, Error> {
        let Weighted { x, y, weights } = samples;
        let total = weights.sum();
        let center = ndarray::concatenate![Axis(0), weights.dot(&x) / total, weights.dot(&y) / total];
        let width = center.len();
        let of_block = |block: &Range<usize>| {
            work.check()?;
            let rows = Slice::from(block.clone());
            let (x, y) = (x.slice_axis(Axis(0), rows), y.slice_axis(Axis(0), rows));
            let mut columns = ndarray::concatenate![Axis(1), x, y, Array2::ones((block.len(), 1))];
            let mut centered = columns.slice_axis_mut(Axis(1), Slice::from(..width));
            centered -= &center;
            let roots = weights.slice_axis(Axis(0), rows).mapv(f64::sqrt);
            columns *= &roots.insert_axis(Axis(1));
            Ok(columns.t().dot(&columns))
        };
        let of_blocks = blocks.par_iter().map(of_block).collect::<Result<_, Error>>()?;
        Ok(Self { center, of_blocks, n_variables: x.ncols() })
    }

    fn sums(&self, counts: ArrayView1<'_, f64>) -> Sums {
        let width = self.center.len() + 1;
        let mut moments = Array2::<f64>::zeros((width, width));
        let drawn = self.of_blocks.iter().zip(counts).filter(|(_, count)| **count > 0.0);
        drawn.for_each(|(of_block, &count)| moments.scaled_add(count, of_block));
        Sums::of_moments(&moments, &self.center, self.n_variables)
    }

    /// What each block adds to `Σ w e x̃`, `[blocks, columns of the line]`: products of `x`, `y` and 1 with `e = ỹ − x̃·b`, which is a
    /// sum of them.
    fn scores(&self, sums: &Sums, line: &Line, target: usize) -> Array2<f64> {
        let (outcome, one) = (self.n_variables + target, self.center.len());
        let shift: Array1<f64> = line.columns.iter().map(|&j| sums.mean_x[j] - self.center[j]).collect();
        let constant = sums.mean_y[target] - self.center[outcome] - shift.dot(&line.coefficients);
        let mut scores = Array2::zeros((self.of_blocks.len(), line.columns.len()));
        for (moments, mut score) in self.of_blocks.iter().zip(scores.outer_iter_mut()) {
            let with_error = |row: usize| {
                let moments = moments.row(row);
                let told = line.columns.iter().zip(&line.coefficients).map(|(&j, b)| moments[j] * b);
                moments[outcome] - told.sum::<f64>() - constant * moments[one]
            };
            let of_one = with_error(one);
            for ((score, &column), shift) in score.iter_mut().zip(&line.columns).zip(&shift) {
                *score = with_error(column) - shift * of_one;
            }
        }
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use pellucid_core::Draws;
    use rand_distr::{Distribution, StandardNormal};

    fn random(shape: (usize, usize), seed: u64) -> Array2<f64> {
        let mut generator = Draws::new(seed, &[0; 32], "regression").draw(0);
        Array2::from_shape_simple_fn(shape, || StandardNormal.sample(&mut generator))
    }

    /// At the minimum of a convex function its gradient vanishes: `Σ w e = 0`, `Σ w e x = alpha b`.
    #[test]
    fn the_ridge_is_at_the_minimum() {
        let (x, y) = (random((40, 4), 1), random((40, 2), 2));
        let weights = random((40, 1), 3).column(0).mapv(|w| w.abs() + 0.01);
        let sums = Sums::new(x.view(), y.view(), weights.view());
        for (columns, alpha) in [(vec![0, 1, 2, 3], 1.0), (vec![2, 0], 0.01), (vec![1], 0.0)] {
            for target in 0..2 {
                let line = sums.ridge(&columns, target, alpha);
                let x = x.select(Axis(1), &columns);
                let errors = &y.column(target) - &x.dot(&line.coefficients) - line.intercept;
                let weighted = &errors * &weights;
                assert!(weighted.sum().abs() < 1e-12);
                let slope = x.t().dot(&weighted) - &line.coefficients * alpha;
                assert!(slope.iter().all(|slope| slope.abs() < 1e-12), "{slope}");
                let mean = y.column(target).dot(&weights) / weights.sum();
                let spread = y.column(target).mapv(|y| (y - mean) * (y - mean)).dot(&weights);
                let r_squared = 1.0 - weighted.dot(&errors) / spread;
                assert!((line.r_squared - r_squared).abs() < 1e-12);
            }
        }
    }

    /// Samples repeated one by one, against sums of blocks; blocks of one sample have the standard errors of all. With memory for the
    /// blocks' products and without; samples of weight 0 count for nothing.
    #[test]
    fn blocks_are_their_samples_as_often_as_they_count() {
        let (x, y) = (random((23, 3), 11) + 100.0, random((23, 2), 12) - 50.0);
        let mut weights = random((23, 1), 13).column(0).mapv(|w| w.abs());
        [3, 9, 22].into_iter().for_each(|sample| weights[sample] = 0.0);
        let samples = Weighted { x: x.view(), y: y.view(), weights: weights.view() };
        let little = Work { max_memory_bytes: 1_000, ..Work::default() };
        let blocks = [0..1, 1..9, 9..16, 16..23];
        let counts = array![[1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 0.0, 1.0]];
        let singles: Vec<_> = (0..23).map(|sample| sample..sample + 1).collect();
        for work in [Work::default(), little] {
            let of_blocks = Blocks::new(samples, &blocks, &work).expect("blocks");
            assert_eq!(of_blocks.moments.is_some(), work.max_memory_bytes > 1_000);
            for counts in counts.outer_iter() {
                let sums = of_blocks.sums(counts);
                let repeated: Vec<usize> = blocks
                    .iter()
                    .zip(counts)
                    .flat_map(|(block, &count)| (0..count as usize).flat_map(|_| block.clone()))
                    .collect();
                let [x, y] = [&x, &y].map(|all| all.select(Axis(0), &repeated));
                let expected = Sums::new(x.view(), y.view(), weights.select(Axis(0), &repeated).view());
                let gap = |a: &Array2<f64>, b: &Array2<f64>| {
                    (a - b).iter().fold(0.0_f64, |most, x| most.max(x.abs()))
                };
                assert!(gap(&sums.xx, &expected.xx) < 1e-10 && gap(&sums.xy, &expected.xy) < 1e-10);
                let vectors = [
                    (&sums.yy, &expected.yy),
                    (&sums.mean_x, &expected.mean_x),
                    (&sums.mean_y, &expected.mean_y),
                ];
                assert!(vectors.iter().all(|(a, b)| (*a - *b).iter().all(|x| x.abs() < 1e-10)));
            }
            // Some samples twice and some not at all, so that the means are not those of all.
            let counts: Array1<f64> = (0..23).map(|sample| f64::from(sample % 3)).collect();
            let of_singles = Blocks::new(samples, &singles, &work).expect("blocks");
            let sums = of_singles.sums(counts.view());
            let line = sums.ridge(&[0, 2], 1, 0.5);
            let errors = of_singles.errors(&sums, &line, (1, 0.5), counts.view());
            let repeated: Vec<usize> = (0..23).flat_map(|sample| vec![sample; sample % 3]).collect();
            let [x, y] = [&x, &y].map(|all| all.select(Axis(0), &repeated));
            let weights = weights.select(Axis(0), &repeated);
            let expected = sums.standard_errors(&line, 0.5, x.view(), y.column(1), weights.view());
            assert!(
                (&errors / &expected).iter().all(|ratio| (ratio - 1.0).abs() < 1e-9),
                "{errors} for {expected}"
            );
        }
    }

    #[test]
    fn products_of_blocks_are_not_taken_once_work_is_canceled() {
        let (x, y, weights) = (random((9, 2), 1), random((9, 1), 2), Array1::ones(9));
        let samples = Weighted { x: x.view(), y: y.view(), weights: weights.view() };
        let work = Work::default();
        work.cancellation.cancel();
        assert!(Blocks::new(samples, &[0..4, 4..9], &work).is_err());
    }

    /// A straight line through three points, by hand: slope 3/2, and 1 − SSE/SST = 1 − (1/6)/(14/3).
    #[test]
    fn three_points_have_the_line_of_the_textbook() {
        let (x, y) = (array![[0.0], [1.0], [2.0]], array![[0.0], [1.0], [3.0]]);
        let line = Sums::new(x.view(), y.view(), array![1.0, 1.0, 1.0].view()).ridge(&[0], 0, 0.0);
        assert!((line.coefficients[0] - 1.5).abs() < 1e-15);
        assert!((line.intercept + 1.0 / 6.0).abs() < 1e-15);
        assert!((line.r_squared - 27.0 / 28.0).abs() < 1e-15);
    }

    /// A column that repeats others, or is constant, takes no part without a ridge.
    #[test]
    fn variables_that_say_nothing_new_get_zero() {
        let mut x = random((30, 4), 4);
        let sum = &x.column(0) + &x.column(1);
        x.column_mut(2).assign(&sum);
        x.column_mut(3).fill(5.0);
        let y = (&x.column(0) * 2.0 - x.column(1)).insert_axis(Axis(1));
        let sums = Sums::new(x.view(), y.view(), Array1::ones(30).view());
        let line = sums.ridge(&[0, 1, 2, 3], 0, 0.0);
        assert!((line.r_squared - 1.0).abs() < 1e-12);
        assert!((&line.coefficients - &array![2.0, -1.0, 0.0, 0.0]).iter().all(|gap| gap.abs() < 1e-9));
        let selected = sums.forward_selection(0, 4);
        assert_eq!(selected[3], 3, "a constant column comes last");
        assert!((sums.ridge(&selected[..2], 0, 0.0).r_squared - 1.0).abs() < 1e-12);
    }

    /// Forward selection by trying every variable at every step.
    #[test]
    fn forward_selection_takes_what_every_trial_would() {
        let x = random((60, 8), 5);
        let y = x.dot(&random((8, 1), 6)) + random((60, 1), 7) * 0.5;
        let weights = random((60, 1), 8).column(0).mapv(|w| w.abs());
        let sums = Sums::new(x.view(), y.view(), weights.view());
        let mut expected: Vec<usize> = Vec::new();
        for _ in 0..5 {
            let score = |&j: &usize| sums.ridge(&[expected.clone(), vec![j]].concat(), 0, 0.0).r_squared;
            let candidates: Vec<usize> = (0..8).filter(|j| !expected.contains(j)).collect();
            let best = candidates.into_iter().max_by(|a, b| score(a).total_cmp(&score(b)));
            expected.push(best.expect("a candidate"));
        }
        assert_eq!(sums.forward_selection(0, 5), expected);
    }

    /// The spread of the slope over 800 runs whose noise grows with x: an error of one size for all would be a third too small.
    #[test]
    fn standard_errors_hold_where_the_noise_differs() {
        let (mut slopes, mut errors) = (Vec::new(), Vec::new());
        for seed in 0..800 {
            let draws = random((80, 2), 100 + seed);
            let x = draws.select(Axis(1), &[0]);
            let y = (&x.column(0) + &draws.column(1) * &x.column(0)).insert_axis(Axis(1));
            let weights = x.column(0).mapv(|x| (-x * x / 8.0).exp());
            let sums = Sums::new(x.view(), y.view(), weights.view());
            let line = sums.ridge(&[0], 0, 1.0);
            slopes.push(line.coefficients[0]);
            errors.push(sums.standard_errors(&line, 1.0, x.view(), y.column(0), weights.view())[0]);
        }
        let (slopes, errors) = (Array1::from_vec(slopes), Array1::from_vec(errors));
        let ratio = errors.sum() / 800.0 / slopes.std(1.0);
        assert!((0.92..1.04).contains(&ratio), "told / true: {ratio}");
    }
}

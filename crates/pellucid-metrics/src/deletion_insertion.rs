#![doc = include_str!("deletion_insertion.md")]

use std::ops::Range;

use ndarray::{Array2, Array3, ArrayD, ArrayView1, ArrayViewD, Axis};
use pellucid_core::{Attribution, Draws, OutputSpace, Work, row_digest};
use rand_chacha::rand_core::Rng;

use crate::error::Error;
use crate::explained::{Explained, from_rows, misfit};
use crate::positions::Positions;
use crate::predictions::{Watched, batch_size, predict_batch};

/// Settings of the curves.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Steps from the first point to the last; no more than there are positions, and at least 1.
    pub n_steps: usize,
    /// Random orders to compare with, at least 2.
    pub n_random: usize,
    /// What the random orders are drawn from, together with the row.
    pub seed: u64,
    /// The unit of the curve; [`OutputSpace::Value`] for a regression, which has no probability.
    pub output_space: OutputSpace,
    /// For images the axis of a row that holds channels, which come and go together; `None` for tables.
    pub channel_axis: Option<usize>,
    /// The side of the squares of pixels that come and go together; 1 for single pixels and for tables.
    pub patch: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            n_steps: 50,
            n_random: 10,
            seed: 0,
            output_space: OutputSpace::Probability,
            channel_axis: None,
            patch: 1,
        }
    }
}

/// Which way the curve goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the input to the replacement: a good order makes the output fall early.
    Deletion,
    /// From the replacement to the input: a good order makes the output rise early.
    Insertion,
}

/// The explained output while positions change in some order.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Share of the positions changed, from 0 to 1.
    pub fractions: Vec<f64>,
    /// The explained output at each fraction.
    pub values: Vec<f64>,
    /// The area under the curve over fractions 0 to 1, by the trapezoidal rule, in units of the output.
    pub auc: f64,
}

impl Curve {
    fn new(fractions: Vec<f64>, values: Vec<f64>) -> Self {
        let auc = trapezoid(&fractions, &values);
        Self { fractions, values, auc }
    }
}

/// What random orders of the same row reach: the ground that an attribution must beat.
#[derive(Clone, Debug, PartialEq)]
pub struct RandomReference {
    /// The mean curve of the random orders.
    pub mean: Curve,
    /// The area of each random order.
    pub aucs: Vec<f64>,
    /// The standard error of the mean area, from the spread of `aucs`.
    pub standard_error: f64,
}

/// The curve of one row and target beside the random reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Deletion or insertion.
    pub direction: Direction,
    /// The curve in the attribution's order.
    pub curve: Curve,
    /// The same in random orders.
    pub random: RandomReference,
}

impl Score {
    /// How far the area is on the good side of random's mean: below it for deletion, above it for insertion.
    pub fn advantage(&self) -> f64 {
        match self.direction {
            Direction::Deletion => self.random.mean.auc - self.curve.auc,
            Direction::Insertion => self.curve.auc - self.random.mean.auc,
        }
    }

    /// Whether the area is on the good side of random's mean at all. One random order in two is, so ask
    /// [`Score::share_of_random_beaten`] too.
    pub fn beats_random(&self) -> bool {
        self.advantage() > 0.0
    }

    /// The share of the random orders whose area is worse than the attribution's.
    pub fn share_of_random_beaten(&self) -> f64 {
        let beaten = self.random.aucs.iter().filter(|&&auc| match self.direction {
            Direction::Deletion => auc > self.curve.auc,
            Direction::Insertion => auc < self.curve.auc,
        });
        beaten.count() as f64 / self.random.aucs.len() as f64
    }
}

/// Deletion: positions are replaced, highest attribution first. Lower areas are better. `[rows, K]`.
///
/// `replacement` is what a deleted position becomes: one row for all, `[features…]`, or one for each,
/// `[rows, features…]`. To score several attributions of the same rows, use a [`Trial`]: its random reference serves
/// all of them.
///
/// # Errors
/// Shapes that do not fit, values that are not finite, settings out of range, whatever the model reports,
/// cancellation.
pub fn deletion(
    explained: &Explained<'_>,
    attribution: &Attribution,
    replacement: &ArrayD<f32>,
    options: &Options,
    work: &Work,
) -> Result<Array2<Score>, Error> {
    Trial::new(*explained, Direction::Deletion, replacement, options)?.score_alone(attribution, work)
}

/// Insertion: starting at the replacement, positions of the input appear, highest attribution first. Higher areas are
/// better. `[rows, K]`. See [`deletion`].
///
/// # Errors
/// As [`deletion`].
pub fn insertion(
    explained: &Explained<'_>,
    attribution: &Attribution,
    replacement: &ArrayD<f32>,
    options: &Options,
    work: &Work,
) -> Result<Array2<Score>, Error> {
    Trial::new(*explained, Direction::Insertion, replacement, options)?.score_alone(attribution, work)
}

/// Deletion or insertion on certain rows, ready to run orders through.
pub struct Trial<'a> {
    explained: Explained<'a>,
    direction: Direction,
    replacement: ArrayViewD<'a, f32>,
    options: &'a Options,
    positions: Positions,
    /// Positions changed at each point of the curve, from 0 to all.
    counts: Vec<usize>,
}

impl<'a> Trial<'a> {
    /// Checks what is given; `replacement` as in [`deletion`].
    ///
    /// # Errors
    /// Shapes that do not fit, values that are not finite, settings out of range.
    pub fn new(
        explained: Explained<'a>,
        direction: Direction,
        replacement: &'a ArrayD<f32>,
        options: &'a Options,
    ) -> Result<Self, Error> {
        explained.check()?;
        let replacement = explained.for_each_row("replacement", replacement)?;
        at_least("patch", options.patch, 1)?;
        let positions =
            Positions::of_row(explained.model.input_shape(), options.channel_axis, options.patch)?;
        at_least("n_steps", options.n_steps, 1)?;
        at_least("n_random", options.n_random, 2)?;
        at_least("features", positions.len(), 1)?;
        let n_steps = options.n_steps.min(positions.len());
        let counts = (0..=n_steps).map(|step| step * positions.len() / n_steps).collect();
        Ok(Self { explained, direction, replacement, options, positions, counts })
    }

    /// The curve of each row and target, in the order of its attribution: signed values, highest first, of equal ones
    /// the first in row-major order. `[rows, K]`; takes `rows · K · (n_steps + 1)` evaluations.
    ///
    /// # Errors
    /// An attribution of another shape or with values that are not finite, whatever the model reports, cancellation.
    pub fn curves(&self, attribution: &Attribution, work: &Work) -> Result<Array2<Curve>, Error> {
        self.explained.check_attribution(attribution)?;
        let (n_rows, n_targets) = (self.explained.n_rows(), self.explained.n_targets());
        let _watched = Watched::begin(work, n_rows * n_targets * self.counts.len());
        let mut curves = Vec::with_capacity(n_rows * n_targets);
        for row in 0..n_rows {
            let order = |target| -> Result<Vec<usize>, Error> {
                let values = attribution.values.index_axis(Axis(0), row);
                Ok(descending(&self.positions.values(values.index_axis(Axis(0), target))?))
            };
            let orders = (0..n_targets).map(order).collect::<Result<Vec<_>, _>>()?;
            let of_orders = self.run(row, &orders, work)?;
            curves.extend((0..n_targets).map(|target| of_orders[[target, target]].clone()));
        }
        Ok(from_rows(&self.explained, curves))
    }

    /// What random orders reach, for each row and target, `[rows, K]`: the orders depend on the seed and on the row
    /// alone. Takes `rows · n_random · (n_steps + 1)` evaluations, whatever `K`.
    ///
    /// # Errors
    /// Whatever the model reports, cancellation.
    pub fn random_reference(&self, work: &Work) -> Result<Array2<RandomReference>, Error> {
        let (n_rows, n_targets) = (self.explained.n_rows(), self.explained.n_targets());
        let _watched = Watched::begin(work, n_rows * self.options.n_random * self.counts.len());
        let mut references = Vec::with_capacity(n_rows * n_targets);
        for row in 0..n_rows {
            let of_orders = self.run(row, &self.random_orders(row), work)?;
            references.extend(of_orders.columns().into_iter().map(|curves| self.reference(curves)));
        }
        Ok(from_rows(&self.explained, references))
    }

    /// The curves of an attribution beside a reference of this trial, `[rows, K]`.
    ///
    /// # Errors
    /// As [`Trial::curves`]; a reference of another shape.
    pub fn score(
        &self,
        attribution: &Attribution,
        random: &Array2<RandomReference>,
        work: &Work,
    ) -> Result<Array2<Score>, Error> {
        let curves = self.curves(attribution, work)?;
        if random.dim() != curves.dim() {
            return Err(misfit("random reference", curves.shape(), random.shape()));
        }
        Ok(self.beside(curves, random.clone()))
    }

    /// The attribution's curves come first: what does not fit is refused before the costly part.
    fn score_alone(&self, attribution: &Attribution, work: &Work) -> Result<Array2<Score>, Error> {
        let curves = self.curves(attribution, work)?;
        Ok(self.beside(curves, self.random_reference(work)?))
    }

    fn beside(&self, curves: Array2<Curve>, random: Array2<RandomReference>) -> Array2<Score> {
        let direction = self.direction;
        let scores = curves.into_iter().zip(random).map(|(curve, random)| Score { direction, curve, random });
        from_rows(&self.explained, scores.collect())
    }

    fn random_orders(&self, row: usize) -> Vec<Vec<usize>> {
        let digest = row_digest(self.explained.inputs.index_axis(Axis(0), row));
        let draws = Draws::new(self.options.seed, &digest, "deletion_insertion");
        (0..self.options.n_random as u64)
            .map(|draw| {
                let mut generator = draws.draw(draw);
                let keys: Vec<u64> = (0..self.positions.len()).map(|_| generator.next_u64()).collect();
                let mut order: Vec<usize> = (0..keys.len()).collect();
                order.sort_by_key(|&position| (keys[position], position));
                order
            })
            .collect()
    }

    fn curve(&self, values: Vec<f64>) -> Curve {
        let n_positions = self.positions.len() as f64;
        Curve::new(self.counts.iter().map(|&count| count as f64 / n_positions).collect(), values)
    }

    fn reference(&self, curves: ArrayView1<'_, Curve>) -> RandomReference {
        let at = |point: usize| curves.iter().map(|curve| curve.values[point]).collect::<Vec<_>>();
        let mean = self.curve((0..self.counts.len()).map(|point| mean(&at(point))).collect());
        let aucs: Vec<f64> = curves.iter().map(|curve| curve.auc).collect();
        let standard_error = standard_error(&aucs);
        RandomReference { mean, aucs, standard_error }
    }

    /// The curve of each target of one row along each order, `[orders, K]`. Only one batch of changed rows is held at
    /// a time.
    fn run(&self, row: usize, orders: &[Vec<usize>], work: &Work) -> Result<Array2<Curve>, Error> {
        let (n_points, row_shape) = (self.counts.len(), self.explained.model.input_shape());
        let n_total = orders.len() * n_points;
        let batch_size = batch_size(work, row_shape.iter().product())?;
        let mut walk = self.walk(row, orders);
        let mut values = Array3::zeros((orders.len(), self.explained.n_targets(), n_points));
        for start in (0..n_total).step_by(batch_size) {
            let steps = start..n_total.min(start + batch_size);
            let batch = walk.rows(steps.clone(), row_shape);
            let outputs = predict_batch(self.explained.model, &batch, self.options.output_space, work)?;
            for (step, outputs) in steps.zip(outputs.rows()) {
                for (target, value) in self.explained.target_values(row, outputs).enumerate() {
                    values[[step / n_points, target, step % n_points]] = value;
                }
            }
        }
        let curve = |(order, target)| {
            let points = values.index_axis(Axis(0), order);
            self.curve(points.row(target).to_vec())
        };
        Ok(Array2::from_shape_fn((orders.len(), self.explained.n_targets()), curve))
    }

    fn walk<'b>(&'b self, row: usize, orders: &'b [Vec<usize>]) -> Walk<'b> {
        let elements = |rows: ArrayViewD<'_, f32>| rows.index_axis(Axis(0), row).iter().copied().collect();
        let (input, replacement) =
            (elements(self.explained.inputs.view()), elements(self.replacement.view()));
        let (start, end): (Vec<f32>, Vec<f32>) = match self.direction {
            Direction::Deletion => (input, replacement),
            Direction::Insertion => (replacement, input),
        };
        Walk { positions: &self.positions, counts: &self.counts, orders, current: start.clone(), start, end }
    }
}

/// One row on its way from the start to the end, along one order after the other.
struct Walk<'a> {
    positions: &'a Positions,
    counts: &'a [usize],
    orders: &'a [Vec<usize>],
    start: Vec<f32>,
    end: Vec<f32>,
    current: Vec<f32>,
}

impl Walk<'_> {
    /// The rows at `steps`, which are taken one after the other through all orders: `[steps, features…]`.
    fn rows(&mut self, steps: Range<usize>, row_shape: &[usize]) -> ArrayD<f32> {
        let shape: Vec<usize> = std::iter::once(steps.len()).chain(row_shape.iter().copied()).collect();
        let mut rows = Vec::with_capacity(shape.iter().product());
        for step in steps {
            self.advance(step);
            rows.extend_from_slice(&self.current);
        }
        ArrayD::from_shape_vec(shape, rows)
            .unwrap_or_else(|error| panic!("rows of the input's shape: {error}"))
    }

    fn advance(&mut self, step: usize) {
        let (order, point) = (&self.orders[step / self.counts.len()], step % self.counts.len());
        if point == 0 {
            self.current.clone_from(&self.start);
            return;
        }
        for &position in &order[self.counts[point - 1]..self.counts[point]] {
            for element in self.positions.elements(position) {
                self.current[element] = self.end[element];
            }
        }
    }
}

/// Positions by value, highest first; of equal ones the first.
fn descending(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    // Adding 0 makes −0 equal to 0 under `total_cmp`; the sort is stable.
    order.sort_by(|&i, &j| (values[j] + 0.0).total_cmp(&(values[i] + 0.0)));
    order
}

fn trapezoid(x: &[f64], y: &[f64]) -> f64 {
    x.windows(2).zip(y.windows(2)).map(|(x, y)| (x[1] - x[0]) * (y[0] + y[1]) / 2.0).sum()
}

/// The mean, as the first value plus the mean of the differences from it: exact where all are equal.
fn mean(values: &[f64]) -> f64 {
    values[0] + values.iter().map(|value| value - values[0]).sum::<f64>() / values.len() as f64
}

/// Of the mean: the deviation of the values over the root of their number.
fn standard_error(values: &[f64]) -> f64 {
    let (n, mean) = (values.len() as f64, mean(values));
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (n - 1.0) / n).sqrt()
}

fn at_least(option: &'static str, value: usize, least: usize) -> Result<(), Error> {
    if value >= least {
        return Ok(());
    }
    Err(Error::Setting { option, reason: format!("is {value}, must be {least} or more") })
}

#[cfg(test)]
mod tests;

#![doc = include_str!("path_dependent.md")]

mod kernel;
mod lanes;
mod plan;
mod slots;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array2, ArrayD, IxDyn};
use pellucid_core::{Attribution, Work};
use rayon::prelude::*;

use self::kernel::{Stack, walk};
use self::lanes::{Job, Lanes, dispatch};
use self::plan::{Batch, MAX_POINTS, Method, Used, Walk};
use self::slots::{Scale, Slots};
use crate::ensemble::TreeEnsemble;
use crate::error::Error;
use crate::rows::Rows;

pub use self::lanes::Level;

/// Rows that one thread takes at a time, where their sums fit into its cache.
const ROWS_AT_ONCE: usize = 128;
/// What the sums of these rows may take, and how little they are cut to.
const SUMS_BYTES: usize = 256 << 10;
const ROWS_AT_LEAST: usize = 16;
/// Rows between two looks at progress and cancellation.
const BLOCK_ROWS: usize = 4096;

/// Path-dependent Shapley values of `rows`, values `[rows, outputs, features]`, in margin units: absent features follow
/// both children of a split, weighted by their covers (Lundberg et al. 2020, arXiv:1905.04610, algorithm 2).
///
/// # Errors
/// Rows of another width, an ensemble without covers, a canceled work.
pub fn path_dependent(ensemble: &TreeEnsemble, rows: Rows<'_>, work: &Work) -> Result<Attribution, Error> {
    let explainer = PathDependent::new(ensemble)?;
    let attribution = explainer.explain(rows, work)?;
    Ok(attribution.with_base_values(repeated(explainer.base_values(), rows.n_rows())))
}

/// Path-dependent Banzhaf values of `rows`, values `[rows, outputs, features]`, in margin units: the mean of what a
/// feature adds to all coalitions of the others. They do not add up to the margin.
///
/// # Errors
/// As [`path_dependent`].
pub fn banzhaf(ensemble: &TreeEnsemble, rows: Rows<'_>, work: &Work) -> Result<Attribution, Error> {
    PathDependent::banzhaf(ensemble)?.explain(rows, work)
}

/// Path-dependent Shapley values of `rows` and their pairs, values `[rows, outputs, features, features]`, in margin
/// units. Off the diagonal stands half of the pair's Shapley interaction index, on it what of the feature's Shapley
/// value is left: each row of the matrix sums to a Shapley value (Lundberg et al. 2020, arXiv:1905.04610, equations 3
/// to 5).
///
/// # Errors
/// As [`path_dependent`].
pub fn path_dependent_interactions(
    ensemble: &TreeEnsemble,
    rows: Rows<'_>,
    work: &Work,
) -> Result<Attribution, Error> {
    let explainer = PathDependent::interactions(ensemble)?;
    let attribution = explainer.explain(rows, work)?;
    Ok(attribution.with_base_values(repeated(explainer.base_values(), rows.n_rows())))
}

/// An ensemble made ready to explain many blocks of rows.
#[derive(Debug)]
pub struct PathDependent<'a> {
    ensemble: &'a TreeEnsemble,
    plan: Arc<Plan>,
    level: Level,
}

/// What is worked out of an ensemble before any row is seen; whoever explains a row now and then keeps it.
#[derive(Debug)]
pub struct Plan {
    method: Method,
    slots: Slots,
    used: Used,
    batches: Vec<Vec<Batch>>,
    base_values: Vec<f64>,
}

impl<'a> PathDependent<'a> {
    /// For Shapley values.
    ///
    /// # Errors
    /// An ensemble without covers, or one that [`TreeEnsemble::check`] refuses.
    pub fn new(ensemble: &'a TreeEnsemble) -> Result<Self, Error> {
        Self::with_method(ensemble, Method::Shapley)
    }

    /// For Shapley values with pairs.
    ///
    /// # Errors
    /// As [`PathDependent::new`].
    pub fn interactions(ensemble: &'a TreeEnsemble) -> Result<Self, Error> {
        Self::with_method(ensemble, Method::Interactions)
    }

    /// For Banzhaf values.
    ///
    /// # Errors
    /// As [`PathDependent::new`].
    pub fn banzhaf(ensemble: &'a TreeEnsemble) -> Result<Self, Error> {
        Self::with_method(ensemble, Method::Banzhaf)
    }

    fn with_method(ensemble: &'a TreeEnsemble, method: Method) -> Result<Self, Error> {
        ensemble.check()?;
        if !ensemble.has_covers {
            return Err(Error::Unsupported {
                what: "path-dependent values of a model whose nodes have no covers".to_owned(),
                hint: "give a background, from which covers are counted, or take interventional values"
                    .to_owned(),
            });
        }
        let (slots, used) = (Slots::new(ensemble), Used::new(ensemble, method));
        let batches = plan::plan(ensemble, method, &slots, &used);
        let base_values = plan::base_values(ensemble);
        Ok(Self::with_plan(ensemble, Arc::new(Plan { method, slots, used, batches, base_values })))
    }

    /// Goes on with what [`PathDependent::plan`] gave for the same ensemble.
    pub fn with_plan(ensemble: &'a TreeEnsemble, plan: Arc<Plan>) -> Self {
        let level = Level::available().last().copied().unwrap_or(Level::Portable);
        Self { ensemble, plan, level }
    }

    /// What was worked out of the ensemble, to be kept beside it.
    pub fn plan(&self) -> Arc<Plan> {
        self.plan.clone()
    }

    /// Uses these instructions instead of the fastest that the processor has; [`Level::available`] lists them.
    #[must_use]
    pub fn at_level(self, level: Level) -> Self {
        let level = if Level::available().contains(&level) { level } else { Level::Portable };
        Self { level, ..self }
    }

    /// The margin that is expected where no feature is known, `[outputs]`.
    pub fn base_values(&self) -> &[f64] {
        &self.plan.base_values
    }

    /// Values of one row: outputs × features, and × features once more for interactions.
    pub fn n_values(&self) -> usize {
        self.shape(1).iter().product()
    }

    fn shape(&self, n_rows: usize) -> Vec<usize> {
        let (outputs, features) = (self.ensemble.n_outputs(), self.ensemble.n_features);
        match self.plan.method {
            Method::Interactions => vec![n_rows, outputs, features, features],
            Method::Shapley | Method::Banzhaf => vec![n_rows, outputs, features],
        }
    }

    /// Writes the values of some of the rows, `[range, outputs, features]` or `[range, outputs, features, features]`, on
    /// all threads.
    ///
    /// # Errors
    /// Rows of another width, a range beyond them, room of another size.
    pub fn explain_block(&self, rows: Rows<'_>, range: Range<usize>, into: &mut [f64]) -> Result<(), Error> {
        rows.check(self.ensemble, "rows")?;
        if range.end > rows.n_rows() || into.len() != range.len() * self.n_values() {
            let reason = format!("{range:?} of {} rows into room for {} values", rows.n_rows(), into.len());
            return Err(Error::Rows { what: "rows", reason });
        }
        let n_rows = self.rows_at_once();
        if range.len() <= n_rows {
            // Other threads need not be woken.
            dispatch(self.level, Chunk { explainer: self, rows, range, into });
            return Ok(());
        }
        into.par_chunks_mut((n_rows * self.n_values()).max(1)).enumerate().for_each(|(index, into)| {
            let start = range.start + index * n_rows;
            let range = start..range.end.min(start + n_rows);
            dispatch(self.level, Chunk { explainer: self, rows, range, into });
        });
        Ok(())
    }

    fn rows_at_once(&self) -> usize {
        let row_bytes = self.plan.used.n_sums() * (size_of::<f32>() + size_of::<f64>());
        let n_rows = SUMS_BYTES / row_bytes.max(1);
        (n_rows / ROWS_AT_LEAST * ROWS_AT_LEAST).clamp(ROWS_AT_LEAST, ROWS_AT_ONCE)
    }

    fn explain(&self, rows: Rows<'_>, work: &Work) -> Result<Attribution, Error> {
        rows.check(self.ensemble, "rows")?;
        let n_rows = rows.n_rows();
        let mut values = room(n_rows, self.n_values())?;
        work.progress.begin(n_rows);
        let done = in_blocks(n_rows, work, |range| {
            let places = range.start * self.n_values()..range.end * self.n_values();
            self.explain_block(rows, range, &mut values[places])
        });
        work.progress.end();
        done?;
        let outputs = self.ensemble.margins(rows)?.into_dyn();
        Ok(Attribution::new(shaped(&self.shape(n_rows), values), outputs))
    }
}

/// Zeros for the values of all rows, or how to do with less.
pub(crate) fn room(n_rows: usize, n_values: usize) -> Result<Vec<f64>, Error> {
    let mut values = Vec::new();
    let wanted = n_rows.checked_mul(n_values);
    if wanted.is_none_or(|n| values.try_reserve_exact(n).is_err()) {
        let reason = format!("no memory for {n_rows} × {n_values} values; explain fewer rows at a time");
        return Err(Error::Rows { what: "rows", reason });
    }
    values.resize(n_rows * n_values, 0.0);
    Ok(values)
}

fn in_blocks(
    n_rows: usize,
    work: &Work,
    mut block: impl FnMut(Range<usize>) -> Result<(), Error>,
) -> Result<(), Error> {
    let size = work.batch_size.unwrap_or(BLOCK_ROWS).max(1);
    for start in (0..n_rows).step_by(size) {
        work.check()?;
        let range = start..n_rows.min(start + size);
        let n = range.len();
        block(range)?;
        work.progress.advance(n);
    }
    Ok(())
}

pub(crate) fn shaped(shape: &[usize], values: Vec<f64>) -> ArrayD<f64> {
    let n = values.len();
    ArrayD::from_shape_vec(IxDyn(shape), values)
        .unwrap_or_else(|error| panic!("{n} values do not have the shape {shape:?}: {error}"))
}

fn repeated(base_values: &[f64], n_rows: usize) -> ArrayD<f64> {
    Array2::from_shape_fn((n_rows, base_values.len()), |(_, output)| base_values[output]).into_dyn()
}

/// Some rows on one thread.
struct Chunk<'a, 'r> {
    explainer: &'a PathDependent<'a>,
    rows: Rows<'r>,
    range: Range<usize>,
    into: &'a mut [f64],
}

impl Job for Chunk<'_, '_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Self { explainer, rows, range, into } = self;
        into.fill(0.0);
        let n_sums = explainer.plan.used.n_sums();
        if n_sums == 0 {
            return;
        }
        let slots = filled::<L>(explainer, rows, range);
        let n_groups = slots.len();
        let scale = explainer.plan.slots.scale(explainer.ensemble, rows);
        let mut sums = vec![L::splat(0.0); n_groups * n_sums];
        let mut totals = vec![0.0_f64; n_groups * n_sums * L::N];
        for (output, batches) in explainer.plan.batches.iter().enumerate() {
            for batch in batches {
                for one in &batch.walks {
                    walk_groups::<L>(explainer.plan.method, one, scale, &slots, &mut sums);
                }
                flush(batch, n_sums, &mut sums, &mut totals);
            }
            write::<L>(explainer, output, &mut totals, into);
        }
    }
}

/// The slots of all groups of rows.
#[inline(always)]
fn filled<L: Lanes>(explainer: &PathDependent<'_>, rows: Rows<'_>, range: Range<usize>) -> Vec<Vec<f32>> {
    let mut row = vec![0.0; explainer.ensemble.n_features];
    range
        .clone()
        .step_by(L::N)
        .map(|start| {
            let mut slots = vec![0.0; explainer.plan.slots.len() * L::N];
            let group = start..range.end.min(start + L::N);
            explainer.plan.slots.fill(explainer.ensemble, rows, group, &mut row, &mut slots);
            slots
        })
        .collect()
}

#[inline(always)]
fn walk_groups<L: Lanes>(method: Method, one: &Walk, scale: Scale, slots: &[Vec<f32>], sums: &mut [L]) {
    match method {
        Method::Interactions => walk_points::<L, true>(one, scale, slots, sums),
        Method::Shapley | Method::Banzhaf => walk_points::<L, false>(one, scale, slots, sums),
    }
}

#[inline(always)]
fn walk_points<L: Lanes, const PAIRS: bool>(one: &Walk, scale: Scale, slots: &[Vec<f32>], sums: &mut [L]) {
    const { assert!(MAX_POINTS == 6) };
    match one.at.len() {
        1 => walk_all::<L, 1, PAIRS>(one, scale, slots, sums),
        2 => walk_all::<L, 2, PAIRS>(one, scale, slots, sums),
        3 => walk_all::<L, 3, PAIRS>(one, scale, slots, sums),
        4 => walk_all::<L, 4, PAIRS>(one, scale, slots, sums),
        5 => walk_all::<L, 5, PAIRS>(one, scale, slots, sums),
        _ => walk_all::<L, 6, PAIRS>(one, scale, slots, sums),
    }
}

#[inline(always)]
fn walk_all<L: Lanes, const Q: usize, const PAIRS: bool>(
    one: &Walk,
    scale: Scale,
    slots: &[Vec<f32>],
    sums: &mut [L],
) {
    let mut stack = Stack::<L, Q>::new(one.n_levels);
    let n_sums = sums.len() / slots.len();
    for (slots, sums) in slots.iter().zip(sums.chunks_exact_mut(n_sums)) {
        walk::<L, Q, PAIRS>(one, scale, slots, &mut stack, sums);
    }
}

#[inline(always)]
fn flush<L: Lanes>(batch: &Batch, n_sums: usize, sums: &mut [L], totals: &mut [f64]) {
    let mut lanes = [0.0; 16];
    for (sums, totals) in sums.chunks_exact_mut(n_sums).zip(totals.chunks_exact_mut(n_sums * L::N)) {
        for &sum in &batch.sums {
            let sum = sum as usize;
            sums[sum].store(&mut lanes);
            sums[sum] = L::splat(0.0);
            let totals = &mut totals[sum * L::N..][..L::N];
            for (total, &lane) in totals.iter_mut().zip(&lanes) {
                *total += f64::from(lane);
            }
        }
    }
}

/// Writes one output's values, and leaves `totals` at 0.
#[inline(always)]
fn write<L: Lanes>(explainer: &PathDependent<'_>, output: usize, totals: &mut [f64], into: &mut [f64]) {
    let n_values = explainer.n_values() / explainer.ensemble.n_outputs();
    for (row, into) in into.chunks_exact_mut(explainer.n_values()).enumerate() {
        let into = &mut into[output * n_values..][..n_values];
        let group = &totals[row / L::N * explainer.plan.used.n_sums() * L::N..];
        explainer.write_row(|sum| group[sum * L::N + row % L::N], into);
    }
    totals.fill(0.0);
}

impl PathDependent<'_> {
    /// One row's values of one output. `total` gives what the accumulators hold.
    fn write_row(&self, total: impl Fn(usize) -> f64, into: &mut [f64]) {
        let scale = self.ensemble.scale;
        let Used { features, pairs } = &self.plan.used;
        let stride = match self.plan.method {
            Method::Interactions => self.ensemble.n_features + 1,
            Method::Shapley | Method::Banzhaf => 1,
        };
        for (sum, &feature) in features.iter().enumerate() {
            into[feature as usize * stride] = scale * total(sum);
        }
        for (sum, pair) in pairs.iter().enumerate() {
            let [i, j] = pair.map(|place| features[place as usize] as usize);
            let half = scale * 0.5 * total(features.len() + sum);
            let n_features = self.ensemble.n_features;
            into[i * n_features + j] = half;
            into[j * n_features + i] = half;
            into[i * stride] -= half;
            into[j * stride] -= half;
        }
    }
}

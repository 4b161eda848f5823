#![doc = include_str!("integrated_gradients.md")]

mod adaptive;

pub use crate::quadrature::Rule;

use ndarray::{Array1, Array2, ArrayD, ArrayViewD, Axis, IxDyn, Slice};
use pellucid_core::{Attribution, Baseline, ImageValues, Target, Work};

use crate::error::Error;
use crate::gradients::explained;
use crate::network::Network;
use crate::path::{Path, Points};

/// Settings of [`integrated_gradients`].
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Where the path begins.
    pub baseline: Baseline,
    /// What black and white are, for baselines that are images.
    pub image: Option<ImageValues>,
    /// Points on the path, for fixed steps.
    pub n_steps: usize,
    /// How the integral is approximated, for fixed steps.
    pub rule: Rule,
    /// Refine the path until the completeness gap is below this share of `|f(x) − f(x′)|`, instead of fixed steps.
    pub tolerance: Option<f64>,
    /// Evaluations a row may take while refining.
    pub max_evaluations: usize,
    /// For baselines that are noise.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            baseline: Baseline::Zeros,
            image: None,
            n_steps: 50,
            rule: Rule::default(),
            tolerance: None,
            max_evaluations: 1000,
            seed: 0,
        }
    }
}

/// `A_i = (x_i − x′_i) ∫₀¹ ∂f/∂x_i (x′ + α (x − x′)) dα` (Sundararajan et al. 2017) for each row of `rows`
/// `[rows, features…]`; values `[rows, K, features…]` in output units, with base values and convergence delta.
///
/// # Errors
/// Options that cannot be, rows or a baseline that do not fit, a target that is not there, an op without a gradient
/// rule, a canceled work.
pub fn integrated_gradients(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    options: &Options,
    work: &Work,
) -> Result<Attribution, Error> {
    check(options)?;
    network.check_rows(rows)?;
    let baselines = options.baseline.of_rows(rows.view(), options.image.as_ref(), options.seed)?;
    let both = network.outputs(&one_behind_the_other(rows.view(), baselines.view())?, work)?;
    let (outputs, at_baseline) = both.view().split_at(Axis(0), rows.len_of(Axis(0)));
    let (outputs, at_baseline) = (outputs.to_owned(), at_baseline.to_owned());
    let resolved = target.resolve(outputs.view(), None)?;
    let path = Path::new(network)?;
    let n_rows = rows.len_of(Axis(0));
    let mut evaluations = Array1::zeros(n_rows);
    let mut warnings = Vec::new();
    let mut values = Vec::new();
    work.progress.begin(n_rows * resolved.weights.len() * options.n_steps);
    for weights in &resolved.weights {
        let one = Ends {
            path: &path,
            rows,
            baselines: &baselines,
            weights,
            outputs: &outputs,
            at_baseline: &at_baseline,
        };
        let result = match options.tolerance {
            None => fixed_steps(&one, options, work),
            Some(tolerance) => {
                adaptive::refined(&one, tolerance, options.max_evaluations, work, &mut warnings)
            }
        };
        let (part, counts) = result.inspect_err(|_| work.progress.end())?;
        evaluations += &counts;
        values.push(part);
    }
    work.progress.end();
    let views: Vec<_> = values.iter().map(|part| part.view()).collect();
    let values = ndarray::stack(Axis(1), &views).map_err(|error| Error::network(error.to_string()))?;
    let mut attribution = Attribution::new(values, explained(&outputs, &resolved))
        .with_base_values(explained(&at_baseline, &resolved));
    attribution.evaluations = evaluations;
    attribution.warnings = warnings;
    Ok(attribution)
}

fn check(options: &Options) -> Result<(), Error> {
    if let Some(tolerance) = options.tolerance
        && !(tolerance > 0.0 && tolerance.is_finite())
    {
        return Err(Error::option("tolerance", format!("{tolerance} is no positive share")));
    }
    options.rule.points(options.n_steps).map(|_| ())
}

/// Two arrays as one, for a single run.
fn one_behind_the_other(
    first: ArrayViewD<'_, f32>,
    second: ArrayViewD<'_, f32>,
) -> Result<ArrayD<f32>, Error> {
    ndarray::concatenate(Axis(0), &[first, second]).map_err(|error| Error::network(error.to_string()))
}

/// Both ends of the path of each row, for one target.
struct Ends<'a> {
    path: &'a Path<'a>,
    rows: &'a ArrayD<f32>,
    baselines: &'a ArrayD<f32>,
    /// Weights of the outputs, `[rows, outputs]`.
    weights: &'a Array2<f32>,
    outputs: &'a Array2<f64>,
    at_baseline: &'a Array2<f64>,
}

/// Some rows at the start of the network's body: where their paths begin, how they go on, and what is explained.
struct BodyEnds {
    start: ArrayD<f32>,
    difference: ArrayD<f32>,
    weights: ArrayD<f32>,
}

impl BodyEnds {
    /// All rows, `n` times one after the other.
    fn repeated(&self, n: usize) -> Result<Self, Error> {
        let repeat = |array: &ArrayD<f32>| {
            let copies: Vec<_> = std::iter::repeat_n(array.view(), n).collect();
            ndarray::concatenate(Axis(0), &copies).map_err(|error| Error::network(error.to_string()))
        };
        Ok(Self {
            start: repeat(&self.start)?,
            difference: repeat(&self.difference)?,
            weights: repeat(&self.weights)?,
        })
    }
}

impl Ends<'_> {
    fn n_rows(&self) -> usize {
        self.rows.len_of(Axis(0))
    }

    fn at_body(&self, range: std::ops::Range<usize>, work: &Work) -> Result<BodyEnds, Error> {
        let slice = Slice::from(range.clone());
        let (rows, baselines) =
            (self.rows.slice_axis(Axis(0), slice), self.baselines.slice_axis(Axis(0), slice));
        let both = self.path.start_of_body(&one_behind_the_other(rows, baselines)?, work)?;
        let (end, start) = both.view().split_at(Axis(0), range.len());
        let (difference, start) = (&end - &start, start.to_owned());
        let weights = self.weights.slice_axis(Axis(0), Slice::from(range.clone())).to_owned().into_dyn();
        Ok(BodyEnds { start, difference, weights })
    }

    /// Attributions of some rows from their summed gradients at the start of the body: `(x − x′) ⊙ Jᵀ gradient`.
    fn attribution(
        &self,
        range: std::ops::Range<usize>,
        gradients: &[Vec<f64>],
        shape: &[usize],
        work: &Work,
    ) -> Result<ArrayD<f64>, Error> {
        let flat: Vec<f32> = gradients.iter().flatten().map(|&g| g as f32).collect();
        let gradients =
            ArrayD::from_shape_vec(IxDyn(shape), flat).map_err(|e| Error::network(e.to_string()))?;
        let at_input = self.path.at_input(&gradients, work)?;
        let part =
            |array: &ArrayD<f32>| array.slice_axis(Axis(0), Slice::from(range.clone())).mapv(f64::from);
        Ok((part(self.rows) - part(self.baselines)) * at_input.mapv(f64::from))
    }
}

/// The same points on the path of every row.
fn fixed_steps(
    ends: &Ends<'_>,
    options: &Options,
    work: &Work,
) -> Result<(ArrayD<f64>, Array1<usize>), Error> {
    let points = options.rule.points(options.n_steps)?;
    let per_run = ends.path.points_per_run(options.n_steps * ends.n_rows(), work)?;
    let n_runs = options.n_steps.div_ceil(per_run);
    let n_points = options.n_steps.div_ceil(n_runs);
    let rows_per_run = (per_run / n_points).max(1);
    let chunks: Vec<Points> = points.chunks(n_points).map(|chunk| padded(chunk, n_points)).collect();
    // As many runs at a time as there are lanes: of several rows, or of one row's chunks.
    let lanes = ends.path.lanes()?;
    let (rows_at_once, chunks_at_once) = if n_runs == 1 { (lanes * rows_per_run, 1) } else { (1, lanes) };
    let rows_per_run = if n_runs == 1 { rows_per_run } else { 1 };
    let mut parts = Vec::new();
    for first in (0..ends.n_rows()).step_by(rows_at_once) {
        let range = first..(first + rows_at_once).min(ends.n_rows());
        let body = ends.at_body(range.clone(), work)?;
        let mut sums: Vec<Vec<f64>> = vec![vec![0.0; ends.path.body_len()]; range.len()];
        for chunks in chunks.chunks(chunks_at_once) {
            let body = body.repeated(chunks.len())?;
            let by_row: Vec<Points> =
                chunks.iter().flat_map(|chunk| std::iter::repeat_n(chunk.clone(), range.len())).collect();
            let (start, difference, weights) = (&body.start, &body.difference, &body.weights);
            let along = ends.path.run(start, difference, weights, &by_row, n_points, rows_per_run, work)?;
            for (index, along) in along.into_iter().enumerate() {
                let sum = &mut sums[index % range.len()];
                sum.iter_mut().zip(along.gradient).for_each(|(sum, g)| *sum += g);
            }
        }
        parts.push(ends.attribution(range, &sums, body.start.shape(), work)?);
    }
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    let values = ndarray::concatenate(Axis(0), &views).map_err(|error| Error::network(error.to_string()))?;
    Ok((values, Array1::from_elem(ends.n_rows(), options.n_steps)))
}

/// Points of weight 0 added up to `n`, so that every run has the same size.
fn padded(points: &[(f64, f64)], n: usize) -> Points {
    let mut padded = points.to_vec();
    padded.resize(n, (points[0].0, 0.0));
    padded
}

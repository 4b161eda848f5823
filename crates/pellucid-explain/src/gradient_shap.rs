#![doc = include_str!("gradient_shap.md")]

use ndarray::{Array1, Array2, ArrayD, Axis, IxDyn};
use pellucid_core::{Attribution, Draws, Model, RunningMean, Target, Work, row_digest};
use pellucid_graph::gradient;
use pellucid_graph::passes::prune;
use rand_distr::{Distribution, StandardNormal, Uniform};

use crate::deep_shap::stacked;
use crate::error::Error;
use crate::gradients::explained;
use crate::lift::{check_background, mean_explained, outputs_at, rows_per_block, targets_second};
use crate::micro_batch;
use crate::network::Network;
use crate::seeds::seed_input;
use crate::smoothgrad::Noise;

/// Settings of [`gradient_shap`].
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The rows that paths begin at, `[background rows, features…]`.
    pub background: ArrayD<f32>,
    /// Draws for each row; with a tolerance, draws between two looks at the error.
    pub n_samples: usize,
    /// Noise on the input (captum's `stdevs`, where absolute).
    pub noise: Noise,
    /// Draw until the standard error is below this share of the values, both as Euclidean norms over a row's features.
    pub tolerance: Option<f64>,
    /// Draws a row may take with a tolerance.
    pub max_evaluations: usize,
    /// What draws are made from, with the row's digest.
    pub seed: u64,
}

impl Options {
    /// The defaults for a background: 200 draws (as shap), no noise, no tolerance.
    pub fn new(background: ArrayD<f32>) -> Self {
        Self {
            background,
            n_samples: 200,
            noise: Noise::Absolute(0.0),
            tolerance: None,
            max_evaluations: 10_000,
            seed: 0,
        }
    }
}

/// `A_i = E[(x_i − b_i) ∂f/∂x_i (b + α (x − b))]` over background rows `b` and `α` uniform in 0..1 (Erion et al. 2021),
/// with its standard error, for each row of `rows` `[rows, features…]`; values `[rows, K, features…]` in output units.
/// The base value is the mean output over the background.
///
/// # Errors
/// Options that cannot be, rows or a background that do not fit, a target that is not there, an op without a gradient
/// rule, a canceled work.
pub fn gradient_shap(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    options: &Options,
    work: &Work,
) -> Result<Attribution, Error> {
    check(options)?;
    network.check_rows(rows)?;
    check_background(network, &options.background)?;
    let (outputs, at_background) = outputs_at(network, rows, &options.background, work)?;
    let resolved = target.resolve(outputs.view(), None)?;
    let sampler = Sampler::new(network, rows, options)?;
    let (mut evaluations, mut warnings) = (Array1::zeros(rows.len_of(Axis(0))), Vec::new());
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    work.progress.begin(rows.len_of(Axis(0)) * options.n_samples * resolved.weights.len());
    for weights in &resolved.weights {
        let sampled = sampler.run(weights, work).inspect_err(|_| work.progress.end())?;
        values.push(stacked(&sampled.means, |mean| mean.mean().clone())?);
        errors.push(stacked(&sampled.means, RunningMean::standard_error)?);
        evaluations += &sampled.n_draws;
        warnings.extend(sampled.warnings);
    }
    work.progress.end();
    let mut attribution = Attribution::new(targets_second(&values)?, explained(&outputs, &resolved))
        .with_base_values(mean_explained(&at_background, &resolved.weights));
    attribution.standard_error = Some(targets_second(&errors)?);
    attribution.evaluations = evaluations;
    attribution.warnings = warnings;
    Ok(attribution)
}

fn check(options: &Options) -> Result<(), Error> {
    if options.n_samples < 2 {
        return Err(Error::option("n_samples", "a standard error needs at least 2 draws"));
    }
    options.noise.check()?;
    match options.tolerance {
        Some(tolerance) if !(tolerance > 0.0 && tolerance.is_finite()) => {
            Err(Error::option("tolerance", format!("{tolerance} is no positive share")))
        }
        _ => Ok(()),
    }
}

/// What was drawn for one target.
struct Sampled {
    /// One a row.
    means: Vec<RunningMean<IxDyn>>,
    n_draws: Array1<usize>,
    warnings: Vec<String>,
}

/// Rows with their draws.
struct Sampler<'a> {
    network: &'a Network,
    rows: &'a ArrayD<f32>,
    options: &'a Options,
    draws: Vec<Draws>,
    /// The standard deviation of each row's noise.
    sigmas: Vec<f64>,
    background_row: Uniform<usize>,
    position: Uniform<f64>,
}

impl<'a> Sampler<'a> {
    fn new(network: &'a Network, rows: &'a ArrayD<f32>, options: &'a Options) -> Result<Self, Error> {
        let draws = |row| Draws::new(options.seed, &row_digest(row), "gradient_shap");
        let fault = |error: rand_distr::uniform::Error| Error::option("background", error.to_string());
        Ok(Self {
            network,
            rows,
            options,
            draws: rows.axis_iter(Axis(0)).map(draws).collect(),
            sigmas: rows.axis_iter(Axis(0)).map(|row| options.noise.sigma(row)).collect(),
            background_row: Uniform::new(0, options.background.len_of(Axis(0))).map_err(fault)?,
            position: Uniform::new(0.0, 1.0).map_err(fault)?,
        })
    }

    /// Draws until every row has enough. Whether a row has does not depend on the others.
    fn run(&self, weights: &Array2<f32>, work: &Work) -> Result<Sampled, Error> {
        let n_rows = self.rows.len_of(Axis(0));
        let mut means = vec![RunningMean::new(self.network.input_shape()); n_rows];
        let mut n_draws = Array1::zeros(n_rows);
        let mut open: Vec<usize> = (0..n_rows).collect();
        let mut first = 0;
        while !open.is_empty() {
            let last = first + self.options.n_samples;
            let pairs: Vec<(usize, u64)> =
                open.iter().flat_map(|&row| (first..last).map(move |draw| (row, draw as u64))).collect();
            for pairs in pairs.chunks(rows_per_block(self.network, work)) {
                let values = self.values(pairs, weights, work)?;
                for ((row, _), values) in pairs.iter().zip(values.outer_iter()) {
                    means[*row].add(values);
                }
            }
            open.iter().for_each(|&row| n_draws[row] = last);
            first = last;
            open.retain(|&row| self.goes_on(&means[row], last));
        }
        let warnings = self.missed(&means);
        Ok(Sampled { means, n_draws, warnings })
    }

    fn goes_on(&self, mean: &RunningMean<IxDyn>, n_draws: usize) -> bool {
        let within = n_draws + self.options.n_samples <= self.options.max_evaluations;
        within && self.options.tolerance.is_some_and(|tolerance| mean.relative_error() > tolerance)
    }

    fn missed(&self, means: &[RunningMean<IxDyn>]) -> Vec<String> {
        let Some(tolerance) = self.options.tolerance else { return Vec::new() };
        let errors = means.iter().map(RunningMean::relative_error).enumerate();
        let missed = errors.filter(|(_, error)| *error > tolerance).map(|(row, error)| {
            format!(
                "row {row}: the standard error is {:.2} % of the values, above the tolerance of {:.2} %",
                100.0 * error,
                100.0 * tolerance
            )
        });
        missed.collect()
    }

    /// `(x − b) ⊙ ∂f/∂x` of some draws of some rows, `[draws, features…]`.
    fn values(
        &self,
        pairs: &[(usize, u64)],
        weights: &Array2<f32>,
        work: &Work,
    ) -> Result<ArrayD<f64>, Error> {
        let of_row: Vec<usize> = pairs.iter().map(|(row, _)| *row).collect();
        let mut points = self.rows.select(Axis(0), &of_row);
        let mut differences = points.clone();
        let slots = points.outer_iter_mut().zip(differences.outer_iter_mut());
        for ((mut point, mut difference), (row, draw)) in slots.zip(pairs) {
            let mut generator = self.draws[*row].draw(*draw);
            let other = self.background_row.sample(&mut generator);
            let position = self.position.sample(&mut generator) as f32;
            let (other, sigma) = (self.options.background.index_axis(Axis(0), other), self.sigmas[*row]);
            ndarray::Zip::from(&mut point).and(&mut difference).and(&other).for_each(
                |point, difference, &b| {
                    let mut x = *point;
                    if sigma > 0.0 {
                        let z: f64 = StandardNormal.sample(&mut generator);
                        x += (sigma * z) as f32;
                    }
                    *difference = x - b;
                    *point = b + position * *difference;
                },
            );
        }
        let weights = weights.select(Axis(0), &of_row);
        let gradients = gradients_by_weights(self.network, &points, weights, work)?;
        Ok(gradients * differences.mapv(f64::from))
    }
}

/// `∂(Σ weight · output)/∂x` of each row, `[rows, features…]`.
fn gradients_by_weights(
    network: &Network,
    rows: &ArrayD<f32>,
    weights: Array2<f32>,
    work: &Work,
) -> Result<ArrayD<f64>, Error> {
    let prepared = network.prepared("gradient by weights", || {
        let mut graph = network.graph().clone();
        let (input, output) = (graph.inputs()[0], graph.outputs()[0]);
        let seed = seed_input(&mut graph, output, "target_weights");
        let wire = gradient(&mut graph, output, seed, &[input])?[0];
        graph.add_output(wire);
        Ok(prune(&graph)?)
    })?;
    let inputs = [rows.clone(), weights.into_dyn()];
    let size = network.micro_batch(&prepared, rows.len_of(Axis(0)), work);
    let mut values = Vec::with_capacity(rows.len());
    micro_batch::run(&*prepared.session, &inputs, size, work, |range, tensors| {
        values.extend(micro_batch::first_rows(&tensors[1], range.len()));
        Ok(())
    })?;
    ArrayD::from_shape_vec(rows.raw_dim(), values)
        .map_err(|error| Error::network(format!("a result of another shape: {error}")))
}

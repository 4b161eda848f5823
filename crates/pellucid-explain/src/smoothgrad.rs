#![doc = include_str!("smoothgrad.md")]

use ndarray::{ArrayD, ArrayViewD, Axis};
use pellucid_core::{Attribution, Draws, ResolvedTarget, Target, Work, row_digest};
use rand_distr::{Distribution, StandardNormal};

use crate::error::Error;
use crate::network::Network;

/// What is made of the attributions of the noisy inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Statistic {
    /// SmoothGrad: the mean.
    #[default]
    Mean,
    /// SmoothGrad²: the mean of the squares.
    MeanSquare,
    /// VarGrad: the (population) variance.
    Variance,
}

/// The unit of the noise's standard deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Noise {
    /// A share of the row's own range (max − min), as in the paper.
    ShareOfRange(f64),
    /// In the input's own units, as captum's `stdevs`.
    Absolute(f64),
}

impl Noise {
    /// The standard deviation for a row, in the input's own units.
    pub(crate) fn sigma(self, row: ArrayViewD<'_, f32>) -> f64 {
        match self {
            Self::Absolute(sigma) => sigma,
            Self::ShareOfRange(share) => {
                let low = row.iter().copied().fold(f32::INFINITY, f32::min);
                let high = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                share * f64::from(high - low)
            }
        }
    }

    /// Refuses what is no standard deviation.
    pub(crate) fn check(self) -> Result<(), Error> {
        let (Self::ShareOfRange(sigma) | Self::Absolute(sigma)) = self;
        match sigma.is_finite() && sigma >= 0.0 {
            true => Ok(()),
            false => Err(Error::option("noise", format!("{sigma} is no standard deviation"))),
        }
    }
}

/// Settings of [`smoothgrad`].
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// What is made of the draws.
    pub statistic: Statistic,
    /// How much noise.
    pub noise: Noise,
    /// Noisy inputs for each row.
    pub n_samples: usize,
    /// What the noise is drawn from, with the row's digest.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { statistic: Statistic::Mean, noise: Noise::ShareOfRange(0.15), n_samples: 50, seed: 0 }
    }
}

/// `A = (1/n) Σ M(x + ε)`, `ε ~ N(0, σ²)` (Smilkov et al. 2017), around any `method` that attributes rows
/// `[rows, features…]` to one target; values as the method's, with standard errors. The target is fixed at the clean
/// input.
///
/// # Errors
/// Options that cannot be, a target that is not there, a canceled work, whatever `method` reports.
pub fn smoothgrad(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    options: &Options,
    work: &Work,
    mut method: impl FnMut(&ArrayD<f32>, &Target) -> Result<Attribution, Error>,
) -> Result<Attribution, Error> {
    check(options)?;
    network.check_rows(rows)?;
    let outputs = network.outputs(rows, work)?;
    let resolved = target.resolve(outputs.view(), None)?;
    let draws: Vec<RowNoise> = rows.axis_iter(Axis(0)).map(|row| RowNoise::new(row, options)).collect();
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for k in 0..resolved.weights.len() {
        let fixed = fixed_target(&resolved, k);
        let mut moments = Moments::default();
        for draw in 0..options.n_samples {
            work.check()?;
            let noisy = noisy_rows(rows, &draws, draw as u64)?;
            moments.add(&method(&noisy, &fixed)?.values);
        }
        values.push(moments.statistic(options.statistic));
        errors.push(moments.standard_error(options.statistic));
    }
    let joined = |parts: &[ArrayD<f64>]| {
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        ndarray::concatenate(Axis(1), &views).map_err(|error| Error::network(error.to_string()))
    };
    let mut attribution =
        Attribution::new(joined(&values)?, crate::gradients::explained(&outputs, &resolved));
    attribution.standard_error = Some(joined(&errors)?);
    attribution.evaluations.fill(options.n_samples * resolved.weights.len());
    Ok(attribution)
}

fn check(options: &Options) -> Result<(), Error> {
    if options.n_samples < 2 {
        return Err(Error::option("n_samples", "a standard error needs at least 2 draws"));
    }
    options.noise.check()
}

/// The `k`-th target of each row as it is at the clean input.
fn fixed_target(resolved: &ResolvedTarget, k: usize) -> Target {
    Target::Resolved(ResolvedTarget { weights: vec![resolved.weights[k].clone()], indices: None })
}

struct RowNoise {
    draws: Draws,
    sigma: f64,
}

impl RowNoise {
    fn new(row: ArrayViewD<'_, f32>, options: &Options) -> Self {
        let sigma = options.noise.sigma(row.view());
        Self { draws: Draws::new(options.seed, &row_digest(row), "smoothgrad"), sigma }
    }
}

fn noisy_rows(rows: &ArrayD<f32>, noise: &[RowNoise], draw: u64) -> Result<ArrayD<f32>, Error> {
    let mut noisy = rows.clone();
    for (mut row, noise) in noisy.axis_iter_mut(Axis(0)).zip(noise) {
        let mut generator = noise.draws.draw(draw);
        row.mapv_inplace(|x| {
            let z: f64 = StandardNormal.sample(&mut generator);
            (f64::from(x) + noise.sigma * z) as f32
        });
    }
    Ok(noisy)
}

/// Mean and sums of powers of deviations from it, updated draw by draw (Pébay 2008), and the same for squares.
#[derive(Default)]
struct Moments {
    n: f64,
    /// Mean, Σ(a−m)², Σ(a−m)³, Σ(a−m)⁴ of each element.
    central: Option<[ArrayD<f64>; 4]>,
    /// Mean and Σ(a²−m)² of each element's square.
    squares: Option<[ArrayD<f64>; 2]>,
}

impl Moments {
    fn add(&mut self, values: &ArrayD<f64>) {
        let zeros = || ArrayD::zeros(values.raw_dim());
        let [mean, m2, m3, m4] = self.central.get_or_insert_with(|| std::array::from_fn(|_| zeros()));
        let [square_mean, square_m2] = self.squares.get_or_insert_with(|| std::array::from_fn(|_| zeros()));
        self.n += 1.0;
        let n = self.n;
        ndarray::Zip::from(mean).and(m2).and(m3).and(m4).and(values).for_each(|mean, m2, m3, m4, &a| {
            let delta = a - *mean;
            let step = delta / n;
            let term = delta * step * (n - 1.0);
            *mean += step;
            *m4 += term * step * step * (n * n - 3.0 * n + 3.0) + 6.0 * step * step * *m2 - 4.0 * step * *m3;
            *m3 += term * step * (n - 2.0) - 3.0 * step * *m2;
            *m2 += term;
        });
        ndarray::Zip::from(square_mean).and(square_m2).and(values).for_each(|mean, m2, &a| {
            let delta = a * a - *mean;
            *mean += delta / n;
            *m2 += delta * (a * a - *mean);
        });
    }

    fn statistic(&self, statistic: Statistic) -> ArrayD<f64> {
        let (Some(central), Some(squares)) = (&self.central, &self.squares) else {
            return ArrayD::zeros(vec![0]);
        };
        match statistic {
            Statistic::Mean => central[0].clone(),
            Statistic::MeanSquare => squares[0].clone(),
            Statistic::Variance => &central[1] / self.n,
        }
    }

    /// The standard error of each statistic; of a variance `√((μ₄ − σ⁴) / n)`.
    fn standard_error(&self, statistic: Statistic) -> ArrayD<f64> {
        let (Some(central), Some(squares)) = (&self.central, &self.squares) else {
            return ArrayD::zeros(vec![0]);
        };
        let n = self.n;
        let of_mean = |m2: &ArrayD<f64>| m2.mapv(|m2| (m2 / (n - 1.0) / n).sqrt());
        match statistic {
            Statistic::Mean => of_mean(&central[1]),
            Statistic::MeanSquare => of_mean(&squares[1]),
            Statistic::Variance => {
                let variance = &central[1] / n;
                let spread = &central[3] / n - &variance * &variance;
                spread.mapv(|s| (s.max(0.0) / n).sqrt())
            }
        }
    }
}

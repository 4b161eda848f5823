#![doc = include_str!("lime.md")]

mod discretize;
mod stability;
mod surrogate;
mod tabular;

use ndarray::{Array1, Array2, ArrayView1};
use pellucid_core::{Draws, Work};
use rand_chacha::ChaCha8Rng;

pub use discretize::Bins;
pub use stability::Stability;
pub use surrogate::{Fit, Selection, Surrogate};
pub use tabular::{Column, Discretization, Table, TabularOptions, lime_tabular};

use crate::draw::{below, choose_front, unit};
use crate::error::Error;
use crate::game::Game;
use surrogate::Samples;

/// Samples after which a tolerance is looked at.
const SAMPLES_PER_LOOK: usize = 256;

/// Samples that are asked about together where nobody looks: enough to keep all cores at work.
const SAMPLES_PER_PIECE: usize = 8192;

/// Which coalitions are asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sampling {
    /// Each player is present with this probability, on its own: lime's for images.
    Bernoulli(f64),
    /// The number of absent players is uniform over 1 … n, then which: lime's for texts.
    RemovalCount,
}

/// Settings of [`lime`].
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Which coalitions are asked for.
    pub sampling: Sampling,
    /// The width w of the kernel `√exp(−d²/w²)`, d the cosine distance to the whole row (0 … 1).
    pub kernel_width: f64,
    /// Samples, the row itself among them.
    pub n_samples: usize,
    /// The surrogate.
    pub fit: Fit,
    /// Stops before `n_samples` as soon as no coefficient has a larger standard error; in units of the output.
    pub tolerance: Option<f64>,
    /// What samples are drawn from, with the row's digest.
    pub seed: u64,
}

impl Options {
    /// lime's for images, which suit any row of segments: 1,000 samples, players present with probability ½, all take part.
    pub fn image() -> Self {
        Self {
            sampling: Sampling::Bernoulli(0.5),
            kernel_width: 0.25,
            n_samples: 1000,
            fit: Fit { n_features: 100_000, ..Fit::default() },
            tolerance: None,
            seed: 0,
        }
    }

    /// lime's for texts: 5,000 samples, the number of removed words uniform, 10 words take part. Its width of 25 on 100 times the
    /// distance is 0.25 on the distance.
    pub fn text() -> Self {
        Self { sampling: Sampling::RemovalCount, n_samples: 5000, fit: Fit::default(), ..Self::image() }
    }

    fn check(&self) -> Result<(), Error> {
        check_sampling(self.n_samples, self.kernel_width, self.tolerance)?;
        match self.sampling {
            Sampling::Bernoulli(p) if !(p > 0.0 && p < 1.0) => {
                Err(Error::setting("sampling", format!("{p} is no probability between 0 and 1")))
            }
            _ => self.fit.check(),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::image()
    }
}

fn check_sampling(n_samples: usize, kernel_width: f64, tolerance: Option<f64>) -> Result<(), Error> {
    if n_samples < 2 {
        return Err(Error::setting("n_samples", "a surrogate needs at least 2 samples"));
    }
    if !(kernel_width.is_finite() && kernel_width > 0.0) {
        return Err(Error::setting(
            "kernel_width",
            format!("{kernel_width} is no width; a number above 0 is"),
        ));
    }
    if tolerance.is_some_and(|tolerance| !(tolerance.is_finite() && tolerance > 0.0)) {
        return Err(Error::setting("tolerance", "must be a number above 0"));
    }
    Ok(())
}

/// `√exp(−d²/w²)`.
fn kernel(distance: f64, width: f64) -> f64 {
    (-(distance * distance) / (width * width)).exp().sqrt()
}

/// Fits a weighted linear surrogate to the worth of coalitions near the whole row; its coefficients are the values.
///
/// # Errors
/// Options that cannot be, a game without players, a canceled work, whatever the game reports.
pub fn lime(game: &dyn Game, options: &Options, work: &Work) -> Result<Surrogate, Error> {
    options.check()?;
    let n_players = game.n_players();
    if n_players == 0 {
        return Err(Error::setting("game", "has no players; there is nothing to explain"));
    }
    let digest = game.digest();
    let draws = Draws::new(options.seed, &digest, "lime");
    // What is present of a sample, once as words and once as numbers.
    let sample_bytes = n_players * (size_of::<bool>() + size_of::<f64>());
    let pieces = Pieces { n_samples: options.n_samples, sample_bytes, tolerance: options.tolerance };
    let samples = sampled(&pieces, &options.fit, work, |range| {
        let present = coalitions(&draws, options.sampling, n_players, range);
        let outputs = game.worth(present.view(), work)?;
        let weights =
            present.outer_iter().map(|row| kernel(cosine_distance(row), options.kernel_width)).collect();
        Ok(Samples { design: present.mapv(f64::from), outputs, weights })
    })?;
    samples.surrogate(&options.fit, &Draws::new(options.seed, &digest, "lime resamples"), work)
}

/// How samples are drawn: a piece of them at a time.
struct Pieces {
    n_samples: usize,
    /// What a sample of a piece takes until it is asked about.
    sample_bytes: usize,
    tolerance: Option<f64>,
}

impl Pieces {
    /// Looks come after the same number of samples, whatever memory there is.
    fn n_samples_of_piece(&self, work: &Work) -> usize {
        match self.tolerance {
            Some(_) => SAMPLES_PER_LOOK,
            None => (work.max_memory_bytes / 4 / self.sample_bytes.max(1)).clamp(1, SAMPLES_PER_PIECE),
        }
    }
}

/// Draws samples in pieces until there are enough of them or the tolerance is met.
fn sampled(
    pieces: &Pieces,
    fit: &Fit,
    work: &Work,
    draw: impl Fn(std::ops::Range<usize>) -> Result<Samples, Error>,
) -> Result<Samples, Error> {
    let mut samples = Samples::default();
    let (n_samples, tolerance) = (pieces.n_samples, pieces.tolerance);
    let n_piece = pieces.n_samples_of_piece(work);
    for range in crate::batches::in_batches(n_samples, n_piece) {
        let n_drawn = range.end;
        samples.extend(draw(range)?)?;
        if n_drawn < n_samples && tolerance.is_some_and(|tolerance| samples.largest_error(fit) <= tolerance) {
            break;
        }
    }
    Ok(samples)
}

/// The coalitions numbered `range`, `[coalitions, players]`: 0 is the whole row.
fn coalitions(
    draws: &Draws,
    sampling: Sampling,
    n_players: usize,
    range: std::ops::Range<usize>,
) -> Array2<bool> {
    let mut present = Array2::from_elem((range.len(), n_players), true);
    for (number, mut coalition) in range.zip(present.outer_iter_mut()) {
        if number > 0 {
            coalition.assign(&Array1::from_vec(drawn(&mut draws.draw(number as u64), sampling, n_players)));
        }
    }
    present
}

fn drawn(generator: &mut ChaCha8Rng, sampling: Sampling, n_players: usize) -> Vec<bool> {
    match sampling {
        Sampling::Bernoulli(p) => (0..n_players).map(|_| unit(generator) < p).collect(),
        Sampling::RemovalCount => {
            let n_absent = 1 + below(generator, n_players);
            let mut players: Vec<usize> = (0..n_players).collect();
            choose_front(generator, &mut players, n_absent);
            let mut present = vec![true; n_players];
            players[..n_absent].iter().for_each(|&absent| present[absent] = false);
            present
        }
    }
}

/// `1 − cos` of the angle to the coalition of all: of m present among n, `1 − √(m/n)`; 1 for nobody.
fn cosine_distance(present: ArrayView1<'_, bool>) -> f64 {
    let n_present = present.iter().filter(|&&present| present).count();
    1.0 - (n_present as f64 / present.len() as f64).sqrt()
}

#[cfg(test)]
mod tests;

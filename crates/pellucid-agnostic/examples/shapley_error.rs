//! Listed games in, Shapley values by one method out: Pellucid's side of `bench/shapley_error.py`, which says what the files hold.
//!
//!     shapley_error METHOD SEEDS GAMES VALUES

use std::error::Error;

use ndarray::{Array2, ArrayView1, ArrayView2};
use pellucid_agnostic::{Estimate, Game, kernel_shap, permutation_shap, sampling_shap};
use pellucid_core::Work;

/// A game whose coalitions' worths are listed; bit i of a place: player i is present.
struct Listed {
    index: u8,
    n_players: usize,
    worth: Vec<f64>,
    budgets: Vec<usize>,
}

impl Game for Listed {
    fn n_players(&self) -> usize {
        self.n_players
    }

    fn n_targets(&self) -> usize {
        1
    }

    fn worth(
        &self,
        present: ArrayView2<'_, bool>,
        _: &Work,
    ) -> Result<Array2<f64>, pellucid_agnostic::Error> {
        let place = |row: ArrayView1<'_, bool>| {
            row.iter().rev().fold(0, |place, &present| place << 1 | usize::from(present))
        };
        Ok(Array2::from_shape_fn((present.nrows(), 1), |(row, _)| self.worth[place(present.row(row))]))
    }

    fn digest(&self) -> [u8; 32] {
        [self.index; 32]
    }
}

/// Little-endian words of 8 bytes.
struct Words<'a>(&'a [[u8; 8]]);

impl Words<'_> {
    fn next(&mut self) -> Result<[u8; 8], String> {
        let (first, rest) = self.0.split_first().ok_or("the file of games ends too early")?;
        self.0 = rest;
        Ok(*first)
    }

    fn count(&mut self) -> Result<usize, Box<dyn Error>> {
        Ok(u64::from_le_bytes(self.next()?).try_into()?)
    }
}

fn read(bytes: &[u8]) -> Result<Vec<Listed>, Box<dyn Error>> {
    let mut words = Words(bytes.as_chunks::<8>().0);
    let mut games = Vec::new();
    for index in 0..words.count()? {
        let (n_players, n_budgets) = (words.count()?, words.count()?);
        let budgets = (0..n_budgets).map(|_| words.count()).collect::<Result<_, _>>()?;
        let worth = (0..1_usize << n_players).map(|_| Ok(f64::from_le_bytes(words.next()?)));
        let worth = worth.collect::<Result<_, String>>()?;
        games.push(Listed { index: index as u8, n_players, worth, budgets });
    }
    Ok(games)
}

fn estimate(method: &str, game: &Listed, budget: usize, seed: u64) -> Result<Estimate, Box<dyn Error>> {
    let (work, max_evaluations) = (Work::default(), Some(budget));
    let kernel = |sampling| {
        let options = kernel_shap::Options { sampling, max_evaluations, tolerance: None, seed };
        kernel_shap::kernel_shap(game, &options, &work)
    };
    Ok(match method {
        "kernel" => kernel(kernel_shap::Sampling::Balanced)?,
        "kernel-classic" => kernel(kernel_shap::Sampling::Kernel)?,
        "kernel-leverage" => kernel(kernel_shap::Sampling::Leverage)?,
        "permutation" => {
            let options = permutation_shap::Options { max_evaluations, tolerance: None, seed };
            permutation_shap::permutation_shap(game, &options, &work)?
        }
        "sampling" => {
            let options = sampling_shap::Options { max_evaluations, tolerance: None, seed };
            sampling_shap::sampling_shap(game, &options, &work)?
        }
        unknown => return Err(format!("no method `{unknown}`").into()),
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [method, n_seeds, games, values] = arguments.as_slice() else {
        return Err("usage: shapley_error METHOD SEEDS GAMES VALUES".into());
    };
    let n_seeds: u64 = n_seeds.parse()?;
    let mut bytes = Vec::new();
    for game in read(&std::fs::read(games)?)? {
        for &budget in &game.budgets {
            for seed in 0..n_seeds {
                let estimate = estimate(method, &game, budget, seed)?;
                let errors = estimate.standard_error.ok_or("a method without standard errors")?;
                let all = estimate.values.iter().chain(errors.iter());
                let numbers = std::iter::once(estimate.evaluations as f64).chain(all.copied());
                bytes.extend(numbers.flat_map(f64::to_le_bytes));
            }
        }
    }
    Ok(std::fs::write(values, bytes)?)
}

#![doc = include_str!("surrogate_tree.md")]

mod fidelity;
mod fit;
mod rules;
#[cfg(test)]
mod tests;

use ndarray::{Array2, ArrayView2};
use pellucid_core::{Draws, Work, row_digest_f64};
use rand_chacha::rand_core::Rng;

pub use fidelity::Fidelity;
pub use fit::{Node, Test};

use crate::counterfactual::Table;
use crate::error::Error;
use crate::predictor::{Predictor, predict};

/// How the tree is grown and judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Splits from the root to a leaf, at the most.
    pub max_depth: usize,
    /// Rows that a leaf has at the least.
    pub min_rows_in_leaf: usize,
    /// The share of rows that the tree does not see, and is judged by.
    pub held_out: f64,
    /// How sure the fidelity's interval is.
    pub confidence: f64,
    /// Draws of the bootstrap that gives R² its interval.
    pub n_samples: usize,
    /// What decides which rows are held out, and the bootstrap.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_depth: 4,
            min_rows_in_leaf: 10,
            held_out: 0.25,
            confidence: 0.95,
            n_samples: 1000,
            seed: 0,
        }
    }
}

/// What of the model is imitated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Imitated {
    /// The value of one output.
    Output(usize),
    /// The class: the greatest output, or on which side of the threshold the only one is.
    Class {
        /// For a model of one output: above it, it is class 1.
        threshold: f64,
    },
}

/// A tree that imitates the model.
#[derive(Clone, Debug, PartialEq)]
pub struct SurrogateTree {
    /// The root first; children stand behind their parent.
    pub nodes: Vec<Node>,
    /// How well it does, on rows that it has not seen.
    pub fidelity: Fidelity,
    table: Table,
    is_class: bool,
}

impl SurrogateTree {
    /// What the tree says to `rows` `[rows, features]`: a value or the number of a class each.
    ///
    /// # Errors
    /// Rows of another width than the table, unseen categories.
    pub fn predict(&self, rows: ArrayView2<'_, f64>) -> Result<Vec<f64>, Error> {
        check_width(&self.table, rows)?;
        let states = self.table.decode(rows, "row")?;
        Ok(states.iter().map(|state| fit::value_of(&self.nodes, state)).collect())
    }

    /// Each leaf as a rule: "if … and …: value (rows)", from left to right.
    pub fn rules(&self) -> Vec<String> {
        rules::rules(&self.nodes, &self.table, self.is_class)
    }
}

/// Grows a decision tree on what the model says to `rows` `[rows, features]`, and judges it on those held out.
///
/// # Errors
/// A table of another width than the model or the rows, an output that is not there, a model that says the same to every row,
/// too few rows, options that make no sense, whatever the predictor reports.
pub fn surrogate_tree(
    predictor: &dyn Predictor,
    table: &Table,
    rows: ArrayView2<'_, f64>,
    imitated: Imitated,
    options: &Options,
    work: &Work,
) -> Result<SurrogateTree, Error> {
    check(options)?;
    check_width(table, rows)?;
    let states = table.decode(rows, "row")?;
    let outputs = predict(predictor, rows.into_dyn(), work)?;
    let (targets, is_class) = targets(&outputs, imitated)?;
    if targets.outer_iter().all(|target| target == targets.row(0)) {
        return Err(Error::setting(
            "rows",
            "the model says the same to every row; there is nothing to imitate",
        ));
    }
    let draws = Draws::new(options.seed, &row_digest_f64(rows.into_dyn()), "surrogate_tree");
    let (seen, held_out) = divided(rows.nrows(), options, &draws)?;
    work.check()?;
    let nodes = fit::grow(&states, targets.view(), table, seen, options);
    let imitations: Vec<f64> = held_out.iter().map(|&row| fit::value_of(&nodes, &states[row])).collect();
    let truths: Vec<f64> = held_out.iter().map(|&row| fit::spoken(targets.row(row), is_class)).collect();
    let fidelity = match is_class {
        true => fidelity::accuracy(&truths, &imitations, options.confidence),
        false => fidelity::r_squared(&truths, &imitations, options, &draws)?,
    };
    Ok(SurrogateTree { nodes, fidelity, table: table.clone(), is_class })
}

/// What the tree learns: one number a row, or a 1 in the place of the class. Squared errors of the latter are Gini's impurity.
fn targets(outputs: &Array2<f64>, imitated: Imitated) -> Result<(Array2<f64>, bool), Error> {
    match imitated {
        Imitated::Output(output) if output >= outputs.ncols() => {
            let reason = format!("output {output} of {}; outputs count from 0", outputs.ncols());
            Err(Error::setting("imitated", reason))
        }
        Imitated::Output(output) => {
            Ok((Array2::from_shape_fn((outputs.nrows(), 1), |(row, _)| outputs[[row, output]]), false))
        }
        Imitated::Class { threshold } => {
            let mut hot = Array2::zeros((outputs.nrows(), outputs.ncols().max(2)));
            for (row, of_row) in outputs.outer_iter().enumerate() {
                hot[[row, crate::counterfactual::class_of(of_row, threshold)]] = 1.0;
            }
            Ok((hot, true))
        }
    }
}

/// Rows that the tree sees, and those held out.
fn divided(n_rows: usize, options: &Options, draws: &Draws) -> Result<(Vec<usize>, Vec<usize>), Error> {
    let n_held_out = (n_rows as f64 * options.held_out).round() as usize;
    if n_held_out < 2 || n_rows - n_held_out < 2 * options.min_rows_in_leaf {
        let reason = format!(
            "{n_rows} are too few: {n_held_out} would be held out (2 are the least), and {} seen (two leaves have {})",
            n_rows - n_held_out,
            2 * options.min_rows_in_leaf
        );
        return Err(Error::setting("rows", reason));
    }
    let mut generator = draws.draw(0);
    let mut order: Vec<(u64, usize)> = (0..n_rows).map(|row| (generator.next_u64(), row)).collect();
    order.sort_unstable();
    let mut held_out: Vec<usize> = order.into_iter().map(|(_, row)| row).collect();
    let mut seen = held_out.split_off(n_held_out);
    seen.sort_unstable();
    held_out.sort_unstable();
    Ok((seen, held_out))
}

fn check_width(table: &Table, rows: ArrayView2<'_, f64>) -> Result<(), Error> {
    match rows.ncols() == table.width() {
        true => Ok(()),
        false => Err(Error::shape("rows", format!("[rows, {}]", table.width()), rows.shape())),
    }
}

fn check(options: &Options) -> Result<(), Error> {
    let within = |x: f64| x > 0.0 && x < 1.0;
    if options.max_depth == 0 || options.min_rows_in_leaf == 0 {
        return Err(Error::setting("max_depth", "and `min_rows_in_leaf` must be 1 or more"));
    }
    if !within(options.held_out) {
        return Err(Error::setting("held_out", format!("is {}; it lies between 0 and 1", options.held_out)));
    }
    if !within(options.confidence) {
        return Err(Error::setting(
            "confidence",
            format!("is {}; it lies between 0 and 1", options.confidence),
        ));
    }
    match options.n_samples {
        0..100 => {
            Err(Error::setting("n_samples", "must be 100 or more: an interval of fewer draws says nothing"))
        }
        _ => Ok(()),
    }
}

//! Which outcome is wanted, and how far a row's outputs are from it.

use ndarray::ArrayView1;

use super::table::{Table, number_text};
use crate::error::Error;

/// What the model shall say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// This class: the greatest output; for a model of one output, 1 above the threshold and 0 below.
    Class(usize),
    /// The other one of two classes.
    Opposite,
    /// An output from `low` to `high`; either may be infinite.
    Range {
        /// Which output.
        output: usize,
        /// The least value.
        low: f64,
        /// The greatest value.
        high: f64,
    },
}

/// An outcome for one row of one model.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// [`Outcome::Class`] or [`Outcome::Range`].
    outcome: Outcome,
    threshold: f64,
    margin: f64,
}

impl Wanted {
    /// # Errors
    /// A class or an output that is not there, more than two classes where the opposite one is wanted.
    pub(super) fn new(
        outcome: Outcome,
        outputs: ArrayView1<'_, f64>,
        threshold: f64,
        margin: f64,
    ) -> Result<Self, Error> {
        let n_classes = outputs.len().max(2);
        let outcome = match outcome {
            Outcome::Opposite if n_classes > 2 => {
                let reason = format!("the model has {n_classes} classes; say which one is wanted");
                return Err(Error::setting("outcome", reason));
            }
            Outcome::Opposite => Outcome::Class(1 - class_of(outputs, threshold)),
            Outcome::Class(class) if class >= n_classes => {
                let reason = format!("class {class} of {n_classes}; classes count from 0");
                return Err(Error::setting("outcome", reason));
            }
            Outcome::Range { output, .. } if output >= outputs.len() => {
                let reason = format!("output {output} of {}; outputs count from 0", outputs.len());
                return Err(Error::setting("outcome", reason));
            }
            // Also not where an end is NaN.
            Outcome::Range { low, high, .. } if !matches!(low.partial_cmp(&high), Some(order) if order.is_le()) =>
            {
                return Err(Error::setting("outcome", format!("no value lies from {low} to {high}")));
            }
            outcome => outcome,
        };
        Ok(Self { outcome, threshold, margin })
    }

    /// How much the outputs fall short of the outcome, in their unit; 0 or less where they meet it.
    pub(super) fn shortfall(&self, outputs: ArrayView1<'_, f64>) -> f64 {
        let shortfall = match self.outcome {
            Outcome::Range { output, low, high } => {
                return (low - outputs[output]).max(outputs[output] - high);
            }
            Outcome::Class(1) if outputs.len() == 1 => self.threshold - outputs[0],
            Outcome::Class(class) if outputs.len() > 1 => {
                let others = outputs.indexed_iter().filter(|(place, _)| *place != class);
                others.map(|(_, &output)| output).fold(f64::NEG_INFINITY, f64::max) - outputs[class]
            }
            _ => outputs[0] - self.threshold,
        };
        // A tie is no class.
        let shortfall = shortfall + self.margin;
        if shortfall == 0.0 { f64::MIN_POSITIVE } else { shortfall }
    }

    /// The outcome of a row in words: the name of its class, or the value of its output.
    pub(super) fn text(&self, outputs: ArrayView1<'_, f64>, table: &Table) -> String {
        match self.outcome {
            Outcome::Range { output, .. } => {
                let value = number_text(outputs[output]);
                table.outcome_names.get(output).map_or(value.clone(), |name| format!("{name} {value}"))
            }
            _ => {
                let class = class_of(outputs, self.threshold);
                table.outcome_names.get(class).cloned().unwrap_or_else(|| format!("class {class}"))
            }
        }
    }
}

/// The class of a row: the first of the greatest outputs, or on which side of the threshold the only output is.
pub(crate) fn class_of(outputs: ArrayView1<'_, f64>, threshold: f64) -> usize {
    if outputs.len() == 1 {
        return usize::from(outputs[0] > threshold);
    }
    let first_greatest =
        |best: usize, place: usize| if outputs[place] > outputs[best] { place } else { best };
    (0..outputs.len()).fold(0, first_greatest)
}

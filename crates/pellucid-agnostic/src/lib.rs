//! `Predictor` + `Masker` + row → `Attribution`. What needs no more of a model than its predictions.
//!
//! Three steps that every method shares: a [`Predictor`] is the model; a [`Masker`] says what stands where a feature is
//! absent; both with a row are a [`Game`], which tells what any coalition of features is worth. Methods know the game alone.

mod batches;
pub mod counterfactual;
mod error;
mod estimate;
mod game;
mod journal;
mod masker;
mod predictor;
pub mod surrogate_tree;
#[cfg(test)]
mod testing;

pub use error::Error;
pub use estimate::{Estimate, explain_rows, spread};
pub use game::{Game, MaskedRow};
pub use journal::Journal;
pub use masker::{Groups, Masker};
pub use predictor::{Function, InSpace, Predictor, predict};

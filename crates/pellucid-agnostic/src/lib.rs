//! `Predictor` + `Masker` + row → `Attribution`. What needs no more of a model than its predictions.
//!
//! Three steps that every method shares: a [`Predictor`] is the model; a [`Masker`] says what stands where a feature is
//! absent; both with a row are a [`Game`], which tells what any coalition of features is worth. Methods know the game alone.

mod asked;
mod batches;
mod cholesky;
mod coalition;
mod draw;
mod error;
mod estimate;
pub mod exact;
mod game;
mod hierarchy;
pub mod interactions;
mod journal;
pub mod kernel_shap;
pub mod linear_shap;
mod link;
mod masker;
mod orders;
pub mod owen;
mod pair_regression;
pub mod permutation_shap;
mod predictor;
mod running;
pub mod sampling_shap;
#[cfg(test)]
mod shapley_tests;
mod strata;
#[cfg(test)]
mod testing;
mod tolerance;

pub use error::Error;
pub use estimate::{Estimate, explain_rows, spread};
pub use game::{Game, MaskedRow};
pub use hierarchy::Hierarchy;
pub use journal::Journal;
pub use link::{Link, Linked};
pub use masker::{Groups, Masker};
pub use predictor::{Function, InSpace, Predictor, predict};

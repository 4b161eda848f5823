//! `Predictor` + `Masker` + row → `Attribution`. What needs no more of a model than its predictions.
//!
//! Three steps that every method shares: a [`Predictor`] is the model; a [`Masker`] says what stands where a feature is
//! absent; both with a row are a [`Game`], which tells what any coalition of features is worth. Methods know the game alone.

mod batches;
mod draw;
pub mod effects;
mod error;
mod estimate;
pub mod feature_ablation;
pub mod feature_permutation;
mod game;
mod hiding;
pub mod image;
mod inpaint;
mod journal;
pub mod k_means;
pub mod lime;
mod masker;
pub mod occlusion;
pub mod permutation_importance;
mod predictor;
mod regression;
pub mod rise;
pub mod segmentation;
#[cfg(test)]
mod testing;
pub mod text;
pub mod time_series;

pub use error::Error;
pub use estimate::{Estimate, explain_rows, spread};
pub use game::{Game, MaskedRow};
pub use journal::Journal;
pub use masker::{Groups, Masker};
pub use predictor::{Function, InSpace, Predictor, predict};

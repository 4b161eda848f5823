//! `Predictor` + `Masker` + row → `Attribution`. What needs no more of a model than its predictions.
//!
//! Three steps that every method shares: a [`Predictor`] is the model; a [`Masker`] says what stands where a feature is
//! absent; both with a row are a [`Game`], which tells what any coalition of features is worth. Methods know the game alone.

mod asked;
mod balance;
mod batches;
mod cholesky;
mod coalition;
pub mod counterfactual;
mod draw;
pub mod effects;
mod error;
mod estimate;
pub mod exact;
pub mod feature_ablation;
pub mod feature_permutation;
mod game;
mod hiding;
mod hierarchy;
pub mod image;
mod inpaint;
mod interval;
mod journal;
pub mod k_means;
pub mod kernel_shap;
pub mod lime;
pub mod linear_shap;
mod link;
mod masker;
pub mod occlusion;
mod orders;
pub mod owen;
mod pair_regression;
pub mod pairwise_interactions;
pub mod permutation_importance;
pub mod permutation_shap;
mod predictor;
mod quantile;
mod regression;
pub mod rise;
pub mod sampling_shap;
pub mod segmentation;
#[cfg(test)]
mod shapley_tests;
mod strata;
pub mod surrogate_tree;
#[cfg(test)]
mod testing;
pub mod text;
pub mod time_series;
mod tolerance;

pub use error::Error;
pub use estimate::Estimate;
pub use game::{Game, MaskedRow};
pub use hierarchy::Hierarchy;
pub use interval::normal_quantile;
pub use journal::{Entries, Journal};
pub use link::{Link, Linked};
pub use masker::{Groups, Masker};
pub use predictor::{Function, InSpace, Predictor, predict};

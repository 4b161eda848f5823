//! `Model` + input → `Attribution`. All methods but those of trees.

pub mod attention;
pub mod attention_maps;
pub mod attention_rollout;
pub mod attention_x_gradient;
mod batchable;
pub mod cam;
pub mod compile;
pub mod deep_lift;
pub mod deep_shap;
mod error;
pub mod gradient_shap;
mod gradients;
pub mod guided;
pub mod input_x_gradient;
pub mod integrated_gradients;
mod lift;
pub mod lrp;
mod micro_batch;
pub mod network;
pub mod occlusion_by_crops;
mod path;
mod places;
mod quadrature;
pub mod saliency;
mod seeds;
pub mod segmentation;
mod similarity;
pub mod smoothgrad;
#[cfg(test)]
mod testing;
pub mod token_model;

pub use error::Error;
pub use network::Network;
pub use token_model::TokenModel;

//! `Model` + input → `Attribution`. All methods but those of trees.

mod batchable;
pub mod cam;
pub mod chefer;
pub mod compile;
pub mod deep_lift;
pub mod deep_shap;
mod error;
pub mod gradient_shap;
mod gradients;
pub mod guided;
pub mod input_x_gradient;
pub mod integrated_gradients;
pub mod lrp;
mod lift;
mod micro_batch;
pub mod network;
mod path;
mod quadrature;
pub mod saliency;
mod sampled;
mod seeds;
pub mod smoothgrad;

pub use error::Error;
pub use network::Network;

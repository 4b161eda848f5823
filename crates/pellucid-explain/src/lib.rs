//! `Model` + input → `Attribution`. All methods but those of trees.

mod batchable;
pub mod cam;
pub mod chefer;
pub mod compile;
mod error;
mod gradients;
pub mod input_x_gradient;
pub mod integrated_gradients;
pub mod lrp;
mod micro_batch;
pub mod network;
mod path;
mod quadrature;
pub mod saliency;
mod seeds;
pub mod smoothgrad;

pub use error::Error;
pub use network::Network;

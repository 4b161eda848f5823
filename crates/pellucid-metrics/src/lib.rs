//! `Model` + `Attribution` → score.
//!
//! Each metric is a module with its card. Most take an [`Explained`] (the model, the rows, which output of each) and
//! the attribution, and give one score for each row and target, `[rows, K]`. None knows how the attribution was made.
//!
//! | question | metric |
//! |---|---|
//! | do the values add up to the model's output? | [`completeness()`] |
//! | does the prediction go when the highest features go, and come when they come? | [`deletion`], [`insertion`] |
//! | does the attribution depend on what the model learned? | [`randomization()`] |
//! | does it lie where the object is? | [`localization()`] |

pub mod completeness;
pub mod deletion_insertion;
mod error;
mod explained;
pub mod localization;
mod positions;
mod predictions;
pub mod randomization;
mod rank;
#[cfg(test)]
mod testing;

pub use completeness::completeness;
pub use deletion_insertion::{deletion, insertion};
pub use error::Error;
pub use explained::Explained;
pub use localization::localization;
pub use randomization::randomization;
pub use rank::spearman;

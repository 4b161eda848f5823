//! The words: `Attribution`, `Target`, `Baseline`, `Model`, progress and cancellation.

mod attribution;
mod baseline;
mod digest;
mod error;
mod model;
mod quadrature;
mod random;
mod running_mean;
mod target;
mod work;

pub use attribution::Attribution;
pub use baseline::{Baseline, ImageValues};
pub use digest::{row_digest, row_digest_f64};
pub use error::Error;
pub use model::{Model, OutputSpace};
pub use quadrature::gauss_legendre;
pub use random::Draws;
pub use running_mean::RunningMean;
pub use target::{ResolvedTarget, Similarity, Target, top_outputs};
pub use work::{Cancellation, NoProgress, Progress, Work};

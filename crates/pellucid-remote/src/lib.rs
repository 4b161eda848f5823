//! Address of a served model → `Predictor`. The only crate that asks over HTTP.
//!
//! [`Endpoint::connect`] asks the server what its model takes and gives; the endpoint then predicts as any other model. Two
//! protocols are spoken: Open Inference Protocol V2 (`…/v2/models/NAME`) and KServe V1 (`…/v1/models/NAME:predict`).
//!
//! Nothing but the address that was named is ever asked: redirects are refused, and proxies of the environment are not used.

mod address;
mod ask;
mod endpoint;
mod error;
mod v1;
mod v2;

pub use address::{Address, Protocol};
pub use ask::Patience;
pub use endpoint::{Endpoint, Options};
pub use error::Error;

//! A log of explanations → an index in memory → views as JSON; and the pages that draw them.

mod asked;
mod error;

mod dashboard;
mod index;

mod cohort;
mod series;
mod weighted;
mod words;

mod views;

mod asset;

#[cfg(test)]
mod testing;

pub use asset::{Asset, asset};
pub use dashboard::{Dashboard, Follower, Reading};
pub use error::{Status, ViewError};
pub use views::{VIEWS, view};

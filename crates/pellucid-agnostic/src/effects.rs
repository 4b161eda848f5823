//! Global effects: how the outputs follow a feature, or two, over many rows.
//!
//! [`partial_dependence`] puts a value into the feature of every row and averages (partial dependence), whatever the other features are;
//! [`accumulated`] looks only at the rows that lie near the value and adds up their local differences (ALE), so that correlated
//! features do not lead where no data is.

pub mod accumulated;
pub mod partial_dependence;
mod table;

pub use table::Levels;
pub(crate) use table::checked as checked_table;

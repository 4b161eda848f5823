//! Who may ask for what, how much of it, and who is told of it afterwards.

pub(crate) mod audit;
pub(crate) mod body;
pub(crate) mod headers;
pub(crate) mod ids;
pub(crate) mod rate;
pub(crate) mod tokens;

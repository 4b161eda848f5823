#![doc = include_str!("saliency.md")]

use ndarray::ArrayD;
use pellucid_core::{Attribution, Target, Work};

use crate::error::Error;
use crate::gradients::gradients;
use crate::network::Network;

/// Settings of [`saliency`].
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Whether the sign is dropped: `|∂f/∂x|`. The paper's definition, and captum's default.
    pub absolute: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { absolute: true }
    }
}

/// `A_i = |∂f/∂x_i|` (Simonyan et al. 2014) for each row of `rows` `[rows, features…]`; values `[rows, K, features…]`
/// in output units per input unit.
///
/// # Errors
/// Rows that do not fit, a target that is not there, an op without a gradient rule, a canceled work.
pub fn saliency(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    options: &Options,
    work: &Work,
) -> Result<Attribution, Error> {
    let (mut values, outputs) = gradients(network, rows, target, work)?;
    if options.absolute {
        values.mapv_inplace(f64::abs);
    }
    Ok(Attribution::new(values, outputs))
}

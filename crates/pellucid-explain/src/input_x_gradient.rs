#![doc = include_str!("input_x_gradient.md")]

use ndarray::{ArrayD, Axis};
use pellucid_core::{Attribution, Target, Work};

use crate::error::Error;
use crate::gradients::gradients;
use crate::network::Network;

/// `A_i = x_i · ∂f/∂x_i` (Shrikumar et al. 2016) for each row of `rows` `[rows, features…]`; values
/// `[rows, K, features…]` in output units.
///
/// # Errors
/// Rows that do not fit, a target that is not there, an op without a gradient rule, a canceled work.
pub fn input_x_gradient(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    work: &Work,
) -> Result<Attribution, Error> {
    let (mut values, outputs) = gradients(network, rows, target, work)?;
    let inputs = rows.mapv(f64::from).insert_axis(Axis(1));
    values *= &inputs;
    Ok(Attribution::new(values, outputs))
}

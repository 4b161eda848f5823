//! What a method finds for one game.

use ndarray::{Array1, Array2};

/// A value for each player of one game.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// `[players, targets]`.
    pub values: Array2<f64>,
    /// The standard error of each value, `[players, targets]`, for sampled methods; 0 where a value is exact.
    pub standard_error: Option<Array2<f64>>,
    /// The worth of nobody, `[targets]`.
    pub base_values: Array1<f64>,
    /// The worth of all, `[targets]`.
    pub outputs: Array1<f64>,
    /// Coalitions whose worth was asked for.
    pub evaluations: usize,
    /// What the reader must know.
    pub warnings: Vec<String>,
}

//! What every method that only asks for predictions needs of a model.

use ndarray::{Array2, ArrayD};

use crate::error::Error;

/// A model that predicts: what is asked of it by methods and metrics that look no further inside.
pub trait Model: Send + Sync {
    /// The shape of one input row, `[features…]`.
    fn input_shape(&self) -> &[usize];

    /// The number of outputs of a row.
    fn n_outputs(&self) -> usize;

    /// The outputs for `rows` `[rows, features…]`: `[rows, outputs]`, in `space`.
    ///
    /// # Errors
    /// Rows of another shape; whatever the model reports.
    fn predict(&self, rows: &ArrayD<f32>, space: OutputSpace) -> Result<Array2<f64>, Error>;
}

/// The unit of an explained output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutputSpace {
    /// Before softmax or sigmoid.
    Margin,
    /// After softmax or sigmoid.
    Probability,
    /// The logarithm of the probability.
    LogProbability,
    /// The logarithm of the odds.
    LogOdds,
    /// A regression's own unit.
    Value,
    /// The negative logarithm of the probability that the model gives to the row's label.
    LogLoss,
}

impl OutputSpace {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Margin, Self::Probability, Self::LogProbability, Self::LogOdds, Self::Value, Self::LogLoss];

    /// The name on the wire: `margin`, `probability`, `log_probability`, `log_odds`, `value`, `log_loss`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Margin => "margin",
            Self::Probability => "probability",
            Self::LogProbability => "log_probability",
            Self::LogOdds => "log_odds",
            Self::Value => "value",
            Self::LogLoss => "log_loss",
        }
    }
}

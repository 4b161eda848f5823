//! One line of the index for each record and each prediction.

use super::judgment::{Label, Predicted};

/// Stands for "there is none" where a number is an index.
pub(crate) const NONE: u32 = u32::MAX;

/// A record, but for its payload.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its entry in the log.
    pub(crate) entry: u64,
    pub(crate) time_micros: i64,
    /// Of [`Index::predictions`](super::Index::predictions).
    pub(crate) prediction: u32,
    /// The record of the same prediction before this one, or [`NONE`].
    pub(crate) previous: u32,
    pub(crate) group: u32,
    /// The row of the group's matrices, or [`NONE`].
    pub(crate) matrix_row: u32,
    /// The explained output, or [`NONE`].
    pub(crate) target: u32,
    /// The predicted class, or [`NONE`] where the model gives numbers.
    pub(crate) class: u32,
    /// The probability of the predicted class; NaN where there is none.
    pub(crate) confidence: f32,
    /// The explained output at the input; NaN where it is not known.
    pub(crate) output: f32,
    /// `1 / inclusion_probability`: so many predictions it stands for.
    pub(crate) weight: f32,
    /// Bits of [`Index::checks`](super::Index::checks).
    pub(crate) failed_checks: u32,
    pub(crate) n_checks: u8,
    pub(crate) erased: bool,
    /// Whether a later record of the same prediction and key holds instead.
    pub(crate) superseded: bool,
    /// Whether an earlier record has the same prediction and key.
    pub(crate) again: bool,
    /// Whether its output and attributions are finite numbers, as far as they are known: others have a part in counts and rates alone.
    pub(crate) finite: bool,
}

/// What is known of a prediction beside its records.
#[derive(Clone, Debug)]
pub(crate) struct Prediction {
    pub(crate) id: Box<str>,
    /// Its newest record, or [`NONE`] where only feedback came.
    pub(crate) last_row: u32,
    /// What was true; may come late.
    pub(crate) label: Option<Label>,
    pub(crate) label_micros: i64,
    /// Whether a human decided.
    pub(crate) decided: bool,
}

impl Prediction {
    pub(crate) fn new(id: &str) -> Self {
        Self { id: id.into(), last_row: NONE, label: None, label_micros: 0, decided: false }
    }
}

impl Row {
    /// Takes over what its outputs say.
    pub(crate) fn read(&mut self, predicted: Predicted) {
        self.class = predicted.class;
        self.confidence = predicted.confidence as f32;
    }

    pub(crate) fn weight(&self) -> f64 {
        f64::from(self.weight)
    }

    /// The confidence, where there is one.
    pub(crate) fn confidence(&self) -> Option<f64> {
        (!self.confidence.is_nan()).then(|| f64::from(self.confidence))
    }
}

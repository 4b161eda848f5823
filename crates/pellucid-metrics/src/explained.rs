//! What was explained: the model, the rows, and which output of each.

use ndarray::{Array2, ArrayD, ArrayView1, ArrayViewD, Axis, Dimension, IxDyn};
use pellucid_core::{Attribution, Model, ResolvedTarget};

use crate::error::Error;

/// What an attribution claims to explain, so that the claim can be tried on the model itself.
#[derive(Clone, Copy)]
pub struct Explained<'a> {
    /// The model as it predicts for its users, not a rewritten one.
    pub model: &'a dyn Model,
    /// The rows, `[rows, features…]`.
    pub inputs: &'a ArrayD<f32>,
    /// The `K` explained outputs of each row; the same that the attribution was made for.
    pub target: &'a ResolvedTarget,
}

impl<'a> Explained<'a> {
    pub(crate) fn n_rows(&self) -> usize {
        self.inputs.len_of(Axis(0))
    }

    pub(crate) fn n_targets(&self) -> usize {
        self.target.weights.len()
    }

    /// The explained outputs of one row, `Σ weight · output` for each target.
    pub(crate) fn target_values(
        &self,
        row: usize,
        outputs: ArrayView1<'a, f64>,
    ) -> impl Iterator<Item = f64> + use<'a> {
        self.target
            .weights
            .iter()
            .map(move |weights| weights.row(row).iter().zip(outputs).map(|(&w, y)| f64::from(w) * y).sum())
    }

    /// Inputs that the model takes, and targets for each of them.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let row = self.model.input_shape();
        if self.inputs.ndim() == 0 || self.inputs.shape()[1..] != *row {
            let expected = format!("[rows, …] of rows {row:?}");
            return Err(Error::Shape { what: "inputs", expected, actual: self.inputs.shape().to_vec() });
        }
        let expected = [self.n_rows(), self.model.n_outputs()];
        match self.target.weights.iter().find(|weights| *weights.shape() != expected) {
            Some(weights) => Err(misfit("target weights", &expected, weights.shape())),
            None if self.n_targets() == 0 => Err(misfit("target weights", &expected, &[])),
            None => check_finite("inputs", self.inputs.view()),
        }
    }

    /// An attribution of these rows and targets, all numbers. The shape of one row is the metric's to judge.
    pub(crate) fn check_attribution(&self, attribution: &Attribution) -> Result<(), Error> {
        let (n_rows, n_targets) = (self.n_rows(), self.n_targets());
        let shape = attribution.values.shape();
        if shape.get(..2) != Some(&[n_rows, n_targets]) {
            let expected = format!("[{n_rows}, {n_targets}, features…]");
            return Err(Error::Shape { what: "attribution", expected, actual: shape.to_vec() });
        }
        check_finite("attribution", attribution.values.view())
    }

    /// One row for all, `[features…]`, or one for each, `[rows, features…]`, as the latter.
    pub(crate) fn for_each_row<'b>(
        &self,
        what: &'static str,
        array: &'b ArrayD<f32>,
    ) -> Result<ArrayViewD<'b, f32>, Error> {
        let (all, row) = (self.inputs.shape(), &self.inputs.shape()[1..]);
        let fits = array.shape() == all || array.shape() == row;
        let view = array.broadcast(IxDyn(all)).filter(|_| fits).ok_or_else(|| Error::Shape {
            what,
            expected: format!("{row:?} (one for all rows) or {all:?} (one for each)"),
            actual: array.shape().to_vec(),
        })?;
        check_finite(what, array.view())?;
        Ok(view)
    }
}

pub(crate) fn misfit(what: &'static str, expected: &[usize], actual: &[usize]) -> Error {
    Error::Shape { what, expected: format!("{expected:?}"), actual: actual.to_vec() }
}

pub(crate) fn check_finite<T: Copy + Into<f64>>(
    what: &'static str,
    values: ArrayViewD<'_, T>,
) -> Result<(), Error> {
    match values.indexed_iter().find(|(_, value)| !(**value).into().is_finite()) {
        Some((index, &value)) => {
            Err(Error::NotFinite { what, value: value.into(), index: index.as_array_view().to_vec() })
        }
        None => Ok(()),
    }
}

/// `[rows, K]` from scores in that order.
pub(crate) fn from_rows<T>(explained: &Explained<'_>, scores: Vec<T>) -> Array2<T> {
    let shape = (explained.n_rows(), explained.n_targets());
    Array2::from_shape_vec(shape, scores)
        .unwrap_or_else(|error| panic!("one score a row and target: {error}"))
}

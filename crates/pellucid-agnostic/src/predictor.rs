//! A model of which only `predict` is known.

use ndarray::{Array2, ArrayViewD, Axis, Slice};
use pellucid_core::{Model, OutputSpace, Work};

use crate::batches::{batch_size, in_batches};
use crate::error::Error;

/// A model of which only predictions are known: an ONNX file, a tree file, a Python function, a served endpoint.
///
/// Rows come in f64, so that a model of doubles is asked about exactly the row that is explained.
pub trait Predictor: Sync {
    /// The shape of one row, `[features…]`.
    fn row_shape(&self) -> &[usize];

    /// The number of outputs of a row.
    fn n_outputs(&self) -> usize;

    /// The outputs for `rows` `[rows, features…]`: `[rows, outputs]`.
    ///
    /// # Errors
    /// Whatever the model reports.
    fn predict_batch(&self, rows: ArrayViewD<'_, f64>) -> Result<Array2<f64>, Error>;
}

impl<P: Predictor + ?Sized> Predictor for &P {
    fn row_shape(&self) -> &[usize] {
        (**self).row_shape()
    }

    fn n_outputs(&self) -> usize {
        (**self).n_outputs()
    }

    fn predict_batch(&self, rows: ArrayViewD<'_, f64>) -> Result<Array2<f64>, Error> {
        (**self).predict_batch(rows)
    }
}

impl<P: Predictor + ?Sized> Predictor for Box<P> {
    fn row_shape(&self) -> &[usize] {
        (**self).row_shape()
    }

    fn n_outputs(&self) -> usize {
        (**self).n_outputs()
    }

    fn predict_batch(&self, rows: ArrayViewD<'_, f64>) -> Result<Array2<f64>, Error> {
        (**self).predict_batch(rows)
    }
}

/// A [`Model`] whose outputs are read in one space.
pub struct InSpace<'a> {
    /// The model.
    pub model: &'a dyn Model,
    /// The unit of its outputs.
    pub space: OutputSpace,
}

impl Predictor for InSpace<'_> {
    fn row_shape(&self) -> &[usize] {
        self.model.input_shape()
    }

    fn n_outputs(&self) -> usize {
        self.model.n_outputs()
    }

    fn predict_batch(&self, rows: ArrayViewD<'_, f64>) -> Result<Array2<f64>, Error> {
        Ok(self.model.predict(&rows.mapv(|x| x as f32), self.space)?)
    }
}

/// Asks for one batch, and refuses what is no answer: another shape, a number that is none.
///
/// # Errors
/// [`Error::Shape`], [`Error::NotFinite`], a canceled work, whatever the predictor reports.
pub(crate) fn predict_checked(
    predictor: &dyn Predictor,
    rows: ArrayViewD<'_, f64>,
    work: &Work,
) -> Result<Array2<f64>, Error> {
    work.check()?;
    let n_rows = rows.len_of(Axis(0));
    let outputs = checked(predictor.predict_batch(rows)?, [n_rows, predictor.n_outputs()])?;
    work.progress.advance(n_rows);
    Ok(outputs)
}

/// Outputs of the expected shape whose every value is a finite number, or an error.
pub(crate) fn checked(outputs: Array2<f64>, expected: [usize; 2]) -> Result<Array2<f64>, Error> {
    if *outputs.shape() != expected {
        let reason = format!("its outputs have shape {:?}, expected {expected:?}", outputs.shape());
        return Err(pellucid_core::Error::Model { reason }.into());
    }
    if let Some(((row, output), &value)) = outputs.indexed_iter().find(|(_, value)| !value.is_finite()) {
        return Err(Error::NotFinite { what: "the predictor's outputs", value, index: vec![row, output] });
    }
    Ok(outputs)
}

/// The outputs for all of `rows` `[rows, features…]`, batch by batch: `[rows, outputs]`.
///
/// # Errors
/// Rows of another shape, outputs that are no numbers, a canceled work, whatever the predictor reports.
pub fn predict(
    predictor: &dyn Predictor,
    rows: ArrayViewD<'_, f64>,
    work: &Work,
) -> Result<Array2<f64>, Error> {
    if rows.shape().get(1..) != Some(predictor.row_shape()) {
        let expected = format!("[rows, {:?}]", predictor.row_shape());
        return Err(Error::shape("rows", expected, rows.shape()));
    }
    let n_rows = rows.len_of(Axis(0));
    let mut outputs = Array2::zeros((n_rows, predictor.n_outputs()));
    for batch in in_batches(n_rows, batch_size(work, predictor.row_shape())?) {
        let of_batch =
            predict_checked(predictor, rows.slice_axis(Axis(0), Slice::from(batch.clone())), work)?;
        outputs.slice_axis_mut(Axis(0), Slice::from(batch)).assign(&of_batch);
    }
    Ok(outputs)
}

/// A function of rows as a predictor.
pub struct Function<F> {
    /// The shape of one row.
    pub row_shape: Vec<usize>,
    /// The number of outputs.
    pub n_outputs: usize,
    /// `[rows, features…]` → `[rows, outputs]`.
    pub predict: F,
}

impl<F: Fn(ArrayViewD<'_, f64>) -> Result<Array2<f64>, Error> + Sync> Predictor for Function<F> {
    fn row_shape(&self) -> &[usize] {
        &self.row_shape
    }

    fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    fn predict_batch(&self, rows: ArrayViewD<'_, f64>) -> Result<Array2<f64>, Error> {
        (self.predict)(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{linear, work};
    use ndarray::{ArrayD, array};

    #[test]
    fn batches_change_nothing() {
        let rows = ArrayD::from_shape_fn(vec![7, 2], |index| (index[0] * 3 + index[1]) as f64);
        let predictor = linear(&[2.0, -1.0], 0.5);
        let whole = predict(&predictor, rows.view(), &work(100)).expect("predictions");
        for batch_size in 1..8 {
            assert_eq!(predict(&predictor, rows.view(), &work(batch_size)), Ok(whole.clone()));
        }
        assert_eq!(whole[[1, 0]], 2.0 * 3.0 - 4.0 + 0.5);
    }

    #[test]
    fn answers_that_are_none_are_refused() {
        let of = |answer: Array2<f64>| {
            let predictor = Function {
                row_shape: vec![1],
                n_outputs: 1,
                predict: move |_: ArrayViewD<'_, f64>| Ok(answer.clone()),
            };
            predict(&predictor, array![[1.0], [2.0]].into_dyn().view(), &Work::default())
                .expect_err("a refusal")
                .to_string()
        };
        assert!(of(array![[1.0]]).contains("its outputs have shape [1, 1], expected [2, 1]"));
        assert!(of(array![[1.0], [f64::NAN]]).contains("NaN at [1, 0]"));
    }

    #[test]
    fn rows_of_another_shape_are_refused() {
        let error = predict(&linear(&[1.0], 0.0), array![[1.0, 2.0]].into_dyn().view(), &Work::default());
        assert_eq!(error, Err(Error::shape("rows", "[rows, [1]]", &[1, 2])));
    }
}

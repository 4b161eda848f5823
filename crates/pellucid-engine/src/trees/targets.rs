//! Which outputs of each row are explained, and their part of an attribution.

use ndarray::{Array2, ArrayD, ArrayView2, ArrayViewD, Axis, IxDyn};
use pellucid_core::{Attribution, Target};

use crate::error::Error;
use crate::output_target::OutputTarget;

/// The explained outputs of a block of rows.
pub(crate) struct Explained {
    /// `[rows, targets, …]`.
    pub(crate) values: ArrayD<f64>,
    /// `[rows, targets]`.
    pub(crate) outputs: Array2<f64>,
    /// `[rows, targets]`.
    pub(crate) base_values: Option<Array2<f64>>,
    /// `[rows, targets]`.
    pub(crate) convergence_delta: Option<Array2<f64>>,
    /// Of the shape of `values`.
    pub(crate) standard_error: Option<ArrayD<f64>>,
    /// For each row the explained outputs, where each target is one output.
    pub(crate) indices: Option<Vec<Vec<usize>>>,
    /// Of each row.
    pub(crate) evaluations: Vec<usize>,
}

impl OutputTarget {
    /// Checks the target against the model before any row is read.
    pub(crate) fn check(&self, n_outputs: usize, labels: Option<&[String]>) -> Result<(), Error> {
        self.indices(Array2::zeros((1, n_outputs)).view(), labels).map(|_| ())
    }

    /// Refuses a target where one number is explained that is no output of the model.
    pub(crate) fn check_loss(&self) -> Result<(), Error> {
        match self {
            Self::All | Self::Of(Target::Top(1)) => Ok(()),
            Self::Of(_) => {
                Err(Error::request("target", "goes with outputs, and the log-loss is one number a row"))
            }
        }
    }

    /// The part of an attribution of all outputs that is asked for. `margins` `[rows, outputs]` say which outputs are
    /// highest.
    pub(crate) fn of(
        &self,
        attribution: &Attribution,
        margins: ArrayView2<'_, f64>,
        labels: Option<&[String]>,
    ) -> Result<Explained, Error> {
        let indices = self.indices(margins, labels)?;
        let weights: Vec<Vec<Vec<(usize, f64)>>> = match (&indices, self) {
            (Some(rows), _) => {
                rows.iter().map(|row| row.iter().map(|&index| vec![(index, 1.0)]).collect()).collect()
            }
            (None, Self::Of(Target::Weighted(weights))) => vec![vec![weights.clone()]; margins.nrows()],
            (None, _) => return Err(Error::request("target", "is not one of a tree model")),
        };
        Explained::of(attribution, &weights, indices)
    }
}

impl Explained {
    /// All of an attribution of one number a row.
    pub(crate) fn whole(attribution: &Attribution) -> Result<Self, Error> {
        let weights = vec![vec![vec![(0, 1.0)]]; attribution.values.len_of(Axis(0))];
        Self::of(attribution, &weights, None)
    }

    fn of(
        attribution: &Attribution,
        weights: &[Vec<Vec<(usize, f64)>>],
        indices: Option<Vec<Vec<usize>>>,
    ) -> Result<Self, Error> {
        let flat = |array: &ArrayD<f64>| {
            picked(array.view(), weights, |weight| weight)
                .into_dimensionality()
                .map_err(|error| Error::request("target", error.to_string()))
        };
        let optional = |array: &Option<ArrayD<f64>>| array.as_ref().map(flat).transpose();
        // Of a weighted sum this is a bound: how the errors of its outputs go together is not known.
        let error_of = |error: &ArrayD<f64>| picked(error.view(), weights, f64::abs);
        Ok(Self {
            values: picked(attribution.values.view(), weights, |weight| weight),
            outputs: flat(&attribution.outputs)?,
            base_values: optional(&attribution.base_values)?,
            convergence_delta: optional(&attribution.convergence_delta)?,
            standard_error: attribution.standard_error.as_ref().map(error_of),
            indices,
            evaluations: attribution.evaluations.to_vec(),
        })
    }
}

/// `[rows, outputs, …]` as `[rows, targets, …]`: each target is the sum of its weighted outputs.
fn picked(
    array: ArrayViewD<'_, f64>,
    weights: &[Vec<Vec<(usize, f64)>>],
    of_weight: fn(f64) -> f64,
) -> ArrayD<f64> {
    let mut shape = array.shape().to_vec();
    shape[1] = weights.first().map_or(0, Vec::len);
    let mut sums = ArrayD::zeros(IxDyn(&shape));
    for ((mut sums, of_row), weights) in sums.outer_iter_mut().zip(array.outer_iter()).zip(weights) {
        for (mut sum, weights) in sums.axis_iter_mut(Axis(0)).zip(weights) {
            for &(output, weight) in weights {
                sum.scaled_add(of_weight(weight), &of_row.index_axis(Axis(0), output));
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn targets_pick_and_sum_outputs() {
        let values = array![[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]].into_dyn();
        let outputs = array![[0.5, 2.0], [9.0, 1.0]];
        let attribution = Attribution::new(values, outputs.clone().into_dyn());
        let check = |text: &str, expected: ArrayD<f64>| {
            let target = OutputTarget::parse(text).unwrap();
            assert_eq!(target.of(&attribution, outputs.view(), None).unwrap().values, expected, "{text}");
        };
        check("top-1", array![[[3.0, 4.0]], [[5.0, 6.0]]].into_dyn());
        check("0", array![[[1.0, 2.0]], [[5.0, 6.0]]].into_dyn());
        check("all", attribution.values.clone());
        check("1-0", array![[[2.0, 2.0]], [[2.0, 2.0]]].into_dyn());
        let with_errors =
            Attribution { standard_error: Some(attribution.values.clone()), ..attribution.clone() };
        let difference = OutputTarget::parse("1-0").unwrap().of(&with_errors, outputs.view(), None).unwrap();
        assert_eq!(difference.standard_error, Some(array![[[4.0, 6.0]], [[12.0, 14.0]]].into_dyn()));
        assert!(OutputTarget::parse("2").unwrap().check(2, None).is_err());
    }
}

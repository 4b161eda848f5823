//! What a method gives for a batch of rows.

use ndarray::{Array1, ArrayD, Axis};

/// One signed number a feature, for each row and each target, with what is needed to judge it.
///
/// Shapes: `K` is the number of targets (1 but for top-k).
#[derive(Clone, Debug, PartialEq)]
pub struct Attribution {
    /// `[rows, K, features…]`.
    pub values: ArrayD<f64>,
    /// The explained output at the input, `[rows, K]`, in the output space of the explanation.
    pub outputs: ArrayD<f64>,
    /// The output at the baseline, `[rows, K]`, for methods that have one.
    pub base_values: Option<ArrayD<f64>>,
    /// `Σ values − (output − base_value)`, `[rows, K]`, for methods that promise completeness.
    pub convergence_delta: Option<ArrayD<f64>>,
    /// The standard error of each value, same shape as `values`, for sampled methods.
    pub standard_error: Option<ArrayD<f64>>,
    /// The map before it was enlarged to the input's size, `[rows, K, height, width]`, for CAM methods.
    pub raw_map: Option<ArrayD<f64>>,
    /// Model evaluations that each row took.
    pub evaluations: Array1<usize>,
    /// What the reader of the explanation must know.
    pub warnings: Vec<String>,
}

impl Attribution {
    /// An attribution without baseline, error or warnings.
    pub fn new(values: ArrayD<f64>, outputs: ArrayD<f64>) -> Self {
        let evaluations = Array1::ones(values.len_of(Axis(0)));
        Self {
            values,
            outputs,
            base_values: None,
            convergence_delta: None,
            standard_error: None,
            raw_map: None,
            evaluations,
            warnings: Vec::new(),
        }
    }

    /// The values of one row and target, `[features…]`.
    pub fn row(&self, row: usize, target: usize) -> ArrayD<f64> {
        self.values.index_axis(Axis(0), row).index_axis(Axis(0), target).to_owned()
    }

    /// Sets base values and the convergence delta that follows from them.
    #[must_use]
    pub fn with_base_values(mut self, base_values: ArrayD<f64>) -> Self {
        let mut sums = self.values.clone();
        while sums.ndim() > 2 {
            sums = sums.sum_axis(Axis(2));
        }
        self.convergence_delta = Some(sums - (&self.outputs - &base_values));
        self.base_values = Some(base_values);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn convergence_delta_is_what_the_values_miss() {
        let values = array![[[1.0, 2.0]], [[0.5, 0.0]]].into_dyn();
        let attribution = Attribution::new(values, array![[5.0], [1.0]].into_dyn())
            .with_base_values(array![[1.5], [0.5]].into_dyn());
        assert_eq!(attribution.convergence_delta, Some(array![[-0.5], [0.0]].into_dyn()));
        assert_eq!(attribution.row(0, 0), array![1.0, 2.0].into_dyn());
    }
}

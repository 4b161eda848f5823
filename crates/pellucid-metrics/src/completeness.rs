#![doc = include_str!("completeness.md")]

use ndarray::{Array2, ArrayD, Axis};
use pellucid_core::{Attribution, OutputSpace, Work};

use crate::error::Error;
use crate::explained::{Explained, from_rows};
use crate::predictions::{Watched, predict};

/// A difference of outputs below this share of the outputs themselves is rounding of the model's own `f32` arithmetic
/// (2⁻²⁰: sixteen units in the last place). It keeps the relative gap from blowing up where output and base value are
/// equal but for that.
pub const ROUNDING_SHARE: f64 = 1.0 / 1_048_576.0;

/// How far the values of one row and target are from adding up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Completeness {
    /// `Σ values`.
    pub sum: f64,
    /// What the model says at the input.
    pub output: f64,
    /// What the model says at the baseline.
    pub base_value: f64,
}

impl Completeness {
    /// The signed gap, `Σ values − (output − base_value)`, in units of the output.
    pub fn gap(&self) -> f64 {
        self.sum - (self.output - self.base_value)
    }

    /// What the gap is measured against: `|output − base_value|`, but no less than [`ROUNDING_SHARE`] of the larger
    /// output.
    pub fn scale(&self) -> f64 {
        let largest = self.output.abs().max(self.base_value.abs());
        (self.output - self.base_value).abs().max(ROUNDING_SHARE * largest)
    }

    /// `|gap| / scale`; 0.01 means that one percent of what was to be explained is missing or too much. Infinite where
    /// the model gives exactly 0 twice and the values do not add up to 0.
    pub fn relative_gap(&self) -> f64 {
        if self.gap() == 0.0 { 0.0 } else { self.gap().abs() / self.scale() }
    }
}

/// Compares the sum of the values with what the model itself says at inputs and baselines, `[rows, K]`.
///
/// `baselines` is one baseline for all rows, `[features…]`, or one for each, `[rows, features…]`. `space` is the space
/// in which the attribution explains the output.
///
/// # Errors
/// Shapes that do not fit, values that are not finite, whatever the model reports, cancellation.
pub fn completeness(
    explained: &Explained<'_>,
    attribution: &Attribution,
    baselines: &ArrayD<f32>,
    space: OutputSpace,
    work: &Work,
) -> Result<Array2<Completeness>, Error> {
    explained.check()?;
    explained.check_attribution(attribution)?;
    let one_for_all = baselines.ndim() < explained.inputs.ndim();
    let all = explained.for_each_row("baselines", baselines)?;
    let different =
        if one_for_all { all.slice_axis(Axis(0), (..all.len_of(Axis(0)).min(1)).into()) } else { all };
    let _watched = Watched::begin(work, explained.n_rows() + different.len_of(Axis(0)));
    let outputs = predict(explained.model, explained.inputs.view(), space, work)?;
    let base_outputs = predict(explained.model, different, space, work)?;

    let mut scores = Vec::with_capacity(explained.n_rows() * explained.n_targets());
    for row in 0..explained.n_rows() {
        let base_row = if one_for_all { 0 } else { row };
        let outputs = explained.target_values(row, outputs.row(row));
        let base_values = explained.target_values(row, base_outputs.row(base_row));
        for (target, (output, base_value)) in outputs.zip(base_values).enumerate() {
            scores.push(Completeness { sum: attribution.row(row, target).sum(), output, base_value });
        }
    }
    Ok(from_rows(explained, scores))
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};
    use pellucid_core::Target;

    use super::*;
    use crate::testing::{Rowwise, attribution, first_output, rows};

    /// Two outputs: `x₀ x₁ + 1` and `10 x₀`.
    fn model() -> Rowwise {
        Rowwise::new(&[2], 2, |x| vec![f64::from(x[0] * x[1]) + 1.0, 10.0 * f64::from(x[0])])
    }

    #[test]
    fn each_row_has_its_own_baseline_and_each_target_its_own_gap() {
        let (model, inputs) = (model(), rows(&[2, 2], &[2.0, 3.0, 1.0, -1.0]));
        let baselines = rows(&[2, 2], &[0.0, 0.0, 1.0, 1.0]);
        let outputs = array![[7.0, 20.0], [10.0, 0.0]];
        let target = Target::Top(2).resolve(outputs.view(), None).expect("two outputs");
        let explained = Explained { model: &model, inputs: &inputs, target: &target };
        // Row 0 explains outputs 1 and 0, row 1 outputs 0 and 1.
        let values = attribution(&[2, 2, 2], &[20.0, 0.5, 3.0, 3.0, -1.0, -1.5, 0.25, 0.25]);
        for batch_size in [None, Some(1)] {
            let work = Work { batch_size, ..Work::default() };
            let scores = completeness(&explained, &values, &baselines, OutputSpace::Value, &work);
            let scores = scores.expect("all fits");
            assert_eq!(scores.mapv(|score| score.gap()), array![[0.5, 0.0], [-0.5, 0.5]]);
            assert_eq!(scores[[0, 0]].relative_gap(), 0.025);
            assert_eq!(scores[[1, 0]].relative_gap(), 0.25);
            assert_eq!((scores[[1, 0]].output, scores[[1, 0]].base_value), (0.0, 2.0));
        }
    }

    #[test]
    fn the_models_word_counts_and_not_the_explanations_own() {
        let (model, inputs) = (model(), rows(&[1, 2], &[2.0, 3.0]));
        let target = first_output(&model, 1);
        let explained = Explained { model: &model, inputs: &inputs, target: &target };
        let mut wrong = attribution(&[1, 1, 2], &[1.0, 1.0]);
        wrong.outputs = array![[2.0]].into_dyn();
        let wrong = wrong.with_base_values(array![[0.0]].into_dyn());
        assert_eq!(wrong.convergence_delta, Some(array![[0.0]].into_dyn()));
        let zeros = ArrayD::zeros(vec![2]);
        let scores = completeness(&explained, &wrong, &zeros, OutputSpace::Value, &Work::default());
        assert_eq!(scores.expect("all fits")[[0, 0]].gap(), -4.0);
    }

    #[test]
    fn rounding_of_equal_outputs_is_no_large_relative_gap() {
        let score = Completeness { sum: 1e-6, output: 8.0, base_value: 8.0 };
        assert_eq!(score.scale(), 8.0 * ROUNDING_SHARE);
        assert!(score.relative_gap() < 0.2);
        let zeros = Completeness { sum: 0.0, output: 0.0, base_value: 0.0 };
        assert_eq!(zeros.relative_gap(), 0.0);
        let impossible = Completeness { sum: 1.0, output: 0.0, base_value: 0.0 };
        assert_eq!(impossible.relative_gap(), f64::INFINITY);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (model, inputs) = (model(), rows(&[1, 2], &[2.0, 3.0]));
        let good = first_output(&model, 1);
        let check = |values, baselines, target, part: &str| {
            let explained = Explained { model: &model, inputs: &inputs, target };
            let error = completeness(&explained, &values, &baselines, OutputSpace::Value, &Work::default())
                .expect_err(part);
            assert!(error.to_string().contains(part), "{error}");
        };
        let values = || attribution(&[1, 1, 2], &[1.0, 1.0]);
        let zeros = || ArrayD::zeros(vec![2]);
        check(attribution(&[1, 1, 2], &[1.0, f64::NAN]), zeros(), &good, "NaN at [0, 0, 1]");
        check(attribution(&[1, 2, 1], &[1.0, 1.0]), zeros(), &good, "[1, 1, features…]");
        check(values(), ArrayD::zeros(vec![3]), &good, "baselines has shape [3]");
        let other = Target::Index(0).resolve(Array2::zeros((1, 3)).view(), None).expect("an output 0");
        check(values(), zeros(), &other, "target weights has shape [1, 3]");
    }
}

#![doc = include_str!("feature_permutation.md")]

use ndarray::{Array1, Array2, Array3, ArrayD, ArrayViewD, Axis};
use pellucid_core::{Attribution, Draws, ResolvedTarget, Target, Work, row_digest_f64};

use crate::batches::{batch_size, in_batches};
use crate::draw::choose_front;
use crate::error::Error;
use crate::masker::Groups;
use crate::predictor::{Predictor, predict, predict_checked};

/// Settings of [`feature_permutation`].
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Permutations of each group of features.
    pub n_samples: usize,
    /// What they are drawn from, with the digest of all rows.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { n_samples: 25, seed: 0 }
    }
}

/// What each of `rows` `[rows, features…]` loses when a group of its features has the values of another of the rows, drawn by permuting
/// the group among all rows: values `[rows, K, groups]`, the mean over permutations, with standard errors.
///
/// # Errors
/// Fewer than two rows or permutations, groups of another shape, a target that is not there, whatever the predictor reports.
pub fn feature_permutation(
    predictor: &dyn Predictor,
    groups: &Groups,
    rows: ArrayViewD<'_, f64>,
    target: &Target,
    labels: Option<&[String]>,
    options: &Options,
    work: &Work,
) -> Result<Attribution, Error> {
    check(groups, rows.view(), options)?;
    let predicted = predict(predictor, rows.view(), work)?;
    let resolved = target.resolve(predicted.view(), labels)?;
    feature_permutation_of(predictor, groups, rows, (&predicted, &resolved), options, work)
}

/// The same where the outputs for the rows `[rows, outputs]` are known, and what of them is explained.
///
/// # Errors
/// As [`feature_permutation`].
pub fn feature_permutation_of(
    predictor: &dyn Predictor,
    groups: &Groups,
    rows: ArrayViewD<'_, f64>,
    (predicted, resolved): (&Array2<f64>, &ResolvedTarget),
    options: &Options,
    work: &Work,
) -> Result<Attribution, Error> {
    check(groups, rows.view(), options)?;
    let n_rows = rows.len_of(Axis(0));
    let permuted = Permuted { predictor, groups, rows: rows.view(), resolved, work };
    let outputs = permuted.targets(0, predicted);
    let (n_targets, n_groups) = (resolved.weights.len(), groups.n_groups());
    let mut values = Array3::<f64>::zeros((n_rows, n_targets, n_groups));
    let mut squares = values.clone();
    let draws = Draws::new(options.seed, &row_digest_f64(rows.view()), "feature permutation");
    for group in 0..n_groups {
        for draw in 0..options.n_samples {
            let mut order: Vec<usize> = (0..n_rows).collect();
            choose_front(&mut draws.draw((group * options.n_samples + draw) as u64), &mut order, n_rows);
            let lost = &outputs - &permuted.outputs(group, &order)?;
            let mut mean = values.index_axis_mut(Axis(2), group);
            let mut spread = squares.index_axis_mut(Axis(2), group);
            // Welford's update: the deviation from the mean before, and after.
            let before = &lost - &mean;
            mean.scaled_add(1.0 / (draw + 1) as f64, &before);
            spread += &(before * (&lost - &mean));
        }
    }
    let n = options.n_samples as f64;
    let mut attribution = Attribution::new(values.into_dyn(), outputs.into_dyn());
    attribution.standard_error = Some(squares.mapv(|spread| (spread / (n - 1.0) / n).sqrt()).into_dyn());
    attribution.evaluations = Array1::from_elem(n_rows, 1 + options.n_samples * n_groups);
    Ok(attribution)
}

fn check(groups: &Groups, rows: ArrayViewD<'_, f64>, options: &Options) -> Result<(), Error> {
    let shape = groups.of_element().shape();
    if rows.shape().get(1..) != Some(shape) {
        return Err(Error::shape("rows", format!("[rows, {shape:?}], as the groups"), rows.shape()));
    }
    if rows.len_of(Axis(0)) < 2 {
        return Err(Error::setting(
            "rows",
            "one row alone has nothing to be permuted with; 2 or more are needed",
        ));
    }
    if options.n_samples < 2 {
        return Err(Error::setting("n_samples", "a standard error needs at least 2 permutations"));
    }
    Ok(())
}

/// The rows, some of whose features come from other rows.
struct Permuted<'a> {
    predictor: &'a dyn Predictor,
    groups: &'a Groups,
    rows: ArrayViewD<'a, f64>,
    resolved: &'a ResolvedTarget,
    work: &'a Work,
}

impl Permuted<'_> {
    /// The targets `[rows, K]` of the predictions for the rows from `start` on.
    fn targets(&self, start: usize, predictions: &Array2<f64>) -> Array2<f64> {
        let weights = &self.resolved.weights;
        Array2::from_shape_fn((predictions.nrows(), weights.len()), |(row, k)| {
            let weighted = predictions.row(row).into_iter().zip(weights[k].row(start + row));
            weighted.map(|(output, &weight)| output * f64::from(weight)).sum()
        })
    }

    /// The targets where row i has the `group` of row `order[i]`, `[rows, K]`.
    fn outputs(&self, group: usize, order: &[usize]) -> Result<Array2<f64>, Error> {
        let mut outputs = Array2::zeros((order.len(), self.resolved.weights.len()));
        for range in in_batches(order.len(), batch_size(self.work, self.predictor.row_shape())?) {
            let start = range.start;
            let mut batch: ArrayD<f64> =
                self.rows.slice_axis(Axis(0), ndarray::Slice::from(range.clone())).to_owned();
            for (row, &other) in batch.outer_iter_mut().zip(&order[range]) {
                let other = self.rows.index_axis(Axis(0), other);
                ndarray::Zip::from(row).and(&other).and(self.groups.of_element()).for_each(
                    |own, &other, &of| {
                        if of == group {
                            *own = other;
                        }
                    },
                );
            }
            let predictions = predict_checked(self.predictor, batch.view(), self.work)?;
            let targets = self.targets(start, &predictions);
            for (mut slot, row) in outputs.outer_iter_mut().skip(start).zip(targets.outer_iter()) {
                slot.assign(&row);
            }
        }
        Ok(outputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{of_rows, work};
    use ndarray::array;

    fn run(rows: &ArrayD<f64>, options: &Options, batch_size: usize) -> Attribution {
        let model = of_rows(3, |x| x[0] * x[1] + x[2] * x[2]);
        let groups = Groups::new(array![0, 0, 1].into_dyn()).expect("groups");
        feature_permutation(&model, &groups, rows.view(), &Target::Index(0), None, options, &work(batch_size))
            .expect("values")
    }

    /// Over all permutations every row meets every row as often: the mean over the rows as a background.
    #[test]
    fn permutations_come_to_the_mean_over_all_rows() {
        let rows = array![[1.0, 2.0, 3.0], [4.0, 1.0, 0.0], [2.0, 2.0, 1.0], [0.0, 5.0, 2.0]].into_dyn();
        let attribution = run(&rows, &Options { n_samples: 2000, seed: 3 }, 64);
        let errors = attribution.standard_error.as_ref().expect("errors");
        let f = |x: f64, y: f64, z: f64| x * y + z * z;
        for i in 0..4 {
            let own = |feature| rows[[i, feature]];
            let whole = f(own(0), own(1), own(2));
            let mean = |of: &dyn Fn(usize) -> f64| (0..4).map(|j| whole - of(j)).sum::<f64>() / 4.0;
            let expected = [
                mean(&|j| f(rows[[j, 0]], rows[[j, 1]], own(2))),
                mean(&|j| f(own(0), own(1), rows[[j, 2]])),
            ];
            for (group, expected) in expected.into_iter().enumerate() {
                let (value, error) = (attribution.values[[i, 0, group]], errors[[i, 0, group]]);
                assert!(
                    (value - expected).abs() < 4.0 * error && error > 0.0,
                    "{value} is not {expected} ± {error}"
                );
            }
        }
    }

    #[test]
    fn batches_and_repetition_change_nothing() {
        let rows = ArrayD::from_shape_fn(vec![7, 3], |place| (place[0] * place[1] % 5) as f64);
        let options = Options { n_samples: 3, seed: 1 };
        let whole = run(&rows, &options, 100);
        for batch_size in 1..8 {
            assert_eq!(run(&rows, &options, batch_size), whole);
        }
        assert_ne!(run(&rows, &Options { seed: 2, ..options }, 100).values, whole.values);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let model = of_rows(2, |x| x[0]);
        let groups = Groups::single(&[2]);
        let say = |rows: ArrayD<f64>, n_samples| {
            let options = Options { n_samples, seed: 0 };
            feature_permutation(&model, &groups, rows.view(), &Target::Index(0), None, &options, &work(4))
                .expect_err("a refusal")
                .to_string()
        };
        assert!(say(array![[1.0, 2.0]].into_dyn(), 5).contains("one row alone"));
        assert!(say(array![[1.0], [2.0]].into_dyn(), 5).contains("as the groups"));
        assert!(say(array![[1.0, 2.0], [3.0, 4.0]].into_dyn(), 1).contains("at least 2 permutations"));
    }
}

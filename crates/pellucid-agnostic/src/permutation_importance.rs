#![doc = include_str!("permutation_importance.md")]

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, Slice};
use pellucid_core::{Draws, Work, row_digest_f64};

use crate::batches::{batch_size, in_batches};
use crate::draw::choose_front;
use crate::effects::checked_table;
use crate::error::Error;
use crate::predictor::{Predictor, predict};

/// How wrong an output is, given the label of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// `(output − label)²`, of one output.
    SquaredError,
    /// `|output − label|`, of one output.
    AbsoluteError,
    /// 0 where the highest output is the label's, 1 otherwise; of one output, where it lies on the label's side of ½.
    ZeroOne,
    /// `−ln` of the label's probability, which the outputs are (one output: of class 1), no smaller than 1e-15.
    LogLoss,
}

impl Loss {
    /// All of them with their names, as in JSON.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("squared_error", Self::SquaredError),
        ("absolute_error", Self::AbsoluteError),
        ("zero_one", Self::ZeroOne),
        ("log_loss", Self::LogLoss),
    ];

    fn classifies(self) -> bool {
        matches!(self, Self::ZeroOne | Self::LogLoss)
    }

    fn of(self, outputs: ArrayView1<'_, f64>, label: f64) -> f64 {
        // The lowest probability that has a logarithm to speak of.
        const LEAST: f64 = 1e-15;
        let probability = || match outputs.len() {
            1 if label == 0.0 => 1.0 - outputs[0],
            1 => outputs[0],
            _ => outputs[label as usize],
        };
        match self {
            Self::SquaredError => (outputs[0] - label).powi(2),
            Self::AbsoluteError => (outputs[0] - label).abs(),
            Self::LogLoss => -probability().max(LEAST).ln(),
            Self::ZeroOne => {
                let said = match outputs.len() {
                    1 => usize::from(outputs[0] > 0.5),
                    _ => pellucid_core::top_outputs(outputs, 1)[0],
                };
                f64::from(u8::from(said != label as usize))
            }
        }
    }

    /// Refuses outputs that are no probabilities where their logarithm is taken.
    fn check_outputs(self, outputs: ArrayView2<'_, f64>) -> Result<(), Error> {
        // Sums of rounded numbers may end a little beyond 1.
        const ROUNDING: f64 = 1e-6;
        let is_one = |x: f64| (-ROUNDING..=1.0 + ROUNDING).contains(&x);
        match outputs.iter().find(|&&x| self == Self::LogLoss && !is_one(x)) {
            None => Ok(()),
            Some(x) => {
                let reason = format!("log_loss is of probabilities, and the model's outputs are none: {x}");
                Err(Error::setting("loss", reason))
            }
        }
    }

    fn check(self, labels: ArrayView1<'_, f64>, n_outputs: usize) -> Result<(), Error> {
        if !self.classifies() && n_outputs != 1 {
            let reason = format!("the loss compares one output with the label; the model has {n_outputs}");
            return Err(Error::setting("loss", reason));
        }
        let n_classes = n_outputs.max(2) as f64;
        let wrong =
            |label: f64| self.classifies() && !(label >= 0.0 && label < n_classes && label.fract() == 0.0);
        match labels.iter().position(|&label| !label.is_finite() || wrong(label)) {
            None => Ok(()),
            Some(row) => {
                let reason =
                    format!("row {row} has {}, which is no class from 0 to {}", labels[row], n_classes - 1.0);
                Err(Error::setting("labels", reason))
            }
        }
    }
}

/// Settings of [`permutation_importance`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Permutations of each group.
    pub n_repeats: usize,
    /// What permutations are drawn from.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { n_repeats: 10, seed: 0 }
    }
}

/// How much the loss grows without each group of features.
#[derive(Clone, Debug, PartialEq)]
pub struct Importance {
    /// The mean loss of the rows as they are.
    pub loss: f64,
    /// The mean growth of the loss, one a group.
    pub increase: Array1<f64>,
    /// Its standard error over rows.
    pub standard_error: Array1<f64>,
    /// The loss after shuffling over the loss before, one a group; infinite or NaN where that is 0.
    pub ratio: Array1<f64>,
    /// The growth of each repeat, `[groups, repeats]`.
    pub by_repeat: Array2<f64>,
}

/// How much the loss over `rows` `[rows, features]` with their `labels` grows as each group of features is shuffled.
///
/// # Errors
/// Rows of another width than the predictor's, another number of labels, labels that are no classes, a group that is empty or has
/// features that are not there, no repeats, whatever the predictor reports, cancellation.
pub fn permutation_importance(
    predictor: &dyn Predictor,
    rows: ArrayView2<'_, f64>,
    labels: ArrayView1<'_, f64>,
    groups: &[Vec<usize>],
    loss: Loss,
    options: &Options,
    work: &Work,
) -> Result<Importance, Error> {
    checked_table(predictor, rows, &[])?;
    check(rows, labels, groups, options)?;
    loss.check(labels, predictor.n_outputs())?;
    let all = Losses { predictor, rows, labels, loss, work };
    let before = all.by_row(|row, mut slot| slot.assign(&rows.row(row)))?;
    let draws = Draws::new(options.seed, &row_digest_f64(rows.into_dyn()), "permutation_importance");
    let n = rows.nrows() as f64;
    let mut increase = Array1::zeros(groups.len());
    let mut standard_error = increase.clone();
    let mut by_repeat = Array2::zeros((groups.len(), options.n_repeats));
    for (place, group) in groups.iter().enumerate() {
        let mut growth = Array1::<f64>::zeros(rows.nrows());
        for repeat in 0..options.n_repeats {
            let permutation = permutation(&draws, place, repeat, rows.nrows());
            let after = all.by_row(|row, mut slot| {
                slot.assign(&rows.row(row));
                group.iter().for_each(|&feature| slot[feature] = rows[[permutation[row], feature]]);
            })?;
            by_repeat[[place, repeat]] = (&after - &before).sum() / n;
            growth += &(after - &before);
        }
        growth /= options.n_repeats as f64;
        let mean = growth.sum() / n;
        increase[place] = mean;
        let squares: f64 = growth.iter().map(|of_row| (of_row - mean).powi(2)).sum();
        standard_error[place] = (squares / (n - 1.0).max(1.0) / n).sqrt();
    }
    let loss = before.sum() / n;
    let ratio = increase.mapv(|increase| (loss + increase) / loss);
    Ok(Importance { loss, increase, standard_error, ratio, by_repeat })
}

fn check(
    rows: ArrayView2<'_, f64>,
    labels: ArrayView1<'_, f64>,
    groups: &[Vec<usize>],
    options: &Options,
) -> Result<(), Error> {
    if labels.len() != rows.nrows() {
        return Err(Error::shape("labels", format!("[{}]", rows.nrows()), labels.shape()));
    }
    if options.n_repeats == 0 {
        return Err(Error::setting("n_repeats", "one is the least"));
    }
    for (place, group) in groups.iter().enumerate() {
        let outside = group.iter().find(|&&feature| feature >= rows.ncols());
        if let Some(feature) = outside {
            let last = rows.ncols() - 1;
            let reason = format!("group {place} has feature {feature}; rows have features 0 to {last}");
            return Err(Error::setting("groups", reason));
        }
        if group.is_empty() {
            return Err(Error::setting("groups", format!("group {place} has no features")));
        }
    }
    Ok(())
}

/// A permutation of `0..n` of its own for each group and repeat.
fn permutation(draws: &Draws, group: usize, repeat: usize, n: usize) -> Vec<usize> {
    let mut generator = draws.draw(((group as u64) << 32) | repeat as u64);
    let mut order: Vec<usize> = (0..n).collect();
    choose_front(&mut generator, &mut order, n);
    order
}

struct Losses<'a> {
    predictor: &'a dyn Predictor,
    rows: ArrayView2<'a, f64>,
    labels: ArrayView1<'a, f64>,
    loss: Loss,
    work: &'a Work,
}

impl Losses<'_> {
    /// The loss of each row as `fill` writes it.
    fn by_row(
        &self,
        mut fill: impl FnMut(usize, ndarray::ArrayViewMut1<'_, f64>),
    ) -> Result<Array1<f64>, Error> {
        let mut losses = Array1::zeros(self.rows.nrows());
        for range in in_batches(self.rows.nrows(), batch_size(self.work, self.predictor.row_shape())?) {
            let mut batch = Array2::zeros((range.len(), self.rows.ncols()));
            range.clone().zip(batch.outer_iter_mut()).for_each(|(row, slot)| fill(row, slot));
            let outputs = predict(self.predictor, batch.view().into_dyn(), self.work)?;
            self.loss.check_outputs(outputs.view())?;
            let mut of_batch = losses.slice_axis_mut(Axis(0), Slice::from(range.clone()));
            for ((slot, row), outputs) in of_batch.iter_mut().zip(range).zip(outputs.outer_iter()) {
                *slot = self.loss.of(outputs, self.labels[row]);
            }
        }
        Ok(losses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{of_rows, work};
    use ndarray::array;

    fn table(n_rows: usize) -> (Array2<f64>, Array1<f64>) {
        let rows = Array2::from_shape_fn((n_rows, 3), |(row, column)| ((row * 13 + column * 7) % 17) as f64);
        let labels = rows.outer_iter().map(|row| 2.0 * row[0] + row[1]).collect();
        (rows, labels)
    }

    /// The expected growth of a linear model's squared error is `(1/n²) Σ_ij w² (x_i − x_j)² = 2 w² variance`.
    #[test]
    fn a_linear_models_importance_is_twice_the_weighted_variance() {
        let (rows, labels) = table(340);
        let predictor = of_rows(3, |row| 2.0 * row[0] + row[1]);
        let options = Options { n_repeats: 200, seed: 1 };
        let groups = [vec![0], vec![1], vec![2], vec![0, 1]];
        let importance = permutation_importance(
            &predictor,
            rows.view(),
            labels.view(),
            &groups,
            Loss::SquaredError,
            &options,
            &work(64),
        )
        .expect("importances");
        assert_eq!(importance.loss, 0.0);
        for (feature, weight) in [(0, 2.0), (1, 1.0)] {
            let expected = 2.0 * weight * weight * rows.column(feature).var(0.0);
            let ratio = importance.increase[feature] / expected;
            assert!((ratio - 1.0).abs() < 0.05, "{ratio}");
        }
        assert_eq!(importance.increase[2], 0.0);
        let both = 2.0 * labels.var(0.0);
        assert!((importance.increase[3] / both - 1.0).abs() < 0.05);
        let mean = importance.by_repeat.mean_axis(Axis(1)).expect("repeats");
        assert!((mean - &importance.increase).iter().all(|gap| gap.abs() < 1e-9));
    }

    #[test]
    fn it_repeats_from_its_seed_whatever_the_batch() {
        let (rows, labels) = table(30);
        let predictor = of_rows(3, |row| row[0] * row[1]);
        let of = |seed, batch_size| {
            let options = Options { n_repeats: 3, seed };
            permutation_importance(
                &predictor,
                rows.view(),
                labels.view(),
                &[vec![0], vec![1]],
                Loss::AbsoluteError,
                &options,
                &work(batch_size),
            )
            .expect("importances")
        };
        assert_eq!(of(1, 7), of(1, 100));
        assert_ne!(of(1, 7), of(2, 7));
    }

    #[test]
    fn losses_are_those_of_their_formulas() {
        let three = array![0.2, 0.5, 0.3];
        assert_eq!(Loss::LogLoss.of(three.view(), 2.0), -0.3_f64.ln());
        assert_eq!(Loss::ZeroOne.of(three.view(), 1.0), 0.0);
        assert_eq!(Loss::ZeroOne.of(three.view(), 0.0), 1.0);
        let one = array![0.75];
        assert_eq!(Loss::LogLoss.of(one.view(), 0.0), -0.25_f64.ln());
        assert_eq!(Loss::ZeroOne.of(one.view(), 1.0), 0.0);
        assert_eq!(Loss::SquaredError.of(one.view(), 0.25), 0.25);
        assert_eq!(Loss::AbsoluteError.of(one.view(), 1.0), 0.25);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let (rows, labels) = table(4);
        let predictor = of_rows(3, |row| row[0]);
        let say = |labels: &Array1<f64>, groups: &[Vec<usize>], loss, n_repeats| {
            let options = Options { n_repeats, seed: 0 };
            permutation_importance(
                &predictor,
                rows.view(),
                labels.view(),
                groups,
                loss,
                &options,
                &Work::default(),
            )
            .expect_err("a refusal")
            .to_string()
        };
        assert!(say(&labels, &[vec![3]], Loss::SquaredError, 1).contains("features 0 to 2"));
        assert!(say(&labels, &[vec![]], Loss::SquaredError, 1).contains("group 0 has no features"));
        assert!(say(&labels, &[vec![0]], Loss::SquaredError, 0).contains("one is the least"));
        assert!(say(&array![1.0], &[vec![0]], Loss::SquaredError, 1).contains("labels has shape [1]"));
        assert!(say(&array![0.0, 1.0, 2.0, 0.0], &[vec![0]], Loss::ZeroOne, 1).contains("row 2 has 2"));
        let classes = array![0.0, 1.0, 1.0, 0.0];
        assert!(say(&classes, &[vec![0]], Loss::LogLoss, 1).contains("log_loss is of probabilities"));
    }
}

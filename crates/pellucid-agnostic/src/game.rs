//! What any coalition of features is worth: all that sampling methods know of model, masker and row.

use ndarray::{Array2, ArrayView2, ArrayViewD};
use pellucid_core::{Work, row_digest_f64};

use crate::batches::{batch_size, in_batches};
use crate::error::Error;
use crate::masker::Masker;
use crate::predictor::{Predictor, predict, predict_checked};

/// A cooperative game: players (features or groups of them) and the worth of every coalition, for one or more targets.
pub trait Game: Sync {
    /// The number of players.
    fn n_players(&self) -> usize;

    /// The number of targets that each coalition is worth something for.
    fn n_targets(&self) -> usize;

    /// What the coalitions `present` `[coalitions, players]` are worth: `[coalitions, targets]`.
    ///
    /// # Errors
    /// Whatever the model reports, a canceled work.
    fn worth(&self, present: ArrayView2<'_, bool>, work: &Work) -> Result<Array2<f64>, Error>;

    /// What randomness is keyed by, beside the seed.
    fn digest(&self) -> [u8; 32];

    /// Players that change nothing, present or absent, known without asking the model.
    fn null_players(&self) -> Vec<bool> {
        vec![false; self.n_players()]
    }
}

/// The game of one row: a coalition is worth `Σ_b w_b · target(f(present features of the row, the others of replacement b))`.
pub struct MaskedRow<'a> {
    predictor: &'a dyn Predictor,
    masker: &'a Masker,
    row: ArrayViewD<'a, f64>,
    /// `[outputs, targets]`.
    target_weights: Array2<f64>,
}

impl<'a> MaskedRow<'a> {
    /// The game of `row`; each target is a weighted sum of outputs, `target_weights` `[outputs, targets]`.
    ///
    /// # Errors
    /// [`Error::Shape`] where row, masker and predictor do not fit.
    pub fn new(
        predictor: &'a dyn Predictor,
        masker: &'a Masker,
        row: ArrayViewD<'a, f64>,
        target_weights: Array2<f64>,
    ) -> Result<Self, Error> {
        let expected = predictor.row_shape();
        if row.shape() != expected {
            return Err(Error::shape("row", format!("{expected:?}"), row.shape()));
        }
        if masker.groups().of_element().shape() != expected {
            let actual = masker.groups().of_element().shape();
            return Err(Error::shape("masker", format!("{expected:?}"), actual));
        }
        if target_weights.nrows() != predictor.n_outputs() {
            let expected = format!("[{}, targets]", predictor.n_outputs());
            return Err(Error::shape("target weights", expected, target_weights.shape()));
        }
        Ok(Self { predictor, masker, row, target_weights })
    }

    /// The row that is explained.
    pub fn row(&self) -> ArrayViewD<'_, f64> {
        self.row.view()
    }

    /// Players, and what stands where they are absent.
    pub fn masker(&self) -> &Masker {
        self.masker
    }

    /// The targets for any rows of the row's shape, `[rows, targets]`.
    ///
    /// # Errors
    /// As [`predict`].
    pub fn targets_of(&self, rows: ArrayViewD<'_, f64>, work: &Work) -> Result<Array2<f64>, Error> {
        Ok(predict(self.predictor, rows, work)?.dot(&self.target_weights))
    }
}

impl Game for MaskedRow<'_> {
    fn n_players(&self) -> usize {
        self.masker.groups().n_groups()
    }

    fn n_targets(&self) -> usize {
        self.target_weights.ncols()
    }

    fn worth(&self, present: ArrayView2<'_, bool>, work: &Work) -> Result<Array2<f64>, Error> {
        let n_replacements = self.masker.n_replacements();
        let n_rows = present.nrows() * n_replacements;
        let mut worth = Array2::zeros((present.nrows(), self.n_targets()));
        for range in in_batches(n_rows, batch_size(work, self.row.shape())?) {
            let rows = self.masker.filled(self.row.view(), present, range.clone());
            let outputs = predict_checked(self.predictor, rows.view(), work)?.dot(&self.target_weights);
            for (number, outputs) in range.zip(outputs.outer_iter()) {
                let weight = self.masker.weights()[number % n_replacements];
                for (target, &output) in outputs.iter().enumerate() {
                    worth[[number / n_replacements, target]] += weight * output;
                }
            }
        }
        Ok(worth)
    }

    fn digest(&self) -> [u8; 32] {
        row_digest_f64(self.row.view())
    }

    fn null_players(&self) -> Vec<bool> {
        self.masker.unchanging(self.row.view())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::masker::Groups;
    use crate::testing::{of_rows, work};
    use ndarray::array;

    #[test]
    fn a_coalition_is_worth_the_weighted_mean_over_the_background() {
        let predictor = of_rows(2, |row| row[0] * row[1]);
        let background = array![[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]].into_dyn();
        let weights = array![0.5, 0.25, 0.25];
        let masker = Masker::background(background, Some(weights), Groups::single(&[2])).expect("a masker");
        let row = array![10.0, 100.0].into_dyn();
        let game = MaskedRow::new(&predictor, &masker, row.view(), array![[1.0, -1.0]]).expect("a game");
        let present = array![[false, false], [true, false], [true, true]];
        let worth = game.worth(present.view(), &work(100)).expect("worths");
        let absent = 0.5 * 2.0 + 0.25 * 12.0 + 0.25 * 35.0;
        let half = 0.5 * 20.0 + 0.25 * 40.0 + 0.25 * 70.0;
        assert_eq!(worth, array![[absent, -absent], [half, -half], [1000.0, -1000.0]]);
        for batch_size in 1..10 {
            assert_eq!(
                game.worth(present.view(), &work(batch_size)),
                Ok(worth.clone()),
                "batches of {batch_size}"
            );
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let predictor = of_rows(2, |row| row[0]);
        let masker = Masker::baseline(array![0.0].into_dyn(), Groups::single(&[1])).expect("a masker");
        let row = array![1.0, 2.0].into_dyn();
        let refusal = |masker, row: ArrayViewD<'_, f64>, weights| {
            MaskedRow::new(&predictor, masker, row, weights).err().expect("a refusal").to_string()
        };
        assert!(refusal(&masker, row.view(), array![[1.0]]).contains("masker has shape [1]"));
        let masker = Masker::baseline(array![0.0, 0.0].into_dyn(), Groups::single(&[2])).expect("a masker");
        assert!(
            refusal(&masker, row.view(), array![[1.0], [1.0]]).contains("target weights has shape [2, 1]")
        );
        assert!(refusal(&masker, array![1.0].into_dyn().view(), array![[1.0]]).contains("row has shape [1]"));
    }
}

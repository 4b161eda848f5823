//! The space in which worths add up.

use ndarray::{Array2, ArrayView2};
use pellucid_core::Work;

use crate::error::Error;
use crate::game::Game;

/// A map from what coalitions are worth to the space in which effects add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// The worth itself.
    #[default]
    Identity,
    /// `ln(p / (1 − p))` of a probability.
    Logit,
}

/// A game in the space of a link. The link is applied to what a coalition is worth, so to the mean over the background,
/// `logit(E[f])` and not `E[logit(f)]`, as in shap.
pub struct Linked<'a> {
    /// The game.
    pub game: &'a dyn Game,
    /// The space.
    pub link: Link,
}

impl Game for Linked<'_> {
    fn n_players(&self) -> usize {
        self.game.n_players()
    }

    fn n_targets(&self) -> usize {
        self.game.n_targets()
    }

    fn worth(&self, present: ArrayView2<'_, bool>, work: &Work) -> Result<Array2<f64>, Error> {
        let worth = self.game.worth(present, work)?;
        match self.link {
            Link::Identity => Ok(worth),
            Link::Logit => match worth.iter().find(|&&p| !(p > 0.0 && p < 1.0)) {
                None => Ok(worth.mapv(|p| p.ln() - (-p).ln_1p())),
                Some(p) => {
                    let reason = format!(
                        "a coalition is worth {p}, which has no logit; it takes probabilities between 0 and 1, both excluded"
                    );
                    Err(Error::setting("link", reason))
                }
            },
        }
    }

    fn digest(&self) -> [u8; 32] {
        self.game.digest()
    }

    fn null_players(&self) -> Vec<bool> {
        self.game.null_players()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::{self, exact};
    use crate::game::MaskedRow;
    use crate::masker::{Groups, Masker};
    use crate::testing::{Listed, of_rows, work};
    use ndarray::array;

    #[test]
    fn the_logit_is_of_the_mean() {
        let predictor = of_rows(1, |row| row[0]);
        let masker = Masker::background(array![[0.1], [0.5]].into_dyn(), None, Groups::single(&[1]));
        let masker = masker.expect("a masker");
        let row = array![0.9].into_dyn();
        let game = MaskedRow::new(&predictor, &masker, row.view(), array![[1.0]]).expect("a game");
        let linked = Linked { game: &game, link: Link::Logit };
        let estimate = exact(&linked, &exact::Options::default(), &work(10)).expect("values");
        let logit = |p: f64| (p / (1.0 - p)).ln();
        assert!((estimate.base_values[0] - logit(0.3)).abs() < 1e-14);
        assert!((estimate.values[[0, 0]] - (logit(0.9) - logit(0.3))).abs() < 1e-14);
    }

    #[test]
    fn what_has_no_logit_is_refused() {
        let game = Listed::one(2, |bits| if bits == 2 { 1.0 } else { 0.5 });
        let linked = Linked { game: &game, link: Link::Logit };
        let error = exact(&linked, &exact::Options::default(), &work(10)).expect_err("a refusal");
        assert!(error.to_string().contains("worth 1, which has no logit"), "{error}");
        let identity = Linked { game: &game, link: Link::Identity };
        assert!(exact(&identity, &exact::Options::default(), &work(10)).is_ok());
    }
}

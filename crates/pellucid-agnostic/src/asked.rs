//! A game of which only players that can change something are asked about, and each coalition only once.

use std::collections::HashMap;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};
use pellucid_core::Work;

use crate::coalition::Coalition;
use crate::error::Error;
use crate::estimate::Estimate;
use crate::game::Game;

/// Coalitions that are asked about in one go: what they take as a table of presence is bounded.
pub(crate) const PIECE: usize = 1024;

/// A game without its null players. Players are numbered anew, 0 to `n_players()`.
pub(crate) struct Active<'a> {
    game: &'a dyn Game,
    work: &'a Work,
    players: Vec<usize>,
}

impl<'a> Active<'a> {
    pub(crate) fn new(game: &'a dyn Game, work: &'a Work) -> Self {
        let null = game.null_players();
        Self { game, work, players: (0..game.n_players()).filter(|&player| !null[player]).collect() }
    }

    pub(crate) fn n_players(&self) -> usize {
        self.players.len()
    }

    pub(crate) fn n_targets(&self) -> usize {
        self.game.n_targets()
    }

    /// The game's own number of each player.
    pub(crate) fn players(&self) -> &[usize] {
        &self.players
    }

    pub(crate) fn digest(&self) -> [u8; 32] {
        self.game.digest()
    }

    /// Whether every coalition fits into so many evaluations.
    pub(crate) fn is_enumerable(&self, max_evaluations: usize) -> bool {
        u32::try_from(self.n_players())
            .is_ok_and(|n| 1_usize.checked_shl(n).is_some_and(|all| all > 0 && all <= max_evaluations))
    }

    /// What at most [`PIECE`] coalitions are worth, `[coalitions, targets]`: finite numbers.
    pub(crate) fn worth(&self, coalitions: &[Coalition]) -> Result<Array2<f64>, Error> {
        self.work.check()?;
        let mut present = Array2::from_elem((coalitions.len(), self.game.n_players()), false);
        for (mut row, coalition) in present.outer_iter_mut().zip(coalitions) {
            coalition.players().for_each(|player| row[self.players[player]] = true);
        }
        let worth = self.game.worth(present.view(), self.work)?;
        let expected = [coalitions.len(), self.n_targets()];
        if *worth.shape() != expected {
            return Err(Error::shape("the game's worths", format!("{expected:?}"), worth.shape()));
        }
        match worth.indexed_iter().find(|(_, value)| !value.is_finite()) {
            Some(((row, target), &value)) => {
                Err(Error::NotFinite { what: "the game's worths", value, index: vec![row, target] })
            }
            None => Ok(worth),
        }
    }

    /// Values `[active players, targets]` as those of all players; a null player has 0, exactly.
    pub(crate) fn spread(&self, values: ArrayView2<'_, f64>) -> Array2<f64> {
        let mut spread = Array2::zeros((self.game.n_players(), self.n_targets()));
        for (row, &player) in values.outer_iter().zip(&self.players) {
            spread.row_mut(player).assign(&row);
        }
        spread
    }
}

/// What is known of a game: the worth of each coalition that was asked for.
pub(crate) struct Asked<'a> {
    active: Active<'a>,
    places: HashMap<Coalition, usize>,
    /// `[coalitions, targets]`, flat.
    worths: Vec<f64>,
}

impl<'a> Asked<'a> {
    /// Asks for nobody and all.
    pub(crate) fn new(game: &'a dyn Game, work: &'a Work) -> Result<Self, Error> {
        let active = Active::new(game, work);
        let n_players = active.n_players();
        let mut asked = Self { active, places: HashMap::new(), worths: Vec::new() };
        asked.ask([Coalition::nobody(n_players), Coalition::all(n_players)])?;
        Ok(asked)
    }

    pub(crate) fn active(&self) -> &Active<'a> {
        &self.active
    }

    pub(crate) fn n_players(&self) -> usize {
        self.active.n_players()
    }

    pub(crate) fn n_targets(&self) -> usize {
        self.active.n_targets()
    }

    /// Coalitions asked for so far.
    pub(crate) fn evaluations(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn knows(&self, coalition: &Coalition) -> bool {
        self.places.contains_key(coalition)
    }

    /// Asks about those that are not known yet.
    pub(crate) fn ask(&mut self, coalitions: impl IntoIterator<Item = Coalition>) -> Result<(), Error> {
        let mut new = Vec::new();
        for coalition in coalitions {
            let place = self.places.len();
            if let std::collections::hash_map::Entry::Vacant(entry) = self.places.entry(coalition) {
                new.push(entry.key().clone());
                entry.insert(place);
            }
        }
        for piece in new.chunks(PIECE) {
            self.worths.extend(self.active.worth(piece)?);
        }
        Ok(())
    }

    /// What a coalition that was asked for is worth, for each target; `None` for others.
    pub(crate) fn get(&self, coalition: &Coalition) -> Option<ArrayView1<'_, f64>> {
        let place = *self.places.get(coalition)?;
        let n_targets = self.n_targets();
        Some(ArrayView1::from(&self.worths[place * n_targets..][..n_targets]))
    }

    /// The worth of nobody: the first that was asked for.
    pub(crate) fn nobody(&self) -> ArrayView1<'_, f64> {
        ArrayView1::from(&self.worths[..self.n_targets()])
    }

    /// The worth of all: the second, or the first where there is no player.
    pub(crate) fn all(&self) -> ArrayView1<'_, f64> {
        let place = self.places.len().min(2) - 1;
        let start = if self.n_players() == 0 { 0 } else { place * self.n_targets() };
        ArrayView1::from(&self.worths[start..][..self.n_targets()])
    }

    /// What all are worth more than nobody.
    pub(crate) fn total(&self) -> Array1<f64> {
        &self.all() - &self.nobody()
    }

    /// The estimate of values `[active players, targets]`.
    pub(crate) fn estimate(
        &self,
        values: ArrayView2<'_, f64>,
        standard_error: Option<ArrayView2<'_, f64>>,
        warnings: Vec<String>,
    ) -> Estimate {
        Estimate {
            values: self.active.spread(values),
            standard_error: standard_error.map(|error| self.active.spread(error)),
            base_values: self.nobody().to_owned(),
            outputs: self.all().to_owned(),
            evaluations: self.evaluations(),
            warnings,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Listed, work};

    #[test]
    fn a_coalition_is_asked_about_once() {
        let game = Listed::random(3, 2, 4);
        let work = work(10);
        let mut asked = Asked::new(&game, &work).expect("a game");
        let coalition = Coalition::of(3, [1]);
        asked.ask([coalition.clone(), coalition.clone(), Coalition::all(3)]).expect("worths");
        assert_eq!(asked.evaluations(), 3);
        assert_eq!(asked.get(&coalition), Some(game.worth.row(0b010)));
        assert_eq!(asked.nobody(), game.worth.row(0));
        assert_eq!(asked.all(), game.worth.row(7));
        assert_eq!(asked.get(&Coalition::of(3, [2])), None);
    }
}

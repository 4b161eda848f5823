#![doc = include_str!("feature_ablation.md")]

use pellucid_core::Work;

use crate::error::Error;
use crate::estimate::Estimate;
use crate::game::Game;
use crate::hiding::hide_sets;

/// Settings of [`feature_ablation`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Players that are hidden together, as sets that may overlap; `None`: each on its own.
    pub sets: Option<Vec<Vec<usize>>>,
}

/// `v(all) − v(all without i)` for each player i; for sets, the mean over those that hold the player.
///
/// # Errors
/// A set with a player that the game has not, or twice; whatever the game reports.
pub fn feature_ablation(game: &dyn Game, options: &Options, work: &Work) -> Result<Estimate, Error> {
    let n_players = game.n_players();
    let Some(sets) = &options.sets else {
        return hide_sets(game, (0..n_players).map(|player| [player]), work);
    };
    for (index, set) in sets.iter().enumerate() {
        if let Some(player) = set.iter().find(|&&player| player >= n_players) {
            let reason = format!("set {index} holds player {player}; the game has {n_players}, from 0");
            return Err(Error::setting("sets", reason));
        }
        if let Some(player) = set.iter().enumerate().find(|(place, player)| set[..*place].contains(player)) {
            return Err(Error::setting("sets", format!("set {index} holds player {} twice", player.1)));
        }
    }
    hide_sets(game, sets.iter(), work)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Listed, work};

    #[test]
    fn a_value_is_what_is_lost() {
        let game = Listed::random(4, 2, 11);
        let estimate = feature_ablation(&game, &Options::default(), &work(3)).expect("values");
        for player in 0..4 {
            for target in 0..2 {
                let expected = game.worth[[15, target]] - game.worth[[15 - (1 << player), target]];
                assert_eq!(estimate.values[[player, target]], expected);
            }
        }
        assert_eq!((estimate.evaluations, estimate.base_values), (6, game.worth.row(0).to_owned()));
        assert_eq!(estimate.standard_error, None);
    }

    /// captum spreads a group's value over its features whole; where sets overlap, the mean counts.
    #[test]
    fn sets_are_hidden_together_and_averaged_where_they_overlap() {
        let game = Listed::random(4, 1, 12);
        let lost = |hidden: usize| game.worth[[15, 0]] - game.worth[[15 - hidden, 0]];
        let options = Options { sets: Some(vec![vec![0, 1], vec![1, 2]]) };
        let estimate = feature_ablation(&game, &options, &work(3)).expect("values");
        let expected = [lost(0b0011), (lost(0b0011) + lost(0b0110)) / 2.0, lost(0b0110), 0.0];
        assert_eq!(estimate.values.column(0).to_vec(), expected);
    }

    #[test]
    fn sets_that_cannot_be_are_refused() {
        let say = |set: Vec<usize>| {
            let options = Options { sets: Some(vec![vec![0], set]) };
            feature_ablation(&Listed::random(2, 1, 13), &options, &work(3))
                .expect_err("a refusal")
                .to_string()
        };
        assert!(say(vec![2]).contains("set 1 holds player 2; the game has 2"));
        assert!(say(vec![1, 1]).contains("twice"));
    }
}

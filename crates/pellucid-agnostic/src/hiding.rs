//! What a game loses when sets of players are hidden, one set after the other.

use ndarray::{Array1, Array2, Axis};
use pellucid_core::Work;

use crate::error::Error;
use crate::estimate::Estimate;
use crate::game::Game;

/// Bytes that the coalitions asked for at once may take.
const MAX_COALITION_BYTES: usize = 1 << 24;

/// The value of a player is the mean of `v(all) − v(all without the set)` over the sets that hold it; 0 where none does. The base
/// value is the worth of nobody.
pub(crate) fn hide_sets<S: AsRef<[usize]>>(
    game: &dyn Game,
    sets: impl ExactSizeIterator<Item = S>,
    work: &Work,
) -> Result<Estimate, Error> {
    let (n_players, n_sets) = (game.n_players(), sets.len());
    let ends = Array2::from_shape_fn((2, n_players), |(end, _)| end == 1);
    let worth = game.worth(ends.view(), work)?;
    let (base_values, outputs) = (worth.row(0).to_owned(), worth.row(1).to_owned());
    let mut sums = Array2::zeros((n_players, game.n_targets()));
    let mut counts = Array1::<f64>::zeros(n_players);
    let mut hide = |hidden: &[S]| -> Result<(), Error> {
        let mut present = Array2::from_elem((hidden.len(), n_players), true);
        for (set, mut coalition) in hidden.iter().zip(present.outer_iter_mut()) {
            set.as_ref().iter().for_each(|&player| coalition[player] = false);
        }
        let worth = game.worth(present.view(), work)?;
        for (set, worth) in hidden.iter().zip(worth.outer_iter()) {
            let lost = &outputs - &worth;
            for &player in set.as_ref() {
                sums.row_mut(player).scaled_add(1.0, &lost);
                counts[player] += 1.0;
            }
        }
        Ok(())
    };
    let at_once = (MAX_COALITION_BYTES / n_players.max(1)).max(1);
    let mut waiting = Vec::new();
    for set in sets {
        waiting.push(set);
        if waiting.len() == at_once {
            hide(&waiting)?;
            waiting.clear();
        }
    }
    hide(&waiting)?;
    let values = sums / counts.mapv(|count| count.max(1.0)).insert_axis(Axis(1));
    let evaluations = n_sets + 2;
    Ok(Estimate { values, standard_error: None, base_values, outputs, evaluations, warnings: Vec::new() })
}

//! Whether players come together as often as they would if all coalitions were drawn.

use crate::coalition::Coalition;

/// Candidates for each draw of a game of few players, and what `players² · candidates` may be for many.
const MAX_CANDIDATES: usize = 16;
const MAX_ENTRIES: usize = 1 << 16;

/// `Σ w (x xᵀ − E[x xᵀ])` over the coalitions drawn, for `x = z − |z| / M`: what a regression's matrix is off from the one of
/// all coalitions.
pub(crate) struct Balance {
    n_players: usize,
    /// `[players, players]`, flat; empty where the players are too many.
    excess: Vec<f64>,
}

impl Balance {
    pub(crate) fn new(n_players: usize) -> Self {
        let is_kept = MAX_ENTRIES >= 2 * n_players * n_players;
        Self { n_players, excess: vec![0.0; if is_kept { n_players * n_players } else { 0 }] }
    }

    /// How many coalitions are looked at, of which one is drawn.
    pub(crate) fn n_candidates(&self) -> usize {
        match self.excess.is_empty() {
            true => 1,
            false => (MAX_ENTRIES / (self.n_players * self.n_players)).min(MAX_CANDIDATES),
        }
    }

    /// `x · excess · x`: of coalitions of one size, the least takes most of the excess away.
    pub(crate) fn excess_of(&self, coalition: &Coalition) -> f64 {
        if self.excess.is_empty() {
            return 0.0;
        }
        // Every row of the excess sums to 0, so that z stands for x.
        let players: Vec<usize> = coalition.players().collect();
        let of_player = |(place, &player): (usize, &usize)| {
            let row = &self.excess[player * self.n_players..][..self.n_players];
            row[player] + 2.0 * players[..place].iter().map(|&other| row[other]).sum::<f64>()
        };
        players.iter().enumerate().map(of_player).sum()
    }

    pub(crate) fn add(&mut self, coalition: &Coalition, size: usize, weight: f64) {
        if self.excess.is_empty() {
            return;
        }
        let n = self.n_players;
        let share = size as f64 / n as f64;
        let mut x = vec![-share; n];
        coalition.players().for_each(|player| x[player] += 1.0);
        let variance = share * (1.0 - share);
        let covariance = -variance / (n as f64 - 1.0);
        for (i, row) in self.excess.chunks_mut(n).enumerate() {
            for (j, excess) in row.iter_mut().enumerate() {
                *excess += weight * (x[i] * x[j] - if i == j { variance } else { covariance });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All coalitions of a size leave nothing; one more leaves what it has more than their mean.
    #[test]
    fn the_excess_is_what_a_drawn_coalition_has_more_than_the_mean_of_all() {
        let mut balance = Balance::new(4);
        let pairs =
            || (0..16_usize).filter(|bits| bits.count_ones() == 2).map(|bits| Coalition::from_bits(4, bits));
        pairs().for_each(|coalition| balance.add(&coalition, 2, 0.5));
        assert!(balance.excess.iter().all(|excess| excess.abs() < 1e-15), "{:?}", balance.excess);
        balance.add(&Coalition::from_bits(4, 0b0011), 2, 3.0);
        // x = ±1/2; the mean of x xᵀ is 1/4 on the diagonal, −1/12 beside it.
        let expected = |i: usize, j: usize| match (i == j, (i < 2) == (j < 2)) {
            (true, _) => 0.0,
            (false, true) => 3.0 * (0.25 + 1.0 / 12.0),
            (false, false) => 3.0 * (-0.25 + 1.0 / 12.0),
        };
        for i in 0..4 {
            for j in 0..4 {
                assert!((balance.excess[4 * i + j] - expected(i, j)).abs() < 1e-15);
            }
        }
        assert!((balance.excess_of(&Coalition::from_bits(4, 0b0011)) - 2.0).abs() < 1e-14);
        assert!((balance.excess_of(&Coalition::from_bits(4, 0b0101)) + 1.0).abs() < 1e-14);
    }

    #[test]
    fn many_players_are_not_balanced_two_by_two() {
        assert_eq!(
            [10, 64, 100, 181, 182, 5000].map(|n| Balance::new(n).n_candidates()),
            [16, 16, 6, 2, 1, 1]
        );
        assert_eq!(Balance::new(182).excess_of(&Coalition::all(182)), 0.0);
    }
}

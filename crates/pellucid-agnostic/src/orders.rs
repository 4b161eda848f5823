//! Random orders of players in which everybody comes early as often as late.

use pellucid_core::Draws;

use crate::draw::choose_front;

/// A stream of orders, each of them uniform over all orders; an order and its reverse are one draw.
///
/// `⌈M / 2⌉` of them in a row are half of a Latin square whose other half are their reverses: with both, every player stands at every
/// place once (for an odd M, nearly: a player who does not count fills the square).
pub(crate) struct Orders {
    n_players: usize,
    draws: Draws,
    n_squares: u64,
    block: Vec<Vec<usize>>,
}

impl Orders {
    pub(crate) fn new(n_players: usize, draws: Draws) -> Self {
        Self { n_players, draws, n_squares: 0, block: Vec::new() }
    }

    pub(crate) fn next(&mut self) -> Vec<usize> {
        loop {
            match self.block.pop() {
                Some(order) => return order,
                None => self.block = self.square(),
            }
        }
    }

    /// Row r of the square has at place p the player `names[(r + shift[p]) mod n]`. Row r + n/2 is row r reversed, since
    /// `shift[n − 1 − p] = shift[p] + n/2`.
    fn square(&mut self) -> Vec<Vec<usize>> {
        let mut generator = self.draws.draw(self.n_squares);
        self.n_squares += 1;
        let half = self.n_players.div_ceil(2);
        let n = 2 * half;
        let mut names: Vec<usize> = (0..n).collect();
        choose_front(&mut generator, &mut names, n);
        // One of each pair {s, s + n/2} stands in the first half, in random order.
        let mut first: Vec<usize> = (0..half).collect();
        choose_front(&mut generator, &mut first, half);
        for shift in &mut first {
            *shift += half * crate::draw::below(&mut generator, 2);
        }
        let shifts: Vec<usize> =
            first.iter().copied().chain(first.iter().rev().map(|shift| (shift + half) % n)).collect();
        let mut rows: Vec<usize> = (0..half).collect();
        choose_front(&mut generator, &mut rows, half);
        let row = |row: usize| {
            let players = shifts.iter().map(|shift| names[(row + shift) % n]);
            players.filter(|&player| player < self.n_players).collect()
        };
        rows.into_iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_their_reverses_are_latin_squares() {
        for n_players in [2, 6, 10] {
            let mut orders = Orders::new(n_players, Draws::new(1, &[0; 32], "orders"));
            let mut counts = vec![vec![0; n_players]; n_players];
            for _ in 0..3 * n_players / 2 {
                let order = orders.next();
                for (place, &player) in order.iter().enumerate() {
                    counts[player][place] += 1;
                    counts[player][n_players - 1 - place] += 1;
                }
            }
            assert!(counts.iter().flatten().all(|&count| count == 3), "{counts:?}");
        }
        let mut odd = Orders::new(5, Draws::new(1, &[0; 32], "orders"));
        for _ in 0..9 {
            let mut order = odd.next();
            order.sort_unstable();
            assert_eq!(order, [0, 1, 2, 3, 4]);
        }
    }

    #[test]
    fn every_order_is_as_likely() {
        for n_players in [3, 4] {
            let mut counts = std::collections::BTreeMap::new();
            let n_orders: usize = (1..=n_players).product();
            for seed in 0..200 * n_orders as u64 {
                let mut orders = Orders::new(n_players, Draws::new(seed, &[0; 32], "orders"));
                *counts.entry(orders.next()).or_insert(0_usize) += 1;
            }
            assert_eq!(counts.len(), n_orders);
            assert!(counts.values().all(|&count| count.abs_diff(200) < 75), "{counts:?}");
        }
    }
}

//! Random orders of players, two by two, of which the second makes up for what the first leaves out.

use pellucid_core::Draws;

use crate::draw::{below, choose_front};

/// A stream of orders, each of them uniform over all orders; an order and its reverse are one draw.
///
/// Walked both ways, an order is exact for pairs of players, and sees an interaction of three but for the player who stands in the
/// middle. After each order comes its [`twist`], in which as few triples as two orders can have the same player in the middle.
pub(crate) struct Orders {
    n_players: usize,
    draws: Draws,
    n_drawn: u64,
    twisted: Option<Vec<usize>>,
}

impl Orders {
    pub(crate) fn new(n_players: usize, draws: Draws) -> Self {
        Self { n_players, draws, n_drawn: 0, twisted: None }
    }

    pub(crate) fn next(&mut self) -> Vec<usize> {
        if let Some(order) = self.twisted.take() {
            return order;
        }
        let mut generator = self.draws.draw(self.n_drawn);
        self.n_drawn += 1;
        let mut order: Vec<usize> = (0..self.n_players).collect();
        choose_front(&mut generator, &mut order, self.n_players);
        // Of an odd number, the one in the middle belongs to either half.
        let half = self.n_players / 2 + below(&mut generator, 1 + self.n_players % 2);
        self.twisted = Some(twist(&order, half));
        order
    }
}

/// Each half of an order backwards: who stood in the middle stands at the ends. A triple keeps its middle only within a half, a
/// quarter of all triples where there are many players, in place of a third of two independent orders.
fn twist(order: &[usize], half: usize) -> Vec<usize> {
    let (first, second) = order.split_at(half);
    first.iter().rev().chain(second.iter().rev()).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders(n_players: usize, seed: u64) -> Orders {
        Orders::new(n_players, Draws::new(seed, &[0; 32], "orders"))
    }

    fn places(order: &[usize]) -> Vec<usize> {
        (0..order.len())
            .map(|player| order.iter().position(|&other| other == player).expect("a place"))
            .collect()
    }

    /// How many triples have the same player in the middle of both orders.
    fn same_middles(one: &[usize], other: &[usize]) -> usize {
        let (one, other) = (places(one), places(other));
        let is_middle = |of: &[usize], [a, b, c]: [usize; 3]| (of[a] < of[b]) == (of[b] < of[c]);
        let n = one.len();
        let triples = (0..n).flat_map(|b| (0..n).flat_map(move |a| (0..a).map(move |c| [a, b, c])));
        triples
            .filter(|&[a, b, c]| {
                a != b && c != b && is_middle(&one, [a, b, c]) && is_middle(&other, [a, b, c])
            })
            .count()
    }

    /// Of all orders of 6 players, none shares fewer middles with another than its twist does.
    #[test]
    fn no_second_order_sees_more_triples_anew() {
        let n = 6;
        let mut orders_of_6 = orders(n, 1);
        let (first, second) = (orders_of_6.next(), orders_of_6.next());
        let mut all = vec![Vec::new()];
        for _ in 0..n {
            let longer = |order: &Vec<usize>| {
                let order = order.clone();
                (0..n)
                    .filter(|player| !order.contains(player))
                    .map(|player| [&order[..], &[player]].concat())
                    .collect::<Vec<_>>()
            };
            all = all.iter().flat_map(longer).collect();
        }
        assert_eq!(all.len(), 720);
        let least = all.iter().map(|other| same_middles(&first, other)).min();
        assert_eq!((Some(same_middles(&first, &second)), same_middles(&first, &first)), (least, 20));
    }

    #[test]
    fn every_order_is_as_likely() {
        for n_players in [3, 4] {
            for nth in 0..2 {
                let mut counts = std::collections::BTreeMap::new();
                let n_orders: usize = (1..=n_players).product();
                for seed in 0..200 * n_orders as u64 {
                    let mut orders = orders(n_players, seed);
                    (0..nth).for_each(|_| drop(orders.next()));
                    *counts.entry(orders.next()).or_insert(0_usize) += 1;
                }
                assert_eq!(counts.len(), n_orders);
                assert!(counts.values().all(|&count| count.abs_diff(200) < 75), "{counts:?}");
            }
        }
    }
}

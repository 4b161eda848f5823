//! Pairs of a coalition and its complement, drawn without replacement, stratified by size.

use std::collections::{HashSet, VecDeque};

use pellucid_core::Draws;
use rand_chacha::ChaCha8Rng;

use crate::balance::Balance;
use crate::coalition::Coalition;
use crate::draw::{choose_front, unit};

/// Draws that found nothing new in a row, after which the coalitions that are left are listed.
const MAX_MISSES: usize = 64;

/// How many pairs of each size are drawn. A size k stands for k and `n_players − k`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sampling {
    /// In proportion to `1 / √(k (M − k))`, the geometric mean of the other two: a pair of size k moves the values by its
    /// kernel times `√(k (M − k) / M)`, so that this has the least variance where what a linear function leaves over is as large at
    /// every size.
    #[default]
    Balanced,
    /// In proportion to the Shapley kernel of all coalitions of a size, `1 / (k (M − k))`, as in Lundberg & Lee 2017.
    Kernel,
    /// As many of each size: in proportion to the leverage scores (Musco & Witter 2024).
    Leverage,
}

impl Sampling {
    fn share(self, size: usize, n_players: usize) -> f64 {
        let kernel = 1.0 / (size * (n_players - size)) as f64;
        // A coalition of half of the players is its complement's size: half as many pairs.
        let halved = if 2 * size == n_players { 0.5 } else { 1.0 };
        halved
            * match self {
                Self::Balanced => kernel.sqrt(),
                Self::Kernel => kernel,
                Self::Leverage => 1.0,
            }
    }
}

/// The pairs of one size.
pub(crate) struct Stratum {
    size: usize,
    /// The Shapley kernel's mass of all its pairs.
    pub(crate) mass: f64,
    /// How many pairs there are, as near as f64 is.
    pub(crate) n_pairs: f64,
    /// How many of them are expected to be drawn.
    expected: f64,
    share: f64,
    /// ½ where both coalitions of a pair are of the size.
    halved: f64,
    generator: ChaCha8Rng,
    queue: VecDeque<usize>,
    seen: HashSet<Coalition>,
    /// What is left, in random order, once draws hardly find anything new.
    left: Option<Vec<Coalition>>,
    pub(crate) drawn: Vec<Coalition>,
}

impl Stratum {
    /// The weight of each drawn pair: together they stand for all of the stratum.
    pub(crate) fn pair_weight(&self) -> f64 {
        let n_drawn = self.drawn.len() as f64;
        self.mass / if self.expected >= 1.0 { n_drawn } else { self.expected }
    }

    /// What a drawn coalition of the stratum's size stands for, as a share of all coalitions of that size. Of two halves both are of it.
    pub(crate) fn share_of_size(&self) -> f64 {
        self.halved * self.pair_weight() / self.mass
    }

    /// The share of the pairs that was not drawn: what sampling variance is left of drawing without replacement.
    pub(crate) fn share_left(&self) -> f64 {
        1.0 - self.drawn.len() as f64 / self.n_pairs
    }

    fn draw(&mut self, n_players: usize, balance: &mut Balance) {
        let Some(coalition) = self.best_new(n_players, balance).or_else(|| self.one_left(n_players)) else {
            return;
        };
        balance.add(&coalition, self.size, self.mass / self.share);
        self.seen.insert(coalition.clone());
        self.drawn.push(coalition);
    }

    /// Of some coalitions that were not drawn yet the one that balances best; `None` where hardly any are left.
    fn best_new(&mut self, n_players: usize, balance: &Balance) -> Option<Coalition> {
        if self.left.is_some() || self.expected >= self.n_pairs {
            return None;
        }
        let mut best: Option<(f64, Coalition)> = None;
        let mut n_new = 0;
        for _ in 0..MAX_MISSES {
            let coalition = self.next(n_players);
            if self.seen.contains(&coalition) {
                continue;
            }
            n_new += 1;
            let excess = balance.excess_of(&coalition);
            if best.as_ref().is_none_or(|(least, _)| excess < *least) {
                best = Some((excess, coalition));
            }
            if n_new == balance.n_candidates() {
                break;
            }
        }
        best.map(|(_, coalition)| coalition)
    }

    /// One of those that are left, which are listed first.
    fn one_left(&mut self, n_players: usize) -> Option<Coalition> {
        if self.left.is_none() {
            let mut left: Vec<Coalition> = combinations(n_players, self.size)
                .map(|coalition| first_of_pair(coalition, n_players, self.size))
                .filter(|coalition| !self.seen.contains(coalition))
                .collect();
            // Both halves of a pair have one name.
            left.sort_unstable();
            left.dedup();
            let n_left = left.len();
            choose_front(&mut self.generator, &mut left, n_left);
            self.left = Some(left);
        }
        self.left.as_mut().and_then(Vec::pop)
    }

    /// The next `size` players of a stream of random orders of all players: every coalition is as likely, and every player is
    /// in as many of them, which makes the regression's equations nearly orthogonal.
    fn next(&mut self, n_players: usize) -> Coalition {
        let mut coalition = Coalition::nobody(n_players);
        let (mut n_present, mut passed_over) = (0, Vec::new());
        while n_present < self.size {
            let player = match self.queue.pop_front() {
                Some(player) => player,
                None => {
                    let mut order: Vec<usize> = (0..n_players).collect();
                    choose_front(&mut self.generator, &mut order, n_players);
                    self.queue.extend(order);
                    continue;
                }
            };
            match coalition.contains(player) {
                true => passed_over.push(player),
                false => {
                    coalition.insert(player);
                    n_present += 1;
                }
            }
        }
        passed_over.into_iter().rev().for_each(|player| self.queue.push_front(player));
        first_of_pair(coalition, n_players, self.size)
    }
}

/// Of two halves the one with player 0, so that a pair has one name.
fn first_of_pair(coalition: Coalition, n_players: usize, size: usize) -> Coalition {
    match 2 * size == n_players && !coalition.contains(0) {
        true => coalition.complement(n_players),
        false => coalition,
    }
}

/// All coalitions of a size, in the order of their players.
fn combinations(n_players: usize, size: usize) -> impl Iterator<Item = Coalition> {
    let mut players: Option<Vec<usize>> = (size <= n_players).then(|| (0..size).collect());
    std::iter::from_fn(move || {
        let current = players.take()?;
        let coalition = Coalition::of(n_players, current.iter().copied());
        if let Some(place) = (0..size).rev().find(|&place| current[place] < n_players - size + place) {
            let mut next = current;
            let first = next[place] + 1;
            (place..size).for_each(|later| next[later] = first + later - place);
            players = Some(next);
        }
        Some(coalition)
    })
}

/// All sizes of a game of two players or more.
pub(crate) struct Strata {
    n_players: usize,
    balance: Balance,
    /// Where the sizes' counts are rounded up or down.
    offset: f64,
    pub(crate) of_size: Vec<Stratum>,
}

impl Strata {
    pub(crate) fn new(n_players: usize, sampling: Sampling, draws: &Draws) -> Self {
        let stratum = |size: usize| {
            let halved = if 2 * size == n_players { 0.5 } else { 1.0 };
            Stratum {
                size,
                mass: halved / (size * (n_players - size)) as f64,
                n_pairs: (halved * crate::exact::binomial(n_players, size)).min(f64::MAX),
                expected: 0.0,
                share: sampling.share(size, n_players),
                halved,
                generator: draws.draw(size as u64),
                queue: VecDeque::new(),
                seen: HashSet::new(),
                left: None,
                drawn: Vec::new(),
            }
        };
        let offset = unit(&mut draws.draw(0));
        let of_size = (1..=n_players / 2).map(stratum).collect();
        Self { n_players, balance: Balance::new(n_players), offset, of_size }
    }

    pub(crate) fn n_players(&self) -> usize {
        self.n_players
    }

    /// Draws on until there are about `n_pairs`, and returns the new ones.
    pub(crate) fn draw(&mut self, n_pairs: usize) -> Vec<Coalition> {
        self.expect(n_pairs as f64);
        let (mut sum, mut below, mut new) = (0.0, (self.offset).floor(), Vec::new());
        for stratum in &mut self.of_size {
            sum += stratum.expected;
            // Systematic: as many as are expected, up to one, and in sum exactly.
            let upto = (sum + self.offset + 1e-9).floor();
            let n_drawn = ((upto - below) as usize).min(stratum.n_pairs as usize);
            below = upto;
            let n_known = stratum.drawn.len();
            (n_known..n_drawn).for_each(|_| stratum.draw(self.n_players, &mut self.balance));
            new.extend_from_slice(&stratum.drawn[n_known..]);
        }
        new
    }

    /// Shares out `n_pairs`; a size that has fewer pairs than its share is taken whole, and leaves the rest to the others.
    fn expect(&mut self, n_pairs: f64) {
        let mut is_whole = vec![false; self.of_size.len()];
        loop {
            let strata = || self.of_size.iter().zip(&is_whole);
            let taken: f64 = strata().filter(|(_, whole)| **whole).map(|(stratum, _)| stratum.n_pairs).sum();
            let shares: f64 = strata().filter(|(_, whole)| !**whole).map(|(stratum, _)| stratum.share).sum();
            let scale = (n_pairs - taken).max(0.0) / shares.max(f64::MIN_POSITIVE);
            let mut more = false;
            for (stratum, whole) in self.of_size.iter().zip(&mut is_whole) {
                let fits = !*whole && stratum.share * scale >= stratum.n_pairs;
                *whole |= fits;
                more |= fits;
            }
            if !more {
                for (stratum, whole) in self.of_size.iter_mut().zip(is_whole) {
                    stratum.expected = if whole { stratum.n_pairs } else { stratum.share * scale };
                }
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strata(n_players: usize, sampling: Sampling, seed: u64) -> Strata {
        Strata::new(n_players, sampling, &Draws::new(seed, &[0; 32], "strata"))
    }

    #[test]
    fn pairs_are_drawn_once_and_all_in_the_end() {
        for n_players in 2..9 {
            let mut strata = strata(n_players, Sampling::default(), 1);
            let all = (1 << (n_players - 1)) - 1;
            let mut seen = HashSet::new();
            for n_pairs in [all / 3, all / 2, all] {
                for coalition in strata.draw(n_pairs) {
                    assert!(seen.insert(coalition.complement(n_players)) && seen.insert(coalition));
                }
            }
            assert_eq!(seen.len(), 2 * all, "{n_players} players");
            assert!(strata.of_size.iter().all(|stratum| stratum.share_left() == 0.0));
        }
    }

    #[test]
    fn sizes_have_their_shares() {
        let mut leverage = strata(12, Sampling::Leverage, 2);
        assert_eq!(leverage.draw(55).len(), 55);
        let counts: Vec<usize> = leverage.of_size.iter().map(|stratum| stratum.drawn.len()).collect();
        assert_eq!(counts, [10, 10, 10, 10, 10, 5]);
        // The rarer a size, the more each of its pairs stands for.
        let mut kernel = strata(600, Sampling::Leverage, 3);
        kernel.draw(100);
        let drawn = kernel.of_size.iter().filter(|stratum| !stratum.drawn.is_empty());
        assert!(drawn.clone().count() == 100);
        assert!(drawn.clone().all(|stratum| (stratum.pair_weight() / stratum.mass - 3.0).abs() < 0.02));
    }

    /// How much the counts of any two players together scatter, against coalitions that are drawn on their own.
    #[test]
    fn players_come_together_about_as_often() {
        let (n, n_pairs) = (12, 40);
        let of_drawn = |coalitions: Vec<Coalition>| {
            let mut balance = Balance::new(n);
            for coalition in &coalitions {
                balance.add(coalition, coalition.size(), 1.0);
            }
            (0..n)
                .flat_map(|i| (0..i).map(move |j| [i, j]))
                .map(|[i, j]| balance.excess_of(&Coalition::of(n, [i, j])).powi(2))
                .sum::<f64>()
        };
        let (mut balanced, mut alone) = (0.0, 0.0);
        for seed in 0..20 {
            let mut strata = strata(n, Sampling::Leverage, seed);
            let drawn = strata.draw(n_pairs);
            let mut generator = Draws::new(seed, &[1; 32], "alone").draw(0);
            let independent = drawn.iter().map(|coalition| {
                let mut players: Vec<usize> = (0..n).collect();
                choose_front(&mut generator, &mut players, coalition.size());
                Coalition::of(n, players[..coalition.size()].iter().copied())
            });
            alone += of_drawn(independent.collect());
            balanced += of_drawn(drawn);
        }
        assert!(balanced < 0.4 * alone, "{balanced} of {alone}");
    }

    #[test]
    fn every_coalition_of_a_size_is_as_likely() {
        let mut counts = std::collections::BTreeMap::new();
        for seed in 0..4000 {
            for coalition in strata(5, Sampling::Leverage, seed).draw(4) {
                *counts.entry(coalition).or_insert(0_usize) += 1;
            }
        }
        // Two of the five singletons, and two of the ten pairs; within 5 standard deviations.
        let of_size = |size| counts.iter().filter(move |(coalition, _)| coalition.size() == size);
        assert!(of_size(1).count() == 5 && of_size(2).count() == 10);
        assert!(of_size(1).all(|(_, count)| count.abs_diff(1600) < 160), "{counts:?}");
        assert!(of_size(2).all(|(_, count)| count.abs_diff(800) < 130), "{counts:?}");
    }
}

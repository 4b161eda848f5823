//! Which players are present, a bit each.

/// A set of players of a game of any size.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Coalition {
    words: Box<[u64]>,
}

impl Coalition {
    /// Nobody, of a game of so many players.
    pub(crate) fn nobody(n_players: usize) -> Self {
        Self { words: vec![0; n_players.div_ceil(64).max(1)].into() }
    }

    /// All of so many players.
    pub(crate) fn all(n_players: usize) -> Self {
        Self::nobody(n_players).complement(n_players)
    }

    /// Of these players.
    pub(crate) fn of(n_players: usize, players: impl IntoIterator<Item = usize>) -> Self {
        let mut coalition = Self::nobody(n_players);
        players.into_iter().for_each(|player| coalition.insert(player));
        coalition
    }

    /// Player i is present where bit i is set.
    pub(crate) fn from_bits(n_players: usize, bits: usize) -> Self {
        let mut coalition = Self::nobody(n_players);
        coalition.words[0] = bits as u64;
        coalition
    }

    pub(crate) fn insert(&mut self, player: usize) {
        self.words[player / 64] |= 1 << (player % 64);
    }

    pub(crate) fn contains(&self, player: usize) -> bool {
        self.words[player / 64] >> (player % 64) & 1 == 1
    }

    pub(crate) fn with(&self, player: usize) -> Self {
        let mut with = self.clone();
        with.insert(player);
        with
    }

    pub(crate) fn union(&self, other: &Self) -> Self {
        Self { words: self.words.iter().zip(&other.words).map(|(a, b)| a | b).collect() }
    }

    #[cfg(test)]
    pub(crate) fn size(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Those of `n_players` who are not in it.
    pub(crate) fn complement(&self, n_players: usize) -> Self {
        let mut words: Box<[u64]> = self.words.iter().map(|word| !word).collect();
        for (index, word) in words.iter_mut().enumerate() {
            match n_players.saturating_sub(index * 64) {
                64.. => {}
                used => *word &= (1 << used) - 1,
            }
        }
        Self { words }
    }

    /// The present players, in order.
    pub(crate) fn players(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(index, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros() as usize;
                rest &= rest.wrapping_sub(1);
                (bit < 64).then_some(index * 64 + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_sets() {
        for n_players in [0, 1, 5, 63, 64, 65, 130] {
            let even = Coalition::of(n_players, (0..n_players).step_by(2));
            let odd = even.complement(n_players);
            assert_eq!(even.players().collect::<Vec<_>>(), (0..n_players).step_by(2).collect::<Vec<_>>());
            assert_eq!(odd.players().collect::<Vec<_>>(), (1..n_players).step_by(2).collect::<Vec<_>>());
            assert_eq!(even.union(&odd), Coalition::all(n_players));
            assert_eq!(even.size() + odd.size(), n_players);
        }
        let coalition = Coalition::from_bits(4, 0b1010);
        assert!(coalition.contains(1) && !coalition.contains(0));
        assert_eq!(coalition.with(0).players().collect::<Vec<_>>(), [0, 1, 3]);
    }
}

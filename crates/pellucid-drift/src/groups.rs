//! Rows that move together: what they are worth as evidence, and how they are shuffled.

use std::collections::BTreeMap;

use pellucid_core::Draws;

use crate::random::choose_first;
use crate::weighted;

/// How many independent, equally weighted rows would know the shares of cells (bins, categories) as well: `Σ p_k (1 − p_k) / Σ Var(p_k)`, the variances by
/// linearization over groups (first-order correction of Rao and Scott 1981). Without groups it is Kish's `(Σw)² / Σw²`, which it never exceeds.
pub(crate) fn effective_rows(cells: &[usize], weights: &[f64], groups: Option<&[u64]>) -> f64 {
    let most = weighted::effective_size(weights);
    let Some(groups) = groups else { return most };
    let total: f64 = weights.iter().sum();
    let mut shares: BTreeMap<usize, f64> = BTreeMap::new();
    let mut by_group: BTreeMap<u64, BTreeMap<usize, f64>> = BTreeMap::new();
    for ((&cell, &weight), &group) in cells.iter().zip(weights).zip(groups) {
        *shares.entry(cell).or_default() += weight / total;
        *by_group.entry(group).or_default().entry(cell).or_default() += weight / total;
    }
    let n_groups = by_group.len() as f64;
    let squares: f64 = shares.values().map(|p| p * p).sum();
    if by_group.len() < 2 || squares >= 1.0 - 1e-12 {
        return most.min(n_groups);
    }
    // Σ_k (s_k − W p_k)² of each group, in terms of the cells that it has.
    let deviation = |cells: &BTreeMap<usize, f64>| {
        let weight: f64 = cells.values().sum();
        let own: f64 = cells.values().map(|s| s * s).sum();
        let crossed: f64 = cells.iter().map(|(cell, s)| s * shares[cell]).sum();
        own - 2.0 * weight * crossed + weight * weight * squares
    };
    let variance = by_group.values().map(deviation).sum::<f64>() * n_groups / (n_groups - 1.0);
    // Groups that all have the population's shares tell no more than their rows.
    most.min((1.0 - squares) / variance.max(f64::MIN_POSITIVE))
}

/// Which rows stay together: those of one group on one side. Rows without a group stand alone.
pub(crate) struct Blocks {
    of_row: Vec<usize>,
    n_blocks: usize,
    n_in_window: usize,
}

impl Blocks {
    /// Blocks of the reference's rows, then of the window's; each side tells its groups or its number of rows.
    pub(crate) fn new(reference: Result<&[u64], usize>, window: Result<&[u64], usize>) -> Self {
        let mut of_row = Vec::new();
        let before = number(reference, 0, &mut of_row);
        let n_blocks = number(window, before, &mut of_row);
        Self { of_row, n_blocks, n_in_window: n_blocks - before }
    }

    /// The probability, over permutations of blocks between the two sides, of a statistic at least as large as that of the rows as they lie. `statistic` is
    /// told of each row whether it is in the window.
    ///
    /// Stops early where 20 permutations were as large (Besag and Clifford 1991), so that it is quick where there is nothing to find.
    pub(crate) fn p_value(
        &self,
        n_permutations: usize,
        draws: &Draws,
        mut statistic: impl FnMut(&[bool]) -> f64,
    ) -> f64 {
        const ENOUGH: usize = 20;
        let first_of_window = self.n_blocks - self.n_in_window;
        let mut in_window: Vec<bool> = self.of_row.iter().map(|block| *block >= first_of_window).collect();
        // A sum of the same numbers in another order is not smaller.
        let observed = statistic(&in_window) * (1.0 - 1e-12);
        let mut blocks: Vec<usize> = (0..self.n_blocks).collect();
        let mut drawn = vec![false; self.n_blocks];
        let mut n_as_large = 0;
        for permutation in 0..n_permutations {
            choose_first(&mut blocks, self.n_in_window, &mut draws.draw(permutation as u64));
            drawn.fill(false);
            blocks[..self.n_in_window].iter().for_each(|block| drawn[*block] = true);
            for (place, block) in in_window.iter_mut().zip(&self.of_row) {
                *place = drawn[*block];
            }
            n_as_large += usize::from(statistic(&in_window) >= observed);
            if n_as_large == ENOUGH {
                return ENOUGH as f64 / (permutation + 1) as f64;
            }
        }
        (n_as_large + 1) as f64 / (n_permutations + 1) as f64
    }
}

/// Numbers the blocks of one side from `first` on and gives the next free number.
fn number(side: Result<&[u64], usize>, first: usize, of_row: &mut Vec<usize>) -> usize {
    match side {
        Err(n_rows) => {
            of_row.extend(first..first + n_rows);
            first + n_rows
        }
        Ok(groups) => {
            let mut numbers = BTreeMap::new();
            for group in groups {
                let next = first + numbers.len();
                of_row.push(*numbers.entry(group).or_insert(next));
            }
            first + numbers.len()
        }
    }
}

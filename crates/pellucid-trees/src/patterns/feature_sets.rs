//! Sets of features: the places of sums, and subsets in a fixed order.

use std::collections::BTreeSet;

use super::fragments::Fragment;

/// The subsets of `size` of the numbers below `n`, each ascending, in colexicographic order.
pub(crate) fn subsets(n: usize, size: usize) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    let mut subset: Vec<usize> = (0..size).collect();
    if size > n {
        return all;
    }
    loop {
        all.push(subset.clone());
        let room = |i: usize| if i + 1 < size { subset[i + 1] } else { n };
        let Some(i) = (0..size).find(|&i| subset[i] + 1 < room(i)) else { return all };
        subset[i] += 1;
        subset[..i].iter_mut().enumerate().for_each(|(j, element)| *element = j);
    }
}

/// The place of an ascending subset among [`subsets`]: `Σ_i C(subset_i, i + 1)`.
pub(crate) fn rank(subset: &[usize]) -> usize {
    subset.iter().enumerate().map(|(i, &element)| binomial(element, i + 1)).sum()
}

/// n over k; the largest number there is where it is too large for one.
pub(crate) fn binomial(n: usize, k: usize) -> usize {
    let step = |product: usize, i: usize| Some(product.checked_mul(n - i)? / (i + 1));
    if k > n { 0 } else { (0..k).try_fold(1, step).unwrap_or(usize::MAX) }
}

/// The sets of features that stand together on a path, of up to `max_size`, by size and then in order.
pub(crate) struct FeatureSets {
    /// For each size from 1 on, its sets.
    by_size: Vec<Vec<Vec<u32>>>,
}

impl FeatureSets {
    pub(crate) fn new<'a>(fragments: impl Iterator<Item = &'a Fragment> + Clone, max_size: usize) -> Self {
        let sets_of = |size: usize| {
            let mut sets = BTreeSet::new();
            for leaf in fragments.clone().flat_map(|fragment| &fragment.leaves) {
                for subset in subsets(leaf.features.len(), size) {
                    sets.insert(subset.iter().map(|&i| leaf.features[i].0).collect());
                }
            }
            sets.into_iter().collect()
        };
        Self { by_size: (1..=max_size).map(sets_of).collect() }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_size.iter().map(Vec::len).sum()
    }

    /// All of them, smaller ones first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.by_size.iter().flatten().map(Vec::as_slice)
    }

    /// The place of a set that is among them.
    pub(crate) fn place(&self, set: &[u32]) -> usize {
        let before: usize = self.by_size[..set.len() - 1].iter().map(Vec::len).sum();
        before + self.by_size[set.len() - 1].partition_point(|known| known.as_slice() < set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsets_stand_at_their_rank() {
        for (n, size) in [(5, 1), (5, 2), (6, 3), (3, 3), (2, 3), (7, 4)] {
            let all = subsets(n, size);
            assert_eq!(all.len(), binomial(n, size));
            for (place, subset) in all.iter().enumerate() {
                assert!(subset.is_sorted() && subset.iter().all(|&element| element < n));
                assert_eq!(rank(subset), place);
            }
        }
    }
}

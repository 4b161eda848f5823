//! The tables of fragments: for each pattern of a row, what it gives to sets of features.

use std::ops::Range;

use rayon::prelude::*;

use super::feature_sets::{binomial, subsets};
use super::fragments::FragmentLeaf;
use super::leaf_game;
use super::leaf_pairs::LeafPatterns;
use super::set_sums::{Absence, SetSums};
use crate::ensemble::Tree;

/// What going through one background pattern is taken to cost, in steps of a table's transform: three for each of 4,096
/// patterns of rows.
const PAIRWISE_STEPS: usize = 3 * 4096;

/// The answers of one fragment.
pub(super) enum Table {
    Dense(DenseTable),
    /// For each leaf what it asks pairs of patterns, and the place of each set of its features, by size.
    Pairwise {
        leaves: Vec<(LeafPatterns, Vec<u32>)>,
    },
}

/// For each place of a sum, what each pattern of a row adds.
pub(super) struct DenseTable {
    pub(super) n_patterns: usize,
    pub(super) places: Vec<u32>,
    /// `[places, n_patterns]`.
    pub(super) values: Vec<f64>,
}

/// Tables of some fragments of a tree.
pub(super) struct TreeTables {
    pub(super) tree: usize,
    pub(super) fragments: Range<usize>,
    pub(super) tables: Vec<Table>,
}

/// Tables that are held at the same time.
pub(crate) struct Tables(pub(super) Vec<TreeTables>);

impl DenseTable {
    /// What each pattern adds to a place.
    fn row(&mut self, place: u32) -> &mut [f64] {
        let row = self.places.iter().position(|&known| known == place).unwrap_or_else(|| {
            self.places.push(place);
            self.values.resize(self.values.len() + self.n_patterns, 0.0);
            self.places.len() - 1
        });
        &mut self.values[row * self.n_patterns..][..self.n_patterns]
    }
}

impl SetSums<'_> {
    /// All tables, where they fit into the memory.
    pub(crate) fn prepare(&self, max_memory_bytes: usize) -> Option<Tables> {
        let mut chunks = self.chunks(max_memory_bytes);
        (chunks.len() == 1).then(|| self.tables(chunks.remove(0)))
    }

    /// Runs of fragments whose tables fit into the memory together.
    pub(super) fn chunks(&self, max_memory_bytes: usize) -> Vec<Vec<(usize, Range<usize>)>> {
        let (mut chunks, mut chunk) = (Vec::new(), Vec::new());
        let mut bytes = 0;
        for (index, tree) in self.cut.trees.iter().enumerate() {
            let mut first = 0;
            for place in 0..tree.fragments.len() {
                let more = self.table_bytes(index, place);
                if bytes > 0 && bytes + more > max_memory_bytes {
                    chunk.push((index, first..place));
                    chunks.push(std::mem::take(&mut chunk));
                    (first, bytes) = (place, 0);
                }
                bytes += more;
            }
            chunk.push((index, first..tree.fragments.len()));
        }
        chunks.push(chunk);
        chunks
    }

    /// What a fragment's tables take, at the most.
    fn table_bytes(&self, index: usize, place: usize) -> usize {
        let tree = &self.cut.trees[index];
        let fragment = &tree.fragments[place];
        let n_sets: usize = (1..=self.max_size()).map(|size| binomial(fragment.bits.len(), size)).sum();
        match self.is_pairwise(index, place) {
            true => 4 * n_sets * fragment.leaves.len(),
            false => 8 * n_sets * tree.tree.width() * fragment.n_patterns(),
        }
    }

    pub(super) fn tables(&self, chunk: Vec<(usize, Range<usize>)>) -> Tables {
        let tables = |(tree, fragments): (usize, Range<usize>)| {
            let tables = fragments.clone().map(|fragment| self.table(tree, fragment)).collect();
            TreeTables { tree, fragments, tables }
        };
        Tables(chunk.into_par_iter().map(tables).collect())
    }

    fn table(&self, tree: usize, place: usize) -> Table {
        match self.is_pairwise(tree, place) {
            true => self.pairwise_table(tree, place),
            false => self.dense_table(tree, place),
        }
    }

    /// Whether a fragment goes without a table: where it has too many bits, or so few background patterns that going through
    /// them for each pattern of a row costs less. It must not depend on the rows, or their bits would.
    fn is_pairwise(&self, tree: usize, place: usize) -> bool {
        let fragment = &self.cut.trees[tree].fragments[place];
        let bits = fragment.bits.len();
        // Steps of one transform a point; against them, steps for each pair, for as many rows as are often explained.
        let table_steps = (bits.div_ceil(2) * bits) << (bits + 1).min(40);
        match self.absence {
            Absence::Background(counts) => {
                fragment.is_wide() || counts[tree][place].len() * PAIRWISE_STEPS < table_steps
            }
            Absence::Covers => fragment.is_wide(),
        }
    }

    fn pairwise_table(&self, tree: usize, place: usize) -> Table {
        let fragment = &self.cut.trees[tree].fragments[place];
        let of_leaf = |leaf: &FragmentLeaf| {
            let game = match self.absence {
                Absence::Background(counts) => counts[tree][place].of_leaf(leaf),
                Absence::Covers => LeafPatterns::Covers(leaf.fractions.clone()),
            };
            let place = |subset: Vec<usize>| {
                let set: Vec<u32> = subset.iter().map(|&i| leaf.features[i].0).collect();
                self.sets.place(&set) as u32
            };
            let all = (1..=self.max_size()).flat_map(|size| subsets(leaf.features.len(), size));
            (game, all.map(place).collect())
        };
        Table::Pairwise { leaves: fragment.leaves.iter().map(of_leaf).collect() }
    }

    fn max_size(&self) -> usize {
        self.weights.max_size
    }

    fn dense_table(&self, tree: usize, place: usize) -> Table {
        let fragment = &self.cut.trees[tree].fragments[place];
        let mut table =
            DenseTable { n_patterns: fragment.n_patterns(), places: Vec::new(), values: Vec::new() };
        for leaf in &fragment.leaves {
            let patterns: Vec<usize> = (0..table.n_patterns).map(|pattern| leaf.pattern(pattern)).collect();
            let weights = match self.absence {
                Absence::Covers => leaf_game::cover_weights(&leaf.fractions),
                Absence::Background(counts) => {
                    let mut weights = vec![0.0; 1 << leaf.features.len()];
                    let counts = counts[tree][place].dense();
                    counts.for_each(|(pattern, weight)| weights[patterns[pattern]] += weight);
                    weights
                }
            };
            self.add_leaf(self.cut.trees[tree].tree, leaf, &patterns, &weights, &mut table);
        }
        Table::Dense(table)
    }

    /// Adds what a leaf gives to a fragment's table. `patterns` are the leaf's for each of the fragment.
    fn add_leaf(
        &self,
        tree: &Tree,
        leaf: &FragmentLeaf,
        patterns: &[usize],
        weights: &[f64],
        table: &mut DenseTable,
    ) {
        for size in 1..=self.max_size() {
            let of_sets = leaf_game::set_values(self.measure, size, weights);
            for (subset, of_patterns) in subsets(leaf.features.len(), size).iter().zip(of_sets) {
                let set: Vec<u32> = subset.iter().map(|&i| leaf.features[i].0).collect();
                let set_place = self.sets.place(&set);
                for (output, &value) in tree.outputs.clone().zip(tree.leaf(leaf.leaf)) {
                    let row = table.row((output * self.sets.len() + set_place) as u32);
                    row.iter_mut().zip(patterns).for_each(|(to, &p)| *to += value * of_patterns[p]);
                }
            }
        }
    }
}

//! Sums over leaves of what sets of features get, for blocks of rows: tables once, then look-ups.

use ndarray::{Array3, ArrayView3, ArrayViewMut3, Axis, s};
use pellucid_core::Work;
use rayon::prelude::*;

use super::cut_trees::{CutTrees, Patterns};
use super::feature_sets::FeatureSets;
use super::fragments::{Fragment, FragmentLeaf};
use super::lanes::{Block, LANES, Lanes};
use super::leaf_pairs::{LeafPatterns, SetWeights};
use super::measure::Measure;
use super::tables::{DenseTable, Table, Tables, TreeTables};
use crate::ensemble::Tree;
use crate::error::Error;
use crate::rows::Rows;

/// The most blocks of rows that a thread takes at a time, and what their sums may take: about what the second cache holds.
const MAX_BLOCKS: usize = 16;
const MAX_SUMS_BYTES: usize = 1 << 20;
/// What their decisions at one tree may take: trees can be very large.
const MAX_DECISIONS_BYTES: usize = 1 << 24;

/// How absent features are averaged.
#[derive(Clone, Copy)]
pub(crate) enum Absence<'a> {
    /// By the rows of a background: their patterns, for each tree those of its fragments.
    Background(&'a [Vec<Patterns>]),
    /// By the covers of the splits.
    Covers,
}

/// What is summed up.
pub(crate) struct SetSums<'a> {
    pub(super) cut: &'a CutTrees<'a>,
    pub(super) absence: Absence<'a>,
    pub(super) measure: Measure,
    pub(super) sets: &'a FeatureSets,
    pub(super) weights: SetWeights,
}

impl<'a> SetSums<'a> {
    pub(crate) fn new(
        cut: &'a CutTrees<'a>,
        absence: Absence<'a>,
        measure: Measure,
        sets: &'a FeatureSets,
        max_size: usize,
    ) -> Self {
        Self { cut, absence, measure, sets, weights: SetWeights::new(measure, max_size) }
    }

    /// The sums of rows, `[rows, outputs, sets]`, times the ensemble's scale. Each row's sum is taken in the order of the
    /// trees, whatever the blocks, the threads and the memory.
    ///
    /// # Errors
    /// Canceled.
    pub(crate) fn of_rows(
        &self,
        rows: Rows<'_>,
        prepared: Option<&Tables>,
        work: &Work,
    ) -> Result<Array3<f64>, Error> {
        let shape = (rows.n_rows(), self.cut.ensemble.n_outputs(), self.sets.len());
        let mut sums = Array3::zeros(shape);
        let chunks = self.chunks(work.max_memory_bytes / 2);
        work.progress.begin(rows.n_rows() * prepared.map_or(chunks.len(), |_| 1));
        let outcome = match prepared {
            Some(tables) => self.add(rows, tables, sums.view_mut(), work),
            None => chunks.into_iter().try_for_each(|chunk| {
                let tables = self.tables(chunk);
                self.add(rows, &tables, sums.view_mut(), work)
            }),
        };
        work.progress.end();
        outcome?;
        sums *= self.cut.ensemble.scale;
        Ok(sums)
    }

    fn add(
        &self,
        rows: Rows<'_>,
        tables: &Tables,
        mut sums: ArrayViewMut3<'_, f64>,
        work: &Work,
    ) -> Result<(), Error> {
        let n_blocks = self.blocks_at_once(rows.n_rows());
        let groups = sums.axis_chunks_iter_mut(Axis(0), n_blocks * LANES).into_par_iter().enumerate();
        groups.try_for_each_init(
            || (0..n_blocks).map(|_| BlockSums::new(self)).collect::<Vec<_>>(),
            |blocks, (index, mut sums)| {
                work.check()?;
                let n_rows = sums.len_of(Axis(0));
                let blocks = &mut blocks[..n_rows.div_ceil(LANES)];
                let parts = || (0..n_rows).step_by(LANES).map(|from| from..n_rows.min(from + LANES));
                for (block, part) in blocks.iter_mut().zip(parts()) {
                    let first = index * n_blocks * LANES + part.start;
                    block.rows.load(rows, first, self.cut.ensemble, &self.cut.used);
                    block.take(&sums.slice(s![part, .., ..]));
                }
                tables.0.iter().for_each(|tables| self.add_tree(tables, blocks));
                for (block, part) in blocks.iter().zip(parts()) {
                    block.give(sums.slice_mut(s![part, .., ..]));
                }
                work.progress.advance(n_rows);
                Ok(())
            },
        )
    }

    /// Blocks that go through a tree one after the other, while its tables are in the cache.
    fn blocks_at_once(&self, n_rows: usize) -> usize {
        let n_places = self.cut.ensemble.n_outputs() * self.sets.len();
        let in_cache = MAX_SUMS_BYTES / (n_places * size_of::<Lanes<f64>>()).max(1);
        let of_thread = n_rows.div_ceil(LANES).div_ceil(rayon::current_num_threads());
        let n_nodes = self.cut.trees.iter().map(|tree| tree.tree.nodes.len()).max().unwrap_or(0);
        let of_decisions = MAX_DECISIONS_BYTES / (n_nodes * LANES).max(1);
        in_cache.min(of_thread).min(of_decisions).clamp(1, MAX_BLOCKS)
    }

    fn add_tree(&self, tables: &TreeTables, blocks: &mut [BlockSums]) {
        let tree = &self.cut.trees[tables.tree];
        for block in &mut *blocks {
            tree.splits.decide(tree.tree, &block.rows, &mut block.decisions);
        }
        for (fragment, table) in tree.fragments[tables.fragments.clone()].iter().zip(&tables.tables) {
            match table {
                Table::Dense(DenseTable { n_patterns, places, values }) => {
                    for block in &mut *blocks {
                        let patterns = fragment.patterns(&block.decisions);
                        for (&place, values) in places.iter().zip(values.chunks_exact(*n_patterns)) {
                            look_up(values, &patterns, &mut block.sums[place as usize]);
                        }
                    }
                }
                Table::Pairwise { leaves } => {
                    for (leaf, (patterns, places)) in fragment.leaves.iter().zip(leaves) {
                        let rows = rows_at_leaf(fragment, leaf, blocks);
                        self.add_pairwise(tree.tree, leaf, patterns, places, &rows, blocks);
                    }
                }
            }
        }
    }

    /// `rows` are the patterns of the blocks' rows, one after the other.
    fn add_pairwise(
        &self,
        tree: &Tree,
        leaf: &FragmentLeaf,
        absent: &LeafPatterns,
        places: &[u32],
        rows: &[u64],
        blocks: &mut [BlockSums],
    ) {
        let n_words = leaf.features.len().div_ceil(64);
        let row = |index: usize| &rows[index * n_words..][..n_words];
        let mut order: Vec<usize> = (0..rows.len() / n_words).collect();
        order.sort_unstable_by(|&a, &b| row(a).cmp(row(b)));
        for same in order.chunk_by(|&a, &b| row(a) == row(b)) {
            let of_sets = absent.set_values(&self.weights, leaf.features.len(), row(same[0]));
            let sums = places.iter().zip(of_sets.iter().flatten()).filter(|(_, of_set)| **of_set != 0.0);
            for (&place, of_set) in sums {
                for (output, &value) in tree.outputs.clone().zip(tree.leaf(leaf.leaf)) {
                    let place = output * self.sets.len() + place as usize;
                    same.iter().for_each(|&i| blocks[i / LANES].sums[place][i % LANES] += value * of_set);
                }
            }
        }
    }
}

/// The patterns of the blocks' rows over a leaf, one after the other.
fn rows_at_leaf(fragment: &Fragment, leaf: &FragmentLeaf, blocks: &[BlockSums]) -> Vec<u64> {
    let (mut rows, mut of_block) = (Vec::new(), Vec::new());
    for BlockSums { rows: block, decisions, .. } in blocks {
        if fragment.is_wide() {
            fragment.wide_patterns(decisions, &mut of_block);
            rows.extend(&of_block[..block.n_rows * fragment.n_words()]);
        } else {
            let patterns = fragment.patterns(decisions);
            rows.extend(
                patterns[..block.n_rows].iter().map(|&pattern| leaf.pattern(pattern as usize) as u64),
            );
        }
    }
    rows
}

/// Rows and their sums.
struct BlockSums {
    rows: Block,
    /// Those of the tree that is just gone through.
    decisions: Vec<Lanes<u8>>,
    /// `[outputs · sets]`.
    sums: Vec<Lanes<f64>>,
}

impl BlockSums {
    fn new(sums: &SetSums<'_>) -> Self {
        let n_places = sums.cut.ensemble.n_outputs() * sums.sets.len();
        let rows = Block::new(sums.cut.ensemble, &sums.cut.used);
        Self { rows, decisions: Vec::new(), sums: vec![[0.0; LANES]; n_places] }
    }

    fn take(&mut self, sums: &ArrayView3<'_, f64>) {
        for (lane, row) in sums.outer_iter().enumerate() {
            self.sums.iter_mut().zip(row).for_each(|(to, &sum)| to[lane] = sum);
        }
    }

    fn give(&self, mut sums: ArrayViewMut3<'_, f64>) {
        for (lane, mut row) in sums.outer_iter_mut().enumerate() {
            row.iter_mut().zip(&self.sums).for_each(|(to, sum)| *to = sum[lane]);
        }
    }
}

/// Adds a table's answers. The length is put into the type, so that the look-up needs no check of bounds.
fn look_up(values: &[f64], patterns: &Lanes<u16>, sums: &mut Lanes<f64>) {
    match values.len() {
        2 => look_up_n::<2>(values, patterns, sums),
        4 => look_up_n::<4>(values, patterns, sums),
        8 => look_up_n::<8>(values, patterns, sums),
        16 => look_up_n::<16>(values, patterns, sums),
        32 => look_up_n::<32>(values, patterns, sums),
        64 => look_up_n::<64>(values, patterns, sums),
        128 => look_up_n::<128>(values, patterns, sums),
        256 => look_up_n::<256>(values, patterns, sums),
        512 => look_up_n::<512>(values, patterns, sums),
        1024 => look_up_n::<1024>(values, patterns, sums),
        2048 => look_up_n::<2048>(values, patterns, sums),
        _ => look_up_n::<4096>(values, patterns, sums),
    }
}

fn look_up_n<const N: usize>(values: &[f64], patterns: &Lanes<u16>, sums: &mut Lanes<f64>) {
    let Some(values) = values.first_chunk::<N>() else { return };
    for (sum, &pattern) in sums.iter_mut().zip(patterns) {
        *sum += values[pattern as usize & (N - 1)];
    }
}

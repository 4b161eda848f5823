//! An ensemble cut into fragments, and the patterns in which a background goes through them.

use std::collections::BTreeMap;

use pellucid_core::Work;
use rayon::prelude::*;

use super::feature_sets::FeatureSets;
use super::fragments::{DENSE_BITS, Fragment, FragmentLeaf, fragments};
use super::lanes::{Block, LANES, Lanes, Splits, used_features};
use super::leaf_pairs::{LeafPatterns, Words};
use crate::ensemble::{Tree, TreeEnsemble, TreeNode};
use crate::error::Error;
use crate::rows::Rows;

/// Background rows that are read at a time.
const CHUNK_ROWS: usize = 16 * LANES;

/// The most splits above all leaves of one tree, each counted as often as it stands above one: each leaf keeps its path, and
/// a chain of 20,000 splits would take gigabytes.
const MAX_PATH_SPLITS: usize = 1 << 27;

/// The trees of an ensemble, cut.
pub(crate) struct CutTrees<'a> {
    pub(crate) ensemble: &'a TreeEnsemble,
    /// The features that some split uses, ascending.
    pub(crate) used: Vec<u32>,
    pub(crate) trees: Vec<CutTree<'a>>,
}

/// One tree, cut.
pub(crate) struct CutTree<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) splits: Splits,
    pub(crate) fragments: Vec<Fragment>,
}

/// The distinct patterns of a background over a fragment, ascending, and their weights.
#[derive(Clone)]
pub(crate) enum Patterns {
    Dense(BTreeMap<u16, f64>),
    Wide(BTreeMap<Words, f64>),
}

impl Patterns {
    /// The patterns of a fragment with tables.
    pub(crate) fn dense(&self) -> impl Iterator<Item = (usize, f64)> {
        let counts = if let Self::Dense(counts) = self { Some(counts) } else { None };
        counts.into_iter().flatten().map(|(&pattern, &weight)| (pattern as usize, weight))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Dense(counts) => counts.len(),
            Self::Wide(counts) => counts.len(),
        }
    }

    /// The patterns over one of the fragment's leaves.
    pub(crate) fn of_leaf(&self, leaf: &FragmentLeaf) -> LeafPatterns {
        match self {
            Self::Wide(counts) => {
                let patterns = counts.keys().flatten().copied().collect();
                LeafPatterns::Background { patterns, weights: counts.values().copied().collect() }
            }
            Self::Dense(_) => {
                let mut counts = BTreeMap::new();
                self.dense().for_each(|(pattern, weight)| {
                    *counts.entry(leaf.pattern(pattern) as u64).or_insert(0.0) += weight;
                });
                let (patterns, weights) = counts.into_iter().unzip();
                LeafPatterns::Background { patterns, weights }
            }
        }
    }
}

impl<'a> CutTrees<'a> {
    /// # Errors
    /// A tree whose paths are too long to be kept.
    pub(crate) fn new(ensemble: &'a TreeEnsemble) -> Result<Self, Error> {
        if let Some(index) = ensemble.trees.iter().position(|tree| n_path_splits(tree) > MAX_PATH_SPLITS) {
            let what =
                format!("a tree as deep as tree {index} by a background or in interactions of any order");
            let hint = "path-dependent values and pairs take trees of any depth".to_owned();
            return Err(Error::Unsupported { what, hint });
        }
        let used = used_features(ensemble);
        let cut = |tree: &'a Tree| {
            let splits = Splits::new(tree, &used);
            let fragments = fragments(tree, &splits);
            CutTree { tree, splits, fragments }
        };
        let trees = ensemble.trees.par_iter().map(cut).collect();
        Ok(Self { ensemble, used, trees })
    }

    /// The sets of features, up to this size, that stand together on a path.
    pub(crate) fn feature_sets(&self, max_size: usize) -> FeatureSets {
        FeatureSets::new(self.trees.iter().flat_map(|tree| &tree.fragments), max_size)
    }

    /// The patterns of weighted rows: for each tree those of its fragments.
    ///
    /// # Errors
    /// Canceled.
    pub(crate) fn count_patterns(
        &self,
        rows: Rows<'_>,
        weights: &[f64],
        work: &Work,
    ) -> Result<Vec<Vec<Patterns>>, Error> {
        let empty = |fragment: &Fragment| match fragment.is_wide() {
            true => Patterns::Wide(BTreeMap::new()),
            false => Patterns::Dense(BTreeMap::new()),
        };
        let mut counts: Vec<Vec<Patterns>> =
            self.trees.iter().map(|tree| tree.fragments.iter().map(empty).collect()).collect();
        for first in (0..rows.n_rows()).step_by(CHUNK_ROWS) {
            work.check()?;
            let starts = (first..rows.n_rows().min(first + CHUNK_ROWS)).step_by(LANES);
            let blocks: Vec<(Block, &[f64])> = starts
                .map(|start| {
                    let mut block = Block::new(self.ensemble, &self.used);
                    block.load(rows, start, self.ensemble, &self.used);
                    let weights = &weights[start..start + block.n_rows];
                    (block, weights)
                })
                .collect();
            self.trees.par_iter().zip(&mut counts).for_each(|(tree, counts)| tree.count(&blocks, counts));
        }
        Ok(counts)
    }
}

/// The depths of all leaves together.
fn n_path_splits(tree: &Tree) -> usize {
    let mut depths = vec![0; tree.nodes.len()];
    let mut sum = 0_usize;
    for (index, node) in tree.nodes.iter().enumerate() {
        match node {
            TreeNode::Split(split) => {
                let below = depths[index] + 1;
                (depths[split.left as usize], depths[split.right as usize]) = (below, below);
            }
            TreeNode::Leaf { .. } => sum = sum.saturating_add(depths[index]),
        }
    }
    sum
}

impl CutTree<'_> {
    fn count(&self, blocks: &[(Block, &[f64])], counts: &mut [Patterns]) {
        let (mut decisions, mut wide) = (Vec::new(), Vec::new());
        let mut patterns: Vec<Vec<Lanes<u16>>> = vec![Vec::new(); self.fragments.len()];
        for (block, weights) in blocks {
            self.splits.decide(self.tree, block, &mut decisions);
            for ((fragment, counts), patterns) in self.fragments.iter().zip(&mut *counts).zip(&mut patterns) {
                match counts {
                    Patterns::Dense(_) => patterns.push(fragment.patterns(&decisions)),
                    Patterns::Wide(counts) => {
                        let n_words = fragment.n_words();
                        fragment.wide_patterns(&decisions, &mut wide);
                        for (words, weight) in wide.chunks_exact(n_words).zip(*weights) {
                            add_wide(counts, words, *weight);
                        }
                    }
                }
            }
        }
        // A table takes the chunk's rows, and the map only the few patterns that there are.
        let mut table = vec![0.0; 1 << DENSE_BITS];
        for (counts, patterns) in counts.iter_mut().zip(&patterns) {
            if let Patterns::Dense(counts) = counts {
                add_dense(blocks, patterns, &mut table, counts);
            }
        }
    }
}

fn add_dense(
    blocks: &[(Block, &[f64])],
    patterns: &[Lanes<u16>],
    table: &mut [f64],
    counts: &mut BTreeMap<u16, f64>,
) {
    let mut seen = Vec::new();
    for ((_, weights), patterns) in blocks.iter().zip(patterns) {
        for (&pattern, &weight) in patterns.iter().zip(*weights).filter(|(_, weight)| **weight > 0.0) {
            if table[pattern as usize] == 0.0 {
                seen.push(pattern);
            }
            table[pattern as usize] += weight;
        }
    }
    for pattern in seen {
        *counts.entry(pattern).or_insert(0.0) += std::mem::take(&mut table[pattern as usize]);
    }
}

fn add_wide(counts: &mut BTreeMap<Words, f64>, words: &[u64], weight: f64) {
    match counts.get_mut(words) {
        Some(count) => *count += weight,
        None if weight > 0.0 => {
            counts.insert(words.into(), weight);
        }
        None => {}
    }
}

//! Sums over leaves of what sets of features get, for blocks of rows: tables once, then look-ups.

use std::ops::Range;

use ndarray::{Array3, ArrayViewMut3, Axis, s};
use pellucid_core::Work;
use rayon::prelude::*;

use super::cut_trees::{CutTree, CutTrees, Patterns, wide_patterns};
use super::feature_sets::{FeatureSets, subsets};
use super::fragments::Fragment;
use super::lanes::{Block, LANES, Lanes};
use super::leaf_game;
use super::measure::Measure;
use super::wide_leaf::{self, Absent, Words};
use crate::error::Error;
use crate::rows::Rows;

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
    cut: &'a CutTrees<'a>,
    absence: Absence<'a>,
    measure: Measure,
    sets: &'a FeatureSets,
    max_size: usize,
}

/// The answers of one fragment.
enum Table {
    /// For each place of a sum, what each pattern adds: `[places][patterns]`.
    Dense { n_patterns: usize, places: Vec<u32>, values: Vec<f64> },
    /// A wide leaf: for each size, the place of each set of its features.
    Wide { patterns: Option<Vec<(Words, f64)>>, places: Vec<Vec<u32>> },
}

/// Tables of some fragments of a tree.
struct TreeTables {
    tree: usize,
    fragments: Range<usize>,
    tables: Vec<Table>,
}

/// Tables that are held at the same time.
pub(crate) struct Tables(Vec<TreeTables>);

impl<'a> SetSums<'a> {
    pub(crate) fn new(
        cut: &'a CutTrees<'a>,
        absence: Absence<'a>,
        measure: Measure,
        sets: &'a FeatureSets,
        max_size: usize,
    ) -> Self {
        Self { cut, absence, measure, sets, max_size }
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

    /// All tables, where they fit into the memory.
    pub(crate) fn prepare(&self, max_memory_bytes: usize) -> Option<Tables> {
        let mut chunks = self.chunks(max_memory_bytes);
        (chunks.len() == 1).then(|| self.tables(chunks.remove(0)))
    }

    /// Runs of fragments whose tables fit into the memory together.
    fn chunks(&self, max_memory_bytes: usize) -> Vec<Vec<(usize, Range<usize>)>> {
        let (mut chunks, mut chunk) = (Vec::new(), Vec::new());
        let mut bytes = 0;
        for (index, tree) in self.cut.trees.iter().enumerate() {
            let mut first = 0;
            for (place, fragment) in tree.fragments.iter().enumerate() {
                let more = self.table_bytes(tree, fragment);
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
    fn table_bytes(&self, tree: &CutTree<'_>, fragment: &Fragment) -> usize {
        let n_sets: usize =
            (1..=self.max_size).map(|size| super::feature_sets::binomial(fragment.bits.len(), size)).sum();
        match fragment.is_wide() {
            true => 4 * n_sets,
            false => 8 * n_sets * tree.tree.width() * fragment.n_patterns(),
        }
    }

    fn tables(&self, chunk: Vec<(usize, Range<usize>)>) -> Tables {
        let tables = |(tree, fragments): (usize, Range<usize>)| {
            let tables = fragments.clone().map(|fragment| self.table(tree, fragment)).collect();
            TreeTables { tree, fragments, tables }
        };
        Tables(chunk.into_par_iter().map(tables).collect())
    }

    fn table(&self, tree: usize, place: usize) -> Table {
        let fragment = &self.cut.trees[tree].fragments[place];
        match (fragment.is_wide(), self.absence) {
            (true, Absence::Background(counts)) => match &counts[tree][place] {
                Patterns::Wide(patterns) => {
                    let patterns = patterns.iter().map(|(words, weight)| (words.clone(), *weight)).collect();
                    Table::Wide { patterns: Some(patterns), places: self.wide_places(fragment) }
                }
                Patterns::Dense(_) => Table::Wide { patterns: None, places: Vec::new() },
            },
            (true, Absence::Covers) => Table::Wide { patterns: None, places: self.wide_places(fragment) },
            (false, _) => self.dense_table(tree, place),
        }
    }

    fn wide_places(&self, fragment: &Fragment) -> Vec<Vec<u32>> {
        let features = &fragment.leaves[0].features;
        let place = |subset: Vec<usize>| {
            let set: Vec<u32> = subset.iter().map(|&i| features[i].0).collect();
            self.sets.place(&set) as u32
        };
        (1..=self.max_size)
            .map(|size| subsets(features.len(), size).into_iter().map(place).collect())
            .collect()
    }

    fn dense_table(&self, tree: usize, place: usize) -> Table {
        let CutTree { tree: source, fragments, .. } = &self.cut.trees[tree];
        let fragment = &fragments[place];
        let n_patterns = fragment.n_patterns();
        let (mut places, mut values) = (Vec::new(), Vec::new());
        for leaf in &fragment.leaves {
            let patterns: Vec<usize> = (0..n_patterns).map(|pattern| leaf.pattern(pattern)).collect();
            let weights = match self.absence {
                Absence::Covers => leaf_game::cover_weights(&leaf.fractions),
                Absence::Background(counts) => {
                    let mut weights = vec![0.0; 1 << leaf.features.len()];
                    if let Patterns::Dense(counts) = &counts[tree][place] {
                        counts.iter().for_each(|(&p, weight)| weights[patterns[p as usize]] += weight);
                    }
                    weights
                }
            };
            for size in 1..=self.max_size {
                let of_sets = leaf_game::set_values(self.measure, size, &weights);
                for (subset, of_patterns) in subsets(leaf.features.len(), size).iter().zip(of_sets) {
                    let set: Vec<u32> = subset.iter().map(|&i| leaf.features[i].0).collect();
                    let set_place = self.sets.place(&set);
                    for (output, &value) in source.outputs.clone().zip(source.leaf(leaf.leaf)) {
                        let place = (output * self.sets.len() + set_place) as u32;
                        let row = places.iter().position(|&known| known == place).unwrap_or_else(|| {
                            places.push(place);
                            values.resize(values.len() + n_patterns, 0.0);
                            places.len() - 1
                        });
                        let row: &mut [f64] = &mut values[row * n_patterns..][..n_patterns];
                        row.iter_mut().zip(&patterns).for_each(|(to, &p)| *to += value * of_patterns[p]);
                    }
                }
            }
        }
        Table::Dense { n_patterns, places, values }
    }

    fn add(
        &self,
        rows: Rows<'_>,
        tables: &Tables,
        mut sums: ArrayViewMut3<'_, f64>,
        work: &Work,
    ) -> Result<(), Error> {
        let blocks = sums.axis_chunks_iter_mut(Axis(0), LANES).into_par_iter().enumerate();
        blocks.try_for_each_init(
            || Scratch::new(self),
            |scratch, (index, mut sums)| {
                work.check()?;
                scratch.block.load(rows, index * LANES, self.cut.ensemble, &self.cut.used);
                scratch.take(&sums);
                tables.0.iter().for_each(|tables| self.add_tree(tables, scratch));
                scratch.give(&mut sums);
                work.progress.advance(sums.len_of(Axis(0)));
                Ok(())
            },
        )
    }

    fn add_tree(&self, tables: &TreeTables, scratch: &mut Scratch) {
        let tree = &self.cut.trees[tables.tree];
        tree.splits.decide(tree.tree, &scratch.block, &mut scratch.decisions);
        for (fragment, table) in tree.fragments[tables.fragments.clone()].iter().zip(&tables.tables) {
            match table {
                Table::Dense { n_patterns, places, values } => {
                    let patterns = fragment.patterns(&scratch.decisions);
                    for (&place, values) in places.iter().zip(values.chunks_exact(*n_patterns)) {
                        look_up(values, &patterns, &mut scratch.sums[place as usize]);
                    }
                }
                Table::Wide { patterns, places } => {
                    let rows = wide_patterns(fragment, &scratch.decisions);
                    let absent = match patterns {
                        Some(patterns) => Absent::Background(patterns),
                        None => Absent::Covers(&fragment.leaves[0].fractions),
                    };
                    self.add_wide(tree, fragment, &rows, &absent, places, scratch);
                }
            }
        }
    }

    fn add_wide(
        &self,
        tree: &CutTree<'_>,
        fragment: &Fragment,
        rows: &[Words],
        absent: &Absent<'_>,
        places: &[Vec<u32>],
        scratch: &mut Scratch,
    ) {
        let leaf = &fragment.leaves[0];
        let mut order: Vec<usize> = (0..scratch.block.n_rows).collect();
        order.sort_by(|&a, &b| rows[a].cmp(&rows[b]));
        for same in order.chunk_by(|&a, &b| rows[a] == rows[b]) {
            let n_features = leaf.features.len();
            let of_sets =
                wide_leaf::set_values(self.measure, self.max_size, n_features, &rows[same[0]], absent);
            for (output, &value) in tree.tree.outputs.clone().zip(tree.tree.leaf(leaf.leaf)) {
                let start = output * self.sets.len();
                for (&place, of_set) in places.iter().flatten().zip(of_sets.iter().flatten()) {
                    if *of_set != 0.0 {
                        let sums = &mut scratch.sums[start + place as usize];
                        same.iter().for_each(|&lane| sums[lane] += value * of_set);
                    }
                }
            }
        }
    }
}

/// What a thread works in.
struct Scratch {
    block: Block,
    decisions: Vec<Lanes<u8>>,
    /// `[outputs · sets]`.
    sums: Vec<Lanes<f64>>,
}

impl Scratch {
    fn new(sums: &SetSums<'_>) -> Self {
        let n_places = sums.cut.ensemble.n_outputs() * sums.sets.len();
        let block = Block::new(sums.cut.ensemble, &sums.cut.used);
        Self { block, decisions: Vec::new(), sums: vec![[0.0; LANES]; n_places] }
    }

    fn take(&mut self, sums: &ArrayViewMut3<'_, f64>) {
        for (lane, row) in sums.outer_iter().enumerate() {
            self.sums.iter_mut().zip(row).for_each(|(to, &sum)| to[lane] = sum);
        }
    }

    fn give(&self, sums: &mut ArrayViewMut3<'_, f64>) {
        for (lane, mut row) in sums.slice_mut(s![.., .., ..]).outer_iter_mut().enumerate() {
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

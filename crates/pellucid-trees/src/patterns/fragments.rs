//! A tree cut into fragments: parts whose contribution to a row depends on few bits of the row.
//!
//! What a leaf adds depends on the row's *pattern* over the leaf's distinct features: bit `j` is set where the row follows
//! all of the path's splits on feature `j`. A leaf alone is a fragment, and so is a whole subtree whose bits are few: those
//! of the path to its top and one for each of its splits. One table of such a fragment answers for all of its leaves.

use std::collections::BTreeMap;

use super::lanes::{LANES, Lanes, Splits, split_at};
use crate::ensemble::{Tree, TreeNode};

/// The most bits of a fragment with tables; leaves with more features are wide.
pub(crate) const DENSE_BITS: usize = 12;

/// Subtrees up to this many bits are always merged: their tables stay in the nearest cache.
const SMALL_BITS: usize = 8;

/// A part of a tree.
pub(crate) struct Fragment {
    /// What each bit of a row's pattern says.
    pub(crate) bits: Vec<Bit>,
    pub(crate) leaves: Vec<FragmentLeaf>,
}

/// Set where a row goes the given way at each of these splits.
pub(crate) struct Bit {
    /// Places among the tree's [`Splits`], and whether the way is left.
    conditions: Vec<(u32, bool)>,
}

/// A leaf of a fragment.
pub(crate) struct FragmentLeaf {
    pub(crate) leaf: u32,
    /// The distinct features of its path, ascending, and for each the bits of the fragment that the row must have set
    /// and those it must not have set to follow the path's splits on it.
    pub(crate) features: Vec<(u32, Need)>,
    /// For each of the features, the product of the cover fractions of the path's splits on it.
    pub(crate) fractions: Vec<f64>,
}

/// Bits of a fragment; without meaning in wide leaves, whose bit `i` is feature `i`.
#[derive(Clone, Copy, Default)]
pub(crate) struct Need {
    set: u32,
    clear: u32,
}

impl Fragment {
    /// Whether it has too many bits for tables; it is one leaf then.
    pub(crate) fn is_wide(&self) -> bool {
        self.bits.len() > DENSE_BITS
    }

    /// The number of patterns.
    pub(crate) fn n_patterns(&self) -> usize {
        1 << self.bits.len()
    }

    /// Words of a wide pattern.
    pub(crate) fn n_words(&self) -> usize {
        self.bits.len().div_ceil(64)
    }

    /// Writes the patterns of rows over a wide leaf, `[lanes, n_words]`.
    pub(crate) fn wide_patterns(&self, decisions: &[Lanes<u8>], into: &mut Vec<u64>) {
        let n_words = self.n_words();
        into.clear();
        into.resize(n_words * LANES, 0);
        for (place, bit) in self.bits.iter().enumerate() {
            let words = into[place / 64..].iter_mut().step_by(n_words);
            words.zip(bit.lanes(decisions)).for_each(|(word, set)| *word |= u64::from(set) << (place % 64));
        }
    }

    /// The patterns of rows, from their decisions at the tree's splits.
    pub(crate) fn patterns(&self, decisions: &[Lanes<u8>]) -> Lanes<u16> {
        let mut patterns = [0; LANES];
        for (place, bit) in self.bits.iter().enumerate() {
            let lanes = bit.lanes(decisions);
            patterns.iter_mut().zip(lanes).for_each(|(pattern, set)| *pattern |= u16::from(set) << place);
        }
        patterns
    }
}

impl Bit {
    /// For each row, whether the bit is set.
    pub(crate) fn lanes(&self, decisions: &[Lanes<u8>]) -> Lanes<u8> {
        let mut lanes = [1; LANES];
        for &(place, left) in &self.conditions {
            let flip = u8::from(!left);
            lanes.iter_mut().zip(&decisions[place as usize]).for_each(|(all, &went)| *all &= went ^ flip);
        }
        lanes
    }
}

impl FragmentLeaf {
    /// The leaf's own pattern: bit `i` is its `i`-th feature.
    pub(crate) fn pattern(&self, of_fragment: usize) -> usize {
        let follows = |need: &Need| {
            let bits = of_fragment as u32;
            bits & need.set == need.set && bits & need.clear == 0
        };
        self.features.iter().enumerate().map(|(i, (_, need))| usize::from(follows(need)) << i).sum()
    }
}

/// Cuts a tree into fragments, in the order of its nodes. Leaves without a split above them are left out.
pub(crate) fn fragments(tree: &Tree, splits: &Splits) -> Vec<Fragment> {
    let parents = parents(tree);
    let whole = wholes(tree);
    let is_top = |node: usize| whole[node] && parents[node].is_none_or(|(parent, _)| !whole[parent as usize]);
    (0..tree.nodes.len())
        .filter(|&node| is_top(node))
        .map(|node| fragment(tree, splits, &parents, node as u32))
        .filter(|fragment| !fragment.bits.is_empty())
        .collect()
}

/// The parent of each node, and whether the node is its left child.
type Parents = Vec<Option<(u32, bool)>>;

fn parents(tree: &Tree) -> Parents {
    let mut parents = vec![None; tree.nodes.len()];
    for (index, node) in tree.nodes.iter().enumerate() {
        if let TreeNode::Split(split) = node {
            parents[split.left as usize] = Some((index as u32, true));
            parents[split.right as usize] = Some((index as u32, false));
        }
    }
    parents
}

/// For each node whether it and all below it go into one fragment. A wide leaf stands alone: bits grow upwards.
fn wholes(tree: &Tree) -> Vec<bool> {
    let distinct = distinct_counts(tree);
    let mut n_splits = vec![0; tree.nodes.len()];
    let mut sizes = vec![0.0; tree.nodes.len()];
    let mut whole = vec![true; tree.nodes.len()];
    for index in (0..tree.nodes.len()).rev() {
        if let TreeNode::Split(split) = &tree.nodes[index] {
            let (left, right) = (split.left as usize, split.right as usize);
            n_splits[index] = n_splits[left] + n_splits[right] + 1;
            let bits = distinct[index] + n_splits[index];
            let pays = table_size(bits) <= sizes[left] + sizes[right];
            whole[index] =
                whole[left] && whole[right] && (bits <= SMALL_BITS || (bits <= DENSE_BITS && pays));
        }
        sizes[index] = table_size(distinct[index] + n_splits[index]);
    }
    whole
}

fn table_size(bits: usize) -> f64 {
    bits as f64 * 2.0_f64.powi(bits as i32)
}

/// For each node the number of distinct features above it.
fn distinct_counts(tree: &Tree) -> Vec<usize> {
    let n_features = tree.splits().map(|split| split.feature as usize + 1).max().unwrap_or(0);
    let mut on_path = vec![0_u32; n_features];
    let mut counts = vec![0; tree.nodes.len()];
    let mut distinct = 0;
    // A node is entered with its children pushed above it, and left when it is met again.
    let mut stack = vec![(0_u32, false)];
    while let Some((node, is_left_behind)) = stack.pop() {
        counts[node as usize] = if is_left_behind { counts[node as usize] } else { distinct };
        let Some(split) = split_at(tree, node) else { continue };
        let times = &mut on_path[split.feature as usize];
        if is_left_behind {
            *times -= 1;
            distinct -= usize::from(*times == 0);
        } else {
            distinct += usize::from(*times == 0);
            *times += 1;
            stack.extend([(node, true), (split.right, false), (split.left, false)]);
        }
    }
    counts
}

/// The splits above a node, from it upwards, and whether the path goes left at them.
fn path(parents: &Parents, node: u32) -> impl Iterator<Item = (u32, bool)> {
    std::iter::successors(parents[node as usize], |&(parent, _)| parents[parent as usize])
}

fn fragment(tree: &Tree, splits: &Splits, parents: &Parents, top: u32) -> Fragment {
    let mut above: Vec<(u32, u32, bool)> =
        path(parents, top).map(|(node, left)| (feature_at(tree, node), splits.place(node), left)).collect();
    above.sort_unstable();
    let (mut bits, mut features) = (Vec::new(), Vec::new());
    for same in above.chunk_by(|a, b| a.0 == b.0) {
        features.push((same[0].0, Need { set: 1_u32.checked_shl(bits.len() as u32).unwrap_or(0), clear: 0 }));
        bits.push(Bit { conditions: same.iter().map(|&(_, place, left)| (place, left)).collect() });
    }
    let inside = below(tree, top);
    let mut bit_of_split = BTreeMap::new();
    for &node in inside.iter().filter(|&&node| split_at(tree, node).is_some()) {
        bit_of_split.insert(node, bits.len());
        bits.push(Bit { conditions: vec![(splits.place(node), true)] });
    }
    let leaves = inside
        .iter()
        .filter_map(|&node| match &tree.nodes[node as usize] {
            TreeNode::Leaf { leaf, .. } => Some((node, *leaf)),
            TreeNode::Split(_) => None,
        })
        .map(|(node, leaf)| {
            let mut features = features.clone();
            for (split, left) in path(parents, node).take_while(|&(split, _)| split >= top) {
                let bit = 1 << bit_of_split[&split];
                need(&mut features, feature_at(tree, split), if left { (bit, 0) } else { (0, bit) });
            }
            features.sort_unstable_by_key(|(feature, _)| *feature);
            let fractions = fractions(tree, parents, node, &features);
            FragmentLeaf { leaf, features, fractions }
        })
        .collect();
    Fragment { bits, leaves }
}

fn feature_at(tree: &Tree, node: u32) -> u32 {
    split_at(tree, node).map_or(0, |split| split.feature)
}

fn need(features: &mut Vec<(u32, Need)>, feature: u32, (set, clear): (u32, u32)) {
    match features.iter_mut().find(|(known, _)| *known == feature) {
        Some((_, need)) => {
            need.set |= set;
            need.clear |= clear;
        }
        None => features.push((feature, Need { set, clear })),
    }
}

/// A node and all below it, ascending.
fn below(tree: &Tree, top: u32) -> Vec<u32> {
    let mut nodes = vec![top];
    let mut next = 0;
    while let Some(&node) = nodes.get(next) {
        if let Some(split) = split_at(tree, node) {
            nodes.extend([split.left, split.right]);
        }
        next += 1;
    }
    nodes.sort_unstable();
    nodes
}

/// For each feature of a leaf, the product of the shares of the cover that its splits send towards the leaf.
fn fractions(tree: &Tree, parents: &Parents, leaf: u32, features: &[(u32, Need)]) -> Vec<f64> {
    let mut fractions = vec![1.0; features.len()];
    for (node, left) in path(parents, leaf) {
        let Some(split) = split_at(tree, node) else { continue };
        if let Ok(i) = features.binary_search_by_key(&split.feature, |(feature, _)| *feature) {
            fractions[i] *= tree.shares(split)[usize::from(!left)].1;
        }
    }
    fractions
}

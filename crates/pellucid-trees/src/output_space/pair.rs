//! A row and a background row: which leaves mixed rows of the two can reach.

use std::ops::Range;

use crate::ensemble::{Tree, TreeEnsemble, TreeNode};

/// The leaves that some mix of two rows reaches, and the features that decide between them.
pub(super) struct Pair<'a> {
    ensemble: &'a TreeEnsemble,
    /// The features that matter, in the order in which they were met.
    features: Vec<u32>,
    /// For each feature its place among those, or `u32::MAX`.
    places: Vec<u32>,
    /// The margins of what all mixes have in common.
    common: Vec<f64>,
    leaves: Vec<PairLeaf<'a>>,
    /// Places of features, those of all leaves one after the other.
    needed: Vec<u32>,
}

/// A leaf that some mixes reach: those that have the first row's value of some features and the second row's of others.
pub(super) struct PairLeaf<'a> {
    of_row: Range<usize>,
    of_reference: Range<usize>,
    outputs: Range<usize>,
    values: &'a [f64],
}

/// What is left to do on the way through a tree.
enum Step {
    Visit(u32),
    /// On what follows, the feature has the first row's value, or the second's.
    Take(u32, bool),
    Forget,
}

impl<'a> Pair<'a> {
    pub(super) fn new(ensemble: &'a TreeEnsemble) -> Self {
        Self {
            ensemble,
            features: Vec::new(),
            places: vec![u32::MAX; ensemble.n_features],
            common: Vec::new(),
            leaves: Vec::new(),
            needed: Vec::new(),
        }
    }

    /// Takes two rows, as the model compares them.
    pub(super) fn meet(&mut self, row: &[f64], reference: &[f64]) {
        for feature in self.features.drain(..) {
            self.places[feature as usize] = u32::MAX;
        }
        self.leaves.clear();
        self.needed.clear();
        self.common.clear();
        self.common.extend(&self.ensemble.base_scores);
        let ensemble = self.ensemble;
        ensemble.trees.iter().for_each(|tree| self.walk(tree, row, reference));
    }

    fn walk(&mut self, tree: &'a Tree, row: &[f64], reference: &[f64]) {
        let mut steps = vec![Step::Visit(0)];
        let mut taken: Vec<(u32, bool)> = Vec::new();
        while let Some(step) = steps.pop() {
            match step {
                Step::Forget => drop(taken.pop()),
                Step::Take(feature, of_row) => match taken.last_mut() {
                    Some(last) if last.0 == feature => last.1 = of_row,
                    _ => taken.push((feature, of_row)),
                },
                Step::Visit(node) => match &tree.nodes[node as usize] {
                    TreeNode::Leaf { leaf, .. } => self.reach(tree, *leaf, &taken),
                    TreeNode::Split(split) => {
                        let (feature, j) = (split.feature, split.feature as usize);
                        let child = |x: f64| if split.goes_left(x) { split.left } else { split.right };
                        let (a, b) = (child(row[j]), child(reference[j]));
                        let known = taken.iter().find(|(known, _)| *known == feature);
                        match known {
                            _ if a == b => steps.push(Step::Visit(a)),
                            Some((_, of_row)) => steps.push(Step::Visit(if *of_row { a } else { b })),
                            None => steps.extend([
                                Step::Forget,
                                Step::Visit(b),
                                Step::Take(feature, false),
                                Step::Visit(a),
                                Step::Take(feature, true),
                            ]),
                        }
                    }
                },
            }
        }
    }

    fn reach(&mut self, tree: &'a Tree, leaf: u32, taken: &[(u32, bool)]) {
        let (values, scale) = (tree.leaf(leaf), self.ensemble.scale);
        if taken.is_empty() {
            tree.outputs.clone().zip(values).for_each(|(output, value)| self.common[output] += scale * value);
            return;
        }
        let start = self.needed.len();
        self.need(taken, true);
        let middle = self.needed.len();
        self.need(taken, false);
        let end = self.needed.len();
        let outputs = tree.outputs.clone();
        self.leaves.push(PairLeaf { of_row: start..middle, of_reference: middle..end, outputs, values });
    }

    fn need(&mut self, taken: &[(u32, bool)], of_row: bool) {
        for &(feature, _) in taken.iter().filter(|(_, taken)| *taken == of_row) {
            let place = &mut self.places[feature as usize];
            if *place == u32::MAX {
                *place = self.features.len() as u32;
                self.features.push(feature);
            }
            self.needed.push(*place);
        }
    }

    /// The features in which the rows differ and which matter to the model then.
    pub(super) fn features(&self) -> &[u32] {
        &self.features
    }

    /// The margins of what all mixes have in common, `[outputs]`.
    pub(super) fn common(&self) -> &[f64] {
        &self.common
    }

    pub(super) fn leaves(&self) -> &[PairLeaf<'a>] {
        &self.leaves
    }

    /// The features that must have the first row's value, and those that must have the second's.
    pub(super) fn needs(&self, leaf: &PairLeaf<'_>) -> (&[u32], &[u32]) {
        (&self.needed[leaf.of_row.clone()], &self.needed[leaf.of_reference.clone()])
    }

    /// What a leaf adds to margins.
    pub(super) fn added(&self, leaf: &PairLeaf<'a>) -> impl Iterator<Item = (usize, f64)> {
        let scale = self.ensemble.scale;
        leaf.outputs.clone().zip(leaf.values).map(move |(output, value)| (output, scale * value))
    }
}

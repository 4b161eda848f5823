//! A tree → the steps of one depth-first walk, with all constants at the integral's points worked out.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use pellucid_core::gauss_legendre;

use super::slots::{Comparison, Slots};
use crate::ensemble::{Tree, TreeEnsemble, TreeNode};

/// Points that one walk carries at the most: more are walked one after the other.
pub(crate) const MAX_POINTS: usize = 6;

/// Walks whose values are added up in f32 before they go into the f64 sums.
const WALKS_IN_F32: usize = 8;

/// What is worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// Shapley values: the multilinear extension integrated over t.
    Shapley,
    /// Shapley values and what pairs of features add.
    Interactions,
    /// Banzhaf values: t = ½ alone.
    Banzhaf,
}

/// One walk over one tree for one output.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    pub(crate) steps: Vec<Step>,
    /// t of each point.
    pub(crate) at: Vec<f32>,
    /// The weight of each point.
    pub(crate) weights: Vec<f32>,
    /// What [`Step::table`] points into.
    pub(crate) tables: Vec<f32>,
    /// What [`Step::relative`] points into.
    pub(crate) relatives: Vec<f32>,
    /// What [`Step::pairs`] points into.
    pub(crate) pairs: Vec<PathPair>,
    /// Splits on the longest path.
    pub(crate) n_levels: usize,
}

/// A split's feature with another one on its path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathPair {
    /// Where the other feature was split on last.
    pub(crate) level: u32,
    /// The accumulator of the pair.
    pub(crate) sum: u32,
}

/// What a step does. A split with one leaf has it as its second child; whose child comes first is told by
/// [`Step::flip`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// From a split to its first child.
    Enter,
    /// The same, where the feature was split on above.
    EnterAgain,
    /// From the first child to the second.
    Turn,
    /// From the second child back to the split.
    Leave,
    LeaveAgain,
    /// The same where the second child is a leaf: [`Step::second`].
    LeaveLeaf,
    LeaveLeafAgain,
    /// A split with two leaves.
    Pair,
    PairAgain,
}

/// One step of a walk.
///
/// With z the share of the first child and o whether the row goes there, the first child's factor is
/// `r = z + t (o − z)` and the second's is `1 − r`. Where the feature was split on above (share z′, inside o′) the
/// factor is what the product changes by: `r = (z′z + t (o′o − z′z)) / (z′ + t (o′ − z′))`, and the second's is again
/// `1 − r`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) kind: Kind,
    /// All ones where the first child is the right one.
    pub(crate) flip: u32,
    pub(crate) slot: u32,
    pub(crate) thresholds: [f32; 2],
    /// Which accumulator the feature's values go into.
    pub(crate) feature: u32,
    /// z.
    pub(crate) share: f32,
    /// `o − z` at o = 1 and o = 0; a pair of leaves has it times the difference of their values.
    pub(crate) change: [f32; 2],
    /// The value of the second child; a pair has its expected value.
    pub(crate) second: f32,
    /// The level whose split was on the same feature.
    pub(crate) above: u32,
    /// Four numbers a point: r where the row goes first and second, and what the feature gains where it does so.
    pub(crate) table: u32,
    /// One number a point: `(1 − z) / (z + t (1 − z))`, z the share that is left of the feature in the child that is
    /// walked next.
    pub(crate) relative: u32,
    /// The pairs that the split's feature is in.
    pub(crate) pairs: [u32; 2],
}

/// Walks whose values are added up in f32, and the accumulators that they add to.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) walks: Vec<Walk>,
    pub(crate) sums: Vec<u32>,
}

impl Batch {
    fn new(walks: Vec<Walk>) -> Self {
        let of_features = walks.iter().flat_map(|walk| &walk.steps).map(|step| step.feature);
        let of_pairs = walks.iter().flat_map(|walk| &walk.pairs).map(|pair| pair.sum);
        let mut sums: Vec<u32> = of_features.chain(of_pairs).collect();
        sums.sort_unstable();
        sums.dedup();
        Self { walks, sums }
    }
}

/// Which accumulator each feature that is split on has, and each pair of them that stand on one path; features first.
#[derive(Debug)]
pub(crate) struct Used {
    /// The features, ascending.
    pub(crate) features: Vec<u32>,
    /// Places in `features`, the lower one first, ascending; none where pairs are not asked for.
    pub(crate) pairs: Vec<[u32; 2]>,
}

impl Used {
    pub(crate) fn new(ensemble: &TreeEnsemble, method: Method) -> Self {
        let mut features: Vec<u32> =
            ensemble.trees.iter().flat_map(Tree::splits).map(|split| split.feature).collect();
        features.sort_unstable();
        features.dedup();
        let mut used = Self { features, pairs: Vec::new() };
        if method == Method::Interactions {
            let pairs: BTreeSet<[u32; 2]> =
                ensemble.trees.iter().flat_map(|tree| used.pairs_of(tree)).collect();
            used.pairs = pairs.into_iter().collect();
        }
        used
    }

    /// The number of accumulators.
    pub(crate) fn n_sums(&self) -> usize {
        self.features.len() + self.pairs.len()
    }

    fn index(&self, feature: u32) -> u32 {
        self.features.partition_point(|&used| used < feature) as u32
    }

    fn pair_index(&self, a: u32, b: u32) -> u32 {
        let pair = [a.min(b), a.max(b)];
        (self.features.len() + self.pairs.partition_point(|&other| other < pair)) as u32
    }

    /// The pairs of features that stand on one path of a tree.
    fn pairs_of(&self, tree: &Tree) -> BTreeSet<[u32; 2]> {
        let mut pairs = BTreeSet::new();
        for_each_path(tree, |feature, above| {
            let feature = self.index(feature);
            for other in above.keys().map(|&other| self.index(other)).filter(|&other| other != feature) {
                pairs.insert([feature.min(other), feature.max(other)]);
            }
        });
        pairs
    }
}

/// The expected value of each node below the root and the root itself, one output.
pub(crate) fn expected_values(tree: &Tree, output: usize) -> Vec<f64> {
    let mut expected = vec![0.0; tree.nodes.len()];
    for (index, node) in tree.nodes.iter().enumerate().rev() {
        expected[index] = match node {
            TreeNode::Leaf { leaf, .. } => tree.leaf(*leaf)[output - tree.outputs.start],
            TreeNode::Split(split) => {
                let [left, right] = [split.left, split.right].map(|child| child as usize);
                let covers = [left, right].map(|child| tree.nodes[child].cover());
                match covers[0] + covers[1] {
                    0.0 => 0.0,
                    total => (covers[0] * expected[left] + covers[1] * expected[right]) / total,
                }
            }
        };
    }
    expected
}

/// The walks of one tree for one output: several where the integral takes more than [`MAX_POINTS`].
fn walks(tree: &Tree, output: usize, method: Method, slots: &Slots, used: &Used) -> Vec<Walk> {
    let n = match method {
        Method::Banzhaf => 1.min(tree.nodes.len() / 2),
        _ => most_distinct_features(tree).div_ceil(2),
    };
    let all = if method == Method::Banzhaf { vec![(0.5, 1.0); n] } else { gauss_legendre(n) };
    let n_walks = n.div_ceil(MAX_POINTS).max(1);
    all.chunks(n.div_ceil(n_walks).max(1))
        .map(|points| Writer::new(tree, output, method, points, slots, used).write())
        .collect()
}

/// The largest number of different features on one path.
fn most_distinct_features(tree: &Tree) -> usize {
    let mut most = 0;
    for_each_path(tree, |feature, above| {
        most = most.max(above.len() + usize::from(!above.contains_key(&feature)));
    });
    most
}

/// Calls `split` with the feature of each split and how often each feature stands above it.
fn for_each_path(tree: &Tree, mut split: impl FnMut(u32, &BTreeMap<u32, usize>)) {
    let mut above: BTreeMap<u32, usize> = BTreeMap::new();
    let mut stack = vec![(0_usize, false)];
    while let Some((index, leaving)) = stack.pop() {
        let TreeNode::Split(node) = &tree.nodes[index] else { continue };
        if leaving {
            match above.get_mut(&node.feature) {
                Some(times) if *times > 1 => *times -= 1,
                _ => drop(above.remove(&node.feature)),
            }
            continue;
        }
        split(node.feature, &above);
        *above.entry(node.feature).or_insert(0) += 1;
        stack.extend([(index, true), (node.right as usize, false), (node.left as usize, false)]);
    }
}

/// A feature on the path: where it was split on last, and the share of the covers that all its splits leave.
#[derive(Clone, Copy)]
struct OnPath {
    level: usize,
    share: f64,
}

/// A child as the writer sees it; the trees that it writes have a leaf more where a split has no covers.
#[derive(Clone, Copy)]
enum Child {
    Node(usize),
    Value(f64),
    /// The split of this node once more, as if it had covers.
    Reached(usize),
}

/// A split as it is written: first child, second child, share of the first.
struct Fork {
    comparison: Comparison,
    flip: bool,
    feature: u32,
    share: f64,
    children: [Child; 2],
}

enum Task {
    Visit(Child),
    /// From the first child to the second, below which the feature stands so on the path.
    Turn(Child, u32, OnPath),
    /// The path is again as it was before the split.
    Leave(Step, u32, Option<OnPath>),
}

struct Writer<'a> {
    tree: &'a Tree,
    output: usize,
    method: Method,
    points: &'a [(f64, f64)],
    slots: &'a Slots,
    used: &'a Used,
    /// Taken off all leaves: Shapley values stay, rounding errors shrink.
    shift: f64,
    path: BTreeMap<u32, OnPath>,
    level: usize,
    walk: Walk,
}

impl<'a> Writer<'a> {
    fn new(
        tree: &'a Tree,
        output: usize,
        method: Method,
        points: &'a [(f64, f64)],
        slots: &'a Slots,
        used: &'a Used,
    ) -> Self {
        let walk = Walk {
            at: points.iter().map(|(t, _)| *t as f32).collect(),
            weights: points.iter().map(|(_, weight)| *weight as f32).collect(),
            ..Walk::default()
        };
        let shift = expected_values(tree, output)[0];
        Self { tree, output, method, points, slots, used, shift, path: BTreeMap::new(), level: 0, walk }
    }

    fn write(mut self) -> Walk {
        let mut tasks = vec![Task::Visit(Child::Node(0))];
        while let Some(task) = tasks.pop() {
            match task {
                Task::Visit(child) => self.visit(child, &mut tasks),
                Task::Turn(second, feature, on_path) => {
                    self.path.insert(feature, on_path);
                    let relative = self.relative(on_path.share);
                    self.walk.steps.push(Step { kind: Kind::Turn, relative, ..Step::NONE });
                    tasks.push(Task::Visit(second));
                }
                Task::Leave(step, feature, before) => {
                    self.level -= 1;
                    match before {
                        Some(on_path) => self.path.insert(feature, on_path),
                        None => self.path.remove(&feature),
                    };
                    self.walk.steps.push(step);
                }
            }
        }
        self.walk
    }

    fn visit(&mut self, child: Child, tasks: &mut Vec<Task>) {
        let fork = match child {
            Child::Node(node) | Child::Reached(node) => self.fork(node, matches!(child, Child::Reached(_))),
            Child::Value(_) => None,
        };
        let Some(fork) = fork else { return };
        let before = self.path.get(&fork.feature).copied();
        let step = self.step(&fork, before);
        self.walk.n_levels = self.walk.n_levels.max(self.level + 1);
        let again = before.is_some();
        if let [Some(first), Some(second)] = fork.children.map(|child| self.value(child)) {
            let pair = self.pair(step, &fork, again, [first, second]);
            self.walk.steps.push(pair);
            return;
        }
        let leaf = self.value(fork.children[1]);
        let whole = before.map_or(1.0, |before| before.share);
        let on_path = |share: f64, level| OnPath { level, share: whole * share };
        let enter = Step {
            kind: if again { Kind::EnterAgain } else { Kind::Enter },
            relative: self.relative(whole * fork.share),
            ..step
        };
        self.walk.steps.push(enter);
        let kind = match (leaf, again) {
            (None, false) => Kind::Leave,
            (None, true) => Kind::LeaveAgain,
            (Some(_), false) => Kind::LeaveLeaf,
            (Some(_), true) => Kind::LeaveLeafAgain,
        };
        let leave = Step { kind, second: leaf.unwrap_or(0.0) as f32, ..step };
        tasks.push(Task::Leave(leave, fork.feature, before));
        if leaf.is_none() {
            tasks.push(Task::Turn(fork.children[1], fork.feature, on_path(1.0 - fork.share, self.level)));
        }
        tasks.push(Task::Visit(fork.children[0]));
        self.path.insert(fork.feature, on_path(fork.share, self.level));
        self.level += 1;
    }

    /// The value of a leaf.
    fn value(&self, child: Child) -> Option<f64> {
        match child {
            Child::Value(value) => Some(value),
            Child::Reached(_) => None,
            Child::Node(node) => match &self.tree.nodes[node] {
                TreeNode::Leaf { leaf, .. } => {
                    Some(self.tree.leaf(*leaf)[self.output - self.tree.outputs.start] - self.shift)
                }
                TreeNode::Split(_) => None,
            },
        }
    }

    /// The split of a node. Where both children have cover 0 nothing is expected of rows without the feature: that is
    /// a split that all rows with the feature pass, beside a leaf of value 0 for those without it.
    fn fork(&self, node: usize, reached: bool) -> Option<Fork> {
        let TreeNode::Split(split) = &self.tree.nodes[node] else { return None };
        let covers = [split.left, split.right].map(|child| self.tree.nodes[child as usize].cover());
        let total = covers[0] + covers[1];
        let comparison = self.slots.comparison(split);
        if total == 0.0 && !reached {
            let always = Comparison { thresholds: [f32::INFINITY; 2], ..comparison };
            let children = [Child::Reached(node), Child::Value(-self.shift)];
            return Some(Fork {
                comparison: always,
                flip: false,
                feature: split.feature,
                share: 0.0,
                children,
            });
        }
        let share = if total == 0.0 { 0.5 } else { covers[0] / total };
        let [left, right] = [split.left, split.right].map(|child| Child::Node(child as usize));
        let flip = self.value(left).is_some() && self.value(right).is_none();
        let (share, children) = if flip { (1.0 - share, [right, left]) } else { (share, [left, right]) };
        Some(Fork { comparison, flip, feature: split.feature, share, children })
    }

    fn step(&mut self, fork: &Fork, before: Option<OnPath>) -> Step {
        let table = self.walk.tables.len() as u32;
        if let Some(before) = before {
            for &(t, _) in self.points {
                self.walk.tables.extend(again(fork.share, before.share, t).map(|x| x as f32));
            }
        }
        let pairs = self.pairs(fork.feature);
        Step {
            flip: if fork.flip { u32::MAX } else { 0 },
            slot: fork.comparison.slot,
            thresholds: fork.comparison.thresholds,
            feature: self.used.index(fork.feature),
            share: fork.share as f32,
            change: [1.0 - fork.share, -fork.share].map(|change| change as f32),
            above: before.map_or(0, |before| before.level as u32),
            table,
            pairs,
            ..Step::NONE
        }
    }

    /// The pairs of a feature with all others on the path.
    fn pairs(&mut self, feature: u32) -> [u32; 2] {
        let start = self.walk.pairs.len() as u32;
        if self.method == Method::Interactions {
            let others = self.path.iter().filter(|(other, _)| **other != feature);
            let used = self.used;
            let sum = |other| used.pair_index(used.index(feature), used.index(other));
            let pairs = others.map(|(&other, at)| PathPair { level: at.level as u32, sum: sum(other) });
            self.walk.pairs.extend(pairs);
        }
        [start, self.walk.pairs.len() as u32]
    }

    fn relative(&mut self, share: f64) -> u32 {
        let start = self.walk.relatives.len() as u32;
        if self.method == Method::Interactions {
            let at = self.points.iter().map(|(t, _)| ((1.0 - share) / (share + t * (1.0 - share))) as f32);
            self.walk.relatives.extend(at);
        }
        start
    }

    /// A split with two leaves: their values go into its constants.
    fn pair(&mut self, step: Step, fork: &Fork, again: bool, [first, second]: [f64; 2]) -> Step {
        let difference = first - second;
        let table = &mut self.walk.tables[step.table as usize..];
        for entry in table.chunks_exact_mut(4) {
            let [r_first, r_second, gain_first, gain_second] = [0, 1, 2, 3].map(|i| f64::from(entry[i]));
            let values = [r_first, r_second].map(|r| second + r * difference);
            let gains = [gain_first, gain_second].map(|gain| gain * difference);
            entry.copy_from_slice(&[values[0], values[1], gains[0], gains[1]].map(|x| x as f32));
        }
        Step {
            kind: if again { Kind::PairAgain } else { Kind::Pair },
            change: [1.0 - fork.share, -fork.share].map(|change| (change * difference) as f32),
            second: (second + fork.share * difference) as f32,
            ..step
        }
    }
}

/// What a split of share `share` changes below a split on the same feature of share `above`, at t, for rows that are
/// inside above (for those that are not, r is `share` and nothing is gained): r where the row goes first and second,
/// then the gain `((o − z) − (o′ − z′) r) / f′`.
fn again(share: f64, above: f64, t: f64) -> [f64; 4] {
    let factor_above = above + t * (1.0 - above);
    let z = above * share;
    let r = |o: f64| (z + t * (o - z)) / factor_above;
    let gain = |o: f64| ((o - z) - (1.0 - above) * r(o)) / factor_above;
    [r(1.0), r(0.0), gain(1.0), gain(0.0)]
}

impl Step {
    /// Whether the second child is a leaf and the first is not.
    pub(crate) fn has_leaf(&self) -> bool {
        matches!(self.kind, Kind::LeaveLeaf | Kind::LeaveLeafAgain)
    }

    const NONE: Self = Self {
        kind: Kind::Turn,
        flip: 0,
        slot: 0,
        thresholds: [0.0; 2],
        feature: 0,
        share: 0.0,
        change: [0.0; 2],
        second: 0.0,
        above: 0,
        table: 0,
        relative: 0,
        pairs: [0; 2],
    };
}

/// The walks of all trees, for each output.
pub(crate) fn plan(ensemble: &TreeEnsemble, method: Method, slots: &Slots, used: &Used) -> Vec<Vec<Batch>> {
    (0..ensemble.n_outputs())
        .map(|output| {
            let trees = ensemble.trees.iter().filter(|tree| tree.outputs.contains(&output));
            let mut walks = trees.flat_map(|tree| walks(tree, output, method, slots, used)).peekable();
            let mut batches = Vec::new();
            while walks.peek().is_some() {
                batches.push(Batch::new(walks.by_ref().take(WALKS_IN_F32).collect()));
            }
            batches
        })
        .collect()
}

/// `[outputs]`: the margin that is expected where no feature is known.
pub(crate) fn base_values(ensemble: &TreeEnsemble) -> Vec<f64> {
    let mut sums = vec![0.0; ensemble.n_outputs()];
    for tree in &ensemble.trees {
        let outputs: Range<usize> = tree.outputs.clone();
        for output in outputs {
            sums[output] += expected_values(tree, output)[0];
        }
    }
    sums.iter().zip(&ensemble.base_scores).map(|(sum, base)| base + ensemble.scale * sum).collect()
}

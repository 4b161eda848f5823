//! Growing a tree: the split that leaves the least squared error, again and again (CART, Breiman et al. 1984).

use std::collections::BTreeMap;

use ndarray::{Array1, ArrayView1, ArrayView2};

use super::Options;
use crate::counterfactual::Table;

/// A split that saves less than this share of the root's error is rounding.
const LEAST_GAIN: f64 = 1e-12;

/// A node of a surrogate tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Sends a row on.
    Split {
        /// Which column of the table.
        column: usize,
        /// What sends it left.
        test: Test,
        /// Whether a missing value goes left; [`None`] where none was seen: then it goes right.
        missing_left: Option<bool>,
        /// The node of rows that pass.
        left: usize,
        /// The node of those that do not.
        right: usize,
    },
    /// Ends a path.
    Leaf {
        /// The mean output, or the number of the most frequent class.
        value: f64,
        /// Rows that the tree was grown on and that end here.
        n_rows: usize,
    },
}

/// What sends a row left.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// A number of at most this.
    AtMost(f64),
    /// One of these categories.
    In(Vec<f64>),
}

impl Test {
    fn passes(&self, value: f64) -> bool {
        match self {
            Self::AtMost(threshold) => value <= *threshold,
            Self::In(categories) => categories.contains(&value),
        }
    }
}

/// Rows, targets and what bounds growth.
struct Grower<'a> {
    states: &'a [Vec<f64>],
    targets: ArrayView2<'a, f64>,
    table: &'a Table,
    options: &'a Options,
    least_gain: f64,
    nodes: Vec<Node>,
}

/// The best split of a node so far.
struct Best {
    gain: f64,
    column: usize,
    test: Test,
    missing_left: Option<bool>,
}

/// Sums of rows: their number and the sum of their targets. Squares cancel out where gains are compared.
#[derive(Clone)]
struct Sums {
    n: f64,
    sum: Array1<f64>,
}

impl Sums {
    fn new(width: usize) -> Self {
        Self { n: 0.0, sum: Array1::zeros(width) }
    }

    fn add(&mut self, target: ArrayView1<'_, f64>) {
        self.n += 1.0;
        self.sum += &target;
    }

    fn plus(&self, other: &Self) -> Self {
        Self { n: self.n + other.n, sum: &self.sum + &other.sum }
    }

    fn minus(&self, other: &Self) -> Self {
        Self { n: self.n - other.n, sum: &self.sum - &other.sum }
    }

    /// `|Σ y|² / n`: what the mean explains of `Σ |y|²`.
    fn explained(&self) -> f64 {
        if self.n == 0.0 { 0.0 } else { self.sum.dot(&self.sum) / self.n }
    }
}

/// Grows a tree on the `seen` rows.
pub(super) fn grow(
    states: &[Vec<f64>],
    targets: ArrayView2<'_, f64>,
    table: &Table,
    seen: Vec<usize>,
    options: &Options,
) -> Vec<Node> {
    let mut grower = Grower { states, targets, table, options, least_gain: 0.0, nodes: Vec::new() };
    let squares: f64 = seen.iter().map(|&row| targets.row(row).dot(&targets.row(row))).sum();
    grower.least_gain = LEAST_GAIN * squares;
    grower.branch(seen, 0);
    grower.nodes
}

impl Grower<'_> {
    /// Adds the node of `rows` and all below it; gives its number.
    fn branch(&mut self, rows: Vec<usize>, depth: usize) -> usize {
        let place = self.nodes.len();
        let sums = self.sums(&rows);
        let value = spoken((&sums.sum / sums.n).view(), sums.sum.len() > 1);
        self.nodes.push(Node::Leaf { value, n_rows: rows.len() });
        if depth == self.options.max_depth {
            return place;
        }
        let Some(best) = self.best_split(&rows, &sums) else { return place };
        let goes_left = |row: &usize| {
            let value = self.states[*row][best.column];
            if value.is_nan() { best.missing_left == Some(true) } else { best.test.passes(value) }
        };
        let (left, right): (Vec<usize>, Vec<usize>) = rows.into_iter().partition(goes_left);
        let left = self.branch(left, depth + 1);
        let right = self.branch(right, depth + 1);
        let Best { column, test, missing_left, .. } = best;
        self.nodes[place] = Node::Split { column, test, missing_left, left, right };
        place
    }

    fn sums(&self, rows: &[usize]) -> Sums {
        let mut sums = Sums::new(self.targets.ncols());
        rows.iter().for_each(|&row| sums.add(self.targets.row(row)));
        sums
    }

    fn best_split(&self, rows: &[usize], all: &Sums) -> Option<Best> {
        let mut best: Option<Best> = None;
        for column in 0..self.table.columns.len() {
            let (missing, present): (Vec<usize>, Vec<usize>) =
                rows.iter().partition(|&&row| self.states[row][column].is_nan());
            let missing = self.sums(&missing);
            let mut by_value: BTreeMap<i128, (f64, Sums)> = BTreeMap::new();
            for row in present {
                let value = self.states[row][column];
                let entry =
                    by_value.entry(order_of(value)).or_insert_with(|| (value, Sums::new(all.sum.len())));
                entry.1.add(self.targets.row(row));
            }
            let groups: Vec<(f64, Sums)> = by_value.into_values().collect();
            for ordered in self.orders(groups, column) {
                self.try_cuts(&ordered, &missing, all, column, &mut best);
            }
        }
        best
    }

    /// Numbers in their order. Categories in the order of each target's mean: for one output and for two classes, the best
    /// split into two sets is a cut of that order (Fisher 1958); for more classes, a good one.
    fn orders(&self, groups: Vec<(f64, Sums)>, column: usize) -> Vec<Vec<(f64, Sums)>> {
        if !self.table.columns[column].is_category() {
            return vec![groups];
        }
        let n_orders = if self.targets.ncols() == 2 { 1 } else { self.targets.ncols() };
        let by = |target: usize| {
            let mut ordered = groups.clone();
            let mean = |sums: &Sums| sums.sum[target] / sums.n;
            ordered.sort_by(|a, b| mean(&a.1).total_cmp(&mean(&b.1)));
            ordered
        };
        (0..n_orders).map(by).collect()
    }

    fn try_cuts(
        &self,
        ordered: &[(f64, Sums)],
        missing: &Sums,
        all: &Sums,
        column: usize,
        best: &mut Option<Best>,
    ) {
        let mut left = Sums::new(all.sum.len());
        for cut in 1..ordered.len() {
            left = left.plus(&ordered[cut - 1].1);
            let sides = if missing.n > 0.0 { &[Some(false), Some(true)][..] } else { &[None][..] };
            for &missing_left in sides {
                let left = if missing_left == Some(true) { left.plus(missing) } else { left.clone() };
                let right = all.minus(&left);
                let least = self.options.min_rows_in_leaf as f64;
                let gain = left.explained() + right.explained() - all.explained();
                let is_better = gain > best.as_ref().map_or(self.least_gain, |best| best.gain);
                if left.n >= least && right.n >= least && is_better {
                    let test = self.test(ordered, cut, column);
                    *best = Some(Best { gain, column, test, missing_left });
                }
            }
        }
    }

    fn test(&self, ordered: &[(f64, Sums)], cut: usize, column: usize) -> Test {
        if self.table.columns[column].is_category() {
            let mut categories: Vec<f64> = ordered[..cut].iter().map(|(value, _)| *value).collect();
            categories.sort_by(f64::total_cmp);
            return Test::In(categories);
        }
        let (below, above) = (ordered[cut - 1].0, ordered[cut].0);
        let middle = f64::midpoint(below, above);
        // Between neighbors the middle may be rounded up to the one above.
        Test::AtMost(if middle < above { middle } else { below })
    }
}

/// A key that sorts as the numbers do; both zeros are one.
fn order_of(value: f64) -> i128 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { -i128::from(bits & !(1 << 63)) } else { i128::from(bits) }
}

/// What a mean target says: the output, or the first of the most frequent classes.
pub(super) fn spoken(target: ArrayView1<'_, f64>, is_class: bool) -> f64 {
    match is_class {
        true => crate::counterfactual::class_of(target, 0.0) as f64,
        false => target[0],
    }
}

/// What the tree says to a row.
pub(super) fn value_of(nodes: &[Node], state: &[f64]) -> f64 {
    let mut place = 0;
    loop {
        match &nodes[place] {
            Node::Leaf { value, .. } => return *value,
            Node::Split { column, test, missing_left, left, right } => {
                let value = state[*column];
                let goes_left = if value.is_nan() { *missing_left == Some(true) } else { test.passes(value) };
                place = if goes_left { *left } else { *right };
            }
        }
    }
}

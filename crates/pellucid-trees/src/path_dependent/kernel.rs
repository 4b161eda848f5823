//! One walk over a tree for as many rows as a register holds.
#![expect(clippy::needless_range_loop, reason = "q numbers the integral's points in several arrays at once")]

use super::lanes::Lanes;
use super::plan::{Kind, Step, Walk};
use super::slots::Scale;

/// One register a point. No closures: what they call would lose the processor's instructions.
macro_rules! each {
    ($lanes:ty, $points:ident, $q:ident => $value:expr) => {{
        let mut all = [<$lanes>::splat(0.0); $points];
        for $q in 0..$points {
            all[$q] = $value;
        }
        all
    }};
}

/// What a split keeps while its children are walked.
#[derive(Clone, Copy)]
struct Level<L: Lanes, const Q: usize> {
    /// The product of the factors above, times the weight of each point.
    product: [L; Q],
    /// r.
    first_factor: [L; Q],
    /// What the feature gains, a point: in all the same for a split whose feature is new.
    gain: [L; Q],
    /// What came back from the first child.
    first_sum: [L; Q],
    /// Rows that went all the way with this feature, into the child being walked and into the other one.
    inside: L::Mask,
    inside_second: L::Mask,
}

/// Room for the levels of a walk.
pub(crate) struct Stack<L: Lanes, const Q: usize> {
    levels: Vec<Level<L, Q>>,
    /// `(o − z) / (z + t (o − z))` of each level's feature, for pairs: what the product is multiplied with to have the
    /// feature's difference in its place.
    relatives: Vec<[L; Q]>,
}

impl<L: Lanes, const Q: usize> Stack<L, Q> {
    /// For walks of up to `n_levels`.
    #[inline(always)]
    pub(crate) fn new(n_levels: usize) -> Self {
        let zero = [L::splat(0.0); Q];
        let (product, first_factor, gain, first_sum) = (zero, zero, zero, zero);
        let level =
            Level { product, first_factor, gain, first_sum, inside: L::all(), inside_second: L::all() };
        Self { levels: vec![level; n_levels + 1], relatives: vec![zero; n_levels + 1] }
    }
}

/// Adds the values of all features, and of all pairs if `PAIRS`, to `sums`, `[accumulators]`, for the rows whose slots
/// are `slots`, `[slots, lanes]`.
#[inline(always)]
pub(crate) fn walk<L: Lanes, const Q: usize, const PAIRS: bool>(
    walk: &Walk,
    scale: Scale,
    slots: &[f32],
    stack: &mut Stack<L, Q>,
    sums: &mut [L],
) {
    let at: [L; Q] = each!(L, Q, q => L::splat(walk.at[q]));
    let Stack { levels, relatives } = stack;
    levels[0].product = each!(L, Q, q => L::splat(walk.weights[q]));
    let (mut sum, mut depth) = ([L::splat(0.0); Q], 0);
    for step in &walk.steps {
        let again = matches!(step.kind, Kind::EnterAgain | Kind::LeaveAgain | Kind::LeaveLeafAgain);
        match step.kind {
            Kind::Enter | Kind::EnterAgain => {
                let first = goes_first::<L>(step, scale, slots);
                match again {
                    false => enter(step, first, &at, levels, depth),
                    true => enter_again(step, first, &walk.tables, levels, depth),
                }
                depth += 1;
            }
            Kind::Turn => turn(levels, depth - 1, sum),
            Kind::Leave | Kind::LeaveAgain | Kind::LeaveLeaf | Kind::LeaveLeafAgain => {
                depth -= 1;
                let level = &levels[depth];
                let leaf = [L::splat(step.second); Q];
                let (first, second) = if step.has_leaf() { (sum, leaf) } else { (level.first_sum, sum) };
                let parts = parts(level, &first, &second, again);
                let gain = if again { L::splat(1.0) } else { level.gain[0] };
                add_all::<L, Q, PAIRS>(walk, step, &parts, gain, relatives, sums);
                sum = joined(level, &first, &second);
            }
            Kind::Pair => {
                let first = goes_first::<L>(step, scale, slots);
                let change = L::select(first, L::splat(step.change[0]), L::splat(step.change[1]));
                add_all::<L, Q, PAIRS>(walk, step, &levels[depth].product, change, relatives, sums);
                let expected = L::splat(step.second);
                sum = each!(L, Q, q => at[q].mul_add(change, expected));
            }
            Kind::PairAgain => {
                let masks = [goes_first::<L>(step, scale, slots), levels[step.above as usize].inside];
                let (values, parts) = pair_again(step, masks, &walk.tables, &levels[depth].product);
                add_all::<L, Q, PAIRS>(walk, step, &parts, L::splat(1.0), relatives, sums);
                sum = values;
            }
        }
        if PAIRS && matches!(step.kind, Kind::Enter | Kind::EnterAgain | Kind::Turn) {
            relatives[depth - 1] = relative(walk, step, levels[depth - 1].inside);
        }
    }
}

/// Adds what a split's feature gains to it and, if `PAIRS`, to its pairs.
#[inline(always)]
fn add_all<L: Lanes, const Q: usize, const PAIRS: bool>(
    walk: &Walk,
    step: &Step,
    parts: &[L; Q],
    factor: L,
    relatives: &[[L; Q]],
    sums: &mut [L],
) {
    add_parts(parts, factor, &mut sums[step.feature as usize]);
    if PAIRS {
        add_pairs(walk, step, parts, factor, relatives, sums);
    }
}

/// Adds the parts of all points, times `factor`.
#[inline(always)]
fn add_parts<L: Lanes, const Q: usize>(parts: &[L; Q], factor: L, into: &mut L) {
    let mut total = parts[0];
    for part in &parts[1..] {
        total = total.add(*part);
    }
    *into = total.mul_add(factor, *into);
}

/// What the split's feature gains differs by each other feature of the path.
#[inline(always)]
fn add_pairs<L: Lanes, const Q: usize>(
    walk: &Walk,
    step: &Step,
    parts: &[L; Q],
    factor: L,
    relatives: &[[L; Q]],
    sums: &mut [L],
) {
    for pair in &walk.pairs[step.pairs[0] as usize..step.pairs[1] as usize] {
        let relative = &relatives[pair.level as usize];
        let mut total = parts[0].mul(relative[0]);
        for q in 1..Q {
            total = parts[q].mul_add(relative[q], total);
        }
        let sum = &mut sums[pair.sum as usize];
        *sum = total.mul_add(factor, *sum);
    }
}

#[inline(always)]
fn relative<L: Lanes, const Q: usize>(walk: &Walk, step: &Step, inside: L::Mask) -> [L; Q] {
    let table = &walk.relatives[step.relative as usize..][..Q];
    each!(L, Q, q => L::select(inside, L::splat(table[q]), L::splat(-1.0 / (1.0 - walk.at[q]))))
}

#[inline(always)]
fn goes_first<L: Lanes>(step: &Step, scale: Scale, slots: &[f32]) -> L::Mask {
    let values = L::load(&slots[step.slot as usize * L::N..]);
    values.at_most(L::splat(step.thresholds[scale as usize]), step.flip)
}

#[inline(always)]
fn entry<L: Lanes>(table: &[f32], q: usize) -> [L; 4] {
    let at = &table[4 * q..4 * q + 4];
    [L::splat(at[0]), L::splat(at[1]), L::splat(at[2]), L::splat(at[3])]
}

#[inline(always)]
fn enter<L: Lanes, const Q: usize>(
    step: &Step,
    first: L::Mask,
    at: &[L; Q],
    levels: &mut [Level<L, Q>],
    depth: usize,
) {
    let [level, below] = &mut levels[depth..depth + 2] else { return };
    let change = L::select(first, L::splat(step.change[0]), L::splat(step.change[1]));
    let share = L::splat(step.share);
    for q in 0..Q {
        let factor = at[q].mul_add(change, share);
        level.first_factor[q] = factor;
        below.product[q] = level.product[q].mul(factor);
    }
    level.gain[0] = change;
    level.inside = first;
    level.inside_second = L::and_not(L::all(), first);
}

#[inline(always)]
fn enter_again<L: Lanes, const Q: usize>(
    step: &Step,
    first: L::Mask,
    tables: &[f32],
    levels: &mut [Level<L, Q>],
    depth: usize,
) {
    let above = levels[step.above as usize].inside;
    let [level, below] = &mut levels[depth..depth + 2] else { return };
    let table = &tables[step.table as usize..][..4 * Q];
    let (inside, inside_second) = (L::and(above, first), L::and_not(above, first));
    let share = L::splat(step.share);
    for q in 0..Q {
        let [r_first, r_second, gain_first, gain_second] = entry::<L>(table, q);
        let factor = L::select(inside, r_first, L::select(inside_second, r_second, share));
        level.first_factor[q] = factor;
        level.gain[q] = L::select(inside, gain_first, L::select_or_zero(inside_second, gain_second));
        below.product[q] = level.product[q].mul(factor);
    }
    (level.inside, level.inside_second) = (inside, inside_second);
}

#[inline(always)]
fn turn<L: Lanes, const Q: usize>(levels: &mut [Level<L, Q>], depth: usize, sum: [L; Q]) {
    let [level, below] = &mut levels[depth..depth + 2] else { return };
    for q in 0..Q {
        // The factors of both children add up to 1.
        below.product[q] = level.product[q].sub(below.product[q]);
    }
    level.first_sum = sum;
    level.inside = level.inside_second;
}

/// What a split's feature gains, a point: for a split whose feature is new, still to be multiplied by its gain.
#[inline(always)]
fn parts<L: Lanes, const Q: usize>(
    level: &Level<L, Q>,
    first: &[L; Q],
    second: &[L; Q],
    again: bool,
) -> [L; Q] {
    if again {
        each!(L, Q, q => level.product[q].mul(level.gain[q]).mul(first[q].sub(second[q])))
    } else {
        each!(L, Q, q => level.product[q].mul(first[q].sub(second[q])))
    }
}

/// The sum of a split from those of its children.
#[inline(always)]
fn joined<L: Lanes, const Q: usize>(level: &Level<L, Q>, first: &[L; Q], second: &[L; Q]) -> [L; Q] {
    each!(L, Q, q => level.first_factor[q].mul_add(first[q].sub(second[q]), second[q]))
}

/// The sum of a split with two leaves, and what its feature gains, a point.
#[inline(always)]
fn pair_again<L: Lanes, const Q: usize>(
    step: &Step,
    [first, above]: [L::Mask; 2],
    tables: &[f32],
    product: &[L; Q],
) -> ([L; Q], [L; Q]) {
    let table = &tables[step.table as usize..][..4 * Q];
    let (inside, inside_second) = (L::and(above, first), L::and_not(above, first));
    let expected = L::splat(step.second);
    let (mut values, mut parts) = ([expected; Q], [expected; Q]);
    for q in 0..Q {
        let [v_first, v_second, gain_first, gain_second] = entry::<L>(table, q);
        values[q] = L::select(inside, v_first, L::select(inside_second, v_second, expected));
        let gain = L::select(inside, gain_first, L::select_or_zero(inside_second, gain_second));
        parts[q] = product[q].mul(gain);
    }
    (values, parts)
}

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
}

impl<L: Lanes, const Q: usize> Stack<L, Q> {
    /// For walks of up to `n_levels`.
    #[inline(always)]
    pub(crate) fn new(n_levels: usize) -> Self {
        let zero = [L::splat(0.0); Q];
        let (product, first_factor, gain, first_sum) = (zero, zero, zero, zero);
        let level =
            Level { product, first_factor, gain, first_sum, inside: L::all(), inside_second: L::all() };
        Self { levels: vec![level; n_levels + 1] }
    }
}

/// Adds the values of all features to `sums`, `[used features]`, for the rows whose slots are `slots`, `[slots, lanes]`.
#[inline(always)]
pub(crate) fn walk<L: Lanes, const Q: usize>(
    walk: &Walk,
    scale: Scale,
    slots: &[f32],
    stack: &mut Stack<L, Q>,
    sums: &mut [L],
) {
    let at: [L; Q] = each!(L, Q, q => L::splat(walk.at[q]));
    let mut sum = [L::splat(0.0); Q];
    let mut depth = 0;
    let levels = stack.levels.as_mut_slice();
    levels[0].product = each!(L, Q, q => L::splat(walk.weights[q]));
    for step in &walk.steps {
        match step.kind {
            Kind::Enter => {
                let first = goes_first::<L>(step, scale, slots);
                enter(step, first, &at, levels, depth);
                depth += 1;
            }
            Kind::EnterAgain => {
                let first = goes_first::<L>(step, scale, slots);
                enter_again(step, first, &walk.tables, levels, depth);
                depth += 1;
            }
            Kind::Turn => turn(levels, depth - 1, sum),
            Kind::Leave | Kind::LeaveAgain | Kind::LeaveLeaf | Kind::LeaveLeafAgain => {
                depth -= 1;
                let level = &levels[depth];
                let is_leaf = matches!(step.kind, Kind::LeaveLeaf | Kind::LeaveLeafAgain);
                let leaf = [L::splat(step.second); Q];
                let (first, second) = if is_leaf { (sum, leaf) } else { (level.first_sum, sum) };
                let again = matches!(step.kind, Kind::LeaveAgain | Kind::LeaveLeafAgain);
                sum = leave(level, first, second, again, &mut sums[step.feature as usize]);
            }
            Kind::Pair => {
                let first = goes_first::<L>(step, scale, slots);
                let feature = &mut sums[step.feature as usize];
                sum = pair(step, first, &at, &levels[depth].product, feature);
            }
            Kind::PairAgain => {
                let first = goes_first::<L>(step, scale, slots);
                let above = levels[step.above as usize].inside;
                let feature = &mut sums[step.feature as usize];
                sum = pair_again(step, [first, above], &walk.tables, &levels[depth].product, feature);
            }
        }
    }
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

/// The sum of a split from those of its children; the feature gets its part.
#[inline(always)]
fn leave<L: Lanes, const Q: usize>(
    level: &Level<L, Q>,
    first: [L; Q],
    second: [L; Q],
    again: bool,
    feature: &mut L,
) -> [L; Q] {
    let difference: [L; Q] = each!(L, Q, q => first[q].sub(second[q]));
    let mut total = L::splat(0.0);
    for q in 0..Q {
        let product = if again { level.product[q].mul(level.gain[q]) } else { level.product[q] };
        total = product.mul_add(difference[q], total);
    }
    *feature = if again { feature.add(total) } else { level.gain[0].mul_add(total, *feature) };
    each!(L, Q, q => level.first_factor[q].mul_add(difference[q], second[q]))
}

#[inline(always)]
fn pair<L: Lanes, const Q: usize>(
    step: &Step,
    first: L::Mask,
    at: &[L; Q],
    product: &[L; Q],
    feature: &mut L,
) -> [L; Q] {
    let change = L::select(first, L::splat(step.change[0]), L::splat(step.change[1]));
    let mut total = product[0];
    for part in &product[1..] {
        total = total.add(*part);
    }
    *feature = change.mul_add(total, *feature);
    let expected = L::splat(step.second);
    each!(L, Q, q => at[q].mul_add(change, expected))
}

#[inline(always)]
fn pair_again<L: Lanes, const Q: usize>(
    step: &Step,
    [first, above]: [L::Mask; 2],
    tables: &[f32],
    product: &[L; Q],
    feature: &mut L,
) -> [L; Q] {
    let table = &tables[step.table as usize..][..4 * Q];
    let (inside, inside_second) = (L::and(above, first), L::and_not(above, first));
    let expected = L::splat(step.second);
    let mut total = *feature;
    let mut sum = [expected; Q];
    for q in 0..Q {
        let [v_first, v_second, gain_first, gain_second] = entry::<L>(table, q);
        sum[q] = L::select(inside, v_first, L::select(inside_second, v_second, expected));
        let gain = L::select(inside, gain_first, L::select_or_zero(inside_second, gain_second));
        total = product[q].mul_add(gain, total);
    }
    *feature = total;
    sum
}

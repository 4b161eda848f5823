//! Reductions along axes. A signal with length 1 along the reduced axes is enough: the driver repeats it.

use super::elementwise::flag;
use super::{PlainRule, each, only};
use crate::backward::{Signals, Step};
use crate::graph::{Attribute, Wire};
use crate::ops::reduction::reduced_axes;
use crate::tensor::Tensor;

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        "ReduceSum" => |s| {
            let axes = Axes::of(s)?;
            only(axes.gradient(s)?)
        },
        "ReduceMean" => |s| {
            let axes = Axes::of(s)?;
            let dy = axes.gradient(s)?;
            mean(s, &axes, dy)
        },
        "ReduceMax" | "ReduceMin" => extremum,
        "ReduceProd" => product,
        "ReduceL1" => |s| {
            let (axes, x) = (Axes::of(s)?, s.input(0)?);
            let (dy, sign) = (axes.gradient(s)?, s.sign(x));
            only(s.mul(dy, sign))
        },
        "ReduceL2" => l2,
        "ReduceSumSquare" => |s| {
            let (axes, x) = (Axes::of(s)?, s.input(0)?);
            let dy = axes.gradient(s)?;
            let twice = s.mul_scalar(dy, 2.0);
            only(s.mul(twice, x))
        },
        // 1/Σx = e^(−y)
        "ReduceLogSum" => |s| {
            let axes = Axes::of(s)?;
            let (dy, y) = (axes.gradient(s)?, axes.output(s)?);
            let minus = s.neg(y);
            let inverse = s.exp(minus);
            only(s.mul(dy, inverse))
        },
        "ReduceLogSumExp" => log_sum_exp,
        "CumSum" => cum_sum,
        _ => return None,
    })
}

/// Over what a reduction runs.
struct Axes {
    axes: Vec<i64>,
    kept: bool,
}

impl Axes {
    fn of(s: &Step<'_>) -> Result<Self, String> {
        let rank = s.known_rank(s.input(0)?)?;
        let given = match s.optional_input(1) {
            Some(wire) => Some(s.constant(wire).ok_or("its axes are known only at run time")?.to_i64s()),
            None => None,
        };
        let noop = s.at().int("noop_with_empty_axes").unwrap_or(0) != 0;
        let axes = reduced_axes(given.as_deref(), noop, rank)?;
        let kept = s.at().int("keepdims").unwrap_or(1) != 0;
        Ok(Self { axes: axes.into_iter().map(|axis| axis as i64).collect(), kept })
    }

    /// What the reduction made or what arrived there, with length 1 along the reduced axes.
    fn keeping(&self, s: &mut Step<'_>, wire: Wire) -> Wire {
        if self.kept || self.axes.is_empty() { wire } else { s.unsqueeze(wire, &self.axes) }
    }

    fn gradient(&self, s: &mut Step<'_>) -> Result<Wire, String> {
        let dy = s.gradient()?;
        Ok(self.keeping(s, dy))
    }

    fn output(&self, s: &mut Step<'_>) -> Result<Wire, String> {
        let y = s.output(0)?;
        Ok(self.keeping(s, y))
    }

    /// The number of elements in each group: a constant where the lengths are known, else taken at run time.
    fn group_size(&self, s: &mut Step<'_>, x: Wire, like: Wire) -> Wire {
        let shape = s.shape(x).unwrap_or_default().to_vec();
        let known: Option<usize> = self.axes.iter().map(|axis| shape[*axis as usize].known()).product();
        if let Some(n) = known {
            return s.scalar(n as f64, like);
        }
        let reduced: Vec<bool> = (0..shape.len() as i64).map(|axis| self.axes.contains(&axis)).collect();
        let reduced = s.add_constant("reduced", Tensor::bool(&[reduced.len()], reduced));
        let lengths = s.shape_of(x);
        let one = s.scalar(1.0, lengths);
        let lengths = s.select(reduced, lengths, one);
        let size = s.node("ReduceProd", &[lengths], &[("keepdims", flag(false))]);
        s.cast_like(size, like)
    }
}

fn mean(s: &mut Step<'_>, axes: &Axes, dy: Wire) -> Signals {
    let x = s.input(0)?;
    let size = axes.group_size(s, x, dy);
    only(s.div(dy, size))
}

/// In equal parts to all elements of a group that are its largest (smallest).
fn extremum(s: &mut Step<'_>) -> Signals {
    let (axes, x) = (Axes::of(s)?, s.input(0)?);
    let (dy, y) = (axes.gradient(s)?, axes.output(s)?);
    let chosen = s.equal(x, y);
    let count = s.cast_like(chosen, dy);
    let n_chosen = s.reduce_sum(count, &axes.axes, true);
    let share = s.div(dy, n_chosen);
    only(s.keep_where(chosen, share))
}

/// The product of all the others: of the nonzero elements, divided by `x` itself unless that is 0; and 0 where another
/// one is 0.
fn product(s: &mut Step<'_>) -> Signals {
    let (axes, x) = (Axes::of(s)?, s.input(0)?);
    let dy = axes.gradient(s)?;
    let (zero, one) = (s.scalar(0.0, x), s.scalar(1.0, x));
    let vanishes = s.equal(x, zero);
    let divisor = s.select(vanishes, one, x);
    let of_nonzero = s.reduce("ReduceProd", divisor, &axes.axes, true);
    let vanishing = s.cast_like(vanishes, x);
    let n_vanishing = s.reduce_sum(vanishing, &axes.axes, true);
    let n_others = s.sub(n_vanishing, vanishing);
    let no_other = s.less_scalar(n_others, 0.5);
    let scaled = s.mul(dy, of_nonzero);
    let slope = s.div(scaled, divisor);
    only(s.keep_where(no_other, slope))
}

/// `x / y`, and 0 at the zero vector.
fn l2(s: &mut Step<'_>) -> Signals {
    let (axes, x) = (Axes::of(s)?, s.input(0)?);
    let (dy, y) = (axes.gradient(s)?, axes.output(s)?);
    let (defined, ratio) = (s.greater_scalar(y, 0.0), s.div(dy, y));
    let ratio = s.keep_where(defined, ratio);
    only(s.mul(ratio, x))
}

/// The softmax. Not as `e^(x − y)`: in f32 the difference of large numbers has lost its digits.
fn log_sum_exp(s: &mut Step<'_>) -> Signals {
    let (axes, x) = (Axes::of(s)?, s.input(0)?);
    let dy = axes.gradient(s)?;
    if let [axis] = axes.axes[..] {
        let share = s.node("Softmax", &[x], &[("axis", Attribute::Int(axis))]);
        return only(s.mul(dy, share));
    }
    let largest = s.reduce("ReduceMax", x, &axes.axes, true);
    let below = s.sub(x, largest);
    let power = s.exp(below);
    let sum = s.reduce_sum(power, &axes.axes, true);
    let share = s.div(power, sum);
    only(s.mul(dy, share))
}

/// The sums from the other end.
fn cum_sum(s: &mut Step<'_>) -> Signals {
    let (dy, axis) = (s.gradient()?, s.input(1)?);
    let on = |name: &str| s.at().int(name).unwrap_or(0) != 0;
    let attributes: [(&str, Attribute); 2] =
        [("reverse", flag(!on("reverse"))), ("exclusive", flag(on("exclusive")))];
    let dx = s.node("CumSum", &[dy, axis], &attributes);
    each([Some(dx)])
}

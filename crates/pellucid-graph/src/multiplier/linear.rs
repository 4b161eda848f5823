//! Linear ops have the gradient's rules. Where an op is quadratic, a product above all, the multipliers are the
//! gradient in the middle between input and baseline: `Δ(a b) = Δa (b + b′)/2 + Δb (a + a′)/2`, exactly, and in equal
//! parts of what the two bring about together.

use super::{PlainRule, changing_inputs, difference, middle, quotient_or};
use crate::backward::{Signal, Signals, Step};
use crate::gradient::{each, find, where_signal};
use crate::graph::Wire;

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        "Identity" | "Dropout" | "Cast" | "CastLike" | "Neg" | "Add" | "Sum" | "Mean" | "Sub" | "Reshape"
        | "Flatten" | "Squeeze" | "Unsqueeze" | "Transpose" | "DepthToSpace" | "Concat" | "Split"
        | "Expand" | "Tile" | "Pad" | "Slice" | "Gather" | "GatherElements" | "GatherND"
        | "ScatterElements" | "ScatterND" | "Trilu" | "ReduceSum" | "ReduceMean" | "CumSum"
        | "AveragePool" | "GlobalAveragePool" | "Resize" | "EyeLike" | "DequantizeLinear" => as_gradient,
        "BatchNormalization" => |s| match changing_inputs(s)?.as_slice() {
            [0] => as_gradient(s),
            _ => Err("its moments depend on the explained input".to_owned()),
        },
        "Mul" | "MatMul" | "Gemm" | "Conv" | "ConvTranspose" | "ReduceSumSquare" => in_the_middle,
        "Div" => div,
        "Where" => choice,
        _ => return None,
    })
}

/// The gradient's rule at the input.
pub(super) fn as_gradient(s: &mut Step<'_>) -> Signals {
    let rule = find(&s.at().op).ok_or("the gradient table has no rule for it")?;
    rule(s)
}

/// The gradient's rule with the means of input and baseline for its operands.
pub(super) fn in_the_middle(s: &mut Step<'_>) -> Signals {
    let rule = find(&s.at().op).ok_or("the gradient table has no rule for it")?;
    let node = s.at();
    let mut inputs = Vec::with_capacity(node.inputs.len());
    for wire in &node.inputs {
        inputs.push(match wire {
            Some(wire) => Some(middle(s, *wire)?),
            None => None,
        });
    }
    let signals: Vec<Option<Signal>> = (0..node.outputs.len()).map(|i| s.signal(i)).collect();
    s.elsewhere(rule, inputs, node.outputs.clone(), &signals)
}

/// `a / b` as the product of `a` and `1/b`, whose own multiplier is `−1 / (b b′)`.
fn div(s: &mut Step<'_>) -> Signals {
    let (g, a, b) = (s.gradient()?, s.input(0)?, s.input(1)?);
    if !s.changes(b)? {
        return as_gradient(s);
    }
    let b_twin = s.twin(b)?;
    let (inverse, inverse_twin) = (s.reciprocal(b), s.reciprocal(b_twin));
    let da = s.needs(0).then(|| {
        let sum = s.add(inverse, inverse_twin);
        let mean = s.mul_scalar(sum, 0.5);
        let product = s.mul(g, mean);
        where_signal(s, g, product)
    });
    let a = middle(s, a)?;
    let db = s.needs(1).then(|| {
        let slope = s.mul(inverse, inverse_twin);
        let scaled = s.mul(a, slope);
        let product = s.mul(g, scaled);
        let product = s.neg(product);
        where_signal(s, g, product)
    });
    each([da, db])
}

/// Where the same branch is taken at both ends, it has the multiplier; where another one is, the difference between
/// them is shared by the branches in proportion to their own: `m_a = Δy Δa / (Δa² + Δb²)`, the smallest multipliers
/// that add up.
fn choice(s: &mut Step<'_>) -> Signals {
    let (g, condition) = (s.gradient()?, s.input(0)?);
    let zero = s.scalar(0.0, g);
    let kept = [s.select(condition, g, zero), s.select(condition, zero, g)];
    let condition_twin = s.twin(condition)?;
    if condition_twin == condition {
        return each([None, s.needs(1).then_some(kept[0]), s.needs(2).then_some(kept[1])]);
    }
    let own = |s: &mut Step<'_>, i: usize| match s.needs(i) {
        true => s.input(i).and_then(|branch| finite_difference(s, branch)).map(Some),
        false => Ok(None),
    };
    let differences = [own(s, 1)?, own(s, 2)?];
    let y = s.output(0)?;
    let moved = difference(s, y)?;
    let switched = s.node("Xor", &[condition, condition_twin], &[]);
    let shares = least_shares(s, g, moved, differences);
    let signal = |s: &mut Step<'_>, i: usize| shares[i].map(|share| s.select(switched, share, kept[i]));
    each([None, signal(s, 0), signal(s, 1)])
}

/// `Δ`, and 0 where it is no finite number: what a choice did not take need not be one.
fn finite_difference(s: &mut Step<'_>, x: Wire) -> Result<Wire, String> {
    let difference = difference(s, x)?;
    let size = s.abs(difference);
    let finite = s.less_scalar(size, f64::from(f32::MAX));
    Ok(s.keep_where(finite, difference))
}

/// `g Δy Δᵢ / Σ Δ²` for each difference that there is, 0 where all are 0.
fn least_shares(s: &mut Step<'_>, g: Wire, moved: Wire, differences: [Option<Wire>; 2]) -> [Option<Wire>; 2] {
    let squares: Vec<Wire> = differences.into_iter().flatten().map(|d| s.mul(d, d)).collect();
    let Some((first, rest)) = squares.split_first() else { return [None; 2] };
    let sum = rest.iter().fold(*first, |sum, square| s.add(sum, *square));
    let zero = s.scalar(0.0, sum);
    let still = s.equal(sum, zero);
    let amount = s.mul(g, moved);
    let unit = quotient_or(s, amount, sum, still, zero);
    differences.map(|difference| difference.map(|difference| s.mul(unit, difference)))
}

//! Element by element: arithmetic, choices, conversions. Ties and kinks are listed in `docs/ties.md`.

use super::{PlainRule, each, only};
use crate::backward::{Signals, Step};
use crate::graph::{Attribute, Wire};

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        "Identity" | "Dropout" => |s| only(s.gradient()?),
        "Cast" | "CastLike" => |s| {
            let (dy, x) = (s.gradient()?, s.input(0)?);
            // What is quantized has signals of floats.
            only(if s.element(x).is_float() { s.cast_like(dy, x) } else { dy })
        },
        "Neg" => |s| {
            let dy = s.gradient()?;
            only(s.neg(dy))
        },
        "Add" | "Sum" => |s| {
            let dy = s.gradient()?;
            Ok(vec![Some(dy.into()); s.at().inputs.len()])
        },
        "Mean" => |s| {
            let (dy, n) = (s.gradient()?, s.at().inputs.len());
            let share = s.mul_scalar(dy, 1.0 / n as f64);
            Ok(vec![Some(share.into()); n])
        },
        "Sub" => |s| {
            let dy = s.gradient()?;
            each([Some(dy), s.needs(1).then(|| s.neg(dy))])
        },
        "Mul" => |s| {
            let (dy, a, b) = (s.gradient()?, s.input(0)?, s.input(1)?);
            each([s.needs(0).then(|| s.mul(dy, b)), s.needs(1).then(|| s.mul(dy, a))])
        },
        "Div" => div,
        "Mod" => modulo,
        "Pow" => pow,
        "Max" | "Min" => |s| {
            let (dy, y) = (s.gradient()?, s.output(0)?);
            let candidates: Vec<Wire> = s.at().inputs.iter().flatten().copied().collect();
            let shares = split_among_chosen(s, &candidates, y, dy);
            Ok(shares.into_iter().map(|share| Some(share.into())).collect())
        },
        "Clip" => clip,
        "Where" => |s| {
            let (dy, condition) = (s.gradient()?, s.input(0)?);
            let zero = s.scalar(0.0, dy);
            each([
                None,
                s.needs(1).then(|| s.select(condition, dy, zero)),
                s.needs(2).then(|| s.select(condition, zero, dy)),
            ])
        },
        // Constant between the jumps.
        "Sign" | "Floor" | "Ceil" | "Round" | "Hardmax" => |_| Ok(Vec::new()),
        _ => return analytic(op),
    })
}

/// Functions of one number whose derivative is a formula.
fn analytic(op: &str) -> Option<PlainRule> {
    Some(match op {
        // 0 at 0, as `Sign` is.
        "Abs" => |s| {
            let (dy, x) = (s.gradient()?, s.input(0)?);
            let sign = s.sign(x);
            only(s.mul(dy, sign))
        },
        // 1/x' = -y²
        "Reciprocal" => |s| {
            let (dy, y) = (s.gradient()?, s.output(0)?);
            let square = s.mul(y, y);
            let product = s.mul(dy, square);
            let dx = s.neg(product);
            only(where_signal(s, dy, dx))
        },
        // √x' = 1 / (2 y)
        "Sqrt" => |s| {
            let (dy, y) = (s.gradient()?, s.output(0)?);
            let twice = s.mul_scalar(y, 2.0);
            let dx = s.div(dy, twice);
            only(where_signal(s, dy, dx))
        },
        "Exp" => |s| {
            let (dy, y) = (s.gradient()?, s.output(0)?);
            let dx = s.mul(dy, y);
            only(where_signal(s, dy, dx))
        },
        "Log" => |s| {
            let (dy, x) = (s.gradient()?, s.input(0)?);
            let dx = s.div(dy, x);
            only(where_signal(s, dy, dx))
        },
        _ => return trigonometric(op),
    })
}

/// `dx`, and 0 where no signal arrived: the branch that a `Where` did not take must not send `0 · ∞`.
pub(crate) fn where_signal(s: &mut Step<'_>, dy: Wire, dx: Wire) -> Wire {
    let zero = s.scalar(0.0, dy);
    let silent = s.equal(dy, zero);
    s.select(silent, zero, dx)
}

fn trigonometric(op: &str) -> Option<PlainRule> {
    Some(match op {
        "Sin" => |s| {
            let (dy, x) = (s.gradient()?, s.input(0)?);
            let cos = s.node("Cos", &[x], &[]);
            only(s.mul(dy, cos))
        },
        "Cos" => |s| {
            let (dy, x) = (s.gradient()?, s.input(0)?);
            let sin = s.node("Sin", &[x], &[]);
            let product = s.mul(dy, sin);
            only(s.neg(product))
        },
        // tan' = 1 + tan²
        "Tan" => |s| {
            let (dy, y) = (s.gradient()?, s.output(0)?);
            let derivative = square_plus(s, y, 1.0, 1.0);
            only(s.mul(dy, derivative))
        },
        "Asin" => |s| over_root(s, -1.0, 1.0),
        "Acos" => |s| {
            let dy = s.gradient()?;
            let root = root_of_square_plus(s, -1.0, 1.0)?;
            let quotient = s.div(dy, root);
            let dx = s.neg(quotient);
            only(where_signal(s, dy, dx))
        },
        "Atan" => |s| {
            let (dy, x) = (s.gradient()?, s.input(0)?);
            let denominator = square_plus(s, x, 1.0, 1.0);
            only(s.div(dy, denominator))
        },
        "Sinh" => |s| {
            let (dy, x) = (s.gradient()?, s.input(0)?);
            let cosh = s.node("Cosh", &[x], &[]);
            only(s.mul(dy, cosh))
        },
        "Cosh" => |s| {
            let (dy, x) = (s.gradient()?, s.input(0)?);
            let sinh = s.node("Sinh", &[x], &[]);
            only(s.mul(dy, sinh))
        },
        "Asinh" => |s| over_root(s, 1.0, 1.0),
        "Acosh" => |s| over_root(s, 1.0, -1.0),
        "Atanh" => |s| {
            let (dy, x) = (s.gradient()?, s.input(0)?);
            let denominator = square_plus(s, x, -1.0, 1.0);
            let dx = s.div(dy, denominator);
            only(where_signal(s, dy, dx))
        },
        _ => return None,
    })
}

/// `factor x² + term`
pub(super) fn square_plus(s: &mut Step<'_>, x: Wire, factor: f64, term: f64) -> Wire {
    let mut square = s.mul(x, x);
    if factor != 1.0 {
        square = s.mul_scalar(square, factor);
    }
    s.add_scalar(square, term)
}

fn root_of_square_plus(s: &mut Step<'_>, factor: f64, term: f64) -> Result<Wire, String> {
    let x = s.input(0)?;
    let radicand = square_plus(s, x, factor, term);
    Ok(s.sqrt(radicand))
}

/// `dy / √(factor x² + term)`
fn over_root(s: &mut Step<'_>, factor: f64, term: f64) -> Signals {
    let dy = s.gradient()?;
    let root = root_of_square_plus(s, factor, term)?;
    let dx = s.div(dy, root);
    only(where_signal(s, dy, dx))
}

/// `da = dy / b`, `db = -dy (y / b)`
fn div(s: &mut Step<'_>) -> Signals {
    let (dy, b, y) = (s.gradient()?, s.input(1)?, s.output(0)?);
    let da = s.needs(0).then(|| {
        let da = s.div(dy, b);
        // A constant divisor is a scale: the model itself would fail on a 0.
        if s.constant(b).is_some() { da } else { where_signal(s, dy, da) }
    });
    let db = s.needs(1).then(|| {
        let slope = s.div(y, b);
        let product = s.mul(dy, slope);
        let db = s.neg(product);
        where_signal(s, dy, db)
    });
    each([da, db])
}

/// `a mod b = a − b q` with the quotient `q` rounded, a constant between its jumps.
fn modulo(s: &mut Step<'_>) -> Signals {
    let (dy, a, b) = (s.gradient()?, s.input(0)?, s.input(1)?);
    let towards_zero = s.at().int("fmod").unwrap_or(0) != 0;
    let db = s.needs(1).then(|| {
        let quotient = s.div(a, b);
        let rounded = if towards_zero { truncated(s, quotient) } else { s.node("Floor", &[quotient], &[]) };
        let product = s.mul(dy, rounded);
        s.neg(product)
    });
    each([Some(dy), db])
}

fn truncated(s: &mut Step<'_>, x: Wire) -> Wire {
    let (sign, size) = (s.sign(x), s.abs(x));
    let floor = s.node("Floor", &[size], &[]);
    s.mul(sign, floor)
}

/// `da = dy b a^(b−1)`, `db = dy y ln a`; exactly 0 where PyTorch says so (`docs/ties.md`), not `0 · ∞`.
fn pow(s: &mut Step<'_>) -> Signals {
    let (dy, a, b, y) = (s.gradient()?, s.input(0)?, s.input(1)?, s.output(0)?);
    let exponent = s.constant(b).filter(|tensor| tensor.len() == 1).map(|tensor| tensor.to_f64s()[0]);
    let da = match exponent {
        _ if !s.needs(0) => None,
        Some(exponent) => pow_by_number(s, dy, a, exponent),
        None => {
            let b = s.cast_like(b, a);
            let less_one = s.add_scalar(b, -1.0);
            let power = s.pow(a, less_one);
            let slope = s.mul(b, power);
            let product = s.mul(dy, slope);
            let product = where_signal(s, dy, product);
            let zero = s.scalar(0.0, b);
            let constant = s.equal(b, zero);
            Some(s.select(constant, zero, product))
        }
    };
    let db = s.needs(1).then(|| {
        let log = s.log(a);
        let slope = s.mul(y, log);
        let product = s.mul(dy, slope);
        let product = where_signal(s, dy, product);
        let (zero, zero_b) = (s.scalar(0.0, a), s.scalar(0.0, b));
        let (no_base, defined) = (s.equal(a, zero), s.node("GreaterOrEqual", &[b, zero_b], &[]));
        let flat = s.and(no_base, defined);
        let db = s.select(flat, zero, product);
        s.cast_like(db, b)
    });
    each([da, db])
}

fn pow_by_number(s: &mut Step<'_>, dy: Wire, a: Wire, exponent: f64) -> Option<Wire> {
    if exponent == 0.0 {
        return None;
    }
    if exponent == 1.0 {
        return Some(dy);
    }
    if exponent == 2.0 {
        let slope = s.mul_scalar(a, 2.0);
        return Some(s.mul(dy, slope));
    }
    let less_one = s.scalar(exponent - 1.0, a);
    let power = s.pow(a, less_one);
    let slope = s.mul_scalar(power, exponent);
    let product = s.mul(dy, slope);
    Some(where_signal(s, dy, product))
}

/// `dy` in equal parts to all candidates that are equal to the chosen `y`, 0 to the others.
fn split_among_chosen(s: &mut Step<'_>, candidates: &[Wire], y: Wire, dy: Wire) -> Vec<Wire> {
    if let [only] = candidates {
        debug_assert_eq!(s.rank(*only), s.rank(y));
        return vec![dy];
    }
    let chosen: Vec<Wire> = candidates.iter().map(|candidate| s.equal(*candidate, y)).collect();
    let counts: Vec<Wire> = chosen.iter().map(|chosen| s.cast_like(*chosen, dy)).collect();
    let n_chosen = counts[1..].iter().fold(counts[0], |sum, count| s.add(sum, *count));
    let share = s.div(dy, n_chosen);
    chosen.iter().map(|chosen| s.keep_where(*chosen, share)).collect()
}

/// 0 outside constant bounds and on them; computed bounds share with `x` where they meet, as in `Max` and `Min`.
fn clip(s: &mut Step<'_>) -> Signals {
    let (dy, x) = (s.gradient()?, s.input(0)?);
    let (low, high) = (s.optional_input(1), s.optional_input(2));
    if [low, high].into_iter().flatten().any(|bound| s.constant(bound).is_none()) {
        return clip_by_computed(s, dy, x, low, high);
    }
    let above = low.map(|low| s.greater(x, low));
    let below = high.map(|high| s.less(x, high));
    let inside = match (above, below) {
        (Some(above), Some(below)) => s.and(above, below),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => return only(dy),
    };
    only(s.keep_where(inside, dy))
}

fn clip_by_computed(s: &mut Step<'_>, dy: Wire, x: Wire, low: Option<Wire>, high: Option<Wire>) -> Signals {
    let raised = low.map_or(x, |low| s.node("Max", &[x, low], &[]));
    let (mut dx, mut d_low, mut d_high) = (dy, None, None);
    if let Some(high) = high {
        let y = s.output(0)?;
        let shares = split_among_chosen(s, &[raised, high], y, dx);
        (dx, d_high) = (shares[0], Some(shares[1]));
    }
    if let Some(low) = low {
        let shares = split_among_chosen(s, &[x, low], raised, dx);
        (dx, d_low) = (shares[0], Some(shares[1]));
    }
    each([Some(dx), d_low, d_high])
}

/// A float attribute of the node or the op's default.
pub(crate) fn setting(s: &Step<'_>, name: &str, default: f32) -> f64 {
    crate::ops::activation::setting(s.at(), name, default)
}

/// An integer attribute for a node to emit.
pub(super) fn flag(on: bool) -> Attribute {
    Attribute::Int(on.into())
}

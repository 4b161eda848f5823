//! Activation functions. Where the output is known, the derivative is written with it.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use super::elementwise::{setting, square_plus};
use super::{PlainRule, each, only};
use crate::backward::{Signals, Step};
use crate::graph::Wire;

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        "Relu" => |s| {
            let (dy, x) = (s.gradient()?, s.input(0)?);
            let positive = s.greater_scalar(x, 0.0);
            only(s.keep_where(positive, dy))
        },
        "LeakyRelu" => |s| {
            let (dy, x) = (s.gradient()?, s.input(0)?);
            let alpha = setting(s, "alpha", 0.01);
            let (positive, leak) = (s.greater_scalar(x, 0.0), s.mul_scalar(dy, alpha));
            only(s.select(positive, dy, leak))
        },
        "PRelu" => prelu,
        // α eˣ = y + α below 0
        "Elu" => |s| {
            let (dy, x, y) = (s.gradient()?, s.input(0)?, s.output(0)?);
            let alpha = setting(s, "alpha", 1.0);
            let slope = s.add_scalar(y, alpha);
            let (positive, below) = (s.greater_scalar(x, 0.0), s.mul(dy, slope));
            only(s.select(positive, dy, below))
        },
        "Softplus" => |s| {
            let (dy, x) = (s.gradient()?, s.input(0)?);
            let slope = s.sigmoid(x);
            only(s.mul(dy, slope))
        },
        // σ' = y (1 − y)
        "Sigmoid" => |s| {
            let (dy, y) = (s.gradient()?, s.output(0)?);
            let one = s.scalar(1.0, y);
            let rest = s.sub(one, y);
            let slope = s.mul(y, rest);
            only(s.mul(dy, slope))
        },
        // tanh' = 1 − y²
        "Tanh" => |s| {
            let (dy, y) = (s.gradient()?, s.output(0)?);
            let slope = square_plus(s, y, -1.0, 1.0);
            only(s.mul(dy, slope))
        },
        "HardSigmoid" => |s| {
            let (dy, y) = (s.gradient()?, s.output(0)?);
            let alpha = setting(s, "alpha", 0.2);
            let (above, below) = (s.greater_scalar(y, 0.0), s.less_scalar(y, 1.0));
            let (inside, slope) = (s.and(above, below), s.mul_scalar(dy, alpha));
            only(s.keep_where(inside, slope))
        },
        // erf' = 2/√π e^(−x²)
        "Erf" => |s| {
            let (dy, x) = (s.gradient()?, s.input(0)?);
            let bell = bell(s, x, 1.0, 2.0 / PI.sqrt());
            only(s.mul(dy, bell))
        },
        "Gelu" => gelu,
        _ => return None,
    })
}

/// `height e^(−x² rate)`
fn bell(s: &mut Step<'_>, x: Wire, rate: f64, height: f64) -> Wire {
    let square = s.mul(x, x);
    let exponent = s.mul_scalar(square, -rate);
    let bell = s.exp(exponent);
    s.mul_scalar(bell, height)
}

/// `dx = dy` or `slope dy`, `d slope = 0` or `x dy`.
fn prelu(s: &mut Step<'_>) -> Signals {
    let (dy, x, slope) = (s.gradient()?, s.input(0)?, s.input(1)?);
    let positive = s.greater_scalar(x, 0.0);
    let dx = s.needs(0).then(|| {
        let leak = s.mul(dy, slope);
        s.select(positive, dy, leak)
    });
    let d_slope = s.needs(1).then(|| {
        let (zero, product) = (s.scalar(0.0, x), s.mul(dy, x));
        s.select(positive, zero, product)
    });
    each([dx, d_slope])
}

fn gelu(s: &mut Step<'_>) -> Signals {
    let (dy, x) = (s.gradient()?, s.input(0)?);
    let slope = match s.at().string("approximate").unwrap_or("none") {
        "tanh" => gelu_tanh_slope(s, x),
        _ => gelu_slope(s, x),
    };
    only(s.mul(dy, slope))
}

/// `Φ(x) + x φ(x)`, the normal distribution and its density.
fn gelu_slope(s: &mut Step<'_>, x: Wire) -> Wire {
    let scaled = s.mul_scalar(x, FRAC_1_SQRT_2);
    let erf = s.erf(scaled);
    let half_erf = s.mul_scalar(erf, 0.5);
    let distribution = s.add_scalar(half_erf, 0.5);
    let density = bell(s, x, 0.5, 1.0 / (2.0 * PI).sqrt());
    let x_density = s.mul(x, density);
    s.add(distribution, x_density)
}

/// With `u = √(2/π) (x + c x³)`, `t = tanh u`: `(1 + t)/2 + x (1 − t²) u' / 2`.
fn gelu_tanh_slope(s: &mut Step<'_>, x: Wire) -> Wire {
    const CUBIC: f64 = 0.044715;
    let rate = (2.0 / PI).sqrt();
    let factor = square_plus(s, x, rate * CUBIC, rate);
    let inner = s.mul(x, factor);
    let tanh = s.tanh(inner);
    let half_tanh = s.mul_scalar(tanh, 0.5);
    let half = s.add_scalar(half_tanh, 0.5);
    let bend = square_plus(s, tanh, -0.5, 0.5);
    let inner_slope = square_plus(s, x, 3.0 * rate * CUBIC, rate);
    let x_bend = s.mul(x, bend);
    let second = s.mul(x_bend, inner_slope);
    s.add(half, second)
}

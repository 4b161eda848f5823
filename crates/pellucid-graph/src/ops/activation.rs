//! Activation functions, element by element.

use super::elementwise::{larger, map_floats, same, smaller};
use super::{Broadcast, Call, Op};
use crate::graph::Node;
use crate::tensor::Tensor;

macro_rules! activation {
    ($name:literal, $f:expr) => {
        Op { name: $name, infer: same, evaluate: |c| map_floats(c, $f) }
    };
    ($name:literal, [$($attribute:literal = $default:expr),+], $make:expr) => {
        Op {
            name: $name,
            infer: same,
            evaluate: |c| {
                let make = $make;
                map_floats(c, make($(setting(c.node, $attribute, $default)),+))
            },
        }
    };
}

pub(super) const OPS: &[Op] = &[
    activation!("Relu", |x| larger(x, 0.0)),
    activation!("LeakyRelu", ["alpha" = 0.01], |alpha| move |x| if x < 0.0 { alpha * x } else { x }),
    Op { name: "PRelu", infer: same, evaluate: prelu },
    activation!("Elu", ["alpha" = 1.0], |alpha| move |x| elu(x, alpha)),
    activation!("Selu", ["alpha" = SELU_ALPHA, "gamma" = SELU_GAMMA], |alpha, gamma: f64| {
        move |x| gamma * elu(x, alpha)
    }),
    activation!("Celu", ["alpha" = 1.0], |alpha| move |x| alpha * elu(x / alpha, 1.0)),
    activation!("Softplus", softplus),
    activation!("Softsign", |x| x / (1.0 + x.abs())),
    activation!("Sigmoid", sigmoid),
    activation!("HardSigmoid", ["alpha" = 0.2, "beta" = 0.5], |alpha, beta| {
        move |x| smaller(larger(alpha * x + beta, 0.0), 1.0)
    }),
    activation!("HardSwish", |x| x * smaller(larger(x / 6.0 + 0.5, 0.0), 1.0)),
    activation!("Mish", |x| x * softplus(x).tanh()),
    activation!("Swish", ["alpha" = 1.0], |alpha: f64| move |x| x * sigmoid(alpha * x)),
    activation!("Tanh", f64::tanh),
    activation!("Erf", libm::erf),
    Op { name: "Gelu", infer: same, evaluate: gelu },
    activation!("ThresholdedRelu", ["alpha" = 1.0], |alpha| move |x| if x > alpha { x } else { 0.0 }),
];

/// The published constants of Selu, as ONNX rounds them.
pub(crate) const SELU_ALPHA: f32 = 1.673_263_2;
/// See [`SELU_ALPHA`].
pub(crate) const SELU_GAMMA: f32 = 1.050_701;

/// A float attribute or the op's default, which runtimes hold in f32.
pub(crate) fn setting(node: &Node, name: &str, default: f32) -> f64 {
    node.float(name).unwrap_or(f64::from(default))
}

fn elu(x: f64, alpha: f64) -> f64 {
    if x < 0.0 { alpha * x.exp_m1() } else { x }
}

/// `ln(1 + eˣ)` without overflow.
fn softplus(x: f64) -> f64 {
    larger(x, 0.0) + (-x.abs()).exp().ln_1p()
}

/// `1 / (1 + e⁻ˣ)` without overflow, exact near 0 and 1.
fn sigmoid(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    if x >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

fn prelu(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let plan = Broadcast::new(&[call.shape(0)?, call.shape(1)?])?;
    if plan.shape != call.shape(0)? {
        return Err(format!("slope {:?} does not broadcast to {:?}", call.shape(1)?, call.shape(0)?));
    }
    let y = plan.zip(call.floats(0)?, call.floats(1)?, |x, slope| if x < 0.0 { slope * x } else { x });
    Ok(vec![Tensor::f64(&plan.shape, y)])
}

fn gelu(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    match call.node.string("approximate").unwrap_or("none") {
        "none" => map_floats(call, |x| 0.5 * x * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)),
        "tanh" => map_floats(call, |x| {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x);
            0.5 * x * (1.0 + inner.tanh())
        }),
        other => Err(format!("approximate = {other:?} is neither none nor tanh")),
    }
}

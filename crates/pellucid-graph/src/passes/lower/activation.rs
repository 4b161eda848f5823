//! Activations as formulas of the common ones.

use super::{Lowering, input};
use crate::ops::activation::{SELU_ALPHA, SELU_GAMMA, setting};

pub(super) fn lowering(op: &str) -> Option<Lowering> {
    Some(match op {
        // α elu(x/α)
        "Celu" => |g, node| {
            let (x, alpha) = (input(node, 0)?, setting(node, "alpha", 1.0));
            let scaled = g.mul_scalar(x, 1.0 / alpha);
            let elu = g.node("Elu", &[scaled], &[]);
            Ok(vec![g.mul_scalar(elu, alpha)])
        },
        // γ elu(x; α)
        "Selu" => |g, node| {
            let (alpha, gamma) = (setting(node, "alpha", SELU_ALPHA), setting(node, "gamma", SELU_GAMMA));
            let elu = g.node("Elu", &[input(node, 0)?], &[("alpha", (alpha as f32).into())]);
            Ok(vec![g.mul_scalar(elu, gamma)])
        },
        // x / (1 + |x|)
        "Softsign" => |g, node| {
            let x = input(node, 0)?;
            let size = g.abs(x);
            let denominator = g.add_scalar(size, 1.0);
            Ok(vec![g.div(x, denominator)])
        },
        "HardSwish" => |g, node| {
            let x = input(node, 0)?;
            let gate = g.node("HardSigmoid", &[x], &[("alpha", (1.0f32 / 6.0).into()), ("beta", 0.5.into())]);
            Ok(vec![g.mul(x, gate)])
        },
        // x tanh(softplus x)
        "Mish" => |g, node| {
            let x = input(node, 0)?;
            let softplus = g.node("Softplus", &[x], &[]);
            let gate = g.tanh(softplus);
            Ok(vec![g.mul(x, gate)])
        },
        // x σ(α x)
        "Swish" => |g, node| {
            let (x, alpha) = (input(node, 0)?, setting(node, "alpha", 1.0));
            let scaled = if alpha == 1.0 { x } else { g.mul_scalar(x, alpha) };
            let gate = g.sigmoid(scaled);
            Ok(vec![g.mul(x, gate)])
        },
        "ThresholdedRelu" => |g, node| {
            let x = input(node, 0)?;
            let above = g.greater_scalar(x, setting(node, "alpha", 1.0));
            Ok(vec![g.keep_where(above, x)])
        },
        _ => return None,
    })
}

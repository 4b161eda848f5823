//! Normalizations as what they are made of: `x̂ = d r` with the deviation `d = x − μ`, `r = 1/σ`, `σ = √(mean(d²) + ε)`.
//! The product has the gradient in the middle, the square too, `√v` has `1/(σ + σ′)` and `1/σ` has `−r r′`. Put together,
//! with `g = m_y γ`, `D = d + d′`, `R = r + r′`, over each group
//! `m_d = ½ (g R − D mean(g D) (r r′)² / R)` and `m_x = m_d − mean(m_d)`: written out or fused, it is the same.

use super::PlainRule;
use crate::backward::{Signals, Step};
use crate::gradient::only;
use crate::graph::Wire;
use crate::ops::normalization::epsilon;
use crate::ops::resolve_axis;

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        "LayerNormalization" => |s| {
            if s.signal(1).is_some() || s.signal(2).is_some() {
                return Err("multipliers through its mean and deviation outputs are not supported".to_owned());
            }
            over_last_axes(s, true)
        },
        "RMSNormalization" => |s| over_last_axes(s, false),
        "InstanceNormalization" => instance_norm,
        _ => return None,
    })
}

/// Scale and shift of constants are linear.
fn check_constant(s: &Step<'_>) -> Result<(), String> {
    for i in [1, 2] {
        if let Some(wire) = s.optional_input(i)
            && s.changes(wire)?
        {
            return Err("its scale or shift depends on the explained input".to_owned());
        }
    }
    Ok(())
}

fn over_last_axes(s: &mut Step<'_>, centered: bool) -> Signals {
    check_constant(s)?;
    let (g, x, scale) = (s.gradient()?, s.input(0)?, s.input(1)?);
    let rank = s.known_rank(x)?;
    let first = resolve_axis(s.at().int("axis").unwrap_or(-1), rank)?;
    let axes: Vec<i64> = (first as i64..rank as i64).collect();
    let g = s.mul(g, scale);
    only(through_group(s, g, x, &axes, centered)?)
}

fn instance_norm(s: &mut Step<'_>) -> Signals {
    check_constant(s)?;
    let (g, x, scale) = (s.gradient()?, s.input(0)?, s.input(1)?);
    let rank = s.known_rank(x)?;
    let mut by_channel = vec![1; rank.saturating_sub(1)];
    if let Some(channels) = by_channel.first_mut() {
        *channels = -1;
    }
    let scale = s.reshape(scale, &by_channel);
    let g = s.mul(g, scale);
    let axes: Vec<i64> = (2..rank as i64).collect();
    only(through_group(s, g, x, &axes, true)?)
}

/// `d` and `r` at one end.
fn normalized(s: &mut Step<'_>, x: Wire, axes: &[i64], centered: bool) -> (Wire, Wire) {
    let deviation = if centered {
        let mean = s.reduce_mean(x, axes, true);
        s.sub(x, mean)
    } else {
        x
    };
    let square = s.mul(deviation, deviation);
    let variance = s.reduce_mean(square, axes, true);
    let epsilon = epsilon(s.at());
    let guarded = s.add_scalar(variance, epsilon);
    let root = s.sqrt(guarded);
    (deviation, s.reciprocal(root))
}

fn through_group(s: &mut Step<'_>, g: Wire, x: Wire, axes: &[i64], centered: bool) -> Result<Wire, String> {
    let twin = s.twin(x)?;
    let (d, r) = normalized(s, x, axes, centered);
    let (d_twin, r_twin) = normalized(s, twin, axes, centered);
    let (sum_d, sum_r, product_r) = (s.add(d, d_twin), s.add(r, r_twin), s.mul(r, r_twin));
    let along = s.mul(g, sum_d);
    let along = s.reduce_mean(along, axes, true);
    let ratio = s.div(product_r, sum_r);
    let bend = s.mul(product_r, ratio);
    let bend = s.mul(along, bend);
    let (straight, curved) = (s.mul(g, sum_r), s.mul(sum_d, bend));
    let both = s.sub(straight, curved);
    let m = s.mul_scalar(both, 0.5);
    if !centered {
        return Ok(m);
    }
    let mean = s.reduce_mean(m, axes, true);
    Ok(s.sub(m, mean))
}

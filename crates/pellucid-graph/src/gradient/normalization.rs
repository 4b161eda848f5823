//! Normalizations, in closed form: with `x̂ = (x − μ) r`, `r = 1/√(σ² + ε)` and `g = dy γ`, over each group
//! `dx = r (g − mean(g) − x̂ mean(g x̂))`.

use super::{PlainRule, each};
use crate::backward::{Signals, Step};
use crate::graph::Wire;
use crate::ops::normalization::epsilon;
use crate::ops::resolve_axis;
use crate::tensor::ElementType;

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        "BatchNormalization" => batch_norm,
        "InstanceNormalization" => instance_norm,
        "LayerNormalization" => layer_norm,
        "RMSNormalization" => rms_norm,
        _ => return None,
    })
}

/// The same for a deviation that is held constant, so that the op is affine in its input: `dx = r (g − mean(g))`.
pub(crate) fn at_fixed_deviation(op: &str) -> Option<PlainRule> {
    Some(match op {
        "InstanceNormalization" => |s| by_channel(s, Normalized::gradient_at_fixed_deviation),
        "LayerNormalization" => |s| over_last_axes(s, true, Normalized::gradient_at_fixed_deviation),
        "RMSNormalization" => |s| over_last_axes(s, false, Normalized::gradient_at_fixed_deviation),
        _ => return None,
    })
}

/// The gradient of a group's elements, from that of what leaves it before scale and shift.
type GroupGradient = fn(&Normalized, &mut Step<'_>, Wire) -> Wire;

/// A group of elements as it enters and leaves normalization.
struct Normalized {
    /// `x̂`
    value: Wire,
    /// `r`
    inverse_deviation: Wire,
    axes: Vec<i64>,
    /// Whether the mean was subtracted.
    centered: bool,
}

impl Normalized {
    fn new(s: &mut Step<'_>, x: Wire, axes: Vec<i64>, centered: bool, moments: [Option<Wire>; 2]) -> Self {
        let deviation = match (centered, moments[0]) {
            (false, _) => x,
            (true, Some(mean)) => s.sub(x, mean),
            (true, None) => {
                let mean = s.reduce_mean(x, &axes, true);
                s.sub(x, mean)
            }
        };
        let inverse_deviation = moments[1].unwrap_or_else(|| {
            let square = s.mul(deviation, deviation);
            let variance = s.reduce_mean(square, &axes, true);
            let epsilon = epsilon(s.at());
            inverse_root(s, variance, epsilon)
        });
        let value = s.mul(deviation, inverse_deviation);
        Self { value, inverse_deviation, axes, centered }
    }

    /// `r (g − mean(g) − x̂ mean(g x̂))`; without the middle term where the mean was not subtracted.
    fn gradient(&self, s: &mut Step<'_>, g: Wire) -> Wire {
        let product = s.mul(g, self.value);
        let slope = s.reduce_mean(product, &self.axes, true);
        let along = s.mul(self.value, slope);
        let mut rest = s.sub(g, along);
        if self.centered {
            let mean = s.reduce_mean(g, &self.axes, true);
            rest = s.sub(rest, mean);
        }
        s.mul(self.inverse_deviation, rest)
    }

    /// `r (g − mean(g))`; without the mean where it was not subtracted.
    fn gradient_at_fixed_deviation(&self, s: &mut Step<'_>, g: Wire) -> Wire {
        let mut rest = g;
        if self.centered {
            let mean = s.reduce_mean(g, &self.axes, true);
            rest = s.sub(g, mean);
        }
        s.mul(self.inverse_deviation, rest)
    }
}

/// `1 / √(variance + ε)`
fn inverse_root(s: &mut Step<'_>, variance: Wire, epsilon: f64) -> Wire {
    let guarded = s.add_scalar(variance, epsilon);
    let deviation = s.sqrt(guarded);
    s.reciprocal(deviation)
}

/// Half floats are too short for means and variances.
fn widened(s: &mut Step<'_>, x: Wire) -> Wire {
    match s.element(x) {
        ElementType::F16 | ElementType::BF16 => s.cast(x, ElementType::F32),
        _ => x,
    }
}

fn layer_norm(s: &mut Step<'_>) -> Signals {
    if s.signal(1).is_some() || s.signal(2).is_some() {
        return Err("gradients through its mean and deviation outputs are not supported".to_owned());
    }
    over_last_axes(s, true, Normalized::gradient)
}

fn rms_norm(s: &mut Step<'_>) -> Signals {
    over_last_axes(s, false, Normalized::gradient)
}

/// Scale and shift have the lengths of the normalized axes, the last ones: the driver sums their signals.
fn over_last_axes(s: &mut Step<'_>, centered: bool, gradient: GroupGradient) -> Signals {
    let (x, scale) = (s.input(0)?, s.input(1)?);
    let rank = s.known_rank(x)?;
    let first = resolve_axis(s.at().int("axis").unwrap_or(-1), rank)?;
    let dy = s.gradient()?;
    let (wide_x, wide_dy, wide_scale) = (widened(s, x), widened(s, dy), widened(s, scale));
    let moments = [1, 2].map(|i| s.output(i).ok().filter(|wire| s.element(*wire) == s.element(wide_x)));
    let axes = (first as i64..rank as i64).collect();
    let group = Normalized::new(s, wide_x, axes, centered, if centered { moments } else { [None; 2] });
    let dx = s.needs(0).then(|| {
        let g = s.mul(wide_dy, wide_scale);
        let dx = gradient(&group, s, g);
        s.cast_like(dx, x)
    });
    let d_scale = s.needs(1).then(|| {
        let d_scale = s.mul(wide_dy, group.value);
        s.cast_like(d_scale, scale)
    });
    each([dx, d_scale, (centered && s.needs(2)).then_some(dy)])
}

fn instance_norm(s: &mut Step<'_>) -> Signals {
    by_channel(s, Normalized::gradient)
}

fn by_channel(s: &mut Step<'_>, gradient: GroupGradient) -> Signals {
    let (dy, x, scale) = (s.gradient()?, s.input(0)?, s.input(1)?);
    let rank = s.known_rank(x)?;
    let (wide_x, wide_dy) = (widened(s, x), widened(s, dy));
    let group = Normalized::new(s, wide_x, (2..rank as i64).collect(), true, [None; 2]);
    let dx = s.needs(0).then(|| {
        let scale = per_channel(s, scale, rank);
        let scale = s.cast_like(scale, wide_dy);
        let g = s.mul(wide_dy, scale);
        let dx = gradient(&group, s, g);
        s.cast_like(dx, x)
    });
    let d_scale = s.needs(1).then(|| {
        let product = s.mul(wide_dy, group.value);
        sum_by_channel(s, product, scale, rank)
    });
    let d_shift = s.needs(2).then(|| sum_by_channel(s, wide_dy, scale, rank));
    each([dx, d_scale, d_shift])
}

/// A vector of one number a channel, `[channels]`, as `[channels, 1, 1, …]`, which broadcasts.
fn per_channel(s: &mut Step<'_>, vector: Wire, rank: usize) -> Wire {
    let mut shape = vec![1; rank.saturating_sub(1).max(1)];
    shape[0] = -1;
    if shape.len() == 1 { vector } else { s.reshape(vector, &shape) }
}

/// The sum over all axes but that of the channels, in the type of `like`.
fn sum_by_channel(s: &mut Step<'_>, x: Wire, like: Wire, rank: usize) -> Wire {
    let others: Vec<i64> = (0..rank as i64).filter(|axis| *axis != 1).collect();
    let sum = s.reduce_sum(x, &others, false);
    s.cast_like(sum, like)
}

/// `y = γ r (x − μ) + β` with given moments: `dx = γ r dy`, and with `r = 1/√(σ² + ε)`, `dσ² = −½ r² γ x̂ dy`.
fn batch_norm(s: &mut Step<'_>) -> Signals {
    let (dy, x) = (s.gradient()?, s.input(0)?);
    let (scale, mean, variance) = (s.input(1)?, s.input(3)?, s.input(4)?);
    let rank = s.known_rank(x)?;
    let epsilon = epsilon(s.at());
    let inverse = inverse_root(s, variance, epsilon);
    let factor = s.mul(scale, inverse);
    let dx = (s.needs(0)).then(|| {
        let factor = per_channel(s, factor, rank);
        let factor = s.cast_like(factor, dy);
        s.mul(dy, factor)
    });
    if (1..5).all(|i| !s.needs(i)) {
        return each([dx]);
    }
    let (mean, inverse_wide) = (per_channel(s, mean, rank), per_channel(s, inverse, rank));
    let deviation = s.sub(x, mean);
    let normalized = s.mul(deviation, inverse_wide);
    let product = s.mul(dy, normalized);
    let d_scale = sum_by_channel(s, product, scale, rank);
    let d_shift = sum_by_channel(s, dy, scale, rank);
    let falling = s.mul(d_shift, factor);
    let d_mean = s.neg(falling);
    let rate = s.mul(factor, inverse);
    let rate = s.mul_scalar(rate, -0.5);
    let d_variance = s.mul(d_scale, rate);
    each([dx, Some(d_scale), Some(d_shift), Some(d_mean), Some(d_variance)])
}

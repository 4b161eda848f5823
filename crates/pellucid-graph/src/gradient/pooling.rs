//! Pools: what a window gave goes back to where it came from.

use super::windows::{every, pad, put_back, spatial_shape, window_attributes};
use super::{PlainRule, only};
use crate::backward::{Signals, Step};
use crate::graph::{Attribute, Graph, Wire};
use crate::ops::pooling::{exponent, pool_places, window_sizes};
use crate::ops::window::Places;
use crate::tensor::{ElementType, Tensor};

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        "MaxPool" => max,
        "AveragePool" => average,
        "LpPool" => lp,
        "GlobalMaxPool" => global_max,
        // The driver repeats along the axes of length 1.
        "GlobalAveragePool" => |s| {
            let (dy, x) = (s.gradient()?, s.input(0)?);
            let size: usize = spatial_shape(s, x)?[2..].iter().product();
            let size = s.scalar(size as f64, dy);
            only(s.div(dy, size))
        },
        "GlobalLpPool" => |s| {
            let (per_element, x, p) = (lp_scaled(s)?, s.input(0)?, exponent(s.at())?);
            only(lp_inner(s, per_element, x, p))
        },
        _ => return None,
    })
}

/// `dx[i] = Σ dy[o] / size[o]` over the windows `o` that contain `i`.
fn average(s: &mut Step<'_>) -> Signals {
    let (dy, x) = (s.gradient()?, s.input(0)?);
    let axes = pool_places(s.at(), &spatial_shape(s, x)?)?;
    let sizes = window_sizes(&axes, s.at().int("count_include_pad").unwrap_or(0) != 0);
    let sizes = match sizes.iter().all(|size| *size == sizes[0]) {
        true => Tensor::f64(&[], vec![sizes[0]]),
        false => {
            let counts = axes.iter().map(|axis| axis.count);
            Tensor::f64(&[1, 1].into_iter().chain(counts).collect::<Vec<_>>(), sizes)
        }
    };
    let sizes = sizes.cast(s.element(dy));
    let sizes = s.add_constant("window_sizes", sizes);
    let shared = s.div(dy, sizes);
    only(summed_windows(s, shared, &axes))
}

/// `result[i] = Σ g[o]` over the windows `o` that contain `i`: the transpose of a sum over each window.
fn summed_windows(s: &mut Graph, g: Wire, axes: &[Places]) -> Wire {
    let back = |axis: &Places| {
        let reach = axis.dilation * (axis.kernel - 1);
        (axis.stride == 1 && axis.begin.max(axis.end) <= reach && axis.unread() == 0).then(|| Places {
            begin: reach - axis.begin,
            end: reach - axis.end,
            ..*axis
        })
    };
    // For stride 1 that is again a sum over each window, and runtimes have a fast pool, as an average.
    match axes.iter().map(back).collect::<Option<Vec<Places>>>() {
        Some(back) => {
            let mut attributes = window_attributes(&back);
            attributes.push(("count_include_pad", Attribute::Int(1)));
            let mean = s.node("AveragePool", &[g], &attributes);
            s.mul_scalar(mean, axes.iter().map(|axis| axis.kernel).product::<usize>() as f64)
        }
        None => axes.iter().enumerate().fold(g, |g, (i, axis)| put_back(s, &vec![g; axis.kernel], axes, i)),
    }
}

/// `y = (Σ |x|ᵖ)^(1/p)`, so `dx = sign(x) |x|^(p−1) Σ dy y^(1−p)` over the windows; 0 where y is 0.
fn lp(s: &mut Step<'_>) -> Signals {
    let (per_window, x, p) = (lp_scaled(s)?, s.input(0)?, exponent(s.at())?);
    let axes = pool_places(s.at(), &spatial_shape(s, x)?)?;
    let per_element = summed_windows(s, per_window, &axes);
    only(lp_inner(s, per_element, x, p))
}

/// `dy y^(1−p)`
fn lp_scaled(s: &mut Step<'_>) -> Result<Wire, String> {
    let (dy, y, p) = (s.gradient()?, s.output(0)?, exponent(s.at())?);
    if p == 1 {
        return Ok(dy);
    }
    let power = match p {
        2 => y,
        _ => {
            let exponent = s.scalar(f64::from(p - 1), y);
            s.pow(y, exponent)
        }
    };
    let quotient = s.div(dy, power);
    let positive = s.greater_scalar(y, 0.0);
    Ok(s.keep_where(positive, quotient))
}

/// `g sign(x) |x|^(p−1)`
fn lp_inner(s: &mut Graph, g: Wire, x: Wire, p: i32) -> Wire {
    match p {
        1 => {
            let sign = s.sign(x);
            s.mul(g, sign)
        }
        2 => s.mul(g, x),
        _ => {
            let (sign, size, exponent) = (s.sign(x), s.abs(x), s.scalar(f64::from(p - 1), x));
            let power = s.pow(size, exponent);
            let signed = s.mul(sign, power);
            s.mul(g, signed)
        }
    }
}

/// The first maximum in row-major order gets it all, as in PyTorch: of the positions of the maximum, counted from the
/// end, the highest. (ArgMax would say it shorter, but rten's takes the last of equal elements.)
fn global_max(s: &mut Step<'_>) -> Signals {
    let (dy, x, y) = (s.gradient()?, s.input(0)?, s.output(0)?);
    let size: usize = spatial_shape(s, x)?[2..].iter().product();
    let [flat, maximum, dy] = [(x, -1), (y, 1), (dy, 1)].map(|(wire, n)| s.reshape(wire, &[0, 0, n]));
    let hits = s.equal(flat, maximum);
    let hits = s.cast(hits, ElementType::F32);
    let from_end = Tensor::f32(&[size], (1..=size).rev().map(|n| n as f32).collect());
    let from_end = s.add_constant("from_end", from_end);
    let places = s.mul(hits, from_end);
    let first = s.reduce("ReduceMax", places, &[2], true);
    let chosen = s.equal(places, first);
    let chosen = s.cast_like(chosen, dy);
    let routed = s.mul(chosen, dy);
    only(s.reshape_like(routed, x))
}

/// The first maximum of each window in row-major order gets the window's signal, as in PyTorch; windows that overlap
/// add up.
///
/// Axis by axis, outermost first: the signal of a window goes to its first row whose maximum is the window's, from
/// there to the first element that is the row's. This takes `k` comparisons an axis in place of `k²`, and no op that a
/// runtime lacks or computes slowly (the indices of MaxPool, ScatterElements).
fn max(s: &mut Step<'_>) -> Signals {
    let (dy, x) = (s.gradient()?, s.input(0)?);
    let axes = pool_places(s.at(), &spatial_shape(s, x)?)?;
    // ONNX Runtime expects more windows than it computes where one would start in the padding.
    let output = s.output(0).ok().filter(|_| s.at().int("ceil_mode").unwrap_or(0) == 0);
    // Along each axis, from the last: what is cut up into taps, and its maximum over them.
    let mut levels = Vec::new();
    let mut source = x;
    for i in (0..axes.len()).rev() {
        let padded = padded_source(s, source, &axes, i);
        source = match output {
            Some(y) if i == 0 => y,
            _ => pooled_along(s, padded, &axes, i),
        };
        levels.push((padded, source));
    }
    let routed = levels.into_iter().rev().enumerate();
    only(routed.fold(dy, |g, (i, (source, maximum))| to_first_maximum(s, g, source, maximum, &axes, i)))
}

/// `x` with all positions that windows read along one axis; those of the padding are lower than any number.
fn padded_source(s: &mut Graph, x: Wire, axes: &[Places], i: usize) -> Wire {
    let place = &axes[i];
    let read = place.stride * (place.count - 1) + place.dilation * (place.kernel - 1) + 1;
    let lowest = s.scalar(f64::from(f32::MIN), x);
    let behind = read.saturating_sub(place.begin + place.length);
    pad(s, x, (axes.len() + 2, i + 2), place.begin, behind, Some(lowest))
}

/// The maximum along one spatial axis alone, over windows of a source that is padded already.
fn pooled_along(s: &mut Graph, source: Wire, axes: &[Places], i: usize) -> Wire {
    let alone = |(other, place): (usize, &Places)| match other == i {
        true => Places { begin: 0, end: 0, ..*place },
        false => Places { kernel: 1, stride: 1, dilation: 1, begin: 0, end: 0, ..*place },
    };
    let alone: Vec<Places> = axes.iter().enumerate().map(alone).collect();
    s.node("MaxPool", &[source], &window_attributes(&alone))
}

/// Sends `g` to the first tap along spatial axis `i` where `source` equals `maximum`.
fn to_first_maximum(s: &mut Graph, g: Wire, source: Wire, maximum: Wire, axes: &[Places], i: usize) -> Wire {
    let place = &axes[i];
    let mut rest = g;
    let mut takes = Vec::with_capacity(place.kernel);
    for tap in 0..place.kernel - 1 {
        let candidate = every(s, source, i + 2, tap * place.dilation, place.stride, place.count);
        let hit = s.equal(candidate, maximum);
        // A product is faster than Where, and what is taken away is the number itself or 0, so nothing is rounded.
        let hit = s.cast_like(hit, rest);
        let taken = s.mul(hit, rest);
        rest = s.sub(rest, taken);
        takes.push(taken);
    }
    takes.push(rest);
    put_back(s, &takes, axes, i)
}

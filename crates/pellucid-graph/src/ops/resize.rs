//! Resize: each output element is a weighted sum of a few input elements, axis by axis. A plain reading of the ONNX
//! text; `passes/lower/resize.rs` computes the same by matrices, in another way.

#[cfg(test)]
mod tests;

use super::rearrange::checked_shape;
use super::{Call, Op, Site, offset, positions, resolve_axis, strides};
use crate::graph::Node;
use crate::tensor::Tensor;
use crate::types::{Dim, Type};

pub(super) const OPS: &[Op] = &[Op { name: "Resize", infer, evaluate }];

/// What a `Resize` node asks of one axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ResizeAxis {
    /// Length before.
    pub(crate) from: Dim,
    /// Length after.
    pub(crate) to: Dim,
    /// How many times longer, as far as known; not exactly `to / from` where it was given and the length rounded.
    pub(crate) scale: Option<f64>,
    /// The part of the axis that is resized, as shares of it; all of it but for `tf_crop_and_resize`.
    pub(crate) region: (f64, f64),
}

impl ResizeAxis {
    fn untouched(length: &Dim) -> Self {
        Self { from: length.clone(), to: length.clone(), scale: Some(1.0), region: (0.0, 1.0) }
    }

    /// Whether every element certainly stays where it is.
    pub(crate) fn is_untouched(&self) -> bool {
        self.from == self.to
            && self.from != Dim::Unknown
            && self.scale.is_some_and(|scale| (scale - 1.0).abs() < f64::EPSILON)
            && self.region == (0.0, 1.0)
    }
}

/// The operands of a `Resize` node as far as they are known, an empty tensor the same as none.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResizeOperands {
    pub(crate) region: Option<Vec<f64>>,
    pub(crate) scales: Option<Vec<f64>>,
    pub(crate) sizes: Option<Vec<Dim>>,
}

/// What a node asks of each axis of a tensor of shape `own`.
///
/// # Errors
/// Operands or attributes that do not fit; neither scales nor sizes known.
pub(crate) fn resize_axes(
    node: &Node,
    own: &[Dim],
    operands: &ResizeOperands,
) -> Result<Vec<ResizeAxis>, String> {
    let axes: Vec<usize> = match node.ints("axes") {
        Some(axes) => axes.iter().map(|&axis| resolve_axis(axis, own.len())).collect::<Result<_, _>>()?,
        None => (0..own.len()).collect(),
    };
    let mut result: Vec<ResizeAxis> = own.iter().map(ResizeAxis::untouched).collect();
    let crops = node.string("coordinate_transformation_mode") == Some("tf_crop_and_resize");
    let region = match &operands.region {
        Some(region) if crops && region.len() != 2 * axes.len() => {
            return Err(format!("a region of {} numbers for {} axes", region.len(), axes.len()));
        }
        Some(region) if crops => region.clone(),
        None if crops => {
            return Err("tf_crop_and_resize needs the input `roi`, known before the run".to_owned());
        }
        _ => [vec![0.0; axes.len()], vec![1.0; axes.len()]].concat(),
    };
    let targets = targets(node, own, &axes, operands)?;
    for (i, ((to, scale), &axis)) in targets.into_iter().zip(&axes).enumerate() {
        result[axis] =
            ResizeAxis { from: own[axis].clone(), to, scale, region: (region[i], region[i + axes.len()]) };
    }
    Ok(result)
}

/// Length and scale of each resized axis.
fn targets(
    node: &Node,
    own: &[Dim],
    axes: &[usize],
    operands: &ResizeOperands,
) -> Result<Vec<(Dim, Option<f64>)>, String> {
    let count = |n: usize| match n == axes.len() {
        true => Ok(()),
        false => Err(format!("{n} scales or sizes for {} axes", axes.len())),
    };
    if let Some(scales) = &operands.scales {
        count(scales.len())?;
        if let Some(scale) = scales.iter().find(|scale| !(scale.is_finite() && **scale > 0.0)) {
            return Err(format!("a scale of {scale}"));
        }
        return Ok(axes
            .iter()
            .zip(scales)
            .map(|(&axis, &scale)| (scaled(&own[axis], scale), Some(scale)))
            .collect());
    }
    let sizes = operands.sizes.as_ref().ok_or("neither scales nor sizes are known before the run")?;
    count(sizes.len())?;
    let policy = node.string("keep_aspect_ratio_policy").unwrap_or("stretch");
    let ratios: Vec<Option<f64>> = axes.iter().zip(sizes).map(|(&axis, to)| ratio(&own[axis], to)).collect();
    if policy == "stretch" {
        return Ok(sizes.iter().cloned().zip(ratios).collect());
    }
    let ratios: Option<Vec<f64>> = ratios.into_iter().collect();
    let ratios = ratios.ok_or("lengths have to be known where the aspect ratio is kept")?;
    let scale = match policy {
        "not_larger" => ratios.into_iter().fold(f64::INFINITY, f64::min),
        "not_smaller" => ratios.into_iter().fold(0.0, f64::max),
        other => return Err(format!("unknown keep_aspect_ratio_policy `{other}`")),
    };
    let rounded = |axis: usize| {
        own[axis].known().map_or(Dim::Unknown, |n| Dim::Known((scale * n as f64).round() as usize))
    };
    Ok(axes.iter().map(|&axis| (rounded(axis), Some(scale))).collect())
}

/// A length times a scale in f32 as runtimes have it, rounded down.
fn scaled(length: &Dim, scale: f64) -> Dim {
    match length.known() {
        Some(n) => Dim::Known((n as f32 * scale as f32).floor() as usize),
        None if (scale - 1.0).abs() < f64::EPSILON => length.clone(),
        None if scale.fract() == 0.0 => length.times(&Dim::Known(scale as usize)),
        None => Dim::Unknown,
    }
}

fn ratio(from: &Dim, to: &Dim) -> Option<f64> {
    match (from.known(), to.known()) {
        (Some(from), Some(to)) if from > 0 => Some(to as f64 / from as f64),
        _ => (from == to && *from != Dim::Unknown).then_some(1.0),
    }
}

fn infer(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let Some(own) = site.shape(0)? else { return site.like_first(None) };
    let operands = known_operands(site.graph, site.node);
    let unknown = operands.scales.is_none() && operands.sizes.is_none();
    let crops = site.node.string("coordinate_transformation_mode") == Some("tf_crop_and_resize");
    if unknown || crops && operands.region.is_none() {
        return site.like_first(Some(vec![Dim::Unknown; own.len()]));
    }
    let axes = resize_axes(site.node, own, &operands)?;
    site.like_first(Some(axes.into_iter().map(|axis| axis.to).collect()))
}

/// The operands as far as they are known before a run.
pub(crate) fn known_operands(graph: &crate::graph::Graph, node: &Node) -> ResizeOperands {
    let wire = |i: usize| node.inputs.get(i).copied().flatten();
    let floats = |i: usize| {
        let values = graph.constant(wire(i)?)?.to_f64s();
        (!values.is_empty()).then_some(values)
    };
    let sizes = wire(3).and_then(|wire| graph.lengths(wire)).filter(|sizes| !sizes.is_empty());
    ResizeOperands { region: floats(1), scales: floats(2), sizes: sizes.map(<[Dim]>::to_vec) }
}

fn evaluate(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let x = call.floats(0)?;
    let own = call.shape(0)?;
    let floats = |i: usize| call.optional(i).map(Tensor::to_f64s).filter(|v| !v.is_empty());
    let sizes = call.optional(3).filter(|t| !t.is_empty()).map(Tensor::to_i64s);
    let sizes = sizes.map(|sizes| checked_shape(&sizes)).transpose()?;
    let sizes = sizes.map(|sizes| sizes.into_iter().map(Dim::Known).collect());
    let operands = ResizeOperands { region: floats(1), scales: floats(2), sizes };
    let dims: Vec<Dim> = own.iter().map(|&n| Dim::Known(n)).collect();
    let axes = resize_axes(call.node, &dims, &operands)?;
    // For each axis and each target index: which own elements, and how much of each; `None` outside the tensor.
    let taps: Vec<Vec<Option<Taps>>> =
        axes.iter().map(|axis| axis_taps(call.node, axis)).collect::<Result<_, _>>()?;
    let lengths: Vec<i64> = taps.iter().map(|axis| axis.len() as i64).collect();
    let shape = checked_shape(&lengths)?;
    let outside = call.node.float("extrapolation_value").unwrap_or(0.0);
    let own_strides = strides(own);
    let value = |position: Vec<usize>| {
        let taps: Option<Vec<&Taps>> =
            position.iter().zip(&taps).map(|(&at, axis)| axis[at].as_ref()).collect();
        taps.map_or(outside, |taps| weighted_sum(x, &own_strides, &taps))
    };
    Ok(vec![Tensor::f64(&shape, positions(&shape).map(value).collect())])
}

/// Own indices with their weights.
type Taps = Vec<(usize, f64)>;

fn weighted_sum(x: &[f64], strides: &[usize], taps: &[&Taps]) -> f64 {
    let counts: Vec<usize> = taps.iter().map(|taps| taps.len()).collect();
    let terms = positions(&counts).map(|choice| {
        let chosen: Vec<(usize, f64)> = choice.iter().zip(taps).map(|(&i, taps)| taps[i]).collect();
        let place: Vec<usize> = chosen.iter().map(|(index, _)| *index).collect();
        chosen.iter().map(|(_, weight)| weight).product::<f64>() * x[offset(&place, strides)]
    });
    terms.sum()
}

/// The taps of each element of a resized axis.
fn axis_taps(node: &Node, axis: &ResizeAxis) -> Result<Vec<Option<Taps>>, String> {
    let (Some(from), Some(to)) = (axis.from.known(), axis.to.known()) else {
        return Err("unknown length".to_owned());
    };
    if axis.is_untouched() {
        return Ok((0..to).map(|at| Some(vec![(at, 1.0)])).collect());
    }
    let scale = axis.scale.ok_or("unknown scale")?;
    if from == 0 && to > 0 {
        return Err("an empty axis cannot grow".to_owned());
    }
    let nearest = node.string("mode").unwrap_or("nearest") == "nearest";
    let kind = node.string("coordinate_transformation_mode").unwrap_or("half_pixel");
    let taps = |at: usize| {
        let coordinate = Coordinate { from, to, scale, region: axis.region, rounds: nearest };
        let x = coordinate.of(kind, at as f64)?;
        if kind == "tf_crop_and_resize" && !(0.0..=(from - 1) as f64).contains(&x) {
            return Ok(None);
        }
        Ok(Some(match nearest {
            true => vec![(nearest_index(node, x)?.clamp(0, from as i64 - 1) as usize, 1.0)],
            false => interpolated(node, x, scale, from)?,
        }))
    };
    (0..to).map(taps).collect()
}

/// One resized axis and where its elements lie on the own one.
struct Coordinate {
    from: usize,
    to: usize,
    scale: f64,
    region: (f64, f64),
    /// Whether each step is rounded to f32, as runtimes do: which of two elements is nearest may hang on that.
    rounds: bool,
}

impl Coordinate {
    fn of(&self, kind: &str, x_resized: f64) -> Result<f64, String> {
        let r = |x: f64| if self.rounds { f64::from(x as f32) } else { x };
        let (length_original, length_resized) = (self.from as f64, self.to as f64);
        let scale = r(self.scale);
        let half_pixel = r(r((x_resized + 0.5) / scale) - 0.5);
        Ok(match kind {
            "half_pixel" => half_pixel,
            "asymmetric" => r(x_resized / scale),
            "pytorch_half_pixel" => {
                if self.to > 1 {
                    half_pixel
                } else {
                    0.0
                }
            }
            "align_corners" if self.to == 1 => 0.0,
            "align_corners" => r(r(x_resized * (length_original - 1.0)) / (length_resized - 1.0)),
            "half_pixel_symmetric" => {
                let adjustment = r(length_resized / r(scale * length_original));
                let center = length_original / 2.0;
                let offset = r(center * r(1.0 - adjustment));
                r(r(offset + r((x_resized + 0.5) / scale)) - 0.5)
            }
            "tf_crop_and_resize" => {
                let (start, end) = (r(self.region.0), r(self.region.1));
                let last = length_original - 1.0;
                match self.to {
                    1 => r(0.5 * r(r(start + end) * last)),
                    _ => {
                        let moved = r(r(r(x_resized * r(end - start)) * last) / (length_resized - 1.0));
                        r(r(start * last) + moved)
                    }
                }
            }
            other => return Err(format!("unknown coordinate_transformation_mode `{other}`")),
        })
    }
}

/// Coordinates this close to the middle between two elements count as there: ONNX Runtime's tolerance for f32 rounding.
const TIE: f64 = 1e-6;

fn nearest_index(node: &Node, x: f64) -> Result<i64, String> {
    let is_tie = (x - x.floor() - 0.5).abs() < TIE;
    Ok(match node.string("nearest_mode").unwrap_or("round_prefer_floor") {
        "floor" => x.floor(),
        "ceil" => x.ceil(),
        "round_prefer_floor" => {
            if is_tie {
                x.floor()
            } else {
                x.round()
            }
        }
        "round_prefer_ceil" => {
            if is_tie {
                x.floor() + 1.0
            } else {
                x.round()
            }
        }
        other => return Err(format!("unknown nearest_mode `{other}`")),
    } as i64)
}

/// Weights of the elements around `x`, those outside read as the outermost one, or left out.
fn interpolated(node: &Node, x: f64, scale: f64, from: usize) -> Result<Taps, String> {
    let ratio = x - x.floor();
    // With antialiasing a smaller result takes in more elements, each for less.
    let antialias = node.int("antialias").unwrap_or(0) != 0;
    let shrink = if antialias { scale.min(1.0) } else { 1.0 };
    let (first, weights) = match node.string("mode").unwrap_or("nearest") {
        "linear" => {
            let first = (-1.0 / shrink).floor() as i64 + 1;
            let weight = |i: i64| (1.0 - ((i as f64 - ratio) * shrink).abs()).clamp(0.0, 1.0);
            (first, (first..2 - first).map(weight).collect::<Vec<f64>>())
        }
        "cubic" => {
            let first = (-2.0 / shrink).floor() as i64 + 1;
            let a = node.float("cubic_coeff_a").unwrap_or(-0.75);
            let weight = |i: i64| cubic_weight((shrink * (i as f64 - ratio)).abs(), a);
            (first, (first..2 - first).map(weight).collect())
        }
        other => return Err(format!("unknown mode `{other}`")),
    };
    let leave_out = node.int("exclude_outside").unwrap_or(0) != 0;
    let index = |i: usize| x.floor() as i64 + first + i as i64;
    let inside = |i: &usize| !leave_out || (0..from as i64).contains(&index(*i));
    let kept: Vec<usize> = (0..weights.len()).filter(inside).collect();
    let total: f64 = kept.iter().map(|&i| weights[i]).sum();
    Ok(kept.into_iter().map(|i| (index(i).clamp(0, from as i64 - 1) as usize, weights[i] / total)).collect())
}

/// Keys' cubic convolution kernel at distance `d`.
fn cubic_weight(d: f64, a: f64) -> f64 {
    match d {
        d if d <= 1.0 => ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0,
        d if d < 2.0 => ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a,
        _ => 0.0,
    }
}

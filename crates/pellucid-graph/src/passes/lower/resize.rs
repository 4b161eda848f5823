//! Resize as maps along one axis each: picked elements, or a constant interpolation matrix.

use super::{Lowering, input};
use crate::axis_map::{Matrix, apply_matrix, pick};
use crate::graph::{Attribute, Graph, Node, Wire};
use crate::ops::{ResizeAxis, known_operands, resize_axes};
use crate::tensor::{ElementType, Tensor};

pub(super) fn lowering(op: &str) -> Option<Lowering> {
    (op == "Resize").then_some(lower_resize)
}

/// How many times each axis is repeated by a `Resize` of the one form that is kept: every element copied a whole number
/// of times along the last two axes. All runtimes have it, far faster than any other way to say it.
pub(crate) fn kept_factors(graph: &Graph, node: &Node) -> Option<Vec<usize>> {
    let is = |name: &str, value: &str| node.string(name) == Some(value);
    let canonical = node.op == "Resize"
        && is("mode", "nearest")
        && is("nearest_mode", "floor")
        && is("coordinate_transformation_mode", "asymmetric")
        && node.ints("axes").is_none();
    let scales = graph.constant(node.inputs.get(2).copied().flatten()?).filter(|_| canonical)?;
    let factors: Option<Vec<usize>> = scales.to_f32s().into_iter().map(whole_factor).collect();
    let factors = factors?;
    let rank = graph.rank(node.inputs[0]?)?;
    let outer = rank.saturating_sub(2);
    let spatial = factors.len() == rank && rank <= 4 && factors[..outer].iter().all(|&factor| factor == 1);
    spatial.then_some(factors)
}

/// The scale as a whole number, where `floor(o · (1/k))` is `o div k` in f32 too: one runtime multiplies by the inverse,
/// which then must not be rounded down.
fn whole_factor(scale: f32) -> Option<usize> {
    let whole = scale >= 1.0 && scale.fract() == 0.0 && scale < 1024.0;
    (whole && f64::from(1.0 / scale) * f64::from(scale) >= 1.0).then_some(scale as usize)
}

fn lower_resize(new: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    let x = input(node, 0)?;
    let own = new.shape(x).ok_or("the rank of the input is unknown")?.to_vec();
    let axes = resize_axes(node, &own, &known_operands(new, node))?;
    let mut maps = Vec::new();
    for (axis, request) in axes.iter().enumerate().filter(|(_, request)| !request.is_untouched()) {
        maps.push((axis, AxisMap::new(node, request).map_err(|reason| format!("axis {axis}: {reason}"))?));
    }
    if let Some(scales) = copy_scales(&maps, own.len()) {
        return Ok(vec![kept_resize(new, x, &scales)]);
    }
    // The smallest result first.
    maps.sort_by(|(_, a), (_, b)| a.growth().total_cmp(&b.growth()));
    let mut y = x;
    for (axis, map) in &maps {
        y = match map {
            AxisMap::Pick { sources, .. } => pick(new, y, *axis, sources),
            AxisMap::Mix { matrix, .. } => apply_matrix(new, y, *axis, matrix)?,
        };
    }
    let outside = node.float("extrapolation_value").unwrap_or(0.0);
    Ok(vec![extrapolated(new, y, &maps, outside, own.len())])
}

/// What one axis of the result is made of.
enum AxisMap {
    /// Copies of elements.
    Pick { sources: Vec<usize>, length: usize },
    /// Weighted sums; rows outside the tensor are zeros, to be filled in.
    Mix { matrix: Matrix, outside: Vec<bool> },
}

impl AxisMap {
    fn new(node: &Node, request: &ResizeAxis) -> Result<Self, String> {
        let (Some(from), Some(to), Some(scale)) = (request.from.known(), request.to.known(), request.scale)
        else {
            return Err(format!(
                "its lengths {} → {} are not known before the run: fix the shape of the model's input",
                request.from, request.to
            ));
        };
        if from == 0 || to == 0 {
            return Err(format!("cannot resize a length of {from} to {to}"));
        }
        let sampling = Sampling::new(node, (from, to, scale), request.region)?;
        let centers: Vec<f64> = (0..to).map(|at| sampling.center(at)).collect();
        let outside: Vec<bool> = centers.iter().map(|&center| sampling.is_outside(center)).collect();
        if sampling.kernel == Kernel::Nearest && !outside.contains(&true) {
            let sources = centers.into_iter().map(|center| sampling.nearest(center)).collect();
            return Ok(Self::Pick { sources, length: from });
        }
        let mut matrix = Matrix::zeros(to, from);
        for (row, center) in centers.into_iter().enumerate().filter(|(row, _)| !outside[*row]) {
            sampling.weigh(&mut matrix, row, center);
        }
        Ok(Self::Mix { matrix, outside })
    }

    /// How much longer the axis becomes.
    fn growth(&self) -> f64 {
        match self {
            Self::Pick { sources, length } => sources.len() as f64 / *length as f64,
            Self::Mix { matrix, .. } => matrix.rows as f64 / matrix.columns as f64,
        }
    }

    /// The whole number of copies that each element becomes, in order.
    fn copies(&self) -> Option<usize> {
        let Self::Pick { sources, length } = self else { return None };
        let factor = sources.len() / length;
        let in_order = factor > 0
            && sources.len() == factor * length
            && sources.iter().enumerate().all(|(at, &source)| source == at / factor);
        in_order.then_some(factor)
    }
}

/// The scales of the kept form of `Resize`, where it says the same.
fn copy_scales(maps: &[(usize, AxisMap)], rank: usize) -> Option<Vec<f32>> {
    let mut scales = vec![1.0; rank];
    for (axis, map) in maps {
        let factor = map.copies()? as f32;
        whole_factor(factor).filter(|_| rank <= 4 && *axis + 2 >= rank)?;
        scales[*axis] = factor;
    }
    (!maps.is_empty()).then_some(scales)
}

fn kept_resize(new: &mut Graph, x: Wire, scales: &[f32]) -> Wire {
    let scales = new.add_constant("scales", Tensor::f32(&[scales.len()], scales.to_vec()));
    let attributes: [(&str, Attribute); 3] = [
        ("mode", "nearest".into()),
        ("nearest_mode", "floor".into()),
        ("coordinate_transformation_mode", "asymmetric".into()),
    ];
    new.node_optional("Resize", &[Some(x), None, Some(scales)], &attributes, 1)[0]
}

/// `y` plus the value where any axis lies outside the tensor: there the sums are 0.
fn extrapolated(new: &mut Graph, y: Wire, maps: &[(usize, AxisMap)], value: f64, rank: usize) -> Wire {
    // 1 where all axes lie inside, as a product of one vector an axis.
    let mut inside = Tensor::f64(&vec![1; rank], vec![1.0]);
    for (axis, map) in maps {
        if let AxisMap::Mix { outside, .. } = map
            && outside.contains(&true)
        {
            inside = stretched(&inside, *axis, outside);
        }
    }
    if value == 0.0 || inside.len() == 1 {
        return y;
    }
    let element = match new.element(y) {
        ElementType::Unknown => ElementType::F32,
        element => element,
    };
    let fill = inside.to_f64s().iter().map(|inside| (1.0 - inside) * value).collect();
    let fill = new.add_constant("outside", Tensor::f64(inside.shape(), fill).cast(element));
    new.add(y, fill)
}

/// `inside`, of length 1 along `axis`, times 0 where `outside` holds.
fn stretched(inside: &Tensor, axis: usize, outside: &[bool]) -> Tensor {
    let mut shape = inside.shape().to_vec();
    let behind: usize = shape[axis + 1..].iter().product();
    let values = inside.to_f64s();
    let blocks = values.chunks(behind.max(1));
    let stretched = blocks.flat_map(|block| {
        outside.iter().flat_map(move |out| block.iter().map(move |v| if *out { 0.0 } else { *v }))
    });
    let stretched: Vec<f64> = stretched.collect();
    shape[axis] = outside.len();
    Tensor::f64(&shape, stretched)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kernel {
    Nearest,
    Linear,
    Cubic,
}

/// How an axis of `from` elements is read at `to` places.
struct Sampling<'a> {
    node: &'a Node,
    kernel: Kernel,
    from: usize,
    to: usize,
    scale: f64,
    region: (f64, f64),
    kind: &'a str,
}

impl<'a> Sampling<'a> {
    fn new(
        node: &'a Node,
        (from, to, scale): (usize, usize, f64),
        region: (f64, f64),
    ) -> Result<Self, String> {
        let kernel = match node.string("mode").unwrap_or("nearest") {
            "nearest" => Kernel::Nearest,
            "linear" => Kernel::Linear,
            "cubic" => Kernel::Cubic,
            other => return Err(format!("unknown mode `{other}`")),
        };
        let kind = node.string("coordinate_transformation_mode").unwrap_or("half_pixel");
        let known =
            ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel", "half_pixel_symmetric"];
        if !known.contains(&kind) && kind != "tf_crop_and_resize" {
            return Err(format!("unknown coordinate_transformation_mode `{kind}`"));
        }
        Ok(Self { node, kernel, from, to, scale, region, kind })
    }

    /// Where element `at` lies on the axis. All kinds are affine: `first + at · step`, but that nearest elements hang on
    /// f32 rounding, which is followed step by step.
    fn center(&self, at: usize) -> f64 {
        if self.kernel == Kernel::Nearest {
            return self.center_in_f32(at);
        }
        let (first, step) = self.affine();
        first + at as f64 * step
    }

    fn affine(&self) -> (f64, f64) {
        let (from, to, last) = (self.from as f64, self.to as f64, (self.from - 1) as f64);
        let step = 1.0 / self.scale;
        let half_pixel = (0.5 * step - 0.5, step);
        match self.kind {
            "asymmetric" => (0.0, step),
            "align_corners" => (0.0, if self.to == 1 { 0.0 } else { last / (to - 1.0) }),
            "pytorch_half_pixel" if self.to == 1 => (0.0, 0.0),
            // The middle of the result lies over the middle of the axis.
            "half_pixel_symmetric" => ((from - 1.0) / 2.0 - (to - 1.0) / 2.0 * step, step),
            "tf_crop_and_resize" if self.to == 1 => ((self.region.0 + self.region.1) / 2.0 * last, 0.0),
            "tf_crop_and_resize" => {
                (self.region.0 * last, (self.region.1 - self.region.0) * last / (to - 1.0))
            }
            _ => half_pixel,
        }
    }

    fn center_in_f32(&self, at: usize) -> f64 {
        let (at, from, to, scale) = (at as f32, self.from as f32, self.to as f32, self.scale as f32);
        let (start, end) = (self.region.0 as f32, self.region.1 as f32);
        let half_pixel = (at + 0.5) / scale - 0.5;
        f64::from(match self.kind {
            "asymmetric" => at / scale,
            "align_corners" if self.to == 1 => 0.0,
            "align_corners" => at * (from - 1.0) / (to - 1.0),
            "pytorch_half_pixel" if self.to == 1 => 0.0,
            "half_pixel_symmetric" => from / 2.0 * (1.0 - to / (scale * from)) + (at + 0.5) / scale - 0.5,
            "tf_crop_and_resize" if self.to == 1 => 0.5 * ((start + end) * (from - 1.0)),
            "tf_crop_and_resize" => start * (from - 1.0) + at * (end - start) * (from - 1.0) / (to - 1.0),
            _ => half_pixel,
        })
    }

    /// Whether a center is to be filled in rather than read.
    fn is_outside(&self, center: f64) -> bool {
        self.kind == "tf_crop_and_resize" && (center < 0.0 || center > (self.from - 1) as f64)
    }

    /// The element nearest to `center`; within 1e-6 of the middle between two, `nearest_mode` decides.
    fn nearest(&self, center: f64) -> usize {
        let below = center.floor();
        let share = center - below;
        let up = match self.node.string("nearest_mode").unwrap_or("round_prefer_floor") {
            "floor" => false,
            "ceil" => share > 0.0,
            "round_prefer_ceil" => share > 0.5 - 1e-6,
            _ => share >= 0.5 + 1e-6,
        };
        (below + f64::from(u8::from(up))).clamp(0.0, (self.from - 1) as f64) as usize
    }

    /// Writes the weights of one result element into a row.
    fn weigh(&self, matrix: &mut Matrix, row: usize, center: f64) {
        if self.kernel == Kernel::Nearest {
            return matrix.add(row, self.nearest(center), 1.0);
        }
        let shrink = if self.node.int("antialias").unwrap_or(0) != 0 { self.scale.min(1.0) } else { 1.0 };
        let reach = if self.kernel == Kernel::Linear { 1.0 } else { 2.0 } / shrink;
        let leave_out = self.node.int("exclude_outside").unwrap_or(0) != 0;
        let last = self.from as i64 - 1;
        let candidates = ((center - reach).floor() as i64..=(center + reach).ceil() as i64)
            .filter(|i| !leave_out || (0..=last).contains(i));
        let weights: Vec<(i64, f64)> =
            candidates.map(|i| (i, self.weight(((i as f64 - center) * shrink).abs()))).collect();
        let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
        for (i, weight) in weights {
            matrix.add(row, i.clamp(0, last) as usize, weight / total);
        }
    }

    /// The kernel at a distance: a hat, or Keys' cubic.
    fn weight(&self, d: f64) -> f64 {
        let a = self.node.float("cubic_coeff_a").unwrap_or(-0.75);
        match self.kernel {
            Kernel::Nearest => f64::from(u8::from(d == 0.0)),
            Kernel::Linear => (1.0 - d).max(0.0),
            Kernel::Cubic if d < 1.0 => (a + 2.0) * d.powi(3) - (a + 3.0) * d.powi(2) + 1.0,
            Kernel::Cubic if d < 2.0 => a * (d.powi(3) - 5.0 * d.powi(2) + 8.0 * d - 4.0),
            Kernel::Cubic => 0.0,
        }
    }
}

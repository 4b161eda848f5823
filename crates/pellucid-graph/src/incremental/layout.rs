//! Which part of a network is computed on crops, and which positions of each of its wires.

use std::collections::{BTreeMap, BTreeSet};

use super::reading::{Reading, map_lengths, reading, row_shape};
use super::span::{Span, volume};
use crate::graph::{Graph, Node, Wire};

/// What one pass over an element costs, in multiply-adds.
const PASS: f64 = 10.0;
/// The passes that it takes to lay a region into a crop: cutting the crop, masking, padding, adding.
const LAYING: f64 = 5.0;
/// The passes that it takes to lay a region into a whole map.
const WHOLE: f64 = 2.0;

/// Where windows may stand along the spatial axes: at multiples of the stride, the last ones cut off by the border.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sliding {
    pub(super) size: Vec<usize>,
    pub(super) stride: Vec<usize>,
}

/// What of a graph is local in space, whatever the part that is computed on crops.
pub(super) struct Survey<'a> {
    pub(super) graph: &'a Graph,
    pub(super) input: Wire,
    /// By node; `None` where it is not local.
    pub(super) readings: Vec<Option<Reading>>,
    /// Positions of the input for each of a wire, axis by axis, of the wires that local nodes make.
    scales: BTreeMap<Wire, Vec<usize>>,
    /// By node, multiply-adds for one row.
    costs: Vec<f64>,
}

/// The part of a graph that is computed on crops: the wires, and their regions. Along an axis where a step of the coarsest
/// wire is `coarsest` positions of the input and one of this wire `scale`, a window that stands at `p` has the index
/// `t = ⌊p / coarsest⌋`, and the region of the wire begins at `t · coarsest / scale + start`. So every region moves by
/// whole positions, and lies at the same place in those around it, whatever the window: one graph serves them all.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) coarsest: Vec<usize>,
    pub(super) regions: BTreeMap<Wire, Vec<Span>>,
    /// The nodes that are computed on crops.
    pub(super) nodes: Vec<usize>,
    /// The wires among them that other nodes read.
    pub(super) frontier: Vec<Wire>,
    /// The last window's index, axis by axis.
    pub(super) last: Vec<usize>,
}

impl<'a> Survey<'a> {
    /// `None` where the graph has not one input that is a map.
    pub(super) fn of(graph: &'a Graph) -> Option<Self> {
        let [input] = *graph.inputs() else { return None };
        let n_axes = map_lengths(graph, input)?.len();
        let mut scales = BTreeMap::from([(input, vec![1; n_axes])]);
        let mut readings = Vec::with_capacity(graph.nodes().len());
        for node in graph.nodes() {
            let local = reading(graph, node, |wire| scales.contains_key(&wire));
            let scale = local.as_ref().and_then(|reading| output_scale(node, reading, &scales));
            if let (Some(scale), Some(output)) = (&scale, output(node)) {
                scales.insert(output, scale.clone());
            }
            readings.push(local.filter(|_| scale.is_some()));
        }
        let costs = graph.nodes().iter().map(|node| cost(graph, node)).collect();
        Some(Self { graph, input, readings, scales, costs })
    }

    /// The cheapest layout, and how many times cheaper than the whole graph it is.
    pub(super) fn best(&self, sliding: &Sliding) -> Option<(Layout, f64)> {
        let whole: f64 = self.costs.iter().sum();
        let layouts = self.cuts().filter_map(|cut| self.layout(sliding, cut));
        let costs = layouts.map(|layout| (self.cost_of(&layout), layout));
        let (cost, layout) = costs.min_by(|(a, _), (b, _)| a.total_cmp(b))?;
        Some((layout, whole / cost))
    }

    /// Where the part on crops may end: behind each local node.
    pub(super) fn cuts(&self) -> impl Iterator<Item = usize> {
        (0..self.readings.len()).filter(|&index| self.readings[index].is_some()).map(|index| index + 1)
    }

    /// The regions where the local nodes before `cut` are computed on crops; `None` where that is none.
    pub(super) fn layout(&self, sliding: &Sliding, cut: usize) -> Option<Layout> {
        let lengths = map_lengths(self.graph, self.input)?;
        let coarsest = self.coarsest(cut);
        let mut regions = BTreeMap::new();
        let (mut window, mut last) = (Vec::new(), Vec::new());
        for (axis, &length) in lengths.iter().enumerate() {
            let (size, stride) = (sliding.size[axis], sliding.stride[axis]);
            let mut corners = (0..=(length.checked_sub(size)?).div_ceil(stride)).map(|i| i * stride);
            // A window that stands between two steps needs as much more room.
            let slack = corners.clone().map(|corner| corner % coarsest[axis]).max()?;
            window.push(Span { start: 0, len: size + slack });
            last.push(corners.next_back()? / coarsest[axis]);
        }
        regions.insert(self.input, window);
        let mut nodes = Vec::new();
        for (index, node) in self.graph.nodes().iter().enumerate().take(cut) {
            if let (Some(region), Some(output)) = (self.region(index, node, &regions), output(node)) {
                regions.insert(output, region);
                nodes.push(index);
            }
        }
        let frontier = self.frontier(&nodes);
        (!nodes.is_empty()).then_some(Layout { coarsest, regions, nodes, frontier, last })
    }

    /// The step that all wires before `cut` share, axis by axis, in positions of the input.
    fn coarsest(&self, cut: usize) -> Vec<usize> {
        let mut coarsest = self.scales[&self.input].clone();
        for node in &self.graph.nodes()[..cut] {
            if let Some(scale) = output(node).and_then(|wire| self.scales.get(&wire)) {
                coarsest.iter_mut().zip(scale).for_each(|(all, own)| *all = least_multiple(*all, *own));
            }
        }
        coarsest
    }

    /// The positions of a node's output that change with the window: what reads a position that changes.
    fn region(&self, index: usize, node: &Node, regions: &BTreeMap<Wire, Vec<Span>>) -> Option<Vec<Span>> {
        let reading = self.readings[index].as_ref()?;
        let moving = node.inputs.iter().flatten().filter(|wire| self.graph.constant(**wire).is_none());
        let inputs: Vec<&Vec<Span>> = moving.map(|wire| regions.get(wire)).collect::<Option<_>>()?;
        match reading {
            Reading::Sliding { axes, .. } => {
                inputs.first()?.iter().zip(axes).map(|(span, axis)| span.read_by(axis)).collect()
            }
            Reading::Pointwise => {
                let hull = |a: Vec<Span>, b: &Vec<Span>| a.iter().zip(b).map(|(a, b)| a.hull(*b)).collect();
                Some(inputs[1..].iter().fold((*inputs.first()?).clone(), |a, b| hull(a, b)))
            }
        }
    }

    fn frontier(&self, nodes: &[usize]) -> Vec<Wire> {
        let inside: BTreeSet<usize> = nodes.iter().copied().collect();
        let outside = (0..self.graph.nodes().len()).filter(|index| !inside.contains(index));
        let mut read: BTreeSet<Wire> =
            outside.flat_map(|index| self.graph.nodes()[index].inputs.iter().flatten().copied()).collect();
        read.extend(self.graph.outputs());
        let made = nodes.iter().filter_map(|&index| output(&self.graph.nodes()[index]));
        made.filter(|wire| read.contains(wire)).collect()
    }

    /// Multiply-adds for one window, passes over memory counted in.
    fn cost_of(&self, layout: &Layout) -> f64 {
        let elements =
            |wire: Wire| row_shape(self.graph, wire).map_or(0, |shape| shape.iter().product::<usize>());
        let mut cost: f64 = self.costs.iter().sum();
        for &index in &layout.nodes {
            let Some(output) = output(&self.graph.nodes()[index]) else { continue };
            let part = volume(&layout.regions[&output]) as f64 * channels(self.graph, output);
            cost -= self.costs[index] * (1.0 - part / elements(output) as f64);
            for (wire, need) in self.needs(layout, index) {
                if layout.regions[&wire] != need {
                    // Crops of the input are cut whole.
                    let passes = if wire == self.input { 1.0 } else { LAYING };
                    cost += passes * PASS * volume(&need) as f64 * channels(self.graph, wire);
                }
            }
        }
        cost + layout.frontier.iter().map(|wire| WHOLE * PASS * elements(*wire) as f64).sum::<f64>()
    }

    /// The positions of each moving input that a node reads to compute its region.
    pub(super) fn needs(&self, layout: &Layout, index: usize) -> Vec<(Wire, Vec<Span>)> {
        let node = &self.graph.nodes()[index];
        let Some(region) = output(node).and_then(|output| layout.regions.get(&output)) else {
            return Vec::new();
        };
        let need: Vec<Span> = match &self.readings[index] {
            Some(Reading::Sliding { axes, .. }) => {
                region.iter().zip(axes).map(|(span, axis)| span.reads(axis)).collect()
            }
            _ => region.clone(),
        };
        let moving = node.inputs.iter().flatten().filter(|wire| layout.regions.contains_key(wire));
        moving.map(|wire| (*wire, need.clone())).collect()
    }

    /// By how many positions the region of a wire moves from one window's index to the next, axis by axis.
    pub(super) fn steps(&self, layout: &Layout, wire: Wire) -> Vec<usize> {
        layout.coarsest.iter().zip(&self.scales[&wire]).map(|(all, own)| all / own).collect()
    }
}

/// The scale of a node's output; `None` where its inputs differ in theirs.
fn output_scale(node: &Node, reading: &Reading, scales: &BTreeMap<Wire, Vec<usize>>) -> Option<Vec<usize>> {
    let mut inputs = node.inputs.iter().flatten().filter_map(|wire| scales.get(wire));
    let scale = inputs.next()?.clone();
    match reading {
        Reading::Sliding { axes, .. } => {
            Some(scale.iter().zip(axes).map(|(scale, axis)| scale * axis.stride).collect())
        }
        Reading::Pointwise => inputs.all(|other| *other == scale).then_some(scale),
    }
}

fn output(node: &Node) -> Option<Wire> {
    node.outputs.first().copied().flatten()
}

fn channels(graph: &Graph, wire: Wire) -> f64 {
    row_shape(graph, wire).map_or(0.0, |shape| shape[1] as f64)
}

/// The multiply-adds of a node for one row; of ops without products, a pass over the larger side.
fn cost(graph: &Graph, node: &Node) -> f64 {
    let size = |wire: Option<&Option<Wire>>| {
        let shape = wire.copied().flatten().and_then(|wire| graph.shape(wire)).unwrap_or_default();
        shape.iter().filter_map(|dim| dim.known()).product::<usize>() as f64
    };
    let length = |i: usize, axis: usize| {
        let shape = node.inputs.get(i).copied().flatten().and_then(|wire| graph.shape(wire));
        shape.and_then(|shape| shape.get(axis)?.known()).unwrap_or(1) as f64
    };
    let (output, input) = (size(node.outputs.first()), size(node.inputs.first()));
    match node.op.as_str() {
        "Conv" => output * size(node.inputs.get(1)) / length(1, 0),
        "ConvTranspose" => input * size(node.inputs.get(1)) / length(1, 0),
        "MatMul" | "Gemm" => {
            let last = node.inputs[0].and_then(|wire| graph.rank(wire)).unwrap_or(1) - 1;
            output * length(0, last)
        }
        "MaxPool" | "AveragePool" => {
            output * node.ints("kernel_shape").map_or(1, |kernel| kernel.iter().product()) as f64
        }
        _ => output.max(input) * PASS,
    }
}

fn least_multiple(a: usize, b: usize) -> usize {
    let (mut divisor, mut rest) = (a, b);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    a / divisor * b
}

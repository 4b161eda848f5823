//! Emits the part of a network that is computed on crops.

use std::collections::BTreeMap;

use super::crop::{Feed, Source};
use super::layout::{Layout, Survey};
use super::reading::{Reading, row_shape};
use super::span::{Span, lengths};
use crate::error::Error;
use crate::graph::{Attribute, Graph, Node, Wire};
use crate::tensor::ElementType;
use crate::types::{Dim, Type};

/// The part on crops while it is emitted.
pub(super) struct Head<'a> {
    survey: &'a Survey<'a>,
    layout: &'a Layout,
    pub(super) graph: Graph,
    /// What each input of `graph` is given.
    pub(super) feeds: Vec<Feed>,
    /// The wires whose maps are stored, in the order that feeds count them.
    pub(super) kept: Vec<Wire>,
    /// Wires of the network → wires of `graph` that hold their regions; constants too.
    map: BTreeMap<Wire, Wire>,
}

impl<'a> Head<'a> {
    /// The graph from crops to the regions of the layout's frontier.
    pub(super) fn emit(survey: &'a Survey<'a>, layout: &'a Layout) -> Result<Self, Error> {
        let graph = Graph::new(survey.graph.name.clone());
        let mut head =
            Self { survey, layout, graph, feeds: Vec::new(), kept: Vec::new(), map: BTreeMap::new() };
        for &index in &layout.nodes {
            head.node(index);
        }
        let outputs: Vec<Wire> = layout.frontier.iter().map(|wire| head.map[wire]).collect();
        head.graph.set_outputs(&outputs);
        head.graph.check_fault()?;
        for wire in &layout.frontier {
            let made = row_shape(&head.graph, head.map[wire]).map(|shape| shape[2..].to_vec());
            assert_eq!(made, Some(lengths(&layout.regions[wire])), "{}", survey.graph.name_of(*wire));
        }
        Ok(head)
    }

    /// The place of a wire among those stored.
    pub(super) fn keep(&mut self, wire: Wire) -> usize {
        let found = self.kept.iter().position(|kept| *kept == wire);
        found.unwrap_or_else(|| {
            self.kept.push(wire);
            self.kept.len() - 1
        })
    }

    fn node(&mut self, index: usize) {
        let node = &self.survey.graph.nodes()[index];
        let Some(output) = node.outputs[0] else { return };
        let reading = self.survey.readings[index].as_ref();
        let needs: BTreeMap<Wire, Vec<Span>> = self.survey.needs(self.layout, index).into_iter().collect();
        let fill = match reading {
            Some(Reading::Sliding { fill, .. }) => Some(*fill),
            _ => None,
        };
        let inputs = node.inputs.iter().map(|wire| {
            wire.map(|wire| match needs.get(&wire) {
                Some(need) => self.operand(wire, need, fill),
                None => self.constant(wire),
            })
        });
        let inputs = inputs.collect();
        let copy = Node { inputs, outputs: Vec::new(), ..without_border(node, reading) };
        let name = self.survey.graph.name_of(output);
        let Some(made) = self.graph.add_node(copy, &[Some(name)]).first().copied().flatten() else { return };
        let region = &self.layout.regions[&output];
        // A place of a MaxPool beyond the border is −∞, which times 0 is not 0.
        let infinite = fill.is_some_and(f64::is_infinite) && self.crosses(output, region);
        let made = if infinite { self.finite_inside(output, region, made) } else { made };
        self.map.insert(output, made);
    }

    fn constant(&mut self, wire: Wire) -> Wire {
        if let Some(found) = self.map.get(&wire) {
            return *found;
        }
        let Some(tensor) = self.survey.graph.constant(wire) else { return wire };
        let made = self.graph.add_constant(self.survey.graph.name_of(wire), tensor.clone());
        self.map.insert(wire, made);
        made
    }

    /// The positions `need` of a wire for the window at hand: its region laid into a crop of the stored map. Beyond the
    /// border stands `fill`; where there is none, it does not matter.
    fn operand(&mut self, wire: Wire, need: &[Span], fill: Option<f64>) -> Wire {
        let value = fill.unwrap_or(0.0);
        if wire == self.survey.input {
            return self.feed(wire, Source::Row, need, None, value);
        }
        let region = self.layout.regions[&wire].clone();
        let shared: Option<Vec<Span>> = region.iter().zip(need).map(|(a, b)| a.shared(*b)).collect();
        // Every need comes from what changes.
        let shared = shared.unwrap_or_else(|| panic!("a need apart from its region"));
        let mut made = self.map[&wire];
        if shared != region {
            made = self.sliced(made, &region, &shared);
        }
        let border = fill.is_some() && self.crosses(wire, &shared);
        if border {
            let inside = self.feed(wire, Source::Inside, &shared, None, 0.0);
            made = self.graph.mul(made, inside);
        }
        if shared != need || border && value != 0.0 {
            let kept = Source::Kept(self.keep(wire));
            let around = self.feed(wire, kept, need, Some(shared.clone()), value);
            made = self.padded(made, &shared, need);
            made = self.graph.add(made, around);
        }
        made
    }

    /// An input that is given crops of a wire; the one there is, if it is the same.
    fn feed(
        &mut self,
        wire: Wire,
        source: Source,
        spans: &[Span],
        hole: Option<Vec<Span>>,
        fill: f64,
    ) -> Wire {
        let graph = self.survey.graph;
        let shape = row_shape(graph, wire).unwrap_or_default();
        let steps = self.survey.steps(self.layout, wire);
        let feed = Feed { source, spans: spans.to_vec(), steps, lengths: shape[2..].to_vec(), hole, fill };
        if let Some(i) = self.feeds.iter().position(|other| *other == feed) {
            return self.graph.inputs()[i];
        }
        let (channels, element) = match source {
            Source::Inside => (1, ElementType::F32),
            _ => (shape[1], graph.element(wire)),
        };
        let mut dims = vec![Dim::symbol("N"), Dim::Known(channels)];
        dims.extend(spans.iter().map(|span| Dim::Known(span.len)));
        self.feeds.push(feed);
        self.graph.add_input(&format!("{}_crop", graph.name_of(wire)), Type::new(element, dims))
    }

    /// Whether any window's positions reach beyond the border of the wire's map.
    fn crosses(&self, wire: Wire, spans: &[Span]) -> bool {
        let lengths = row_shape(self.survey.graph, wire).unwrap_or_default().split_off(2);
        let steps = self.survey.steps(self.layout, wire);
        (0..spans.len()).any(|axis| {
            let moved = (self.layout.last[axis] * steps[axis]) as i64;
            let end = spans[axis].start + spans[axis].len as i64;
            spans[axis].start < 0 || moved + end > lengths[axis] as i64
        })
    }

    /// The region with zeros beyond the border.
    fn finite_inside(&mut self, wire: Wire, region: &[Span], x: Wire) -> Wire {
        let inside = self.feed(wire, Source::Inside, region, None, 0.0);
        let inside = self.graph.greater_scalar(inside, 0.5);
        self.graph.keep_where(inside, x)
    }

    fn sliced(&mut self, x: Wire, from: &[Span], to: &[Span]) -> Wire {
        let starts: Vec<i64> = from.iter().zip(to).map(|(from, to)| to.start - from.start).collect();
        let ends: Vec<i64> = starts.iter().zip(to).map(|(start, to)| start + to.len as i64).collect();
        let axes: Vec<i64> = (0..from.len() as i64).map(|axis| axis + 2).collect();
        let operands = [starts, ends, axes].map(|numbers| self.graph.ints(&numbers));
        self.graph.node("Slice", &[x, operands[0], operands[1], operands[2]], &[])
    }

    fn padded(&mut self, x: Wire, from: &[Span], to: &[Span]) -> Wire {
        if from == to {
            return x;
        }
        let begins = from.iter().zip(to).map(|(from, to)| from.start - to.start);
        let ends =
            from.iter().zip(to).map(|(from, to)| to.start + to.len as i64 - from.start - from.len as i64);
        let pads: Vec<i64> = [0, 0].into_iter().chain(begins).chain([0, 0]).chain(ends).collect();
        let pads = self.graph.ints(&pads);
        self.graph.node("Pad", &[x, pads], &[])
    }
}

/// The node with a kernel that stays within its input: what lies beyond the border is in the crop.
fn without_border(node: &Node, reading: Option<&Reading>) -> Node {
    let mut node = node.clone();
    if let Some(Reading::Sliding { axes, .. }) = reading {
        for name in ["auto_pad", "ceil_mode", "count_include_pad"] {
            node.attributes.remove(name);
        }
        node.attributes.insert("pads".to_owned(), Attribute::Ints(vec![0; 2 * axes.len()]));
    }
    node
}

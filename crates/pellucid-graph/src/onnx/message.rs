//! `Graph` → `GraphProto`, without the constants of the outermost graph.

use std::collections::{BTreeMap, BTreeSet};

use super::nodes::CAPTURES;
use super::proto::{AttributeProto, AttributeType, GraphProto, NodeProto, ValueInfoProto};
use super::tensor::encode;
use super::value_type::value_info;
use crate::error::Error;
use crate::graph::{Attribute, Graph, Node, Wire};
use crate::ops;
use crate::tensor::ElementType;
use crate::types::Dim;

/// The outermost graph, and the constants that it reads.
pub(super) fn graph_proto(graph: &Graph) -> Result<(GraphProto, Vec<Wire>), Error> {
    let writer = Writer { graph, names: BTreeMap::new(), outer: BTreeSet::new() };
    let proto = writer.graph(graph.inputs())?;
    Ok((proto, used_constants(graph)))
}

/// Rewriting leaves nodes of one name, which ONNX Runtime refuses.
fn make_names_unique(nodes: &mut [NodeProto]) {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for (index, node) in nodes.iter_mut().enumerate() {
        let Some(name) = node.name.clone().filter(|name| !name.is_empty()) else { continue };
        let mut free = name.clone();
        while !taken.insert(free.clone()) {
            free = format!("{free}/{index}");
        }
        node.name = Some(free);
    }
}

fn used_constants(graph: &Graph) -> Vec<Wire> {
    let read = graph.nodes().iter().flat_map(|node| node.inputs.iter().flatten());
    let used: BTreeSet<&Wire> = read.chain(graph.outputs()).collect();
    graph.wires().filter(|wire| graph.constant(*wire).is_some() && used.contains(wire)).collect()
}

/// One graph on its way into a message.
struct Writer<'g> {
    graph: &'g Graph,
    /// Names that differ from the wires' own.
    names: BTreeMap<Wire, String>,
    /// Names of the graphs around this one, which must not be taken.
    outer: BTreeSet<String>,
}

impl Writer<'_> {
    fn name(&self, wire: Wire) -> &str {
        self.names.get(&wire).map_or_else(|| self.graph.name_of(wire), String::as_str)
    }

    fn graph(&self, inputs: &[Wire]) -> Result<GraphProto, Error> {
        let graph = self.graph;
        let mut node = graph.nodes().iter().map(|node| self.node(node)).collect::<Result<Vec<_>, _>>()?;
        let mut written = BTreeSet::new();
        let mut output = Vec::new();
        for (index, &wire) in graph.outputs().iter().enumerate() {
            let mut name = self.name(wire).to_owned();
            if !written.insert(wire) {
                // Names of outputs are unique in a file.
                let copy = format!("{name}/output_{index}");
                node.push(identity(&name, &copy));
                name = copy;
            }
            output.push(self.value(wire, &name));
        }
        make_names_unique(&mut node);
        let name = if graph.name.is_empty() { "graph" } else { &graph.name };
        Ok(GraphProto {
            node,
            name: Some(name.to_owned()),
            input: inputs.iter().map(|&wire| self.value(wire, self.name(wire))).collect(),
            output,
            value_info: self.value_info(),
            ..GraphProto::default()
        })
    }

    fn value(&self, wire: Wire, name: &str) -> ValueInfoProto {
        let ty = self.graph.type_of(wire);
        match ty.element {
            ElementType::Unknown => {
                ValueInfoProto { name: Some(name.to_owned()), ..ValueInfoProto::default() }
            }
            _ => value_info(name, ty),
        }
    }

    /// The types that cannot be inferred again from the nodes, and shapes with a length that only a run tells: ONNX Runtime
    /// infers fewer of them, never reuses a buffer whose size it cannot tell, and looks through all such buffers at each
    /// further node, which takes a minute for loops that are written out.
    fn value_info(&self) -> Vec<ValueInfoProto> {
        let mut infos = Vec::new();
        for node in self.graph.nodes() {
            let inferred = ops::infer(self.graph, node).unwrap_or_default();
            for (index, wire) in node.outputs.iter().enumerate() {
                let Some(wire) = *wire else { continue };
                let ty = self.graph.type_of(wire);
                let of_a_run = ty.shape.iter().flatten().any(|dim| matches!(dim, Dim::Symbol { .. }));
                let known = ty.element != ElementType::Unknown;
                if known && (of_a_run || inferred.get(index) != Some(ty)) {
                    infos.push(self.value(wire, self.name(wire)));
                }
            }
        }
        infos
    }

    fn node(&self, node: &Node) -> Result<NodeProto, Error> {
        let n_captures = node.int(CAPTURES).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let (own, captured) = node.inputs.split_at(node.inputs.len().saturating_sub(n_captures));
        // Runtimes have died of inputs that are left out behind the last one.
        let n_given = own.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        let captured: Vec<&str> = captured.iter().flatten().map(|wire| self.name(*wire)).collect();
        let names = |wires: &[Option<Wire>]| {
            wires.iter().map(|wire| wire.map_or("", |wire| self.name(wire)).to_owned()).collect()
        };
        let written = node.attributes.iter().filter(|(name, _)| *name != CAPTURES);
        Ok(NodeProto {
            input: names(&own[..n_given]),
            output: names(&node.outputs),
            name: Some(node.name.clone()),
            op_type: Some(node.op.clone()),
            domain: Some(node.domain.clone()).filter(|domain| !domain.is_empty()),
            attribute: written
                .map(|(name, value)| self.attribute(name, value, &captured))
                .collect::<Result<_, _>>()?,
            ..NodeProto::default()
        })
    }

    fn attribute(&self, name: &str, value: &Attribute, captured: &[&str]) -> Result<AttributeProto, Error> {
        let tensor =
            |tensor| encode("", tensor).map_err(|error| Error::Unsupported { reason: error.to_string() });
        let mut proto = AttributeProto { name: Some(name.to_owned()), ..AttributeProto::default() };
        let ty = match value {
            Attribute::Int(n) => (proto.i = Some(*n), AttributeType::Int).1,
            Attribute::Float(x) => (proto.f = Some(*x), AttributeType::Float).1,
            Attribute::String(text) => (proto.s = Some(text.clone().into()), AttributeType::String).1,
            Attribute::Tensor(t) => (proto.t = Some(tensor(t)?.into()), AttributeType::Tensor).1,
            Attribute::Graph(g) => (proto.g = Some(self.body(g, captured)?.into()), AttributeType::Graph).1,
            Attribute::Ints(v) => (proto.ints = v.clone(), AttributeType::Ints).1,
            Attribute::Floats(v) => (proto.floats = v.clone(), AttributeType::Floats).1,
            Attribute::Strings(v) => {
                proto.strings = v.iter().map(|text| text.clone().into()).collect();
                AttributeType::Strings
            }
            Attribute::Tensors(v) => {
                proto.tensors = v.iter().map(|t| tensor(t)).collect::<Result<_, _>>()?;
                AttributeType::Tensors
            }
            Attribute::Graphs(v) => {
                proto.graphs = v.iter().map(|g| self.body(g, captured)).collect::<Result<_, _>>()?;
                AttributeType::Graphs
            }
        };
        proto.r#type = Some(ty as i32);
        Ok(proto)
    }

    /// A body: its last inputs are the captured wires, which in a file are read by the names they have outside.
    fn body(&self, graph: &Graph, captured: &[&str]) -> Result<GraphProto, Error> {
        let (own, from_outside) =
            graph.inputs().split_at(graph.inputs().len().saturating_sub(captured.len()));
        let mut outer = self.outer.clone();
        outer.extend(self.graph.wires().map(|wire| self.name(wire).to_owned()));
        let mut names: BTreeMap<Wire, String> =
            from_outside.iter().zip(captured).map(|(wire, name)| (*wire, (*name).to_owned())).collect();
        for wire in graph.wires().filter(|wire| !from_outside.contains(wire)) {
            let mut name = graph.name_of(wire).to_owned();
            while outer.contains(&name) {
                name.push_str("/body");
            }
            names.insert(wire, name);
        }
        let writer = Writer { graph, names, outer };
        let mut proto = writer.graph(own)?;
        for wire in used_constants(graph) {
            let tensor = graph.constant(wire).map(|tensor| encode(writer.name(wire), tensor)).transpose();
            proto
                .initializer
                .extend(tensor.map_err(|error| Error::Unsupported { reason: error.to_string() })?);
        }
        Ok(proto)
    }
}

fn identity(from: &str, to: &str) -> NodeProto {
    NodeProto {
        input: vec![from.to_owned()],
        output: vec![to.to_owned()],
        name: Some(to.to_owned()),
        op_type: Some("Identity".to_owned()),
        ..NodeProto::default()
    }
}

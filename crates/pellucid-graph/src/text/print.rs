//! `Graph` → text. Large constants are shortened, so that only graphs with small ones can be read back.

use std::fmt::Write;

use super::parse::ELEMENT_NAMES;
use crate::graph::{Attribute, Graph, Node, Wire};
use crate::tensor::{ElementType, Tensor};
use crate::types::Type;

/// Longer constants are cut.
const MAX_ELEMENTS: usize = 16;

/// Writes a graph in ONNX's textual syntax.
pub fn print(graph: &Graph) -> String {
    let mut text = String::new();
    let values = |wires: &[Wire]| {
        let value = |wire: &Wire| format!("{} {}", type_text(graph.type_of(*wire)), graph.name_of(*wire));
        wires.iter().map(value).collect::<Vec<_>>().join(", ")
    };
    let name = if graph.name.is_empty() { "graph" } else { &graph.name };
    let _ = writeln!(text, "{name} ({}) => ({})", values(graph.inputs()), values(graph.outputs()));
    let constants: Vec<String> = graph
        .wires()
        .filter_map(|wire| {
            let tensor = graph.constant(wire)?;
            let ty = type_text(graph.type_of(wire));
            Some(format!("{ty} {} = {}", graph.name_of(wire), elements_text(tensor)))
        })
        .collect();
    if !constants.is_empty() {
        let _ = writeln!(text, "<{}>", constants.join(",\n "));
    }
    text.push_str("{\n");
    for node in graph.nodes() {
        let _ = writeln!(text, "    {}", node_text(graph, node));
    }
    text.push_str("}\n");
    text
}

fn node_text(graph: &Graph, node: &Node) -> String {
    let names = |wires: &[Option<Wire>]| {
        let name = |wire: &Option<Wire>| wire.map_or("\"\"", |wire| graph.name_of(wire)).to_owned();
        wires.iter().map(name).collect::<Vec<_>>().join(", ")
    };
    let attributes: Vec<String> =
        node.attributes.iter().map(|(name, value)| format!("{name} = {}", attribute_text(value))).collect();
    let attributes =
        if attributes.is_empty() { String::new() } else { format!("<{}>", attributes.join(", ")) };
    let (outputs, inputs) = (names(&node.outputs), names(&node.inputs));
    format!("[{}] {outputs} = {}{attributes}({inputs})", node.name, node.full_op())
}

/// `float[N,3]`
pub(crate) fn type_text(ty: &Type) -> String {
    let name =
        ELEMENT_NAMES.iter().find(|(_, element)| *element == ty.element).map_or("unknown", |(name, _)| name);
    match &ty.shape {
        None => format!("{name}[...]"),
        Some(shape) if shape.is_empty() => name.to_owned(),
        Some(shape) => {
            format!("{name}[{}]", shape.iter().map(|d| d.to_string()).collect::<Vec<_>>().join(","))
        }
    }
}

fn elements_text(tensor: &Tensor) -> String {
    if tensor.element() == ElementType::String {
        return "{...}".to_owned();
    }
    let mut items: Vec<String> = tensor.to_f64s().iter().take(MAX_ELEMENTS).map(f64::to_string).collect();
    if tensor.len() > MAX_ELEMENTS {
        items.push("...".to_owned());
    }
    format!("{{{}}}", items.join(", "))
}

fn attribute_text(attribute: &Attribute) -> String {
    let list = |items: Vec<String>| format!("[{}]", items.join(", "));
    match attribute {
        Attribute::Int(n) => n.to_string(),
        Attribute::Float(x) => format!("{x:?}"),
        Attribute::String(text) => format!("{text:?}"),
        Attribute::Ints(items) => list(items.iter().map(i64::to_string).collect()),
        Attribute::Floats(items) => list(items.iter().map(|x| format!("{x:?}")).collect()),
        Attribute::Strings(items) => list(items.iter().map(|x| format!("{x:?}")).collect()),
        Attribute::Tensor(tensor) => format!("{} {}", type_text(&Type::of(tensor)), elements_text(tensor)),
        Attribute::Graph(_) | Attribute::Graphs(_) | Attribute::Tensors(_) => "{...}".to_owned(),
    }
}

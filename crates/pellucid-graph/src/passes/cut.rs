//! Parts of a graph: `cut` at wires, `expose` wires, `prune` what no output needs.

use crate::error::Error;
use crate::graph::{Graph, Wire};
use crate::passes::rebuild::Rebuild;

/// The graph with `wires` as inputs instead of what made them. Inputs that nothing needs any more are gone; the
/// new inputs come first, in the order given.
///
/// # Errors
/// None of its own.
pub fn cut(graph: &Graph, wires: &[Wire]) -> Result<Graph, Error> {
    copy_needed(graph, wires)
}

/// The graph with more outputs, behind those it has.
pub fn expose(graph: &Graph, wires: &[Wire]) -> Graph {
    let mut exposed = graph.clone();
    for wire in wires {
        exposed.add_output(*wire);
    }
    exposed
}

/// The graph without the nodes and constants that no output needs. All inputs stay.
///
/// # Errors
/// None of its own.
pub fn prune(graph: &Graph) -> Result<Graph, Error> {
    copy_needed(graph, graph.inputs())
}

/// Copies what the outputs need from `starts`, which become the first inputs; other inputs follow where needed.
fn copy_needed(graph: &Graph, starts: &[Wire]) -> Result<Graph, Error> {
    let needed = needed_from(graph, starts);
    let mut new = Rebuild::of(graph);
    let further = graph.inputs().iter().filter(|wire| needed[wire.index()] && !starts.contains(wire));
    for wire in starts.iter().chain(further) {
        let input = new.add_input(graph.name_of(*wire), graph.type_of(*wire).clone());
        new.stand_for(*wire, input);
    }
    for wire in graph.wires().filter(|wire| needed[wire.index()] && !starts.contains(wire)) {
        if let Some(tensor) = graph.constant(wire) {
            let constant = new.add_constant(graph.name_of(wire), tensor.clone());
            new.stand_for(wire, constant);
        }
    }
    for node in graph.nodes() {
        let made = |wire: &Wire| needed[wire.index()] && !starts.contains(wire);
        if node.outputs.iter().flatten().any(made) {
            new.copy_node_except(graph, node, starts);
        }
    }
    new.finish(graph)
}

/// By wire: whether an output needs it, not looking behind `starts`.
fn needed_from(graph: &Graph, starts: &[Wire]) -> Vec<bool> {
    let mut needed = vec![false; graph.wires().count()];
    for wire in graph.outputs() {
        needed[wire.index()] = true;
    }
    for node in graph.nodes().iter().rev() {
        let made = |wire: &Wire| needed[wire.index()] && !starts.contains(wire);
        if node.outputs.iter().flatten().any(made) {
            for wire in node.inputs.iter().flatten() {
                needed[wire.index()] = true;
            }
        }
    }
    needed
}

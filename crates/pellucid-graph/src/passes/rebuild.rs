//! The way every pass works: the graph is copied node by node, and some nodes are replaced by others.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use crate::check::debug_check;
use crate::error::Error;
use crate::graph::{Graph, Node, Wire};
use crate::types::Type;

/// A graph under construction as the copy of another. Builder methods of [`Graph`] work on it directly.
pub struct Rebuild {
    graph: Graph,
    /// Wires of the old graph → wires of the new.
    map: BTreeMap<Wire, Wire>,
}

impl Deref for Rebuild {
    type Target = Graph;

    fn deref(&self) -> &Graph {
        &self.graph
    }
}

impl DerefMut for Rebuild {
    fn deref_mut(&mut self) -> &mut Graph {
        &mut self.graph
    }
}

impl Rebuild {
    /// An empty copy of `graph`, with its name.
    pub(crate) fn of(graph: &Graph) -> Self {
        Self { graph: Graph::new(graph.name.clone()), map: BTreeMap::new() }
    }

    /// The new wire of an old one, where it has one already.
    pub(crate) fn mapped(&self, old: Wire) -> Option<Wire> {
        self.map.get(&old).copied()
    }

    /// Lets `new` stand for `old` from here on.
    pub(crate) fn stand_for(&mut self, old: Wire, new: Wire) {
        self.map.insert(old, new);
    }

    /// Copies inputs with their types and constants with their tensors (shared, not copied).
    pub(crate) fn copy_inputs_and_constants(&mut self, old: &Graph) {
        for wire in old.inputs() {
            let new = self.graph.add_input(old.name_of(*wire), old.type_of(*wire).clone());
            self.map.insert(*wire, new);
        }
        self.copy_constants(old);
    }

    /// Copies constants with their tensors (shared, not copied).
    pub(crate) fn copy_constants(&mut self, old: &Graph) {
        for wire in old.wires() {
            if let Some(tensor) = old.constant(wire) {
                let new = self.graph.add_constant(old.name_of(wire), tensor.clone());
                self.map.insert(wire, new);
            }
        }
    }

    /// The node with its inputs translated to the new graph. Its outputs are still wires of the old one: they only say
    /// which there are.
    pub(crate) fn translated(&self, node: &Node) -> Node {
        let inputs = node.inputs.iter().map(|wire| wire.and_then(|wire| self.mapped(wire))).collect();
        Node { inputs, ..node.clone() }
    }

    /// Copies one node as it is, keeping the names of its outputs and what the old graph states of their types.
    pub(crate) fn copy_node(&mut self, old: &Graph, node: &Node) {
        self.copy_node_except(old, node, &[]);
    }

    /// Like [`Rebuild::copy_node`]; outputs among `taken` already stand for something else and keep doing so.
    pub(crate) fn copy_node_except(&mut self, old: &Graph, node: &Node, taken: &[Wire]) {
        for (old_wire, new_wire) in self.copied_outputs(old, node) {
            if !taken.contains(&old_wire) {
                self.graph.refine_type(new_wire, old.type_of(old_wire));
                self.map.insert(old_wire, new_wire);
            }
        }
    }

    /// Like [`Rebuild::copy_node`], but types are inferred alone: the old graph's lengths may no longer hold. Where
    /// nothing can be inferred, the element type is kept.
    pub(crate) fn copy_node_afresh(&mut self, old: &Graph, node: &Node) {
        for (old_wire, new_wire) in self.copied_outputs(old, node) {
            let element = Type { element: old.element(old_wire), shape: None };
            self.graph.refine_type(new_wire, &element);
            self.map.insert(old_wire, new_wire);
        }
    }

    /// Adds the node; gives its old and new outputs side by side.
    fn copied_outputs(&mut self, old: &Graph, node: &Node) -> Vec<(Wire, Wire)> {
        let translated = self.translated(node);
        let names: Vec<Option<&str>> =
            node.outputs.iter().map(|wire| wire.map(|wire| old.name_of(wire))).collect();
        let new = self.graph.add_node(translated, &names);
        node.outputs.iter().zip(new).filter_map(|(old, new)| Some(((*old)?, new?))).collect()
    }

    /// Lets `replacements` stand for the outputs of a node that is not copied; a made-up name gives way to the old one.
    pub(crate) fn replace(&mut self, old: &Graph, node: &Node, replacements: &[Wire]) {
        for (old_wire, new_wire) in node.outputs.iter().zip(replacements) {
            let Some(old_wire) = *old_wire else { continue };
            let fresh =
                self.graph.producer(*new_wire).is_some() && self.graph.name_of(*new_wire).ends_with(":0");
            if fresh && self.graph.wire(old.name_of(old_wire)).is_err() {
                self.graph.rename(*new_wire, old.name_of(old_wire));
            }
            self.map.insert(old_wire, *new_wire);
        }
    }

    /// Sets the outputs and gives the graph, an output that is an input or another output behind an `Identity`.
    pub(crate) fn finish(mut self, old: &Graph) -> Result<Graph, Error> {
        for output in old.outputs() {
            let wire = self.mapped(*output).ok_or_else(|| Error::UnknownWire {
                name: old.name_of(*output).to_owned(),
                hint: ": the rewrite lost it".to_owned(),
            })?;
            self.graph.add_output(wire);
        }
        self.graph.check_fault()?;
        debug_check(&self.graph)?;
        Ok(self.graph)
    }
}

/// Copies `graph`. `rewrite` sees each node with its inputs translated, and either gives the wires that stand for its
/// outputs, or `None` to have it copied.
///
/// # Errors
/// Whatever `rewrite` reports, with the node's name; inputs that do not fit an op.
pub fn rebuild(
    graph: &Graph,
    mut rewrite: impl FnMut(&mut Rebuild, &Node) -> Result<Option<Vec<Wire>>, String>,
) -> Result<Graph, Error> {
    let mut new = Rebuild::of(graph);
    new.copy_inputs_and_constants(graph);
    for node in graph.nodes() {
        let translated = new.translated(node);
        match rewrite(&mut new, &translated).map_err(|reason| node.fault(reason))? {
            Some(replacements) => {
                check_replaced(graph, node, replacements.len())?;
                new.replace(graph, node, &replacements);
            }
            None => new.copy_node(graph, node),
        }
        new.graph.check_fault()?;
    }
    new.finish(graph)
}

/// An output beyond the first `n_replaced` that somebody reads would be left out of its readers without a word.
fn check_replaced(graph: &Graph, node: &Node, n_replaced: usize) -> Result<(), Error> {
    let is_read = |wire: &&Wire| {
        let mut inputs = graph.nodes().iter().flat_map(|reader| &reader.inputs);
        graph.outputs().contains(wire) || inputs.any(|input| *input == Some(**wire))
    };
    match node.outputs.iter().skip(n_replaced).flatten().find(is_read) {
        Some(lost) => Err(node.fault(format!("its output `{}` is not supported", graph.name_of(*lost)))),
        None => Ok(()),
    }
}

//! What holds in every graph, checked after each rewrite in debug builds: each wire is made once and before it is read,
//! names are unique, and the types are those that the nodes give.

use std::collections::BTreeSet;

use crate::error::Error;
use crate::graph::{Graph, Node, Wire};
use crate::ops;
use crate::tensor::ElementType;
use crate::text::type_text;
use crate::types::{Dim, Type};

/// Checks a graph and the bodies in it.
///
/// # Errors
/// [`Error::Duplicate`], [`Error::Dangling`], and [`Error::Node`] where a node does not give the type that its output has.
pub(crate) fn check(graph: &Graph) -> Result<(), Error> {
    let mut made = BTreeSet::new();
    let constants = graph.wires().filter(|wire| graph.constant(*wire).is_some());
    for wire in graph.inputs().iter().copied().chain(constants) {
        make(graph, &mut made, wire, None)?;
    }
    for (index, node) in graph.nodes().iter().enumerate() {
        if let Some(wire) = node.inputs.iter().flatten().find(|wire| !made.contains(wire)) {
            return Err(Error::Dangling { node: node.name.clone(), wire: graph.name_of(*wire).to_owned() });
        }
        check_types(graph, node)?;
        for wire in node.outputs.iter().flatten() {
            make(graph, &mut made, *wire, Some(index))?;
        }
        node.bodies().try_for_each(check)?;
    }
    match graph.outputs().iter().find(|wire| !made.contains(wire)) {
        Some(lost) => {
            Err(Error::Dangling { node: "the graph's output".to_owned(), wire: format!("{lost:?}") })
        }
        None => Ok(()),
    }
}

/// The same in debug builds, nothing in others.
pub(crate) fn debug_check(graph: &Graph) -> Result<(), Error> {
    if cfg!(debug_assertions) { check(graph) } else { Ok(()) }
}

/// Notes a wire that `producer` makes: the first to do so, and the only wire of its name.
fn make(graph: &Graph, made: &mut BTreeSet<Wire>, wire: Wire, producer: Option<usize>) -> Result<(), Error> {
    let name = graph.name_of(wire);
    let alone = graph.wire(name) == Ok(wire) && graph.producer_index(wire) == producer;
    match made.insert(wire) && alone {
        true => Ok(()),
        false => Err(Error::Duplicate { wire: name.to_owned() }),
    }
}

fn check_types(graph: &Graph, node: &Node) -> Result<(), Error> {
    let inferred = ops::infer(graph, node)?;
    for (wire, inferred) in node.outputs.iter().zip(&inferred) {
        let Some(wire) = *wire else { continue };
        let stored = graph.type_of(wire);
        if !refines(stored, inferred) {
            let (stored, inferred) = (type_text(stored), type_text(inferred));
            return Err(
                node.fault(format!("`{}` is {stored}, but the node gives {inferred}", graph.name_of(wire)))
            );
        }
    }
    Ok(())
}

/// Whether `stored` says the same, and more only where nothing was inferred.
fn refines(stored: &Type, inferred: &Type) -> bool {
    let element = inferred.element == ElementType::Unknown || stored.element == inferred.element;
    element
        && match (&stored.shape, &inferred.shape) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(stored), Some(inferred)) => {
                stored.len() == inferred.len()
                    && stored
                        .iter()
                        .zip(inferred)
                        .all(|(stored, inferred)| *inferred == Dim::Unknown || stored == inferred)
            }
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    #[test]
    fn a_parsed_graph_is_in_order() {
        let graph = text::parse("g (float[N] x) => (float[N] y) { h = Relu(x) y = Exp(h) }").unwrap();
        assert_eq!(check(&graph), Ok(()));
    }

    #[test]
    fn an_output_that_nothing_makes_is_found() {
        let large = text::parse("g (float[N] x) => (float[N] y) { h = Relu(x) y = Exp(h) }").unwrap();
        let mut small = Graph::new("small");
        small.set_outputs(large.outputs());
        assert!(matches!(check(&small), Err(Error::Dangling { .. })));
    }

    #[test]
    fn a_type_that_no_longer_holds_is_found() {
        let mut graph = Graph::new("g");
        let x = graph.add_input("x", Type::unknown());
        let y = graph.relu(x);
        graph.set_outputs(&[y]);
        assert_eq!(check(&graph), Ok(()));
        graph.refine_type(x, &Type::fixed(ElementType::F32, &[2]));
        let error = check(&graph).unwrap_err();
        assert!(error.to_string().contains("is unknown[...], but the node gives float[2]"), "{error}");
    }
}

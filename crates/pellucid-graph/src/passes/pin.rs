//! Fixes the lengths of the inputs' axes, but for the batch, so that shape arithmetic folds.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Error;
use crate::graph::Graph;
use crate::passes::rebuild::Rebuild;
use crate::types::{Dim, Type, shape_text};

/// The name that the batch axis of every pinned graph has.
pub const BATCH: &str = "N";

/// The graph with each input of the given shape; `None` in a shape leaves that axis as the batch `N`. Inferred types
/// follow.
///
/// # Errors
/// [`Error::Input`] where a shape contradicts the graph's; whatever inference reports with the new lengths.
pub fn pin_shapes(graph: &Graph, shapes: &[Vec<Option<usize>>]) -> Result<Graph, Error> {
    let mut symbols: BTreeMap<Arc<str>, Dim> = BTreeMap::new();
    let mut types = Vec::new();
    for (wire, shape) in graph.inputs().iter().zip(shapes) {
        let ty = graph.type_of(*wire);
        let pinned: Vec<Dim> =
            shape.iter().map(|n| n.map_or_else(|| Dim::symbol(BATCH), Dim::Known)).collect();
        let fits = ty
            .shape
            .as_ref()
            .is_none_or(|own| own.len() == pinned.len() && all_fit(own, &pinned, &mut symbols));
        if !fits {
            return Err(Error::Input {
                input: graph.name_of(*wire).to_owned(),
                expected: ty.shape.as_deref().map_or_else(String::new, shape_text),
                actual: shape_text(&pinned),
            });
        }
        types.push(Type::new(ty.element, pinned));
    }
    retyped(graph, &types)
}

/// Whether lengths agree, one length for each symbol.
fn all_fit(own: &[Dim], pinned: &[Dim], symbols: &mut BTreeMap<Arc<str>, Dim>) -> bool {
    own.iter().zip(pinned).all(|(own, pinned)| match own {
        Dim::Known(_) => own == pinned,
        Dim::Symbol { name, times: 1 } => {
            symbols.entry(name.clone()).or_insert_with(|| pinned.clone()) == pinned
        }
        _ => true,
    })
}

/// The graph with other types of its inputs. What files state of inner wires' lengths no longer counts.
fn retyped(graph: &Graph, types: &[Type]) -> Result<Graph, Error> {
    let mut new = Rebuild::of(graph);
    for (wire, ty) in graph.inputs().iter().zip(types) {
        let input = new.add_input(graph.name_of(*wire), ty.clone());
        new.stand_for(*wire, input);
    }
    new.copy_constants(graph);
    for node in graph.nodes() {
        new.copy_node_afresh(graph, node);
        new.check_fault()?;
    }
    new.finish(graph)
}

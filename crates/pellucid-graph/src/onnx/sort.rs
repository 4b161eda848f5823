//! The order in which each node reads only what earlier ones made.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::proto::{GraphProto, NodeProto};
use crate::error::Error;

/// Indices of `nodes` in running order; the file's own order where it is one. `given` says which names are there
/// beforehand, `local` which of them may not be made again.
///
/// # Errors
/// [`Error::Duplicate`], [`Error::Dangling`], [`Error::Cyclic`].
pub(super) fn running_order(
    nodes: &[NodeProto],
    given: impl Fn(&str) -> bool,
    local: impl Fn(&str) -> bool,
) -> Result<Vec<usize>, Error> {
    let makers = makers(nodes, local)?;
    let mut waiting_for = vec![0usize; nodes.len()];
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        for name in reads(node) {
            match makers.get(name.as_str()) {
                Some(&maker) => {
                    waiting_for[index] += 1;
                    readers[maker].push(index);
                }
                None if given(&name) => {}
                None => return Err(Error::Dangling { node: title(node, index), wire: name }),
            }
        }
    }
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..nodes.len()).filter(|&index| waiting_for[index] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(Reverse(index)) = ready.pop() {
        order.push(index);
        for &reader in &readers[index] {
            waiting_for[reader] -= 1;
            if waiting_for[reader] == 0 {
                ready.push(Reverse(reader));
            }
        }
    }
    match waiting_for.iter().position(|&n| n > 0) {
        Some(stuck) => {
            Err(Error::Cyclic { node: title(&nodes[on_circle(stuck, &waiting_for, &readers)], stuck) })
        }
        None => Ok(order),
    }
}

/// Going back from a stuck node through stuck nodes ends up on a circle.
fn on_circle(stuck: usize, waiting_for: &[usize], readers: &[Vec<usize>]) -> usize {
    let mut before = BTreeMap::new();
    for maker in (0..readers.len()).filter(|&maker| waiting_for[maker] > 0) {
        before.extend(readers[maker].iter().map(|&reader| (reader, maker)));
    }
    let mut at = stuck;
    for _ in 0..readers.len() {
        at = before.get(&at).copied().unwrap_or(at);
    }
    at
}

fn makers(nodes: &[NodeProto], local: impl Fn(&str) -> bool) -> Result<BTreeMap<&str, usize>, Error> {
    let mut makers = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        for name in node.output.iter().filter(|name| !name.is_empty()) {
            if local(name) || makers.insert(name.as_str(), index).is_some() {
                return Err(Error::Duplicate { wire: name.clone() });
            }
        }
    }
    Ok(makers)
}

/// A node's name, or its op and place where it has none.
pub(super) fn title(node: &NodeProto, index: usize) -> String {
    match node.name() {
        "" => format!("{}_{index}", node.op_type()),
        name => name.to_owned(),
    }
}

/// What a node reads: its inputs and whatever the graphs in its attributes take from around them.
fn reads(node: &NodeProto) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = node.input.iter().filter(|name| !name.is_empty()).cloned().collect();
    names.extend(captures(node));
    names
}

/// The names that the graphs in a node's attributes take from around them.
pub(super) fn captures(node: &NodeProto) -> BTreeSet<String> {
    let bodies = node
        .attribute
        .iter()
        .flat_map(|attribute| attribute.g.as_deref().into_iter().chain(&attribute.graphs));
    bodies.flat_map(free_names).collect()
}

/// The names that a graph reads and does not make.
fn free_names(graph: &GraphProto) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = graph.node.iter().flat_map(reads).collect();
    names.extend(graph.output.iter().map(|info| info.name().to_owned()));
    let sparse = graph.sparse_initializer.iter().filter_map(|tensor| tensor.values.as_ref());
    let made = (graph.input.iter().map(|info| info.name()))
        .chain(graph.initializer.iter().chain(sparse).map(|tensor| tensor.name()))
        .chain(graph.node.iter().flat_map(|node| &node.output).map(String::as_str));
    for name in made {
        names.remove(name);
    }
    names
}

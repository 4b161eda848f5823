//! Which elements belong to which row of the batch, where the batch axis was folded together with others.

use std::collections::BTreeMap;

use crate::graph::{Graph, Node, Wire};
use crate::types::Dim;

/// How rows lie along an axis of `k · N` elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Layout {
    /// Each row's `k` elements stand together: from `[N, k, …]`.
    #[default]
    Together,
    /// Row after row, `k` times over: from `[k, N, …]`.
    InTurn,
    /// Nobody can tell.
    Mixed,
}

/// The layouts of all wires that do not keep rows together.
pub(super) fn layouts(graph: &Graph) -> BTreeMap<Wire, Layout> {
    let mut found: BTreeMap<Wire, Layout> = BTreeMap::new();
    for node in graph.nodes() {
        let source = node.inputs.iter().flatten().find(|wire| batch_axis(graph, **wire).is_some()).copied();
        for output in node.outputs.iter().flatten() {
            let layout = match source {
                Some(source) => layout(graph, node, source, *output, &found),
                None => Layout::Together,
            };
            if layout != Layout::Together {
                found.insert(*output, layout);
            }
        }
    }
    found
}

fn layout(graph: &Graph, node: &Node, from: Wire, to: Wire, known: &BTreeMap<Wire, Layout>) -> Layout {
    let of_source = known.get(&from).copied().unwrap_or_default();
    let (Some((from_axis, from_times)), Some((axis, times))) =
        (batch_axis(graph, from), batch_axis(graph, to))
    else {
        return Layout::Together;
    };
    if times == 1 {
        return Layout::Together;
    }
    if !["Reshape", "Flatten", "Squeeze", "Unsqueeze"].contains(&node.op.as_str()) {
        return if times == from_times { of_source } else { Layout::Mixed };
    }
    // How many elements of slower axes go by before the row changes, in the order of memory.
    let slower = |wire: Wire, axis: usize| {
        let shape = graph.shape(wire).unwrap_or_default();
        shape[..axis].iter().map(|dim| dim.known().unwrap_or(0)).product::<usize>()
    };
    let before = slower(from, from_axis) * if of_source == Layout::InTurn { from_times } else { 1 };
    let now = slower(to, axis);
    match of_source {
        Layout::Mixed => Layout::Mixed,
        _ if before == now => Layout::Together,
        _ if before == now * times => Layout::InTurn,
        _ => Layout::Mixed,
    }
}

/// The one axis whose length only a run tells, and how many elements each row has there.
fn batch_axis(graph: &Graph, wire: Wire) -> Option<(usize, usize)> {
    let mut open = graph.shape(wire)?.iter().enumerate().filter(|(_, dim)| dim.known().is_none());
    match (open.next(), open.next()) {
        (Some((axis, Dim::Symbol { times, .. })), None) => Some((axis, *times)),
        _ => None,
    }
}

/// The sum over each row, `[N]`.
pub(super) fn row_sums(graph: &mut Graph, x: Wire, layout: Layout) -> Option<Wire> {
    let rank = graph.rank(x)?;
    let Some((batch, times)) = batch_axis(graph, x) else { return sum_of_single_row(graph, x) };
    let others: Vec<i64> = (0..rank).filter(|axis| *axis != batch).map(|axis| axis as i64).collect();
    let sums = graph.reduce_sum(x, &others, false);
    match layout {
        _ if times == 1 => Some(sums),
        Layout::Together => {
            let by_row = graph.reshape(sums, &[-1, times as i64]);
            Some(graph.reduce_sum(by_row, &[1], false))
        }
        Layout::InTurn => {
            let by_turn = graph.reshape(sums, &[times as i64, -1]);
            Some(graph.reduce_sum(by_turn, &[0], false))
        }
        Layout::Mixed => None,
    }
}

/// Where rows go one at a time, everything is of one row.
fn sum_of_single_row(graph: &mut Graph, x: Wire) -> Option<Wire> {
    let first = graph.inputs().first().and_then(|input| graph.shape(*input)?.first().cloned());
    if !first.is_some_and(|dim| dim.is(1)) {
        return None;
    }
    let sum = total(graph, x);
    Some(graph.reshape(sum, &[1]))
}

/// The sum of all elements, as a number.
pub(super) fn total(graph: &mut Graph, x: Wire) -> Wire {
    let axes: Vec<i64> = (0..graph.rank(x).unwrap_or(0) as i64).collect();
    graph.reduce_sum(x, &axes, false)
}

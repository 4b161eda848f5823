//! Operations of convolutions and matrix products, by their lengths.

use pellucid_graph::{Dim, Graph, Node, Wire};

use super::Flops;

/// The operations of one row: every multiply-add counts as two, what is open as a batch counts once.
pub(crate) fn count(graph: &Graph) -> Flops {
    let mut flops = Flops::default();
    for node in graph.nodes().iter().filter(|node| node.domain.is_empty()) {
        match of_node(graph, node) {
            Some(Some(operations)) => flops.known = flops.known.saturating_add(operations),
            Some(None) => flops.n_unknown_nodes += 1,
            None => {}
        }
    }
    flops
}

/// `None` for other ops, `Some(None)` where lengths are open.
fn of_node(graph: &Graph, node: &Node) -> Option<Option<u64>> {
    let input = |index: usize| node.inputs.get(index).copied().flatten();
    let output = node.outputs.first().copied().flatten()?;
    let product = |elements: Option<u64>, each: Option<u64>| Some(2 * elements? * each?);
    match node.op.as_str() {
        // Weights [outputs, inputs / groups, kernel…]: each output element takes all behind the first axis.
        "Conv" => Some(product(n_elements(graph, output), behind_first(graph, input(1)?))),
        // Weights [inputs, outputs / groups, kernel…]: each input element goes to all behind the first axis.
        "ConvTranspose" => Some(product(n_elements(graph, input(0)?), behind_first(graph, input(1)?))),
        "MatMul" => Some(product(n_elements(graph, output), last_length(graph, input(0)?))),
        "Gemm" => {
            let transposed = node.int("transA").unwrap_or(0) != 0;
            let lengths = lengths(graph, input(0)?);
            let inner = lengths.and_then(|lengths| lengths.get(usize::from(!transposed)).copied());
            Some(product(n_elements(graph, output), inner))
        }
        _ => None,
    }
}

/// The lengths of a wire for one row.
fn lengths(graph: &Graph, wire: Wire) -> Option<Vec<u64>> {
    let length = |dim: &Dim| match dim {
        Dim::Known(n) => Some(*n as u64),
        Dim::Symbol { times, .. } => Some(*times as u64),
        Dim::Unknown => None,
    };
    graph.shape(wire)?.iter().map(length).collect()
}

fn n_elements(graph: &Graph, wire: Wire) -> Option<u64> {
    lengths(graph, wire).map(|lengths| lengths.iter().product())
}

fn behind_first(graph: &Graph, wire: Wire) -> Option<u64> {
    lengths(graph, wire).map(|lengths| lengths.iter().skip(1).product())
}

fn last_length(graph: &Graph, wire: Wire) -> Option<u64> {
    lengths(graph, wire)?.last().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pellucid_graph::text::parse;

    fn check(graph: &str, expected: u64) {
        let flops = count(&parse(graph).unwrap());
        assert_eq!(flops, Flops { known: expected, n_unknown_nodes: 0 }, "{graph}");
    }

    #[test]
    fn a_multiply_add_counts_as_two() {
        check("f (float[N,3] x) => (float[N,2] y) <float[3,2] w = {1,2,3,4,5,6}> { y = MatMul(x, w) }", 12);
        check(
            "f (float[N,3] x) => (float[N,2] y) <float[2,3] w = {1,2,3,4,5,6}> { y = Gemm<transB = 1>(x, w) }",
            12,
        );
        // 2 × 2 places, 2 outputs of 1 input by a kernel of 4: 2 · 8 · 4.
        check(
            "f (float[N,1,3,3] x) => (float[N,2,2,2] y) <float[2,1,2,2] w = {1,2,3,4,5,6,7,8}> { y = Conv(x, w) }",
            64,
        );
        // 9 input elements, each to 2 outputs by a kernel of 4: 2 · 9 · 8.
        check(
            "f (float[N,1,3,3] x) => (float[N,2,4,4] y) <float[1,2,2,2] w = {1,2,3,4,5,6,7,8}> { y = ConvTranspose(x, w) }",
            144,
        );
    }
}

//! Where a backward walk starts: the weights of the outputs, given to the graph or found in it.

use pellucid_graph::{Attribute, ElementType, Graph, Tensor, Type, Wire};

/// Adds an input `[N, outputs]` for the weights of one target, of the output's type.
pub(crate) fn seed_input(graph: &mut Graph, output: Wire, name: &str) -> Wire {
    let ty: Type = graph.type_of(output).clone();
    graph.add_input(name, ty)
}

/// Emits the one-hot weights of the `k` highest outputs `[N, outputs]`, highest first.
pub(crate) fn top_seeds(graph: &mut Graph, output: Wire, n_outputs: usize, k: usize) -> Vec<Wire> {
    let k_wire = graph.ints(&[k as i64]);
    let top = graph.node_outputs("TopK", &[output, k_wire], &[("axis", Attribute::Int(-1))], 2);
    let indices = top[1];
    let all =
        graph.add_constant("output_indices", Tensor::i64(&[1, n_outputs], (0..n_outputs as i64).collect()));
    let element = graph.element(output);
    let one_hot = |graph: &mut Graph, rank: i64| {
        let index = graph.slice(indices, 1, rank, rank + 1);
        let hit = graph.equal(index, all);
        graph.cast(hit, element)
    };
    (0..k as i64).map(|rank| one_hot(graph, rank)).collect()
}

/// A constant weight row `[1, outputs]` for one output, as large as the output by broadcasting.
pub(crate) fn fixed_seed(graph: &mut Graph, output: Wire, n_outputs: usize, index: usize) -> Wire {
    let mut weights = vec![0.0; n_outputs];
    weights[index] = 1.0;
    let element = match graph.element(output) {
        ElementType::Unknown => ElementType::F32,
        element => element,
    };
    let row = graph.add_constant("target_weights", Tensor::f64(&[1, n_outputs], weights).cast(element));
    let zero = graph.zeros_like(output);
    graph.add(zero, row)
}

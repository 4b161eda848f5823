//! Token models: ids have no gradient, so a graph is taken from the vectors on that they are turned into.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::error::Error;
use crate::graph::{Graph, Node, Wire};
use crate::passes::from_wire::from_wire;
use crate::tensor::Tensor;

/// Where a model looks up the vector of each token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embedding {
    /// The input that holds the ids, `[N, tokens]`.
    pub ids: Wire,
    /// The constant table, `[vocabulary, width]`.
    pub table: Wire,
    /// The vectors that were looked up, `[N, tokens, width]`.
    pub vectors: Wire,
}

/// Finds the embedding that `output` depends on: a `Gather` in a constant float table by an integer input. Token types
/// and positions are looked up so, too; the input called `input_ids` goes first, then the largest table.
///
/// Constants must be folded, so that a table behind a `Cast` counts as one.
pub fn find_embedding(graph: &Graph, output: Wire) -> Option<Embedding> {
    let needed = graph.ancestors(&[output]);
    let found = graph.nodes().iter().enumerate().filter_map(|(index, node)| {
        let embedding = look_up(graph, node).filter(|embedding| needed.contains(&embedding.vectors))?;
        let n_rows = graph.shape(embedding.table)?.first()?.known()?;
        Some(((graph.name_of(embedding.ids) == "input_ids", n_rows, Reverse(index)), embedding))
    });
    found.max_by_key(|(rank, _)| *rank).map(|(_, embedding)| embedding)
}

/// The look-up that one node makes.
fn look_up(graph: &Graph, node: &Node) -> Option<Embedding> {
    if node.op != "Gather" || !node.domain.is_empty() || node.int("axis").unwrap_or(0) != 0 {
        return None;
    }
    let (table, indices) = (node.inputs.first().copied().flatten()?, node.inputs.get(1).copied().flatten()?);
    let vectors = node.outputs.first().copied().flatten()?;
    let is_table =
        graph.constant(table).is_some() && graph.rank(table) == Some(2) && graph.element(table).is_float();
    let ids = input_behind(graph, indices)?;
    (is_table && graph.rank(vectors) == Some(3)).then_some(Embedding { ids, table, vectors })
}

/// The integer input that a wire is, but for its type and bounds, or a reshape to as many axes (GPT-2 makes its ids flat rows).
fn input_behind(graph: &Graph, wire: Wire) -> Option<Wire> {
    if graph.inputs().contains(&wire) {
        return graph.element(wire).is_integer().then_some(wire);
    }
    let node = graph.producer(wire)?;
    let before = node.inputs.first().copied().flatten()?;
    let passes = match node.op.as_str() {
        "Cast" | "Clip" | "Identity" => node.domain.is_empty(),
        "Reshape" => node.domain.is_empty() && graph.rank(before) == graph.rank(wire),
        _ => false,
    };
    input_behind(graph, Some(before).filter(|_| passes)?)
}

/// The graph from the vectors on, for texts of `n_tokens` tokens: its only input is `[N, n_tokens, width]`, with 1 for N
/// where the file says so. Every other input holds in every row what `fixed` says of it, by name, `[1, …]`.
///
/// # Errors
/// As [`from_wire`].
pub fn after_embedding(
    graph: &Graph,
    embedding: &Embedding,
    n_tokens: usize,
    fixed: &BTreeMap<String, Tensor>,
) -> Result<Graph, Error> {
    let width = graph.shape(embedding.table).and_then(|shape| shape.get(1)?.known());
    from_wire(graph, embedding.vectors, &[Some(n_tokens), width], fixed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::evaluate;
    use crate::text::parse;
    use crate::types::shape_text;

    /// Words, types and positions are looked up and added; padding is masked out of the mean.
    const BERT: &str = "g (int64[n,t] token_type_ids, int64[n,t] input_ids, int64[n,t] attention_mask) => (float[n,2] y)
        <float[5,2] words = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, float[2,2] types = {0, 0, 1, 1}, int64 one = {1},
         int64[1] first = {0}, int64[1] middle = {1}, int64[1] last = {-1}, float[3,2] positions = {0, 1, 0, 2, 0, 3}>
        { a = Gather(types, token_type_ids) i = Cast<to = 7>(input_ids) w = Gather(words, i) s = Shape(input_ids)
          n = Gather(s, one) m = Unsqueeze(n, first) p = Slice(positions, first, m, first)
          b = Add(w, a) h = Add(b, p) f = Cast<to = 1>(attention_mask) k = Unsqueeze(f, last) z = Mul(h, k)
          y = ReduceSum<keepdims = 0>(z, middle) }";

    fn fixed(t: usize) -> BTreeMap<String, Tensor> {
        let of = |element: i64| Tensor::i64(&[1, t], vec![element; t]);
        [("token_type_ids", 1), ("input_ids", 4), ("attention_mask", 1)]
            .map(|(name, element)| (name.to_owned(), of(element)))
            .into()
    }

    #[test]
    fn the_words_are_found_among_types_and_positions() {
        let graph = parse(BERT).unwrap();
        let found = find_embedding(&graph, graph.outputs()[0]).unwrap();
        assert_eq!(graph.name_of(found.vectors), "w");
        assert_eq!((graph.name_of(found.ids), graph.name_of(found.table)), ("input_ids", "words"));
        let types = graph.wire("a").unwrap();
        assert_eq!(find_embedding(&graph, types).unwrap().vectors, types);
        assert_eq!(find_embedding(&graph, graph.wire("f").unwrap()), None);
    }

    #[test]
    fn ids_may_be_reshaped_first() {
        let text = "g (int64[n,t] input_ids) => (float[n,t,2] y) <float[3,2] words = {1, 2, 3, 4, 5, 6}>
            { s = Shape(input_ids) i = Reshape(input_ids, s) y = Gather(words, i) }";
        let graph = parse(text).unwrap();
        let found = find_embedding(&graph, graph.outputs()[0]).unwrap();
        assert_eq!((graph.name_of(found.ids), graph.name_of(found.vectors)), ("input_ids", "y"));
    }

    #[test]
    fn from_the_vectors_on_the_graph_gives_what_the_whole_gives() {
        let graph = parse(BERT).unwrap();
        let embedding = find_embedding(&graph, graph.outputs()[0]).unwrap();
        let part = after_embedding(&graph, &embedding, 3, &fixed(3)).unwrap();
        assert_eq!(shape_text(part.shape(part.inputs()[0]).unwrap()), "[N, 3, 2]");
        assert_eq!(shape_text(part.shape(part.outputs()[0]).unwrap()), "[N, 2]");
        let ids = Tensor::i64(&[2, 3], vec![4, 0, 2, 1, 1, 3]);
        let of = |element: i64| Tensor::i64(&[2, 3], vec![element; 6]);
        let whole = evaluate(&graph, &[of(1), ids, of(1)]).unwrap();
        let vectors = vec![9.0, 10.0, 1.0, 2.0, 5.0, 6.0, 3.0, 4.0, 3.0, 4.0, 7.0, 8.0];
        let from_vectors = evaluate(&part, &[Tensor::f32(&[2, 3, 2], vectors)]).unwrap();
        assert_eq!(from_vectors[0].to_f64s(), whole[0].to_f64s());
    }

    #[test]
    fn more_tokens_than_positions_are_refused_by_the_node() {
        let graph = parse(BERT).unwrap();
        let embedding = find_embedding(&graph, graph.outputs()[0]).unwrap();
        let error = after_embedding(&graph, &embedding, 4, &fixed(4)).unwrap_err();
        assert!(error.to_string().contains("`Add`"), "{error}");
    }

    #[test]
    fn an_input_that_nobody_fills_is_named() {
        let graph = parse(BERT).unwrap();
        let embedding = find_embedding(&graph, graph.outputs()[0]).unwrap();
        let mut fixed = fixed(2);
        fixed.remove("attention_mask");
        let error = after_embedding(&graph, &embedding, 2, &fixed).unwrap_err();
        assert!(error.to_string().contains("attention_mask"), "{error}");
    }
}

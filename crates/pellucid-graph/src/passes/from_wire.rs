//! The part of a graph that is explained where it has several inputs: from one wire on, all else fixed.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::graph::{Graph, Wire};
use crate::passes::cut::cut;
use crate::passes::pin::pin_shapes;
use crate::passes::rebuild::Rebuild;
use crate::tensor::Tensor;
use crate::types::shape_text;

/// The graph from `start` on: its only input is `[N, row_shape…]`, with 1 for N where the file says so. Every input that
/// is still needed holds in every row what `fixed` says of it, by name, `[1, …]`.
///
/// # Errors
/// [`Error::Input`] for an input that `fixed` does not know; whatever inference reports at these lengths.
pub fn from_wire(
    graph: &Graph,
    start: Wire,
    row_shape: &[Option<usize>],
    fixed: &BTreeMap<String, Tensor>,
) -> Result<Graph, Error> {
    let part = cut(graph, &[start])?;
    let start = part.inputs()[0];
    let batch = part.shape(start).and_then(|shape| shape.first()?.known());
    let mut shapes = vec![[batch].iter().chain(row_shape).copied().collect::<Vec<_>>()];
    let mut values = Vec::new();
    for input in &part.inputs()[1..] {
        let tensor = fixed.get(part.name_of(*input)).ok_or_else(|| unknown_input(&part, *input))?;
        let lengths = tensor.shape().iter().skip(1).map(|&n| Some(n));
        shapes.push([batch].into_iter().chain(lengths).collect());
        values.push(tensor.cast(part.element(*input)));
    }
    let pinned = pin_shapes(&part, &shapes)?;
    let mut new = Rebuild::of(&pinned);
    let rows = new.add_input(part.name_of(start), pinned.type_of(pinned.inputs()[0]).clone());
    new.stand_for(pinned.inputs()[0], rows);
    new.copy_constants(&pinned);
    for (input, value) in pinned.inputs()[1..].iter().zip(values) {
        let filled = match batch {
            Some(1) => new.add_constant(pinned.name_of(*input), value),
            _ => in_every_row(&mut new, pinned.name_of(*input), value, rows),
        };
        new.stand_for(*input, filled);
    }
    for node in pinned.nodes() {
        new.copy_node_afresh(&pinned, node);
        new.check_fault()?;
    }
    new.finish(&pinned)
}

/// `value` `[1, …]` once for each row of `rows`.
fn in_every_row(graph: &mut Graph, name: &str, value: Tensor, rows: Wire) -> Wire {
    let lengths: Vec<i64> = value.shape().iter().skip(1).map(|&n| n as i64).collect();
    let value = graph.add_constant(name, value);
    let shape = graph.shape_of(rows);
    let batch = graph.slice(shape, 0, 0, 1);
    let lengths = graph.ints(&lengths);
    let shape = graph.concat(&[batch, lengths], 0);
    graph.node("Expand", &[value, shape], &[])
}

fn unknown_input(graph: &Graph, input: Wire) -> Error {
    Error::Input {
        input: graph.name_of(input).to_owned(),
        expected: graph.shape(input).map_or_else(|| "values".to_owned(), shape_text),
        actual: "nothing that it could be fixed at".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::evaluate;
    use crate::text::parse;

    /// Two numbers and the code of a category, whose vector stands beside them.
    const TABLE: &str = "g (float[n,2] numbers, int64[n,1] codes) => (float[n,1] y)
        <float[3,2] words = {1, 2, 3, 4, 5, 6}, int64[2] flat = {0, 2}, float[4,1] w = {1, -1, 2, 3}>
        { v = Gather(words, codes) r = Reshape(v, flat) j = Concat<axis = 1>(numbers, r) y = MatMul(j, w) }";

    #[test]
    fn one_side_is_explained_while_the_other_is_fixed() {
        let graph = parse(TABLE).unwrap();
        let numbers = Tensor::f32(&[2, 2], vec![1.0, 5.0, -2.0, 0.5]);
        let whole = evaluate(&graph, &[numbers.clone(), Tensor::i64(&[2, 1], vec![2, 2])]).unwrap();
        let codes = [("codes".to_owned(), Tensor::i64(&[1, 1], vec![2]))].into();
        let part = from_wire(&graph, graph.wire("numbers").unwrap(), &[Some(2)], &codes).unwrap();
        assert_eq!(evaluate(&part, &[numbers]).unwrap()[0].to_f64s(), whole[0].to_f64s());

        let fixed = [("numbers".to_owned(), Tensor::f32(&[1, 2], vec![1.0, 5.0]))].into();
        let part = from_wire(&graph, graph.wire("r").unwrap(), &[Some(2)], &fixed).unwrap();
        let rows = evaluate(&part, &[Tensor::f32(&[2, 2], vec![5.0, 6.0, 0.0, 0.0])]).unwrap();
        assert_eq!(rows[0].to_f64s(), [whole[0].to_f64s()[0], 1.0 - 5.0]);
    }

    #[test]
    fn an_input_without_a_value_is_named() {
        let graph = parse(TABLE).unwrap();
        let error = from_wire(&graph, graph.wire("r").unwrap(), &[Some(2)], &BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("`numbers`"), "{error}");
    }
}

//! A row's result does not depend on the other rows of its padded micro-batch: not by one bit.

use pellucid_graph::cases::uniform;
use pellucid_graph::{Attribute, Dim, ElementType, Graph, Runtime, Tensor, Type, Wire, gradient};

use super::{runtimes, say};

/// Rows of a micro-batch; each size pads to itself.
const SIZES: [usize; 4] = [1, 4, 7, 16];

#[test]
fn rows_do_not_depend_on_their_neighbors() {
    for runtime in runtimes() {
        for (name, graph, row_shape) in [("mlp", mlp(), vec![30]), ("cnn", cnn(), vec![3, 16, 16])] {
            let moved = SIZES.map(|n_rows| check(&*runtime, &graph, &row_shape, n_rows));
            let equal = moved.iter().all(|&equal| equal);
            let words = if equal { "give the same bits" } else { "may differ in bits" };
            say(&format!(
                "{name}, {}: rows at other places of the batch {words} {moved:?}",
                runtime.fingerprint()
            ));
        }
    }
}

/// Row `x` in the same place among other rows must give the same bits; says whether it does in other places, too.
fn check(runtime: &dyn Runtime, graph: &Graph, row_shape: &[usize], n_rows: usize) -> bool {
    let session = runtime.session(graph).unwrap();
    let mut state = 5;
    let mut draw = |n: usize| -> Vec<f32> { (0..n).map(|_| (uniform(&mut state) - 0.5) as f32).collect() };
    let n_elements: usize = row_shape.iter().product();
    let (row, first, second) = (draw(n_elements), draw(n_elements * n_rows), draw(n_elements * n_rows));
    let result = |place: usize, others: &[f32]| -> Vec<Vec<u32>> {
        let mut elements = others.to_vec();
        elements[place * n_elements..][..n_elements].copy_from_slice(&row);
        let shape: Vec<usize> = [&[n_rows], row_shape].concat();
        let outputs = session.run(&[Tensor::f32(&shape, elements)]).unwrap();
        outputs.iter().map(|output| bits_of_row(output, place, n_rows)).collect()
    };
    let at_start = result(0, &first);
    let mut moved = true;
    for place in 0..n_rows {
        let expected = result(place, &first);
        assert_eq!(expected, result(place, &second), "{}: row {place} of {n_rows}", runtime.fingerprint());
        moved &= expected == at_start;
    }
    moved
}

fn bits_of_row(output: &Tensor, place: usize, n_rows: usize) -> Vec<u32> {
    let elements = output.to_f32s();
    let n = elements.len() / n_rows;
    elements[place * n..][..n].iter().map(|x| x.to_bits()).collect()
}

/// 30-64-64-2, with the gradient of output 1 at the input as second output.
fn mlp() -> Graph {
    let mut graph = Graph::new("mlp");
    let mut state = 1;
    let x = graph.add_input("x", Type::new(ElementType::F32, vec![Dim::symbol("N"), Dim::Known(30)]));
    let mut wire = x;
    for (n_in, n_out) in [(30, 64), (64, 64), (64, 2)] {
        let weights = constant(&mut graph, &[n_in, n_out], &mut state);
        let bias = constant(&mut graph, &[n_out], &mut state);
        wire = graph.node("Gemm", &[wire, weights, bias], &[]);
        if n_out != 2 {
            wire = graph.relu(wire);
        }
    }
    with_gradient(graph, x, wire)
}

/// Two convolutions, a pool, the mean, a matrix.
fn cnn() -> Graph {
    let mut graph = Graph::new("cnn");
    let mut state = 2;
    let shape = [Dim::symbol("N"), Dim::Known(3), Dim::Known(16), Dim::Known(16)];
    let x = graph.add_input("x", Type::new(ElementType::F32, shape.to_vec()));
    let mut wire = x;
    for (n_in, n_out, stride) in [(3, 8, 1), (8, 16, 2)] {
        let weights = constant(&mut graph, &[n_out, n_in, 3, 3], &mut state);
        let attributes: [(&str, Attribute); 3] = [
            ("kernel_shape", vec![3, 3].into()),
            ("pads", vec![1; 4].into()),
            ("strides", vec![stride; 2].into()),
        ];
        wire = graph.node("Conv", &[wire, weights], &attributes);
        wire = graph.relu(wire);
    }
    wire = graph.reduce_mean(wire, &[2, 3], false);
    let weights = constant(&mut graph, &[16, 5], &mut state);
    wire = graph.matmul(wire, weights);
    with_gradient(graph, x, wire)
}

fn constant(graph: &mut Graph, shape: &[usize], state: &mut u64) -> Wire {
    let n: usize = shape.iter().product();
    let elements = (0..n).map(|_| (uniform(state) - 0.5) as f32 * 0.4).collect();
    graph.add_constant("w", Tensor::f32(shape, elements))
}

fn with_gradient(mut graph: Graph, input: Wire, output: Wire) -> Graph {
    // The seed picks output 1 of each row: 1 there, 0 elsewhere.
    let n_outputs = graph.shape(output).unwrap().last().unwrap().known().unwrap();
    let one_hot = (0..n_outputs).map(|i| if i == 1 { 1.0 } else { 0.0 }).collect();
    let one_hot = graph.add_constant("one_hot", Tensor::f32(&[1, n_outputs], one_hot));
    let zeros = graph.zeros_like(output);
    let seed = graph.add(zeros, one_hot);
    let gradients = gradient(&mut graph, output, seed, &[input]).unwrap();
    graph.set_outputs(&[output, gradients[0]]);
    graph.check_fault().unwrap();
    graph
}

//! Textbook LRP, number by number: each layer as a dense matrix that is found by running it on unit vectors, each formula
//! as its paper writes it. It shares nothing with the rules that it judges.

use super::{Formula, LayerRule};
use crate::evaluate::{evaluate_wires, widened};
use crate::graph::{Graph, Node};
use crate::ops;
use crate::tensor::{ElementType, Tensor};

/// `y_j = Σ_i w[j][i] x_i + bias[j]`
pub(super) struct Dense {
    pub(super) weights: Vec<Vec<f64>>,
    pub(super) bias: Vec<f64>,
}

/// The relevance of the input of a chain of nodes, each reading what the one before it made, for one row. `start` is the
/// relevance of the output; `rule` says which rule the layer at a node gets.
pub(super) fn chain(graph: &Graph, x: &Tensor, start: &[f64], rule: &dyn Fn(usize) -> LayerRule) -> Vec<f64> {
    let mut relevance = start.to_vec();
    for (index, node) in graph.nodes().iter().enumerate().rev() {
        let read = node.inputs[0].expect("a chain");
        let input = evaluate_wires(graph, std::slice::from_ref(x), &[read]).expect("runs").remove(0);
        relevance = match node.op.as_str() {
            "Relu" | "Tanh" | "LeakyRelu" => relevance,
            "Reshape" | "Flatten" => relevance,
            "MaxPool" => to_winners(graph, node, &input, &relevance),
            "AveragePool" | "GlobalAveragePool" => {
                let epsilon = LayerRule::new(Formula::Epsilon);
                share(&epsilon, &input.to_f64s(), &matrix(graph, node, &input), &relevance)
            }
            _ => share(&rule(index), &input.to_f64s(), &matrix(graph, node, &input), &relevance),
        };
    }
    relevance
}

/// What a node makes of another first input.
fn run(graph: &Graph, node: &Node, x: &Tensor) -> Vec<f64> {
    let constants: Vec<Option<Tensor>> =
        node.inputs[1..].iter().map(|wire| graph.constant((*wire)?).map(|tensor| widened(tensor))).collect();
    let inputs: Vec<Option<&Tensor>> =
        std::iter::once(Some(x)).chain(constants.iter().map(Option::as_ref)).collect();
    ops::evaluate(node, &inputs, ElementType::F64).expect("runs")[0].to_f64s()
}

fn matrix(graph: &Graph, node: &Node, like: &Tensor) -> Dense {
    let at = |i: Option<usize>| {
        let elements = (0..like.len()).map(|k| if Some(k) == i { 1.0 } else { 0.0 }).collect();
        run(graph, node, &Tensor::f64(like.shape(), elements))
    };
    let bias = at(None);
    let columns: Vec<Vec<f64>> = (0..like.len()).map(|i| at(Some(i))).collect();
    let row = |j: usize| columns.iter().map(|column| column[j] - bias[j]).collect();
    Dense { weights: (0..bias.len()).map(row).collect(), bias }
}

/// All of a window's relevance to its first maximum.
fn to_winners(graph: &Graph, node: &Node, x: &Tensor, relevance: &[f64]) -> Vec<f64> {
    let lowest = -1e9;
    let reached_by = |i: usize| {
        let elements = (0..x.len()).map(|k| if k == i { 0.0 } else { lowest }).collect();
        run(graph, node, &Tensor::f64(x.shape(), elements))
    };
    let reached: Vec<Vec<f64>> = (0..x.len()).map(reached_by).collect();
    let numbers = x.to_f64s();
    let mut result = vec![0.0; x.len()];
    for (j, relevance) in relevance.iter().enumerate() {
        let mut window = (0..x.len()).filter(|i| reached[*i][j] == 0.0);
        let first = window.next().expect("a window reads something");
        let winner = window.fold(first, |best, i| if numbers[i] > numbers[best] { i } else { best });
        result[winner] += relevance;
    }
    result
}

fn stabilized(z: f64, stabilizer: f64) -> f64 {
    if z < 0.0 { z - stabilizer } else { z + stabilizer }
}

/// `R_i = Σ_j share_ij R_j`
pub(super) fn share(rule: &LayerRule, x: &[f64], layer: &Dense, relevance: &[f64]) -> Vec<f64> {
    let mut result = vec![0.0; x.len()];
    for (j, weights) in layer.weights.iter().enumerate() {
        let shares = shares(rule, x, weights, layer.bias[j]);
        for (i, share) in shares.into_iter().enumerate() {
            result[i] += share * relevance[j];
        }
    }
    result
}

/// The shares of all inputs in one output.
fn shares(rule: &LayerRule, x: &[f64], w: &[f64], bias: f64) -> Vec<f64> {
    let products = || x.iter().zip(w).map(|(x, w)| x * w);
    let over = |contributions: Vec<f64>, bias: f64| -> Vec<f64> {
        let z = stabilized(contributions.iter().sum::<f64>() + bias, rule.stabilizer);
        contributions.into_iter().map(|c| c / z).collect()
    };
    let positive = |v: f64| v.max(0.0);
    let negative = |v: f64| v.min(0.0);
    match &rule.formula {
        Formula::Epsilon => over(products().collect(), bias),
        Formula::Norm => over(products().collect(), 0.0),
        Formula::ZPlus => over(products().map(positive).collect(), positive(bias)),
        Formula::AlphaBeta { alpha, beta } => {
            let up = over(products().map(positive).collect(), positive(bias));
            let down = over(products().map(negative).collect(), negative(bias));
            up.into_iter().zip(down).map(|(up, down)| alpha * up - beta * down).collect()
        }
        Formula::Gamma { gamma } => {
            let rises = products().sum::<f64>() + bias >= 0.0;
            let raised = |v: f64| v + gamma * if rises { v.max(0.0) } else { v.min(0.0) };
            over(products().map(raised).collect(), raised(bias))
        }
        Formula::Box { low, high } => {
            let of = |bound: &[f64], i: usize| bound[i * bound.len() / x.len()];
            let inside = |i: usize| x[i] * w[i] - of(low, i) * w[i].max(0.0) - of(high, i) * w[i].min(0.0);
            over((0..x.len()).map(inside).collect(), 0.0)
        }
        Formula::WSquare => over(w.iter().map(|w| w * w).collect(), 0.0),
        Formula::Flat => over(w.iter().map(|w| if *w == 0.0 { 0.0 } else { 1.0 }).collect(), 0.0),
        Formula::Pass | Formula::Stop => panic!("shares nothing"),
    }
}

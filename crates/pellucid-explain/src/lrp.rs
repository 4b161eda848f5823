#![doc = include_str!("lrp.md")]

pub use pellucid_graph::relevance::{
    Assignment, Composite, Formula, GAMMA, LayerRule, STABILIZER, Selector, Settings,
};

use std::cell::RefCell;

use ndarray::{ArrayD, Axis};
use pellucid_core::{Attribution, Model, Target, Work};
use pellucid_graph::relevance::{Flow, Relevance, relevance};
use pellucid_graph::{Graph, Wire};

use crate::error::Error;
use crate::gradients::run_targets;
use crate::network::Network;

/// Settings of [`lrp`].
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Which rule each layer gets.
    pub composite: Composite,
}

/// Layer-wise relevance propagation (Bach et al. 2015) for each row of `rows` `[rows, features…]`; values `[rows, K,
/// features…]` in output units. Base values are what biases and other constants absorbed, so that the convergence delta is
/// what stabilizers took.
///
/// # Errors
/// A rule that fits no node or cannot be, rows that do not fit, a target that is not there, an op without a rule, a
/// canceled work.
pub fn lrp(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    options: &Options,
    work: &Work,
) -> Result<Attribution, Error> {
    let key = format!("lrp {:?}", options.composite);
    let results = run_targets(network, rows, target, work, &key, |graph, seeds| {
        let mut wires = Vec::new();
        for seed in seeds {
            let Relevance { wanted, absorbed, .. } = at_input(graph, *seed, options, false)?;
            wires.extend(wanted.into_iter().chain(absorbed));
        }
        Ok(wires)
    })?;
    let mut shape = vec![rows.len_of(Axis(0)), target.n_targets()];
    let absorbed = match results.n_wires() {
        2 => Some(results.values_of(1, &shape)?),
        _ => None,
    };
    shape.extend(network.input_shape());
    let attribution = Attribution::new(results.values_of(0, &shape)?, results.outputs);
    Ok(match absorbed {
        Some(absorbed) => attribution.with_base_values(absorbed),
        None => Attribution { warnings: vec![UNTOLD.to_owned()], ..attribution },
    })
}

const UNTOLD: &str = "the network mixes the axis of its rows with others: what its biases absorbed of each row is not known, \
                      and whether relevance is complete is not checked";

/// The relevance of the graph's input for one seed.
pub(crate) fn at_input(
    graph: &mut Graph,
    seed: Wire,
    options: &Options,
    with_flows: bool,
) -> Result<Relevance, Error> {
    let (output, input) = (graph.outputs()[0], graph.inputs()[0]);
    Ok(relevance(graph, output, seed, &[input], &options.composite, with_flows)?)
}

/// The relevance that one node passed on, `[rows, K]` each.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeFlow {
    /// The node's name.
    pub node: String,
    /// Its op.
    pub op: String,
    /// What arrived from above.
    pub inward: ArrayD<f64>,
    /// What went on towards the input.
    pub outward: ArrayD<f64>,
    /// What its stabilizers took.
    pub stabilizer: ArrayD<f64>,
}

impl NodeFlow {
    /// What its bias and other constants absorbed, and at a softmax or a normalization what is not linear in its input.
    pub fn absorbed(&self) -> ArrayD<f64> {
        &self.inward - &self.outward - &self.stabilizer
    }
}

/// What [`lrp`] passes through each node, from the output to the input: where relevance is conserved and where it is lost.
/// Rows go one by one.
///
/// # Errors
/// As [`lrp`].
pub fn conservation(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    options: &Options,
    work: &Work,
) -> Result<Vec<NodeFlow>, Error> {
    let named = RefCell::new(None);
    let alone = Work { batch_size: Some(1), ..work.clone() };
    let key = format!("flows of lrp {:?}", options.composite);
    let results = run_targets(network, rows, target, &alone, &key, |graph, seeds| {
        let mut wires = Vec::new();
        for seed in seeds {
            let flows = at_input(graph, *seed, options, true)?.flows;
            named.borrow_mut().get_or_insert_with(|| names_of(&flows));
            for flow in flows {
                let none = graph.mul_scalar(flow.inward, 0.0);
                wires.extend([flow.inward, flow.outward, flow.stabilizer.unwrap_or(none)]);
            }
        }
        Ok(wires)
    })?;
    let shape = [rows.len_of(Axis(0)), target.n_targets()];
    // A graph that was made before has told nothing this time.
    let names = named.into_inner().map_or_else(|| flow_names(network, options), Ok)?;
    let of_node = |(i, (node, op)): (usize, (String, String))| {
        let [inward, outward, stabilizer] = [0, 1, 2].map(|part| results.values_of(3 * i + part, &shape));
        Ok(NodeFlow { node, op, inward: inward?, outward: outward?, stabilizer: stabilizer? })
    };
    names.into_iter().enumerate().map(of_node).collect()
}

/// Names and ops of the nodes that relevance flows through.
fn flow_names(network: &Network, options: &Options) -> Result<Vec<(String, String)>, Error> {
    let mut graph = network.graph().clone();
    let seed = graph.scalar(1.0, graph.outputs()[0]);
    let flows = at_input(&mut graph, seed, options, true)?.flows;
    Ok(names_of(&flows))
}

fn names_of(flows: &[Flow]) -> Vec<(String, String)> {
    flows.iter().map(|flow| (flow.node.clone(), flow.op.clone())).collect()
}

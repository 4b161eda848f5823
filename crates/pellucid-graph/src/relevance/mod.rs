//! The relevance table (LRP): the output itself goes back to the input, shared out at each node. Layers with weights
//! get the rule of a composite; all other ops have one rule each, those of AttnLRP for what transformers are made of.

mod accounts;
mod composite;
mod layer;
mod operators;
mod plan;
mod rows;

#[cfg(test)]
mod dense;
#[cfg(test)]
mod tests;

pub use accounts::Flow;
pub use composite::{Assignment, Composite, Formula, GAMMA, LayerRule, STABILIZER, Selector, Settings};
pub use operators::has_rule;

use std::rc::Rc;

use accounts::Accounts;
use operators::Operators;
use plan::Plan;

use crate::backward::{Rule, Signal, Step, Table, Walk, backward};
use crate::error::Error;
use crate::graph::{Graph, Wire};

/// The wires that [`relevance`] adds.
#[derive(Clone, Debug, PartialEq)]
pub struct Relevance {
    /// The relevance of each wanted wire, of its shape.
    pub wanted: Vec<Wire>,
    /// What biases and other constants absorbed of each row, `[N]`; `None` where the batch axis was lost on the way.
    pub absorbed: Option<Wire>,
    /// What flowed through each node, from the output on; only where it is asked for.
    pub flows: Vec<Flow>,
}

/// Adds the nodes that share out `Σ seed · output` over the wanted wires by layer-wise relevance propagation (Bach et al.
/// 2015; for transformers Achtibat et al. 2024), by the rules of `composite`.
///
/// # Errors
/// As [`backward`]; [`Error::RelevanceRule`] where a rule fits no node or cannot be.
pub fn relevance(
    graph: &mut Graph,
    output: Wire,
    seed: Wire,
    wanted: &[Wire],
    composite: &Composite,
    with_flows: bool,
) -> Result<Relevance, Error> {
    composite.check(graph)?;
    let accounts = Rc::new(Accounts::new(with_flows, rows::layouts(graph)));
    let plan = Plan::new(graph, wanted);
    let operators = Rc::new(Operators { plan, composite: composite.clone(), accounts: accounts.clone() });
    let table = Table {
        name: "relevance",
        rule: Box::new(move |node, _| {
            has_rule(&node.op).then_some(())?;
            let operators = operators.clone();
            node.domain.is_empty().then(|| Rc::new(move |s: &mut Step<'_>| operators.send(s)) as Rule)
        }),
    };
    let start = graph.mul(seed, output);
    let seeds = [(output, Signal::One(start))];
    let signals = backward(graph, &table, &Walk { seeds: &seeds, wanted, ..Walk::default() })?;
    let of = |(signal, wire): (Option<Signal>, &Wire)| match signal {
        Some(signal) => signal.parts().0,
        None => graph.zeros_like(*wire),
    };
    let wires = signals.into_iter().zip(wanted).map(of).collect();
    let absorbed = match accounts.is_clean() {
        true => zeros_by_row(graph, start),
        false => accounts.absorbed(graph),
    };
    graph.check_fault()?;
    Ok(Relevance { wanted: wires, absorbed, flows: accounts.flows() })
}

/// A zero a row, `[N]`.
fn zeros_by_row(graph: &mut Graph, start: Wire) -> Option<Wire> {
    let axes: Vec<i64> = (1..graph.rank(start)? as i64).collect();
    let sums = graph.reduce_sum(start, &axes, false);
    Some(graph.zeros_like(sums))
}

//! The backward walk: one driver for every method that sends something from the output to the input. What is sent, and
//! how each op passes it on, is a table of rules; a new method is a new table.

mod step;
mod unbroadcast;

pub use step::{Place, Signal, Signals, Step, Twins};

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::check::debug_check;
use crate::error::Error;
use crate::graph::{Graph, Node, Wire};
use crate::tensor::ElementType;

/// How one op passes on the signals that arrive at its outputs: one signal an input, `None` where nothing goes.
pub type Rule = Rc<dyn Fn(&mut Step<'_>) -> Signals>;

/// Which rule a node at a place in the network gets, `None` where there is none.
pub type RuleChoice<'t> = Box<dyn Fn(&Node, &Place) -> Option<Rule> + 't>;

/// A method's rules.
pub struct Table<'t> {
    /// For messages: gradient, guided, multiplier, relevance.
    pub name: &'t str,
    /// The rule for a node.
    pub rule: RuleChoice<'t>,
}

/// What a walk starts from and needs beside the graph.
#[derive(Default)]
pub struct Walk<'a> {
    /// The signals at the start, each on the wire whose signal it is.
    pub seeds: &'a [(Wire, Signal)],
    /// The wires whose signals are wanted. The walk goes no further than these need.
    pub wanted: &'a [Wire],
    /// For methods that compare with a baseline: the same activation at the baseline.
    pub twins: Twins,
    /// Forward annotations that a method has put on wires: two wires each (Δ⁺ and Δ⁻ of RevealCancel).
    pub annotations: BTreeMap<Wire, (Wire, Wire)>,
}

/// Walks `graph` back from the seeds with the rules of `table`, adding nodes, and gives the signal that arrives at each
/// wanted wire; `None` where none does, because no seed depends on it.
///
/// # Errors
/// [`Error::NoRule`] where a signal reaches an op without one; an error of the rule itself, with the node's name.
pub fn backward(graph: &mut Graph, table: &Table<'_>, walk: &Walk<'_>) -> Result<Vec<Option<Signal>>, Error> {
    let route = Route::new(graph, walk);
    let mut arrived: BTreeMap<Wire, Vec<Signal>> = BTreeMap::new();
    for (wire, signal) in walk.seeds {
        arrived.entry(*wire).or_default().push(*signal);
    }
    for (depth, index) in route.nodes.iter().rev().copied().enumerate() {
        let node = graph.nodes()[index].clone();
        let signals = collect(graph, &node.outputs, &mut arrived, walk.wanted);
        if signals.iter().all(Option::is_none) {
            continue;
        }
        let place = Place { index, depth, first_linear: route.first_linear.contains(&index) };
        for (wire, signal) in pass_on(graph, table, walk, &route, &node, &signals, place)? {
            arrived.entry(wire).or_default().push(signal);
        }
    }
    let wanted = walk.wanted.iter().map(|wire| summed(graph, arrived.get(wire).map_or(&[], Vec::as_slice)));
    let result = wanted.collect();
    graph.check_fault()?;
    debug_check(graph)?;
    Ok(result)
}

/// The summed signals at a node's outputs. Those at wanted wires stay to be given out, too.
fn collect(
    graph: &mut Graph,
    outputs: &[Option<Wire>],
    arrived: &mut BTreeMap<Wire, Vec<Signal>>,
    wanted: &[Wire],
) -> Vec<Option<Signal>> {
    let mut signals = Vec::with_capacity(outputs.len());
    for output in outputs {
        let sum = output.and_then(|wire| summed(graph, &arrived.remove(&wire)?).map(|signal| (wire, signal)));
        if let Some((wire, signal)) = sum
            && wanted.contains(&wire)
        {
            arrived.insert(wire, vec![signal]);
        }
        signals.push(sum.map(|(_, signal)| signal));
    }
    signals
}

/// Applies the node's rule and undoes broadcasting: the signal of an input has the input's shape.
fn pass_on(
    graph: &mut Graph,
    table: &Table<'_>,
    walk: &Walk<'_>,
    route: &Route,
    node: &Node,
    signals: &[Option<Signal>],
    place: Place,
) -> Result<Vec<(Wire, Signal)>, Error> {
    let rule = (table.rule)(node, &place).ok_or_else(|| Error::NoRule {
        table: table.name.to_owned(),
        op: node.full_op(),
        node: node.name.clone(),
    })?;
    let needed: Vec<bool> =
        node.inputs.iter().map(|wire| wire.is_some_and(|wire| route.carriers.contains(&wire))).collect();
    let mut step = Step::new(graph, node, signals, &needed, walk, place);
    let fault = |reason: String| node.fault(format!("{} rule: {reason}", table.name));
    let results = rule(&mut step).map_err(fault)?;
    graph.check_fault().map_err(|error| fault(error.to_string()))?;

    let mut passed = Vec::new();
    for ((wire, signal), needed) in node.inputs.iter().zip(results).zip(needed) {
        if let (Some(wire), Some(signal), true) = (*wire, signal, needed) {
            let signal = signal.map(|part| unbroadcast::unbroadcast(graph, part, wire)).map_err(fault)?;
            passed.push((wire, signal));
        }
    }
    Ok(passed)
}

/// The sum of all signals that arrived at one wire.
fn summed(graph: &mut Graph, signals: &[Signal]) -> Option<Signal> {
    let (first, rest) = signals.split_first()?;
    Some(rest.iter().fold(*first, |sum, signal| sum.plus(*signal, graph)))
}

/// The part of the graph that the walk visits.
struct Route {
    /// Wires that depend on a wanted wire and that floats flow on: where a signal is of use.
    carriers: BTreeSet<Wire>,
    /// Nodes on the way, in running order.
    nodes: Vec<usize>,
    /// Nodes whose op has weights and above which, on the way to the wanted wires, there is no other such.
    first_linear: BTreeSet<usize>,
}

impl Route {
    fn new(graph: &Graph, walk: &Walk<'_>) -> Self {
        let carriers = carriers(graph, walk.wanted);
        let seeds: Vec<Wire> = walk.seeds.iter().map(|(wire, _)| *wire).collect();
        let above = graph.ancestors(&seeds);
        let on_the_way = |node: &Node| {
            node.outputs.iter().flatten().any(|wire| above.contains(wire) && carriers.contains(wire))
                && node.inputs.iter().flatten().any(|wire| carriers.contains(wire))
        };
        let nodes: Vec<usize> = graph
            .nodes()
            .iter()
            .enumerate()
            .filter(|(_, node)| on_the_way(node))
            .map(|(index, _)| index)
            .collect();
        let first_linear = first_linear(graph, &nodes, &carriers);
        Self { carriers, nodes, first_linear }
    }
}

/// Float wires that depend on the wanted wires through float wires alone, and the integers that floats were quantized
/// to, which stand for them.
fn carriers(graph: &Graph, wanted: &[Wire]) -> BTreeSet<Wire> {
    let mut carriers: BTreeSet<Wire> = wanted.iter().copied().collect();
    for node in graph.nodes() {
        let mut read = node.inputs.iter().flatten().filter(|wire| carriers.contains(wire)).peekable();
        if read.peek().is_none() {
            continue;
        }
        let quantized = matches!(node.op.as_str(), "QuantizeLinear" | "DynamicQuantizeLinear")
            || read.any(|wire| graph.element(*wire).is_integer());
        let carries = |wire: &&Wire| match graph.element(**wire) {
            ElementType::Unknown => true,
            // Places and lengths are 64 bits wide.
            ElementType::I64 | ElementType::U64 => false,
            element => element.is_float() || quantized && element.is_integer(),
        };
        let outputs: Vec<Wire> = node.outputs.iter().flatten().filter(carries).copied().collect();
        carriers.extend(outputs);
    }
    carriers
}

fn first_linear(graph: &Graph, nodes: &[usize], carriers: &BTreeSet<Wire>) -> BTreeSet<usize> {
    let mut behind: BTreeSet<Wire> = BTreeSet::new();
    let mut first = BTreeSet::new();
    for &index in nodes {
        let node = &graph.nodes()[index];
        let weighted = matches!(node.op.as_str(), "Conv" | "ConvTranspose" | "Gemm" | "MatMul");
        let after_another =
            node.inputs.iter().flatten().any(|wire| carriers.contains(wire) && behind.contains(wire));
        if weighted && !after_another {
            first.insert(index);
        }
        if weighted || after_another {
            behind.extend(node.outputs.iter().flatten());
        }
    }
    first
}

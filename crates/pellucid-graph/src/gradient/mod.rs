//! The gradient table: vector-Jacobian products. One file a family of ops; to add a rule is to touch one of them.

mod activation;
mod convolution;
mod elementwise;
mod guided;
mod join;
mod matmul;
mod normalization;
mod pick;
mod pooling;
mod quantize;
mod reduction;
mod reshape;
mod resize;
mod softmax;
mod strided_depthwise;
mod windows;

pub(crate) use normalization::at_fixed_deviation;
pub(crate) use windows::derived_constant;

#[cfg(test)]
mod adjoint;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod ties;
#[cfg(test)]
mod window_tests;

pub(crate) use elementwise::{setting, where_signal};
pub use guided::{guided, guided_table};

use std::rc::Rc;

use crate::backward::{Rule, Signal, Signals, Step, Table, Walk, backward};
use crate::error::Error;
use crate::graph::{Graph, Wire};

/// A rule without parameters of its own.
pub(crate) type PlainRule = fn(&mut Step<'_>) -> Signals;

const FAMILIES: &[fn(&str) -> Option<PlainRule>] = &[
    elementwise::rule,
    activation::rule,
    softmax::rule,
    matmul::rule,
    reduction::rule,
    normalization::rule,
    reshape::rule,
    join::rule,
    pick::rule,
    resize::rule,
    convolution::rule,
    pooling::rule,
    quantize::rule,
];

/// The rule for an op of the default domain.
pub(crate) fn find(op: &str) -> Option<PlainRule> {
    FAMILIES.iter().find_map(|family| family(op))
}

/// Whether the gradient table has a rule for an op of the default domain, after lowering.
pub fn has_rule(op: &str) -> bool {
    find(op).is_some()
}

/// The gradient table: `dL/dx` from `dL/dy` for each op `y = f(x)`.
pub fn gradient_table() -> Table<'static> {
    Table {
        name: "gradient",
        rule: Box::new(|node, _| {
            let rule = find(&node.op).filter(|_| node.domain.is_empty())?;
            Some(Rc::new(rule) as Rule)
        }),
    }
}

/// Adds the nodes that compute `d(Σ seed · output)/d(wanted)` and gives a wire for each wanted one; zeros where the
/// output does not depend on it.
///
/// # Errors
/// As [`backward`].
pub fn gradient(graph: &mut Graph, output: Wire, seed: Wire, wanted: &[Wire]) -> Result<Vec<Wire>, Error> {
    walked(graph, &gradient_table(), output, seed, wanted)
}

/// What a walk by single signals gives for each wanted wire, zeros where nothing arrives.
fn walked(
    graph: &mut Graph,
    table: &Table<'_>,
    output: Wire,
    seed: Wire,
    wanted: &[Wire],
) -> Result<Vec<Wire>, Error> {
    let seeds = [(output, Signal::One(seed))];
    let walk = Walk { seeds: &seeds, wanted, ..Walk::default() };
    let signals = backward(graph, table, &walk)?;
    let wires = signals.into_iter().zip(wanted).map(|(signal, wire)| match signal {
        Some(signal) => signal.parts().0,
        None => graph.zeros_like(*wire),
    });
    let wires = wires.collect();
    graph.check_fault()?;
    Ok(wires)
}

/// One signal for input 0.
pub(crate) fn only(wire: Wire) -> Signals {
    Ok(vec![Some(wire.into())])
}

/// Signals for the first inputs.
pub(crate) fn each<const N: usize>(wires: [Option<Wire>; N]) -> Signals {
    Ok(wires.into_iter().map(|wire| wire.map(Signal::from)).collect())
}

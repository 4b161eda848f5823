//! The multiplier table (DeepLIFT, Shrikumar et al. 2017, arXiv:1704.02685): multipliers `m` with `Σ m Δx = Σ m_y Δy` at
//! every node, where Δ is the difference between the input and a baseline. One file a family of ops.
//!
//! Linear ops share the gradient's rules; of what is quadratic the gradient in the middle between input and baseline is
//! the multiplier; a function of one number gets the quotient `Δy/Δx` (the Rescale rule). The other files say theirs.

mod balance;
mod linear;
mod normalization;
mod reduction;
mod rescale;
mod softmax;
mod twins;
mod winners;

#[cfg(test)]
mod tests;

pub use balance::{Balance, balances};

use std::rc::Rc;

use crate::backward::{Rule, Signal, Step, Table, Walk, backward};
use crate::error::Error;
use crate::gradient::PlainRule;
use crate::graph::{Graph, Wire};

const FAMILIES: &[fn(&str) -> Option<PlainRule>] =
    &[linear::rule, rescale::rule, softmax::rule, reduction::rule, normalization::rule, winners::rule];

fn find(op: &str) -> Option<PlainRule> {
    FAMILIES.iter().find_map(|family| family(op))
}

/// Whether the multiplier table has a rule for an op of the default domain, after lowering.
pub fn has_multiplier_rule(op: &str) -> bool {
    find(op).is_some()
}

/// The multiplier table: from `m_y` to an `m` with `Σ m Δx = Σ m_y Δy` for each op `y = f(x)`. Walks need twins.
pub fn multiplier_table() -> Table<'static> {
    Table {
        name: "multiplier",
        rule: Box::new(|node, _| {
            let rule = find(&node.op).filter(|_| node.domain.is_empty())?;
            Some(Rc::new(move |s: &mut Step<'_>| {
                check_carried(s)?;
                rule(s)
            }) as Rule)
        }),
    }
}

/// Adds the nodes that compute `m` with `Σ m (input − baseline) = Σ seed Δoutput`, and gives its wire, of the input's
/// shape; zeros where the output does not depend on the input. `baseline` is a wire of the input's type.
///
/// # Errors
/// As [`backward`]; a node through which a difference goes on without a multiplier.
pub fn multipliers(
    graph: &mut Graph,
    output: Wire,
    seed: Wire,
    input: Wire,
    baseline: Wire,
) -> Result<Wire, Error> {
    Ok(multipliers_of(graph, output, seed, &[(input, baseline)])?[0])
}

/// [`multipliers`] of several inputs that change together, each with its baseline.
fn multipliers_of(
    graph: &mut Graph,
    output: Wire,
    seed: Wire,
    ends: &[(Wire, Wire)],
) -> Result<Vec<Wire>, Error> {
    let twins = twins::twins(graph, ends)?;
    let seeds = [(output, Signal::One(seed))];
    let wanted: Vec<Wire> = ends.iter().map(|(input, _)| *input).collect();
    let walk = Walk { seeds: &seeds, wanted: &wanted, twins, ..Walk::default() };
    let signals = backward(graph, &multiplier_table(), &walk)?;
    let wires = signals.into_iter().zip(&wanted).map(|(signal, input)| match signal {
        Some(signal) => signal.parts().0,
        None => graph.zeros_like(*input),
    });
    let wires = wires.collect();
    graph.check_fault()?;
    Ok(wires)
}

/// Refuses a node that reads a difference which no multiplier can be given to: a choice or an index made from the input.
fn check_carried(s: &Step<'_>) -> Result<(), String> {
    for (i, wire) in s.at().inputs.iter().enumerate() {
        let Some(wire) = *wire else { continue };
        let is_condition = s.at().op == "Where" && i == 0;
        if !is_condition && !s.needs(i) && s.changes(wire)? {
            return Err(format!(
                "input {i} `{}` depends on the explained input by a choice or a whole number, which has no \
                 multiplier; take integrated-gradients",
                s.name_of(wire)
            ));
        }
    }
    Ok(())
}

/// The inputs that differ between input and baseline.
fn changing_inputs(s: &Step<'_>) -> Result<Vec<usize>, String> {
    let mut changing = Vec::new();
    for (i, wire) in s.at().inputs.iter().enumerate() {
        if let Some(wire) = *wire
            && s.changes(wire)?
        {
            changing.push(i);
        }
    }
    Ok(changing)
}

/// `x − x′`
fn difference(s: &mut Step<'_>, x: Wire) -> Result<Wire, String> {
    let twin = s.twin(x)?;
    Ok(s.sub(x, twin))
}

/// `(x + x′) / 2`; `x` itself where it does not change.
fn middle(s: &mut Step<'_>, x: Wire) -> Result<Wire, String> {
    let twin = s.twin(x)?;
    if twin == x {
        return Ok(x);
    }
    let sum = s.add(x, twin);
    Ok(s.mul_scalar(sum, 0.5))
}

/// The twins of wires, some of which are left out.
fn twins_of(s: &Step<'_>, wires: &[Option<Wire>]) -> Result<Vec<Option<Wire>>, String> {
    wires.iter().map(|wire| wire.map(|wire| s.twin(wire)).transpose()).collect()
}

/// `a / b`, and `otherwise` where `near` holds, as it must where `b` is 0.
fn quotient_or(s: &mut Step<'_>, a: Wire, b: Wire, near: Wire, otherwise: Wire) -> Wire {
    let one = s.scalar(1.0, b);
    let divisor = s.select(near, one, b);
    let quotient = s.div(a, divisor);
    s.select(near, otherwise, quotient)
}

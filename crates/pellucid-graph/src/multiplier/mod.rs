//! The multiplier table (DeepLIFT, Shrikumar et al. 2017, arXiv:1704.02685): multipliers `m` with `Σ m Δx = Σ m_y Δy` at
//! every node, where Δ is the difference between the input and a baseline. One file a family of ops.
//!
//! Linear ops share the gradient's rules; of what is quadratic the gradient in the middle between input and baseline is
//! the multiplier; a function of one number gets the quotient `Δy/Δx` (the Rescale rule), or a pair of them (RevealCancel). The
//! other files say theirs.

mod balance;
mod linear;
mod normalization;
mod reduction;
mod rescale;
mod reveal_cancel;
mod softmax;
mod split;
mod twins;
mod winners;

#[cfg(test)]
mod reveal_cancel_tests;
#[cfg(test)]
mod tests;

pub use balance::{Balance, balances};

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::backward::{Rule, Signal, Step, Table, Twins, Walk, backward};
use crate::error::Error;
use crate::gradient::PlainRule;
use crate::graph::{Graph, Wire};

const FAMILIES: &[fn(&str) -> Option<PlainRule>] =
    &[linear::rule, rescale::rule, softmax::rule, reduction::rule, normalization::rule, winners::rule];

fn find(op: &str) -> Option<PlainRule> {
    FAMILIES.iter().find_map(|family| family(op))
}

/// What functions of one number hand back (Shrikumar et al. 2017).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MultiplierRule {
    /// The quotient `Δy/Δx`.
    #[default]
    Rescale,
    /// One quotient for what raised the input and one for what lowered it.
    RevealCancel,
}

impl MultiplierRule {
    /// Both rules with their names.
    pub const NAMES: [(&'static str, Self); 2] =
        [("rescale", Self::Rescale), ("reveal_cancel", Self::RevealCancel)];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rescale => "rescale",
            Self::RevealCancel => "reveal_cancel",
        }
    }
}

/// Whether the multiplier table has a rule for an op of the default domain, after lowering.
pub fn has_multiplier_rule(op: &str) -> bool {
    find(op).is_some()
}

/// The multiplier table: from `m_y` to an `m` with `Σ m Δx = Σ m_y Δy` for each op `y = f(x)`. Walks need twins, and those by
/// RevealCancel annotations: Δ⁺ and Δ⁻.
pub fn multiplier_table(rule: MultiplierRule) -> Table<'static> {
    Table {
        name: "multiplier",
        rule: Box::new(move |node, _| {
            let whole = find(&node.op).filter(|_| node.domain.is_empty())?;
            Some(Rc::new(move |s: &mut Step<'_>| {
                check_carried(s)?;
                match rule {
                    MultiplierRule::Rescale => whole(s),
                    MultiplierRule::RevealCancel => reveal_cancel::send(s, whole),
                }
            }) as Rule)
        }),
    }
}

/// What [`multipliers`] adds to a graph.
#[derive(Clone, Copy, Debug)]
pub struct Multipliers {
    /// `m`, of the input's shape; zeros where the output does not depend on the input.
    pub of_input: Wire,
    /// The output with the baseline as the input.
    pub output_at_baseline: Wire,
}

/// Adds the nodes that compute `m` with `Σ m (input − baseline) = Σ seed Δoutput`. `baseline` is a wire of the input's type.
///
/// # Errors
/// As [`backward`]; a node through which a difference goes on without a multiplier.
pub fn multipliers(
    graph: &mut Graph,
    output: Wire,
    seed: Wire,
    input: Wire,
    baseline: Wire,
    rule: MultiplierRule,
) -> Result<Multipliers, Error> {
    let (of_inputs, output_at_baseline) = multipliers_of(graph, output, seed, &[(input, baseline)], rule)?;
    Ok(Multipliers { of_input: of_inputs[0], output_at_baseline })
}

/// The multipliers of several inputs that change together, each with its baseline, and the output at the baselines.
fn multipliers_of(
    graph: &mut Graph,
    output: Wire,
    seed: Wire,
    ends: &[(Wire, Wire)],
    rule: MultiplierRule,
) -> Result<(Vec<Wire>, Wire), Error> {
    let compared = Compared::new(graph, ends, rule)?;
    let output_at_baseline = compared.twins.get(&output).copied().unwrap_or(output);
    let seeds = [(output, Signal::One(seed))];
    let wanted: Vec<Wire> = ends.iter().map(|(input, _)| *input).collect();
    let signals = backward(graph, &multiplier_table(rule), &compared.walk(&seeds, &wanted))?;
    let wires = signals.into_iter().zip(ends).map(|(signal, (input, baseline))| match signal {
        Some(Signal::One(wire)) => wire,
        Some(Signal::Pair(up, down)) => {
            let difference = graph.sub(*input, *baseline);
            split::of_sign(graph, difference, (up, down))
        }
        None => graph.zeros_like(*input),
    });
    let wires = wires.collect();
    graph.check_fault()?;
    Ok((wires, output_at_baseline))
}

/// What a walk needs to know of the network at the baseline.
struct Compared {
    twins: Twins,
    annotations: BTreeMap<Wire, split::Parts>,
}

impl Compared {
    fn new(graph: &mut Graph, ends: &[(Wire, Wire)], rule: MultiplierRule) -> Result<Self, Error> {
        let nodes = graph.nodes().to_vec();
        let twins = twins::twins(graph, ends)?;
        let annotations = match rule {
            MultiplierRule::Rescale => BTreeMap::new(),
            MultiplierRule::RevealCancel => split::parts(graph, &nodes, &twins)?,
        };
        Ok(Self { twins, annotations })
    }

    fn walk<'a>(self, seeds: &'a [(Wire, Signal)], wanted: &'a [Wire]) -> Walk<'a> {
        Walk { seeds, wanted, twins: self.twins, annotations: self.annotations }
    }
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

/// `x − x′` in the element type of `like`: of integers that stand for floats, which themselves could overflow.
fn difference_as(s: &mut Step<'_>, x: Wire, like: Wire) -> Result<Wire, String> {
    let twin = s.twin(x)?;
    let (x, twin) = (s.cast_like(x, like), s.cast_like(twin, like));
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

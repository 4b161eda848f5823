//! What arrives at each node and what it sends on: where completeness is lost, this says at which node.

use std::cell::RefCell;
use std::rc::Rc;

use super::{Compared, MultiplierRule, difference_as, multiplier_table, reveal_cancel};
use crate::backward::{Rule, Signal, Step, Table, backward};
use crate::error::Error;
use crate::gradient::where_signal;
use crate::graph::{Graph, Wire};

/// The two sides of one node, each a wire of one number: summed over all rows, so that it is for a single one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// The node's name.
    pub node: String,
    /// Its op.
    pub op: String,
    /// `Σ m Δ` over its outputs.
    pub arrived: Wire,
    /// `Σ m Δ` over its inputs.
    pub sent: Wire,
}

/// Walks as [`multipliers`](super::multipliers) does and gives each node's balance, from the output back.
///
/// # Errors
/// As [`multipliers`](super::multipliers).
pub fn balances(
    graph: &mut Graph,
    output: Wire,
    seed: Wire,
    input: Wire,
    baseline: Wire,
    rule: MultiplierRule,
) -> Result<Vec<Balance>, Error> {
    let compared = Compared::new(graph, &[(input, baseline)], rule)?;
    let seeds = [(output, Signal::One(seed))];
    let walk = compared.walk(&seeds, std::slice::from_ref(&input));
    let inner = multiplier_table(rule);
    let kept: Rc<RefCell<Vec<Balance>>> = Rc::default();
    let ledger = kept.clone();
    let table = Table {
        name: inner.name,
        rule: Box::new(move |node, place| {
            let (rule, ledger) = ((inner.rule)(node, place)?, ledger.clone());
            Some(Rc::new(move |s: &mut Step<'_>| {
                let signals = rule(s)?;
                ledger.borrow_mut().push(balance(s, &signals)?);
                Ok(signals)
            }) as Rule)
        }),
    };
    backward(graph, &table, &walk)?;
    drop(table);
    Ok(kept.take())
}

fn balance(s: &mut Step<'_>, signals: &[Option<Signal>]) -> Result<Balance, String> {
    let node = s.at();
    let mut arrived = Vec::new();
    for (i, wire) in node.outputs.iter().enumerate() {
        if let (Some(wire), Some(signal)) = (*wire, s.signal(i)) {
            arrived.push(weighted_difference(s, signal, wire)?);
        }
    }
    let mut sent = Vec::new();
    for (i, (wire, signal)) in node.inputs.iter().zip(signals).enumerate() {
        if let (Some(wire), Some(signal), true) = (*wire, *signal, s.needs(i)) {
            sent.push(weighted_difference(s, signal, wire)?);
        }
    }
    let (arrived, sent) = (total(s, &arrived, node.outputs[0])?, total(s, &sent, node.outputs[0])?);
    Ok(Balance { node: node.name.clone(), op: node.op.clone(), arrived, sent })
}

fn total(s: &mut Step<'_>, parts: &[Wire], like: Option<Wire>) -> Result<Wire, String> {
    match parts.split_first() {
        Some((first, rest)) => Ok(rest.iter().fold(*first, |sum, part| s.add(sum, *part))),
        None => Ok(s.scalar(0.0, like.ok_or("output 0 is missing")?)),
    }
}

/// `Σ m Δx`, of a pair `Σ m⁺ Δ⁺ + m⁻ Δ⁻`.
fn weighted_difference(s: &mut Step<'_>, signal: Signal, wire: Wire) -> Result<Wire, String> {
    match signal {
        Signal::One(m) => {
            let difference = difference_as(s, wire, m)?;
            weighted_sum(s, m, difference)
        }
        Signal::Pair(up, down) => {
            let parts = reveal_cancel::parts(s, wire)?;
            let (up, down) = (weighted_sum(s, up, parts.0)?, weighted_sum(s, down, parts.1)?);
            Ok(s.add(up, down))
        }
    }
}

fn weighted_sum(s: &mut Step<'_>, multiplier: Wire, difference: Wire) -> Result<Wire, String> {
    let product = s.mul(multiplier, difference);
    // What a choice did not take may be no number.
    let product = where_signal(s, multiplier, product);
    let axes: Vec<i64> = (0..s.known_rank(product)? as i64).collect();
    Ok(s.reduce_sum(product, &axes, false))
}

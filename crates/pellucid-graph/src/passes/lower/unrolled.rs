//! Loops whose number of turns is known before the run, turn by turn.

use super::recurrent::MAX_STEPS;
use super::{Lowering, length};
use crate::graph::{Attribute, Graph, Node, Wire};
use crate::onnx::CAPTURES;
use crate::ops::resolve_axis;
use crate::passes::embed;
use crate::tensor::Tensor;

pub(super) fn lowering(op: &str) -> Option<Lowering> {
    Some(match op {
        "Scan" => scan,
        "Loop" => repeat,
        _ => return None,
    })
}

/// The body of a loop and the wires that it takes from around it.
struct Body<'a> {
    graph: &'a Graph,
    captured: Vec<Wire>,
    /// The node's own inputs.
    given: &'a [Option<Wire>],
}

impl<'a> Body<'a> {
    fn of(node: &'a Node) -> Result<Self, String> {
        let Some(Attribute::Graph(graph)) = node.attributes.get("body") else {
            return Err("attribute `body` is missing".to_owned());
        };
        let n_captured = node.int(CAPTURES).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let (given, captured) = node.inputs.split_at(node.inputs.len().saturating_sub(n_captured));
        let captured = captured.iter().copied().collect::<Option<_>>().ok_or("a captured wire is missing")?;
        Ok(Self { graph, captured, given })
    }

    /// One turn: the wires of the body's outputs.
    fn turn(&self, g: &mut Graph, inputs: Vec<Wire>) -> Result<Vec<Wire>, String> {
        let inputs = [inputs, self.captured.clone()].concat();
        if inputs.len() != self.graph.inputs().len() {
            return Err(format!("its body takes {} inputs, not {}", self.graph.inputs().len(), inputs.len()));
        }
        embed(g, self.graph, &inputs).map_err(|error| error.to_string())
    }
}

/// Inputs cut in pieces along one axis go through the body one by one; states go on, pieces of the outputs are joined.
fn scan(g: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    let body = Body::of(node)?;
    let given: Vec<Wire> = body.given.iter().copied().collect::<Option<_>>().ok_or("an input is missing")?;
    let n_scanned = node.int("num_scan_inputs").and_then(|n| usize::try_from(n).ok());
    let n_scanned =
        n_scanned.filter(|n| (1..=given.len()).contains(n)).ok_or("num_scan_inputs does not fit")?;
    let (states, scanned) = given.split_at(given.len() - n_scanned);
    let setting = |name: &str, i: usize| node.ints(name).and_then(|list| list.get(i).copied()).unwrap_or(0);
    let mut pieces = Vec::new();
    for (i, wire) in scanned.iter().enumerate() {
        let backwards = setting("scan_input_directions", i) != 0;
        pieces.push(cut(g, *wire, setting("scan_input_axes", i), backwards)?);
    }
    let n_turns = pieces[0].len();
    if pieces.iter().any(|other| other.len() != n_turns) {
        return Err("its scanned inputs differ in length".to_owned());
    }
    let mut states = states.to_vec();
    let mut collected: Vec<Vec<Wire>> = Vec::new();
    for turn in 0..n_turns {
        let of_turn = pieces.iter().map(|pieces| pieces[turn]);
        let outputs = body.turn(g, states.iter().copied().chain(of_turn).collect())?;
        keep(outputs, &mut states, &mut collected)?;
    }
    let mut outputs = states;
    for (i, mut parts) in collected.into_iter().enumerate() {
        if setting("scan_output_directions", i) != 0 {
            parts.reverse();
        }
        outputs.push(joined(g, &parts, setting("scan_output_axes", i)));
    }
    Ok(outputs)
}

/// The pieces along an axis, which they then lack.
fn cut(g: &mut Graph, x: Wire, axis: i64, backwards: bool) -> Result<Vec<Wire>, String> {
    let axis = resolve_axis(axis, g.rank(x).ok_or("the rank of a scanned input is unknown")?)?;
    let n = length(g, x, axis)?;
    if !(1..=MAX_STEPS).contains(&n) {
        return Err(format!("a sequence of {n} steps; 1 to {MAX_STEPS} can be written out"));
    }
    let attributes = [("axis", Attribute::Int(axis as i64)), ("num_outputs", Attribute::Int(n as i64))];
    let parts = g.node_outputs("Split", &[x], &attributes, n);
    let mut pieces: Vec<Wire> = parts.into_iter().map(|part| g.squeeze(part, &[axis as i64])).collect();
    if backwards {
        pieces.reverse();
    }
    Ok(pieces)
}

fn joined(g: &mut Graph, parts: &[Wire], axis: i64) -> Wire {
    let parts: Vec<Wire> = parts.iter().map(|part| g.unsqueeze(*part, &[axis])).collect();
    g.concat(&parts, axis)
}

/// The first outputs of a turn are the new states, the others are collected.
fn keep(outputs: Vec<Wire>, states: &mut Vec<Wire>, collected: &mut Vec<Vec<Wire>>) -> Result<(), String> {
    let Some((new, parts)) = outputs.split_at_checked(states.len()) else {
        return Err("its body gives too few outputs".to_owned());
    };
    *states = new.to_vec();
    collected.resize(parts.len(), Vec::new());
    collected.iter_mut().zip(parts).for_each(|(all, part)| all.push(*part));
    Ok(())
}

/// As many turns as stated, or until the body says to stop; both have to be known before the run.
fn repeat(g: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    let body = Body::of(node)?;
    let states: Option<Vec<Wire>> = body.given.iter().skip(2).copied().collect();
    let mut states = states.ok_or("an initial state is missing")?;
    let limit = match optional_own(&body, 0) {
        Some(wire) => known(g, wire).ok_or("its number of turns is known only in the run")?,
        None => i64::MAX,
    };
    let mut goes_on = match optional_own(&body, 1) {
        Some(wire) => known(g, wire).ok_or("whether it starts is known only in the run")? != 0,
        None => true,
    };
    let mut collected: Vec<Vec<Wire>> = Vec::new();
    let mut turn = 0;
    while goes_on && turn < limit {
        if turn as usize == MAX_STEPS {
            let n = if limit == i64::MAX { "unknown many".to_owned() } else { limit.to_string() };
            return Err(format!("a loop of {n} turns; up to {MAX_STEPS} can be written out"));
        }
        let count = g.add_constant("turn", Tensor::i64(&[], vec![turn]));
        let holds = g.add_constant("goes_on", Tensor::bool(&[], vec![true]));
        let mut outputs = body.turn(g, [count, holds].into_iter().chain(states.iter().copied()).collect())?;
        if outputs.is_empty() {
            return Err("its body gives no condition".to_owned());
        }
        let condition = outputs.remove(0);
        goes_on = known(g, condition).ok_or("its condition is known only in the run")? != 0;
        keep(outputs, &mut states, &mut collected)?;
        turn += 1;
    }
    if turn == 0 && body.graph.outputs().len() > 1 + states.len() {
        return Err("it collects the outputs of no turn".to_owned());
    }
    let joined = collected.iter().map(|parts| joined(g, parts, 0));
    let joined: Vec<Wire> = joined.collect();
    Ok([states, joined].concat())
}

fn optional_own(body: &Body<'_>, i: usize) -> Option<Wire> {
    body.given.get(i).copied().flatten()
}

/// One whole number or truth value that is known before the run.
fn known(g: &Graph, wire: Wire) -> Option<i64> {
    match g.numbers(wire)?.ints()?.as_slice() {
        [n] => Some(*n),
        _ => None,
    }
}

//! Recurrent layers step by step: the products with the input for all steps at once, then for each step the gates.

mod cell;

use super::{Lowering, input, length, optional, wants};
use crate::graph::{Attribute, Graph, Node, Wire};
use crate::ops::recurrent::Settings;
use cell::{Cell, State};

/// Longer sequences would make graphs that no runtime loads in reasonable time.
pub(super) const MAX_STEPS: usize = 128;

pub(super) fn lowering(op: &str) -> Option<Lowering> {
    matches!(op, "LSTM" | "GRU" | "RNN").then_some(unrolled)
}

fn unrolled(g: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    let settings = Settings::of(node)?;
    let x = input(node, 0)?;
    let x = if settings.batch_first { g.transpose(x, &[1, 0, 2]) } else { x };
    let n_steps = length(g, x, 0)?;
    if !(1..=MAX_STEPS).contains(&n_steps) {
        return Err(format!("a sequence of {n_steps} steps; 1 to {MAX_STEPS} can be written out"));
    }
    let mut directions = Vec::new();
    for (d, reversed) in settings.reversed.iter().enumerate() {
        directions.push(direction(g, node, &settings, x, d, *reversed)?);
    }
    let stacked = |g: &mut Graph, wires: Vec<Wire>, axis: i64| {
        let parts: Vec<Wire> = wires.into_iter().map(|wire| g.unsqueeze(wire, &[axis])).collect();
        if parts.len() == 1 { parts[0] } else { g.concat(&parts, axis) }
    };
    let mut last = stacked(g, directions.iter().map(|ran| ran.last.h).collect(), 0);
    let mut cells = stacked(g, directions.iter().map(|ran| ran.last.c).collect(), 0);
    if settings.batch_first {
        (last, cells) = (g.transpose(last, &[1, 0, 2]), g.transpose(cells, &[1, 0, 2]));
    }
    if !wants(node, 0) {
        // Nobody reads it: something has to keep the place.
        return Ok(vec![last, last, cells]);
    }
    let mut all = Vec::new();
    for ran in directions {
        all.push(stacked(g, ran.steps, 0));
    }
    let all = stacked(g, all, 1);
    Ok(vec![if settings.batch_first { g.transpose(all, &[2, 0, 1, 3]) } else { all }, last, cells])
}

/// What one direction gives: the state after each step, `[batch, hidden]`, in the order of the steps, and the last.
struct Ran {
    steps: Vec<Wire>,
    last: State,
}

fn direction(
    g: &mut Graph,
    node: &Node,
    settings: &Settings,
    x: Wire,
    d: usize,
    reversed: bool,
) -> Result<Ran, String> {
    let cell = Cell::new(g, node, settings, d)?;
    let pieces = cell.pieces(g, x)?;
    let mut state = initial(g, node, settings, x, d);
    let lengths = optional(node, 4).map(|lengths| (g.unsqueeze(lengths, &[1]), g.scalar(0.0, state.h)));
    let mut steps = vec![state.h; pieces.len()];
    let order: Vec<usize> =
        if reversed { (0..pieces.len()).rev().collect() } else { (0..pieces.len()).collect() };
    for step in order {
        let next = cell.step(g, pieces[step], &state);
        let Some((lengths, zero)) = lengths else {
            (steps[step], state) = (next.h, next);
            continue;
        };
        // Behind a row's end its state stays as it is, and what the layer gives is 0.
        let runs = g.greater_scalar(lengths, step as f64);
        steps[step] = g.select(runs, next.h, zero);
        let c = if next.c == next.h { None } else { Some(g.select(runs, next.c, state.c)) };
        let h = g.select(runs, next.h, state.h);
        state = State { h, c: c.unwrap_or(h) };
    }
    Ok(Ran { steps, last: state })
}

/// The state before the first step: given, or zeros.
fn initial(g: &mut Graph, node: &Node, settings: &Settings, x: Wire, d: usize) -> State {
    let given = |g: &mut Graph, i: usize| {
        let wire = optional(node, i)?;
        let wire = if settings.batch_first { g.transpose(wire, &[1, 0, 2]) } else { wire };
        Some(cell::part(g, wire, d))
    };
    let (h, c) = (given(g, 5), given(g, 6));
    let batch = g.node("Shape", &[x], &[("start", Attribute::Int(1)), ("end", Attribute::Int(2))]);
    let hidden = g.ints(&[settings.hidden as i64]);
    let shape = g.concat(&[batch, hidden], 0);
    let zero = g.scalar(0.0, x);
    let zeros = g.node("Expand", &[zero, shape], &[]);
    State { h: h.unwrap_or(zeros), c: c.unwrap_or(zeros) }
}

//! Where relevance goes that reaches no input: absorbed by biases and constants, or lost to stabilizers.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::rows::{Layout, row_sums, total};
use crate::backward::{Signal, Step};
use crate::graph::{Graph, Wire};
use crate::types::Dim;

/// The relevance at one node, each wire one number: the sum over a whole run.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// The node's name.
    pub node: String,
    /// Its op.
    pub op: String,
    /// What arrived at its outputs.
    pub inward: Wire,
    /// What it sent on to its inputs.
    pub outward: Wire,
    /// What its stabilizers took; `None` where it has none.
    pub stabilizer: Option<Wire>,
}

/// Relevance by the unit of what made it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Divided {
    pub(super) quotient: Wire,
    /// What the stabilizer took: `relevance − quotient · total`.
    pub(super) lost: Wire,
}

/// What a walk writes down.
pub(super) struct Accounts {
    /// One number a row each, `[N]`.
    absorbed: RefCell<Vec<Wire>>,
    /// Whether something was absorbed of which nobody can tell by which row.
    untold: Cell<bool>,
    /// By node index; only where flows are asked for.
    stabilizers: RefCell<BTreeMap<usize, Wire>>,
    flows: RefCell<Vec<Flow>>,
    with_flows: bool,
    layouts: BTreeMap<Wire, Layout>,
}

impl Accounts {
    pub(super) fn new(with_flows: bool, layouts: BTreeMap<Wire, Layout>) -> Self {
        Self {
            absorbed: RefCell::default(),
            untold: Cell::new(false),
            stabilizers: RefCell::default(),
            flows: RefCell::default(),
            with_flows,
            layouts,
        }
    }

    /// `relevance / (total + ε sign(total))`, where `sign(0) = 1`. Without a stabilizer, what would be divided by 0 is 0.
    pub(super) fn divided(&self, s: &mut Step<'_>, relevance: Wire, total: Wire, stabilizer: f64) -> Divided {
        let divided = match stabilizer == 0.0 {
            true => divided_unless_zero(s, relevance, total),
            false => divided_by_stabilized(s, relevance, total, stabilizer),
        };
        if self.with_flows {
            self.lose(s, divided.lost);
        }
        divided
    }

    fn lose(&self, s: &mut Step<'_>, lost: Wire) {
        let lost = total(s, lost);
        let index = s.place().index;
        let before = self.stabilizers.borrow().get(&index).copied();
        let sum = before.map_or(lost, |before| s.add(before, lost));
        self.stabilizers.borrow_mut().insert(index, sum);
    }

    /// Writes down that `relevance` ends here.
    pub(super) fn absorb(&self, s: &mut Step<'_>, relevance: Wire) {
        match self.row_sums(s, relevance) {
            Some(sums) => self.absorbed.borrow_mut().push(sums),
            None => self.untold.set(true),
        }
    }

    /// Writes down that what `relevance` has more than all of `sent` together ends here.
    pub(super) fn absorb_rest(&self, s: &mut Step<'_>, relevance: Wire, sent: &[Wire]) {
        let Some(arrived) = self.row_sums(s, relevance) else { return self.untold.set(true) };
        let sums: Option<Vec<Wire>> = sent.iter().map(|wire| self.row_sums(s, *wire)).collect();
        let Some(sums) = sums else { return self.untold.set(true) };
        let rest = sums.iter().fold(arrived, |rest, sum| s.sub(rest, *sum));
        self.absorbed.borrow_mut().push(rest);
    }

    /// The sum over each row of what has the rows of the node's output.
    fn row_sums(&self, s: &mut Step<'_>, relevance: Wire) -> Option<Wire> {
        let output = s.at().outputs.first().copied().flatten();
        let layout = output.and_then(|output| self.layouts.get(&output)).copied().unwrap_or_default();
        row_sums(s, relevance, layout)
    }

    /// Writes down what arrived at a node and what it sends on.
    pub(super) fn flow(&self, s: &mut Step<'_>, sent: &[Option<Signal>]) -> Result<(), String> {
        if !self.with_flows {
            return Ok(());
        }
        let arrived: Vec<Wire> =
            (0..s.at().outputs.len()).filter_map(|i| Some(s.signal(i)?.parts().0)).collect();
        let inward = summed(s, &arrived)?;
        let mut outward = Vec::new();
        for (i, signal) in sent.iter().enumerate() {
            let Some(signal) = signal.filter(|_| s.needs(i)) else { continue };
            let (input, sent) = (s.input(i)?, signal.parts().0);
            if are_of_one_shape(s, sent, input) {
                outward.push(sent);
                continue;
            }
            // A rule may leave it to the driver to repeat its signal along an axis.
            let zeros = s.zeros_like(input);
            outward.push(s.add(sent, zeros));
        }
        let outward = match outward.as_slice() {
            [] => s.mul_scalar(inward, 0.0),
            outward => summed(s, outward)?,
        };
        let stabilizer = self.stabilizers.borrow().get(&s.place().index).copied();
        let (node, op) = (s.at().name.clone(), s.at().op.clone());
        self.flows.borrow_mut().push(Flow { node, op, inward, outward, stabilizer });
        Ok(())
    }

    /// What was absorbed of each row, `[N]`; `None` where nobody can tell.
    pub(super) fn absorbed(&self, graph: &mut Graph) -> Option<Wire> {
        let all = self.absorbed.borrow();
        let (first, rest) = all.split_first().filter(|_| !self.untold.get())?;
        Some(rest.iter().fold(*first, |sum, wire| graph.add(sum, *wire)))
    }

    /// Whether nothing was absorbed.
    pub(super) fn is_clean(&self) -> bool {
        self.absorbed.borrow().is_empty() && !self.untold.get()
    }

    pub(super) fn flows(&self) -> Vec<Flow> {
        self.flows.borrow().clone()
    }
}

fn divided_by_stabilized(s: &mut Step<'_>, relevance: Wire, total: Wire, stabilizer: f64) -> Divided {
    let negative = s.less_scalar(total, 0.0);
    let (below, above) = (s.scalar(-stabilizer, total), s.scalar(stabilizer, total));
    let offset = s.select(negative, below, above);
    let guarded = s.add(total, offset);
    let quotient = s.div(relevance, guarded);
    // Not from `total`, which is infinite where a place is masked.
    Divided { quotient, lost: s.mul(quotient, offset) }
}

fn divided_unless_zero(s: &mut Step<'_>, relevance: Wire, total: Wire) -> Divided {
    let (zero, one) = (s.scalar(0.0, total), s.scalar(1.0, total));
    let vanishes = s.equal(total, zero);
    let guarded = s.select(vanishes, one, total);
    let quotient = s.div(relevance, guarded);
    let zero = s.scalar(0.0, quotient);
    Divided { quotient: s.select(vanishes, zero, quotient), lost: s.keep_where(vanishes, relevance) }
}

/// Whether two wires are known to have the same shape.
fn are_of_one_shape(graph: &Graph, a: Wire, b: Wire) -> bool {
    let is_known = |shape: &[Dim]| !shape.contains(&Dim::Unknown);
    graph.shape(a).is_some_and(is_known) && graph.shape(a) == graph.shape(b)
}

/// The sum of all elements of all wires.
fn summed(s: &mut Step<'_>, wires: &[Wire]) -> Result<Wire, String> {
    let sums: Vec<Wire> = wires.iter().map(|wire| total(s, *wire)).collect();
    let (first, rest) = sums.split_first().ok_or("no relevance arrived")?;
    Ok(rest.iter().fold(*first, |sum, wire| s.add(sum, *wire)))
}

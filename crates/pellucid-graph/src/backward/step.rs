//! What a rule gets and gives.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use crate::backward::Walk;
use crate::graph::{Graph, Node, Wire};

/// What travels back along a wire: one tensor of the wire's shape, or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A gradient, a multiplier, a relevance.
    One(Wire),
    /// Positive and negative multipliers (DeepLIFT RevealCancel), or positive and negative relevance.
    Pair(Wire, Wire),
}

impl Signal {
    /// The sum of two signals of one kind; a single one beside a pair goes to both parts.
    pub(super) fn plus(self, other: Self, graph: &mut Graph) -> Self {
        match (self, other) {
            (Self::One(a), Self::One(b)) => Self::One(graph.add(a, b)),
            (a, b) => {
                let ((a0, a1), (b0, b1)) = (a.parts(), b.parts());
                Self::Pair(graph.add(a0, b0), graph.add(a1, b1))
            }
        }
    }

    /// Both parts of a pair; a single wire twice.
    pub fn parts(self) -> (Wire, Wire) {
        match self {
            Self::One(wire) => (wire, wire),
            Self::Pair(a, b) => (a, b),
        }
    }

    /// The same kind of signal with each part changed.
    pub(super) fn map<E>(self, mut change: impl FnMut(Wire) -> Result<Wire, E>) -> Result<Self, E> {
        Ok(match self {
            Self::One(wire) => Self::One(change(wire)?),
            Self::Pair(a, b) => Self::Pair(change(a)?, change(b)?),
        })
    }
}

impl From<Wire> for Signal {
    fn from(wire: Wire) -> Self {
        Self::One(wire)
    }
}

/// A rule's answer: one signal an input of the node (missing ones at the end are `None`), or why there is none.
pub type Signals = Result<Vec<Option<Signal>>, String>;

/// The same activation at the baseline, by wire.
pub type Twins = BTreeMap<Wire, Wire>;

/// Where a node stands, for composites that choose rules by place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Index of the node in the graph.
    pub index: usize,
    /// Nodes between it and the output in the order of the walk: 0 is the last one.
    pub depth: usize,
    /// Whether it is the first op with weights on the way from a wanted wire.
    pub first_linear: bool,
}

/// One node on the way back: what arrived, what it reads, and the graph to emit nodes into.
///
/// Builder methods of [`Graph`] work on a step directly.
pub struct Step<'a> {
    graph: &'a mut Graph,
    node: &'a Node,
    signals: &'a [Option<Signal>],
    needed: &'a [bool],
    walk: &'a Walk<'a>,
    place: Place,
}

impl<'a> Step<'a> {
    pub(super) fn new(
        graph: &'a mut Graph,
        node: &'a Node,
        signals: &'a [Option<Signal>],
        needed: &'a [bool],
        walk: &'a Walk<'a>,
        place: Place,
    ) -> Self {
        Self { graph, node, signals, needed, walk, place }
    }

    /// The node.
    pub fn at(&self) -> &'a Node {
        self.node
    }

    /// Its place in the network.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Input `i`, where it is given.
    pub fn optional_input(&self, i: usize) -> Option<Wire> {
        self.node.inputs.get(i).copied().flatten()
    }

    /// Input `i`.
    ///
    /// # Errors
    /// Where it is left out.
    pub fn input(&self, i: usize) -> Result<Wire, String> {
        self.optional_input(i).ok_or_else(|| format!("input {i} is missing"))
    }

    /// Output `i`.
    ///
    /// # Errors
    /// Where it is left out.
    pub fn output(&self, i: usize) -> Result<Wire, String> {
        self.node.outputs.get(i).copied().flatten().ok_or_else(|| format!("output {i} is missing"))
    }

    /// Whether a signal for input `i` is of use; where not, a rule may return `None`.
    pub fn needs(&self, i: usize) -> bool {
        self.needed.get(i).copied().unwrap_or(false)
    }

    /// The signal at output `i`, `None` where none arrived.
    pub fn signal(&self, i: usize) -> Option<Signal> {
        self.signals.get(i).copied().flatten()
    }

    /// The single signal at output 0.
    ///
    /// # Errors
    /// Where it is absent or a pair.
    pub fn gradient(&self) -> Result<Wire, String> {
        match self.signal(0) {
            Some(Signal::One(wire)) => Ok(wire),
            Some(Signal::Pair(..)) => Err("a pair of signals arrived where one was expected".to_owned()),
            None => Err("no signal arrived at output 0".to_owned()),
        }
    }

    /// What a rule of another table gives for `node` in this one's place, with `signal` at its output 0 and the inputs
    /// that are of use in `needed`.
    ///
    /// # Errors
    /// Those of the rule.
    pub(crate) fn apply(
        &mut self,
        rule: fn(&mut Step<'_>) -> Signals,
        node: &Node,
        signal: Wire,
        needed: &[bool],
    ) -> Signals {
        let signals = [Some(Signal::One(signal))];
        let (walk, place) = (self.walk, self.place);
        rule(&mut Step { graph: self.graph, node, signals: &signals, needed, walk, place })
    }

    /// The same activation at the baseline.
    ///
    /// # Errors
    /// Where the walk was given none for this wire.
    pub fn twin(&self, wire: Wire) -> Result<Wire, String> {
        let twin = self.walk.twins.get(&wire).copied();
        twin.ok_or_else(|| format!("no twin of `{}`", self.graph.name_of(wire)))
    }

    /// Whether a wire differs between input and baseline.
    ///
    /// # Errors
    /// Where the walk was given no twin for it.
    pub fn changes(&self, wire: Wire) -> Result<bool, String> {
        Ok(self.twin(wire)? != wire)
    }

    /// What another rule answers at this node, with other inputs, outputs and signals in place of its own: what the rule
    /// says at the baseline, or in the middle.
    pub fn elsewhere(
        &mut self,
        rule: fn(&mut Step<'_>) -> Signals,
        inputs: Vec<Option<Wire>>,
        outputs: Vec<Option<Wire>>,
        signals: &[Option<Signal>],
    ) -> Signals {
        let node = Node { inputs, outputs, ..self.node.clone() };
        let (needed, walk, place) = (self.needed, self.walk, self.place);
        rule(&mut Step { graph: &mut *self.graph, node: &node, signals, needed, walk, place })
    }

    /// The two forward annotations on a wire, where there are any.
    pub fn annotation(&self, wire: Wire) -> Option<(Wire, Wire)> {
        self.walk.annotations.get(&wire).copied()
    }

    /// The number of axes of a wire.
    ///
    /// # Errors
    /// Where it is unknown.
    pub fn known_rank(&self, wire: Wire) -> Result<usize, String> {
        self.graph.rank(wire).ok_or_else(|| format!("the rank of `{}` is unknown", self.graph.name_of(wire)))
    }
}

impl Deref for Step<'_> {
    type Target = Graph;

    fn deref(&self) -> &Graph {
        self.graph
    }
}

impl DerefMut for Step<'_> {
    fn deref_mut(&mut self) -> &mut Graph {
        self.graph
    }
}

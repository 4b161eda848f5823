//! A model as wires and nodes. Nodes stand in an order in which each reads only what earlier ones made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::error::Error;
use crate::ops;
use crate::symbolic::{self, Numbers};
use crate::tensor::{ElementType, Tensor};
use crate::types::{Dim, Type};

/// The value on one edge, by its place in the graph that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wire(u32);

impl Wire {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A constant that belongs to a node rather than arriving on a wire.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Attribute {
    Int(i64),
    Float(f32),
    String(String),
    Tensor(Arc<Tensor>),
    Graph(Arc<Graph>),
    Ints(Vec<i64>),
    Floats(Vec<f32>),
    Strings(Vec<String>),
    Tensors(Vec<Arc<Tensor>>),
    Graphs(Vec<Arc<Graph>>),
}

macro_rules! attribute_from {
    ($($from:ty => $variant:ident),*) => {
        $(impl From<$from> for Attribute {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        })*
    };
}
attribute_from!(i64 => Int, f32 => Float, &str => String, Vec<i64> => Ints, &[i64] => Ints, Vec<f32> => Floats);

/// One application of an op.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The name in the file, or one made up; unique only if the file's are.
    pub name: String,
    /// Empty for the default domain (`ai.onnx`).
    pub domain: String,
    /// The op, in ONNX's spelling.
    pub op: String,
    /// What it reads; `None` where an optional input is left out.
    pub inputs: Vec<Option<Wire>>,
    /// What it makes; `None` where an optional output is left out.
    pub outputs: Vec<Option<Wire>>,
    /// The attributes that are written out; the others have the op's defaults.
    pub attributes: BTreeMap<String, Attribute>,
}

impl Node {
    /// An integer attribute.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.attributes.get(name) {
            Some(Attribute::Int(value)) => Some(*value),
            _ => None,
        }
    }

    /// A float attribute.
    pub fn float(&self, name: &str) -> Option<f64> {
        match self.attributes.get(name) {
            Some(Attribute::Float(value)) => Some(f64::from(*value)),
            _ => None,
        }
    }

    /// A list of integers.
    pub fn ints(&self, name: &str) -> Option<&[i64]> {
        match self.attributes.get(name) {
            Some(Attribute::Ints(value)) => Some(value),
            _ => None,
        }
    }

    /// A list of floats.
    pub fn floats(&self, name: &str) -> Option<&[f32]> {
        match self.attributes.get(name) {
            Some(Attribute::Floats(value)) => Some(value),
            _ => None,
        }
    }

    /// A string attribute.
    pub fn string(&self, name: &str) -> Option<&str> {
        match self.attributes.get(name) {
            Some(Attribute::String(value)) => Some(value),
            _ => None,
        }
    }

    /// The graphs in its attributes: the branches of an `If`, the body of a loop.
    pub fn bodies(&self) -> impl Iterator<Item = &Graph> {
        self.attributes
            .values()
            .flat_map(|attribute| match attribute {
                Attribute::Graph(graph) => std::slice::from_ref(graph).iter(),
                Attribute::Graphs(graphs) => graphs.iter(),
                _ => [].iter(),
            })
            .map(Arc::as_ref)
    }

    /// The op with its domain, for messages.
    pub fn full_op(&self) -> String {
        if self.domain.is_empty() { self.op.clone() } else { format!("{}.{}", self.domain, self.op) }
    }

    /// An error about this node.
    pub fn fault(&self, reason: impl Into<String>) -> Error {
        Error::Node { op: self.full_op(), node: self.name.clone(), reason: reason.into() }
    }
}

#[derive(Clone, Debug, PartialEq)]
struct WireInfo {
    name: String,
    ty: Type,
    constant: Option<Arc<Tensor>>,
    /// For small integer vectors: what is known of each element (`Shape` chains).
    numbers: Option<Numbers>,
    producer: Option<usize>,
}

/// A model: inputs, constants, nodes in running order, outputs. The types of all wires are inferred as nodes
/// are added.
///
/// Builder calls ([`Graph::node`] and the methods in `build.rs`) do not return errors: the first fault is kept and
/// given out by [`Graph::check_fault`], so that a rule reads like its formula.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// The name in the file.
    pub name: String,
    wires: Vec<WireInfo>,
    nodes: Vec<Node>,
    inputs: Vec<Wire>,
    outputs: Vec<Wire>,
    by_name: BTreeMap<String, Wire>,
    fault: Option<Error>,
}

impl Graph {
    /// An empty graph.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// What a run must be given, in order.
    pub fn inputs(&self) -> &[Wire] {
        &self.inputs
    }

    /// What a run gives, in order.
    pub fn outputs(&self) -> &[Wire] {
        &self.outputs
    }

    /// The nodes in running order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// All wires, in the order they were added.
    pub fn wires(&self) -> impl Iterator<Item = Wire> + use<> {
        (0..self.wires.len() as u32).map(Wire)
    }

    /// The unique name of a wire.
    pub fn name_of(&self, wire: Wire) -> &str {
        &self.wires[wire.index()].name
    }

    /// Element type and shape of a wire, as far as inferred.
    pub fn type_of(&self, wire: Wire) -> &Type {
        &self.wires[wire.index()].ty
    }

    /// The shape of a wire, where the rank is known.
    pub fn shape(&self, wire: Wire) -> Option<&[Dim]> {
        self.type_of(wire).shape.as_deref()
    }

    /// The number of axes, where known.
    pub fn rank(&self, wire: Wire) -> Option<usize> {
        self.shape(wire).map(<[Dim]>::len)
    }

    /// The element type of a wire.
    pub fn element(&self, wire: Wire) -> ElementType {
        self.type_of(wire).element
    }

    /// Bytes that the outputs of all nodes take for one row, as f32; what a runtime reuses is not counted off.
    pub fn activation_bytes(&self) -> usize {
        let length = |dim: &Dim| match dim {
            Dim::Known(n) => *n,
            Dim::Symbol { times, .. } => *times,
            Dim::Unknown => 1,
        };
        let elements = |shape: &[Dim]| shape.iter().map(length).fold(1usize, usize::saturating_mul);
        let outputs = self.nodes().iter().flat_map(|node| node.outputs.iter().flatten());
        let elements = outputs.filter_map(|wire| self.shape(*wire)).map(elements);
        elements.fold(0usize, usize::saturating_add).saturating_mul(4)
    }

    /// The tensor of a constant wire.
    pub fn constant(&self, wire: Wire) -> Option<&Arc<Tensor>> {
        self.wires[wire.index()].constant.as_ref()
    }

    /// The elements of a small integer wire as lengths, where known: what `Shape` gives.
    pub fn lengths(&self, wire: Wire) -> Option<&[Dim]> {
        self.numbers(wire).map(Numbers::lengths)
    }

    /// What is known of the elements of a small integer or boolean vector.
    pub(crate) fn numbers(&self, wire: Wire) -> Option<&Numbers> {
        self.wires[wire.index()].numbers.as_ref()
    }

    /// The index of the node that makes a wire; `None` for inputs and constants.
    pub fn producer_index(&self, wire: Wire) -> Option<usize> {
        self.wires[wire.index()].producer
    }

    /// The node that makes a wire; `None` for inputs and constants.
    pub fn producer(&self, wire: Wire) -> Option<&Node> {
        self.producer_index(wire).map(|index| &self.nodes[index])
    }

    /// The wire of that name.
    ///
    /// # Errors
    /// [`Error::UnknownWire`], with up to eight near names.
    pub fn wire(&self, name: &str) -> Result<Wire, Error> {
        self.by_name.get(name).copied().ok_or_else(|| self.unknown_wire(name))
    }

    fn unknown_wire(&self, name: &str) -> Error {
        let wanted = name.to_lowercase();
        let near: Vec<&str> = self
            .by_name
            .iter()
            .filter(|(other, wire)| self.constant(**wire).is_none() && other.to_lowercase().contains(&wanted))
            .map(|(other, _)| other.as_str())
            .take(8)
            .collect();
        let hint = match near.as_slice() {
            [] => "; `pellucid inspect` lists them".to_owned(),
            _ => format!("; near: {}", near.join(", ")),
        };
        Error::UnknownWire { name: name.to_owned(), hint }
    }

    /// For each node index, which nodes read each wire: `consumers()[wire]`.
    pub fn consumers(&self) -> BTreeMap<Wire, Vec<usize>> {
        let mut consumers: BTreeMap<Wire, Vec<usize>> = BTreeMap::new();
        for (index, node) in self.nodes.iter().enumerate() {
            for wire in node.inputs.iter().flatten() {
                consumers.entry(*wire).or_default().push(index);
            }
        }
        consumers
    }

    /// Adds an input. A name already taken gets a number behind it.
    pub fn add_input(&mut self, name: &str, ty: Type) -> Wire {
        let wire = self.add_wire(name, ty, None);
        self.inputs.push(wire);
        wire
    }

    /// Adds a constant. A name already taken gets a number behind it.
    pub fn add_constant(&mut self, name: &str, tensor: impl Into<Arc<Tensor>>) -> Wire {
        let tensor = tensor.into();
        let wire = self.add_wire(name, Type::of(&tensor), None);
        let info = &mut self.wires[wire.index()];
        info.numbers = Numbers::of(&tensor);
        info.constant = Some(tensor);
        wire
    }

    /// Makes a wire an output (again, if it is one already).
    pub fn add_output(&mut self, wire: Wire) {
        self.outputs.push(wire);
    }

    /// Replaces the outputs.
    pub fn set_outputs(&mut self, outputs: &[Wire]) {
        self.outputs = outputs.to_vec();
    }

    /// Gives a wire a new name; one already taken gets a number behind it.
    pub fn rename(&mut self, wire: Wire, name: &str) {
        let old = std::mem::take(&mut self.wires[wire.index()].name);
        self.by_name.remove(&old);
        let name = self.free_name(name);
        self.by_name.insert(name.clone(), wire);
        self.wires[wire.index()].name = name;
    }

    /// Writes what a file states of a wire's type where inference found less.
    pub fn refine_type(&mut self, wire: Wire, stated: &Type) {
        let ty = &mut self.wires[wire.index()].ty;
        if ty.element == ElementType::Unknown {
            ty.element = stated.element;
        }
        match (&mut ty.shape, &stated.shape) {
            (None, Some(shape)) => ty.shape = Some(shape.clone()),
            (Some(mine), Some(theirs)) if mine.len() == theirs.len() => {
                for (mine, theirs) in mine.iter_mut().zip(theirs) {
                    if *mine == Dim::Unknown {
                        *mine = theirs.clone();
                    }
                }
            }
            _ => {}
        }
    }

    /// Adds a node with one output and gives its wire. See [`Graph::add_node`].
    pub fn node(&mut self, op: &str, inputs: &[Wire], attributes: &[(&str, Attribute)]) -> Wire {
        self.node_outputs(op, inputs, attributes, 1)[0]
    }

    /// Adds a node with `n_outputs` outputs. See [`Graph::add_node`].
    pub fn node_outputs(
        &mut self,
        op: &str,
        inputs: &[Wire],
        attributes: &[(&str, Attribute)],
        n_outputs: usize,
    ) -> Vec<Wire> {
        let inputs: Vec<Option<Wire>> = inputs.iter().copied().map(Some).collect();
        self.node_optional(op, &inputs, attributes, n_outputs)
    }

    /// Adds a node some of whose inputs may be left out. See [`Graph::add_node`].
    pub fn node_optional(
        &mut self,
        op: &str,
        inputs: &[Option<Wire>],
        attributes: &[(&str, Attribute)],
        n_outputs: usize,
    ) -> Vec<Wire> {
        let node = Node {
            name: String::new(),
            domain: String::new(),
            op: op.to_owned(),
            inputs: inputs.to_vec(),
            outputs: Vec::new(),
            attributes: attributes.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
        };
        self.add_node(node, &vec![Some(""); n_outputs]).into_iter().flatten().collect()
    }

    /// Adds a node, infers the types of its outputs, and gives their wires. `names` has one entry an output: `None`
    /// leaves it out, an empty name asks for one. A fault (inputs that do not fit the op) is kept for
    /// [`Graph::check_fault`], and the outputs then have unknown types.
    pub fn add_node(&mut self, mut node: Node, names: &[Option<&str>]) -> Vec<Option<Wire>> {
        if node.name.is_empty() {
            node.name = format!("{}_{}", node.op, self.nodes.len());
        }
        let types = self.inferred_types(&node, names.len());
        let index = self.nodes.len();
        node.outputs = names
            .iter()
            .zip(types)
            .map(|(name, ty)| {
                let name = (*name)?;
                let fallback = format!("{}:0", node.name);
                Some(self.add_wire(if name.is_empty() { &fallback } else { name }, ty, Some(index)))
            })
            .collect();
        if let Some(wire) = node.outputs.first().copied().flatten() {
            // Numbers have no shape, so that only vectors are followed.
            let is_vector = self.rank(wire).is_some_and(|rank| rank <= 1);
            self.wires[wire.index()].numbers =
                is_vector.then(|| symbolic::infer_numbers(self, &node)).flatten();
        }
        let outputs = node.outputs.clone();
        self.nodes.push(node);
        outputs
    }

    fn inferred_types(&mut self, node: &Node, n_outputs: usize) -> Vec<Type> {
        let mut types = match ops::infer(self, node) {
            Ok(types) => types,
            Err(error) => {
                self.keep_fault(error);
                Vec::new()
            }
        };
        types.resize_with(n_outputs, Type::unknown);
        types
    }

    /// Remembers a fault, unless one came before.
    pub fn keep_fault(&mut self, fault: Error) {
        self.fault.get_or_insert(fault);
    }

    /// The first fault since the last call, if there was one.
    ///
    /// # Errors
    /// That fault.
    pub fn check_fault(&mut self) -> Result<(), Error> {
        self.fault.take().map_or(Ok(()), Err)
    }

    fn add_wire(&mut self, name: &str, ty: Type, producer: Option<usize>) -> Wire {
        let wire = Wire(u32::try_from(self.wires.len()).unwrap_or_else(|_| panic!("more than 2^32 wires")));
        let name = self.free_name(name);
        self.by_name.insert(name.clone(), wire);
        self.wires.push(WireInfo { name, ty, constant: None, numbers: None, producer });
        wire
    }

    fn free_name(&self, name: &str) -> String {
        let name = if name.is_empty() { "wire" } else { name };
        if !self.by_name.contains_key(name) {
            return name.to_owned();
        }
        let taken = |n: &usize| self.by_name.contains_key(&format!("{name}_{n}"));
        // Starting at the number of wires finds a free one at the first try nearly always.
        let start = self.wires.len();
        let n = (start..).find(|n| !taken(n)).unwrap_or(start);
        format!("{name}_{n}")
    }

    /// All wires that `wires` depend on, themselves included.
    pub fn ancestors(&self, wires: &[Wire]) -> BTreeSet<Wire> {
        let mut found: BTreeSet<Wire> = wires.iter().copied().collect();
        for node in self.nodes.iter().rev() {
            if node.outputs.iter().flatten().any(|wire| found.contains(wire)) {
                found.extend(node.inputs.iter().flatten());
            }
        }
        found
    }

    /// All wires that depend on `wires`, themselves included.
    pub fn descendants(&self, wires: &[Wire]) -> BTreeSet<Wire> {
        let mut found: BTreeSet<Wire> = wires.iter().copied().collect();
        for node in &self.nodes {
            if node.inputs.iter().flatten().any(|wire| found.contains(wire)) {
                found.extend(node.outputs.iter().flatten());
            }
        }
        found
    }
}

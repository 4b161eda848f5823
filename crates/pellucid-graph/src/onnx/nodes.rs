//! Nodes of a file → nodes of a `Graph`, in running order: names become wires, constants become constants, functions
//! and decided branches are inlined, and each node is upgraded on its way in.

use std::collections::BTreeMap;

use super::budget::MAX_DEPTH;
use super::function::Functions;
use super::proto::{AttributeProto, AttributeType, GraphProto, NodeProto};
use super::scope::{Scope, domain};
use super::sort::{captures, running_order, title};
use super::tensor::{Source, decode, densify, utf8};
use super::upgrade;
use super::value_type::stated;
use crate::error::Error;
use crate::graph::{Attribute, Graph, Node, Wire};
use crate::tensor::{Data, Tensor};

/// The name of the attribute that says how many trailing inputs of an `If`, `Loop` or `Scan` are wires that its bodies
/// take from around them. ONNX leaves these out of the inputs; here they stand behind the op's own, and as the last
/// inputs of each body, so that whoever walks or cuts a graph need not look into bodies.
pub(crate) const CAPTURES: &str = "captures";

/// Constants up to this size are copied into a body rather than captured, so that shapes can be inferred there.
const MAX_COPIED_ELEMENTS: usize = 64;

/// What is needed throughout a file.
pub(super) struct Reader<'m> {
    pub(super) functions: Functions<'m>,
    pub(super) source: Source,
    pub(super) warnings: Vec<String>,
}

impl Reader<'_> {
    /// Adds the constants and nodes of a graph, and gives the wires of its outputs.
    pub(super) fn fill(
        &mut self,
        graph: &mut Graph,
        scope: &mut Scope<'_>,
        proto: &GraphProto,
    ) -> Result<Vec<Wire>, Error> {
        let infos = proto.value_info.iter().chain(&proto.output);
        scope.stated.extend(infos.map(|info| (info.name().to_owned(), stated(info))));
        for initializer in &proto.initializer {
            let tensor = decode(initializer, &mut self.source)?;
            self.constant(graph, scope, initializer.name(), tensor)?;
        }
        for initializer in &proto.sparse_initializer {
            let (name, tensor) = densify(initializer, &mut self.source)?;
            self.constant(graph, scope, &name, tensor)?;
        }
        self.nodes(graph, scope, &proto.node)?;
        let output = |name: &str| {
            let missing = || Error::Dangling {
                node: format!("output of graph `{}`", proto.name()),
                wire: name.to_owned(),
            };
            scope.find(name).flatten().ok_or_else(missing)
        };
        proto.output.iter().map(|info| output(info.name())).collect()
    }

    fn constant(
        &mut self,
        graph: &mut Graph,
        scope: &mut Scope<'_>,
        name: &str,
        tensor: Tensor,
    ) -> Result<(), Error> {
        if scope.wires.contains_key(name) {
            return Err(Error::Duplicate { wire: name.to_owned() });
        }
        let wire = graph.add_constant(&scope.full_name(name), tensor);
        scope.wires.insert(name.to_owned(), Some(wire));
        Ok(())
    }

    /// Adds nodes in running order.
    pub(super) fn nodes(
        &mut self,
        graph: &mut Graph,
        scope: &mut Scope<'_>,
        nodes: &[NodeProto],
    ) -> Result<(), Error> {
        let order =
            running_order(nodes, |name| scope.find(name).is_some(), |name| scope.wires.contains_key(name))?;
        for index in order {
            self.node(graph, scope, &nodes[index], title(&nodes[index], index))?;
        }
        Ok(())
    }

    fn node(
        &mut self,
        graph: &mut Graph,
        scope: &mut Scope<'_>,
        proto: &NodeProto,
        title: String,
    ) -> Result<(), Error> {
        self.source.budget.take_node()?;
        let name = format!("{}{title}", scope.prefix);
        if let Some(function) = self.functions.find(proto) {
            let wires = self.call(graph, scope, function, proto, &name)?;
            return bind(graph, scope, proto, &wires);
        }
        if let Some(wires) = self.decided_branch(graph, scope, proto, &name)? {
            return bind(graph, scope, proto, &wires);
        }
        let mut inputs =
            proto.input.iter().map(|input| resolve(scope, input, &name)).collect::<Result<Vec<_>, _>>()?;
        let captured = self.captured(graph, scope, proto, &name)?;
        let mut attributes = self.attributes(graph, scope, proto, &captured)?;
        let wires: Vec<Option<Wire>> = captured.iter().filter(|c| !c.copied).map(|c| Some(c.wire)).collect();
        if !wires.is_empty() {
            attributes.insert(CAPTURES.to_owned(), Attribute::Int(wires.len() as i64));
            inputs.extend(wires);
        }
        let domain = domain(proto.domain());
        if domain.is_empty() && proto.op_type() == "Constant" {
            return self.constant_node(graph, scope, proto, &attributes, &name);
        }
        let (op, version) = (proto.op_type().to_owned(), scope.version(domain));
        let node = Node { name, domain: domain.to_owned(), op, inputs, outputs: Vec::new(), attributes };
        let names: Vec<Option<String>> =
            proto.output.iter().map(|output| (!output.is_empty()).then(|| scope.full_name(output))).collect();
        let names: Vec<Option<&str>> = names.iter().map(Option::as_deref).collect();
        let wires = upgrade::add(graph, node, &names, version)?;
        graph.check_fault()?;
        bind(graph, scope, proto, &wires)
    }

    fn constant_node(
        &mut self,
        graph: &mut Graph,
        scope: &mut Scope<'_>,
        proto: &NodeProto,
        attributes: &BTreeMap<String, Attribute>,
        name: &str,
    ) -> Result<(), Error> {
        let fault = |reason: &str| Error::Node {
            op: "Constant".to_owned(),
            node: name.to_owned(),
            reason: reason.to_owned(),
        };
        let value = attributes.iter().find(|(key, _)| key.starts_with("value") || *key == "sparse_value");
        let tensor = match value.map(|(_, value)| value) {
            Some(Attribute::Tensor(tensor)) => tensor.clone(),
            Some(value) => constant_value(value).ok_or_else(|| fault("the value is no tensor"))?.into(),
            None => return Err(fault("it has no value")),
        };
        let output = proto.output.first().ok_or_else(|| fault("it has no output"))?;
        let wire = graph.add_constant(&scope.full_name(output), tensor);
        scope.wires.insert(output.clone(), Some(wire));
        Ok(())
    }

    /// The attributes of a node, references to those of the function around it resolved.
    fn attributes(
        &mut self,
        graph: &Graph,
        scope: &Scope<'_>,
        proto: &NodeProto,
        captured: &[Captured],
    ) -> Result<BTreeMap<String, Attribute>, Error> {
        let mut attributes = BTreeMap::new();
        for attribute in &proto.attribute {
            if let Some(given) = given_attribute(scope, attribute) {
                let value = self.attribute(graph, scope, given, captured).map_err(|error| match error {
                    Error::Unsupported { reason } => Error::Unsupported {
                        reason: format!(
                            "{reason} (attribute `{}` of node `{}`)",
                            attribute.name(),
                            proto.name()
                        ),
                    },
                    other => other,
                })?;
                if attributes.insert(attribute.name().to_owned(), value).is_some() {
                    let reason =
                        format!("node `{}` has attribute `{}` twice", proto.name(), attribute.name());
                    return Err(Error::NotOnnx { reason });
                }
            }
        }
        Ok(attributes)
    }

    fn attribute(
        &mut self,
        graph: &Graph,
        scope: &Scope<'_>,
        proto: &AttributeProto,
        captured: &[Captured],
    ) -> Result<Attribute, Error> {
        let missing =
            || Error::NotOnnx { reason: format!("attribute `{}` has no value of its type", proto.name()) };
        let text = |bytes| utf8(bytes).map_err(|reason| Error::Unsupported { reason });
        Ok(match attribute_type(proto) {
            // The format's default is left out by some writers.
            AttributeType::Float => Attribute::Float(proto.f()),
            AttributeType::Int => Attribute::Int(proto.i()),
            AttributeType::String => {
                Attribute::String(proto.s.as_ref().map(text).transpose()?.unwrap_or_default())
            }
            AttributeType::Tensor => {
                Attribute::Tensor(decode(proto.t.as_ref().ok_or_else(missing)?, &mut self.source)?.into())
            }
            AttributeType::SparseTensor => {
                let sparse = proto.sparse_tensor.as_ref().ok_or_else(missing)?;
                Attribute::Tensor(densify(sparse, &mut self.source)?.1.into())
            }
            AttributeType::Graph => Attribute::Graph(
                self.body(graph, scope, proto.g.as_ref().ok_or_else(missing)?, captured)?.into(),
            ),
            AttributeType::Floats => Attribute::Floats(proto.floats.clone()),
            AttributeType::Ints => Attribute::Ints(proto.ints.clone()),
            AttributeType::Strings => {
                Attribute::Strings(proto.strings.iter().map(text).collect::<Result<_, _>>()?)
            }
            AttributeType::Tensors => {
                let tensors = proto.tensors.iter().map(|tensor| Ok(decode(tensor, &mut self.source)?.into()));
                Attribute::Tensors(tensors.collect::<Result<_, Error>>()?)
            }
            AttributeType::Graphs => {
                let bodies =
                    proto.graphs.iter().map(|body| Ok(self.body(graph, scope, body, captured)?.into()));
                Attribute::Graphs(bodies.collect::<Result<_, Error>>()?)
            }
            AttributeType::SparseTensors | AttributeType::TypeProto | AttributeType::TypeProtos => {
                return Err(Error::Unsupported { reason: "sequence, optional or sparse types".to_owned() });
            }
            AttributeType::Undefined => return Err(missing()),
        })
    }

    /// What the bodies of a node take from around them, in the order of the names.
    fn captured(
        &mut self,
        graph: &Graph,
        scope: &Scope<'_>,
        proto: &NodeProto,
        node: &str,
    ) -> Result<Vec<Captured>, Error> {
        let mut captured = Vec::new();
        for name in captures(proto) {
            if let Some(wire) = resolve(scope, &name, node)? {
                let copied = graph.constant(wire).is_some_and(|tensor| tensor.len() <= MAX_COPIED_ELEMENTS);
                captured.push(Captured { name, wire, copied });
            }
        }
        Ok(captured)
    }

    /// The body of an `If`, `Loop` or `Scan` as a graph of its own.
    fn body(
        &mut self,
        outer: &Graph,
        scope: &Scope<'_>,
        proto: &GraphProto,
        captured: &[Captured],
    ) -> Result<Graph, Error> {
        let mut inner = Scope::new(scope.versions);
        inner.attributes = scope.attributes.clone();
        inner.calls = scope.calls.clone();
        inner.enter(proto.name())?;
        let mut body = Graph::new(proto.name());
        for info in &proto.input {
            let wire = body.add_input(info.name(), stated(info));
            inner.wires.insert(info.name().to_owned(), Some(wire));
        }
        for capture in captured {
            let own = inner.wires.get(&capture.name).copied().flatten();
            let wire = match outer.constant(capture.wire) {
                Some(tensor) if capture.copied => body.add_constant(&capture.name, tensor.clone()),
                _ => body.add_input(&capture.name, outer.type_of(capture.wire).clone()),
            };
            inner.wires.insert(capture.name.clone(), own.or(Some(wire)));
        }
        let outputs = self.fill(&mut body, &mut inner, proto)?;
        body.set_outputs(&outputs);
        Ok(body)
    }

    /// The wires of the branch that an `If` takes, added to `graph`, where its condition is known.
    fn decided_branch(
        &mut self,
        graph: &mut Graph,
        scope: &Scope<'_>,
        proto: &NodeProto,
        name: &str,
    ) -> Result<Option<Vec<Option<Wire>>>, Error> {
        if !domain(proto.domain()).is_empty() || proto.op_type() != "If" {
            return Ok(None);
        }
        let condition = proto.input.first().map(|input| resolve(scope, input, name)).transpose()?.flatten();
        let Some(holds) = condition.and_then(|wire| known_condition(graph, wire)) else {
            return Ok(None);
        };
        let branch = if holds { "then_branch" } else { "else_branch" };
        let attribute = proto.attribute.iter().find(|attribute| attribute.name() == branch);
        let Some(body) = attribute.and_then(|attribute| attribute.g.as_deref()) else { return Ok(None) };
        let mut inner = Scope::new(scope.versions);
        inner.parent = Some(scope);
        inner.attributes = scope.attributes.clone();
        inner.calls = scope.calls.clone();
        inner.prefix = format!("{name}/");
        inner.enter(name)?;
        inner.choose_names(scope, body.output.iter().map(|info| info.name()), &proto.output);
        let outputs = self.fill(graph, &mut inner, body)?;
        Ok(Some(outputs.into_iter().map(Some).collect()))
    }
}

/// A wire that a body takes from around it.
struct Captured {
    name: String,
    wire: Wire,
    /// Whether it is copied into the body as a constant.
    copied: bool,
}

impl Scope<'_> {
    /// Notes one more level of functions or bodies.
    pub(super) fn enter(&mut self, name: &str) -> Result<(), Error> {
        self.calls.push(name.to_owned());
        if self.calls.len() > MAX_DEPTH {
            let reason = format!("functions and bodies are nested more than {MAX_DEPTH} deep at `{name}`");
            return Err(Error::Unsupported { reason });
        }
        Ok(())
    }

    /// Lets the wires that will be outputs have the names that the outer node gives them.
    pub(super) fn choose_names<'n>(
        &mut self,
        outer: &Scope<'_>,
        inner_names: impl Iterator<Item = &'n str>,
        outer_names: &[String],
    ) {
        for (inner, outer_name) in inner_names.zip(outer_names).filter(|(_, name)| !name.is_empty()) {
            self.chosen.entry(inner.to_owned()).or_insert_with(|| outer.full_name(outer_name));
        }
    }
}

/// The wire of an input's name; none for the empty name.
pub(super) fn resolve(scope: &Scope<'_>, name: &str, node: &str) -> Result<Option<Wire>, Error> {
    if name.is_empty() {
        return Ok(None);
    }
    scope.find(name).ok_or_else(|| Error::Dangling { node: node.to_owned(), wire: name.to_owned() })
}

/// Notes the wires of a node's outputs and what the file states of them. A wire that has another name already (the
/// output of a function that is one of its inputs) gets the name by an `Identity`.
fn bind(
    graph: &mut Graph,
    scope: &mut Scope<'_>,
    proto: &NodeProto,
    wires: &[Option<Wire>],
) -> Result<(), Error> {
    for (name, wire) in proto.output.iter().zip(wires).filter(|(name, _)| !name.is_empty()) {
        let Some(mut wire) = *wire else {
            scope.wires.insert(name.clone(), None);
            continue;
        };
        let full_name = scope.full_name(name);
        if graph.name_of(wire) != full_name {
            wire = identity(graph, wire, &full_name);
        }
        if let Some(stated) = scope.stated.get(name) {
            graph.refine_type(wire, stated);
        }
        scope.wires.insert(name.clone(), Some(wire));
    }
    graph.check_fault()
}

fn identity(graph: &mut Graph, wire: Wire, name: &str) -> Wire {
    let node = Node {
        name: String::new(),
        domain: String::new(),
        op: "Identity".to_owned(),
        inputs: vec![Some(wire)],
        outputs: Vec::new(),
        attributes: BTreeMap::new(),
    };
    graph.add_node(node, &[Some(name)])[0].unwrap_or(wire)
}

/// An attribute itself, or what the call of the function gives for it.
pub(super) fn given_attribute<'a>(
    scope: &'a Scope<'_>,
    attribute: &'a AttributeProto,
) -> Option<&'a AttributeProto> {
    match attribute.ref_attr_name() {
        "" => Some(attribute),
        name => scope.attributes.get(name),
    }
}

/// The stated type; files of IR version 1 state none.
fn attribute_type(proto: &AttributeProto) -> AttributeType {
    match proto.r#type() {
        AttributeType::Undefined if proto.f.is_some() => AttributeType::Float,
        AttributeType::Undefined if proto.i.is_some() => AttributeType::Int,
        AttributeType::Undefined if proto.s.is_some() => AttributeType::String,
        AttributeType::Undefined if proto.t.is_some() => AttributeType::Tensor,
        AttributeType::Undefined if proto.g.is_some() => AttributeType::Graph,
        AttributeType::Undefined if !proto.floats.is_empty() => AttributeType::Floats,
        AttributeType::Undefined if !proto.ints.is_empty() => AttributeType::Ints,
        AttributeType::Undefined if !proto.strings.is_empty() => AttributeType::Strings,
        stated => stated,
    }
}

fn constant_value(value: &Attribute) -> Option<Tensor> {
    let (shape, data) = match value {
        Attribute::Int(n) => (vec![], Data::I64(vec![*n])),
        Attribute::Float(x) => (vec![], Data::F32(vec![*x])),
        Attribute::String(text) => (vec![], Data::String(vec![text.clone()])),
        Attribute::Ints(v) => (vec![v.len()], Data::I64(v.clone())),
        Attribute::Floats(v) => (vec![v.len()], Data::F32(v.clone())),
        Attribute::Strings(v) => (vec![v.len()], Data::String(v.clone())),
        _ => return None,
    };
    Tensor::try_new(shape, data)
}

/// Whether a condition certainly holds, or certainly does not, whatever the input.
fn known_condition(graph: &Graph, wire: Wire) -> Option<bool> {
    match graph.numbers(wire)?.ints()?.as_slice() {
        [holds] => Some(*holds != 0),
        _ => None,
    }
}

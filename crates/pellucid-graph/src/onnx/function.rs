//! Local functions: a call is replaced by the function's nodes.

use std::collections::BTreeMap;

use super::nodes::{Reader, given_attribute, resolve};
use super::proto::{AttributeProto, FunctionProto, NodeProto};
use super::scope::{Scope, domain, versions};
use crate::error::Error;
use crate::graph::{Graph, Wire};

/// The functions of a model, by domain, name and overload.
pub(super) struct Functions<'m>(BTreeMap<[&'m str; 3], &'m FunctionProto>);

impl<'m> Functions<'m> {
    /// # Errors
    /// [`Error::Duplicate`] where two functions have one name.
    pub(super) fn new(functions: &'m [FunctionProto]) -> Result<Self, Error> {
        let mut by_name = BTreeMap::new();
        for function in functions {
            let key = [domain(function.domain()), function.name(), function.overload()];
            if by_name.insert(key, function).is_some() {
                return Err(Error::Duplicate { wire: key.join(".") });
            }
        }
        Ok(Self(by_name))
    }

    /// The function that a node calls, if it calls one.
    pub(super) fn find(&self, node: &NodeProto) -> Option<&'m FunctionProto> {
        self.0.get(&[domain(node.domain()), node.op_type(), node.overload()]).copied()
    }
}

impl Reader<'_> {
    /// Adds the nodes of a function to `graph` and gives the wires of its outputs.
    pub(super) fn call(
        &mut self,
        graph: &mut Graph,
        scope: &Scope<'_>,
        function: &FunctionProto,
        proto: &NodeProto,
        name: &str,
    ) -> Result<Vec<Option<Wire>>, Error> {
        let title = [function.domain(), function.name(), function.overload()].join(".");
        if scope.calls.contains(&title) {
            return Err(Error::Cyclic { node: format!("{name}` in function `{title}") });
        }
        let mut own_versions = scope.versions.clone();
        own_versions.extend(versions(&function.opset_import));
        let mut inner = Scope::new(&own_versions);
        inner.prefix = format!("{name}/");
        inner.calls = scope.calls.clone();
        inner.enter(&title)?;
        inner.attributes = call_attributes(scope, function, proto)?;
        if proto.input.len() > function.input.len() {
            let reason = format!(
                "{} inputs for the {} of function `{title}`",
                proto.input.len(),
                function.input.len()
            );
            return Err(Error::Node { op: title, node: name.to_owned(), reason });
        }
        for (index, formal) in function.input.iter().enumerate() {
            let actual = proto.input.get(index).map_or("", String::as_str);
            inner.wires.insert(formal.clone(), resolve(scope, actual, name)?);
        }
        inner.choose_names(scope, function.output.iter().map(String::as_str), &proto.output);
        self.nodes(graph, &mut inner, &function.node)?;
        let missing = |output: &String| Error::Dangling {
            node: format!("output of function `{title}`"),
            wire: output.clone(),
        };
        function.output.iter().map(|output| inner.find(output).ok_or_else(|| missing(output))).collect()
    }
}

/// What the call gives for the function's attributes, and the defaults of the others.
fn call_attributes(
    scope: &Scope<'_>,
    function: &FunctionProto,
    proto: &NodeProto,
) -> Result<BTreeMap<String, AttributeProto>, Error> {
    let defaults =
        function.attribute_proto.iter().map(|default| (default.name().to_owned(), default.clone()));
    let mut attributes: BTreeMap<String, AttributeProto> = defaults.collect();
    for attribute in &proto.attribute {
        if attribute.g.is_some() || !attribute.graphs.is_empty() {
            let reason = format!(
                "function `{}` is given a graph as attribute `{}`",
                function.name(),
                attribute.name()
            );
            return Err(Error::Unsupported { reason });
        }
        if let Some(given) = given_attribute(scope, attribute) {
            attributes.insert(attribute.name().to_owned(), given.clone());
        }
    }
    Ok(attributes)
}

//! What names mean while a graph, a body or a function is read.

use std::collections::BTreeMap;

use super::proto::{AttributeProto, OperatorSetIdProto};
use crate::graph::Wire;
use crate::types::Type;

/// The opset version of each domain; the default domain is the empty name.
pub(super) type Versions = BTreeMap<String, i64>;

/// The versions that a model or function imports.
pub(super) fn versions(imports: &[OperatorSetIdProto]) -> Versions {
    imports.iter().map(|import| (domain(import.domain()).to_owned(), import.version())).collect()
}

/// The default domain has two names.
pub(super) fn domain(name: &str) -> &str {
    if name == "ai.onnx" { "" } else { name }
}

/// Names in one graph, body or function.
pub(super) struct Scope<'a> {
    /// Where names are looked up that are not found here.
    pub(super) parent: Option<&'a Scope<'a>>,
    /// Wires by name; `None` for an optional input of a function that the call leaves out.
    pub(super) wires: BTreeMap<String, Option<Wire>>,
    /// What the file states of wires.
    pub(super) stated: BTreeMap<String, Type>,
    /// What the call of a function gives as its attributes.
    pub(super) attributes: BTreeMap<String, AttributeProto>,
    pub(super) versions: &'a Versions,
    /// Goes before the names of wires and nodes.
    pub(super) prefix: String,
    /// Names of wires that the surroundings choose: the outputs of a function or of a branch.
    pub(super) chosen: BTreeMap<String, String>,
    /// The functions being inlined, and one entry for each body around this one.
    pub(super) calls: Vec<String>,
}

impl<'a> Scope<'a> {
    /// The outermost scope.
    pub(super) fn new(versions: &'a Versions) -> Self {
        Self {
            parent: None,
            wires: BTreeMap::new(),
            stated: BTreeMap::new(),
            attributes: BTreeMap::new(),
            versions,
            prefix: String::new(),
            chosen: BTreeMap::new(),
            calls: Vec::new(),
        }
    }

    /// The wire of a name, looked for here and around. The outer `None`: there is no such name.
    pub(super) fn find(&self, name: &str) -> Option<Option<Wire>> {
        self.wires.get(name).copied().or_else(|| self.parent?.find(name))
    }

    /// The name in the whole graph.
    pub(super) fn full_name(&self, name: &str) -> String {
        self.chosen.get(name).cloned().unwrap_or_else(|| format!("{}{name}", self.prefix))
    }

    /// The version of a domain's ops; 1 where the file imports none.
    pub(super) fn version(&self, domain: &str) -> i64 {
        self.versions.get(domain).copied().unwrap_or(1)
    }
}

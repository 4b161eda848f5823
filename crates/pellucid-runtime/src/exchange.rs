//! What both runtimes do to the tensors that go in.

use std::borrow::Cow;

use pellucid_graph::{Error, Graph, Tensor, check_inputs};

/// What a session takes and gives: its graph without nodes and constants, so that those need not stay in memory.
pub(crate) struct Signature(Graph);

impl Signature {
    pub(crate) fn of(graph: &Graph) -> Self {
        let mut signature = Graph::new(graph.name.clone());
        for wire in graph.inputs() {
            signature.add_input(graph.name_of(*wire), graph.type_of(*wire).clone());
        }
        Self(signature)
    }

    /// The inputs in the types that the graph declares; no copy where they have them already.
    pub(crate) fn converted<'a>(&self, inputs: &'a [Tensor]) -> Result<Vec<Cow<'a, Tensor>>, Error> {
        check_inputs(&self.0, inputs)?;
        let wires = self.0.inputs().iter();
        let converted = wires.zip(inputs).map(|(wire, tensor)| match self.0.element(*wire) {
            declared if declared == tensor.element() => Cow::Borrowed(tensor),
            declared => Cow::Owned(tensor.cast(declared)),
        });
        Ok(converted.collect())
    }
}

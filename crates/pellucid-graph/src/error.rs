//! What can go wrong between a model file and a rewritten graph.

/// A fault in a model file or in what was asked of its graph.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be opened or read.
    #[error("cannot read {path}: {reason}")]
    Read {
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// A file cannot be written. Nothing half-written is left.
    #[error("cannot write {path}: {reason}")]
    Write {
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// The bytes are no ONNX model.
    #[error("not a readable ONNX model: {reason}; is the file complete, and was it exported as ONNX?")]
    NotOnnx {
        /// What was wrong, and where.
        reason: String,
    },
    /// Weights in a side file that is missing, too short, or outside the model's folder.
    #[error("external data of `{tensor}` at {location}: {reason}")]
    ExternalData {
        /// The initializer.
        tensor: String,
        /// The place as the file names it.
        location: String,
        /// What is wrong.
        reason: String,
    },
    /// The file uses something newer or older than can be read, or of another domain.
    #[error("unsupported model: {reason}")]
    Unsupported {
        /// What, and what to do instead.
        reason: String,
    },
    /// Nodes depend on each other in a circle.
    #[error("the graph is cyclic: node `{node}` depends on its own output")]
    Cyclic {
        /// One node on the circle.
        node: String,
    },
    /// A node reads a wire that nothing makes.
    #[error("node `{node}` reads `{wire}`, which nothing makes")]
    Dangling {
        /// The reader.
        node: String,
        /// The missing wire.
        wire: String,
    },
    /// Two nodes, inputs or constants make one wire.
    #[error("`{wire}` is made twice")]
    Duplicate {
        /// The wire.
        wire: String,
    },
    /// A node that its op does not allow: attributes, number of inputs, shapes.
    #[error("`{op}` at node `{node}`: {reason}")]
    Node {
        /// The op.
        op: String,
        /// The node's name.
        node: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An op this crate cannot evaluate or infer.
    #[error("op `{op}` at node `{node}` is not supported")]
    UnknownOp {
        /// The op, with its domain if not the default one.
        op: String,
        /// The node's name.
        node: String,
    },
    /// An op on the way back for which a table has no rule.
    #[error("no {table} rule for op `{op}` at node `{node}`; `pellucid inspect` lists the ops that have one")]
    NoRule {
        /// The table: gradient, guided, multiplier, relevance.
        table: String,
        /// The op.
        op: String,
        /// The node's name.
        node: String,
    },
    /// A relevance rule that names no layer, or that cannot be.
    #[error("relevance rule {rule}: {reason}")]
    RelevanceRule {
        /// The rule as it was given.
        rule: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A wire was asked for by a name that the graph does not have.
    #[error("no wire named `{name}` in the graph{hint}")]
    UnknownWire {
        /// The name asked for.
        name: String,
        /// Names that are there, ready to be appended.
        hint: String,
    },
    /// A layer was to be redrawn that has nothing to redraw.
    #[error("layer `{layer}` has no parameters; {hint}")]
    NoParameters {
        /// The layer asked for.
        layer: String,
        /// Layers that have.
        hint: String,
    },
    /// A run was given an input that the graph does not take.
    #[error("input `{input}`: expected {expected}, got {actual}")]
    Input {
        /// The graph's input.
        input: String,
        /// Its type.
        expected: String,
        /// What was given.
        actual: String,
    },
    /// Graph text that does not parse.
    #[error("graph text, line {line}: {reason}")]
    Text {
        /// Line, from 1.
        line: usize,
        /// What was expected.
        reason: String,
    },
    /// A run of the graph failed in its runtime.
    #[error("{runtime} could not run the graph: {reason}")]
    Run {
        /// The runtime.
        runtime: String,
        /// Its own words.
        reason: String,
    },
    /// The runtime that was asked for is not there, or cannot run this graph.
    #[error("{reason}")]
    Runtime {
        /// What, and how to get it.
        reason: String,
    },
    /// The work was canceled.
    #[error("canceled")]
    Canceled,
}

//! `docs/operators.md` says what the code says.

use std::collections::BTreeSet;

use pellucid_graph::cases::{OpCase, op_cases};
use pellucid_graph::passes::{fold_constants, is_lowered, lower};
use pellucid_graph::{Graph, Node, RULE_TABLES, Runtime, is_known, known_ops, onnx};

use super::open;
use crate::RuntimeChoice;
use crate::embedded::allowed;

const DOCUMENT: &str = include_str!("../../../../docs/operators.md");

const INTRODUCTION: &str = "\
# Operators

Which ops of a model file Pellucid understands. This page is made from the code, and a test compares: run it with
`PELLUCID_WRITE_DOCS=1` to write the page anew. Where no line says otherwise, all forms of an op are meant; what a form
lacks is told by an error that names op and node.

- **gradient**, **DeepLIFT**, **LRP**, the tables of rules of all methods: `yes`, the op has a rule; `lowered`, it is written as
  the ops of the column after these before the walk, which have rules; `none needed`, integers and truth values have no slope;
  `no`, a walk that comes to it stops with an error.
- **Lowered to**: what is written in its place, at least for some forms. An `If` whose condition is known before the run
  becomes the branch that it takes. Recurrent layers, `Scan` and `Loop` are written out turn by turn, up to 128 turns.
- **rten**: `yes`; `written out`, in other words that it computes rightly; `no`, ONNX Runtime is needed, which runs all ops of
  this page.

`Floor`, `Ceil`, `Round`, `Sign` and `Hardmax` send no gradient back: their slope is 0 wherever they have one. `QuantizeLinear` and
`DequantizeLinear` pass a gradient straight through, as if nothing were rounded, and none where a number lies outside the
integers' range; LRP passes all through them, and DeepLIFT takes the quotient of the rounded differences. [Ties and kinks](ties.md)
has the conventions of the others.
";

#[test]
fn the_page_of_operators_is_up_to_date() {
    let page = page();
    if std::env::var_os("PELLUCID_WRITE_DOCS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operators.md");
        std::fs::write(path, &page).unwrap();
    } else {
        assert!(page == DOCUMENT, "run this test with PELLUCID_WRITE_DOCS=1 and commit docs/operators.md");
    }
}

fn page() -> String {
    let rten = open(RuntimeChoice::Rten, 1).unwrap();
    let mut ops: Vec<(&str, &str)> = known_ops().collect();
    ops.sort_unstable();
    let names: Vec<&str> = RULE_TABLES.iter().map(|table| table.name).collect();
    let mut page = format!("{INTRODUCTION}\n| op | {} | lowered to | rten |\n", names.join(" | "));
    page += &format!("|---|{}---|---|\n", "---|".repeat(names.len()));
    for op in ops {
        page += &row(op, &*rten);
    }
    let unknown: Vec<String> =
        onnx::ops().filter(|op| !is_known("", op)).map(|op| format!("`{op}`")).collect();
    page + &format!("\nRead, but not understood: {}.\n", unknown.join(", "))
}

fn row((domain, op): (&str, &str), rten: &dyn Runtime) -> String {
    let is_it = |node: &Node| node.domain == domain && node.op == op;
    let cases: Vec<Graph> =
        op_cases().into_iter().map(OpCase::parse).filter(|graph| graph.nodes().iter().any(is_it)).collect();
    let name = if domain.is_empty() { format!("`{op}`") } else { format!("`{domain}.{op}`") };
    let rules = RULE_TABLES.iter().map(|table| match domain.is_empty() && (table.has_rule)(op) {
        true => "yes",
        false if is_lowered(domain, op) => "lowered",
        false if !passes_floats(&cases, is_it) => "none needed",
        false => "no",
    });
    let rules: Vec<&str> = rules.collect();
    let lowered: Vec<String> = written(&cases, is_it).into_iter().map(|op| format!("`{op}`")).collect();
    let lowered = match op {
        "Loop" | "Scan" => "its body".to_owned(),
        _ => lowered.join(", "),
    };
    let on_rten = match cases.iter().any(|graph| rten.session(graph).is_ok()) {
        true if domain.is_empty() && allowed::ops().any(|known| known == op) => "yes",
        true => "written out",
        false if lowered == "its body" => lowered.as_str(),
        false => "no",
    };
    format!("| {name} | {} | {lowered} | {on_rten} |\n", rules.join(" | "))
}

/// Whether the op has a float result of a float anywhere, so that a signal could pass.
fn passes_floats(cases: &[Graph], is_it: impl Fn(&Node) -> bool) -> bool {
    let any_float = |graph: &Graph, wires: &[Option<pellucid_graph::Wire>]| {
        wires.iter().flatten().any(|wire| graph.element(*wire).is_float() && graph.constant(*wire).is_none())
    };
    let passes =
        |graph: &Graph, node: &Node| any_float(graph, &node.inputs) && any_float(graph, &node.outputs);
    cases.iter().any(|graph| graph.nodes().iter().any(|node| is_it(node) && passes(graph, node)))
}

/// The ops that lowering writes in the place of an op that a case consists of.
fn written(cases: &[Graph], is_it: impl Fn(&Node) -> bool) -> BTreeSet<String> {
    let alone = cases.iter().filter(|graph| graph.nodes().iter().all(&is_it));
    let lowered = alone.map(|graph| (graph, lower(&fold_constants(graph).unwrap()).unwrap()));
    let changed = lowered.filter(|(graph, lowered)| {
        lowered.nodes().iter().map(Node::full_op).ne(graph.nodes().iter().map(Node::full_op))
    });
    changed.flat_map(|(_, lowered)| lowered.nodes().iter().map(Node::full_op).collect::<Vec<_>>()).collect()
}

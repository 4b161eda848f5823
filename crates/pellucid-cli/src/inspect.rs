//! `pellucid inspect`.

use std::fmt::Write;

use pellucid_engine::{Inspection, PreprocessOptions, WireInfo, inspect};
use serde_json::{Value, json};

use crate::arguments::InspectArguments;
use crate::console::Console;
use crate::failure::Failure;
use crate::open::open_runtime;

pub(crate) fn run(arguments: &InspectArguments, console: &Console) -> Result<(), Failure> {
    let options = arguments.model.options(PreprocessOptions::default());
    let inspection = inspect(&arguments.model.model, open_runtime(&arguments.runtime)?, &options)?;
    match (arguments.text, arguments.json) {
        (true, _) => console.print(inspection.text.trim_end()),
        (_, true) => console.print(&document(&inspection).to_string()),
        _ => console.print(&text(&inspection)),
    }
}

fn document(inspection: &Inspection) -> Value {
    let wire = |wire: &WireInfo| json!({"name": wire.name, "element": wire.element, "shape": wire.shape});
    let wires = |wires: &[WireInfo]| wires.iter().map(wire).collect::<Vec<_>>();
    let ops: Vec<Value> = inspection
        .ops
        .iter()
        .map(|op| json!({"op": op.op, "count": op.count, "gradient": op.gradient.name()}))
        .collect();
    json!({
        "schema": "pellucid.inspection",
        "schema_version": 1,
        "name": inspection.name,
        "digest": inspection.digest,
        "producer": inspection.producer,
        "ir_version": inspection.ir_version,
        "opsets": inspection.opsets,
        "inputs": wires(&inspection.inputs),
        "outputs": wires(&inspection.outputs),
        "ops": ops,
        "n_parameters": inspection.n_parameters,
        "flops": inspection.flops.known,
        "n_nodes_of_unknown_flops": inspection.flops.n_unknown_nodes,
        "cam_layers": wires(&inspection.cam_layers),
        "obstacles": inspection.obstacles,
        "warnings": inspection.warnings,
    })
}

fn text(inspection: &Inspection) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut text, inspection);
    text.trim_end().to_owned()
}

fn write_text(text: &mut String, inspection: &Inspection) -> std::fmt::Result {
    let opsets: Vec<String> =
        inspection.opsets.iter().map(|(domain, version)| format!("{domain} {version}")).collect();
    writeln!(text, "model       {}", inspection.name)?;
    writeln!(text, "digest      {}", inspection.digest)?;
    writeln!(text, "producer    {}", inspection.producer)?;
    writeln!(text, "opset       {} (IR version {})", opsets.join(", "), inspection.ir_version)?;
    for (title, wires) in [("input", &inspection.inputs), ("output", &inspection.outputs)] {
        for wire in wires {
            writeln!(text, "{title:<11} {}: {} {}", wire.name, wire.element, wire.shape)?;
        }
    }
    writeln!(text, "parameters  {}", grouped(inspection.n_parameters as u64))?;
    let unknown = match inspection.flops.n_unknown_nodes {
        0 => String::new(),
        n => format!(", and {n} nodes of unknown lengths"),
    };
    writeln!(
        text,
        "FLOPs       {} a row, a multiply-add counted as two{unknown}",
        grouped(inspection.flops.known)
    )?;
    writeln!(text, "ops         count  gradient")?;
    for op in &inspection.ops {
        writeln!(text, "  {:<20} {:>5}  {}", op.op, op.count, op.gradient.name())?;
    }
    for (index, layer) in inspection.cam_layers.iter().enumerate() {
        let title = if index == 0 { "CAM layers" } else { "" };
        let default = if index == 0 { " (default)" } else { "" };
        writeln!(text, "{title:<11} {} {}{default}", layer.name, layer.shape)?;
    }
    for obstacle in &inspection.obstacles {
        writeln!(text, "obstacle    {obstacle}")?;
    }
    for warning in &inspection.warnings {
        writeln!(text, "warning     {warning}")?;
    }
    Ok(())
}

/// `4651916` as `4,651,916`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn digits_stand_in_groups_of_three() {
        assert_eq!(
            ["0", "999", "1,000", "12,345,678"],
            [0, 999, 1000, 12_345_678].map(grouped).each_ref().map(String::as_str)
        );
    }
}

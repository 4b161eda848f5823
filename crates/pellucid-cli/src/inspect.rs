//! `pellucid inspect`.

use std::fmt::Write;

use pellucid_engine::{Inspection, PreprocessOptions, TreeInspection, TreeModel, inspect, inspect_trees};

use crate::arguments::InspectArguments;
use crate::console::Console;
use crate::failure::Failure;
use crate::open::{self, open_runtime};

pub(crate) fn run(arguments: &InspectArguments, console: &Console) -> Result<(), Failure> {
    if TreeModel::is_one(&arguments.model.model)? {
        return trees(arguments, console);
    }
    let options = arguments.model.options(PreprocessOptions::default())?;
    let inspection = inspect(&arguments.model.model, open_runtime(&arguments.runtime)?, &options)?;
    match (arguments.text, arguments.json) {
        (true, _) => console.print(inspection.text.trim_end()),
        (_, true) => console.print(&inspection.to_json()),
        _ => console.print(&text(&inspection)),
    }
}

fn trees(arguments: &InspectArguments, console: &Console) -> Result<(), Failure> {
    open::refuse(arguments.text.then_some("text"), crate::tables::FOR_NETWORKS)?;
    let options = arguments.model.options(PreprocessOptions::default())?;
    let inspection = inspect_trees(&TreeModel::open(&arguments.model.model, &options)?);
    match arguments.json {
        true => console.print(&inspection.to_json()),
        false => console.print(&trees_text(&inspection)),
    }
}

fn trees_text(inspection: &TreeInspection) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_trees(&mut text, inspection);
    text.trim_end().to_owned()
}

fn write_trees(text: &mut String, inspection: &TreeInspection) -> std::fmt::Result {
    writeln!(text, "model       {}: {} by {}", inspection.name, inspection.format, inspection.producer)?;
    writeln!(text, "SHA-256     {}", inspection.digest)?;
    writeln!(text, "objective   {}", inspection.objective)?;
    writeln!(text, "link        {}", inspection.link)?;
    let (trees, leaves) = (grouped(inspection.n_trees as u64), grouped(inspection.n_leaves as u64));
    writeln!(text, "trees       {trees} with {leaves} leaves, depth {}", inspection.depth)?;
    let covers = match inspection.has_covers {
        true => "yes: path-dependent values need no background",
        false => "no: give a --background table",
    };
    writeln!(text, "covers      {covers}")?;
    if let Some(expected) = &inspection.expected_values {
        let shown: Vec<String> = expected.iter().map(|value| format!("{value:.5}")).collect();
        writeln!(text, "expected    {}: the mean margin by the covers", shown.join(", "))?;
    }
    if let Some(value) = inspection.missing_value {
        writeln!(text, "missing     {value} beside empty cells")?;
    }
    writeln!(text, "outputs     {}", inspection.outputs.join(", "))?;
    let width =
        inspection.features.iter().map(|feature| feature.name.chars().count()).max().unwrap_or(0).max(7);
    writeln!(text, "{:<width$}  splits  by category  missing to the left  categories", "feature")?;
    for feature in &inspection.features {
        let categories = match feature.categories.as_slice() {
            [] => String::new(),
            list => {
                format!("{}: {}", list.len(), list.iter().take(3).cloned().collect::<Vec<_>>().join(", "))
            }
        };
        let more = if feature.categories.len() > 3 { ", …" } else { "" };
        writeln!(
            text,
            "{:<width$}  {:>6}  {:>11}  {:>19}  {categories}{more}",
            feature.name, feature.n_splits, feature.n_category_splits, feature.n_missing_left
        )?;
    }
    for warning in &inspection.warnings {
        writeln!(text, "warning     {warning}")?;
    }
    Ok(())
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

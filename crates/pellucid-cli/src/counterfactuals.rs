//! `pellucid counterfactuals`.

use std::fmt::Write;

use pellucid_engine::{
    Cancellation, CounterfactualRequest, FoundCounterfactuals, PredictedModel, counterfactuals,
    split_thresholds,
};

use crate::arguments::{CounterfactualsArguments, TreeArguments};
use crate::console::Console;
use crate::failure::Failure;
use crate::open;
use crate::predicted::{Asked, Read};
use crate::written::wrote;

pub(crate) fn run(
    arguments: &CounterfactualsArguments,
    console: &Console,
    cancellation: &Cancellation,
) -> Result<(), Failure> {
    let CounterfactualsArguments { what, served, work, .. } = arguments;
    let asked = Asked { what, trees: &TreeArguments::default(), served, work };
    let found = asked.with_model(|model, read, trees| {
        let thresholds = trees.map(split_thresholds).transpose()?.unwrap_or_default();
        find(arguments, &model, &thresholds, read, cancellation)
    })?;
    let text =
        serde_json::to_string_pretty(&found.to_json()).map_err(|error| Failure::Setup(error.to_string()))?;
    let written = match &arguments.out {
        Some(folder) => {
            open::write_files(folder, &[("counterfactuals.json".to_owned(), text.clone().into_bytes())])?
        }
        None => Vec::new(),
    };
    match arguments.json {
        true => console.print(&text),
        false => console.print(&sentences(&found, &written)),
    }
}

fn find(
    arguments: &CounterfactualsArguments,
    model: &PredictedModel<'_>,
    thresholds: &[Vec<f64>],
    read: Read<'_>,
    cancellation: &Cancellation,
) -> Result<FoundCounterfactuals, Failure> {
    let (rows, background) = (read(&arguments.what.inputs, &[])?, read(&arguments.background, &[])?);
    let given = &arguments.constraints;
    let request = CounterfactualRequest {
        n_counterfactuals: Some(arguments.counterfactuals),
        max_changes: given.max_changes,
        outcome: arguments.outcome.clone(),
        threshold: arguments.threshold,
        max_evaluations: arguments.max_evaluations,
        immutable: given.immutable.clone(),
        only_up: given.only_up.clone(),
        only_down: given.only_down.clone(),
        column_ranges: given.column_range.clone(),
        allowed: given.allow.clone(),
        seed: arguments.work.seed,
    };
    let work = open::work(&arguments.work, arguments.json, "rows", cancellation);
    Ok(counterfactuals(model, &rows, &background, thresholds, &request, &work)?)
}

/// What each row would have needed, in sentences.
fn sentences(found: &FoundCounterfactuals, written: &[String]) -> String {
    let mut text = String::new();
    for (index, row) in found.rows.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "row {index}");
        for one in &row.found {
            let (distance, n) = (one.distance, one.changes.len());
            let plural = if n == 1 { "" } else { "s" };
            let _ = writeln!(text, "  {} (distance {distance:.2}, {n} change{plural})", one.sentence);
        }
        if row.found.is_empty() {
            let _ = writeln!(text, "  no counterfactual was found in {} predictions", row.evaluations);
        }
        if let Some(miss) = &row.nearest_miss {
            let _ = writeln!(text, "  nearest miss: {}", miss.sentence);
        }
        if let Some(example) = &row.nearest_example {
            let breaks = example.breaks.join("; ");
            let _ = writeln!(text, "  nearest real example: row {} of the background", example.row_index);
            let _ = writeln!(text, "  {}", example.example.sentence);
            if !breaks.is_empty() {
                let _ = writeln!(text, "  it breaks: {breaks}");
            }
        }
        for warning in &row.warnings {
            let _ = writeln!(text, "  warning: {warning}");
        }
    }
    for warning in &found.warnings {
        let _ = writeln!(text, "warning   {warning}");
    }
    text.push_str(&wrote(written));
    text.trim_end().to_owned()
}

//! `pellucid effects`.

use std::fmt::Write;
use std::path::Path;

use pellucid_engine::{Cancellation, EffectRequest, EffectTable, Error, effects, effects_of_tables};

use crate::arguments::{EffectsArguments, TreeArguments};
use crate::console::Console;
use crate::failure::Failure;
use crate::open;
use crate::predicted::Asked;
use crate::tables::PNG_SCALE;
use crate::written::wrote;

pub(crate) fn run(
    arguments: &EffectsArguments,
    console: &Console,
    cancellation: &Cancellation,
) -> Result<(), Failure> {
    let EffectsArguments { what, served, work: bounds, .. } = arguments;
    let request = EffectRequest {
        kind: arguments.kind,
        features: arguments.feature.clone(),
        n_points: arguments.points,
        n_curves: arguments.curves,
        centered: arguments.centered,
        confidence: arguments.confidence,
        categorical: arguments.categorical.clone(),
    };
    let trees = TreeArguments::in_space(arguments.output_space.clone());
    let asked = Asked { what, trees: &trees, served, work: bounds };
    let work = open::work(bounds, arguments.json, "predictions", cancellation);
    let found = asked.with_model(|model, read, trees| match trees {
        Some(trees) => {
            let (space, array) = (model.source().space, what.array.as_deref());
            Ok(effects_of_tables(trees, space, &what.inputs, array, &request, &work)?)
        }
        None => Ok(effects(&model, &read(&what.inputs, &[])?, &request, &work)?),
    })?;
    let written = match &arguments.out {
        Some(folder) => write(folder, &found)?,
        None => Vec::new(),
    };
    match arguments.json {
        true => console.print(&found.to_json()),
        false => console.print(&text(&found, &written)),
    }
}

fn write(folder: &Path, found: &EffectTable) -> Result<Vec<String>, Failure> {
    let mut files = found.files()?;
    for output in 0..found.outputs.len() {
        let chart = found.chart(output)?;
        let name = if found.outputs.len() == 1 { "effects".to_owned() } else { format!("effects-{output}") };
        files.push((format!("{name}.png"), chart.png(PNG_SCALE).map_err(Error::from)?));
        files.push((format!("{name}.svg"), chart.svg().into_bytes()));
    }
    open::write_files(folder, &files)
}

fn text(found: &EffectTable, written: &[String]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut text, found, written);
    text.trim_end().to_owned()
}

/// Where each output is lowest and highest.
fn write_text(text: &mut String, found: &EffectTable, written: &[String]) -> std::fmt::Result {
    let names: Vec<&str> = found.features.iter().map(|feature| feature.name.as_str()).collect();
    let plural = if found.n_rows == 1 { "" } else { "s" };
    writeln!(text, "model     {} ({})", found.model.name, found.model.producer)?;
    writeln!(text, "effect    {} of {}", found.kind.name(), names.join(" and "))?;
    let space = found.output_space.name();
    writeln!(text, "rows      {} row{plural}, {} points, in {space}", found.n_rows, found.grid.nrows())?;
    for (output, name) in found.outputs.iter().enumerate() {
        let mean = found.mean.column(output);
        let by_mean = |a: &usize, b: &usize| mean[*a].total_cmp(&mean[*b]);
        let lowest = (0..mean.len()).min_by(by_mean).unwrap_or(0);
        let highest = (0..mean.len()).max_by(by_mean).unwrap_or(0);
        let at = |point: usize| {
            let half = found.interval(point, output).map(|(low, high)| (high - low) / 2.0);
            let half = half.map_or_else(String::new, |half| format!(" ± {half:.4}"));
            format!("{:.4}{half} at {}", mean[point], found.point(point))
        };
        writeln!(text, "{name}: from {} to {}", at(lowest), at(highest))?;
    }
    for warning in &found.warnings {
        writeln!(text, "warning   {warning}")?;
    }
    text.push_str(&wrote(written));
    Ok(())
}

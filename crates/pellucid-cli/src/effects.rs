//! `pellucid effects`.

use std::fmt::Write;
use std::path::Path;

use pellucid_engine::{
    Cancellation, EffectRequest, EffectTable, Error, ModelOptions, TreeModel, Work, effects, on_threads,
};

use crate::arguments::EffectsArguments;
use crate::console::Console;
use crate::failure::Failure;
use crate::open;
use crate::progress::progress;
use crate::tables::PNG_SCALE;

pub(crate) fn run(
    arguments: &EffectsArguments,
    console: &Console,
    cancellation: &Cancellation,
) -> Result<(), Failure> {
    let model = TreeModel::open(
        &arguments.model,
        &ModelOptions { labels: arguments.labels.clone(), ..ModelOptions::default() },
    )?;
    let request = EffectRequest {
        kind: arguments.kind,
        features: arguments.feature.clone(),
        n_points: arguments.points,
        n_curves: arguments.curves,
        centered: arguments.centered,
        output_space: arguments.output_space.clone(),
        array: arguments.array.clone(),
    };
    let work = Work {
        max_memory_bytes: arguments.max_memory,
        cancellation: cancellation.clone(),
        progress: progress(arguments.json || arguments.quiet, "rows"),
        ..Work::default()
    };
    let threads = arguments.threads.map(|n| n as usize);
    let found = on_threads(threads, || effects(&model, &arguments.inputs, &request, &work))??;
    let written = match &arguments.out {
        Some(folder) => write(folder, &model, &found)?,
        None => Vec::new(),
    };
    match arguments.json {
        true => console.print(&found.to_json(&model)),
        false => console.print(&text(&model, &found, &written)),
    }
}

fn write(folder: &Path, model: &TreeModel, found: &EffectTable) -> Result<Vec<String>, Failure> {
    let mut files = found.files(model)?;
    for output in 0..found.outputs.len() {
        let chart = found.chart(output)?;
        let name = if found.outputs.len() == 1 { "effects".to_owned() } else { format!("effects-{output}") };
        files.push((format!("{name}.png"), chart.png(PNG_SCALE).map_err(Error::from)?));
        files.push((format!("{name}.svg"), chart.svg().into_bytes()));
    }
    open::write_files(folder, &files)
}

fn text(model: &TreeModel, found: &EffectTable, written: &[String]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut text, model, found, written);
    text.trim_end().to_owned()
}

/// Where each output is lowest and highest.
fn write_text(
    text: &mut String,
    model: &TreeModel,
    found: &EffectTable,
    written: &[String],
) -> std::fmt::Result {
    let names: Vec<&str> = found.features.iter().map(|feature| feature.name.as_str()).collect();
    let plural = if found.n_rows == 1 { "" } else { "s" };
    writeln!(text, "model     {} ({})", model.name(), model.producer())?;
    writeln!(text, "effect    {} of {}", found.kind.name(), names.join(" and "))?;
    let space = found.output_space.name();
    writeln!(text, "rows      {} row{plural}, {} points, in {space}", found.n_rows, found.grid.nrows())?;
    for (output, name) in found.outputs.iter().enumerate() {
        let mean = found.mean.column(output);
        let by_mean = |a: &usize, b: &usize| mean[*a].total_cmp(&mean[*b]);
        let lowest = (0..mean.len()).min_by(by_mean).unwrap_or(0);
        let highest = (0..mean.len()).max_by(by_mean).unwrap_or(0);
        writeln!(
            text,
            "{name}: from {:.4} at {} to {:.4} at {}",
            mean[lowest],
            found.point(lowest),
            mean[highest],
            found.point(highest)
        )?;
    }
    for warning in &found.warnings {
        writeln!(text, "warning   {warning}")?;
    }
    for path in written {
        writeln!(text, "wrote     {path}")?;
    }
    Ok(())
}

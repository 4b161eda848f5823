//! `pellucid importance --label-column`: how much worse a model of any kind gets without each feature.

use std::fmt::Write;

use pellucid_engine::{
    Cancellation, Error, LabelImportance, LabelImportanceRequest, Truths, label_importance,
};

use crate::arguments::{ImportanceArguments, TreeArguments};
use crate::console::Console;
use crate::failure::Failure;
use crate::importance::number;
use crate::open;
use crate::predicted::Asked;
use crate::tables::PNG_SCALE;
use crate::written::wrote;

pub(crate) fn run(
    arguments: &ImportanceArguments,
    column: &str,
    console: &Console,
    cancellation: &Cancellation,
) -> Result<(), Failure> {
    let (what, trees) = (arguments.what(), TreeArguments::default());
    let asked = Asked { what: &what, trees: &trees, served: &arguments.served, work: &arguments.work };
    let request = LabelImportanceRequest {
        loss: arguments.loss.clone(),
        n_repeats: arguments.repeats,
        feature_groups: arguments.feature_groups.clone(),
        confidence: arguments.confidence,
        seed: arguments.work.seed,
    };
    let work = open::work(&arguments.work, arguments.json, "predictions", cancellation);
    let found = asked.with_probabilities(|model, read, _| {
        let kept = [column.to_owned()];
        let mut rows = read(&what.inputs, &kept)?;
        let texts = rows.other_columns.remove(column).unwrap_or_default();
        Ok(label_importance(&model, &rows, &Truths::Texts(column.to_owned(), texts), &request, &work)?)
    })?;
    let mut written = Vec::new();
    if let Some(folder) = &arguments.out {
        let (mut files, chart) = (found.files()?, found.chart()?);
        files.push(("importance.png".to_owned(), chart.png(PNG_SCALE).map_err(Error::from)?));
        files.push(("importance.svg".to_owned(), chart.svg().into_bytes()));
        written = open::write_files(folder, &files)?;
    }
    match arguments.json {
        true => console.print(&found.to_json()),
        false => console.print(&text(&found, &written)),
    }
}

fn text(found: &LabelImportance, written: &[String]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut text, found, written);
    text.trim_end().to_owned()
}

/// One line a group, the one that matters most first.
fn write_text(text: &mut String, found: &LabelImportance, written: &[String]) -> std::fmt::Result {
    let loss = found.loss.replace('_', " ");
    let n_repeats = found.found.by_repeat.ncols();
    writeln!(text, "model     {} ({})", found.model.name, found.model.producer)?;
    writeln!(text, "{loss} {} over {} rows", number(found.found.loss), found.n_rows)?;
    writeln!(text, "grows as values are shuffled, in the mean of {n_repeats} shuffles:\n")?;
    let widest = found.groups.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max(7);
    let percent = format!("{} % interval", (1e4 * found.confidence).round() / 100.0);
    writeln!(text, "{:<widest$}  {:>10}  {percent:>22}", "feature", "growth")?;
    for group in found.ranked() {
        let (low, high) = found.interval(group);
        let ends = format!("{} to {}", number(low), number(high));
        let growth = number(found.found.increase[group]);
        writeln!(text, "{:<widest$}  {growth:>10}  {ends:>22}", found.groups[group].0)?;
    }
    for warning in &found.warnings {
        writeln!(text, "warning   {warning}")?;
    }
    text.push_str(&wrote(written));
    Ok(())
}

//! `pellucid explain` of tree models and tables.

use std::fmt::Write;

use pellucid_engine::{
    Cancellation, Error, Explanation, OutputTarget, PlotKind, PlotOptions, TableExplanation, TableOutput,
    TableRequest, TreeMethod, TreeModel, chart, explain_table, on_threads,
};

use crate::arguments::{ExplainArguments, InputArguments, TreeArguments, WorkArguments};
use crate::console::Console;
use crate::failure::Failure;
use crate::log::{Explained, Keep};
use crate::open;
use crate::written::wrote;

/// Rows that are told of one by one.
const MAX_ROWS: usize = 5;

/// Features of a row that are named.
const MAX_FEATURES: usize = 8;

pub(crate) fn explain(
    model: &TreeModel,
    arguments: &ExplainArguments,
    console: &Console,
    cancellation: &Cancellation,
    keep: Keep<'_>,
) -> Result<(), Failure> {
    open::refuse(arguments.method.options.options().first_given(), FOR_NETWORKS)?;
    let method = arguments.method.method.as_deref();
    let asked =
        request(model, &arguments.what, method, &arguments.trees, &arguments.target, arguments.work.seed)?;
    let request = TableRequest { other_columns: arguments.kept(), ..asked };
    let work = open::work(&arguments.work, arguments.json, "rows", cancellation);
    let output = arguments.out.as_ref().map(|folder| TableOutput {
        folder: folder.clone(),
        format: arguments.trees.format.unwrap_or_default(),
    });
    let explained = on_threads(threads(&arguments.work), || {
        explain_table(model, &arguments.what.inputs, &request, output.as_ref(), &work)
    })??;
    keep(Explained::Rows(&explained.explanation))?;
    let mut written: Vec<String> = explained.written.iter().map(|path| path.display().to_string()).collect();
    if let Some(folder) = &arguments.out {
        written.extend(open::write_files(folder, &explained.files()?)?);
        written.extend(open::write_files(folder, &pictures(&explained.explanation)?)?);
    }
    match arguments.json {
        true => console.print(&explained.to_json()?)?,
        false => console.print(&text(&explained, &written))?,
    }
    match explained.summary.fault() {
        None => Ok(()),
        Some(claim) => Err(Failure::Check(vec![claim])),
    }
}

pub(crate) const FOR_NETWORKS: &str = "is for networks; this is a tree model";

pub(crate) fn threads(work: &WorkArguments) -> Option<usize> {
    work.runtime.threads.map(|n| n as usize)
}

pub(crate) fn request(
    model: &TreeModel,
    what: &InputArguments,
    method: Option<&str>,
    trees: &TreeArguments,
    target: &str,
    seed: u64,
) -> Result<TableRequest, Failure> {
    let mut options = trees.options();
    if trees.labels_are_a_column() {
        options.label_column = what.model.labels.as_ref().map(|column| column.to_string_lossy().into_owned());
    }
    Ok(TableRequest {
        method: TreeMethod::new(method, &options, model)?,
        target: OutputTarget::parse(target)?,
        seed,
        array: what.array.clone(),
        other_columns: trees.keep.clone(),
    })
}

/// The charts that are drawn without being asked for, of the first target: as SVG and as PNG.
pub(crate) fn pictures(explanation: &Explanation) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut kinds =
        vec![("beeswarm".to_owned(), PlotKind::Beeswarm, 0), ("bar".to_owned(), PlotKind::Bar, 0)];
    for row in 0..explanation.n_rows().min(N_WATERFALLS) {
        kinds.push((format!("waterfall-{row}"), PlotKind::Waterfall, row));
    }
    drawn(explanation, kinds)
}

/// The field of all pairs of features, of the first target.
pub(crate) fn interactions(explanation: &Explanation) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    drawn(explanation, vec![("interactions".to_owned(), PlotKind::Interactions, 0)])
}

fn drawn(
    explanation: &Explanation,
    kinds: Vec<(String, PlotKind, usize)>,
) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut files = Vec::new();
    for (name, kind, row) in kinds {
        let drawn = chart(explanation, kind, &PlotOptions { row, ..PlotOptions::default() })?;
        files.push((format!("{name}.png"), drawn.png(PNG_SCALE).map_err(Error::from)?));
        files.push((format!("{name}.svg"), drawn.svg().into_bytes()));
    }
    Ok(files)
}

/// Rows that get a picture of their own.
const N_WATERFALLS: usize = 3;

/// Pixels of a PNG for each unit: sharp on today's screens.
pub(crate) const PNG_SCALE: u32 = 2;

fn text(explained: &TableExplanation, written: &[String]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut text, explained, written);
    text.trim_end().to_owned()
}

fn write_text(text: &mut String, explained: &TableExplanation, written: &[String]) -> std::fmt::Result {
    let (explanation, summary) = (&explained.explanation, &explained.summary);
    let about = &explanation.about;
    writeln!(text, "model     {} ({})", about.model.name, about.model.producer)?;
    let parameters = pellucid_engine::parameters_text(explanation);
    writeln!(text, "method    {}: {parameters}", about.method)?;
    let plural = if summary.n_rows == 1 { "" } else { "s" };
    writeln!(text, "rows      {} row{plural} in {}", summary.n_rows, about.output_space.name())?;
    if let Some(gap) = &summary.largest_gap {
        writeln!(
            text,
            "adds up   largest gap {:.1e} of the values' size (allowed {:.1e}), at {}",
            gap.share, summary.allowed_gap, gap.place
        )?;
    }
    for row in 0..explanation.n_rows().min(MAX_ROWS) {
        for target in 0..explanation.n_targets() {
            write_row(text, explanation, row, target)?;
        }
    }
    if summary.n_rows > MAX_ROWS {
        writeln!(text, "…         and {} rows more", summary.n_rows - MAX_ROWS)?;
    }
    for warning in &about.warnings {
        writeln!(text, "warning   {warning}")?;
    }
    text.push_str(&wrote(written));
    if !written.is_empty() && explanation.n_rows() > N_WATERFALLS {
        writeln!(
            text,
            "pictures  waterfalls of the first {N_WATERFALLS} rows only; `pellucid plot --kind waterfall --row N` \
             draws any"
        )?;
    }
    Ok(())
}

/// The strongest values of one row, as a small table.
fn write_row(text: &mut String, explanation: &Explanation, row: usize, target: usize) -> std::fmt::Result {
    let source = &explanation.about.inputs[row].source;
    let output = explanation.number_of(&explanation.outputs, row, target);
    write!(text, "\n{}, row {}: {}", source.file, source.row_index, explanation.target_label(row, target))?;
    write!(text, " = {output:.4}")?;
    if let Some(probability) = explanation.target_probability(row, target) {
        write!(text, " (probability {:.1} %)", 100.0 * probability)?;
    }
    if let Some(base_values) = &explanation.base_values {
        write!(text, ", base value {:.4}", explanation.number_of(base_values, row, target))?;
    }
    writeln!(text)?;
    let strongest = explanation.strongest(row, target);
    let shown = &strongest[..strongest.len().min(MAX_FEATURES)];
    let width =
        |cells: &mut dyn Iterator<Item = &String>| cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
    let of_names = width(&mut shown.iter().map(|value| &value.name));
    let of_data = width(&mut shown.iter().map(|value| &value.data));
    for value in shown {
        writeln!(text, "  {:<of_names$}  {:>of_data$}  {:+.4}", value.name, value.data, value.value)?;
    }
    let rest: f64 = strongest.iter().skip(MAX_FEATURES).map(|value| value.value).sum();
    match strongest.len().saturating_sub(MAX_FEATURES) {
        0 => Ok(()),
        n => writeln!(text, "  {:<of_names$}  {:>of_data$}  {rest:+.4}", format!("{n} others"), ""),
    }
}

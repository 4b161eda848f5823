//! `pellucid importance`.

use std::fmt::Write;

use pellucid_engine::{
    Address, Cancellation, Error, ImportanceTable, PreprocessOptions, TreeModel, importance_table, on_threads,
};

use crate::arguments::ImportanceArguments;
use crate::console::Console;
use crate::failure::Failure;
use crate::{label_importance, open, tables};

pub(crate) fn run(
    arguments: &ImportanceArguments,
    console: &Console,
    cancellation: &Cancellation,
) -> Result<(), Failure> {
    if let Some(column) = &arguments.label_column {
        return label_importance::run(arguments, column, console, cancellation);
    }
    let path = &arguments.model.model;
    if path.to_str().is_some_and(Address::is_one) || !TreeModel::is_one(path)? {
        let what = "without labels, importance is of tree models; of others name the column of what is true: --label-column";
        return Err(Error::Unsupported { what: what.to_owned() }.into());
    }
    arguments.served.refuse()?;
    open::refuse(arguments.array.as_ref().map(|_| "array"), "is for --label-column")?;
    let model = TreeModel::open(path, &arguments.model.options(PreprocessOptions::default())?)?;
    let work = open::work(&arguments.work, arguments.json, "rows", cancellation);
    let table = on_threads(tables::threads(&arguments.work), || {
        importance_table(&model, &arguments.inputs, &arguments.background, &work)
    })??;
    match arguments.json {
        true => console.print(&table.to_json(&model)),
        false => console.print(&text(&table)),
    }
}

/// One line a feature, the most important first: by the values of rows where there are some, else by gain, else by splits.
fn text(table: &ImportanceTable) -> String {
    let mut columns: Vec<(String, Vec<f64>)> = Vec::new();
    for (name, values) in table.mean_absolute_values.iter().flatten() {
        columns.push((format!("mean |SHAP| {name}"), values.clone()));
    }
    for wanted in ["total_gain", "mean_gain", "splits", "total_cover"] {
        let found = table.of_file.iter().find(|(name, _)| *name == wanted);
        columns.extend(found.and_then(|(name, numbers)| Some((name.replace('_', " "), numbers.clone()?))));
    }
    let n_first = table.mean_absolute_values.as_ref().map_or(1, Vec::len);
    let rank =
        |feature: usize| columns.iter().take(n_first).map(|(_, numbers)| numbers[feature]).sum::<f64>();
    let mut order: Vec<usize> = (0..table.feature_names.len()).collect();
    order.sort_by(|&a, &b| rank(b).total_cmp(&rank(a)).then(a.cmp(&b)));
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut text, table, &columns, &order);
    text.trim_end().to_owned()
}

fn write_text(
    text: &mut String,
    table: &ImportanceTable,
    columns: &[(String, Vec<f64>)],
    order: &[usize],
) -> std::fmt::Result {
    let of_names = table.feature_names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(7);
    write!(text, "{:<of_names$}", "feature")?;
    for (name, _) in columns {
        write!(text, "  {name:>12}")?;
    }
    writeln!(text)?;
    for &feature in order {
        write!(text, "{:<of_names$}", table.feature_names[feature])?;
        for (name, numbers) in columns {
            let width = name.chars().count().max(12);
            write!(text, "  {:>width$}", number(numbers[feature]))?;
        }
        writeln!(text)?;
    }
    if table.n_rows > 0 {
        writeln!(text, "rows      {}", table.n_rows)?;
    }
    for warning in &table.warnings {
        writeln!(text, "warning   {warning}")?;
    }
    Ok(())
}

/// Four digits are enough to compare.
pub(crate) fn number(x: f64) -> String {
    match x {
        _ if x.fract() == 0.0 && x.abs() < 1e7 => format!("{x}"),
        _ if x.abs() >= 1000.0 => format!("{x:.0}"),
        _ if x.abs() >= 0.001 => format!("{x:.4}"),
        _ => format!("{x:.2e}"),
    }
}

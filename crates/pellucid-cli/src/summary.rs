//! An explanation in a few lines for people.

use std::fmt::Write;

use pellucid_engine::{Explanation, Parameter, Prediction, is_digest, series_stretches};

use crate::written::wrote;

/// Rows that are told of one by one.
const MAX_ROWS: usize = 10;

/// Features of a table's row that are named.
const MAX_FEATURES: usize = 5;

/// What was predicted and how it was explained.
pub(crate) fn text(
    explanation: &Explanation,
    parameters: &[(&'static str, Parameter)],
    written: &[String],
) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut text, explanation, parameters, written);
    text.trim_end().to_owned()
}

fn write_text(
    text: &mut String,
    explanation: &Explanation,
    parameters: &[(&'static str, Parameter)],
    written: &[String],
) -> std::fmt::Result {
    let about = &explanation.about;
    writeln!(text, "model     {} ({})", about.model.name, about.runtime.fingerprint)?;
    let parameters = parameters.iter().filter(|(name, _)| !is_digest(name));
    let parameters: Vec<String> = parameters.map(|(name, value)| format!("{name} {value}")).collect();
    writeln!(
        text,
        "method    {}{}{}",
        about.method,
        if parameters.is_empty() { "" } else { ": " },
        parameters.join(", ")
    )?;
    for row in 0..explanation.n_rows().min(MAX_ROWS) {
        write_row(text, explanation, row)?;
    }
    if explanation.n_rows() > MAX_ROWS {
        writeln!(text, "…         and {} rows more", explanation.n_rows() - MAX_ROWS)?;
    }
    for warning in &about.warnings {
        writeln!(text, "warning   {warning}")?;
    }
    text.push_str(&wrote(written));
    Ok(())
}

fn write_row(text: &mut String, explanation: &Explanation, row: usize) -> std::fmt::Result {
    let about = &explanation.about;
    let source = &about.inputs[row].source;
    let file = if source.file.is_empty() { "input" } else { &source.file };
    writeln!(text, "row {row:<5} {file}, row {}", source.row_index)?;
    write_explained(text, explanation, row)
}

/// What was predicted for a row and how much each target is explained.
pub(crate) fn write_explained(text: &mut String, explanation: &Explanation, row: usize) -> std::fmt::Result {
    let about = &explanation.about;
    let named: Vec<String> = about.predictions[row].iter().take(3).map(prediction_text).collect();
    writeln!(text, "  predicted   {}", named.join(" · "))?;
    for target in 0..explanation.n_targets() {
        let output = explanation.number_of(&explanation.outputs, row, target);
        let label = explanation.target_label(row, target);
        let mut line = format!("{label}: {} {output:.5}", about.output_space.name());
        if let Some(base_values) = &explanation.base_values {
            write!(line, ", at the baseline {:.5}", explanation.number_of(base_values, row, target))?;
        }
        if let Some(gap) = explanation.relative_gap(row, target) {
            write!(line, ", completeness gap {:.3} %", 100.0 * gap)?;
        }
        writeln!(text, "  explained   {line}")?;
        let check = about.deletion.iter().find(|check| (check.row, check.target) == (row, target));
        if let Some(check) = check {
            writeln!(text, "  checked     {}", check.text())?;
        }
        if let Some(names) = &about.feature_names {
            writeln!(text, "  strongest   {}", strongest(explanation, names, row, target))?;
        }
    }
    writeln!(text, "  evaluations {}", explanation.evaluations[row])
}

fn prediction_text(prediction: &Prediction) -> String {
    let label = prediction.label.clone().unwrap_or_else(|| format!("output {}", prediction.index));
    match prediction.probability {
        Some(probability) => format!("{label} {:.1} %", 100.0 * probability),
        None => format!("{label} {:.5}", prediction.output),
    }
}

/// The parts with the largest values: features or sets of them, tokens, stretches of a series.
fn strongest(explanation: &Explanation, names: &[String], row: usize, target: usize) -> String {
    let values = explanation.values_of(row, target);
    let parts: Vec<(String, f64)> = if let Some(stretches) = series_stretches(explanation, row, target) {
        stretches
    } else if explanation.about.feature_sets.is_some() || values.len() != names.len() {
        let named = explanation.strongest(row, target).into_iter();
        named.map(|part| (part.name, part.value)).collect()
    } else {
        names.iter().cloned().zip(values.iter().copied()).collect()
    };
    let mut ranked = parts;
    ranked.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    let named: Vec<String> =
        ranked.iter().take(MAX_FEATURES).map(|(name, value)| format!("{name} {value:+.4}")).collect();
    named.join(" · ")
}

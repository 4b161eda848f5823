//! Tree model + table → one page: what drives the model, for all rows, for single ones, and for groups of them.

use std::path::PathBuf;

use pellucid_core::Work;
use pellucid_plot::{Chart, ChartPage, ChartSection, charts_html};

use super::charts::{Drawing, PlotKind, PlotOptions, chart, cohorts};
use super::explain::{TableExplanation, TableRequest, explain_table};
use super::model::TreeModel;
use crate::error::Error;
use crate::explanation::Explanation;
use crate::picture::parameters_text;

/// Features that get a dependence plot.
const N_DEPENDENCES: usize = 2;

/// The page, one HTML file that needs no other. `cohort` is a feature, or a column of the request's
/// `other_columns`; its groups are compared.
///
/// # Errors
/// Whatever explaining and drawing report.
pub fn report_table(
    model: &TreeModel,
    inputs: &[PathBuf],
    request: &TableRequest,
    cohort: Option<&str>,
    work: &Work,
) -> Result<String, Error> {
    let explained = explain_table(model, inputs, request, None, work)?;
    let mut sections = vec![overall(&explained.explanation)?, single_rows(model, &explained.explanation)?];
    sections.push(dependences(&explained.explanation)?);
    if let Some(column) = cohort {
        sections.push(compared(model, &explained.explanation, column)?);
    }
    Ok(charts_html(&ChartPage {
        title: format!("What drives {}", model.name()),
        lead: LEAD.to_owned(),
        facts: facts(model, inputs, &explained),
        sections,
        footer: format!("Made by Pellucid {}.", env!("CARGO_PKG_VERSION")),
    }))
}

const LEAD: &str = "Each row's output is shared out among the features: base value plus SHAP values is exactly what the \
                    model says. Red pushes the output up, blue pushes it down. The values tell what the model does with \
                    its inputs, not what would happen in the world if an input changed. Point at a mark, or press Tab \
                    and the arrow keys, to read its numbers.";

fn facts(model: &TreeModel, inputs: &[PathBuf], explained: &TableExplanation) -> Vec<(String, String)> {
    let about = &explained.explanation.about;
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let files: Vec<String> = inputs.iter().map(|path| super::blocks::file_name(path)).collect();
    let mut facts = vec![
        fact(
            "Model",
            format!("{} ({}, {} trees)", model.name(), about.model.producer, model.ensemble().trees.len()),
        ),
        fact("SHA-256", about.model.digest.clone()),
        fact("Rows", format!("{} of {}", explained.summary.n_rows, files.join(", "))),
        fact(
            "Method",
            format!("{}, {}", about.method.replace('_', " "), parameters_text(&explained.explanation)),
        ),
    ];
    if let Some(gap) = &explained.summary.largest_gap {
        let holds = if explained.summary.n_gaps_beyond == 0 { "holds" } else { "does not hold" };
        facts.push(fact(
            "Adds up",
            format!(
                "{holds}: the largest gap is {:.1e} of the values' size, {:.1e} is allowed",
                gap.share, explained.summary.allowed_gap
            ),
        ));
    }
    facts
}

fn draw(explanation: &Explanation, kind: PlotKind, options: PlotOptions) -> Result<Chart, Error> {
    chart(explanation, kind, &options)
}

fn overall(explanation: &Explanation) -> Result<ChartSection, Error> {
    Ok(ChartSection {
        heading: "All rows".to_owned(),
        text: "Each dot is one row: how far right it lies is how much the feature raised the output there, its color \
               whether the feature's own value is low or high. The bars are the mean size of these values."
            .to_owned(),
        warnings: explanation.about.warnings.clone(),
        charts: vec![
            draw(explanation, PlotKind::Beeswarm, PlotOptions::default())?,
            draw(explanation, PlotKind::Bar, PlotOptions::default())?,
        ],
    })
}

/// The rows with the highest and the lowest output, and the one nearest to the decision, or to the middle.
fn single_rows(model: &TreeModel, explanation: &Explanation) -> Result<ChartSection, Error> {
    let rows: Vec<usize> = (0..explanation.n_rows()).collect();
    let outputs = Drawing::new(explanation, &rows, 0)?.outputs().clone();
    let mut order = rows;
    order.sort_by(|&a, &b| outputs[a].total_cmp(&outputs[b]));
    let close = if model.classifies() { 0.0 } else { outputs[order[order.len() / 2]] };
    let nearest = order
        .iter()
        .copied()
        .min_by(|&a, &b| (outputs[a] - close).abs().total_cmp(&(outputs[b] - close).abs()));
    let middle = if model.classifies() { "The closest decision" } else { "In the middle" };
    let chosen = [
        ("The highest output", order.last().copied()),
        (middle, nearest),
        ("The lowest output", order.first().copied()),
    ];
    let one = |(name, row): (&str, Option<usize>)| {
        let row = row.unwrap_or(0);
        let source = &explanation.about.inputs[row].source;
        let probability = explanation.target_probability(row, 0);
        let probability =
            probability.map_or_else(String::new, |p| format!(", probability {:.1} %", 100.0 * p));
        let title = format!("{name}: row {} of {}{probability}", source.row_index, source.file);
        draw(explanation, PlotKind::Waterfall, PlotOptions { row, title, ..PlotOptions::default() })
    };
    Ok(ChartSection {
        heading: "Three rows, one by one".to_owned(),
        text: "Read from the bottom up: from the mean output, the base value, each feature moves the output a step, the \
               largest step last."
            .to_owned(),
        warnings: Vec::new(),
        charts: chosen.into_iter().map(one).collect::<Result<_, _>>()?,
    })
}

fn dependences(explanation: &Explanation) -> Result<ChartSection, Error> {
    let rows: Vec<usize> = (0..explanation.n_rows()).collect();
    let drawing = Drawing::new(explanation, &rows, 0)?;
    let numeric =
        drawing.ranked().into_iter().filter(|&index| drawing.features()[index].categories.is_empty());
    let one = |index: usize| {
        let feature = Some(drawing.features()[index].name.clone());
        draw(explanation, PlotKind::Dependence, PlotOptions { feature, ..PlotOptions::default() })
    };
    Ok(ChartSection {
        heading: "How the effect follows the value".to_owned(),
        text: "The value of a numeric feature over what the row holds for it. Colors are another feature: where they \
               part, the two interact."
            .to_owned(),
        warnings: Vec::new(),
        charts: numeric.take(N_DEPENDENCES).map(one).collect::<Result<_, _>>()?,
    })
}

fn compared(model: &TreeModel, explanation: &Explanation, column: &str) -> Result<ChartSection, Error> {
    let groups = cohorts(explanation, column)?;
    let mean = |rows: &[usize], of_row: &dyn Fn(usize) -> f64| {
        rows.iter().map(|&row| of_row(row)).sum::<f64>() / rows.len().max(1) as f64
    };
    let output = |row: usize| match explanation.target_probability(row, 0) {
        Some(probability) if model.classifies() => 100.0 * probability,
        _ => explanation.number_of(&explanation.outputs, row, 0),
    };
    let unit = if model.classifies() { " %" } else { "" };
    let what = if model.classifies() { "mean probability" } else { "mean output" };
    let feature = explanation.about.feature_names.iter().flatten().position(|name| name == column);
    let lines: Vec<String> = groups
        .iter()
        .map(|(name, rows)| {
            let direct = feature.map_or_else(String::new, |index| {
                let value = mean(rows, &|row| explanation.values_of(row, 0)[[index]]);
                format!(", mean SHAP value of {column} itself {value:+.3}")
            });
            format!("{column} = {name}: {} rows, {what} {:.1}{unit}{direct}", rows.len(), mean(rows, &output))
        })
        .collect();
    Ok(ChartSection {
        heading: format!("Groups by {column}"),
        text: format!(
            "{}. The bars compare how much each feature matters in each group. That a group's outputs are lower does \
             not show why: what the feature {column} does directly stands above, what it does through others does not.",
            lines.join(". ")
        ),
        warnings: Vec::new(),
        charts: vec![draw(
            explanation,
            PlotKind::Cohorts,
            PlotOptions { cohort: Some(column.to_owned()), ..PlotOptions::default() },
        )?],
    })
}

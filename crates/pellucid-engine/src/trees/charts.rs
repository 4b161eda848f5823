//! The explanation of a table → charts.

use std::collections::BTreeMap;
use std::str::FromStr;

use pellucid_plot::Chart;
use pellucid_plot::tabular::{self, Cohort, Coloring, Options, RowOrder};

use super::drawing::Drawing;
use crate::error::Error;
use crate::explanation::Explanation;

/// Features that a chart shows by name, if nobody says otherwise.
pub(crate) const MAX_FEATURES: usize = 12;

/// The charts of a table's explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlotKind {
    /// From the base value to the output of one row, step by step.
    Waterfall,
    /// The same on one line.
    Force,
    /// The mean size of the values of each feature.
    Bar,
    /// All values of each feature.
    Beeswarm,
    /// The value of one feature over what the rows hold for it.
    Dependence,
    /// The ways of many rows from base value to output.
    Decision,
    /// All values as a field of colors.
    Heatmap,
    /// The mean size of the interaction of each pair.
    Interactions,
    /// The mean sizes in groups of rows, side by side.
    Cohorts,
}

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlotOptions {
    /// The row of waterfall and force, counted from 0 within the explanation.
    pub row: usize,
    /// Which of several targets, counted from 0.
    pub target: usize,
    /// The feature of a dependence plot. Default: the one that matters most.
    pub feature: Option<String>,
    /// The feature that colors a dependence plot. Default: the one that interacts most.
    pub color: Option<String>,
    /// The column that makes the cohorts.
    pub cohort: Option<String>,
    /// On top. Default: none.
    pub title: String,
    /// Features shown by name.
    pub max_features: usize,
}

impl Default for PlotOptions {
    fn default() -> Self {
        let (feature, color, cohort, title) = (None, None, None, String::new());
        Self { row: 0, target: 0, feature, color, cohort, title, max_features: MAX_FEATURES }
    }
}

impl PlotKind {
    /// All kinds with their names.
    pub const NAMES: [(&'static str, Self); 9] = [
        ("waterfall", Self::Waterfall),
        ("force", Self::Force),
        ("bar", Self::Bar),
        ("beeswarm", Self::Beeswarm),
        ("dependence", Self::Dependence),
        ("decision", Self::Decision),
        ("heatmap", Self::Heatmap),
        ("interactions", Self::Interactions),
        ("cohorts", Self::Cohorts),
    ];
}

impl FromStr for PlotKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::NAMES.iter().find(|(name, _)| *name == text).map(|(_, kind)| *kind);
        let names: Vec<&str> = Self::NAMES.iter().map(|(name, _)| *name).collect();
        found.ok_or_else(|| format!("no kind `{text}`; there are: {}", names.join(", ")))
    }
}

/// Draws one chart of the explanation of a table.
///
/// # Errors
/// An explanation of images; a row, a target, a feature or a column that is not there; values that this kind cannot
/// show.
pub fn chart(explanation: &Explanation, kind: PlotKind, options: &PlotOptions) -> Result<Chart, Error> {
    let n_rows = explanation.n_rows();
    for (name, index, count) in
        [("row", options.row, n_rows), ("target", options.target, explanation.n_targets())]
    {
        if index >= count {
            return Err(Error::request(
                name,
                format!("{index} is out of range; there are 0 to {}", count - 1),
            ));
        }
    }
    let of_row = matches!(kind, PlotKind::Waterfall | PlotKind::Force);
    let rows: Vec<usize> = if of_row { vec![options.row] } else { (0..n_rows).collect() };
    let drawing = Drawing::new(explanation, &rows, options.target)?;
    let table = drawing.table();
    let shown = Options {
        title: options.title.clone(),
        caption: caption(explanation, of_row.then_some(options.row)),
        max_features: options.max_features,
    };
    Ok(match kind {
        PlotKind::Waterfall => tabular::waterfall(&table, 0, &shown)?,
        PlotKind::Force => tabular::force(&table, 0, &shown)?,
        PlotKind::Bar => tabular::bar(&table, &shown)?,
        PlotKind::Beeswarm => tabular::beeswarm(&table, &shown)?,
        PlotKind::Dependence => {
            let feature = drawing.feature("feature", options.feature.as_deref())?;
            let coloring = match &options.color {
                Some(name) => Coloring::Feature(drawing.feature("color", Some(name))?),
                None => drawing
                    .strongest_interaction(explanation, feature, options.target)
                    .map_or(Coloring::Strongest, Coloring::Interacting),
            };
            tabular::dependence(&table, feature, coloring, &shown)?
        }
        PlotKind::Decision => tabular::decision(&table, &rows, &shown)?,
        PlotKind::Heatmap => tabular::heatmap(&table, RowOrder::Cluster, &shown)?,
        PlotKind::Interactions => {
            let caption = format!("What a pair adds is shared by its two cells. {}", shown.caption);
            drawing.interactions(explanation, options.target, &Options { caption, ..shown })?
        }
        PlotKind::Cohorts => {
            let column = options.cohort.as_deref();
            let column =
                column.ok_or_else(|| Error::request("cohort", "name the column that makes the cohorts"))?;
            let cohorts: Vec<Cohort> = cohorts(explanation, column)?
                .into_iter()
                .map(|(name, rows)| Cohort { name: format!("{column} = {name}"), rows })
                .collect();
            tabular::cohorts(&table, &cohorts, &shown)?
        }
    })
}

/// The rows of an explanation by what they hold in a column: a feature, or a column kept beside the features.
pub(crate) fn cohorts(
    explanation: &Explanation,
    column: &str,
) -> Result<BTreeMap<String, Vec<usize>>, Error> {
    let about = &explanation.about;
    let feature = about.feature_names.iter().flatten().position(|name| name == column);
    let text = |row: usize| match (about.other_columns.get(column), feature) {
        (Some(texts), _) => texts.get(row).cloned(),
        (None, Some(feature)) => Some(explanation.shown(row, feature)),
        (None, None) => None,
    };
    let mut cohorts: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for row in 0..explanation.n_rows() {
        let missing = || Error::request("cohort", format!("no feature and no column `{column}`"));
        cohorts.entry(text(row).ok_or_else(missing)?).or_default().push(row);
    }
    Ok(cohorts)
}

/// Which rows are drawn, and of what. The one row of a chart is named; where the rows are a sample, that is said.
fn caption(explanation: &Explanation, row: Option<usize>) -> String {
    let about = &explanation.about;
    let rows = match row {
        Some(row) => {
            let source = &about.inputs[row].source;
            // Rows in memory come from no file.
            let of_file = if source.file.is_empty() { String::new() } else { format!(" of {}", source.file) };
            Some(format!("row {}{of_file}", source.row_index))
        }
        None => about.warnings.iter().find(|warning| warning.starts_with("these are ")).cloned(),
    };
    let sentences = rows.into_iter().map(|text| format!("{}. ", capitalized(&text)));
    format!("{}Model: {}.", sentences.collect::<String>(), about.model.name)
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

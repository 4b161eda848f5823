//! Predicted model + rows + constraints by name → counterfactuals.

use ndarray::{Array2, ArrayView1, Ix2};
use pellucid_agnostic::counterfactual::{
    Column, Counterfactual, Counterfactuals, Direction, Finder, Kind, Options, Outcome, Table,
};
use pellucid_core::{OutputSpace, Work};
use serde_json::{Value, json};

use super::columns::{columns, outcome_names};
use super::model::PredictedModel;
use super::rows::PredictedRows;
use crate::error::Error;
use crate::explanation::ModelSource;
use crate::trees::TreeModel;

/// What counterfactuals are wanted, as a person says it; columns by their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CounterfactualRequest {
    /// How many for each row.
    pub n_counterfactuals: Option<usize>,
    /// Columns that may change at once.
    pub max_changes: Option<usize>,
    /// `opposite` (the default), a class by name or number, or a range of the only output, `LOW..HIGH`.
    pub outcome: Option<String>,
    /// Above it, the only output of a model says class 1 [default: 0.5 for probabilities, 0 for margins].
    pub threshold: Option<f64>,
    /// Rows that the model is asked about at the most, for each row.
    pub max_evaluations: Option<usize>,
    /// Columns that keep their values.
    pub immutable: Vec<String>,
    /// Columns that may only grow.
    pub only_up: Vec<String>,
    /// Columns that may only fall.
    pub only_down: Vec<String>,
    /// The least and greatest value of a column, `NAME:LOW..HIGH`.
    pub column_ranges: Vec<String>,
    /// The values that a column may have, `NAME:A,B`.
    pub allowed: Vec<String>,
    /// What randomness is keyed by, beside the row.
    pub seed: u64,
}

/// What was found for each row of a table.
#[derive(Clone, Debug)]
pub struct FoundCounterfactuals {
    /// One for each row.
    pub rows: Vec<Counterfactuals>,
    /// What the reader must know of model and rows.
    pub warnings: Vec<String>,
    table: Table,
    model: ModelSource,
    output_space: OutputSpace,
    request: CounterfactualRequest,
    options: Options,
}

/// Where each column of a tree model may change its mind: the thresholds of its splits.
///
/// # Errors
/// What the trees report.
pub fn split_thresholds(model: &TreeModel) -> Result<Vec<Vec<f64>>, Error> {
    let ensemble = model.ensemble();
    let is_category = |feature: usize| {
        ensemble.categories.as_ref().is_some_and(|all| all.get(feature).is_some_and(|of| !of.is_empty()))
    };
    let of = |feature: usize| match is_category(feature) {
        true => Ok(Vec::new()),
        false => Ok(pellucid_trees::dependence::threshold_grid(ensemble, feature)?),
    };
    (0..ensemble.n_features).map(of).collect()
}

/// Finds, for each of `rows` `[rows, features]`, rows near it of which the model says otherwise (the objectives of DiCE, Mothilal et
/// al. 2020). `background` `[rows, features]` are real rows, which say how values scatter; `thresholds` is empty, or has the values of each column at which the model may change its mind.
///
/// # Errors
/// A model of anything but tables, a column that is not there, constraints that contradict each other, an outcome that a row has
/// already; whatever the model reports.
pub fn counterfactuals(
    model: &PredictedModel<'_>,
    rows: &PredictedRows,
    background: &PredictedRows,
    thresholds: &[Vec<f64>],
    request: &CounterfactualRequest,
    work: &Work,
) -> Result<FoundCounterfactuals, Error> {
    let flat = |rows: &PredictedRows| {
        let table = rows.rows.clone().into_dimensionality::<Ix2>();
        table.map_err(|_| Error::request("input", "counterfactuals are of tables"))
    };
    let (own, seen) = (flat(rows)?, flat(background)?);
    let names = rows.feature_names.as_ref().or(background.feature_names.as_ref());
    let table = table(model, &seen, &own, names.map(Vec::as_slice), thresholds, request)?;
    let outcome = outcome(request.outcome.as_deref(), &table.outcome_names)?;
    check_has_classes(model, &outcome, request)?;
    let usual = Options::default();
    let options = Options {
        n_counterfactuals: request.n_counterfactuals.unwrap_or(usual.n_counterfactuals),
        max_changes: request.max_changes,
        threshold: request.threshold.unwrap_or(match model.source().space {
            OutputSpace::Probability => 0.5,
            _ => 0.0,
        }),
        max_evaluations: request.max_evaluations.unwrap_or(usual.max_evaluations),
        seed: request.seed,
        ..usual
    };
    let finder = Finder::new(model.predictor(), &table, seen.view(), work)?;
    work.progress.begin(own.nrows());
    let find = |(index, row): (usize, ArrayView1<'_, f64>)| {
        let found = finder.find(row, &outcome, &options, work).map_err(|error| match error {
            pellucid_agnostic::Error::Setting { option: "outcome", reason } => {
                Error::request("outcome", format!("row {index}: {reason}"))
            }
            other => other.into(),
        })?;
        work.progress.advance(1);
        Ok(found)
    };
    let found: Result<Vec<Counterfactuals>, Error> = own.outer_iter().enumerate().map(find).collect();
    work.progress.end();
    let source = model.source();
    Ok(FoundCounterfactuals {
        rows: found?,
        warnings: source.warnings.iter().chain(&rows.warnings).cloned().collect(),
        table,
        model: source.model.clone(),
        output_space: source.space,
        request: request.clone(),
        options,
    })
}

/// A regression's only output has no classes, unless somebody says from where on.
fn check_has_classes(
    model: &PredictedModel<'_>,
    outcome: &Outcome,
    request: &CounterfactualRequest,
) -> Result<(), Error> {
    let is_number = model.predictor().n_outputs() == 1 && model.source().space == OutputSpace::Value;
    if is_number && request.threshold.is_none() && !matches!(outcome, Outcome::Range { .. }) {
        let reason = "the model's only output is a value, not one of classes; say a range, LOW..HIGH, or the threshold above \
                      which it counts as class 1";
        return Err(Error::request("outcome", reason));
    }
    Ok(())
}

/// The columns with their kinds and constraints.
fn table(
    model: &PredictedModel<'_>,
    background: &Array2<f64>,
    rows: &Array2<f64>,
    names: Option<&[String]>,
    thresholds: &[Vec<f64>],
    request: &CounterfactualRequest,
) -> Result<Table, Error> {
    let name = |feature: usize| names.and_then(|names| names.get(feature)).cloned();
    let names: Vec<String> = (0..background.ncols())
        .map(|feature| name(feature).unwrap_or_else(|| format!("feature {feature}")))
        .collect();
    let mut columns = columns(model, &names, &[background, rows], &[]);
    for (column, candidates) in columns.iter_mut().zip(thresholds) {
        column.candidates.clone_from(candidates);
    }
    constrain(&mut columns, request)?;
    Ok(Table { columns, outcome_names: outcome_names(model) })
}

fn constrain(columns: &mut [Column], request: &CounterfactualRequest) -> Result<(), Error> {
    for name in &request.immutable {
        named(columns, "immutable", name)?.immutable = true;
    }
    let ways = [
        ("only_up", &request.only_up, Direction::Up, &request.only_down),
        ("only_down", &request.only_down, Direction::Down, &request.only_up),
    ];
    for (option, names, direction, others) in ways {
        for name in names {
            if others.contains(name) {
                return Err(Error::request(option, format!("`{name}` may only rise and may only fall")));
            }
            named(columns, option, name)?.direction = Some(direction);
        }
    }
    for text in &request.column_ranges {
        let (name, range) = split_name("column_range", text)?;
        let column = named(columns, "column_range", name)?;
        refuse_second("column_range", name, column.range.is_some())?;
        column.range = Some(ends("column_range", range)?);
    }
    for text in &request.allowed {
        let (name, values) = split_name("allow", text)?;
        let column = named(columns, "allow", name)?;
        refuse_second("allow", name, column.allowed.is_some())?;
        let code = |value: &str| value_of(column, value.trim());
        column.allowed = Some(values.split(',').map(code).collect::<Result<_, Error>>()?);
    }
    Ok(())
}

fn refuse_second(option: &str, name: &str, is_known: bool) -> Result<(), Error> {
    match is_known {
        true => Err(Error::request(option, format!("`{name}` has two; give one that says both"))),
        false => Ok(()),
    }
}

fn named<'a>(columns: &'a mut [Column], option: &str, name: &str) -> Result<&'a mut Column, Error> {
    let reason = format!("there is no column `{name}`");
    columns.iter_mut().find(|column| column.name == name).ok_or_else(|| Error::request(option, reason))
}

fn split_name<'a>(option: &str, text: &'a str) -> Result<(&'a str, &'a str), Error> {
    let reason = format!("`{text}` has no colon after the column's name");
    text.rsplit_once(':').ok_or_else(|| Error::request(option, reason))
}

/// `LOW..HIGH`, either of which may be left out.
fn ends(option: &str, text: &str) -> Result<(f64, f64), Error> {
    let fault = || Error::request(option, format!("`{text}` is no LOW..HIGH"));
    let (low, high) = text.split_once("..").ok_or_else(fault)?;
    let end = |text: &str, open: f64| match text.trim() {
        "" => Ok(open),
        text => text.parse().map_err(|_| fault()),
    };
    Ok((end(low, f64::NEG_INFINITY)?, end(high, f64::INFINITY)?))
}

/// A category's code, or a number.
fn value_of(column: &Column, text: &str) -> Result<f64, Error> {
    let labels = match &column.kind {
        Kind::Category { labels } => labels.as_slice(),
        _ => &[],
    };
    let code = labels.iter().position(|label| label == text).map(|code| code as f64);
    let number = || text.parse().ok().filter(|_| labels.is_empty());
    let reason = || format!("`{text}` is no value of column `{}`", column.name);
    code.or_else(number).ok_or_else(|| Error::request("allow", reason()))
}

fn outcome(text: Option<&str>, names: &[String]) -> Result<Outcome, Error> {
    let Some(text) = text.filter(|text| *text != "opposite") else { return Ok(Outcome::Opposite) };
    if let Some(class) = names.iter().position(|name| name == text) {
        return Ok(Outcome::Class(class));
    }
    if text.contains("..") {
        let (low, high) = ends("outcome", text)?;
        return Ok(Outcome::Range { output: 0, low, high });
    }
    let reason = || format!("`{text}` is no class, no number of one, no LOW..HIGH and not opposite");
    text.parse().map(Outcome::Class).map_err(|_| Error::request("outcome", reason()))
}

impl FoundCounterfactuals {
    /// A name for each change, and its ends, for JSON.
    fn one(&self, found: &Counterfactual) -> Value {
        let numbers = |values: ArrayView1<'_, f64>| -> Vec<Value> {
            values.iter().map(|x| if x.is_nan() { Value::Null } else { json!(x) }).collect()
        };
        let changes = found.changes.iter().map(|change| {
            json!({"column": self.table.columns[change.column].name, "from": change.from, "to": change.to})
        });
        json!({
            "row": numbers(found.row.view()),
            "outputs": numbers(found.outputs.view()),
            "valid": found.valid,
            "changes": changes.collect::<Vec<_>>(),
            "distance": found.distance,
            "sparsity": found.changes.len(),
            "sentence": found.sentence,
        })
    }

    /// All of it as JSON.
    pub fn to_json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({
                "outputs": row.outputs.to_vec(),
                "counterfactuals": row.found.iter().map(|found| self.one(found)).collect::<Vec<_>>(),
                "diversity": row.diversity,
                "nearest_example": row.nearest_example.as_ref().map(|example| {
                    json!({"background_row": example.row_index, "example": self.one(&example.example), "breaks": example.breaks})
                }),
                "nearest_miss": row.nearest_miss.as_ref().map(|miss| self.one(miss)),
                "evaluations": row.evaluations,
                "warnings": row.warnings,
            })
        });
        let CounterfactualRequest { immutable, only_up, only_down, column_ranges, allowed, outcome, .. } =
            &self.request;
        json!({
            "schema": "pellucid.counterfactuals",
            "schema_version": 1,
            "pellucid_version": env!("CARGO_PKG_VERSION"),
            "model": self.model.to_json(),
            "output_space": self.output_space.name(),
            "outcome": outcome.as_deref().unwrap_or("opposite"),
            "threshold": self.options.threshold,
            "n_counterfactuals": self.options.n_counterfactuals,
            "max_changes": self.options.max_changes,
            "max_evaluations": self.options.max_evaluations,
            "seed": self.options.seed,
            "constraints": {
                "immutable": immutable, "only_up": only_up, "only_down": only_down, "column_ranges": column_ranges,
                "allowed": allowed,
            },
            "rows": rows.collect::<Vec<_>>(),
            "warnings": self.warnings,
        })
    }
}

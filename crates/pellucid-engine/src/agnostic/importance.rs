//! Predicted model + rows + what is true of them → how much worse predictions get without each feature.

use ndarray::{ArrayView1, ArrayView2, Ix2, aview1};
use pellucid_agnostic::normal_quantile;
use pellucid_agnostic::permutation_importance::{Importance, Loss, Options, permutation_importance};
use pellucid_core::{OutputSpace, Work};
use pellucid_plot::Chart;
use pellucid_plot::tabular::{self, Importances, counted_rows, importances};
use serde_json::{Value, json};

use super::model::PredictedModel;
use super::players::parse_groups;
use super::rows::PredictedRows;
use crate::effects::{CONFIDENCE, check_confidence};
use crate::error::Error;
use crate::explanation::ModelSource;
use crate::file::csv_bytes;
use crate::trees::Classes;

/// Groups that the chart names.
const MAX_GROUPS: usize = 20;

/// How importances by labels are found; features by their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelImportanceRequest {
    /// `squared_error`, `absolute_error`, `zero_one` or `log_loss`. Default: `log_loss` of probabilities, `zero_one` of several
    /// other outputs, `squared_error` of one.
    pub loss: Option<String>,
    /// Permutations of each group. Default: 10.
    pub n_repeats: Option<usize>,
    /// Features that are shuffled together, by name or number: `age+sex,4+5`; every other one alone.
    pub feature_groups: Option<String>,
    /// How sure the intervals are. Default: 0.95.
    pub confidence: Option<f64>,
    /// What permutations are drawn from.
    pub seed: u64,
}

/// What is true of each row.
#[derive(Clone, Debug, PartialEq)]
pub enum Truths {
    /// As a table has it: a number, or a class by its name or number. The column's name stands first.
    Texts(String, Vec<String>),
    /// A number, or the number of a class.
    Numbers(Vec<f64>),
}

/// How much worse predictions get without each group of features.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelImportance {
    /// The groups of features that were shuffled, each with its name.
    pub groups: Vec<(String, Vec<usize>)>,
    /// What was found, one number a group.
    pub found: Importance,
    /// How wrong an output is.
    pub loss: &'static str,
    /// How sure the intervals are.
    pub confidence: f64,
    /// Rows that were shuffled.
    pub n_rows: usize,
    /// What the reader must know.
    pub warnings: Vec<String>,
    /// What identifies the model.
    pub model: ModelSource,
    feature_names: Vec<String>,
    output_space: OutputSpace,
    n_repeats: usize,
    seed: u64,
}

/// How much the loss of a model over `rows` grows as the values of a feature, or of a group of them, are dealt out anew among
/// the rows.
///
/// # Errors
/// Rows that are no table, truths that do not fit the loss, groups of features that are not there; whatever the model reports.
pub fn label_importance(
    model: &PredictedModel<'_>,
    rows: &PredictedRows,
    truths: &Truths,
    request: &LabelImportanceRequest,
    work: &Work,
) -> Result<LabelImportance, Error> {
    check_confidence(request.confidence)?;
    let table = rows.rows.view().into_dimensionality::<Ix2>();
    let table =
        table.map_err(|_| Error::request("input", "importances are of tables; these rows are none"))?;
    let loss = loss(request.loss.as_deref(), model)?;
    let labels = labels(truths, model, loss.1)?;
    if labels.len() != table.nrows() {
        let reason = format!("{} for {} rows; give one a row", labels.len(), table.nrows());
        return Err(Error::request("labels", reason));
    }
    let feature_names = rows.names_of_columns();
    let groups = groups(request.feature_groups.as_deref(), &feature_names)?;
    let usual = Options::default();
    let options = Options { n_repeats: request.n_repeats.unwrap_or(usual.n_repeats), seed: request.seed };
    let found = shuffled(model, table, aview1(&labels), &groups, loss.1, &options, work)?;
    let mut warnings = model.source().warnings.clone();
    warnings.extend(rows.warnings.iter().cloned());
    Ok(LabelImportance {
        found,
        groups,
        loss: loss.0,
        confidence: request.confidence.unwrap_or(CONFIDENCE),
        n_rows: table.nrows(),
        warnings,
        model: model.source().model.clone(),
        feature_names,
        output_space: model.source().space,
        n_repeats: options.n_repeats,
        seed: options.seed,
    })
}

fn shuffled(
    model: &PredictedModel<'_>,
    rows: ArrayView2<'_, f64>,
    labels: ArrayView1<'_, f64>,
    groups: &[(String, Vec<usize>)],
    loss: Loss,
    options: &Options,
    work: &Work,
) -> Result<Importance, Error> {
    let groups: Vec<Vec<usize>> = groups.iter().map(|(_, group)| group.clone()).collect();
    work.progress.begin(rows.nrows() * (1 + groups.len() * options.n_repeats));
    let found = permutation_importance(model.predictor(), rows, labels, &groups, loss, options, work);
    work.progress.end();
    Ok(found?)
}

fn loss(name: Option<&str>, model: &PredictedModel<'_>) -> Result<(&'static str, Loss), Error> {
    let space = model.source().space;
    let usual = match (space, model.predictor().n_outputs()) {
        (OutputSpace::Probability, _) => "log_loss",
        (_, 1) => "squared_error",
        _ => "zero_one",
    };
    let name = name.map_or_else(|| usual.to_owned(), |name| name.replace('-', "_"));
    let found = Loss::NAMES.into_iter().find(|(known, _)| *known == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = Loss::NAMES.iter().map(|(name, _)| *name).collect();
        Error::request("loss", format!("there is no `{name}`; there are: {}", names.join(", ")))
    })
}

/// The number that stands for each row's truth.
fn labels(truths: &Truths, model: &PredictedModel<'_>, loss: Loss) -> Result<Vec<f64>, Error> {
    let (column, texts) = match truths {
        Truths::Numbers(numbers) => return Ok(numbers.clone()),
        Truths::Texts(column, texts) => (column, texts),
    };
    let names = model.source().output_names.clone().unwrap_or_default();
    let classes = Classes::new(names, model.predictor().n_outputs());
    let is_class = matches!(loss, Loss::ZeroOne | Loss::LogLoss);
    let label = |(row, text): (usize, &String)| {
        let (number, expected) = match is_class {
            true => (classes.index(text).map(|class| class as f64), classes.expected()),
            false => (text.trim().parse().ok().filter(|x: &f64| x.is_finite()), "a number".to_owned()),
        };
        let fault = || format!("row {row}, column `{column}`: `{text}` is no label; write {expected}");
        number.ok_or_else(|| Error::request("label_column", fault()))
    };
    texts.iter().enumerate().map(label).collect()
}

/// The features of each group, and what it is called.
fn groups(text: Option<&str>, names: &[String]) -> Result<Vec<(String, Vec<usize>)>, Error> {
    let alone = || (0..names.len()).map(|feature| vec![feature]).collect();
    let groups: Vec<Vec<usize>> = match text {
        None => alone(),
        Some(text) => {
            let of_feature = parse_groups(text, &[names.len()], Some(names))?;
            let n_groups = of_feature.iter().max().map_or(0, |last| last + 1);
            let mut groups = vec![Vec::new(); n_groups];
            of_feature.iter().enumerate().for_each(|(feature, &group)| groups[group].push(feature));
            groups
        }
    };
    let named = |group: Vec<usize>| {
        let parts: Vec<&str> = group.iter().map(|&feature| names[feature].as_str()).collect();
        (parts.join(" + "), group)
    };
    Ok(groups.into_iter().map(named).collect())
}

impl LabelImportance {
    /// The groups, the one that matters most first.
    pub fn ranked(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.groups.len()).collect();
        order.sort_by(|&a, &b| self.found.increase[b].total_cmp(&self.found.increase[a]).then(a.cmp(&b)));
        order
    }

    /// The ends of the interval around the growth of the loss without a group.
    pub fn interval(&self, group: usize) -> (f64, f64) {
        let half = normal_quantile(f64::midpoint(1.0, self.confidence)) * self.found.standard_error[group];
        (self.found.increase[group] - half, self.found.increase[group] + half)
    }

    /// The importances as a JSON document.
    pub fn to_json(&self) -> String {
        let one = |(index, (name, features)): (usize, &(String, Vec<usize>))| {
            let (low, high) = self.interval(index);
            let names: Vec<&String> = features.iter().map(|&feature| &self.feature_names[feature]).collect();
            json!({
                "name": name,
                "features": names,
                "increase": self.found.increase[index],
                "standard_error": self.found.standard_error[index],
                "low": low,
                "high": high,
                "ratio": self.found.ratio[index],
                "by_repeat": self.found.by_repeat.row(index).to_vec(),
            })
        };
        let groups: Vec<Value> = self.groups.iter().enumerate().map(one).collect();
        json!({
            "schema": "pellucid.permutation_importance",
            "schema_version": 1,
            "pellucid_version": env!("CARGO_PKG_VERSION"),
            "model": self.model.to_json(),
            "output_space": self.output_space.name(),
            "loss": self.loss,
            "loss_of_rows": self.found.loss,
            "n_rows": self.n_rows,
            "n_repeats": self.n_repeats,
            "seed": self.seed,
            "confidence": self.confidence,
            "groups": groups,
            "warnings": self.warnings,
        })
        .to_string()
    }

    /// `importance.json`, and `importance.csv` with a line a group, the one that matters most first.
    ///
    /// # Errors
    /// Those of the writer of tables.
    pub fn files(&self) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let header = ["group", "increase", "standard_error", "low", "high", "ratio"].map(str::to_owned);
        let line = |group: usize| {
            let ((low, high), found) = (self.interval(group), &self.found);
            let numbers = [found.increase[group], found.standard_error[group], low, high, found.ratio[group]];
            [self.groups[group].0.clone()].into_iter().chain(numbers.map(|x| x.to_string())).collect()
        };
        Ok(vec![
            ("importance.json".to_owned(), self.to_json().into_bytes()),
            ("importance.csv".to_owned(), csv_bytes(header.to_vec(), self.ranked().into_iter().map(line))?),
        ])
    }

    /// The chart of it: a bar a group, with its interval.
    ///
    /// # Errors
    /// Numbers that cannot be drawn.
    pub fn chart(&self) -> Result<Chart, Error> {
        let names: Vec<String> = self.groups.iter().map(|(name, _)| name.clone()).collect();
        let intervals: Vec<(f64, f64)> = (0..names.len()).map(|group| self.interval(group)).collect();
        let loss = self.loss.replace('_', " ");
        let percent = (1e4 * self.confidence).round() / 100.0;
        let note = format!(
            "How much the {loss} of {} grows as their values are shuffled, in the mean over {} shuffles; it is {:.4} as they \
             are. The lines are {percent} % intervals, for other rows drawn like these.",
            counted_rows(self.n_rows),
            self.n_repeats,
            self.found.loss
        );
        let drawn = Importances {
            names: &names,
            values: self.found.increase.view(),
            intervals: &intervals,
            value_name: &format!("growth of the {loss}"),
            note: &note,
        };
        let title = format!("Permutation importance for {}", self.model.name);
        let options = tabular::Options { title, caption: String::new(), max_features: MAX_GROUPS };
        Ok(importances(&drawn, &options)?)
    }
}

//! Misclassified: where the model was wrong, how sure it was, and what it looked at then.

use std::collections::BTreeMap;

use pellucid_drift::{Cohort, CohortOptions, CohortReport, Column, compare_cohorts};
use serde::Serialize;

use super::predictions::Line;
use crate::asked::Asked;
use crate::error::ViewError;
use crate::index::{Index, NONE, Outcome, Row};
use crate::series::{Described, PARAMETER, Series, choices};
use crate::weighted::{Estimate, Sums};

/// What the view takes.
pub(super) const PARAMETERS: &[&str] = &[PARAMETER];

const N_STEPS: usize = 10;
const MAX_LINES: usize = 50;
const MAX_PAIRS: usize = 12;

#[derive(Debug, Default, Serialize)]
pub(super) struct Misclassified {
    choices: Vec<Described>,
    chosen: Option<Described>,
    n_right: u64,
    n_wrong: u64,
    n_unlabeled: u64,
    n_not_judged: u64,
    error: Option<Estimate>,
    /// Of models that give numbers: the mean of |label − output|.
    mean_absolute_error: Option<Estimate>,
    /// From the record to its label.
    median_label_delay_secs: Option<f64>,
    steps: Vec<Step>,
    pairs: Vec<Pair>,
    /// Mean |attribution| of errors against hits; none where one of them is missing.
    features: Option<CohortReport>,
    /// The surest errors first.
    lines: Vec<Line>,
    weighted: bool,
}

/// Predictions whose confidence lies between two numbers.
#[derive(Debug, Serialize)]
struct Step {
    low: f64,
    high: f64,
    n_right: u64,
    n_wrong: u64,
    mean_confidence: Option<f64>,
    accuracy: Estimate,
}

/// What was taken for what.
#[derive(Debug, Serialize)]
struct Pair {
    predicted: String,
    label: String,
    n: u64,
}

pub(super) fn misclassified(index: &Index, asked: Asked<'_>) -> Result<Misclassified, ViewError> {
    let choices = choices(index, false);
    let Some(series) = Series::asked(index, asked, false)? else {
        return Ok(Misclassified { choices, ..Misclassified::default() });
    };
    let judged: Vec<(&Row, Outcome)> = series.comparable().map(|row| (row, index.outcome(row))).collect();
    let n_of = |outcome| judged.iter().filter(|(_, it)| *it == outcome).count() as u64;
    let mut error = Sums::default();
    let decided = judged.iter().filter_map(|(row, it)| wrongness(*it).map(|wrong| (row, wrong)));
    decided.for_each(|(row, wrong)| error.add(wrong, row.weight()));
    Ok(Misclassified {
        choices,
        chosen: Some(series.described()),
        n_right: n_of(Outcome::Right),
        n_wrong: n_of(Outcome::Wrong),
        n_unlabeled: n_of(Outcome::Unlabeled),
        n_not_judged: n_of(Outcome::NotJudged),
        error: (error.n() > 0).then(|| error.share_estimate()),
        mean_absolute_error: mean_absolute_error(index, &judged),
        median_label_delay_secs: median_delay(index, &judged),
        steps: steps(&judged),
        pairs: pairs(index, &judged),
        features: features(&series)?,
        lines: lines(index, &judged),
        weighted: judged.iter().any(|(row, _)| row.weight > 1.0),
    })
}

fn wrongness(outcome: Outcome) -> Option<f64> {
    match outcome {
        Outcome::Right => Some(0.0),
        Outcome::Wrong => Some(1.0),
        Outcome::Unlabeled | Outcome::NotJudged => None,
    }
}

fn mean_absolute_error(index: &Index, judged: &[(&Row, Outcome)]) -> Option<Estimate> {
    let mut sums = Sums::default();
    for (row, _) in judged.iter().filter(|(row, _)| row.class == NONE && row.finite && !row.output.is_nan()) {
        let label = index.prediction_of(row).label.as_ref().and_then(crate::index::Label::number);
        label.iter().for_each(|label| sums.add((label - f64::from(row.output)).abs(), row.weight()));
    }
    (sums.n() > 0).then(|| sums.mean_estimate())
}

fn median_delay(index: &Index, judged: &[(&Row, Outcome)]) -> Option<f64> {
    let labeled = judged.iter().filter(|(_, outcome)| *outcome != Outcome::Unlabeled);
    let mut delays: Vec<i64> =
        labeled.map(|(row, _)| index.prediction_of(row).label_micros - row.time_micros).collect();
    delays.sort_unstable();
    delays.get(delays.len() / 2).map(|&micros| micros as f64 / 1e6)
}

fn steps(judged: &[(&Row, Outcome)]) -> Vec<Step> {
    let mut sums = [(Sums::default(), Sums::default(), [0_u64; 2]); N_STEPS];
    for (row, outcome) in judged {
        let (Some(wrong), Some(confidence)) = (wrongness(*outcome), row.confidence()) else { continue };
        let (accuracy, confidences, counts) =
            &mut sums[((confidence * N_STEPS as f64) as usize).min(N_STEPS - 1)];
        accuracy.add(1.0 - wrong, row.weight());
        confidences.add(confidence, row.weight());
        counts[wrong as usize] += 1;
    }
    let step = |(place, (accuracy, confidence, [n_right, n_wrong])): (usize, &(Sums, Sums, [u64; 2]))| Step {
        low: place as f64 / N_STEPS as f64,
        high: (place + 1) as f64 / N_STEPS as f64,
        n_right: *n_right,
        n_wrong: *n_wrong,
        mean_confidence: (confidence.n() > 0).then(|| confidence.mean()),
        accuracy: accuracy.share_estimate(),
    };
    sums.iter().enumerate().map(step).collect()
}

fn pairs(index: &Index, judged: &[(&Row, Outcome)]) -> Vec<Pair> {
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    for (row, _) in judged.iter().filter(|(_, outcome)| *outcome == Outcome::Wrong) {
        let model = index.model_of(row);
        let Some(label) = &index.prediction_of(row).label else { continue };
        let label = model.label_name(label, row.class);
        *counts.entry((model.class_name(row.class).unwrap_or_default(), label)).or_default() += 1;
    }
    let mut pairs: Vec<Pair> =
        counts.into_iter().map(|((predicted, label), n)| Pair { predicted, label, n }).collect();
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.n));
    pairs.truncate(MAX_PAIRS);
    pairs
}

/// The mean |attribution| of each feature where the model was wrong, against where it was right.
fn features(series: &Series<'_>) -> Result<Option<CohortReport>, ViewError> {
    let cohort = |wrong: f64| {
        let outcome = |row| wrongness(series.index.outcome(row));
        let rows: Vec<_> = series.explained().filter(|(row, ..)| outcome(row) == Some(wrong)).collect();
        let column = |(feature, name): (usize, &String)| {
            let sizes: Vec<f64> =
                rows.iter().map(|(_, values, _)| f64::from(values[feature].abs())).collect();
            Column::numeric(name.as_str(), sizes)
        };
        Cohort {
            name: if wrong == 0.0 { "right" } else { "wrong" }.to_owned(),
            inclusion_probabilities: Some(rows.iter().map(|(row, ..)| 1.0 / row.weight()).collect()),
            attributions: series.group().names.iter().enumerate().map(column).collect(),
            ..Cohort::default()
        }
    };
    let cohorts = [cohort(1.0), cohort(0.0)];
    if cohorts.iter().any(|cohort| cohort.attributions.first().is_none_or(|it| it.values.is_empty())) {
        return Ok(None);
    }
    let report = compare_cohorts(&cohorts, 1, CohortOptions::default());
    report
        .map(Some)
        .map_err(|fault| ViewError::unavailable(format!("errors cannot be compared with hits: {fault}")))
}

fn lines(index: &Index, judged: &[(&Row, Outcome)]) -> Vec<Line> {
    let mut wrong: Vec<&Row> =
        judged.iter().filter(|(_, outcome)| *outcome == Outcome::Wrong).map(|(row, _)| *row).collect();
    wrong.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then(a.entry.cmp(&b.entry)));
    wrong.into_iter().take(MAX_LINES).map(|row| Line::new(index, row)).collect()
}

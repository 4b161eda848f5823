//! Misclassified: where the model was wrong, how sure it was, and what it looked at then.

use std::collections::BTreeMap;

use serde::Serialize;

use super::predictions::Line;
use crate::asked::Asked;
use crate::error::ViewError;
use crate::index::{Index, NONE, Outcome, Row};
use crate::series::{Described, PARAMETER, Series, choices};
use crate::weighted::{Difference, Estimate, Sums, difference_of_means};

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
    /// The largest difference first.
    features: Vec<Feature>,
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

#[derive(Debug, Serialize)]
struct Feature {
    name: String,
    /// The mean of |attribution| where the model was wrong, and where it was right.
    wrong: Estimate,
    right: Estimate,
    difference: Difference,
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
        features: features(&series),
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
    for (row, _) in judged.iter().filter(|(row, _)| row.class == NONE && !row.output.is_nan()) {
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
        // A label that is an index goes by its class's name.
        let of_index = label.number().filter(|n| *n >= 0.0 && n.fract() == 0.0);
        let label = of_index.and_then(|n| model.class_name(n as u32)).unwrap_or_else(|| label.shown());
        *counts.entry((model.class_name(row.class).unwrap_or_default(), label)).or_default() += 1;
    }
    let mut pairs: Vec<Pair> =
        counts.into_iter().map(|((predicted, label), n)| Pair { predicted, label, n }).collect();
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.n));
    pairs.truncate(MAX_PAIRS);
    pairs
}

fn features(series: &Series<'_>) -> Vec<Feature> {
    let names = &series.group().names;
    let mut sums = vec![[Sums::default(); 2]; names.len()];
    for (row, attributions, _) in series.explained() {
        let Some(wrong) = wrongness(series.index.outcome(row)) else { continue };
        for (feature, value) in attributions.iter().enumerate() {
            sums[feature][wrong as usize].add(f64::from(value.abs()), row.weight());
        }
    }
    let feature = |(name, [right, wrong]): (&String, &[Sums; 2])| Feature {
        name: name.clone(),
        wrong: wrong.mean_estimate(),
        right: right.mean_estimate(),
        difference: difference_of_means(wrong, right, names.len()),
    };
    let mut features: Vec<Feature> = names.iter().zip(&sums).map(feature).collect();
    let size = |it: &Feature| if it.difference.value.is_nan() { -1.0 } else { it.difference.value.abs() };
    features.sort_by(|a, b| size(b).total_cmp(&size(a)));
    features
}

fn lines(index: &Index, judged: &[(&Row, Outcome)]) -> Vec<Line> {
    let mut wrong: Vec<&Row> =
        judged.iter().filter(|(_, outcome)| *outcome == Outcome::Wrong).map(|(row, _)| *row).collect();
    wrong.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then(a.entry.cmp(&b.entry)));
    wrong.into_iter().take(MAX_LINES).map(|row| Line::new(index, row)).collect()
}

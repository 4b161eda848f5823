//! Overview: what is in the log, by whom, how sure, and what needs a look.

use pellucid_drift::Alarm;
use serde::Serialize;

use crate::asked::Asked;
use crate::dashboard::Dashboard;
use crate::index::{Index, Outcome, Prediction, Row};
use crate::series::Series;
use crate::watch::Every;
use crate::weighted::{Estimate, Sums, represented};

/// What the view takes: nothing.
pub(super) const PARAMETERS: &[&str] = &[];

/// Times are counted in so many steps.
const N_TIMES: usize = 48;
/// Confidences are counted in so many steps.
const N_CONFIDENCES: usize = 20;

#[derive(Debug, Serialize)]
pub(super) struct Overview {
    counts: Counts,
    coverage: Coverage,
    alarms: Vec<AlarmLine>,
    models: Vec<ModelLine>,
    checks: Vec<CheckLine>,
    accuracy: Estimate,
    times: Histogram,
    confidences: Histogram,
}

#[derive(Debug, Serialize)]
struct Counts {
    n_entries: u64,
    n_records: usize,
    n_current: usize,
    n_superseded: usize,
    n_erased: usize,
    n_predictions: usize,
    n_labeled: usize,
    n_wrong: usize,
    n_not_judged: usize,
    n_feedback: u64,
    n_erasures: u64,
}

/// Explained predictions and how many they stand for.
#[derive(Debug, Serialize)]
struct Coverage {
    n_explained: u64,
    /// `Σ 1/π` over the explained predictions.
    estimated_predictions: f64,
    explained_share: f64,
    n_sampled: usize,
}

/// A feature of a series that has drifted for long enough.
#[derive(Debug, Serialize)]
struct AlarmLine {
    series: String,
    /// Name and version.
    model: String,
    sentence: String,
}

#[derive(Debug, Serialize)]
struct ModelLine {
    name: String,
    version: String,
    digest: String,
    methods: Vec<String>,
    n_records: usize,
    n_failed: usize,
    first_micros: i64,
    last_micros: i64,
    mean_confidence: Option<f64>,
    accuracy: Estimate,
}

#[derive(Debug, Serialize)]
struct CheckLine {
    name: String,
    n_failed: usize,
}

/// Counts in steps of equal width from `low` to `high`.
#[derive(Debug, Serialize)]
pub(super) struct Histogram {
    low: f64,
    high: f64,
    counts: Vec<u64>,
}

impl Histogram {
    fn new(low: f64, high: f64, n: usize) -> Self {
        Self { low, high, counts: vec![0; n] }
    }

    fn add(&mut self, value: f64) {
        let n = self.counts.len();
        let width = (self.high - self.low).max(f64::MIN_POSITIVE);
        let step = ((value - self.low) / width * n as f64) as usize;
        self.counts[step.min(n - 1)] += 1;
    }
}

pub(super) fn overview(dashboard: &Dashboard, _: Asked<'_>) -> Overview {
    let index = &*dashboard.index();
    let times = || index.current().map(|row| row.time_micros);
    let (first, last) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
    let mut histogram = Histogram::new(first as f64, last as f64 + 1.0, N_TIMES);
    let mut confidences = Histogram::new(0.0, 1.0, N_CONFIDENCES);
    for row in index.current() {
        histogram.add(row.time_micros as f64);
        row.confidence().iter().for_each(|&confidence| confidences.add(confidence));
    }
    let newest = newest_of_each(index);
    Overview {
        counts: counts(index, &newest),
        coverage: coverage(&newest),
        alarms: alarms(dashboard, index),
        models: (0..index.models.len()).map(|model| model_line(index, model)).collect(),
        checks: checks(index),
        accuracy: accuracy(index, newest.iter().copied()),
        times: histogram,
        confidences,
    }
}

/// One record for each explained prediction: its newest. Methods explain the same prediction; it counts once.
fn newest_of_each(index: &Index) -> Vec<&Row> {
    index.predictions.iter().filter_map(|it| index.rows.get(it.last_row as usize)).collect()
}

fn counts(index: &Index, newest: &[&Row]) -> Counts {
    let n_of = |outcome| newest.iter().filter(|row| index.outcome(row) == outcome).count();
    let n_current = index.current().count();
    Counts {
        n_entries: index.next_entry,
        n_records: index.rows.len(),
        n_current,
        n_superseded: index.rows.len() - n_current,
        n_erased: index.rows.iter().filter(|row| row.erased).count(),
        n_predictions: newest.len(),
        n_labeled: newest.len() - n_of(Outcome::Unlabeled),
        n_wrong: n_of(Outcome::Wrong),
        n_not_judged: n_of(Outcome::NotJudged),
        n_feedback: index.n_feedback,
        n_erasures: index.n_erasures,
    }
}

fn coverage(newest: &[&Row]) -> Coverage {
    let estimated = represented(newest.iter().copied());
    Coverage {
        n_explained: newest.len() as u64,
        estimated_predictions: estimated,
        explained_share: newest.len() as f64 / estimated,
        n_sampled: newest.iter().filter(|row| row.weight > 1.0).count(),
    }
}

/// What the thread that follows the log found; looking for drift here would take too long.
fn alarms(dashboard: &Dashboard, index: &Index) -> Vec<AlarmLine> {
    let of_series = |series: Series<'_>| {
        let described = series.described();
        let found = dashboard.kept(&(described.id.clone(), Every::Count));
        let line = move |alarm: &Alarm| AlarmLine {
            series: described.id.clone(),
            model: format!("{} {}", described.model, described.version),
            sentence: alarm.sentence.clone(),
        };
        found.map(|found| found.alarms.iter().map(line).collect::<Vec<_>>()).unwrap_or_default()
    };
    Series::all(index, true).into_iter().flat_map(of_series).collect()
}

/// The weighted share of right predictions among those that can be judged.
fn accuracy<'a>(index: &Index, rows: impl Iterator<Item = &'a Row>) -> Estimate {
    let mut sums = Sums::default();
    for row in rows {
        match index.outcome(row) {
            Outcome::Right => sums.add(1.0, row.weight()),
            Outcome::Wrong => sums.add(0.0, row.weight()),
            Outcome::Unlabeled | Outcome::NotJudged => {}
        }
    }
    sums.share_estimate()
}

/// The newest record of a prediction by one model: a later one by another version takes nothing from it.
fn newest_by<'a>(index: &'a Index, prediction: &Prediction, model: usize) -> Option<&'a Row> {
    index.records_of(prediction).find(|row| index.group_of(row).model as usize == model)
}

fn model_line(index: &Index, model: usize) -> ModelLine {
    let rows: Vec<&Row> = index.current().filter(|row| index.group_of(row).model as usize == model).collect();
    let methods = index.groups.iter().filter(|group| group.model as usize == model);
    let mut methods: Vec<String> =
        methods.map(|group| index.methods[group.method as usize].clone()).collect();
    methods.sort();
    methods.dedup();
    let newest: Vec<&Row> = index.predictions.iter().filter_map(|it| newest_by(index, it, model)).collect();
    let mut confidence = Sums::default();
    for row in &newest {
        row.confidence().iter().for_each(|&value| confidence.add(value, row.weight()));
    }
    let named = &index.models[model];
    ModelLine {
        name: named.name.clone(),
        version: named.version.clone(),
        digest: named.digest.clone(),
        methods,
        n_records: rows.len(),
        n_failed: rows.iter().filter(|row| row.failed_checks != 0).count(),
        first_micros: rows.iter().map(|row| row.time_micros).min().unwrap_or(0),
        last_micros: rows.iter().map(|row| row.time_micros).max().unwrap_or(0),
        mean_confidence: (confidence.n() > 0).then(|| confidence.mean()),
        accuracy: accuracy(index, newest.into_iter()),
    }
}

fn checks(index: &Index) -> Vec<CheckLine> {
    let line = |(bit, name): (usize, &String)| CheckLine {
        name: name.clone(),
        n_failed: index.current().filter(|row| row.failed_checks & (1 << bit) != 0).count(),
    };
    index.checks.iter().take(32).enumerate().map(line).collect()
}

//! Drift of a series: its first records are the reference, windows of later ones are compared with it.
//!
//! Records come in the order of the log, the first of each prediction, so that the reference and closed windows stay what they are: each window is
//! compared once. Only an erasure that takes records of the reference begins anew.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use pellucid_drift::{
    Alarm, AlarmRule, Column, FeatureDrift, Options, Part, Ranking, Sample, Verdict, Watch, Window,
    WindowDrift, windows_by_time,
};
use serde::Serialize;

use crate::dashboard::{Dashboard, lock};
use crate::error::ViewError;
use crate::index::{Index, NONE, Row};
use crate::series::Series;
use crate::words;

/// So many records are the reference.
pub(crate) const REFERENCE_ROWS: usize = 1_000;
/// And so many a window: a quarter of the reference, more would not count.
pub(crate) const WINDOW_ROWS: usize = 250;
/// So many windows are shown, the newest.
const MAX_WINDOWS: usize = 40;
/// So many alarms are remembered that were raised or cleared.
const MAX_HISTORY: usize = 200;

/// How records are parted into windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Every {
    Count,
    Hour,
    Day,
    Week,
}

impl Every {
    /// The names of all of them.
    pub(crate) const NAMES: [&str; 4] = ["count", "hour", "day", "week"];

    pub(crate) fn named(name: &str) -> Self {
        match name {
            "hour" => Self::Hour,
            "day" => Self::Day,
            "week" => Self::Week,
            _ => Self::Count,
        }
    }

    fn micros(self) -> Option<i64> {
        let hours = match self {
            Self::Count => return None,
            Self::Hour => 1,
            Self::Day => 24,
            Self::Week => 7 * 24,
        };
        Some(hours * 3_600_000_000)
    }
}

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Watched {
    /// The last entry that had a part in it.
    #[serde(skip)]
    last_entry: u64,
    reference: Span,
    windows: Vec<Compared>,
    /// Of the attributions first; each has a cell for every window.
    features: Vec<Line>,
    /// Those that stand.
    pub(crate) alarms: Vec<Alarm>,
    /// The last that were raised or cleared, in order.
    history: Vec<Alarm>,
    rule: AlarmRule,
    options: Options,
}

/// Records from one time to another.
#[derive(Clone, Debug, Serialize)]
struct Span {
    n_rows: usize,
    start_micros: i64,
    end_micros: i64,
}

#[derive(Debug, Serialize)]
struct Compared {
    #[serde(flatten)]
    span: Span,
    ranking: Option<Ranking>,
}

/// A feature over the windows.
#[derive(Debug, Serialize)]
struct Line {
    part: Part,
    name: String,
    effect_floor: f64,
    cells: Vec<Option<Cell>>,
}

#[derive(Debug, Serialize)]
struct Cell {
    verdict: Verdict,
    effect: f64,
    threshold: Option<f64>,
    q_value: Option<f64>,
    /// In deviations of the reference, with its sign.
    mean_shift: Option<f64>,
    kolmogorov_smirnov: Option<f64>,
    stability_index: Option<f64>,
    share: Option<f64>,
}

impl Cell {
    fn of(found: &FeatureDrift) -> Self {
        Self {
            verdict: found.verdict,
            effect: found.effect,
            threshold: found.threshold,
            q_value: found.q_value,
            mean_shift: found.numbers.map(|numbers| numbers.mean_shift),
            kolmogorov_smirnov: found.numbers.map(|numbers| numbers.kolmogorov_smirnov),
            stability_index: found.stability_index.map(|index| index.value),
            share: found.share.map(|share| share.window),
        }
    }
}

/// The reference of a series, and its windows by count.
#[derive(Debug)]
pub(crate) struct SeriesWatch {
    /// The entries of the reference's records.
    reference_entries: Vec<u64>,
    reference: Span,
    options: Options,
    /// Has seen no window.
    fresh: Watch,
    counted: Observed,
}

/// Windows in order, as far as they are closed.
#[derive(Debug)]
struct Observed {
    watch: Watch,
    /// The last entry of the last window, at first of the reference.
    last_entry: u64,
    /// When the last window begins: the next does not begin before, whatever its records' clock says.
    last_start_micros: i64,
    windows: VecDeque<(Span, WindowDrift)>,
    history: Vec<Alarm>,
}

/// The drift of a series; `None` where it has too few records. What was compared once is not compared again.
pub(crate) fn watched(
    dashboard: &Dashboard,
    series: &str,
    every: Every,
) -> Result<Option<Arc<Watched>>, ViewError> {
    let watching = dashboard.watching(series);
    let mut watching = lock(&watching);
    let is_whole = |it: &SeriesWatch| {
        with_series(dashboard, series, |series| {
            rows_at(series, &it.reference_entries).len() == REFERENCE_ROWS
        })
    };
    let whole = watching.as_ref().map(is_whole).transpose()?.unwrap_or(false);
    if !whole {
        *watching = SeriesWatch::new(dashboard, series)?;
    }
    let Some(it) = watching.as_mut() else { return Ok(None) };
    let key = (series.to_owned(), every);
    let kept = |last_entry: u64| {
        dashboard.kept(&key).filter(|kept| whole && kept.last_entry == last_entry).map(Some)
    };
    let (observed, last_entry);
    let of_time;
    match every.micros() {
        None => {
            it.counted.go_on(dashboard, series)?;
            (observed, last_entry) = (&it.counted, it.counted.last_entry);
            if let Some(kept) = kept(last_entry) {
                return Ok(kept);
            }
        }
        Some(width) => {
            let places =
                with_series(dashboard, series, |series| places_behind(series, &it.reference_entries))?;
            last_entry = places.iter().map(|(_, entry)| *entry).max().unwrap_or(it.last_of_reference());
            if let Some(kept) = kept(last_entry) {
                return Ok(kept);
            }
            of_time = by_time(dashboard, series, it, &places, width)?;
            observed = &of_time;
        }
    }
    let found = shown(it, observed, last_entry);
    Ok(Some(dashboard.keep(key, found)))
}

impl SeriesWatch {
    /// `None` where there are too few records.
    fn new(dashboard: &Dashboard, series: &str) -> Result<Option<Self>, ViewError> {
        let first = with_series(dashboard, series, |series| {
            let rows: Vec<&Row> = series.first_behind(None).take(REFERENCE_ROWS).collect();
            let entries: Vec<u64> = rows.iter().map(|row| row.entry).collect();
            (rows.len() == REFERENCE_ROWS).then(|| (entries, span(&rows), sample(series, &rows)))
        })?;
        let Some((reference_entries, reference, sample)) = first else { return Ok(None) };
        let options = Options { window_rows: WINDOW_ROWS, ..Options::default() };
        let fresh = Watch::new(&sample, options.clone(), AlarmRule::default()).map_err(unavailable)?;
        let last_entry = reference_entries.last().copied().unwrap_or(0);
        let counted = Observed::new(&fresh, last_entry);
        Ok(Some(Self { reference_entries, reference, options, fresh, counted }))
    }

    fn last_of_reference(&self) -> u64 {
        self.reference_entries.last().copied().unwrap_or(0)
    }
}

impl Observed {
    fn new(fresh: &Watch, last_entry: u64) -> Self {
        let watch = fresh.clone();
        let (windows, history) = (VecDeque::new(), Vec::new());
        Self { watch, last_entry, last_start_micros: i64::MIN, windows, history }
    }

    /// Compares the windows that were closed since the last time. The index is looked into for as long as it takes to copy one: comparing takes
    /// longer than a writer may wait.
    fn go_on(&mut self, dashboard: &Dashboard, series: &str) -> Result<(), ViewError> {
        loop {
            let next = with_series(dashboard, series, |series| {
                let rows: Vec<&Row> = series.first_behind(Some(self.last_entry)).take(WINDOW_ROWS).collect();
                let last_entry = rows.last().map(|row| row.entry)?;
                (rows.len() == WINDOW_ROWS).then(|| (span(&rows), sample(series, &rows), last_entry))
            })?;
            let Some((span, sample, last_entry)) = next else { return Ok(()) };
            self.take(span, &sample)?;
            self.last_entry = last_entry;
        }
    }

    fn take(&mut self, span: Span, sample: &Sample) -> Result<(), ViewError> {
        self.last_start_micros = self.last_start_micros.max(span.start_micros);
        let window = Window {
            rows: 0..span.n_rows,
            start_micros: self.last_start_micros,
            end_micros: span.end_micros.max(self.last_start_micros),
        };
        let pellucid_drift::Observed { drift, changed } =
            self.watch.observe(&window, sample).map_err(unavailable)?;
        self.history.extend(changed);
        self.history.drain(..self.history.len().saturating_sub(MAX_HISTORY));
        self.windows.push_back((span, drift));
        self.windows.drain(..self.windows.len().saturating_sub(MAX_WINDOWS));
        Ok(())
    }
}

/// The newest windows of so many microseconds; the last may still fill.
fn by_time(
    dashboard: &Dashboard,
    series: &str,
    watch: &SeriesWatch,
    places: &[(i64, u64)],
    width: i64,
) -> Result<Observed, ViewError> {
    let times: Vec<i64> = places.iter().map(|(micros, _)| *micros).collect();
    let windows = windows_by_time(&times, 0, width).map_err(unavailable)?;
    let mut observed = Observed::new(&watch.fresh, watch.last_of_reference());
    for window in windows.iter().skip(windows.len().saturating_sub(MAX_WINDOWS)) {
        let entries: Vec<u64> = places[window.rows.clone()].iter().map(|(_, entry)| *entry).collect();
        let sample = with_series(dashboard, series, |series| sample(series, &rows_at(series, &entries)))?;
        // Everything in it was erased meanwhile.
        if sample.n_rows() > 0 {
            let (start_micros, end_micros) = (window.start_micros, window.end_micros);
            observed.take(Span { n_rows: sample.n_rows(), start_micros, end_micros }, &sample)?;
        }
    }
    Ok(observed)
}

/// The time and entry of each record behind the reference, in the order of time.
fn places_behind(series: &Series<'_>, reference_entries: &[u64]) -> Vec<(i64, u64)> {
    let behind = series.first_behind(reference_entries.last().copied());
    let mut places: Vec<(i64, u64)> = behind.map(|row| (row.time_micros, row.entry)).collect();
    places.sort_unstable();
    places
}

/// The records at these entries that still have their numbers.
fn rows_at<'a>(series: &Series<'a>, entries: &[u64]) -> Vec<&'a Row> {
    let rows = entries.iter().filter_map(|entry| series.index.row_at(*entry));
    rows.filter(|row| row.matrix_row != NONE).collect()
}

/// Looks into the index for as long as `take` takes.
fn with_series<T>(
    dashboard: &Dashboard,
    id: &str,
    take: impl FnOnce(&Series<'_>) -> T,
) -> Result<T, ViewError> {
    dashboard.with_index(|index| {
        let found = Series::all(index, true).into_iter().find(|series| series.id() == id);
        let found = found
            .ok_or_else(|| ViewError::not_found(format!("no series `{id}`: choose one that is listed")))?;
        Ok(take(&found))
    })
}

/// The windows as lines of features.
fn shown(watch: &SeriesWatch, observed: &Observed, last_entry: u64) -> Watched {
    let mut lines: BTreeMap<(Part, &str), Line> = BTreeMap::new();
    for (place, (_, drift)) in observed.windows.iter().enumerate() {
        for found in &drift.features {
            let line = lines.entry((found.part, found.name.as_str())).or_insert_with(|| Line {
                part: found.part,
                name: found.name.clone(),
                effect_floor: found.effect_floor,
                cells: Vec::new(),
            });
            // A feature that was not found before, such as a value that begins to be missing.
            line.cells.resize_with(place, || None);
            line.cells.push(Some(Cell::of(found)));
        }
    }
    let mut features: Vec<Line> = lines.into_values().collect();
    features.iter_mut().for_each(|line| line.cells.resize_with(observed.windows.len(), || None));
    let compared =
        |(span, drift): &(Span, WindowDrift)| Compared { span: span.clone(), ranking: drift.ranking.clone() };
    Watched {
        last_entry,
        reference: watch.reference.clone(),
        windows: observed.windows.iter().map(compared).collect(),
        features,
        alarms: observed.watch.standing().into_iter().cloned().collect(),
        history: observed.history.clone(),
        rule: AlarmRule::default(),
        options: watch.options.clone(),
    }
}

fn span(rows: &[&Row]) -> Span {
    let times = || rows.iter().map(|row| row.time_micros);
    let (start_micros, end_micros) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
    Span { n_rows: rows.len(), start_micros, end_micros: end_micros.saturating_add(1) }
}

fn sample(series: &Series<'_>, rows: &[&Row]) -> Sample {
    let index = series.index;
    let group = series.group();
    let attribution = |(feature, name): (usize, &String)| {
        let values = rows.iter().map(|row| f64::from(group.attributions(row.matrix_row)[feature]));
        Column::numeric(name.as_str(), values.collect::<Vec<_>>())
    };
    let input = |(feature, name): (usize, &String)| {
        let values = rows.iter().map(|row| f64::from(group.inputs(row.matrix_row)[feature]));
        match group.categories.get(feature).filter(|names| !names.is_empty()) {
            Some(names) => {
                Column::categorical(name.as_str(), values.map(|x| words::shown(Some(x), Some(names))))
            }
            None => Column::numeric(name.as_str(), values.collect::<Vec<_>>()),
        }
    };
    Sample {
        comparability_key: group.key.clone(),
        inclusion_probabilities: Some(rows.iter().map(|row| 1.0 / row.weight()).collect()),
        groups: None,
        attributions: group.names.iter().enumerate().map(attribution).collect(),
        inputs: group.names.iter().enumerate().map(input).collect(),
        predictions: predictions(index, rows),
    }
}

fn predictions(index: &Index, rows: &[&Row]) -> Vec<Column> {
    let outputs: Vec<f64> = rows.iter().map(|row| f64::from(row.output)).collect();
    let mut columns = Vec::new();
    if outputs.iter().all(|output| output.is_finite()) {
        columns.push(Column::numeric("explained output", outputs));
    }
    let class = |row: &&Row| index.model_of(row).class_name(row.class);
    if let Some(classes) = rows.iter().map(class).collect::<Option<Vec<String>>>() {
        columns.push(Column::categorical("predicted class", classes));
    }
    columns
}

fn unavailable(fault: pellucid_drift::Error) -> ViewError {
    ViewError::unavailable(format!("drift cannot be computed: {fault}"))
}

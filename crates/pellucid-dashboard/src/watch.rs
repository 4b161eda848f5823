//! Drift of a series: its first records are the reference, windows of later ones are compared with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use pellucid_drift::{
    Alarm, AlarmRule, Column, FeatureDrift, Monitor, Options, Part, Ranking, Reference, Sample, Verdict,
    Window, windows_by_count, windows_by_time,
};
use serde::Serialize;

use crate::dashboard::Dashboard;
use crate::error::ViewError;
use crate::index::{Index, Row};
use crate::series::Series;
use crate::words;

/// The reference has at most so many records, and at most a third of the series.
const REFERENCE_ROWS: usize = 2_000;
/// Fewer records are no reference.
const MIN_REFERENCE_ROWS: usize = 200;
/// A window has so many records, or twice, four times … as many: the fewest that leave `MAX_WINDOWS`. In a short series it has
/// less.
const WINDOW_ROWS: usize = 500;
const MIN_WINDOW_ROWS: usize = 200;
const MAX_WINDOWS: usize = 40;

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

/// What was found; kept until the series has grown.
#[derive(Debug, Serialize)]
pub(crate) struct Watched {
    #[serde(skip)]
    pub(crate) n_rows: usize,
    reference: Span,
    windows: Vec<Compared>,
    /// Of the attributions first; each has a cell for every window.
    features: Vec<Line>,
    /// Those that stand.
    pub(crate) alarms: Vec<Alarm>,
    /// All that were raised or cleared, in order.
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

/// The drift of a series; `None` where it has too few records. Looked up again as long as nothing was added.
pub(crate) fn watched(
    dashboard: &Dashboard,
    series: &str,
    every: Every,
) -> Result<Option<Arc<Watched>>, ViewError> {
    let places = with_series(dashboard, series, places)?;
    let key = (series.to_owned(), every);
    if let Some(kept) = dashboard.kept(&key).filter(|kept| kept.n_rows == places.len()) {
        return Ok(Some(kept));
    }
    let reference_rows = (places.len() / 3).min(REFERENCE_ROWS);
    if reference_rows < MIN_REFERENCE_ROWS {
        return Ok(None);
    }
    let found = compare(dashboard, series, every, &places, reference_rows)?;
    Ok(Some(dashboard.keep(key, found)))
}

/// The time and place of each record that has its numbers, in the order of time.
fn places(series: &Series<'_>) -> Vec<(i64, u64)> {
    let mut places: Vec<(i64, u64)> =
        series.explained().map(|(row, ..)| (row.time_micros, row.entry)).collect();
    places.sort_unstable();
    places
}

/// Looks into the index for as long as it takes to copy: comparing takes longer than a writer may wait.
fn with_series<T>(
    dashboard: &Dashboard,
    id: &str,
    take: impl FnOnce(&Series<'_>) -> T,
) -> Result<T, ViewError> {
    let index = dashboard.index();
    let found = Series::all(&index, true).into_iter().find(|series| series.id() == id);
    let found =
        found.ok_or_else(|| ViewError::not_found(format!("no series `{id}`: choose one that is listed")))?;
    Ok(take(&found))
}

fn compare(
    dashboard: &Dashboard,
    series: &str,
    every: Every,
    places: &[(i64, u64)],
    reference_rows: usize,
) -> Result<Watched, ViewError> {
    let (first, rest) = places.split_at(reference_rows);
    let windows = windows(rest, every)?;
    let typical = windows.iter().map(|window| window.rows.len()).max().unwrap_or(WINDOW_ROWS);
    let options = Options { window_rows: typical, ..Options::default() };
    let rule = AlarmRule::default();
    let sample = |places: &[(i64, u64)]| with_series(dashboard, series, |series| sample(series, places));
    let reference = Reference::new(sample(first)?, options.clone()).map_err(unavailable)?;
    let mut monitor = Monitor::new(reference.comparability_key(), rule).map_err(unavailable)?;
    let mut lines: BTreeMap<(Part, String), Line> = BTreeMap::new();
    let (mut compared, mut history) = (Vec::new(), Vec::new());
    for window in &windows {
        let sampled = sample(&rest[window.rows.clone()])?;
        // Everything in it was erased meanwhile.
        if sampled.n_rows() == 0 {
            continue;
        }
        let drift = reference.compare(&sampled).map_err(unavailable)?;
        history.extend(monitor.observe(window, &drift).map_err(unavailable)?);
        for found in &drift.features {
            let line = lines.entry((found.part, found.name.clone())).or_insert_with(|| Line {
                part: found.part,
                name: found.name.clone(),
                effect_floor: found.effect_floor,
                cells: Vec::new(),
            });
            // A feature that was not found before, such as a value that begins to be missing.
            line.cells.resize_with(compared.len(), || None);
            line.cells.push(Some(Cell::of(found)));
        }
        let (start_micros, end_micros) = (window.start_micros, window.end_micros);
        let span = Span { n_rows: sampled.n_rows(), start_micros, end_micros };
        compared.push(Compared { span, ranking: drift.ranking });
    }
    let mut features: Vec<Line> = lines.into_values().collect();
    features.iter_mut().for_each(|line| line.cells.resize_with(compared.len(), || None));
    Ok(Watched {
        n_rows: places.len(),
        reference: span(first),
        windows: compared,
        features,
        alarms: monitor.standing().cloned().collect(),
        history,
        rule,
        options,
    })
}

fn span(places: &[(i64, u64)]) -> Span {
    let time = |place: Option<&(i64, u64)>| place.map_or(0, |(micros, _)| *micros);
    Span { n_rows: places.len(), start_micros: time(places.first()), end_micros: time(places.last()) }
}

/// The newest windows of the records behind the reference.
fn windows(places: &[(i64, u64)], every: Every) -> Result<Vec<Window>, ViewError> {
    let times: Vec<i64> = places.iter().map(|(micros, _)| *micros).collect();
    let mut windows = match every.micros() {
        Some(width) => windows_by_time(&times, 0, width),
        None => {
            let mut size = (times.len() / 12).clamp(MIN_WINDOW_ROWS, WINDOW_ROWS);
            while times.len() / size > MAX_WINDOWS {
                size *= 2;
            }
            windows_by_count(&times, size)
        }
    }
    .map_err(unavailable)?;
    windows.drain(..windows.len().saturating_sub(MAX_WINDOWS));
    Ok(windows)
}

fn sample(series: &Series<'_>, places: &[(i64, u64)]) -> Sample {
    let index = series.index;
    let group = series.group();
    // An erasure may have come in between; and a method may have given what is no number.
    let whole = |row: &&Row| group.attributions(row.matrix_row).iter().all(|x| x.is_finite()) && !row.erased;
    let rows: Vec<&Row> = places.iter().filter_map(|(_, entry)| index.row_at(*entry)).filter(whole).collect();
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
        predictions: predictions(index, &rows),
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

//! Dependence: how the value of one feature follows what the rows hold for it.

pub(super) mod across;

use std::collections::BTreeMap;

use crate::chart::mark::Rect;
use crate::chart::paint::MAX_GROUPS;
use crate::chart::{Align, Axis, Canvas, Paint, QUIET_LABEL, Scale, Shape, Stroke, TICK};
use crate::number::{Digits, rows};
use crate::tabular::feature_color::FeatureColor;
use crate::tabular::frame::{Frame, MARGIN, RIGHT};
use crate::tabular::legend::{draw_groups, draw_values};
use crate::tabular::partner::strongest_partner;
use crate::tabular::{Options, Table, check_index};
use crate::{Chart, Error};
use across::{Across, HISTOGRAM_HEIGHT};

const HEIGHT: f64 = 400.0;
const RADIUS: f64 = 2.6;
/// Up to so many rows each is a dot; beyond, cells show where they are.
const MAX_DOTS: usize = 5_000;
/// Up to so many rows each tells what it holds when pointed at.
const MAX_TOLD_DOTS: usize = 2_000;
/// Side of a cell that holds many rows.
const CELL: f64 = 4.0;
/// A cell with one row is this much of a full one's side.
const SMALLEST_CELL: f64 = 0.55;

/// What the dots of a dependence chart are colored by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coloring {
    /// Nothing: all dots have one color.
    Plain,
    /// What the rows hold for this feature.
    Feature(usize),
    /// What the rows hold for this feature, known to interact most.
    Interacting(usize),
    /// What the rows hold for the feature that changes the effect most, as far as the rows at hand tell.
    Strongest,
}

/// The value of `feature` above what each row holds for it, colored by what the row holds for another feature, so that
/// interactions show as colors that part.
///
/// Up to 5,000 rows, each is a dot. Beyond, cells four units wide stand for all rows that fall to them, larger where
/// there are more, in the middle color of theirs; none is left out. Missing feature values have a place of their own at
/// the left; infinite ones are not drawn, and the chart says so.
///
/// # Errors
/// [`Error::Index`] for a feature beyond the last, [`Error::NoData`] if nobody knows what the rows hold, and what is
/// wrong with `table` or `options`.
pub fn dependence(
    table: &Table<'_>,
    feature: usize,
    coloring: Coloring,
    options: &Options,
) -> Result<Chart, Error> {
    table.check(options)?;
    check_index("feature", feature, table.n_features())?;
    if let Coloring::Feature(other) | Coloring::Interacting(other) = coloring {
        check_index("feature", other, table.n_features())?;
    }
    if table.data.is_none() {
        return Err(Error::NoData { chart: "dependence" });
    }
    let color = Colors::new(table, feature, coloring);
    let mut frame = Frame::new(options);
    color.draw_legend(&mut frame, table);
    let title = value_title(table, feature);
    let title = frame.canvas.shortened(&title, QUIET_LABEL, RIGHT - MARGIN);
    frame.canvas.text(&title, QUIET_LABEL, Align::Left, (MARGIN, frame.y + 12.0));
    frame.y += 24.0;

    let (top, bottom) = (frame.y, frame.y + HEIGHT);
    let values = table.values.column(feature);
    let up =
        Scale::over(values.iter().copied(), (bottom - HISTOGRAM_HEIGHT - 2.0 * RADIUS, top + 2.0 * RADIUS))
            .widened(0.02);
    let up = Axis::vertical(up);
    let labels = up.ticks.iter().map(|(_, label)| frame.canvas.width(label, TICK));
    let left = MARGIN + labels.fold(0.0, f64::max).ceil() + 8.0;
    let across = Across::new(table, feature, (left, RIGHT), &frame.canvas);
    up.draw_left(&mut frame.canvas, left, RIGHT);
    across.draw_histogram(&mut frame.canvas, table, feature, bottom);
    let below = across.draw_axis(&mut frame.canvas, top, bottom);
    if up.scale.low < 0.0 && up.scale.high > 0.0 {
        let zero = up.scale.place(0.0);
        frame.canvas.line((left, zero), (RIGHT, zero), Stroke::solid(Paint::Neutral, 1.0));
    }
    let points = points(table, feature, &color, &across, &up.scale);
    if points.len() > MAX_DOTS {
        draw_cells(&mut frame.canvas, &points);
    } else {
        draw_dots(&mut frame.canvas, table, feature, &color, &points, up.scale.digits());
    }
    frame.axis_title(&table.features[feature].name_and_unit(), left, below - 20.0);
    add_notes(&mut frame, table, points.len(), &color);
    frame.note(color_note(table, coloring, color.feature));
    Ok(frame.finish(options, description(table, feature, &color)))
}

/// `SHAP value of age for good credit (log-odds)`.
fn value_title(table: &Table<'_>, feature: usize) -> String {
    let output = table.output;
    let subject = if output.name.is_empty() { String::new() } else { format!(" for {}", output.name) };
    let unit = if output.unit.is_empty() { String::new() } else { format!(" ({})", output.unit) };
    format!("{} of {}{subject}{unit}", output.value_name, table.features[feature].name)
}

struct Point {
    row: usize,
    x: f64,
    y: f64,
    paint: Paint,
}

/// All rows that have a place, in the order of their rows.
fn points(table: &Table<'_>, feature: usize, color: &Colors, across: &Across, up: &Scale) -> Vec<Point> {
    let values = table.values.column(feature);
    let point = |row: usize| {
        let x = across.place(table.datum(row, feature), row)?;
        Some(Point { row, x, y: up.place(values[row]), paint: color.paint(table, row) })
    };
    (0..table.n_rows()).filter_map(point).collect()
}

fn draw_dots(
    canvas: &mut Canvas,
    table: &Table<'_>,
    feature: usize,
    color: &Colors,
    points: &[Point],
    digits: Digits,
) {
    if points.len() > MAX_TOLD_DOTS {
        let mut by_paint: BTreeMap<Paint, Vec<(f64, f64)>> = BTreeMap::new();
        for point in points {
            by_paint.entry(point.paint).or_default().push((point.x, point.y));
        }
        for (paint, centers) in by_paint {
            canvas.discs(centers, RADIUS, paint);
        }
        return;
    }
    for &Point { row, x, y, paint } in points {
        let mut tooltip = format!("{}: {}", table.row_name(row), table.statement(row, feature));
        if let Some(other) = color.feature {
            tooltip += &format!(", {}", table.statement(row, other));
        }
        tooltip += &format!(": {}", digits.write_signed(table.values[[row, feature]]));
        canvas.telling(tooltip, |canvas| canvas.discs(vec![(x, y)], RADIUS, paint));
    }
}

fn draw_cells(canvas: &mut Canvas, points: &[Point]) {
    let mut cells: BTreeMap<(i64, i64), Vec<Paint>> = BTreeMap::new();
    for point in points {
        let cell = ((point.x / CELL).floor() as i64, (point.y / CELL).floor() as i64);
        cells.entry(cell).or_default().push(point.paint);
    }
    let mut counts: Vec<usize> = cells.values().map(Vec::len).collect();
    counts.sort_unstable();
    let full = counts[(counts.len() - 1) * 3 / 4] as f64;
    let mut by_paint: BTreeMap<Paint, Vec<Rect>> = BTreeMap::new();
    for ((column, row), mut paints) in cells {
        let side = CELL * (paints.len() as f64 / full).sqrt().clamp(SMALLEST_CELL, 1.0);
        let (x, y) = ((column as f64 + 0.5) * CELL - side / 2.0, (row as f64 + 0.5) * CELL - side / 2.0);
        by_paint.entry(typical(&mut paints)).or_default().push(Rect { x, y, width: side, height: side });
    }
    for (paint, rects) in by_paint {
        canvas.push(Shape::Rects(rects), Some(paint), None);
    }
}

/// The middle one of ordered colors, the most frequent one of others.
fn typical(paints: &mut [Paint]) -> Paint {
    paints.sort_unstable();
    let ordered: Vec<Paint> =
        paints.iter().copied().filter(|paint| matches!(paint, Paint::Value(_))).collect();
    if !ordered.is_empty() {
        return ordered[ordered.len() / 2];
    }
    let runs = paints.chunk_by(|a, b| a == b);
    runs.max_by_key(|run| run.len()).map_or(Paint::Missing, |run| run[0])
}

/// Which row gets which color.
struct Colors {
    feature: Option<usize>,
    numbers: Option<FeatureColor>,
    /// The most frequent categories in the order of their codes, each with its color.
    categories: BTreeMap<usize, Paint>,
    has_gray: bool,
}

impl Colors {
    fn new(table: &Table<'_>, feature: usize, coloring: Coloring) -> Self {
        let other = match coloring {
            Coloring::Plain => None,
            Coloring::Feature(other) | Coloring::Interacting(other) => Some(other),
            Coloring::Strongest => strongest_partner(table, feature),
        };
        let plain = Self { feature: None, numbers: None, categories: BTreeMap::new(), has_gray: false };
        let Some(other) = other else { return plain };
        let data = || (0..table.n_rows()).map(|row| table.datum(row, other));
        let missing = data().any(f64::is_nan);
        if !table.features[other].is_categorical() {
            let numbers = Some(FeatureColor::of(&table.features[other], data()));
            return Self { feature: Some(other), numbers, has_gray: missing, ..plain };
        }
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for code in data().filter(|code| !code.is_nan()) {
            *counts.entry(code as usize).or_default() += 1;
        }
        let mut codes: Vec<usize> = counts.keys().copied().collect();
        codes.sort_by_key(|code| (std::cmp::Reverse(counts[code]), *code));
        let has_others = codes.len() > MAX_GROUPS;
        codes.truncate(MAX_GROUPS);
        codes.sort_unstable();
        let categories = codes.into_iter().zip((0..).map(Paint::Group)).collect();
        Self { feature: Some(other), categories, has_gray: missing || has_others, ..plain }
    }

    fn paint(&self, table: &Table<'_>, row: usize) -> Paint {
        let Some(feature) = self.feature else { return Paint::Accent };
        let datum = table.datum(row, feature);
        match &self.numbers {
            Some(numbers) => numbers.paint(datum),
            None if datum.is_nan() => Paint::Missing,
            None => self.categories.get(&(datum as usize)).copied().unwrap_or(Paint::Missing),
        }
    }

    fn draw_legend(&self, frame: &mut Frame, table: &Table<'_>) {
        let Some(index) = self.feature else { return };
        let feature = &table.features[index];
        if let Some(numbers) = &self.numbers {
            let [low, high] = numbers.ends();
            let gray = self.has_gray.then_some("missing");
            draw_values(&mut frame.canvas, frame.y, &feature.name_and_unit(), [&low, &high], gray);
            frame.y += 26.0;
            return;
        }
        let named = self.categories.iter().map(|(&code, &paint)| (paint, feature.categories[code].clone()));
        let gray = self.has_gray.then(|| (Paint::Missing, "other or missing".to_owned()));
        let groups: Vec<(Paint, String)> = named.chain(gray).collect();
        frame.y = draw_groups(&mut frame.canvas, frame.y, &feature.name, &groups) + 4.0;
    }
}

fn add_notes(frame: &mut Frame, table: &Table<'_>, n_drawn: usize, color: &Colors) {
    let n_rows = table.n_rows();
    let all = rows(n_rows);
    if n_drawn > MAX_DOTS {
        let middle = if color.feature.is_some() { ", in the middle color of theirs" } else { "" };
        frame.note(format!("{all} in cells, larger where there are more{middle}."));
    } else {
        frame.note(if n_rows == 1 { "One row.".to_owned() } else { format!("Each dot is one of {all}.") });
    }
    if n_drawn < n_rows {
        frame.note(format!("{} with infinite values are not drawn.", rows(n_rows - n_drawn)));
    }
    frame.note("The gray columns count rows.");
    if color.numbers.is_some() {
        frame.note("Colors run from the 5th to the 95th percentile.");
    }
}

/// Why the colors are those of this feature.
fn color_note(table: &Table<'_>, coloring: Coloring, other: Option<usize>) -> String {
    let name = |other: usize| &table.features[other].name;
    match (coloring, other) {
        (Coloring::Strongest, Some(other)) => {
            format!(
                "Colored by the feature that changes this effect most, estimated from these rows: {}.",
                name(other)
            )
        }
        (Coloring::Interacting(_), Some(other)) => {
            format!("Colored by the feature with the largest interactions with this one: {}.", name(other))
        }
        _ => String::new(),
    }
}

fn description(table: &Table<'_>, feature: usize, color: &Colors) -> String {
    let colored =
        color.feature.map_or(String::new(), |other| format!(", colored by {}", table.features[other].name));
    format!("{} against its own value, {}{colored}", value_title(table, feature), rows(table.n_rows()))
}

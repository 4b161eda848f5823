//! Beeswarm: all values of all rows, feature by feature, colored by what the rows hold.

use std::collections::BTreeMap;

use crate::chart::mark::Rect;
use crate::chart::{Axis, Canvas, Paint, Scale, Shape, Stroke};
use crate::number::{Digits, count, rows};
use crate::tabular::feature_color::FeatureColor;
use crate::tabular::frame::{Frame, Name, Names, RIGHT};
use crate::tabular::legend::draw_values;
use crate::tabular::ranking::{Ranking, mean_sizes};
use crate::tabular::{Options, Table};
use crate::{Chart, Error};

const ROW_HEIGHT: f64 = 34.0;
/// How far a swarm reaches from the middle of its row.
const HALF_HEIGHT: f64 = 14.5;
const RADIUS: f64 = 2.7;
/// Up to so many rows each is a dot; beyond, dots would lie on each other, and cells show how many there are.
const MAX_DOT_ROWS: usize = 2_000;
/// Up to so many dots each tells its row when pointed at.
const MAX_TOLD_DOTS: usize = 2_500;
/// Side of a cell.
const CELL: f64 = 2.0;

/// One dot a row, or one band of cells for all, for each of the largest features: to the right where the feature pushes
/// the output up, colored by the feature's value.
///
/// Up to 2,000 rows, each is a dot. Beyond, rows are counted in columns two units wide; a column's height grows with the
/// square root of its count, so that neither a spike nor a thin tail is lost, and its colors are the feature's values in
/// that column, from low at the bottom to high on top. No row is left out.
///
/// # Errors
/// What is wrong with `table` or `options`.
pub fn beeswarm(table: &Table<'_>, options: &Options) -> Result<Chart, Error> {
    table.check(options)?;
    let sizes = mean_sizes(table.values);
    let ranking = Ranking::of(&sizes, options.max_features);
    let mut frame = Frame::new(options);
    let rest = format!("sum of {} other features", count(ranking.rest.len()));
    let shown = ranking.shown.iter().map(|&feature| Name::plain(&table.features[feature].name));
    let names: Vec<Name> = shown.chain((!ranking.rest.is_empty()).then(|| Name::plain(&rest))).collect();
    let places = Names::new(&names, &frame.canvas);
    add_legend(&mut frame, table, &ranking);

    let ends = (places.left + 2.0 * RADIUS, RIGHT - 2.0 * RADIUS);
    let axis = Axis::horizontal(Scale::over(all_values(table, &ranking), ends), &frame.canvas);
    let bottom = frame.y + ROW_HEIGHT * names.len() as f64 + 4.0;
    axis.draw_below(&mut frame.canvas, frame.y, bottom);
    let zero = axis.scale.place(0.0);
    frame.canvas.line((zero, frame.y), (zero, bottom), Stroke::solid(Paint::Neutral, 1.0));
    let mut tooltips = Vec::new();
    for index in 0..names.len() {
        // One after the other: the points of all features together may be large.
        let swarm = match ranking.shown.get(index) {
            Some(&feature) => swarm(table, feature, sizes[feature]),
            None => swarm_of_rest(table, &ranking.rest, &rest),
        };
        let middle = frame.y + 2.0 + ROW_HEIGHT * (index as f64 + 0.5);
        let draw_name = |canvas: &mut Canvas| places.draw(canvas, index, middle);
        draw_swarm(&mut frame.canvas, table, &swarm, (axis.scale, middle, names.len()), draw_name);
        tooltips.push(swarm.tooltip);
    }
    frame.axis_title(&table.output.value_axis_title(""), places.left, bottom);
    add_notes(&mut frame, table);
    let rows = rows(table.n_rows());
    let value_name = &table.output.value_name;
    let description = format!("Beeswarm of the {value_name} of {rows}. {}", tooltips.join(". "));
    Ok(frame.finish(options, description))
}

/// Every value that is drawn, and zero.
fn all_values(table: &Table<'_>, ranking: &Ranking) -> impl Iterator<Item = f64> {
    let shown = ranking.shown.iter().flat_map(|&feature| table.values.column(feature).into_iter().copied());
    let rest = (0..table.n_rows()).map(|row| rest_of(table, &ranking.rest, row));
    shown.chain(rest).chain([0.0])
}

fn rest_of(table: &Table<'_>, rest: &[usize], row: usize) -> f64 {
    rest.iter().map(|&feature| table.values[[row, feature]]).sum()
}

/// A feature with its points.
struct Swarm {
    tooltip: String,
    /// The feature, unless it is a sum of several.
    feature: Option<usize>,
    points: Vec<Point>,
    digits: Digits,
}

#[derive(Clone, Copy)]
struct Point {
    row: usize,
    value: f64,
    /// What the row holds; NaN if that is missing.
    datum: f64,
    paint: Paint,
}

fn swarm(table: &Table<'_>, index: usize, size: f64) -> Swarm {
    let feature = &table.features[index];
    let data = || (0..table.n_rows()).map(|row| table.datum(row, index));
    let color = FeatureColor::of(feature, data());
    let values = table.values.column(index);
    let point = |(row, datum)| Point { row, value: values[row], datum, paint: color.paint(datum) };
    let points: Vec<Point> = data().enumerate().map(point).collect();
    let digits = digits_of(&points);
    let mean = Digits::of_span(size, size).write(size);
    let range = range_of(&points, digits);
    let mut tooltip = format!("{}: mean |{}| {mean}, {range}", feature.name, table.output.value_name);
    if table.data.is_some() && !feature.is_categorical() {
        tooltip += &format!("; feature value low {}, high {}", color.ends()[0], color.ends()[1]);
    }
    let n_missing = points.iter().filter(|point| point.datum.is_nan()).count();
    if table.data.is_some() && n_missing > 0 {
        tooltip += &format!("; missing in {}", rows(n_missing));
    }
    Swarm { tooltip, feature: Some(index), points, digits }
}

fn swarm_of_rest(table: &Table<'_>, rest: &[usize], name: &str) -> Swarm {
    let point = |row| Point { row, value: rest_of(table, rest, row), datum: f64::NAN, paint: Paint::Missing };
    let points: Vec<Point> = (0..table.n_rows()).map(point).collect();
    let digits = digits_of(&points);
    Swarm { tooltip: format!("{name}: {}", range_of(&points, digits)), feature: None, points, digits }
}

fn digits_of(points: &[Point]) -> Digits {
    let largest = points.iter().fold(0.0, |max: f64, point| max.max(point.value.abs()));
    Digits::of_span(largest, largest)
}

fn range_of(points: &[Point], digits: Digits) -> String {
    let low = points.iter().fold(f64::INFINITY, |low, point| low.min(point.value));
    let high = points.iter().fold(f64::NEG_INFINITY, |high, point| high.max(point.value));
    format!("from {} to {}", digits.write_signed(low), digits.write_signed(high))
}

/// What colors mean, where anybody knows what the rows hold.
fn add_legend(frame: &mut Frame, table: &Table<'_>, ranking: &Ranking) {
    let Some(data) = table.data else { return };
    let missing =
        ranking.shown.iter().any(|&feature| data.column(feature).iter().any(|datum| datum.is_nan()));
    let categorical = ranking.shown.iter().any(|&feature| table.features[feature].is_categorical());
    let gray = match (missing, categorical || !ranking.rest.is_empty()) {
        (true, true) => Some("missing or without order"),
        (true, false) => Some("missing"),
        (false, true) => Some("without order"),
        (false, false) => None,
    };
    draw_values(&mut frame.canvas, frame.y, "Feature value", ["low", "high"], gray);
    frame.y += 24.0;
}

/// Points in columns as wide as `width`, each column from its lowest feature value up; missing ones lie lowest.
fn columns(swarm: &Swarm, scale: Scale, width: f64) -> BTreeMap<i64, Vec<Point>> {
    let mut columns: BTreeMap<i64, Vec<Point>> = BTreeMap::new();
    for point in &swarm.points {
        let column = ((scale.place(point.value) - scale.start) / width).floor() as i64;
        columns.entry(column).or_default().push(*point);
    }
    for points in columns.values_mut() {
        points
            .sort_by(|a, b| a.paint.cmp(&b.paint).then(a.datum.total_cmp(&b.datum)).then(a.row.cmp(&b.row)));
    }
    columns
}

/// The name of a swarm with its points: together one thing that tells something, or one for each dot.
fn draw_swarm(
    canvas: &mut Canvas,
    table: &Table<'_>,
    swarm: &Swarm,
    (scale, middle, n_swarms): (Scale, f64, usize),
    draw_name: impl FnOnce(&mut Canvas),
) {
    let dotted = swarm.points.len() <= MAX_DOT_ROWS;
    let told = swarm.points.len() * n_swarms <= MAX_TOLD_DOTS;
    canvas.telling(swarm.tooltip.clone(), |canvas| {
        draw_name(canvas);
        match dotted {
            true if told => {}
            true => draw_dots(canvas, &dots(swarm, scale, middle)),
            false => draw_cells(canvas, swarm, scale, middle),
        }
    });
    if told {
        draw_told_dots(canvas, table, swarm, &dots(swarm, scale, middle));
    }
}

/// Where the dots lie: beside each other in columns around `middle`, closer together where they are many.
fn dots(swarm: &Swarm, scale: Scale, middle: f64) -> Vec<(Point, (f64, f64))> {
    let columns = columns(swarm, scale, 1.6 * RADIUS);
    let fullest = columns.values().map(Vec::len).max().unwrap_or(1) as f64;
    let mut dots = Vec::new();
    for points in columns.values() {
        let height = 2.0 * (HALF_HEIGHT - RADIUS) * (points.len() as f64 / fullest).sqrt();
        let distance = (height / (points.len().max(2) - 1) as f64).min(1.8 * RADIUS);
        let lowest = middle + distance * (points.len() - 1) as f64 / 2.0;
        let place = |(index, point): (usize, &Point)| {
            (*point, (scale.place(point.value), lowest - distance * index as f64))
        };
        dots.extend(points.iter().enumerate().map(place));
    }
    dots
}

fn draw_dots(canvas: &mut Canvas, dots: &[(Point, (f64, f64))]) {
    let mut by_paint: BTreeMap<Paint, Vec<(f64, f64)>> = BTreeMap::new();
    for (point, center) in dots {
        by_paint.entry(point.paint).or_default().push(*center);
    }
    for (paint, centers) in by_paint {
        canvas.discs(centers, RADIUS, paint);
    }
}

fn draw_told_dots(canvas: &mut Canvas, table: &Table<'_>, swarm: &Swarm, dots: &[(Point, (f64, f64))]) {
    for (point, center) in dots {
        let what = match swarm.feature {
            Some(feature) => table.statement(point.row, feature),
            None => "other features".to_owned(),
        };
        let tooltip =
            format!("{}: {what}: {}", table.row_name(point.row), swarm.digits.write_signed(point.value));
        canvas.telling(tooltip, |canvas| canvas.discs(vec![*center], RADIUS, point.paint));
    }
}

fn draw_cells(canvas: &mut Canvas, swarm: &Swarm, scale: Scale, middle: f64) {
    let columns = columns(swarm, scale, CELL);
    let fullest = columns.values().map(Vec::len).max().unwrap_or(1);
    let mut by_paint: BTreeMap<Paint, Vec<Rect>> = BTreeMap::new();
    for (column, points) in &columns {
        let share = (points.len() as f64 / fullest as f64).sqrt();
        let n_cells = (share * 2.0 * HALF_HEIGHT / CELL).ceil().max(1.0) as usize;
        let bottom = middle + n_cells as f64 * CELL / 2.0;
        let x = (scale.start + *column as f64 * CELL).min(scale.end - CELL);
        // A cell shows the middle one of the points that fall to it.
        let paint_of = |cell: usize| points[(2 * cell + 1) * points.len() / (2 * n_cells)].paint;
        let paints: Vec<Paint> = (0..n_cells).map(paint_of).collect();
        let mut done = 0;
        for run in paints.chunk_by(|a, b| a == b) {
            let height = run.len() as f64 * CELL;
            let y = bottom - done as f64 * CELL - height;
            by_paint.entry(run[0]).or_default().push(Rect { x, y, width: CELL, height });
            done += run.len();
        }
    }
    for (paint, rects) in by_paint {
        canvas.push(Shape::Rects(rects), Some(paint), None);
    }
}

fn add_notes(frame: &mut Frame, table: &Table<'_>) {
    let rows = rows(table.n_rows());
    match table.n_rows() {
        1 => frame.note("One row: each dot is its value for a feature."),
        n if n <= MAX_DOT_ROWS => frame.note(format!("Each dot is one of {rows}.")),
        _ => frame.note(format!(
            "All {rows}, counted in narrow columns: the height of a band grows with the square root of the \
             number of rows, its colors are their feature values, low ones at the bottom."
        )),
    }
    match table.data {
        None => frame.note("Feature values are not known, so all is gray."),
        Some(_) if table.n_rows() == 1 => {}
        Some(_) => frame.note("Colors run from a feature's 5th to its 95th percentile."),
    }
}

//! Decision: how the outputs of several rows come about, feature by feature.

use crate::chart::{Axis, Canvas, Paint, Scale, Shape, Stroke};
use crate::number::{Digits, count, rows};
use crate::tabular::frame::{Frame, Name, Names, RIGHT};
use crate::tabular::ranking::Ranking;
use crate::tabular::waterfall::{END_HEIGHT, Ends, draw_ends, gap_shows};
use crate::tabular::{Options, Table, check_index};
use crate::{Chart, Error};

const ROW_HEIGHT: f64 = 27.0;
/// More lines than these are one blot.
const MAX_LINES: usize = 200;

/// One line for each of `rows`, from the base value at the bottom to the row's output on top; each feature moves it by
/// its value, the features that move these rows most on top. Red lines end above the base value, blue ones below. Rows
/// with base values of their own start there.
///
/// Of more than 200 rows, 200 are drawn, evenly spaced in the list, and the chart says so. A single row's feature values
/// stand beside the features' names.
///
/// # Errors
/// [`Error::Empty`] for no rows, [`Error::Index`] for a row beyond the last, and what is wrong with `table` or
/// `options`.
pub fn decision(table: &Table<'_>, rows: &[usize], options: &Options) -> Result<Chart, Error> {
    table.check(options)?;
    if rows.is_empty() {
        return Err(Error::Empty { what: "rows" });
    }
    rows.iter().try_for_each(|&row| check_index("row", row, table.n_rows()))?;
    let drawn: Vec<usize> = spaced(rows, MAX_LINES);
    let levels = Levels::new(table, rows, options.max_features);
    let paths: Vec<Vec<f64>> = drawn.iter().map(|&row| levels.path(table, row)).collect();

    let mut frame = Frame::new(options);
    let single = (drawn.len() == 1).then(|| drawn[0]);
    let names = Names::new(&levels.names(table, single), &frame.canvas);
    let scale = Scale::over(paths.iter().flatten().copied(), (names.left + 6.0, RIGHT - 6.0)).widened(0.02);
    let axis = Axis::horizontal(scale, &frame.canvas);
    let top = frame.y + if single.is_some() { 22.0 } else { 4.0 };
    let bottom = top + ROW_HEIGHT * levels.len() as f64;
    axis.draw_below(&mut frame.canvas, top, bottom);
    frame.canvas.line((names.left, bottom), (RIGHT, bottom), Stroke::solid(Paint::Grid, 1.0));
    let digits = scale.digits();
    match single {
        Some(row) => {
            draw_ends(table, row, &mut frame.canvas, &Ends { scale, digits, left: names.left, top, bottom })
        }
        None => {
            if let Some(base_value) = table.common_base_value() {
                draw_base_value(&mut frame.canvas, base_value, (scale, digits), (top, bottom));
            }
        }
    }
    for index in 0..levels.len() {
        let middle = top + ROW_HEIGHT * (index as f64 + 0.5);
        frame.canvas.line((names.left, middle), (RIGHT, middle), Stroke::solid(Paint::Grid, 0.5));
        frame.canvas.telling(levels.tooltip(table, index, single, digits), |canvas| {
            names.draw(canvas, index, middle)
        });
    }
    draw_lines(&mut frame.canvas, table, &drawn, &paths, (scale, bottom));
    frame.axis_title(&table.output.axis_title(), names.left, bottom + END_HEIGHT);
    add_notes(&mut frame, table, rows.len(), drawn.len());
    Ok(frame.finish(options, description(table, &drawn, digits)))
}

/// At most `max_count` of `all`, evenly spaced.
pub(crate) fn spaced(all: &[usize], max_count: usize) -> Vec<usize> {
    let kept = all.len().min(max_count);
    (0..kept).map(|index| all[index * all.len() / kept]).collect()
}

/// What moves the lines, from the top down.
struct Levels {
    /// What the attributions miss comes first, where any row has such a gap to show.
    has_gap: bool,
    ranking: Ranking,
}

impl Levels {
    fn new(table: &Table<'_>, rows: &[usize], max_features: usize) -> Self {
        let mut sizes = vec![0.0; table.n_features()];
        for &row in rows {
            for (size, value) in sizes.iter_mut().zip(table.values.row(row)) {
                *size += value.abs() / rows.len() as f64;
            }
        }
        let gap = |row: usize| table.output_of(row) - table.explained(row);
        let has_gap = rows.iter().any(|&row| gap_shows(gap(row), table, row));
        Self { has_gap, ranking: Ranking::of(&sizes, max_features) }
    }

    fn len(&self) -> usize {
        usize::from(self.has_gap) + self.ranking.shown.len() + usize::from(!self.ranking.rest.is_empty())
    }

    fn names(&self, table: &Table<'_>, single: Option<usize>) -> Vec<Name> {
        let mut names: Vec<Name> = self.has_gap.then(|| Name::plain("not explained")).into_iter().collect();
        names.extend(self.ranking.shown.iter().map(|&feature| Name {
            feature: table.features[feature].name.clone(),
            value: single.and_then(|row| table.shown(row, feature)),
        }));
        if !self.ranking.rest.is_empty() {
            names.push(Name::plain(format!("sum of {} other features", count(self.ranking.rest.len()))));
        }
        names
    }

    fn tooltip(&self, table: &Table<'_>, index: usize, single: Option<usize>, digits: Digits) -> String {
        let name = match index.checked_sub(usize::from(self.has_gap)) {
            None => "not explained by any feature".to_owned(),
            Some(place) => match (self.ranking.shown.get(place), single) {
                (Some(&feature), Some(row)) => table.statement(row, feature),
                (Some(&feature), None) => table.features[feature].name.clone(),
                (None, _) => format!("sum of {} other features", count(self.ranking.rest.len())),
            },
        };
        match single {
            Some(row) => format!("{name}: {}", digits.write_signed(self.values(table, row)[index])),
            None => name,
        }
    }

    fn values(&self, table: &Table<'_>, row: usize) -> Vec<f64> {
        let values = table.values.row(row);
        let gap = self.has_gap.then(|| table.output_of(row) - table.explained(row));
        let shown = self.ranking.shown.iter().map(|&feature| values[feature]);
        let rest = self.ranking.rest.iter().map(|&feature| values[feature]).sum();
        gap.into_iter().chain(shown).chain((!self.ranking.rest.is_empty()).then_some(rest)).collect()
    }

    /// Where the line of `row` is, from the base value at the bottom up.
    fn path(&self, table: &Table<'_>, row: usize) -> Vec<f64> {
        let base_value = table.base_values[row];
        let mut place = base_value;
        let steps = self.values(table, row).into_iter().rev().map(|value| {
            place += value;
            place
        });
        [base_value].into_iter().chain(steps.collect::<Vec<_>>()).collect()
    }
}

fn draw_base_value(
    canvas: &mut Canvas,
    base_value: f64,
    (scale, digits): (Scale, Digits),
    (top, bottom): (f64, f64),
) {
    use crate::chart::{Align, STRONG};
    let x = scale.place(base_value);
    canvas.line((x, top), (x, bottom + 3.0), Stroke::dashed(Paint::Quiet, 1.0));
    let text = format!("E[f(x)] = {}", digits.write(base_value));
    let half = canvas.width(&text, STRONG) / 2.0;
    canvas.telling(format!("{text}: the base value"), |canvas| {
        let x = x.clamp((scale.start + half).min(RIGHT - half), RIGHT - half);
        canvas.text(&text, STRONG, Align::Middle, (x, bottom + 36.0));
    });
}

fn draw_lines(
    canvas: &mut Canvas,
    table: &Table<'_>,
    drawn: &[usize],
    paths: &[Vec<f64>],
    (scale, bottom): (Scale, f64),
) {
    let opacity = match drawn.len() {
        1..=10 => 0.95,
        11..=60 => 0.6,
        61..=100 => 0.4,
        _ => 0.25,
    };
    let width = if drawn.len() == 1 { 2.5 } else { 1.4 };
    for (&row, path) in drawn.iter().zip(paths) {
        let output = table.output_of(row);
        let tooltip = format!("{}: output {}", table.row_name(row), scale.digits().write(output));
        let paint = Paint::of_sign(output - table.base_values[row]);
        // Each feature moves the line within its own row, so that its name stands beside what it does.
        let points = path
            .iter()
            .enumerate()
            .map(|(level, &value)| (scale.place(value), bottom - ROW_HEIGHT * level as f64));
        let stroke = Stroke { opacity, ..Stroke::solid(paint, width) };
        canvas.telling(tooltip, |canvas| canvas.push(Shape::Line(points.collect()), None, Some(stroke)));
    }
}

fn add_notes(frame: &mut Frame, table: &Table<'_>, n_rows: usize, n_drawn: usize) {
    match n_drawn {
        1 => {}
        _ if n_drawn < n_rows => {
            frame.note(format!("{} of {} are drawn, evenly spaced.", count(n_drawn), rows(n_rows)));
        }
        _ => frame.note(format!("Each line is one of {}.", rows(n_rows))),
    }
    match table.common_base_value() {
        Some(_) => frame.note("Red lines end above the base value E[f(x)], blue ones below."),
        None => frame.note("Each line starts at its own base value: red ones end above it, blue ones below."),
    }
}

fn description(table: &Table<'_>, drawn: &[usize], digits: Digits) -> String {
    let outputs = || drawn.iter().map(|&row| table.output_of(row));
    let (low, high) = (outputs().fold(f64::INFINITY, f64::min), outputs().fold(f64::NEG_INFINITY, f64::max));
    let base = match table.common_base_value() {
        Some(base_value) => format!("the base value {}", digits.write(base_value)),
        None => "base values of their own".to_owned(),
    };
    let ends = format!("{} to {}", digits.write(low), digits.write(high));
    format!("Decision lines of {} from {base} to outputs from {ends}", rows(drawn.len()))
}

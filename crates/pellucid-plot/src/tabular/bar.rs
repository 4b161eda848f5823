//! Bar: how much each feature matters, over all rows or for one.

use crate::chart::{Align, Axis, Canvas, LABEL, Paint, Scale, Stroke, Style};
use crate::number::{Digits, count, rows};
use crate::tabular::frame::{Frame, Name, Names, RIGHT};
use crate::tabular::ranking::{Ranking, mean_sizes};
use crate::tabular::waterfall::{Step, gap_note, row_digits, steps};
use crate::tabular::{Options, Table};
use crate::{Chart, Error};

const ROW_HEIGHT: f64 = 28.0;
const BAR_HEIGHT: f64 = 18.0;

/// Half the height of the ends of an interval's line.
const CAP: f64 = 4.0;

pub(super) struct Bar {
    pub(super) name: Name,
    pub(super) tooltip: String,
    pub(super) value: f64,
    /// The ends of an interval around the value.
    pub(super) interval: Option<(f64, f64)>,
    pub(super) label: String,
    pub(super) paint: Paint,
}

impl Bar {
    /// Where the bar, or its interval, ends on the side of the value: what the label stands behind.
    fn end(&self) -> f64 {
        let (low, high) = self.interval.unwrap_or((self.value, self.value));
        if self.value < 0.0 { low.min(self.value) } else { high.max(self.value) }
    }
}

/// `mean |value|` of each feature over all rows, the largest on top.
///
/// # Errors
/// What is wrong with `table` or `options`.
pub fn bar(table: &Table<'_>, options: &Options) -> Result<Chart, Error> {
    table.check(options)?;
    let sizes = mean_sizes(table.values);
    let ranking = Ranking::of(&sizes, options.max_features);
    let rest: f64 = ranking.rest.iter().map(|&feature| sizes[feature]).sum();
    let largest = sizes.iter().fold(rest, |max, size| max.max(*size));
    let digits = Digits::of_span(largest, largest);
    let value_name = &table.output.value_name;
    let bar = |name: &str, value: f64, paint| Bar {
        name: Name::plain(name),
        tooltip: format!("{name}: mean |{value_name}| {}", digits.write(value)),
        value,
        interval: None,
        label: digits.write(value),
        paint,
    };
    let mut bars: Vec<Bar> = ranking
        .shown
        .iter()
        .map(|&feature| bar(&table.features[feature].name, sizes[feature], Paint::Accent))
        .collect();
    if !ranking.rest.is_empty() {
        let name = format!("sum of {} other features", count(ranking.rest.len()));
        bars.push(bar(&name, rest, Paint::PaleAccent));
    }
    let mut frame = Frame::new(options);
    let rows = rows(table.n_rows());
    frame.note(format!("Mean of |{value_name}| over {rows}."));
    let title = table.output.value_axis_title("Mean size of ");
    draw(&mut frame, &bars, &title);
    let description = describe(&format!("Bars of mean |{value_name}| over {rows}"), &bars);
    Ok(frame.finish(options, description))
}

/// The values of `row`, the largest on top, to the right where they push the output up.
///
/// # Errors
/// [`Error::Index`] for a row beyond the last, and what is wrong with `table` or `options`.
pub fn bar_of_row(table: &Table<'_>, row: usize, options: &Options) -> Result<Chart, Error> {
    table.check(options)?;
    table.check_row(row)?;
    let digits = row_digits(table, row);
    let steps = steps(table, row, options.max_features, digits);
    let gap = steps.iter().find(|step| step.is_gap).map(|step| step.value);
    let bars: Vec<Bar> = steps.into_iter().map(|step| row_bar(step, digits)).collect();
    let mut frame = Frame::new(options);
    let ends = [digits.write(table.base_values[row]), digits.write(table.output_of(row))];
    frame.note(format!(
        "Together they lead from the base value E[f(x)] = {} to the output f(x) = {}.",
        ends[0], ends[1]
    ));
    if let Some(gap) = gap {
        frame.note(gap_note(gap, digits));
    }
    draw(&mut frame, &bars, &table.output.value_axis_title(""));
    let description = describe(&format!("Bars of the {} of one row", table.output.value_name), &bars);
    Ok(frame.finish(options, description))
}

fn row_bar(step: Step, digits: Digits) -> Bar {
    let paint = if step.is_gap { Paint::Neutral } else { Paint::of_sign(step.value) };
    let Step { name, tooltip, value, .. } = step;
    Bar { name, tooltip, value, interval: None, label: digits.write_signed(value), paint }
}

pub(super) fn draw(frame: &mut Frame, bars: &[Bar], title: &str) {
    let canvas = &mut frame.canvas;
    let names: Vec<Name> = bars.iter().map(|bar| bar.name.clone()).collect();
    let names = Names::new(&names, canvas);
    let room = |wanted: &dyn Fn(f64) -> bool| {
        let wanting = bars.iter().filter(|bar| wanted(bar.value));
        wanting.map(|bar| canvas.width(&bar.label, LABEL) + 8.0).fold(0.0, f64::max)
    };
    let ends = (names.left + room(&|value| value < 0.0), RIGHT - room(&|value| value >= 0.0));
    let intervals = bars.iter().filter_map(|bar| bar.interval).flat_map(|(low, high)| [low, high]);
    let scale = zero_scale(bars.iter().map(|bar| bar.value).chain(intervals), ends);
    let axis = Axis::horizontal(scale, canvas);
    let bottom = frame.y + ROW_HEIGHT * bars.len() as f64 + 4.0;
    axis.draw_below(canvas, frame.y, bottom);
    for (index, bar) in bars.iter().enumerate() {
        let middle = frame.y + 2.0 + ROW_HEIGHT * (index as f64 + 0.5);
        canvas.telling(bar.tooltip.clone(), |canvas| {
            names.draw(canvas, index, middle);
            draw_bar(canvas, bar, middle, axis.scale);
        });
    }
    let zero = axis.scale.place(0.0);
    canvas.line((zero, frame.y), (zero, bottom), Stroke::solid(Paint::Quiet, 1.0));
    frame.axis_title(title, names.left, bottom);
}

/// A scale that holds zero, from 0 to 1 where there is nothing else.
pub(crate) fn zero_scale(values: impl Iterator<Item = f64>, ends: (f64, f64)) -> Scale {
    let mut all_zero = true;
    let with_zero = values.inspect(|&value| all_zero &= value == 0.0);
    let scale = Scale::over(with_zero.chain([0.0]), ends);
    if all_zero { Scale { low: 0.0, high: 1.0, ..scale } } else { scale }
}

fn draw_bar(canvas: &mut Canvas, bar: &Bar, middle: f64, scale: Scale) {
    let (zero, end) = (scale.place(0.0), scale.place(bar.value));
    canvas.rect((zero.min(end), middle - BAR_HEIGHT / 2.0), ((end - zero).abs(), BAR_HEIGHT), bar.paint);
    let signed = matches!(bar.paint, Paint::Up | Paint::Down);
    let style = if signed { Style { paint: bar.paint, ..LABEL } } else { LABEL };
    if let Some((low, high)) = bar.interval {
        let (low, high) = (scale.place(low), scale.place(high));
        let stroke = Stroke::solid(Paint::Ink, 1.5);
        canvas.line((low, middle), (high, middle), stroke);
        for x in [low, high] {
            canvas.line((x, middle - CAP), (x, middle + CAP), stroke);
        }
    }
    let end = scale.place(bar.end());
    let (align, x) = if bar.value < 0.0 { (Align::Right, end - 5.0) } else { (Align::Left, end + 5.0) };
    canvas.text_on_ground(&bar.label, style, align, (x, middle + 0.36 * LABEL.size));
}

pub(super) fn describe(what: &str, bars: &[Bar]) -> String {
    let parts: Vec<String> = bars
        .iter()
        .map(|bar| {
            let value = bar.name.value.as_ref().map_or(String::new(), |value| format!(" = {value}"));
            format!("{}{value}: {}", bar.name.feature, bar.label)
        })
        .collect();
    format!("{what}: {}", parts.join(", "))
}

//! Waterfall: how the features of one row lead from the base value to its output.

use crate::chart::{Align, Axis, Canvas, LABEL, Paint, QUIET_LABEL, STRONG, Scale, Stroke, Style};
use crate::number::{Digits, count};
use crate::tabular::frame::{Frame, Name, Names, RIGHT};
use crate::tabular::ranking::Ranking;
use crate::tabular::{Options, Table};
use crate::{Chart, Error};

const ROW_HEIGHT: f64 = 30.0;
const BAR_HEIGHT: f64 = 19.0;
/// How far the head of an arrow reaches.
const HEAD: f64 = 7.0;

/// What the base value's label takes under the numbers of an axis.
pub(crate) const END_HEIGHT: f64 = 18.0;

/// One bar: what it stands for, and from where to where it leads.
pub(crate) struct Step {
    pub(crate) name: Name,
    pub(crate) tooltip: String,
    pub(crate) value: f64,
    pub(crate) start: f64,
    /// Not an attribution, but what the attributions miss.
    pub(crate) is_gap: bool,
}

/// The values of `row` as arrows from the base value `E[f(x)]` at the bottom to the output `f(x)` on top, the largest
/// next to the output.
///
/// Where base value and values miss the output by more than the numbers shown can hide, a gray arrow says so.
///
/// # Errors
/// [`Error::Index`] for a row beyond the last, and what is wrong with `table` or `options`.
///
/// # Example: two features
/// ```
/// use ndarray::{arr1, arr2};
/// use pellucid_plot::tabular::{Feature, Options, Output, Table, waterfall};
///
/// let (values, data, base_values) = (arr2(&[[0.5, -0.2]]), arr2(&[[44.0, 3.0]]), arr1(&[0.1]));
/// let features = ["age", "rooms"].map(|name| Feature { name: name.into(), ..Feature::default() });
/// let output = Output { value_name: "SHAP value".into(), ..Output::default() };
/// let table = Table {
///     values: values.view(),
///     data: Some(data.view()),
///     features: &features,
///     base_values: base_values.view(),
///     outputs: None,
///     row_names: None,
///     output: &output,
/// };
/// let options = Options { title: "Why?".into(), caption: String::new(), max_features: 20 };
/// let chart = waterfall(&table, 0, &options)?;
/// assert!(chart.svg().contains("<title>age = 44: +0.500</title>"));
/// # Ok::<(), pellucid_plot::Error>(())
/// ```
pub fn waterfall(table: &Table<'_>, row: usize, options: &Options) -> Result<Chart, Error> {
    table.check(options)?;
    table.check_row(row)?;
    let digits = row_digits(table, row);
    let steps = steps(table, row, options.max_features, digits);
    let mut frame = Frame::new(options);
    let names: Vec<Name> = steps.iter().map(|step| step.name.clone()).collect();
    let names = Names::new(&names, &frame.canvas);

    // Beside the longest arrow there must be room for its number.
    let numbers = steps.iter().map(|step| frame.canvas.width(&digits.write_signed(step.value), LABEL));
    let room = numbers.fold(0.0, f64::max) + 8.0;
    let ends = steps.iter().flat_map(|step| [step.start, step.start + step.value]);
    let scale = Scale::over(ends.chain([table.base_values[row]]), (names.left + room, RIGHT - room));
    let axis = Axis::horizontal(scale, &frame.canvas);

    let top = frame.y + 22.0;
    let bottom = top + ROW_HEIGHT * steps.len() as f64 + 6.0;
    axis.draw_below(&mut frame.canvas, top, bottom);
    frame.canvas.line((names.left, bottom), (RIGHT, bottom), Stroke::solid(Paint::Grid, 1.0));
    draw_ends(table, row, &mut frame.canvas, &Ends { scale, digits, left: names.left, top, bottom });
    for (index, step) in steps.iter().enumerate() {
        let middle = top + 3.0 + ROW_HEIGHT * (index as f64 + 0.5);
        frame.canvas.telling(step.tooltip.clone(), |canvas| {
            names.draw(canvas, index, middle);
            draw_step(canvas, step, middle, scale, digits);
        });
        if index > 0 {
            let x = scale.place(step.start + step.value);
            let from = middle - ROW_HEIGHT + BAR_HEIGHT / 2.0;
            frame.canvas.line((x, from), (x, middle - BAR_HEIGHT / 2.0), Stroke::solid(Paint::Neutral, 1.0));
        }
    }
    frame.axis_title(&table.output.axis_title(), names.left, bottom + END_HEIGHT);
    frame.note("Red pushes the output up, blue pushes it down.");
    if let Some(step) = steps.iter().find(|step| step.is_gap) {
        frame.note(gap_note(step.value, digits));
    }
    Ok(frame.finish(options, description(table, row, &steps, digits)))
}

/// Digits for all numbers of one row's charts, so that they add up as shown.
pub(crate) fn row_digits(table: &Table<'_>, row: usize) -> Digits {
    let largest = table.values.row(row).iter().fold(0.0, |max: f64, value| max.max(value.abs()));
    let gap = (table.output_of(row) - table.explained(row)).abs();
    let ends = table.base_values[row].abs().max(table.output_of(row).abs());
    if largest == 0.0 && gap == 0.0 {
        return Digits::of_span(ends.max(f64::MIN_POSITIVE), ends);
    }
    Digits::of_span(largest.max(gap), ends.max(largest))
}

/// From the output down to the base value.
pub(crate) fn steps(table: &Table<'_>, row: usize, max_features: usize, digits: Digits) -> Vec<Step> {
    let values = table.values.row(row);
    let sizes: Vec<f64> = values.iter().map(|value| value.abs()).collect();
    let ranking = Ranking::of(&sizes, max_features);
    let mut steps = Vec::new();
    let output = table.output_of(row);
    let gap = output - table.explained(row);
    if gap_shows(gap, table, row) {
        let name = Name::plain("not explained");
        let tooltip = format!("not explained by any feature: {}", digits.write_signed(gap));
        steps.push(Step { name, tooltip, value: gap, start: 0.0, is_gap: true });
    }
    for &feature in &ranking.shown {
        let value = values[feature];
        let name = table.features[feature].name.clone();
        let tooltip = format!("{}: {}", table.statement(row, feature), digits.write_signed(value));
        let name = Name { feature: name, value: table.shown(row, feature) };
        steps.push(Step { name, tooltip, value, start: 0.0, is_gap: false });
    }
    if !ranking.rest.is_empty() {
        let value = ranking.rest.iter().map(|&feature| values[feature]).sum();
        let name = format!("sum of {} other features", count(ranking.rest.len()));
        let tooltip = format!("{name}: {}", digits.write_signed(value));
        steps.push(Step { name: Name::plain(name), tooltip, value, start: 0.0, is_gap: false });
    }
    let mut place = table.base_values[row];
    for step in steps.iter_mut().rev() {
        step.start = place;
        place += step.value;
    }
    steps
}

/// Whether the numbers as shown would not add up to the output as shown.
pub(crate) fn gap_shows(gap: f64, table: &Table<'_>, row: usize) -> bool {
    let size = table.values.row(row).iter().map(|value| value.abs()).sum::<f64>();
    gap.abs() > 1e-3 * size.max((table.output_of(row) - table.base_values[row]).abs())
}

pub(crate) fn gap_note(gap: f64, digits: Digits) -> String {
    format!("Base value and values miss the model's output by {}.", digits.write_signed(gap))
}

/// Where the marks of base value and output lie.
pub(crate) struct Ends {
    pub(crate) scale: Scale,
    pub(crate) digits: Digits,
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
}

/// The output on top and the base value at the bottom, each with a line through the chart.
pub(crate) fn draw_ends(table: &Table<'_>, row: usize, canvas: &mut Canvas, ends: &Ends) {
    let Ends { scale, digits, left, top, bottom } = *ends;
    let output = table.output_of(row);
    let labels = [
        ("f(x)", output, top - 7.0, "the model's output"),
        ("E[f(x)]", table.base_values[row], bottom + 36.0, "the base value"),
    ];
    for (symbol, value, baseline, meaning) in labels {
        let (x, text) = (scale.place(value), format!("{symbol} = {}", digits.write(value)));
        canvas.line((x, top - 3.0), (x, bottom + 3.0), Stroke::dashed(Paint::Quiet, 1.0));
        let half = canvas.width(&text, STRONG) / 2.0;
        let at = x.clamp((left + half).min(RIGHT - half), RIGHT - half);
        canvas.telling(format!("{text}: {meaning}"), |canvas| {
            canvas.text(&text, STRONG, Align::Middle, (at, baseline));
        });
    }
}

fn draw_step(canvas: &mut Canvas, step: &Step, middle: f64, scale: Scale, digits: Digits) {
    let (from, to) = (scale.place(step.start), scale.place(step.start + step.value));
    let paint = if step.is_gap { Paint::Neutral } else { Paint::of_sign(step.value) };
    let text = digits.write_signed(step.value);
    draw_arrow(canvas, (from, to), middle, BAR_HEIGHT, paint);
    let width = canvas.width(&text, LABEL);
    let baseline = middle + 0.36 * LABEL.size;
    if (to - from).abs() >= width + HEAD + 8.0 {
        let style = Style { paint: Paint::OnColor, ..LABEL };
        let shift = if to > from { -HEAD / 2.0 } else { HEAD / 2.0 };
        canvas.text(&text, style, Align::Middle, ((from + to) / 2.0 + shift, baseline));
    } else {
        let (align, x) = if step.value >= 0.0 { (Align::Left, to + 5.0) } else { (Align::Right, to - 5.0) };
        let style = Style { paint, ..LABEL };
        let style = if paint == Paint::Neutral { QUIET_LABEL } else { style };
        canvas.text_on_ground(&text, style, align, (x, baseline));
    }
}

/// An arrow around `middle`, whose tip is as short as the arrow asks for.
pub(crate) fn draw_arrow(
    canvas: &mut Canvas,
    (from, to): (f64, f64),
    middle: f64,
    height: f64,
    paint: Paint,
) {
    let (top, bottom) = (middle - height / 2.0, middle + height / 2.0);
    if (to - from).abs() < 1.0 {
        return canvas.rect((from.min(to) - 0.5, top), ((to - from).abs() + 1.0, height), paint);
    }
    let head = HEAD.min((to - from).abs());
    let neck = if to > from { to - head } else { to + head };
    canvas.polygon(vec![(from, top), (neck, top), (to, middle), (neck, bottom), (from, bottom)], paint);
}

fn description(table: &Table<'_>, row: usize, steps: &[Step], digits: Digits) -> String {
    let base = digits.write(table.base_values[row]);
    let parts: Vec<&str> = steps.iter().rev().map(|step| step.tooltip.as_str()).collect();
    let output = digits.write(table.output_of(row));
    format!("Waterfall: from the base value {base} over {} to the output {output}", parts.join(", "))
}

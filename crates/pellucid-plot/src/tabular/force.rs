//! Force: what pushes the output of one row up against what pushes it down.

use crate::chart::{
    Align, Axis, Canvas, LABEL, Paint, QUIET_LABEL, STRONG, Scale, Shape, Stroke, Style, TICK,
};
use crate::number::{Digits, count};
use crate::tabular::frame::{Frame, MARGIN, RIGHT};
use crate::tabular::ranking::Ranking;
use crate::tabular::waterfall::{gap_note, gap_shows, row_digits};
use crate::tabular::{Options, Table};
use crate::{Chart, Error};

const BAR_HEIGHT: f64 = 30.0;
const LINE_HEIGHT: f64 = 20.0;
/// How far the head of a segment reaches into the next.
const HEAD: f64 = 6.0;
const MAX_STATEMENT_WIDTH: f64 = 235.0;

/// One push, of a feature or of several.
struct Push {
    statement: String,
    tooltip: String,
    number: String,
    /// How much it adds to the output.
    value: f64,
    paint: Paint,
}

/// The values of `row` as forces on one axis: those that push the output up from the left, those that push it down from
/// the right, the strongest next to the output `f(x)`, where they meet. The base value is marked.
///
/// # Errors
/// [`Error::Index`] for a row beyond the last, and what is wrong with `table` or `options`.
pub fn force(table: &Table<'_>, row: usize, options: &Options) -> Result<Chart, Error> {
    table.check(options)?;
    table.check_row(row)?;
    let digits = row_digits(table, row);
    let (ups, downs) = pushes(table, row, options.max_features, digits);
    let mut frame = Frame::new(options);
    draw_legend(&mut frame.canvas, frame.y, &table.output.axis_title());
    let layout = Layout::new(table, row, (&ups, &downs), digits, &frame);
    layout.draw_axis(&mut frame.canvas, table, row);
    for (side, pushes) in [(-1.0, &ups), (1.0, &downs)] {
        layout.draw_side(&mut frame.canvas, pushes, side);
    }
    let n_lines = ups.len().max(downs.len());
    frame.y = layout.bar_top + BAR_HEIGHT + 14.0 + LINE_HEIGHT * n_lines as f64;
    let gap = table.output_of(row) - table.explained(row);
    if gap_shows(gap, table, row) {
        frame.note(gap_note(gap, digits));
    }
    let told: Vec<&str> = ups.iter().chain(&downs).rev().map(|push| push.tooltip.as_str()).collect();
    let (base, output) = (digits.write(table.base_values[row]), digits.write(table.output_of(row)));
    let description =
        format!("Forces from the base value {base} to the output {output}: {}", told.join(", "));
    Ok(frame.finish(options, description))
}

/// What pushes up and what pushes down, each from the outermost to the one next to the output.
fn pushes(table: &Table<'_>, row: usize, max_features: usize, digits: Digits) -> (Vec<Push>, Vec<Push>) {
    let values = table.values.row(row);
    let sizes: Vec<f64> = values.iter().map(|value| value.abs()).collect();
    let ranking = Ranking::of(&sizes, max_features);
    let push = |statement: String, value: f64, paint: Paint| {
        let number = digits.write_signed(value);
        Push { tooltip: format!("{statement}: {number}"), statement, number, value, paint }
    };
    let mut all = Vec::new();
    let gap = table.output_of(row) - table.explained(row);
    if gap_shows(gap, table, row) {
        all.push(push("not explained".to_owned(), gap, Paint::Neutral));
    }
    for is_wanted in [|value: f64| value > 0.0, |value: f64| value < 0.0] {
        let others: Vec<f64> =
            ranking.rest.iter().map(|&feature| values[feature]).filter(|value| is_wanted(*value)).collect();
        let sum: f64 = others.iter().sum();
        let name = if others.len() == 1 {
            "1 other feature".into()
        } else {
            format!("{} other features", count(others.len()))
        };
        all.extend((!others.is_empty()).then(|| push(name, sum, Paint::of_sign(sum))));
    }
    // A feature that pushes nowhere has no place here.
    let named = ranking.shown.iter().rev().filter(|&&feature| values[feature] != 0.0);
    all.extend(named.map(|&feature| {
        push(table.statement(row, feature), values[feature], Paint::of_sign(values[feature]))
    }));
    all.into_iter().partition(|push| push.value > 0.0)
}

/// What the axis counts at the left, what colors mean at the right.
fn draw_legend(canvas: &mut Canvas, y: f64, title: &str) {
    let mut x = RIGHT;
    for (paint, meaning) in [(Paint::Down, "pushes the output down"), (Paint::Up, "pushes the output up")] {
        canvas.text(meaning, TICK, Align::Right, (x, y + 11.0));
        x -= canvas.width(meaning, TICK) + 15.0;
        canvas.rect((x, y + 1.0), (10.0, 10.0), paint);
        x -= 20.0;
    }
    let title = canvas.shortened(title, QUIET_LABEL, x - MARGIN);
    canvas.text(&title, QUIET_LABEL, Align::Left, (MARGIN, y + 11.0));
}

struct Layout {
    scale: Scale,
    digits: Digits,
    output: f64,
    top: f64,
    bar_top: f64,
}

impl Layout {
    fn new(
        table: &Table<'_>,
        row: usize,
        (ups, downs): (&[Push], &[Push]),
        digits: Digits,
        frame: &Frame,
    ) -> Self {
        let output = table.output_of(row);
        let sum = |pushes: &[Push]| pushes.iter().map(|push| push.value).sum::<f64>();
        let ends = [output - sum(ups), output - sum(downs), table.base_values[row], output];
        let whole = Scale::over(ends, (0.0, 1.0));
        let (left, right) = margins(
            &whole,
            output,
            (ups, downs),
            &frame.canvas,
            least_margin(table, row, digits, &frame.canvas),
        );
        let scale = Scale { start: MARGIN + left, end: RIGHT - right, ..whole };
        Self { scale, digits, output, top: frame.y + 24.0, bar_top: frame.y + 76.0 }
    }

    /// Numbers above the bar, and above them base value and output, each written away from the other.
    fn draw_axis(&self, canvas: &mut Canvas, table: &Table<'_>, row: usize) {
        let bar_bottom = self.bar_top + BAR_HEIGHT;
        let (base, output) = (self.scale.place(table.base_values[row]), self.scale.place(self.output));
        for (value, label) in Axis::horizontal(self.scale, canvas).ticks {
            let x = self.scale.place(value);
            canvas.line((x, self.bar_top - 6.0), (x, bar_bottom + 4.0), Stroke::solid(Paint::Grid, 1.0));
            // No number where the line of base value or output would cross it.
            let half = canvas.width(&label, TICK) / 2.0 + 3.0;
            if (x - base).abs() > half && (x - output).abs() > half {
                canvas.text(&label, TICK, Align::Middle, (x, self.bar_top - 11.0));
            }
        }
        for (symbol, value, x, is_left, meaning) in [
            ("f(x)", table.output_of(row), output, output <= base, "the model's output"),
            ("E[f(x)]", table.base_values[row], base, base < output, "the base value"),
        ] {
            let text = format!("{symbol} = {}", self.digits.write(value));
            let (align, shift) = if is_left { (Align::Right, -5.0) } else { (Align::Left, 5.0) };
            canvas.line((x, self.top), (x, bar_bottom + 4.0), Stroke::dashed(Paint::Quiet, 1.0));
            canvas.telling(format!("{text}: {meaning}"), |canvas| {
                canvas.text(&text, STRONG, align, (x + shift, self.top + 12.0));
            });
        }
    }

    /// Segments outward from the output, `side` −1 to the left and 1 to the right, with their statements below: the
    /// outermost on the first line, so that no line to a statement crosses another.
    fn draw_side(&self, canvas: &mut Canvas, pushes: &[Push], side: f64) {
        let centers = centers(pushes, self.output);
        let bar_bottom = self.bar_top + BAR_HEIGHT;
        for (index, (push, center)) in pushes.iter().zip(centers).enumerate() {
            let half = push.value.abs() / 2.0;
            let outer = self.scale.place(center + side * half);
            let inner = self.scale.place(center - side * half);
            let x = (outer + inner) / 2.0;
            let line = bar_bottom + 14.0 + LINE_HEIGHT * index as f64 + LINE_HEIGHT / 2.0;
            canvas.telling(push.tooltip.clone(), |canvas| {
                draw_segment(canvas, (outer, inner), (self.bar_top, bar_bottom), side, push.paint);
                canvas.line((x, bar_bottom + 1.0), (x, line + 4.0), Stroke::solid(Paint::Neutral, 1.0));
                draw_statement(canvas, push, (x, line + 0.36 * LABEL.size), side);
            });
        }
    }
}

/// Where on the axis the middle of each push lies, when they are stacked outward from the output.
fn centers(pushes: &[Push], output: f64) -> Vec<f64> {
    let mut inner = output;
    let mut centers: Vec<f64> = pushes
        .iter()
        .rev()
        .map(|push| {
            let center = inner - push.value / 2.0;
            inner -= push.value;
            center
        })
        .collect();
    centers.reverse();
    centers
}

/// What the labels of output and base value need beside the axis.
fn least_margin(table: &Table<'_>, row: usize, digits: Digits, canvas: &Canvas) -> f64 {
    let base = format!("E[f(x)] = {}", digits.write(table.base_values[row]));
    let output = format!("f(x) = {}", digits.write(table.output_of(row)));
    canvas.width(&base, STRONG).max(canvas.width(&output, STRONG)) + 8.0
}

/// Room left and right of the axis, so that every statement that ends at its segment begins inside the chart.
fn margins(
    whole: &Scale,
    output: f64,
    (ups, downs): (&[Push], &[Push]),
    canvas: &Canvas,
    least: f64,
) -> (f64, f64) {
    let wants = |pushes: &[Push], is_left: bool| -> Vec<(f64, f64)> {
        let share = |center: f64| if is_left { whole.place(center) } else { 1.0 - whole.place(center) };
        let places = centers(pushes, output).into_iter().map(share);
        pushes.iter().map(|push| statement_width(canvas, push) + 8.0).zip(places).collect()
    };
    let (ups, downs) = (wants(ups, true), wants(downs, false));
    let (mut left, mut right) = (least, least);
    // Each round only grows the margins, and none grows beyond its widest statement.
    for _ in 0..100 {
        let width = RIGHT - MARGIN - left - right;
        let need = |wants: &[(f64, f64)]| {
            wants.iter().map(|(text, share)| text - share * width).fold(least, f64::max)
        };
        (left, right) = (need(&ups), need(&downs));
    }
    (left.ceil() + 1.0, right.ceil() + 1.0)
}

fn draw_segment(
    canvas: &mut Canvas,
    (outer, inner): (f64, f64),
    (top, bottom): (f64, f64),
    side: f64,
    paint: Paint,
) {
    let (middle, head) = ((top + bottom) / 2.0, side * HEAD);
    let points = vec![
        (outer + head, top),
        (inner + head, top),
        (inner, middle),
        (inner + head, bottom),
        (outer + head, bottom),
        (outer, middle),
    ];
    let rim = (inner - outer).abs() > 3.0;
    canvas.push(Shape::Line(points), Some(paint), rim.then(|| Stroke::solid(Paint::Ground, 0.8)));
}

fn shortened(canvas: &Canvas, push: &Push) -> String {
    canvas.shortened(&push.statement, LABEL, MAX_STATEMENT_WIDTH)
}

fn statement_width(canvas: &Canvas, push: &Push) -> f64 {
    canvas.width(&shortened(canvas, push), LABEL) + 8.0 + canvas.width(&push.number, STRONG)
}

/// Beside `x`, outward: the number, then the statement.
fn draw_statement(canvas: &mut Canvas, push: &Push, (x, baseline): (f64, f64), side: f64) {
    let statement = shortened(canvas, push);
    let number = Style { paint: push.paint, ..STRONG };
    let align = if side < 0.0 { Align::Right } else { Align::Left };
    canvas.text(&push.number, number, align, (x + side * 5.0, baseline));
    let beyond = canvas.width(&push.number, STRONG) + 13.0;
    canvas.text(&statement, LABEL, align, (x + side * beyond, baseline));
}

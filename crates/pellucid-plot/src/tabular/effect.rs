//! Effect: how the output follows what is put into one feature.

use ndarray::{Array1, ArrayView1, ArrayView2, Axis as ArrayAxis};

use crate::chart::paint::MAX_GROUPS;
use crate::chart::{Align, Axis, Canvas, Paint, QUIET_LABEL, Scale, Stroke, TICK};
use crate::number::rows;
use crate::tabular::dependence::across::{Across, HISTOGRAM_HEIGHT};
use crate::tabular::frame::{Frame, MARGIN, RIGHT};
use crate::tabular::legend::draw_groups;
use crate::tabular::{Feature, Options, Output, Table, check_index, check_length, check_numbers};
use crate::{Chart, Error};

const HEIGHT: f64 = 400.0;
const RADIUS: f64 = 3.0;
/// Half the width of a whisker's end.
const CAP: f64 = 5.0;
/// A light shade of the line's own color.
const BAND: Paint = Paint::Tint(4);
/// Many lines over each other show where they are dense.
const CURVE: Stroke = Stroke { paint: Paint::Missing, width: 1.0, dashed: false, opacity: 0.35 };

/// What the output is where values are put into a feature of all rows.
#[derive(Debug, Clone, Copy)]
pub struct Effect<'a> {
    /// The feature; of categories `points` and `data` are codes.
    pub feature: &'a Feature,
    /// What is put in, `[points]`, ascending; beyond what the rows hold nothing is drawn.
    pub points: ArrayView1<'a, f64>,
    /// What the rows hold themselves, `[rows]`; NaN is a missing value.
    pub data: ArrayView1<'a, f64>,
    /// The mean output over all rows; several where another feature is held at several values. At most 8.
    pub lines: &'a [EffectLine],
    /// What tells the lines apart; may be empty.
    pub lines_name: &'a str,
    /// The output of single rows, `[rows, points]`.
    pub curves: Option<ArrayView2<'a, f64>>,
    /// What the output is.
    pub output: &'a Output,
    /// A sentence that says how the lines were made.
    pub note: &'a str,
}

/// One line of an effect.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectLine {
    /// What it stands for; may be empty where there is one.
    pub name: String,
    /// `[points]`.
    pub values: Vec<f64>,
    /// The ends of an interval around each value, `[points]`.
    pub interval: Option<Vec<(f64, f64)>>,
}

/// What the output does over the values of the feature, above its interval, a pale band or, of categories, a whisker each, and
/// thin gray curves of single rows; gray columns count the rows that hold such values.
///
/// # Errors
/// [`Error::Empty`] without points, rows or lines, [`Error::Index`] for more lines than there are colors, lists of other
/// lengths, and numbers that cannot be drawn.
pub fn effect(effect: &Effect<'_>, options: &Options) -> Result<Chart, Error> {
    check(effect)?;
    let data = effect.data.insert_axis(ArrayAxis(1));
    let no_base = Array1::zeros(data.nrows());
    let table = Table {
        values: data,
        data: Some(data),
        features: std::slice::from_ref(effect.feature),
        base_values: no_base.view(),
        row_names: None,
        outputs: None,
        output: effect.output,
    };
    let mut frame = Frame::new(options);
    if effect.lines.len() > 1 {
        let named = effect.lines.iter().zip(paints(effect)).map(|(line, paint)| (paint, line.name.clone()));
        let named: Vec<(Paint, String)> = named.collect();
        frame.y = draw_groups(&mut frame.canvas, frame.y, effect.lines_name, &named) + 4.0;
    }
    let title = frame.canvas.shortened(&effect.output.value_axis_title(""), QUIET_LABEL, RIGHT - MARGIN);
    frame.canvas.text(&title, QUIET_LABEL, Align::Left, (MARGIN, frame.y + 12.0));
    frame.y += 24.0;
    let (top, bottom) = (frame.y, frame.y + HEIGHT);
    let up = Scale::over(all_values(effect), (bottom - HISTOGRAM_HEIGHT - 2.0 * RADIUS, top + 2.0 * RADIUS));
    let up = Axis::vertical(up.widened(0.02));
    let labels = up.ticks.iter().map(|(_, label)| frame.canvas.width(label, TICK));
    let left = MARGIN + labels.fold(0.0, f64::max).ceil() + 8.0;
    let across = Across::new(&table, 0, (left, RIGHT), &frame.canvas);
    draw_bands(&mut frame.canvas, effect, &across, &up.scale);
    up.draw_left(&mut frame.canvas, left, RIGHT);
    across.draw_histogram(&mut frame.canvas, &table, 0, bottom);
    let below = across.draw_axis(&mut frame.canvas, top, bottom);
    draw_curves(&mut frame.canvas, effect, &across, &up.scale);
    draw_lines(&mut frame.canvas, effect, &across, &up.scale);
    frame.axis_title(&effect.feature.name_and_unit(), left, below - 20.0);
    add_notes(&mut frame, effect);
    let description = format!(
        "{} against {}, {}",
        effect.output.value_axis_title(""),
        effect.feature.name,
        rows(data.nrows())
    );
    Ok(frame.finish(options, description))
}

fn check(effect: &Effect<'_>) -> Result<(), Error> {
    let n_points = effect.points.len();
    for (what, n) in [("points", n_points), ("rows", effect.data.len()), ("lines", effect.lines.len())] {
        if n == 0 {
            return Err(Error::Empty { what });
        }
    }
    check_index("line", effect.lines.len() - 1, MAX_GROUPS)?;
    check_numbers("the list of points", effect.points.iter().enumerate().map(|(i, &x)| (vec![i], x)))?;
    for line in effect.lines {
        check_length("the list of a line's values", n_points, line.values.len())?;
        if let Some(interval) = &line.interval {
            check_length("the list of a line's intervals", n_points, interval.len())?;
        }
    }
    if let Some(curves) = effect.curves {
        check_length("the axis of the curves' points", n_points, curves.ncols())?;
    }
    check_numbers("the list of outputs", all_values(effect).enumerate().map(|(i, x)| (vec![i], x)))
}

fn all_values<'a>(effect: &'a Effect<'_>) -> impl Iterator<Item = f64> + 'a {
    let of_curves = effect.curves.iter().flat_map(|curves| curves.iter().copied());
    let of_intervals = effect.lines.iter().flat_map(|line| line.interval.iter().flatten());
    let ends = of_intervals.flat_map(|&(low, high)| [low, high]);
    effect.lines.iter().flat_map(|line| line.values.iter().copied()).chain(of_curves).chain(ends)
}

fn paints(effect: &Effect<'_>) -> impl Iterator<Item = Paint> {
    let is_alone = effect.lines.len() == 1;
    (0..MAX_GROUPS as u8).map(move |group| if is_alone { Paint::Accent } else { Paint::Group(group) })
}

/// Where these values lie, without those of categories that have no place of their own.
fn places(
    effect: &Effect<'_>,
    values: impl Iterator<Item = f64>,
    across: &Across,
    up: &Scale,
) -> Vec<(f64, f64)> {
    let place = |(&point, value)| Some((across.center(point)?, up.place(value)));
    effect.points.iter().zip(values).filter_map(place).collect()
}

/// The intervals of numbers, from the first point to the last and back.
fn draw_bands(canvas: &mut Canvas, effect: &Effect<'_>, across: &Across, up: &Scale) {
    if effect.feature.is_categorical() {
        return;
    }
    for interval in effect.lines.iter().filter_map(|line| line.interval.as_ref()) {
        let mut outline = places(effect, interval.iter().map(|end| end.0), across, up);
        let upper = places(effect, interval.iter().map(|end| end.1), across, up);
        outline.extend(upper.into_iter().rev());
        if outline.len() > 2 {
            canvas.polygon(outline, BAND);
        }
    }
}

/// The intervals of categories: a line from end to end of each, with caps.
fn draw_whiskers(
    canvas: &mut Canvas,
    effect: &Effect<'_>,
    across: &Across,
    up: &Scale,
    (line, paint): (&EffectLine, Paint),
) {
    if !effect.feature.is_categorical() {
        return;
    }
    for (&point, &(low, high)) in effect.points.iter().zip(line.interval.iter().flatten()) {
        let Some(x) = across.center(point) else { continue };
        let (low, high) = (up.place(low), up.place(high));
        let stroke = Stroke::solid(paint, 1.5);
        canvas.line((x, low), (x, high), stroke);
        for y in [low, high] {
            canvas.line((x - CAP, y), (x + CAP, y), stroke);
        }
    }
}

fn draw_curves(canvas: &mut Canvas, effect: &Effect<'_>, across: &Across, up: &Scale) {
    for curve in effect.curves.iter().flat_map(|curves| curves.rows()) {
        let places = places(effect, curve.iter().copied(), across, up);
        if places.len() > 1 {
            canvas.polyline(places, CURVE);
        }
    }
}

fn draw_lines(canvas: &mut Canvas, effect: &Effect<'_>, across: &Across, up: &Scale) {
    for (line, paint) in effect.lines.iter().zip(paints(effect)) {
        let places = places(effect, line.values.iter().copied(), across, up);
        if !effect.feature.is_categorical() && places.len() > 1 {
            canvas.polyline(places, Stroke::solid(paint, 2.0));
        }
        draw_whiskers(canvas, effect, across, up, (line, paint));
        for (index, (&point, &value)) in effect.points.iter().zip(&line.values).enumerate() {
            let Some(x) = across.center(point) else { continue };
            let name = if line.name.is_empty() { String::new() } else { format!("{}, ", line.name) };
            let digits = up.digits();
            let ends =
                line.interval.as_ref().map(|ends| (digits.write(ends[index].0), digits.write(ends[index].1)));
            let ends = ends.map_or_else(String::new, |(low, high)| format!(", interval {low} to {high}"));
            let told = format!(
                "{name}{} = {}: {}{ends}",
                effect.feature.name,
                effect.feature.shown(point),
                digits.write(value)
            );
            canvas.telling(told, |canvas| canvas.discs(vec![(x, up.place(value))], RADIUS, paint));
        }
    }
}

fn add_notes(frame: &mut Frame, effect: &Effect<'_>) {
    frame.note(effect.note);
    if let Some(curves) = effect.curves {
        frame.note(format!("Each thin line is one of {}.", rows(curves.nrows())));
    }
    frame.note("The gray columns count rows that hold such a value.");
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2};

    use super::*;
    use crate::chart::testing::{check_chart, words};
    use crate::tabular::testing::options;

    fn drawn(
        feature: &Feature,
        data: &[f64],
        points: &[f64],
        n_lines: usize,
        n_curves: usize,
    ) -> Result<Chart, Error> {
        let lines: Vec<EffectLine> = (0..n_lines)
            .map(|line| EffectLine {
                name: format!("line {line}"),
                values: points.iter().map(|x| x * line as f64).collect(),
                interval: (line % 2 == 0)
                    .then(|| points.iter().map(|x| (x * line as f64 - 1.0, x * line as f64 + 2.0)).collect()),
            })
            .collect();
        let curves = Array2::from_shape_fn((n_curves, points.len()), |(row, point)| (row * point) as f64);
        let (data, points) = (Array1::from(data.to_vec()), Array1::from(points.to_vec()));
        let output =
            Output { name: "good".into(), unit: "log-odds".into(), value_name: "mean output".into() };
        let asked = Effect {
            feature,
            points: points.view(),
            data: data.view(),
            lines: &lines,
            lines_name: "sex",
            curves: (n_curves > 0).then(|| curves.view()),
            output: &output,
            note: "The mean over the rows.",
        };
        effect(&asked, &options(5))
    }

    #[test]
    fn effects_are_sound_charts() {
        let plain = Feature { name: "age".into(), unit: "years".into(), categories: vec![] };
        let names = (0..40).map(|code| format!("category {code}")).collect();
        let words_of = Feature { name: "job".into(), unit: String::new(), categories: names };
        for data in [&[1.0][..], &[1.0, 2.0, f64::NAN, 7.0], &[0.0, 1.0, 2.0, 3.0]] {
            for n_lines in [1, 2, 8] {
                for n_curves in [0, 3] {
                    for points in [&[1.0][..], &[1.0, 2.0, 3.0]] {
                        check_chart(&drawn(&plain, data, points, n_lines, n_curves).unwrap());
                        check_chart(&drawn(&words_of, data, points, n_lines, n_curves).unwrap());
                    }
                }
            }
        }
        let chart = drawn(&plain, &[1.0, 2.0], &[1.0, 2.0], 1, 2).unwrap();
        assert!(
            words(&chart).contains("mean output for good (log-odds)")
                && words(&chart).contains("age (years)")
        );
        assert!(words(&chart).contains("age = 1 years: 0, interval −1.00 to 2.00"), "{}", words(&chart));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let plain = Feature::default();
        assert_eq!(drawn(&plain, &[1.0], &[], 1, 0), Err(Error::Empty { what: "points" }));
        assert_eq!(drawn(&plain, &[1.0], &[1.0], 0, 0), Err(Error::Empty { what: "lines" }));
        assert!(drawn(&plain, &[1.0], &[1.0], 9, 0).is_err());
        assert!(matches!(drawn(&plain, &[1.0], &[f64::NAN], 1, 0), Err(Error::NotFinite { .. })));
    }
}

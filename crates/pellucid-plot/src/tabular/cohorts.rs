//! Cohorts: how much each feature matters to different groups of rows.

use crate::chart::paint::MAX_GROUPS;
use crate::chart::{Align, Axis, Canvas, Paint, Stroke, TICK};
use crate::number::{Digits, count, rows};
use crate::tabular::bar::zero_scale;
use crate::tabular::frame::{Frame, Name, Names, RIGHT};
use crate::tabular::legend::draw_groups;
use crate::tabular::ranking::Ranking;
use crate::tabular::{Options, Table, check_index};
use crate::{Chart, Error};

const BAR_HEIGHT: f64 = 12.0;
const BAR_DISTANCE: f64 = 14.0;
/// Between the bars of one feature and the next.
const GAP: f64 = 12.0;

/// A named group of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohort {
    /// What people call it.
    pub name: String,
    /// Its rows in the table, counted from 0, at least one.
    pub rows: Vec<usize>,
}

/// `mean |value|` of each feature, side by side for each of `cohorts`; the feature that matters most to any of them on
/// top. At most 8 cohorts.
///
/// # Errors
/// [`Error::Empty`] for no cohorts or one without rows, [`Error::TooMany`], [`Error::Index`] for a row beyond the last,
/// and what is wrong with `table` or `options`.
pub fn cohorts(table: &Table<'_>, cohorts: &[Cohort], options: &Options) -> Result<Chart, Error> {
    table.check(options)?;
    check_cohorts(table, cohorts)?;
    let sizes: Vec<Vec<f64>> = cohorts.iter().map(|cohort| mean_sizes(table, &cohort.rows)).collect();
    let largest_of = |feature: usize| sizes.iter().fold(0.0, |max: f64, sizes| max.max(sizes[feature]));
    let ranking =
        Ranking::of(&(0..table.n_features()).map(largest_of).collect::<Vec<_>>(), options.max_features);
    let mut names: Vec<String> =
        ranking.shown.iter().map(|&feature| table.features[feature].name.clone()).collect();
    let mut bars: Vec<Vec<f64>> =
        ranking.shown.iter().map(|&feature| sizes.iter().map(|sizes| sizes[feature]).collect()).collect();
    if !ranking.rest.is_empty() {
        names.push(format!("sum of {} other features", count(ranking.rest.len())));
        let rest = |sizes: &Vec<f64>| ranking.rest.iter().map(|&feature| sizes[feature]).sum();
        bars.push(sizes.iter().map(rest).collect());
    }
    let largest = bars.iter().flatten().fold(0.0, |max: f64, bar| max.max(*bar));
    let digits = Digits::of_span(largest, largest);

    let mut frame = Frame::new(options);
    let group = |(index, cohort): (usize, &Cohort)| {
        (Paint::Group(index as u8), format!("{} ({})", cohort.name, rows(cohort.rows.len())))
    };
    let groups: Vec<(Paint, String)> = cohorts.iter().enumerate().map(group).collect();
    frame.y = draw_groups(&mut frame.canvas, frame.y, "", &groups);
    let places = Names::new(&names.iter().map(Name::plain).collect::<Vec<_>>(), &frame.canvas);
    draw(&mut frame, &places, (&names, &bars), cohorts, digits);
    frame.axis_title(&table.output.value_axis_title("Mean size of "), places.left, frame.y);
    frame.note(format!("Mean of |{}| over the rows of each cohort.", table.output.value_name));
    let description = describe(&names, &bars, cohorts, digits);
    Ok(frame.finish(options, description))
}

fn check_cohorts(table: &Table<'_>, cohorts: &[Cohort]) -> Result<(), Error> {
    if cohorts.is_empty() {
        return Err(Error::Empty { what: "cohorts" });
    }
    if cohorts.len() > MAX_GROUPS {
        return Err(Error::TooMany { what: "cohorts", count: cohorts.len(), limit: MAX_GROUPS });
    }
    for cohort in cohorts {
        if cohort.rows.is_empty() {
            return Err(Error::Empty { what: "rows of a cohort" });
        }
        cohort.rows.iter().try_for_each(|&row| check_index("row", row, table.n_rows()))?;
    }
    Ok(())
}

fn mean_sizes(table: &Table<'_>, rows: &[usize]) -> Vec<f64> {
    let mut sums = vec![0.0; table.n_features()];
    for &row in rows {
        for (sum, value) in sums.iter_mut().zip(table.values.row(row)) {
            *sum += value.abs();
        }
    }
    sums.iter().map(|sum| sum / rows.len() as f64).collect()
}

/// The bars from `frame.y` on, which then is where they end.
fn draw(
    frame: &mut Frame,
    places: &Names,
    (names, bars): (&[String], &[Vec<f64>]),
    cohorts: &[Cohort],
    digits: Digits,
) {
    let canvas: &mut Canvas = &mut frame.canvas;
    let labels = bars.iter().flatten().map(|&bar| canvas.width(&digits.write(bar), TICK));
    let room = labels.fold(0.0, f64::max) + 8.0;
    let scale = zero_scale(bars.iter().flatten().copied(), (places.left, RIGHT - room));
    let axis = Axis::horizontal(scale, canvas);
    let height = BAR_DISTANCE * cohorts.len() as f64 + GAP;
    let bottom = frame.y + height * bars.len() as f64;
    axis.draw_below(canvas, frame.y, bottom);
    for (index, (name, bars)) in names.iter().zip(bars).enumerate() {
        let top = frame.y + height * index as f64 + GAP / 2.0;
        canvas.telling(name.clone(), |canvas| places.draw(canvas, index, top + (height - GAP) / 2.0));
        for (place, (cohort, &bar)) in cohorts.iter().zip(bars).enumerate() {
            let (y, end) = (top + BAR_DISTANCE * place as f64 + 1.0, scale.place(bar));
            let label = digits.write(bar);
            canvas.telling(format!("{name}, {}: {label}", cohort.name), |canvas| {
                canvas.rect((places.left, y), (end - places.left, BAR_HEIGHT), Paint::Group(place as u8));
                canvas.text_on_ground(&label, TICK, Align::Left, (end + 5.0, y + 10.0));
            });
        }
    }
    canvas.line((places.left, frame.y), (places.left, bottom), Stroke::solid(Paint::Quiet, 1.0));
    frame.y = bottom;
}

fn describe(names: &[String], bars: &[Vec<f64>], cohorts: &[Cohort], digits: Digits) -> String {
    let of_feature = |(name, bars): (&String, &Vec<f64>)| {
        let of_cohort = |(cohort, &bar): (&Cohort, &f64)| format!("{} {}", cohort.name, digits.write(bar));
        format!("{name}: {}", cohorts.iter().zip(bars).map(of_cohort).collect::<Vec<_>>().join(", "))
    };
    let parts: Vec<String> = names.iter().zip(bars).map(of_feature).collect();
    format!("Bars of {} cohorts. {}", cohorts.len(), parts.join("; "))
}

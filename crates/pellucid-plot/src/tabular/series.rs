//! Series: a line for each channel over bands that say what its steps add.

use std::ops::Range;

use ndarray::ArrayView2;

use crate::chart::mark::Rect;
use crate::chart::{Align, Axis, Canvas, Paint, STRONG, Scale, Shape, Stroke, Style, TICK};
use crate::number::{Digits, short_number};
use crate::tabular::frame::{Frame, MARGIN, RIGHT};
use crate::tabular::legend::draw_scale;
use crate::tabular::ranking::Ranking;
use crate::tabular::{Feature, Options, Output, check_length, check_numbers};
use crate::{Chart, Error, Palette};

const PANEL_HEIGHT: f64 = 96.0;
/// Room above the line for the numbers of the bands.
const NUMBERS_HEIGHT: f64 = 19.0;
/// Full colors would drown the line.
const STRONGEST: f64 = 0.62;
/// So many bands of a channel are told apart by lines and numbers.
const MAX_NUMBERED: usize = 24;
/// Beyond so many steps, neighbors share a band.
const MAX_BANDS: usize = 600;

/// A series with what each of its steps adds to the output.
#[derive(Debug, Clone, Copy)]
pub struct Series<'a> {
    /// `[time, channel]`: the series.
    pub data: ArrayView2<'a, f64>,
    /// `[time, channel]`: what each step adds; steps that are one part of the series have the part's value, whole.
    pub values: ArrayView2<'a, f64>,
    /// One for each channel.
    pub channels: &'a [Feature],
    /// Whether values below 0 lower the output; otherwise there are none.
    pub is_signed: bool,
    /// What is explained.
    pub output: &'a Output,
}

/// A panel for each channel, one below the other: the series as a line, and behind it bands from blue for what lowers the output to
/// red for what raises it. All panels share the colors' scale.
///
/// Channels beyond `max_features`, those with the smallest values, are left out, and the chart says how many.
///
/// # Errors
/// [`Error::Empty`] for a series without steps or channels, [`Error::Length`], [`Error::NotFinite`].
pub fn series(series: &Series<'_>, options: &Options) -> Result<Chart, Error> {
    check(series)?;
    let (n_steps, n_channels) = series.data.dim();
    let sizes: Vec<f64> = series
        .values
        .columns()
        .into_iter()
        .map(|channel| channel.iter().fold(0.0, |most: f64, value| most.max(value.abs())))
        .collect();
    let mut shown = Ranking::of(&sizes, options.max_features).shown;
    shown.sort_unstable();
    let bands = Bands::new(series, &shown);
    let mut frame = Frame::new(options);
    bands.draw_legend(&mut frame);
    let scales: Vec<Axis> = shown.iter().map(|&channel| upward(series, channel)).collect();
    let labels = scales.iter().flat_map(|axis| axis.ticks.iter());
    let widest = labels.map(|(_, label)| frame.canvas.width(label, TICK)).fold(0.0, f64::max);
    let left = MARGIN + widest.ceil() + 10.0;
    let across = Scale { low: -0.5, high: n_steps as f64 - 0.5, start: left, end: RIGHT };
    for (&channel, up) in shown.iter().zip(&scales) {
        let name = series.channels[channel].name_and_unit();
        let name = frame.canvas.shortened(&name, STRONG, RIGHT - left);
        frame.canvas.text(&name, STRONG, Align::Left, (left, frame.y + 12.0));
        frame.y += 19.0;
        bands.draw(&mut frame.canvas, series, channel, &across, frame.y);
        let moved = at(up, frame.y);
        draw_ticks(&mut frame.canvas, &moved, left);
        draw_line(&mut frame.canvas, series, channel, &across, &moved.scale);
        frame.y += PANEL_HEIGHT + 13.0;
    }
    let bottom = frame.y - 13.0;
    for (step, label) in steps(across, &frame.canvas) {
        frame.canvas.text(&label, TICK, Align::Middle, (across.place(step), bottom + 16.0));
    }
    frame.axis_title("step", left, bottom);
    add_notes(&mut frame, series, n_channels - shown.len());
    let description = format!(
        "{} along a series of {n_steps} steps and {n_channels} channel{}",
        series.output.value_axis_title(""),
        if n_channels == 1 { "" } else { "s" }
    );
    Ok(frame.finish(options, description))
}

fn check(series: &Series<'_>) -> Result<(), Error> {
    let (n_steps, n_channels) = series.data.dim();
    if n_steps == 0 || n_channels == 0 {
        return Err(Error::Empty { what: if n_steps == 0 { "steps" } else { "channels" } });
    }
    check_length("the axis of the values' steps", n_steps, series.values.nrows())?;
    check_length("the axis of the values' channels", n_channels, series.values.ncols())?;
    check_length("the list of channels", n_channels, series.channels.len())?;
    let places = |(step, channel): (usize, usize), &number: &f64| (vec![step, channel], number);
    check_numbers("the series", series.data.indexed_iter().map(|(place, number)| places(place, number)))?;
    check_numbers("the values", series.values.indexed_iter().map(|(place, number)| places(place, number)))
}

/// The upward axis of a channel whose panel begins at 0.
fn upward(series: &Series<'_>, channel: usize) -> Axis {
    let room = (PANEL_HEIGHT - 6.0, NUMBERS_HEIGHT + 5.0);
    Axis::vertical(Scale::over(series.data.column(channel).iter().copied(), room))
}

fn at(axis: &Axis, top: f64) -> Axis {
    let scale = Scale { start: axis.scale.start + top, end: axis.scale.end + top, ..axis.scale };
    Axis { scale, ticks: axis.ticks.clone() }
}

fn draw_ticks(canvas: &mut Canvas, axis: &Axis, left: f64) {
    for (value, label) in &axis.ticks {
        let y = axis.scale.place(*value);
        canvas.line((left - 4.0, y), (left, y), Stroke::solid(Paint::Quiet, 1.0));
        canvas.text(label, TICK, Align::Right, (left - 8.0, y + 4.0));
    }
}

/// Whole steps alone.
fn steps(across: Scale, canvas: &Canvas) -> Vec<(f64, String)> {
    let ticks = Axis::horizontal(across, canvas).ticks;
    let whole = ticks.iter().map(|(step, _)| step.round()).filter(|step| *step >= 0.0 && *step < across.high);
    let mut whole: Vec<f64> = whole.collect();
    whole.dedup();
    whole.into_iter().map(|step| (step, format!("{step:.0}"))).collect()
}

/// The line with a rim, so that it stands out on every color; of very many steps the least and greatest of neighbors.
fn draw_line(canvas: &mut Canvas, series: &Series<'_>, channel: usize, across: &Scale, up: &Scale) {
    let data = series.data.column(channel);
    let place = |step: usize| (across.place(step as f64), up.place(data[step]));
    let mut points = Vec::new();
    for range in bins(data.len()) {
        let by = |a: &usize, b: &usize| data[*a].total_cmp(&data[*b]);
        let ends = [range.clone().min_by(by), range.max_by(by)];
        let mut ends: Vec<usize> = ends.into_iter().flatten().collect();
        ends.sort_unstable();
        ends.dedup();
        points.extend(ends.into_iter().map(place));
    }
    if let [(x, y)] = points[..] {
        return canvas.discs(vec![(x, y)], 3.0, Paint::Ink);
    }
    let rim = Stroke { opacity: 0.85, ..Stroke::solid(Paint::Ground, 4.2) };
    canvas.polyline(points.clone(), rim);
    canvas.polyline(points, Stroke::solid(Paint::Ink, 1.7));
}

fn bins(n: usize) -> impl Iterator<Item = Range<usize>> {
    let n_bins = n.clamp(1, MAX_BANDS);
    (0..n_bins).map(move |bin| bin * n / n_bins..(bin + 1) * n / n_bins)
}

/// What the bands of all panels have in common.
struct Bands {
    /// The largest size of a value.
    limit: f64,
    digits: Digits,
    is_signed: bool,
}

impl Bands {
    fn new(series: &Series<'_>, shown: &[usize]) -> Self {
        let sizes = shown.iter().flat_map(|&channel| series.values.column(channel).to_vec());
        let limit = sizes.fold(0.0, |most: f64, value| most.max(value.abs()));
        Self { limit, digits: Digits::of_span(limit, limit), is_signed: series.is_signed }
    }

    fn paint(&self, value: f64) -> Paint {
        let share = if self.limit > 0.0 { STRONGEST * value / self.limit } else { 0.0 };
        match self.is_signed {
            true => Paint::Fixed(Palette::Diverging.color(share)),
            false => Paint::tint(share.abs()),
        }
    }

    /// `+0.31`, and `< 0.001` for what would look like nothing.
    fn number(&self, value: f64) -> String {
        match self.digits.write_size(value.abs()) {
            small if small.starts_with('<') => small,
            _ => self.digits.write_signed(value),
        }
    }

    fn draw_legend(&self, frame: &mut Frame) {
        let limit = short_number(self.limit);
        let shares = (0..25).map(|step| f64::from(step) / 24.0);
        let (ends, paints): ([String; 2], Vec<Paint>) = match self.is_signed {
            true => (
                [format!("−{limit}"), format!("+{limit}")],
                shares
                    .map(|share| self.paint((2.0 * share - 1.0) * self.limit.max(f64::MIN_POSITIVE)))
                    .collect(),
            ),
            false => (["0".to_owned(), limit], shares.map(|share| self.paint(share * self.limit)).collect()),
        };
        let title = if self.is_signed { "lowers or raises the output" } else { "matters" };
        let ends = if self.limit > 0.0 { ends } else { ["0".to_owned(), "0".to_owned()] };
        draw_scale(&mut frame.canvas, (RIGHT, frame.y), title, [&ends[0], &ends[1]], &paints);
        frame.y += 26.0;
    }

    /// The bands of a channel, and their numbers where all of them have room.
    fn draw(&self, canvas: &mut Canvas, series: &Series<'_>, channel: usize, across: &Scale, top: f64) {
        let values = series.values.column(channel);
        let mut bands: Vec<(Range<usize>, f64)> = Vec::new();
        for range in bins(values.len()) {
            let strongest = range.clone().max_by(|&a, &b| values[a].abs().total_cmp(&values[b].abs()));
            let value = strongest.map_or(0.0, |step| values[step]);
            match bands.last_mut() {
                Some((last, same)) if *same == value => last.end = range.end,
                _ => bands.push((range, value)),
            }
        }
        let ends =
            |range: &Range<usize>| [range.start, range.end].map(|step| across.place(step as f64 - 0.5));
        let numbers: Vec<String> = bands.iter().map(|(_, value)| self.number(*value)).collect();
        let are_few = bands.len() <= MAX_NUMBERED;
        for ((range, value), number) in bands.iter().zip(numbers) {
            let [left, right] = ends(range);
            let steps = match range.len() {
                1 => format!("step {}", range.start),
                _ => format!("steps {} to {}", range.start, range.end - 1),
            };
            let told = format!("{}, {steps}: {number}", series.channels[channel].name);
            canvas.telling(told, |canvas| {
                canvas.rect((left, top), (right - left, PANEL_HEIGHT), self.paint(*value));
                if are_few && canvas.width(&number, TICK) + 6.0 <= right - left {
                    canvas.text(&number, TICK_ON_BAND, Align::Middle, ((left + right) / 2.0, top + 14.0));
                }
            });
        }
        if are_few {
            for (range, _) in &bands[1..] {
                let x = ends(range)[0];
                canvas.line((x, top), (x, top + PANEL_HEIGHT), Stroke::solid(Paint::Ground, 1.5));
            }
        }
        let rim = Rect { x: across.start, y: top, width: across.end - across.start, height: PANEL_HEIGHT };
        canvas.push(Shape::Rect(rim), None, Some(Stroke::solid(Paint::Grid, 1.0)));
    }
}

/// Ink on every color of a band.
const TICK_ON_BAND: Style = Style { paint: Paint::Fixed([0x2b, 0x30, 0x3a]), ..TICK };

fn add_notes(frame: &mut Frame, series: &Series<'_>, n_hidden: usize) {
    frame.note(match series.is_signed {
        true => "The line is the series; red bands raise the output, blue ones lower it.",
        false => "The line is the series; the darker a band, the more its steps matter.",
    });
    let first = series.values.column(0);
    if series.values.ncols() > 1 && series.values.columns().into_iter().all(|channel| channel == first) {
        frame.note("A band is worth that in all channels together, not in each.");
    }
    // One alone is not left out.
    if n_hidden > 0 {
        frame.note(format!("{n_hidden} channels with smaller values are left out."));
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::chart::testing::{check_chart, words};
    use crate::tabular::testing::{noise, options};

    fn drawn(data: &Array2<f64>, values: &Array2<f64>, max_channels: usize) -> Result<Chart, Error> {
        let channels: Vec<Feature> = (0..data.ncols())
            .map(|channel| Feature { name: format!("channel {channel}"), ..Feature::default() })
            .collect();
        let output = Output { name: "rain".into(), unit: "log-odds".into(), value_name: "value".into() };
        let asked = Series {
            data: data.view(),
            values: values.view(),
            channels: &channels,
            is_signed: values.iter().any(|value| *value < 0.0),
            output: &output,
        };
        series(&asked, &Options { title: "LIME".into(), ..options(max_channels) })
    }

    #[test]
    fn series_are_sound_charts() {
        for (n_steps, n_channels) in [(1, 1), (2, 3), (28, 4), (900, 2)] {
            let data =
                Array2::from_shape_fn((n_steps, n_channels), |(step, channel)| 1e3 * noise(step, channel));
            for n_stretches in [1, 7, n_steps] {
                let values = Array2::from_shape_fn((n_steps, n_channels), |(step, channel)| {
                    noise(step * n_stretches / n_steps, channel)
                });
                for values in [&values, &values.mapv(f64::abs), &(&values * 0.0)] {
                    check_chart(&drawn(&data, values, 3).unwrap());
                }
            }
            let constant = Array2::from_elem((n_steps, n_channels), 7.0);
            check_chart(&drawn(&constant, &data, 3).unwrap());
        }
    }

    #[test]
    fn bands_tell_their_steps_and_values() {
        let data = Array2::from_shape_fn((6, 2), |(step, _)| step as f64);
        let values =
            Array2::from_shape_fn((6, 2), |(step, channel)| if step < 3 { 0.5 } else { -(channel as f64) });
        let chart = drawn(&data, &values, 9).unwrap();
        let told = words(&chart);
        for part in
            ["channel 0, steps 0 to 2: +0.5", "channel 1, steps 3 to 5: −1", "red bands raise", "step"]
        {
            assert!(told.contains(part), "{told}\nwithout {part}");
        }
        assert!(!told.contains("all channels together"));
        let told = words(&drawn(&data, &data, 9).unwrap()).replace('\n', " ");
        assert!(told.contains("in all channels together, not in each"), "{told}");
        let wide = Array2::from_shape_fn((6, 3), |(step, channel)| (step * channel) as f64);
        let told = words(&drawn(&wide, &wide, 1).unwrap()).replace('\n', " ");
        assert!(told.contains("2 channels with smaller values are left out"), "{told}");
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let data = Array2::zeros((4, 2));
        assert!(matches!(drawn(&data, &Array2::zeros((4, 3)), 2), Err(Error::Length { .. })));
        assert!(matches!(
            drawn(&data, &Array2::from_elem((4, 2), f64::NAN), 2),
            Err(Error::NotFinite { .. })
        ));
        assert!(matches!(drawn(&Array2::zeros((0, 2)), &Array2::zeros((0, 2)), 2), Err(Error::Empty { .. })));
    }
}

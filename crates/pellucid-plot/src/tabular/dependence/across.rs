//! Across: where a feature's values lie from left to right, numbers on a scale and categories in slots.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::chart::{Align, Axis, Canvas, Paint, Scale, Stroke, TICK};
use crate::number::{count, feature_value, rows};
use crate::tabular::{Feature, LARGEST, Table};

/// Room for rows without a value.
const MISSING_WIDTH: f64 = 62.0;
/// More slots than these have no room for their names.
const MAX_SLOTS: usize = 24;
const TURN: f64 = -38.0;
const MAX_TURNED_WIDTH: f64 = 150.0;
const N_BINS: usize = 60;
/// Height of the highest column of the histogram.
pub(crate) const HISTOGRAM_HEIGHT: f64 = 40.0;
/// A dot's way from the middle of its slot, in slots.
const SPREAD: f64 = 0.32;

pub(crate) struct Across {
    /// Where rows without a value lie, if there are any.
    missing: Option<(f64, f64)>,
    places: Places,
}

enum Places {
    Numbers(Axis),
    Slots { slots: Vec<Slot>, left: f64, width: f64, of_code: BTreeMap<usize, usize> },
}

struct Slot {
    name: String,
}

impl Across {
    pub(crate) fn new(table: &Table<'_>, index: usize, (left, right): (f64, f64), canvas: &Canvas) -> Self {
        let data = || (0..table.n_rows()).map(|row| table.datum(row, index));
        let missing = data().any(f64::is_nan).then_some((left, left + MISSING_WIDTH));
        let left = if missing.is_some() { left + MISSING_WIDTH + 12.0 } else { left };
        let feature = &table.features[index];
        let places = if feature.is_categorical() {
            slots(feature, data(), (left, right))
        } else {
            let shown = data().filter(|datum| datum.abs() <= LARGEST);
            Places::Numbers(Axis::horizontal(
                Scale::over(shown, (left + 6.0, right - 6.0)).widened(0.015),
                canvas,
            ))
        };
        Self { missing, places }
    }

    /// Where `datum` lies; dots of one slot are spread by their rows. `None` for numbers beyond any axis.
    pub(crate) fn place(&self, datum: f64, row: usize) -> Option<f64> {
        if datum.is_nan() {
            let (left, right) = self.missing?;
            return Some((left + right) / 2.0 + SPREAD * (right - left) * spread(row));
        }
        match &self.places {
            Places::Numbers(axis) => (datum.abs() <= LARGEST).then(|| axis.scale.place(datum)),
            Places::Slots { slots, left, width, of_code } => {
                let slot = of_code.get(&(datum as usize)).copied().unwrap_or(slots.len() - 1);
                Some(left + (slot as f64 + 0.5 + SPREAD * spread(row)) * width)
            }
        }
    }

    /// The middle of where `datum` lies; `None` beyond what the rows hold, and for a category without a place of its own.
    pub(crate) fn center(&self, datum: f64) -> Option<f64> {
        match &self.places {
            Places::Numbers(axis) => {
                (axis.scale.low..=axis.scale.high).contains(&datum).then(|| axis.scale.place(datum))
            }
            Places::Slots { left, width, of_code, .. } => {
                of_code.get(&(datum as usize)).map(|&slot| left + (slot as f64 + 0.5) * width)
            }
        }
    }

    /// How many rows lie where, as columns on `bottom`.
    pub(crate) fn draw_histogram(&self, canvas: &mut Canvas, table: &Table<'_>, index: usize, bottom: f64) {
        let data = || (0..table.n_rows()).map(|row| table.datum(row, index));
        let mut columns: Vec<(f64, f64, String, usize)> = Vec::new();
        if let Some((left, right)) = self.missing {
            columns.push((
                left + 4.0,
                right - left - 8.0,
                "missing".into(),
                data().filter(|datum| datum.is_nan()).count(),
            ));
        }
        match &self.places {
            Places::Numbers(axis) => columns.extend(bins(data(), &axis.scale, &table.features[index])),
            Places::Slots { slots, left, width, of_code } => {
                let mut counts = vec![0; slots.len()];
                for code in data().filter(|datum| !datum.is_nan()) {
                    counts[of_code.get(&(code as usize)).copied().unwrap_or(slots.len() - 1)] += 1;
                }
                columns.extend(slots.iter().zip(counts).enumerate().map(|(place, (slot, n))| {
                    (left + (place as f64 + 0.08) * width, 0.84 * width, slot.name.clone(), n)
                }));
            }
        }
        let highest = columns.iter().map(|column| column.3).max().unwrap_or(1).max(1) as f64;
        for (x, width, name, n) in columns.into_iter().filter(|column| column.3 > 0) {
            let height = HISTOGRAM_HEIGHT * n as f64 / highest;
            canvas.telling(format!("{name}: {}", rows(n)), |canvas| {
                canvas.rect((x, bottom - height), (width, height), Paint::Grid);
            });
        }
    }

    /// Numbers or names under `bottom`. Where they end.
    pub(crate) fn draw_axis(&self, canvas: &mut Canvas, top: f64, bottom: f64) -> f64 {
        let mut below = bottom + 22.0;
        match &self.places {
            Places::Numbers(axis) => axis.draw_below(canvas, top, bottom),
            Places::Slots { slots, left, width, .. } => {
                let from = self.missing.map_or(*left, |missing| missing.0);
                canvas.line(
                    (from, bottom),
                    (left + width * slots.len() as f64, bottom),
                    Stroke::solid(Paint::Grid, 1.0),
                );
                // Turned names have the same room in slots of any width.
                let whole = slots.iter().all(|slot| canvas.width(&slot.name, TICK) <= width - 8.0);
                let level_width = (whole || *width >= MAX_TURNED_WIDTH).then_some(width - 8.0);
                for (place, slot) in slots.iter().enumerate() {
                    let middle = left + (place as f64 + 0.5) * width;
                    below = below.max(draw_name(canvas, &slot.name, (middle, bottom), level_width));
                }
            }
        }
        if let Some((left, right)) = self.missing {
            canvas.line((right + 6.0, top), (right + 6.0, bottom), Stroke::dashed(Paint::Grid, 1.0));
            canvas.text("missing", TICK, Align::Middle, ((left + right) / 2.0, bottom + 16.0));
        }
        below
    }
}

/// The most frequent categories that occur, in the order of their codes, and one slot for all others.
fn slots(feature: &Feature, data: impl Iterator<Item = f64>, (left, right): (f64, f64)) -> Places {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for code in data.filter(|code| !code.is_nan()) {
        *counts.entry(code as usize).or_default() += 1;
    }
    let mut codes: Vec<usize> = counts.keys().copied().collect();
    let n_codes = codes.len();
    if n_codes > MAX_SLOTS {
        codes.sort_by_key(|code| (Reverse(counts[code]), *code));
        codes.truncate(MAX_SLOTS - 1);
        codes.sort_unstable();
    }
    let mut slots: Vec<Slot> =
        codes.iter().map(|&code| Slot { name: feature.categories[code].clone() }).collect();
    if n_codes > codes.len() {
        slots.push(Slot { name: format!("{} others", count(n_codes - codes.len())) });
    }
    let width = (right - left) / slots.len().max(1) as f64;
    Places::Slots { slots, left, width, of_code: codes.into_iter().zip(0..).collect() }
}

/// Where each column begins, how wide it is, what it holds and how many rows that are.
fn bins(data: impl Iterator<Item = f64>, scale: &Scale, feature: &Feature) -> Vec<(f64, f64, String, usize)> {
    let mut counts = vec![0; N_BINS];
    for datum in data.filter(|datum| datum.abs() <= LARGEST) {
        let share = (datum - scale.low) / scale.span();
        counts[((share * N_BINS as f64) as usize).min(N_BINS - 1)] += 1;
    }
    let width = (scale.end - scale.start) / N_BINS as f64;
    let edge = |index: usize| feature_value(scale.low + index as f64 / N_BINS as f64 * scale.span());
    let column = |(index, n): (usize, usize)| {
        let unit = if feature.unit.is_empty() { String::new() } else { format!(" {}", feature.unit) };
        let name = format!("{} to {}{unit}", edge(index), edge(index + 1));
        (scale.start + (index as f64 + 0.05) * width, 0.9 * width, name, n)
    };
    counts.into_iter().enumerate().map(column).collect()
}

/// Under its slot, level within a width, else turned. Where it ends, downward.
fn draw_name(canvas: &mut Canvas, name: &str, (middle, bottom): (f64, f64), level_width: Option<f64>) -> f64 {
    if let Some(width) = level_width {
        let name = canvas.shortened(name, TICK, width);
        canvas.text(&name, TICK, Align::Middle, (middle, bottom + 16.0));
        return bottom + 22.0;
    }
    let (sin, cos) = TURN.to_radians().sin_cos();
    // Ends under its slot and must begin inside the chart.
    let room = ((middle - 12.0) / cos).min(MAX_TURNED_WIDTH);
    let name = canvas.shortened(name, TICK, room);
    let length = canvas.width(&name, TICK);
    let start = (middle + 5.0 - length * cos, bottom + 13.0 - length * sin);
    canvas.turned_text(&name, TICK, start, TURN);
    start.1 + 8.0
}

/// From −1 to 1, without a pattern that the eye could see, the same each time.
fn spread(row: usize) -> f64 {
    let golden = 0.618_033_988_749_894_9;
    2.0 * (row as f64 * golden).fract() - 1.0
}

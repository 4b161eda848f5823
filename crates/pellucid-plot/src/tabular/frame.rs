//! Frame: what lies around every chart: title on top, names at the left, notes and caption at the bottom.

use crate::Chart;
use crate::chart::{Align, Canvas, LABEL, NOTE, QUIET_LABEL, STRONG, Style, TITLE};
use crate::tabular::Options;

pub(crate) const WIDTH: f64 = 880.0;
pub(crate) const MARGIN: f64 = 20.0;
/// Where the content ends at the right.
pub(crate) const RIGHT: f64 = WIDTH - MARGIN;
/// The widest column of names.
pub(crate) const MAX_NAMES_WIDTH: f64 = 290.0;
/// Between a name and what it names.
pub(crate) const NAMES_GAP: f64 = 12.0;

/// A canvas with its title drawn and the height used so far.
pub(crate) struct Frame {
    pub(crate) canvas: Canvas,
    pub(crate) y: f64,
    notes: Vec<String>,
    width: f64,
}

impl Frame {
    pub(crate) fn new(options: &Options) -> Self {
        Self::of_width(options, WIDTH)
    }

    pub(crate) fn of_width(options: &Options, width: f64) -> Self {
        let mut frame = Self { canvas: Canvas::new(), y: MARGIN, notes: Vec::new(), width };
        frame.lines(&options.title, TITLE, 3);
        if !options.title.is_empty() {
            frame.y += 8.0;
        }
        frame
    }

    /// A sentence that the reader needs to read the chart rightly; none if empty.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.extend(Some(note.into()).filter(|note| !note.is_empty()));
    }

    /// What an axis counts, under its numbers below `bottom`.
    pub(crate) fn axis_title(&mut self, title: &str, left: f64, bottom: f64) {
        let title = self.canvas.shortened(title, QUIET_LABEL, RIGHT - left);
        self.canvas.text(&title, QUIET_LABEL, Align::Middle, ((left + RIGHT) / 2.0, bottom + 38.0));
        self.y = bottom + 46.0;
    }

    /// Notes and caption, and the whole.
    pub(crate) fn finish(mut self, options: &Options, description: String) -> Chart {
        let notes = std::mem::take(&mut self.notes).join(" ");
        if !notes.is_empty() || !options.caption.is_empty() {
            self.y += 8.0;
        }
        self.lines(&notes, NOTE, 5);
        self.lines(&options.caption, NOTE, 6);
        let title =
            if options.title.is_empty() { String::new() } else { format!("{}. ", options.title.trim()) };
        self.canvas.into_chart((self.width, self.y + MARGIN), title + &description)
    }

    fn lines(&mut self, text: &str, style: Style, max_lines: usize) {
        for line in self.canvas.wrapped(text, style, self.width - 2.0 * MARGIN, max_lines) {
            self.canvas.text(&line, style, Align::Left, (MARGIN, self.y + style.size));
            self.y += (1.4 * style.size).round();
        }
    }
}

/// A name at the left of a chart: `feature = value`, of which the value stands out.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    pub(crate) feature: String,
    pub(crate) value: Option<String>,
}

impl Name {
    pub(crate) fn plain(feature: impl Into<String>) -> Self {
        Self { feature: feature.into(), value: None }
    }
}

/// Names set to the right against what they name, each shortened to the column's width.
pub(crate) struct Names {
    lines: Vec<(String, String)>,
    /// From the left margin to where the content starts.
    pub(crate) left: f64,
}

impl Names {
    pub(crate) fn new(names: &[Name], canvas: &Canvas) -> Self {
        let lines: Vec<(String, String)> = names.iter().map(|name| shortened(name, canvas)).collect();
        let width = lines.iter().map(|line| line_width(line, canvas)).fold(40.0, f64::max);
        Self { lines, left: MARGIN + width.ceil() + NAMES_GAP }
    }

    /// The name of this place, around `middle`.
    pub(crate) fn draw(&self, canvas: &mut Canvas, index: usize, middle: f64) {
        let line = &self.lines[index];
        let (right, baseline) = (self.left - NAMES_GAP, middle + 0.36 * LABEL.size);
        canvas.text(&line.1, STRONG, Align::Right, (right, baseline));
        canvas.text(&line.0, LABEL, Align::Right, (right - value_width(line, canvas), baseline));
    }
}

fn line_width(line: &(String, String), canvas: &Canvas) -> f64 {
    canvas.width(&line.0, LABEL) + value_width(line, canvas)
}

/// With the space before it, which is no letter of either part: pages drop spaces at the end of a text.
fn value_width((_, value): &(String, String), canvas: &Canvas) -> f64 {
    if value.is_empty() { 0.0 } else { canvas.width(value, STRONG) + canvas.width(" ", LABEL) }
}

/// Both parts as far as they fit; a long value leaves at least half to the name.
fn shortened(name: &Name, canvas: &Canvas) -> (String, String) {
    let Some(value) = &name.value else {
        return (canvas.shortened(&name.feature, LABEL, MAX_NAMES_WIDTH), String::new());
    };
    let equals = canvas.width(" = ", LABEL) + 1.0;
    let feature_width = canvas.width(&name.feature, LABEL);
    let room = MAX_NAMES_WIDTH - equals;
    let value = canvas.shortened(value, STRONG, (room - feature_width).max(room / 2.0));
    let feature = canvas.shortened(&name.feature, LABEL, room - canvas.width(&value, STRONG));
    (format!("{feature} ="), value)
}

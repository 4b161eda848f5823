//! Canvas: where plots put their marks, with text measured by the carried font.

use crate::chart::mark::{Rect, Text};
use crate::chart::{Chart, Mark, Paint, Shape, Stroke};
use crate::font::{Font, Weight};
use crate::text::{fit_lines, fit_middle};

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Style {
    pub(crate) size: f64,
    pub(crate) weight: Weight,
    pub(crate) paint: Paint,
}

pub(crate) const TITLE: Style = Style { size: 18.0, weight: Weight::SemiBold, paint: Paint::Ink };
pub(crate) const STRONG: Style = Style { size: 13.0, weight: Weight::SemiBold, paint: Paint::Ink };
pub(crate) const LABEL: Style = Style { size: 13.0, weight: Weight::Regular, paint: Paint::Ink };
pub(crate) const QUIET_LABEL: Style = Style { paint: Paint::Quiet, ..LABEL };
pub(crate) const TICK: Style = Style { size: 12.0, weight: Weight::Regular, paint: Paint::Quiet };
pub(crate) const NOTE: Style = Style { size: 12.5, weight: Weight::Regular, paint: Paint::Quiet };

/// Which point of a text lies at the given place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Align {
    Left,
    Middle,
    Right,
}

pub(crate) struct Canvas {
    regular: Font,
    semi_bold: Font,
    marks: Vec<Mark>,
    tooltips: Vec<String>,
    /// Whether new marks belong to the last tooltip.
    telling: bool,
}

impl Canvas {
    pub(crate) fn new() -> Self {
        Self {
            regular: Font::carried(Weight::Regular),
            semi_bold: Font::carried(Weight::SemiBold),
            marks: Vec::new(),
            tooltips: Vec::new(),
            telling: false,
        }
    }

    pub(crate) fn into_chart(self, (width, height): (f64, f64), description: String) -> Chart {
        let (width, height) = (width.ceil() as u32, height.ceil() as u32);
        Chart { width, height, description, marks: self.marks, tooltips: self.tooltips }
    }

    /// What `draw` draws is one thing that tells `tooltip` when pointed at.
    pub(crate) fn telling(&mut self, tooltip: String, draw: impl FnOnce(&mut Self)) {
        self.tooltips.push(tooltip);
        self.telling = true;
        draw(self);
        self.telling = false;
    }

    pub(crate) fn width(&self, text: &str, style: Style) -> f64 {
        self.font(style).width(text, style.size)
    }

    /// `text` with its middle left out as far as `max_width` asks for it.
    pub(crate) fn shortened(&self, text: &str, style: Style, max_width: f64) -> String {
        fit_middle(self.font(style), text, style.size, max_width)
    }

    pub(crate) fn wrapped(&self, text: &str, style: Style, max_width: f64, max_lines: usize) -> Vec<String> {
        fit_lines(self.font(style), text, style.size, max_width, max_lines)
    }

    pub(crate) fn text(&mut self, text: &str, style: Style, align: Align, (x, baseline): (f64, f64)) {
        let width = self.width(text, style);
        let x = match align {
            Align::Left => x,
            Align::Middle => x - width / 2.0,
            Align::Right => x - width,
        };
        self.turned_text(text, style, (x, baseline), 0.0);
    }

    /// Set off from the lines that it lies on.
    pub(crate) fn text_on_ground(
        &mut self,
        text: &str,
        style: Style,
        align: Align,
        (x, baseline): (f64, f64),
    ) {
        let width = self.width(text, style);
        let left = match align {
            Align::Left => x,
            Align::Middle => x - width / 2.0,
            Align::Right => x - width,
        };
        let place = (left - 2.0, baseline - 0.8 * style.size);
        self.rect(place, (width + 4.0, style.size), Paint::Ground);
        self.text(text, style, align, (x, baseline));
    }

    pub(crate) fn turned_text(&mut self, text: &str, style: Style, (x, baseline): (f64, f64), degrees: f64) {
        if text.is_empty() {
            return;
        }
        let width = self.width(text, style);
        let text = Text { text: text.to_owned(), style, x, baseline, width, degrees };
        self.push(Shape::Text(text), Some(style.paint), None);
    }

    pub(crate) fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), fill: Paint) {
        self.push(Shape::Rect(Rect { x, y, width, height }), Some(fill), None);
    }

    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: Stroke) {
        self.push(Shape::Line(vec![from, to]), None, Some(stroke));
    }

    pub(crate) fn polyline(&mut self, points: Vec<(f64, f64)>, stroke: Stroke) {
        self.push(Shape::Line(points), None, Some(stroke));
    }

    pub(crate) fn polygon(&mut self, points: Vec<(f64, f64)>, fill: Paint) {
        self.push(Shape::Line(points), Some(fill), None);
    }

    pub(crate) fn discs(&mut self, centers: Vec<(f64, f64)>, radius: f64, fill: Paint) {
        self.push(Shape::Discs { centers, radius }, Some(fill), None);
    }

    pub(crate) fn push(&mut self, shape: Shape, fill: Option<Paint>, stroke: Option<Stroke>) {
        let tooltip = self.telling.then(|| self.tooltips.len() - 1);
        self.marks.push(Mark { shape, fill, stroke, tooltip });
    }

    fn font(&self, style: Style) -> &Font {
        match style.weight {
            Weight::Regular => &self.regular,
            Weight::SemiBold => &self.semi_bold,
        }
    }
}

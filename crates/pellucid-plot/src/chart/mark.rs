//! Mark: a shape with its color.

use crate::chart::{Paint, Style};

/// One thing drawn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    pub(crate) shape: Shape,
    pub(crate) fill: Option<Paint>,
    pub(crate) stroke: Option<Stroke>,
    /// Place of its tooltip in the chart's list; neighbors with the same one are one thing to point at.
    pub(crate) tooltip: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stroke {
    pub(crate) paint: Paint,
    pub(crate) width: f64,
    pub(crate) dashed: bool,
    pub(crate) opacity: f64,
}

impl Stroke {
    pub(crate) fn solid(paint: Paint, width: f64) -> Self {
        Self { paint, width, dashed: false, opacity: 1.0 }
    }

    pub(crate) fn dashed(paint: Paint, width: f64) -> Self {
        Self { dashed: true, ..Self::solid(paint, width) }
    }
}

/// Places are in the chart's units, y down.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Rect(Rect),
    /// Many rectangles of one color.
    Rects(Vec<Rect>),
    /// Many discs of one color and size.
    Discs {
        centers: Vec<(f64, f64)>,
        radius: f64,
    },
    /// Open if it has no fill.
    Line(Vec<(f64, f64)>),
    Text(Text),
    /// Pixels drawn as squares.
    Image {
        place: Rect,
        uri: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// A line of text that starts at `x` and stands on `baseline`, turned around its start by `degrees`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) style: Style,
    pub(crate) x: f64,
    pub(crate) baseline: f64,
    /// As measured with the carried font.
    pub(crate) width: f64,
    pub(crate) degrees: f64,
}

impl Rect {
    pub(crate) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

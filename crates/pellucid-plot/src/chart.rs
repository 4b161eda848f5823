//! Chart: marks with their colors and tooltips, which become an SVG file, a PNG or part of a page.

mod axis;
mod canvas;
pub(crate) mod mark;
pub(crate) mod paint;
#[cfg(test)]
pub(crate) mod testing;
mod write;

use crate::picture::check_size;
use crate::{Error, raster, svg};

pub(crate) use axis::{Axis, Scale};
pub(crate) use canvas::{Align, Canvas, LABEL, NOTE, QUIET_LABEL, STRONG, Style, TICK, TITLE};
pub(crate) use mark::{Mark, Shape, Stroke};
pub(crate) use paint::{Paint, VALUE_STEPS, hex};
pub(crate) use write::{Medium, marks};

/// A drawing made of marks. Same input, same bytes; texts never overlap and lie inside.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) description: String,
    pub(crate) marks: Vec<Mark>,
    /// What a mark tells when pointed at; marks name theirs by its place here.
    pub(crate) tooltips: Vec<String>,
}

impl Chart {
    /// Units from left to right.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Units from top to bottom.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// In words, what is drawn, for readers who cannot see it.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// An SVG file that needs nothing else: text is drawn as outlines, what has more to tell has it in a `<title>`.
    pub fn svg(&self) -> String {
        svg::document(self.width, self.height, &self.description, &marks(self, Medium::File))
    }

    /// The drawing of [`Chart::svg`] as PNG bytes, `scale` pixels a unit: 1 for small files, 2 for sharp screens.
    ///
    /// # Errors
    /// [`Error::PictureSize`] if `scale` is 0 or the result too large, [`Error::Render`].
    pub fn png(&self, scale: u32) -> Result<Vec<u8>, Error> {
        check_size(u64::from(self.width), u64::from(self.height))?;
        raster::png_from_svg(&self.svg(), scale)
    }
}

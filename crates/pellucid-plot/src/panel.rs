//! Panel: one heatmap with its title, color bar, class label and probability.

use maud::{Markup, html};

use crate::color_bar::{Place, color_bar};
use crate::error::check_range;
use crate::font::{Font, Weight};
use crate::number::percent;
use crate::picture::check_size;
use crate::text::fit_lines;
use crate::{Error, Heatmap, raster, svg};

/// What a panel shows around its heatmap. Texts too long for the panel are wrapped, then shortened.
///
/// The carried font knows Latin, Greek and Cyrillic. Letters of other scripts are drawn as empty boxes; an SVG's title
/// still holds the words.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// The method, on top.
    pub title: String,
    /// A line of facts under the title, such as parameters; may be empty.
    pub subtitle: String,
    /// The explained class, under the picture; may be empty.
    pub label: String,
    /// How sure the model is of the class, in `[0, 1]`, beside the label.
    pub probability: Option<f64>,
    /// A few lines under all, such as a caution; may be empty.
    pub note: String,
}

/// The longer side of a picture in a panel is brought near this many units by a whole factor.
const PICTURE_SIDE: u32 = 448;
/// The narrowest room for text, however narrow the picture.
const MIN_CONTENT_WIDTH: f64 = 280.0;
/// Each pixel of a picture enlarged this often or more is drawn as a square: there the pixels are the content.
const SQUARE_PIXELS_FROM: u32 = 4;

const INK: &str = "#1b1f27";
const QUIET_INK: &str = "#5a6270";

/// `panel` around `heatmap` as an SVG file that needs nothing else: pictures are embedded, text is drawn as outlines.
///
/// # Errors
/// [`Error::OptionRange`] for a probability outside `[0, 1]`, [`Error::Render`] if the picture cannot be encoded.
pub fn panel_svg(panel: &Panel, heatmap: &Heatmap) -> Result<String, Error> {
    if let Some(probability) = panel.probability {
        check_range("probability", probability, 0.0..=1.0, "0 to 1")?;
    }
    let layout = Layout::new(panel, heatmap);
    check_size(u64::from(layout.width), u64::from(layout.height))?;
    let uri = raster::data_uri(&heatmap.picture)?;
    Ok(svg::document(layout.width, layout.height, &description(panel), &body(&layout, heatmap, &uri)))
}

/// The drawing of [`panel_svg`] as PNG bytes, `scale` pixels a unit: 1 for exact pixels, 2 for sharp screens.
///
/// # Errors
/// As [`panel_svg`], and [`Error::PictureSize`] if `scale` is 0 or the result too large.
pub fn panel_png(panel: &Panel, heatmap: &Heatmap, scale: u32) -> Result<Vec<u8>, Error> {
    raster::png_from_svg(&panel_svg(panel, heatmap)?, scale)
}

fn description(panel: &Panel) -> String {
    let probability = panel.probability.map_or(String::new(), |p| format!(", {}", percent(p)));
    let subtitle = if panel.subtitle.is_empty() { String::new() } else { format!(" ({})", panel.subtitle) };
    format!("{}{subtitle}: heatmap for {}{probability}", panel.title, panel.label)
}

/// One line of text with its font size and place.
struct Line {
    text: String,
    size: f64,
    weight: Weight,
    ink: &'static str,
    x: f64,
    baseline: f64,
}

/// Where everything lies. Whole units, so that picture pixels fall on whole pixels.
struct Layout {
    width: u32,
    height: u32,
    lines: Vec<Line>,
    picture_at: (f64, f64),
    factor: u32,
    bar: Place,
}

/// How a block of text looks.
struct TextStyle {
    size: f64,
    weight: Weight,
    ink: &'static str,
    max_lines: usize,
}

impl Layout {
    fn new(panel: &Panel, heatmap: &Heatmap) -> Self {
        let (columns, rows) = (heatmap.picture.width(), heatmap.picture.height());
        let factor = (PICTURE_SIDE as f64 / f64::from(columns.max(rows))).round().max(1.0) as u32;
        let picture_width = f64::from(columns) * f64::from(factor);
        // Large pictures get large text, so that a panel looks the same at any resolution.
        let unit = (picture_width / f64::from(PICTURE_SIDE)).max(1.0);
        let u = |units: f64| (unit * units).round();
        let content_width = picture_width.max(u(MIN_CONTENT_WIDTH));
        let margin = u(18.0);
        let mut flow = Flow { lines: Vec::new(), x: margin, y: margin, width: content_width };

        let title = TextStyle { size: u(18.0), weight: Weight::SemiBold, ink: INK, max_lines: 2 };
        flow.text(&panel.title, &title, 0.0);
        let subtitle = TextStyle { size: u(13.0), weight: Weight::Regular, ink: QUIET_INK, max_lines: 2 };
        flow.text(&panel.subtitle, &subtitle, 0.0);
        flow.y += u(10.0);
        let picture_at = (margin, flow.y);
        flow.y += f64::from(rows) * f64::from(factor) + u(12.0);
        let bar =
            Place { x: margin, y: flow.y, width: content_width, thickness: u(10.0), text_size: u(12.0) };
        flow.y += bar.thickness + u(18.0) + u(12.0);
        flow.label(panel, u);
        let note = TextStyle { size: u(13.0), weight: Weight::Regular, ink: QUIET_INK, max_lines: 5 };
        flow.text(&panel.note, &note, 0.0);
        Self {
            width: (content_width + 2.0 * margin) as u32,
            height: (flow.y + margin) as u32,
            lines: flow.lines,
            picture_at,
            factor,
            bar,
        }
    }
}

/// Text set from the top down.
struct Flow {
    lines: Vec<Line>,
    x: f64,
    y: f64,
    width: f64,
}

impl Flow {
    /// Sets `text` in the whole width less `reserved` at the right.
    fn text(&mut self, text: &str, style: &TextStyle, reserved: f64) {
        let font = Font::carried(style.weight);
        for text in fit_lines(&font, text, style.size, self.width - reserved, style.max_lines) {
            self.line(text, style, self.x);
            self.y += (1.35 * style.size).round();
        }
    }

    fn line(&mut self, text: String, style: &TextStyle, x: f64) {
        let TextStyle { size, weight, ink, .. } = *style;
        self.lines.push(Line { text, size, weight, ink, x, baseline: self.y + size });
    }

    /// The class on the left, its probability on the right, on one baseline.
    fn label(&mut self, panel: &Panel, u: impl Fn(f64) -> f64) {
        let style = TextStyle { size: u(15.0), weight: Weight::SemiBold, ink: INK, max_lines: 2 };
        let Some(probability) = panel.probability.map(percent) else {
            return self.text(&panel.label, &style, 0.0);
        };
        let width = Font::carried(style.weight).width(&probability, style.size);
        let top = self.y;
        self.line(probability, &style, self.x + self.width - width);
        self.text(&panel.label, &style, width + u(16.0));
        self.y = self.y.max(top + (1.35 * style.size).round());
    }
}

fn body(layout: &Layout, heatmap: &Heatmap, uri: &str) -> Markup {
    let regular = Font::carried(Weight::Regular);
    let semi_bold = Font::carried(Weight::SemiBold);
    let font = |weight| if weight == Weight::Regular { &regular } else { &semi_bold };
    let picture = &heatmap.picture;
    let rendering = if layout.factor >= SQUARE_PIXELS_FROM { "pixelated" } else { "auto" };
    let drawn = html! {
        @for line in &layout.lines {
            (svg::text(font(line.weight), &line.text, line.size, (line.x, line.baseline), line.ink))
        }
        image x=(layout.picture_at.0) y=(layout.picture_at.1) width=(picture.width() * layout.factor)
            height=(picture.height() * layout.factor) style={ "image-rendering:" (rendering) } href=(uri) {}
        (color_bar(heatmap, &layout.bar, &regular, QUIET_INK))
    };
    svg::with_letters([&regular, &semi_bold], &drawn)
}

#[cfg(test)]
mod tests;

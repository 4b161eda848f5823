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
    html! {
        @for line in &layout.lines {
            (svg::text(font(line.weight), &line.text, line.size, (line.x, line.baseline), line.ink))
        }
        image x=(layout.picture_at.0) y=(layout.picture_at.1) width=(picture.width() * layout.factor)
            height=(picture.height() * layout.factor) style={ "image-rendering:" (rendering) } href=(uri) {}
        (color_bar(heatmap, &layout.bar, &regular, QUIET_INK))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ground, HeatmapOptions, Palette, Picture, overlay};
    use ndarray::Array2;

    fn heatmap(width: u32, height: u32) -> Heatmap {
        let pixels = (0..3 * width * height).map(|i| (i * 31 % 251) as u8).collect();
        let picture = Picture::new(width, height, pixels).unwrap();
        let map = Array2::from_shape_fn((height as usize, width as usize), |(r, c)| r as f64 - c as f64);
        let (palette, ground) = (Palette::Diverging, Ground::Picture);
        let options = HeatmapOptions { palette, ground, outlier_percent: 2.0, opacity: 0.8 };
        overlay(&picture, map.view(), &options).unwrap()
    }

    fn panel() -> Panel {
        Panel {
            title: "Integrated gradients".into(),
            subtitle: "50 steps".into(),
            label: "tiger cat".into(),
            probability: Some(0.386),
        }
    }

    fn decoded(png: &[u8]) -> (u32, u32, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut bytes).unwrap();
        assert_eq!(frame.color_type, png::ColorType::Rgb);
        (frame.width, frame.height, bytes)
    }

    #[test]
    fn the_png_has_the_layouts_size_and_the_pictures_pixels() {
        for (width, height, scale) in
            [(224, 224, 1), (448, 448, 1), (448, 448, 2), (28, 28, 3), (600, 450, 1)]
        {
            let heatmap = heatmap(width, height);
            let layout = Layout::new(&panel(), &heatmap);
            let (png_width, png_height, bytes) = decoded(&panel_png(&panel(), &heatmap, scale).unwrap());
            assert_eq!((png_width, png_height), (scale * layout.width, scale * layout.height));
            // Drawn at its own size or as squares, the middle of each drawn pixel is that pixel.
            let factor = layout.factor * scale;
            if layout.factor >= SQUARE_PIXELS_FROM || factor == 1 {
                let (left, top) = (layout.picture_at.0 as usize, layout.picture_at.1 as usize);
                for (row, column) in [(0, 0), (0, width - 1), (height - 1, 0), (height / 2, width / 3)] {
                    let y = top * scale as usize + (row * factor + factor / 2) as usize;
                    let x = left * scale as usize + (column * factor + factor / 2) as usize;
                    let start = 3 * (y * png_width as usize + x);
                    let expected = heatmap.picture.pixel(row as usize, column as usize);
                    assert_eq!(bytes[start..start + 3], expected, "{width}×{height} at {row}, {column}");
                }
            }
        }
    }

    #[test]
    fn same_input_gives_the_same_bytes() {
        let heatmap = heatmap(40, 30);
        assert_eq!(panel_svg(&panel(), &heatmap), panel_svg(&panel(), &heatmap));
        assert_eq!(panel_png(&panel(), &heatmap, 2), panel_png(&panel(), &heatmap, 2));
    }

    /// Checks that every line lies inside the panel and no two lines, nor a line and the picture or bar, overlap.
    fn check_fits(panel: &Panel, heatmap: &Heatmap) {
        let layout = Layout::new(panel, heatmap);
        let rows = f64::from(heatmap.picture.height() * layout.factor);
        let mut boxes: Vec<[f64; 4]> = layout
            .lines
            .iter()
            .map(|line| {
                let width = Font::carried(line.weight).width(&line.text, line.size);
                // From the top of capitals with accents to the bottom of descenders.
                [line.x, line.baseline - 0.97 * line.size, line.x + width, line.baseline + 0.25 * line.size]
            })
            .collect();
        let (x, y) = layout.picture_at;
        boxes.push([x, y, x + f64::from(heatmap.picture.width() * layout.factor), y + rows]);
        let bar = &layout.bar;
        boxes.push([bar.x, bar.y, bar.x + bar.width, bar.y + bar.thickness + 1.5 * bar.text_size]);
        for (index, a) in boxes.iter().enumerate() {
            let inside = a[0] >= 0.0
                && a[1] >= 0.0
                && a[2] <= f64::from(layout.width)
                && a[3] <= f64::from(layout.height);
            assert!(inside, "{a:?} leaves {} by {} in {panel:?}", layout.width, layout.height);
            for b in &boxes[..index] {
                let overlap = a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
                assert!(!overlap, "{a:?} and {b:?} overlap in {panel:?}");
            }
        }
    }

    #[test]
    fn long_texts_fit_and_overlap_nothing() {
        let texts = [
            "",
            "cat",
            "pneumonoultramicroscopicsilicovolcanoconiosis",
            &"tabby, tiger cat; ".repeat(30),
            "Ẫ\nj",
        ];
        for (width, height) in [(224, 224), (28, 28), (3, 400), (900, 20), (1, 1)] {
            let heatmap = heatmap(width, height);
            for title in texts {
                for label in texts {
                    for probability in [None, Some(1.0)] {
                        let (title, label) = (title.to_owned(), label.to_owned());
                        check_fits(&Panel { subtitle: title.clone(), title, label, probability }, &heatmap);
                    }
                }
            }
        }
    }

    #[test]
    fn texts_are_escaped() {
        let hostile =
            Panel { title: "<script>&\"'".into(), label: "]]><image href='/etc/passwd'/>".into(), ..panel() };
        let svg = panel_svg(&hostile, &heatmap(9, 9)).unwrap();
        let tree = resvg::usvg::roxmltree::Document::parse(&svg).unwrap();
        let images: Vec<_> = tree.descendants().filter(|node| node.has_tag_name("image")).collect();
        assert_eq!(images.len(), 1);
        assert!(images[0].attribute("href").unwrap().starts_with("data:image/png;base64,"));
        assert!(!tree.descendants().any(|node| node.has_tag_name("script")));
    }

    #[test]
    fn bad_probabilities_and_scales_are_refused() {
        let heatmap = heatmap(9, 9);
        for probability in [f64::NAN, -0.1, 1.1] {
            let panel = Panel { probability: Some(probability), ..panel() };
            assert!(matches!(panel_svg(&panel, &heatmap), Err(Error::OptionRange { .. })));
        }
        for scale in [0, 100_000] {
            assert!(matches!(panel_png(&panel(), &heatmap, scale), Err(Error::PictureSize { .. })));
        }
    }
}

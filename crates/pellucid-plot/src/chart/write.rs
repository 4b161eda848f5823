//! Marks → SVG elements, for a file or for a page.

use std::fmt::Write;

use maud::{Markup, PreEscaped, html};

use crate::chart::mark::{Rect, Text};
use crate::chart::paint::hex;
use crate::chart::{Chart, Mark, Paint, Shape, Stroke};
use crate::font::{Font, Weight};
use crate::svg::{with_letters, xml_text};

/// Where a drawing is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Medium {
    /// Alone: colors are fixed, text is drawn as outlines.
    File,
    /// In a page that carries the font and says what each color is.
    Page,
}

/// All marks, neighbors with one tooltip in one group.
pub(crate) fn marks(chart: &Chart, medium: Medium) -> Markup {
    let writer = Writer {
        medium,
        regular: Font::carried(Weight::Regular),
        semi_bold: Font::carried(Weight::SemiBold),
    };
    let drawn = html! {
        @for group in chart.marks.chunk_by(|a, b| a.tooltip == b.tooltip) {
            @match group[0].tooltip {
                Some(index) => g.mark {
                    title { (xml_text(&chart.tooltips[index])) }
                    @for mark in group { (writer.mark(mark)) }
                },
                None => @for mark in group { (writer.mark(mark)) },
            }
        }
    };
    match medium {
        Medium::File => with_letters([&writer.regular, &writer.semi_bold], &drawn),
        Medium::Page => drawn,
    }
}

struct Writer {
    medium: Medium,
    regular: Font,
    semi_bold: Font,
}

impl Writer {
    fn mark(&self, mark: &Mark) -> Markup {
        let colors =
            PreEscaped(self.fill(mark.fill) + &mark.stroke.map_or(String::new(), |s| self.stroke(s)));
        match &mark.shape {
            Shape::Rect(rect) => element(&format!("path d=\"{}\"", rect_path(rect)), &colors),
            Shape::Rects(rects) => {
                let path: String = rects.iter().map(rect_path).collect();
                element(&format!("path d=\"{path}\""), &colors)
            }
            Shape::Discs { centers, radius } => self.discs(centers, *radius, mark.fill),
            Shape::Line(points) => {
                let close = if mark.fill.is_some() { "Z" } else { "" };
                element(&format!("path d=\"{}{close}\"", line_path(points)), &colors)
            }
            Shape::Text(text) => self.text(text, &colors),
            Shape::Image { place: Rect { x, y, width, height }, uri } => html! {
                image x=(number(*x)) y=(number(*y)) width=(number(*width)) height=(number(*height))
                    preserveAspectRatio="none" style="image-rendering:pixelated" href=(uri) {}
            },
        }
    }

    /// Discs as the round ends of lines without length: a few bytes each.
    fn discs(&self, centers: &[(f64, f64)], radius: f64, fill: Option<Paint>) -> Markup {
        let mut path = String::new();
        for &(x, y) in centers {
            // Writing to a String cannot fail.
            let _ = write!(path, "M{} {}h0", number(x), number(y));
        }
        let color = fill.map_or("none".to_owned(), |paint| self.color(paint));
        let width = number(2.0 * radius);
        element(
            &format!("path d=\"{path}\""),
            &PreEscaped(format!(
                " fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\" stroke-linecap=\"round\""
            )),
        )
    }

    fn text(&self, text: &Text, colors: &Markup) -> Markup {
        let (x, baseline) = (number(text.x), number(text.baseline));
        let turn = match text.degrees {
            0.0 => String::new(),
            degrees => format!(" transform=\"rotate({degrees} {x} {baseline})\""),
        };
        let rest = PreEscaped(format!("{}{turn}", colors.0));
        match self.medium {
            Medium::File => {
                let font = if text.style.weight == Weight::Regular { &self.regular } else { &self.semi_bold };
                let letters = font.letters(&text.text, text.style.size, (text.x, text.baseline));
                PreEscaped(format!("<g{}>{}</g>", rest.0, letters.0))
            }
            Medium::Page => {
                let weight = if text.style.weight == Weight::Regular { "400" } else { "600" };
                let size = text.style.size;
                // Set to the measured width, should the page's font be another after all.
                let width = number(text.width);
                PreEscaped(format!(
                    "<text x=\"{x}\" y=\"{baseline}\" font-size=\"{size}\" font-weight=\"{weight}\" \
                     textLength=\"{width}\"{}>{}</text>",
                    rest.0,
                    html! { (xml_text(&text.text)) }.0
                ))
            }
        }
    }

    fn fill(&self, fill: Option<Paint>) -> String {
        format!(" fill=\"{}\"", fill.map_or("none".to_owned(), |paint| self.color(paint)))
    }

    fn stroke(&self, stroke: Stroke) -> String {
        let Stroke { paint, width, dashed, opacity } = stroke;
        let dashes = if dashed { " stroke-dasharray=\"3 3\"" } else { "" };
        let opacity = if opacity < 1.0 { format!(" stroke-opacity=\"{opacity}\"") } else { String::new() };
        format!(" stroke=\"{}\" stroke-width=\"{width}\"{dashes}{opacity}", self.color(paint))
    }

    fn color(&self, paint: Paint) -> String {
        match (self.medium, paint.variable()) {
            (Medium::Page, Some(variable)) => format!("var({variable})"),
            _ => hex(paint.on_light()),
        }
    }
}

fn element(start: &str, rest: &Markup) -> Markup {
    PreEscaped(format!("<{start}{}/>", rest.0))
}

fn rect_path(rect: &Rect) -> String {
    let (width, height) = (number(rect.width), number(rect.height));
    format!("M{} {}h{width}v{height}h-{width}z", number(rect.x), number(rect.y))
}

fn line_path(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (index, &(x, y)) in points.iter().enumerate() {
        let _ = write!(path, "{}{} {}", if index == 0 { 'M' } else { 'L' }, number(x), number(y));
    }
    path
}

/// To two decimals, without a negative zero.
fn number(value: f64) -> f64 {
    (value * 100.0).round() / 100.0 + 0.0
}

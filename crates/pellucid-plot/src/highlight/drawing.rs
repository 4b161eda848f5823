//! Highlighted text as SVG: letters as outlines, so that it looks the same everywhere.

use maud::{Markup, html};

use crate::chart::hex;
use crate::error::Error;
use crate::font::{Font, Weight};
use crate::highlight::{HighlightedText, ground, ink_on, told};
use crate::picture::check_size;
use crate::svg;
use crate::text::fit_lines;

const WIDTH: f64 = 720.0;
const MARGIN: f64 = 18.0;
const SIZE: f64 = 17.0;
const LINE: f64 = 30.0;
const INK: &str = "#1b1f27";
const QUIET_INK: &str = "#5a6270";

/// `text` as an SVG file that needs nothing else. Lines are broken between pieces, and where the text breaks them.
///
/// # Errors
/// As [`crate::highlight_ansi`], and [`Error::PictureSize`] for a text that is too long to draw.
pub fn highlight_svg(text: &HighlightedText) -> Result<String, Error> {
    let scale = text.scale()?;
    let (regular, semi_bold) = (Font::carried(Weight::Regular), Font::carried(Weight::SemiBold));
    let content = WIDTH - 2.0 * MARGIN;
    let mut y = MARGIN;
    let mut above = Vec::new();
    for (words, font, size, ink) in
        [(&text.title, &semi_bold, 18.0, INK), (&text.subtitle, &regular, 13.0, QUIET_INK)]
    {
        y = paragraph(&mut above, words, font, size, ink, y, content);
    }
    y += 8.0;
    let (placed, n_lines) = placed(text, &regular, content);
    let top = y;
    y += n_lines as f64 * LINE + 8.0;
    y = paragraph(&mut above, &text.output(), &semi_bold, 15.0, INK, y, content);
    y = paragraph(&mut above, &text.note, &regular, 12.0, QUIET_INK, y, content);
    let height = (y + MARGIN).ceil();
    check_size(WIDTH as u64, height as u64)?;
    let body = html! {
        @for line in &above { (line) }
        @for piece in &placed { (drawn(piece, &regular, scale, top)) }
    };
    Ok(svg::document(WIDTH as u32, height as u32, &text.description(), &body))
}

/// Sets a paragraph and gives the place below it.
fn paragraph(
    lines: &mut Vec<Markup>,
    words: &str,
    font: &Font,
    size: f64,
    ink: &str,
    mut y: f64,
    width: f64,
) -> f64 {
    if words.trim().is_empty() {
        return y;
    }
    for line in fit_lines(font, words, size, width, 3) {
        lines.push(svg::text(font, &line, size, (MARGIN, y + size), ink));
        y += (1.4 * size).round();
    }
    y
}

/// A piece, or a part of one, in its place.
struct Placed {
    text: String,
    value: Option<f64>,
    x: f64,
    line: usize,
    width: f64,
}

/// Sets the pieces from left to right; gives how many lines they take.
fn placed(text: &HighlightedText, font: &Font, content: f64) -> (Vec<Placed>, usize) {
    let (mut x, mut line) = (0.0, 0);
    let mut placed = Vec::new();
    for piece in &text.pieces {
        for (index, part) in piece.text.split('\n').enumerate() {
            if index > 0 {
                (x, line) = (0.0, line + 1);
            }
            for part in parts_that_fit(font, part, content) {
                let width = font.width(&part, SIZE);
                let is_blank = part.trim().is_empty();
                if x + width > content && x > 0.0 {
                    (x, line) = (0.0, line + 1);
                    if is_blank {
                        continue;
                    }
                }
                if !part.is_empty() {
                    placed.push(Placed { text: part, value: piece.value, x, line, width });
                }
                x += width;
            }
        }
    }
    (placed, line + 1)
}

/// A piece whole, or cut between letters where it is wider than a line.
fn parts_that_fit(font: &Font, text: &str, content: f64) -> Vec<String> {
    if font.width(text, SIZE) <= content {
        return vec![text.to_owned()];
    }
    let mut parts = vec![String::new()];
    for letter in text.chars() {
        let last = parts.len() - 1;
        let longer = format!("{}{letter}", parts[last]);
        if font.width(&longer, SIZE) <= content || parts[last].is_empty() {
            parts[last] = longer;
        } else {
            parts.push(letter.to_string());
        }
    }
    parts
}

fn drawn(piece: &Placed, font: &Font, scale: f64, top: f64) -> Markup {
    let (x, y) = (MARGIN + piece.x, top + piece.line as f64 * LINE);
    let baseline = y + 0.68 * LINE;
    let Some(value) = piece.value else {
        return svg::text(font, &piece.text, SIZE, (x, baseline), INK);
    };
    let color = ground(value, scale);
    html! {
        g {
            title { (svg::xml_text(&told(&piece.text, value))) }
            rect x=(x) y=(y + 2.0) width=(piece.width) height=(LINE - 4.0) rx="3" fill=(hex(color)) {}
            (svg::text(font, &piece.text, SIZE, (x, baseline), &hex(ink_on(color))))
        }
    }
}

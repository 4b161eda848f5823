//! Token map: how much each token takes from each other one, as a matrix.

use maud::{Markup, html};
use ndarray::Array2;

use crate::chart::hex;
use crate::font::{Font, Weight};
use crate::number::short_number;
use crate::picture::check_size;
use crate::text::{fit_lines, fit_middle};
use crate::{Error, Palette, svg};

/// Weights between tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenMap {
    /// What is shown, on top.
    pub title: String,
    /// A line under it, such as a caution; may be empty.
    pub note: String,
    /// The tokens, in order.
    pub tokens: Vec<String>,
    /// `[tokens, tokens]`, from 0 up: a row for each token that looks, a column for each that is looked at.
    pub weights: Array2<f64>,
}

/// Tokens beyond this are too many to tell apart in one picture.
pub const MAX_MAPPED_TOKENS: usize = 96;

const CELL: f64 = 20.0;
const MARGIN: f64 = 18.0;
const LABEL: f64 = 96.0;
const SIZE: f64 = 12.0;
const INK: &str = "#1b1f27";
const QUIET_INK: &str = "#5a6270";

/// `map` as an SVG file that needs nothing else. The largest weight gets the last color of the sequential palette; each
/// cell tells its tokens and weight when pointed at.
///
/// # Errors
/// [`Error::Empty`] without tokens, [`Error::TooMany`], [`Error::Length`] for weights of another shape,
/// [`Error::NotFinite`], [`Error::NegativeValue`].
pub fn token_map_svg(map: &TokenMap) -> Result<String, Error> {
    let largest = check(map)?;
    let n = map.tokens.len();
    let (regular, semi_bold) = (Font::carried(Weight::Regular), Font::carried(Weight::SemiBold));
    let width = (2.0 * MARGIN + LABEL + n as f64 * CELL).max(360.0);
    let mut y = MARGIN;
    let mut lines = Vec::new();
    for (words, font, size, ink) in
        [(&map.title, &semi_bold, 16.0, INK), (&map.note, &regular, SIZE, QUIET_INK)]
    {
        for line in fit_lines(font, words, size, width - 2.0 * MARGIN, 3) {
            lines.push(svg::text(font, &line, size, (MARGIN, y + size), ink));
            y += (1.4 * size).round();
        }
    }
    let (left, top) = (MARGIN + LABEL, y + 8.0 + LABEL);
    let height = top + n as f64 * CELL + MARGIN;
    check_size(width.ceil() as u64, height.ceil() as u64)?;
    let body = html! {
        @for line in &lines { (line) }
        @for (index, token) in map.tokens.iter().enumerate() {
            (labels(&regular, token, left, top, index))
        }
        @for ((row, column), weight) in map.weights.indexed_iter() {
            (cell(map, (row, column), *weight, largest, (left, top)))
        }
    };
    let description = format!("{}: {}", map.title, map.tokens.join(" "));
    Ok(svg::document(width.ceil() as u32, height.ceil() as u32, &description, &body))
}

/// The largest weight, if all is in order.
fn check(map: &TokenMap) -> Result<f64, Error> {
    let n = map.tokens.len();
    if n == 0 {
        return Err(Error::Empty { what: "tokens" });
    }
    if n > MAX_MAPPED_TOKENS {
        return Err(Error::TooMany { what: "tokens", count: n, limit: MAX_MAPPED_TOKENS });
    }
    if let Some(length) = map.weights.shape().iter().find(|length| **length != n) {
        return Err(Error::Length { what: "the map of tokens", expected: n, actual: *length });
    }
    let mut largest: f64 = 0.0;
    for ((row, column), &value) in map.weights.indexed_iter() {
        if !value.is_finite() {
            return Err(Error::NotFinite { what: "the map of tokens", index: vec![row, column], value });
        }
        if value < 0.0 {
            return Err(Error::NegativeValue { row, column, value });
        }
        largest = largest.max(value);
    }
    Ok(largest)
}

/// A token's name at its row, and upright at its column.
fn labels(font: &Font, token: &str, left: f64, top: f64, index: usize) -> Markup {
    let text = fit_middle(font, token, SIZE, LABEL - 8.0);
    let place = index as f64 * CELL + 0.7 * CELL;
    let x = left - 6.0 - font.width(&text, SIZE);
    let upright = format!("translate({} {}) rotate(-90)", left + place, top - 6.0);
    html! {
        (svg::text(font, &text, SIZE, (x, top + place), INK))
        g transform=(upright) { (svg::text(font, &text, SIZE, (0.0, 0.0), INK)) }
    }
}

fn cell(
    map: &TokenMap,
    (row, column): (usize, usize),
    weight: f64,
    largest: f64,
    (left, top): (f64, f64),
) -> Markup {
    let color = Palette::Sequential.color(if largest > 0.0 { weight / largest } else { 0.0 });
    let told = format!("{} → {}: {}", map.tokens[row], map.tokens[column], short_number(weight));
    html! {
        rect x=(left + column as f64 * CELL) y=(top + row as f64 * CELL) width=(CELL) height=(CELL) fill=(hex(color)) {
            title { (svg::xml_text(&told)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn map(weights: Array2<f64>) -> TokenMap {
        let tokens = ["[CLS]", "<b>"].map(str::to_owned).to_vec();
        TokenMap { title: "Layer 0".into(), note: "a caution".into(), tokens, weights }
    }

    #[test]
    fn each_cell_has_its_color_and_tells_who_looks_at_whom() {
        let svg = token_map_svg(&map(array![[0.0, 0.5], [0.25, 0.1]])).unwrap();
        let document = resvg::usvg::roxmltree::Document::parse(&svg).unwrap();
        let told: Vec<&str> = document
            .descendants()
            .filter(|node| node.has_tag_name("title"))
            .skip(1)
            .filter_map(|t| t.text())
            .collect();
        assert_eq!(told[..2], ["[CLS] → [CLS]: 0", "[CLS] → <b>: 0.5"]);
        assert_eq!(told.len(), 4);
        for share in [0.0, 1.0, 0.5, 0.2] {
            assert!(svg.contains(&hex(Palette::Sequential.color(share))), "{share}");
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        for (weights, part) in [
            (array![[0.0, f64::NAN], [0.0, 0.0]], "NaN"),
            (array![[0.0, -0.1], [0.0, 0.0]], "-0.1"),
            (array![[0.0, 0.1]], "expected 2"),
        ] {
            assert!(token_map_svg(&map(weights)).unwrap_err().to_string().contains(part));
        }
        let many = vec!["a".to_owned(); MAX_MAPPED_TOKENS + 1];
        let many = TokenMap { tokens: many, ..map(array![[0.0]]) };
        assert!(token_map_svg(&many).unwrap_err().to_string().contains("too many"));
        assert!(token_map_svg(&TokenMap { tokens: vec![], ..map(array![[0.0]]) }).is_err());
    }
}

//! The carried font: where each letter of a text lies, and its outline as an SVG path.
//!
//! A letter's outline stands once in a drawing and is used wherever the letter comes.
//!
//! Text in pictures is drawn as outlines. An SVG with `<text>` looks different wherever the font is missing, and an
//! embedded `@font-face` is ignored by drawing programs and by most SVG libraries; outlines look the same everywhere,
//! and what was measured is what is drawn. The words themselves stay in the drawing's title, for screen readers.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write;

use maud::{Markup, PreEscaped, html};
use ttf_parser::gpos::{PairAdjustment, PositioningSubtable};
use ttf_parser::{Face, GlyphId, OutlineBuilder, Tag};

/// How heavy letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    SemiBold,
}

/// One weight of the carried font, left to right scripts only. A letter it lacks is drawn as the font's empty box.
pub(crate) struct Font {
    face: Face<'static>,
    weight: Weight,
    /// The glyphs that a drawing uses.
    drawn: RefCell<BTreeSet<u16>>,
    /// The kerning lookups; in each, the first table that knows a pair decides.
    kerning: Vec<Vec<PairAdjustment<'static>>>,
}

/// A letter's place on a line, in the text's units.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlacedGlyph {
    glyph: GlyphId,
    pub(crate) left: f64,
    /// Where the next letter would start, unkerned.
    pub(crate) right: f64,
}

impl Font {
    pub(crate) fn carried(weight: Weight) -> Self {
        let bytes: &'static [u8] = match weight {
            Weight::Regular => include_bytes!("../font/Inter-Regular.ttf"),
            Weight::SemiBold => include_bytes!("../font/Inter-SemiBold.ttf"),
        };
        let Ok(face) = Face::parse(bytes, 0) else { panic!("the carried font does not parse") };
        let kerning = kerning(&face);
        Self { face, weight, drawn: RefCell::default(), kerning }
    }

    /// One glyph for each `char` of `text`, from left to right, starting at 0.
    pub(crate) fn place(&self, text: impl Iterator<Item = char>, size: f64) -> Vec<PlacedGlyph> {
        let unit = size / f64::from(self.face.units_per_em());
        let mut placed: Vec<PlacedGlyph> = Vec::new();
        for letter in text {
            let glyph = self.face.glyph_index(letter).unwrap_or(GlyphId(0));
            let left = placed.last().map_or(0.0, |last| last.right + unit * self.kern(last.glyph, glyph));
            let advance = f64::from(self.face.glyph_hor_advance(glyph).unwrap_or(0));
            placed.push(PlacedGlyph { glyph, left, right: left + unit * advance });
        }
        placed
    }

    /// How far `text` reaches to the right.
    pub(crate) fn width(&self, text: &str, size: f64) -> f64 {
        self.place(text.chars(), size).last().map_or(0.0, |last| last.right)
    }

    /// `text`, starting at `x` and standing on `baseline`, in SVG elements that use [`Font::definitions`].
    pub(crate) fn letters(&self, text: &str, size: f64, (x, baseline): (f64, f64)) -> Markup {
        let units = f64::from(self.face.units_per_em());
        // In the font's own units all places are whole numbers.
        let placed = self.place(text.chars(), units);
        self.drawn.borrow_mut().extend(placed.iter().map(|placed| placed.glyph.0));
        let scale = (size / units * 1e6).round() / 1e6;
        let mut uses = String::new();
        for placed in &placed {
            // Writing to a String cannot fail.
            let _ = write!(uses, "<use href=\"#{}\" x=\"{}\"/>", self.id(placed.glyph.0), placed.left);
        }
        html! {
            g transform={ "translate(" (rounded(x)) " " (rounded(baseline)) ") scale(" (scale) ")" } { (PreEscaped(uses)) }
        }
    }

    /// The outlines of all letters that were drawn. Equal letters have equal names in all drawings, so that drawings may
    /// stand in one page.
    pub(crate) fn definitions(&self) -> Markup {
        html! {
            @for &glyph in self.drawn.borrow().iter() { path id=(self.id(glyph)) d=(self.outline(glyph)) {} }
        }
    }

    fn id(&self, glyph: u16) -> String {
        match self.weight {
            Weight::Regular => format!("inter-{glyph}"),
            Weight::SemiBold => format!("inter-b{glyph}"),
        }
    }

    /// A glyph's outline in font units, starting at 0 and standing on 0, as the `d` of an SVG path.
    fn outline(&self, glyph: u16) -> String {
        let mut pen = Pen::default();
        self.face.outline_glyph(GlyphId(glyph), &mut pen);
        pen.path
    }

    fn kern(&self, left: GlyphId, right: GlyphId) -> f64 {
        let known = |table: &PairAdjustment<'_>| pair_advance(table, left, right);
        self.kerning.iter().filter_map(|tables| tables.iter().find_map(known)).sum()
    }
}

fn kerning(face: &Face<'static>) -> Vec<Vec<PairAdjustment<'static>>> {
    let Some(positioning) = face.tables().gpos else { return Vec::new() };
    let features = positioning.features.into_iter().filter(|feature| feature.tag == Tag::from_bytes(b"kern"));
    let mut indices: Vec<u16> = features.flat_map(|feature| feature.lookup_indices).collect();
    indices.sort_unstable();
    indices.dedup();
    let lookups = indices.into_iter().filter_map(|index| positioning.lookups.get(index));
    lookups
        .map(|lookup| {
            let tables = lookup.subtables.into_iter::<PositioningSubtable<'_>>();
            tables
                .filter_map(|table| match table {
                    PositioningSubtable::Pair(pairs) => Some(pairs),
                    _ => None,
                })
                .collect()
        })
        .collect()
}

/// What `table` adds to the advance of `left` before `right`, in font units, or `None` if it does not know the pair.
fn pair_advance(table: &PairAdjustment<'_>, left: GlyphId, right: GlyphId) -> Option<f64> {
    let index = table.coverage().get(left)?;
    let (first, _) = match table {
        PairAdjustment::Format1 { sets, .. } => sets.get(index)?.get(right)?,
        PairAdjustment::Format2 { classes, matrix, .. } => {
            matrix.get((classes.0.get(left), classes.1.get(right)))?
        }
    };
    Some(f64::from(first.x_advance))
}

/// Writes a glyph's outline, font units with y up, as path commands with y down, each point relative to the one before.
#[derive(Default)]
struct Pen {
    path: String,
    at: (f64, f64),
    start: (f64, f64),
}

impl Pen {
    fn command(&mut self, name: char, points: &[(f32, f32)]) {
        self.path.push(name);
        let points = points.iter().map(|&(x, y)| (rounded(f64::from(x)), rounded(-f64::from(y))));
        let from = self.at;
        for (index, (x, y)) in points.enumerate() {
            let space = if index == 0 { "" } else { " " };
            // Writing to a String cannot fail.
            let _ = write!(self.path, "{space}{} {}", rounded(x - from.0), rounded(y - from.1));
            self.at = (x, y);
        }
    }
}

/// To two decimals, without a negative zero, for `{}`.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0 + 0.0
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.command('m', &[(x, y)]);
        self.start = self.at;
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.command('l', &[(x, y)]);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.command('q', &[(x1, y1), (x, y)]);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.command('c', &[(x1, y1), (x2, y2), (x, y)]);
    }

    fn close(&mut self) {
        self.path.push('z');
        self.at = self.start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_weights_know_latin_greek_and_arrows() {
        for weight in [Weight::Regular, Weight::SemiBold] {
            let font = Font::carried(weight);
            for letter in "AZaz09 äßŁőσΔ−×→≤≥…·".chars() {
                assert!(font.face.glyph_index(letter).is_some(), "{weight:?} lacks {letter}");
            }
        }
    }

    #[test]
    fn kerning_draws_letters_together() {
        let font = Font::carried(Weight::Regular);
        let apart = font.width("T", 16.0) + font.width("o", 16.0);
        assert!(font.width("To", 16.0) < apart - 0.5);
        assert_eq!(font.width("nn", 16.0), 2.0 * font.width("n", 16.0));
    }

    #[test]
    fn a_letter_that_comes_again_is_used_again() {
        let font = Font::carried(Weight::Regular);
        let line = font.letters("noon", 16.0, (3.0, 20.0)).into_string();
        assert_eq!(line.matches("<use ").count(), 4);
        assert!(line.starts_with("<g transform=\"translate(3 20) scale("), "{line}");
        assert_eq!(font.definitions().into_string().matches("<path ").count(), 2);
    }

    #[test]
    fn width_grows_with_size_and_unknown_letters_take_room() {
        let font = Font::carried(Weight::SemiBold);
        assert!((font.width("cat", 32.0) - 2.0 * font.width("cat", 16.0)).abs() < 1e-9);
        assert!(font.width("猫", 16.0) > 4.0);
        font.letters("猫", 16.0, (0.0, 0.0));
        assert!(font.definitions().into_string().contains("id=\"inter-b0\" d=\"m"));
        assert_eq!(font.width("", 16.0), 0.0);
    }
}

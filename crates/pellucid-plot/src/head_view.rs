//! Head view: the attention of all layers and heads on one page, one of them at large, chosen by mouse or keyboard.

mod page;

use ndarray::{ArrayView2, ArrayView4, Axis};

use crate::{Error, Picture};

pub use page::head_view_html;

/// The most weights that a page holds; more would make it too large to open.
pub const MAX_HEAD_VIEW_WEIGHTS: usize = 12_000_000;

/// What the page shows. All texts are plain; they are escaped when the page is written.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadView<'a> {
    /// The heading.
    pub title: String,
    /// What was explained, such as the output; may be empty.
    pub lead: String,
    /// A caution, which stands on top; may be empty.
    pub note: String,
    /// The tokens, in order.
    pub tokens: Vec<String>,
    /// `[layers, heads, tokens, tokens]`, from 0 up: a row for each token that looks, a column for each that is looked at.
    pub weights: ArrayView4<'a, f64>,
    /// The token that is chosen at first.
    pub token: usize,
    /// What the tokens are patches of, where they are.
    pub image: Option<PatchedImage>,
}

/// An image whose patches are tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchedImage {
    /// The image.
    pub picture: Picture,
    /// Tokens before the patches.
    pub n_extra: usize,
    /// Rows and columns of patches.
    pub places: [usize; 2],
}

/// The weights as the page has them: a byte for each, 255 for the largest of its head.
#[derive(Debug)]
struct Packed {
    bytes: Vec<u8>,
    /// The largest weight of each head.
    largest: Vec<f64>,
}

impl HeadView<'_> {
    fn packed(&self) -> Result<Packed, Error> {
        let n = self.tokens.len();
        if n == 0 || self.weights.is_empty() {
            return Err(Error::Empty { what: "tokens" });
        }
        for axis in [2, 3] {
            let actual = self.weights.len_of(Axis(axis));
            if actual != n {
                return Err(Error::Length { what: "the maps of tokens", expected: n, actual });
            }
        }
        if self.weights.len() > MAX_HEAD_VIEW_WEIGHTS {
            let (count, limit) = (self.weights.len(), MAX_HEAD_VIEW_WEIGHTS);
            return Err(Error::TooMany { what: "attention weights", count, limit });
        }
        let n_patches = self.image.as_ref().map(|image| image.n_extra + image.places[0] * image.places[1]);
        if let Some(actual) = n_patches.filter(|count| *count != n) {
            return Err(Error::Length { what: "the patches", expected: n, actual });
        }
        let mut packed = Packed { bytes: Vec::with_capacity(self.weights.len()), largest: Vec::new() };
        for layer in self.weights.outer_iter() {
            for head in layer.outer_iter() {
                packed.add(head)?;
            }
        }
        Ok(packed)
    }
}

impl Packed {
    fn add(&mut self, head: ArrayView2<'_, f64>) -> Result<(), Error> {
        let mut largest: f64 = 0.0;
        for ((row, column), &value) in head.indexed_iter() {
            if !value.is_finite() {
                return Err(Error::NotFinite { what: "the maps of tokens", index: vec![row, column], value });
            }
            if value < 0.0 {
                return Err(Error::NegativeValue { row, column, value });
            }
            largest = largest.max(value);
        }
        let scale = if largest > 0.0 { 255.0 / largest } else { 0.0 };
        self.bytes.extend(head.iter().map(|value| (value * scale).round() as u8));
        self.largest.push(largest);
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! Highlighted text: each piece of a text on the color of its value.

mod drawing;
mod page;

pub use drawing::highlight_svg;
pub(crate) use page::colored;
pub use page::{highlight_fragment, highlight_html};

use crate::error::check_range;
use crate::number::{percent, short_number};
use crate::{Color, Error, Palette};

/// A text in pieces, with what stands above it. All texts are plain; they are escaped where they are written.
#[derive(Debug, Clone, PartialEq)]
pub struct HighlightedText {
    /// The method.
    pub title: String,
    /// A line of facts under the title, such as parameters; may be empty.
    pub subtitle: String,
    /// The explained output; may be empty.
    pub label: String,
    /// How sure the model is of it, in `[0, 1]`.
    pub probability: Option<f64>,
    /// The text from its start to its end.
    pub pieces: Vec<TextPiece>,
    /// A line under the text, such as a caution; may be empty.
    pub note: String,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct TextPiece {
    /// Its letters.
    pub text: String,
    /// What it contributes; `None` for what lies between, which gets no color.
    pub value: Option<f64>,
}

/// The pieces for terminals, on 24-bit ground colors. Control characters of the text are replaced, so that it cannot
/// steer the terminal.
///
/// # Errors
/// [`Error::NotFinite`], [`Error::OptionRange`] for a probability outside `[0, 1]`, [`Error::Empty`] for no pieces.
///
/// # Example: one word for, one against
/// ```
/// use pellucid_plot::{HighlightedText, TextPiece, highlight_ansi};
///
/// let piece = |text: &str, value| TextPiece { text: text.into(), value };
/// let text = HighlightedText {
///     title: "Saliency".into(), subtitle: String::new(), label: "positive".into(), probability: None,
///     pieces: vec![piece("good", Some(2.0)), piece(" ", None), piece("grief", Some(-1.0))], note: String::new(),
/// };
/// assert!(highlight_ansi(&text)?.ends_with("grief\x1b[0m"));
/// # Ok::<(), pellucid_plot::Error>(())
/// ```
pub fn highlight_ansi(text: &HighlightedText) -> Result<String, Error> {
    let scale = text.scale()?;
    let plain = |text: &str| -> String {
        let shown =
            |c: char| if c.is_control() && c != '\n' && c != '\t' { char::REPLACEMENT_CHARACTER } else { c };
        text.chars().map(shown).collect()
    };
    let colored = |piece: &TextPiece| match piece.value {
        None => plain(&piece.text),
        Some(value) => {
            let ground = ground(value, scale);
            let ([r, g, b], [ir, ig, ib]) = (ground, ink_on(ground));
            format!("\x1b[48;2;{r};{g};{b}m\x1b[38;2;{ir};{ig};{ib}m{}\x1b[0m", plain(&piece.text))
        }
    };
    Ok(text.pieces.iter().map(colored).collect())
}

impl HighlightedText {
    /// The largest size of a value, which gets the last color.
    fn scale(&self) -> Result<f64, Error> {
        if let Some(probability) = self.probability {
            check_range("probability", probability, 0.0..=1.0, "0 to 1")?;
        }
        if self.pieces.is_empty() {
            return Err(Error::Empty { what: "pieces of text" });
        }
        let mut largest: f64 = 0.0;
        for (index, piece) in self.pieces.iter().enumerate() {
            let value = piece.value.unwrap_or(0.0);
            if !value.is_finite() {
                return Err(Error::NotFinite { what: "the text", index: vec![index], value });
            }
            largest = largest.max(value.abs());
        }
        Ok(largest)
    }

    /// `positive, 97.2 %`.
    fn output(&self) -> String {
        let probability = self.probability.map(percent);
        [Some(self.label.clone()), probability]
            .into_iter()
            .flatten()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// What is drawn, in words.
    fn description(&self) -> String {
        let words: String = self.pieces.iter().map(|piece| piece.text.as_str()).collect();
        format!("{}, {}: {words}", self.title, self.output())
    }
}

/// The color under a value: red for, blue against, near-white for nothing.
fn ground(value: f64, scale: f64) -> Color {
    Palette::Diverging.color(if scale > 0.0 { value / scale } else { 0.0 })
}

/// Letters that can be read on a ground.
fn ink_on([r, g, b]: Color) -> Color {
    // Weights of the channels' lightness as in ITU-R BT.601.
    let lightness = 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
    if lightness > 140.0 { [0x1b, 0x1f, 0x27] } else { [0xff, 0xff, 0xff] }
}

/// What is told of a piece that is pointed at.
fn told(text: &str, value: f64) -> String {
    format!("{}: {}", text.trim(), short_number(value))
}

#[cfg(test)]
mod tests;

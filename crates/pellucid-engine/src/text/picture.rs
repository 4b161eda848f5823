//! Explanation of a text → highlighted text.

use ndarray::{Axis, Ix2};
use pellucid_plot::{
    HighlightedText, MAX_MAPPED_TOKENS, TextPiece, TokenMap, highlight_ansi, highlight_fragment,
    highlight_html, highlight_svg, token_map_svg,
};

use crate::deletion::note;
use crate::error::Error;
use crate::method;
use crate::npy;
use crate::npz;
use crate::picture::parameters_text;
use crate::text::explain::TextExplanation;

/// Ranges of a text's bytes, in order, each with its value.
type Marked = Vec<(std::ops::Range<usize>, f64)>;

/// The text with a color for each word, or for each token. Special tokens, which stand for no letters, are shown where
/// tokens are.
pub fn highlighted(text: &TextExplanation, target: usize, by_token: bool) -> HighlightedText {
    let explanation = &text.explanation;
    let pieces = match by_token {
        true => pieces_of_tokens(text, target),
        false => {
            let spans = text.words.iter().map(|word| word.span.clone());
            pieces_of(&text.encoded.text, spans.zip(text.word_values(target)).collect())
        }
    };
    HighlightedText {
        title: method::title(&explanation.about.method).to_owned(),
        subtitle: parameters_text(explanation),
        label: explanation.target_label(0, target),
        probability: explanation.target_probability(0, target),
        pieces,
        note: note(&explanation.about.method, &explanation.about.deletion, 0, target),
    }
}

/// The text for a terminal, in words.
///
/// # Errors
/// Whatever the drawing reports.
pub fn text_ansi(text: &TextExplanation, target: usize) -> Result<String, Error> {
    Ok(highlight_ansi(&highlighted(text, target, false))?)
}

/// The text as a page.
///
/// # Errors
/// Whatever the drawing reports.
pub fn text_html(text: &TextExplanation, target: usize, by_token: bool) -> Result<String, Error> {
    Ok(highlight_html(&highlighted(text, target, by_token))?)
}

/// The text as a part of a page.
///
/// # Errors
/// Whatever the drawing reports.
pub fn text_fragment(text: &TextExplanation, target: usize, by_token: bool) -> Result<String, Error> {
    Ok(highlight_fragment(&highlighted(text, target, by_token))?)
}

/// The text as a drawing.
///
/// # Errors
/// Whatever the drawing reports.
pub fn text_svg(text: &TextExplanation, target: usize, by_token: bool) -> Result<String, Error> {
    Ok(highlight_svg(&highlighted(text, target, by_token))?)
}

/// Who looks at whom, the mean over the heads of one layer (by default the last); `None` for other methods, and where
/// there are too many tokens to draw.
///
/// # Errors
/// A layer that is not there; whatever the drawing reports.
pub fn attention_svg(text: &TextExplanation, layer: Option<usize>) -> Result<Option<String>, Error> {
    let n_tokens = text.encoded.tokens.len();
    let Some(maps) = text.attention.as_ref().filter(|_| n_tokens <= MAX_MAPPED_TOKENS) else {
        return Ok(None);
    };
    let n_layers = maps.len_of(Axis(0));
    let layer = layer.unwrap_or(n_layers - 1);
    if layer >= n_layers {
        return Err(Error::request(
            "layer",
            format!("{layer} is not there; there are {n_layers}, counted from 0"),
        ));
    }
    let heads = maps.index_axis(Axis(0), layer);
    let weights = (heads.sum_axis(Axis(0)) / heads.len_of(Axis(0)) as f64)
        .into_dimensionality::<Ix2>()
        .map_err(|error| Error::request("layer", error.to_string()))?;
    let map = TokenMap {
        title: format!("Attention of layer {layer}, mean of {} heads", heads.len_of(Axis(0))),
        note: note(&text.explanation.about.method, &text.explanation.about.deletion, 0, 0),
        tokens: text.encoded.tokens.iter().map(|token| token.name.clone()).collect(),
        weights,
    };
    Ok(Some(token_map_svg(&map)?))
}

/// The attention of all layers and heads as an `.npz` archive: `maps` `[layers, heads, tokens, tokens]`.
///
/// # Errors
/// An archive that cannot be made.
pub fn attention_npz(text: &TextExplanation) -> Result<Option<Vec<u8>>, Error> {
    let Some(maps) = &text.attention else { return Ok(None) };
    let bytes = npz::bytes(&[("maps", npy::bytes(maps))]);
    bytes.map(Some).map_err(|reason| Error::Input { path: "attention".to_owned(), reason })
}

/// The marked ranges with what lies between them.
fn pieces_of(text: &str, marked: Marked) -> Vec<TextPiece> {
    let mut pieces = Vec::new();
    let mut end = 0;
    let between = |pieces: &mut Vec<TextPiece>, range: std::ops::Range<usize>| {
        if !range.is_empty() {
            pieces.push(TextPiece { text: text[range].to_owned(), value: None });
        }
    };
    for (span, value) in marked {
        between(&mut pieces, end..span.start);
        // Tokens may share a letter; it is shown once.
        let start = span.start.max(end);
        if start < span.end {
            pieces.push(TextPiece { text: text[start..span.end].to_owned(), value: Some(value) });
        }
        end = end.max(span.end);
    }
    between(&mut pieces, end..text.len());
    pieces
}

fn pieces_of_tokens(text: &TextExplanation, target: usize) -> Vec<TextPiece> {
    let values = text.token_values(target);
    let (mut before, mut marked, mut after) = (Vec::new(), Marked::new(), Vec::new());
    for (token, value) in text.encoded.tokens.iter().zip(values) {
        match (token.special, marked.is_empty()) {
            (false, _) => marked.push((token.span.clone(), value)),
            (true, is_first) => {
                let special = if is_first { &mut before } else { &mut after };
                special.push(TextPiece { text: token.name.clone(), value: Some(value) });
            }
        }
    }
    let blank = || TextPiece { text: " ".to_owned(), value: None };
    let mut pieces: Vec<TextPiece> = before.into_iter().flat_map(|piece| [piece, blank()]).collect();
    pieces.extend(pieces_of(&text.encoded.text, marked));
    pieces.extend(after.into_iter().flat_map(|piece| [blank(), piece]));
    pieces
}

//! Highlighted text as HTML: a page, or a part of one.

use maud::{DOCTYPE, Markup, html};

use crate::Error;
use crate::chart::hex;
use crate::highlight::{HighlightedText, TextPiece, ground, ink_on, told};
use crate::number::short_number;
use crate::report::page::bar;

const SHEET: &str =
    "font:16px/1.9 system-ui,sans-serif;color:#1b1f27;background:#ffffff;padding:1rem;max-width:48rem";
const QUIET: &str = "color:#5a6270;font-size:0.8125rem;line-height:1.4";

/// `text` as one HTML file that needs no other and runs no script; values show when a word is pointed at.
///
/// # Errors
/// As [`crate::highlight_ansi`].
pub fn highlight_html(text: &HighlightedText) -> Result<String, Error> {
    let body = body(text)?;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (text.title) }
            }
            body style="margin:0;background:#ffffff" { (body) }
        }
    };
    Ok(page.into_string())
}

/// `text` as a `div` with its styles in it, for notebooks and pages of others.
///
/// # Errors
/// As [`crate::highlight_ansi`].
pub fn highlight_fragment(text: &HighlightedText) -> Result<String, Error> {
    Ok(body(text)?.into_string())
}

/// The pieces on their colors, and a bar that says which color stands for which value.
pub(crate) fn colored(text: &HighlightedText) -> Result<(Markup, Markup), Error> {
    let scale = text.scale()?;
    let pieces = html! { @for piece in &text.pieces { (marked(piece, scale)) } };
    if scale == 0.0 {
        return Ok((
            pieces,
            bar(&[hex(ground(0.0, 1.0)), hex(ground(0.0, 1.0))], ["0 everywhere".to_owned()].into_iter()),
        ));
    }
    // Of attributions without a sign there is no blue to explain.
    let signed = text.pieces.iter().any(|piece| piece.value.is_some_and(|value| value < 0.0));
    let lowest = if signed { -1.0 } else { 0.0 };
    let stops: Vec<String> =
        (0..=16).map(|i| hex(ground(lowest + (1.0 - lowest) * f64::from(i) / 16.0, 1.0))).collect();
    let ticks = [signed.then(|| short_number(-scale)), Some("0".to_owned()), Some(short_number(scale))];
    Ok((pieces, bar(&stops, ticks.into_iter().flatten())))
}

fn body(text: &HighlightedText) -> Result<Markup, Error> {
    let scale = text.scale()?;
    Ok(html! {
        div style=(SHEET) {
            div style="font-weight:600" { (text.title) }
            @if !text.subtitle.is_empty() { div style=(QUIET) { (text.subtitle) } }
            p style="margin:0.75rem 0;white-space:pre-wrap;overflow-wrap:anywhere" {
                @for piece in &text.pieces { (marked(piece, scale)) }
            }
            div style="font-weight:600" { (text.output()) }
            @if !text.note.is_empty() { div style=(QUIET) { (text.note) } }
        }
    })
}

fn marked(piece: &TextPiece, scale: f64) -> Markup {
    let Some(value) = piece.value else { return html! { (piece.text) } };
    let color = ground(value, scale);
    let style =
        format!("background:{};color:{};padding:0.15em 0;border-radius:3px", hex(color), hex(ink_on(color)));
    html! { span style=(style) title=(told(&piece.text, value)) { (piece.text) } }
}

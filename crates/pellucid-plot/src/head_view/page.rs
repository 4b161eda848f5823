//! The page of a head view.

use base64::prelude::{BASE64_STANDARD, Engine};
use maud::{Markup, html};
use ndarray::Axis;

use super::{HeadView, PatchedImage};
use crate::Error;
use crate::number::short_number;
use crate::page::Page;
use crate::raster::picture_png;

/// Draws what the page holds.
const SCRIPT: &str = include_str!("page.js");

/// `view` as one HTML file that needs no other: weights, styles, font and the script are in it, and its content policy
/// lets nothing else run or load. It follows the reader's choice of a light or dark page. The arrow keys walk through
/// layers, heads and tokens.
///
/// # Errors
/// [`Error::Empty`] without tokens, [`Error::Length`] for weights or patches that do not fit them, [`Error::TooMany`],
/// [`Error::NotFinite`], [`Error::NegativeValue`], whatever the picture reports.
pub fn head_view_html(view: &HeadView<'_>) -> Result<String, Error> {
    let packed = view.packed()?;
    let largest: Vec<String> = packed.largest.iter().map(|value| short_number(*value)).collect();
    let (n_layers, n_heads) = (view.weights.len_of(Axis(0)), view.weights.len_of(Axis(1)));
    let picture = view.image.as_ref().map(picture).transpose()?;
    let body = html! {
        header {
            h1 { (view.title) }
            @if !view.lead.is_empty() { p.lead { (view.lead) } }
            @if !view.note.is_empty() { p.caution role="note" { (view.note) } }
        }
        noscript { p.caution { "The maps are drawn by a script, which this browser does not run." } }
        main #view data-layers=(n_layers) data-heads=(n_heads) data-token=(view.token)
            data-largest=(largest.join(" ")) data-weights=(BASE64_STANDARD.encode(&packed.bytes)) {
            (all_heads(n_layers, n_heads))
            (one_head(view, picture))
        }
    };
    let page = Page { title: &view.title, style: include_str!("page.css"), script: Some(SCRIPT), body };
    Ok(page.into_html())
}

/// A small map for each head, a row for each layer.
fn all_heads(n_layers: usize, n_heads: usize) -> Markup {
    html! {
        div.heads {
            h2 { "Layers and heads" }
            p.hint { "A row for each layer, from the input on, a column for each head. Choose one; the arrow keys go on from there." }
            div #grid role="radiogroup" aria-label="Layers and heads" style={ "--n-heads:" (n_heads) } {
                span.corner aria-hidden="true" {}
                @for head in 0..n_heads { span.name aria-hidden="true" { (head) } }
                @for layer in 0..n_layers {
                    span.name aria-hidden="true" { (layer) }
                    @for head in 0..n_heads {
                        button.head type="button" role="radio" aria-checked="false" tabindex="-1"
                            aria-label={ "Layer " (layer) ", head " (head) } { canvas aria-hidden="true" {} }
                    }
                }
            }
        }
    }
}

/// The chosen head: whom the chosen token looks at, and the whole map.
fn one_head(view: &HeadView<'_>, picture: Option<Markup>) -> Markup {
    html! {
        div.chosen {
            h2 #chosen aria-live="polite" { "Layer 0, head 0" }
            p #told aria-live="polite" {}
            div.parts {
                @if let Some(picture) = picture { (picture) }
                div #map { canvas role="img" aria-label="Who looks at whom: rows look, columns are looked at" {} }
            }
            p.hint {
                "A row for each token that looks, a column for each that is looked at. The strongest color is the largest "
                "weight of the head; small weights are drawn stronger than in proportion. Choose the token that looks in the map or here:"
            }
            div #tokens role="radiogroup" aria-label="The token that looks" {
                @for token in &view.tokens {
                    button.token type="button" role="radio" aria-checked="false" tabindex="-1" title=(token) {
                        span { (token) }
                    }
                }
            }
        }
    }
}

fn picture(image: &PatchedImage) -> Result<Markup, Error> {
    let png = BASE64_STANDARD.encode(picture_png(&image.picture)?);
    let [rows, columns] = image.places;
    Ok(html! {
        div #patches data-extra=(image.n_extra) data-rows=(rows) data-columns=(columns) {
            img alt="The image" src={ "data:image/png;base64," (png) };
            canvas role="img" aria-label="The patches that the chosen token looks at" {}
        }
    })
}

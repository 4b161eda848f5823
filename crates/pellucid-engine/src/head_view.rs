//! Explanations by attention → the weights behind them, as pages and as archives.

use ndarray::{ArrayD, ArrayViewD, Axis, Ix4, Slice};
use pellucid_core::Work;
use pellucid_explain::attention_maps::{LayerMaps, attention_layers};
use pellucid_plot::{HeadView, MAX_HEAD_VIEW_WEIGHTS, PatchedImage, head_view_html};

use crate::deletion::note;
use crate::error::Error;
use crate::explanation::Explanation;
use crate::input::Input;
use crate::method::{self, Method};
use crate::model::LoadedModel;
use crate::npy;
use crate::npz;
use crate::picture::picture_of_row;
use crate::text::TextExplanation;

/// The attention of a text, all layers and heads on one page; `None` for other methods, and for texts so long that the page
/// would be too large.
///
/// # Errors
/// Whatever the drawing reports.
pub fn text_head_view(text: &TextExplanation) -> Result<Option<String>, Error> {
    let Some(maps) = &text.attention else { return Ok(None) };
    let tokens = text.encoded.tokens.iter().map(|token| token.name.clone()).collect();
    page(&text.explanation, 0, maps.view(), tokens, text.token.unwrap_or(0), None)
}

/// The attention of the first rows of an input, by file name: a page with all layers and heads for each row where all
/// layers look from all tokens at all tokens, and an archive with `maps` `[layers, heads, tokens, tokens]`, or with
/// `layer_0`, `layer_1` … where lengths differ. None for other methods than attention's.
///
/// # Errors
/// Whatever the network or the drawing reports.
pub fn attention_files(
    model: &LoadedModel,
    input: &Input,
    method: &Method,
    explanation: &Explanation,
    max_rows: usize,
    work: &Work,
) -> Result<Vec<(String, Vec<u8>)>, Error> {
    if !matches!(method, Method::Attention(_)) {
        return Ok(Vec::new());
    }
    let n_rows = input.rows.len_of(Axis(0)).min(max_rows);
    let rows = input.rows.slice_axis(Axis(0), Slice::from(..n_rows)).to_owned();
    let layers = attention_layers(model.network(), &rows, work)?;
    let mut files = Vec::new();
    for row in 0..n_rows {
        let maps = stacked(&layers, row);
        files.push((format!("attention-{row}.npz"), archive(&layers, maps.as_ref(), row)?));
        let Some(maps) = maps else { continue };
        let image = patches(explanation, row, maps.len_of(Axis(3)));
        let tokens = token_names(maps.len_of(Axis(3)), image.as_ref());
        let page = page(explanation, row, maps.view(), tokens, 0, image)?;
        files.extend(page.map(|html| (format!("attention-{row}.html"), html.into_bytes())));
    }
    Ok(files)
}

/// One row's maps of all layers as `[layers, heads, tokens, tokens]`, where they fit together so.
fn stacked(layers: &[LayerMaps], row: usize) -> Option<ArrayD<f64>> {
    let views: Vec<_> = layers.iter().map(|layer| layer.maps.index_axis(Axis(0), row)).collect();
    let maps = ndarray::stack(Axis(0), &views).ok()?;
    (maps.ndim() == 4 && maps.len_of(Axis(2)) == maps.len_of(Axis(3))).then_some(maps)
}

fn archive(layers: &[LayerMaps], maps: Option<&ArrayD<f64>>, row: usize) -> Result<Vec<u8>, Error> {
    let names: Vec<String> = (0..layers.len()).map(|layer| format!("layer_{layer}")).collect();
    let arrays: Vec<(&str, Vec<u8>)> = match maps {
        Some(maps) => vec![("maps", npy::bytes(maps))],
        None => {
            let bytes =
                layers.iter().map(|layer| npy::bytes(&layer.maps.index_axis(Axis(0), row).to_owned()));
            names.iter().map(String::as_str).zip(bytes).collect()
        }
    };
    npz::bytes(&arrays).map_err(|reason| Error::Input { path: "attention".to_owned(), reason })
}

/// The image that a row's tokens are patches of.
fn patches(explanation: &Explanation, row: usize, n_tokens: usize) -> Option<PatchedImage> {
    let [height, width] = *explanation.raw_map.as_ref()?.shape().get(1..3)? else { return None };
    let n_extra = n_tokens.checked_sub(height * width)?;
    Some(PatchedImage { picture: picture_of_row(explanation, row)?, n_extra, places: [height, width] })
}

fn token_names(n_tokens: usize, image: Option<&PatchedImage>) -> Vec<String> {
    let name = |token: usize| match image {
        None => format!("token {token}"),
        Some(image) if token < image.n_extra => match image.n_extra {
            1 => "class token".to_owned(),
            _ => format!("extra token {token}"),
        },
        Some(image) => {
            let patch = token - image.n_extra;
            format!("row {}, column {}", patch / image.places[1], patch % image.places[1])
        }
    };
    (0..n_tokens).map(name).collect()
}

fn page(
    explanation: &Explanation,
    row: usize,
    maps: ArrayViewD<'_, f64>,
    tokens: Vec<String>,
    token: usize,
    image: Option<PatchedImage>,
) -> Result<Option<String>, Error> {
    let fits = maps.len() <= MAX_HEAD_VIEW_WEIGHTS;
    let Ok(weights) = maps.into_dimensionality::<Ix4>() else { return Ok(None) };
    if !fits {
        return Ok(None);
    }
    let about = &explanation.about;
    let view = HeadView {
        title: "Attention of all layers and heads".to_owned(),
        lead: format!(
            "{}, {}; explained: {}",
            about.model.name,
            method::title(&about.method),
            explanation.target_label(row, 0)
        ),
        note: note(&about.method, &about.deletion, row, 0),
        tokens,
        weights,
        token,
        image,
    };
    Ok(Some(head_view_html(&view)?))
}

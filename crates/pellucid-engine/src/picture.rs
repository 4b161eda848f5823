//! Explanation of an image → heatmap and panel.

use ndarray::{Array2, Array3, ArrayViewD, Axis, Ix2, Ix3};
use pellucid_plot::{
    ChannelReduction, Ground, Heatmap, HeatmapOptions, Palette, Panel, Picture, overlay, panel_png,
    panel_svg, reduce_channels,
};

use crate::deletion::note;
use crate::error::Error;
use crate::explanation::Explanation;
use crate::method;

/// Percent of a map's mass that is drawn as if it were at the end of the color range.
const OUTLIER_PERCENT: f64 = 2.0;

/// How much of the picture the strongest color covers.
const OPACITY: f64 = 0.85;

/// Pixels of a panel's PNG for each unit: sharp on today's screens.
const PNG_SCALE: u32 = 2;

/// A panel in both forms.
#[derive(Clone, Debug, PartialEq)]
pub struct PanelFiles {
    /// The drawing.
    pub svg: String,
    /// The same in pixels.
    pub png: Vec<u8>,
}

/// The heatmap of one row and target over the picture that the model saw; `None` where rows are no images.
///
/// # Errors
/// Whatever the drawing reports.
pub fn heatmap(explanation: &Explanation, row: usize, target: usize) -> Result<Option<Heatmap>, Error> {
    let Some(picture) = picture_of_row(explanation, row) else { return Ok(None) };
    let Some(map) = map(explanation, row, target) else { return Ok(None) };
    let palette = if explanation.about.signed { Palette::Diverging } else { Palette::Sequential };
    let ground = if is_map(explanation) { Ground::Picture } else { Ground::PaleGray };
    let options = HeatmapOptions { palette, ground, outlier_percent: OUTLIER_PERCENT, opacity: OPACITY };
    Ok(Some(overlay(&picture, map.view(), &options)?))
}

/// The heatmap of [`heatmap`] with method, class and probability around it.
///
/// # Errors
/// Whatever the drawing reports.
pub fn panel(explanation: &Explanation, row: usize, target: usize) -> Result<Option<PanelFiles>, Error> {
    let Some(heatmap) = heatmap(explanation, row, target)? else { return Ok(None) };
    let panel = Panel {
        title: method::title(&explanation.about.method).to_owned(),
        subtitle: parameters_text(explanation),
        label: explanation.target_label(row, target),
        probability: explanation.target_probability(row, target),
        note: note(&explanation.about.method, &explanation.about.deletion, row, target),
    };
    Ok(Some(PanelFiles { svg: panel_svg(&panel, &heatmap)?, png: panel_png(&panel, &heatmap, PNG_SCALE)? }))
}

/// `baseline zeros, n_steps 50`.
pub fn parameters_text(explanation: &Explanation) -> String {
    let set = explanation.about.parameters.iter().filter(|(_, value)| **value != crate::Parameter::Unset);
    let set = set.filter(|(name, _)| !crate::digests::is_digest(name));
    set.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}

/// Whether values are `[height, width]` where rows have channels too.
fn is_map(explanation: &Explanation) -> bool {
    explanation.values_of(0, 0).ndim() == 2 && explanation.data.ndim() == 4
}

/// One number a pixel: signed values are summed over channels, which keeps completeness; of unsigned ones the largest.
fn map(explanation: &Explanation, row: usize, target: usize) -> Option<Array2<f64>> {
    let values = explanation.values_of(row, target);
    if is_map(explanation) {
        return values.into_dimensionality::<Ix2>().ok().map(|map| map.to_owned());
    }
    let values = channels_first(values, explanation.about.channel_axis?)?;
    let reduction = match explanation.about.signed {
        true => ChannelReduction::Sum,
        false => ChannelReduction::AbsoluteMax,
    };
    Some(reduce_channels(values.view(), reduction))
}

fn channels_first(values: ArrayViewD<'_, f64>, channel_axis: usize) -> Option<Array3<f64>> {
    let mut values = values.into_dimensionality::<Ix3>().ok()?;
    if channel_axis == 2 {
        values = values.permuted_axes([2, 0, 1]);
    }
    Some(values.to_owned())
}

/// What the model saw: by the inverse of the preprocessing, or, where that is not known, the row's own range in gray.
pub fn picture_of_row(explanation: &Explanation, row: usize) -> Option<Picture> {
    let data = explanation.data.index_axis(Axis(0), row);
    if let Some(preprocess) = &explanation.about.preprocessing {
        return preprocess.picture_of_row(data.mapv(|x| x as f32).view());
    }
    let image = channels_first(data.view(), explanation.about.channel_axis?)?;
    let gray = image.mean_axis(Axis(0))?;
    let low = gray.iter().copied().fold(f64::INFINITY, f64::min);
    let high = gray.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let scale = if high > low { 255.0 / (high - low) } else { 0.0 };
    let pixels = gray.iter().flat_map(|&x| [((x - low) * scale).round() as u8; 3]).collect();
    Picture::new(gray.ncols() as u32, gray.nrows() as u32, pixels).ok()
}

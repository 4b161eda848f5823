//! `Explanation` → picture.
//!
//! Everything goes in as plain numbers and comes out as a `String` (SVG, HTML) or as bytes (PNG); this crate opens no
//! file. Same input, same bytes out, on every machine: text is drawn with a font carried in the crate.
//!
//! An attribution becomes a picture in these steps:
//! [`reduce_channels`] `[channels, height, width]` → `[height, width]`, [`overlay`] → [`Heatmap`], then
//! [`panel_svg`] or [`panel_png`] for one heatmap with its title and color bar, or [`report_html`] for a page of many.
//!
//! The attributions of a table become a [`Chart`] by one of the functions of [`tabular`], then SVG or PNG, or
//! part of a page with tooltips by [`charts_html`].

mod channels;
mod chart;
mod chart_page;
mod color_bar;
mod error;
mod font;
mod head_view;
mod heatmap;
mod highlight;
mod number;
mod outlier;
mod page;
mod palette;
mod panel;
mod picture;
mod raster;
mod report;
mod svg;
pub mod tabular;
mod text;
mod token_map;
mod upsample;

pub use channels::{ChannelReduction, reduce_channels};
pub use chart::Chart;
pub use chart_page::{ChartPage, ChartSection, charts_html};
pub use error::Error;
pub use head_view::{HeadView, MAX_HEAD_VIEW_WEIGHTS, PatchedImage, head_view_html};
pub use heatmap::{Ground, Heatmap, HeatmapOptions, overlay};
pub use highlight::{
    HighlightedText, TextPiece, highlight_ansi, highlight_fragment, highlight_html, highlight_svg,
};
pub use outlier::outlier_limit;
pub use palette::{Color, Palette};
pub use panel::{Panel, panel_png, panel_svg};
pub use picture::{MAX_PIXELS, Picture};
pub use raster::picture_png;
pub use report::{
    Better, ClassScore, Measurement, Report, ReportCurve, ReportMetric, ReportPanel, ReportSection, Shown,
    report_html,
};
pub use token_map::{MAX_MAPPED_TOKENS, TokenMap, token_map_svg};
pub use upsample::upsample_bilinear;

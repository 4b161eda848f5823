//! Chart page: several charts on one HTML page that tell more when pointed at.

use base64::prelude::{BASE64_STANDARD, Engine};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::chart::{Medium, Paint, hex, marks};
use crate::svg::xml_text;
use crate::{Chart, report};

/// A page of charts. All texts are plain; they are escaped when the page is written.
#[derive(Debug, Clone, PartialEq)]
pub struct ChartPage {
    /// The heading of the page.
    pub title: String,
    /// A paragraph that says what the reader sees; may be empty.
    pub lead: String,
    /// Names and values that hold for the whole page, such as model, data and number of rows.
    pub facts: Vec<(String, String)>,
    /// From the top down.
    pub sections: Vec<ChartSection>,
    /// The last line of the page, such as the program's version; may be empty.
    pub footer: String,
}

/// Charts that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct ChartSection {
    /// What they show.
    pub heading: String,
    /// How to read them; may be empty.
    pub text: String,
    /// What the reader must know.
    pub warnings: Vec<String>,
    /// From the top down.
    pub charts: Vec<Chart>,
}

/// Moves each mark's `<title>` to a tooltip that also the keyboard can reach. Without it, the titles do their work.
const SCRIPT: &str = include_str!("chart_page/tooltips.js");

/// `page` as one HTML file that needs no other: styles, font, charts and the script of the tooltips are in it, and its
/// content policy lets nothing else run or load. It follows the reader's choice of a light or dark page. The arrow keys
/// walk through the marks of a chart.
///
/// # Example: a page without charts
/// ```
/// use pellucid_plot::{ChartPage, charts_html};
///
/// let page = ChartPage {
///     title: "Credit & trust".into(),
///     lead: String::new(),
///     facts: vec![("Rows".into(), "1000".into())],
///     sections: vec![],
///     footer: String::new(),
/// };
/// assert!(charts_html(&page).contains("<h1>Credit &amp; trust</h1>"));
/// ```
pub fn charts_html(page: &ChartPage) -> String {
    let script = SCRIPT.trim();
    let digest = BASE64_STANDARD.encode(Sha256::digest(script.as_bytes()));
    let policy = format!(
        "default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (page.title) }
                style { (PreEscaped(style())) }
            }
            body {
                (header(page))
                main { @for (index, one) in page.sections.iter().enumerate() { (section(one, index)) } }
                @if !page.footer.is_empty() { footer { (page.footer) } }
                div #tip role="status" hidden {}
                script { (PreEscaped(script)) }
            }
        }
    };
    page.into_string()
}

/// The style sheet of reports, with what charts need, and each paint's color on light and on dark ground.
fn style() -> String {
    let colors = |color: fn(Paint) -> [u8; 3]| -> String {
        let line = |paint: Paint| paint.variable().map(|name| format!("{name}:{};", hex(color(paint))));
        Paint::themed().into_iter().filter_map(line).collect()
    };
    format!(
        "{}{}:root{{{}}}\n@media (prefers-color-scheme: dark){{:root{{{}}}}}\n@media print{{:root{{{}}}}}\n",
        report::page::style(),
        include_str!("chart_page/charts.css"),
        colors(Paint::on_light),
        colors(Paint::on_dark),
        colors(Paint::on_light)
    )
}

fn header(page: &ChartPage) -> Markup {
    html! {
        header {
            h1 { (page.title) }
            @if !page.lead.is_empty() { p.lead { (page.lead) } }
            @if !page.facts.is_empty() {
                dl.facts { @for (name, value) in &page.facts { div { dt { (name) } dd { (value) } } } }
            }
            @if page.sections.len() > 1 {
                nav aria-label="Charts" {
                    @for (index, section) in page.sections.iter().enumerate() {
                        a href={ "#charts-" (index + 1) } { (section.heading) }
                    }
                }
            }
        }
    }
}

fn section(section: &ChartSection, index: usize) -> Markup {
    html! {
        section id={ "charts-" (index + 1) } {
            h2 { (section.heading) }
            @if !section.text.is_empty() { p.how { (section.text) } }
            @for warning in &section.warnings { p.warning { strong { "⚠ Warning: " } (warning) } }
            @for chart in &section.charts { (drawing(chart)) }
        }
    }
}

fn drawing(chart: &Chart) -> Markup {
    let (width, height) = (chart.width, chart.height);
    html! {
        div.drawing style={ "max-width:" (width) "px" } {
            svg.marks viewBox={ "0 0 " (width) " " (height) } role="group" aria-label=(xml_text(&chart.description)) {
                (marks(chart, Medium::Page))
            }
        }
    }
}

#[cfg(test)]
mod tests;

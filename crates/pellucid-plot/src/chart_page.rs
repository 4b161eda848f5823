//! Chart page: several charts on one HTML page that tell more when pointed at.

use maud::{Markup, html};

use crate::Chart;
use crate::chart::{Medium, Paint, hex, marks};
use crate::page::{Page, header};
use crate::svg::xml_text;

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
    let links: Vec<(String, &str)> =
        page.sections.iter().enumerate().map(|(index, one)| (anchor(index), one.heading.as_str())).collect();
    let body = html! {
        (header(&page.title, &page.lead, &page.facts, ("Charts", &links)))
        main { @for (index, one) in page.sections.iter().enumerate() { (section(one, index)) } }
        @if !page.footer.is_empty() { footer { (page.footer) } }
        div #tip role="status" hidden {}
    };
    Page { title: &page.title, style: &style(), script: Some(SCRIPT), body }.into_html()
}

fn anchor(index: usize) -> String {
    format!("charts-{}", index + 1)
}

/// What charts need, and each paint's color on light and on dark ground.
fn style() -> String {
    let colors = |color: fn(Paint) -> [u8; 3]| -> String {
        let line = |paint: Paint| paint.variable().map(|name| format!("{name}:{};", hex(color(paint))));
        Paint::themed().into_iter().filter_map(line).collect()
    };
    format!(
        "{}:root{{{}}}\n@media (prefers-color-scheme: dark){{:root{{{}}}}}\n@media print{{:root{{{}}}}}\n",
        include_str!("chart_page/charts.css"),
        colors(Paint::on_light),
        colors(Paint::on_dark),
        colors(Paint::on_light)
    )
}

fn section(section: &ChartSection, index: usize) -> Markup {
    html! {
        section id=(anchor(index)) {
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

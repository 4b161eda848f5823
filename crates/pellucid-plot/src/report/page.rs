//! The page's HTML.

use maud::{Markup, html};

use crate::color_bar::{stops, ticks};
use crate::highlight::colored;
use crate::number::{percent, short_number};
use crate::page::{Page, header};
use crate::raster::data_uri;
use crate::report::curve::chart;
use crate::report::{
    Better, ClassScore, Measurement, Report, ReportMetric, ReportPanel, ReportSection, Shown,
};
use crate::{Error, Heatmap, HighlightedText};

pub(crate) fn page(report: &Report) -> Result<String, Error> {
    let sections: Vec<Markup> = report
        .sections
        .iter()
        .enumerate()
        .map(|(index, photo)| section(photo, index))
        .collect::<Result<_, _>>()?;
    let links: Vec<(String, &str)> = report
        .sections
        .iter()
        .enumerate()
        .map(|(index, section)| (anchor(section, index), section.heading.as_str()))
        .collect();
    let body = html! {
        (header(&report.title, &report.lead, &report.facts, ("Sections", &links)))
        main { @for section in sections { (section) } }
        @if !report.footer.is_empty() { footer { (report.footer) } }
    };
    Ok(Page { title: &report.title, style: "", script: None, body }.into_html())
}

fn anchor(section: &ReportSection, index: usize) -> String {
    format!("{}-{}", if section.photo.is_some() { "photo" } else { "text" }, index + 1)
}

fn section(section: &ReportSection, index: usize) -> Result<Markup, Error> {
    let photo = section.photo.as_ref().map(data_uri).transpose()?;
    let panels: Vec<Markup> =
        section.panels.iter().map(|panel| self::panel(panel, index == 0)).collect::<Result<_, _>>()?;
    let (question, hint) = match photo {
        Some(_) => ("What the model sees", "Point at a heatmap to see the photo under it."),
        None => ("What the model says", "Point at a word to see its value."),
    };
    Ok(html! {
        section id=(anchor(section, index)) .of-text[photo.is_none()]
            style=[photo.as_ref().map(|photo| format!("--photo:url({photo})"))] {
            h2 { (section.heading) }
            @for text in &section.warnings { (warning(text)) }
            div.row {
                div.seen {
                    @if let (Some(picture), Some(uri)) = (&section.photo, &photo) {
                        img src=(uri) alt={ "Photo: " (section.heading) }
                            width=(picture.width()) height=(picture.height());
                    }
                    @if !section.credit.is_empty() { p.credit { (section.credit) } }
                    (classes(question, &section.classes))
                    @if !section.panels.is_empty() { p.hint { (hint) } }
                }
                div.panels { @for panel in panels { (panel) } }
            }
        }
    })
}

fn classes(question: &str, classes: &[ClassScore]) -> Markup {
    html! {
        @if !classes.is_empty() {
            h3 { (question) }
            ol.classes {
                @for class in classes {
                    li.explained[class.explained] {
                        span.label {
                            (class.label)
                            @if class.explained { span.mark { "explained here" } }
                        }
                        span.number { (percent(class.probability)) }
                        span.bar { span style={ "width:" (format!("{:.1}", 100.0 * class.probability)) "%" } {} }
                    }
                }
            }
        }
    }
}

fn panel(panel: &ReportPanel, open: bool) -> Result<Markup, Error> {
    match &panel.shown {
        Shown::Heatmap(heatmap) => of_heatmap(panel, heatmap, open),
        Shown::Text(text) => of_text(panel, text),
    }
}

fn of_heatmap(panel: &ReportPanel, heatmap: &Heatmap, open: bool) -> Result<Markup, Error> {
    let picture = &heatmap.picture;
    Ok(html! {
        article {
            h3 { (panel.method) }
            p.parameters { (panel.parameters) }
            div.heatmap {
                img src=(data_uri(picture)?) alt={ "Heatmap: " (panel.method) }
                    width=(picture.width()) height=(picture.height());
            }
            (color_bar(heatmap))
            // Present even where empty: the cards' parts share the rows of one grid.
            div {
                @for text in &panel.warnings { (warning(text)) }
                @if !panel.explanation.is_empty() {
                    details open[open] { summary { "What it shows" } p { (panel.explanation) } }
                }
            }
            div { (metrics(&panel.metrics)) }
            div { (curves(panel)) }
        }
    })
}

/// The text with what is told of it on the left, the numbers on the right.
fn of_text(panel: &ReportPanel, text: &HighlightedText) -> Result<Markup, Error> {
    let (pieces, scale) = colored(text)?;
    Ok(html! {
        article {
            div.told {
                h3 { (panel.method) }
                p.parameters { (panel.parameters) }
                p.text { (pieces) }
                (scale)
                @if !text.label.is_empty() {
                    // A token may be a comma.
                    p.output {
                        "Explained: “" strong { (text.label) } "”"
                        @if let Some(probability) = text.probability { ", " (percent(probability)) }
                    }
                }
                @if !panel.explanation.is_empty() { p.note { (panel.explanation) } }
                @if !text.note.is_empty() { p.note { (text.note) } }
                @for text in &panel.warnings { (warning(text)) }
            }
            div.numbers {
                (metrics(&panel.metrics))
                div.curves { (curves(panel)) }
            }
        }
    })
}

fn warning(text: &str) -> Markup {
    html! { p.warning { strong { "⚠ Warning: " } (text) } }
}

fn color_bar(heatmap: &Heatmap) -> Markup {
    let stops: Vec<String> = stops(heatmap)
        .iter()
        .map(|stop| {
            format!("{}{:02x} {:.1}%", stop.color, (255.0 * stop.alpha).round() as u8, 100.0 * stop.place)
        })
        .collect();
    bar(&stops, ticks(heatmap).into_iter().map(|(_, label)| label))
}

/// Colors as CSS has them in a gradient, over numbers.
pub(crate) fn bar(stops: &[String], ticks: impl Iterator<Item = String>) -> Markup {
    html! {
        div.scale {
            div.colors style={ "background-image:linear-gradient(90deg," (stops.join(",")) ")" } {}
            div.ticks { @for label in ticks { span { (label) } } }
        }
    }
}

fn metrics(metrics: &[ReportMetric]) -> Markup {
    html! {
        @if !metrics.is_empty() {
            table {
                thead { tr { th scope="col" { "Check" } th scope="col" { "Here" } th scope="col" { "Random" } } }
                tbody { @for metric in metrics { (metric_row(metric)) } }
            }
        }
    }
}

fn metric_row(metric: &ReportMetric) -> Markup {
    let wish = match metric.better {
        _ if metric.measurement == Measurement::NotPromised => "",
        Better::Lower => "lower is better",
        Better::Higher => "higher is better",
        Better::Zero => "0 is perfect",
    };
    html! {
        tr {
            th scope="row" { (metric.name) span.wish { (wish) } }
            @match metric.measurement {
                Measurement::NotPromised => td.none colspan="2" { "not promised" },
                Measurement::Number(value) => {
                    td { (short_number(value)) (verdict(metric, value)) }
                    td { @match metric.random { Some(random) => (short_number(random)), None => "–" } }
                },
            }
        }
    }
}

/// A mark that says whether `value` beats the random attribution's; nothing where there is none.
fn verdict(metric: &ReportMetric, value: f64) -> Markup {
    let beats = metric.random.map(|random| match metric.better {
        Better::Lower => value < random,
        Better::Higher => value > random,
        Better::Zero => value.abs() < random.abs(),
    });
    html! {
        @match beats {
            Some(true) => span.good role="img" aria-label="better than random" title="better than random" { "✓" },
            Some(false) => span.bad role="img" aria-label="not better than random" title="not better than random" { "✗" },
            None => {},
        }
    }
}

fn curves(panel: &ReportPanel) -> Markup {
    html! {
        @for curve in &panel.curves {
            figure {
                figcaption {
                    (curve.name)
                    span.legend { span.key-curve {} "here" }
                    @if !curve.random.is_empty() { span.legend { span.key-random {} "random" } }
                }
                (chart(curve))
            }
        }
    }
}

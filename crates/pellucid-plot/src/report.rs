//! Report: a page with photos or texts, what the model saw in them, and heatmaps or marked words with how far to trust them.

mod curve;
pub(crate) mod page;

use crate::error::check_range;
use crate::{Error, Heatmap, HighlightedText, Picture};

/// A page: one section a photo or text. All texts are plain; they are escaped when the page is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The heading of the page.
    pub title: String,
    /// A paragraph that says what the reader sees; may be empty.
    pub lead: String,
    /// Names and values that hold for the whole page, such as model, runtime and seed.
    pub facts: Vec<(String, String)>,
    /// One for each photo or text.
    pub sections: Vec<ReportSection>,
    /// The last line of the page, such as the program's version; may be empty.
    pub footer: String,
}

/// A photo or a text with its classes and what each method shows.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportSection {
    /// The name of the photo or text.
    pub heading: String,
    /// The photo as the model saw it; `None` for a text, which its panels hold.
    pub photo: Option<Picture>,
    /// Who made the photo and under which license; may be empty.
    pub credit: String,
    /// The likeliest classes, in the order to be shown.
    pub classes: Vec<ClassScore>,
    /// What holds for every method here and the reader must know.
    pub warnings: Vec<String>,
    /// One for each method.
    pub panels: Vec<ReportPanel>,
}

/// A class and how sure the model is of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassScore {
    /// The name of the class.
    pub label: String,
    /// In `[0, 1]`.
    pub probability: f64,
    /// Whether the panels of this section explain this class.
    pub explained: bool,
}

/// What a method shows and how far to trust it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportPanel {
    /// The name of the method.
    pub method: String,
    /// What the method was told, such as steps and baseline; may be empty.
    pub parameters: String,
    /// In a sentence or two, what the method shows; may be empty.
    pub explanation: String,
    /// Where it shows it.
    pub shown: Shown,
    /// One row each.
    pub metrics: Vec<ReportMetric>,
    /// One chart each.
    pub curves: Vec<ReportCurve>,
    /// What the reader must know about this panel.
    pub warnings: Vec<String>,
}

/// What a panel shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    /// A heatmap over the section's photo.
    Heatmap(Heatmap),
    /// A text with marked words. Title and subtitle are left to the panel.
    Text(HighlightedText),
}

/// A metric of an attribution beside a random attribution's.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportMetric {
    /// The name of the metric.
    pub name: String,
    /// What was measured.
    pub measurement: Measurement,
    /// The same of a random attribution, where that means anything.
    pub random: Option<f64>,
    /// Which values are good.
    pub better: Better,
}

/// The value of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measurement {
    /// A finite number.
    Number(f64),
    /// The method does not promise what the metric checks, as Grad-CAM does not promise completeness.
    NotPromised,
}

/// Which values of a metric are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// The lower, the better.
    Lower,
    /// The higher, the better.
    Higher,
    /// Zero is perfect.
    Zero,
}

/// A deletion or insertion curve beside a random attribution's.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportCurve {
    /// The name of the curve.
    pub name: String,
    /// What the horizontal axis counts, such as `pixels deleted`.
    pub axis: String,
    /// Shares of the pixels, rising, in `[0, 1]`.
    pub fractions: Vec<f64>,
    /// The model's output at each fraction.
    pub values: Vec<f64>,
    /// The same where a random attribution gives the order of the pixels; may be empty.
    pub random: Vec<f64>,
}

/// `report` as one HTML file that needs no other: styles, font and pictures are in it, and it has no scripts. It follows
/// the reader's choice of a light or dark page.
///
/// # Errors
/// [`Error::OptionRange`] for a probability or fraction outside `[0, 1]`, [`Error::NotFinite`] for a metric or curve
/// that holds NaN or infinity, [`Error::CurveLength`], [`Error::Render`] if a picture cannot be encoded.
///
/// # Example: a page without photos
/// ```
/// use pellucid_plot::{Report, report_html};
///
/// let report = Report {
///     title: "Cats & dogs".into(),
///     lead: String::new(),
///     facts: vec![("Model".into(), "pets.onnx".into())],
///     sections: vec![],
///     footer: String::new(),
/// };
/// assert!(report_html(&report)?.contains("<h1>Cats &amp; dogs</h1>"));
/// # Ok::<(), pellucid_plot::Error>(())
/// ```
pub fn report_html(report: &Report) -> Result<String, Error> {
    for section in &report.sections {
        for class in &section.classes {
            check_range("probability", class.probability, 0.0..=1.0, "0 to 1")?;
        }
        for panel in &section.panels {
            panel.metrics.iter().try_for_each(check_metric)?;
            panel.curves.iter().try_for_each(check_curve)?;
        }
    }
    page::page(report)
}

fn check_metric(metric: &ReportMetric) -> Result<(), Error> {
    let value = match metric.measurement {
        Measurement::Number(value) => Some(value),
        Measurement::NotPromised => None,
    };
    check_finite("a metric", value.iter().chain(&metric.random))
}

fn check_curve(curve: &ReportCurve) -> Result<(), Error> {
    let fractions = curve.fractions.len();
    for values in [&curve.values, &curve.random] {
        let missing = values.is_empty() && std::ptr::eq(values, &curve.random);
        if !missing && (values.len() != fractions || fractions < 2) {
            return Err(Error::CurveLength { name: curve.name.clone(), fractions, values: values.len() });
        }
        check_finite("a curve", values.iter())?;
    }
    curve.fractions.iter().try_for_each(|&fraction| check_range("fraction", fraction, 0.0..=1.0, "0 to 1"))
}

fn check_finite<'a>(what: &'static str, values: impl Iterator<Item = &'a f64>) -> Result<(), Error> {
    for (index, &value) in values.enumerate() {
        if !value.is_finite() {
            return Err(Error::NotFinite { what, index: vec![index], value });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! Charts and heatmaps for notebooks and files.

use std::path::PathBuf;

use pellucid_engine::{ChartPage, ChartSection, Error, charts_html, write_file};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::{fault, of_option};

/// Pixels of a PNG for each unit: sharp on today's screens.
const PNG_SCALE: u32 = 2;

/// A drawing: a chart of a table's explanation, or a heatmap over an image.
#[pyclass(frozen, module = "pellucid")]
pub(crate) struct Drawing {
    kind: Kind,
    title: String,
}

pub(crate) enum Kind {
    Chart(pellucid_engine::Chart),
    Panel(pellucid_engine::PanelFiles),
}

impl Drawing {
    pub(crate) fn new(kind: Kind, title: String) -> Self {
        Self { kind, title }
    }
}

#[pymethods]
impl Drawing {
    /// The drawing as an SVG document.
    fn svg(&self) -> String {
        match &self.kind {
            Kind::Chart(chart) => chart.svg(),
            Kind::Panel(panel) => panel.svg.clone(),
        }
    }

    /// The drawing as the bytes of a PNG file, two pixels a unit.
    fn png<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.png_bytes()?))
    }

    /// The drawing as a page of its own.
    fn html(&self) -> String {
        let charts = match &self.kind {
            Kind::Chart(chart) => vec![chart.clone()],
            Kind::Panel(panel) => return panel.svg.clone(),
        };
        let section =
            ChartSection { heading: String::new(), text: String::new(), warnings: Vec::new(), charts };
        charts_html(&ChartPage {
            title: self.title.clone(),
            lead: String::new(),
            facts: Vec::new(),
            sections: vec![section],
            footer: String::new(),
        })
    }

    /// Writes the drawing into a file that ends in `.svg`, `.png` or `.html`.
    fn save(&self, path: PathBuf) -> PyResult<()> {
        let ending =
            path.extension().map_or_else(String::new, |ending| ending.to_string_lossy().to_lowercase());
        let bytes = match ending.as_str() {
            "svg" => self.svg().into_bytes(),
            "png" => self.png_bytes()?,
            "html" => self.html().into_bytes(),
            _ => return Err(of_option("path", "name a file that ends in .svg, .png or .html")),
        };
        write_file(&path, &bytes).map_err(fault)
    }

    fn _repr_svg_(&self) -> String {
        self.svg()
    }

    fn __repr__(&self) -> String {
        match &self.kind {
            Kind::Chart(chart) => {
                format!("<pellucid.Drawing {}×{}: {}>", chart.width(), chart.height(), chart.description())
            }
            Kind::Panel(_) => format!("<pellucid.Drawing: {}>", self.title),
        }
    }
}

impl Drawing {
    fn png_bytes(&self) -> PyResult<Vec<u8>> {
        match &self.kind {
            Kind::Chart(chart) => chart.png(PNG_SCALE).map_err(|error| fault(Error::from(error))),
            Kind::Panel(panel) => Ok(panel.png.clone()),
        }
    }
}

//! Global effects → charts.

use ndarray::{Array1, Array2, Axis, aview1};
use pellucid_core::OutputSpace;
use pellucid_plot::Chart;
use pellucid_plot::tabular::{Effect, EffectLine, Feature, Options, Output, effect};

use super::{EffectKind, EffectTable};
use crate::error::Error;
use crate::parameter::Parameter;

/// Lines of a chart whose second feature has more values.
const MAX_LINES: usize = 6;

impl EffectTable {
    /// The chart of one output: its mean and the curves of single rows over the first feature; of two features one line
    /// for each value of the second, or for some of them, evenly spread.
    ///
    /// # Errors
    /// An output that is not there; numbers that cannot be drawn.
    pub fn chart(&self, output: usize) -> Result<Chart, Error> {
        let n_outputs = self.outputs.len();
        if output >= n_outputs {
            let reason = format!("{output} is out of range; there are 0 to {}", n_outputs - 1);
            return Err(Error::request("output", reason));
        }
        let feature = &self.features[0];
        let n_lines = match self.features.get(1) {
            None => 1,
            Some(_) => self.grid.column(0).iter().take_while(|x| **x == self.grid[[0, 0]]).count(),
        };
        let points: Array1<f64> = self.grid.column(0).iter().copied().step_by(n_lines).collect();
        let drawn = n_lines.min(MAX_LINES);
        let lines: Vec<EffectLine> = (0..drawn)
            .map(|line| self.line(line * (n_lines - 1) / (drawn - 1).max(1), n_lines, output))
            .collect();
        let curves: Option<Array2<f64>> =
            self.curves.as_ref().map(|curves| curves.values.index_axis(Axis(2), output).to_owned());
        let shown = Feature {
            name: feature.name.clone(),
            unit: String::new(),
            categories: feature.categories.clone(),
        };
        let asked = Effect {
            feature: &shown,
            points: points.view(),
            data: aview1(&feature.data),
            lines: &lines,
            lines_name: self.features.get(1).map_or("", |feature| feature.name.as_str()),
            curves: curves.as_ref().map(|curves| curves.view()),
            output: &self.output(output),
        };
        let caption = if drawn < n_lines {
            format!("{drawn} of the {n_lines} values of {} are drawn.", self.features[1].name)
        } else {
            String::new()
        };
        let options = Options { title: self.title(), caption, max_features: 1 };
        Ok(effect(&asked, &options)?)
    }

    /// The line of one value of the second feature, of which there are `n_lines`.
    fn line(&self, line: usize, n_lines: usize, output: usize) -> EffectLine {
        let values = self.mean.column(output).iter().copied().skip(line).step_by(n_lines).collect();
        let name = self.features.get(1).map(|feature| feature.shown(self.grid[[line, 1]]));
        EffectLine { name: name.unwrap_or_default(), values }
    }

    fn title(&self) -> String {
        let names: Vec<&str> = self.features.iter().map(|feature| feature.name.as_str()).collect();
        match self.kind {
            EffectKind::PartialDependence => format!("Partial dependence on {}", names.join(" and ")),
            EffectKind::Ice => format!("Individual curves over {}", names.join(" and ")),
        }
    }

    fn output(&self, output: usize) -> Output {
        let is_centered = self
            .parameters
            .iter()
            .any(|(name, value)| *name == "centered" && *value == Parameter::Flag(true));
        let unit = match self.output_space {
            OutputSpace::Value => "",
            space => space.name(),
        };
        Output {
            name: if self.outputs.len() == 1 { String::new() } else { self.outputs[output].clone() },
            unit: unit.to_owned(),
            value_name: if is_centered { "change of the output" } else { "output" }.to_owned(),
        }
    }
}

//! Global effects → charts.

use ndarray::{Array1, Array2, Axis};
use pellucid_core::OutputSpace;
use pellucid_plot::Chart;
use pellucid_plot::tabular::{Effect, EffectLine, Feature, Options, Output, counted_rows, effect};

use super::{EffectFeature, EffectKind, EffectTable};
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
        let n_lines = match self.features.get(1) {
            None => 1,
            Some(_) => self.grid.column(0).iter().take_while(|x| **x == self.grid[[0, 0]]).count(),
        };
        let drawn = n_lines.min(MAX_LINES);
        let lines: Vec<EffectLine> = (0..drawn)
            .map(|line| self.line(line * (n_lines - 1) / (drawn - 1).max(1), n_lines, output))
            .collect();
        let curves: Option<Array2<f64>> =
            self.curves.as_ref().map(|curves| curves.values.index_axis(Axis(2), output).to_owned());
        let (shown, data, points) =
            self.features[0].drawn(self.grid.column(0).iter().copied().step_by(n_lines));
        let asked = Effect {
            feature: &shown,
            points: points.view(),
            data: data.view(),
            lines: &lines,
            lines_name: self.features.get(1).map_or("", |feature| feature.name.as_str()),
            curves: curves.as_ref().map(|curves| curves.view()),
            output: &self.output(output),
            note: &self.note(),
        };
        let caption = if drawn < n_lines {
            format!("{drawn} of the {n_lines} values of {} are drawn.", self.features[1].name)
        } else {
            String::new()
        };
        let options = Options { title: self.title(), caption, max_features: 1 };
        Ok(effect(&asked, &options)?)
    }

    /// What the line is, for its reader.
    fn note(&self) -> String {
        let rows = counted_rows(self.n_rows);
        let line = match (self.kind, self.features.len()) {
            (EffectKind::Ale, 1) => {
                format!("The mean changes of the rows near each value, added up; 0 in the mean over {rows}.")
            }
            (EffectKind::Ale, _) => {
                format!(
                    "What both features do beyond what each does alone, from the changes of the {rows} near each point."
                )
            }
            _ => format!("The mean over {rows} with the value put in."),
        };
        // Of several lines none has its interval drawn.
        match self.standard_error.as_ref().filter(|_| self.features.len() == 1) {
            Some(_) => {
                let percent = (1e4 * self.confidence).round() / 100.0;
                format!("{line} Around it lies the {percent} % interval, for other rows drawn like these.")
            }
            None => line,
        }
    }

    /// The line of one value of the second feature, of which there are `n_lines`.
    fn line(&self, line: usize, n_lines: usize, output: usize) -> EffectLine {
        let values = self.mean.column(output).iter().copied().skip(line).step_by(n_lines).collect();
        let name = self.features.get(1).map(|feature| feature.shown(self.grid[[line, 1]]));
        // Of several lines, intervals would hide each other.
        let points = || (line..self.grid.nrows()).step_by(n_lines);
        let interval = match n_lines {
            1 => points().map(|point| self.interval(point, output)).collect(),
            _ => None,
        };
        EffectLine { name: name.unwrap_or_default(), values, interval }
    }

    fn title(&self) -> String {
        let names: Vec<&str> = self.features.iter().map(|feature| feature.name.as_str()).collect();
        match self.kind {
            EffectKind::PartialDependence => format!("Partial dependence on {}", names.join(" and ")),
            EffectKind::Ice => format!("Individual curves over {}", names.join(" and ")),
            EffectKind::Ale => match names[..] {
                [_] => format!("Accumulated local effect of {}", names[0]),
                _ => format!("Accumulated local interaction of {}", names.join(" and ")),
            },
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
            value_name: match (self.kind, self.features.len()) {
                (EffectKind::Ale, 1) => "effect",
                (EffectKind::Ale, _) => "interaction",
                _ if is_centered => "change of the output",
                _ => "output",
            }
            .to_owned(),
        }
    }
}

impl EffectFeature {
    /// The feature as charts take it, with its data and some values of it. Codes without names are named by themselves.
    fn drawn(&self, points: impl Iterator<Item = f64>) -> (Feature, Array1<f64>, Array1<f64>) {
        let shown =
            |categories: Vec<String>| Feature { name: self.name.clone(), unit: String::new(), categories };
        let points: Array1<f64> = points.collect();
        if !self.is_categorical || !self.categories.is_empty() {
            return (shown(self.categories.clone()), Array1::from(self.data.clone()), points);
        }
        let mut codes: Vec<f64> = self.data.iter().copied().filter(|x| !x.is_nan()).collect();
        codes.sort_by(f64::total_cmp);
        codes.dedup();
        let rank = |&x: &f64| codes.iter().position(|&code| code == x).map_or(f64::NAN, |rank| rank as f64);
        let names = codes.iter().map(f64::to_string).collect();
        (shown(names), self.data.iter().map(rank).collect(), points.iter().map(rank).collect())
    }
}

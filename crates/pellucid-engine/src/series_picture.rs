//! Explanation of a series → line plot with bands.

use ndarray::{Array2, ArrayViewD, Axis, Ix2};
use pellucid_plot::Chart;
use pellucid_plot::tabular::{Feature, Options, Output, Series, series};

use crate::agnostic::series::time_axis;
use crate::error::Error;
use crate::explanation::Explanation;
use crate::method;
use crate::parameter::Parameter;
use crate::picture::parameters_text;

/// Channels that get a panel.
const MAX_CHANNELS: usize = 12;

/// One row and target of a series, `[time, channel]`.
struct Laid {
    data: Array2<f64>,
    values: Array2<f64>,
    channels: Vec<String>,
}

impl Laid {
    /// `None` where rows are no series, or nothing tells which axis is time.
    fn new(explanation: &Explanation, row: usize, target: usize) -> Option<Self> {
        let about = &explanation.about;
        let (data, values) = (explanation.data.index_axis(Axis(0), row), explanation.values_of(row, target));
        let asked = match about.parameters.get("time_axis") {
            Some(Parameter::Count(axis)) => Some(*axis),
            _ => None,
        };
        let time_axis = time_axis(data.shape(), asked).ok().filter(|_| values.shape() == data.shape())?;
        let time_first = |array: ArrayViewD<'_, f64>| {
            let array = array.into_dimensionality::<Ix2>().ok()?.to_owned();
            Some(if time_axis == 1 { array.reversed_axes() } else { array })
        };
        let (data, values) = (time_first(data.view())?, time_first(values)?);
        let named = about.feature_names.as_ref().filter(|names| names.len() == data.ncols());
        let channels = match named {
            Some(names) => names.clone(),
            None => (0..data.ncols()).map(|channel| format!("channel {channel}")).collect(),
        };
        Some(Self { data, values, channels })
    }
}

/// The stretches of one row's series that have one value each, by channel where channels differ; `None` as for [`series_chart`].
pub fn series_stretches(explanation: &Explanation, row: usize, target: usize) -> Option<Vec<(String, f64)>> {
    let laid = Laid::new(explanation, row, target)?;
    let first = laid.values.column(0);
    let are_together =
        laid.values.ncols() > 1 && laid.values.columns().into_iter().all(|column| column == first);
    let n_told = if are_together { 1 } else { laid.values.ncols() };
    let mut stretches = Vec::new();
    for (channel, values) in laid.channels.iter().zip(laid.values.columns()).take(n_told) {
        let mut start = 0;
        for end in 1..=values.len() {
            if end < values.len() && values[end] == values[start] {
                continue;
            }
            let steps = if end - start == 1 {
                format!("step {start}")
            } else {
                format!("steps {start} to {}", end - 1)
            };
            let name = if are_together { steps } else { format!("{channel}, {steps}") };
            stretches.push((name, values[start]));
            start = end;
        }
    }
    Some(stretches)
}

/// The series of one row with what its steps add to one target; `None` where rows are no series, or nothing tells which axis is time.
///
/// # Errors
/// Whatever the drawing reports.
pub fn series_chart(explanation: &Explanation, row: usize, target: usize) -> Result<Option<Chart>, Error> {
    let about = &explanation.about;
    let Some(Laid { data, values, channels }) = Laid::new(explanation, row, target) else { return Ok(None) };
    let channels: Vec<Feature> =
        channels.into_iter().map(|name| Feature { name, ..Feature::default() }).collect();
    let label = explanation.target_label(row, target);
    let output = Output {
        name: label.clone(),
        unit: about.output_space.name().replace('_', " "),
        value_name: format!("{} value", method::title(&about.method)),
    };
    let probability = explanation.target_probability(row, target);
    let probability = probability.map_or_else(String::new, |share| format!(" ({:.1} %)", 100.0 * share));
    let options = Options {
        title: format!("{}: {label}{probability}", method::title(&about.method)),
        caption: parameters_text(explanation),
        max_features: MAX_CHANNELS,
    };
    let asked = Series {
        data: data.view(),
        values: values.view(),
        channels: &channels,
        is_signed: about.signed,
        output: &output,
    };
    Ok(Some(series(&asked, &options)?))
}

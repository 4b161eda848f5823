//! Importances: how much each feature, or group of them, matters, and how sure that is.

use ndarray::ArrayView1;

use crate::chart::Paint;
use crate::number::{Digits, count};
use crate::tabular::bar::{Bar, describe, draw};
use crate::tabular::frame::{Frame, Name};
use crate::tabular::ranking::Ranking;
use crate::tabular::{Options, check_length, check_numbers};
use crate::{Chart, Error};

/// What is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Importances<'a> {
    /// What people call each feature, or group of features.
    pub names: &'a [String],
    /// How much each matters, `[names]`; negative where it rather harms.
    pub values: ArrayView1<'a, f64>,
    /// The ends of an interval around each value.
    pub intervals: &'a [(f64, f64)],
    /// What a value is, such as `growth of the loss`.
    pub value_name: &'a str,
    /// What the reader must know of them; may be empty.
    pub note: &'a str,
}

/// A bar for each value, the largest on top, with a line from end to end of its interval. Those that do not fit are counted.
///
/// # Errors
/// [`Error::Empty`] without names, lists of other lengths, numbers that cannot be drawn.
pub fn importances(importances: &Importances<'_>, options: &Options) -> Result<Chart, Error> {
    let Importances { names, values, intervals, .. } = *importances;
    if names.is_empty() || options.max_features == 0 {
        return Err(Error::Empty { what: "features" });
    }
    check_length("the list of importances", names.len(), values.len())?;
    check_length("the list of intervals", names.len(), intervals.len())?;
    let ends = intervals.iter().flat_map(|&(low, high)| [low, high]);
    let all = values.iter().copied().chain(ends);
    check_numbers("the list of importances", all.clone().enumerate().map(|(index, x)| (vec![index], x)))?;
    let ranking = Ranking::of(&values.to_vec(), options.max_features);
    let largest = all.fold(0.0_f64, |most, x| most.max(x.abs()));
    let digits = Digits::of_span(largest, largest);
    let bar = |&index: &usize| {
        let (value, (low, high)) = (values[index], intervals[index]);
        let [label, low_text, high_text] = [value, low, high].map(|x| digits.write(x));
        Bar {
            name: Name::plain(&names[index]),
            tooltip: format!("{}: {label}, interval {low_text} to {high_text}", names[index]),
            value,
            interval: Some((low, high)),
            label,
            paint: Paint::PaleAccent,
        }
    };
    let bars: Vec<Bar> = ranking.shown.iter().map(bar).collect();
    let mut frame = Frame::new(options);
    frame.note(importances.note);
    if !ranking.rest.is_empty() {
        frame.note(format!("The {} that matter least are left out.", count(ranking.rest.len())));
    }
    draw(&mut frame, &bars, importances.value_name);
    let description = describe(&format!("Bars of the {}", importances.value_name), &bars);
    Ok(frame.finish(options, description))
}

#[cfg(test)]
mod tests {
    use ndarray::Array1;

    use super::*;
    use crate::chart::testing::{check_chart, words};
    use crate::tabular::testing::options;

    fn drawn(values: &[f64], half: f64, max_features: usize) -> Result<Chart, Error> {
        let name =
            |index: usize| format!("feature {index} {}", "and what goes with it ".repeat(5 * (index % 3)));
        let names: Vec<String> = (0..values.len()).map(name).collect();
        let intervals: Vec<(f64, f64)> = values.iter().map(|x| (x - half, x + half)).collect();
        let values = Array1::from(values.to_vec());
        let asked = Importances {
            names: &names,
            values: values.view(),
            intervals: &intervals,
            value_name: "growth of the loss",
            note: "Over 12 rows.",
        };
        importances(&asked, &options(max_features))
    }

    #[test]
    fn importances_are_sound_charts() {
        for half in [0.0, 1e-9, 0.3, 50.0] {
            for values in [&[0.0][..], &[1.0, 2.0, -0.5], &[-1.0, -2.0], &[1e-12, 0.0], &[1e12, 1.0]] {
                for max_features in [1, 20] {
                    check_chart(&drawn(values, half, max_features).unwrap());
                }
            }
        }
        let chart = drawn(&[1.0, 4.0, -0.5], 0.25, 1).unwrap();
        let text = words(&chart);
        assert!(text.contains("feature 1") && text.contains("interval 3.75 to 4.25"), "{text}");
        assert!(text.contains("The 2 that matter least are left out."), "{text}");
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        assert_eq!(drawn(&[], 0.1, 5), Err(Error::Empty { what: "features" }));
        assert!(matches!(drawn(&[f64::NAN], 0.1, 5), Err(Error::NotFinite { .. })));
        assert!(matches!(drawn(&[1.0], f64::INFINITY, 5), Err(Error::NotFinite { .. })));
    }
}

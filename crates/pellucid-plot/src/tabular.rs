//! Explained tables → the charts that people expect of them.
//!
//! Red pushes the output up, blue pushes it down, in every chart. Feature values have a palette of their own, from
//! violet for low to yellow-green for high; gray is a value that is missing or has no order.

mod bar;
mod beeswarm;
mod cluster;
mod cohorts;
mod decision;
mod dependence;
mod effect;
mod feature_color;
mod force;
mod frame;
mod heatmap;
mod importances;
mod interaction_matrix;
mod legend;
mod partner;
mod ranking;
mod series;
#[cfg(test)]
pub(crate) mod testing;
mod waterfall;

use ndarray::{ArrayView1, ArrayView2};

use crate::Error;
use crate::number::feature_value;

pub use crate::number::rows as counted_rows;
pub use bar::{bar, bar_of_row};
pub use beeswarm::beeswarm;
pub use cohorts::{Cohort, cohorts};
pub use decision::decision;
pub use dependence::{Coloring, dependence};
pub use effect::{Effect, EffectLine, effect};
pub use force::force;
pub use heatmap::{RowOrder, heatmap};
pub use importances::{Importances, importances};
pub use interaction_matrix::{Interactions, interaction_matrix, interaction_sizes};
pub use series::{Series, series};
pub use waterfall::waterfall;

/// Attributions of many rows with what the rows hold.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    /// `[rows, features]`, finite: what each feature adds to the output of each row.
    pub values: ArrayView2<'a, f64>,
    /// What the rows hold, `[rows, features]`; NaN is a missing value. `None` if nobody knows any more.
    pub data: Option<ArrayView2<'a, f64>>,
    /// One for each column of `values`.
    pub features: &'a [Feature],
    /// What the values of each row are added to, `[rows]`.
    pub base_values: ArrayView1<'a, f64>,
    /// What the model gave for each row, `[rows]`. `None` to trust that it is base value plus values.
    pub outputs: Option<ArrayView1<'a, f64>>,
    /// What people call each row, such as `row 48`, `[rows]`. `None` to count them from 0.
    pub row_names: Option<&'a [String]>,
    /// What is explained.
    pub output: &'a Output,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Feature {
    /// What people call it.
    pub name: String,
    /// What its numbers count, such as `years`; may be empty.
    pub unit: String,
    /// The names of its categories, which its numbers count from 0; empty for a feature of plain numbers.
    pub categories: Vec<String>,
}

/// The explained output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// What people call it, such as `good credit`; may be empty.
    pub name: String,
    /// Its space or unit, such as `log-odds`, `probability` or `€`; may be empty.
    pub unit: String,
    /// What one number of the table is called, such as `SHAP value`.
    pub value_name: String,
}

/// What a chart shows beside its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// On top; may be empty.
    pub title: String,
    /// Under the chart, after what the chart itself must say; may be empty.
    pub caption: String,
    /// So many features are shown by name, those with the largest values; the rest is shown in sum. At least 1.
    pub max_features: usize,
}

/// Beyond this size, sums over a table's row and the span of an axis may overflow.
const LARGEST: f64 = 1e250;

impl Table<'_> {
    pub(crate) fn n_rows(&self) -> usize {
        self.values.nrows()
    }

    pub(crate) fn n_features(&self) -> usize {
        self.values.ncols()
    }

    /// Base value plus values: the output of `row` as far as it is explained.
    pub(crate) fn explained(&self, row: usize) -> f64 {
        self.base_values[row] + self.values.row(row).sum()
    }

    /// The base value of all rows, where they have one in common.
    pub(crate) fn common_base_value(&self) -> Option<f64> {
        let first = *self.base_values.first()?;
        // Means over the same background, summed in another order, are the same.
        let same = |base_value: &f64| (base_value - first).abs() <= 1e-9 * first.abs();
        self.base_values.iter().all(same).then_some(first)
    }

    /// `row 48`.
    pub(crate) fn row_name(&self, row: usize) -> String {
        self.row_names.map_or_else(|| format!("row {row}"), |names| names[row].clone())
    }

    /// The output of `row`.
    pub(crate) fn output_of(&self, row: usize) -> f64 {
        self.outputs.map_or_else(|| self.explained(row), |outputs| outputs[row])
    }

    /// What `row` holds for `feature`, NaN where that is missing or unknown.
    pub(crate) fn datum(&self, row: usize, feature: usize) -> f64 {
        self.data.map_or(f64::NAN, |data| data[[row, feature]])
    }

    /// What `row` holds for `feature`, as people read it; `None` if nobody knows.
    pub(crate) fn shown(&self, row: usize, feature: usize) -> Option<String> {
        self.data.map(|data| self.features[feature].shown(data[[row, feature]]))
    }

    /// `Age = 44 years`, or the name alone where the value is unknown.
    pub(crate) fn statement(&self, row: usize, feature: usize) -> String {
        let name = &self.features[feature].name;
        self.shown(row, feature).map_or(name.clone(), |value| format!("{name} = {value}"))
    }

    pub(crate) fn check(&self, options: &Options) -> Result<(), Error> {
        let [rows, features] = [self.n_rows(), self.n_features()];
        if rows == 0 || features == 0 {
            return Err(Error::Empty { what: if rows == 0 { "rows" } else { "features" } });
        }
        check_length("the list of features", features, self.features.len())?;
        if let Some(data) = self.data {
            check_length("the axis of data rows", rows, data.nrows())?;
            check_length("the axis of data columns", features, data.ncols())?;
            self.check_categories(data)?;
        }
        if let Some(outputs) = self.outputs {
            check_length("the list of outputs", rows, outputs.len())?;
            check_numbers("the list of outputs", outputs.iter().enumerate().map(|(row, &v)| (vec![row], v)))?;
        }
        check_length("the list of base values", rows, self.base_values.len())?;
        let base_values = self.base_values.iter().enumerate();
        check_numbers("the list of base values", base_values.map(|(row, &v)| (vec![row], v)))?;
        check_length("the list of row names", rows, self.row_names.map_or(rows, <[String]>::len))?;
        let values = self.values.indexed_iter().map(|((row, feature), &v)| ((row, feature), v));
        for ((row, feature), value) in values {
            check_number("the table's values", value, || vec![row, feature])?;
        }
        if options.max_features == 0 {
            return Err(Error::OptionRange { name: "max_features", value: 0.0, expected: "1 or more" });
        }
        Ok(())
    }

    fn check_categories(&self, data: ArrayView2<'_, f64>) -> Result<(), Error> {
        for (feature, column) in self.features.iter().zip(data.columns()) {
            let count = feature.categories.len();
            for (row, &value) in column.iter().enumerate().filter(|_| count > 0) {
                let known = value.is_nan() || value.fract() == 0.0 && (0.0..count as f64).contains(&value);
                if !known {
                    return Err(Error::Category { feature: feature.name.clone(), row, value, count });
                }
            }
        }
        Ok(())
    }

    pub(crate) fn check_row(&self, row: usize) -> Result<(), Error> {
        check_index("row", row, self.n_rows())
    }
}

impl Feature {
    pub(crate) fn is_categorical(&self) -> bool {
        !self.categories.is_empty()
    }

    /// `value` as people read it.
    pub(crate) fn shown(&self, value: f64) -> String {
        if value.is_nan() {
            return "missing".to_owned();
        }
        match self.categories.get(value as usize) {
            Some(category) => category.clone(),
            None if self.unit.is_empty() => feature_value(value),
            None => format!("{} {}", feature_value(value), self.unit),
        }
    }

    /// The name with the unit of its numbers.
    pub(crate) fn name_and_unit(&self) -> String {
        with_unit(&self.name, &self.unit)
    }
}

impl Output {
    /// What the axis of outputs says: `Output: good credit (log-odds)`.
    pub(crate) fn axis_title(&self) -> String {
        let name =
            if self.name.is_empty() { "Model output".to_owned() } else { format!("Output: {}", self.name) };
        with_unit(&name, &self.unit)
    }

    /// What the axis of values says: `SHAP value for good credit (log-odds)`.
    pub(crate) fn value_axis_title(&self, prefix: &str) -> String {
        let subject = if self.name.is_empty() { String::new() } else { format!(" for {}", self.name) };
        with_unit(&format!("{prefix}{}{subject}", self.value_name), &self.unit)
    }
}

fn with_unit(name: &str, unit: &str) -> String {
    if unit.is_empty() { name.to_owned() } else { format!("{name} ({unit})") }
}

pub(crate) fn check_length(what: &'static str, expected: usize, actual: usize) -> Result<(), Error> {
    if expected == actual { Ok(()) } else { Err(Error::Length { what, expected, actual }) }
}

pub(crate) fn check_index(what: &'static str, index: usize, count: usize) -> Result<(), Error> {
    if index < count { Ok(()) } else { Err(Error::Index { what, index, count }) }
}

fn check_numbers(
    what: &'static str,
    numbers: impl IntoIterator<Item = (Vec<usize>, f64)>,
) -> Result<(), Error> {
    numbers.into_iter().try_for_each(|(index, value)| check_number(what, value, || index))
}

pub(crate) fn check_number(
    what: &'static str,
    value: f64,
    index: impl FnOnce() -> Vec<usize>,
) -> Result<(), Error> {
    if !value.is_finite() {
        return Err(Error::NotFinite { what, index: index(), value });
    }
    if value.abs() > LARGEST {
        return Err(Error::TooLarge { what, index: index(), value, limit: LARGEST });
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! What the columns of a table are and may become: names, units, categories, constraints.

use ndarray::{Array1, ArrayView1, ArrayView2, Axis};

use crate::error::Error;

/// What the elements of a row mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// In the order of the row; a one-hot column takes as many elements as it has labels, all others one.
    pub columns: Vec<Column>,
    /// The names of the classes (both, where a model has one output), or of the outputs; empty: they are numbered.
    pub outcome_names: Vec<String>,
}

/// One column, and how a counterfactual may change it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Column {
    /// As in the sentence "Had `name` been …".
    pub name: String,
    /// What stands behind its numbers in the sentence.
    pub unit: Option<String>,
    /// What its values are.
    pub kind: Kind,
    /// It keeps the row's value.
    pub immutable: bool,
    /// The least and the greatest value. Default: from the least to the greatest of the background and the row.
    pub range: Option<(f64, f64)>,
    /// Only one way; categories are compared by code.
    pub direction: Option<Direction>,
    /// The values (codes) that it may have. Default: every category, every number of the range.
    pub allowed: Option<Vec<f64>>,
    /// Where the model may change its mind, such as the split thresholds of trees: values on both sides are tried, and none
    /// between them. Default: values of the background, then bisection.
    pub candidates: Vec<f64>,
    /// The change that counts as 1. Default: the median absolute deviation of the background.
    pub scale: Option<f64>,
}

/// What a column's values are.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Numbers, of as many decimals as given.
    Numeric {
        /// `None`: any number.
        decimals: Option<u32>,
    },
    /// Whole numbers.
    Integer,
    /// Codes of categories: code `i` is `labels[i]`. Without labels, the codes of the background.
    Category {
        /// Names in the order of codes.
        labels: Vec<String>,
    },
    /// Categories as one element each, of which one is 1 and the others are 0; code `i` is `labels[i]`.
    OneHot {
        /// Names in the order of elements.
        labels: Vec<String>,
    },
}

impl Default for Kind {
    fn default() -> Self {
        Self::Numeric { decimals: None }
    }
}

/// Which way a value may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It may only grow.
    Up,
    /// It may only fall.
    Down,
}

impl Column {
    /// A column without constraints.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind, ..Self::default() }
    }

    pub(crate) fn width(&self) -> usize {
        match &self.kind {
            Kind::OneHot { labels } => labels.len(),
            _ => 1,
        }
    }

    pub(super) fn decimals(&self) -> Option<u32> {
        match self.kind {
            Kind::Numeric { decimals } => decimals,
            Kind::Integer => Some(0),
            Kind::Category { .. } | Kind::OneHot { .. } => None,
        }
    }

    pub(crate) fn is_category(&self) -> bool {
        self.labels().is_some()
    }

    pub(crate) fn labels(&self) -> Option<&[String]> {
        match &self.kind {
            Kind::Category { labels } | Kind::OneHot { labels } => Some(labels),
            _ => None,
        }
    }

    /// A value as the sentence has it, with its unit.
    pub(crate) fn text(&self, value: f64) -> String {
        if value.is_nan() {
            return "missing".to_owned();
        }
        if let Some(labels) = self.labels() {
            return labels.get(value as usize).cloned().unwrap_or_else(|| format!("category {value}"));
        }
        let number = match self.decimals() {
            Some(decimals) if (round(value, decimals) - value).abs() < f64::EPSILON * value.abs() => {
                format!("{:.*}", decimals as usize, value)
            }
            _ => number_text(value),
        };
        self.unit.as_ref().map_or_else(|| number.clone(), |unit| format!("{number} {unit}"))
    }

    pub(super) fn fault(&self, reason: impl std::fmt::Display) -> Error {
        Error::setting("columns", format!("column `{}`: {reason}", self.name))
    }

    /// The code or number that stands in `elements`, those of this column in one row.
    fn value(&self, elements: ArrayView1<'_, f64>) -> Result<f64, String> {
        let Kind::OneHot { .. } = self.kind else {
            let value = elements[0];
            return match value.is_infinite() {
                true => Err(format!("{value} is no number")),
                false => self.known(value),
            };
        };
        let hot: Vec<usize> = (0..elements.len()).filter(|&place| elements[place] != 0.0).collect();
        match hot[..] {
            [place] if elements[place] == 1.0 => Ok(place as f64),
            _ => Err(format!("one element of a one-hot group is 1 and the others are 0; here: {elements}")),
        }
    }

    fn known(&self, value: f64) -> Result<f64, String> {
        match self.labels() {
            Some(labels) if !labels.is_empty() && !value.is_nan() => {
                let last = labels.len() - 1;
                match value.fract() == 0.0 && (0.0..=last as f64).contains(&value) {
                    true => Ok(value),
                    false => Err(format!("{value} is an unseen category; codes go from 0 to {last}")),
                }
            }
            _ => Ok(value),
        }
    }
}

impl Table {
    pub(crate) fn width(&self) -> usize {
        self.columns.iter().map(Column::width).sum()
    }

    /// Rows of a model as values of columns, `[rows][columns]`.
    pub(crate) fn decode(&self, rows: ArrayView2<'_, f64>, what: &str) -> Result<Vec<Vec<f64>>, Error> {
        let decode_row = |(index, row): (usize, ArrayView1<'_, f64>)| {
            let mut rest = row;
            let values = self.columns.iter().map(|column| {
                let (elements, others) = rest.split_at(Axis(0), column.width());
                rest = others;
                column.value(elements).map_err(|reason| column.fault(format!("{what} {index}: {reason}")))
            });
            values.collect()
        };
        rows.outer_iter().enumerate().map(decode_row).collect()
    }

    /// Values of columns as a row of the model.
    pub(super) fn encode(&self, values: &[f64]) -> Array1<f64> {
        let mut row = Vec::with_capacity(self.width());
        for (column, &value) in self.columns.iter().zip(values) {
            match &column.kind {
                Kind::OneHot { labels } => {
                    row.extend((0..labels.len()).map(|place| f64::from(u8::from(place as f64 == value))));
                }
                _ => row.push(value),
            }
        }
        Array1::from_vec(row)
    }
}

/// To the nearest number of so many decimals.
pub(super) fn round(value: f64, decimals: u32) -> f64 {
    let power = 10_f64.powi(decimals as i32);
    (value * power).round() / power
}

/// A number for people: whole if it is short, else six significant digits.
pub(crate) fn number_text(value: f64) -> String {
    let whole = format!("{value}");
    if whole.len() <= 8 || value == 0.0 {
        return whole;
    }
    let magnitude = value.abs().log10().floor() as i32;
    match magnitude {
        -4..=14 => {
            let decimals = (5 - magnitude).max(0) as usize;
            let text = format!("{value:.decimals$}");
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            }
        }
        _ => format!("{value:.5e}"),
    }
}

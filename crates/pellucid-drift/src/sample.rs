//! What comes in: explained rows, by column, with how likely each was to be explained and who it belongs to.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::Error;

/// Explained rows, in the order of time: a reference, or a window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// What the explanations have in common: method, parameters, seed policy, model and its version. Only samples of equal keys are compared.
    pub comparability_key: String,
    /// How likely each row was to be explained, in (0, 1]; a row weighs `1/probability`. `None`: all alike.
    pub inclusion_probabilities: Option<Vec<f64>>,
    /// Rows of one group (visit, day, customer) move together and are permuted together. `None`: rows are independent.
    pub groups: Option<Vec<u64>>,
    /// Attributions, a numeric column a feature.
    pub attributions: Vec<Column>,
    /// The model's inputs; may be empty.
    pub inputs: Vec<Column>,
    /// The model's outputs: numbers, or the predicted class; may be empty.
    pub predictions: Vec<Column>,
}

/// A named column, a value a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// The feature's or the output's name, different from all others of its part.
    pub name: String,
    /// A value a row.
    pub values: Values,
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Values {
    /// Numbers. In inputs, what is not finite is missing; elsewhere it is refused.
    Numeric(Vec<f64>),
    /// Categories by name. A missing value is a category of its own, under whatever name the caller gives it.
    Categorical(Vec<String>),
}

/// Which part of a sample something is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The attributions, feature by feature.
    Attribution,
    /// How the features share the sum of |attribution|.
    AttributionShare,
    /// The model's inputs, where they are not missing.
    Input,
    /// Which inputs are missing.
    Missing,
    /// The model's outputs.
    Prediction,
}

impl Column {
    /// A column of numbers.
    pub fn numeric(name: impl Into<String>, values: impl Into<Vec<f64>>) -> Self {
        Self { name: name.into(), values: Values::Numeric(values.into()) }
    }

    /// A column of categories.
    pub fn categorical<T: Into<String>>(
        name: impl Into<String>,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        Self { name: name.into(), values: Values::Categorical(values.into_iter().map(Into::into).collect()) }
    }
}

impl Values {
    /// How many values there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Numeric(values) => values.len(),
            Self::Categorical(values) => values.len(),
        }
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn rows(&self, rows: Range<usize>) -> Self {
        match self {
            Self::Numeric(values) => Self::Numeric(values[rows].to_vec()),
            Self::Categorical(values) => Self::Categorical(values[rows].to_vec()),
        }
    }
}

impl Sample {
    /// How many rows the first column has; 0 without columns.
    pub fn n_rows(&self) -> usize {
        self.columns().next().map_or(0, |(_, column)| column.values.len())
    }

    /// All columns with their parts: attributions, inputs, predictions.
    pub fn columns(&self) -> impl Iterator<Item = (Part, &Column)> {
        let attributions = self.attributions.iter().map(|column| (Part::Attribution, column));
        let inputs = self.inputs.iter().map(|column| (Part::Input, column));
        let predictions = self.predictions.iter().map(|column| (Part::Prediction, column));
        attributions.chain(inputs).chain(predictions)
    }

    /// The sample of these rows alone. Panics where there are fewer rows.
    pub fn rows(&self, rows: Range<usize>) -> Self {
        let columns = |columns: &[Column]| {
            let cut = |column: &Column| Column {
                name: column.name.clone(),
                values: column.values.rows(rows.clone()),
            };
            columns.iter().map(cut).collect()
        };
        Self {
            comparability_key: self.comparability_key.clone(),
            inclusion_probabilities: self
                .inclusion_probabilities
                .as_ref()
                .map(|all| all[rows.clone()].to_vec()),
            groups: self.groups.as_ref().map(|all| all[rows.clone()].to_vec()),
            attributions: columns(&self.attributions),
            inputs: columns(&self.inputs),
            predictions: columns(&self.predictions),
        }
    }

    /// The rows of several samples of the same columns, one after the other.
    pub(crate) fn joined(samples: &[Self]) -> Result<Self, Error> {
        let Some(first) = samples.first() else { return Ok(Self::default()) };
        if samples.iter().any(|sample| sample.groups.is_some() != first.groups.is_some()) {
            return Err(Error::sample(
                "groups",
                "some windows have groups and others none; give all or none",
            ));
        }
        let columns = |of: fn(&Self) -> &Vec<Column>| -> Result<Vec<Column>, Error> {
            of(first).iter().map(|column| joined_column(&column.name, samples.iter().map(of))).collect()
        };
        let is_weighted = samples.iter().any(|sample| sample.inclusion_probabilities.is_some());
        let probabilities = |sample: &Self| match &sample.inclusion_probabilities {
            Some(probabilities) => probabilities.clone(),
            None => vec![1.0; sample.n_rows()],
        };
        Ok(Self {
            comparability_key: first.comparability_key.clone(),
            inclusion_probabilities: is_weighted.then(|| samples.iter().flat_map(probabilities).collect()),
            groups: samples
                .iter()
                .map(|sample| sample.groups.clone())
                .collect::<Option<Vec<_>>>()
                .map(|it| it.concat()),
            attributions: columns(|sample| &sample.attributions)?,
            inputs: columns(|sample| &sample.inputs)?,
            predictions: columns(|sample| &sample.predictions)?,
        })
    }

    /// `1/probability` of each row, 1 where none is told.
    pub fn weights(&self) -> Vec<f64> {
        match &self.inclusion_probabilities {
            Some(probabilities) => probabilities.iter().map(|probability| 1.0 / probability).collect(),
            None => vec![1.0; self.n_rows()],
        }
    }

    /// # Errors
    /// - There is no row or no column, or lists differ in length, or two columns of a part share a name.
    /// - A probability lies outside (0, 1].
    /// - An attribution or a prediction is not finite, or an attribution is no number.
    pub fn check(&self) -> Result<(), Error> {
        let n_rows = self.n_rows();
        if n_rows == 0 {
            return Err(Error::sample("sample", "it has no rows; wait for the first explanation"));
        }
        let lengths = [
            ("inclusion_probabilities", self.inclusion_probabilities.as_ref().map(Vec::len)),
            ("groups", self.groups.as_ref().map(Vec::len)),
        ];
        for (what, length) in lengths {
            check_length(what, length.unwrap_or(n_rows), n_rows)?;
        }
        let improbable = |probability: &&f64| !(**probability > 0.0 && **probability <= 1.0);
        if let Some(probability) = self.inclusion_probabilities.iter().flatten().find(improbable) {
            let reason = format!(
                "{probability} is no probability of being explained; it lies above 0 and at most at 1"
            );
            return Err(Error::sample("inclusion_probabilities", reason));
        }
        let mut seen = std::collections::BTreeSet::new();
        for (part, column) in self.columns() {
            check_length(&column.name, column.values.len(), n_rows)?;
            check_values(part, column)?;
            if !seen.insert((part, &column.name)) {
                return Err(Error::sample(&column.name, "two columns have this name; give each its own"));
            }
        }
        Ok(())
    }
}

/// The column of this name of each list, one after the other.
fn joined_column<'a>(name: &str, lists: impl Iterator<Item = &'a Vec<Column>>) -> Result<Column, Error> {
    let mut joined: Option<Values> = None;
    for list in lists {
        let column = list.iter().find(|column| column.name == name);
        match (&mut joined, column.map(|column| &column.values)) {
            (None, Some(values)) => joined = Some(values.clone()),
            (Some(Values::Numeric(all)), Some(Values::Numeric(more))) => all.extend_from_slice(more),
            (Some(Values::Categorical(all)), Some(Values::Categorical(more))) => all.extend_from_slice(more),
            _ => return Err(Error::sample(name, "windows differ in this column; give all of them the same")),
        }
    }
    let values = joined.ok_or_else(|| Error::sample(name, "no window has this column"))?;
    Ok(Column { name: name.to_owned(), values })
}

fn check_length(what: &str, length: usize, n_rows: usize) -> Result<(), Error> {
    if length == n_rows {
        return Ok(());
    }
    Err(Error::sample(what, format!("{length} values for {n_rows} rows; give one a row")))
}

fn check_values(part: Part, column: &Column) -> Result<(), Error> {
    match (&column.values, part) {
        (Values::Categorical(_), Part::Attribution) => {
            Err(Error::sample(&column.name, "attributions are numbers; pass categories among the inputs"))
        }
        (Values::Numeric(values), Part::Attribution | Part::Prediction) => {
            match values.iter().position(|value| !value.is_finite()) {
                Some(row) => Err(Error::sample(
                    &column.name,
                    format!("row {row} is {}; leave such rows out", values[row]),
                )),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

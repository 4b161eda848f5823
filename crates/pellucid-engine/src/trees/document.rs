//! The explanation of a table → files and JSON.

use serde_json::{Value, json};

use super::explain::TableExplanation;
use super::summary::Summary;
use crate::error::Error;
use crate::explanation::Explanation;
use crate::parameter::Parameter;

/// Tables of more rows are told of in sum.
const MAX_COMPLETE_ROWS: usize = 1000;

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedValue {
    /// The feature, or the features with `×` between them.
    pub name: String,
    /// What the row holds for it, as people read it; empty for several features.
    pub data: String,
    /// Its value.
    pub value: f64,
}

impl TableExplanation {
    /// Whether the explanation holds all rows.
    pub fn is_complete(&self) -> bool {
        self.summary.n_rows <= MAX_COMPLETE_ROWS && self.explanation.n_rows() == self.summary.n_rows
    }

    /// The explanation as a JSON document; of a large table what was found over all rows.
    ///
    /// # Errors
    /// Those of [`Explanation::to_json`].
    pub fn to_json(&self) -> Result<String, Error> {
        if self.is_complete() { self.explanation.to_json() } else { Ok(self.summary_json().to_string()) }
    }

    /// `explanation.json` and the rows that the explanation holds, as `.npz`.
    ///
    /// # Errors
    /// As [`TableExplanation::to_json`].
    pub fn files(&self) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let rows = if self.is_complete() { "explanation.npz" } else { "sample.npz" };
        Ok(vec![
            ("explanation.json".to_owned(), self.to_json()?.into_bytes()),
            (rows.to_owned(), self.explanation.to_npz()?),
        ])
    }

    fn summary_json(&self) -> Value {
        let (about, summary) = (&self.explanation.about, &self.summary);
        let parameters: serde_json::Map<String, Value> =
            about.parameters.iter().map(|(name, value)| (name.clone(), json_of(value))).collect();
        json!({
            "schema": "pellucid.table_summary",
            "schema_version": 1,
            "pellucid_version": about.pellucid_version,
            "complete": false,
            "note": "a large table: the attributions of all rows are in the file `attributions`, and sample.npz is an explanation of some rows, evenly spread",
            "attributions": self.written.iter().map(|path| super::blocks::file_name(path)).collect::<Vec<_>>(),
            "n_rows": summary.n_rows,
            "n_sample_rows": self.explanation.n_rows(),
            "method": about.method,
            "parameters": parameters,
            "seed": about.seed,
            "target": about.target.asked,
            "output_space": about.output_space.name(),
            "model": {
                "name": about.model.name,
                "format": about.model.format,
                "digest": about.model.digest,
                "producer": about.model.producer,
            },
            "feature_names": about.feature_names,
            "feature_sets": about.feature_sets,
            "output_names": about.output_names,
            "mean_absolute_values": nested(summary.mean_sizes.view()),
            "largest_gap": summary.largest_gap.as_ref().map(|gap| json!({
                "place": gap.place,
                "convergence_delta": gap.convergence_delta,
                "share": gap.share,
            })),
            "allowed_gap": summary.allowed_gap,
            "n_gaps_beyond": summary.n_gaps_beyond,
            "warnings": about.warnings,
        })
    }
}

impl Summary {
    /// What does not hold, if something does not: values that do not add up.
    pub fn fault(&self) -> Option<String> {
        let gap = self.largest_gap.as_ref().filter(|_| self.n_gaps_beyond > 0)?;
        Some(format!(
            "values and base value add up to the model's own output; they miss it by {:.1e} of their size at {} \
             (allowed {:.1e}), and in {} rows in all",
            gap.share, gap.place, self.allowed_gap, self.n_gaps_beyond
        ))
    }
}

impl Explanation {
    /// The values of one row of a table, the largest first; both halves of a pair in one.
    pub fn strongest(&self, row: usize, target: usize) -> Vec<NamedValue> {
        let values = self.values_of(row, target);
        let n_features = self.data.shape().last().copied().unwrap_or(0);
        let sets: Vec<(Vec<usize>, f64)> = match (&self.about.feature_sets, values.ndim()) {
            (Some(sets), _) => sets.iter().cloned().zip(values.iter().copied()).collect(),
            (None, 2) => (0..n_features)
                .flat_map(|i| (i..n_features).map(move |j| (i, j)))
                .map(|(i, j)| match i == j {
                    true => (vec![i], values[[i, i]]),
                    false => (vec![i, j], values[[i, j]] + values[[j, i]]),
                })
                .collect(),
            (None, _) => values.iter().enumerate().map(|(i, &value)| (vec![i], value)).collect(),
        };
        let named = |(set, value): (Vec<usize>, f64)| NamedValue {
            name: set.iter().map(|&i| self.feature_name(i)).collect::<Vec<_>>().join(" × "),
            data: if let [feature] = set[..] { self.shown(row, feature) } else { String::new() },
            value,
        };
        let mut named: Vec<NamedValue> = sets.into_iter().map(named).collect();
        named.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()));
        named
    }

    /// The name of a feature of a table.
    pub fn feature_name(&self, feature: usize) -> String {
        let names = self.about.feature_names.as_ref().and_then(|names| names.get(feature).cloned());
        names.unwrap_or_else(|| format!("feature {feature}"))
    }

    /// What a row of a table holds for a feature, as people read it.
    pub(crate) fn shown(&self, row: usize, feature: usize) -> String {
        let value = self.data[[row, feature]];
        let categories = self.about.feature_categories.as_ref().and_then(|lists| lists.get(feature));
        let is_code = value.fract() == 0.0 && value >= 0.0;
        match categories.filter(|_| is_code).and_then(|list| list.get(value as usize)) {
            _ if value.is_nan() => "missing".to_owned(),
            Some(category) => category.clone(),
            None => value.to_string(),
        }
    }
}

pub(crate) fn json_of(value: &Parameter) -> Value {
    match value {
        Parameter::Unset => Value::Null,
        Parameter::Flag(flag) => json!(flag),
        Parameter::Count(count) => json!(count),
        Parameter::Number(number) => json!(number),
        Parameter::Text(text) => json!(text),
    }
}

/// Lists in lists.
pub(crate) fn nested(array: ndarray::ArrayViewD<'_, f64>) -> Value {
    match array.ndim() {
        0 => json!(array.first()),
        _ => array.outer_iter().map(nested).collect(),
    }
}

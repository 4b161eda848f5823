//! Predicted model + rows + method → [`Explanation`].

use ndarray::{Array1, Array2, ArrayD, Axis, Ix2};
use pellucid_agnostic::pairwise_interactions::Interactions;
use pellucid_agnostic::{Estimate, Groups, MaskedRow, predict};
use pellucid_core::{Attribution, OutputSpace, ResolvedTarget, Work, row_digest_f64, top_outputs};

use super::by_crops::{by_crops, of_row};
use super::method::AgnosticMethod;
use super::model::PredictedModel;
use super::pairs::{gap, halved};
use super::rows::PredictedRows;
use crate::digests;
use crate::error::Error;
use crate::explanation::{
    About, ExplainedTarget, Explanation, Prediction, RuntimeUse, targets_last, told_outputs,
};
use crate::output_target::OutputTarget;

/// Outputs of each row that an explanation tells of.
const N_PREDICTIONS: usize = 5;

/// What is asked about some rows.
#[derive(Clone, Debug)]
pub struct AgnosticRequest {
    /// How to explain.
    pub method: AgnosticMethod,
    /// What to explain.
    pub target: OutputTarget,
    /// What random draws are made from; the method holds the same.
    pub seed: u64,
}

/// Explains every row by predictions alone.
///
/// # Errors
/// Whatever model, rows and method report; a result that is not finite.
pub fn explain_predicted(
    model: &PredictedModel<'_>,
    rows: &PredictedRows,
    request: &AgnosticRequest,
    work: &Work,
) -> Result<Explanation, Error> {
    if rows.rows.is_empty() {
        return Err(Error::request("input", "there are no rows"));
    }
    // Predictions at the most: a method that enumerates, or reaches its tolerance, ends earlier.
    work.progress.begin(rows.rows.len_of(Axis(0)) * (1 + request.method.most_predictions(model)));
    let explained = explain_rows(model, rows, request, work);
    work.progress.end();
    let explanation = explained?;
    explanation.check_finite()?;
    Ok(explanation)
}

fn explain_rows(
    model: &PredictedModel<'_>,
    rows: &PredictedRows,
    request: &AgnosticRequest,
    work: &Work,
) -> Result<Explanation, Error> {
    let predictor = model.predictor();
    let outputs = predict(predictor, rows.rows.view(), work)?;
    let resolved = request.target.resolve(outputs.view(), model.source().output_names.as_deref())?;
    let about = about(model, rows, request, work, &outputs, &resolved);
    if let Some((found, groups)) =
        request.method.of_all_rows(model, rows.rows.view(), (&outputs, &resolved), work)?
    {
        let mut parts = Parts::new(outputs.nrows(), resolved.weights.len());
        for row in 0..outputs.nrows() {
            parts.add(row, of_one(&found, row)?, &groups);
        }
        return parts.explanation(about, rows, request.method.is_complete());
    }
    let by_crops = match request.method.crops(model, &rows.rows)? {
        Some((network, options)) => Some(by_crops(network, &rows.rows, &resolved, &options, work)?),
        None => None,
    };
    let mut parts = Parts::new(outputs.nrows(), resolved.weights.len());
    for (index, row) in rows.rows.outer_iter().enumerate() {
        let weights = Array2::from_shape_fn((outputs.ncols(), resolved.weights.len()), |(output, k)| {
            f64::from(resolved.weights[k][[index, output]])
        });
        let groups = request.method.groups(row.view())?;
        let masker = request.method.removal().masker(index, row.view(), &groups)?;
        let game = MaskedRow::new(predictor, &masker, row, weights)?;
        if let Some(found) = request.method.pairs(&game, work)? {
            parts.add_pairs(index, found);
            continue;
        }
        let estimate = match &by_crops {
            Some(found) => of_row(found, index, &game, work)?,
            None => request.method.estimate(&game, work)?,
        };
        parts.add(index, estimate, &groups);
    }
    parts.explanation(about, rows, request.method.is_complete())
}

/// A row's values of an attribution `[rows, targets, groups]`. There is no base value, as nothing is absent.
fn of_one(found: &Attribution, row: usize) -> Result<Estimate, Error> {
    let of_row = |all: &ArrayD<f64>| {
        let values = all.index_axis(Axis(0), row).into_dimensionality::<Ix2>();
        values.map(|values| values.t().to_owned()).map_err(|error| Error::request("input", error.to_string()))
    };
    let outputs = found.outputs.index_axis(Axis(0), row).iter().copied().collect::<Array1<f64>>();
    Ok(Estimate {
        values: of_row(&found.values)?,
        standard_error: found.standard_error.as_ref().map(of_row).transpose()?,
        base_values: Array1::zeros(outputs.len()),
        outputs,
        evaluations: found.evaluations[row],
        warnings: Vec::new(),
    })
}

/// The estimates of the rows, put together. Groups of one element each give values of the row's shape; other groups of flat rows
/// are sets of features; of images and series every element shows its group's value.
struct Parts {
    values: Vec<ArrayD<f64>>,
    errors: Vec<ArrayD<f64>>,
    outputs: Array2<f64>,
    base_values: Array2<f64>,
    gaps: Array2<f64>,
    evaluations: Vec<usize>,
    sets: Option<Vec<Vec<usize>>>,
    warnings: Vec<String>,
}

impl Parts {
    fn new(n_rows: usize, n_targets: usize) -> Self {
        let zeros = Array2::zeros((n_rows, n_targets));
        Self {
            values: Vec::new(),
            errors: Vec::new(),
            outputs: zeros.clone(),
            base_values: zeros.clone(),
            gaps: zeros,
            evaluations: Vec::new(),
            sets: None,
            warnings: Vec::new(),
        }
    }

    fn add(&mut self, row: usize, estimate: Estimate, groups: &Groups) {
        let are_single = groups.n_groups() == groups.of_element().len();
        if groups.of_element().ndim() == 1 && !are_single {
            let mut sets = vec![Vec::new(); groups.n_groups()];
            groups.of_element().iter().enumerate().for_each(|(element, &group)| sets[group].push(element));
            self.sets = Some(sets);
        }
        let shaped = |of_players: &Array2<f64>| {
            let columns = of_players.columns().into_iter().map(|column| match self.sets.is_some() {
                true => column.to_owned().into_dyn(),
                false => groups.spread(column),
            });
            let columns: Vec<ArrayD<f64>> = columns.collect();
            let views: Vec<_> = columns.iter().map(|column| column.view()).collect();
            ndarray::stack(Axis(0), &views).unwrap_or_else(|_| ArrayD::zeros(vec![0]))
        };
        self.values.push(shaped(&estimate.values));
        if let Some(error) = &estimate.standard_error {
            self.errors.push(shaped(error));
        }
        let gap = estimate.values.sum_axis(Axis(0)) - (&estimate.outputs - &estimate.base_values);
        self.outputs.row_mut(row).assign(&estimate.outputs);
        self.base_values.row_mut(row).assign(&estimate.base_values);
        self.gaps.row_mut(row).assign(&gap);
        self.evaluations.push(estimate.evaluations);
        self.warnings.extend(estimate.warnings.into_iter().map(|warning| format!("row {row}: {warning}")));
    }

    fn add_pairs(&mut self, row: usize, found: Interactions) {
        let [values, errors] = halved(&found);
        self.gaps.row_mut(row).assign(&gap(&found, &values));
        self.values.push(values);
        self.errors.push(errors);
        self.outputs.row_mut(row).assign(&found.outputs);
        self.base_values.row_mut(row).assign(&found.base_values);
        self.evaluations.push(found.evaluations);
        self.warnings.extend(found.warnings.into_iter().map(|warning| format!("row {row}: {warning}")));
    }

    fn explanation(
        self,
        mut about: About,
        rows: &PredictedRows,
        is_complete: bool,
    ) -> Result<Explanation, Error> {
        about.feature_sets = self.sets;
        about.warnings.extend(self.warnings);
        let n_rows = rows.rows.len_of(Axis(0));
        let stacked = |parts: &[ArrayD<f64>]| {
            let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
            let stacked = ndarray::stack(Axis(0), &views);
            stacked.map(targets_last).map_err(|error| Error::request("input", error.to_string()))
        };
        Ok(Explanation {
            values: stacked(&self.values)?,
            outputs: targets_last(self.outputs.into_dyn()),
            base_values: is_complete.then(|| targets_last(self.base_values.into_dyn())),
            convergence_delta: is_complete.then(|| targets_last(self.gaps.into_dyn())),
            standard_error: (self.errors.len() == n_rows).then(|| stacked(&self.errors)).transpose()?,
            raw_map: None,
            data: rows.rows.clone(),
            baselines: None,
            evaluations: self.evaluations,
            about,
        })
    }
}

fn about(
    model: &PredictedModel<'_>,
    rows: &PredictedRows,
    request: &AgnosticRequest,
    work: &Work,
    outputs: &Array2<f64>,
    resolved: &ResolvedTarget,
) -> About {
    let source = model.source().clone();
    let inputs = rows.row_sources(source.takes_f32);
    let beside = request.method.takes_of_other_rows().then(|| {
        // Where every row has a part in the values of every other.
        let rows = rows.rows.outer_iter().map(row_digest_f64);
        ("other_rows_digest", digests::of_rows(rows).into())
    });
    let parameters = request.method.parameters().into_iter().chain(source.variant).chain(beside);
    let mut warnings = source.warnings;
    warnings.extend(rows.warnings.iter().cloned());
    warnings.extend(request.method.warnings());
    About {
        method: request.method.name().to_owned(),
        parameters: parameters.map(|(name, value)| (name.to_owned(), value)).collect(),
        seed: request.seed,
        target: ExplainedTarget { asked: request.target.to_string(), indices: resolved.indices.clone() },
        output_space: request.method.space_of_values(source.space),
        output_name: source.output_name,
        feature_names: rows.feature_names.clone(),
        feature_categories: source.feature_categories,
        feature_sets: None,
        other_columns: rows.other_columns.clone(),
        channel_axis: source.channel_axis,
        signed: true,
        predictions: predictions(model, outputs, resolved),
        all_outputs: told_outputs(outputs),
        output_names: source.output_names,
        model: source.model,
        runtime: RuntimeUse {
            fingerprint: source.fingerprint,
            batch_size: work.batch_size,
            max_memory_bytes: work.max_memory_bytes,
        },
        inputs,
        inclusion_probability: 1.0,
        deletion: Vec::new(),
        preprocessing: source.preprocessing,
        warnings,
        pellucid_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// The highest outputs of each row, and the explained ones where they are not among them.
fn predictions(
    model: &PredictedModel<'_>,
    outputs: &Array2<f64>,
    resolved: &ResolvedTarget,
) -> Vec<Vec<Prediction>> {
    let labels = model.source().output_names.as_deref();
    let probabilities = match model.source().space {
        OutputSpace::Probability => Some(outputs.clone()),
        _ => model.classifier.map(|network| network.probabilities(outputs)),
    };
    let of_row = |row: usize| {
        let mut indices = top_outputs(outputs.row(row), N_PREDICTIONS);
        let explained = resolved.indices.as_ref().map_or(&[][..], |indices| &indices[row]);
        for index in explained {
            if !indices.contains(index) {
                indices.push(*index);
            }
        }
        let prediction = |index: usize| Prediction {
            index,
            label: labels.and_then(|labels| labels.get(index).cloned()),
            output: outputs[[row, index]],
            probability: probabilities.as_ref().map(|probabilities| probabilities[[row, index]]),
        };
        indices.into_iter().map(prediction).collect()
    };
    (0..outputs.nrows()).map(of_row).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use ndarray::{ArrayViewD, array};

    use super::*;
    use crate::agnostic::{AgnosticOptions, FunctionInfo};

    const N_SAMPLES: usize = 12;

    /// `x₀ · x₁ + 3 x₂` of two rows, by permutation; and how many rows it was asked about.
    fn permuted(rows: ArrayD<f64>) -> (Explanation, usize) {
        let n_asked = AtomicUsize::new(0);
        let predict = |rows: ArrayViewD<'_, f64>| {
            n_asked.fetch_add(rows.len_of(Axis(0)), Ordering::Relaxed);
            let of_row = |row: ArrayViewD<'_, f64>| row[0] * row[1] + 3.0 * row[2];
            Ok(rows.outer_iter().map(of_row).collect::<Array1<f64>>().insert_axis(Axis(1)))
        };
        let info = FunctionInfo {
            name: "f".to_owned(),
            producer: String::new(),
            fingerprint: String::new(),
            row_shape: vec![3],
            n_outputs: 1,
            output_names: None,
        };
        let model = PredictedModel::of_function(info, predict);
        let options = AgnosticOptions { n_samples: Some(N_SAMPLES), ..AgnosticOptions::default() };
        let none = |_: &[std::path::PathBuf]| Err(Error::request("background", "none"));
        let method =
            AgnosticMethod::new("feature_permutation", &options, &model, 0, None, none).expect("a method");
        let request = AgnosticRequest { method, target: OutputTarget::All, seed: 0 };
        let rows = PredictedRows::from_rows(rows, None);
        let explanation = explain_predicted(&model, &rows, &request, &Work::default()).expect("values");
        drop(model);
        (explanation, n_asked.into_inner())
    }

    /// A permutation of two rows swaps them or not: a value is the share of swaps times what the swap costs.
    #[test]
    fn permuted_features_cost_what_the_other_row_has() {
        let rows = array![[1.0, 2.0, 5.0], [4.0, 3.0, 7.0]].into_dyn();
        let (explanation, n_asked) = permuted(rows.clone());
        // The rows themselves once, and all rows for each permutation of each feature.
        assert_eq!(n_asked, 2 + 2 * 3 * N_SAMPLES);
        assert_eq!(explanation.evaluations, [1 + 3 * N_SAMPLES; 2]);
        assert!(explanation.base_values.is_none() && explanation.convergence_delta.is_none());
        let f = |row: [f64; 3]| row[0] * row[1] + 3.0 * row[2];
        for feature in 0..3 {
            let cost = |row: usize| {
                let own = [0, 1, 2].map(|of| rows[[row, of]]);
                let mut other = own;
                other[feature] = rows[[1 - row, feature]];
                f(own) - f(other)
            };
            let shares = [0, 1].map(|row| explanation.values[[row, feature]] / cost(row));
            assert!((shares[0] - shares[1]).abs() < 1e-12 && (0.0..=1.0).contains(&shares[0]), "{shares:?}");
            let n_swaps = shares[0] * N_SAMPLES as f64;
            assert!((n_swaps - n_swaps.round()).abs() < 1e-9 && n_swaps > 0.0, "{n_swaps}");
        }
    }

    #[test]
    fn what_stands_beside_a_row_is_told_by_its_digest() {
        let digest = |other: f64| {
            let (explanation, _) = permuted(array![[1.0, 2.0, 5.0], [4.0, 3.0, other]].into_dyn());
            explanation.about.parameters["other_rows_digest"].to_string()
        };
        assert_eq!(digest(7.0), digest(7.0));
        assert_ne!(digest(7.0), digest(8.0));
    }
}

//! A method made ready for a model: blocks of rows → attributions of all outputs.

use std::collections::BTreeSet;

use ndarray::{Array2, ArrayD, IxDyn};
use pellucid_core::{Attribution, Work};
use pellucid_trees::output_space::{self, interventional_in_space};
use pellucid_trees::{Interventional, PathDependent, Rows, Tree, TreeEnsemble, interactions, saabas};

use super::background::TableRows;
use super::blocks::rows_within;
use super::method::{Measure, Removal, TreeMethod};
use super::model::TreeModel;
use crate::error::Error;

/// Rows that are explained at a time where each takes long, so that progress shows.
const SLOW_ROWS: usize = 64;

pub(crate) struct Explainer<'a> {
    ensemble: &'a TreeEnsemble,
    kind: Kind<'a>,
}

enum Kind<'a> {
    PathDependent {
        prepared: Box<PathDependent<'a>>,
        measure: Measure,
    },
    Interventional {
        prepared: Box<Interventional<'a>>,
        measure: Measure,
    },
    Saabas,
    Sets(&'a TreeMethod),
    /// Some rows may have to be estimated where `may_draw`.
    InSpace {
        background: &'a TableRows,
        options: output_space::Options,
        may_draw: bool,
    },
}

/// An attribution of all outputs.
pub(crate) struct BlockAttribution {
    pub(crate) attribution: Attribution,
    /// `[rows, outputs]`.
    pub(crate) margins: Array2<f64>,
    /// For values of sets, the sets of features.
    pub(crate) sets: Option<Vec<Vec<u32>>>,
}

impl<'a> Explainer<'a> {
    /// Makes a method ready; `seed` is what random draws are made from.
    pub(crate) fn new(
        model: &'a TreeModel,
        method: &'a TreeMethod,
        seed: u64,
        work: &Work,
    ) -> Result<Self, Error> {
        let recounted = match &method.removal {
            Removal::PathDependent(Some(recounted)) => Some(&recounted.ensemble),
            _ => None,
        };
        let ensemble = recounted.unwrap_or(model.ensemble());
        let kind = match (method.measure, &method.removal, &method.linked) {
            (Measure::Sets { .. }, ..) => Kind::Sets(method),
            (Measure::Saabas, ..) => Kind::Saabas,
            (_, Removal::Interventional(background), Some(linked)) => {
                let options = output_space::Options {
                    space: method.space,
                    labels: None,
                    max_exact_features: linked.max_exact_features,
                    n_permutations: linked.n_permutations,
                    seed,
                };
                let may_draw = n_used_features(ensemble) > linked.max_exact_features;
                Kind::InSpace { background: &background.rows, options, may_draw }
            }
            (measure, Removal::Interventional(background), None) => {
                let prepared = Interventional::new(ensemble, background.rows.view(), work)?;
                Kind::Interventional { prepared: Box::new(prepared), measure }
            }
            (measure, Removal::PathDependent(_), _) => {
                let prepared = match measure {
                    Measure::Pairs => PathDependent::interactions(ensemble)?,
                    Measure::Banzhaf => PathDependent::banzhaf(ensemble)?,
                    _ if recounted.is_none() => model.path_dependent()?,
                    _ => PathDependent::new(ensemble)?,
                };
                Kind::PathDependent { prepared: Box::new(prepared), measure }
            }
        };
        Ok(Self { ensemble, kind })
    }

    /// The attribution of some rows, values `[rows, outputs, …]`; `labels` are the rows' classes, for the log-loss.
    pub(crate) fn explain(
        &self,
        rows: Rows<'_>,
        labels: Option<Vec<usize>>,
        work: &Work,
    ) -> Result<BlockAttribution, Error> {
        let attribution = match &self.kind {
            Kind::PathDependent { prepared, measure } => self.path_dependent(prepared, *measure, rows)?,
            Kind::Interventional { prepared, measure } => match measure {
                Measure::Pairs => prepared.interactions(rows, work)?,
                Measure::Banzhaf => prepared.banzhaf(rows, work)?,
                _ => prepared.explain(rows, work)?,
            },
            Kind::Saabas => saabas(self.ensemble, rows, work)?,
            Kind::Sets(method) => return self.sets(method, rows, work),
            Kind::InSpace { background, options, may_draw } => {
                let options = output_space::Options { labels, ..options.clone() };
                let background = background.view();
                let mut made =
                    interventional_in_space(self.ensemble, rows, background, None, &options, work)?;
                if *may_draw && made.standard_error.is_none() {
                    made.standard_error = Some(ArrayD::zeros(made.values.raw_dim()));
                }
                let margins = self.ensemble.margins(rows)?;
                return Ok(BlockAttribution { attribution: made, margins, sets: None });
            }
        };
        let margins = of_outputs(&attribution.outputs)?;
        Ok(BlockAttribution { attribution, margins, sets: None })
    }

    fn path_dependent(
        &self,
        prepared: &PathDependent<'_>,
        measure: Measure,
        rows: Rows<'_>,
    ) -> Result<Attribution, Error> {
        let (n_rows, n_outputs, n_features) =
            (rows.n_rows(), self.ensemble.n_outputs(), self.ensemble.n_features);
        let mut values = vec![0.0; n_rows * prepared.n_values()];
        prepared.explain_block(rows, 0..n_rows, &mut values)?;
        let pairs = (measure == Measure::Pairs).then_some(n_features);
        let shape: Vec<usize> = [n_rows, n_outputs, n_features].into_iter().chain(pairs).collect();
        let values = ArrayD::from_shape_vec(IxDyn(&shape), values)
            .map_err(|error| Error::request("method", error.to_string()))?;
        let attribution = Attribution::new(values, self.ensemble.margins(rows)?.into_dyn());
        let base_values = repeated(prepared.base_values(), n_rows);
        Ok(match measure {
            Measure::Banzhaf => Attribution { base_values: Some(base_values), ..attribution },
            _ => attribution.with_base_values(base_values),
        })
    }

    fn sets(&self, method: &TreeMethod, rows: Rows<'_>, work: &Work) -> Result<BlockAttribution, Error> {
        let Measure::Sets { index, max_order } = method.measure else {
            return Err(Error::request("method", "has no sets of features"));
        };
        let removal = match &method.removal {
            Removal::PathDependent(_) => pellucid_trees::Removal::PathDependent,
            Removal::Interventional(background) => {
                pellucid_trees::Removal::Interventional(background.rows.view())
            }
        };
        let found = interactions(self.ensemble, rows, removal, index, max_order, work)?;
        let (n_rows, margins) = (found.outputs.nrows(), found.outputs.clone());
        let mut attribution = Attribution::new(found.values.into_dyn(), found.outputs.into_dyn());
        attribution.base_values = Some(repeated(&found.base_values, n_rows));
        attribution.convergence_delta = found.convergence_delta.map(Array2::into_dyn);
        Ok(BlockAttribution { attribution, margins, sets: Some(found.sets) })
    }
}

/// How many rows are to be explained at a time, so that they and all that is made of them take a quarter of the memory.
pub(crate) fn rows_at_once(ensemble: &TreeEnsemble, method: &TreeMethod, work: &Work) -> usize {
    let n_rows = rows_within(work.max_memory_bytes / 4, bytes_of_row(ensemble, method));
    if method.linked.is_some() { n_rows.min(SLOW_ROWS) } else { n_rows }
}

/// What a row takes: itself and the values of all outputs, of the targets, and as a line of a file.
pub(crate) fn bytes_of_row(ensemble: &TreeEnsemble, method: &TreeMethod) -> usize {
    let n_features = ensemble.n_features;
    let n_values = match method.measure {
        Measure::Pairs => n_features.saturating_mul(n_features),
        Measure::Sets { max_order, .. } => n_sets(n_used_features(ensemble), max_order),
        _ => n_features,
    };
    n_values.saturating_mul(3 * ensemble.n_outputs()).saturating_add(n_features).saturating_mul(8)
}

fn of_outputs(outputs: &ArrayD<f64>) -> Result<Array2<f64>, Error> {
    outputs.clone().into_dimensionality().map_err(|error| Error::request("method", error.to_string()))
}

/// Features that some split tests.
fn n_used_features(ensemble: &TreeEnsemble) -> usize {
    let features = ensemble.trees.iter().flat_map(Tree::splits).map(|split| split.feature);
    features.collect::<BTreeSet<_>>().len()
}

/// Sets of 1 to `max_order` of `n` features.
fn n_sets(n: usize, max_order: usize) -> usize {
    let next = |(sets, all): (usize, usize), order: usize| {
        let sets = sets.saturating_mul(n.saturating_sub(order)) / (order + 1);
        (sets, all.saturating_add(sets))
    };
    (0..max_order.min(n)).fold((1, 0), next).1
}

/// The same base values for each row, `[rows, outputs]`.
fn repeated(base_values: &[f64], n_rows: usize) -> ArrayD<f64> {
    Array2::from_shape_fn((n_rows, base_values.len()), |(_, output)| base_values[output]).into_dyn()
}

#[cfg(test)]
mod tests {
    use super::n_sets;

    #[test]
    fn sets_are_counted() {
        assert_eq!([n_sets(5, 1), n_sets(5, 2), n_sets(5, 3), n_sets(2, 3)], [5, 15, 25, 3]);
        assert_eq!(n_sets(0, 2), 0);
    }
}

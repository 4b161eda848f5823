//! A method made ready for a model: blocks of rows → attributions of all outputs.

use ndarray::{Array2, ArrayD, ArrayView2, IxDyn};
use pellucid_core::{Attribution, Work};
use pellucid_trees::{Interventional, PathDependent, Rows, TreeEnsemble, interactions, saabas};

use super::method::{Measure, Removal, TreeMethod};
use crate::error::Error;

pub(crate) struct Explainer<'a> {
    ensemble: &'a TreeEnsemble,
    kind: Kind<'a>,
}

enum Kind<'a> {
    PathDependent { prepared: Box<PathDependent<'a>>, measure: Measure },
    Interventional { prepared: Box<Interventional<'a>>, measure: Measure },
    Saabas,
    Sets(&'a TreeMethod),
}

/// An attribution of all outputs.
pub(crate) struct BlockAttribution {
    pub(crate) attribution: Attribution,
    /// For values of sets, the sets of features.
    pub(crate) sets: Option<Vec<Vec<u32>>>,
}

impl<'a> Explainer<'a> {
    pub(crate) fn new(
        ensemble: &'a TreeEnsemble,
        method: &'a TreeMethod,
        work: &Work,
    ) -> Result<Self, Error> {
        let kind = match (method.measure, &method.removal) {
            (Measure::Sets { .. }, _) => Kind::Sets(method),
            (Measure::Saabas, _) => Kind::Saabas,
            (measure, Removal::Interventional { background, .. }) => {
                let prepared = Interventional::new(ensemble, Rows::F64(background.view()), work)?;
                Kind::Interventional { prepared: Box::new(prepared), measure }
            }
            (measure, Removal::PathDependent) => {
                let prepared = match measure {
                    Measure::Pairs => PathDependent::interactions(ensemble)?,
                    Measure::Banzhaf => PathDependent::banzhaf(ensemble)?,
                    _ => PathDependent::new(ensemble)?,
                };
                Kind::PathDependent { prepared: Box::new(prepared), measure }
            }
        };
        Ok(Self { ensemble, kind })
    }

    /// The attribution of some rows, values `[rows, outputs, …]`.
    pub(crate) fn explain(&self, rows: ArrayView2<'_, f64>, work: &Work) -> Result<BlockAttribution, Error> {
        let tree_rows = Rows::F64(rows);
        let attribution = match &self.kind {
            Kind::PathDependent { prepared, measure } => self.path_dependent(prepared, *measure, rows)?,
            Kind::Interventional { prepared, measure } => match measure {
                Measure::Pairs => prepared.interactions(tree_rows, work)?,
                Measure::Banzhaf => prepared.banzhaf(tree_rows, work)?,
                _ => prepared.explain(tree_rows, work)?,
            },
            Kind::Saabas => saabas(self.ensemble, tree_rows, work)?,
            Kind::Sets(method) => return self.sets(method, tree_rows, work),
        };
        Ok(BlockAttribution { attribution, sets: None })
    }

    fn path_dependent(
        &self,
        prepared: &PathDependent<'_>,
        measure: Measure,
        rows: ArrayView2<'_, f64>,
    ) -> Result<Attribution, Error> {
        let (n_rows, n_outputs, n_features) =
            (rows.nrows(), self.ensemble.n_outputs(), self.ensemble.n_features);
        let mut values = vec![0.0; n_rows * prepared.n_values()];
        prepared.explain_block(Rows::F64(rows), 0..n_rows, &mut values)?;
        let pairs = (measure == Measure::Pairs).then_some(n_features);
        let shape: Vec<usize> = [n_rows, n_outputs, n_features].into_iter().chain(pairs).collect();
        let values = ArrayD::from_shape_vec(IxDyn(&shape), values)
            .map_err(|error| Error::request("method", error.to_string()))?;
        let attribution = Attribution::new(values, self.ensemble.margins(Rows::F64(rows))?.into_dyn());
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
            Removal::PathDependent => pellucid_trees::Removal::PathDependent,
            Removal::Interventional { background, .. } => {
                pellucid_trees::Removal::Interventional(Rows::F64(background.view()))
            }
        };
        let found = interactions(self.ensemble, rows, removal, index, max_order, work)?;
        let n_rows = found.outputs.nrows();
        let mut attribution = Attribution::new(found.values.into_dyn(), found.outputs.into_dyn());
        attribution.base_values = Some(repeated(&found.base_values, n_rows));
        attribution.convergence_delta = found.convergence_delta.map(Array2::into_dyn);
        Ok(BlockAttribution { attribution, sets: Some(found.sets) })
    }
}

/// The same base values for each row, `[rows, outputs]`.
fn repeated(base_values: &[f64], n_rows: usize) -> ArrayD<f64> {
    Array2::from_shape_fn((n_rows, base_values.len()), |(_, output)| base_values[output]).into_dyn()
}

//! Effects of trees without a question about every row and value: exact, and much faster.

use std::path::PathBuf;

use ndarray::{Array2, Ix2};
use pellucid_core::{OutputSpace, Work};
use pellucid_trees::Rows;
use pellucid_trees::dependence::{Options, dependence};

use super::grid::{Values, grid};
use super::{
    CONFIDENCE, EffectCurves, EffectFeature, EffectKind, EffectRequest, EffectTable, check, n_points, places,
    twice,
};
use crate::agnostic::{PredictedModel, PredictedRows};
use crate::error::Error;
use crate::explanation::ModelSource;
use crate::parameter::Parameter;
use crate::trees::{Beside, TableRows, TreeModel, WholeTable, all_rows};

use super::dependence::{parameters, spread, warning_of_curves};

impl EffectRequest {
    /// Whether trees answer it by themselves: dependences whose spread over rows is not asked for.
    fn is_quick(&self) -> bool {
        self.kind != EffectKind::Ale && self.confidence.is_none()
    }
}

/// How the outputs of trees follow the asked features over all rows of some tables; exact.
///
/// # Errors
/// Tables that cannot be read or do not fit, and those of [`super::effects`].
pub fn effects_of_tables(
    model: &TreeModel,
    space: OutputSpace,
    inputs: &[PathBuf],
    array: Option<&str>,
    request: &EffectRequest,
    work: &Work,
) -> Result<EffectTable, Error> {
    check(request)?;
    match request.is_quick() {
        true => dependences(model, space, all_rows(model, inputs, array, Beside::default())?, request, work),
        false => {
            let rows = PredictedRows::of_trees(model, inputs, array, &[])?;
            super::effects(&PredictedModel::of_trees(model, Some(space))?, &rows, request, work)
        }
    }
}

/// The same of rows in memory.
///
/// # Errors
/// As [`super::effects`].
pub fn effects_of_tree_rows(
    model: &TreeModel,
    space: Option<OutputSpace>,
    rows: &PredictedRows,
    request: &EffectRequest,
    work: &Work,
) -> Result<EffectTable, Error> {
    check(request)?;
    let predicted = PredictedModel::of_trees(model, space)?;
    if !request.is_quick() {
        return super::effects(&predicted, rows, request, work);
    }
    let space = predicted.source().space;
    let table = rows.rows.clone().into_dimensionality::<Ix2>();
    let table = table.map_err(|_| Error::request("input", "trees take tables"))?;
    let table = WholeTable {
        feature_names: rows.names_of_columns(),
        rows: TableRows::Dense(table),
        kept: Vec::new(),
        warnings: rows.warnings.clone(),
    };
    dependences(model, space, table, request, work)
}

fn dependences(
    model: &TreeModel,
    space: OutputSpace,
    table: WholeTable,
    request: &EffectRequest,
    work: &Work,
) -> Result<EffectTable, Error> {
    let places = places(&table.feature_names, "feature", &request.features)?;
    twice(&request.features, &places)?;
    let named = self::places(&table.feature_names, "categorical", &request.categorical)?;
    let feature = |&place: &usize| feature(model, &table, place, named.contains(&place));
    let features: Vec<EffectFeature> = places.iter().map(feature).collect();
    features.iter().try_for_each(EffectFeature::check)?;
    let values: Vec<Values<'_>> = features.iter().map(Values::of).collect();
    let (n_points, n_rows) = (n_points(request), table.rows.n_rows());
    let grid = grid(&values, n_points);
    // Where no link stands between, the margin is found without a curve of each row.
    let asked = if space == model.space() { OutputSpace::Margin } else { space };
    let options = Options { space: asked, individual: false };
    let ask = |rows: Rows<'_>, options: &Options| {
        dependence(model.ensemble(), rows, None, &places, grid.view(), options, work)
    };
    let mean = ask(table.rows.view(), &options)?.mean;
    let mut warnings = model.ensemble().provenance.warnings.clone();
    warnings.extend(table.warnings);
    let mut curves = None;
    if request.kind == EffectKind::Ice {
        let rows = spread(request, n_rows);
        let picked = picked(model, &table.rows, &rows);
        let found = ask(Rows::F64(picked.view()), &Options { individual: true, ..options })?;
        warnings.extend(warning_of_curves(rows.len(), n_rows));
        curves = found.individual.map(|values| EffectCurves { rows, values });
    }
    let parameters: Vec<(&str, Parameter)> = parameters(request, n_points, n_rows);
    let mut effect = EffectTable {
        kind: request.kind,
        parameters,
        model: ModelSource::of_trees(model),
        features,
        output_space: space,
        outputs: (0..model.ensemble().n_outputs()).map(|index| model.output_label(index)).collect(),
        grid,
        mean,
        standard_error: None,
        confidence: CONFIDENCE,
        curves,
        rows_in_bins: None,
        n_rows,
        warnings,
    };
    if request.centered {
        effect.center();
    }
    Ok(effect)
}

fn feature(model: &TreeModel, table: &WholeTable, place: usize, is_named: bool) -> EffectFeature {
    let lists = model.ensemble().categories.as_ref();
    let categories = lists.and_then(|lists| lists.get(place).cloned()).unwrap_or_default();
    let is_known =
        |x: f64| categories.is_empty() || (x.fract() == 0.0 && (0.0..categories.len() as f64).contains(&x));
    // What is none of the named categories is missing for the model.
    let data = column(model, &table.rows, place).into_iter().map(|x| if is_known(x) { x } else { f64::NAN });
    EffectFeature {
        name: table.feature_names[place].clone(),
        data: data.collect(),
        is_categorical: is_named || !categories.is_empty() || model.is_cut_by_sets(place),
        categories,
    }
}

fn column(model: &TreeModel, rows: &TableRows, place: usize) -> Vec<f64> {
    match rows {
        TableRows::Dense(rows) => rows.column(place).to_vec(),
        TableRows::Sparse(_) => {
            let mut row = vec![0.0; model.ensemble().n_features];
            let mut at = |index: usize| {
                rows.view().fill(index, model.ensemble(), &mut row);
                row[place]
            };
            (0..rows.n_rows()).map(&mut at).collect()
        }
    }
}

/// Some rows as the model takes them.
fn picked(model: &TreeModel, rows: &TableRows, indices: &[usize]) -> Array2<f64> {
    let n_features = model.ensemble().n_features;
    let mut picked = Array2::zeros((indices.len(), n_features));
    let mut row = vec![0.0; n_features];
    for (&index, mut to) in indices.iter().zip(picked.rows_mut()) {
        rows.view().fill(index, model.ensemble(), &mut row);
        to.iter_mut().zip(&row).for_each(|(to, &x)| *to = x);
    }
    picked
}

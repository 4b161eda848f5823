//! Partial dependence and curves of single rows, by predictions.

use ndarray::{Array2, Axis};
use pellucid_agnostic::effects::partial_dependence::{Options, partial_dependence};
use pellucid_core::Work;

use super::grid::{Values, grid};
use super::{AskedTable, EffectCurves, EffectKind, EffectRequest, EffectTable, N_CURVES, n_points};
use crate::error::Error;
use crate::parameter::Parameter;

pub(super) fn dependences(
    asked: &AskedTable<'_>,
    request: &EffectRequest,
    work: &Work,
) -> Result<EffectTable, Error> {
    let values: Vec<Values<'_>> = asked.features.iter().map(Values::of).collect();
    let (n_points, n_rows) = (n_points(request), asked.rows.nrows());
    let grid = grid(&values, n_points);
    let rows = filled(asked, &grid);
    let options = Options { individual: false, centered: request.centered };
    let picked = if request.kind == EffectKind::Ice { spread(request, n_rows) } else { Vec::new() };
    work.progress.begin(grid.nrows() * (n_rows + picked.len()));
    let ask = |rows: &Array2<f64>, options: &Options| {
        let predictor = asked.model.predictor();
        partial_dependence(predictor, rows.view(), &asked.places, grid.clone(), options, work)
    };
    let found = ask(&rows, &options).and_then(|mean| match picked.is_empty() {
        true => Ok((mean, None)),
        false => {
            let of_picked = rows.select(Axis(0), &picked);
            ask(&of_picked, &Options { individual: true, ..options })
                .map(|of_rows| (mean, of_rows.individual))
        }
    });
    work.progress.end();
    let (mean, individual) = found?;
    let mut effect = asked.told(request);
    effect.warnings.extend(individual.as_ref().and_then(|_| warning_of_curves(picked.len(), n_rows)));
    effect.curves = individual.map(|values| EffectCurves { rows: picked, values });
    effect.parameters = parameters(request, n_points, n_rows);
    effect.standard_error = (n_rows > 1).then_some(mean.standard_error);
    (effect.grid, effect.mean) = (mean.grid, mean.mean);
    Ok(effect)
}

/// The rows with something in the place of missing values, which the points of the grid are put over.
fn filled(asked: &AskedTable<'_>, grid: &Array2<f64>) -> Array2<f64> {
    let mut rows = asked.rows.to_owned();
    for (&place, &value) in asked.places.iter().zip(grid.row(0)) {
        rows.column_mut(place).mapv_inplace(|x| if x.is_nan() { value } else { x });
    }
    rows
}

/// Rows that get a curve, evenly spread.
pub(super) fn spread(request: &EffectRequest, n_rows: usize) -> Vec<usize> {
    let n = n_curves(request, n_rows);
    (0..n).map(|index| index * n_rows / n.max(1)).collect()
}

fn n_curves(request: &EffectRequest, n_rows: usize) -> usize {
    request.n_curves.unwrap_or(N_CURVES).min(n_rows)
}

pub(super) fn warning_of_curves(n_curves: usize, n_rows: usize) -> Option<String> {
    (n_curves < n_rows).then(|| format!("the curves are those of {n_curves} of {n_rows} rows, evenly spread"))
}

pub(super) fn parameters(
    request: &EffectRequest,
    n_points: usize,
    n_rows: usize,
) -> Vec<(&'static str, Parameter)> {
    let mut parameters: Vec<(&str, Parameter)> =
        vec![("n_points", n_points.into()), ("centered", request.centered.into())];
    if request.kind == EffectKind::Ice {
        parameters.push(("n_curves", n_curves(request, n_rows).into()));
    }
    parameters
}

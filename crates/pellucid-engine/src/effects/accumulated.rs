//! Accumulated local effects of one feature, or of a pair.

use ndarray::{Array2, Axis};
use pellucid_agnostic::effects::Levels;
use pellucid_agnostic::effects::accumulated::{Options, accumulated, accumulated_pair};
use pellucid_core::Work;

use super::{AskedTable, EffectFeature, EffectRequest, EffectTable, n_points};
use crate::error::Error;

pub(super) fn accumulated_effects(
    asked: &AskedTable<'_>,
    request: &EffectRequest,
    work: &Work,
) -> Result<EffectTable, Error> {
    asked.features.iter().try_for_each(known_codes)?;
    let rows = with_values(asked);
    let n_points = n_points(request);
    let options = Options { n_bins: n_points - 1, order: None };
    let mut effect = asked.told(request);
    effect.parameters = vec![("n_points", n_points.into())];
    if rows.nrows() < asked.rows.nrows() {
        let n = asked.rows.nrows() - rows.nrows();
        let names: Vec<&str> = asked.features.iter().map(|feature| feature.name.as_str()).collect();
        let have = if n == 1 { "row has" } else { "rows have" };
        effect.warnings.push(format!(
            "{n} {have} no value of {}, and so no place among the others: left out",
            names.join(" or ")
        ));
    }
    effect.n_rows = rows.nrows();
    let predictor = asked.model.predictor();
    match (&asked.places[..], &asked.features[..]) {
        (&[place], [feature]) => {
            let levels = if feature.is_categorical { Levels::Categorical } else { Levels::Numeric };
            // All rows are asked about at either edge of their bin; of categories, where they are too.
            work.progress.begin(rows.nrows() * if feature.is_categorical { 3 } else { 2 });
            let found = accumulated(predictor, rows.view(), place, levels, &options, work);
            work.progress.end();
            let found = found?;
            effect.grid = Array2::from_shape_fn((found.points.len(), 1), |(point, _)| found.points[point]);
            (effect.mean, effect.standard_error) = (found.effect, Some(found.standard_error));
            effect.rows_in_bins = Some(ndarray::Array1::from(found.n_rows).into_dyn());
        }
        (&[first, second], [_, _]) => {
            if let Some(feature) = asked.features.iter().find(|feature| feature.is_categorical) {
                let reason = format!("`{}` has categories; ale of two features is of numbers", feature.name);
                return Err(Error::request("feature", reason));
            }
            work.progress.begin(4 * rows.nrows());
            let found = accumulated_pair(predictor, rows.view(), [first, second], &options, work);
            work.progress.end();
            let found = found?;
            let (n, m, n_outputs) = found.effect.dim();
            effect.grid = Array2::from_shape_fn((n * m, 2), |(point, feature)| {
                found.points[feature][if feature == 0 { point / m } else { point % m }]
            });
            effect.mean = Array2::from_shape_fn((n * m, n_outputs), |(point, output)| {
                found.effect[[point / m, point % m, output]]
            });
            effect.standard_error = found.standard_error.map(|errors| {
                Array2::from_shape_fn((n * m, n_outputs), |(point, output)| {
                    errors[[point / m, point % m, output]]
                })
            });
            let n_empty = found.n_rows.iter().filter(|&&n| n == 0).count();
            if n_empty > 0 {
                effect.warnings.push(format!(
                    "{n_empty} of {} cells hold no rows; the change of the nearest cell with some stands there",
                    found.n_rows.len()
                ));
            }
            effect.rows_in_bins = Some(found.n_rows.into_dyn());
        }
        _ => return Err(Error::request("feature", "name one or two")),
    }
    Ok(effect)
}

/// The rows that hold a value of every asked feature.
fn with_values(asked: &AskedTable<'_>) -> Array2<f64> {
    let holds = |&row: &usize| asked.places.iter().all(|&place| !asked.rows[[row, place]].is_nan());
    let kept: Vec<usize> = (0..asked.rows.nrows()).filter(holds).collect();
    asked.rows.select(Axis(0), &kept)
}

/// Refuses codes of categories that the model does not know: they have no place among the others.
fn known_codes(feature: &EffectFeature) -> Result<(), Error> {
    let n = feature.categories.len();
    let is_known = |x: f64| n == 0 || x.is_nan() || (x.fract() == 0.0 && (0.0..n as f64).contains(&x));
    match feature.data.iter().position(|&x| !is_known(x)) {
        None => Ok(()),
        Some(row) => {
            let (name, code, last) = (&feature.name, feature.data[row], n - 1);
            let reason =
                format!("`{name}` holds {code} in row {row}, an unseen category; codes go from 0 to {last}");
            Err(Error::request("feature", reason))
        }
    }
}

//! Interactions of pairs of features, in the form that explanations of tables have.

use ndarray::{Array2, Array3, ArrayD, Axis};
use pellucid_agnostic::pairwise_interactions::{Index, Interactions};

use crate::error::Error;

/// The index that `text` names; k-SII by default.
pub(crate) fn index(text: Option<&str>) -> Result<Index, Error> {
    match text.map(|text| text.replace('_', "-")).as_deref() {
        None | Some("k-sii") => Ok(Index::KSii),
        Some("sii") => Ok(Index::Sii),
        Some("faith-shap") => Ok(Index::FaithShap),
        Some(text) => {
            let known = "sii, k-sii, faith-shap";
            Err(Error::request(
                "index",
                format!("there is no `{text}` by predictions alone; there are: {known}"),
            ))
        }
    }
}

pub(crate) fn name(index: Index) -> &'static str {
    match index {
        Index::Sii => "sii",
        Index::KSii => "k-sii",
        Index::FaithShap => "faith-shap",
    }
}

/// What a game's pairs are worth, `[targets, features, features]`, with their standard errors. Half of a pair's value stands at each of its
/// two places, so that all of them add up as single values do.
pub(super) fn halved(found: &Interactions) -> [ArrayD<f64>; 2] {
    [&found.values, &found.standard_error].map(|whole| {
        let mut halves: Array3<f64> = whole.clone();
        for ((i, j, _), value) in halves.indexed_iter_mut() {
            *value *= if i == j { 1.0 } else { 0.5 };
        }
        halves.permuted_axes([2, 0, 1]).as_standard_layout().into_owned().into_dyn()
    })
}

/// The sum over all pairs and features, `[targets]`, less what there is to be shared out.
pub(super) fn gap(found: &Interactions, values: &ArrayD<f64>) -> ndarray::Array1<f64> {
    let n_targets = found.outputs.len();
    let flat = values.to_shape((n_targets, values.len() / n_targets.max(1)));
    let sums = flat.map_or_else(|_| Array2::zeros((n_targets, 1)), |flat| flat.to_owned()).sum_axis(Axis(1));
    sums - (&found.outputs - &found.base_values)
}

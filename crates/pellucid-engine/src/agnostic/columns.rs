//! What the columns of a predicted model's table are: numbers, whole numbers, categories.

use ndarray::Array2;
use pellucid_agnostic::counterfactual::{Column, Kind};

use super::model::PredictedModel;

/// The columns `names` of some tables `[rows, features]`: categories where the model knows them, cuts the column by
/// sets of its codes, or `categorical` holds it, whole numbers where the tables hold nothing else.
pub(super) fn columns(
    model: &PredictedModel<'_>,
    names: &[String],
    tables: &[&Array2<f64>],
    categorical: &[usize],
) -> Vec<Column> {
    let labels = model.source().feature_categories.as_deref().unwrap_or_default();
    let is_whole = |feature: usize| {
        let mut cells = tables.iter().flat_map(|table| table.column(feature).into_iter());
        cells.all(|value| value.is_nan() || value.fract() == 0.0)
    };
    let column = |(feature, name): (usize, &String)| {
        let kind = match labels.get(feature).filter(|labels| !labels.is_empty()) {
            Some(labels) => Kind::Category { labels: labels.clone() },
            None if categorical.contains(&feature) || model.is_cut_by_sets(feature) => {
                Kind::Category { labels: Vec::new() }
            }
            None if is_whole(feature) => Kind::Integer,
            None => Kind::Numeric { decimals: None },
        };
        Column::new(name.clone(), kind)
    };
    names.iter().enumerate().map(column).collect()
}

/// The names of a model's outcomes: both classes, where it has one output.
pub(super) fn outcome_names(model: &PredictedModel<'_>) -> Vec<String> {
    match model.source().output_names.clone().unwrap_or_default() {
        // The one output of two classes.
        one if one.len() == 1 => vec![format!("not {}", one[0]), one[0].clone()],
        names => names,
    }
}

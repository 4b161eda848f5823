//! Which predictions are explained without being asked for, and how probable that was.

use ndarray::Array2;
use pellucid_engine::Tensor;
use sha2::{Digest as _, Sha256};

use crate::models::served::{Kind, Served};
use crate::models::settings::Sampling;

/// The probability with which this prediction was chosen; `None` where it was not.
pub(crate) fn chosen(served: &Served, prediction_id: &str, probabilities: Option<&[f64]>) -> Option<f64> {
    match served.sampling {
        Sampling::All => Some(1.0),
        Sampling::None => None,
        Sampling::OneIn { n } => one_in(n, prediction_id),
        Sampling::LowMargin { below, otherwise_one_in } => {
            // What has no probabilities is not known to be far from the border.
            let is_near = probabilities.is_none_or(|it| margin(it) < below);
            if is_near { Some(1.0) } else { otherwise_one_in.and_then(|n| one_in(n, prediction_id)) }
        }
    }
}

/// Drawn by the id, so that the same prediction is chosen or not whenever it is looked at.
fn one_in(n: u32, prediction_id: &str) -> Option<f64> {
    let hash = Sha256::digest(prediction_id.as_bytes());
    let drawn = hash[..8].iter().fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
    drawn.is_multiple_of(u64::from(n)).then(|| 1.0 / f64::from(n))
}

/// Between the two highest probabilities; a single one is that of class 1.
fn margin(probabilities: &[f64]) -> f64 {
    if let [one] = probabilities {
        return (2.0 * one - 1.0).abs();
    }
    let mut sorted = probabilities.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    sorted.first().zip(sorted.get(1)).map_or(f64::INFINITY, |(first, second)| first - second)
}

/// The probabilities of each row, where the answer tells them.
pub(crate) fn probabilities(served: &Served, outputs: &[Tensor], n_rows: usize) -> Vec<Option<Vec<f64>>> {
    let told = outputs.get(served.main_output()).and_then(|output| {
        let width = output.len().checked_div(n_rows)?;
        let outputs = Array2::from_shape_vec((n_rows, width), output.to_f64s()).ok()?;
        probabilities_of(served, outputs)
    });
    match told {
        Some(rows) => rows.rows().into_iter().map(|row| Some(row.to_vec())).collect(),
        None => vec![None; n_rows],
    }
}

/// Of what the model answers with, `[rows, outputs]`.
fn probabilities_of(served: &Served, mut outputs: Array2<f64>) -> Option<Array2<f64>> {
    match &served.kind {
        Kind::Trees(model) if model.classifies() => {
            if served.margins {
                let link = model.ensemble().link;
                let rows = outputs.rows_mut().into_iter();
                rows.for_each(|mut row| link.apply(row.as_slice_mut().unwrap_or_default()));
            }
            Some(outputs)
        }
        Kind::Network(network) => network.model.probabilities_of_file(&outputs),
        Kind::Trees(_) | Kind::Texts(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_n_is_drawn_evenly_and_repeats() {
        let chosen = |id: usize| one_in(10, &format!("prediction-{id}"));
        let n_chosen = (0..20_000).filter(|&id| chosen(id).is_some()).count();
        // Binomial: 2,000 ± 42.
        assert!((1_800..2_200).contains(&n_chosen), "{n_chosen}");
        assert_eq!(chosen(7), chosen(7));
        assert!((0..20_000).filter_map(chosen).all(|probability| probability == 0.1));
    }

    #[test]
    fn margins_are_those_of_the_two_highest() {
        assert!((margin(&[0.2, 0.5, 0.3]) - 0.2).abs() < 1e-12);
        assert!((margin(&[0.9]) - 0.8).abs() < 1e-12);
        assert!((margin(&[0.1]) - 0.8).abs() < 1e-12);
    }
}

#![doc = include_str!("attention_rollout.md")]

use ndarray::{Array2, ArrayD, Axis};
use pellucid_core::{Attribution, Target, Work};

use crate::attention::check;
use crate::attention_maps::{HeadFusion, Look, attribution, fused, layers, run_maps};
use crate::error::Error;
use crate::network::Network;

/// Settings of [`attention_rollout`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Options {
    /// How heads are fused.
    pub fusion: HeadFusion,
    /// The share of each layer's fused weights, the smallest, that is set to 0 before.
    pub discard_ratio: f64,
    /// The first layer that is rolled out, counted from 0.
    pub start_layer: usize,
    /// Whose row is read.
    pub look: Look,
}

/// Attention followed through the layers: values `[rows, K, tokens]`, for images `[rows, K, height, width]` with the grid
/// of patches in `raw_map`. The same for every target.
///
/// # Errors
/// A network without attention; a share outside `[0, 1)`; a layer or token that is not there; rows that do not fit; a
/// canceled work.
pub fn attention_rollout(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    options: &Options,
    work: &Work,
) -> Result<Attribution, Error> {
    if !(0.0..1.0).contains(&options.discard_ratio) {
        return Err(Error::option("discard_ratio", format!("{} is no share below 1", options.discard_ratio)));
    }
    let results = run_maps(network, rows, target, work, "attention", |_, _, weights| Ok(weights.to_vec()))?;
    check("start_layer", options.start_layer, results.0.len_of(Axis(2)))?;
    attribution(network, results, options.look, |maps| {
        let fused =
            layers(maps).into_iter().skip(options.start_layer).map(|heads| fused(heads, options.fusion));
        rolled_out(fused.map(|map| without_smallest(map, options.discard_ratio)))
    })
}

/// `Ã_L … Ã_1`, `Ã = (A + I)` with its rows divided by their sums.
fn rolled_out(layers: impl Iterator<Item = Array2<f64>>) -> Array2<f64> {
    let mut rolled: Option<Array2<f64>> = None;
    for map in layers {
        let mut mixed = &map + &Array2::<f64>::eye(map.nrows());
        for mut row in mixed.rows_mut() {
            // At least the identity's 1.
            let sum = row.sum();
            row /= sum;
        }
        rolled = Some(rolled.map_or_else(|| mixed.clone(), |below| mixed.dot(&below)));
    }
    rolled.unwrap_or_else(|| Array2::zeros((0, 0)))
}

/// A map with the smallest share of its elements set to 0; of equal ones the first.
fn without_smallest(mut map: Array2<f64>, share: f64) -> Array2<f64> {
    let n_columns = map.ncols();
    let mut order: Vec<usize> = (0..map.len()).collect();
    let value = |place: usize| map[[place / n_columns, place % n_columns]];
    order.sort_by(|&a, &b| value(a).total_cmp(&value(b)).then(a.cmp(&b)));
    for place in order.into_iter().take((share * map.len() as f64) as usize) {
        map[[place / n_columns, place % n_columns]] = 0.0;
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn layers_are_mixed_with_what_goes_past_them() {
        let first = array![[1.0, 0.0], [0.5, 0.5]];
        let second = array![[0.0, 1.0], [0.0, 1.0]];
        // (A + I) / 2 of each, the second times the first.
        let expected = array![[0.5, 0.5], [0.0, 1.0]].dot(&array![[1.0, 0.0], [0.25, 0.75]]);
        assert_eq!(rolled_out([first, second].into_iter()), expected);
    }

    #[test]
    fn the_smallest_share_is_set_to_nothing() {
        let map = array![[0.1, 0.4], [0.2, 0.3]];
        assert_eq!(without_smallest(map.clone(), 0.5), array![[0.0, 0.4], [0.0, 0.3]]);
        assert_eq!(without_smallest(map.clone(), 0.0), map);
    }
}

#![doc = include_str!("randomization.md")]

use ndarray::{Array2, Axis};
use pellucid_core::{Attribution, Work};

use crate::error::Error;
use crate::explained::{check_finite, misfit};
use crate::rank::spearman;

/// How alike two attributions of one row and target rank the features.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity {
    /// Spearman's rank correlation of the signed values; `None` where one attribution is constant.
    pub signed: Option<f64>,
    /// The same of the absolute values.
    pub absolute: Option<f64>,
}

/// The similarity left after redrawing the parameters from the output down to one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// The layer redrawn last; those above it stay redrawn.
    pub layer: String,
    /// For each row and target, `[rows, K]`.
    pub similarity: Array2<Similarity>,
}

impl Stage {
    /// The mean over rows and targets, each kind over those where it is defined.
    pub fn mean(&self) -> Similarity {
        let mean = |kind: fn(&Similarity) -> Option<f64>| {
            let defined: Vec<f64> = self.similarity.iter().filter_map(kind).collect();
            (!defined.is_empty()).then(|| defined.iter().sum::<f64>() / defined.len() as f64)
        };
        Similarity { signed: mean(|s| s.signed), absolute: mean(|s| s.absolute) }
    }
}

/// Redraws the parameters of ever more layers and compares the attributions with the original: one stage a layer.
///
/// `layers` are names from the output to the input. `attribute` is given the layers redrawn so far, `layers[..=i]`, and
/// makes the attribution of the same rows and the same target outputs with the model so redrawn: a target of `top-1`
/// must be fixed before, since the redrawn model has another.
///
/// # Errors
/// Whatever `attribute` reports; attributions of different shapes or with values that are not finite; cancellation.
pub fn randomization<E: From<Error>>(
    original: &Attribution,
    layers: &[String],
    work: &Work,
    mut attribute: impl FnMut(&[String]) -> Result<Attribution, E>,
) -> Result<Vec<Stage>, E> {
    check_finite("attribution", original.values.view())?;
    let mut stages = Vec::with_capacity(layers.len());
    for (i, layer) in layers.iter().enumerate() {
        work.check().map_err(Error::from)?;
        let randomized = attribute(&layers[..=i])?;
        stages.push(Stage { layer: layer.clone(), similarity: similarity(original, &randomized)? });
    }
    Ok(stages)
}

/// How alike two attributions of the same rows and targets rank the features, `[rows, K]`.
///
/// # Errors
/// Attributions of different shapes or with values that are not finite.
pub fn similarity(a: &Attribution, b: &Attribution) -> Result<Array2<Similarity>, Error> {
    if a.values.shape() != b.values.shape() {
        return Err(misfit("attribution of the redrawn model", a.values.shape(), b.values.shape()));
    }
    let [n_rows, n_targets, ..] = *a.values.shape() else {
        let expected = "[rows, targets, features…]".to_owned();
        return Err(Error::Shape { what: "attribution", expected, actual: a.values.shape().to_vec() });
    };
    check_finite("attribution", a.values.view())?;
    check_finite("attribution of the redrawn model", b.values.view())?;
    Ok(Array2::from_shape_fn((n_rows, n_targets), |(row, target)| {
        let of = |attribution: &Attribution| -> Vec<f64> {
            let row = attribution.values.index_axis(Axis(0), row);
            row.index_axis(Axis(0), target).iter().copied().collect()
        };
        let (a, b) = (of(a), of(b));
        let absolute = |values: &[f64]| values.iter().map(|value| value.abs()).collect::<Vec<_>>();
        Similarity { signed: spearman(&a, &b), absolute: spearman(&absolute(&a), &absolute(&b)) }
    }))
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use pellucid_core::Cancellation;

    use super::*;
    use crate::testing::attribution;

    fn layers() -> Vec<String> {
        ["fc", "conv2", "conv1"].map(str::to_owned).to_vec()
    }

    #[test]
    fn layers_are_redrawn_in_a_cascade() {
        let original = attribution(&[1, 1, 3], &[1.0, 2.0, -3.0]);
        let mut seen = Vec::new();
        let stages = randomization::<Error>(&original, &layers(), &Work::default(), |redrawn| {
            seen.push(redrawn.join(" "));
            Ok(original.clone())
        });
        assert_eq!(seen, ["fc", "fc conv2", "fc conv2 conv1"]);
        for (stage, layer) in stages.expect("all fits").iter().zip(layers()) {
            assert_eq!(stage.layer, layer);
            assert_eq!(stage.mean(), Similarity { signed: Some(1.0), absolute: Some(1.0) });
        }
    }

    #[test]
    fn each_row_and_target_is_compared_with_its_own() {
        let a = attribution(&[2, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0, -1.0, -2.0, -3.0, -4.0]);
        let b = attribution(&[2, 1, 2, 2], &[4.0, 3.0, 2.0, 1.0, 1.0, 2.0, 3.0, 4.0]);
        let similarity = similarity(&a, &b).expect("equal shapes");
        let expected = |signed, absolute| Similarity { signed: Some(signed), absolute: Some(absolute) };
        assert_eq!(similarity, array![[expected(-1.0, -1.0)], [expected(-1.0, 1.0)]]);
        let stage = Stage { layer: "fc".to_owned(), similarity };
        assert_eq!(stage.mean(), expected(-1.0, 0.0));
    }

    #[test]
    fn a_dead_network_has_no_similarity_rather_than_none_left() {
        let a = attribution(&[2, 1, 2], &[1.0, 2.0, 1.0, -1.0]);
        let b = attribution(&[2, 1, 2], &[0.0, 0.0, 2.0, 0.5]);
        let similarity = similarity(&a, &b).expect("equal shapes");
        assert_eq!(similarity[[0, 0]], Similarity { signed: None, absolute: None });
        // |1| and |−1| tie, so only the signed ranks say something of row 1.
        assert_eq!(similarity[[1, 0]], Similarity { signed: Some(1.0), absolute: None });
        let mean = Stage { layer: String::new(), similarity }.mean();
        assert_eq!(mean, Similarity { signed: Some(1.0), absolute: None });
    }

    #[test]
    fn faults_stop_the_cascade() {
        let original = attribution(&[1, 1, 2], &[1.0, 2.0]);
        let check = |original: &Attribution, other: Attribution, work: &Work, part: &str| {
            let result = randomization::<Error>(original, &layers(), work, |_| Ok(other.clone()));
            assert!(result.as_ref().is_err_and(|error| error.to_string().contains(part)), "{result:?}");
        };
        let work = Work::default();
        check(
            &original,
            attribution(&[1, 1, 3], &[1.0; 3]),
            &work,
            "has shape [1, 1, 3], expected [1, 1, 2]",
        );
        check(&original, attribution(&[1, 1, 2], &[f64::NAN; 2]), &work, "NaN at [0, 0, 0]");
        check(&attribution(&[1, 1, 1], &[f64::INFINITY]), original.clone(), &work, "inf at [0, 0, 0]");
        let cancellation = Cancellation::default();
        cancellation.cancel();
        check(&original, original.clone(), &Work { cancellation, ..Work::default() }, "canceled");
    }
}

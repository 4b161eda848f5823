//! Targets of models that classify every place of an image: a class, over the places of a mask.

use ndarray::{Array2, ArrayD, ArrayView1, Axis};
use pellucid_core::{ResolvedTarget, Target};

use crate::error::Error;
use crate::network::OutputPlaces;

/// The target as weights of the outputs, and the class that each row's targets are of: for each row, `class` is 1 over the
/// places of the mask, by default those where it is predicted (the semantic segmentation target of Grad-CAM's
/// implementations). The weights do not change with the input, as on the path of a method from a baseline.
///
/// # Errors
/// A class or label that is not there; a target that is no class; a mask of another shape; a mask, or a class by default,
/// with no place.
pub fn over_mask(
    places: &OutputPlaces,
    outputs: &Array2<f64>,
    target: &Target,
    labels: Option<&[String]>,
) -> Result<(ResolvedTarget, Vec<Vec<usize>>), Error> {
    let (class, mask) = match target {
        Target::Masked { class, mask } => (&**class, Some(mask)),
        class => (class, None),
    };
    let classes = classes(places, outputs, class, labels)?;
    let n_rows = outputs.nrows();
    let mut weights = vec![Array2::zeros((n_rows, outputs.ncols())); target.n_targets()];
    for (row, classes) in classes.iter().enumerate() {
        let predicted = predicted_classes(places, outputs.row(row));
        for (weights, &class) in weights.iter_mut().zip(classes) {
            let shares: Vec<f32> = match mask {
                Some(mask) => mask_of_row(places, mask, row, n_rows)?,
                None => predicted.iter().map(|&found| f32::from(u8::from(found == Some(class)))).collect(),
            };
            if shares.iter().all(|share| *share == 0.0) {
                let reason =
                    format!("row {row}: class {class} is predicted nowhere; give a mask, or another class");
                return Err(Error::option(
                    "target",
                    if mask.is_some() { "the mask is empty".to_owned() } else { reason },
                ));
            }
            for (place, share) in shares.into_iter().enumerate() {
                weights[[row, places.index(class, place)]] = share;
            }
        }
    }
    Ok((ResolvedTarget { weights, indices: None }, classes))
}

/// The classes of each row with the places where they are predicted, most places first, and the sum of the class's outputs
/// there.
pub fn predicted(places: &OutputPlaces, outputs: ArrayView1<'_, f64>) -> Vec<(usize, usize, f64)> {
    let mut found: Vec<(usize, usize, f64)> = (0..places.n_classes).map(|class| (class, 0, 0.0)).collect();
    for (place, class) in predicted_classes(places, outputs).into_iter().enumerate() {
        let Some(class) = class else { continue };
        found[class].1 += 1;
        found[class].2 += outputs[places.index(class, place)];
    }
    found.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    found
}

/// The class with the highest output at each place, of equal ones the first; an only class where its output is above the
/// cutoff, and nothing elsewhere.
fn predicted_classes(places: &OutputPlaces, outputs: ArrayView1<'_, f64>) -> Vec<Option<usize>> {
    let highest = |place: usize| {
        let of = |class: usize| outputs[places.index(class, place)];
        match places.n_classes {
            1 => (of(0) > places.cutoff).then_some(0),
            n => (0..n).reduce(|best, class| if of(class) > of(best) { class } else { best }),
        }
    };
    (0..places.n_places()).map(highest).collect()
}

/// For each row, the class of each target.
fn classes(
    places: &OutputPlaces,
    outputs: &Array2<f64>,
    class: &Target,
    labels: Option<&[String]>,
) -> Result<Vec<Vec<usize>>, Error> {
    if let Target::Top(k) = class {
        // Refuses more classes than there are.
        class.resolve(Array2::zeros((0, places.n_classes)).view(), None)?;
        let of_row =
            |row: ArrayView1<'_, f64>| predicted(places, row).iter().take(*k).map(|found| found.0).collect();
        return Ok(outputs.rows().into_iter().map(of_row).collect());
    }
    let of_classes = Array2::zeros((outputs.nrows(), places.n_classes));
    let resolved = class.resolve(of_classes.view(), labels)?;
    resolved.indices.ok_or_else(|| {
        Error::option(
            "target",
            format!("{class} is no class; a model of every place is asked for a class or a label"),
        )
    })
}

/// The shares of the places of one row's mask.
fn mask_of_row(
    places: &OutputPlaces,
    mask: &ArrayD<f32>,
    row: usize,
    n_rows: usize,
) -> Result<Vec<f32>, Error> {
    let fault = |reason: String| Error::option("target", reason);
    let (of_all, of_each) =
        (mask.shape() == places.grid, mask.ndim() > 0 && mask.shape()[1..] == places.grid);
    if mask.iter().any(|share| !share.is_finite()) {
        return Err(fault("the mask holds a number that is none".to_owned()));
    }
    match (of_all, of_each) {
        (true, _) => Ok(mask.iter().copied().collect()),
        (_, true) if mask.shape()[0] == n_rows => Ok(mask.index_axis(Axis(0), row).iter().copied().collect()),
        _ => Err(fault(format!(
            "the mask of shape {:?} is not of the output's places {:?}, nor one for each of {n_rows} rows",
            mask.shape(),
            places.grid
        ))),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    /// Weights by target, classes by row.
    type Found = (Vec<Array2<f32>>, Vec<Vec<usize>>);

    /// Two classes over 1 × 3 places; class 1 is predicted at the last two.
    fn over(target: &Target, classes_last: bool) -> Result<Found, String> {
        let places = OutputPlaces { n_classes: 2, grid: vec![1, 3], classes_last, cutoff: 0.0 };
        let outputs = match classes_last {
            false => array![[3.0, 0.0, 1.0, 2.0, 5.0, 4.0]],
            true => array![[3.0, 2.0, 0.0, 5.0, 1.0, 4.0]],
        };
        let labels = ["road", "sky"].map(str::to_owned);
        let found = over_mask(&places, &outputs, target, Some(&labels)).map_err(|error| error.to_string())?;
        Ok((found.0.weights, found.1))
    }

    #[test]
    fn a_class_is_taken_where_it_is_predicted() {
        let sky = (vec![array![[0.0, 0.0, 0.0, 0.0, 1.0, 1.0]]], vec![vec![1]]);
        for target in
            [Target::Index(1), Target::Label("sky".to_owned()), Target::Top(1), Target::PerRow(vec![1])]
        {
            assert_eq!(over(&target, false), Ok(sky.clone()), "{target}");
        }
        let (weights, classes) = over(&Target::Top(2), true).expect("both are predicted");
        assert_eq!(classes, [[1, 0]]);
        assert_eq!(weights[0], array![[0.0, 0.0, 0.0, 1.0, 0.0, 1.0]]);
        assert_eq!(weights[1], array![[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]]);
    }

    #[test]
    fn a_mask_says_where() {
        let masked = |class: Target, mask: ArrayD<f32>| Target::Masked { class: Box::new(class), mask };
        let mask = array![[0.5f32, 0.0, 2.0]].into_dyn();
        let expected = (vec![array![[0.5, 0.0, 2.0, 0.0, 0.0, 0.0]]], vec![vec![0]]);
        assert_eq!(over(&masked(Target::Index(0), mask.clone()), false), Ok(expected.clone()));
        assert_eq!(over(&masked(Target::Index(0), mask.clone().insert_axis(Axis(0))), false), Ok(expected));
        let refused = |target: Target, part: &str| {
            let reason = over(&target, false).expect_err("refused");
            assert!(reason.contains(part), "{reason}");
        };
        refused(masked(Target::Index(2), mask.clone()), "outputs 0 to 1");
        refused(masked(Target::Index(0), mask.clone() * 0.0), "the mask is empty");
        refused(masked(Target::Index(0), mask.clone() * f32::NAN), "number that is none");
        refused(masked(Target::Index(0), array![1.0f32, 0.0].into_dyn()), "places [1, 3]");
        refused(Target::Weighted(vec![(0, 1.0)]), "is no class");
        refused(Target::Top(3), "2 outputs");
    }

    #[test]
    fn an_only_class_is_predicted_above_its_cutoff() {
        let places = OutputPlaces { n_classes: 1, grid: vec![2, 1], classes_last: false, cutoff: 0.0 };
        let (found, _) =
            over_mask(&places, &array![[0.5, -0.5]], &Target::Top(1), None).expect("predicted once");
        assert_eq!(found.weights, [array![[1.0, 0.0]]]);
        let nowhere = over_mask(&places, &array![[-1.0, -0.5]], &Target::Top(1), None);
        assert!(nowhere.expect_err("refused").to_string().contains("predicted nowhere"));
    }
}

//! When sampling has gone far enough.

use ndarray::Array2;

use crate::error::Error;

/// Refuses what is no share of the values.
pub(crate) fn check_tolerance(tolerance: Option<f64>) -> Result<(), Error> {
    match tolerance {
        Some(share) if !(share > 0.0 && share.is_finite()) => {
            Err(Error::setting("tolerance", format!("{share} is no positive share of the values")))
        }
        _ => Ok(()),
    }
}

/// The length of the standard errors as a share of the length of the values, over all players and targets.
pub(crate) fn relative_error(values: &Array2<f64>, standard_error: &Array2<f64>) -> f64 {
    let norm = |array: &Array2<f64>| array.iter().map(|x| x * x).sum::<f64>().sqrt();
    match norm(standard_error) {
        0.0 => 0.0,
        error => error / norm(values),
    }
}

/// Whether there is a tolerance and the estimate is within it.
pub(crate) fn is_within(tolerance: Option<f64>, values: &Array2<f64>, standard_error: &Array2<f64>) -> bool {
    tolerance.is_some_and(|share| relative_error(values, standard_error) <= share)
}

/// What to say where the evaluations ended above the tolerance.
pub(crate) fn missed_tolerance(
    tolerance: Option<f64>,
    values: &Array2<f64>,
    standard_error: &Array2<f64>,
) -> Option<String> {
    let (share, error) = (tolerance?, relative_error(values, standard_error));
    (error > share).then(|| {
        format!(
            "the standard error is {:.2} % of the values, above the tolerance of {:.2} %; allow more evaluations",
            100.0 * error,
            100.0 * share
        )
    })
}

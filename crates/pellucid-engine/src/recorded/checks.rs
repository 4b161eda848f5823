//! What a record says was checked of an explanation.

use std::collections::BTreeMap;

use pellucid_store::Check;

use crate::explanation::Explanation;

/// Values that promise completeness may miss it by this share of what they explain: fixed steps along a path do.
const ALLOWED_GAP: f64 = 0.01;
/// Where input and baseline give nearly the same output, the gap is held against the size of the numbers that are summed
/// in f32.
const ALLOWED_ROUNDING: f64 = 1e-5;
/// Beyond this share of the largest value, the largest standard error leaves no value that can be told from 0 (at two
/// standard errors).
const ALLOWED_ERROR: f64 = 0.5;

pub(super) fn checks(explanation: &Explanation, row: usize, target: usize) -> BTreeMap<String, Check> {
    let all = [
        ("completeness", completeness(explanation, row, target)),
        ("standard_error", standard_error(explanation, row, target)),
        ("finite", Some(finite(explanation, row, target))),
    ];
    all.into_iter().filter_map(|(name, check)| Some((name.to_owned(), check?))).collect()
}

/// The gap as a share of `|output − base value|`.
fn completeness(explanation: &Explanation, row: usize, target: usize) -> Option<Check> {
    let share = explanation.relative_gap(row, target)?;
    let number = |numbers| explanation.number_of(numbers, row, target);
    let gap = number(explanation.convergence_delta.as_ref()?).abs();
    let ends = number(&explanation.outputs).abs().max(number(explanation.base_values.as_ref()?).abs());
    let size: f64 = explanation.values_of(row, target).iter().map(|value| value.abs()).sum();
    let passed = share <= ALLOWED_GAP || gap <= ALLOWED_ROUNDING * ends.max(size);
    Some(Check { passed, value: Some(share).filter(|share| share.is_finite()) })
}

/// The largest standard error as a share of the largest value.
fn standard_error(explanation: &Explanation, row: usize, target: usize) -> Option<Check> {
    let largest =
        |values: ndarray::ArrayViewD<'_, f64>| values.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let error = largest(explanation.errors_of(row, target)?);
    let share = if error == 0.0 { 0.0 } else { error / largest(explanation.values_of(row, target)) };
    Some(Check { passed: share <= ALLOWED_ERROR, value: Some(share).filter(|share| share.is_finite()) })
}

fn finite(explanation: &Explanation, row: usize, target: usize) -> Check {
    let values = explanation.values_of(row, target);
    let errors = explanation.errors_of(row, target);
    let all = values.iter().chain(errors.iter().flatten()).all(|value| value.is_finite());
    Check { passed: all && explanation.number_of(&explanation.outputs, row, target).is_finite(), value: None }
}

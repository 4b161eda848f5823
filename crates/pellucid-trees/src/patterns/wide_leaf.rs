//! What a leaf with many features gives to sets of features: for one row's pattern at a time.

use super::feature_sets::{binomial, rank, subsets};
use super::measure::Measure;

/// A pattern of any number of bits.
pub(crate) type Words = Box<[u64]>;

/// How absent features are averaged at one leaf.
pub(crate) enum Absent<'a> {
    /// The background's distinct patterns and their weights.
    Background(&'a [(Words, f64)]),
    /// The product of cover fractions of each feature.
    Covers(&'a [f64]),
}

/// For each size from 1 to `max_size`, what each set of that size gets at a row's pattern over `n_features`.
pub(crate) fn set_values(
    measure: Measure,
    max_size: usize,
    n_features: usize,
    row: &Words,
    absent: &Absent<'_>,
) -> Vec<Vec<f64>> {
    let mut values: Vec<Vec<f64>> =
        (1..=max_size).map(|size| vec![0.0; binomial(n_features, size)]).collect();
    match absent {
        Absent::Background(patterns) => {
            for (pattern, weight) in *patterns {
                add_pair(measure, row, pattern, n_features, *weight, &mut values);
            }
        }
        Absent::Covers(fractions) => add_covers(measure, row, fractions, &mut values),
    }
    values
}

/// Adds the game of a row and a background row: where both miss a feature it is 0; else those that only the row has must
/// be present, those that only the background has must be absent, and the others do not matter.
fn add_pair(
    measure: Measure,
    row: &Words,
    background: &Words,
    n_features: usize,
    weight: f64,
    values: &mut [Vec<f64>],
) {
    if !covers_all(row, background, n_features) {
        return;
    }
    let is_set = |words: &Words, i: usize| words[i / 64] >> (i % 64) & 1 == 1;
    let differing: Vec<usize> =
        (0..n_features).filter(|&i| is_set(row, i) != is_set(background, i)).collect();
    let n_present = differing.iter().filter(|&&i| is_set(row, i)).count();
    let n_absent = differing.len() - n_present;
    for (size, values) in (1..).zip(values) {
        let by_absent: Vec<f64> = (0..=size)
            .map(|of_absent| {
                let sign = if of_absent % 2 == 0 { weight } else { -weight };
                let (present, absent) =
                    (n_present.checked_sub(size - of_absent), n_absent.checked_sub(of_absent));
                present
                    .zip(absent)
                    .map_or(0.0, |(present, absent)| sign * measure.weight(size, present, absent))
            })
            .collect();
        if size == 1 {
            differing.iter().for_each(|&i| values[i] += by_absent[usize::from(!is_set(row, i))]);
            continue;
        }
        for subset in subsets(differing.len(), size) {
            let set: Vec<usize> = subset.iter().map(|&i| differing[i]).collect();
            let of_absent = set.iter().filter(|&&i| !is_set(row, i)).count();
            values[rank(&set)] += by_absent[of_absent];
        }
    }
}

fn covers_all(row: &Words, background: &Words, n_features: usize) -> bool {
    let mut left = n_features;
    row.iter().zip(background).all(|(a, b)| {
        let bits = left.min(64);
        left -= bits;
        a | b == u64::MAX >> (64 - bits)
    })
}

/// Adds the game in which absent features follow the covers: `Δ_S f(t) = ∏_S (o − z) ∏_rest (z + t (o − z))`.
fn add_covers(measure: Measure, row: &Words, fractions: &[f64], values: &mut [Vec<f64>]) {
    let n_features = fractions.len();
    let slopes: Vec<f64> =
        fractions.iter().enumerate().map(|(i, z)| (row[i / 64] >> (i % 64) & 1) as f64 - z).collect();
    for (size, values) in (1..).zip(values) {
        if size > n_features {
            continue;
        }
        for (t, weight) in measure.points(size, n_features) {
            let factors: Vec<f64> = fractions.iter().zip(&slopes).map(|(z, slope)| z + t * slope).collect();
            for (value, set) in values.iter_mut().zip(subsets(n_features, size)) {
                // No division by the set's factors: they may be 0.
                let product: f64 =
                    factors.iter().enumerate().filter(|(i, _)| !set.contains(i)).map(|(_, f)| f).product();
                *value += weight * product * set.iter().map(|&i| slopes[i]).product::<f64>();
            }
        }
    }
}

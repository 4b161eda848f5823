//! What a leaf gives to sets of features, for one row's pattern at a time: for leaves with many features, or met by few
//! patterns of the background.

use super::feature_sets::{binomial, rank, subsets};
use super::measure::Measure;

/// Others that a table of weights knows; beyond, a weight is computed when it is needed.
const MAX_KNOWN: usize = 64;

/// A pattern of any number of bits.
pub(crate) type Words = Box<[u64]>;

/// How absent features are averaged at one leaf.
pub(crate) enum LeafPatterns {
    /// The background's distinct patterns, one after the other, and their weights.
    Background { patterns: Vec<u64>, weights: Vec<f64> },
    /// The product of cover fractions of each feature.
    Covers(Vec<f64>),
}

/// The weights that sets of up to `max_size` features have in games of differing features.
pub(crate) struct SetWeights {
    measure: Measure,
    pub(crate) max_size: usize,
    /// `[size − 1][present][absent]`.
    known: Vec<f64>,
}

impl SetWeights {
    pub(crate) fn new(measure: Measure, max_size: usize) -> Self {
        let others =
            || (0..=MAX_KNOWN).flat_map(|present| (0..=MAX_KNOWN).map(move |absent| (present, absent)));
        let of_size =
            |size: usize| others().map(move |(present, absent)| measure.weight(size, present, absent));
        Self { measure, max_size, known: (1..=max_size).flat_map(of_size).collect() }
    }

    /// `∫ t^present (1 − t)^absent ω(t) dt`, see [`Measure::weight`].
    fn weight(&self, size: usize, present: usize, absent: usize) -> f64 {
        if present.max(absent) > MAX_KNOWN {
            return self.measure.weight(size, present, absent);
        }
        self.known[((size - 1) * (MAX_KNOWN + 1) + present) * (MAX_KNOWN + 1) + absent]
    }
}

impl LeafPatterns {
    /// For each size, what each set of that size gets at a row's pattern over `n_features`.
    pub(crate) fn set_values(&self, weights: &SetWeights, n_features: usize, row: &[u64]) -> Vec<Vec<f64>> {
        let sizes = 1..=weights.max_size;
        let mut values: Vec<Vec<f64>> = sizes.map(|size| vec![0.0; binomial(n_features, size)]).collect();
        match self {
            Self::Background { patterns, weights: shares } => {
                let mut differing = Vec::new();
                for (pattern, &share) in patterns.chunks_exact(row.len()).zip(shares) {
                    if covers_all(row, pattern, n_features) {
                        let n_present = list_differing(row, pattern, &mut differing);
                        add_pair(weights, &differing, n_present, share, &mut values);
                    }
                }
            }
            Self::Covers(fractions) => add_covers(weights.measure, row, fractions, &mut values),
        }
        values
    }
}

/// Whether each feature is followed by the row or the background row; else the leaf cannot be reached.
fn covers_all(row: &[u64], background: &[u64], n_features: usize) -> bool {
    let mut left = n_features;
    row.iter().zip(background).all(|(a, b)| {
        let bits = left.min(64);
        left -= bits;
        a | b == u64::MAX >> (64 - bits)
    })
}

/// Lists the features that only the row follows, whose number it gives, and behind them those that only the background
/// row follows.
fn list_differing(row: &[u64], background: &[u64], into: &mut Vec<usize>) -> usize {
    let bits = |mut word: u64, place: usize| {
        std::iter::from_fn(move || {
            let bit = word.trailing_zeros() as usize;
            word &= word.checked_sub(1)?;
            Some(64 * place + bit)
        })
    };
    let words = || row.iter().zip(background).enumerate();
    into.clear();
    into.extend(words().flat_map(|(place, (a, b))| bits(a & !b, place)));
    let n_present = into.len();
    into.extend(words().flat_map(|(place, (a, b))| bits(b & !a, place)));
    n_present
}

/// Adds the game of a row and a background row in which `differing` features matter: the first `n_present` must be
/// present, the others absent.
fn add_pair(
    weights: &SetWeights,
    differing: &[usize],
    n_present: usize,
    share: f64,
    values: &mut [Vec<f64>],
) {
    let n_absent = differing.len() - n_present;
    for (size, values) in (1..).zip(values) {
        let of_set = |of_absent: usize| {
            let sign = if of_absent.is_multiple_of(2) { share } else { -share };
            let present = n_present.checked_sub(size - of_absent);
            let others = present.zip(n_absent.checked_sub(of_absent));
            others.map_or(0.0, |(present, absent)| sign * weights.weight(size, present, absent))
        };
        if size == 1 {
            let (of_row, of_background) = differing.split_at(n_present);
            let (up, down) = (of_set(0), of_set(1));
            of_row.iter().for_each(|&i| values[i] += up);
            of_background.iter().for_each(|&i| values[i] += down);
            continue;
        }
        let by_absent: Vec<f64> = (0..=size).map(of_set).collect();
        for subset in subsets(differing.len(), size) {
            let of_absent = subset.iter().filter(|&&i| i >= n_present).count();
            let mut set: Vec<usize> = subset.iter().map(|&i| differing[i]).collect();
            set.sort_unstable();
            values[rank(&set)] += by_absent[of_absent];
        }
    }
}

/// Adds the game in which absent features follow the covers: `Δ_S f(t) = ∏_S (o − z) ∏_rest (z + t (o − z))`.
fn add_covers(measure: Measure, row: &[u64], fractions: &[f64], values: &mut [Vec<f64>]) {
    let n_features = fractions.len();
    let slopes: Vec<f64> =
        fractions.iter().enumerate().map(|(i, z)| (row[i / 64] >> (i % 64) & 1) as f64 - z).collect();
    for (size, values) in (1..=n_features).zip(values) {
        let sets = subsets(n_features, size);
        for (t, weight) in measure.points(size, n_features) {
            let factors: Vec<f64> = fractions.iter().zip(&slopes).map(|(z, slope)| z + t * slope).collect();
            for (value, set) in values.iter_mut().zip(&sets) {
                // No division by the set's factors: they may be 0.
                let rest = factors.iter().enumerate().filter(|(i, _)| !set.contains(i)).map(|(_, f)| f);
                let product: f64 = rest.product();
                *value += weight * product * set.iter().map(|&i| slopes[i]).product::<f64>();
            }
        }
    }
}

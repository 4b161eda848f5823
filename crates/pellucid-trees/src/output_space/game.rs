//! The game of a row and a background row in an output space: counted out, or walked along permutations.

use ndarray::Array2;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use super::pair::Pair;

/// The Shapley values of one pair.
pub(super) struct Shares {
    /// `[outputs, features of the pair]`.
    pub(super) values: Array2<f64>,
    /// Of the values' means; 0 where they are exact.
    pub(super) variance: Array2<f64>,
    /// The outputs of the background row.
    pub(super) base_values: Vec<f64>,
    /// Coalitions whose output was taken.
    pub(super) evaluations: usize,
}

impl Shares {
    /// From the outputs of all coalitions. `value` turns margins into outputs.
    pub(super) fn exact(pair: &Pair<'_>, n_outputs: usize, value: impl Fn(&mut [f64], &mut [f64])) -> Self {
        let n = pair.features().len();
        let margins = coalition_margins(pair);
        let n_margins = margins.len();
        let weights = coalition_weights(n);
        let mut values = Array2::zeros((n_outputs, n));
        let (mut margin, mut output) = (vec![0.0; n_margins], vec![0.0; n_outputs]);
        let mut base_values = Vec::new();
        let mut absent = vec![0.0; n_outputs];
        for coalition in 0..1_usize << n {
            margin.iter_mut().zip(&margins).for_each(|(to, all)| *to = all[coalition]);
            value(&mut margin, &mut output);
            if coalition == 0 {
                base_values = output.clone();
            }
            // φ_i = Σ_{S ∋ i} w(|S| − 1) v(S) − Σ_{S ∌ i} w(|S|) v(S): the second sum is taken over all S, and corrected.
            let size = coalition.count_ones() as usize;
            let (without, with) = (weights[size + 1], weights[size] + weights[size + 1]);
            for (k, &v) in output.iter().enumerate() {
                absent[k] += without * v;
                let mut members = coalition;
                while members != 0 {
                    values[[k, members.trailing_zeros() as usize]] += with * v;
                    members &= members - 1;
                }
            }
        }
        for (mut of_output, absent) in values.rows_mut().into_iter().zip(absent) {
            of_output -= absent;
        }
        Self { variance: Array2::zeros(values.dim()), values, base_values, evaluations: 1 << n }
    }

    /// From permutations of the features and their reverses.
    pub(super) fn drawn(
        pair: &Pair<'_>,
        n_outputs: usize,
        n_permutations: usize,
        draw: impl Fn(usize) -> ChaCha8Rng,
        value: impl Fn(&mut [f64], &mut [f64]),
    ) -> Self {
        let n = pair.features().len();
        let (mut sums, mut squares) = (Array2::zeros((n_outputs, n)), Array2::<f64>::zeros((n_outputs, n)));
        let mut base_values = Vec::new();
        for i in 0..n_permutations {
            let mut order: Vec<usize> = (0..n).collect();
            shuffle(&mut order, &mut draw(i));
            let mut steps = Array2::zeros((n_outputs, n));
            for _ in 0..2 {
                base_values = add_walk(pair, &order, n_outputs, &value, &mut steps);
                order.reverse();
            }
            steps /= 2.0;
            sums += &steps;
            squares += &(&steps * &steps);
        }
        let count = n_permutations as f64;
        let values = sums / count;
        // The variance of the mean, from pairs that are drawn independently; rounding may leave it below 0.
        let spread = (squares - &values * &values * count) / (count - 1.0) / count;
        let variance = spread.mapv(|x| x.max(0.0));
        Self { values, variance, base_values, evaluations: 2 * n_permutations * (n + 1) }
    }
}

/// `[outputs][coalitions]`; bit `i` of a coalition is set where the pair's `i`-th feature has the row's value.
fn coalition_margins(pair: &Pair<'_>) -> Vec<Vec<f64>> {
    let n = pair.features().len();
    let n_coalitions = 1_usize << n;
    // A leaf counts for S ⊇ A with S ∩ B = ∅. By inclusion and exclusion that is Σ_{T ⊆ B} (−1)^|T| [S ⊇ A ∪ T], a sum over
    // subsets that is taken for all leaves at once at the end; or the coalitions are few, and are gone through.
    let mut moebius: Vec<Vec<f64>> = pair.common().iter().map(|_| vec![0.0; n_coalitions]).collect();
    let mut margins: Vec<Vec<f64>> = pair.common().iter().map(|&common| vec![common; n_coalitions]).collect();
    for leaf in pair.leaves() {
        let mask = |places: &[u32]| places.iter().map(|place| 1_usize << place).sum::<usize>();
        let (of_row, of_reference) = pair.needs(leaf);
        let (present, absent) = (mask(of_row), mask(of_reference));
        let free = (n_coalitions - 1) & !(present | absent);
        let directly = free.count_ones() < absent.count_ones();
        let all = if directly { free } else { absent };
        for part in subsets_of(all) {
            let sign = if directly || part.count_ones() % 2 == 0 { 1.0 } else { -1.0 };
            let into = if directly { &mut margins } else { &mut moebius };
            for (output, value) in pair.added(leaf) {
                into[output][present | part] += sign * value;
            }
        }
    }
    for (margins, mut moebius) in margins.iter_mut().zip(moebius) {
        for axis in 0..n {
            for pair in moebius.chunks_exact_mut(2 << axis) {
                let (without, with) = pair.split_at_mut(1 << axis);
                with.iter_mut().zip(without).for_each(|(with, without)| *with += *without);
            }
        }
        margins.iter_mut().zip(moebius).for_each(|(margin, sum)| *margin += sum);
    }
    margins
}

/// All subsets of a set, the set itself first.
fn subsets_of(set: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(set), move |&part| (part > 0).then(|| (part - 1) & set))
}

/// At `s + 1` the weight of coalitions of `s` features that one joins, `s! (n − s − 1)! / n!`; 0 at both ends.
fn coalition_weights(n: usize) -> Vec<f64> {
    let mut weights = vec![0.0; n + 2];
    let mut weight = 1.0 / n.max(1) as f64;
    for (s, place) in weights[1..=n].iter_mut().enumerate() {
        *place = weight;
        weight *= (s + 1) as f64 / (n - s - 1).max(1) as f64;
    }
    weights
}

/// Adds what each feature changes when the features come in this order; gives the outputs of nobody.
fn add_walk(
    pair: &Pair<'_>,
    order: &[usize],
    n_outputs: usize,
    value: &impl Fn(&mut [f64], &mut [f64]),
    into: &mut Array2<f64>,
) -> Vec<f64> {
    let n = order.len();
    let mut arrival = vec![0; n];
    order.iter().enumerate().for_each(|(step, &feature)| arrival[feature] = step + 1);
    // Row `t`: what changes when `t` features are there.
    let mut changes = Array2::<f64>::zeros((n + 2, pair.common().len()));
    for leaf in pair.leaves() {
        let (of_row, of_reference) = pair.needs(leaf);
        let from = of_row.iter().map(|&i| arrival[i as usize]).max().unwrap_or(0);
        let until = of_reference.iter().map(|&i| arrival[i as usize]).min().unwrap_or(n + 1);
        if from < until {
            for (output, value) in pair.added(leaf) {
                changes[[from, output]] += value;
                changes[[until, output]] -= value;
            }
        }
    }
    let mut margins = pair.common().to_vec();
    let (mut scratch, mut before, mut after) = (margins.clone(), vec![0.0; n_outputs], vec![0.0; n_outputs]);
    let mut nobody = Vec::new();
    for step in 0..=n {
        margins.iter_mut().zip(changes.row(step)).for_each(|(margin, change)| *margin += change);
        scratch.copy_from_slice(&margins);
        value(&mut scratch, &mut after);
        match step {
            0 => nobody = after.clone(),
            _ => (0..n_outputs).for_each(|k| into[[k, order[step - 1]]] += after[k] - before[k]),
        }
        std::mem::swap(&mut before, &mut after);
    }
    nobody
}

/// Fisher and Yates's shuffle.
fn shuffle(order: &mut [usize], generator: &mut ChaCha8Rng) {
    for i in (1..order.len()).rev() {
        // The product's upper half is uniform but for 2^-32 · i, far below any standard error.
        let j = (u64::from(generator.next_u32()) * (i as u64 + 1)) >> 32;
        order.swap(i, j as usize);
    }
}

//! Whether features keep their order of importance.

use serde::Serialize;

/// How the order of features by mean |attribution| compares with the reference's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranking {
    /// [`ndcg`], for those who come from SageMaker Clarify; nearly deaf, see there.
    pub ndcg: f64,
    /// [`kendall_tau`]; `None` where all features are equal.
    pub kendall_tau: Option<f64>,
    /// How many of the most important features are compared.
    pub top_k: usize,
    /// Which share of them is the same.
    pub top_k_overlap: f64,
}

/// Normalized discounted cumulative gain as SageMaker Clarify has it: `DCG = Σ ω(f'_i) / log2(i + 1)`, `f'_i` the feature of rank `i` in the window
/// and `ω` its size in the reference, over the same sum in the reference's own order. Clarify alarms below 0.9. 1 where the reference is 0 throughout.
///
/// Hardly anything gets there: swapping the two largest features of five does not quite, and scaling all attributions or flipping every sign changes nothing. It is here
/// for comparison and alarms nobody. Panics where lists differ in length.
///
/// ```
/// use pellucid_drift::ndcg;
///
/// let reference = [0.5, 0.3, 0.1, 0.06, 0.04];
/// let swapped = ndcg(&reference, &[0.3, 0.5, 0.1, 0.06, 0.04]);
/// assert!((swapped - 0.906).abs() < 1e-3, "{swapped}");
/// assert_eq!(ndcg(&reference, &reference.map(|size| size * 0.1)), 1.0);
/// ```
pub fn ndcg(reference: &[f64], window: &[f64]) -> f64 {
    assert_eq!(reference.len(), window.len(), "sizes of different features");
    let gain = |order: Vec<usize>| -> f64 {
        order.iter().enumerate().map(|(i, &feature)| reference[feature] / (i as f64 + 2.0).log2()).sum()
    };
    let ideal = gain(largest_first(reference));
    if ideal > 0.0 { gain(largest_first(window)) / ideal } else { 1.0 }
}

/// Kendall's τ-b, with ties: `(C − D) / √((P − T_a)(P − T_b))`, `C` and `D` pairs in the same and in opposite order, `P` all pairs, `T` those tied in a list
/// (Kendall 1945). `None` where a list is constant or shorter than 2. Panics where lists differ in length.
///
/// ```
/// use pellucid_drift::kendall_tau;
///
/// assert_eq!(kendall_tau(&[1.0, 2.0, 3.0], &[1.0, 3.0, 2.0]), Some(1.0 / 3.0));
/// assert_eq!(kendall_tau(&[1.0, 2.0], &[4.0, 4.0]), None);
/// ```
pub fn kendall_tau(a: &[f64], b: &[f64]) -> Option<f64> {
    assert_eq!(a.len(), b.len(), "lists of different lengths");
    let (mut balance, mut untied_a, mut untied_b) = (0_i64, 0_i64, 0_i64);
    for i in 0..a.len() {
        for j in 0..i {
            let (in_a, in_b) = (order(a[i], a[j]), order(b[i], b[j]));
            balance += in_a * in_b;
            untied_a += in_a.abs();
            untied_b += in_b.abs();
        }
    }
    let scale = (untied_a as f64 * untied_b as f64).sqrt();
    (scale > 0.0).then(|| (balance as f64 / scale).clamp(-1.0, 1.0))
}

fn order(x: f64, y: f64) -> i64 {
    i64::from(x > y) - i64::from(x < y)
}

/// The share of the `k` largest of `reference` that are among the `k` largest of `window`; of equal ones the first counts as larger. 1 for `k = 0`. Panics where lists
/// differ in length.
///
/// ```
/// assert_eq!(pellucid_drift::top_k_overlap(&[5.0, 4.0, 3.0, 0.0], &[5.0, 0.0, 3.0, 4.0], 2), 0.5);
/// ```
pub fn top_k_overlap(reference: &[f64], window: &[f64], k: usize) -> f64 {
    assert_eq!(reference.len(), window.len(), "sizes of different features");
    let k = k.min(reference.len());
    let top = |sizes: &[f64]| -> Vec<usize> { largest_first(sizes).into_iter().take(k).collect() };
    let (before, now) = (top(reference), top(window));
    if k == 0 {
        return 1.0;
    }
    before.iter().filter(|feature| now.contains(feature)).count() as f64 / k as f64
}

pub(crate) fn ranking(reference: &[f64], window: &[f64], top_k: usize) -> Ranking {
    let top_k = top_k.min(reference.len());
    Ranking {
        ndcg: ndcg(reference, window),
        kendall_tau: kendall_tau(reference, window),
        top_k,
        top_k_overlap: top_k_overlap(reference, window, top_k),
    }
}

fn largest_first(sizes: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|&i, &j| sizes[j].total_cmp(&sizes[i]));
    order
}

#![doc = include_str!("interactions.md")]

use ndarray::{Array2, Array3, Axis};
use pellucid_core::Work;

use crate::ensemble::TreeEnsemble;
use crate::error::Error;
use crate::interventional::shares;
use crate::patterns::{Absence, CutTrees, FeatureSets, Measure, SetSums, binomial};
use crate::rows::Rows;

/// The most sets of features that are looked at, leaf by leaf, before anything is added up.
const MAX_SETS: usize = 100_000_000;

/// Which interaction index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InteractionIndex {
    /// Shapley interaction index.
    Sii,
    /// SII aggregated so that all sets up to the highest order add up.
    KSii,
    /// Shapley–Taylor interaction index.
    Stii,
    /// Faithful Shapley interactions.
    FaithShap,
}

/// How absent features are averaged.
#[derive(Clone, Copy, Debug)]
pub enum Removal<'a> {
    /// By the covers of the splits: absent features follow both children.
    PathDependent,
    /// By the rows of a background.
    Interventional(Rows<'a>),
}

/// Values of sets of features; sets that no path of the model holds together have the value 0 and are not listed.
#[derive(Clone, Debug, PartialEq)]
pub struct Interactions {
    /// The sets, each ascending; by size, then in order.
    pub sets: Vec<Vec<u32>>,
    /// `[rows, outputs, sets]`, in margin units.
    pub values: Array3<f64>,
    /// The margins, `[rows, outputs]`.
    pub outputs: Array2<f64>,
    /// The game of nobody, `[outputs]`.
    pub base_values: Vec<f64>,
    /// `Σ values − (output − base_value)`, `[rows, outputs]`, for the indices that add up: all but SII.
    pub convergence_delta: Option<Array2<f64>>,
}

impl InteractionIndex {
    /// All indices with their names in options.
    pub const NAMES: [(&'static str, Self); 4] =
        [("sii", Self::Sii), ("k_sii", Self::KSii), ("stii", Self::Stii), ("faith_shap", Self::FaithShap)];

    /// The index's name in options.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, index)| *index == self).map_or("", |(name, _)| name)
    }
}

impl Interactions {
    /// The sets of one row and output that have a value other than 0, in order.
    pub fn row(&self, row: usize, output: usize) -> Vec<(&[u32], f64)> {
        let values = self.values.index_axis(Axis(0), row);
        let values = values.index_axis_move(Axis(0), output);
        let all = self.sets.iter().map(Vec::as_slice).zip(values.iter().copied());
        all.filter(|(_, value)| *value != 0.0).collect()
    }
}

/// The interactions of rows, for all sets of up to `max_order` features.
///
/// # Errors
/// Rows or a background of another width than the model, an empty background, path-dependent removal without covers, a
/// `max_order` of 0 or one with more sets than fit into the memory, cancellation.
pub fn interactions(
    ensemble: &TreeEnsemble,
    rows: Rows<'_>,
    removal: Removal<'_>,
    index: InteractionIndex,
    max_order: usize,
    work: &Work,
) -> Result<Interactions, Error> {
    ensemble.check()?;
    rows.check(ensemble, "rows")?;
    let cut = CutTrees::new(ensemble)?;
    let sets = feature_sets(&cut, max_order, rows, work)?;
    let measure = match index {
        InteractionIndex::Sii | InteractionIndex::KSii => Measure::Shapley,
        InteractionIndex::Stii => Measure::ShapleyTaylor(max_order),
        InteractionIndex::FaithShap => Measure::FaithShap(max_order),
    };
    let sum = |absence: Absence<'_>| {
        SetSums::new(&cut, absence, measure, &sets, max_order).of_rows(rows, None, work)
    };
    let (mut values, base_values) = match removal {
        Removal::PathDependent => {
            let base_values = ensemble.expected_value()?;
            (sum(Absence::Covers)?, base_values)
        }
        Removal::Interventional(background) => {
            background.check(ensemble, "background")?;
            let shares = shares(background, &vec![1.0; background.n_rows()])?;
            let patterns = cut.count_patterns(background, &shares, work)?;
            (sum(Absence::Background(&patterns))?, ensemble.mean_margins(background, &shares))
        }
    };
    if index == InteractionIndex::KSii {
        aggregate(&sets, max_order, &mut values);
    }
    let outputs = ensemble.margins(rows)?;
    let delta = || {
        let base = Array2::from_shape_fn(outputs.dim(), |(_, output)| base_values[output]);
        values.sum_axis(Axis(2)) - (&outputs - &base)
    };
    let convergence_delta = (index != InteractionIndex::Sii).then(delta);
    let sets = sets.iter().map(<[u32]>::to_vec).collect();
    Ok(Interactions { sets, values, outputs, base_values, convergence_delta })
}

/// The sets, where they and their values fit into the memory.
fn feature_sets(
    cut: &CutTrees<'_>,
    max_order: usize,
    rows: Rows<'_>,
    work: &Work,
) -> Result<FeatureSets, Error> {
    let fault = |reason: String| Error::Setting { option: "max_order", reason };
    if max_order == 0 {
        return Err(fault(
            "0 features have no interaction; 1 gives single features, 2 pairs as well".to_owned(),
        ));
    }
    let leaves = cut.trees.iter().flat_map(|tree| &tree.fragments).flat_map(|fragment| &fragment.leaves);
    let of_leaf = |n: usize| (1..=max_order).map(|k| binomial(n, k)).fold(0, usize::saturating_add);
    let looked_at = leaves.map(|leaf| of_leaf(leaf.features.len())).fold(0, usize::saturating_add);
    if looked_at > MAX_SETS {
        return Err(fault(format!(
            "{max_order} gives {looked_at} sets on the model's paths; take a lower order"
        )));
    }
    let sets = cut.feature_sets(max_order);
    let n_values = rows.n_rows().max(1) * cut.ensemble.n_outputs() * sets.len();
    if n_values.saturating_mul(8) > work.max_memory_bytes {
        let memory = work.max_memory_bytes;
        let reason =
            format!("{n_values} values do not fit into {memory} bytes; take fewer rows or a lower order");
        return Err(fault(reason));
    }
    Ok(sets)
}

/// From SII to k-SII: `Σ_{T ⊇ S, |T| ≤ k} B_{|T|−|S|} SII(T)`.
fn aggregate(sets: &FeatureSets, max_order: usize, values: &mut Array3<f64>) {
    let numbers = bernoulli_numbers(max_order);
    let mut terms = Vec::new();
    for (place, set) in sets.iter().enumerate() {
        for members in 1..(1_usize << set.len()) - 1 {
            let part: Vec<u32> = (0..set.len()).filter(|i| members >> i & 1 == 1).map(|i| set[i]).collect();
            terms.push((sets.place(&part), place, numbers[set.len() - part.len()]));
        }
    }
    for mut of_row in values.lanes_mut(Axis(2)) {
        let sii = of_row.to_owned();
        terms.iter().for_each(|&(part, whole, number)| of_row[part] += number * sii[whole]);
    }
}

/// `B_0` to `B_n`, with `B_1 = −½`: `Σ_{j ≤ m} C(m + 1, j) B_j = 0`.
fn bernoulli_numbers(n: usize) -> Vec<f64> {
    let mut numbers = vec![1.0];
    for m in 1..=n {
        let sum: f64 = numbers.iter().enumerate().map(|(j, b)| binomial(m + 1, j) as f64 * b).sum();
        numbers.push(-sum / (m + 1) as f64);
    }
    numbers
}

#[cfg(test)]
mod tests;

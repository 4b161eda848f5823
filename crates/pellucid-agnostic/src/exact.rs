#![doc = include_str!("exact.md")]

use ndarray::{Array1, Array2, Axis};
use pellucid_core::Work;

use crate::asked::{Active, PIECE};
use crate::coalition::Coalition;
use crate::error::Error;
use crate::estimate::Estimate;
use crate::game::Game;

/// Which average of a player's gains `v(S ∪ i) − v(S)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Value {
    /// Over all orders in which players may come: complete.
    #[default]
    Shapley,
    /// Over all coalitions of the others alike: not complete.
    Banzhaf,
}

impl Value {
    /// The weight of a gain over a coalition of `size` others, of `n_players`.
    fn weight(self, size: usize, n_players: usize) -> f64 {
        match self {
            Self::Shapley => 1.0 / (n_players as f64 * binomial(n_players - 1, size)),
            Self::Banzhaf => 0.5_f64.powi(n_players as i32 - 1),
        }
    }
}

/// Settings of [`exact`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Which values.
    pub value: Value,
    /// Coalitions that may be asked about; all 2^players must fit.
    pub max_evaluations: usize,
}

impl Default for Options {
    /// As many evaluations as shap's exact explainer allows.
    fn default() -> Self {
        Self { value: Value::Shapley, max_evaluations: 100_000 }
    }
}

/// Exact Shapley or Banzhaf values from the worth of every coalition of players that can change something, for all targets at once.
///
/// # Errors
/// More coalitions than `max_evaluations`, whatever the game reports.
pub fn exact(game: &dyn Game, options: &Options, work: &Work) -> Result<Estimate, Error> {
    let active = Active::new(game, work);
    check_enumerable(&active, options.max_evaluations)?;
    values(&active, options.value)
}

pub(crate) fn check_enumerable(active: &Active<'_>, max_evaluations: usize) -> Result<(), Error> {
    match active.is_enumerable(max_evaluations) {
        true => Ok(()),
        false => {
            let n = active.n_players();
            let reason = format!(
                "{max_evaluations} are too few for all 2^{n} coalitions of {n} players; allow more, group features, or sample"
            );
            Err(Error::setting("max_evaluations", reason))
        }
    }
}

/// The values of an enumerable game: `φ_i = Σ_{S ∌ i} w(|S|) (v(S ∪ i) − v(S))`, which is
/// `Σ_{S ∋ i} (w(|S| − 1) + w(|S|)) v(S) − Σ_S w(|S|) v(S)`: one pass over the coalitions, none of them kept.
pub(crate) fn values(active: &Active<'_>, value: Value) -> Result<Estimate, Error> {
    let (n, n_targets) = (active.n_players(), active.n_targets());
    let weight = |size: usize| if size < n { value.weight(size, n) } else { 0.0 };
    let mut of_members: Array2<f64> = Array2::zeros((n, n_targets));
    let mut of_all: Array1<f64> = Array1::zeros(n_targets);
    let (mut base_values, mut outputs) = (None, Array1::zeros(n_targets));
    for_each_coalition(active, |bits, worth| {
        // From nobody's worth, so that a large constant costs no digits.
        let gain = &worth - &*base_values.get_or_insert_with(|| worth.to_owned());
        let size = bits.count_ones() as usize;
        of_all.scaled_add(weight(size), &gain);
        let of_member = weight(size) + size.checked_sub(1).map_or(0.0, weight);
        (0..n).filter(|player| bits >> player & 1 == 1).for_each(|player| {
            of_members.row_mut(player).scaled_add(of_member, &gain);
        });
        outputs.assign(&worth);
    })?;
    let values = of_members - &of_all;
    Ok(Estimate {
        standard_error: Some(active.spread(Array2::zeros((n, n_targets)).view())),
        values: active.spread(values.view()),
        base_values: base_values.unwrap_or_else(|| Array1::zeros(n_targets)),
        outputs,
        evaluations: 1 << n,
        warnings: Vec::new(),
    })
}

/// Hands over every coalition (bit i: player i is present) and its worth, in order from nobody to all.
pub(crate) fn for_each_coalition(
    active: &Active<'_>,
    mut take: impl FnMut(usize, ndarray::ArrayView1<'_, f64>),
) -> Result<(), Error> {
    let n = active.n_players();
    for start in (0..1_usize << n).step_by(PIECE) {
        let range = start..(1 << n).min(start + PIECE);
        let coalitions: Vec<_> = range.clone().map(|bits| Coalition::from_bits(n, bits)).collect();
        let worths = active.worth(&coalitions)?;
        range.zip(worths.axis_iter(Axis(0))).for_each(|(bits, worth)| take(bits, worth));
    }
    Ok(())
}

/// `n` over `k`, as near as f64 is.
pub(crate) fn binomial(n: usize, k: usize) -> f64 {
    let k = k.min(n.saturating_sub(k));
    (1..=k).fold(1.0, |product, i| product * (n - k + i) as f64 / i as f64)
}

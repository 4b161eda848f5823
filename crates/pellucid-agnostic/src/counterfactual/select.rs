//! Which of many counterfactuals are shown: near, sparse, and unlike each other.

use ndarray::Array2;

use super::oracle::Member;
use super::space::Space;

/// `det K`, `K_ij = 1 / (1 + distance(i, j))`: 0 where two are the same, towards 1 where all are far from each other
/// (Mothilal et al. 2020, eq. 4).
pub(super) fn diversity(space: &Space, members: &[&Member]) -> f64 {
    let kernel = Array2::from_shape_fn((members.len(), members.len()), |(i, j)| {
        1.0 / (1.0 + space.between(&members[i].state, &members[j].state))
    });
    determinant(kernel)
}

/// By elimination with the largest pivot.
fn determinant(mut matrix: Array2<f64>) -> f64 {
    let n = matrix.nrows();
    let mut determinant = 1.0;
    for column in 0..n {
        let size = |row: &usize| matrix[[*row, column]].abs();
        let pivot = (column..n).max_by(|a, b| size(a).total_cmp(&size(b))).unwrap_or(column);
        if matrix[[pivot, column]] == 0.0 {
            return 0.0;
        }
        if pivot != column {
            (0..n).for_each(|k| matrix.swap([pivot, k], [column, k]));
            determinant = -determinant;
        }
        determinant *= matrix[[column, column]];
        for row in column + 1..n {
            let factor = matrix[[row, column]] / matrix[[column, column]];
            for k in column..n {
                let above = matrix[[column, k]];
                matrix[[row, k]] -= factor * above;
            }
        }
    }
    determinant
}

/// DiCE's objective of a set, to be made small: mean cost − weight · diversity.
fn objective(space: &Space, members: &[&Member], diversity_weight: f64) -> f64 {
    let mean_cost = members.iter().map(|member| member.cost).sum::<f64>() / members.len() as f64;
    mean_cost - diversity_weight * diversity(space, members)
}

/// `n` of `pool` with a small objective: one after the other, then exchanged while that helps. The least cost comes first.
pub(super) fn select(space: &Space, pool: &[Member], n: usize, diversity_weight: f64) -> Vec<Member> {
    let mut chosen: Vec<&Member> = Vec::new();
    while chosen.len() < n.min(pool.len()) {
        let place = chosen.len();
        if !exchange(space, pool, &mut chosen, place, diversity_weight) {
            break;
        }
    }
    for _ in 0..n {
        let places = 0..chosen.len();
        let changed: Vec<bool> =
            places.map(|place| exchange(space, pool, &mut chosen, place, diversity_weight)).collect();
        if !changed.contains(&true) {
            break;
        }
    }
    chosen.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    chosen.into_iter().cloned().collect()
}

/// Puts the best of the pool at `place`, behind the others if nobody stands there. Whether that changed anything.
fn exchange<'m>(
    space: &Space,
    pool: &'m [Member],
    chosen: &mut Vec<&'m Member>,
    place: usize,
    diversity_weight: f64,
) -> bool {
    let mut best = match place < chosen.len() {
        true => objective(space, chosen, diversity_weight),
        false => f64::INFINITY,
    };
    let mut with = chosen.clone();
    with.truncate(place);
    with.extend(pool.first());
    with.extend(chosen.iter().skip(place + 1));
    let mut changed = false;
    for member in pool {
        if chosen.iter().any(|other| std::ptr::eq(*other, member)) {
            continue;
        }
        with[place] = member;
        let value = objective(space, &with, diversity_weight);
        // The slack keeps rounding from exchanging in circles.
        if value < best - 1e-12 {
            (best, changed) = (value, true);
            chosen.truncate(chosen.len().max(place));
            match chosen.get_mut(place) {
                Some(slot) => *slot = member,
                None => chosen.push(member),
            }
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn determinants_are_those_of_the_formula() {
        assert_eq!(determinant(array![[0.0, 2.0], [3.0, 4.0]]), -6.0);
        let three = determinant(array![[2.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 4.0]]);
        assert!((three - 18.0).abs() < 1e-12, "{three}");
        assert_eq!(determinant(array![[1.0, 1.0], [1.0, 1.0]]), 0.0);
        assert_eq!(determinant(Array2::zeros((0, 0))), 1.0);
    }
}

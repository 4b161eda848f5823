//! What axes count after a reshape.

use pellucid_graph::Dim;

use super::{Role, Tokens};

/// The roles of the axes `to`, made of the axes `from` with these roles, by the groups of axes that hold the same elements.
pub(super) fn after(from: &[Dim], roles: &[Role], to: &[Dim]) -> Option<Vec<Role>> {
    let from: Vec<Length> = from.iter().map(Length::of).collect::<Option<_>>()?;
    let to: Vec<Length> = to.iter().map(Length::of).collect::<Option<_>>()?;
    let mut result = Vec::with_capacity(to.len());
    let (mut i, mut j) = (0, 0);
    while j < to.len() {
        // An axis of length 1 that the input does not have here holds nothing.
        if to[j] == Length::ONE && from.get(i) != Some(&Length::ONE) {
            result.push(Role::Other);
            j += 1;
            continue;
        }
        let (first, own) = (i, j);
        let (mut inside, mut outside) = (*from.get(i)?, to[j]);
        (i, j) = (i + 1, j + 1);
        while inside != outside {
            if inside < outside {
                inside = inside.times(*from.get(i)?);
                i += 1;
            } else {
                outside = outside.times(*to.get(j)?);
                j += 1;
            }
        }
        let group: Vec<(&Role, usize)> = match i - first {
            1 => vec![(&roles[first], inside.number)],
            _ => {
                let axes = roles[first..i].iter().zip(&from[first..i]);
                axes.filter(|(_, n)| **n != Length::ONE).map(|(role, n)| (role, n.number)).collect()
            }
        };
        let into: Vec<usize> = to[own..j].iter().map(|length| length.number).collect();
        result.extend(regrouped(&group, &into));
    }
    Some(result)
}

/// A length as a number times a power of the batch; those with more of the batch are larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Length {
    batches: u32,
    number: usize,
}

impl Length {
    const ONE: Self = Self { batches: 0, number: 1 };

    fn of(dim: &Dim) -> Option<Self> {
        match dim {
            Dim::Known(number) => Some(Self { batches: 0, number: *number }),
            Dim::Symbol { times, .. } => Some(Self { batches: 1, number: *times }),
            Dim::Unknown => None,
        }
    }

    fn times(self, other: Self) -> Self {
        Self { batches: self.batches + other.batches, number: self.number.saturating_mul(other.number) }
    }
}

/// The roles of the axes of these lengths, which hold what the axes of `group` held.
fn regrouped(group: &[(&Role, usize)], into: &[usize]) -> Vec<Role> {
    let one = |role: Role| vec![role];
    match (group, into) {
        ([], into) => vec![Role::Other; into.len()],
        ([(role, _)], [_]) => one((*role).clone()),
        ([(Role::Tokens(tokens), _)], _) if !tokens.has_extra() && tokens.grid == into => {
            (0..into.len()).map(Role::Side).collect()
        }
        (group, into) if group.iter().all(|(role, _)| **role == Role::Channel) => {
            vec![Role::Channel; into.len()]
        }
        (group, [_]) if group.iter().enumerate().all(|(side, (role, _))| **role == Role::Side(side)) => {
            let grid = group.iter().map(|(_, length)| *length).collect();
            one(Role::Tokens(Tokens { grid, n_before: 0, n_after: 0 }))
        }
        (_, into) => vec![Role::Other; into.len()],
    }
}

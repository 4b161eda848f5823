//! Which players belong together, and which of those again.

use ndarray::{Array2, ArrayView2, Axis};

use crate::error::Error;

/// A tree whose leaves are players.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hierarchy {
    /// One player.
    Player(usize),
    /// Players that are taken in and out together from outside.
    Group(Vec<Hierarchy>),
}

impl Hierarchy {
    /// Neighbors belong together: halves of halves, for words of a text or steps of a time series.
    pub fn halved(n_players: usize) -> Self {
        Self::halved_range(0, n_players)
    }

    fn halved_range(start: usize, n_players: usize) -> Self {
        match n_players {
            0 => Self::Group(Vec::new()),
            1 => Self::Player(start),
            _ => {
                let half = n_players / 2;
                Self::Group(vec![
                    Self::halved_range(start, half),
                    Self::halved_range(start + half, n_players - half),
                ])
            }
        }
    }

    /// Columns of `rows` `[rows, players]` that go together belong together: hierarchical clustering by the distance 1 − |r|, r the
    /// correlation, with average linkage (Sokal & Michener 1958). A constant column goes with none.
    ///
    /// # Errors
    /// [`Error::NotFinite`].
    pub fn by_correlation(rows: ArrayView2<'_, f64>) -> Result<Self, Error> {
        if let Some(((row, column), &value)) = rows.indexed_iter().find(|(_, value)| !value.is_finite()) {
            return Err(Error::NotFinite { what: "rows to cluster by", value, index: vec![row, column] });
        }
        let mut distances = distances(rows);
        let mut clusters: Vec<(Self, f64)> =
            (0..rows.ncols()).map(|player| (Self::Player(player), 1.0)).collect();
        while clusters.len() > 1 {
            let (first, second) = nearest(&distances);
            let (other, n_other) = clusters.remove(second);
            let (own, n_own) = clusters[first].clone();
            // The mean over all pairs of one of either and one of another cluster.
            let merged =
                (&distances.row(first) * n_own + &distances.row(second) * n_other) / (n_own + n_other);
            distances.row_mut(first).assign(&merged);
            distances.column_mut(first).assign(&merged);
            let kept: Vec<usize> = (0..=clusters.len()).filter(|&index| index != second).collect();
            distances = distances.select(Axis(0), &kept).select(Axis(1), &kept);
            clusters[first] = (Self::Group(vec![own, other]), n_own + n_other);
        }
        Ok(clusters.pop().map_or(Self::Group(Vec::new()), |(cluster, _)| cluster))
    }

    /// What merging clusters two by two makes: below `n_players` a number is a player, and behind them each pair makes the next one, as
    /// in a linkage matrix of SciPy. What nobody merged stands side by side.
    ///
    /// # Errors
    /// A cluster that is not there, or that was merged before.
    pub fn merged(n_players: usize, pairs: &[[usize; 2]]) -> Result<Self, Error> {
        let mut clusters: Vec<Option<Self>> =
            (0..n_players).map(|player| Some(Self::Player(player))).collect();
        for pair in pairs {
            let children = pair.map(|number| {
                let cluster = clusters.get_mut(number).and_then(Option::take);
                cluster.ok_or_else(|| {
                    Error::setting("hierarchy", format!("cluster {number} is not there, or merged before"))
                })
            });
            let [first, second] = children;
            clusters.push(Some(Self::Group(vec![first?, second?])));
        }
        let mut left: Vec<Self> = clusters.into_iter().flatten().collect();
        match left.len() {
            1 => Ok(left.remove(0)),
            _ => Ok(Self::Group(left)),
        }
    }

    /// The players, from left to right.
    pub fn players(&self) -> Vec<usize> {
        match self {
            Self::Player(player) => vec![*player],
            Self::Group(children) => children.iter().flat_map(Self::players).collect(),
        }
    }

    /// Without players that `number` gives no new number, and without groups of one.
    pub(crate) fn renumbered(&self, number: &impl Fn(usize) -> Option<usize>) -> Option<Self> {
        match self {
            Self::Player(player) => number(*player).map(Self::Player),
            Self::Group(children) => {
                let mut left: Vec<Self> =
                    children.iter().filter_map(|child| child.renumbered(number)).collect();
                match left.len() {
                    0 | 1 => left.pop(),
                    _ => Some(Self::Group(left)),
                }
            }
        }
    }
}

fn distances(rows: ArrayView2<'_, f64>) -> Array2<f64> {
    let n = rows.nrows().max(1) as f64;
    let mut scaled = &rows - &(rows.sum_axis(Axis(0)) / n);
    for mut column in scaled.columns_mut() {
        let norm = column.dot(&column).sqrt();
        column.mapv_inplace(|x| if norm > 0.0 { x / norm } else { 0.0 });
    }
    scaled.t().dot(&scaled).mapv(|correlation: f64| 1.0 - correlation.abs())
}

/// The two nearest, of equals the first.
fn nearest(distances: &Array2<f64>) -> (usize, usize) {
    let n = distances.nrows();
    let pairs = (0..n).flat_map(|first| (first + 1..n).map(move |second| (first, second)));
    let nearer = |best: (usize, usize), pair: (usize, usize)| {
        if distances[pair] < distances[best] { pair } else { best }
    };
    pairs.fold((0, 1), nearer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn group(children: impl Into<Vec<Hierarchy>>) -> Hierarchy {
        Hierarchy::Group(children.into())
    }

    #[test]
    fn halves_keep_neighbors_together() {
        let of = Hierarchy::Player;
        assert_eq!(Hierarchy::halved(3), group([of(0), group([of(1), of(2)])]));
        assert_eq!(Hierarchy::halved(9).players(), (0..9).collect::<Vec<_>>());
        assert_eq!(Hierarchy::halved(0), group([]));
    }

    #[test]
    fn clusters_are_merged_as_a_linkage_says() {
        let of = Hierarchy::Player;
        let merged = Hierarchy::merged(4, &[[0, 2], [4, 3]]).expect("a hierarchy");
        assert_eq!(merged, group([of(1), group([group([of(0), of(2)]), of(3)])]));
        assert_eq!(Hierarchy::merged(2, &[[0, 1]]), Ok(group([of(0), of(1)])));
        for pairs in [&[[0, 0]][..], &[[0, 1], [0, 2]], &[[0, 9]]] {
            let refusal = Hierarchy::merged(3, pairs).expect_err("a refusal").to_string();
            assert!(refusal.contains("is not there, or merged before"), "{refusal}");
        }
    }

    #[test]
    fn columns_that_go_together_are_together() {
        // 3 is 0 the other way round; 1 and 2 differ a little; 4 is constant.
        let rows = array![
            [1.0, 5.0, 5.1, -1.0, 7.0],
            [2.0, 3.0, 2.7, -2.0, 7.0],
            [3.0, 6.0, 6.3, -3.0, 7.0],
            [4.0, 2.0, 2.2, -4.0, 7.0]
        ];
        let of = Hierarchy::Player;
        let clustered = Hierarchy::by_correlation(rows.view()).expect("a hierarchy");
        let expected = group([group([group([of(0), of(3)]), group([of(1), of(2)])]), of(4)]);
        assert_eq!(clustered, expected);
        assert!(Hierarchy::by_correlation(array![[f64::NAN]].view()).is_err());
    }
}

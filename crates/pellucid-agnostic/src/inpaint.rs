//! Fills holes smoothly from what stands around them.

use std::collections::VecDeque;

use ndarray::ArrayViewMutD;

/// The filled values are right to about this share of the range of what stands around the hole.
const TOLERANCE: f64 = 1e-6;
/// What rounding leaves of the sum of an element's neighbors, as a share of their size: around one color there is nothing else.
const ROUNDING: f64 = 1e-12;

/// Replaces the elements of `values` where `absent` says so by the harmonic function that the others leave: each is the mean of its
/// neighbors along the axes, and at the array's edge of those that are there. Axes but `channel_axis` are places; channels are filled
/// each on its own. A channel in which everything is absent stays as it is.
pub(crate) fn fill_harmonically(
    values: &mut ArrayViewMutD<'_, f64>,
    absent: &[bool],
    channel_axis: Option<usize>,
) {
    let shape = values.shape().to_vec();
    let mut flat: Vec<f64> = values.iter().copied().collect();
    let mut strides = vec![1; shape.len()];
    for axis in (0..shape.len().saturating_sub(1)).rev() {
        strides[axis] = strides[axis + 1] * shape[axis + 1];
    }
    let n_channels = channel_axis.map_or(1, |axis| shape[axis]);
    for channel in 0..n_channels {
        let places = (0..flat.len())
            .filter(|place| channel_axis.is_none_or(|axis| place / strides[axis] % shape[axis] == channel));
        let hole: Vec<usize> = places.clone().filter(|&place| absent[place]).collect();
        let n_present = places.count() - hole.len();
        if !hole.is_empty() && n_present > 0 {
            Hole { shape: &shape, strides: &strides, channel_axis, absent, places: hole }.fill(&mut flat);
        }
    }
    for (slot, value) in values.iter_mut().zip(flat) {
        *slot = value;
    }
}

/// The absent elements of one channel.
struct Hole<'a> {
    shape: &'a [usize],
    strides: &'a [usize],
    channel_axis: Option<usize>,
    absent: &'a [bool],
    places: Vec<usize>,
}

impl Hole<'_> {
    fn neighbors(&self, place: usize) -> impl Iterator<Item = usize> + '_ {
        let axes = (0..self.shape.len()).filter(|&axis| Some(axis) != self.channel_axis);
        axes.flat_map(move |axis| {
            let (index, stride) = (place / self.strides[axis] % self.shape[axis], self.strides[axis]);
            let before = (index > 0).then(|| place - stride);
            let behind = (index + 1 < self.shape[axis]).then_some(place + stride);
            before.into_iter().chain(behind)
        })
    }

    /// Conjugate gradients on `n x_u − Σ x_v = 0` over the hole, from a first guess, each step with the number of neighbors taken out.
    fn fill(&self, values: &mut [f64]) {
        let (low, high) = self.guess(values);
        let enough = TOLERANCE * (high - low) + ROUNDING * low.abs().max(high.abs());
        let mut residual = vec![0.0; values.len()];
        let mut direction = vec![0.0; values.len()];
        let mut image = vec![0.0; values.len()];
        let n_neighbors: Vec<f64> = self.places.iter().map(|&u| self.neighbors(u).count() as f64).collect();
        for &u in &self.places {
            residual[u] = self.neighbors(u).map(|v| values[v] - values[u]).sum();
        }
        let mut weighted = 0.0;
        for (&u, n) in self.places.iter().zip(&n_neighbors) {
            direction[u] = residual[u] / n;
            weighted += residual[u] * direction[u];
        }
        for _ in 0..10 * self.places.len() {
            let largest = self.places.iter().fold(0.0_f64, |largest, &u| largest.max(residual[u].abs()));
            if largest <= enough {
                break;
            }
            let mut curvature = 0.0;
            for (&u, n) in self.places.iter().zip(&n_neighbors) {
                // Outside the hole the direction is 0.
                image[u] = n * direction[u] - self.neighbors(u).map(|v| direction[v]).sum::<f64>();
                curvature += direction[u] * image[u];
            }
            let step = weighted / curvature;
            let before = weighted;
            weighted = 0.0;
            for (&u, n) in self.places.iter().zip(&n_neighbors) {
                values[u] += step * direction[u];
                residual[u] -= step * image[u];
                weighted += residual[u] * residual[u] / n;
            }
            for (&u, n) in self.places.iter().zip(&n_neighbors) {
                direction[u] = residual[u] / n + weighted / before * direction[u];
            }
        }
    }

    /// Fills the hole from its rim inwards, each element with the mean of its neighbors that are known by then; the least and the
    /// largest value of the rim.
    fn guess(&self, values: &mut [f64]) -> (f64, f64) {
        let mut known: Vec<bool> = self.absent.iter().map(|absent| !absent).collect();
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut waiting: VecDeque<usize> = VecDeque::new();
        let mut queued = vec![false; values.len()];
        for &u in &self.places {
            for v in self.neighbors(u).filter(|&v| known[v]) {
                (low, high) = (low.min(values[v]), high.max(values[v]));
                if !std::mem::replace(&mut queued[u], true) {
                    waiting.push_back(u);
                }
            }
        }
        while let Some(u) = waiting.pop_front() {
            let (sum, n) = self
                .neighbors(u)
                .filter(|&v| known[v])
                .fold((0.0, 0.0), |(sum, n), v| (sum + values[v], n + 1.0));
            values[u] = sum / n;
            known[u] = true;
            for v in self.neighbors(u).filter(|&v| !known[v]) {
                if !std::mem::replace(&mut queued[v], true) {
                    waiting.push_back(v);
                }
            }
        }
        (low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cholesky::Cholesky;
    use ndarray::{Array1, Array2, ArrayD, array};
    use pellucid_core::Draws;

    fn filled(values: &ArrayD<f64>, absent: &[bool], channel_axis: Option<usize>) -> ArrayD<f64> {
        let mut filled = values.clone();
        fill_harmonically(&mut filled.view_mut(), absent, channel_axis);
        filled
    }

    /// In one dimension a harmonic function is a straight line, and constant where one end is open.
    #[test]
    fn along_a_line_it_interpolates() {
        let values = array![9.0, 1.0, 0.0, 0.0, 0.0, 5.0, 7.0, 7.0].into_dyn();
        let absent = [true, false, true, true, true, false, true, true];
        let expected = array![1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 5.0];
        let gap = filled(&values, &absent, None) - expected;
        assert!(gap.iter().all(|gap| gap.abs() < 1e-5), "{gap}");
    }

    /// The same equations solved whole.
    #[test]
    fn it_solves_laplaces_equation() {
        let mut generator = Draws::new(5, &[0; 32], "inpaint").draw(0);
        let (height, width) = (7, 9);
        let values =
            ArrayD::from_shape_simple_fn(vec![height, width, 2], || crate::draw::unit(&mut generator));
        let absent: Vec<bool> =
            (0..height * width).map(|_| crate::draw::unit(&mut generator) < 0.7).collect();
        let both: Vec<bool> = absent.iter().flat_map(|&absent| [absent, absent]).collect();
        let result = filled(&values, &both, Some(2));
        let hole: Vec<usize> = (0..absent.len()).filter(|&place| absent[place]).collect();
        for channel in 0..2 {
            let (mut matrix, mut right) =
                (Array2::zeros((hole.len(), hole.len())), Array1::zeros(hole.len()));
            for (row, &place) in hole.iter().enumerate() {
                let (y, x) = (place / width, place % width);
                let near = [(y.wrapping_sub(1), x), (y + 1, x), (y, x.wrapping_sub(1)), (y, x + 1)];
                for (y, x) in near.into_iter().filter(|&(y, x)| y < height && x < width) {
                    matrix[[row, row]] += 1.0;
                    match hole.iter().position(|&other| other == y * width + x) {
                        Some(column) => matrix[[row, column]] -= 1.0,
                        None => right[row] += values[[y, x, channel]],
                    }
                }
            }
            let solved = Cholesky::new(&matrix).solve(right.view());
            for (&place, expected) in hole.iter().zip(solved) {
                let value = result[[place / width, place % width, channel]];
                assert!((value - expected).abs() < 1e-5, "{value} is not {expected}");
            }
        }
        for place in (0..absent.len()).filter(|&place| !absent[place]) {
            assert_eq!(result[[place / width, place % width, 0]], values[[place / width, place % width, 0]]);
        }
    }

    #[test]
    fn a_hole_in_one_color_gets_that_color() {
        let values = ArrayD::from_elem(vec![6, 6], 0.1);
        let absent: Vec<bool> = (0..36).map(|place| place % 6 > 1 && place / 6 > 2).collect();
        let gap = filled(&values, &absent, None) - 0.1;
        assert!(gap.iter().all(|gap| gap.abs() < 1e-12), "{gap}");
    }

    #[test]
    fn nothing_present_and_nothing_absent_stay() {
        let values = ArrayD::from_shape_fn(vec![3, 4], |place| (place[0] * place[1]) as f64);
        assert_eq!(filled(&values, &[true; 12], None), values);
        assert_eq!(filled(&values, &[false; 12], None), values);
    }
}

//! Positions: the elements of a row that go together. A cell of a table; a pixel or a patch of an image with all its
//! channels.

use ndarray::{ArrayViewD, Axis};

use crate::error::Error;

/// How the elements of a row fall into positions. A site is what is left of an element without its channel, in row-major
/// order `[outer, inner]`; a position is one site, or the sites of a patch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Positions {
    row_shape: Vec<usize>,
    channel_axis: Option<usize>,
    n_channels: usize,
    inner: usize,
    /// The sites of each position.
    sites: Vec<Vec<usize>>,
}

impl Positions {
    /// The positions of a row `[features…]`; `channel_axis` is the axis over which a position extends, `patch` how far
    /// it extends along every other axis (patches at the end may be smaller).
    pub(crate) fn of_row(
        row_shape: &[usize],
        channel_axis: Option<usize>,
        patch: usize,
    ) -> Result<Self, Error> {
        let (n_channels, inner) = match channel_axis {
            None => (1, 1),
            Some(axis) if axis < row_shape.len() => (row_shape[axis], row_shape[axis + 1..].iter().product()),
            Some(axis) => {
                let reason = format!("there is no axis {axis} in rows of shape {row_shape:?}");
                return Err(Error::Setting { option: "channel_axis", reason });
            }
        };
        let mut grid = row_shape.to_vec();
        if let Some(axis) = channel_axis {
            grid.remove(axis);
        }
        let sites = patches(&grid, patch);
        Ok(Self { row_shape: row_shape.to_vec(), channel_axis, n_channels, inner, sites })
    }

    pub(crate) fn len(&self) -> usize {
        self.sites.len()
    }

    /// The elements of one position, as offsets into the row.
    pub(crate) fn elements(&self, position: usize) -> impl Iterator<Item = usize> {
        let (n_channels, inner) = (self.n_channels, self.inner);
        self.sites[position].iter().flat_map(move |site| {
            let start = site / inner * n_channels * inner + site % inner;
            (0..n_channels).map(move |channel| start + channel * inner)
        })
    }

    /// The value of each position: the sum over its channels, the mean over its sites, so that smaller patches at the
    /// edge are not behind. `values` has the row's shape, or that shape with the channel axis already summed (gone, or
    /// of length 1), as a CAM gives it.
    pub(crate) fn values(&self, values: ArrayViewD<'_, f64>) -> Result<Vec<f64>, Error> {
        let of_sites = self.sums_over_channels(values)?;
        let mean =
            |sites: &Vec<usize>| sites.iter().map(|&site| of_sites[site]).sum::<f64>() / sites.len() as f64;
        Ok(self.sites.iter().map(mean).collect())
    }

    fn sums_over_channels(&self, values: ArrayViewD<'_, f64>) -> Result<Vec<f64>, Error> {
        if values.shape() == self.row_shape {
            return Ok(match self.channel_axis {
                Some(axis) => sum_axis(values, axis),
                None => values.iter().copied().collect(),
            });
        }
        if self.summed_shapes().iter().any(|shape| values.shape() == shape) {
            return Ok(values.iter().copied().collect());
        }
        let also: String = self.summed_shapes().iter().map(|shape| format!(" or {shape:?}")).collect();
        Err(Error::Shape {
            what: "attribution of one row",
            expected: format!("{:?}{also}", self.row_shape),
            actual: values.shape().to_vec(),
        })
    }

    fn summed_shapes(&self) -> Vec<Vec<usize>> {
        let Some(axis) = self.channel_axis else { return Vec::new() };
        let (mut gone, mut single) = (self.row_shape.clone(), self.row_shape.clone());
        gone.remove(axis);
        single[axis] = 1;
        vec![gone, single]
    }
}

/// The sites of a grid, in row-major order, by the patch of side `side` that they lie in; patches in row-major order too.
fn patches(grid: &[usize], side: usize) -> Vec<Vec<usize>> {
    let counts: Vec<usize> = grid.iter().map(|length| length.div_ceil(side)).collect();
    let mut sites = vec![Vec::new(); counts.iter().product()];
    for (site, index) in ndarray::indices(grid).into_iter().enumerate() {
        let patch =
            counts.iter().enumerate().fold(0, |patch, (axis, count)| patch * count + index[axis] / side);
        sites[patch].push(site);
    }
    sites
}

/// Sums over one axis; what is left, in row-major order.
pub(crate) fn sum_axis(values: ArrayViewD<'_, f64>, axis: usize) -> Vec<f64> {
    values.lanes(Axis(axis)).into_iter().map(|lane| lane.iter().sum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array;

    #[test]
    fn patches_hold_all_channels_of_their_pixels() {
        let positions = Positions::of_row(&[2, 3, 3], Some(0), 2).expect("an image");
        let elements: Vec<Vec<usize>> =
            (0..positions.len()).map(|p| positions.elements(p).collect()).collect();
        assert_eq!(elements[0], [0, 9, 1, 10, 3, 12, 4, 13]);
        assert_eq!(elements[1..], [vec![2, 11, 5, 14], vec![6, 15, 7, 16], vec![8, 17]]);
        let values = Array::from_iter((0..18).map(f64::from)).into_shape_with_order(vec![2, 3, 3]);
        // The mean over pixels of the sum over both channels, which differ by 9.
        assert_eq!(positions.values(values.expect("18 elements").view()), Ok(vec![13.0, 16.0, 22.0, 25.0]));
    }

    #[test]
    fn channels_may_stand_last() {
        let positions = Positions::of_row(&[2, 2, 3], Some(2), 1).expect("an image");
        assert_eq!(positions.len(), 4);
        assert_eq!(positions.elements(3).collect::<Vec<_>>(), [9, 10, 11]);
    }
}

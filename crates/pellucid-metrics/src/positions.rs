//! Positions: the elements of a row that go together. A cell of a table; a pixel of an image with all its channels.

use ndarray::{ArrayViewD, Axis};

use crate::error::Error;

/// How the elements of a row, in row-major order, fall into positions: `[outer, channels, inner]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Positions {
    row_shape: Vec<usize>,
    channel_axis: Option<usize>,
    outer: usize,
    n_channels: usize,
    inner: usize,
}

impl Positions {
    /// The positions of a row `[features…]`; `channel_axis` is the axis over which a position extends.
    pub(crate) fn of_row(row_shape: &[usize], channel_axis: Option<usize>) -> Result<Self, Error> {
        let (outer, n_channels, inner) = match channel_axis {
            None => (row_shape.iter().product(), 1, 1),
            Some(axis) if axis < row_shape.len() => {
                let product = |lengths: &[usize]| lengths.iter().product::<usize>();
                (product(&row_shape[..axis]), row_shape[axis], product(&row_shape[axis + 1..]))
            }
            Some(axis) => {
                let reason = format!("there is no axis {axis} in rows of shape {row_shape:?}");
                return Err(Error::Setting { option: "channel_axis", reason });
            }
        };
        Ok(Self { row_shape: row_shape.to_vec(), channel_axis, outer, n_channels, inner })
    }

    pub(crate) fn len(&self) -> usize {
        self.outer * self.inner
    }

    /// The elements of one position, as offsets into the row.
    pub(crate) fn elements(&self, position: usize) -> impl Iterator<Item = usize> + use<> {
        let (outer, inner) = (position / self.inner, position % self.inner);
        let (n_channels, stride) = (self.n_channels, self.inner);
        (0..n_channels).map(move |channel| (outer * n_channels + channel) * stride + inner)
    }

    /// The value of each position: the sum over its channels. `values` has the row's shape, or that shape with the
    /// channel axis already summed (gone, or of length 1), as a CAM gives it.
    pub(crate) fn sums(&self, values: ArrayViewD<'_, f64>) -> Result<Vec<f64>, Error> {
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

/// Sums over one axis; what is left, in row-major order.
pub(crate) fn sum_axis(values: ArrayViewD<'_, f64>, axis: usize) -> Vec<f64> {
    values.lanes(Axis(axis)).into_iter().map(|lane| lane.iter().sum()).collect()
}

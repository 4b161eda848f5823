//! Where the windows stand.

use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD, Slice};

use crate::error::Error;

/// All places of a window that slides over a row, the last axis fastest. Along an axis of length `n` a window of `w`
/// stands at `0, s, 2s, …`, up to the first place where it reaches the end; what lies beyond the end is cut off.
pub(super) struct Windows {
    shape: Vec<usize>,
    /// One number for each axis of a row.
    pub(super) size: Vec<usize>,
    pub(super) strides: Vec<usize>,
    counts: Vec<usize>,
}

impl Windows {
    /// # Errors
    /// A window of no axes, of more than a row has, or longer than the row; strides that leave gaps.
    pub(super) fn new(shape: &[usize], window: &[usize], strides: Option<&[usize]>) -> Result<Self, Error> {
        if window.is_empty() || window.len() > shape.len() {
            let reason =
                format!("has {} axes; between 1 and {} are possible here", window.len(), shape.len());
            return Err(Error::option("window", reason));
        }
        let strides = strides.unwrap_or(window);
        if strides.len() != window.len() {
            let reason = format!("has {} numbers for a window of {} axes", strides.len(), window.len());
            return Err(Error::option("strides", reason));
        }
        let whole = &shape[..shape.len() - window.len()];
        let (size, strides) = ([whole, window].concat(), [whole, strides].concat());
        for (axis, &length) in shape.iter().enumerate() {
            if size[axis] == 0 || size[axis] > length {
                let reason = format!("{} along an axis of length {length}", size[axis]);
                return Err(Error::option("window", reason));
            }
            if strides[axis] == 0 || strides[axis] > size[axis] && size[axis] < length {
                let reason =
                    format!("{} for a window of {}: every feature must be in one", strides[axis], size[axis]);
                return Err(Error::option("strides", reason));
            }
        }
        let counts = (0..shape.len()).map(|axis| (shape[axis] - size[axis]).div_ceil(strides[axis]) + 1);
        Ok(Self { counts: counts.collect(), shape: shape.to_vec(), size, strides })
    }

    pub(super) fn len(&self) -> usize {
        self.counts.iter().product()
    }

    /// The first position of a window along each axis.
    pub(super) fn corner(&self, index: usize) -> Vec<usize> {
        let mut rest = index;
        let mut corner: Vec<usize> = (0..self.counts.len())
            .rev()
            .map(|axis| {
                let at = rest % self.counts[axis] * self.strides[axis];
                rest /= self.counts[axis];
                at
            })
            .collect();
        corner.reverse();
        corner
    }

    /// The positions of a window along one axis.
    fn extent(&self, corner: &[usize], axis: usize) -> Slice {
        let end = (corner[axis] + self.size[axis]).min(self.shape[axis]);
        Slice::from(corner[axis]..end)
    }

    /// The features in a window.
    pub(super) fn part<'a, T>(&self, row: &'a ArrayViewD<'_, T>, index: usize) -> ArrayViewD<'a, T> {
        let corner = self.corner(index);
        row.slice_each_axis(|axis| self.extent(&corner, axis.axis.index()))
    }

    /// The features in a window, to be changed.
    pub(super) fn part_mut<'a, T>(&self, row: &'a mut ArrayD<T>, index: usize) -> ArrayViewMutD<'a, T> {
        let corner = self.corner(index);
        row.slice_each_axis_mut(|axis| self.extent(&corner, axis.axis.index()))
    }

    /// For each feature the mean over the windows that hold it, `[features…]`.
    pub(super) fn mean(&self, of_windows: &[f64]) -> ArrayD<f64> {
        let mut sums = ArrayD::<f64>::zeros(self.shape.clone());
        let mut counts = ArrayD::<f64>::zeros(self.shape.clone());
        for (index, value) in of_windows.iter().enumerate() {
            self.part_mut(&mut sums, index).mapv_inplace(|sum| sum + value);
            self.part_mut(&mut counts, index).mapv_inplace(|count| count + 1.0);
        }
        sums / counts
    }
}

//! Walks several tensors together, each with its own steps, without an allocation for each element.

/// The offsets into `N` tensors that are read position by position of one common shape, in row-major order.
///
/// Neighboring axes over which every tensor moves evenly are merged, so that tensors of equal shape, a number beside a
/// tensor, and a vector along the last axis all become one or two plain loops.
pub(crate) struct Strided<const N: usize> {
    lengths: Vec<usize>,
    steps: Vec<[usize; N]>,
}

impl<const N: usize> Strided<N> {
    /// Plans reading tensors with `strides` (one step an axis) over `shape`.
    pub(crate) fn new(shape: &[usize], strides: [&[usize]; N]) -> Self {
        let mut plan = Self { lengths: Vec::new(), steps: Vec::new() };
        for (axis, &length) in shape.iter().enumerate().filter(|(_, length)| **length != 1) {
            let step = std::array::from_fn(|i| strides[i][axis]);
            match plan.steps.last_mut() {
                Some(outer) if (0..N).all(|i| outer[i] == step[i] * length) => {
                    *outer = step;
                    *plan.lengths.last_mut().unwrap_or(&mut 1) *= length;
                }
                _ => {
                    plan.lengths.push(length);
                    plan.steps.push(step);
                }
            }
        }
        plan
    }

    /// The number of positions.
    pub(crate) fn len(&self) -> usize {
        self.lengths.iter().product()
    }

    /// The offsets of every position.
    pub(crate) fn offsets(&self) -> impl Iterator<Item = [usize; N]> + '_ {
        let (length, step) = self.run();
        self.starts()
            .flat_map(move |start| (0..length).map(move |i| std::array::from_fn(|k| start[k] + i * step[k])))
    }

    /// The length of the innermost loop and how far each tensor moves in it.
    pub(crate) fn run(&self) -> (usize, [usize; N]) {
        (self.lengths.last().copied().unwrap_or(1), self.steps.last().copied().unwrap_or([0; N]))
    }

    /// Where each innermost loop starts.
    pub(crate) fn starts(&self) -> Starts<'_, N> {
        let n_outer = self.lengths.len().saturating_sub(1);
        let (length, _) = self.run();
        Starts {
            lengths: &self.lengths[..n_outer],
            steps: &self.steps[..n_outer],
            position: vec![0; n_outer],
            offsets: [0; N],
            left: if length == 0 { 0 } else { self.lengths[..n_outer].iter().product() },
        }
    }
}

/// See [`Strided::starts`].
pub(crate) struct Starts<'a, const N: usize> {
    lengths: &'a [usize],
    steps: &'a [[usize; N]],
    position: Vec<usize>,
    offsets: [usize; N],
    left: usize,
}

impl<const N: usize> Iterator for Starts<'_, N> {
    type Item = [usize; N];

    fn next(&mut self) -> Option<[usize; N]> {
        self.left = self.left.checked_sub(1)?;
        let here = self.offsets;
        for axis in (0..self.lengths.len()).rev() {
            self.position[axis] += 1;
            for k in 0..N {
                self.offsets[k] += self.steps[axis][k];
            }
            if self.position[axis] < self.lengths[axis] {
                break;
            }
            for k in 0..N {
                self.offsets[k] -= self.steps[axis][k] * self.lengths[axis];
            }
            self.position[axis] = 0;
        }
        Some(here)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{offset, positions, strides};

    #[track_caller]
    fn check(shape: &[usize], own: [&[usize]; 2], n_loops: usize) {
        let plan = Strided::new(shape, own);
        let slow: Vec<[usize; 2]> =
            positions(shape).map(|p| [offset(&p, own[0]), offset(&p, own[1])]).collect();
        assert_eq!(plan.offsets().collect::<Vec<_>>(), slow);
        assert_eq!(plan.len(), slow.len());
        assert_eq!(plan.starts().count(), n_loops);
    }

    #[test]
    fn offsets_are_those_of_the_positions() {
        let dense = strides(&[2, 3, 4]);
        check(&[2, 3, 4], [&dense, &dense], 1);
        check(&[2, 3, 4], [&dense, &[0, 0, 0]], 1);
        check(&[2, 3, 4], [&dense, &[0, 0, 1]], 6);
        check(&[2, 3, 4], [&dense, &[0, 1, 0]], 6);
        check(&[2, 3, 4], [&[4, 0, 1], &[0, 1, 0]], 6);
        check(&[4, 3, 2], [&[1, 4, 12], &[6, 2, 1]], 12);
        check(&[], [&[], &[]], 1);
        check(&[2, 0, 4], [&[0, 4, 1], &[0, 4, 1]], 0);
    }
}

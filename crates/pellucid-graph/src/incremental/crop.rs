//! Crops of stored maps, one for each window, and regions laid back into whole maps.

use super::span::{Span, lengths};
use crate::error::Error;
use crate::tensor::{Data, Tensor};

/// Where a crop's elements come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The window's own occluded row.
    Row,
    /// The map at this place among those stored of the row as it is.
    Kept(usize),
    /// 1 on the map, 0 beyond its border.
    Inside,
}

/// What an input of the part on crops is given: for each window a crop of a map, `[windows, channels, lengths…]`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Feed {
    pub(super) source: Source,
    pub(super) spans: Vec<Span>,
    /// By how many positions the crop moves with the window's index.
    pub(super) steps: Vec<usize>,
    /// The map's spatial lengths.
    pub(super) lengths: Vec<usize>,
    /// What is 0 because the region computed for the window is added there.
    pub(super) hole: Option<Vec<Span>>,
    /// What stands beyond the border.
    pub(super) fill: f64,
}

/// Elements that lie one behind the other in a box as well as in the map it was cut from.
struct Run {
    in_map: usize,
    in_box: usize,
    len: usize,
}

/// The runs that a box shares with a map of `lengths`; the box begins at `corner`, which may lie beyond the border.
fn runs(lengths: &[usize], corner: &[i64], sizes: &[usize]) -> Vec<Run> {
    let mut runs = vec![Run { in_map: 0, in_box: 0, len: 1 }];
    for (axis, (&length, (&start, &size))) in lengths.iter().zip(corner.iter().zip(sizes)).enumerate() {
        let first = start.clamp(0, length as i64);
        let end = (start + size as i64).clamp(first, length as i64);
        let n = (end - first) as usize;
        let (in_map, in_box) = (first as usize, (first - start) as usize);
        let at = |run: &Run, i: usize, len: usize| Run {
            in_map: run.in_map * length + in_map + i,
            in_box: run.in_box * size + in_box + i,
            len,
        };
        let last = axis + 1 == lengths.len();
        runs = match (n, last) {
            (0, _) => Vec::new(),
            (_, true) => runs.iter().map(|run| at(run, 0, n)).collect(),
            (_, false) => runs.iter().flat_map(|run| (0..n).map(move |i| at(run, i, 1))).collect(),
        };
    }
    runs
}

/// The first positions of a box for the window of this index.
fn corner(spans: &[Span], steps: &[usize], index: &[usize]) -> Vec<i64> {
    let moved = spans.iter().zip(steps.iter().zip(index));
    moved.map(|(span, (step, t))| (t * step) as i64 + span.start).collect()
}

impl Feed {
    /// The crops for windows of these indices. `rows` holds the windows' occluded rows, `kept` the stored maps.
    pub(super) fn crops(
        &self,
        rows: &Tensor,
        kept: &[Tensor],
        indices: &[Vec<usize>],
    ) -> Result<Tensor, Error> {
        let ones: Tensor;
        let (map, per_window) = match self.source {
            Source::Row => (rows, true),
            Source::Kept(i) => (&kept[i], false),
            Source::Inside => {
                let elements = vec![1.0f32; self.lengths.iter().product()];
                ones = Tensor::f32(&[&[1, 1], &self.lengths[..]].concat(), elements);
                (&ones, false)
            }
        };
        let shape = [&[indices.len(), map.shape()[1]], &lengths(&self.spans)[..]].concat();
        match map.data() {
            Data::F32(x) => {
                Ok(Tensor::f32(&shape, self.cut(x, per_window, shape[1], indices, 0.0, self.fill as f32)))
            }
            Data::F64(x) => {
                Ok(Tensor::f64(&shape, self.cut(x, per_window, shape[1], indices, 0.0, self.fill)))
            }
            _ => Err(not_float(map)),
        }
    }

    fn cut<T: Copy>(
        &self,
        map: &[T],
        per_window: bool,
        n_channels: usize,
        indices: &[Vec<usize>],
        zero: T,
        fill: T,
    ) -> Vec<T> {
        let sizes = lengths(&self.spans);
        let (plane, part) = (self.lengths.iter().product::<usize>(), sizes.iter().product::<usize>());
        let mut crops = vec![fill; indices.len() * n_channels * part];
        for (window, (crop, index)) in
            crops.chunks_exact_mut((n_channels * part).max(1)).zip(indices).enumerate()
        {
            let first = if per_window { window * n_channels * plane } else { 0 };
            let corner = corner(&self.spans, &self.steps, index);
            let (copied, cleared) = (runs(&self.lengths, &corner, &sizes), self.cleared(&corner, &sizes));
            for (channel, crop) in crop.chunks_exact_mut(part.max(1)).enumerate() {
                let map = &map[first + channel * plane..][..plane];
                for run in &copied {
                    crop[run.in_box..][..run.len].copy_from_slice(&map[run.in_map..][..run.len]);
                }
                for run in &cleared {
                    crop[run.in_map..][..run.len].fill(zero);
                }
            }
        }
        crops
    }

    /// The runs of the crop in the hole, as far as it lies on the map: beyond the border the fill stays.
    fn cleared(&self, corner: &[i64], sizes: &[usize]) -> Vec<Run> {
        let Some(hole) = &self.hole else { return Vec::new() };
        let on_map = |axis: usize| {
            let offset = hole[axis].start - self.spans[axis].start;
            let first = (corner[axis] + offset).max(0);
            let end = (corner[axis] + offset + hole[axis].len as i64).min(self.lengths[axis] as i64);
            (first - corner[axis], (end - first).max(0) as usize)
        };
        let (starts, hole_sizes): (Vec<i64>, Vec<usize>) = (0..sizes.len()).map(on_map).unzip();
        runs(sizes, &starts, &hole_sizes)
    }
}

/// Where a region computed on crops belongs in a whole map.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    /// The map among those stored.
    pub(super) kept: usize,
    pub(super) spans: Vec<Span>,
    pub(super) steps: Vec<usize>,
}

impl Place {
    /// The stored map once for each window, `[windows, channels, lengths…]`, its region replaced by the window's.
    pub(super) fn laid(
        &self,
        kept: &[Tensor],
        regions: &Tensor,
        indices: &[Vec<usize>],
    ) -> Result<Tensor, Error> {
        let map = &kept[self.kept];
        let mut shape = map.shape().to_vec();
        shape[0] = indices.len();
        match (map.data(), regions.data()) {
            (Data::F32(map), Data::F32(regions)) => {
                Ok(Tensor::f32(&shape, self.over(map, regions, &shape[1..], indices)))
            }
            (Data::F64(map), Data::F64(regions)) => {
                Ok(Tensor::f64(&shape, self.over(map, regions, &shape[1..], indices)))
            }
            _ => Err(not_float(regions)),
        }
    }

    fn over<T: Copy>(&self, map: &[T], regions: &[T], shape: &[usize], indices: &[Vec<usize>]) -> Vec<T> {
        let sizes = lengths(&self.spans);
        let (plane, part) = (shape[1..].iter().product::<usize>(), sizes.iter().product::<usize>());
        let mut maps = Vec::with_capacity(indices.len() * map.len());
        for (window, index) in indices.iter().enumerate() {
            let start = maps.len();
            maps.extend_from_slice(map);
            let runs = runs(&shape[1..], &corner(&self.spans, &self.steps, index), &sizes);
            for channel in 0..shape[0] {
                let region = &regions[(window * shape[0] + channel) * part..][..part];
                let map = &mut maps[start + channel * plane..][..plane];
                for run in &runs {
                    map[run.in_map..][..run.len].copy_from_slice(&region[run.in_box..][..run.len]);
                }
            }
        }
        maps
    }
}

fn not_float(tensor: &Tensor) -> Error {
    Error::Input {
        input: "a stored map".to_owned(),
        expected: "F32 or F64, the same as its regions".to_owned(),
        actual: format!("{:?}", tensor.element()),
    }
}

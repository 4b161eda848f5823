//! What stands where a feature is absent.

use std::ops::Range;

use ndarray::{Array1, ArrayD, ArrayView1, ArrayView2, ArrayViewD, ArrayViewMutD, Axis};
use rayon::prelude::*;

use crate::error::Error;
use crate::inpaint::fill_harmonically;

/// Rows that are filled by one core at a time: fewer are not worth waking another.
const ROWS_A_TASK: usize = 256;

/// Which features are taken in and out together: the players of a game.
///
/// Each element of a row belongs to one player; segments of an image, tokens of a word, one-hot columns of a category and
/// stretches of a time series are players of many elements.
#[derive(Clone, Debug, PartialEq)]
pub struct Groups {
    of_element: ArrayD<usize>,
    n_groups: usize,
}

impl Groups {
    /// Every element a player of its own.
    pub fn single(row_shape: &[usize]) -> Self {
        let n_groups = row_shape.iter().product();
        let of_element = Array1::from_iter(0..n_groups).into_dyn();
        // A shape of as many elements always fits.
        let of_element =
            of_element.into_shape_with_order(row_shape).unwrap_or_else(|_| ArrayD::zeros(row_shape));
        Self { of_element, n_groups }
    }

    /// The player of each element of a row, numbered from 0 without a gap.
    ///
    /// # Errors
    /// A number that no element has.
    pub fn new(of_element: ArrayD<usize>) -> Result<Self, Error> {
        let n_groups = of_element.iter().max().map_or(0, |&last| last + 1);
        let mut present = vec![false; n_groups];
        of_element.iter().for_each(|&group| present[group] = true);
        match present.iter().position(|present| !present) {
            None => Ok(Self { of_element, n_groups }),
            Some(gap) => {
                let reason =
                    format!("no feature is in group {gap} of {n_groups}; number groups from 0 without a gap");
                Err(Error::setting("feature_groups", reason))
            }
        }
    }

    /// The number of players.
    pub fn n_groups(&self) -> usize {
        self.n_groups
    }

    /// The player of each element, of a row's shape.
    pub fn of_element(&self) -> &ArrayD<usize> {
        &self.of_element
    }

    /// Values of players as values of elements: each element has its group's, whole.
    pub fn spread(&self, values: ArrayView1<'_, f64>) -> ArrayD<f64> {
        self.of_element.mapv(|group| values[group])
    }
}

/// Fills in the absent features: with a baseline, or with each of many background rows, whose outputs are averaged.
///
/// The background is `marginal` (interventional): what is present does not choose among its rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Masker {
    groups: Groups,
    /// `[replacements, features…]`.
    replacements: ArrayD<f64>,
    /// One a replacement, of sum 1.
    weights: Array1<f64>,
    /// Whether what is absent is filled from what is present.
    inpaint: Option<Inpaint>,
}

/// Holes are filled along all axes but the channels', if there are any.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Inpaint {
    channel_axis: Option<usize>,
}

impl Masker {
    /// Absent features have the baseline's values; of a row's shape.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::NotFinite`].
    pub fn baseline(baseline: ArrayD<f64>, groups: Groups) -> Result<Self, Error> {
        Self::background(baseline.insert_axis(Axis(0)), None, groups)
    }

    /// Absent features have the values of each row of the background `[rows, features…]` in turn, with a weight each
    /// (all the same if `None`).
    ///
    /// # Errors
    /// A background without rows or of another shape than the groups, weights that are no weights.
    pub fn background(
        rows: ArrayD<f64>,
        weights: Option<Array1<f64>>,
        groups: Groups,
    ) -> Result<Self, Error> {
        if rows.ndim() == 0 || rows.shape()[1..] != *groups.of_element.shape() {
            let expected = format!("[rows, {:?}]", groups.of_element.shape());
            return Err(Error::shape("background", expected, rows.shape()));
        }
        let n_rows = rows.len_of(Axis(0));
        if n_rows == 0 {
            return Err(Error::setting("background", "has no rows; one is the least"));
        }
        let weights = weights.unwrap_or_else(|| Array1::ones(n_rows));
        if weights.len() != n_rows {
            return Err(Error::shape("background_weights", format!("[{n_rows}]"), weights.shape()));
        }
        let total = weights.sum();
        if !(total.is_finite() && total > 0.0 && weights.iter().all(|&weight| weight >= 0.0)) {
            return Err(Error::setting("background", "weights are numbers from 0 up, and not all of them 0"));
        }
        let replacements = rows.as_standard_layout().into_owned();
        Ok(Self { groups, replacements, weights: weights / total, inpaint: None })
    }

    /// Absent features are filled from the present ones around them: each is the mean of its neighbors along all axes but the
    /// channels' (a harmonic function). Where nothing is present there is the `fallback`, of a row's shape.
    ///
    /// # Errors
    /// As [`Masker::baseline`]; a channel axis that rows have not.
    pub fn inpaint(
        fallback: ArrayD<f64>,
        channel_axis: Option<usize>,
        groups: Groups,
    ) -> Result<Self, Error> {
        if let Some(axis) = channel_axis.filter(|&axis| axis >= fallback.ndim()) {
            let reason = format!("a row of shape {:?} has no axis {axis}", fallback.shape());
            return Err(Error::setting("channel_axis", reason));
        }
        let masker = Self::baseline(fallback, groups)?;
        Ok(Self { inpaint: Some(Inpaint { channel_axis }), ..masker })
    }

    /// Whether what is absent is filled from what is present, so that there is no replacement without a coalition.
    pub fn inpaints(&self) -> bool {
        self.inpaint.is_some()
    }

    /// The players.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// The rows that stand for one coalition.
    pub fn n_replacements(&self) -> usize {
        self.weights.len()
    }

    /// The weight of each replacement, of sum 1.
    pub fn weights(&self) -> ArrayView1<'_, f64> {
        self.weights.view()
    }

    /// The background, `[replacements, features…]`.
    pub fn replacements(&self) -> ArrayViewD<'_, f64> {
        self.replacements.view()
    }

    /// Writes into `filled` the row in which the players of `present` keep their values and replacement `index` gives the
    /// others.
    pub fn fill(
        &self,
        row: ArrayViewD<'_, f64>,
        present: ArrayView1<'_, bool>,
        index: usize,
        mut filled: ArrayViewMutD<'_, f64>,
    ) {
        ndarray::Zip::from(&mut filled)
            .and(&row)
            .and(&self.replacements.index_axis(Axis(0), index))
            .and(&self.groups.of_element)
            .for_each(|filled, &own, &other, &group| *filled = if present[group] { own } else { other });
        if let Some(Inpaint { channel_axis }) = self.inpaint {
            let absent: Vec<bool> = self.groups.of_element.iter().map(|&group| !present[group]).collect();
            fill_harmonically(&mut filled, &absent, channel_axis);
        }
    }

    /// The rows numbered `range`, counted through all replacements of the first coalition of `present` `[coalitions, players]`, then of the
    /// second …: what [`Masker::fill`] writes, on all cores and without its cost for each row.
    pub(crate) fn filled(
        &self,
        row: ArrayViewD<'_, f64>,
        present: ArrayView2<'_, bool>,
        range: Range<usize>,
    ) -> ArrayD<f64> {
        let n_replacements = self.n_replacements();
        let shape: Vec<usize> = [range.len()].iter().chain(row.shape()).copied().collect();
        let mut filled = ArrayD::zeros(shape);
        let row_len = row.len();
        let others = if self.inpaints() || row_len == 0 { None } else { self.replacements.as_slice() };
        if let Some(others) = others
            && let Some(slots) = filled.as_slice_mut()
        {
            let elements: Vec<(f64, usize)> =
                row.iter().copied().zip(self.groups.of_element.iter().copied()).collect();
            slots.par_chunks_mut(row_len).with_min_len(ROWS_A_TASK).zip(range).for_each(|(slot, number)| {
                let present = present.row(number / n_replacements);
                let other = &others[number % n_replacements * row_len..][..row_len];
                for ((slot, &other), &(own, group)) in slot.iter_mut().zip(other).zip(&elements) {
                    *slot = if present[group] { own } else { other };
                }
            });
            return filled;
        }
        for (number, slot) in range.zip(filled.outer_iter_mut()) {
            self.fill(row.view(), present.row(number / n_replacements), number % n_replacements, slot);
        }
        filled
    }

    /// Which players differ from the row in no replacement: absent or present, nothing changes. None is known to be where holes are
    /// filled from around them.
    pub fn unchanging(&self, row: ArrayViewD<'_, f64>) -> Vec<bool> {
        if self.inpaints() {
            return vec![false; self.groups.n_groups];
        }
        let mut unchanging = vec![true; self.groups.n_groups];
        for replacement in self.replacements.outer_iter() {
            ndarray::Zip::from(&replacement).and(&row).and(&self.groups.of_element).for_each(
                |other, own, &group| unchanging[group] &= other == own || other.is_nan() && own.is_nan(),
            );
        }
        unchanging
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn absent_groups_have_the_values_of_the_replacement() {
        let groups = Groups::new(array![0, 1, 1].into_dyn()).expect("groups");
        let rows = array![[7.0, 8.0, 9.0], [1.0, 5.0, 3.0]].into_dyn();
        let masker = Masker::background(rows, Some(array![1.0, 3.0]), groups).expect("a masker");
        assert_eq!(masker.weights(), array![0.25, 0.75]);
        let row = array![1.0, 2.0, 3.0].into_dyn();
        let mut filled = ArrayD::zeros(vec![3]);
        masker.fill(row.view(), array![true, false].view(), 0, filled.view_mut());
        assert_eq!(filled, array![1.0, 8.0, 9.0].into_dyn());
        masker.fill(row.view(), array![false, true].view(), 0, filled.view_mut());
        assert_eq!(filled, array![7.0, 2.0, 3.0].into_dyn());
        assert_eq!(masker.unchanging(row.view()), [false, false]);
        let one = Masker::baseline(array![1.0, 0.0, 3.0].into_dyn(), Groups::single(&[3])).expect("a masker");
        assert_eq!(one.unchanging(row.view()), [true, false, true]);
    }

    /// Two channels in rows of a time series: the hole between 1 and 3 gets 2, an open end what stands beside it.
    #[test]
    fn holes_are_filled_from_around_them() {
        let groups = Groups::new(array![[0, 0], [1, 1], [2, 3]].into_dyn()).expect("groups");
        let fallback = ArrayD::from_elem(vec![3, 2], 7.0);
        let masker = Masker::inpaint(fallback, Some(1), groups.clone()).expect("a masker");
        let row = array![[1.0, 5.0], [9.0, 9.0], [3.0, 6.0]].into_dyn();
        let filled = |present: [bool; 4]| {
            let mut filled = ArrayD::zeros(vec![3, 2]);
            masker.fill(row.view(), Array1::from_iter(present).view(), 0, filled.view_mut());
            filled
        };
        let gap = filled([true, false, true, false]) - array![[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]];
        assert!(gap.iter().all(|gap: &f64| gap.abs() < 1e-5), "{gap}");
        assert_eq!(filled([false; 4]), ArrayD::from_elem(vec![3, 2], 7.0));
        assert_eq!(masker.unchanging(row.view()), [false; 4]);
        let refusal = Masker::inpaint(ArrayD::zeros(vec![3, 2]), Some(2), groups).expect_err("a refusal");
        assert!(refusal.to_string().contains("no axis 2"));
    }

    /// Many rows at once, in any layout, are what one by one are.
    #[test]
    fn rows_are_filled_at_once_as_one_by_one() {
        let groups = Groups::new(array![[0, 1, 1], [2, 0, 2]].into_dyn()).expect("groups");
        let rows =
            ArrayD::from_shape_fn(vec![3, 4, 2], |index| (index[0] + 10 * index[1] + 100 * index[2]) as f64);
        // [background rows, 2, 3] by way of axes in another order.
        let background = rows.clone().permuted_axes(vec![1, 2, 0]);
        let row =
            ArrayD::from_shape_fn(vec![3, 2], |index| -((index[0] + 3 * index[1]) as f64)).reversed_axes();
        let present = array![[true, false, false], [false, true, true], [true, true, false]];
        for masker in [
            Masker::background(background.clone(), None, groups.clone()).expect("a masker"),
            Masker::inpaint(background.index_axis(Axis(0), 0).to_owned(), None, groups.clone())
                .expect("a masker"),
        ] {
            let n = masker.n_replacements();
            let filled = masker.filled(row.view(), present.view(), 1..3 * n);
            for (number, filled) in (1..3 * n).zip(filled.outer_iter()) {
                let mut expected = ArrayD::zeros(vec![2, 3]);
                masker.fill(row.view(), present.row(number / n), number % n, expected.view_mut());
                assert_eq!(filled, expected);
            }
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let groups = || Groups::single(&[2]);
        let say = |masker: Result<Masker, Error>| masker.expect_err("a refusal").to_string();
        assert!(say(Masker::baseline(array![1.0].into_dyn(), groups())).contains("shape [1, 1]"));
        assert!(say(Masker::background(ArrayD::zeros(vec![0, 2]), None, groups())).contains("no rows"));
        let rows = || array![[1.0, 2.0], [3.0, 4.0]].into_dyn();
        assert!(
            say(Masker::background(rows(), Some(array![1.0]), groups())).contains("weights has shape [1]")
        );
        assert!(
            say(Masker::background(rows(), Some(array![0.0, 0.0]), groups())).contains("not all of them 0")
        );
        let gap = Groups::new(array![0, 2].into_dyn()).expect_err("a refusal");
        assert!(gap.to_string().contains("group 1 of 3"));
    }
}

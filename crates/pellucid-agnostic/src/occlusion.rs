#![doc = include_str!("occlusion.md")]

use ndarray::ArrayD;
use pellucid_core::Work;

use crate::error::Error;
use crate::estimate::Estimate;
use crate::game::MaskedRow;
use crate::hiding::hide_sets;
use crate::masker::Groups;

/// Settings of [`occlusion`].
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The window's length along each axis of a row; all channels of an image are hidden by their number.
    pub window: Vec<usize>,
    /// How far it moves along each axis; `None`: by its own length.
    pub strides: Option<Vec<usize>>,
}

/// Slides a window over the row's axes and hides what it covers: the value of a player is the mean of what is lost over the windows that
/// cover it. The last window along an axis ends with it, and may be shorter.
///
/// # Errors
/// A window that does not fit the row, strides that leave gaps, a player that a window covers in part; whatever the predictor reports.
pub fn occlusion(game: &MaskedRow<'_>, options: &Options, work: &Work) -> Result<Estimate, Error> {
    let groups = game.masker().groups();
    let windows = Windows::new(groups, options)?;
    windows.check_whole(groups)?;
    hide_sets(game, (0..windows.n_windows()).map(|index| windows.players(groups, index)), work)
}

/// The places of a window over an array.
struct Windows<'a> {
    shape: &'a [usize],
    window: &'a [usize],
    strides: &'a [usize],
    /// Windows along each axis.
    counts: Vec<usize>,
}

impl<'a> Windows<'a> {
    fn new(groups: &'a Groups, options: &'a Options) -> Result<Self, Error> {
        let (shape, window) = (groups.of_element().shape(), &options.window);
        let strides = options.strides.as_ref().unwrap_or(window);
        if window.len() != shape.len() || strides.len() != shape.len() {
            let reason = format!(
                "window {window:?} and strides {strides:?} must have a number for each axis of the row, whose shape is {shape:?}"
            );
            return Err(Error::setting("window", reason));
        }
        for (axis, &length) in shape.iter().enumerate() {
            let (window, stride) = (window[axis], strides[axis]);
            if !(1..=length).contains(&window) {
                let reason = format!("is {window} along axis {axis}; 1 to {length} fits");
                return Err(Error::setting("window", reason));
            }
            if !(1..=window).contains(&stride) {
                let reason =
                    format!("{stride} along axis {axis} leaves gaps or stands still; 1 to {window} does not");
                return Err(Error::setting("strides", reason));
            }
        }
        let axes = shape.iter().zip(window).zip(strides);
        let counts = axes.map(|((length, window), stride)| (length - window).div_ceil(*stride) + 1).collect();
        Ok(Self { shape, window, strides, counts })
    }

    fn n_windows(&self) -> usize {
        self.counts.iter().product()
    }

    /// First and last index, exclusive, of window `index` along each axis.
    fn bounds(&self, mut index: usize) -> Vec<(usize, usize)> {
        let mut bounds = vec![(0, 0); self.shape.len()];
        for axis in (0..self.shape.len()).rev() {
            let start = index % self.counts[axis] * self.strides[axis];
            bounds[axis] = (start, (start + self.window[axis]).min(self.shape[axis]));
            index /= self.counts[axis];
        }
        bounds
    }

    /// The players that window `index` covers, each once.
    fn players(&self, groups: &Groups, index: usize) -> Vec<usize> {
        let bounds = self.bounds(index);
        let covered = groups.of_element().slice_each_axis(|axis| {
            let (start, end) = bounds[axis.axis.index()];
            ndarray::Slice::from(start..end)
        });
        let mut players: Vec<usize> = covered.iter().copied().collect();
        players.sort_unstable();
        players.dedup();
        players
    }

    /// Refuses windows that cut a player in two: what is hidden would be more than the window.
    fn check_whole(&self, groups: &Groups) -> Result<(), Error> {
        let mut boxes: Vec<Option<(Vec<usize>, Vec<usize>)>> = vec![None; groups.n_groups()];
        for (place, &player) in groups.of_element().indexed_iter() {
            let place = ndarray::Dimension::slice(&place);
            let (low, high) = boxes[player].get_or_insert_with(|| (place.to_vec(), place.to_vec()));
            for axis in 0..place.len() {
                low[axis] = low[axis].min(place[axis]);
                high[axis] = high[axis].max(place[axis]);
            }
        }
        for (player, bounds) in boxes.iter().enumerate() {
            let Some((low, high)) = bounds else { continue };
            if let Some(axis) = (0..low.len()).find(|&axis| self.cuts(axis, low[axis], high[axis])) {
                let reason = format!(
                    "cuts player {player}, elements {} to {} along axis {axis}; hide whole players by feature_ablation, or give each \
                     element a player of its own",
                    low[axis], high[axis]
                );
                return Err(Error::setting("window", reason));
            }
        }
        Ok(())
    }

    /// Whether some window along an axis holds a part of `low ..= high` alone.
    fn cuts(&self, axis: usize, low: usize, high: usize) -> bool {
        (0..self.counts[axis]).any(|number| {
            let start = number * self.strides[axis];
            let end = (start + self.window[axis]).min(self.shape[axis]);
            let (meets, holds) = (low < end && high >= start, low >= start && high < end);
            meets && !holds
        })
    }
}

/// How many windows cover each element, of a row's shape.
///
/// # Errors
/// As [`occlusion`].
pub fn coverage(groups: &Groups, options: &Options) -> Result<ArrayD<f64>, Error> {
    let windows = Windows::new(groups, options)?;
    let mut counts = ArrayD::zeros(windows.shape);
    for index in 0..windows.n_windows() {
        let bounds = windows.bounds(index);
        let mut covered = counts.slice_each_axis_mut(|axis| {
            let (start, end) = bounds[axis.axis.index()];
            ndarray::Slice::from(start..end)
        });
        covered += 1.0;
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::masker::Masker;
    use crate::predictor::Function;
    use crate::testing::work;
    use ndarray::{Array2, ArrayViewD, Axis, array};

    /// `Σ w x + 10 x₀₀ x_last` of rows of any shape.
    fn bent(shape: &[usize]) -> Function<impl Fn(ArrayViewD<'_, f64>) -> Result<Array2<f64>, Error> + Sync> {
        let of_row = |row: ArrayViewD<'_, f64>| {
            let weighted = row.iter().enumerate().map(|(place, x)| (place as f64 + 1.0) * x).sum::<f64>();
            weighted + 10.0 * row.iter().next().expect("a first") * row.iter().last().expect("a last")
        };
        let predict = move |rows: ArrayViewD<'_, f64>| {
            Ok(rows.outer_iter().map(of_row).collect::<ndarray::Array1<f64>>().insert_axis(Axis(1)))
        };
        Function { row_shape: shape.to_vec(), n_outputs: 1, predict }
    }

    /// Every window filled by hand, in a loop over its elements.
    fn brute_force(row: &ArrayD<f64>, options: &Options) -> Vec<f64> {
        let predictor = bent(row.shape());
        let output = |row: &ArrayD<f64>| {
            (predictor.predict)(row.clone().insert_axis(Axis(0)).view()).expect("an output")[[0, 0]]
        };
        let strides = options.strides.as_ref().unwrap_or(&options.window);
        let starts = |axis: usize| {
            let mut starts = vec![0];
            while starts[starts.len() - 1] + options.window[axis] < row.shape()[axis] {
                starts.push(starts[starts.len() - 1] + strides[axis]);
            }
            starts
        };
        let (mut sums, mut counts) =
            (ArrayD::<f64>::zeros(row.raw_dim()), ArrayD::<f64>::zeros(row.raw_dim()));
        for y in starts(0) {
            for x in starts(1) {
                let inside = |place: &ndarray::IxDyn| {
                    (y..y + options.window[0]).contains(&place[0])
                        && (x..x + options.window[1]).contains(&place[1])
                };
                let mut hidden = row.clone();
                hidden.indexed_iter_mut().filter(|(place, _)| inside(place)).for_each(|(_, x)| *x = -1.0);
                let lost = output(row) - output(&hidden);
                sums.indexed_iter_mut().filter(|(place, _)| inside(place)).for_each(|(_, sum)| *sum += lost);
                counts
                    .indexed_iter_mut()
                    .filter(|(place, _)| inside(place))
                    .for_each(|(_, count)| *count += 1.0);
            }
        }
        (sums / counts).into_iter().collect()
    }

    #[test]
    fn windows_are_those_of_a_loop() {
        let row = ArrayD::from_shape_fn(vec![5, 7], |place| (place[0] * 7 + place[1]) as f64 * 0.3 - 2.0);
        let predictor = bent(&[5, 7]);
        let masker =
            Masker::baseline(ArrayD::from_elem(vec![5, 7], -1.0), Groups::single(&[5, 7])).expect("a masker");
        let game = MaskedRow::new(&predictor, &masker, row.view(), array![[1.0]]).expect("a game");
        for (window, strides) in [
            (vec![2, 3], None),
            (vec![2, 3], Some(vec![1, 2])),
            (vec![5, 7], None),
            (vec![1, 1], None),
            (vec![3, 4], Some(vec![3, 4])),
            (vec![4, 5], Some(vec![2, 3])),
        ] {
            let options = Options { window, strides };
            let estimate = occlusion(&game, &options, &work(4)).expect("values");
            let expected = brute_force(&row, &options);
            for (value, expected) in estimate.values.iter().zip(&expected) {
                assert!((value - expected).abs() < 1e-9, "{options:?}: {value} is not {expected}");
            }
            for batch_size in [1, 3, 50] {
                assert_eq!(occlusion(&game, &options, &work(batch_size)), Ok(estimate.clone()));
            }
        }
    }

    /// captum divides by the overlap count; 5 elements, window 2, stride 2: the last window has one element.
    #[test]
    fn overlaps_are_averaged_and_the_last_window_is_cut() {
        let groups = Groups::single(&[5]);
        let of = |strides| Options { window: vec![2], strides: Some(vec![strides]) };
        assert_eq!(coverage(&groups, &of(1)), Ok(array![1.0, 2.0, 2.0, 2.0, 1.0].into_dyn()));
        assert_eq!(coverage(&groups, &of(2)), Ok(array![1.0, 1.0, 1.0, 1.0, 1.0].into_dyn()));
        let options = Options { window: vec![2], strides: None };
        let windows = Windows::new(&groups, &options).expect("windows");
        assert_eq!(windows.players(&groups, 2), [4]);
    }

    #[test]
    fn players_are_hidden_whole_or_not_at_all() {
        let channels = Groups::new(array![[0, 1, 2, 3], [0, 1, 2, 3]].into_dyn()).expect("groups");
        let predictor = bent(&[2, 4]);
        let masker = Masker::baseline(ArrayD::zeros(vec![2, 4]), channels).expect("a masker");
        let row = ArrayD::from_elem(vec![2, 4], 1.0);
        let game = MaskedRow::new(&predictor, &masker, row.view(), array![[1.0]]).expect("a game");
        let run = |window: Vec<usize>, strides| occlusion(&game, &Options { window, strides }, &work(4));
        assert_eq!(run(vec![2, 2], None).expect("values").values.dim(), (4, 1));
        let say = |window, strides| run(window, strides).expect_err("a refusal").to_string();
        assert!(say(vec![1, 2], None).contains("cuts player 0, elements 0 to 1 along axis 0"));
        assert!(say(vec![2], None).contains("a number for each axis"));
        assert!(say(vec![2, 5], None).contains("1 to 4 fits"));
        assert!(say(vec![2, 0], None).contains("1 to 4 fits"));
        assert!(say(vec![2, 2], Some(vec![2, 3])).contains("leaves gaps"));
    }
}

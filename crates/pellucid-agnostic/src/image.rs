#![doc = include_str!("image.md")]

use ndarray::{Array2, ArrayD, ArrayViewD, Axis};
use pellucid_core::{Baseline, ImageValues};

use crate::error::Error;
use crate::masker::Groups;

/// Segments `[height, width]`, numbered from 0 without a gap, as the players of images that have `n_channels` along `channel_axis`
/// (0: `[channels, height, width]`, 2: `[height, width, channels]`): channels are absent together.
///
/// # Errors
/// No such axis, no channels, a gap in the numbers.
pub fn groups(segments: &Array2<usize>, channel_axis: usize, n_channels: usize) -> Result<Groups, Error> {
    if channel_axis > 2 || n_channels == 0 {
        let reason =
            format!("an image has no {n_channels} channels along axis {channel_axis}; 0, 1 or 2 is an axis");
        return Err(Error::setting("channel_axis", reason));
    }
    let channels = vec![segments.view(); n_channels];
    let stacked = ndarray::stack(Axis(channel_axis), &channels);
    Groups::new(stacked.map_err(|error| Error::setting("segments", error.to_string()))?.into_dyn())
}

/// The mean of each segment and channel at its place: lime's default for what is absent.
///
/// # Errors
/// A row of another shape than the groups, or without the axis.
pub fn segment_means(
    row: ArrayViewD<'_, f64>,
    groups: &Groups,
    channel_axis: usize,
) -> Result<ArrayD<f64>, Error> {
    check(&row, channel_axis)?;
    if row.shape() != groups.of_element().shape() {
        return Err(Error::shape("row", format!("{:?}", groups.of_element().shape()), row.shape()));
    }
    let mut means = row.to_owned();
    let channels = means.axis_iter_mut(Axis(channel_axis));
    for (mut channel, of_element) in channels.zip(groups.of_element().axis_iter(Axis(channel_axis))) {
        let mut sums = vec![(0.0, 0.0); groups.n_groups()];
        for (value, &group) in channel.iter().zip(&of_element) {
            sums[group].0 += value;
            sums[group].1 += 1.0;
        }
        channel.zip_mut_with(&of_element, |value, &group| *value = sums[group].0 / sums[group].1);
    }
    Ok(means)
}

/// The mean of each channel over the whole image.
///
/// # Errors
/// A row without the axis.
pub fn mean_color(row: ArrayViewD<'_, f64>, channel_axis: usize) -> Result<ArrayD<f64>, Error> {
    check(&row, channel_axis)?;
    let mut means = row.to_owned();
    for mut channel in means.axis_iter_mut(Axis(channel_axis)) {
        let mean = channel.sum() / channel.len() as f64;
        channel.fill(mean);
    }
    Ok(means)
}

/// One color everywhere, a number for each channel of the row.
///
/// # Errors
/// A row without the axis, a color of another number of channels.
pub fn one_color(row: ArrayViewD<'_, f64>, color: &[f64], channel_axis: usize) -> Result<ArrayD<f64>, Error> {
    check(&row, channel_axis)?;
    if row.len_of(Axis(channel_axis)) != color.len() {
        return Err(Error::shape("color", format!("[{}]", row.len_of(Axis(channel_axis))), &[color.len()]));
    }
    let mut filled = row.to_owned();
    for (mut channel, &value) in filled.axis_iter_mut(Axis(channel_axis)).zip(color) {
        channel.fill(value);
    }
    Ok(filled)
}

/// The image behind a Gaussian blur of `sigma` pixels, each channel on its own; in f32, as [`Baseline::Blurred`].
///
/// # Errors
/// A row that is no image, a sigma that is none.
pub fn blurred(row: ArrayViewD<'_, f64>, sigma: f64, channel_axis: usize) -> Result<ArrayD<f64>, Error> {
    check(&row, channel_axis)?;
    let image = ImageValues { black: Vec::new(), white: Vec::new(), channel_axis };
    let narrow = row.mapv(|value| value as f32);
    Ok(Baseline::Blurred { sigma }.of_row(narrow.view(), Some(&image), 0)?.mapv(f64::from))
}

fn check(row: &ArrayViewD<'_, f64>, channel_axis: usize) -> Result<(), Error> {
    match row.ndim() == 3 && channel_axis < 3 && !row.is_empty() {
        true => Ok(()),
        false => {
            Err(Error::shape("row", format!("three axes, channels along axis {channel_axis}"), row.shape()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::MaskedRow;
    use crate::lime::{Options, lime};
    use crate::masker::Masker;
    use crate::predictor::Function;
    use crate::segmentation::grid;
    use crate::testing::work;
    use ndarray::{Array1, array};

    #[test]
    fn channels_are_absent_together() {
        let segments = array![[0, 1], [1, 1]];
        let first = groups(&segments, 0, 2).expect("groups");
        assert_eq!(first.of_element(), &array![[[0, 1], [1, 1]], [[0, 1], [1, 1]]].into_dyn());
        let last = groups(&segments, 2, 2).expect("groups");
        assert_eq!(last.of_element(), &array![[[0, 0], [1, 1]], [[1, 1], [1, 1]]].into_dyn());
        assert!(groups(&segments, 3, 2).expect_err("a refusal").to_string().contains("along axis 3"));
        assert!(groups(&segments, 0, 0).is_err());
        assert!(groups(&array![[0, 2]], 0, 1).is_err());
    }

    #[test]
    fn what_stands_for_the_absent() {
        let row = array![[[1.0, 2.0], [4.0, 6.0]], [[0.0, 3.0], [3.0, 6.0]]].into_dyn();
        let groups = groups(&array![[0, 1], [1, 1]], 0, 2).expect("groups");
        let means = segment_means(row.view(), &groups, 0).expect("means");
        assert_eq!(means, array![[[1.0, 4.0], [4.0, 4.0]], [[0.0, 4.0], [4.0, 4.0]]].into_dyn());
        let mean = mean_color(row.view(), 0).expect("a mean");
        assert_eq!(mean, array![[[3.25, 3.25], [3.25, 3.25]], [[3.0, 3.0], [3.0, 3.0]]].into_dyn());
        let color = one_color(row.view(), &[7.0, 8.0], 0).expect("a color");
        assert_eq!(color, array![[[7.0, 7.0], [7.0, 7.0]], [[8.0, 8.0], [8.0, 8.0]]].into_dyn());
        assert!(one_color(row.view(), &[7.0], 0).is_err());
        assert!(mean_color(array![1.0].into_dyn().view(), 0).is_err());
        assert!(segment_means(row.view(), &Groups::single(&[2, 2, 1]), 0).is_err());
        let flat = ArrayD::from_elem(vec![1, 9, 9], 2.0);
        let same = blurred(flat.view(), 1.5, 0).expect("a blur") - &flat;
        assert!(same.iter().all(|gap: &f64| gap.abs() < 1e-6));
        let mut point = ArrayD::zeros(vec![1, 9, 9]);
        point[[0, 4, 4]] = 1.0;
        let soft = blurred(point.view(), 1.0, 0).expect("a blur");
        assert!((soft.sum() - 1.0).abs() < 1e-4 && soft[[0, 4, 4]] < 0.2 && soft[[0, 4, 5]] > 0.05);
        assert!(blurred(point.view(), -1.0, 0).is_err());
    }

    /// The brightness of one corner: LIME with segment means, a color and inpainting all name its segment.
    #[test]
    fn lime_finds_the_segment_that_counts() {
        let row = ArrayD::from_shape_fn(vec![3, 8, 8], |at| {
            f64::from(at[1] < 4 && at[2] >= 4) + 0.1 * at[0] as f64
        });
        let predict = |rows: ArrayViewD<'_, f64>| {
            let corner =
                |row: ArrayViewD<'_, f64>| (1..3).map(|y| row[[0, y, 6]] * row[[1, y, 6]]).sum::<f64>();
            Ok(rows.outer_iter().map(corner).collect::<Array1<f64>>().insert_axis(Axis(1)))
        };
        let model = Function { row_shape: vec![3, 8, 8], n_outputs: 1, predict };
        let groups = groups(&grid(8, 8, 2, 2).expect("a grid"), 0, 3).expect("groups");
        let black = one_color(row.view(), &[0.0, 0.0, 0.0], 0).expect("a color");
        let mean = mean_color(row.view(), 0).expect("a color");
        for masker in [
            Masker::baseline(black, groups.clone()),
            Masker::baseline(mean.clone(), groups.clone()),
            Masker::inpaint(mean, Some(0), groups.clone()),
        ] {
            let masker = masker.expect("a masker");
            let game = MaskedRow::new(&model, &masker, row.view(), array![[1.0]]).expect("a game");
            let options = Options { n_samples: 64, ..Options::image() };
            let surrogate = lime(&game, &options, &work(16)).expect("a surrogate");
            assert_eq!(surrogate.selected[0][0], 1);
        }
    }
}

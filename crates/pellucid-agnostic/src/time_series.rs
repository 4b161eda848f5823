#![doc = include_str!("time_series.md")]

use ndarray::{Array2, ArrayD, ArrayView1, ArrayView2, Axis};

use crate::error::Error;
use crate::masker::Groups;

/// Longer series take too long for [`change_points`], whose work grows with the square.
pub const MAX_CHANGE_POINT_TIMES: usize = 8192;

/// Whether a stretch of time is absent in all channels at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channels {
    /// A player is a stretch of time, in all channels.
    #[default]
    Together,
    /// A player is a stretch of time in one channel; those of channel 0 come first.
    Apart,
}

/// Stretches of equal length (to one) of a series `[time, channel]` as players.
///
/// # Errors
/// More stretches than times, or none.
pub fn equal_stretches(
    n_times: usize,
    n_channels: usize,
    n_segments: usize,
    channels: Channels,
) -> Result<Groups, Error> {
    check_count(n_times, n_segments)?;
    let stretch: Vec<usize> = (0..n_times).map(|time| time * n_segments / n_times).collect();
    players(&vec![stretch; n_channels], channels)
}

/// The `n_segments` stretches between changes of level in `row` `[time, channel]`, as players: those that leave the least sum of squared
/// deviations from their means, exactly (Jackson et al. 2005), each channel in units of its own deviation. With [`Channels::Apart`] every
/// channel has changes of its own.
///
/// # Errors
/// More stretches than times, or none; numbers that are none; a series longer than [`MAX_CHANGE_POINT_TIMES`].
pub fn change_points(
    row: ArrayView2<'_, f64>,
    n_segments: usize,
    channels: Channels,
) -> Result<Groups, Error> {
    check_count(row.nrows(), n_segments)?;
    if row.nrows() > MAX_CHANGE_POINT_TIMES {
        let reason = format!("{} times are too many for change points; use equal stretches", row.nrows());
        return Err(Error::setting("n_segments", reason));
    }
    if let Some(((time, channel), &value)) = row.indexed_iter().find(|(_, value)| !value.is_finite()) {
        return Err(Error::NotFinite { what: "row", value, index: vec![time, channel] });
    }
    let stretches = match channels {
        Channels::Together => vec![least_squares_stretches(row, n_segments); row.ncols()],
        Channels::Apart => row
            .axis_iter(Axis(1))
            .map(|channel| least_squares_stretches(channel.insert_axis(Axis(1)), n_segments))
            .collect(),
    };
    players(&stretches, channels)
}

fn check_count(n_times: usize, n_segments: usize) -> Result<(), Error> {
    match (1..=n_times).contains(&n_segments) {
        true => Ok(()),
        false => {
            Err(Error::setting("n_segments", format!("{n_segments} stretches of {n_times} times cannot be")))
        }
    }
}

/// The stretch of each time, for each channel, as players of elements `[time, channel]`.
fn players(stretches: &[Vec<usize>], channels: Channels) -> Result<Groups, Error> {
    let n_times = stretches.first().map_or(0, Vec::len);
    let n_segments = stretches.iter().flatten().max().map_or(0, |&last| last + 1);
    let of_element = Array2::from_shape_fn((n_times, stretches.len()), |(time, channel)| {
        let first = if channels == Channels::Apart { channel * n_segments } else { 0 };
        first + stretches[channel][time]
    });
    Groups::new(of_element.into_dyn())
}

/// The stretch of each time, by dynamic programming: the least cost of the first t times in k stretches, for all t and k.
fn least_squares_stretches(row: ArrayView2<'_, f64>, n_segments: usize) -> Vec<usize> {
    let n_times = row.nrows();
    let sums: Vec<Vec<[f64; 2]>> = row.axis_iter(Axis(1)).map(running_sums).collect();
    // Σ (x − mean)² over start..end, in units of each channel's variance.
    let cost = |start: usize, end: usize| {
        let n = (end - start) as f64;
        let of_channel = |sums: &Vec<[f64; 2]>| {
            let [sum, square] = std::array::from_fn(|i| sums[end][i] - sums[start][i]);
            (square - sum * sum / n).max(0.0)
        };
        sums.iter().map(of_channel).sum::<f64>()
    };
    let mut least: Vec<f64> = (0..=n_times).map(|end| if end > 0 { cost(0, end) } else { 0.0 }).collect();
    let mut starts = vec![vec![0; n_times + 1]];
    for n_before in 1..n_segments {
        let mut next = vec![f64::INFINITY; n_times + 1];
        let mut start_of = vec![0; n_times + 1];
        for end in n_before + 1..=n_times {
            for (start, least) in least.iter().enumerate().take(end).skip(n_before) {
                let total = least + cost(start, end);
                if total < next[end] {
                    (next[end], start_of[end]) = (total, start);
                }
            }
        }
        least = next;
        starts.push(start_of);
    }
    let mut stretch = vec![0; n_times];
    let mut end = n_times;
    for segment in (0..n_segments).rev() {
        let start = starts[segment][end];
        stretch[start..end].fill(segment);
        end = start;
    }
    stretch
}

/// `Σ x` and `Σ x²` of the times before each, standardized so that channels weigh alike and squares keep their digits.
fn running_sums(channel: ArrayView1<'_, f64>) -> Vec<[f64; 2]> {
    let mean = channel.sum() / channel.len() as f64;
    let deviation = channel.std(0.0);
    let scale = if deviation > 0.0 { deviation } else { 1.0 };
    let mut sums = vec![[0.0; 2]];
    for x in channel {
        let x = (x - mean) / scale;
        let [sum, square] = sums[sums.len() - 1];
        sums.push([sum + x, square + x * x]);
    }
    sums
}

/// The mean of each channel over all times.
pub fn channel_means(row: ArrayView2<'_, f64>) -> ArrayD<f64> {
    let means = row.sum_axis(Axis(0)) / row.nrows().max(1) as f64;
    Array2::from_shape_fn(row.raw_dim(), |(_, channel)| means[channel]).into_dyn()
}

/// The mean of each channel over the player's own stretch.
///
/// # Errors
/// Groups of another shape.
pub fn stretch_means(row: ArrayView2<'_, f64>, groups: &Groups) -> Result<ArrayD<f64>, Error> {
    by_stretch(row, groups, |channel, start, end| {
        let mean = channel.iter().skip(start).take(end - start).sum::<f64>() / (end - start) as f64;
        vec![mean; end - start]
    })
}

/// For each stretch of a player in a channel the straight line from the value before it to the one behind it: what is left of the series
/// without its own values. At an end of the series the one value beside it; the channel's mean where there is none.
///
/// # Errors
/// Groups of another shape.
pub fn interpolated(row: ArrayView2<'_, f64>, groups: &Groups) -> Result<ArrayD<f64>, Error> {
    by_stretch(row, groups, |channel, start, end| {
        let before = start.checked_sub(1).map(|time| channel[time]);
        let behind = channel.get(end).copied();
        let n_steps = (end - start + 1) as f64;
        let at = |step: usize| match (before, behind) {
            (Some(before), Some(behind)) => before + (behind - before) * step as f64 / n_steps,
            (Some(beside), None) | (None, Some(beside)) => beside,
            (None, None) => channel.sum() / channel.len() as f64,
        };
        (1..=end - start).map(at).collect()
    })
}

/// Fills each run of times of one player in a channel with what `fill` gives for it: channel, first time, first time behind it.
fn by_stretch(
    row: ArrayView2<'_, f64>,
    groups: &Groups,
    fill: impl Fn(ArrayView1<'_, f64>, usize, usize) -> Vec<f64>,
) -> Result<ArrayD<f64>, Error> {
    if groups.of_element().shape() != row.shape() {
        return Err(Error::shape(
            "groups",
            format!("{:?}, as the row", row.shape()),
            groups.of_element().shape(),
        ));
    }
    let mut filled = row.to_owned();
    for (channel, mut slot) in filled.axis_iter_mut(Axis(1)).enumerate() {
        let of_time = groups.of_element().index_axis(Axis(1), channel);
        let mut start = 0;
        while start < row.nrows() {
            let end =
                (start..row.nrows()).find(|&time| of_time[[time]] != of_time[[start]]).unwrap_or(row.nrows());
            for (time, value) in (start..end).zip(fill(row.column(channel), start, end)) {
                slot[time] = value;
            }
            start = end;
        }
    }
    Ok(filled.into_dyn())
}

#[cfg(test)]
mod tests;

//! Rows that are series, `[time, channel]` or `[channel, time]`.

use ndarray::{Array2, ArrayD, ArrayViewD, Ix2};
use pellucid_agnostic::time_series::{Channels, channel_means, interpolated, stretch_means};
use pellucid_agnostic::{Groups, Masker};

use crate::error::Error;

/// The axis of a series' row that is time: the one asked for, else the longer one.
///
/// # Errors
/// A row that is no series, an axis that is not there, axes of one length.
pub(crate) fn time_axis(row_shape: &[usize], asked: Option<usize>) -> Result<usize, Error> {
    let fault = |reason: String| Error::request("time_axis", reason);
    match (row_shape, asked) {
        ([_, _], Some(axis)) if axis < 2 => Ok(axis),
        ([_, _], Some(axis)) => Err(fault(format!("{axis} is not there; a series has the axes 0 and 1"))),
        ([a, b], None) if a == b => {
            Err(fault(format!("a row of shape {row_shape:?} does not tell which axis is time; say 0 or 1")))
        }
        ([a, b], None) => Ok(usize::from(b > a)),
        _ => Err(fault(format!("is of series [time, channel]; a row of this model has shape {row_shape:?}"))),
    }
}

/// `apart` or `together` (the default).
pub(crate) fn channels(text: Option<&str>) -> Result<Channels, Error> {
    match text {
        None | Some("together") => Ok(Channels::Together),
        Some("apart") => Ok(Channels::Apart),
        Some(text) => {
            Err(Error::request("channels", format!("there is no `{text}`; there are: together, apart")))
        }
    }
}

/// The row as `[time, channel]`.
pub(crate) fn time_first(row: ArrayViewD<'_, f64>, time_axis: usize) -> Result<Array2<f64>, Error> {
    let row = row.into_dimensionality::<Ix2>();
    let row = row.map_err(|error| Error::request("time_axis", error.to_string()))?;
    Ok(if time_axis == 1 { row.t().to_owned() } else { row.to_owned() })
}

/// Groups of `[time, channel]` in the row's own order of axes, or the other way round.
pub(crate) fn turned(groups: &Groups, time_axis: usize) -> Result<Groups, Error> {
    Ok(match time_axis {
        1 => Groups::new(back(groups.of_element().clone(), time_axis))?,
        _ => groups.clone(),
    })
}

fn back<T: Clone>(array: ArrayD<T>, time_axis: usize) -> ArrayD<T> {
    if time_axis == 1 { array.reversed_axes().as_standard_layout().into_owned() } else { array }
}

/// What a series itself says of a part that is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// The mean of the channel over all times.
    ChannelMeans,
    /// The mean of the channel over the part.
    StretchMeans,
    /// The line from the value before the part to the one behind it.
    Interpolated,
    /// The same across all that is absent together.
    Inpaint,
}

impl Fill {
    pub(crate) const NAMES: [(&'static str, Self); 4] = [
        ("channel-means", Self::ChannelMeans),
        ("stretch-means", Self::StretchMeans),
        ("interpolated", Self::Interpolated),
        ("inpaint", Self::Inpaint),
    ];

    pub(crate) fn named(text: &str) -> Option<Self> {
        let text = text.replace('_', "-");
        Self::NAMES.iter().find(|(name, _)| *name == text).map(|(_, fill)| *fill)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, fill)| *fill == self).map_or("", |(name, _)| name)
    }

    /// Whether it is of stretches of time, and not of single steps.
    pub(crate) fn is_of_stretches(self) -> bool {
        matches!(self, Self::StretchMeans | Self::Interpolated)
    }

    /// The masker of a row, which is number `index`.
    ///
    /// # Errors
    /// A series that is constant, of which every part would be filled with what it is.
    pub(crate) fn masker(
        self,
        index: usize,
        row: ArrayViewD<'_, f64>,
        time_axis: usize,
        groups: &Groups,
    ) -> Result<Masker, Error> {
        let series = time_first(row, time_axis)?;
        if series.columns().into_iter().all(|channel| channel.iter().all(|x| *x == channel[0])) {
            let reason = format!(
                "row {index} is constant in every channel, and {} would put in what is there; take another value or a background",
                self.name()
            );
            return Err(Error::request("baseline", reason));
        }
        let of_series = turned(groups, time_axis)?;
        let filled = match self {
            Self::ChannelMeans | Self::Inpaint => channel_means(series.view()),
            Self::StretchMeans => stretch_means(series.view(), &of_series)?,
            Self::Interpolated => interpolated(series.view(), &of_series)?,
        };
        let filled = back(filled, time_axis);
        Ok(match self {
            Self::Inpaint => Masker::inpaint(filled, Some(1 - time_axis), groups.clone())?,
            _ => Masker::baseline(filled, groups.clone())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use pellucid_agnostic::time_series::equal_stretches;

    #[test]
    fn the_longer_axis_is_time_unless_another_is_named() {
        assert_eq!(time_axis(&[100, 6], None).unwrap(), 0);
        assert_eq!(time_axis(&[6, 100], None).unwrap(), 1);
        assert_eq!(time_axis(&[6, 100], Some(0)).unwrap(), 0);
        let say = |shape: &[usize], asked| time_axis(shape, asked).expect_err("a refusal").to_string();
        assert!(say(&[5, 5], None).contains("say 0 or 1"));
        assert!(say(&[5, 6], Some(2)).contains("the axes 0 and 1"));
        assert!(say(&[3, 4, 5], None).contains("is of series"));
    }

    /// A series and the same lying down are filled alike.
    #[test]
    fn both_orders_of_axes_are_filled_alike() {
        let series = array![[0.0, 5.0], [1.0, 5.0], [5.0, 7.0], [2.0, 3.0]];
        for channels in [Channels::Together, Channels::Apart] {
            let groups = equal_stretches(4, 2, 2, channels).unwrap();
            let present = ndarray::Array1::from_iter((0..groups.n_groups()).map(|player| player % 2 == 0));
            for (_, fill) in Fill::NAMES {
                let standing = fill.masker(0, series.view().into_dyn(), 0, &groups).unwrap();
                let lying = turned(&groups, 1).unwrap();
                let row = series.t().to_owned().into_dyn();
                let lying = fill.masker(0, row.view(), 1, &lying).unwrap();
                let (mut a, mut b) = (ArrayD::zeros(vec![4, 2]), ArrayD::zeros(vec![2, 4]));
                standing.fill(series.view().into_dyn(), present.view(), 0, a.view_mut());
                lying.fill(row.view(), present.view(), 0, b.view_mut());
                let gaps = &a - &b.reversed_axes();
                assert!(gaps.iter().all(|gap: &f64| gap.abs() < 1e-9), "{fill:?} {channels:?}: {gaps}");
                assert_ne!(a, series.clone().into_dyn(), "{fill:?}");
            }
        }
    }

    #[test]
    fn a_constant_series_is_refused() {
        let row = array![[1.0, 2.0], [1.0, 2.0]].into_dyn();
        let groups = equal_stretches(2, 2, 2, Channels::Together).unwrap();
        let refusal = Fill::ChannelMeans.masker(3, row.view(), 0, &groups).expect_err("a refusal");
        assert!(refusal.to_string().contains("row 3 is constant"), "{refusal}");
    }
}

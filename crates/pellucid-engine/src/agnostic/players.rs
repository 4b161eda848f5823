//! Which features of a row are present and absent together: the players of its game.

use ndarray::{Array1, Array2, Array3, ArrayD, ArrayView3, ArrayViewD, Ix3};
use pellucid_agnostic::segmentation::{Quickshift, Slic, grid, quickshift, slic};
use pellucid_agnostic::time_series::{Channels, change_points, equal_stretches};
use pellucid_agnostic::{Groups, image};

use super::masking::MaskingOptions;
use super::series::{self, time_first, turned};
use crate::digests;
use crate::error::Error;

/// How the players of a row are found.
#[derive(Clone, Debug)]
pub(crate) enum Players {
    /// Every element of a row is one.
    Elements,
    /// The same groups for every row.
    Groups(Groups),
    /// Segments of an image, found in each row.
    Segments(Segments, usize),
    /// Stretches of a series, in all channels at once or in each on its own.
    Stretches { n: usize, at_changes: bool, channels: Channels, time_axis: usize, n_channels: usize },
}

/// What a person says of series.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OfSeries {
    pub(crate) channels: Channels,
    pub(crate) time_axis: Option<usize>,
}

#[derive(Clone, Debug)]
pub(crate) enum Segments {
    Grid(usize),
    Slic(usize),
    Quickshift,
}

impl Players {
    /// The players that `options` ask for, of rows of a shape.
    ///
    /// # Errors
    /// Groups of another shape, names that are no features; segments of what is no image, stretches of what is no series.
    pub(crate) fn new(
        options: &mut MaskingOptions,
        row_shape: &[usize],
        channel_axis: Option<usize>,
        feature_names: Option<&[String]>,
        of_series: OfSeries,
    ) -> Result<Self, Error> {
        let by_name = options.feature_group_names.take();
        let groups = match (options.feature_groups.take(), by_name) {
            (None, None) => None,
            (Some(groups), _) => Some(groups),
            (None, Some(text)) => Some(parse_groups(&text, row_shape, feature_names)?),
        };
        match (groups, options.segments.take()) {
            (None, None) => Ok(Self::Elements),
            (Some(_), Some(_)) => {
                Err(Error::request("segments", "features are in groups or in segments, not both"))
            }
            (Some(groups), None) if groups.shape() == row_shape => Ok(Self::Groups(Groups::new(groups)?)),
            (Some(groups), None) => {
                let reason = format!("have shape {:?} and a row {row_shape:?}", groups.shape());
                Err(Error::request("feature_groups", reason))
            }
            (None, Some(text)) => segments(&text, row_shape, channel_axis, of_series),
        }
    }

    /// The players of a row.
    ///
    /// # Errors
    /// What the segmentation reports.
    pub(crate) fn of_row(&self, row: ArrayViewD<'_, f64>) -> Result<Groups, Error> {
        match self {
            Self::Elements => Ok(Groups::single(row.shape())),
            Self::Groups(groups) => Ok(groups.clone()),
            Self::Segments(segments, channel_axis) => {
                let picture = picture(row.view(), *channel_axis)?;
                let n_channels = picture.dim().2;
                Ok(image::groups(&segments.of(picture.view())?, *channel_axis, n_channels)?)
            }
            Self::Stretches { n, at_changes, channels, time_axis, .. } => {
                let series = time_first(row, *time_axis)?;
                if *at_changes
                    && series.columns().into_iter().all(|channel| channel.iter().all(|x| *x == channel[0]))
                {
                    let reason = "a row is constant in every channel and changes nowhere; take stretches:N";
                    return Err(Error::request("segments", reason));
                }
                let groups = match at_changes {
                    true => change_points(series.view(), *n, *channels)?,
                    false => equal_stretches(series.nrows(), series.ncols(), *n, *channels)?,
                };
                turned(&groups, *time_axis)
            }
        }
    }

    /// The number of players of a row; about that of segments that differ from row to row.
    pub(crate) fn count(&self, row_shape: &[usize]) -> usize {
        const OF_QUICKSHIFT: usize = 100;
        match self {
            Self::Elements => row_shape.iter().product(),
            Self::Groups(groups) => groups.n_groups(),
            Self::Segments(Segments::Grid(n), _) => n * n,
            Self::Segments(Segments::Slic(n), _) => *n,
            Self::Stretches { n, channels: Channels::Together, .. } => *n,
            Self::Stretches { n, n_channels, .. } => n * n_channels,
            Self::Segments(Segments::Quickshift, _) => OF_QUICKSHIFT,
        }
    }

    /// Whether every row has the same players.
    pub(crate) fn are_fixed(&self) -> bool {
        matches!(self, Self::Elements | Self::Groups(_) | Self::Stretches { at_changes: false, .. })
    }

    /// For the record.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Elements => "features".to_owned(),
            Self::Groups(groups) => format!("{} groups", groups.n_groups()),
            Self::Segments(Segments::Grid(n), _) => format!("grid:{n}"),
            Self::Segments(Segments::Slic(n), _) => format!("slic:{n}"),
            Self::Segments(Segments::Quickshift, _) => "quickshift".to_owned(),
            Self::Stretches { n, at_changes, channels, .. } => {
                let kind = if *at_changes { "changes" } else { "stretches" };
                let apart = if *channels == Channels::Apart { " of each channel" } else { "" };
                format!("{kind}:{n}{apart}")
            }
        }
    }

    /// The digest of groups, of which the record's text says how many there are.
    pub(crate) fn digest(&self) -> Option<String> {
        let Self::Groups(groups) = self else { return None };
        let of_element = groups.of_element();
        let numbers: Vec<String> = of_element.iter().map(usize::to_string).collect();
        Some(digests::of_text(&format!("{:?}: {}", of_element.shape(), numbers.join(" "))))
    }
}

impl Segments {
    /// The segments of a picture `[height, width, channels]`, `[height, width]`.
    fn of(&self, picture: ArrayView3<'_, f64>) -> Result<Array2<usize>, Error> {
        let (height, width, _) = picture.dim();
        Ok(match self {
            Self::Grid(n) => grid(height, width, (*n).min(height), (*n).min(width))?,
            Self::Slic(n) => slic(picture, &Slic { n_segments: *n, ..Slic::default() })?,
            Self::Quickshift => quickshift(picture, &Quickshift::default())?,
        })
    }
}

/// The segments of an image `[height, width, channels]` by `grid:7`, `slic:50` or `quickshift`: `[height, width]`, numbered from 0.
///
/// # Errors
/// What is no image, words that name no segments.
pub fn segments_of_image(image: ArrayViewD<'_, f64>, text: &str) -> Result<Array2<usize>, Error> {
    match segments(text, image.shape(), Some(2), OfSeries::default())? {
        Players::Segments(segments, axis) => segments.of(picture(image, axis)?.view()),
        _ => Err(Error::request("segments", format!("{text} is not for images"))),
    }
}

/// The row as `[height, width, channels]` between 0 and 1, which is what segmentations look at.
fn picture(row: ArrayViewD<'_, f64>, channel_axis: usize) -> Result<Array3<f64>, Error> {
    let fault = |error: ndarray::ShapeError| Error::request("segments", error.to_string());
    let mut picture = row.to_owned().into_dimensionality::<Ix3>().map_err(fault)?;
    if channel_axis == 0 {
        picture = picture.permuted_axes([1, 2, 0]);
    }
    let low = picture.iter().copied().fold(f64::INFINITY, f64::min);
    let high = picture.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    picture.mapv_inplace(|x| if high > low { (x - low) / (high - low) } else { 0.0 });
    Ok(picture.as_standard_layout().into_owned())
}

fn segments(
    text: &str,
    row_shape: &[usize],
    channel_axis: Option<usize>,
    of_series: OfSeries,
) -> Result<Players, Error> {
    // A number alone is one of stretches.
    let stretches = format!("stretches:{text}");
    let text = if text.parse::<usize>().is_ok() { &stretches } else { text };
    let (kind, number) = text.split_once(':').map_or((text, None), |(kind, number)| (kind, Some(number)));
    let fault = |reason: String| Error::request("segments", reason);
    let number = |default: usize| match number {
        None => Ok(default),
        Some(number) => match number.parse() {
            Ok(n) if n > 0 => Ok(n),
            _ => Err(fault(format!("`{number}` is no number of segments"))),
        },
    };
    let of_image = |segments: Segments| match (row_shape.len(), channel_axis) {
        (3, axis) => Ok(Players::Segments(segments, axis.unwrap_or(0))),
        _ => Err(fault(format!("{kind} is for images; a row of this model has shape {row_shape:?}"))),
    };
    let of_series = |n: usize, at_changes: bool| match row_shape.len() {
        2 => {
            let time_axis = series::time_axis(row_shape, of_series.time_axis)?;
            let (n_times, n_channels) = (row_shape[time_axis], row_shape[1 - time_axis]);
            if n > n_times {
                let reason = format!("{n} are more than the {n_times} steps of a series");
                return Err(fault(reason));
            }
            Ok(Players::Stretches { n, at_changes, channels: of_series.channels, time_axis, n_channels })
        }
        _ => Err(fault(format!(
            "{kind} is for series [time, channel]; a row of this model has shape {row_shape:?}"
        ))),
    };
    match kind {
        "grid" => of_image(Segments::Grid(number(7)?)),
        "slic" => of_image(Segments::Slic(number(50)?)),
        "quickshift" => of_image(Segments::Quickshift),
        "stretches" => of_series(number(10)?, false),
        "changes" => of_series(number(10)?, true),
        _ => {
            let known = "grid:N, slic:N and quickshift of images, stretches:N and changes:N of series";
            Err(fault(format!("there is no `{kind}`; there are {known}")))
        }
    }
}

/// `age+sex,4+5`: features that go together; every other one stands alone.
pub(super) fn parse_groups(
    text: &str,
    row_shape: &[usize],
    names: Option<&[String]>,
) -> Result<ArrayD<usize>, Error> {
    let fault = |reason: String| Error::request("feature_groups", reason);
    let [n_features] = *row_shape else {
        return Err(fault(format!("are named for flat rows; a row of this model has shape {row_shape:?}")));
    };
    let mut of_feature = vec![None; n_features];
    let mut n_groups = 0;
    for group in text.split(',') {
        for name in group.split('+').map(str::trim) {
            let by_name = names.and_then(|names| names.iter().position(|known| known == name));
            let feature = by_name.or_else(|| name.parse().ok()).filter(|&feature| feature < n_features);
            let feature = feature.ok_or_else(|| fault(format!("there is no feature `{name}`")))?;
            if of_feature[feature].replace(n_groups).is_some() {
                return Err(fault(format!("feature `{name}` is in two groups")));
            }
        }
        n_groups += 1;
    }
    let all = of_feature.into_iter().map(|group| {
        group.unwrap_or_else(|| {
            n_groups += 1;
            n_groups - 1
        })
    });
    Ok(Array1::from_iter(all).into_dyn())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_by_name_or_number() {
        let names = ["age", "sex", "job", "2"].map(str::to_owned);
        let of = |text: &str| {
            parse_groups(text, &[4], Some(&names)).map(|groups| groups.into_raw_vec_and_offset().0)
        };
        assert_eq!(of("age+job").expect("groups"), [0, 1, 0, 2]);
        assert_eq!(of("sex+0, 2").expect("groups"), [0, 0, 2, 1]);
        let say = |text: &str| of(text).expect_err("a refusal").to_string();
        assert!(say("age+pay").contains("no feature `pay`"));
        assert!(say("age+sex,age").contains("in two groups"));
        assert!(parse_groups("0", &[3, 4], None).expect_err("a refusal").to_string().contains("flat rows"));
    }

    #[test]
    fn segments_are_of_images_and_stretches_of_series() {
        let of = |text: &str, row_shape: &[usize]| segments(text, row_shape, None, OfSeries::default());
        let row = ArrayD::from_shape_fn(vec![3, 8, 6], |place| (place[0] + place[1] * place[2]) as f64);
        let players = of("grid:2", row.shape()).expect("segments").of_row(row.view()).expect("groups");
        assert_eq!((players.n_groups(), players.of_element()[[2, 7, 5]]), (4, 3));
        let series = ArrayD::from_shape_fn(vec![12, 2], |place| place[0] as f64);
        let players =
            of("stretches:4", series.shape()).expect("stretches").of_row(series.view()).expect("groups");
        assert_eq!((players.n_groups(), players.of_element()[[11, 1]]), (4, 3));
        let of_series = OfSeries { channels: Channels::Apart, time_axis: None };
        let lying = series.view().reversed_axes();
        let players = segments("3", lying.shape(), None, of_series).expect("stretches");
        let groups = players.of_row(lying).expect("groups");
        assert_eq!(
            (players.count(&[2, 12]), groups.of_element()[[1, 0]], groups.of_element()[[0, 11]]),
            (6, 3, 2)
        );
        let say = |text: &str, row_shape: &[usize]| of(text, row_shape).expect_err("a refusal").to_string();
        assert!(say("stretches:13", &[12, 2]).contains("13 are more than the 12 steps"));
        let flat = ArrayD::zeros(vec![12, 2]);
        let changes = of("changes:3", &[12, 2]).expect("players").of_row(flat.view()).expect_err("a refusal");
        assert!(changes.to_string().contains("constant in every channel"));
        assert!(say("slic:20", &[5]).contains("is for images"));
        assert!(say("stretches", &[3, 8, 6]).contains("is for series"));
        assert!(say("tiles", &[3, 8, 6]).contains("grid:N"));
        assert!(say("grid:0", &[3, 8, 6]).contains("no number of segments"));
    }
}

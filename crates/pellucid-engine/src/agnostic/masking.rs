//! What a person says of absent features, and the masker that each row gets.

use std::borrow::Cow;
use std::path::PathBuf;

use ndarray::{Array1, ArrayD, ArrayView2, ArrayViewD, Axis, Ix2};
use pellucid_agnostic::k_means::k_means;
use pellucid_agnostic::{Groups, Masker};
use pellucid_core::{Baseline, ImageValues, row_digest_f64};

use super::model::PredictedModel;
use super::rows::PredictedRows;
use super::series::{Fill, time_axis};
use crate::baseline::parse_baseline;
use crate::digests::{self, Named};
use crate::error::Error;
use crate::input::hex;
use crate::parameter::Parameter;

/// How absent features are filled in, with all that it needs read.
#[derive(Clone, Debug)]
pub(crate) enum Removal {
    /// With one value or array, or what is made of the row itself.
    Baseline { baseline: Baseline, image: Option<ImageValues>, seed: u64, text: String },
    /// With what a series says of the part itself.
    OfSeries { fill: Fill, time_axis: usize },
    /// With one array `[features…]`, or with each row's own, `[rows, features…]`.
    Array { baseline: ArrayD<f64>, is_per_row: bool },
    /// With what the other explained rows have.
    OtherRows,
    /// With each of many rows in turn.
    Background { masker: Box<Masker>, named: Named, summary: Option<usize> },
}

/// What a person says of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MaskingOptions {
    /// One baseline for all rows: see [`parse_baseline`].
    pub baseline: Option<String>,
    /// A baseline in memory instead, `[features…]`, or one for each row, `[rows, features…]`.
    pub baseline_array: Option<ArrayD<f64>>,
    /// Files of rows to average over.
    pub background: Vec<PathBuf>,
    /// Such rows in memory instead, `[rows, features…]`.
    pub background_rows: Option<ArrayD<f64>>,
    /// What each of them counts; all the same by default.
    pub background_weights: Option<Array1<f64>>,
    /// Sum the background up by so many rows with weights (k-means).
    pub background_clusters: Option<usize>,
    /// The group of each feature, of a row's shape, numbered from 0.
    pub feature_groups: Option<ArrayD<usize>>,
    /// The same for flat rows, by name or number: `age+sex,4+5`; every other feature stands alone.
    pub feature_group_names: Option<String>,
    /// Segments as players: `grid:7`, `slic:50`, `quickshift` of images; `stretches:10` (or `10`), `changes:10` of series.
    pub segments: Option<String>,
    /// Of series, whether what is absent is so in all channels at once: `together` (the default) or `apart`.
    pub channels: Option<String>,
    /// The axis of a series that is time, 0 or 1; by default the longer one.
    pub time_axis: Option<usize>,
}

impl Removal {
    /// The removal that `options` ask for; `read` reads files of rows for this model.
    ///
    /// # Errors
    /// Neither baseline nor background, or both; what reading reports; a background that does not fit.
    pub(crate) fn new(
        options: &mut MaskingOptions,
        model: &PredictedModel<'_>,
        groups: &Groups,
        seed: u64,
        read: impl FnOnce(&[PathBuf]) -> Result<PredictedRows, Error>,
    ) -> Result<Self, Error> {
        let files = std::mem::take(&mut options.background);
        let given = options.background_rows.take();
        let clusters = options.background_clusters.take();
        let weights = options.background_weights.take();
        let (baseline, array) = (options.baseline.take(), options.baseline_array.take());
        let background = match (given, files.is_empty()) {
            (Some(rows), _) => Some((rows, "array".to_owned())),
            (None, false) => Some((read(&files)?.rows, file_names(&files))),
            (None, true) => None,
        };
        if background.is_some() && (baseline.is_some() || array.is_some()) {
            let reason = "absent features have a baseline or a background, not both";
            return Err(Error::request("baseline", reason));
        }
        match (background, array) {
            (Some((rows, text)), _) => Self::background(rows, weights, text, clusters, groups, seed),
            (None, _) if clusters.is_some() => {
                Err(Error::request("background_clusters", "sums up a background; give one"))
            }
            (None, _) if weights.is_some() => {
                Err(Error::request("background_weights", "are of a background; give one"))
            }
            (None, Some(array)) => Self::array(array, model.predictor().row_shape()),
            (None, None) => match baseline.as_deref().and_then(Fill::named) {
                Some(fill) => {
                    let time_axis = time_axis(model.predictor().row_shape(), options.time_axis)?;
                    Ok(Self::OfSeries { fill, time_axis })
                }
                None => Self::baseline(baseline, model, seed),
            },
        }
    }

    /// The removal that asks for nothing: parts of the explained rows stand in for each other.
    ///
    /// # Errors
    /// An option that says what else stands in.
    pub(crate) fn other_rows(options: &MaskingOptions) -> Result<Self, Error> {
        let has_background = options.background_rows.is_some() || !options.background.is_empty();
        let given = [
            ("baseline", options.baseline.is_some() || options.baseline_array.is_some()),
            ("background", has_background),
            ("background_weights", options.background_weights.is_some()),
            ("background_clusters", options.background_clusters.is_some()),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            Some((option, _)) => Err(Error::request(
                option,
                "feature_permutation takes values of the explained rows alone; leave it out",
            )),
            None => Ok(Self::OtherRows),
        }
    }

    fn array(baseline: ArrayD<f64>, row_shape: &[usize]) -> Result<Self, Error> {
        let is_per_row = baseline.ndim() > row_shape.len();
        match baseline.shape() == row_shape || baseline.shape().get(1..) == Some(row_shape) {
            true => Ok(Self::Array { baseline, is_per_row }),
            false => {
                let reason = format!("has shape {:?} and a row {row_shape:?}", baseline.shape());
                Err(Error::request("baseline", reason))
            }
        }
    }

    fn background(
        rows: ArrayD<f64>,
        weights: Option<Array1<f64>>,
        text: String,
        clusters: Option<usize>,
        groups: &Groups,
        seed: u64,
    ) -> Result<Self, Error> {
        let Some(k) = clusters else {
            let masker = Masker::background(rows, weights, groups.clone())?;
            return Ok(Self::of_background(masker, text, None));
        };
        if weights.is_some() {
            return Err(Error::request("background_weights", "rows that have weights are summed up already"));
        }
        let table = rows.into_dimensionality::<Ix2>().map_err(|_| {
            Error::request(
                "background_clusters",
                "only tables are summed up; give fewer background rows instead",
            )
        })?;
        let summary = k_means(table.view(), k, seed)?;
        let masker = Masker::background(summary.rows.into_dyn(), Some(summary.weights), groups.clone())?;
        Ok(Self::of_background(masker, text, Some(table.nrows())))
    }

    fn of_background(masker: Masker, text: String, summary: Option<usize>) -> Self {
        let weights = row_digest_f64(masker.weights().into_dyn());
        let rows = masker.replacements();
        let digest = Some(digests::of_rows(rows.outer_iter().map(row_digest_f64).chain([weights])));
        Self::Background { masker: Box::new(masker), named: Named { text, digest }, summary }
    }

    fn baseline(text: Option<String>, model: &PredictedModel<'_>, seed: u64) -> Result<Self, Error> {
        let row_shape = model.predictor().row_shape();
        let text = match text {
            Some(text) => text,
            None if row_shape.len() > 1 => "zeros".to_owned(),
            None => {
                let reason = "absent columns of a table need values: give a --background table, such as rows of the \
                              training set, or a --baseline";
                return Err(Error::request("background", reason));
            }
        };
        let image = model.source().preprocessing.as_ref().map(crate::preprocess::Preprocess::image_values);
        Ok(Self::Baseline { baseline: parse_baseline(&text, row_shape)?, image, seed, text })
    }

    /// Whether a part is filled in by what lies around it, for which it must be a stretch of time.
    pub(crate) fn needs_stretches(&self) -> bool {
        matches!(self, Self::OfSeries { fill, .. } if fill.is_of_stretches())
    }

    /// Whether there are rows to average over.
    pub(crate) fn has_background(&self) -> bool {
        matches!(self, Self::Background { .. })
    }

    /// The baselines of rows, `[rows, features…]`, where each has one.
    pub(crate) fn baselines(&self, rows: &ArrayD<f64>) -> Result<Option<ArrayD<f32>>, Error> {
        match self {
            // An array in f64 may be finer than what the network takes: rows are made whole.
            Self::Background { .. } | Self::Array { .. } | Self::OfSeries { .. } | Self::OtherRows => {
                Ok(None)
            }
            Self::Baseline { baseline, image, seed, .. } => {
                let narrow = rows.mapv(|x| x as f32);
                Ok(Some(baseline.of_rows(narrow.view(), image.as_ref(), *seed)?))
            }
        }
    }

    /// Rows that stand for one coalition.
    pub(crate) fn n_replacements(&self) -> usize {
        match self {
            Self::Background { masker, .. } => masker.n_replacements(),
            Self::Baseline { .. } | Self::Array { .. } | Self::OfSeries { .. } | Self::OtherRows => 1,
        }
    }

    /// The background, where its rows are flat.
    pub(crate) fn table(&self) -> Option<ArrayView2<'_, f64>> {
        match self {
            Self::Background { masker, .. } => masker.replacements().into_dimensionality().ok(),
            Self::Baseline { .. } | Self::Array { .. } | Self::OfSeries { .. } | Self::OtherRows => None,
        }
    }

    /// The masker of the row at `index`.
    ///
    /// # Errors
    /// What the baseline reports.
    pub(crate) fn masker(
        &self,
        index: usize,
        row: ArrayViewD<'_, f64>,
        groups: &Groups,
    ) -> Result<Cow<'_, Masker>, Error> {
        match self {
            Self::Array { baseline, is_per_row: false } => {
                Ok(Cow::Owned(Masker::baseline(baseline.clone(), groups.clone())?))
            }
            Self::Array { baseline, .. } => {
                let n = baseline.len_of(Axis(0));
                let own = (index < n).then(|| baseline.index_axis(Axis(0), index).to_owned());
                let reason = || format!("there are {n}, and more rows; give one, or one for each row");
                let own = own.ok_or_else(|| Error::request("baseline", reason()))?;
                Ok(Cow::Owned(Masker::baseline(own, groups.clone())?))
            }
            Self::Background { masker, .. } => Ok(Cow::Borrowed(masker)),
            Self::OtherRows => {
                Err(Error::request("method", "takes all rows at once, and has no coalitions of one"))
            }
            Self::OfSeries { fill, time_axis } => {
                Ok(Cow::Owned(fill.masker(index, row, *time_axis, groups)?))
            }
            Self::Baseline { baseline, image, seed, .. } => {
                let narrow = row.mapv(|x| x as f32);
                let replacement = baseline.of_row(narrow.view(), image.as_ref(), *seed)?.mapv(f64::from);
                Ok(Cow::Owned(Masker::baseline(replacement, groups.clone())?))
            }
        }
    }

    pub(crate) fn parameters(&self) -> Vec<(&'static str, Parameter)> {
        match self {
            Self::Baseline { text, baseline, .. } => {
                let digest = digests::of_baseline(baseline).map(|digest| ("baseline_digest", digest.into()));
                std::iter::once(("baseline", text.clone().into())).chain(digest).collect()
            }
            Self::OfSeries { fill, .. } => vec![("baseline", fill.name().into())],
            Self::OtherRows => Vec::new(),
            Self::Array { is_per_row, baseline } => vec![
                ("baseline", if *is_per_row { "per_row" } else { "array" }.into()),
                ("baseline_digest", hex(&row_digest_f64(baseline.view())).into()),
            ],
            Self::Background { masker, named, summary } => {
                let n_rows = summary.unwrap_or_else(|| masker.n_replacements());
                let mut parameters =
                    vec![("background", named.text.clone().into()), ("n_background_rows", n_rows.into())];
                parameters.extend(named.parameter("background_digest"));
                if summary.is_some() {
                    parameters.push(("background_clusters", masker.n_replacements().into()));
                }
                parameters
            }
        }
    }

    /// What the reader must know.
    pub(crate) fn warning(&self) -> Option<String> {
        match self {
            Self::Background { masker, summary: Some(n_rows), .. } => Some(format!(
                "the background of {n_rows} rows is summed up by {} (k-means); base values and attributions are those of \
                 the summary",
                masker.n_replacements()
            )),
            Self::Background { masker, .. } if masker.n_replacements() == 1 => {
                Some("the background is one row, and so a baseline".to_owned())
            }
            _ => None,
        }
    }
}

fn file_names(files: &[PathBuf]) -> String {
    let names: Vec<_> =
        files.iter().map(|path| path.file_name().unwrap_or_default().to_string_lossy()).collect();
    names.join(", ")
}

//! The methods that need predictions alone, with their options, as a person asks for them.

use std::path::PathBuf;

use ndarray::{Array2, ArrayD, ArrayViewD};
use pellucid_agnostic::exact::{self, exact};
use pellucid_agnostic::feature_ablation::{self, feature_ablation};
use pellucid_agnostic::feature_permutation::{self, feature_permutation_of};
use pellucid_agnostic::kernel_shap::{self, kernel_shap};
use pellucid_agnostic::lime::{
    self, Column, Discretization, Surrogate, Table, TabularOptions, lime, lime_tabular,
};
use pellucid_agnostic::occlusion::{self, occlusion};
use pellucid_agnostic::owen::{self, owen};
use pellucid_agnostic::pairwise_interactions::{self, Index, Interactions, pairwise_interactions};
use pellucid_agnostic::permutation_shap::{self, permutation_shap};
use pellucid_agnostic::rise::{self, rise};
use pellucid_agnostic::sampling_shap::{self, sampling_shap};
use pellucid_agnostic::time_series::Channels;
use pellucid_agnostic::{Estimate, Game as _, Groups, Hierarchy, Link, Linked, MaskedRow};
use pellucid_core::{Attribution, OutputSpace, ResolvedTarget, Work};
use pellucid_explain::Network;

use super::by_crops;
use super::masking::{MaskingOptions, Removal};
use super::model::PredictedModel;
use super::pairs;
use super::players::{OfSeries, Players};
use super::rows::PredictedRows;
use super::series;
use crate::digests::{self, Named};
use crate::error::Error;
use crate::method::MethodOptions;
use crate::parameter::Parameter;
use crate::trees::TreeOptions;

/// A method with all its options set and its background read.
#[derive(Clone, Debug)]
pub struct AgnosticMethod {
    kind: Kind,
    /// What outputs are turned into before they are shared out.
    link: Link,
    removal: Removal,
    players: Players,
    /// The axis that is time, where it was asked for.
    time_axis: Option<usize>,
}

#[derive(Clone, Debug)]
enum Kind {
    Exact(exact::Options),
    Kernel(kernel_shap::Options),
    Permutation(permutation_shap::Options),
    Sampling(sampling_shap::Options),
    /// The hierarchy with its name; halves of a row's players where it differs from row to row.
    Owen(owen::Options, Option<(Hierarchy, Named)>),
    Lime(lime::Options),
    LimeTabular(TabularOptions, Box<Table>),
    Occlusion(occlusion::Options),
    Ablation(feature_ablation::Options),
    Permuted(feature_permutation::Options),
    Rise(rise::Options),
    Pairs(pairwise_interactions::Options),
}

/// What a person says of a method: the options of all of them, of which each takes its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgnosticOptions {
    /// How absent features are filled in, and which go together.
    pub masking: MaskingOptions,
    /// Coalitions that may be asked about for a row.
    pub max_evaluations: Option<usize>,
    /// Stop where the standard error is below this.
    pub tolerance: Option<f64>,
    /// lime: samples.
    pub n_samples: Option<usize>,
    /// lime: the kernel's width.
    pub kernel_width: Option<f64>,
    /// Shapley methods: `identity` or `logit`.
    pub link: Option<String>,
    /// pairwise_interactions: `sii`, `k-sii` (the default) or `faith-shap`.
    pub index: Option<String>,
    /// owen: clusters that are merged two by two, see [`Hierarchy::merged`].
    pub hierarchy: Option<Vec<[usize; 2]>>,
    /// occlusion: the window's length along each axis of a row.
    pub window: Option<Vec<usize>>,
    /// occlusion: how far it moves along each axis.
    pub strides: Option<Vec<usize>>,
}

impl AgnosticMethod {
    /// All methods: the name, as in JSON, and one for people.
    pub const NAMES: [(&'static str, &'static str); 11] = [
        ("exact_shap", "Shapley values"),
        ("kernel_shap", "KernelSHAP"),
        ("permutation_shap", "Permutation SHAP"),
        ("sampling_shap", "Sampling SHAP"),
        ("owen", "Owen values"),
        ("lime", "LIME"),
        ("occlusion", "Occlusion"),
        ("feature_ablation", "Feature ablation"),
        ("feature_permutation", "Feature permutation"),
        ("rise", "RISE"),
        ("pairwise_interactions", "Pairwise interactions"),
    ];

    /// Whether a method of that name (`-` and `_` alike) needs predictions alone.
    pub fn is_one(name: &str) -> bool {
        let name = name.replace('-', "_");
        Self::NAMES.iter().any(|(known, _)| *known == name)
    }

    /// The method of that name for a model, defaults filled in; `read` reads files of rows for this model.
    ///
    /// # Errors
    /// An unknown name; an option that this method does not have, or a value that it cannot take; a background that cannot be
    /// read or does not fit.
    pub fn new(
        name: &str,
        options: &AgnosticOptions,
        model: &PredictedModel<'_>,
        seed: u64,
        feature_names: Option<&[String]>,
        read: impl FnOnce(&[PathBuf]) -> Result<PredictedRows, Error>,
    ) -> Result<Self, Error> {
        let mut left = options.clone();
        let name = name.replace('-', "_");
        let row_shape = model.predictor().row_shape();
        let channel_axis = model.source().channel_axis;
        let of_series = OfSeries {
            channels: series::channels(left.masking.channels.as_deref())?,
            time_axis: left.masking.time_axis,
        };
        let asks_of_series = left.masking.channels.take().map(|_| "channels");
        let asks_of_series = asks_of_series.or(left.masking.time_axis.map(|_| "time_axis"));
        if let (Some(option), false) = (asks_of_series, row_shape.len() == 2) {
            let reason = format!("is of series [time, channel]; a row of this model has shape {row_shape:?}");
            return Err(Error::request(option, reason));
        }
        let players = Players::new(&mut left.masking, row_shape, channel_axis, feature_names, of_series)?;
        let groups = match players.are_fixed() {
            true => players.of_row(ArrayD::zeros(row_shape).view())?,
            false => Groups::single(row_shape),
        };
        let removal = match name.as_str() {
            "feature_permutation" if !model.reads_words => Removal::other_rows(&left.masking)?,
            _ => Removal::new(&mut left.masking, model, &groups, seed, read)?,
        };
        if !players.are_fixed() && removal.has_background() {
            return Err(Error::request(
                "segments",
                "differ from row to row; give a --baseline instead of a background",
            ));
        }
        if removal.needs_stretches() && !matches!(players, Players::Stretches { .. }) {
            let reason =
                "fills in stretches of time; give --segments stretches:10, or take channel-means or inpaint";
            return Err(Error::request("baseline", reason));
        }
        let context = Context { model, removal: &removal, players: &players, of_series, seed };
        let kind = kind(&name, &mut left, &context)?;
        let has_channels = matches!(players, Players::Stretches { .. }) || matches!(kind, Kind::Occlusion(_));
        if let (Some("channels"), false) = (asks_of_series, has_channels) {
            return Err(Error::request(
                "channels",
                "are of stretches or windows of a series; give --segments stretches:10",
            ));
        }
        let link = if kind.is_complete() { link(left.link.take())? } else { Link::Identity };
        match left.first_given() {
            None => Ok(Self { kind, link, removal, players, time_axis: of_series.time_axis }),
            Some(option) => Err(Error::request(option, format!("{name} has no such option"))),
        }
    }

    /// The name, as in JSON.
    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Exact(_) => "exact_shap",
            Kind::Kernel(_) => "kernel_shap",
            Kind::Permutation(_) => "permutation_shap",
            Kind::Sampling(_) => "sampling_shap",
            Kind::Owen(..) => "owen",
            Kind::Lime(_) | Kind::LimeTabular(..) => "lime",
            Kind::Occlusion(_) => "occlusion",
            Kind::Ablation(_) => "feature_ablation",
            Kind::Permuted(_) => "feature_permutation",
            Kind::Rise(_) => "rise",
            Kind::Pairs(_) => "pairwise_interactions",
        }
    }

    /// Whether values and base value add up to the output.
    pub(crate) fn is_complete(&self) -> bool {
        self.kind.is_complete()
    }

    /// Whether the values of a row depend on those beside it.
    pub(crate) fn takes_of_other_rows(&self) -> bool {
        matches!(self.kind, Kind::Permuted(_))
    }

    /// The unit of values, where outputs are in this one.
    pub fn space_of_values(&self, outputs: OutputSpace) -> OutputSpace {
        match self.link {
            Link::Identity => outputs,
            Link::Logit => OutputSpace::LogOdds,
        }
    }

    /// All options with their values.
    pub fn parameters(&self) -> Vec<(&'static str, Parameter)> {
        let mut parameters = match &self.kind {
            Kind::Exact(options) => vec![("max_evaluations", options.max_evaluations.into())],
            Kind::Kernel(options) => budget(options.max_evaluations, options.tolerance),
            Kind::Permutation(options) => budget(options.max_evaluations, options.tolerance),
            Kind::Sampling(options) => budget(options.max_evaluations, options.tolerance),
            Kind::Lime(options) => vec![
                ("n_samples", options.n_samples.into()),
                ("kernel_width", options.kernel_width.into()),
                ("tolerance", options.tolerance.into()),
            ],
            Kind::LimeTabular(options, _) => vec![
                ("n_samples", options.n_samples.into()),
                ("kernel_width", options.kernel_width.into()),
                ("n_features", options.fit.n_features.into()),
                ("discretization", "quartile".into()),
                ("tolerance", options.tolerance.into()),
            ],
            Kind::Owen(options, hierarchy) => vec![
                ("max_evaluations", options.max_evaluations.into()),
                ("hierarchy", hierarchy.as_ref().map_or("halves", |(_, name)| &name.text).into()),
            ],
            Kind::Occlusion(options) => vec![
                ("window", lengths(&options.window).into()),
                (
                    "strides",
                    options.strides.as_deref().map_or_else(|| lengths(&options.window), lengths).into(),
                ),
            ],
            Kind::Ablation(_) => Vec::new(),
            Kind::Permuted(options) => vec![("n_samples", options.n_samples.into())],
            Kind::Pairs(options) => {
                let most = options.max_evaluations.map_or(Parameter::Unset, Parameter::Count);
                vec![("index", pairs::name(options.index).into()), ("max_evaluations", most)]
            }
            Kind::Rise(options) => vec![
                ("grid_size", options.grid_size.into()),
                ("probability", options.probability.into()),
                ("n_samples", options.n_samples.into()),
                ("tolerance", options.tolerance.into()),
            ],
        };
        if self.link == Link::Logit {
            parameters.push(("link", "logit".into()));
        }
        if let Kind::Owen(_, Some((_, hierarchy))) = &self.kind {
            parameters.extend(hierarchy.parameter("hierarchy_digest"));
        }
        parameters.extend(self.removal.parameters());
        parameters.push(("players", self.players.text().into()));
        parameters.extend(self.players.digest().map(|digest| ("players_digest", digest.into())));
        if let Some(axis) = self.time_axis {
            parameters.push(("time_axis", axis.into()));
        }
        parameters
    }

    /// The rows that a row's explanation asks the model about, at the most.
    pub(crate) fn most_predictions(&self, model: &PredictedModel<'_>) -> usize {
        let row_shape = model.predictor().row_shape();
        let n_players = self.players.count(row_shape);
        let all = u32::try_from(n_players).ok().and_then(|n| 1_usize.checked_shl(n)).unwrap_or(usize::MAX);
        let given = |given: Option<usize>, default: fn(usize) -> usize| {
            given.unwrap_or_else(|| default(n_players)).min(all)
        };
        let n_coalitions = match &self.kind {
            Kind::Exact(options) => options.max_evaluations.min(all),
            Kind::Kernel(options) => given(options.max_evaluations, kernel_shap::default_evaluations),
            Kind::Permutation(options) => {
                given(options.max_evaluations, permutation_shap::default_evaluations)
            }
            Kind::Sampling(options) => given(options.max_evaluations, sampling_shap::default_evaluations),
            Kind::Owen(options, _) => options.max_evaluations,
            // Drawn rows, which no replacement stands in for.
            Kind::LimeTabular(options, _) => return options.n_samples,
            Kind::Lime(options) => options.n_samples,
            Kind::Occlusion(options) => {
                let strides = options.strides.as_ref().unwrap_or(&options.window);
                let axes = row_shape.iter().zip(&options.window).zip(strides);
                let along = |((length, window), stride): ((&usize, &usize), &usize)| {
                    length.saturating_sub(*window).div_ceil((*stride).max(1)) + 1
                };
                2 + axes.map(along).product::<usize>()
            }
            Kind::Ablation(_) => 2 + n_players,
            Kind::Permuted(options) => 1 + options.n_samples * n_players,
            Kind::Rise(options) => 2 + options.n_samples,
            Kind::Pairs(options) => given(options.max_evaluations, default_pair_evaluations),
        };
        n_coalitions * self.removal.n_replacements()
    }

    pub(crate) fn removal(&self) -> &Removal {
        &self.removal
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        self.removal.warning().into_iter().collect()
    }

    /// The players of a row.
    pub(crate) fn groups(&self, row: ArrayViewD<'_, f64>) -> Result<Groups, Error> {
        self.players.of_row(row)
    }

    /// The network and its own occlusion, where that does the same as [`Self::estimate`] in less time.
    pub(crate) fn crops<'a>(
        &self,
        model: &PredictedModel<'a>,
        rows: &ArrayD<f64>,
    ) -> Result<Option<(&'a Network, by_crops::Options)>, Error> {
        let (Kind::Occlusion(options), Players::Elements, Some(network)) =
            (&self.kind, &self.players, model.network)
        else {
            return Ok(None);
        };
        let Some(baselines) = self.removal.baselines(rows)? else { return Ok(None) };
        let options = by_crops::options(network, &options.window, options.strides.as_deref(), baselines);
        Ok(options.map(|options| (network, options)))
    }

    /// The values of pairs of a row's game, where the method gives those.
    pub(crate) fn pairs(&self, game: &MaskedRow<'_>, work: &Work) -> Result<Option<Interactions>, Error> {
        let Kind::Pairs(options) = &self.kind else { return Ok(None) };
        Ok(Some(pairwise_interactions(&Linked { game, link: self.link }, options, work)?))
    }

    /// The values of all rows, `[rows, targets, groups]`, of a method by which they take parts of each other.
    pub(crate) fn of_all_rows(
        &self,
        model: &PredictedModel<'_>,
        rows: ArrayViewD<'_, f64>,
        (outputs, target): (&Array2<f64>, &ResolvedTarget),
        work: &Work,
    ) -> Result<Option<(Attribution, Groups)>, Error> {
        let Kind::Permuted(options) = &self.kind else { return Ok(None) };
        let groups = self.players.of_row(ArrayD::zeros(model.predictor().row_shape()).view())?;
        let known = (outputs, target);
        let found = feature_permutation_of(model.predictor(), &groups, rows, known, options, work)?;
        Ok(Some((found, groups)))
    }

    /// A value for each player of a row's game.
    pub(crate) fn estimate(&self, game: &MaskedRow<'_>, work: &Work) -> Result<Estimate, Error> {
        let linked = &Linked { game, link: self.link };
        Ok(match &self.kind {
            Kind::Exact(options) => exact(linked, options, work)?,
            Kind::Kernel(options) => kernel_shap(linked, options, work)?,
            Kind::Permutation(options) => permutation_shap(linked, options, work)?,
            Kind::Sampling(options) => sampling_shap(linked, options, work)?,
            Kind::Owen(options, Some((hierarchy, _))) => owen(linked, hierarchy, options, work)?,
            Kind::Owen(options, None) => owen(linked, &Hierarchy::halved(game.n_players()), options, work)?,
            Kind::Lime(options) => told(lime(game, options, work)?),
            Kind::LimeTabular(options, table) => told(lime_tabular(game, table, options, work)?),
            Kind::Occlusion(options) => occlusion(game, options, work)?,
            Kind::Ablation(options) => feature_ablation(game, options, work)?,
            Kind::Rise(options) => rise(game, options, work)?,
            Kind::Pairs(_) => {
                return Err(Error::request("method", "gives values of pairs, and none of single features"));
            }
            Kind::Permuted(_) => {
                return Err(Error::request(
                    "method",
                    "feature_permutation swaps parts of rows, of which this has one",
                ));
            }
        })
    }
}

impl Kind {
    fn is_complete(&self) -> bool {
        matches!(
            self,
            Self::Exact(_) | Self::Kernel(_) | Self::Permutation(_) | Self::Sampling(_) | Self::Owen(..)
        ) || matches!(self, Self::Pairs(options) if options.index != Index::Sii)
    }
}

impl AgnosticOptions {
    /// Takes what methods for any model share with those for networks and trees.
    ///
    /// # Errors
    /// An option that only those have.
    pub fn of(mut networks: MethodOptions, mut trees: TreeOptions) -> Result<Self, Error> {
        let masking = MaskingOptions {
            baseline: networks.baseline.take(),
            background: [std::mem::take(&mut networks.background), std::mem::take(&mut trees.background)]
                .concat(),
            ..Default::default()
        };
        let options = Self {
            masking,
            max_evaluations: networks.max_evaluations.take(),
            tolerance: networks.tolerance.take(),
            n_samples: networks.n_samples.take(),
            ..Default::default()
        };
        let options = Self { index: trees.index.take(), ..options };
        // The space is the predicted model's.
        trees.output_space = None;
        match networks.first_given().or_else(|| trees.first_given()) {
            Some(option) => Err(Error::request(option, "is no option of a method for any model")),
            None => Ok(options),
        }
    }

    /// The first option that is given.
    pub fn first_given(&self) -> Option<&'static str> {
        let given = [
            ("max_evaluations", self.max_evaluations.is_some()),
            ("tolerance", self.tolerance.is_some()),
            ("n_samples", self.n_samples.is_some()),
            ("kernel_width", self.kernel_width.is_some()),
            ("link", self.link.is_some()),
            ("hierarchy", self.hierarchy.is_some()),
            ("index", self.index.is_some()),
            ("window", self.window.is_some()),
            ("strides", self.strides.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(name, _)| name)
    }
}

/// What a method's options are read beside.
struct Context<'a> {
    model: &'a PredictedModel<'a>,
    removal: &'a Removal,
    players: &'a Players,
    of_series: OfSeries,
    seed: u64,
}

fn kind(name: &str, left: &mut AgnosticOptions, context: &Context<'_>) -> Result<Kind, Error> {
    let seed = context.seed;
    Ok(match name {
        "exact_shap" => {
            let defaults = exact::Options::default();
            let max_evaluations = left.max_evaluations.take().unwrap_or(defaults.max_evaluations);
            Kind::Exact(exact::Options { max_evaluations, ..defaults })
        }
        "kernel_shap" => {
            let max_evaluations = context.evaluations(left, kernel_shap::default_evaluations);
            let tolerance = left.tolerance.take();
            Kind::Kernel(kernel_shap::Options { max_evaluations, tolerance, seed, ..Default::default() })
        }
        "permutation_shap" => {
            let max_evaluations = context.evaluations(left, permutation_shap::default_evaluations);
            let tolerance = left.tolerance.take();
            Kind::Permutation(permutation_shap::Options { max_evaluations, tolerance, seed })
        }
        "sampling_shap" => {
            let max_evaluations = context.evaluations(left, sampling_shap::default_evaluations);
            let tolerance = left.tolerance.take();
            Kind::Sampling(sampling_shap::Options { max_evaluations, tolerance, seed })
        }
        "owen" => {
            let defaults = owen::Options::default();
            let max_evaluations = left.max_evaluations.take().unwrap_or(defaults.max_evaluations);
            Kind::Owen(owen::Options { max_evaluations }, context.hierarchy(left)?)
        }
        "lime" => context.lime(left)?,
        "occlusion" => Kind::Occlusion(context.windows(left)?),
        "feature_ablation" => Kind::Ablation(feature_ablation::Options::default()),
        "feature_permutation" => Kind::Permuted(context.permutations(left)?),
        "pairwise_interactions" => Kind::Pairs(context.pairs(left)?),
        "rise" if context.model.reads_words => {
            return Err(Error::request("method", "rise is for images; of a text, words come and go"));
        }
        "rise" => {
            let defaults = rise::Options::default();
            let n_axes = context.model.predictor().row_shape().len();
            let channel_axis = context.channel_axis();
            // Columns of a table have no places between them.
            let axes = (0..n_axes).filter(|&axis| n_axes > 1 && channel_axis != Some(axis));
            Kind::Rise(rise::Options {
                axes: axes.collect(),
                n_samples: left.n_samples.take().unwrap_or(defaults.n_samples),
                tolerance: left.tolerance.take(),
                seed,
                ..defaults
            })
        }
        _ => {
            let names: Vec<&str> = AgnosticMethod::NAMES.iter().map(|(name, _)| *name).collect();
            return Err(Error::request(
                "method",
                format!("no method `{name}`; there are: {}", names.join(", ")),
            ));
        }
    })
}

impl Context<'_> {
    /// The budget asked for, or the method's own where the number of players is the same for every row.
    fn evaluations(&self, left: &mut AgnosticOptions, default: fn(usize) -> usize) -> Option<usize> {
        let n_players = self.players.count(self.model.predictor().row_shape());
        left.max_evaluations.take().or_else(|| self.players.are_fixed().then(|| default(n_players)))
    }

    /// The hierarchy that is given; else single columns of a table belong together by their correlation in the background; neighbors otherwise.
    fn hierarchy(&self, left: &mut AgnosticOptions) -> Result<Option<(Hierarchy, Named)>, Error> {
        if let Some(pairs) = left.hierarchy.take() {
            let n_players = self.players.count(self.model.predictor().row_shape());
            let digest = Some(digests::of_text(&format!("{pairs:?}")));
            let named = Named { text: "given".to_owned(), digest };
            return Ok(Some((Hierarchy::merged(n_players, &pairs)?, named)));
        }
        let table = self.removal.table().filter(|_| matches!(self.players, Players::Elements));
        let named = Named { text: "correlation".to_owned(), digest: None };
        Ok(table.map(Hierarchy::by_correlation).transpose()?.map(|found| (found, named)))
    }

    /// The same parts of all rows change places, where a row is no text.
    fn permutations(&self, left: &mut AgnosticOptions) -> Result<feature_permutation::Options, Error> {
        if self.model.reads_words {
            let reason = "feature_permutation swaps parts of rows; of a text, words come and go";
            return Err(Error::request("method", reason));
        }
        if !self.players.are_fixed() {
            let reason =
                "differ from row to row, and the same parts of all rows change places; take feature_groups";
            return Err(Error::request("segments", reason));
        }
        let defaults = feature_permutation::Options::default();
        Ok(feature_permutation::Options {
            n_samples: left.n_samples.take().unwrap_or(defaults.n_samples),
            seed: self.seed,
        })
    }

    /// Of single columns of a table alone: pairs of anything else have no picture and no place in a document.
    fn pairs(&self, left: &mut AgnosticOptions) -> Result<pairwise_interactions::Options, Error> {
        let row_shape = self.model.predictor().row_shape();
        if row_shape.len() != 1 || self.model.reads_words || !matches!(self.players, Players::Elements) {
            return Err(Error::request("method", "pairwise_interactions is of single features of a table"));
        }
        let index = pairs::index(left.index.take().as_deref())?;
        let max_evaluations = left.max_evaluations.take();
        Ok(pairwise_interactions::Options { index, max_evaluations, seed: self.seed })
    }

    /// LIME for tables where the columns of a background tell what is usual; over coalitions otherwise.
    fn lime(&self, left: &mut AgnosticOptions) -> Result<Kind, Error> {
        let (n_samples, kernel_width) = (left.n_samples.take(), left.kernel_width.take());
        let (tolerance, seed) = (left.tolerance.take(), self.seed);
        let table = self.removal.table().filter(|_| matches!(self.players, Players::Elements));
        if let Some(rows) = table {
            let categories = self.model.source().feature_categories.as_ref();
            let kind_of = |column: usize| match categories.and_then(|all| all.get(column)) {
                Some(names) if !names.is_empty() => Column::Category,
                _ => Column::Number,
            };
            let columns: Vec<Column> = (0..rows.ncols()).map(kind_of).collect();
            let known = Table::new(rows, &columns, &Discretization::Quartile)?;
            let defaults = TabularOptions::default();
            let n_samples = n_samples.unwrap_or(defaults.n_samples);
            let options = TabularOptions { n_samples, kernel_width, tolerance, seed, ..defaults };
            return Ok(Kind::LimeTabular(options, Box::new(known)));
        }
        let defaults = match self.model.reads_words {
            true => lime::Options::text(),
            false => lime::Options::image(),
        };
        Ok(Kind::Lime(lime::Options {
            n_samples: n_samples.unwrap_or(defaults.n_samples),
            kernel_width: kernel_width.unwrap_or(defaults.kernel_width),
            tolerance,
            seed,
            ..defaults
        }))
    }

    /// The axis of a row that holds channels, where it is an image or a series.
    fn channel_axis(&self) -> Option<usize> {
        let row_shape = self.model.predictor().row_shape();
        match row_shape.len() {
            3 => Some(self.model.source().channel_axis.unwrap_or(0)),
            2 => series::time_axis(row_shape, self.of_series.time_axis).ok().map(|time_axis| 1 - time_axis),
            _ => None,
        }
    }

    /// The window asked for; of images and series, of a seventh of each side by default, through all channels unless they are apart; of
    /// texts, one word.
    fn windows(&self, left: &mut AgnosticOptions) -> Result<occlusion::Options, Error> {
        let row_shape = self.model.predictor().row_shape();
        let channel_axis = self.channel_axis();
        let is_channel = |axis: usize| channel_axis == Some(axis);
        let is_apart = self.of_series.channels == Channels::Apart;
        let through_channels = |axis: usize| if is_apart { 1 } else { row_shape[axis] };
        let full = |option: &'static str, given: Vec<usize>| {
            let n_spatial = (0..row_shape.len()).filter(|&axis| !is_channel(axis)).count();
            if given.len() == row_shape.len() {
                return Ok(given);
            }
            if given.len() != n_spatial {
                let reason = format!("{given:?} has not a length for each axis of a row {row_shape:?}");
                return Err(Error::request(option, reason));
            }
            let mut lengths = given.into_iter();
            let of_axis = |axis: usize| {
                if is_channel(axis) { through_channels(axis) } else { lengths.next().unwrap_or(1) }
            };
            Ok((0..row_shape.len()).map(of_axis).collect())
        };
        let window = match left.window.take() {
            Some(given) => full("window", given)?,
            None if self.model.reads_words => vec![1],
            None => {
                let of_axis = |axis: usize| {
                    if is_channel(axis) { through_channels(axis) } else { row_shape[axis].div_ceil(7) }
                };
                (0..row_shape.len()).map(of_axis).collect()
            }
        };
        let strides = left.strides.take().map(|given| full("strides", given)).transpose()?;
        Ok(occlusion::Options { window, strides })
    }
}

fn link(name: Option<String>) -> Result<Link, Error> {
    match name.as_deref() {
        None | Some("identity") => Ok(Link::Identity),
        Some("logit") => Ok(Link::Logit),
        Some(name) => {
            Err(Error::request("link", format!("there is no `{name}`; there are: identity, logit")))
        }
    }
}

/// The surrogate's values, with how well it fits.
fn told(surrogate: Surrogate) -> Estimate {
    let mut estimate = surrogate.estimate;
    let fits: Vec<String> = surrogate.r_squared.iter().map(|r| format!("{r:.2}")).collect();
    estimate
        .warnings
        .push(format!("the surrogate explains R² = {} of the outputs near the row", fits.join(", ")));
    if let Some(stability) = &surrogate.stability {
        let of = |values: &ndarray::Array1<f64>| {
            values.iter().map(|v| format!("{v:.2}")).collect::<Vec<_>>().join(", ")
        };
        estimate.warnings.push(format!(
            "stability over {} resamples: variables {}, coefficients {} (1 is stable)",
            stability.n_resamples,
            of(&stability.variables),
            of(&stability.coefficients)
        ));
    }
    estimate
}

/// What [`pairwise_interactions`] takes by itself.
fn default_pair_evaluations(n_players: usize) -> usize {
    2048 + n_players * (n_players + 1)
}

fn lengths(of_axes: &[usize]) -> String {
    of_axes.iter().map(usize::to_string).collect::<Vec<_>>().join("×")
}

fn budget(max_evaluations: Option<usize>, tolerance: Option<f64>) -> Vec<(&'static str, Parameter)> {
    let most = max_evaluations.map_or(Parameter::Unset, Parameter::Count);
    vec![("max_evaluations", most), ("tolerance", tolerance.into())]
}

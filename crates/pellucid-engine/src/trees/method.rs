//! The methods for tree models with their options, as a person asks for them.

use std::path::PathBuf;

use ndarray::Array2;
use pellucid_core::OutputSpace;
use pellucid_trees::{InteractionIndex, TreeEnsemble};

use super::background::Background;
use super::model::TreeModel;
use super::spaces::{Linked, output_space};
use crate::digests::Named;
use crate::error::Error;
use crate::parameter::Parameter;

/// A method with all its options set.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeMethod {
    pub(crate) measure: Measure,
    pub(crate) removal: Removal,
    /// The unit of the values.
    pub(crate) space: OutputSpace,
    /// How the space is reached, where trees do not add up in it.
    pub(crate) linked: Option<Linked>,
    /// What must be known of the background.
    pub(crate) warnings: Vec<String>,
}

/// What is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    Shapley,
    Pairs,
    Banzhaf,
    Saabas,
    Sets { index: InteractionIndex, max_order: usize },
}

/// How absent features are averaged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Removal {
    /// By the covers of the model file, or of these recounted trees.
    PathDependent(Option<Box<Recounted>>),
    Interventional(Background),
}

/// A model whose covers are the numbers of background rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recounted {
    pub(crate) ensemble: TreeEnsemble,
    /// The files' names without folders, with the digest of the rows.
    named: Named,
    n_rows: usize,
}

/// What a person says of a method: the options of all methods for tree models, of which each takes its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TreeOptions {
    /// Tables whose rows absent features are averaged over.
    pub background: Vec<PathBuf>,
    /// Such rows in memory, `[rows, features]`.
    pub background_rows: Option<Array2<f64>>,
    /// `path-dependent` (default without a background) or `interventional` (default with one).
    pub removal: Option<String>,
    /// tree_shap: values of pairs.
    pub interactions: bool,
    /// shapley_interactions: `sii`, `k-sii` (default), `stii`, `faith-shap`.
    pub index: Option<String>,
    /// shapley_interactions: the largest sets. Default: 2.
    pub max_order: Option<usize>,
    /// tree_shap: `margin` (default), `probability`, `value`, `log-loss`.
    pub output_space: Option<String>,
    /// The column of the true classes, for `log-loss`.
    pub label_column: Option<String>,
    /// For rows in memory the true classes themselves, by index.
    pub labels: Option<Vec<usize>>,
    /// Spaces other than the margin: the most features in which rows may differ for all coalitions to be counted.
    /// Default: 16.
    pub max_exact_features: Option<usize>,
    /// The same: permutations drawn, each with its reverse, where rows differ in more. Default: 16.
    pub n_permutations: Option<usize>,
}

impl TreeOptions {
    /// The first option that is given.
    pub fn first_given(&self) -> Option<&'static str> {
        let given = [
            ("background", self.has_background()),
            ("removal", self.removal.is_some()),
            ("interactions", self.interactions),
            ("index", self.index.is_some()),
            ("max_order", self.max_order.is_some()),
            ("output_space", self.output_space.is_some()),
            ("label_column", self.label_column.is_some()),
            ("labels", self.labels.is_some()),
            ("max_exact_features", self.max_exact_features.is_some()),
            ("n_permutations", self.n_permutations.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(name, _)| name)
    }

    fn has_background(&self) -> bool {
        !self.background.is_empty() || self.background_rows.is_some()
    }
}

impl TreeMethod {
    /// All methods: the name, as in JSON, and one for people.
    pub const NAMES: [(&'static str, &'static str); 4] = [
        ("tree_shap", "TreeSHAP"),
        ("banzhaf", "Banzhaf values"),
        ("saabas", "Saabas values"),
        ("shapley_interactions", "Shapley interactions"),
    ];

    /// The method of that name (`-` and `_` alike; `tree_shap` without one), defaults filled in, the background read.
    ///
    /// # Errors
    /// An unknown name; an option that this method does not have, or a value that it cannot take; a background that
    /// cannot be read.
    pub fn new(name: Option<&str>, options: &TreeOptions, model: &TreeModel) -> Result<Self, Error> {
        // What cannot be asked for is told before anything is read.
        Asked::new(name, options, options.has_background(), model)?;
        let background = match &options.background_rows {
            Some(rows) => Some(Background::of_rows(rows.clone())),
            None => Background::read(model, &options.background, options.label_column.as_deref())?,
        };
        Self::with_background(name, options, background, model)
    }

    /// The same with a background that is at hand, instead of the options' files.
    pub(crate) fn with_background(
        name: Option<&str>,
        options: &TreeOptions,
        background: Option<Background>,
        model: &TreeModel,
    ) -> Result<Self, Error> {
        let asked = Asked::new(name, options, background.is_some(), model)?;
        let warnings = background.as_ref().map_or_else(Vec::new, |background| background.warnings.clone());
        let removal = removal(background, asked.is_interventional, model)?;
        Ok(Self { measure: asked.measure, removal, space: asked.space, linked: asked.linked, warnings })
    }

    /// Whether a row takes no longer than a walk through each tree.
    pub fn is_quick(&self) -> bool {
        let walks = matches!(self.measure, Measure::Shapley | Measure::Banzhaf | Measure::Saabas);
        walks && matches!(self.removal, Removal::PathDependent(_))
    }

    /// The unit of the values.
    pub fn output_space(&self) -> OutputSpace {
        self.space
    }

    /// The name, as in JSON.
    pub fn name(&self) -> &'static str {
        match self.measure {
            Measure::Shapley | Measure::Pairs => "tree_shap",
            Measure::Banzhaf => "banzhaf",
            Measure::Saabas => "saabas",
            Measure::Sets { .. } => "shapley_interactions",
        }
    }

    /// All options with their values, in the order of their importance.
    pub fn parameters(&self) -> Vec<(&'static str, Parameter)> {
        let of_background = |removal: &str, named: &Named, n_rows: usize| -> Vec<(&'static str, Parameter)> {
            let mut parameters = vec![
                ("removal", removal.into()),
                ("background", named.text.clone().into()),
                ("n_background_rows", n_rows.into()),
            ];
            parameters.extend(named.parameter("background_digest"));
            parameters
        };
        let mut parameters = match &self.removal {
            Removal::PathDependent(None) => {
                vec![("removal", "path_dependent".into()), ("covers", "model".into())]
            }
            Removal::PathDependent(Some(recounted)) => {
                let mut parameters = of_background("path_dependent", &recounted.named, recounted.n_rows);
                parameters.push(("covers", "background".into()));
                parameters
            }
            Removal::Interventional(background) => {
                of_background("interventional", &background.named, background.rows.n_rows())
            }
        };
        match self.measure {
            Measure::Shapley => parameters.push(("interactions", false.into())),
            Measure::Pairs => parameters.push(("interactions", true.into())),
            Measure::Banzhaf | Measure::Saabas => {}
            Measure::Sets { index, max_order } => {
                parameters.extend([("index", index.name().into()), ("max_order", max_order.into())]);
            }
        }
        parameters.extend(self.linked.iter().flat_map(Linked::parameters));
        parameters
    }
}

/// What options ask for, before a background is read.
struct Asked {
    measure: Measure,
    is_interventional: bool,
    space: OutputSpace,
    linked: Option<Linked>,
}

impl Asked {
    fn new(
        name: Option<&str>,
        options: &TreeOptions,
        has_background: bool,
        model: &TreeModel,
    ) -> Result<Self, Error> {
        let name = name.unwrap_or("tree_shap").replace('-', "_");
        let measure = measure(&name, options)?;
        let is_interventional = is_interventional(measure, options.removal.as_deref(), has_background)?;
        let (space, linked) = output_space(measure, is_interventional, options, model)?;
        Ok(Self { measure, is_interventional, space, linked })
    }
}

/// Whether absent features are averaged over a background: where there is one, if nobody says otherwise. Saabas values
/// know covers alone.
fn is_interventional(measure: Measure, asked: Option<&str>, has_background: bool) -> Result<bool, Error> {
    let asked = asked.map(|name| name.replace('_', "-"));
    match (asked.as_deref(), has_background) {
        (None, _) => Ok(has_background && measure != Measure::Saabas),
        (Some("path-dependent"), _) => Ok(false),
        (Some("interventional"), true) => Ok(true),
        (Some("interventional"), false) => {
            Err(Error::request("removal", "interventional values need a --background table"))
        }
        (Some(name), _) => {
            let reason = format!("no removal `{name}`; there are: path-dependent, interventional");
            Err(Error::request("removal", reason))
        }
    }
}

fn removal(
    background: Option<Background>,
    is_interventional: bool,
    model: &TreeModel,
) -> Result<Removal, Error> {
    match background {
        Some(background) if is_interventional => Ok(Removal::Interventional(background)),
        Some(background) => Ok(Removal::PathDependent(Some(recounted(&background, model)?))),
        None if model.ensemble().has_covers => Ok(Removal::PathDependent(None)),
        None => Err(Error::Unsupported { what: NO_COVERS.to_owned() }),
    }
}

const NO_COVERS: &str = "path-dependent values of a model whose nodes have no covers are not supported; give a \
                         --background table for interventional values, or with --removal path-dependent to count the \
                         covers from it";

fn recounted(background: &Background, model: &TreeModel) -> Result<Box<Recounted>, Error> {
    let mut ensemble = model.ensemble().clone();
    ensemble.recount_covers(background.rows.view())?;
    Ok(Box::new(Recounted { ensemble, named: background.named.clone(), n_rows: background.rows.n_rows() }))
}

fn measure(name: &str, options: &TreeOptions) -> Result<Measure, Error> {
    let no_such = |option: &str| Error::request(option, format!("{name} has no such option"));
    let sets = name == "shapley_interactions";
    for (option, given, fits) in [
        ("interactions", options.interactions, name == "tree_shap"),
        ("index", options.index.is_some(), sets),
        ("max_order", options.max_order.is_some(), sets),
        ("removal", options.removal.is_some(), name != "saabas"),
    ] {
        if given && !fits {
            return Err(no_such(option));
        }
    }
    match name {
        "tree_shap" if options.interactions => Ok(Measure::Pairs),
        "tree_shap" => Ok(Measure::Shapley),
        "banzhaf" => Ok(Measure::Banzhaf),
        "saabas" => Ok(Measure::Saabas),
        "shapley_interactions" => {
            let index = options.index.as_deref().unwrap_or("k-sii");
            let known = InteractionIndex::NAMES;
            let found = known.iter().find(|(name, _)| *name == index.replace('-', "_"));
            let (_, index) = found.ok_or_else(|| {
                let names: Vec<String> = known.iter().map(|(name, _)| name.replace('_', "-")).collect();
                Error::request("index", format!("no index `{index}`; there are: {}", names.join(", ")))
            })?;
            Ok(Measure::Sets { index: *index, max_order: options.max_order.unwrap_or(2) })
        }
        _ => {
            let names: Vec<&str> = TreeMethod::NAMES.iter().map(|(name, _)| *name).collect();
            let reason = format!("no method `{name}` for tree models; there are: {}", names.join(", "));
            Err(Error::request("method", reason))
        }
    }
}

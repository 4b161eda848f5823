//! The methods for tree models with their options, as a person asks for them.

use std::path::PathBuf;

use ndarray::Array2;
use pellucid_core::OutputSpace;
use pellucid_trees::InteractionIndex;

use super::blocks::{all_rows, file_name};
use super::model::TreeModel;
use crate::error::Error;
use crate::parameter::Parameter;

/// A method with all its options set.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeMethod {
    pub(crate) measure: Measure,
    pub(crate) removal: Removal,
    /// The unit of the values.
    pub(crate) space: OutputSpace,
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
    PathDependent,
    Interventional {
        /// The files' names without folders.
        files: String,
        /// `[rows, features]`.
        background: Array2<f64>,
    },
}

/// What a person says of a method: the options of all methods for tree models, of which each takes its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TreeOptions {
    /// Tables whose rows absent features are averaged over.
    pub background: Vec<PathBuf>,
    /// `path-dependent` (default without a background) or `interventional` (default with one).
    pub removal: Option<String>,
    /// tree_shap: values of pairs.
    pub interactions: bool,
    /// shapley_interactions: `sii`, `k-sii` (default), `stii`, `faith-shap`.
    pub index: Option<String>,
    /// shapley_interactions: the largest sets. Default: 2.
    pub max_order: Option<usize>,
    /// `margin` (default), `probability`, `log-loss`.
    pub output_space: Option<String>,
    /// The column of the true classes, for `log-loss`.
    pub label_column: Option<String>,
}

impl TreeOptions {
    /// The first option that is given.
    pub fn first_given(&self) -> Option<&'static str> {
        let given = [
            ("background", !self.background.is_empty()),
            ("removal", self.removal.is_some()),
            ("interactions", self.interactions),
            ("index", self.index.is_some()),
            ("max_order", self.max_order.is_some()),
            ("output_space", self.output_space.is_some()),
            ("label_column", self.label_column.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(name, _)| name)
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
        let name = name.unwrap_or("tree_shap").replace('-', "_");
        let measure = measure(&name, options)?;
        if let Some(space) = options.output_space.as_deref().filter(|space| *space != "margin") {
            return Err(Error::request(
                "output_space",
                format!("no output space `{space}`; there is: margin"),
            ));
        }
        let mut warnings = Vec::new();
        let removal =
            match (options.removal.as_deref().map(|name| name.replace('_', "-")), &options.background) {
                (None, files) if files.is_empty() => Removal::PathDependent,
                (Some(name), files) if name == "path-dependent" && files.is_empty() => Removal::PathDependent,
                (Some(name), _) if name == "path-dependent" => {
                    return Err(Error::request(
                        "background",
                        "path-dependent values have none; leave out one of both",
                    ));
                }
                (Some(name), files) if name == "interventional" && files.is_empty() => {
                    return Err(Error::request("removal", "interventional values need a --background table"));
                }
                (Some(name), _) if name != "interventional" => {
                    let reason = format!("no removal `{name}`; there are: path-dependent, interventional");
                    return Err(Error::request("removal", reason));
                }
                (_, files) => {
                    let (background, of_background) = all_rows(model, files, None)?;
                    warnings
                        .extend(of_background.into_iter().map(|warning| format!("background: {warning}")));
                    let files = files.iter().map(|path| file_name(path)).collect::<Vec<_>>().join(", ");
                    Removal::Interventional { files, background }
                }
            };
        if removal == Removal::PathDependent && !model.ensemble().has_covers {
            return Err(Error::Unsupported {
                what:
                    "path-dependent values of a model whose nodes have no covers; give a --background table"
                        .to_owned(),
            });
        }
        Ok(Self { measure, removal, space: model.space(), warnings })
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
        let mut parameters: Vec<(&str, Parameter)> = match &self.removal {
            Removal::PathDependent => vec![("removal", "path_dependent".into())],
            Removal::Interventional { files, background } => vec![
                ("removal", "interventional".into()),
                ("background", files.clone().into()),
                ("n_background_rows", background.nrows().into()),
            ],
        };
        match self.measure {
            Measure::Shapley => parameters.push(("interactions", false.into())),
            Measure::Pairs => parameters.push(("interactions", true.into())),
            Measure::Banzhaf | Measure::Saabas => {}
            Measure::Sets { index, max_order } => {
                parameters.extend([("index", index.name().into()), ("max_order", max_order.into())]);
            }
        }
        parameters
    }
}

fn measure(name: &str, options: &TreeOptions) -> Result<Measure, Error> {
    let no_such = |option: &str| Error::request(option, format!("{name} has no such option"));
    let sets = name == "shapley_interactions";
    for (option, given, fits) in [
        ("interactions", options.interactions, name == "tree_shap"),
        ("index", options.index.is_some(), sets),
        ("max_order", options.max_order.is_some(), sets),
        ("label_column", options.label_column.is_some(), false),
        ("background", !options.background.is_empty(), name != "saabas"),
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

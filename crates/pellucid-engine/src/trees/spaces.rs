//! Output spaces of tree models: which there are, and what they need beside a model.

use pellucid_core::OutputSpace;
use pellucid_trees::Link;
use pellucid_trees::output_space::MAX_EXACT_FEATURES;

use super::method::{Measure, TreeOptions};
use super::model::TreeModel;
use crate::error::Error;
use crate::parameter::Parameter;

/// Permutations and their reverses for each pair of rows that differ in too many features, if nobody says otherwise.
const N_PERMUTATIONS: usize = 16;

/// The spaces that can be asked for.
const SPACES: [(&str, OutputSpace); 4] = [
    ("margin", OutputSpace::Margin),
    ("probability", OutputSpace::Probability),
    ("value", OutputSpace::Value),
    ("log-loss", OutputSpace::LogLoss),
];

/// How values are found in a space in which trees do not add up: behind the link, or in the loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Linked {
    pub(crate) max_exact_features: usize,
    pub(crate) n_permutations: usize,
    /// The true classes.
    pub(crate) labels: Option<Labels>,
}

/// Where the true classes of the rows stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Labels {
    /// A column of the table.
    Column(String),
    /// One a row, for rows in memory.
    OfRows(Vec<usize>),
}

impl TreeOptions {
    fn labels(&self) -> Option<Labels> {
        let of_rows = self.labels.clone().map(Labels::OfRows);
        of_rows.or_else(|| self.label_column.clone().map(Labels::Column))
    }
}

/// The space that is asked for, and, where trees do not add up in it, how it is reached.
pub(crate) fn output_space(
    measure: Measure,
    is_interventional: bool,
    options: &TreeOptions,
    model: &TreeModel,
) -> Result<(OutputSpace, Option<Linked>), Error> {
    let space = asked_space(options.output_space.as_deref(), model)?;
    if space == model.space() {
        refuse_options_of_linked(options)?;
        return Ok((space, None));
    }
    check_link(space, model)?;
    let name = shown(space);
    let fault = |reason: String| Err(Error::request("output_space", reason));
    if measure != Measure::Shapley {
        return fault(format!(
            "{name} is a space of tree-shap without interactions; all others are of the margin"
        ));
    }
    if !is_interventional {
        return fault(format!(
            "{name} needs a --background table and no --removal path-dependent: covers average margins, and the {name} \
             of a mean margin is no mean {name}"
        ));
    }
    let is_loss = space == OutputSpace::LogLoss;
    match options.labels() {
        None if is_loss => {
            return fault(
                "log-loss needs the true classes: labels, or of a table --labels COLUMN".to_owned(),
            );
        }
        Some(_) if !is_loss => {
            return Err(Error::request("labels", "are for --output-space log-loss"));
        }
        _ => {}
    }
    Ok((space, Some(linked(options)?)))
}

/// The space of that name; the model's own without one.
pub(crate) fn asked_space(name: Option<&str>, model: &TreeModel) -> Result<OutputSpace, Error> {
    let Some(name) = name else { return Ok(model.space()) };
    let found = SPACES.iter().find(|(known, _)| *known == name.replace('_', "-"));
    match found {
        // What has no link has its margins for values, or for probabilities.
        Some((_, OutputSpace::Margin)) => Ok(model.space()),
        Some((_, space)) => Ok(*space),
        None => {
            let names: Vec<&str> = SPACES.iter().map(|(name, _)| *name).collect();
            let reason = format!("no output space `{name}`; there are: {}", names.join(", "));
            Err(Error::request("output_space", reason))
        }
    }
}

/// Refuses a space that the model's predictions do not have.
pub(crate) fn check_link(space: OutputSpace, model: &TreeModel) -> Result<(), Error> {
    let each_alone =
        matches!(model.ensemble().link, Link::Sigmoid { .. }) && model.ensemble().n_outputs() > 1;
    let reason = match (space, model.classifies()) {
        (OutputSpace::Probability | OutputSpace::LogLoss, false) => {
            "is of classifiers, and this model predicts values; take margin or value"
        }
        (OutputSpace::Value, true) => {
            "is of models that predict numbers, and this one predicts classes; take margin, probability or log-loss"
        }
        (OutputSpace::LogLoss, true) if each_alone => {
            "is of one class a row, and this model's outputs are probabilities each for itself; take probability"
        }
        _ => return Ok(()),
    };
    Err(Error::request("output_space", format!("{} {reason}", shown(space))))
}

fn refuse_options_of_linked(options: &TreeOptions) -> Result<(), Error> {
    let given = [
        ("labels", options.labels().is_some()),
        ("max_exact_features", options.max_exact_features.is_some()),
        ("n_permutations", options.n_permutations.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((option, _)) => {
            Err(Error::request(*option, "goes with --output-space probability, value or log-loss"))
        }
    }
}

fn linked(options: &TreeOptions) -> Result<Linked, Error> {
    let max_exact_features = options.max_exact_features.unwrap_or(MAX_EXACT_FEATURES);
    if max_exact_features > MAX_EXACT_FEATURES {
        let reason = format!("{max_exact_features} is out of range; there are 0 to {MAX_EXACT_FEATURES}");
        return Err(Error::request("max_exact_features", reason));
    }
    let n_permutations = options.n_permutations.unwrap_or(N_PERMUTATIONS);
    if n_permutations < 2 {
        let reason = format!("{n_permutations} gives no standard error; take 2 or more");
        return Err(Error::request("n_permutations", reason));
    }
    Ok(Linked { max_exact_features, n_permutations, labels: options.labels() })
}

impl Linked {
    pub(crate) fn parameters(&self) -> Vec<(&'static str, Parameter)> {
        let mut parameters: Vec<(&str, Parameter)> = vec![
            ("max_exact_features", self.max_exact_features.into()),
            ("n_permutations", self.n_permutations.into()),
        ];
        match &self.labels {
            Some(Labels::Column(name)) => parameters.push(("labels", name.clone().into())),
            Some(Labels::OfRows(_)) => parameters.push(("labels", "array".into())),
            None => {}
        }
        parameters
    }

    /// What a reader must know where permutations were drawn for some of the rows.
    pub(crate) fn warning(&self, n_rows_drawn: usize, n_rows: usize) -> String {
        format!(
            "{n_rows_drawn} of {n_rows} rows differ from some background row in more than {} features: these shares are \
             estimated from {} permutations and their reverses each; standard_error says how well",
            self.max_exact_features, self.n_permutations
        )
    }
}

/// A space as people write it.
fn shown(space: OutputSpace) -> String {
    space.name().replace('_', "-")
}

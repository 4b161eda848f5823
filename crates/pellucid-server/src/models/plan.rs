//! What is asked of a model's explanations → a method made ready, and its key of comparability.

use std::path::PathBuf;

use ndarray::Ix2;
use pellucid_engine::{
    AgnosticMethod, AgnosticRequest, Explanation, Input, LoadedModel, Method, OutputSpace, OutputTarget,
    Parameter, PredictedRows, Request, Rows as TreeRows, TableRequest, TreeMethod, TreeModel, Work, explain,
    explain_predicted, explain_rows, parse_target,
};
use serde_json::{Map, Value};

use super::options::Given;
use super::rows::Rows;
use super::served::Kind;
use crate::error::Fault;

/// How somebody wants rows to be explained.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) method: Option<String>,
    pub(crate) target: String,
    pub(crate) seed: u64,
    pub(crate) output_space: Option<String>,
    pub(crate) options: Map<String, Value>,
}

/// A method with all its options set, for one model.
pub(crate) struct Plan {
    run: Run,
    pub(crate) method: String,
    /// All options with their defaults.
    pub(crate) parameters: Map<String, Value>,
    /// What is explained, as it was asked for.
    pub(crate) target: String,
    pub(crate) seed: u64,
    /// Rows that the model is asked about for one row, roughly.
    pub(crate) cost_of_row: u64,
}

enum Run {
    Trees(Box<TableRequest>),
    Network(Box<Request>),
    Predicted(Box<AgnosticRequest>, Option<OutputSpace>),
}

impl Plan {
    /// The plan of what is asked, its background read from `background`.
    ///
    /// # Errors
    /// What the model or the method does not have.
    pub(crate) fn new(kind: &Kind, asked: &Asked, background: &[PathBuf]) -> Result<Self, Fault> {
        let mut given = Given::read(&asked.options)?;
        given.networks.background = background.to_vec();
        let method = asked.method.as_deref();
        match kind {
            _ if method.is_some_and(AgnosticMethod::is_one) => Self::predicted(kind, asked, given),
            Kind::Trees(model) => Self::trees(model, asked, given),
            Kind::Network(network) => Self::network(&network.model, asked, given),
        }
    }

    fn trees(model: &TreeModel, asked: &Asked, mut given: Given) -> Result<Self, Fault> {
        given.trees.background = std::mem::take(&mut given.networks.background);
        if let Some(option) = given.networks.first_given().or(given.of_any.as_deref()) {
            return Err(Fault::BadRequest(format!("options: tree models have no option `{option}`")));
        }
        given.trees.output_space = asked.output_space.clone();
        let method = TreeMethod::new(asked.method.as_deref(), &given.trees, model)?;
        let target = OutputTarget::parse(&asked.target)?;
        let one = model.ensemble().n_outputs() == 1;
        refuse_several(matches!(&target, OutputTarget::All) && !one || is_several(&target), &asked.target)?;
        let parameters = json_of(method.parameters());
        let name = method.name().to_owned();
        let request =
            TableRequest { method, target, seed: asked.seed, array: None, other_columns: Vec::new() };
        Ok(Self::of(Run::Trees(Box::new(request)), name, parameters, asked))
    }

    fn network(model: &LoadedModel, asked: &Asked, given: Given) -> Result<Self, Fault> {
        if let Some(option) = given.trees.first_given().or(given.of_any.as_deref()) {
            return Err(Fault::BadRequest(format!(
                "options: methods for networks have no option `{option}`"
            )));
        }
        if let Some(space) = &asked.output_space {
            return Err(Fault::BadRequest(format!(
                "output_space: {space} is of methods for trees and of those that need predictions alone"
            )));
        }
        let name = asked.method.as_deref().unwrap_or("integrated_gradients");
        let method = Method::new(name, &given.networks, model, asked.seed)?;
        let target = parse_target(&asked.target)?;
        refuse_several(target.n_targets() > 1, &asked.target)?;
        let (name, parameters) = (method.name().to_owned(), json_of(method.parameters()));
        let request = Request { method, target, seed: asked.seed };
        Ok(Self::of(Run::Network(Box::new(request)), name, parameters, asked))
    }

    fn predicted(kind: &Kind, asked: &Asked, given: Given) -> Result<Self, Fault> {
        let space = asked.output_space.as_deref().map(space).transpose()?;
        let predicted = kind.predicted(space)?;
        let read = |paths: &[PathBuf]| kind.read(paths);
        let name = asked.method.as_deref().unwrap_or("kernel_shap");
        let method = AgnosticMethod::new(name, &given.agnostic()?, &predicted, asked.seed, None, read)?;
        let target = OutputTarget::parse(&asked.target)?;
        let one = predicted.predictor().n_outputs() == 1;
        refuse_several(matches!(&target, OutputTarget::All) && !one || is_several(&target), &asked.target)?;
        let (name, parameters) = (method.name().to_owned(), json_of(method.parameters()));
        let request = AgnosticRequest { method, target, seed: asked.seed };
        Ok(Self::of(Run::Predicted(Box::new(request), space), name, parameters, asked))
    }

    fn of(run: Run, method: String, parameters: Map<String, Value>, asked: &Asked) -> Self {
        let cost_of_row = cost(&parameters);
        Self { run, method, parameters, target: asked.target.clone(), seed: asked.seed, cost_of_row }
    }

    /// Explains rows of the model that the plan was made for.
    ///
    /// # Errors
    /// Whatever the engine reports.
    pub(crate) fn explain(&self, kind: &Kind, rows: &Rows, work: &Work) -> Result<Explanation, Fault> {
        let explanation = match (&self.run, kind) {
            (Run::Trees(request), Kind::Trees(model)) => of_trees(model, rows, request, work)?,
            (Run::Network(request), Kind::Network(network)) => {
                let input = Input::from_rows(rows.mapv(|x| x as f32));
                explain(&network.model, &input, request, work)?
            }
            (Run::Predicted(request, space), _) => {
                let rows = PredictedRows::from_rows(rows.clone(), kind.feature_names());
                explain_predicted(&kind.predicted(*space)?, &rows, request, work)?
            }
            _ => return Err(Fault::Internal("a plan of another kind of model".to_owned())),
        };
        explanation.check_finite()?;
        Ok(explanation)
    }
}

fn of_trees(
    model: &TreeModel,
    rows: &Rows,
    request: &TableRequest,
    work: &Work,
) -> Result<Explanation, Fault> {
    let rows =
        rows.view().into_dimensionality::<Ix2>().map_err(|error| Fault::Internal(error.to_string()))?;
    let made = explain_rows(model, TreeRows::F64(rows), request, work)?;
    let columns = model.columns(None, rows.ncols())?;
    let about = made.known.about(model, rows, &columns, request, work);
    Ok(Explanation {
        values: made.values,
        outputs: made.outputs,
        base_values: made.base_values,
        convergence_delta: made.convergence_delta,
        standard_error: made.standard_error,
        raw_map: None,
        data: rows.to_owned().into_dyn(),
        baselines: None,
        evaluations: made.evaluations,
        about,
    })
}

fn is_several(target: &OutputTarget) -> bool {
    matches!(target, OutputTarget::Of(target) if target.n_targets() > 1)
}

/// A record holds the explanation of one output.
fn refuse_several(several: bool, target: &str) -> Result<(), Fault> {
    match several {
        true => Err(Fault::BadRequest(format!(
            "target: `{target}` is several outputs; a record explains one: top-1, an index or a label"
        ))),
        false => Ok(()),
    }
}

pub(crate) fn space(name: &str) -> Result<OutputSpace, Fault> {
    let found = OutputSpace::ALL.into_iter().find(|space| space.name() == name.replace('-', "_"));
    found.ok_or_else(|| Fault::BadRequest(format!("output_space: there is no space `{name}`")))
}

fn json_of(parameters: Vec<(&'static str, Parameter)>) -> Map<String, Value> {
    let value = |parameter: Parameter| match parameter {
        Parameter::Unset => Value::Null,
        Parameter::Flag(flag) => flag.into(),
        Parameter::Count(count) => count.into(),
        Parameter::Number(number) => number.into(),
        Parameter::Text(text) => text.into(),
    };
    parameters.into_iter().map(|(name, parameter)| (name.to_owned(), value(parameter))).collect()
}

/// Coalitions that methods without a given number ask about.
const USUAL_EVALUATIONS: u64 = 4_096;

/// Points, draws or coalitions of a row, times the rows that they are averaged over.
fn cost(parameters: &Map<String, Value>) -> u64 {
    let count = |names: &[&str]| {
        let of = |name: &&str| parameters.get(*name).map(|it| it.as_u64().unwrap_or(USUAL_EVALUATIONS));
        names.iter().filter_map(of).max().unwrap_or(1).max(1)
    };
    let draws = count(&["n_samples", "n_permutations"]);
    let points = match parameters.contains_key("n_steps") {
        true => count(&["n_steps"]),
        false => count(&["max_evaluations"]),
    };
    draws.saturating_mul(points).saturating_mul(count(&["n_background_rows", "background_rows"]))
}

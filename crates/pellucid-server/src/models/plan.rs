//! What is asked of a model's explanations → a method made ready, and its key of comparability.

use std::path::PathBuf;

use ndarray::{Array2, Ix2};
use pellucid_engine::{
    AgnosticMethod, AgnosticRequest, Explanation, Input, LoadedModel, Method, OutputSpace, OutputTarget,
    Parameter, PredictedRows, Request, Rows as TreeRows, TableRequest, TextExplanation, TextRequest,
    TreeMethod, TreeModel, Work, comparability_key, explain, explain_predicted, explain_rows, explain_text,
    parse_target,
};
use pellucid_store::RecordedModel;
use serde_json::{Map, Value};

use super::options::Given;
use super::rows::Numbers;
use super::served::Kind;
use super::texts::ServedTexts;
use crate::error::Fault;
use crate::security::ids;

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
    pub(crate) seed: u64,
    /// Records under the same key may be compared.
    pub(crate) comparability_key: String,
    /// What rows of one call have in common: the key, the seed, and the files, whose labels and names explanations tell. Records of two
    /// seeds may be compared, but are not made together.
    pub(crate) call: String,
    /// Rows that the model is asked about for one row, roughly.
    pub(crate) cost_of_row: u64,
}

enum Run {
    Trees(Box<TableRequest>),
    Network(Box<Request>),
    Predicted(Box<AgnosticRequest>, Option<OutputSpace>),
    Text(Box<TextRequest>),
}

/// What a plan is made for.
pub(crate) struct Planned<'a> {
    pub(crate) kind: &'a Kind,
    /// The model as records name it.
    pub(crate) recorded: RecordedModel,
    /// Files of background rows.
    pub(crate) background: &'a [PathBuf],
    /// A digest of all files that the model is made from.
    pub(crate) files: &'a [u8; 32],
}

/// What a method made ready says of itself.
struct Ready {
    run: Run,
    method: String,
    options: Vec<(&'static str, Parameter)>,
    target: String,
    output_space: OutputSpace,
    output_name: String,
}

impl Plan {
    /// The plan of what is asked for a model.
    ///
    /// # Errors
    /// What the model or the method does not have.
    pub(crate) fn new(of: &Planned<'_>, asked: &Asked) -> Result<Self, Fault> {
        let mut given = Given::read(&asked.options)?;
        given.networks.background = of.background.to_vec();
        if let Kind::Texts(texts) = of.kind {
            return Self::of_texts(of, texts, asked, given);
        }
        let method = asked.method.as_deref();
        let ready = match of.kind {
            kind if method.is_some_and(AgnosticMethod::is_one) => predicted(kind, asked, given)?,
            Kind::Trees(model) => trees(model, asked, given)?,
            Kind::Network(network) => self::network(&network.model, asked, given)?,
            Kind::Texts(_) => return Err(Fault::Internal("a text is no row of numbers".to_owned())),
        };
        let mut parameters: Map<String, Value> =
            ready.options.iter().map(|(name, value)| ((*name).to_owned(), value.to_json())).collect();
        let cost_of_row = cost(&parameters);
        // As records have them: the key is theirs.
        parameters.insert("target".to_owned(), ready.target.into());
        parameters.insert("output_space".to_owned(), ready.output_space.name().into());
        parameters.insert("output_name".to_owned(), ready.output_name.into());
        let key = comparability_key(&ready.method, &parameters, &of.recorded)?;
        Ok(Self {
            run: ready.run,
            method: ready.method,
            seed: asked.seed,
            call: call(&key, asked, of.files),
            comparability_key: key,
            cost_of_row,
        })
    }

    /// Of texts, methods are made for each text: one that is explained tells what the records have in common.
    fn of_texts(of: &Planned<'_>, texts: &ServedTexts, asked: &Asked, given: Given) -> Result<Self, Fault> {
        let request = texts.request(asked, given)?;
        let tried = texts.tried(&request, &of.recorded)?;
        Ok(Self {
            run: Run::Text(Box::new(request)),
            method: tried.method,
            seed: asked.seed,
            call: call(&tried.comparability_key, asked, of.files),
            comparability_key: tried.comparability_key,
            cost_of_row: cost(&tried.parameters),
        })
    }

    /// Explains rows of the model that the plan was made for.
    ///
    /// # Errors
    /// Whatever the engine reports.
    pub(crate) fn explain(&self, kind: &Kind, rows: &Numbers, work: &Work) -> Result<Explanation, Fault> {
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

    /// Explains a text of the model that the plan was made for.
    ///
    /// # Errors
    /// Whatever the engine reports.
    pub(crate) fn explain_text(
        &self,
        kind: &Kind,
        text: &str,
        work: &Work,
    ) -> Result<TextExplanation, Fault> {
        let (Run::Text(request), Kind::Texts(texts)) = (&self.run, kind) else {
            return Err(Fault::Internal("a plan of another kind of model".to_owned()));
        };
        let explained = explain_text(&texts.model, text, "", request, work)?;
        explained.explanation.check_finite()?;
        Ok(explained)
    }
}

fn call(key: &str, asked: &Asked, files: &[u8; 32]) -> String {
    format!("{key}:{}:{}", asked.seed, ids::hex(files))
}

fn trees(model: &TreeModel, asked: &Asked, mut given: Given) -> Result<Ready, Fault> {
    given.trees.background = std::mem::take(&mut given.networks.background);
    if let Some(option) = given.networks.first_given().or(given.of_any.as_deref()) {
        return Err(Fault::BadRequest(format!("options: methods for tree models have no option `{option}`")));
    }
    given.trees.output_space = asked.output_space.clone();
    let method = TreeMethod::new(asked.method.as_deref(), &given.trees, model)?;
    let target =
        one_output(OutputTarget::parse(&asked.target)?, model.ensemble().n_outputs(), model.labels())?;
    Ok(Ready {
        method: method.name().to_owned(),
        options: method.parameters(),
        target: target.to_string(),
        output_space: method.output_space(),
        output_name: model.ensemble().provenance.objective.clone(),
        run: Run::Trees(Box::new(TableRequest {
            method,
            target,
            seed: asked.seed,
            array: None,
            other_columns: Vec::new(),
        })),
    })
}

fn network(model: &LoadedModel, asked: &Asked, given: Given) -> Result<Ready, Fault> {
    if let Some(option) = given.trees.first_given().or(given.of_any.as_deref()) {
        return Err(Fault::BadRequest(format!("options: methods for networks have no option `{option}`")));
    }
    if let Some(space) = &asked.output_space {
        return Err(Fault::BadRequest(format!(
            "output_space: {space} is of methods for trees and of those that need predictions alone"
        )));
    }
    let name = asked.method.as_deref().unwrap_or("integrated_gradients");
    let method = Method::new(name, &given.networks, model, asked.seed)?;
    let OutputTarget::Of(target) =
        one_output(OutputTarget::Of(parse_target(&asked.target)?), model.n_outputs(), model.labels())?
    else {
        return Err(Fault::Internal("a target of another kind".to_owned()));
    };
    Ok(Ready {
        method: method.name().to_owned(),
        options: method.parameters(),
        target: target.to_string(),
        output_space: model.output_space(),
        output_name: model.output_name().to_owned(),
        run: Run::Network(Box::new(Request { method, target, seed: asked.seed })),
    })
}

fn predicted(kind: &Kind, asked: &Asked, given: Given) -> Result<Ready, Fault> {
    let space = asked.output_space.as_deref().map(space).transpose()?;
    let predicted = kind.predicted(space)?;
    let read = |paths: &[PathBuf]| kind.read(paths);
    let name = asked.method.as_deref().unwrap_or("kernel_shap");
    // Which rows wait together is chance.
    if name.replace('-', "_") == "feature_permutation" {
        return Err(Fault::BadRequest(
            "method: feature_permutation takes its values from the rows that are explained together, and rows here are explained \
             as they come; take feature_ablation"
                .to_owned(),
        ));
    }
    let method = AgnosticMethod::new(name, &given.agnostic()?, &predicted, asked.seed, None, read)?;
    let labels = predicted.source().output_names.as_deref();
    let target = one_output(OutputTarget::parse(&asked.target)?, predicted.predictor().n_outputs(), labels)?;
    Ok(Ready {
        method: method.name().to_owned(),
        options: method.parameters(),
        target: target.to_string(),
        output_space: method.space_of_values(predicted.source().space),
        output_name: predicted.source().output_name.clone(),
        run: Run::Predicted(Box::new(AgnosticRequest { method, target, seed: asked.seed }), space),
    })
}

fn of_trees(
    model: &TreeModel,
    rows: &Numbers,
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

/// A record holds the explanation of one output, which has to be there.
fn one_output(
    target: OutputTarget,
    n_outputs: usize,
    labels: Option<&[String]>,
) -> Result<OutputTarget, Fault> {
    let n_targets = match &target {
        OutputTarget::All => n_outputs,
        OutputTarget::Of(target) => target.n_targets(),
    };
    if n_targets > 1 {
        return Err(Fault::BadRequest(format!(
            "target: `{target}` is several outputs; a record explains one: top-1, an index or a label"
        )));
    }
    // Models that classify every place of an image have other labels than outputs.
    if let OutputTarget::Of(target) = &target
        && labels.is_none_or(|labels| labels.len() == n_outputs)
    {
        target.resolve(Array2::zeros((1, n_outputs)).view(), labels).map_err(pellucid_engine::Error::from)?;
    }
    Ok(target)
}

fn space(name: &str) -> Result<OutputSpace, Fault> {
    let found = OutputSpace::ALL.into_iter().find(|space| space.name() == name.replace('-', "_"));
    found.ok_or_else(|| Fault::BadRequest(format!("output_space: there is no space `{name}`")))
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
